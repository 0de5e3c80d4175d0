"""The command line as a process of its own: typed, answered, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ICX = [sys.executable, "-c", "from icx.cli import main; main()"]


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout; anything else there is an error."""
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


def environment(**more: str) -> dict[str, str]:
    """Ours without what would change the answers: no keyring of the desktop, no other workspace."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ICX_")}
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "PYTHONUTF8": "1"} | more


def icx(*words: str, workspace: Path, **more: str) -> Said:
    """Run one command to its end."""
    done = subprocess.run(
        [*ICX, *words, "--workspace", str(workspace)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        env=environment(**more),
        timeout=300,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def killed(*words: str, workspace: Path, when: Callable[[], bool]) -> bool:
    """Run a command and kill it (SIGKILL) once `when()` holds; returns False when it ended before."""
    with subprocess.Popen(
        [*ICX, *words, "--workspace", str(workspace)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as process:
        while process.poll() is None:
            if when():
                process.send_signal(signal.SIGKILL)
                process.wait()
                return process.returncode == -signal.SIGKILL
            time.sleep(0.002)
    return False
