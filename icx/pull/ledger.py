"""The completeness ledger: each unit's stored rows, counted now, against what the service said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from icx import mask
from icx.clock import aware_utc, naive_utc
from icx.pull import others
from icx.pull.due import YOUNG, Message, overdue
from icx.pull.units import COLLECTIONS, KINDS, TABLE, Unit
from icx.store import Connection, Store, one_row

if TYPE_CHECKING:
    import pandas as pd

ICONTACT = "iContact"  # what people call the service that is meant when nobody says which

State = Literal["equal", "due", "provisional", "explained", "unequal"]
Colour = Literal["green", "amber", "red"]


@dataclass(frozen=True)
class Cell:
    """One unit: rows stored (counted now), the service's total, the statistics figure, and what that means.

    `verified_at` is aware UTC, None when the unit was never read.
    """

    unit: Unit
    name: str
    stored: int
    service: int | None
    statistics: int | None
    state: State
    reason: str
    verified_at: datetime | None

    @property
    def colour(self) -> Colour:
        return "green" if self.state == "equal" else "red" if self.state == "unequal" else "amber"

    def as_dict(self) -> dict[str, Any]:
        place: dict[str, Any] = {"collection": self.unit.collection}
        if self.unit.message_id is not None:
            place = {"message": self.unit.message_id, "kind": self.unit.collection}
        return place | {
            "stored": self.stored,
            "service": self.service,
            "statistics": self.statistics,
            "state": self.state,
            "verified": None if self.verified_at is None else self.verified_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


@dataclass(frozen=True)
class Line:
    """A line of the table `units`: what the last reading of a unit gave (times naive UTC)."""

    stored: int
    service: int | None
    statistics: int | None
    state: str
    reason: str | None
    verified_at: datetime
    others: int | None  # of people not listed; None when that is not known any more


@dataclass(frozen=True)
class _Now:
    """What is in the tables at the moment of counting."""

    stored: int
    others: int  # rows of people who are not listed
    message: Message | None
    now: datetime
    asides: int = 0  # rows set aside


@dataclass(frozen=True)
class Ledger:
    """Every cell of a connection, and where its events belong. `system` is what people call the service."""

    connection: str
    cells: Sequence[Cell]
    events: int
    of_listed: int
    of_unknown: int
    system: str = ICONTACT

    def of_colour(self, colour: Colour) -> list[Cell]:
        return [cell for cell in self.cells if cell.colour == colour]

    def red(self) -> list[Cell]:
        """Return the cells where stored and counted differ."""
        return self.of_colour("red")

    def cell(self, collection: str, message_id: int | None = None) -> Cell | None:
        """Return one cell."""
        unit = Unit(collection, message_id)
        return next((cell for cell in self.cells if cell.unit == unit), None)

    @property
    def colour(self) -> Colour:
        """The worst of all cells."""
        worst: tuple[Colour, ...] = ("red", "amber")
        return next((colour for colour in worst if self.of_colour(colour)), "green")

    @property
    def state(self) -> State:
        """The worst cell's word; of ambers the most pressing."""
        order: tuple[State, ...] = ("unequal", "provisional", "due", "explained")
        states = {cell.state for cell in self.cells}
        return next((state for state in order if state in states), "equal")

    def __repr__(self) -> str:
        equal, explained = len(self.of_colour("green")), sum(c.state == "explained" for c in self.cells)
        open_ = len(self.of_colour("amber")) - explained
        parts = [f"{equal} equal"] + ([f"{open_} due"] if open_ else []) + [f"{explained} explained"]
        return f"{len(self.cells)} counts compared with the service: {', '.join(parts)}, {len(self.red())} differ"

    def as_dict(self) -> dict[str, Any]:
        """Return the `ledger` object of the JSON output; `open` lists what is not green."""
        return {
            "green": len(self.of_colour("green")),
            "amber": len(self.of_colour("amber")),
            "red": len(self.red()),
            "open": [cell.as_dict() for cell in self.cells if cell.colour != "green"],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return the cells as a pandas table."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "unit": cell.unit.name,
                    "name": cell.name,
                    "stored": cell.stored,
                    "service": cell.service,
                    "statistics": cell.statistics,
                    "state": cell.state,
                    "reason": cell.reason,
                    "verified_at": cell.verified_at,
                }
                for cell in self.cells
            ]
        )

    def _repr_html_(self) -> str:
        from icx.pull.html import ledger_html

        return ledger_html(self)


def ledger(store: Store, connection: str, now: datetime | None = None, system: str = ICONTACT) -> Ledger:
    """Count what is stored now and compare it with what the service said; `now` is aware, else the store's clock."""
    with store.open(connection) as con:
        return of(con, connection, naive_utc(now or store.clock.now()), system)


