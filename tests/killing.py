"""Children that do something and may be killed before a call that writes, counted."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

WRITES = {"execute", "executemany", "write"}  # of a database or a file
FILES = {"replace", "rename", "unlink", "fsync", "mkdir", "rmdir"}  # of the system


def in_child(work: Callable[[], Any]) -> tuple[int, Any]:
    """Do something in a child; return how it ended (-9: killed) and what it gave."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code = 1
        try:
            with os.fdopen(write, "w") as out:
                out.write(json.dumps(work()))
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as said:
        text = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), json.loads(text) if text else None


def counting(
    act: Callable[[], Any], at: int | None, threads: Callable[[Any], None] = lambda _: None
) -> list[str]:
    """Do something and return the calls that may write; die before the one of this number.

    `threads` is `threading.setprofile` to count in those that are begun too.
    """
    names: list[str] = []

    def seen(frame: Any, event: str, what: Any) -> None:
        if event == "c_call" and (
            what.__name__ in WRITES or (what.__name__ in FILES and what.__module__ == "posix")
        ):
            if at is not None and len(names) >= at:
                os.kill(os.getpid(), signal.SIGKILL)
            names.append(what.__name__)

    threads(seen)
    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(None)
        threads(None)
    return names
