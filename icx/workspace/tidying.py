"""Tidying a workspace: old runs, pages and calls go, by hand or once a day with the jobs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from icx.errors import IcxError

if TYPE_CHECKING:
    from icx.jobs.tidy import Tidied
    from icx.workspace.workspace import Workspace

VERB = "tidy"
EVERY = timedelta(hours=23)


class Tidying:
    """The verb that removes what has been kept long enough."""

    def tidy(self: Workspace, *, remove: bool = False) -> Tidied:  # type: ignore[misc]
        """Return which old runs, pages and calls would go; `remove=True` removes them.

        How long they are kept is in the settings: `keep_days`, `keep_failed_days`, `keep_runs`. The newest of each
        notebook stays, and so does what can still be repeated for an unfinished plan or a job's next try. The
        database, plans, audiences and jobs are never touched.
        """
        return tidy(self, remove=remove)


def tidy(ws: Workspace, *, remove: bool) -> Tidied:
    """Decide what goes; see `Workspace.tidy`."""
    from icx.jobs import tidy as work
    from icx.store import forget

    set_ = ws.settings
    keeping = work.Keeping(set_.keep_days, set_.keep_failed_days, set_.keep_runs)
    now = ws.clock.now()
    runs, pages = list(work.left_by_runs(ws.layout.runs)), list(work.left_pages(ws.layout.reports))
    pages += work.left_logs(ws.journal.log.files())
    roots = {one.path.name: one.root for one in runs}
    going, spared = work.decide([*runs, *pages], keeping, _needed(ws, roots), now)
    before = now - timedelta(days=keeping.days) if keeping.days else None
    calls = forget.old_calls(ws.journal, before) if before else 0
    found = work.Tidied(keeping, going, calls, len(runs), len(pages), dict(spared))
    if not remove:
        return found
    with ws.noted(VERB, "runs and pages"):
        work.sweep(ws.layout.runs)
        gone = work.remove(going, ws.journal.lock)
        left = {one.path for one in runs} - {one.path for one in gone}
        roots_left = {one.root for one in runs if one.path in left}
        forget.forget_verbs(ws.journal, {one.root for one in gone if one.is_run} - roots_left)
        forget.forget_spent(ws.journal)
        calls = forget.forget_calls(ws.journal, before) if before else 0
    return replace(found, going=gone, calls=calls, done=True)


def daily(ws: Workspace) -> Tidied | None:
    """Tidy when nobody has for a day; jobs by the clock go on whatever comes of it."""
    newest = ws.journal.runs(VERB, limit=1)
    if newest and ws.clock.now() - newest[0].started_at < EVERY:
        return None
    with suppress(IcxError, OSError):
        return tidy(ws, remove=True)
    return None


def _needed(ws: Workspace, roots: dict[str, str]) -> set[str]:
    """Return the runs that something may still repeat, each by the first of it and its repetitions."""
    from icx.jobs.history import History
    from icx.jobs.job import names
    from icx.store import forget

    history = History(ws.journal)
    last = [
        history.child(ran) for job in names(ws.layout.jobs) for ran in history.runs(job, 1, by_hand=False)
    ]
    under_way = [run.run for run in ws.journal.runs("run", limit=200) if run.state == "running"]
    needed = {roots.get(run, run) for run in [*last, *under_way] if run}
    return needed | forget.roots_of_unfinished_plans(ws.journal)
