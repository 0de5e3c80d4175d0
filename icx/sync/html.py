"""A sync as a saved notebook shows it: its plan and how it stands, light and dark, people masked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.look.page import (
    Html,
    Kind,
    fold,
    head,
    icon,
    join,
    note,
    number,
    panel,
    pill,
    root,
    table,
    tag,
    tile,
    tiles,
)
from icx.plan.words import calls, moment
from icx.sync.definition import SIDES, Side, Sync
from icx.sync.text import NOTES, STATES, does, reason
from icx.words import counted

if TYPE_CHECKING:
    from icx.sync.health import Health
    from icx.sync.plan import SyncPlan

SHOWN = 20  # pairs of a plan that are shown
KINDS: dict[str, Kind] = {"in_sync": "ok", "failing": "bad", "duplicate": "warn", "deleted": "warn"}
PILLS: dict[str, tuple[Kind, str, str]] = {
    "open": ("", "Nothing has been sent", "lock"),
    "applying": ("", "Under way, or stopped", "running"),
    "finished": ("ok", "Done", "ok"),
    "closed": ("", "Closed: a newer plan stands", "lock"),
}


def plan_html(plan: SyncPlan) -> str:
    """Return a plan: both systems, what is written where, who is not in step and why, what is asked first."""
    sync = plan.sync
    crumbs = [
        tag("span", "between ", tag("b", sync.a), " and ", tag("b", sync.b)),
        tag("span", f"read {moment(plan.made_at, plan.zone)}"),
        tag("span", f"plan {plan.plan_id}"),
    ]
    parts = [head(f"Sync: {sync.name}", pill(*PILLS.get(plan.state, PILLS["open"])), *crumbs), _ends(plan)]
    parts += [note("warn", told[:1].upper() + told[1:]) for told in plan.told]
    parts.append(_states(plan.states))
    main = [_rows(plan)] if plan.kept is not None else []
    side = [_stops(plan), _why(plan.reasons, sync), _notes(plan), _cost(plan)]
    parts.append(
        tag(
            "div",
            tag("div", *main, cls="stack"),
            tag("div", *(one for one in side if one), cls="stack"),
            cls="g31",
        )
    )
    if plan.empty:
        parts.append(note("ok", "Nothing to do.", "Both systems are as the rules want them."))
    return str(root(*parts, name=f"Plan {plan.plan_id}"))


def health_html(health: Health) -> str:
    """Return how a sync stands: in step, excluded, duplicates, failing, with the reasons and the systems' own words."""
    sync = health.sync
    rest = (
        pill("warn", f"Resting, by {sync.paused.by}", "pause") if sync.paused else pill("ok", "Active", "ok")
    )
    read = [f"{sync.of(s)} read {at:%d %b %H:%M} UTC" for s in SIDES if (at := health.read[s])]
    parts = [head(f"Sync: {sync.name}", rest, *(tag("span", one) for one in read)), _states(health.states)]
    people = health.people(limit=SHOWN).to_pylist()
    rows = [
        (
            one["state"],
            one["reason"],
            tag("q", one["words"]) if one["words"] else "",
            tag("span", one["address"] or "", cls="mono"),
        )
        for one in people
    ]
    if rows:
        parts.append(panel("Not in step", table(("State", "Why", "The service's words", "Address"), rows)))
    parts += [one for one in [_why(health.reasons, sync)] if one]
    return str(root(*parts, name=f"Sync {sync.name}"))


def _ends(plan: SyncPlan) -> Html:
    boxes = [
        tile(
            plan.sync.of(side),
            number(plan.writes(side)),
            f"{does(plan, side)}; {counted(plan.sizes[side], 'person')} there",
            big=True,
        )
        for side in SIDES
    ]
    return tiles(*boxes)


def _states(states: Any) -> Html:
    return tiles(
        *(tile(name[:1].upper() + name[1:], number(states.get(code, 0)), "") for code, name in STATES.items())
    )


def _why(reasons: Any, sync: Sync) -> Html | None:
    if not reasons:
        return None
    rows = [(reason(code, sync), number(count)) for code, count in reasons.items()]
    return panel("Not in step, and why", table(("Why", "People"), rows, (1,)))


def _notes(plan: SyncPlan) -> Html | None:
    if not plan.notes:
        return None
    rows = [(NOTES.get(kind, kind), number(count)) for kind, count in plan.notes.items()]
    return panel("Seen on the way", table(("What", "How often"), rows, (1,)))


def _stops(plan: SyncPlan) -> Html:
    if not plan.stops:
        return tag("section", tag("p", "This plan asks nothing before it acts.", cls="small muted"))
    each = [
        tag(
            "div",
            icon("warn"),
            tag("span", tag("b", stop.words), Html("<br>"), tag("span", stop.question, cls="small muted")),
            cls="stop",
        )
        for stop in plan.stops
    ]
    return tag("section", tag("div", tag("h3", "Confirm before sending"), cls="ph"), *each, cls="stack tight")


def _cost(plan: SyncPlan) -> Html:
    lines = [
        join(tag("dt", plan.sync.of(side)), tag("dd", calls(plan.calls[side]), cls="num")) for side in SIDES
    ]
    return panel("Cost of the writes", tag("dl", *lines, cls="small costs"))


def _rows(plan: SyncPlan) -> Html:
    found = plan.rows("verb_a is not null or verb_b is not null", SHOWN)
    rows = []
    for row in found:
        who = mask.address(row["a_email"] or row["b_email"]) or "no address"
        written: list[object] = []
        for side in SIDES:
            written.append(_written(row, side))
        rows.append((tag("span", who, cls="mono"), *written))
    total = plan.writes()
    foot = f"{len(rows):,} people shown, addresses and values masked" if rows else "nobody"
    shown = table(("Who", f"in {plan.sync.a}", f"in {plan.sync.b}"), rows, foot=foot)
    return panel("What is written", fold(f"{number(total)} writes", shown, opened=True))


def _written(row: dict[str, Any], side: Side) -> str:
    told: list[str] = []
    for one in json.loads(row["rounds"]):
        want = one.get(side)
        if want is None:
            continue
        told += ["create"] if want.get("make") else []
        told += [f"set {', '.join(sorted(want['fields']))}"] if want.get("fields") else []
        for kind in ("join", "leave", "unsubscribe", "tag", "untag"):
            told += [f"{kind} {', '.join(want[kind])}"] if want.get(kind) else []
    return "; ".join(mask.plain(one) for one in told)
