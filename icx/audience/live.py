"""Audiences asked again and again, as a view that is edited asks: from what a build published, never the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from icx.audience.audience import Audience
from icx.audience.compare import Breakdown, rows_of, spread
from icx.audience.near import fact
from icx.audience.people import People
from icx.audience.waterfall import Waterfall, members_of, missed_by, size_without_machines, waterfall
from icx.audience.why import load
from icx.rules import Reading, Rule, Sql
from icx.store import Connection
from icx.store.published import Published, stamp

if TYPE_CHECKING:
    import pandas as pd

    from icx.audience.waterfall import Mask

NUMBERED = "numbered"  # the published profile, each row with its number
Running = Callable[[Connection], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Chosen:
    """The people a rule is true of: the numbers of their `rows`, of how many `people`, and a condition for them.

    The condition holds on `con` for the table `numbered`, which is the profile.
    """

    con: Connection
    reading: Reading
    rule: Rule
    those: Sql
    rows: Any
    people: int


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

    def count(self, audience: Audience | Rule, running: Running | None = None) -> Waterfall:
        """Return the figures of every node, without `human`; see `waterfall`. Of a rule edited, only what is new is asked."""

        def figures(published: Published) -> Waterfall:
            with self._open(published, audience, running) as (con, reading, rule):
                return waterfall(con, "profile", rule, reading, _passing(published, con))

        return self._of_one_build(figures)

    def human(self, audience: Audience | Rule, running: Running | None = None) -> int | None:
        """Return the size without what machines probably did; None when they cannot change it.

        Events are counted a second time for this, which may take as long as the first count.
        """

        def size(published: Published) -> int | None:
            with self._open(published, audience, running) as (con, reading, rule):
                return size_without_machines(rule, reading, _passing(published, con))

        return self._of_one_build(size)

    @contextmanager
    def chosen(self, audience: Audience | Rule, running: Running | None = None) -> Iterator[Chosen]:
        """Yield the people a rule is true of, to be asked about in SQL without asking for the rule again."""
        import numpy as np
        import pyarrow as pa

        published = self.published
        with self._open(published, audience, running) as (con, reading, rule):
            members = members_of(rule, reading, _passing(published, con))
            rows = np.flatnonzero(members)
            those = Sql("true")
            if len(rows) < len(members):
                con.register("chosen", pa.table({"n": rows}))
                those = Sql("(file_row_number in (select n from chosen))")
            yield Chosen(con, reading, rule, those, rows, len(members))

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
        with self.chosen(audience, running) as chosen:
            rows = chosen.rows
            return _some(chosen.con, chosen.reading, chosen.rule, rows, n, seed, show_people, also), len(rows)

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
        import numpy as np

        published = self.published
        with self._open(published, audience, running) as (con, reading, rule):
            rows = np.flatnonzero(missed_by(rule, path, reading, _passing(published, con)))
            found = _some(con, reading, rule, rows, n, seed, show_people, also)
            people = self._people(published)
            persons = [load(con, people, reading, int(one)) for one in found["contact_id"]]
            return found, [fact(rule, path, one, masked=not show_people) for one in persons], len(rows)

    def breakdown(
        self, audience: Audience | Rule, by: str, *, most: int = 12, running: Running | None = None
    ) -> Breakdown:
        """Return how members spread over a field, as `breakdown` does."""
        with self.chosen(audience, running) as chosen:
            field = chosen.reading.catalogue.find(by, "this breakdown")
            parts = spread(chosen.con, NUMBERED, field, chosen.those, most)
            return Breakdown("", by, len(chosen.rows), chosen.people, parts)

    def _of_one_build(self, asked: Callable[[Published], Answer]) -> Answer:
        published = self.published
        found = asked(published)
        # put in place meanwhile, tables of two builds may have been read
        return found if published.current else asked(self.published)

    @contextmanager
    def _open(
        self, published: Published, audience: Audience | Rule, running: Running | None
    ) -> Iterator[tuple[Connection, Reading, Rule]]:
        """Open as `People.open` does; answers about events are kept, and `running` hears of the cursor to interrupt."""
        with self._people(published).open(audience) as (con, reading, rule):
            if running is not None:
                running(con)

            def keep(asked: Sql) -> Sql:
                return Sql(published.keep(con, asked.text, asked.params))

            yield con, replace(reading, keep=keep), rule

    def _people(self, published: Published) -> People:
        about = published.about
        return People(published, self.connection, about.catalogue, self._audiences, self.zone, about.as_of)


def _some(
    con: Connection,
    reading: Reading,
    rule: Rule,
    rows: Any,
    n: int,
    seed: int,
    show_people: bool,
    also: Sequence[str],
) -> pd.DataFrame:
    """Return up to n people of these rows of the profile, at random, with the fields their rule is about."""
    import numpy as np

    some = rows[np.random.default_rng(seed).choice(len(rows), min(n, len(rows)), replace=False)]
    where = Sql(f"list_contains({[int(row) for row in some]}::bigint[], file_row_number)")
    return rows_of(con, reading, rule, where, Sql("file_row_number"), NUMBERED, show_people, also)


def _passing(published: Published, con: Connection) -> Callable[[Sql], Mask]:
    return lambda test: published.passing(con, test.text, test.params)
