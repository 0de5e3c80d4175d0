"""Whole files: written beside their place and put there at once, so that nobody ever reads half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from icx.errors import Damaged
from icx.store import private

#: Names Windows keeps for devices, whatever the ending.
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def write(path: Path, text: str) -> Path:
    """Write a file for its owner alone, whole or not at all, and return its path; its folder is made."""
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> Path:
    """The same for a file that is no text."""
    private.folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".saving-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)  # mkstemp made it for its owner alone
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def check_version(found: object, this: int, *, what: str, where: str) -> None:
    """Raise made-by-newer when a readable file (an audience, a job) says that a later icx wrote it."""
    if isinstance(found, int) and found <= this:
        return
    raise Damaged(
        "made-by-newer",
        f"Made by a newer icx ({what} version {found}); this one reads version {this}.",
        where=where,
        kept="not opened, not changed",
        next=["install the newer icx"],
    )
