"""What a workspace keeps is for its owner alone, under whatever umask and whoever makes a file in it.

The folder `data` is the wall: it is 0700, so nobody else reaches anything in it. Within it nothing is made wider than
its owner either, so that a copy of a file elsewhere is not wider than it has to be.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OTHERS = 0o077  # what the group and everybody else may do
_lock = threading.Lock()
_within = 0
_before = 0


@contextmanager
def alone() -> Iterator[None]:
    """Make files for their owner alone during the block, also those that DuckDB, SQLite and Arrow make.

    A umask is the whole process's: blocks of several threads share it, and the last one gives it back.
    """
    global _within, _before  # noqa: PLW0603 - the process has one umask
    with _lock:
        if _within == 0:
            _before = os.umask(OTHERS)
        _within += 1
    try:
        yield
    finally:
        with _lock:
            _within -= 1
            if _within == 0:
                os.umask(_before)


def folder(path: Path) -> Path:
    """Make a folder, and those above it that are missing, for their owner alone; return it."""
    with alone():
        path.mkdir(parents=True, exist_ok=True)
    return path


def wide(data: Path) -> list[Path]:
    """Return what is open to others of a workspace's `data`: itself, what lies in it, and all below a folder that is.

    Below a closed folder nothing is looked at, since nobody gets there.
    """
    return list(_wide(data.resolve(), enter=True)) if os.name == "posix" else []


def close(data: Path) -> list[Path]:
    """Close `data` to others and return what was open; what belongs to somebody else stays as it is."""
    found = wide(data)
    for path in found:
        with suppress(OSError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
    return found


def _wide(path: Path, *, enter: bool = False) -> Iterator[Path]:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return  # what it leads to lies elsewhere, and may be anybody's
        if mode & OTHERS:
            yield path
        if stat.S_ISDIR(mode) and (enter or mode & OTHERS):
            for one in path.iterdir():
                yield from _wide(one)
    except OSError:
        return  # gone meanwhile, or not ours to look into
