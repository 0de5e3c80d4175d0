"""The agenda of a pull: which messages' counters and which units are read, out of what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from icx.pull import due
from icx.pull.due import Message
from icx.pull.ledger import counts
from icx.pull.units import KINDS, Unit
from icx.store import Connection


@dataclass(frozen=True)
class Agenda:
    """How a pull chooses: `now` and `since` (start of an interrupted pull it goes on with) are naive UTC."""

    now: datetime
    since: datetime
    full: bool
    done: frozenset[Unit] = field(default_factory=frozenset)  # units that the interrupted pull finished

    def statistics(self, con: Connection, messages: Mapping[int, Message]) -> list[Message]:
        """Return the messages whose counters are to be read."""
        read_at = dict(con.execute("select message_id, read_at from statistics").fetchall())
        return [
            message
            for id, message in messages.items()
            if (at := read_at.get(id)) is None
            or (not self.since <= at <= self.now and (self.full or due.statistics_due(message, at, self.now)))
        ]

    def events(
        self, con: Connection, messages: Mapping[int, Message], counters: Mapping[Unit, int | None]
    ) -> Iterator[tuple[Unit, str]]:
        """Yield the kinds of events that are to be read, and why, by message in order of release."""
        lines = {
            Unit(row[0], row[1]): row[2:]
            for row in con.execute(
                "select collection, message_id, stored, service, statistics, state, verified_at "
                "from units where message_id is not null"
            ).fetchall()
        }
        there = counts(con)
        for id, message in messages.items():
            for kind in KINDS:
                unit = Unit(kind, id)
                known = None
                if unit in lines:
                    stored, service, statistics, state, verified_at = lines[unit]
                    here = there.get(unit, 0)
                    known = due.Known(stored, service, statistics, state, verified_at, here)
                why = due.event_due(message, known, counters.get(unit), self.now)
                damaged = known is not None and known.there != known.stored
                if damaged or (unit not in self.done and (self.full or why is not None)):
                    yield unit, why or "everything is read"


def counters(con: Connection) -> dict[Unit, int | None]:
    """Return the newest statistics figure of each kind of event of each message."""
    rows = con.execute("select message_id, opens_total, clicks_total, bounces, unsubscribes from statistics")
    return {
        Unit(kind, message_id): figure
        for message_id, *figures in rows.fetchall()
        for kind, figure in zip(KINDS, figures, strict=True)
    }
