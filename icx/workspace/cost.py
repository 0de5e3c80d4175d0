"""What a pull or an audience will cost, told before it is begun."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from icx.clock import naive_utc
from icx.pull.agenda import Agenda, counters
from icx.pull.ledger import messages_of
from icx.pull.units import KINDS
from icx.store import Connection
from icx.words import counted as number

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace

COUNTED = ("customfields", "lists", "campaigns", "messages", "sends", "contacts", "subscriptions")
CONTACTS_ONLY = ("customfields", "lists", "contacts", "subscriptions")


@dataclass(frozen=True)
class Part:
    """What a pull reads: a collection, or units under messages (`of` which kind), why, and the calls at least."""

    of: str
    why: str
    calls: int
    unit: str = ""  # "88104/opens"; empty for a collection and for messages that were not seen yet


@dataclass(frozen=True)
class PullCost:
    """The rows the service has, what the next pull reads and why, and what the pace makes of its calls.

    `calls_left` are those of this hour, None when nobody counts them; `seconds_a_call` was measured just now.
    """

    connection: str
    first: bool
    rows: dict[str, int]
    parts: tuple[Part, ...]
    seconds_a_call: float
    threads: int
    calls_left: int | None
    calls_an_hour: int

    @property
    def calls(self) -> int:
        return sum(part.calls for part in self.parts)

    @property
    def minutes(self) -> float:
        """Minutes of calling, and of waiting for the next hour's calls where this one's do not suffice."""
        over = 0 if self.calls_left is None else max(0, self.calls - self.calls_left)
        return self.calls * self.seconds_a_call / self.threads / 60 + 60 * over / self.calls_an_hour

    def as_dict(self) -> dict[str, Any]:
        return {
            "connection": self.connection,
            "first": self.first,
            "rows": self.rows,
            "parts": [asdict(part) for part in self.parts],
            "calls": self.calls,
            "minutes": round(self.minutes, 1),
            "calls_left_hour": self.calls_left,
        }

    def text(self) -> str:
        counted = " · ".join(f"{n:,} {name}" for name, n in self.rows.items())
        left = "not known" if self.calls_left is None else f"{self.calls_left:,}"
        same: dict[tuple[str, str], int] = {}
        for part in self.parts:
            same[part.of, part.why] = same.get((part.of, part.why), 0) + part.calls
        wide = max(len(number(calls, "call")) for calls in same.values())
        lines = [
            f"{'A first' if self.first else 'The next'} pull of {self.connection} makes about "
            f"{number(self.calls, 'call')}, about {max(1, round(self.minutes))} min at "
            f"{self.seconds_a_call * 1000:.0f} ms a call and {self.threads} at a time; {left} are left this hour.",
            f"  {counted}",
            *(f"  {of:<13}  {number(calls, 'call'):>{wide}}  {why}" for (of, why), calls in same.items()),
            "  events nobody has counted yet come on top, and those whose counters turn out to have moved",
            f"Next: icx pull {self.connection}",
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()


def pull_cost(ws: Workspace, name: str | None, *, full: bool = False) -> PullCost:
    """Return what the next pull reads; asks the service how many rows it has (a call a collection, one row each)."""
    saved = ws.connection(name)
    ws.accounts.enter(saved)
    counted = CONTACTS_ONLY if saved.contacts_only else COUNTED
    rows: dict[str, int] = {}
    began = ws.clock.monotonic()
    with ws.noted("explain", saved.name) as run, ws.accounts.source(saved, run=run) as client:
        for collection in counted:
            filters: dict[str, Any] = {"status": "total"} if collection == "contacts" else {}
            rows[collection] = client.page(collection, limit=1, **filters).total or 0
        left = client.pace.left()
    each = (ws.clock.monotonic() - began) / len(counted)
    size = ws.settings.page_size
    parts = [Part(name, "read whole each time", _pages(n, size)) for name, n in rows.items()]
    now = naive_utc(ws.clock.now())
    with ws.store.open(saved.name) as con:
        first = not con.execute("select 1 from pulls where state = 'complete' limit 1").fetchall()
        if not saved.contacts_only:
            parts += _tracking(con, Agenda(now, now, full), rows["messages"], size)
    return PullCost(
        saved.name, first, rows, tuple(parts), each, ws.settings.threads, left, ws.settings.calls_per_hour
    )


def _tracking(con: Connection, agenda: Agenda, listed: int, size: int) -> Iterator[Part]:
    """Yield what is read under the messages stored here, by the rules of a pull, and under those not seen yet."""
    messages = messages_of(con)
    for message in agenda.statistics(con, messages):
        yield Part("statistics", "whose turn it is", 1, f"{message.message_id}/statistics")
    stored = dict(con.execute("select (message_id, collection), stored from units").fetchall())
    for unit, why in agenda.events(con, messages, counters(con)):
        yield Part(
            unit.collection, why, _pages(stored.get((unit.message_id, unit.collection), 0), size), unit.name
        )
    if new := max(0, listed - len(messages)):
        for of in ("statistics", *KINDS):
            yield Part(of, f"of {number(new, 'message')} not seen yet", new)


def _pages(rows: int, size: int) -> int:
    return max(1, -(-rows // size))


@dataclass(frozen=True)
class AudienceCost:
    """What counting an audience reads, and which checks a push of it rests on."""

    audience: str
    connection: str
    columns: tuple[str, ...]
    of_columns: int
    people: int
    events: int | None
    audiences: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "audience": self.audience,
            "connection": self.connection,
            "columns": list(self.columns),
            "people": self.people,
            "events": self.events,
            "audiences": list(self.audiences),
            "calls": 0,
        }

    def text(self) -> str:
        events = "" if self.events is None else f" and {number(self.events, 'event')}"
        lines = [
            f"Counting {self.audience} reads {len(self.columns)} of {self.of_columns} columns of "
            f"{number(self.people, 'person')}{events}; it makes no call.",
            f"  fields     {', '.join(self.columns) or 'none'}",
        ]
        if self.audiences:
            lines.append(f"  audiences  {', '.join(self.audiences)}")
        lines.append(f"Next: icx audience show {shlex.quote(self.audience)}")
        return "\n".join(lines)


def audience_cost(ws: Workspace, name: str) -> AudienceCost:
    """Return what counting a saved audience reads."""
    from icx.rules import audiences_used
    from icx.workspace import verdict

    found = ws.audience(name)
    people = found.people
    assert people is not None
    uses = verdict.uses(ws, found, [], {})
    with ws.store.open(people.connection) as con:
        ((contacts,),) = con.execute("select count(*) from icontact_users where gone_at is null").fetchall()
        ((events,),) = con.execute("select count(*) from icontact_activity").fetchall()
    return AudienceCost(
        found.name,
        people.connection,
        tuple(uses["columns"]),
        len(people.catalogue),
        contacts,
        events if uses["events"] else None,
        tuple(sorted(audiences_used(found.rule))),
    )
