"""What is told when a job goes wrong: which job, what happened, the counts; no person, no path, no secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from icx import notify
from icx.errors import BadInput, IcxError
from icx.jobs.due import Due
from icx.jobs.history import Ran
from icx.jobs.job import Alert, Job
from icx.settings import Settings

#: What an alert can be about.
ABOUT = ("failed", "refused", "size", "missed")
_OF_CODE = {"refused-share": "refused", "size-band": "size"}


def of_failure(job: Job, ran: Ran) -> dict[str, Any]:
    """Return the alert of a run that failed; how many failed in a row is for the reader to ask."""
    return _alert(
        job,
        _OF_CODE.get(ran.code, "failed"),
        ran.message or "The run failed.",
        at=ran.ended_at or ran.started_at,
        run=ran.run,
        code=ran.code,
        facts={"attempt": ran.attempt, "due_at": _text(ran.due_at)} | dict(ran.figures),
        next=ran.next,
    )


def of_size(job: Job, ran: Ran, size: int) -> dict[str, Any]:
    """Return the alert of a run that went well and left an audience outside its band."""
    text = f"{job.audience}: {size:,} people, outside its band {band(job)}."
    return _alert(
        job,
        "size",
        text,
        at=ran.ended_at or ran.started_at,
        run=ran.run,
        code="size-band",
        facts={"audience": job.audience, "size": size},
    )


def of_missed(job: Job, due: Due, now: datetime) -> dict[str, Any]:
    """Return the alert of times that passed while nothing ran."""
    times = "1 time" if due.missed == 1 else f"{due.missed:,} times"
    then = "It is run once now." if due.run else "None of them is run."
    since = _text(due.missed_since) if due.missed_since else ""
    return _alert(
        job,
        "missed",
        f"{times} passed while nothing ran. {then}",
        at=now,
        run="",
        code="missed",
        facts={"missed": due.missed, "since": since, "run": due.run},
    )


def usual(settings: Settings) -> Alert:
    """Return who hears of jobs that name nobody themselves, as icx.toml says; raise what cannot be kept there."""
    try:
        notify.check_command(settings.alert_command)
        if settings.alert_webhook:
            notify.check_webhook(settings.alert_webhook)
    except BadInput as error:
        raise BadInput(
            "settings",
            "The settings cannot be read as they are.",
            where=f"icx.toml: {'alert_webhook' if error.code == 'webhook' else 'alert_command'}: {error.message}",
            kept="nothing was started",
            next=[
                re.sub(r"--webhook (\S+)", r'alert_webhook = "\1"', step)
                for step in error.next
                if isinstance(step, str)
            ],
        ) from None
    return Alert(settings.alert_command, settings.alert_webhook)


def of_file(error: IcxError, now: datetime) -> dict[str, Any]:
    """Return the alert of a file that holds no job any more, which would otherwise just not run; one a day."""
    name = str(error.data.get("job") or "unknown")
    return {
        "schema": "alert/1",
        "id": f"{name}/{now.astimezone(UTC):%Y-%m-%d}/file",
        "alert": "failed",
        "job": name,
        "kind": None,
        "about": error.where_text(),
        "run": None,
        "at": _text(now),
        "code": error.code,
        "text": f"{error.message} It does not run.",
        "facts": {},
        "next": error.next or [["icx", "schedule", "list"]],
    }


def band(job: Job) -> str:
    """Return a job's band in words.

    >>> from icx.jobs.job import Job
    >>> job = Job("x", "import", "daily", "UTC", datetime(2026, 1, 1, tzinfo=UTC), band=(100, 5000))
    >>> band(job)
    '100 to 5,000'
    """
    low, high = job.band or (None, None)
    if low is None:
        return f"up to {high:,}"
    return f"{low:,} or more" if high is None else f"{low:,} to {high:,}"


def outside(job: Job, size: int) -> bool:
    """Tell whether a size lies outside a job's band."""
    low, high = job.band or (None, None)
    return (low is not None and size < low) or (high is not None and size > high)


def _alert(
    job: Job,
    about: str,
    text: str,
    *,
    at: datetime,
    run: str,
    code: str,
    facts: Mapping[str, Any],
    next: Sequence[Sequence[str] | str] = (),
) -> dict[str, Any]:
    return {
        "schema": "alert/1",
        "id": f"{job.name}/{run or _text(at)}/{about}",
        "alert": about,
        "job": job.name,
        "kind": job.kind,
        "about": job.about,
        "run": run or None,
        "at": _text(at),
        "code": code,
        "text": text,
        "facts": dict(facts),
        "next": list(next) or [["icx", "schedule", "list"]],
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
