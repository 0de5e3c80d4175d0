"""The words of a sync: states, reasons and notes as people read them, and the plan as a transcript."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from icx.plan.words import REASONS as CONSENT
from icx.plan.words import calls, moment
from icx.sync.definition import SIDES, Side
from icx.words import counted

if TYPE_CHECKING:
    from icx.sync.definition import Sync
    from icx.sync.plan import SyncPlan

STATES = {
    "in_sync": "in step",
    "excluded": "excluded",
    "duplicate": "duplicates",
    "deleted": "deleted on one side",
    "failing": "failing",
}
NOTES = {
    "conflict": "differ on both sides; the winner's value is taken",
    "foreign": "were changed by somebody else where values only arrive",
    "kept": "emptied fields that wipe nothing",
    "keeps": "fields that a system keeps otherwise than they were sent",
    "refused": "actions refused",
    "contradiction": "rules that want opposite things of one person",
    "unfit": "values that do not fit the field they would go to",
    "loop": "people whose fields would flip back and forth",
}
VERBS = {
    "create": "create",
    "update": "update",
    "act": "act on",
    "undo": "take back",
    "unsubscribe": "unsubscribe",
}


def reason(code: str, sync: Sync) -> str:
    """Return why somebody is not in step, in words."""
    if code in {"deleted_in_a", "deleted_in_b"}:
        return f"deleted in {sync.of('a' if code.endswith('a') else 'b')}; not made anew"
    if code.startswith("unfit "):
        _, side, name = code.split(" ", 2)
        return f"a value does not fit `{name}` of {sync.of('b' if side == 'b' else 'a')}"
    told = {
        "no_rule": "no rule matches",
        "one_way": "the sync goes the other way",
        "not_there": "not on the other side, and no rule makes them",
        "no_address": "without a usable address",
        "address_gone": "the address was taken away on one side",
        "duplicate": "the address is there twice",
        "same_identity": "several rows have its identity",
        "duplicate_there": "the address is there twice on the other side",
        "said_no": "said no on the other side, so not made there",
        "refused": "refused by the service",
        "contradiction": "rules want opposite things",
        "loop": "rules or lines lead in a circle",
        "waiting": "not made yet",
    }
    return told.get(code) or CONSENT.get(code, code.replace("_", " "))


def does(plan: SyncPlan, side: Side) -> str:
    """Return what is written on a side, in words.

    The weightiest comes first.
    """
    parts = [f"{VERBS[verb]} {count:,}" for verb, count in plan.counts[side].items() if count]
    return ", ".join(parts) or "nothing"


def transcript(plan: SyncPlan) -> str:
    """Return the plan as a terminal shows it: no person in it."""
    sync = plan.sync
    arrow = "<->" if sync.both_ways else "->" if sync.on("a") else "<-"
    head = f"{plan.plan_id}  {sync.name}: {sync.a} {arrow} {sync.b}"
    lines = [f"{head:<60} nothing has been sent"]
    for side in SIDES:
        cost = f" · {calls(plan.calls[side])}" if plan.calls[side] else ""
        lines.append(
            f"  {sync.of(side):<16} {counted(plan.sizes[side], 'person'):>16}   {does(plan, side)}{cost}"
        )
    for state, count in plan.states.items():
        lines.append(f"  {count:>9,}  {STATES.get(state, state)}")
        if state == "in_sync":
            continue
    for code, count in plan.reasons.items():
        lines.append(f"  {count:>9,}    {reason(code, sync)}")
    for kind, count in plan.notes.items():
        lines.append(f"  {count:>9,}  {NOTES.get(kind, kind)}")
    lines += [f"  note  {told}" for told in plan.told]
    if plan.stops:
        lines.append("  Stops   " + " · ".join(f"{n} {stop.words}" for n, stop in enumerate(plan.stops, 1)))
    if plan.reading:
        lines.append(f"  Reading both cost {calls(plan.reading)}")
    after = "Nothing to do." if plan.empty else f"Next: icx sync apply {shlex.quote(sync.name)}"
    lines.append(
        f"Made {moment(plan.made_at, plan.zone)}. Apply reads again first and may do less, never more. {after}"
    )
    return "\n".join(lines)
