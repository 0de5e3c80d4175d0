"""The sandbox's state: one SQLite file, a connection per thread, one writer at a time, cached totals."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")
SCHEMA = Path(__file__).with_name("schema.sql")


@dataclass(frozen=True)
class Switches:
    """What a run may set differently: credentials, and the places where the sources disagree."""

    username: str
    password: str
    app_id: str | None = None  # None: any application id is accepted
    consent: Literal["strict", "permissive"] = "strict"
    html_type: bool = False  # JSON under text/html, as recorded in 2012 and 2015
    listed_rule: Literal["unfiltered", "always", "never"] = "unfiltered"
    bulk_update: Literal["merge", "replace"] = "merge"
    tracking_limit: int = 20
    history_limit: int = 20
    page_size_cap: int | None = None
    deny: tuple[str, ...] = ()
    latency_ms: int = 0
    gzip: bool = True
    extra: dict[str, str] = field(default_factory=dict)


class State:
    """The file behind the server; every method may be called from any thread."""

    def __init__(self, path: Path, switches: Switches, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.switches = switches
        self._clock = clock
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._writer = self._connect()
        self._writer.executescript(SCHEMA.read_text(encoding="utf-8"))
        # Never written through: its data_version moves whenever anybody else commits, another program included.
        self._watcher = self._connect()
        self._version = -1
        self._totals: dict[Any, Any] = {}
        self._totals_guard = threading.Lock()
        row = self._writer.execute("select value from meta where key = 'clock_offset'").fetchone()
        self._offset = float(row[0]) if row else 0.0

    def _connect(self) -> sqlite3.Connection:
        con = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=30)
        con.execute("pragma journal_mode = wal")
        con.execute("pragma synchronous = normal")
        con.execute("pragma cache_size = -32000")
        with self._guard:
            self._open.append(con)
        return con

    def now(self) -> int:
        """Return the sandbox's own time in Unix seconds."""
        return int(self.exact_now())

    def exact_now(self) -> float:
        return self._clock() + self._offset

    def set_clock(self, as_of: int) -> None:
        """Let the sandbox's time begin at `as_of` and run on from there, also when the file is opened again."""
        self._offset = as_of - self._clock()
        with self.write() as con:
            con.execute("insert or replace into meta values ('clock_offset', ?)", [str(self._offset)])

    def shift(self, seconds: float) -> None:
        """Let the sandbox's time jump, also for whoever opens the file again."""
        self._offset += seconds
        with self.write() as con:
            con.execute("insert or replace into meta values ('clock_offset', ?)", [str(self._offset)])

    def reader(self) -> sqlite3.Connection:
        """Return this thread's own connection."""
        con: sqlite3.Connection | None = getattr(self._local, "con", None)
        if con is None:
            con = self._local.con = self._connect()
        return con

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Hold the one writer inside a transaction; an exception takes everything back."""
        with self._writing:
            con = self._writer
            con.execute("begin immediate")
            try:
                yield con
            except BaseException:
                con.execute("rollback")
                raise
            con.execute("commit")

    def begin_read(self, con: sqlite3.Connection) -> None:
        """Open a snapshot, and remember which version of the file it cannot be older than."""
        self._local.version = self._sync()
        con.execute("begin")

    def _sync(self) -> int:
        with self._totals_guard:
            version = int(self._watcher.execute("pragma data_version").fetchone()[0])
            if version != self._version:
                self._totals.clear()
                self._version = version
            return version

    def cached(self, key: Any, compute: Callable[[], T]) -> T:
        """Return `compute()`, remembered until anybody changes the file; only inside a read."""
        self._sync()
        with self._totals_guard:
            if key in self._totals:
                kept: T = self._totals[key]
                return kept
        value = compute()
        with self._totals_guard:
            if self._local.version == self._version:  # else the snapshot may be older than the version
                self._totals[key] = value
        return value

    def total(self, con: sqlite3.Connection, sql: str, params: Sequence[Any]) -> int:
        """Return one counted number, remembered until anybody changes the file."""
        return self.cached((sql, tuple(params)), lambda: int(con.execute(sql, params).fetchone()[0]))

    def close(self) -> None:
        with self._guard:
            for con in self._open:
                con.close()
            self._open.clear()
