"""The files of a directory to load: found, opened as CSV or Parquet, their columns matched, read in chunks."""

from __future__ import annotations

import csv
import gzip
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from icx.sandbox.load_values import BadValue, read_column

ROWS = 20_000
SUFFIXES = (".csv", ".csv.gz", ".parquet")


class LoadError(ValueError):
    """A file that cannot be loaded, in one line: the file, the row (counted without the header) and the column."""

    def __init__(self, why: str, *, file: str, row: int | None = None, column: str | None = None) -> None:
        self.file, self.row, self.column = file, row, column
        parts = [file]
        if row is not None:
            parts.append(f"row {row}")
        if column is not None:
            parts.append(f"column {column}")
        super().__init__(f"{', '.join(parts)}: {why}")


@dataclass(frozen=True)
class Column:
    """One column of a file: how a value is read, whether it must be there, and what it is when it is not."""

    read: Callable[[Any], Any]
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file; `first` is the number of the first of them (the file's first is 1)."""

    first: int
    size: int
    columns: dict[str, list[Any]]
    extra: dict[str, list[Any]]  # columns that are not in the table, as they are in the file


@dataclass(frozen=True)
class File:
    """One file and the columns it may have; with `open_ended`, further ones are kept apart."""

    path: Path
    columns: dict[str, Column]
    open_ended: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    def wrong(self, why: str, row: int | None = None, column: str | None = None) -> LoadError:
        return LoadError(why, file=self.name, row=row, column=column)

    def chunks(self) -> Iterator[Chunk]:
        """Rows in chunks of `ROWS`, read and checked one by one but not yet against other files."""
        with _opened(self) as (header, batches):
            names = self._match(header)
            first = 1
            for values in batches:
                size = len(values[0]) if values else 0
                yield self._chunk(first, size, dict(zip(names, values, strict=True)))
                first += size

    def header(self) -> list[str]:
        """Names of the file's columns; known ones in our spelling."""
        with _opened(self) as (header, _):
            return self._match(header)

    def _match(self, header: list[str]) -> list[str]:
        names = []
        for given in header:
            snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", given.strip()).lower()
            name = snake if snake in self.columns else given
            if name not in self.columns and not self.open_ended:
                raise self.wrong(f"is not known here; known are {', '.join(self.columns)}", column=given)
            if name in names:
                raise self.wrong("is there twice", column=given)
            names.append(name)
        for name, column in self.columns.items():
            if column.required and name not in names:
                raise self.wrong("is missing", column=name)
        return names

    def _chunk(self, first: int, size: int, values: dict[str, list[Any]]) -> Chunk:
        columns = {}
        for name, column in self.columns.items():
            if name not in values:
                columns[name] = [column.default] * size
                continue
            try:
                columns[name] = read_column(
                    column.read, values[name], column.default, required=column.required
                )
            except BadValue as problem:
                raise self.wrong(str(problem), first + problem.place, name) from None
        return Chunk(first, size, columns, {n: v for n, v in values.items() if n not in self.columns})


def find(directory: Path, name: str, columns: dict[str, Column], *, open_ended: bool = False) -> File | None:
    """The file of this name in the directory, in whichever form it is there; two forms of one are an error."""
    found = [directory / (name + suffix) for suffix in SUFFIXES if (directory / (name + suffix)).is_file()]
    if len(found) > 1:
        raise LoadError("is there twice, as " + " and ".join(path.name for path in found), file=name)
    return File(found[0], columns, open_ended) if found else None


Opened = tuple[list[str], Iterator[list[list[Any]]]]


@contextmanager
def _opened(file: File) -> Iterator[Opened]:
    try:
        if file.path.suffix == ".parquet":
            with file.path.open("rb") as raw:
                yield _parquet(file, raw)
        elif file.path.suffix == ".gz":
            with gzip.open(file.path, "rt", encoding="utf-8-sig", newline="") as text:
                yield _csv(file, text)
        else:
            with file.path.open(encoding="utf-8-sig", newline="") as text:
                yield _csv(file, text)
    except UnicodeDecodeError:
        raise file.wrong("is not UTF-8 text") from None
    except (OSError, EOFError) as problem:
        raise file.wrong(f"cannot be read ({type(problem).__name__})") from None


def _csv(file: File, text: IO[str]) -> Opened:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(text, strict=True)
    header = next(reader, None)
    if not header:
        raise file.wrong("has no header")
    return header, _csv_batches(file, reader, len(header))


def _csv_batches(file: File, reader: Iterator[list[str]], width: int) -> Iterator[list[list[Any]]]:
    done, blank = 0, None
    while True:
        try:
            rows = list(islice(reader, ROWS))
        except csv.Error as problem:
            raise file.wrong(f"is no CSV after row {done} ({problem})") from None
        if not rows:
            return
        for number, row in enumerate(rows, start=done + 1):
            if blank is None and not row:
                blank = number  # forgiven at the end of the file only
            elif blank is not None and row:
                raise file.wrong("is empty", blank)
            elif row and len(row) != width:
                raise file.wrong(f"has {len(row)} columns, the header {width}", number)
        done += len(rows)
        filled = [row for row in rows if row]
        if filled:
            yield [list(column) for column in zip(*filled, strict=True)]


def _parquet(file: File, raw: IO[bytes]) -> Opened:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(raw)
    except pa.ArrowException as problem:
        raise file.wrong(f"is no Parquet ({type(problem).__name__})") from None

    def batches() -> Iterator[list[list[Any]]]:
        for batch in parquet.iter_batches(ROWS):
            yield [_python(column) for column in batch.columns]

    return list(parquet.schema_arrow.names), batches()


def _python(column: Any) -> list[Any]:
    """Values of an Arrow column; times are cut to microseconds, which is what Python's can hold."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    values: list[Any] = column.to_pylist()
    if pa.types.is_floating(kind):
        return [None if value is None or math.isnan(value) else value for value in values]
    return values
