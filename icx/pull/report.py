"""The report of a pull: as a table for people and as JSON for machines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from icx.clock import aware_utc
from icx.pull.first import FirstPull
from icx.pull.history import Counted
from icx.pull.ledger import Cell, Ledger, State
from icx.pull.notes import Note
from icx.words import counted as number

_ORDER: tuple[State, ...] = ("unequal", "provisional", "due", "explained", "equal")


@dataclass(frozen=True)
class Resumed:
    """The interrupted pull that this one goes on with (times naive UTC), and what of it is kept.

    `label` and `row` name the unit that was half read. `earlier_calls` were made by its parts, `quiet` is what one undisturbed pull would have made.
    """

    run: str
    began_at: datetime
    cut_at: datetime
    kept: int
    of: int
    label: str | None
    row: int
    earlier_calls: int = 0
    quiet: int = 0

    def line(self, zone: str) -> str:
        """Return what is said when a pull goes on; times in the workspace's zone."""
        began, cut = (aware_utc(at).astimezone(ZoneInfo(zone)) for at in (self.began_at, self.cut_at))
        from_row = f", {self.label} from row {self.row:,}" if self.label else ""
        return (
            f"The pull of {began:%H:%M} was cut off at {cut:%H:%M}. "
            f"Going on: {self.kept:,} of {self.of:,} units kept{from_row}"
        )


@dataclass(frozen=True)
class Row:
    """A line of the report: a kind of row, stored and counted."""

    name: str
    stored: int
    service: int | None
    state: State
    note: str

    @property
    def symbol(self) -> str:
        return {"equal": "●", "unequal": "■"}.get(self.state, "▲")


