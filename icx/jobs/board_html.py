"""The jobs as a notebook shows them: one line each, what is wrong first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from icx.jobs.coming import standing
from icx.jobs.schedule import english
from icx.look.page import Html, head, note, pill, root, table, tag
from icx.look.when import moment

if TYPE_CHECKING:
    from icx.jobs.board import Jobs, JobStatus

_PILL: dict[str, tuple[Any, str]] = {
    "active": ("ok", "Active"),
    "running": ("", "Running"),
    "paused": ("warn", "Paused"),
    "failing": ("bad", "Failing"),
}


def jobs_html(jobs: Jobs) -> str:
    """Return the jobs as HTML: no script, nothing from outside."""
    failing = [one for one in jobs if one.state == "failing"]
    parts = [_head(len(jobs), len(failing))]
    parts += [
        note(
            "bad",
            f"{one.name} has failed {_times(one.failures)} in a row.",
            one.last.message if one.last else "",
        )
        for one in failing
    ]
    parts += [
        note("warn", f"An alert of {one.name} did not arrive.", one.unheard) for one in jobs if one.unheard
    ]
    parts += [note("bad", error.message, error.where_text()) for error in jobs.wrong]
    if jobs:
        heads = ("Job", "Does", "When", "Last run", "Next run", "State")
        parts.append(table(heads, [_row(one, jobs) for one in jobs]))
    else:
        parts.append(
            note("", "No job is saved yet.", 'ws.schedule("fresh", keep_updated=True) makes the first.')
        )
    return str(root(*parts, name="Jobs"))


def _head(count: int, failing: int) -> Html:
    said = pill("bad", f"{failing:,} failing") if failing else pill("ok", "None fails") if count else ""
    return head("Jobs", said, f"{count:,} job{'' if count == 1 else 's'}", "run by icx serve or icx run-due")


def _row(one: JobStatus, jobs: Jobs) -> tuple[object, ...]:
    job, zone = one.job, ZoneInfo(one.job.zone)
    by = job.paused.by if job.paused else ""
    last = f"{one.last.state}, {moment(one.last.started_at, jobs.now, job.zone)}" if one.last else "never"
    return (
        tag("b", job.name),
        job.about,
        f"{english(job.cron)} ({job.zone})",
        last,
        standing(one.state, one.failing_since, by, one.next_at, zone, jobs.now),
        pill(*_PILL[one.state]),
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
