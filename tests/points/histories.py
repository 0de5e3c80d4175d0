"""Random histories and point actions, and the ledger that plain Python makes of them, without any SQL."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts import add, contact, event, send

from icx.points import Action
from icx.rules import Compare, Event, InAudience, Link, Lookup

ZONE = ZoneInfo("America/New_York")
AUDIENCES = {"In Durham": Compare("city", "=", "Durham"), "Often": Event("open", ">=", 2, days=20)}
CITIES = ["Durham", "Cary", None]
LINKS = ["https://example.com/pricing", "https://example.com/sale?x=1", "https://example.com/pricing?b=2"]
PEOPLE = range(1, 13)
DATES = [
    ("", ""),
    ("", ""),
    ("2026-03-04", ""),
    ("2026-03-11", ""),
    ("", "2026-03-09"),
    ("2026-03-11", "2026-03-13"),
]

Row = tuple[int, str, datetime, int, str | None]
Line = tuple[Any, ...]


def lookup(con: object = None) -> Lookup:
    return Lookup(audiences=AUDIENCES, zone=ZONE)


def actions(draw: random.Random) -> list[Action]:
    """Return some actions of every kind, with and without dates and groups."""
    rules = [
        Event("open"),
        Event("click", url=Link("contains", "/pricing")),
        Event("any", message=2),
        Event("open", distinct="messages"),
        Event("click", between=(None, "2026-03-05")),
        Compare("city", "=", "Durham"),
        Compare("opens_30d", ">=", 2),
        InAudience("in", "In Durham"),
        InAudience("notIn", "Often"),
    ]
    made = []
    for n, rule in enumerate(rules):
        if draw.random() < 0.75:
            since, until = draw.choice(DATES)
            made.append(
                Action(
                    f"a{n}",
                    draw.choice([1, 5, -3]),
                    rule,
                    draw.random() < 0.5,
                    draw.choice(["", "g", "h"]),
                    since,
                    until,
                    machines=draw.random() < 0.5,
                )
            )
    return made


@dataclass
class World:
    """What happened so far: contacts by id, events, and who met which rule at which build."""

    cities: dict[int, str | None] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    builds: list[tuple[datetime, str]] = field(default_factory=list)
    stays: dict[tuple[str, int], list[list[Any]]] = field(default_factory=dict)

    def go_on(self, draw: random.Random, con: Any, pulled: datetime, number: int) -> None:
        """Let some time pass: new contacts, other cities, events, also late ones, and a pull that saw it all."""
        for who in PEOPLE:
            if who not in self.cities and draw.random() < 0.6:
                self.cities[who] = draw.choice(CITIES)
                contact(con, who, city=self.cities[who])
            elif who in self.cities and draw.random() < 0.5:
                self.cities[who] = draw.choice(CITIES)
                con.execute("update icontact_users set city = ? where id = ?", [self.cities[who], who])
        release = pulled - timedelta(hours=draw.randrange(1, 60))
        send(con, number + 1, 2, release, [3004])
        for _ in range(30):
            kind = draw.choice(["open", "open", "open", "click", "unsubscribe"])
            at = pulled - timedelta(hours=draw.randrange(-10, 24 * 12), minutes=draw.choice([0, 0, 30]))
            link = draw.choice(LINKS) if kind == "click" else None
            row = (draw.choice(PEOPLE), kind, at, draw.randrange(1, 4), link)
            if draw.random() < 0.2:  # within ten seconds of a release, which a machine is taken for
                row = (row[0], kind, release + timedelta(seconds=draw.randrange(10)), 2, link)
            for _ in range(2 if draw.random() < 0.1 else 1):  # two events alike are two events
                self.events.append(row)
                event(con, row[0], row[1], row[2], row[3], row[4])
        if draw.random() < 0.3:  # somebody is taken out altogether
            gone = draw.choice(PEOPLE)
            self.cities.pop(gone, None)
            self.events = [one for one in self.events if one[0] != gone]
            self.stays = {key: value for key, value in self.stays.items() if key[1] != gone}
            for table, column in (
                ("icontact_users", "id"),
                ("icontact_activity", "contact_id"),
                ("points_stays", "contact_id"),
            ):
                con.execute(f"delete from {table} where {column} = ?", [gone])
        if number:
            add(con, "pulls", pull_id=f"p-{number + 1}", started_at=pulled, began_at=pulled, state="complete")
        self.builds.append((pulled, f"b-{number + 1}"))


def ledger(world: World, every: Sequence[Action], machines: set[tuple[Any, ...]]) -> list[Line]:
    """Return the lines of a ledger after the newest build, counted one person and one action at a time."""
    lines: list[Line] = []
    as_of, build_id = world.builds[-1]
    seen = set()
    for action in every:
        for who in world.cities:
            if action.event is not None:
                lines += _by_events(world, action, who, as_of, machines)
            else:
                key = (action.digest, who)
                if key not in seen:  # two actions may ask the same
                    seen.add(key)
                    _stay(world, key, _meets(world, action, who, as_of, machines), as_of, build_id)
                lines += _by_builds(world, action, who)
    known = {action.digest for action in every if action.event is None}
    for (digest, who), spans in world.stays.items():  # whoever is not listed any more meets nothing
        if digest in known and who not in world.cities and spans[-1][2] is None:
            spans[-1][2] = as_of
    return sorted(lines, key=repr)


def _by_events(
    world: World, action: Action, who: int, as_of: datetime, machines: set[tuple[Any, ...]]
) -> list[Line]:
    wanted = action.event
    assert wanted is not None
    first, end = _span(action)
    rows = sorted(
        row
        for row in (
            (at, message, kind, url or "") for one, kind, at, message, url in world.events if one == who
        )
        if row[0] < as_of
        and (first is None or row[0] >= first)
        and (end is None or row[0] < end)
        and wanted.kind in {row[2], "any"}
        and (wanted.message is None or row[1] == wanted.message)
        and (wanted.url is None or wanted.url.value in row[3])
        and (wanted.between is None or row[0] < _midnight("2026-03-06"))
        and (action.machines or (who, row[1], row[2], row[0]) not in machines)
    )
    if not action.each:
        rows = rows[:1]
    elif wanted.distinct:
        rows = [row for n, row in enumerate(rows) if row[1] not in {other[1] for other in rows[:n]}]
    return [
        (who, action.name, action.group or None, action.amount, at, kind, message, url or None, None)
        for at, message, kind, url in rows
    ]


def _meets(world: World, action: Action, who: int, as_of: datetime, machines: set[tuple[Any, ...]]) -> bool:
    def opens(days: int, human: bool) -> int:
        return sum(
            1 for one, kind, at, message, _ in world.events
            if one == who and kind == "open" and as_of - timedelta(days=days) <= at < as_of
            and not (human and (who, message, kind, at) in machines)
        )  # fmt: skip

    rule = action.earns
    if isinstance(rule, InAudience):
        return world.cities[who] == "Durham" if rule.audience == "In Durham" else opens(20, False) < 2
    assert isinstance(rule, Compare)
    return world.cities[who] == "Durham" if rule.field == "city" else opens(30, not action.machines) >= 2


def _stay(world: World, key: tuple[str, int], met: bool, as_of: datetime, build_id: str) -> None:
    spans = world.stays.setdefault(key, [])
    inside = bool(spans) and spans[-1][2] is None
    if met and not inside:
        spans.append([as_of, build_id, None])
    elif inside and not met:
        spans[-1][2] = as_of


def _by_builds(world: World, action: Action, who: int) -> list[Line]:
    first, end = _span(action)
    found = []
    for since, _, until in world.stays.get((action.digest, who), []):
        inside = [(at, name) for at, name in world.builds if at >= since and (until is None or at < until)]
        active = [
            (at, name) for at, name in inside if (first is None or at >= first) and (end is None or at < end)
        ]
        entered = [one for one in active if one == active[0]][:1]
        if entered and (end is None or min(at for at, _ in inside if first is None or at >= first) < end):
            found.append(
                (
                    who,
                    action.name,
                    action.group or None,
                    action.amount,
                    entered[0][0],
                    None,
                    None,
                    None,
                    entered[0][1],
                )
            )
    return found if action.each else found[:1]


def _span(action: Action) -> tuple[datetime | None, datetime | None]:
    after = (
        (datetime.fromisoformat(action.until) + timedelta(days=1)).date().isoformat()
        if action.until
        else None
    )
    return (_midnight(action.since) if action.since else None), (_midnight(after) if after else None)


def _midnight(day: str) -> datetime:
    at = datetime.fromisoformat(day).replace(tzinfo=ZONE)
    return at.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def sums(lines: Iterable[Line], who: int) -> tuple[int, int, int]:
    """Return a person's total, and those of the groups g and h."""
    own = [(line[2], line[3]) for line in lines if line[0] == who]
    return (
        sum(n for _, n in own),
        sum(n for group, n in own if group == "g"),
        sum(n for group, n in own if group == "h"),
    )
