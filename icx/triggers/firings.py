"""Firings as they are kept: whom a trigger fired for, why, and what became of the action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import pyarrow as pa

from icx import mask
from icx.clock import aware_utc, naive_utc
from icx.plan.words import reason as why
from icx.store import Connection
from icx.store.transactions import transaction

#: What is still to be done: not begun, in a plan that may be cut off, or not arrived and tried again.
OPEN = ("waiting", "planned", "failed")
STATES = (*OPEN, "done", "refused", "dropped")
FIRST, LONGEST = timedelta(hours=1), timedelta(days=1)
_COLUMNS = (
    "firing_id, trigger_name, contact_id, way, build_id, as_of, fired_at, before, after, state, reason, plan_id, tries,"
    " next_at, settled_at"
)


@dataclass(frozen=True)
class Firing:
    """One crossing of one person, and what became of the action; times are aware UTC.

    `before` and `after` are the number that crossed, None for an audience; `build_id` is the build that saw it.
    `state` is waiting, planned (in `plan_id`), done, refused (with the reason, for good), failed (tried again from
    `next_at` on) or dropped.
    """

    firing_id: str
    trigger: str
    contact_id: int
    way: str
    build_id: str
    as_of: datetime
    fired_at: datetime
    before: float | None
    after: float | None
    state: str
    reason: str = ""
    plan_id: str = ""
    tries: int = 0
    next_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def crossed(self) -> str:
        """What crossed.

        >>> from datetime import UTC
        >>> now = datetime(2026, 11, 22, tzinfo=UTC)
        >>> Firing("", "Hot", 7, "reached", "b-1", now, now, 45, 51, "waiting").crossed
        'reached: 45 → 51'
        >>> Firing("", "Rich", 7, "reached", "b-1", now, now, 999_999.5, 1_234_567, "waiting").crossed
        'reached: 999,999.5 → 1,234,567'
        """
        if self.after is None:
            return "so already" if self.way == "existing" else self.way
        if self.way == "existing":
            return f"so already: {_number(self.after)}"
        before = "nothing" if self.before is None else _number(self.before)
        return f"{self.way}: {before} → {_number(self.after)}"

    @property
    def became(self) -> str:
        """What became of it, in words."""
        plan = f" ({self.plan_id})" if self.plan_id else ""
        return f"{self.state}{plan}" + (
            f": {mask.plain(mask.addresses_in(why(self.reason)))}" if self.reason else ""
        )

    def text(self, zone: tzinfo) -> str:
        at = self.fired_at.astimezone(zone)
        return f"{at.day} {at:%b %H:%M}  #{self.contact_id}  {self.crossed}, as build {self.build_id} saw; {self.became}"

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


class Became(NamedTuple):
    """What became of one firing."""

    firing_id: str
    state: str
    reason: str = ""


def of(con: Connection, name: str, *states: str, limit: int | None = None) -> list[Firing]:
    """Return a trigger's firings, newest first, those in one of these states when any is named."""
    chosen = " and list_contains($states::varchar[], state)" if states else ""
    rows = con.execute(
        f"select {_COLUMNS} from trigger_firings where trigger_name = $name{chosen}"
        f" order by fired_at desc, contact_id{f' limit {limit:d}' if limit is not None else ''}",
        {"name": name} | ({"states": list(states)} if states else {}),
    ).fetchall()
    return [_firing(row) for row in rows]


def of_person(con: Connection, contact_id: int) -> list[Firing]:
    """Return every firing of one person, newest first."""
    rows = con.execute(
        f"select {_COLUMNS} from trigger_firings where contact_id = ? order by fired_at desc, trigger_name",
        [contact_id],
    ).fetchall()
    return [_firing(row) for row in rows]


def tallies(con: Connection) -> dict[str, dict[str, int]]:
    """Return of each trigger how many firings are in which state."""
    found: dict[str, dict[str, int]] = {}
    for name, state, count in con.execute(
        "select trigger_name, state, count(*) from trigger_firings group by all order by all"
    ).fetchall():
        found.setdefault(name, {})[state] = int(count)
    return found


def due(found: Iterable[Firing], now: datetime) -> list[Firing]:
    """Return the firings that are to be done now: those that wait, and those that failed and whose time has come."""
    return [
        one
        for one in found
        if one.state == "waiting" or (one.state == "failed" and (one.next_at is None or one.next_at <= now))
    ]


def planned(con: Connection, firings: Iterable[Firing], plan_id: str) -> None:
    """Note that firings are done by a plan, before it is applied."""
    _update(con, {one.firing_id: ("planned", "") for one in firings}, "plan_id = $plan", {"plan": plan_id})


def back(con: Connection, firings: Iterable[Firing]) -> None:
    """Note that a plan never began, so that firings wait again."""
    _update(con, {one.firing_id: ("waiting", "") for one in firings}, "plan_id = null", {})


def settle(con: Connection, became: Iterable[Became], now: datetime) -> None:
    """Note what became of firings. One that did not arrive is tried again: at once, then after an hour, two, … a day."""
    first, longest = FIRST.total_seconds(), LONGEST.total_seconds()
    _update(
        con,
        {one.firing_id: (one.state, one.reason) for one in became},
        "settled_at = case when b.state = 'failed' then null else $now end,"
        " tries = tries + 1, next_at = case when b.state <> 'failed' then null when tries = 0 then $now"
        f" else $now + to_seconds(least({first} * pow(2, least(tries, 20) - 1), {longest})) end",
        {"now": naive_utc(now)},
    )


def _update(
    con: Connection, became: Mapping[str, tuple[str, str]], more: str, values: dict[str, Any]
) -> None:
    if not became:
        return
    states, reasons = zip(*became.values(), strict=True)
    table = pa.table({"firing_id": list(became), "state": list(states), "reason": list(reasons)})
    con.register("trigger_became", table)
    try:
        with transaction(con):
            con.execute(
                f"update trigger_firings set state = b.state, reason = nullif(b.reason, ''), {more}"
                " from trigger_became b where trigger_firings.firing_id = b.firing_id",
                values,
            )
    finally:
        con.unregister("trigger_became")


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"


def _firing(row: tuple[Any, ...]) -> Firing:
    found = dict(zip(Firing.__dataclass_fields__, row, strict=True))
    for name in ("as_of", "fired_at", "next_at", "settled_at"):
        found[name] = aware_utc(found[name]) if found[name] is not None else None
    return Firing(**found | {"reason": found["reason"] or "", "plan_id": found["plan_id"] or ""})
