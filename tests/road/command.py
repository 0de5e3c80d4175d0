"""The command line: typed in a process of its own, typed inside this one (quicker), or killed while it works."""

from __future__ import annotations

import contextlib
import io
import signal
import time
from collections.abc import Callable
from pathlib import Path

from forked import command
from typing_commands import Said, environment
from typing_commands import in_a_process as icx

__all__ = ["Said", "done", "environment", "icx", "killed", "typed"]


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
    with command(*words, "--workspace", str(workspace), env=environment()) as process:
        while process.poll() is None:
            if when():
                process.send_signal(signal.SIGKILL)
                process.wait()
                return process.returncode == -signal.SIGKILL
            time.sleep(0.02)
    return False
