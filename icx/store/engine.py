"""DuckDB itself, kept by this process between openings of its file.

Making a DuckDB costs ten times as much as attaching a file to one that is there, and a session opens its file
hundreds of times. Detached, the file is as free for others as closed.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from icx.store.names import literal, quoted


class Engine:
    """One DuckDB in memory and the file it was made for, which is attached while somebody uses it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._path = ""
        self._beside: Counter[str] = Counter()  # files opened by themselves, while another one is attached
        self._users = 0
        self._con: duckdb.DuckDBPyConnection | None = None

    def connect(self, path: Path) -> tuple[duckdb.DuckDBPyConnection, bool]:
        """Return a connection whose default is the file at `path`, and whether it is this engine's.

        One of the engine's goes back by `leave`, any other by `close`. Raises what `duckdb.connect` does.
        """
        with self._lock:
            con = self._attached(os.path.abspath(path))
            if con is not None:
                self._users += 1
                return con, True
            # Another file is in use, or this one cannot be attached: it is opened by itself, or DuckDB says why not.
            # Still under the lock: DuckDB refuses a file that another thread attached in between.
            con = duckdb.connect(str(path))
            self._beside[os.path.abspath(path)] += 1
            return con, False

    def close(self, con: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Close a connection that was opened beside the engine."""
        with self._lock:
            con.close()
            self._beside[os.path.abspath(path)] -= 1

    @contextmanager
    def still(self, path: Path) -> Iterator[bool]:
        """Keep other threads of this process from opening any file during the block, if nobody has this one open.

        Gives False, and keeps nobody from anything, while somebody has it open.
        """
        with self._lock:
            name = os.path.abspath(path)
            free = not self._beside[name] and not (self._users and self._path == name)
            if free:
                yield True
                return
        yield False

    def leave(self, con: duckdb.DuckDBPyConnection, *, whole: bool = True) -> None:
        """Give a connection back; the last one frees the file. Unless `whole`, the engine goes with it."""
        with self._lock:
            with suppress(duckdb.Error):
                con.close()
            self._users -= 1
            if self._users == 0:
                self._detach(keep=whole)

    def end(self) -> None:
        """Let go of DuckDB when nobody uses it."""
        with self._lock:
            if self._users == 0:
                self._close()

    def _attached(self, path: str) -> duckdb.DuckDBPyConnection | None:
        if self._users and self._path != path:
            return None
        try:
            if self._users == 0:
                if self._con is None or self._path != path:
                    self._close()
                    self._con, self._path = _without_a_file(), path
                    # Where a file that is opened by itself puts what has no room in memory.
                    self._con.execute(f"set temp_directory = {literal(path + '.tmp')}")
                self._con.execute("reset memory_limit")
                self._con.execute(f"attach {literal(path)} as {_name(path)}")
            assert self._con is not None
            con = self._con.cursor()
            use(con, Path(path))
        except duckdb.IOException:
            raise  # of this file: DuckDB itself is well, is asked again in a second, and would say the same by itself
        except BaseException as error:
            if self._users == 0:
                self._close()
            if isinstance(error, duckdb.Error):
                return None
            raise
        return con

    def _detach(self, *, keep: bool) -> None:
        if self._con is None or not keep:
            self._close()
            return
        try:
            self._con.execute(f"detach {_name(self._path)}")
        except BaseException as error:
            self._close()  # which lets the file go in any case
            if not isinstance(error, duckdb.Error):
                raise

    def _close(self) -> None:
        con, self._con = self._con, None
        if con is not None:
            with suppress(duckdb.Error):
                con.close()


def use(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the file at `path` what unqualified names mean on this connection of the engine."""
    con.execute(f"use {_name(path)}")


def _without_a_file() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    # DuckDB calls it "memory", and a schema of that name, which a connection may have, would then be ambiguous.
    con.execute('attach \':memory:\' as "no file"; use "no file"; detach memory')
    return con


def _name(path: Path | str) -> str:
    return quoted(Path(path).stem)


ENGINE = Engine()
atexit.register(ENGINE.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=ENGINE.end
    )  # a child has no threads of its parent's DuckDB, and could not end it
