"""What a plan asks before it acts, in words a view can show: a box to tick, a number or a name to type, a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from icx import mask
from icx.look.page import number
from icx.plan.stops import Stop
from icx.plan.words import grown, people
from icx.words import counted, form

if TYPE_CHECKING:
    from icx.plan.plan import Plan


def stop_words(stop: Stop, plan: Plan) -> dict[str, Any]:
    """Return a question as a view asks it: a box to tick, a number or a name to type, or a sentence."""
    counts = plan.counts
    name = f"“{mask.plain(plan.target.list)}”"
    adding, leaving = counts.add + counts.create, counts.park + counts.unsubscribe
    said: dict[str, tuple[str, str, str]] = {
        "first-push": (
            f"This is the first push to {name}: {people(adding)} {form(adding, 'joins')} it",
            "",
            "Nothing was pushed here before. Whoever is added can be moved away again.",
        ),
        "parking": (
            f"The list “{mask.plain(plan.policy.parking_list)}” is made",
            "",
            "People who leave are moved to it; it mails nobody.",
        ),
        "growth": _growth(stop, plan),
        "removals": (
            f"{people(leaving)} {form(leaving, 'leaves')} the list",
            f"{number(counts.members)} → {number(counts.after)}",
            f"Your limit without a question is {float(stop.limit or 0) * 100:g} % of the list.",
        ),
        "basis": (
            f"{counted(counts.create, 'contact')} {form(counts.create, 'is')} made",
            "",
            "State on what basis, in a sentence: how they agreed.",
        ),
        "welcome": (
            f"This list mails {counted(_whole(stop.value), 'welcome message')}",
            "",
            f"{_welcome(plan)} goes to everyone added. Automations cannot be read through the API:"
            " more mail may follow.",
        ),
        "unsubscribe": (
            f"{people(counts.unsubscribe)} {form(counts.unsubscribe, 'is')} unsubscribed for good",
            "",
            "iContact has no way back from this.",
        ),
    }
    head, more, sub = said.get(stop.key, (mask.plain(stop.words), "", mask.plain(stop.question)))
    kind = "box" if stop.confirm == "y" else "text" if not stop.confirm else "type"
    return {
        "key": stop.key,
        "kind": kind,
        "confirm": stop.confirm,
        "headline": head,
        "more": more,
        "sub": sub,
        "short": mask.plain(stop.words),
        "icon": {"welcome": "mail", "basis": "person"}.get(stop.key, "warn"),
    }


def _growth(stop: Stop, plan: Plan) -> tuple[str, str, str]:
    counts = plan.counts
    sizes = f"{number(counts.members)} → {number(counts.after)}"
    if stop.words.startswith("adds"):
        last = number((stop.limit or 0) / 2)
        return (
            f"It adds {people(_whole(stop.value))}",
            sizes,
            f"The last push added {last}; more than twice that is a question.",
        )
    limit = f"{float(stop.limit or 0) * 100:,.0f} %"
    return (
        f"The list grows {grown(float(stop.value or 0))}",
        sizes,
        f"Your limit without a question is {limit}.",
    )


def _whole(value: float | int | None) -> int:
    return int(value or 0)


def _welcome(plan: Plan) -> str:
    message = plan.target.welcome_message_id
    return f"Message #{message}" if message else "Its welcome message"
