"""Answers that a job was given beforehand to what its plans will ask: what each allows, and what it lacks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from icx.errors import NeedsYou
from icx.jobs.job import Job
from icx.plan.stops import YES, Stop, confirm_options, count, open_stops, up_to

#: Stops that count people: the answer given beforehand is how many there may be at most.
AT_MOST = ("growth", "removals", "unsubscribe", "firings", "many", "mails")
_RIGHT = {
    "first-push": "y",
    "parking": "y",
    "growth": "MOST, such as 500",
    "removals": "MOST, such as 50",
    "unsubscribe": "MOST, such as 50",
    "firings": "MOST, such as 5000",
    "first-run": "y",
    "many": "MOST, such as 5000",
    "mails": "MOST, such as 500",
    "basis": "a sentence that says how they agreed",
    "welcome": "LIST:MOST, such as 'Durham regulars:500'",
}


def wrong(answers: Mapping[str, Any]) -> str:
    """Return which answer cannot be given beforehand and what it would be; empty when all can.

    >>> wrong({"growth": "1,200", "welcome": "Durham regulars:1200"})
    ''
    >>> wrong({"welcome": "Durham regulars"})
    "welcome=Durham regulars holds for any number; welcome takes LIST:MOST, such as 'Durham regulars:500'"
    """
    for key, answer in answers.items():
        if key not in _RIGHT:
            return f"nothing asks for {key}; a plan may ask for {', '.join(_RIGHT)}"
        text = str(answer)
        if key == "welcome":
            fits = up_to(text) is not None
        elif key in AT_MOST:
            fits = count(text) is not None
        else:
            fits = bool(text.strip()) if key == "basis" else text.strip().lower() in YES
        if not fits:
            held = f"{key}={text} holds for any number" if key == "welcome" else f"{key}={text}"
            return f"{held}; {key} takes {_RIGHT[key]}"
    return ""


def without_most(params: Mapping[str, Any]) -> str:
    """Return which parameter of a notebook answers the welcome mail for any number; empty when none does.

    >>> without_most({"confirm": {"growth": 14, "welcome": "VIP"}, "city": "Durham"})
    "confirm: welcome=VIP holds for any number; welcome takes LIST:MOST, such as 'Durham regulars:500'"
    """
    for name, value in params.items():
        asked = isinstance(value, Mapping) and "welcome" in value
        if asked and (why := wrong({"welcome": value["welcome"]})):
            return f"{name}: {why}"
    return ""


def beforehand(stops: Sequence[Stop], answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers to a plan's stops from those a job was given: for a count, how many there may be at most.

    >>> from icx.plan.stops import Stop
    >>> beforehand([Stop("growth", "312", "", "")], {"growth": "500", "first-push": "y"})
    {'growth': '312', 'first-push': 'y'}
    >>> beforehand([Stop("growth", "812", "", "")], {"growth": "500"})
    {}

    A welcome mail takes its most with it, also to a list that began to send one since the plan was made; an answer
    without a most, which an older icx kept, is none.

    >>> beforehand([Stop("welcome", "VIP", "", "", 9)], {"welcome": "VIP"})
    {}
    """
    given = {key: text for key, text in answers.items() if key != "welcome" or up_to(text) is not None}
    for stop in stops:
        if stop.key in AT_MOST and stop.key in given:
            limit = count(given.pop(stop.key))
            if limit is not None and int(stop.confirm) <= limit:
                given = {stop.key: stop.confirm} | given
    return given


def unanswered(job: Job, plan_id: str, stops: Sequence[Stop], given: Mapping[str, str]) -> NeedsYou | None:
    """Return which of a plan's stops the job's answers do not cover, and how to answer this once or from now on."""
    waiting = open_stops(stops, given)
    if not waiting:
        return None
    lacks = "; ".join(_lacks(stop, job.answers.get(stop.key)) for stop in waiting)
    lasting = [word for stop in waiting for word in ("--confirm", f"{stop.key}={_enough(stop)}")]
    return NeedsYou(
        "needs-answer",
        f"This plan asks for more than the job answers: {lacks}.",
        where=f"the job {job.name}; {plan_id}",
        kept=f"{plan_id}; nothing was sent",
        next=[
            ["icx", "apply", plan_id, *confirm_options(stops)],
            ["icx", "schedule", "change", job.name, *lasting],
        ],
        data={"stops": [stop.as_dict() for stop in waiting]},
    )


def lasting(stop: Mapping[str, Any]) -> str:
    """Return the answer that a job needs for a stop (`Stop.as_dict`), as KEY=VALUE.

    >>> lasting({"key": "welcome", "confirm": "VIP", "value": 9}), lasting({"key": "growth", "confirm": "12"})
    ('welcome=VIP:9', 'growth=12')
    """
    enough = f"{stop['confirm']}:{stop['value']:.0f}" if stop["key"] == "welcome" else stop["confirm"]
    return f"{stop['key']}={enough or 'how they agreed'}"


def _lacks(stop: Stop, answer: str | None) -> str:
    if answer is None:
        return f"{stop.words} (not answered)"
    if stop.key == "welcome" and up_to(answer) is None:
        return f'{stop.words} ("{answer}" would hold for any number, which is no answer; this needs {_enough(stop)})'
    return f"{stop.words} ({stop.key}={answer} was answered, this needs {_enough(stop)})"


def _enough(stop: Stop) -> str:
    return f"{stop.confirm}:{stop.value:.0f}" if stop.key == "welcome" else stop.confirm or "how they agreed"
