"""Audiences asked again and again, as a view that is edited asks: from what a build published, never the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from icx.audience.audience import Audience
from icx.audience.compare import Breakdown, rows_of
from icx.audience.near import fact, gates
from icx.audience.parts import Coded, Side, coded, spread
from icx.audience.passing import Passing, Running
from icx.audience.people import People, as_audience
from icx.audience.waterfall import Waterfall, members_of, missed_by, size_without_machines, waterfall_of
from icx.audience.why import load_all
from icx.rules import EVERYBODY, Lookup, Reading, Rule, Sql, audiences_used, fields_used
from icx.store import Connection
from icx.store.bits import unpacked
from icx.store.published import Published, Stamp, stamp

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from icx.audience.near import Mask

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Chosen:
    """The people a rule is true of: a bit for each row of the profile, and a condition for them.

    The condition `those` holds on `con` for the table `profile`, in which a person's id is the number of the row.
    """

    con: Connection
    reading: Reading
    mask: pa.BooleanArray
    those: Sql
    profile: str

    @property
    def size(self) -> int:
        return int(self.mask.true_count)


class Live:
    """The people of one connection as the last build published them.

    When another build has been published the next question is asked of that one. Any thread may ask; the memory
    goes when nobody holds it any more.
    """

    def __init__(self, directory: Path, connection: str, audiences: Path | None, zone: tzinfo) -> None:
        """Open what lies in `directory`; raises `profile-missing` when no build has published there."""
        self.connection = connection
        self.zone = zone
        self._directory = directory
        self._audiences = audiences
        self._lock = threading.Lock()
        self._published = Published(directory, connection)
        self._last: _Members | None = None
        self._names: tuple[Stamp, Lookup] | None = None

    def __repr__(self) -> str:
        return f"Live({self.connection!r}, {self.published.about.build_id})"

    @property
    def published(self) -> Published:
        """What is asked: the newest build, or the one before while the newest is being put in place."""
        with self._lock:
            if not self._published.current and stamp(self._directory) is not None:
                # whoever is still reading the one before ends its memory by letting go of it
                self._published = Published(self._directory, self.connection)
            return self._published

    @property
    def people(self) -> People:
        """Whom audiences choose from, with the fields and the moment of the build."""
        return self._people(self.published)

    @contextmanager
    def read(self, audience: Audience | Rule) -> Iterator[Reading]:
        """Yield what an audience's rule is read against; raises as `People.open` does. Nothing is opened for it."""
        with self._read(self.published, audience) as reading:
            yield reading

    def count(self, audience: Audience | Rule, running: Running | None = None) -> Waterfall:
        """Return the figures of every node, without `human`; see `waterfall`. Of a rule edited, only what is new is asked."""

        def counted(published: Published) -> Waterfall:
            with self._open(published, audience, running) as (passing, reading, rule):
                return waterfall_of(rule, reading, passing)

        return self._of_one_build(counted)

    def human(self, audience: Audience | Rule, running: Running | None = None) -> int | None:
        """Return the size without what machines probably did; None when they cannot change it.

        Events are counted a second time for this, which may take as long as the first count.
        """

        def size(published: Published) -> int | None:
            with self._open(published, audience, running) as (passing, reading, rule):
                return size_without_machines(rule, reading, passing)

        return self._of_one_build(size)

    @contextmanager
    def chosen(
        self, audience: Audience | Rule, running: Running | None = None, about: str = ""
    ) -> Iterator[Chosen]:
        """Yield the people a rule is true of, to be asked about a field in SQL without asking for the rule again."""
        published = self.published
        with self._open(published, audience, running, about) as (passing, reading, rule):
            mask = members_of(rule, reading, passing)
            with _reached(passing.con, mask) as (profile, those):
                yield Chosen(passing.con, reading, mask, those, profile)

    def sample(
        self,
        audience: Audience | Rule,
        n: int = 5,
        *,
        show_people: bool = False,
        seed: int = 0,
        also: Sequence[str] = (),
        running: Running | None = None,
    ) -> tuple[pd.DataFrame, int]:
        """Return up to n members at random as `sample` does, and how many there are."""
        published = self.published
        with self._open(published, audience, running) as (passing, reading, rule):
            mask = members_of(rule, reading, passing)
        with self._named(published, running) as con:
            return _some(con, reading, rule, mask, n, seed, show_people, also), mask.true_count

    def misses(
        self,
        audience: Audience | Rule,
        path: str,
        n: int = 5,
        *,
        show_people: bool = False,
        seed: int = 0,
        also: Sequence[str] = (),
        running: Running | None = None,
    ) -> tuple[pd.DataFrame, list[str], int]:
        """Return up to n people whom one gate alone keeps out, as `sample` does; what each has there; how many there are.

        `path` is one of `gates`. What somebody has is masked as their row is.
        """
        published = self.published
        with self._open(published, audience, running) as (passing, reading, rule):
            mask = missed_by(rule, path, reading, passing)
        with self._named(published, running) as con:
            found = _some(con, reading, rule, mask, n, seed, show_people, also)
            (gate,) = (one for one in gates(rule) if one.path == path)
            ids = [int(one) for one in found["contact_id"]]
            persons = load_all(con, self._people(published), reading, ids, events=gate.about_events())
        return found, [fact(gate, one, masked=not show_people) for one in persons], mask.true_count

    def breakdown(
        self, audience: Audience | Rule, by: str, *, most: int = 12, running: Running | None = None
    ) -> Breakdown:
        """Return how members spread over a field, as `breakdown` does; everybody's bucket of a field is kept."""
        published = self.published
        with self._open(published, audience, running, by) as (passing, reading, rule):
            field = reading.catalogue.find(by, "this breakdown")
            last = self._last
            if last is None or not last.still(published, rule):
                self._last = last = _Members(published.stamp, rule, members_of(rule, reading, passing))
            mask = last.mask
            kept = passing.keep(
                ("buckets", by, most),
                lambda: coded(passing.con, "profile", field, most, len(mask)) or _Uncoded(),
            )
            if isinstance(kept, Coded):
                parts = kept.spread(last.side, most)
            else:
                with _reached(passing.con, mask) as (profile, those):
                    parts = spread(passing.con, profile, field, those, most)
        return Breakdown("", by, int(mask.true_count), len(mask), parts)

    def _of_one_build(self, asked: Callable[[Published], Answer]) -> Answer:
        published = self.published
        found = asked(published)
        # put in place meanwhile, tables of two builds may have been read
        return found if published.current else asked(self.published)

    @contextmanager
    def _open(
        self, published: Published, audience: Audience | Rule, running: Running | None, *more: str
    ) -> Iterator[tuple[Passing, Reading, Rule]]:
        """Yield who tells who passes conditions on the rule's fields and more, what a rule is read against, and the rule."""
        rule = as_audience(audience).rule

        def fields() -> set[str]:
            return fields_used(rule, reading.lookup) | set(more)

        with self._read(published, audience) as reading, Passing(published, fields, running) as passing:
            yield passing, replace(reading, marked=True), rule

    @contextmanager
    def _read(self, published: Published, audience: Audience | Rule) -> Iterator[Reading]:
        named = self._names
        if named is None or named[0] != published.stamp:
            with self._people(published).open(EVERYBODY) as (_, reading, _rule):
                self._names = named = published.stamp, reading.lookup
        people = self._people(published)
        with people.read(as_audience(audience), named[1], published.about.as_of) as reading:
            yield reading

    @contextmanager
    def _named(self, published: Published, running: Running | None) -> Iterator[Connection]:
        """Open the tables with the ids of contacts."""
        with published.open() as con:
            if running is not None:
                running(con)
            yield con

    def _people(self, published: Published) -> People:
        about = published.about
        return People(published, self.connection, about.catalogue, self._audiences, self.zone, about.as_of)


