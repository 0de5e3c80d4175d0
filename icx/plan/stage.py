"""Where an apply stands, from the journal: the same for a running one, one cut off, and one read next year.

Nothing here is remembered by a view: a kernel that is restarted reads the journal and shows the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.look.page import number
from icx.plan.applied import Applied, from_result, tally
from icx.plan.view import Said, Times, does, title
from icx.plan.words import duration, people, reason
from icx.store import pushed

if TYPE_CHECKING:
    from icx.plan.plan import Plan
    from icx.store.locks import Holder
    from icx.store.plans import KeptPlan, Plans

MADE = {
    "add": "added",
    "create": "added",
    "restore": "moved back",
    "add_pending": "asked to confirm",
    "contact": "made",
    "park": "moved away",
    "unsubscribe": "unsubscribed",
    "fields": "fields sent",
}
LEFT_WORDS = {
    "unsubscribed": "unsubscribed since the plan",
    "do_not_contact": "do-not-contact since the plan",
    "already_there": "on the list already",
    "no_longer_there": "no longer there",
    "changed": "changed since the plan",
}


@dataclass
class Live:
    """An apply under way in this process: what its progress said last, and since when it sends."""

    what: str = "reading the list again"
    note: str = ""
    ending: bool = False
    sending_since: datetime | None = None
    done_before: int | None = None  # where `done` stood then, an earlier start's people with it
    waiting_until: datetime | None = None
    marks: dict[str, datetime] = field(default_factory=dict)


def stage(plan: Plan, plans: Plans, now: datetime, live: Live | None = None) -> Said:
    """Return where this plan stands: its state, what is done, the last batches, the outcome, what may be done."""
    kept = plans.get(plan.plan_id)
    times = Times(plan.zone, now)
    counts = plan.counts
    planned = counts.add + counts.create + counts.park + counts.unsubscribe
    if kept.state == "finished" and kept.result:
        applied = from_result(kept.result)
    else:
        applied = tally(plan.plan_id, kept.state, plans.summary(plan.plan_id), planned, fields=plan.updates)
    holder = None if live else plans.holder(plan.plan_id)
    state = _state(kept, applied, live, elsewhere=holder is not None and holder.what == plan.plan_id)
    left = sum(applied.left_out.values())
    done = applied.added + applied.asked + applied.parked + applied.unsubscribed
    of = planned - left
    if not planned:
        done, of = applied.fields_sent, plan.updates
    batches = plans.batches(plan.plan_id)
    said: Said = {
        "state": state,
        "title": _title(plan, state),
        "pill": _pill(state, applied, live),
        "done": done,
        "of": of,
        "left": _time_left(done, of, live, now),
        "verb": _verb(plan),
        "ending": bool(live and live.ending),
        "steps": _steps(plan, applied, state, live, times, done, of, batches, kept),
        "batches": [_batch(one, times, under_way=state in {"running", "elsewhere"}) for one in batches],
        "tiles": _tiles(plan, applied, planned),
        "sum": _sum(applied) if state == "finished" else None,
        "refusals": _refusals(applied),
        "left_out": [[LEFT_WORDS.get(why, reason(why)), count] for why, count in applied.left_out.items()],
        "undo": state == "finished" and bool(applied.added + applied.parked),
        "retry": applied.refused_by_service if state == "finished" else 0,
        "outcomes": any(one for one in (done, left, applied.refused_by_service, applied.in_doubt)),
        "go": _go(plan, applied, times, kept) if state == "stopped" else None,
        "answers": sorted(kept.answers),
        "answered": times.near(kept.began_at) if kept.began_at else "",
        "notes": _notes(plan, kept, state, live, holder, times),
        "blocked": None,
    }
    if state in {"open", "stopped"} and kept.place.list_id is not None:
        others = [one for one in pushed.unfinished(plans.journal, kept.place) if one != plan.plan_id]
        said["blocked"] = others[0] if others else None
    return said


def _state(kept: KeptPlan, applied: Applied, live: Live | None, *, elsewhere: bool) -> str:
    if kept.state in {"finished", "closed"}:
        return kept.state
    if live is not None:
        return "running"
    if elsewhere:
        return "elsewhere"
    return "stopped" if kept.state == "applying" else "open"


def _notes(
    plan: Plan, kept: KeptPlan, state: str, live: Live | None, holder: Holder | None, times: Times
) -> list[list[str]]:
    """Return what is to be known before all else: its kind, what is, and what follows."""
    if state == "closed" and not kept.result:
        what = "The record was brought back from a backup; this plan may have been applied since."
        return [["bad", what, "Nothing more is sent. Pull, then plan again."]]
    if state == "closed":
        what = "The list was deleted in iContact after the plan."
        then = f"Nothing more is sent; {plan.plan_id} is closed, its record kept. Plan to another list."
        return [["bad", what, then]]
    if state == "elsewhere" and holder is not None:
        since = f"process {holder.pid}, since {times.near(holder.since)}. This view only looks."
        return [["", f"{plan.plan_id} is being applied to this list.", since]]
    if live is not None and live.waiting_until and live.waiting_until > times.now:
        until = f"until {times.clock(live.waiting_until)} ({mask.plain(live.note)})"
        return [["warn", f"Waiting for iContact {until}.", "It goes on by itself; what is sent is on disk."]]
    return []


def _verb(plan: Plan) -> str:
    counts = plan.counts
    if counts.add + counts.create:
        return "added"
    if counts.park:
        return "moved away"
    return "unsubscribed" if counts.unsubscribe else "sent"


def _title(plan: Plan, state: str) -> str:
    name, back = f"“{mask.plain(plan.target.list)}”", plan.policy.undo_of
    adds = bool(plan.counts.add + plan.counts.create)
    if state in {"running", "elsewhere"}:
        return f"Taking {back} back" if back else f"{'Adding to' if adds else 'Changing'} {name}"
    if state == "finished":
        return f"Took {back} back" if back else f"{'Added to' if adds else 'Changed'} {name}"
    return title(plan)


def _pill(state: str, applied: Applied, live: Live | None) -> list[str]:
    if state == "finished":
        back = applied.read_back
        return (
            ["ok", "Done, verified", "ok"] if back and back.equal else ["bad", "Done, but it differs", "bad"]
        )
    return {
        "open": ["", "Nothing has been sent", "lock"],
        "running": ["", "Ending after this batch" if live and live.ending else "Applying", "running"],
        "elsewhere": ["", "Being applied elsewhere", "running"],
        "stopped": ["warn", "Stopped, goes on", "pause"],
        "closed": ["bad", "Closed: the list is gone", "bad"],
    }[state]


def _time_left(done: int, of: int, live: Live | None, now: datetime) -> str:
    if live is None or live.sending_since is None or live.done_before is None:
        return ""
    if not live.done_before < done < of:
        return ""
    seconds = (now - live.sending_since).total_seconds() / (done - live.done_before) * (of - done)
    return f"{duration(seconds / 3600)} left"


def _steps(
    plan: Plan,
    applied: Applied,
    state: str,
    live: Live | None,
    times: Times,
    done: int,
    of: int,
    batches: Sequence[Said],
    kept: KeptPlan,
) -> list[Said]:
    if state in {"open", "closed"}:
        return []
    at = 2 if live is None or live.sending_since else 1 if live.what == "read again" else 0
    refused = applied.refused_by_service
    if state == "finished":
        at = 4
    elif live is not None and live.sending_since and done + refused >= of:
        at = 3
    marks = live.marks if live else {}
    left = sum(applied.left_out.values())
    short = {"added": "add", "moved away": "move", "unsubscribed": "unsubscribe", "sent": "send"}[_verb(plan)]
    decided = (
        f"{people(left)} {'is' if left == 1 else 'are'} left out: {number(of)} to {short}"
        if left
        else f"nobody said no since the plan: {number(of)} to {short}"
    )
    newest = f"batch {batches[0]['batch']:,}" if batches else "nothing sent yet"
    if state == "finished" and batches:
        newest = f"in {batches[0]['batch']:,} {'batch' if batches[0]['batch'] == 1 else 'batches'}"
    total = next((count for what, count in plan.cost.lines if what.startswith("add, by")), None)
    if batches and total and batches[0]["batch"] <= total and short == "add" and state != "finished":
        newest += f" of {total:,}"
    sending = {"add": "Add", "move": "Move away", "unsubscribe": "Unsubscribe", "send": "Send fields"}[short]
    refusals = f" · {number(refused)} refused by iContact" if refused else ""
    back = applied.read_back
    every = [
        ("Read the list again", "and everybody who is to be added, however fresh the pull", "read"),
        ("Decide again", decided if at > 1 else "it may do less than the plan, never more", "decided"),
        (sending, newest + refusals, "sent"),
        (
            "Read back and compare",
            "every member compared by contact id" if back else "after the last batch",
            "back",
        ),
    ]
    steps = []
    for n, (head, sub, mark) in enumerate(every):
        how = "done" if n < at else "next" if n > at else "stopped" if state == "stopped" else "now"
        side = times.clock(marks[mark]) if mark in marks else ""
        if n == 2:
            side = f"{number(done)} of {number(of)}"
        if n == 3 and kept.ended_at and state == "finished":
            side = times.clock(kept.ended_at)
        steps.append({"state": how, "headline": head, "sub": sub, "side": side})
    return steps


def _batch(one: Said, times: Times, *, under_way: bool) -> Said:
    made = MADE.get(one["action"], one["action"])
    kind, words = "ok", made
    if one["sent"]:
        kind, words = ("running", "sent, waiting") if under_way else ("warn", "sent, outcome not known")
    elif one["in_doubt"]:
        kind, words = "warn", f"{number(one['in_doubt'])} in doubt"
    elif one["done"] and one["refused"]:
        words = f"{made}, {number(one['refused'])} refused"
    elif one["refused"]:
        kind, words = "bad", "refused by iContact"
    elif not one["done"]:
        kind, words = "explained", "left out" if one["left_out"] else "not sent"
    at = datetime.fromisoformat(one["at"])
    return {"batch": one["batch"], "kind": kind, "words": words, "rows": one["rows"], "at": times.clock(at)}


def _tiles(plan: Plan, applied: Applied, planned: int) -> list[Said]:
    left = ", ".join(
        f"{number(count)} {LEFT_WORDS.get(why, reason(why)).removesuffix(' since the plan')}"
        for why, count in applied.left_out.items()
    )
    verb = _verb(plan)
    done = {"moved away": applied.parked, "unsubscribed": applied.unsubscribed, "sent": applied.fields_sent}
    value = applied.added + applied.asked if verb == "added" else done[verb]
    tiles: list[Said] = [
        {
            "label": verb[:1].upper() + verb[1:],
            "value": value,
            "sub": f"of {number(planned or plan.updates)} planned",
            "big": True,
        },
        {
            "label": "Left out since the plan",
            "value": sum(applied.left_out.values()),
            "sub": left or "nobody",
        },
        {
            "label": "Refused by iContact",
            "value": applied.refused_by_service,
            "sub": "its words below" if applied.refusals else "nobody",
        },
        {
            "label": "Unknown outcome",
            "value": applied.in_doubt,
            "sub": "looked up before anything is sent" if applied.in_doubt else "nobody",
        },
    ]
    if applied.not_sent:
        closed = applied.state == "closed"
        label, sub = ("Not sent", "the list is gone") if closed else ("Not sent yet", "the same plan goes on")
        tiles.append({"label": label, "value": applied.not_sent, "sub": sub})
    return tiles


def _sum(applied: Applied) -> Said | None:
    back = applied.read_back
    if back is None:
        return None
    parts: list[list[Any]] = []
    if applied.added or not applied.parked + applied.unsubscribed:
        parts.append(["+", "added", applied.added])
    if applied.parked:
        parts.append(["−", "moved away", applied.parked])
    if applied.unsubscribed:
        parts.append(["−", "unsubscribed", applied.unsubscribed])
    before = back.expected - applied.added + applied.parked + applied.unsubscribed
    differ = []
    if back.missing:
        differ.append(f"missing: {', '.join(f'#{one}' for one in back.missing)}")
    if back.extra:
        differ.append(f"not expected: {', '.join(f'#{one}' for one in back.extra)}")
    off = back.found - back.expected
    return {
        "ok": back.equal,
        "headline": "The list equals the plan" if back.equal else "The list does not equal the plan",
        "numbers": [
            ["", "members before", before],
            *parts,
            ["=", "expected", back.expected],
            ["=" if off == 0 else "≠", "read back", back.found],
        ],
        "differ": ("" if back.equal else f"{number(off) if off else 'the same number, other people'}; ")
        + "; ".join(differ)
        if differ
        else "",
    }


def _refusals(applied: Applied) -> list[Said]:
    return [
        {
            "words": mask.plain(mask.addresses_in(words)),
            "count": len(ids),
            "ids": ", ".join(f"#{one}" for one in ids[:5]) + (", …" if len(ids) > 5 else ""),
        }
        for words, ids in applied.refusals
    ]


def _go(plan: Plan, applied: Applied, times: Times, kept: KeptPlan) -> Said:
    done = applied.added + applied.asked + applied.parked + applied.unsubscribed
    act = does(plan)
    verb = "add" if plan.counts.add + plan.counts.create else "change"
    left = applied.not_sent + applied.in_doubt
    when = f"Your answers of {times.near(kept.began_at)} hold. " if kept.began_at and kept.answers else ""
    return {
        "headline": f"Stopped: {number(done)} done and recorded, {number(applied.not_sent)} not sent,"
        f" {number(applied.in_doubt)} in doubt",
        "sub": f"{when}The list is read again first; nobody is {'added' if verb == 'add' else 'changed'} twice.",
        "button": f"Go on: {number(left)} to {verb}" if left and act else "Go on: read the list back",
    }
