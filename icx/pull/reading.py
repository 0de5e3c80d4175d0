"""One reading of a unit: which pages to ask for, and when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

import pyarrow as pa

from icx.errors import IcxError
from icx.icontact.paging import Sent
from icx.pull import columns
from icx.pull.columns import Aside
from icx.pull.halving import UNREAD, around_bad_rows
from icx.pull.land import Landing
from icx.pull.units import KEYS, PageLike, Source, Unit
from icx.store import Connection

TRIES = 3
# A page this long that repeats the one before is no chance; two events can be alike, twenty in a row are not.
SURELY_THE_SAME = 20


@dataclass(frozen=True)
class Staged:
    """What an interrupted reading left in staging."""

    total: int | None
    rows_read: int
    last_rows: tuple[str, ...]  # digests of the rows that the next page is to begin with
    asides: int = 0
    erased: int = 0  # of these, rows of people who were erased here


@dataclass(frozen=True)
class _Answer:
    page: PageLike
    offset: int
    attempt: int
    table: pa.Table  # of its rows, but for those set aside
    asides: list[Aside]


@dataclass
class Reading:
    """A unit being read. It is whole when the rows read equal `total`, `total` did not move, and no row did.

    Each page begins with the last rows of the one before: where it does not, rows came or went meanwhile, and then
    even a right count may hide one that was skipped. Of events so many are shared that one is unlike the last one, as
    rows alike in every column could hide a shift. Such a unit is read again, three times in all; the last one is
    kept as provisional. `staged` lets a reading that was cut off go on, when the service still gives the same
    `total` and the same last rows. A page that fails because of single rows is read around them.
    """

    client: Source
    unit: Unit
    label: str
    page_size: int
    staged: Staged | None = None
    new_unit: bool = True  # nothing of it is stored yet
    dirty: bool = False  # pages or rows set aside of an earlier reading are there
    bodies: bool = False
    went_on: bool = False
    finished: bool = False
    provisional: bool = False
    totals: list[int | None] = field(default_factory=list)
    _attempt: int = 1  # answers asked for by an earlier one are dropped
    _starts: int = 1
    _tries: int = 1
    _total: int | None = None
    _known: bool = False  # the first page of this attempt has landed
    _asked: bool = False  # the first page of this attempt was asked for
    _one_by_one: bool = False  # pages are not as long as the first one let expect
    _long: int = 0  # rows on a page of this attempt
    _step: int = 0  # and how many of them are new
    _alike: int = 1  # the most rows alike in every column that a page ended with
    _flying: int = 0  # calls of this attempt that have not landed
    _next: int = 0  # offset of the next page to ask for
    _read: int = 0  # rows landed, those set aside included
    _asides: int = 0
    _erased: int = 0  # of these, rows of people who were erased here
    _moved: bool = False
    _shifted: bool = False  # a page did not begin with the last row of the one before
    _stuck: bool = False
    _before: PageLike | None = None  # the page that landed last, as long as one may follow
    _last: tuple[str, ...] = ()  # fingerprints of the last rows landed, which the next page is to begin with

    def next_call(self) -> Callable[[], _Answer] | None:
        if self.finished:
            return None
        if not self._asked:
            self._asked = True
            return self._call(self.staged.rows_read - len(self.staged.last_rows) if self.staged else 0)
        if not self._known or (self._one_by_one and self._flying):
            return None
        if self._total is not None and self._next >= self._total:
            return None
        offset = self._next - self._lap
        self._next += self._step
        return self._call(offset)

    @property
    def _lap(self) -> int:
        """How many rows a page shares with the one before; a service that gives few rows leaves no room for many."""
        return min(1 if self.unit.collection in KEYS else self._alike + 1, self._long // 2)

    def _call(self, offset: int) -> Callable[[], _Answer]:
        attempt = self._attempt
        self._flying += 1

        def fetch(offset: int, limit: int, tries: int | None = None) -> PageLike:
            unit = self.unit
            return self.client.sent(
                unit.collection, parent=unit.message_id, offset=offset, limit=limit, tries=tries
            )

        def call() -> _Answer:
            try:
                page = fetch(offset, self.page_size)
            except IcxError as error:
                error.data["attempt"] = attempt
                if error.code not in UNREAD:
                    raise
                page = around_bad_rows(fetch, offset, self.page_size, error)
            # Here, not where it lands: several pages are made ready at a time.
            table, asides = columns.table(self.unit, page, offset, bodies=self.bodies)
            return _Answer(page, offset, attempt, table, asides)

        return call

    def outdated(self, error: IcxError) -> bool:
        """Tell whether an error came to a call of an attempt that was given up meanwhile."""
        return bool(error.data.get("attempt", self._attempt) != self._attempt)

    def refused(self, error: IcxError) -> bool:
        """A message that cannot be read does not stop the others; a collection does."""
        return self.unit.is_events and error.code in _ONE_MESSAGE

    def land(self, landing: Landing, answer: _Answer) -> int:
        page, offset = answer.page, answer.offset
        if answer.attempt != self._attempt:
            return 0  # asked for by an attempt that was given up
        self._flying -= 1
        skip = 0
        if not self._known:
            if self.staged and not self._goes_on(page, offset):
                self._again(fault=False)
                return 0
            skip = len(self.staged.last_rows) if self.staged else 0
            self._begin(landing, page, offset)
        elif page.total != self._total:
            self.totals.append(page.total)
            if self._tries < TRIES:
                self._again()
                return 0
            self._moved, self._total = True, page.total
        repeated = self._is_repeated(page)
        if repeated and self._total is None:  # a collection without paging gives everything each time
            self._end(landing)
            return 0
        self._stuck |= repeated
        if self._last and offset:
            follows = self._begins_with(self._last, page, offset)
            if not follows and self._tries < TRIES:
                self._again()
                return 0
            self._shifted |= not follows
            # Of rows with an identity none is lost by keeping one twice.
            skip = 0 if self._shifted and self.unit.collection in KEYS else len(self._last)
        return self._take(landing, answer, skip)

    def _begins_with(self, last: tuple[str, ...], page: PageLike, offset: int) -> bool:
        return columns.size(page) >= len(last) and self._fingerprints(page, offset, range(len(last))) == last

    def _fingerprints(self, page: PageLike, offset: int, places: range) -> tuple[str, ...]:
        return tuple(columns.fingerprint(self.unit, page, offset, offset + place) for place in places)

    def _is_repeated(self, page: PageLike) -> bool:
        before, self._before = self._before, page
        if before is None or not _same_rows(before, page):
            return False
        return self._total is None or (
            columns.size(page) >= SURELY_THE_SAME and getattr(page, "varied", True)
        )

    def _goes_on(self, page: PageLike, offset: int) -> bool:
        assert self.staged is not None
        return page.total == self.staged.total and self._begins_with(self.staged.last_rows, page, offset)

    def _begin(self, landing: Landing, page: PageLike, offset: int) -> None:
        self._known = True
        self._total = page.total
        self._one_by_one |= page.total is None
        self.totals.append(page.total)
        self._long = columns.size(page)
        self._step = max(self._long - self._lap, 1)
        self._next = offset + self._long
        if self.staged:
            self.went_on = True
            self._read, self._asides, self._erased = (
                self.staged.rows_read,
                self.staged.asides,
                self.staged.erased,
            )
        else:
            self._read = self._asides = self._erased = 0
            if self.dirty or self._starts > 1:
                landing.restart(self.unit)

    def _take(self, landing: Landing, answer: _Answer, skip: int) -> int:
        page, offset = answer.page, answer.offset
        table, asides = columns.after(answer.table, answer.asides, offset, skip)
        landing.set_aside(self.unit, asides)
        count = columns.size(page)
        self._read = max(self._read, offset + count)
        self._asides += len(asides)
        self._erased += columns.erased(asides)
        end = count == 0 or (self._total is not None and self._read >= self._total)
        last = self._last_rows(page, offset) if end else self._lead_on(page, offset)
        landing.stage(self.unit, table, total=self._total, rows_read=self._read, last_rows=last)
        if end:
            self._end(landing)
        self._last = last if self._lap else ()
        return int(table.num_rows)

    def _lead_on(self, page: PageLike, offset: int) -> tuple[str, ...]:
        """Settle how the next page is asked for, and return the last rows of this one."""
        count, lap = columns.size(page), self._lap
        short = count < self._long or self._one_by_one
        if short:
            self._one_by_one, self._long = True, count
        if self.unit.collection not in KEYS:
            ending = (self._fingerprints(page, offset, range(n, n + 1)) for n in reversed(range(count)))
            self._alike = max(self._alike, _alike_at_the_end(islice(ending, SURELY_THE_SAME)))
        if short or self._lap != lap:
            # What was asked for beyond this page does not fit any more; from a short one on page by page.
            self._next, self._step = self._read, max(count - self._lap, 1)
            self._attempt, self._flying = self._attempt + 1, 0
        return self._last_rows(page, offset)

    def _last_rows(self, page: PageLike, offset: int) -> tuple[str, ...]:
        count = columns.size(page)
        return self._fingerprints(page, offset, range(max(count - max(self._lap, 1), 0), count))

    def _end(self, landing: Landing) -> None:
        rows = self._read
        if self.unit.collection in KEYS:
            rows = landing.distinct(self.unit) + self._asides
        steady = not (self._moved or self._stuck or self._shifted)
        whole = steady and (self._total is None or rows == self._total)
        if not whole and self._tries < TRIES:
            self._again()
            return
        self.provisional = not whole
        erased = "erased" if self._erased and self._erased == self._asides else None
        landing.replace(
            self.unit,
            service=self._total if self._total is not None else rows,
            asides=self._asides - self._erased,  # whose rows those of the erased are, is known
            verified=whole,
            reason=erased if whole else self.why,
            new_unit=self.new_unit,
        )
        self.finished, self._before = True, None

    @property
    def why(self) -> str:
        """Why a reading is not whole."""
        if self._moved:
            return "the count moved"
        return "rows came or went while it was read" if self._shifted else "rows and count differ"

    def _again(self, *, fault: bool = True) -> None:
        """Start over; pages of this attempt that are still under way are dropped when they come."""
        self._attempt += 1
        self._starts += 1
        self._tries += fault
        self._known = self._asked = self._moved = self._stuck = self._shifted = False
        self.staged = None
        self._before, self._last = None, ()
        self._next = self._read = self._asides = self._flying = 0


def _same_rows(before: PageLike, page: PageLike) -> bool:
    if isinstance(before, Sent) and isinstance(page, Sent):
        return before.raws == page.raws  # most are told apart by their first row
    digest = getattr(page, "digest", None)
    return bool(digest) and digest == getattr(before, "digest", None)


def _alike_at_the_end(rows: Iterable[tuple[str, ...]]) -> int:
    """Return how many rows are the same as the first of these, which come from the end; no more of them are made.

    >>> _alike_at_the_end(iter(["b", "b", "a", "b"])), _alike_at_the_end(["a"]), _alike_at_the_end([])
    (2, 1, 0)
    """
    rows = iter(rows)
    last = next(rows, None)
    return 0 if last is None else 1 + len(list(takewhile(lambda row: row == last, rows)))


_ONE_MESSAGE = ("service-refused", "answer-unreadable")


@dataclass
class Once:
    """A single call whose answer is kept by itself: statistics, or a message's body."""

    label: str
    fetch: Callable[[], Any]
    store: Callable[[Connection, Any, datetime], None]
    finished: bool = False
    _asked: bool = False

    def next_call(self) -> Callable[[], Any] | None:
        if self._asked:
            return None
        self._asked = True
        return self.fetch

    def land(self, landing: Landing, answer: Any) -> int:
        at = landing.at
        landing.later(lambda con: self.store(con, answer, at))
        self.finished = True
        return 0

    def refused(self, error: IcxError) -> bool:
        return error.code in _ONE_MESSAGE

    def outdated(self, error: IcxError) -> bool:
        return False
