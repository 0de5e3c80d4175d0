"""Starting the sandbox as a process of its own, and ending it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any


class SandboxFailed(RuntimeError):
    """The sandbox did not come up; the text is what it said."""


@dataclass(frozen=True)
class SandboxProcess:
    """A running sandbox: where it answers and how to log in. Ends with `stop()` or a `with` block."""

    base_url: str
    app_id: str
    username: str
    password: str = field(repr=False)
    account_id: int
    client_folder_id: int
    pid: int
    process: subprocess.Popen[bytes] = field(repr=False)
    said: IO[bytes] = field(repr=False)

    @property
    def control_url(self) -> str:
        """The address of violations, calls, faults and machine labels."""
        return self.base_url.removesuffix("/icp") + "/_sandbox"

    def stop(self) -> None:
        """End the process and wait for it; a second call does nothing."""
        _end(self.process)
        for stream in (self.process.stdin, self.process.stdout, self.said):
            if stream is not None:
                stream.close()

    def __enter__(self) -> SandboxProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def arguments(**options: Any) -> list[str]:
    """Return the command line of these options: `as_of=…` is `--as-of`, True a flag, a list a repeated option.

    >>> arguments(contacts=400, html_type=True, deny=["tracking"], state=None)
    ['--contacts', '400', '--html-type', '--deny', 'tracking']
    """
    line: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            line.append(flag)
        elif isinstance(value, list | tuple):
            for each in value:
                line += [flag, str(each)]
        elif value is not None and value is not False:
            line += [flag, str(value)]
    return line


def start(*, wait: float = 120, **options: Any) -> SandboxProcess:
    """Start a sandbox and return when it answers; it ends with this process at the latest.

    Options are those of the command line. Raises SandboxFailed with what it said when it does not come up
    within `wait` seconds.
    """
    said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
    process = _begin([*arguments(**options), "--json", "--exit-with-stdin"], said)
    assert process.stdout is not None
    line = _first_line(process.stdout, wait)
    try:
        facts = json.loads(line)
    except ValueError:
        raise _failed(process, said) from None
    return SandboxProcess(**facts, process=process, said=said)


def _begin(words: list[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    """Begin an interpreter of its own with these words, complaining into `said`."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-m", "icx.sandbox", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
    )


def _first_line(stream: IO[bytes], wait: float) -> bytes:
    """Read up to the first line's end; less when the stream ends or the time is up."""
    line = b""
    deadline = time.monotonic() + wait
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([stream], [], [], left)[0]:
            break
        piece = os.read(stream.fileno(), 4096)
        if not piece:
            break
        line += piece
    return line


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait for it; one that does not listen is killed after five seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _failed(process: subprocess.Popen[bytes], said: IO[bytes]) -> SandboxFailed:
    _end(process)
    said.seek(0)
    text = said.read().decode(errors="replace").strip()
    for stream in (process.stdin, process.stdout, said):
        if stream is not None:
            stream.close()
    return SandboxFailed(text or "The sandbox did not come up in time.")
