"""Whole files: written beside their place and put there at once, so that nobody ever reads half of one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

from icx.errors import Damaged
from icx.store import private

#: Names Windows keeps for devices, whatever the ending.
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
LONGEST_FILE = 120


def file_name(name: str) -> str:
    """Return the file something of this name is kept in.

    Letters, digits, blanks, - and _ stay; the rest is written as %XX, so no name can leave the folder and no
    two names share a file. A long name is cut and ends in a piece of its hash.

    >>> file_name("Loyal in Durham"), file_name("../etc/passwd"), file_name("Größe: 10 %")
    ('Loyal in Durham.json', '%2E%2E%2Fetc%2Fpasswd.json', 'Größe%3A 10 %25.json')
    """
    text = "".join(c if c.isalnum() or c in " -_" else quote(c, safe="").replace(".", "%2E") for c in name)
    if text.lower() in DEVICES:
        text = f"%{ord(text[0]):02X}{text[1:]}"
    if len(text.encode()) > LONGEST_FILE:
        short = text.encode()[:90].decode(errors="ignore").rsplit("%", 1)[0].rstrip()
        text = f"{short}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return f"{text}.json"


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
