"""What a pull or an audience will cost, told before it is begun."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx.words import counted as number

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace

COUNTED = ("customfields", "lists", "campaigns", "messages", "sends", "contacts", "subscriptions")
PER_MESSAGE = 5  # statistics, opens, clicks, bounces, unsubscribes


@dataclass(frozen=True)
class PullCost:
    """Rows the service has, the calls a first pull makes at least, and what the pace makes of them."""

    connection: str
    rows: dict[str, int]
    calls: int
    seconds_a_call: float
    threads: int
    calls_left: int | None

    @property
    def minutes(self) -> float:
        return self.calls * self.seconds_a_call / self.threads / 60

    def as_dict(self) -> dict[str, Any]:
        return {
            "connection": self.connection,
            "rows": self.rows,
            "calls": self.calls,
            "minutes": round(self.minutes, 1),
            "calls_left_hour": self.calls_left,
        }

    def text(self) -> str:
        counted = " · ".join(f"{n:,} {name}" for name, n in self.rows.items())
        left = "not known" if self.calls_left is None else f"{self.calls_left:,}"
        return (
            f"A first pull of {self.connection} makes about {number(self.calls, 'call')}, about {max(1, round(self.minutes))} min "
            f"at {self.seconds_a_call * 1000:.0f} ms a call and {self.threads} at a time; {left} are left this hour.\n"
            f"  {counted}\n"
            f"  events come on top where a message has more than a page of them; later pulls read what can still change\n"
            f"Next: icx pull {self.connection}"
        )


def pull_cost(ws: Workspace, name: str | None) -> PullCost:
    """Ask the service how many rows each collection has (one call each, one row) and reckon the calls of a pull."""
    saved = ws.connection(name)
    rows: dict[str, int] = {}
    began = ws.clock.monotonic()
    with ws.noted("explain", saved.name) as run, ws.accounts.client(saved, run=run) as client:
        for collection in COUNTED:
            filters: dict[str, Any] = {"status": "total"} if collection == "contacts" else {}
            rows[collection] = client.page(collection, limit=1, **filters).total or 0
        left = client.pace.left()
    each = (ws.clock.monotonic() - began) / len(COUNTED)
    size = ws.settings.page_size
    calls = sum(max(1, -(-n // size)) for n in rows.values())
    if not saved.contacts_only:
        calls += PER_MESSAGE * rows["messages"]
    return PullCost(saved.name, rows, calls, each, ws.settings.threads, left)


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
