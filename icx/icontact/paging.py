"""Paging: reading a whole collection from a service that promises no page size, no order and no snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import orjson

from icx.errors import IcxError, TryLater
from icx.icontact.codec import SetAside

# A page this long that repeats the one before is no chance: several different events do not come twice in the same
# order. Shorter ones may, since two events can be alike in every column.
_SURELY_THE_SAME = 20


@dataclass(frozen=True)
class Page:
    """Some rows of a collection, beginning at the 0-based `offset`.

    `total` is the service's count at that moment (None where it gives none). `read` counts the rows on the wire,
    `set_aside` holds those of them that could not be read. `warnings` are the service's words.
    """

    rows: list[dict[str, Any]] = field(repr=False)
    total: int | None
    offset: int
    warnings: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    read: int = 0
    digest: bytes = field(default=b"", repr=False)  # of the rows as sent, to notice the same page twice
    varied: bool = field(default=True, repr=False)  # whether it holds more than one different row

    @property
    def end(self) -> int:
        """The offset of the row after the last one."""
        return self.offset + self.read

    @property
    def last(self) -> bool:
        """Whether nothing comes after this page, as far as the service's count tells."""
        return self.read == 0 or (self.total is not None and self.end >= self.total)

    def __repr__(self) -> str:
        total = "unknown" if self.total is None else self.total
        return f"Page({len(self.rows)} rows from {self.offset}, total {total})"


class Sent:
    """A page as it was sent: its rows are read when somebody looks at them.

    `raws` are the rows on the wire. `plain` tells whether all there is to reading them is what their values mean;
    otherwise rows of the erased may be among them. `read(raws, offset)` returns the rows and those set aside.
    """

    def __init__(
        self,
        resource: str,
        raws: Sequence[Any],
        total: int | None,
        offset: int,
        warnings: tuple[str, ...],
        *,
        plain: bool,
        custom_names: frozenset[str] | None,
        read: Callable[[Sequence[Any], int], tuple[list[dict[str, Any]], tuple[SetAside, ...]]],
    ) -> None:
        self.resource, self.raws, self.total, self.offset, self.warnings = (
            resource,
            raws,
            total,
            offset,
            warnings,
        )
        self.plain, self.custom_names = plain, custom_names
        self.varied = any(raw != raws[0] for raw in raws[1:50])
        self._read = read

    @cached_property
    def digest(self) -> bytes:
        """A digest of the rows as sent; two pages at hand are told apart sooner by their first row."""
        return _digest(self.raws)

    @cached_property
    def page(self) -> Page:
        """The page with its rows read."""
        return self.part(0, len(self.raws))

    def part(self, first: int, end: int) -> Page:
        """Return some of its rows as a page; `first` and `end` count from the page's own first row."""
        part, offset = self.raws[first:end], self.offset + first
        rows, aside = self._read(part, offset)
        digest = self.digest if len(part) == len(self.raws) else b""
        return Page(rows, self.total, offset, self.warnings, aside, len(part), digest, self.varied)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.page.rows

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        return self.page.set_aside


def _digest(raws: Sequence[Any]) -> bytes:
    try:
        text = orjson.dumps(raws)
    except TypeError:  # a number of more than 64 bits, out of an answer that was mended
        text = repr(raws).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(text, digest_size=16).digest()


class Erased(Protocol):
    """Who tells whether a row is about somebody whom this workspace must not hold again."""

    def names(self, account: int | None, folder: int | None, row: Mapping[str, Any], /) -> bool: ...


#: Why such a row is set aside. Nothing of it is kept.
ERASED = "erased here"


def without_erased(
    rows: list[dict[str, Any]],
    aside: Sequence[SetAside],
    offset: int,
    erased: Callable[[Mapping[str, Any]], bool],
) -> tuple[list[dict[str, Any]], tuple[SetAside, ...]]:
    """Return the rows of a page about others, and those set aside with the erased ones among them, by their place."""
    taken = {one.position for one in aside}
    free = (place for place in range(offset, offset + len(rows) + len(taken)) if place not in taken)
    kept, more = [], list(aside)
    for place, row in zip(free, rows, strict=False):
        if erased(row):
            more.append(SetAside(place, ERASED, ""))
        else:
            kept.append(row)
    return kept, tuple(sorted(more, key=lambda one: one.position))


def pages(
    fetch: Callable[[int], Page], label: str, start: int = 0, id_field: str | None = None
) -> Iterator[Page]:
    """Yield pages until `offset + rows >= total` or an empty page.

    Each step goes by the rows that came, never by the limit that was asked; `total` is read anew on each page. Rows
    with an id that already came are left out (`read` still counts them); rows without an id, events, are all kept.
    Raises `answer-unreadable` when the service sends one page again and again; an error of a page names the page.
    """
    offset, number = start, 0
    seen: set[Any] = set()
    before: Page | None = None
    while True:
        number += 1
        try:
            page = fetch(offset)
        except IcxError as error:
            error.data |= {"page": number, "offset": offset}
            raise
        repeated = before is not None and page.read > 0 and page.digest == before.digest
        if repeated and page.total is None:
            return  # a collection without paging gives everything each time
        if repeated and _is_stuck(page, id_field):
            raise TryLater(
                "answer-unreadable",
                "iContact's answer was the page before, once more.",
                where=f"{label}, page {number} (from row {offset + 1:,})",
                kept="what was read before it; stored rows as they were",
                next=["later: the same command"],
                data={"page": number, "offset": offset},
            )
        before = page
        if id_field is not None:
            page = _without_known(page, id_field, seen)
        yield page
        if page.last:
            return
        offset = page.end


def _is_stuck(page: Page, id_field: str | None) -> bool:
    return id_field is not None or (page.varied and page.read >= _SURELY_THE_SAME)


def _without_known(page: Page, id_field: str, seen: set[Any]) -> Page:
    fresh: list[Mapping[str, Any]] = []
    for row in page.rows:
        if row[id_field] not in seen:
            seen.add(row[id_field])
            fresh.append(row)
    if len(fresh) == len(page.rows):
        return page
    return Page(
        [dict(row) for row in fresh],
        page.total,
        page.offset,
        page.warnings,
        page.set_aside,
        page.read,
        page.digest,
        page.varied,
    )
