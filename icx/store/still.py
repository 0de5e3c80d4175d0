"""The database held still: read whole while nobody can write it, and replaced by another file in one step."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import duckdb

from icx.store import damage, private
from icx.store.db import Connection, Store
from icx.store.names import literal, quoted

OLD, NEW = "the_old", "the_new"  # what the two files are attached as


class Still(NamedTuple):
    """A database that nobody writes: attached as `OLD`, and its bytes, with everything in them."""

    con: Connection
    file: BinaryIO


@contextmanager
def still(store: Store) -> Iterator[Still]:
    """Hold the database so that nobody writes it, in this process or another.

    The block may replace the file (see `put`): whoever waits for it meets the new one. Waits as `Store.open` does,
    and raises what that raises; a database of an older icx has been migrated by then.
    """
    clock, began = store.clock, store.clock.monotonic()
    while True:
        with store.nobody_else() as ours:
            if ours:
                with store.open() as con:  # waits for other processes, migrates, and takes the log back in
                    con.execute("checkpoint")
                # Closing any descriptor of a file ends this process's locks on it, so this one is closed last of all.
                with store.path.open("rb") as file, closing(duckdb.connect()) as con:
                    if _attach(con, store.path):
                        yield Still(con, file)
                        return
        waited = clock.monotonic() - began
        if waited >= store.wait_minutes * 60:
            raise damage.busy(store.path, f"process {os.getpid()} (this one, in another thread)", waited)
        clock.sleep(0.05)


def _attach(con: Connection, path: Path) -> bool:
    try:
        con.execute(f"attach {literal(str(path))} as {OLD} (read_only)")
    except duckdb.Error as error:
        if re.search("lock|conflict", str(error), re.IGNORECASE):
            return False  # another process was quicker; it is waited for again
        ours = damage.translated(error, path)
        if ours is None:
            raise
        raise ours from None
    if wal(path).exists():  # somebody wrote in between, and was killed
        con.execute(f"detach {OLD}")
        return False
    con.execute("set timezone = 'UTC'")
    return True


def copy(con: Connection, path: Path) -> dict[str, int]:
    """Copy every row of `OLD` into a new file at `path`, without what was deleted; return the rows of each table.

    The new file is attached as `NEW` and stays so. Raises `Damaged` when a table came out with other rows than it had.
    """
    forget(path)
    with private.alone(), damage.told(path):
        con.execute(f"attach {literal(str(path))} as {NEW}")
        con.execute(f"copy from database {OLD} to {NEW}")
        before, after = rows(con, OLD), rows(con, NEW)
    if before != after:
        differ = sorted(name for name in before if before[name] != after.get(name))
        raise damage.unlike(path, differ)
    return after


def finish(con: Connection, path: Path) -> None:
    """Let the new file go, with everything in it and on the disk."""
    with damage.told(path):
        con.execute(f"checkpoint {NEW}")
        con.execute(f"detach {NEW}")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def put(new: Path, path: Path) -> None:
    """Put a finished file in the place of another, in one step that a power cut cannot halve."""
    new.replace(path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Bring a folder's own list of names to the disk; not every system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def rows(con: Connection, database: str | None = None) -> dict[str, int]:
    """Return how many rows each table of an attached database has, by default the one in use."""
    tables = con.execute(
        "select database_name, schema_name, table_name from duckdb_tables()"
        " where database_name = coalesce(?, current_database()) and not internal and not temporary order by all",
        [database],
    ).fetchall()
    counted = {}
    for base, schema, table in tables:
        name = f"{quoted(base)}.{quoted(schema)}.{quoted(table)}"
        counted[f"{schema}.{table}"] = int(con.execute(f"select count(*) from {name}").fetchall()[0][0])
    return counted


def wal(path: Path) -> Path:
    """Return where DuckDB keeps what is not in the file yet."""
    return path.with_name(f"{path.name}.wal")


def forget(path: Path) -> None:
    """Take an unfinished file away, and what DuckDB left beside it."""
    for one in (path, wal(path)):
        one.unlink(missing_ok=True)
