"""What stands before an apply: the data's verdict, unfinished work, the lock, the answers to the stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from icx.errors import IcxError, NeedsYou, Refused
from icx.plan.plan import Plan
from icx.plan.stops import Stop, confirm_options, open_stops
from icx.settings import Settings
from icx.store import pushed
from icx.store.locks import Holder, who
from icx.store.plans import KeptPlan, Plans

Ask = Callable[[Stop, int, int], "str | None"]
#: A test adds one person: the sizes of the whole plan are no question then, mail and basis still are.
ASKED_FOR_ONE = {"basis"}


def check_switch(kept: KeptPlan, settings: Settings) -> None:
    """Raise push-off when this workspace sends nothing; a test of one contact is a push too."""
    if settings.push:
        return
    begun = kept.state != "open"
    raise NeedsYou(
        "push-off",
        "Pushing is switched off in this workspace.",
        where=f"{kept.plan_id}; icx.toml: push = false",
        kept="what was sent before; no request was made" if begun else "the plan; no request was made",
        next=["push = true in icx.toml, then the same command"],
    )


def check_closed(kept: KeptPlan) -> None:
    """Raise plan-closed for a plan of a journal that was brought back from a backup; see `icx.store.restoring`."""
    if kept.state != "closed" or kept.result:
        return
    raise NeedsYou(
        "plan-closed",
        f"{kept.plan_id} was closed when the record was brought back from a backup: it may have been applied since.",
        where=f"{kept.plan_id}, made {kept.made_at:%Y-%m-%d %H:%M} UTC",
        kept="nothing was sent; what is known of it stays readable",
        next=[["icx", "plans", kept.plan_id], ["icx", "pull", kept.connection]],
    )


def check_data(plan: Plan) -> None:
    """Raise check-failed or check-stale when the data this plan uses did not pass and nobody overrode it."""
    checks = plan.checks
    if checks["ok"] is not False or checks["override"]:
        return
    stale = bool(checks["stale"]) and not checks["failed"]
    names = [str(name) for name in (checks["stale"] if stale else checks["failed"])]
    suite = names[0].split("/")[0] if names else "profile"
    raise NeedsYou(
        "check-stale" if stale else "check-failed",
        "The checked data is not this data." if stale else f"The data did not pass: {', '.join(names[:3])}.",
        where=f"{plan.plan_id}: {', '.join(names)}",
        kept="the plan; nothing was sent",
        next=[["icx", "check", suite]],
        data={"failed": list(checks["failed"]), "stale": list(checks["stale"])},
    )


def check_unfinished(plans: Plans, kept: KeptPlan) -> None:
    """Raise apply-unfinished when another plan to the same list was begun and not finished."""
    others = [other for other in pushed.unfinished(plans.journal, kept.place) if other != kept.plan_id]
    if not others:
        return
    summary = plans.summary(others[0])
    done = summary.touched - summary.in_doubt
    counts = plans.get(others[0]).header["counts"]
    of = counts["add"] + counts["create"] + counts["park"] + counts["unsubscribe"]
    raise NeedsYou(
        "apply-unfinished",
        f"{others[0]} to this list is not finished.",
        where=f"{done:,} of {of:,} done",
        kept="this one sent nothing",
        next=[["icx", "apply", others[0]]],
    )


def running(plan_id: str, holder: Holder | None) -> IcxError:
    """Return the error for a list that another process holds."""
    what = holder.what if holder else plan_id
    return NeedsYou(
        "apply-running",
        f"{what} is being applied to this list.",
        where=who(holder),
        kept="this one sent nothing",
        next=[["icx", "plans", what]],
    )


def gone(plan: Plan) -> Refused:
    """Return the error for a list that is not there any more."""
    return Refused(
        "list-gone",
        "The list was deleted in iContact after the plan.",
        where=f"{plan.target.list_id}, when read again",
        kept=f"nothing was sent; {plan.plan_id} is closed, its record kept",
        next=[["icx", "lists", plan.target.connection]],
    )


def for_one(plan: Plan, contact: int) -> tuple[Stop, ...]:
    """Return the stops that matter when one person is added for a test."""
    found = [stop for stop in plan.stops if stop.key in ASKED_FOR_ONE]
    if plan.welcome:
        text = f"1 welcome message goes out, to #{contact}. Type the list's name:"
        found.append(Stop("welcome", plan.target.list, "welcome mail", text, 1))
    return tuple(found)


def answered(
    plan: Plan, asked: tuple[Stop, ...], answers: Mapping[str, str], ask: Ask | None
) -> Mapping[str, str]:
    """Return the answers to these stops, or say how to give them."""
    given = dict(answers)
    waiting = open_stops(asked, given)
    for stop in waiting:
        if ask is not None:
            answer = ask(stop, asked.index(stop) + 1, len(asked))
            if answer is not None:
                given[stop.key] = answer
    still = open_stops(asked, given)
    if still:
        raise NeedsYou(
            "needs-answer",
            "This plan asks before it acts, and there is no answer yet.",
            where=" · ".join(stop.words for stop in still),
            kept="nothing was sent",
            next=[["icx", "apply", plan.plan_id, *confirm_options(asked)]],
            data={"stops": [stop.as_dict() for stop in still]},
        )
    return given
