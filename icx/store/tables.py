"""A table of somebody else's DuckDB file: read in pieces, written in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from icx.store import damage
from icx.store.db import _holder
from icx.store.names import quoted

BLOCK = 10_000
Rejected = duckdb.Error  # what a table says that does not take a row


class TableFile:
    """One table of a DuckDB file. It is open only while it is read or written, so that others may use it too."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.sql = ".".join(quoted(part) for part in name.split("."))
        self._held: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the file and a transaction, which ends with the block."""
        with self._opened(read_only=False) as con:
            con.execute("begin")
            self._held = con
            try:
                yield
                con.execute("commit")
            except BaseException:
                con.execute("rollback")
                raise
            finally:
                self._held = None

    def columns(self) -> list[tuple[pa.Field, bool, bool, tuple[str, ...]]]:
        """Return each column, whether it may be null, whether it gives itself a value, and what it may be chosen from."""
        with self._read() as con:
            empty: pa.Table = con.sql(f"select * from {self.sql} limit 0").to_arrow_table()
            told = con.execute(f"describe {self.sql}").fetchall()
        return [
            (field, null != "NO", default is not None, _choices(type))
            for field, (_, type, null, _, default, *_) in zip(empty.schema, told, strict=True)
        ]

    def rows(self, where: str = "", values: Collection[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield rows; `where` has one `?` for the list of `values`."""
        with self._read() as con:
            found = con.sql(f"select * from {self.sql} {where}", params=[list(values)] if where else [])
            # Its older name in DuckDB before 1.5.
            read = found.to_arrow_reader if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader
            for batch in read(BLOCK):
                columns = [column.to_pylist() for column in batch.columns]
                yield from zip(*columns, strict=True)

    def twice(self, column: str) -> list[tuple[Any, int]]:
        """Return the values several rows have, and how many have each."""
        name = quoted(column)
        with self._read() as con:
            found = con.execute(
                f"select {name}, count(*) from {self.sql} where {name} is not null group by 1 having count(*) > 1"
            )
            return [(value, int(count)) for value, count in found.fetchall()]

    def update(self, key: str, edits: Mapping[Any, Mapping[str, Any]]) -> None:
        """Set cells, by one statement for all rows whose same columns change."""
        assert self._held is not None
        alike: dict[tuple[str, ...], list[list[Any]]] = {}
        for value, cells in edits.items():
            alike.setdefault(tuple(cells), []).append([value, *cells.values()])
        for names, rows in alike.items():
            columns = ", ".join(quoted(name) for name in (key, *names))
            self._held.execute(
                f"create or replace temp table edits as select {columns} from {self.sql} limit 0"
            )
            marks = ", ".join("?" * (len(names) + 1))
            self._held.executemany(f"insert into edits values ({marks})", rows)
            sets = ", ".join(f"{quoted(name)} = edits.{quoted(name)}" for name in names)
            self._held.execute(
                f"update {self.sql} as here set {sets} from edits where here.{quoted(key)} = edits.{quoted(key)}"
            )

    def insert(self, key: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Add rows and return what each has in the key column."""
        assert self._held is not None
        made = []
        for row in rows:
            columns, marks = ", ".join(quoted(name) for name in row), ", ".join("?" * len(row))
            sql = f"insert into {self.sql} ({columns}) values ({marks}) returning {quoted(key)}"
            [(value,)] = self._held.execute(sql, list(row.values())).fetchall()
            made.append(value)
        return made

    def highest(self, key: str) -> int:
        """Return the highest whole number in a column; 0 where there is none."""
        assert self._held is not None
        sql = f"select coalesce(max(try_cast({quoted(key)} as bigint)), 0) from {self.sql}"
        [(value,)] = self._held.execute(sql).fetchall()
        return int(value)

    @contextmanager
    def _read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._held is not None:
            yield self._held
            return
        with self._opened(read_only=True) as con:
            yield con

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            con = duckdb.connect(str(self.path), read_only=read_only)
        except duckdb.Error as error:
            holder = _holder(str(error)) or (
                "this very process" if "different configuration" in str(error) else None
            )
            ours = damage.busy(self.path, holder, 0) if holder else damage.translated(error, self.path)
            raise (ours or damage.not_a_database(self.path)) from None
        try:
            con.execute("set timezone = 'UTC'")
            yield con
        except duckdb.Error as error:
            ours = damage.translated(error, self.path)
            if ours is None:
                raise
            raise ours from None
        finally:
            con.close()


def _choices(type: str) -> tuple[str, ...]:
    """Return the values of an enum.

    >>> _choices("ENUM('gold', 'it''s')"), _choices("VARCHAR")
    (('gold', "it's"), ())
    """
    if not type.startswith("ENUM("):
        return ()
    inner = type[len("ENUM(") : -1]
    return tuple(part.replace("''", "'") for part in inner[1:-1].split("', '"))
