"""Numbered migrations of the DuckDB file: each file and the record that it ran commit together.

Files are `NNNN-name.sql` for what all connections share and `connection-NNNN-name.sql` for the tables of
one connection. The numbers run through both kinds; the highest one is the version of a database.
"""

from __future__ import annotations

import importlib.resources
import re
import shutil
import subprocess
import sys
from datetime import datetime
from errno import EDQUOT, EFBIG, ENOSPC
from importlib.metadata import version as installed
from importlib.resources.abc import Traversable
from pathlib import Path

import duckdb

from icx.store.damage import disk_full, made_by_newer, read_only
from icx.store.names import quoted
from icx.store.rows import one_row
from icx.store.transactions import transaction

MIGRATIONS: Traversable = importlib.resources.files("icx.store") / "migrations"


def number(name: str) -> int:
    """Return the number in a migration's file name.

    >>> number("0001-begin.sql"), number("connection-0002-more.sql")
    (1, 2)
    """
    found = re.search(r"\d+", name)
    return int(found.group()) if found else 0


def files(scope: str) -> list[str]:
    """Return the migration files of the shared tables ('') or of a connection, in order."""
    names = [entry.name for entry in MIGRATIONS.iterdir() if entry.name.endswith(".sql")]
    return sorted((n for n in names if n.startswith("connection-") == bool(scope)), key=number)


def newest() -> int:
    """Return the version this icx writes."""
    return max(number(name) for name in files("") + files("connection"))


def stored(con: duckdb.DuckDBPyConnection, database: str | None = None) -> tuple[int, str]:
    """Return a database's version and the icx that brought it there; (0, '') for a new file.

    `database` is the name it is attached as, else the one that is in use.
    """
    there = one_row(
        con.execute(
            "select count(*) from duckdb_tables() where database_name = coalesce(?, current_database())"
            " and schema_name = 'main' and table_name = 'icx_migrations'",
            [database],
        )
    )
    if not there or not there[0]:
        return 0, ""
    where = f"{quoted(database)}." if database else ""
    rows = con.execute(f"select name, icx from {where}main.icx_migrations").fetchall()
    return max(((number(name), icx or "") for name, icx in rows), default=(0, ""))


def check_version(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the database's version, or refuse one made by a newer icx."""
    have, by = stored(con)
    if have > newest():
        raise made_by_newer(path, f"icx {by} (version {have})", f"{installed('icx')} (version {newest()})")
    return have


def keep_copy(con: duckdb.DuckDBPyConnection, path: Path, version: int) -> Path:
    """Copy the open database beside itself as `icx-vN.duckdb`, whole or not at all.

    Nobody else can write it meanwhile. It is copied by a process of its own: reading the file in this one would end
    the lock that DuckDB holds on it.
    """
    copy = path.with_name(f"{path.stem}-v{version}{path.suffix}")
    part = copy.with_suffix(".part")
    free = shutil.disk_usage(path.parent).free
    size = path.stat().st_size
    if free < size:
        raise disk_full(path, need=size, free=free)
    con.execute("checkpoint")  # what lies in DuckDB's log is then in the file
    done = subprocess.run(  # noqa: S603  our own few lines, two paths of ours
        [sys.executable, "-I", "-S", "-c", _COPY, str(path), str(part)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        part.unlink(missing_ok=True)
        if done.stdout.strip() in {str(ENOSPC), str(EDQUOT), str(EFBIG)}:
            raise disk_full(path, need=size, free=shutil.disk_usage(path.parent).free)
        raise read_only(path)
    part.replace(copy)
    return copy


_COPY = """
import os, shutil, sys
try:
    with open(sys.argv[1], "rb") as old, open(sys.argv[2], "wb") as new:
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
except OSError as error:
    print(error.errno)
    sys.exit(1)
"""


def migrate(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Bring the shared tables, and every connection's tables, to this version."""
    con.execute(
        "create table if not exists main.icx_migrations "
        "(scope varchar, name varchar, ran_at timestamp, icx varchar)"
    )
    _run(con, "", now)
    for (name,) in con.execute(
        "select distinct scope from main.icx_migrations where scope <> '' order by scope"
    ).fetchall():
        _run(con, name, now)


def migrate_connection(con: duckdb.DuckDBPyConnection, name: str, now: datetime) -> None:
    """Make a connection's schema, or bring it to this version."""
    con.execute(f"create schema if not exists {quoted(name)}")
    _run(con, name, now)


def forget_connection(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop a connection's schema and what was migrated in it, in one transaction."""
    with transaction(con):
        con.execute(f"drop schema if exists {quoted(name)} cascade")
        con.execute("delete from main.icx_migrations where scope = ?", [name])


def _run(con: duckdb.DuckDBPyConnection, scope: str, now: datetime) -> None:
    rows = con.execute("select name from main.icx_migrations where scope = ?", [scope]).fetchall()
    done = {name for (name,) in rows}
    for file in files(scope):
        if file in done:
            continue
        try:
            with transaction(con):
                if scope:
                    con.execute(f"set search_path = '{quoted(scope)}'")
                con.execute((MIGRATIONS / file).read_text(encoding="utf-8"))
                con.execute(
                    "insert into main.icx_migrations values (?, ?, ?, ?)",
                    [scope, file, now, installed("icx")],
                )
        finally:
            con.execute("set search_path = 'main'")
