"""Applying the plan of a sync: ask, find out what is not known, read again, do what is left of it, read back, remember.

Every write has its intent in the journal before it leaves and its outcome after; what was agreed is remembered from
these, so that a process that is killed anywhere neither forgets an agreement nor takes its own writing for a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from icx.errors import IcxError, NeedsYou
from icx.plan.applied import Progress
from icx.plan.gates import Ask
from icx.plan.interrupt import ends_after_the_batch
from icx.plan.stops import Stop, confirm_options, open_stops
from icx.store.locks import Holder, who
from icx.store.syncs import KeptSync
from icx.sync.applied import Synced, from_result
from icx.sync.definition import Sync
from icx.sync.hand import Tell, Work, silent
from icx.sync.make import Ready, ready
from icx.sync.send import Sending
from icx.sync.state import State


def apply(
    sync: Sync,
    plan_id: str,
    work: Work,
    *,
    answers: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    progress: Tell | None = None,
    ending: Callable[[], bool] | None = None,
) -> Synced:
    """Do what a plan of a sync says, or less, and read back; cut off, the same call goes on.

    `answers` and `ask` answer the stops, as for a push; `ending()` may ask for the end after the batch.
    Raises NeedsYou (push-off, sync-paused, needs-answer, apply-running, apply-unfinished, plan-closed), TryLater
    (in-doubt and the systems') and BadInput (plan-unknown).
    """
    tell = progress or silent
    kept = work.syncs.get(plan_id)
    if kept.state == "finished" and kept.result:
        return from_result(kept.result)
    _check(sync, kept, work)
    with held(sync, work, plan_id):
        kept = work.syncs.get(plan_id)
        if kept.state == "finished" and kept.result:
            return from_result(kept.result)
        _check(sync, kept, work)
        begun = work.syncs.unfinished(sync.name)
        if begun is not None and begun.number != kept.number:
            raise NeedsYou(
                "apply-unfinished",
                f"{begun.plan_id} of this sync is not finished.",
                where=f"sync {sync.name}",
                kept="this one sent nothing",
                next=[["icx", "sync", "apply", sync.name, "--plan", begun.plan_id]],
            )
        _check_base(kept, work.state(sync))
        stops = tuple(Stop(**stop) for stop in kept.header["stops"])
        given = answered(sync, kept.plan_id, stops, {**kept.answers, **(answers or {})}, ask)
        be = ready(sync, work)
        work.syncs.begin(kept.number, given)
        with ends_after_the_batch(lambda text: tell(Progress("ending", 0, note=text)), ending) as end:
            under_way = Sending(sync, kept, be, work, tell, end)
            under_way.settle()
            under_way.send()
        return under_way.finish()


def recover(sync: Sync, be: Ready, work: Work) -> None:
    """Find out what an apply that was cut off left unknown, and remember what it did; a new plan does the rest."""
    kept = work.syncs.unfinished(sync.name)
    if kept is None:
        return
    with ends_after_the_batch(lambda text: None) as end:
        under_way = Sending(sync, kept, be, work, silent, end)
        under_way.settle()
        under_way.close()


def answered(
    sync: Sync, plan_id: str, stops: tuple[Stop, ...], answers: Mapping[str, str], ask: Ask | None
) -> dict[str, str]:
    """Return the answers to these stops, or say how to give them."""
    given = dict(answers)
    for stop in open_stops(stops, given):
        if ask is not None and (answer := ask(stop, stops.index(stop) + 1, len(stops))) is not None:
            given[stop.key] = answer
    if still := open_stops(stops, given):
        raise NeedsYou(
            "needs-answer",
            "This plan asks before it acts, and there is no answer yet.",
            where=" · ".join(stop.words for stop in still),
            kept="nothing was sent",
            next=[["icx", "sync", "apply", sync.name, *confirm_options(stops)]],
            data={"plan": plan_id, "stops": [stop.as_dict() for stop in still]},
        )
    return given


def _check(sync: Sync, kept: KeptSync, work: Work) -> None:
    if not work.settings.push:
        raise NeedsYou(
            "push-off",
            "Pushing is switched off in this workspace.",
            where=f"{kept.plan_id}; icx.toml: push = false",
            kept="the plan; no request was made",
            next=["push = true in icx.toml, then the same command"],
        )
    if sync.paused is not None:
        raise NeedsYou(
            "sync-paused",
            f"The sync {sync.name} rests, by {sync.paused.by}.",
            where=sync.paused.why or f"since {sync.paused.since:%Y-%m-%d %H:%M} UTC",
            kept="the plan; nothing was sent",
            next=[["icx", "sync", "resume", sync.name]],
        )
    if kept.state == "closed":
        raise NeedsYou(
            "plan-closed",
            f"{kept.plan_id} was closed: a newer plan of this sync stands in its place.",
            where=f"sync {kept.sync}",
            kept="nothing was sent",
            next=[["icx", "sync", "plan", kept.sync]],
        )


def held(sync: Sync, work: Work, what: str) -> AbstractContextManager[None]:
    """Hold a sync: of its plans and applies there is one at a time, in all processes of the workspace."""
    return work.syncs.journal.lock(f"sync {sync.name}", what=what, busy=lambda holder: _running(what, holder))


def _check_base(kept: KeptSync, state: State) -> None:
    """Raise plan-closed when what this plan began from is not what is agreed now: another one was applied since."""
    marks = state.marks()
    if marks is not None and marks.folded in {kept.header["base"], kept.number}:
        return
    raise NeedsYou(
        "plan-closed",
        f"{kept.plan_id} began from what was agreed before another plan was applied.",
        where=f"sync {kept.sync}",
        kept="nothing was sent",
        next=[["icx", "sync", "plan", kept.sync]],
    )


def _running(what: str, holder: Holder | None) -> IcxError:
    return NeedsYou(
        "apply-running",
        f"{holder.what if holder else what} of this sync is under way.",
        where=who(holder),
        kept="this one sent nothing",
        next=["wait until it ends, then the same command"],
    )
