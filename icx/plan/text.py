"""The plan as a terminal shows it: the answer first, every sum on the screen, the next command last."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from icx import mask
from icx.plan.stops import confirm_options
from icx.plan.words import calls, duration, moment, people, reason
from icx.words import counted, form

if TYPE_CHECKING:
    from icx.plan.plan import Plan

WIDTH = 98
SECOND = 47  # where the second column of a line begins


def transcript(plan: Plan) -> str:
    """Return the plan's lines."""
    counts, target = plan.counts, plan.target
    sent = "nothing has been sent" if plan.state == "open" else f"this plan is {plan.state}"
    head = f"{plan.plan_id}  {target.line()}"
    lines = [f"{head}{' ' * max(2, WIDTH - len(head) - len(sent))}{sent}"]
    lines += _people(plan)
    lines += [
        _two(f"List    {_list_line(plan)}", f"Fields  {_fields_line(plan)}"),
        f"Mail    {_mail_line(plan)}. Automations cannot be read: look in iContact",
        _two(f"Checks  {checks_line(plan)}", f"Cost    {_cost_line(plan)}"),
    ]
    if plan.state == "finished":
        return "\n".join([*lines, f"Done already. Next: icx undo {plan.plan_id} plans the way back"])
    if plan.stops:
        numbered = " · ".join(f"{number} {stop.words}" for number, stop in enumerate(plan.stops, 1))
        lines.append(f"Stops   {numbered}")
    if not acts(plan):
        return "\n".join([*lines, f"Nothing to do: {mask.plain(target.list)} is as wanted."])
    lines.append(
        f"Apply reads again first and may do less than this, never more. Next: icx apply {plan.plan_id}"
    )
    if plan.stops:
        command = ["icx", "apply", plan.plan_id, *confirm_options(plan.stops)]
        lines.append(f" unattended: {shlex.join(command)}")
    if counts.refused and not plan.policy.create_contacts and plan.refused.get("no_id"):
        lines.append(f" to make the {people(plan.refused['no_id'])} without an id: --create-contacts")
    return "\n".join(lines)


def acts(plan: Plan) -> bool:
    """Tell whether an apply of this plan would write anything."""
    counts = plan.counts
    return bool(
        counts.add or counts.create or counts.park or counts.unsubscribe or plan.updates or plan.target.create
    )


def _people(plan: Plan) -> list[str]:
    counts, policy = plan.counts, plan.policy
    added = counts.add - counts.pending
    lines = []
    if added or not counts.pending:
        way = "can be undone: moved to the parking list, one call each"
        lines.append(_row(added, "add", way if added else "nobody new"))
    if counts.pending:
        lines.append(_row(counts.pending, "ask", "as pending, with a confirmation message; cannot be undone"))
    if counts.create:
        basis = mask.plain(mask.addresses_in(policy.basis)) or "not stated"
        lines.append(_row(counts.create, "create", f"new contacts; basis: {basis}"))
    lines.append(_row(counts.keep, "keep", "already on the list"))
    lines.append(_row(counts.refused, "refused", refused_line(plan)))
    if policy.retry_of:
        gone = policy.tried - counts.wanted - counts.park - counts.unsubscribe
        left = f"; {gone:,} no longer in the audience" if gone > 0 else ""
        lines.append(f"{policy.tried:>7,}  whom iContact refused when {policy.retry_of} was applied{left}")
        return [*lines, _stale(plan)] if counts.stale else lines
    lines.append(
        f"{counts.wanted:>7,}  {form(counts.wanted, 'person')} in the audience as of {moment(plan.as_of, plan.zone)}"
        if not policy.undo_of
        else f"{counts.wanted:>7,}  {'person stays or comes' if counts.wanted == 1 else 'people stay or come'} back"
        f" when {policy.undo_of} is undone"
    )
    lines.append(_stale(plan))
    return lines


def refused_line(plan: Plan) -> str:
    """Return the refusals by reason.

    The number of people by reason adds up to the refused.
    """
    if not plan.refused:
        return "nobody"
    parts = [f"{count:,} {reason(code)}" for code, count in plan.refused.items()]
    return " · ".join(parts) + " · no option changes this" if not _changeable(plan) else " · ".join(parts)


def _changeable(plan: Plan) -> bool:
    return bool(set(plan.refused) & {"no_id", "pending", "invitable"})


def _stale(plan: Plan) -> str:
    counts, policy = plan.counts, plan.policy
    staying = counts.stale - counts.park - counts.unsubscribe
    if policy.stale == "park":
        who = f"that {policy.undo_of} added" if policy.undo_of else "no longer match and"
        if not policy.undo_of and counts.stale == 1:
            who = "no longer matches and"
        some = f"{counts.park:,} " if staying else ""
        text = f'{some}{who} {form(counts.park, "moves")} to "{mask.plain(policy.parking_list)}"'
        return f"{counts.stale:>7,}  {text}" + (f", {staying:,} cannot be moved" if staying else "")
    if policy.stale == "unsubscribe":
        return f"{counts.stale:>7,}  no longer match and are unsubscribed; this cannot be undone"
    if not counts.stale:
        return f"{0:>7,}  members who no longer match"
    return (
        f"{counts.stale:>7,}  no longer match and stay "
        "(--stale park moves them; --stale unsubscribe is final)"
    )


def _list_line(plan: Plan) -> str:
    if plan.target.list_id is None:
        return f"is made by the apply; {counted(plan.counts.after, 'member')} after"
    return f"{counted(plan.counts.members, 'member')}, read just now; {plan.counts.after:,} after"


def _fields_line(plan: Plan) -> str:
    if not plan.policy.mapping:
        return "none sent, people go by contact id"
    names = ", ".join(mask.plain(line.field) for line in plan.policy.mapping)
    return f"{names} of {people(plan.updates)}"


def _mail_line(plan: Plan) -> str:
    parts = []
    if plan.welcome:
        parts.append(f"this list sends a welcome: {counted(plan.welcome, 'message')}")
    if plan.counts.pending:
        parts.append(counted(plan.counts.pending, "confirmation message"))
    return " · ".join(parts) or "this list sends no welcome"


def checks_line(plan: Plan) -> str:
    """Return the verdict on the data this plan uses."""
    checks = plan.checks
    if checks["ok"] is None:
        return "not asked for"
    if checks["ok"]:
        return "passed on this data"
    if checks["override"]:
        return f"overridden by {mask.plain(checks['override'].get('who', 'somebody'))}"
    failed = [str(one) for one in [*checks["failed"], *checks["stale"]]]
    return f"FAILED: {', '.join(failed[:3])}" + (" …" if len(failed) > 3 else "")


def _cost_line(plan: Plan) -> str:
    left = f", {plan.calls_left:,} left this hour" if plan.calls_left is not None else ""
    return f"{calls(plan.cost.calls)}, {duration(plan.cost.hours)}{left}"


def _row(count: int, word: str, text: str) -> str:
    return f"{count:>7,}  {word:<8}  {text}"


def _two(left: str, right: str) -> str:
    return f"{left:<{SECOND}}  {right}" if len(left) <= SECOND else f"{left}\n{right}"
