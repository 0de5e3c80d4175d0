"""Programs forked from a process that has read their libraries: a start costs a tenth of an interpreter's.

Every `icx.sandbox.process.start` in a test, its own or one inside the code it tests, goes this way. What is
about the process itself asks for the fixture `own_interpreter` and gets a real one. `command(…)` and `script(…)`
begin a program of the tests' own, to be stopped or killed.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from icx.sandbox import process


class Nursery:
    """The process that forks them, begun with the first; it has read these modules."""

    def __init__(self, *modules: str) -> None:
        self.modules = modules
        self.lock = threading.Lock()
        self.running: subprocess.Popen[bytes] | None = None

    def fork(self, fds: list[int]) -> int:
        """Fork one with these as its stdin, stdout, stderr and the place for its exit code; return its pid."""
        with self.lock:
            if self.running is None:
                self.control, theirs = socket.socketpair()
                with theirs:
                    self.running = subprocess.Popen([sys.executable, __file__, *self.modules], stdin=theirs)
            socket.send_fds(self.control, [b"1"], fds)
            return int(self.control.recv(20))

    def end(self) -> None:
        if self.running is not None:
            self.control.close()
            self.running.wait(20)
            self.running = None


SANDBOXES = Nursery("icx.sandbox.serve", "icx.sandbox.generate")
# What every command reads that opens the workspace; Great Expectations stays to be read when it is used.
COMMANDS = Nursery(
    "icx.cli.bring", "icx.cli.act", "icx.cli.care", "icx.cli.due", "icx.cli.notebook", "icx.workspace.accounts",
    "icx.pull", "icx.plan", "icx.profile", "icx.http", "pandas",
)  # fmt: skip


class Forked:
    """A forked program in the words of `subprocess.Popen`; `does` is `module:function`, called with `words`."""

    def __init__(
        self,
        nursery: Nursery,
        does: str,
        words: list[str],
        *,
        stderr: IO[bytes] | None = None,
        text: bool = True,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        self.args = words
        self.returncode: int | None = None
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe() if stderr is None else (-1, os.dup(stderr.fileno()))
        self._ended, code = os.pipe()
        self.pid = nursery.fork([theirs_in, theirs_out, theirs_err, code])
        for theirs in (theirs_in, theirs_out, theirs_err, code):
            os.close(theirs)
        asked = [does, words, str(cwd or Path.cwd()), dict(os.environ) if env is None else env]
        os.write(ours_in, json.dumps(asked).encode() + b"\n")
        self.stdin: IO[Any] = os.fdopen(ours_in, "wb", 0)
        self.stdout, self.stderr = (
            None if fd < 0 else os.fdopen(fd, "r", encoding="utf-8") if text else os.fdopen(fd, "rb", 0)
            for fd in (ours_out, ours_err)
        )

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[Any, Any]:
        """Return what it still says on stdout and stderr, when it has ended."""
        with self, ThreadPoolExecutor(2) as both:
            said = [both.submit(stream.read) for stream in (self.stdout, self.stderr) if stream]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            out, err = (one.result() for one in said)
        return out, err

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            self.returncode = int(os.read(self._ended, 20) or b"-9")
            os.close(self._ended)
        return self.returncode

    def send_signal(self, which: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, which)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr, self.stdin):
            if stream:
                stream.close()
        self.wait()


def command(*words: str, env: dict[str, str], cwd: Path | None = None) -> Forked:
    """Begin a command of icx with nobody at a terminal."""
    begun = Forked(COMMANDS, "icx.cli:main", list(words), env=env, cwd=cwd)
    begun.stdin.close()
    return begun


def script(path: Path, *words: str) -> Forked:
    """Begin a program of the tests that stands in a file and does what its `main()` does."""
    begun = Forked(
        COMMANDS, f"{path.stem}:main", list(words), env=os.environ | {"FORKED_FROM": str(path.parent)}
    )
    begun.stdin.close()
    return begun


@contextmanager
def forking() -> Iterator[None]:
    """Inside, sandboxes are forked; at the end the programs that are left are ended."""

    def begin(words: list[str], said: IO[bytes]) -> Forked:
        return Forked(SANDBOXES, "icx.sandbox.serve:main", words, stderr=said, text=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_begin", begin)
        yield
    SANDBOXES.end()
    COMMANDS.end()


def _nurse(modules: list[str]) -> None:
    """In the nursery: fork one for every byte that comes, until whoever began it is gone."""
    for module in modules:
        importlib.import_module(module)
    control = socket.socket(fileno=os.dup(0))
    codes: dict[int, int] = {}

    def bury(*_: object) -> None:
        while codes:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            os.write(codes[pid], str(os.waitstatus_to_exitcode(status)).encode())
            os.close(codes.pop(pid))

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the tests' to hear
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, bury)
    while True:
        byte, fds, *_ = socket.recv_fds(control, 1, 4)
        if not byte:
            break
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if pid == 0:
            for code in codes.values():
                os.close(code)
            _live(control, fds)
        codes[pid] = fds.pop()
        for fd in fds:
            os.close(fd)
        control.send(str(pid).encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # one that ends between a look and a wait
    for pid in codes:
        os.kill(pid, signal.SIGTERM)
    for pid in codes:
        os.waitpid(pid, 0)


def _live(control: socket.socket, fds: list[int]) -> None:
    """In the forked process: do what the first line of its stdin asks for, and end as an interpreter does."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        control.close()
        os.close(fds.pop())
        for at, fd in enumerate(fds):
            os.dup2(fd, at)
            os.close(fd)
        does, words, folder, environment = json.loads(_line(0))
        sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
        sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8")
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        if "FORKED_FROM" in environment:
            sys.path.insert(0, environment["FORKED_FROM"])
        module, function = does.split(":")
        sys.argv = [does, *words]
        code = getattr(importlib.import_module(module), function)(words) or 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _line(fd: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(fd, 1 << 16)
        if not piece:  # who asked for this program was killed before saying what it is
            os._exit(1)
        line += piece
    return line


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    _nurse(sys.argv[1:])
