"""The jobs as a notebook shows them: one line each, what is wrong first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from icx.jobs.coming import standing
from icx.jobs.schedule import english
from icx.jobs.shown import told
from icx.look.page import Html, Kind, head, join, note, pill, root, table, tag
from icx.look.when import moment

if TYPE_CHECKING:
    from icx.jobs.board import Jobs, JobStatus

_PILL: dict[str, Kind] = {"running": "", "paused": "warn", "failing": "bad"}


def jobs_html(jobs: Jobs) -> str:
    """Return the jobs as HTML: no script, nothing from outside."""
    failing = [one for one in jobs if one.state == "failing"]
    parts = [_head(jobs, len(failing))]
    parts += [note("bad", _failing(one), one.last.message if one.last else "") for one in failing]
    parts += [
        note("warn", f"An alert of {one.name} did not arrive.", one.unheard) for one in jobs if one.unheard
    ]
    parts += [note("bad", error.message, error.where_text()) for error in jobs.wrong]
    if jobs:
        heads = ("Job", "When", "Last run", "Next run")
        zones = {one.job.zone for one in jobs}
        rows = [_row(one, jobs, len(zones) > 1) for one in jobs]
        parts.append(tag("div", table(heads, rows, foot=told(jobs)), cls="wraps jobs-board"))
    else:
        parts.append(
            note(
                "",
                "No job is saved yet.",
                join(tag("code", 'ws.schedule("fresh", keep_updated=True)'), " makes the first."),
            )
        )
    return str(root(*parts, name="Jobs"))


def _head(jobs: Jobs, failing: int) -> Html:
    count, zones = len(jobs), {one.job.zone for one in jobs}
    said = pill("bad", f"{failing:,} failing") if failing else pill("ok", "None fails") if count else ""
    crumbs = [f"{count:,} job{'' if count == 1 else 's'}", "run by icx serve or icx run-due"]
    return head("Jobs", said, *crumbs, *(zones if len(zones) == 1 else ()))


def _row(one: JobStatus, jobs: Jobs, zones: bool) -> tuple[object, ...]:
    job, zone = one.job, ZoneInfo(one.job.zone)
    last = f"{one.last.state}, {moment(one.last.started_at, jobs.now, job.zone)}" if one.last else "never"
    by = job.paused.by if job.paused else ""
    coming: object = standing(one.state, one.failing_since, by, one.next_at, zone, jobs.now)
    if one.state in _PILL:
        coming = pill(
            _PILL[one.state], str(coming)[:1].upper() + str(coming)[1:].lower() if not by else coming
        )
    return (
        join(tag("b", job.name), tag("div", job.about, cls="muted")),
        english(job.cron) + (f" ({job.zone})" if zones else ""),
        last,
        coming,
    )


def _failing(one: JobStatus) -> str:
    return (
        f"{one.name} failed." if one.failures == 1 else f"{one.name} failed {one.failures:,} times in a row."
    )
