"""What makes a machine run the jobs: systemd units or a line for cron, as text; nothing is installed."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: How often cron or the timer looks, in minutes.
MINUTES = 5


@dataclass(frozen=True)
class Unit:
    """One file: where it belongs, and what it holds."""

    path: str
    text: str


def systemd(command: Sequence[str], workspace: Path, *, always: bool = False) -> list[Unit]:
    """Return the units for a user's systemd: a timer that runs `icx run-due`, or a service that is always on.

    `command` is how icx is started, with absolute paths.
    """
    words = [*command, "serve" if always else "run-due", "--workspace", str(workspace), "--no-color"]
    begins = " ".join(_for_systemd(word) for word in words)
    # The folder's name says which workspace it is; two may have the same, so a piece of the path's hash as well.
    place = re.sub(r"[^A-Za-z0-9]+", "-", workspace.name).strip("-").lower() or "workspace"
    place += f"-{hashlib.sha256(str(workspace).encode()).hexdigest()[:4]}"
    name = f"icx-serve-{place}" if always else f"icx-run-due-{place}"
    service = [
        "[Unit]",
        f"Description=icx jobs of {_percent(str(workspace))}",
        "",
        "[Service]",
        "Type=exec" if always else "Type=oneshot",
        f"WorkingDirectory={_percent(str(workspace))}",
        f"ExecStart={begins}",
    ]
    # A run that is stopped has to write down what it did; an apply finishes the batch under way.
    service += ["TimeoutStopSec=120"]
    if always:
        service += ["Restart=on-failure", "RestartSec=30", "", "[Install]", "WantedBy=default.target"]
    folder = "~/.config/systemd/user"
    units = [Unit(f"{folder}/{name}.service", "\n".join(service) + "\n")]
    if not always:
        timer = [
            "[Unit]",
            "Description=icx jobs, by the clock",
            "",
            "[Timer]",
            f"OnCalendar=*:0/{MINUTES}",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
        units.append(Unit(f"{folder}/{name}.timer", "\n".join(timer) + "\n"))
    return units


def crontab(command: Sequence[str], workspace: Path) -> str:
    """Return the line for a crontab; what goes wrong is said on stderr, which cron mails.

    >>> crontab(["/usr/bin/icx"], Path("/srv/100 % acme"))
    "*/5 * * * * /usr/bin/icx run-due --workspace '/srv/100 \\\\% acme' --quiet >/dev/null"
    """
    words = [*command, "run-due", "--workspace", str(workspace), "--quiet"]
    # To cron a percent sign is the end of the line, also inside quotes.
    return f"*/{MINUTES} * * * * {shlex.join(words)} >/dev/null".replace("%", "\\%")


def _for_systemd(word: str) -> str:
    """Return a word as ExecStart reads it: % and $ doubled, quoted when it holds a blank."""
    text = _percent(word).replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if any(c in text for c in " \t'\"\\;") or not text else text


def _percent(text: str) -> str:
    return text.replace("%", "%%")
