"""Commands as they are typed: in this process, which has the heavy parts loaded, or in one of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from forked import Forked, command

from icx import cli
from icx.clock import SystemClock

PROGRAM = [sys.executable, "-c", "from icx.cli import main; main()"]


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


Typed = Callable[..., Said]


def environment(**more: str) -> dict[str, str]:
    """Ours without what would change the answers: no keyring of the desktop, no workspace of the shell's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ICX_")}
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "PYTHONUTF8": "1"} | more


def in_a_process(*words: str, workspace: Path, **more: str) -> Said:
    """Run one command to its end in a process of its own, with nobody at a terminal."""
    process = begun(*words, workspace=workspace, **more)
    out, err = process.communicate(300)
    return Said(process.wait(), out, err)


def in_an_interpreter(*words: str, workspace: Path, **more: str) -> Said:
    """The same as a user starts it; for what is about the interpreter itself."""
    done = subprocess.run(
        [*PROGRAM, *words, "--workspace", str(workspace)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        env=environment(**more),
        timeout=300,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def begun(*words: str, workspace: Path, cwd: Path | None = None, **more: str) -> Forked:
    """Begin a command in a process of its own, to be stopped."""
    return command(*words, "--workspace", str(workspace), env=environment(**more), cwd=cwd)


def hurried(patch: pytest.MonkeyPatch) -> None:
    """Let nobody wait: a sleep returns at once, and afterwards it is as late as it should be.

    A sleep after which it is no later would have whoever waits for an hour ask again for an hour.
    """
    ahead = [0.0]
    patch.setattr(SystemClock, "sleep", lambda self, seconds: ahead.__setitem__(0, ahead[0] + seconds))
    patch.setattr(SystemClock, "monotonic", lambda self: time.monotonic() + ahead[0])
    patch.setattr(SystemClock, "now", lambda self: datetime.now(UTC) + timedelta(seconds=ahead[0]))


@pytest.fixture(autouse=True, scope="session")
def no_keyring() -> Iterator[None]:
    """Secrets of tests stay in their own folders, also on a machine whose keyring opens."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ICX_PASSWORD", "ICX_APP_ID", "ICX_WORKSPACE"):
            patch.delenv(name, raising=False)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield


@pytest.fixture
def typed(capfd: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    """`typed("pull", "acme", workspace=folder)` runs the command inside this process."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words: str, workspace: Path) -> Said:
        capfd.readouterr()
        code = cli.run([*words, "--workspace", str(workspace)])
        said = capfd.readouterr()
        return Said(code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, before)
