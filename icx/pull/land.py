"""Landing: what came waits a moment in memory, and is written together, in one transaction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from icx.pull import history
from icx.pull.bench import Bench
from icx.pull.columns import Aside
from icx.pull.consent import Folder
from icx.pull.units import KEYS, PEOPLE, Unit
from icx.pull.whole import Batch, Whole, of_unit
from icx.store import Connection, one_row

# What waits is read again after a kill, so it is little: of a service that takes a tenth of a second for an answer,
# as many as are under way; of one that answers at once a fiftieth of what has been read, and no more than memory bears.
HOLD = 0.25  # seconds
SHARE = 50
ANSWERS = 64


@dataclass
class _Pages:
    """Pages of a unit that is not whole yet, and its line in `staged_units`."""

    tables: list[pa.Table] = field(default_factory=list)
    line: tuple[Any, ...] = ()


@dataclass
class Landing:
    """What came and is not written yet, and what the pull learned so far.

    A unit that becomes whole meanwhile goes to its table at once; of others the pages go to staging, where the next
    pull finds them.
    """

    bench: Bench
    folder: Folder
    pull_id: str
    at: datetime  # when the answer at hand came
    touched_only: bool = False
    staged: set[Unit] = field(default_factory=set)  # units with pages in staging
    pages: int = 0  # answers that came
    counted: dict[str, history.Counted] = field(default_factory=dict)
    counters: dict[Unit, int | None] = field(default_factory=dict)  # statistics figures, newest
    _works: list[Callable[[Batch], object]] = field(default_factory=list)
    _pages: dict[Unit, _Pages] = field(default_factory=dict)
    _unique: set[Unit] = field(default_factory=set)  # collections of which no row came twice
    _answers: int = 0
    _since: float = math.inf
    _people: bool = False

    def came(self) -> None:
        """Note that an answer was taken in."""
        self.pages += 1
        self._answers += 1
        if self._answers == 1:
            self._since = self.bench.store.clock.monotonic()

    @property
    def left(self) -> float:
        """Seconds that what came may still wait; infinite when nothing does."""
        if self._people or self._answers >= max(1, min(self.pages // SHARE, ANSWERS)):
            return 0.0
        return max(0.0, self._since + HOLD - self.bench.store.clock.monotonic())

    def later(self, work: Callable[[Connection], object]) -> None:
        """Keep a statement for when the rest is written."""
        self._works.append(lambda batch: work(batch.con))

    def restart(self, unit: Unit) -> None:
        """Forget pages and rows set aside of an earlier reading of a unit."""
        self._pages.pop(unit, None)
        self.staged.discard(unit)

        def forget(batch: Batch) -> None:
            batch.drop_staged(unit)
            batch.con.execute(f"delete from set_aside where {of_unit(unit)}")

        self._works.append(forget)

    def set_aside(self, unit: Unit, asides: list[Aside]) -> None:
        """Keep rows that cannot be read, each with its place and reason."""
        rows = [[self.at, unit.collection, unit.message_id, a.position, a.reason, a.raw] for a in asides]
        if rows:
            self.later(lambda con: con.executemany("insert into set_aside values (?, ?, ?, ?, ?, ?)", rows))

    def stage(
        self, unit: Unit, page: pa.Table, *, total: int | None, rows_read: int, last_rows: tuple[str, ...]
    ) -> None:
        """Put a page beside the others of its unit; `last_rows` are the digests a resume compares."""
        waiting = self._pages.setdefault(unit, _Pages())
        waiting.tables.append(page)
        waiting.line = (
            unit.collection,
            unit.message_id,
            total,
            rows_read,
            ",".join(last_rows),
            self.folder.now,
        )

    def distinct(self, unit: Unit) -> int:
        """Return how many different rows of a collection came."""
        keys = KEYS[unit.collection]
        if unit in self.staged:
            self.write()
            told = one_row(
                self.bench.con().execute(
                    f"select count(*), (select count(*) from (select distinct {', '.join(keys)} from {unit.staged}))"
                    f" from {unit.staged}"
                )
            )
            assert told is not None
            came, different = map(int, told)
        else:
            waiting = pa.concat_tables(self._pages[unit].tables)
            came, different = waiting.num_rows, int(waiting.group_by(list(keys)).aggregate([]).num_rows)
        (self._unique.add if came == different else self._unique.discard)(unit)
        return different

    def replace(
        self,
        unit: Unit,
        *,
        service: int | None,
        asides: int,
        verified: bool,
        reason: str | None,
        new_unit: bool = False,
    ) -> None:
        """Have the reading put in place of the stored unit.

        `asides` are the rows that could not be read, which may be anybody's: with them nobody is missing for certain.
        """
        waiting = self._pages.pop(unit, None)
        whole = Whole(
            unit,
            tuple(waiting.tables) if waiting else (),
            unit in self.staged,
            service,
            asides,
            verified,
            reason,
            new_unit,
            unit in self._unique,
            self.at,
        )
        self.staged.discard(unit)
        self._works.append(lambda batch: batch.put(whole))
        self._people |= unit.collection in PEOPLE  # whose history takes its time: nothing waits behind it

    def write(self) -> None:
        """Write what waits; what fails is not tried again."""
        if not self._answers and not self._works and not self._pages:
            return
        works, pages = self._works, self._pages
        self._works, self._pages = [], {}
        self._answers, self._since, self._people = 0, math.inf, False
        with self.bench.transaction() as con:
            batch = Batch(con, self.folder, self.pull_id, self.touched_only, self.counted, self.counters)
            for work in works:
                work(batch)
            batch.write()
            for unit, waiting in pages.items():
                self._stage(con, unit, waiting)
            con.execute("update pulls set pages = ? where pull_id = ?", [self.pages, self.pull_id])
        self.staged |= pages.keys()

    def _stage(self, con: Connection, unit: Unit, waiting: _Pages) -> None:
        con.register("staged_page", pa.concat_tables(waiting.tables))
        con.execute(f"insert into {unit.staged} by name select * from staged_page")
        con.unregister("staged_page")
        con.execute(f"delete from staged_units where {of_unit(unit)}")
        con.execute("insert into staged_units values (?, ?, ?, ?, ?, ?)", list(waiting.line))
