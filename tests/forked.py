"""Sandboxes forked from one process that has read their libraries: a start costs a tenth of an interpreter's.

Every `icx.sandbox.process.start` in a test, its own or one inside the code it tests, goes this way. What is
about the interpreter itself asks for the fixture `own_interpreter` and gets a real one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from icx.sandbox import process


class Nursery:
    """The process that forks them, begun with the first sandbox."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: subprocess.Popen[bytes] | None = None

    def fork(self, fds: list[int]) -> int:
        """Fork one with these as its stdin, stdout, stderr and the place for its exit code; return its pid."""
        with self.lock:
            if self.running is None:
                self.control, theirs = socket.socketpair()
                with theirs:
                    self.running = subprocess.Popen([sys.executable, __file__], stdin=theirs)
            socket.send_fds(self.control, [b"1"], fds)
            return int(self.control.recv(20))

    def end(self) -> None:
        if self.running is not None:
            self.control.close()
            self.running.wait(20)


class Forked:
    """A forked sandbox in the words of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, words: list[str], said: IO[bytes]) -> None:
        self.args = words
        self.returncode: int | None = None
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self._ended, code = os.pipe()
        self.pid = nursery.fork([theirs_in, theirs_out, said.fileno(), code])
        for theirs in (theirs_in, theirs_out, code):
            os.close(theirs)
        self.stdin, self.stdout = os.fdopen(ours_in, "wb", 0), os.fdopen(ours_out, "rb", 0)
        self.stdin.write(json.dumps([words, os.getcwd(), dict(os.environ)]).encode() + b"\n")

    def poll(self) -> int | None:
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

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


@contextmanager
def forking() -> Iterator[None]:
    """Inside, sandboxes are forked; at the end those that are left are ended."""
    nursery = Nursery()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_begin", lambda words, said: Forked(nursery, words, said))
        yield
    nursery.end()


def _nurse() -> None:
    """In the nursery: fork one for every byte that comes, until whoever began it is gone."""
    from icx.sandbox import generate, serve  # noqa: F401 - read once, for all

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
    for pid in codes.copy():
        os.kill(pid, signal.SIGTERM)
    while codes:
        signal.pause()


def _live(control: socket.socket, fds: list[int]) -> None:
    """In the forked process: be the sandbox that the first line of its stdin asks for."""
    from icx.sandbox.serve import main

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
        sys.stdin = os.fdopen(0)
        words, folder, environment = json.loads(_line(0))
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        code = main(words, sys.stdout)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _line(fd: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(fd, 1 << 16)
    return line


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    _nurse()