def messages_of(con: Connection) -> dict[int, Message]:
    """Return the messages with the moment from which their age counts."""
    rows = con.execute(
        """
        select m.message_id, coalesce(nullif(m.message_name, ''), nullif(m.subject, ''), 'message'),
          m.message_type, coalesce(max(coalesce(s.released_at, s.scheduled_at)), any_value(m.create_date)),
          m.tagged
        from messages m left join sends s on s.message_id = m.message_id
        group by all order by 4 nulls last, 1
        """
    ).fetchall()
    return {number: Message(number, mask.written_in(name), *rest) for number, name, *rest in rows}


def counts(con: Connection) -> dict[Unit, int]:
    """Return rows stored now for each kind of each message."""
    rows = con.execute(
        "select message_id, event_type, count(*) from icontact_activity group by message_id, event_type"
    ).fetchall()
    return {Unit(f"{kind}s", message): count for message, kind, count in rows}


def of(con: Connection, connection: str, now: datetime, system: str = ICONTACT) -> Ledger:
    """Return the ledger through an open connection; `now` is naive UTC."""
    messages = messages_of(con)
    there = counts(con)
    lines = {
        Unit(row[0], row[1]): Line(*row[2:])
        for row in con.execute(
            "select collection, message_id, stored, service, statistics, state, reason, verified_at, others from units"
        ).fetchall()
    }
    of_others = others.known({unit: (line.stored, line.others) for unit, line in lines.items()}, there)
    if of_others is None:
        of_others = others.counted(con)
    asides = {
        Unit(*place): rows
        for *place, rows in con.execute(
            "select collection, message_id, count(*) from set_aside group by all"
        ).fetchall()
    }
    cells = []
    for collection in COLLECTIONS:
        unit = Unit(collection)
        if unit in lines:
            table = TABLE[collection]
            listed = " where gone_at is null" if table in ("icontact_users", "lists", "custom_fields") else ""
            row = one_row(con.execute(f"select count(*) from {table}{listed}"))
            stored = row[0] if row else 0
            cells.append(
                _cell(unit, collection, lines[unit], _Now(stored, 0, None, now, asides.get(unit, 0)), system)
            )
    for unit in sorted((u for u in lines.keys() | there.keys() if u.is_events), key=_by_message):
        assert unit.message_id is not None
        message = messages.get(unit.message_id)
        name = (
            f'{unit.collection} of "{message.name}"' if message else f"{unit.collection} of {unit.message_id}"
        )
        here = _Now(there.get(unit, 0), of_others.get(unit, 0), message, now, asides.get(unit, 0))
        cells.append(_cell(unit, name, lines.get(unit), here, system))
    events, unknown = sum(there.values()), sum(of_others.values())
    return Ledger(connection, cells, events, events - unknown, unknown, system)


def _by_message(unit: Unit) -> tuple[int, int]:
    return unit.message_id or 0, KINDS.index(unit.collection)


def _cell(unit: Unit, name: str, line: Line | None, here: _Now, system: str) -> Cell:
    if line is None:
        return Cell(unit, name, here.stored, None, None, "unequal", "stored here, never read there", None)
    word, why = _judged(unit, line, here, system)
    return Cell(
        unit, name, here.stored, line.service, line.statistics, word, why, aware_utc(line.verified_at)
    )


def _judged(unit: Unit, line: Line, here: _Now, system: str) -> tuple[State, str]:
    stored, service, statistics = here.stored, line.service, line.statistics
    if stored != line.stored:
        return "unequal", f"stored and counted differ: {stored:,} here, {line.stored:,} were read"
    if line.state == "provisional":
        return "provisional", f"{line.reason or 'the count moved'}; read again"
    if line.state == "due":
        return "due", f"{line.reason or 'could not be read'}; read again"
    if line.reason == "set aside":
        rows = max(here.asides, (service or 0) - stored)
        return "explained", f"{rows:,} set aside, {'it' if rows == 1 else 'they'} cannot be read"
    if service is not None and stored != service:
        if line.reason == "filtered":
            return "explained", f"{service - stored:,} left out by the tag filter"
        if line.reason == "erased":
            return "explained", f"{service - stored:,} of people erased here"
        return "unequal", f"stored and counted differ: {stored:,} here, {service:,} at {system}"
    if statistics is not None and service is not None and statistics > service:
        more = f"statistics say {statistics - service:,} more"
        if here.message is not None and here.message.age(here.now) < YOUNG:
            return "due", f"{more}; read again"
        return "explained", f"{more}; its own rows and total agree"
    if overdue(here.message, line.verified_at, here.now):
        return "due", f"last verified {line.verified_at:%Y-%m-%d %H:%M} UTC"
    if here.others:
        return "explained", f"{here.others:,} by people the service no longer lists"
    return "equal", ""
