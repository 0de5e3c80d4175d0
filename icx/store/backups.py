"""Backups: the database, the journal and what people wrote, in one file that is whole or not there.

A backup is a ZIP file: a database as it was at one moment, a copy of the journal taken right after it (so the journal
knows of everything the database knows, and what was sent is never forgotten before it was noted), the files of the
workspace, and a manifest with the size and SHA-256 of each. Secrets are in none of them: what goes in is named part by
part, and `data/secrets` is not among the parts.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as installed
from pathlib import Path, PurePosixPath
from typing import IO, Any

from icx.errors import BadInput, Damaged
from icx.store import damage, migrate, private
from icx.store.db import Store
from icx.store.journal import SCRIPTS
from icx.store.locks import alive
from icx.store.still import OLD, put, rows, still

FORMAT = 1
DATABASE, JOURNAL, MANIFEST = "icx.duckdb", "journal.sqlite", "manifest.json"
FILES = "workspace/"  # before the name of every other member: its place in the workspace
PIECE = 1 << 20
#: What a ZIP file raises that is cut, turned, encrypted or packed in a way this Python does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


@dataclass(frozen=True)
class Backup:
    """A backup and what its manifest says. `made_at` is aware UTC, `size` bytes, `rows` those of each table."""

    path: Path
    made_at: datetime
    icx: str
    version: int
    journal: tuple[str, ...]
    connections: tuple[str, ...]
    rows: Mapping[str, int]
    members: Mapping[str, Mapping[str, Any]]
    size: int
    plans: int  # the highest number of a plan that its journal knows

    @property
    def files(self) -> list[str]:
        """The places in the workspace of the files in it, beside database and journal."""
        return [name.removeprefix(FILES) for name in self.members if name.startswith(FILES)]


def write(
    target: Path,
    *,
    store: Store,
    journal: Path,
    files: Mapping[str, Path],
    instead_of: Backup | None = None,
) -> Backup:
    """Write a backup of the store, the journal and `files` (place in the workspace: where it is now) to `target`.

    Others wait meanwhile for the database, as for any other reader. It is checked against its own manifest before it
    gets its name. `instead_of` is the backup it replaces, whose time it keeps. Raises BadInput ("backup-there"), Damaged (disk-full, read-only and what is wrong with the database).
    """
    if target.exists() and instead_of is None:
        raise BadInput(
            "backup-there",
            "There is a file of this name already, and no backup replaces another.",
            where=str(target),
            kept="that file; nothing was written",
            next=[["icx", "backup", str(target.parent)]],
        )
    with unfinished(target, _needed(store, journal, files)) as part:
        with zipfile.ZipFile(part, "w", allowZip64=True) as packed:
            members: dict[str, Any] = {}
            with still(store) as held:
                made_at = instead_of.made_at if instead_of else store.clock.now()
                counted = rows(held.con, OLD)
                version, _ = migrate.stored(held.con, OLD)
                names = held.con.execute(f"select name from {OLD}.shared.connections order by 1").fetchall()
                members[DATABASE] = _add(packed, DATABASE, held.file)
            plans = 0
            if journal.exists():
                copied = part.with_name(f"{part.name}-journal")  # taken away with it, by whoever comes next
                try:
                    _copy_journal(journal, copied)
                    plans = highest_plan(copied)
                    with copied.open("rb") as file:
                        members[JOURNAL] = _add(packed, JOURNAL, file, small=True)
                finally:
                    copied.unlink(missing_ok=True)
            for place, path in sorted(files.items()):
                with path.open("rb") as file:
                    members[FILES + place] = _add(packed, FILES + place, file, small=True)
            told = {
                "icx_backup": FORMAT,
                "made_at": made_at.isoformat(),
                "icx": installed("icx"),
                "store_version": version,
                "journal": sorted(entry.name for entry in SCRIPTS.iterdir() if entry.name.endswith(".sql")),
                "plans": plans,
                "connections": [name for (name,) in names],
                "rows": counted,
                "members": members,
            }
            packed.writestr(MANIFEST, json.dumps(told, indent=1, ensure_ascii=False))
        check(read(part))
    return read(target)


@contextmanager
def unfinished(target: Path, need: int) -> Iterator[Path]:
    """Give a name beside `target` to write to, for its owner alone; it becomes `target` when the block ends well.

    What a killed process left there before is taken away.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        private.folder(target.parent)
        for left in target.parent.glob(".*.part*"):
            pid = left.name.rpartition(".part")[0].rpartition(".")[2]
            if pid.isdigit() and not alive(int(pid)):
                left.unlink(missing_ok=True)
        free = shutil.disk_usage(target.parent).free
        if free < need:
            raise damage.disk_full(target, need=need, free=free)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        put(part, target)
    except OSError as error:
        raise damage.of_the_machine(error, target) or error from None
    finally:
        part.unlink(missing_ok=True)


