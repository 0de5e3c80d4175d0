"""Things that cost seconds to make and are copied in milliseconds: made once for all workers of a test run.

    folder = prepared.copy("pulled 60", make, tmp_path / "mine")

`make(folder)` is called by the first who needs it, whichever worker that is, while the others wait; whoever asks
gets a copy to do anything with. The name says what is in it: two that differ need two names. What `make` leaves
behind has to be at rest, its programs ended and its files closed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_shared: list[Path] = []


def share(folder: Path) -> None:
    """Say where this run keeps what is prepared; `tests/conftest.py` does."""
    _shared[:] = [folder]


def original(name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of that name, to be read only."""
    (shared,) = _shared
    shared.mkdir(parents=True, exist_ok=True)
    there, begun = shared / name, shared / f"{name}.{os.getpid()}"
    with FileLock(shared / f"{name}.lock"):
        if not there.exists():
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            make(begun)
            begun.rename(there)
    return there


def copy(name: str, make: Callable[[Path], object], to: Path) -> Path:
    """Return a copy of one's own, at `to`."""
    return Path(shutil.copytree(original(name, make), to, dirs_exist_ok=True))
