"""The command line: typed in a process of its own, typed inside this one (quicker), or killed while it works."""

from __future__ import annotations

import contextlib
import io
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
    """Run one command to its end, in a process of its own."""
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


def typed(*words: str, workspace: Path) -> Said:
    """Run one command inside this process, which has loaded the heavy parts already."""
    from icx import cli

    out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run([*words, "--workspace", str(workspace)])
    finally:
        signal.signal(signal.SIGTERM, before)
    return Said(code, out.getvalue(), err.getvalue())


def done(*words: str, workspace: Path) -> Said:
    """The same, and it has to succeed."""
    said = typed(*words, workspace=workspace)
    assert said.code == 0, (words, said.err)
    return said


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
            time.sleep(0.02)
    return False
