"""What actions count on: the tables of one connection as the last build left them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo

from icx.clock import aware_utc
from icx.errors import NeedsYou
from icx.fields import Catalogue
from icx.points.lines import Source
from icx.rules import Lookup, Reading
from icx.store import Connection, Store, one_row

PEOPLE = "select contact_id from profile"


@dataclass(frozen=True)
class Book:
    """One connection's events, stays and ledger. `catalogue` has the fields without points, `zone` is where days begin.

    `made_of` adds to some fields those they are made of, so that nothing is earned by points themselves.
    """

    store: Store
    connection: str
    catalogue: Catalogue
    lookup: Callable[[Connection], Lookup]
    made_of: Callable[[set[str]], set[str]]
    zone: tzinfo

    @contextmanager
    def open(self) -> Iterator[tuple[Connection, Reading, Source]]:
        """Open the tables as the last build saw them; raises profile-missing before the first one."""
        with self.store.open(self.connection) as con:
            build_id, as_of = self.last_build(con)
            yield con, Reading(self.catalogue, self.lookup(con), as_of), Source(PEOPLE, build_id=build_id)

    def last_build(self, con: Connection) -> tuple[str, datetime]:
        row = one_row(
            con.execute("select build_id, as_of from builds order by built_at desc, build_id desc limit 1")
        )
        if row is None:
            raise NeedsYou(
                "profile-missing",
                f"There is no profile of {self.connection} yet, so nobody to count points of.",
                where=f"{self.connection}.profile",
                kept="nothing was changed",
                next=[["icx", "build", "--connection", self.connection]],
            )
        return row[0], aware_utc(row[1])
