"""An export by the clock: plan and apply with answers given beforehand, finishing only what the job itself began."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from icx.errors import IcxError, NeedsYou, TryLater
from icx.jobs import alerts
from icx.jobs.answers import beforehand, unanswered
from icx.jobs.history import History
from icx.jobs.job import Job
from icx.jobs.run_due import Done
from icx.plan.applied import FINAL
from icx.store.locks import who

if TYPE_CHECKING:
    from icx.plan import Applied
    from icx.plan.match import Target
    from icx.store.plans import KeptPlan
    from icx.workspace.workspace import Workspace

#: Notes of a job in the journal: a plan it began to apply, and one that something held before it began.
BEGAN, LEFT = "plan", "plan-left"


def export(ws: Workspace, job: Job, progress: Callable[[Any], None] | None) -> Done:
    """Plan and apply; a plan of this job that was cut off is finished first.

    Raises NeedsYou "apply-unfinished" when somebody else's plan to the same list is not finished: whoever began it
    answered its questions and may have stopped it on purpose.
    """
    from icx.plan import Policy
    from icx.workspace.pushing import parse_target

    history = History(ws.journal)
    own = history.noted(job.name, BEGAN) - history.noted(job.name, LEFT)
    for kept in _unfinished(ws, parse_target(ws, job.to)):
        if kept.plan_id not in own:
            raise _of_somebody(ws, job, kept)
        _whole(ws.apply(kept.plan_id, progress=progress), job.to)
    made = ws.plan(job.audience, job.to, create=job.create, policy=Policy(stale=job.stale))
    size = made.counts.wanted
    if alerts.outside(job, size):
        raise NeedsYou(
            "size-band",
            f"{job.audience}: {size:,} people, outside its band {alerts.band(job)}.",
            where=f"the job {job.name}; {made.plan_id}",
            kept="the plan; nothing was sent",
            next=[["icx", "audience", "show", job.audience]],
            data={"size": size},
        )
    answers = beforehand(made.stops, job.answers)
    if (lacking := unanswered(job, made.plan_id, made.stops, answers)) is not None:
        raise lacking
    history.note(job.name, BEGAN, made.plan_id)  # cut off from here on, it is this job's to finish
    try:
        done = _whole(ws.apply(made, answers=answers, progress=progress), job.to)
    except IcxError:
        if ws.plan_journal.get(made.plan_id).state == "open":  # held before it began: now it is anybody's
            history.note(job.name, LEFT, made.plan_id)
        raise
    limit = ws.settings.refused_share if job.refused_share is None else job.refused_share
    figures = {
        "plan": made.plan_id,
        "size": size,
        "added": done.added,
        "refused_by_consent": made.counts.refused,
        "refused_by_service": done.refused_by_service,
        "left_out": sum(done.left_out.values()),
    }
    return Done(f"{made.plan_id}: {done.added:,} added", figures, done.problem(limit))


def _unfinished(ws: Workspace, target: Target) -> list[KeptPlan]:
    """Return the plans to a list that were begun and not finished, oldest first."""
    found = [
        kept
        for kept in ws.plan_journal.all()
        if kept.state == "applying"
        and (kept.place.account_id, kept.place.client_folder_id)
        == (target.account_id, target.client_folder_id)
        and target.list in (kept.list_name, f"#{kept.place.list_id}")
    ]
    return found[::-1]


def _of_somebody(ws: Workspace, job: Job, kept: KeptPlan) -> NeedsYou | TryLater:
    holder = ws.plan_journal.holder(kept.plan_id)
    if holder is not None:
        return TryLater(
            "list-busy",
            f"{kept.plan_id} is being applied to this list.",
            where=who(holder),
            kept="this job sent nothing; it is tried again",
            next=[["icx", "plans", kept.plan_id]],
        )
    counts = kept.header["counts"]
    of = counts["add"] + counts["create"] + counts["park"] + counts["unsubscribe"]
    done = len({row["row"] for row in ws.plan_journal.outcomes(kept.plan_id, *FINAL)})
    began = kept.began_at or kept.made_at
    return NeedsYou(
        "apply-unfinished",
        f"{kept.plan_id} to this list is not finished, and the job did not begin it.",
        where=f"{done:,} of {of:,} done; planned by {kept.who}, begun {began.astimezone(ws.settings.tz):%d %b %H:%M %Z}",
        kept=f"{kept.plan_id} as it is; the job planned nothing and sent nothing",
        next=[["icx", "apply", kept.plan_id], ["icx", "schedule", "run", job.name]],
    )


def _whole(done: Applied, to: str) -> Applied:
    """Return an apply that is finished; another try goes on with one that is not."""
    if done.state in {"stopped", "waiting"} or done.in_doubt:
        raise TryLater(
            "in-doubt",
            f"{done.plan_id} is not finished: {done.not_sent:,} not sent, {done.in_doubt:,} in doubt.",
            where=to,
            kept=f"{done.added:,} added and recorded; nothing is sent twice",
            next=[["icx", "apply", done.plan_id]],
        )
    return done
