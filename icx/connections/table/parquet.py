"""A Parquet file: its types, compression and notes are kept, whatever is written to it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icx.connections.table.source import InFile, Row, unreadable
from icx.connections.table.values import Kind, Known

BLOCK = 10_000


class Parquet(InFile):
    """A Parquet file, held as Arrow columns."""

    def _read(self) -> None:
        try:
            with pq.ParquetFile(self.path) as file:
                self._table = file.read()
                group = file.metadata.row_group(0) if file.metadata.num_row_groups else None
                self._rows_a_group = max(group.num_rows, 1) if group else None
                self._packing = group.column(0).compression if group and group.num_columns else "SNAPPY"
        except (OSError, pa.ArrowException) as error:
            first = str(error).strip().splitlines()[0]
            raise unreadable(
                f"{self.name} is no Parquet file that can be read.", f"{self.path}: {first}"
            ) from None
        names = self._table.column_names
        if len(set(names)) < len(names):
            raise unreadable(f"Two columns of {self.name} have one name.", ", ".join(names))
        self._edits: dict[str, dict[int, Any]] = {}
        self._new: list[dict[str, Any]] = []

    def _known(self) -> list[Known]:
        return [known(field) for field in self._table.schema]

    def _all(self) -> Iterator[Row]:
        at = 0
        for batch in self._table.to_batches(max_chunksize=BLOCK):
            yield from zip(*(self._column_of(name, batch, at) for name in batch.schema.names), strict=True)
            at += batch.num_rows
        yield from (tuple(row.get(name) for name in self._table.column_names) for row in self._new)

    def _column_of(self, name: str, batch: pa.RecordBatch, at: int) -> list[Any]:
        values: list[Any] = batch.column(name).to_pylist()
        for place, value in self._edits.get(name, {}).items():
            if at <= place < at + batch.num_rows:
                values[place - at] = value
        return values

    def _at(self, place: int) -> Row:
        names = self._table.column_names
        if place >= self._table.num_rows:
            return tuple(self._new[place - self._table.num_rows].get(name) for name in names)
        row = self._table.slice(place, 1).to_pylist()[0]
        return tuple(self._edits.get(name, {}).get(place, row[name]) for name in names)

    def _set(self, place: int, cells: Mapping[str, Any]) -> None:
        for name, value in cells.items():
            self._edits.setdefault(name, {})[place] = value

    def _add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._new += [dict(row) for row in rows]

    def _parts(self) -> Iterable[bytes]:
        table = self._table
        for name, edits in self._edits.items():
            at = table.column_names.index(name)
            table = table.set_column(at, table.field(name), _edited(table.column(name), edits))
        if self._new:
            table = pa.concat_tables([table, pa.Table.from_pylist(self._new, schema=table.schema)])
        with tempfile.TemporaryFile() as file:
            pq.write_table(table, file, compression=self._packing, row_group_size=self._rows_a_group)
            file.seek(0)
            while part := file.read(2**22):
                yield part
        self._table, self._edits, self._new = table, {}, []


def _edited(column: pa.ChunkedArray, edits: Mapping[int, Any]) -> pa.ChunkedArray:
    """Return a column with some values set; the chunks nobody touched are not copied."""
    chunks, at = [], 0
    for chunk in column.chunks:
        mine = {place - at: value for place, value in edits.items() if at <= place < at + len(chunk)}
        if mine:
            values = chunk.to_pylist()
            for place, value in mine.items():
                values[place] = value
            chunk = pa.array(values, type=column.type)  # noqa: PLW2901
        chunks.append(chunk)
        at += len(chunk)
    return pa.chunked_array(chunks, type=column.type)


def known(field: pa.Field) -> Known:
    """Return what a column of this Arrow type can hold."""
    kind: Kind = "other"
    type, extra = field.type, {}
    of = type.value_type if pa.types.is_dictionary(type) else type
    if pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of):
        kind = "text"
    elif pa.types.is_boolean(type):
        kind = "yes/no"
    elif pa.types.is_integer(type):
        kind = "whole"
        signed = pa.types.is_signed_integer(type)
        extra = {
            "least": -(2 ** (type.bit_width - 1)) if signed else 0,
            "most": 2 ** (type.bit_width - signed) - 1,
        }
    elif pa.types.is_floating(type):
        kind = "number"
    elif pa.types.is_decimal(type):
        kind, extra = "decimal", {"digits": (type.precision - type.scale, type.scale)}
    elif pa.types.is_date(type):
        kind = "date"
    elif pa.types.is_timestamp(type):
        kind = "aware" if type.tz else "moment"
    elif pa.types.is_time(type):
        kind = "time"
    return Known(field.name, kind, empty=field.nullable, **extra)