@dataclass(frozen=True)
class _Members:
    """The people of a rule, laid out once for several questions in a row."""

    stamp: Stamp
    rule: Rule
    mask: Mask

    def still(self, published: Published, rule: Rule) -> bool:
        """Whether these are the people of that rule; another audience it names may be another one by now."""
        return self.stamp == published.stamp and self.rule == rule and not audiences_used(rule)

    @cached_property
    def side(self) -> Side:
        return Side(unpacked(self.mask))


class _Uncoded:
    """Kept in place of a field's buckets when there are too many."""

    nbytes = 0


@contextmanager
def _reached(con: Connection, mask: Mask) -> Iterator[tuple[str, Sql]]:
    """Yield a table of the profile and a condition on it that holds for the people of a mask."""
    import pyarrow as pa

    if mask.true_count == len(mask):
        yield "profile", Sql("true")
        return
    con.register("mask", pa.table({"chosen": mask}))
    con.execute("create temp view reached as select * from profile positional join mask")
    try:
        yield "reached", Sql("chosen")
    finally:
        con.execute("drop view reached")


def _some(
    con: Connection,
    reading: Reading,
    rule: Rule,
    mask: Mask,
    n: int,
    seed: int,
    show_people: bool,
    also: Sequence[str],
) -> pd.DataFrame:
    """Return up to n people of a mask, at random, with the fields their rule is about."""
    import numpy as np

    rows = np.flatnonzero(unpacked(mask))
    some = rows[np.random.default_rng(seed).choice(len(rows), min(n, len(rows)), replace=False)]
    where = Sql(f"file_row_number in ({', '.join(map(str, some)) or 'null'})")
    return rows_of(con, reading, rule, where, Sql("file_row_number"), "numbered", show_people, also)
