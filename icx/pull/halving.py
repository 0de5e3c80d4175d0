"""Halving: a page that always fails because of one row is read around that row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from icx.errors import IcxError
from icx.pull.columns import Aside, size
from icx.pull.units import PageLike

MOST_CALLS = 64  # one bad row of a thousand costs about twenty
MOST_ROWS = 3  # more than this on a page, and it is no longer rows that are bad
# A page that is cut off, an error, or that ends its connection; on a network that is down nothing is found.
UNREAD = ("answer-unreadable", "service-unreachable")
FEW = 2  # tries of a page that is only asked to find the row; the row itself gets all of them

Fetch = Callable[[int, int, int | None], PageLike]


@dataclass(frozen=True)
class Pieced:
    """A page put together from smaller ones, with the rows set aside that no page can show."""

    rows: list[Mapping[str, Any]] = field(repr=False)
    total: int | None
    set_aside: list[Aside]


def around_bad_rows(fetch: Fetch, offset: int, limit: int, error: IcxError) -> PageLike:
    """Return the page `offset`, `limit` that gave `error`, without the rows that cannot be shown.

    `fetch(offset, limit, tries)` asks for a page. Raises `error` when neither the page's first row nor one in its
    middle can be read (then it is the service), and when too many rows or calls would be needed.
    """
    search = _Search(fetch, error)
    if limit < 2 or not (search.shows(offset) or search.shows(offset + limit // 2)):
        raise error
    waiting = [(offset + limit // 2, limit - limit // 2), (offset, limit // 2)]
    while waiting:
        first, count = waiting.pop()
        if search.total is not None:
            count = min(count, search.total - first)
        if count < 1:
            continue
        page = search.page(first, count)
        if page is None and count > 1:
            waiting += [(first + count // 2, count - count // 2), (first, count // 2)]
        elif page is not None and 0 < size(page) < count:  # a service that gives fewer rows than asked
            waiting.append((first + size(page), count - size(page)))
    return Pieced(search.rows, search.total, search.asides)


@dataclass
class _Search:
    """What was found so far."""

    fetch: Fetch
    error: IcxError
    total: int | None = None
    calls: int = 0
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    bad: int = 0

    def shows(self, place: int) -> bool:
        """Tell whether a single row can be read, without keeping it."""
        self.calls += 1
        try:
            self.total = self.fetch(place, 1, FEW).total
        except IcxError as error:
            if error.code not in UNREAD:
                raise
            return False
        return True

    def page(self, first: int, count: int) -> PageLike | None:
        """Read a piece; None when it cannot be, and a single row is then set aside."""
        if self.calls >= MOST_CALLS:
            raise self.error
        self.calls += 1
        try:
            page = self.fetch(first, count, FEW if count > 1 else None)
        except IcxError as error:
            if error.code not in UNREAD:
                raise
            if count == 1:
                self._set_aside(first, error)
            return None
        self.total = page.total
        self.rows += page.rows
        self.asides += [Aside(one.position, one.reason, one.raw) for one in page.set_aside]
        return page

    def _set_aside(self, place: int, error: IcxError) -> None:
        self.bad += 1
        if self.bad > MOST_ROWS:
            raise self.error
        self.asides.append(Aside(place, f"iContact cannot show it: {error.message}", ""))
