"""What can be wrong with a file on this machine, told in four parts."""

from __future__ import annotations

import errno
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from icx.errors import Damaged, IcxError, TryLater

ROOM = 64 * 2**20  # below this a landing would not be begun


def disk_full(path: Path, *, need: int | None = None, free: int | None = None) -> Damaged:
    """The disk cannot take what is coming; `need` and `free` are bytes."""
    free = _free(path) if free is None else free
    needs = f"this needs about {_gigabytes(need)} GB" if need else "this needs more"
    return Damaged(
        "disk-full",
        f"{_gigabytes(free)} GB are free, {needs}.",
        where=f"{path.parent}",
        kept="the database as it was, whole; what was under way is done again",
        next=["free some room, then the same command"],
    )


def check_room(path: Path) -> None:
    """Refuse to begin a landing that the disk could not take; a commit that fails halfway is worse."""
    if _free(path) < ROOM:
        raise disk_full(path, need=ROOM)


def read_only(path: Path) -> Damaged:
    """The folder does not let itself be written to."""
    return Damaged(
        "read-only",
        "This folder cannot be written to.",
        where=f"{path.parent}",
        kept="everything in it as it was",
        next=["--workspace elsewhere, then the same command"],
    )


def made_by_newer(path: Path, by: str, this: str) -> Damaged:
    """The file belongs to a later icx (or a later DuckDB) than this one."""
    that = by.split(" (", maxsplit=1)[0]
    numbered = that[-1:].isdigit()
    return Damaged(
        "made-by-newer",
        f"Made by {by}; this is {this}.",
        where=f"{path}",
        kept="not opened, not changed",
        next=[f"install {that} or newer, then the same command" if numbered else f"install {that}"],
    )


def not_a_database(path: Path) -> Damaged:
    """The file holds something that is not a database."""
    return Damaged(
        "database-damaged",
        "This file is not a database icx can read.",
        where=f"{path}",
        kept="the file as it is",
        next=[f"move {path.name} away (or a backup there), then the same command"],
    )


def unlike(path: Path, differ: list[str]) -> Damaged:
    """A copy did not come out with the rows of what was copied."""
    return Damaged(
        "copy-differs",
        "The copy of the database holds other rows than the database.",
        where=f"{path}: {', '.join(differ)}",
        kept="the database as it was; the copy was thrown away",
        next=["the same command once more; if it stays so, look at the disk"],
    )


def busy(path: Path, holder: str, waited: float) -> TryLater:
    """Somebody else has the database open; `waited` is seconds."""
    return TryLater(
        "database-busy",
        "Another program has the database open.",
        where=f"{path}: {holder}; waited {waited / 60:.0f} min",
        kept="nothing was changed",
        next=["close it there, then the same command; to read only: data/published/<connection>/*.parquet"],
    )


def translated(error: duckdb.Error, path: Path) -> IcxError | None:
    """Return DuckDB's error as one of ours when the machine, not the statement, is at fault."""
    text = str(error)
    if re.search(
        r"no space left|disk is full|file too large|failed to offload|ENOSPC|errno 28|EDQUOT|EFBIG",
        text,
        re.IGNORECASE,
    ):
        return disk_full(path)
    if isinstance(error, duckdb.IOException) and re.search(
        r"permission denied|read-only file system|not permitted", text, re.IGNORECASE
    ):
        return read_only(path)
    if re.search(r"newer version of DuckDB|only read versions? between", text, re.IGNORECASE):
        return made_by_newer(path, "a newer DuckDB", f"DuckDB {duckdb.__version__}")
    if isinstance(error, duckdb.IOException | duckdb.SerializationException) and re.search(
        r"not a valid DuckDB database|corrupt|checksum|WAL was created for", text, re.IGNORECASE
    ):
        return not_a_database(path)
    return None


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Let DuckDB's errors come out as ours when the machine is at fault, and as they are otherwise."""
    try:
        yield
    except duckdb.Error as error:
        ours = translated(error, path)
        if ours is None:
            raise
        raise ours from None


def of_the_machine(error: OSError, path: Path) -> IcxError | None:
    """Return an error of the system as one of ours when the disk or the folder is at fault."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return disk_full(path)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return read_only(path)
    return None


def of_sqlite(error: sqlite3.Error, path: Path) -> IcxError | None:
    """Return SQLite's error as one of ours when the machine, not the statement, is at fault."""
    text = str(error)
    # A file that may not grow, of a quota or a limit, is no more than "disk I/O error" in its words.
    if "disk is full" in text or error.sqlite_errorname in ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE"):
        return disk_full(path)
    if "readonly" in text or "unable to open" in text:
        return read_only(path)
    if "not a database" in text or "malformed" in text:
        return not_a_database(path)
    if "locked" in text:
        return busy(path, "another process", 60)
    return None


def _free(path: Path) -> int:
    there = path.parent
    while not there.exists() and there != there.parent:
        there = there.parent
    return shutil.disk_usage(there).free


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}"
