"""Commands that run jobs: run-due once, serve always."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx.cli.common import Obj, command, workspace
from icx.cli.result import Result
from icx.errors import IcxError, Refused
from icx.jobs.coming import coming

if TYPE_CHECKING:
    from icx.cli.console import Console
    from icx.jobs.run_due import RunDue


@command(
    "run-due", "Run the jobs that are due, once; exit 1 when one failed.", "icx run-due", "icx run-due --json"
)
def run_due(obj: Obj) -> Result:
    _, console = obj
    ws = workspace(obj)
    done = ws.run_due(progress=reporter(console))
    text = str(done)
    if done.next is not None and done.ok:
        text += f"\nNext: {done.next[0]}, {coming(done.next[1], ws.settings.tz, done.now)}"
    return Result("run-due/1", text, done.as_dict(), 0 if done.ok else 1, problem=_problem(done))


def _problem(done: RunDue) -> IcxError | None:
    if done.failed:
        one = done.failed[0]
        more = f", and {len(done.failed) - 1} more" if len(done.failed) > 1 else ""
        return Refused(
            "job-failed",
            f'The job "{one.job}" failed{more}: {one.message}',
            where=f"{one.run}, {one.code}",
            kept="the other jobs were run; what this one did until then is kept",
            next=list(one.next) or [["icx", "schedule", "list"]],
        )
    return done.wrong[0] if done.wrong else None


def reporter(console: Console) -> Callable[[Any], None]:
    """Return a function that shows where a job is, and keeps it for whoever stops the command."""

    def show(report: Any) -> None:
        own = isinstance(report, str)
        if own:
            console.standing = report
        console.progress(_said(report), changed=own)

    return show


def _said(report: Any) -> str:
    """Return what a job says on the way: its own line, or what the verb inside reports."""
    if isinstance(report, str):
        return report
    what, finished, whole = (getattr(report, name, None) for name in ("what", "done", "of"))
    return f"{what} · {100 * finished // whole} %" if finished and whole else str(what or report)


@command(
    "serve",
    "Run jobs whenever their time comes, until Ctrl-C or SIGTERM.",
    "icx serve",
    "icx serve --json=lines",
)
def serve(obj: Obj) -> Result:
    _, console = obj
    ws = workspace(obj)
    zone = ws.settings.tz
    before: list[Any] = [None]

    def said(done: RunDue) -> None:
        console.event("run-due", done.as_dict())
        console.note(str(done))
        for error in done.wrong:
            console.note(f"icx: {error}")

    def waiting(following: tuple[str, datetime] | None) -> None:
        text = "next: nothing is scheduled; icx schedule add"
        if following is not None:
            text = f"next: {following[0]}, {coming(following[1], zone, ws.clock.now())}"
        console.progress(text, changed=before[0] != following)
        before[0] = following

    done = ws.serve(said=said, waiting=waiting, progress=reporter(console))
    return Result("serve/1", str(done), done.as_dict())
