"""The one opener of the DuckDB file: opens for a group of statements, closes, and waits its turn.

A DuckDB file has one writing process and no reader beside it. So nobody in icx holds a connection:
`Store.open()` opens the file, serves every thread of this process, and closes it with the last one.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from icx.clock import SYSTEM, Clock, naive_utc
from icx.ctrl_c import interruptible
from icx.store import damage, private
from icx.store.engine import ENGINE, use
from icx.store.names import check_name, literal, quoted

Connection = duckdb.DuckDBPyConnection
DatabaseError = duckdb.Error
__all__ = ["Connection", "DatabaseError", "Migrated", "Store", "check_name", "literal", "memory", "quoted"]


@dataclass(frozen=True)
class Migrated:
    """A database was brought from one version to another; the one before is kept as `copy`."""

    before: int
    after: int
    copy: Path


class Store:
    """The workspace's DuckDB file.

    `path` is the file (made when first opened). `wait_minutes` is how long to wait for another program
    that holds it; `on_wait(seconds, holder)` is called about once a second meanwhile. `migrated` tells,
    once opened, that the file came from an older icx.
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
        self.migrated: Migrated | None = None
        self._lock = threading.RLock()
        self._users = 0
        self._checked: int | None = None
        self._root: Connection | None = None
        self._lent = False  # the root is the engine's, and goes back to it
        self._whole = True  # no error of DuckDB since it was opened

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    @contextmanager
    def open(self, schema: str | None = None) -> Iterator[Connection]:
        """Open the file for a group of statements; `schema` becomes the search path.

        Each caller gets its own cursor of one shared connection, so threads and nested calls work.
        Errors of the machine (disk full, folder read-only) come out as `Damaged`, DuckDB's others as they are.
        """
        with private.alone(), self._opened() as cursor:
            cursor.execute("set timezone = 'UTC'")  # which a cursor does not take over from its connection
            if self._lent:
                use(cursor, self.path)
            if schema is not None:
                cursor.execute(f"set search_path = {literal(quoted(schema) + ',shared,main')}")
            with interruptible(cursor.interrupt):
                yield cursor

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        with self._lock:
            if self._root is None:
                self._root = self._connect()
            cursor = self._root.cursor()
            self._users += 1
        try:
            yield cursor
        except duckdb.Error as error:
            self._whole = False
            ours = damage.translated(error, self.path)
            if ours is None:
                raise
            raise ours from error
        finally:
            cursor.close()
            with self._lock:
                self._users -= 1
                if self._users == 0 and self._root is not None:
                    self._free(self._root)
                    self._root = None

    @contextmanager
    def nobody_else(self) -> Iterator[bool]:
        """Keep other threads from the file during the block; gives False, and keeps nobody, while one has it open."""
        with self._lock:
            if self._users == 0:
                with ENGINE.still(self.path) as free:
                    yield free
                return
        yield False

    def create_schema(self, name: str) -> None:
        """Make a connection's schema and its tables when they are not there yet."""
        from icx.store.migrate import migrate_connection

        check_name(name)
        with self.open() as con:
            migrate_connection(con, name, naive_utc(self.clock.now()))

    def drop_schema(self, name: str) -> None:
        """Drop a connection's tables; what is kept by account and folder (consent facts) stays."""
        from icx.store.migrate import forget_connection

        check_name(name)
        with self.open() as con:
            forget_connection(con, name)

    def _connect(self) -> Connection:
        from icx.store.migrate import check_version, keep_copy, migrate, newest
        from icx.store.restoring import finish

        finish(self.path.parent)  # a restore that was decided and then cut off
        try:
            private.folder(self.path.parent)
        except OSError:
            raise damage.read_only(self.path) from None
        con = self._wait_for_file()
        try:
            if self._checked is None or self._checked != self._inode():
                have = check_version(con, self.path)
                if 0 < have < newest():
                    self.migrated = Migrated(have, newest(), keep_copy(con, self.path, have))
                con.execute("set timezone = 'UTC'")
                migrate(con, naive_utc(self.clock.now()))
                self._checked = self._inode()
            if self.memory_limit:
                con.execute(f"set memory_limit = {literal(self.memory_limit)}")
        except BaseException as error:
            self._whole = not isinstance(error, duckdb.Error)
            self._free(con)
            ours = damage.translated(error, self.path) if isinstance(error, duckdb.Error) else None
            if ours is None:
                raise
            raise ours from error
        return con

    def _free(self, con: Connection) -> None:
        lent, self._lent = self._lent, False  # given back once, also when what follows fails
        if lent:
            ENGINE.leave(con, whole=self._whole)
        else:
            ENGINE.close(con, self.path)
        self._whole = True

    def _inode(self) -> int | None:
        # Looking for migrations costs as much as opening; the same file needs it once.
        return self.path.stat().st_ino if self.path.exists() else None

    def _wait_for_file(self) -> Connection:
        began = self.clock.monotonic()
        while True:
            try:
                con, self._lent = ENGINE.connect(self.path)
                return con
            except duckdb.Error as error:
                if re.search("different configuration|already attached", str(error)):
                    # This very process opened the file by itself, read-only or as one more database: waiting would
                    # wait for ourselves.
                    holder = f"process {os.getpid()} (this one, beside icx)"
                    raise damage.busy(self.path, holder, 0) from None
                held_by = _holder(str(error))
                if held_by is None:
                    ours = damage.translated(error, self.path)
                    if ours is None:
                        raise
                    raise ours from None
                waited = self.clock.monotonic() - began
                if waited >= self.wait_minutes * 60:
                    raise damage.busy(self.path, held_by, waited) from None
                if self.on_wait:
                    self.on_wait(waited, held_by)
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