@dataclass(frozen=True)
class PullReport:
    """What a pull brought and how it compares with the service."""

    connection: str
    run: str
    as_of: datetime
    seconds: float
    calls: int
    retried: int
    calls_left: int | None
    ledger: Ledger
    counted: Mapping[str, Counted]
    messages: int
    set_aside: int
    contacts_only: bool = False
    resumed: Resumed | None = None
    notes: Sequence[Note] = field(default_factory=list)
    first: FirstPull | None = None
    zone: str = "America/New_York"

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.ledger.red()

    @property
    def contacts(self) -> int:
        return self._stored("contacts")

    @property
    def subscriptions(self) -> int:
        return self._stored("subscriptions")

    @property
    def events(self) -> int:
        return self.ledger.events

    def _stored(self, collection: str) -> int:
        cell = self.ledger.cell(collection)
        return cell.stored if cell else 0

    def rows(self) -> list[Row]:
        """Return the lines of the table: contacts, subscriptions, opens, clicks, other events."""
        people, subscriptions = self.counted.get("contacts"), self.counted.get("subscriptions")
        rows = []
        if cell := self.ledger.cell("contacts"):
            note = (
                f"{people.new:,} new · {people.changed:,} changed · {people.gone:,} gone"
                if people
                else "not read again"
            )
            rows.append(
                _row("contacts", [cell], note if cell.state == "equal" else f"{cell.reason} · {note}")
            )
        if cell := self.ledger.cell("subscriptions"):
            note = ""
            if subscriptions and subscriptions.opted_out:
                note = f"{number(subscriptions.opted_out, 'person')} opted out since the last pull"
            rows.append(_row("subscriptions", [cell], note or cell.reason))
        for name in ("customfields", "lists", "campaigns", "messages", "sends"):
            cell = self.ledger.cell(name)
            if cell and cell.state != "equal":
                rows.append(_row(name, [cell], cell.reason))
        events = [cell for cell in self.ledger.cells if cell.unit.is_events]
        for name in ("opens", "clicks"):
            cells = [cell for cell in events if cell.unit.collection == name]
            if cells:
                rows.append(_row(name, cells, _why(cells)))
        others = [cell for cell in events if cell.unit.collection in ("bounces", "unsubscribes")]
        if others:
            rows.append(_row("other events", others, _why(others) or _kinds(others)))
        return rows

    def lines(self) -> list[str]:
        """Return the report as the terminal prints it."""
        told = []
        resumed = self.resumed
        took = _duration(self.seconds)
        if resumed:
            told.append(resumed.line(self.zone))
            calls = (
                f"{number(self.calls + resumed.earlier_calls, 'call')} with the first part; "
                f"unstopped it would have been {resumed.quiet:,}"
            )
        else:
            calls = f"{number(self.calls, 'call')}"
            calls += f", {self.retried:,} of them repeats" if self.retried else ""
        told.append(f"Pulled {self.connection} in {took}: {calls}")
        told.append(f"{'':<14}{'stored':>12}{'service':>12}")
        for row in self.rows():
            service = "not known" if row.service is None else f"{row.service:,}"
            told.append(
                f"{row.name:<14}{row.stored:>12,}{service:>12}  {row.symbol} {row.state:<12}{row.note}".rstrip()
            )
        told.append(self._sum())
        if self.first is not None:
            told += self.first.lines()
        for note in self.notes:
            told.append(f"{note.message} [{note.code}]")
            told.append(f"  where  {note.where}")
            told.append(f"  kept   {note.kept}")
            steps = [step if isinstance(step, str) else shlex.join(step) for step in note.next]
            told.append(f"  next   {' · '.join(steps)}")
        return told

    def _sum(self) -> str:
        book = self.ledger
        red = book.red()
        events = (
            f"Events: {book.events:,} = {book.of_listed:,} of listed people + {book.of_unknown:,} of others. "
        )
        if self.contacts_only and not book.events:
            events = "Contacts and lists only. "
        if not red:
            return f"{events}Nothing differs. Next: icx build"
        names = ", ".join(
            f"{c.name} ({c.stored:,} here, {_known(c.service)} at {book.system})" for c in red[:3]
        )
        more = f" and {len(red) - 3} more" if len(red) > 3 else ""
        unit = next((c.unit.name for c in red if c.unit.message_id is not None), None)
        again = f"icx pull {self.connection}" + (f" --unit {unit}" if unit else "")
        return f"{events}{len(red)} differ: {names}{more}. Next: {again}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        from icx.pull.html import report_html

        return report_html(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the pull's part of the JSON output."""
        book = self.ledger
        told: dict[str, Any] = {
            "connection": self.connection,
            "run": self.run,
            "as_of": f"{self.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "seconds": round(self.seconds, 1),
            "resumed_from": self.resumed.run if self.resumed else None,
            "calls": {"made": self.calls, "retried": self.retried, "left_hour": self.calls_left},
            "tables": [
                {
                    "name": cell.unit.collection,
                    "stored": cell.stored,
                    "service": cell.service,
                    "new": counted.new if (counted := self.counted.get(cell.unit.collection)) else 0,
                    "changed": counted.changed if counted else 0,
                    "gone": counted.gone if counted else 0,
                }
                for cell in book.cells
                if cell.unit.message_id is None
            ],
            "events": {"stored": book.events, "of_listed": book.of_listed, "of_unknown": book.of_unknown},
            "ledger": book.as_dict(),
            "set_aside": self.set_aside,
            "contacts_only": self.contacts_only,
            "notes": [note.as_dict() for note in self.notes],
        }
        if self.resumed:
            told["calls"] |= {
                "with_first_part": self.calls + self.resumed.earlier_calls,
                "unstopped": self.resumed.quiet,
            }
        if self.first is not None:
            told["first"] = self.first.as_dict()
        return told


def _row(name: str, cells: Sequence[Cell], note: str) -> Row:
    state = min((cell.state for cell in cells), key=_ORDER.index)
    services = [cell.service for cell in cells]
    service = None if any(s is None for s in services) else sum(s for s in services if s is not None)
    return Row(name, sum(cell.stored for cell in cells), service, state, note)


def _why(cells: Sequence[Cell]) -> str:
    """Return one reason for a line of many cells: the worst cell's by name, and how many more there are."""
    open_ = sorted((c for c in cells if c.state != "equal"), key=lambda c: _ORDER.index(c.state))
    if not open_:
        return ""
    if all(cell.state == "explained" and "no longer lists" in cell.reason for cell in open_):
        return f"{sum(int(c.reason.split()[0].replace(',', '')) for c in open_):,} by people the service no longer lists"
    more = f" · {len(open_) - 1} more" if len(open_) > 1 else ""
    return f"{open_[0].name}: {open_[0].reason}{more}"


def _kinds(cells: Sequence[Cell]) -> str:
    counts = {
        kind: sum(c.stored for c in cells if c.unit.collection == kind)
        for kind in ("bounces", "unsubscribes")
    }
    return " · ".join(f"{count:,} {kind}" for kind, count in counts.items())


def _known(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
