"""The one opener of the DuckDB file: opens for a group of statements, closes, and waits its turn.

A DuckDB file has one writing process and no reader beside it. So nobody in icx holds a connection:
`Store.open()` opens the file, serves every thread of this process, and closes it with the last one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from icx.clock import SYSTEM, Clock, naive_utc
from icx.errors import BadInput, TryLater

Connection = duckdb.DuckDBPyConnection
RESERVED = {"main", "icx", "temp", "system", "information_schema", "pg_catalog"}


def quoted(identifier: str) -> str:
    """Return an identifier as SQL may hold it.

    >>> quoted('acme-outlet'), quoted('a"b')
    ('"acme-outlet"', '"a""b"')
    """
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return text as a SQL string literal, for the few places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def check_name(name: str) -> str:
    """Return a connection name that can also be a schema, or say why it cannot."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", name) and name.lower() not in RESERVED:
        return name
    raise BadInput(
        "connection-name",
        f'"{name}" cannot name a connection: letters, digits, - and _, a letter first.',
        where=f"not usable either: {', '.join(sorted(RESERVED))}",
        kept="nothing was saved",
        next=[["icx", "connect", "acme"]],
    )


class Store:
    """The workspace's DuckDB file.

    `path` is the file (made when first opened). `wait_minutes` is how long to wait for another program
    that holds it; `on_wait(seconds, holder)` is called about once a second meanwhile.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock = SYSTEM,
        wait_minutes: float = 10,
        on_wait: Callable[[float, str], None] | None = None,
        memory_limit: str | None = None,
    ) -> None:
        self.path = path
        self.clock = clock
        self.wait_minutes = wait_minutes
        self.on_wait = on_wait
        self.memory_limit = memory_limit
        self._lock = threading.RLock()
        self._users = 0
        self._root: Connection | None = None

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    @contextmanager
    def open(self, schema: str | None = None) -> Iterator[Connection]:
        """Open the file for a group of statements; `schema` becomes the search path.

        Each caller gets its own cursor of one shared connection, so threads and nested calls work.
        """
        with self._lock:
            if self._root is None:
                self._root = self._connect()
            self._users += 1
            cursor = self._root.cursor()
        try:
            if schema is not None:
                cursor.execute(f"set search_path = {literal(quoted(schema) + ',icx,main')}")
            yield cursor
        finally:
            cursor.close()
            with self._lock:
                self._users -= 1
                if self._users == 0 and self._root is not None:
                    self._root.close()
                    self._root = None

    def create_schema(self, name: str) -> None:
        """Make a connection's schema and its tables when they are not there yet."""
        from icx.store.migrate import migrate_connection

        check_name(name)
        with self.open() as con:
            migrate_connection(con, name)

    def _connect(self) -> Connection:
        from icx.store.migrate import migrate

        self.path.parent.mkdir(parents=True, exist_ok=True)
        con = self._wait_for_file()
        try:
            con.execute("set timezone = 'UTC'")
            if self.memory_limit:
                con.execute(f"set memory_limit = {literal(self.memory_limit)}")
            migrate(con, self.path, naive_utc(self.clock.now()))
        except BaseException:
            con.close()
            raise
        return con

    def _wait_for_file(self) -> Connection:
        began = self.clock.monotonic()
        while True:
            try:
                return duckdb.connect(str(self.path))
            except duckdb.IOException as error:
                holder = _holder(str(error))
                if holder is None:
                    raise
                waited = self.clock.monotonic() - began
                if waited >= self.wait_minutes * 60:
                    raise TryLater(
                        "database-busy",
                        "Another program has the database open.",
                        where=f"{self.path}: {holder}; waited {waited / 60:.0f} min",
                        kept="nothing was changed",
                        next=[
                            "close it there, then the same command; to read only: data/published/<connection>/*.parquet"
                        ],
                    ) from None
                if self.on_wait:
                    self.on_wait(waited, holder)
                self.clock.sleep(1.0)


def _holder(text: str) -> str | None:
    """Return who holds the lock, from DuckDB's own words, or None when the error is another one."""
    found = re.search(r"held in (.+?) \(PID (\d+)\)", text)
    if found:
        return f"process {found.group(2)} ({Path(found.group(1)).name})"
    return "another process" if "Could not set lock on file" in text else None


def memory() -> Connection:
    """Return a private in-memory DuckDB, for joining relations that are not in the store."""
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    return con
