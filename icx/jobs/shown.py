"""One job in words: what it does, what it answers, who hears when it goes wrong, how its last runs went."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from icx import mask, notify
from icx.errors import steps
from icx.jobs import alerts
from icx.jobs.board import Jobs, JobStatus
from icx.jobs.coming import coming, standing
from icx.jobs.history import Ran
from icx.jobs.job import Alert, Job
from icx.look.when import moment
from icx.words import counted


def shown(one: JobStatus, runs: Sequence[Ran], now: datetime) -> list[str]:
    """Return a job's lines for a terminal: what is so now, its choices, its runs, the next step."""
    job = one.job
    facts = [
        ("about", mask.addresses_in(job.description)),
        ("is", "" if one.state == "active" else _now(one, now)),
        ("next run", coming(one.next_at, job.tz, now) if job.paused is None else ""),
        ("parameters", _pairs(job.params)),
        ("answers", _pairs(job.answers)),
        (
            "stale",
            "" if job.kind != "export" or job.stale == "stay" else f"{job.stale} those who left the audience",
        ),
        ("band", f"{job.audience}: {alerts.band(job)} people" if job.band else ""),
        ("otherwise", _otherwise(job)),
        ("told", way(one.told) + ("" if job.alert else " (icx.toml)") if one.told else "nobody"),
        ("unheard", one.unheard),
    ]
    lines = [str(job)]
    lines += [f"  {name:<11}{mask.plain(text)}" for name, text in facts if text]
    lines += [f"  {moment(ran.started_at, now, job.zone):<14}  {ran_line(ran)}" for ran in runs]
    last = runs[0] if runs else None
    if last is not None and not last.ok and last.next:
        lines.append(f"Next: {steps(last.next)}")
    elif last is None or last.ok:
        lines.append(f"Next: {shlex.join(['icx', 'schedule', 'run', job.name])} runs it now")
    return lines


def ran_line(ran: Ran) -> str:
    """Return one run in a line: how it ended, which it was, what it said."""
    said = {"hand": ", by hand", "retry": f", try {ran.attempt}", "again": ", taken up again"}.get(
        ran.why, ""
    )
    return f"{ran.state} ({ran.run}{said}) {ran.message or ran.text}".rstrip()


def way(alert: Alert) -> str:
    """Return who hears, for everybody to read."""
    return notify.shown_way(alert.command, alert.webhook)


def told(jobs: Jobs) -> str:
    """Return who hears when a job goes wrong, in one line: those of a job's own, then those of icx.toml."""
    said = [f"{one.name} tells {way(one.told)}" for one in jobs if one.job.alert]
    others = len(said) < len(jobs)
    if others and jobs.usual:
        said.append(f"{'the others tell' if said else 'told is'} {way(jobs.usual)} (icx.toml)")
    elif others:
        said.append(
            f"nobody is told{' of the others' if said else ''}; alert_webhook in icx.toml changes that"
        )
    return f"When one goes wrong: {' · '.join(said)}"


def _now(one: JobStatus, now: datetime) -> str:
    paused = one.job.paused
    said = standing(one.state, one.failing_since, paused.by if paused else "", None, one.job.tz, now)
    return f"{said}: {paused.why}" if paused and paused.why else said


def _otherwise(job: Job) -> str:
    tries = f"{counted(job.retries, 'retry')}, first after {job.backoff:g} min" if job.retries else "no retry"
    late = {"once": "missed times run once", "skip": "missed times are let go"}[job.missed]
    over = {
        "skip": "a time that comes while it runs is let go",
        "wait": "a time that comes while it runs waits",
    }
    return f"{tries} · {late} · {over[job.overlap]}"


def _pairs(values: Mapping[str, Any]) -> str:
    return " · ".join(f"{key}={mask.addresses_in(str(value))}" for key, value in values.items())