def read(path: Path) -> Backup:
    """Return what a backup says of itself; its contents are not read yet.

    Raises Damaged: backup-damaged for a file that is none, or not whole; made-by-newer.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            told = json.loads(packed.read(MANIFEST))
            there = set(packed.namelist())
        if told["icx_backup"] > FORMAT:
            raise damage.made_by_newer(path, f"icx {told['icx']}", installed("icx"))
        found = Backup(
            path,
            datetime.fromisoformat(told["made_at"]),
            str(told["icx"]),
            int(told["store_version"]),
            tuple(told["journal"]),
            tuple(told["connections"]),
            dict(told["rows"]),
            {_safe(path, name): dict(facts) for name, facts in told["members"].items()},
            path.stat().st_size,
            int(told["plans"]),
        )
    except (FileNotFoundError, IsADirectoryError):
        raise _unknown(path) from None
    except OSError as error:
        raise damage.of_the_machine(error, path) or _damaged(path, "it cannot be read") from None
    except (*UNREADABLE, ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(path, "it is no backup, or not whole") from None
    if missing := sorted({DATABASE, *found.members} - there):
        raise _damaged(path, f"{missing[0]} is not in it")
    scripts = {entry.name for entry in SCRIPTS.iterdir()}
    if found.version > migrate.newest() or set(found.journal) - scripts:
        by = f"icx {found.icx} (version {found.version})"
        raise damage.made_by_newer(path, by, f"{installed('icx')} (version {migrate.newest()})")
    return found


def check(backup: Backup) -> None:
    """Read a backup whole and compare it with its manifest; raises Damaged ("backup-damaged")."""
    with _packed(backup) as packed:
        for name in backup.members:
            _read(backup, packed, name, None)


def unpack(backup: Backup, name: str, to: Path) -> None:
    """Write one member to a file, compared with the manifest; raises Damaged ("backup-damaged", "disk-full")."""
    try:
        private.folder(to.parent)
        with private.alone(), _packed(backup) as packed, to.open("wb") as file:
            _read(backup, packed, name, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise damage.of_the_machine(error, to) or error from None


@contextmanager
def _packed(backup: Backup) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(backup.path) as packed:
            yield packed
    except UNREADABLE:
        raise _damaged(backup.path, "it is not whole") from None


def _read(backup: Backup, packed: zipfile.ZipFile, name: str, to: IO[bytes] | None) -> None:
    digest, size, facts = hashlib.sha256(), 0, backup.members[name]
    with packed.open(name) as member:
        while piece := member.read(PIECE):
            digest.update(piece)
            size += len(piece)
            if to is not None:
                to.write(piece)
    if size != facts["bytes"] or digest.hexdigest() != facts["sha256"]:
        raise _damaged(backup.path, f"{name} is not what was put in")


def _add(packed: zipfile.ZipFile, name: str, file: IO[bytes], *, small: bool = False) -> dict[str, Any]:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = (
        zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
    )  # DuckDB has compressed already
    entry.external_attr = 0o600 << 16
    digest, size = hashlib.sha256(), 0
    with packed.open(entry, "w", force_zip64=True) as member:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
            member.write(piece)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _copy_journal(journal: Path, to: Path) -> None:
    """Copy the journal as it is at one moment; others write it meanwhile."""
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with closing(sqlite3.connect(journal, timeout=60)) as old, closing(sqlite3.connect(to)) as new:
            old.backup(new)
            new.execute("pragma journal_mode = delete")  # one file, no log beside it
    except sqlite3.Error as error:
        raise damage.of_sqlite(error, to) or error from None


def highest_plan(journal: Path) -> int:
    """Return the highest number of a plan that a journal knows, 0 when it knows none or there is no journal."""
    if not journal.exists():
        return 0
    try:
        with closing(sqlite3.connect(journal, timeout=60)) as db:
            there = db.execute("select 1 from sqlite_master where name = 'plans'").fetchone()
            row = db.execute("select max(number) from plans").fetchone() if there else None
    except sqlite3.Error as error:
        raise damage.of_sqlite(error, journal) or error from None
    return int(row[0] or 0) if row else 0


def _needed(store: Store, journal: Path, files: Mapping[str, Path]) -> int:
    sizes = [path.stat().st_size for path in (store.path, journal, *files.values()) if path.exists()]
    return sum(sizes) + (journal.stat().st_size if journal.exists() else 0)


def _safe(path: Path, name: str) -> str:
    """Return a member's name, which must not lead out of the folder it is unpacked to."""
    place = PurePosixPath(name)
    plain = name in {DATABASE, JOURNAL} or name.startswith(FILES)
    if plain and not place.is_absolute() and ".." not in place.parts and "\\" not in name:
        return name
    raise _damaged(path, "it holds a file that no backup has")


def _unknown(path: Path) -> BadInput:
    return BadInput(
        "backup-unknown",
        "There is no such backup.",
        where=str(path),
        kept="nothing was changed",
        next=[["icx", "backup", "--list"]],
    )


def _damaged(path: Path, why: str) -> Damaged:
    return Damaged(
        "backup-damaged",
        "This file is no whole backup.",
        where=f"{path}: {why}",
        kept="everything here as it was",
        next=[["icx", "backup", "--list"]],
    )
