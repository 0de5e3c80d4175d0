"""A table of a DuckDB file: `crm.duckdb#contacts`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from icx.connections.table.parquet import known
from icx.connections.table.source import Row, unreadable
from icx.connections.table.values import Known, Rejected, text_of
from icx.store.names import quoted
from icx.store.tables import Rejected as DuckRejected
from icx.store.tables import TableFile


class Duck:
    """One table of a DuckDB file, or a view of it, which can be read only."""

    batch = 1_000

    def __init__(self, path: Path, name: str) -> None:
        self.path = path.resolve()
        self.name = f"{path.name}#{name}"
        self.place = f"{self.name} {hashlib.sha256(str(self.path).encode()).hexdigest()[:12]}"
        self._file = TableFile(self.path, name)
        self._columns: list[Known] = []

    def columns(self) -> list[Known]:
        if not self._columns:
            try:
                told = self._file.columns()
            except DuckRejected as error:
                first = str(error).strip().splitlines()[0]
                raise unreadable(f"{self.name} cannot be read.", f"{self.path}: {first}") from None
            for field, empty, given, choices in told:
                one = replace(known(field), empty=empty, given=given, choices=choices)
                self._columns.append(replace(one, kind="choice") if choices else one)
        return self._columns

    def rows(self, column: str | None = None, cells: Collection[Any] = ()) -> Iterator[Row]:
        if column is None:
            return self._file.rows()
        return self._file.rows(f"where {quoted(column)} in (select unnest(?))", cells) if cells else iter(())

    def with_text(self, column: str, texts: Collection[str]) -> Iterator[Row]:
        if not texts:
            return iter(())
        return self._file.rows(
            f"where lower(trim({quoted(column)}::varchar)) in (select unnest(?)) or contains({quoted(column)}::varchar, '<')",
            list(texts),
        )

    def twice(self, column: str) -> Mapping[str, int]:
        return {text_of(value): count for value, count in self._file.twice(column)}

    @contextmanager
    def writing(self) -> Iterator[None]:
        try:
            with self._file.writing():
                yield
        except DuckRejected as error:
            raise Rejected(str(error).strip().splitlines()[0]) from None

    def save(
        self, column: str, edits: Mapping[Any, Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        self._file.update(column, edits)
        key = next(one for one in self.columns() if one.name == column)
        rows = [dict(row) for row in new]
        if not key.given and any(column not in row for row in rows):
            highest = self._file.highest(column)
            for number, row in enumerate((row for row in rows if column not in row), highest + 1):
                row[column] = str(number) if key.kind == "text" else number
        return self._file.insert(column, rows)
