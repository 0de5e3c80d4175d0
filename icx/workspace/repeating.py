"""The verbs that repeat others by the clock; `Workspace` has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from icx.jobs.board import Jobs
    from icx.jobs.history import Ran
    from icx.jobs.job import Job
    from icx.jobs.run_due import RunDue
    from icx.jobs.serve import Served
    from icx.workspace.workspace import Workspace


class Repeating:
    """Jobs and their schedules."""

    def schedule(
        self,
        name: str,
        notebook: str | Path | None = None,
        *,
        every: str | None = None,
        params: Mapping[str, Any] | None = None,
        connection: str | None = None,
        contacts_only: bool = False,
        keep_updated: bool = False,
        audience: str | None = None,
        to: str | None = None,
        trigger: str | None = None,
        sync: str | None = None,
        create: bool = False,
        stale: str = "stay",
        answers: Mapping[str, str] | None = None,
        zone: str | None = None,
        description: str = "",
        overlap: str = "skip",
        missed: str = "once",
        retries: int = 2,
        backoff: float = 5.0,
        band: tuple[int | None, int | None] | None = None,
        refused_share: float | None = None,
        alert_command: Sequence[str] = (),
        alert_webhook: str = "",
    ) -> Job:
        """Save a job that runs by the clock, and return it: `ws.schedule("loyal weekly", "notebooks/05-push.ipynb", every="Mon 07:00")`.

        With a notebook it runs that, with `params`. With `audience` and `to` it plans and applies; `answers` are
        those of the plan's stops, for a count the most there may be, for a welcome mail `LIST:MOST`. With `trigger` it does
        what is due of that one, with `answers` too; with `sync` it brings two connections in step. Without any of them it pulls, builds and checks
        `connection`, every day, or every hour with `keep_updated`. `every` is such as "Mon 07:00", "hourly",
        "every 15 min" or a cron expression, in the workspace's zone unless `zone` names one.

        `overlap` ("skip" or "wait") is for times that come while the run before is under way, `missed` ("once" or
        "skip") for times that passed while nothing ran. A failed run is tried `retries` times more, first after
        `backoff` minutes. Alerts go to a command or a webhook: a run that failed for good, more rows refused than
        `refused_share`, an audience outside its `band` of (least, most) people, missed times.

        Nothing runs by itself: `icx serve` or `icx run-due` does (`icx schedule install`). Raises BadInput before
        anything is saved; a job of the same name is replaced.
        """
        from icx.jobs.job import Alert, Job
        from icx.workspace.scheduling import keep

        ws = cast("Workspace", self)
        named = {"notebook": notebook, "export": to, "trigger": trigger, "sync": sync}
        kind = next((kind for kind, value in named.items() if value is not None), "import")
        if every is None:
            # An import is brought up to date every day, or every hour by choice; anything else has its own time.
            every = "hourly" if keep_updated else "daily" if kind == "import" else ""
        if connection is None and kind == "import":
            connection = ws.connection().name
        job = Job(
            name=name,
            kind=kind,
            every=every,
            zone=zone or ws.settings.zone,
            counts_from=ws.clock.now(),
            description=description,
            notebook="" if notebook is None else str(notebook),
            params=dict(params or {}),
            connection=connection or "",
            contacts_only=contacts_only,
            audience=audience or "",
            to=to or "",
            trigger=trigger or "",
            sync=sync or "",
            create=create,
            stale=stale,
            answers=dict(answers or {}),
            overlap=overlap,
            missed=missed,
            retries=retries,
            backoff=backoff,
            band=band,
            refused_share=refused_share,
            alert=Alert(tuple(alert_command), alert_webhook),
        )
        return keep(ws, job)

    def jobs(self) -> Jobs:
        """Return the jobs as they are now: next run, last run, failing since, paused by whom.

        `ws.jobs().pause("loyal weekly", "campaign stopped")`, `.resume(…)` and `.remove(…)` change one.
        """
        from icx.workspace.scheduling import jobs

        return jobs(cast("Workspace", self))

    def change_job(self, name: str, **changes: Any) -> Job:
        """Change some of a job's choices, named as in `schedule`, and return it: `ws.change_job("nightly", every="daily 05:00")`.

        `answers` and `params` are laid over those it has. Another audience, list or notebook is another job. Raises
        BadInput before anything is saved.
        """
        from icx.workspace.scheduling import change

        return change(cast("Workspace", self), name, changes)

    def run_job(self, name: str, *, progress: Callable[[Any], None] | None = None) -> Ran:
        """Run a job now, by hand, also one that is paused, and return what became of it.

        Its next time by the clock stays what it was; nothing is retried, and nobody is alerted. Raises BadInput
        ("job-unknown"), TryLater ("already-running") while it is under way; a failure is in the answer.
        """
        from icx.workspace.scheduling import run_job

        return run_job(cast("Workspace", self), name, progress)

    def run_due(self, *, progress: Callable[[Any], None] | None = None) -> RunDue:
        """Run every job that is due, once, and return what became of each.

        Two callers never run one job twice; a run that was cut off is taken up. A failure is in the answer and
        raises nothing, so that the other jobs run too.
        """
        from icx.workspace.scheduling import run_due

        return run_due(cast("Workspace", self), progress)

    def serve(
        self,
        *,
        said: Callable[[RunDue], None] | None = None,
        waiting: Callable[[Any], None] | None = None,
        progress: Callable[[Any], None] | None = None,
    ) -> Served:
        """Run what is due, now and whenever its time comes, until Ctrl-C or SIGTERM.

        `said` hears what was run, `waiting` which job comes next and when.
        """
        from icx.jobs.serve import serve

        ws = cast("Workspace", self)
        return serve(lambda: self.run_due(progress=progress), ws.clock, said=said, waiting=waiting)
