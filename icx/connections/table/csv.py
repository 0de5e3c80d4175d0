"""A CSV file as it lies: what is not changed stays letter for letter, quotes, line ends and all.

Every column is text, since only its owner knows whether `02134` is a number.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from icx.connections.table.source import InFile, Row, unreadable
from icx.connections.table.values import Known

DELIMITERS = ",;\t|"
MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip


class Csv(InFile):
    """A CSV file. Delimiter, encoding and line ends are found out, and kept."""

    def _read(self) -> None:
        try:
            raw = self.path.read_bytes()
        except OSError as error:
            raise unreadable(f"{self.name} cannot be read.", f"{self.path}: {error.strerror}") from None
        self._mark, self._encoding, text = _decoded(raw)
        self._delimiter = _delimiter(text)
        found = [record for record in records(text, self._delimiter, self.name) if record.strip("\r\n")]
        if not found:
            raise unreadable(f"{self.name} is empty: its first line should name the columns.", str(self.path))
        # Empty lines in between are the file's own: they stay with the record before.
        self._text, self._head = text, found[0]
        every = list(records(text, self._delimiter, self.name))
        first = every.index(found[0])
        self._before = "".join(every[:first])
        self._records = _with_blanks(every[first + 1 :])
        self._lead = self._records.pop(0) if self._records and not self._records[0].strip("\r\n") else ""
        self._names = [name.strip() for name in cells(self._head, self._delimiter)]
        twice = [name or "(no name)" for name, count in Counter(self._names).items() if count > 1 or not name]
        if twice:
            raise unreadable(
                f"Two columns of {self.name}, or one without a name, are called {twice[0]}.", "line 1"
            )
        self._end = re.search(r"[\r\n]*\Z", self._head).group() or "\n"  # type: ignore[union-attr]
        self._quoted = [
            raw.startswith('"')
            for raw in raw_cells(self._records[0] if self._records else self._head, self._delimiter)
        ]

    def _known(self) -> list[Known]:
        return [Known(name, letters=self._encoding) for name in self._names]

    def _all(self) -> Iterator[Row]:
        width, place = len(self._names), -1
        bodies = (record.rstrip("\r\n") for record in self._records)
        try:
            # Python's own reader means the same by each record, several times quicker.
            for place, found in enumerate(csv.reader(bodies, delimiter=self._delimiter)):
                yield tuple(found) if len(found) == width else self._at(place)
        except csv.Error:  # a cell longer than it takes
            yield from (self._row(record) for record in self._records[place + 1 :])

    def _at(self, place: int) -> Row:
        return self._row(self._records[place])

    def _row(self, record: str) -> Row:
        found = cells(record, self._delimiter)
        missing = len(self._names) - len(found)
        return (*found, *[None] * missing) if missing >= 0 else tuple(found[: len(self._names)])

    def _set(self, place: int, cells: Mapping[str, Any]) -> None:
        record = self._records[place]
        body = record.rstrip("\r\n")
        raws = raw_cells(body, self._delimiter)
        raws += [""] * (len(self._names) - len(raws))
        for name, value in cells.items():
            at = self._names.index(name)
            raws[at] = self._raw(value, quoted=raws[at].startswith('"'))
        self._records[place] = self._delimiter.join(raws) + record[len(body) :]

    def _add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        last = self._records[-1] if self._records else self._head
        if not last.endswith(("\r", "\n")):
            if self._records:
                self._records[-1] += self._end
            else:
                self._head += self._end
        for row in rows:
            styles = [*self._quoted, *[False] * len(self._names)]
            raws = [
                self._raw(row.get(name), quoted=style)
                for name, style in zip(self._names, styles, strict=False)
            ]
            self._records.append(self._delimiter.join(raws) + self._end)

    def _raw(self, value: Any, *, quoted: bool) -> str:
        text = "" if value is None else str(value)
        odd = text != text.strip() or any(mark in text for mark in (self._delimiter, '"', "\r", "\n"))
        return '"' + text.replace('"', '""') + '"' if odd or (quoted and text) else text

    def _parts(self) -> Iterator[bytes]:
        yield self._mark
        yield (self._before + self._head + self._lead).encode(self._encoding)
        for start in range(0, len(self._records), 10_000):
            yield "".join(self._records[start : start + 10_000]).encode(self._encoding)


def records(text: str, delimiter: str, name: str = "") -> Iterator[str]:
    """Yield the records of a CSV text with their line ends; a line end within quotes is part of its cell.

    >>> list(records('a,b\\r\\n"x\\ny",5" disk\\n', ","))
    ['a,b\\r\\n', '"x\\ny",5" disk\\n']
    """
    end = 0
    for found in _record(delimiter).finditer(text):
        if found.start() != end:
            break
        end = found.end()
        if found.group():
            yield found.group()
    if end != len(text):
        line = len(re.findall(r"\r\n|\r|\n", text[:end])) + 1
        raise unreadable(f"A quote is opened in {name} and never closed.", f"line {line}")


def raw_cells(record: str, delimiter: str) -> list[str]:
    """Return the cells of a record as they are written.

    >>> raw_cells('1,"Ada ""Bo"" B",', ",")
    ['1', '"Ada ""Bo"" B"', '']
    """
    body = record.rstrip("\r\n")
    if '"' not in body:
        return body.split(delimiter)
    return [found.group(1) for found in _cell(delimiter).finditer(body)]


def cells(record: str, delimiter: str) -> list[str]:
    """Return the cells of a record as they are meant."""
    if '"' not in record:
        return record.rstrip("\r\n").split(delimiter)
    return [_meant(raw) for raw in raw_cells(record, delimiter)]


def _meant(raw: str) -> str:
    if not raw.startswith('"'):
        return raw
    end = raw.rfind('"')
    return raw[1:end].replace('""', '"') + raw[end + 1 :]


@lru_cache
def _record(delimiter: str) -> re.Pattern[str]:
    cell = _one(delimiter)
    return re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*(?:\r\n|\r|\n|\Z)")


@lru_cache
def _cell(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\A|{re.escape(delimiter)})({_one(delimiter)})")


def _one(delimiter: str) -> str:
    other = rf"[^{re.escape(delimiter)}\r\n]*"
    return rf'(?:"[^"]*(?:""[^"]*)*"{other}|[^"{re.escape(delimiter)}\r\n]{other}|)'


def _with_blanks(every: Sequence[str]) -> list[str]:
    """Return records, each with the empty lines that follow it; a first one may be empty lines alone."""
    found: list[str] = []
    for record in every:
        if not record.strip("\r\n") and found:
            found[-1] += record
        else:
            found.append(record)
    return found


def _decoded(raw: bytes) -> tuple[bytes, str, str]:
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return mark, encoding, raw[len(mark) :].decode(encoding, "strict")
    for encoding in ("utf-8", "cp1252"):
        try:
            return b"", encoding, raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return b"", "latin-1", raw.decode("latin-1")


def _delimiter(text: str) -> str:
    """Return the mark that stands as often in each of the first lines, and most often."""
    head = text.lstrip("\r\n")[:65_536]

    def score(mark: str) -> tuple[bool, int]:
        try:
            counts = [
                len(raw_cells(record, mark))
                for _, record in zip(range(20), records(head, mark), strict=False)
            ]
        except ValueError:  # the head ends within a quote, or this is no delimiter of this text
            counts = [len(raw_cells(head.splitlines()[0], mark))]
        first = counts[0] if counts else 1
        return first > 1 and all(count == first for count in counts[:-1]), first

    return max(DELIMITERS, key=score) if head else ","
