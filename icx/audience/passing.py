"""Who passes a leaf of a rule, a bit a person: from the answers kept of a published build, else asked of its tables."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from icx.ctrl_c import INSIST
from icx.rules import Among, Sql
from icx.rules.operators import compare_counts
from icx.store import Connection
from icx.store.bits import packed
from icx.store.published import Published, Sized

if TYPE_CHECKING:
    from icx.audience.near import Mask

Kept = TypeVar("Kept", bound=Sized)
Running = Callable[[Connection], None]
EVERYBODY = Sql("true")


class Passing:
    """Says of conditions which rows of the profile's file pass them, as `waterfall` asks.

    Tables are opened for the first answer that is not kept, with the `fields` that conditions are about, and closed
    with the block; `running` hears of their cursors, to interrupt them.
    """

    def __init__(
        self, published: Published, fields: Callable[[], Iterable[str]], running: Running | None = None
    ) -> None:
        self._published = published
        self._fields = fields
        self._running = running
        self._opened = ExitStack()

    def __enter__(self) -> Passing:
        return self

    def __exit__(self, *ended: object) -> None:
        self._opened.close()

    @cached_property
    def con(self) -> Connection:
        """A cursor on the tables in which a person's id is the number of the row."""
        return self._cursor()

    def __call__(self, test: Sql) -> Mask:
        """Return who passes; of a condition on lists or events the rows are counted, whoever they belong to."""
        return self._answer(test, lambda: self.con)

    def ask(self, tests: Iterable[Sql]) -> None:
        """Find the answers to several conditions that are not kept, two at a time.

        Reading is DuckDB's, on all cores; counting what was read is work of one, and leaves the other for the next.
        """
        asked = [test for test in dict.fromkeys(tests) if not self._published.known(test)]
        if len(asked) < 2:
            return
        waiting = deque(sorted(asked, key=lambda test: not isinstance(test, Among)))  # what takes long first
        cursors = [self.con, self._cursor()]

        def work(con: Connection) -> None:
            while test := _next(waiting):
                self._answer(test, lambda: con)

        with ThreadPoolExecutor(len(cursors), "icx-asks") as pool:
            at_work = [pool.submit(work, con) for con in cursors]
            try:
                ended = wait(at_work, return_when=FIRST_EXCEPTION).done
            finally:
                waiting.clear()
                while wait(at_work, 0).not_done:  # one failed, or nobody wants to know any more
                    for con in cursors:
                        con.interrupt()
                    wait(at_work, INSIST)  # between two queries an interruption is not remembered
        for one in ended:
            one.result()

    def keep(self, asked: object, ask: Callable[[], Kept]) -> Kept:
        """Return a kept answer about everybody, or ask; see `Published.keep`."""
        return self._published.keep(asked, ask)

    def _cursor(self) -> Connection:
        con = self._opened.enter_context(self._published.by_row.open())
        self._published.make(con, self._fields())
        if self._running is not None:
            self._running(con)
        return con

    def _answer(self, test: Sql, con: Callable[[], Connection]) -> Mask:
        import numpy as np

        published = self._published
        if test == EVERYBODY:
            return self.keep(test, lambda: packed(np.ones(published.about.people, dtype=np.bool_)))
        if isinstance(test, Among):
            return self.keep(test, lambda: self._often(test, con))
        return self.keep(test, lambda: published.passing(con(), test.text, test.params))

    def _often(self, test: Among, con: Callable[[], Connection]) -> Mask:
        import pyarrow.compute as pc

        rows, once = test.rows, test.once
        if test.ever is not None and not self._published.known((rows, once)):
            named = self.keep(rows, lambda: self._published.named(con(), rows.text, rows.params))
            return named if test.ever else pc.invert(named)
        counts = self.keep(
            (rows, once), lambda: self._published.counts(con(), rows.text, rows.params, once=once)
        )
        return packed(compare_counts(test.operator, counts, test.count))


def _next(waiting: deque[Sql]) -> Sql | None:
    try:
        return waiting.popleft()
    except IndexError:  # the other took the last
        return None
