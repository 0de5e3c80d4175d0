"""Who passes a leaf of a rule, a bit a person: from the answers kept of a published build, else asked of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

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
    with the block; `running` hears of their cursor, to interrupt it.
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
        con = self._opened.enter_context(self._published.by_row.open())
        self._published.make(con, self._fields())
        if self._running is not None:
            self._running(con)
        return con

    def __call__(self, test: Sql) -> Mask:
        """Return who passes; of a condition on lists or events the rows are counted, whoever they belong to."""
        import numpy as np

        if test == EVERYBODY:
            return self.keep(test, lambda: packed(np.ones(self._published.about.people, dtype=np.bool_)))
        if isinstance(test, Among):
            return self.keep(test, lambda: self._often(test))
        return self.keep(test, lambda: self._published.passing(self.con, test.text, test.params))

    def keep(self, asked: object, ask: Callable[[], Kept]) -> Kept:
        """Return a kept answer about everybody, or ask; see `Published.keep`."""
        return self._published.keep(asked, ask)

    def _often(self, test: Among) -> Mask:
        rows, once = test.rows, test.once
        counts = self.keep(
            (rows, once), lambda: self._published.counts(self.con, rows.text, rows.params, once=once)
        )
        return packed(compare_counts(test.operator, counts, test.count))
