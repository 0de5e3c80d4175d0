"""The jobs of a workspace at a glance: what each does, when it comes next, whether it fails, who paused it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, overload

from icx import mask, notify
from icx.clock import Clock
from icx.errors import IcxError
from icx.jobs.due import next_at
from icx.jobs.history import History, Ran
from icx.jobs.job import NOBODY, Alert, Job, Paused, delete, everything, load, save
from icx.jobs.outbox import Outbox
from icx.jobs.schedule import english
from icx.jobs.times import after


@dataclass(frozen=True)
class JobStatus:
    """One job now. `state` is active, running, failing or paused; times are aware, UTC.

    `failing_since` is the beginning of the first failure in a row, `failures` how many there are. `unheard` is
    why the newest alert did not arrive. `told` hears when it goes wrong: its own alert, or that of icx.toml.
    """

    job: Job
    state: str
    next_at: datetime | None
    last: Ran | None
    failing_since: datetime | None = None
    failures: int = 0
    unheard: str = ""
    told: Alert = NOBODY

    @property
    def name(self) -> str:
        return self.job.name

    def __str__(self) -> str:
        return f"{self.job}; {self.state}"

    def as_dict(self) -> dict[str, Any]:
        job = self.job
        return {
            "job": job.name,
            "description": mask.addresses_in(job.description),
            "kind": job.kind,
            "about": job.about,
            "every": job.every,
            "cron": job.cron,
            "zone": job.zone,
            "says": english(job.cron),
            "state": self.state,
            "next_at": self.next_at,
            "failing_since": self.failing_since,
            "failures": self.failures,
            "paused": {"by": job.paused.by, "since": job.paused.since, "why": job.paused.why}
            if job.paused
            else None,
            "last": self.last.as_dict() if self.last else None,
            "alert": self._alert(),
            "alert_not_delivered": self.unheard or None,
        }

    def _alert(self) -> dict[str, Any] | None:
        if not self.told:
            return None
        words = [mask.addresses_in(word) for word in self.told.command]
        webhook = notify.shown_webhook(self.told.webhook) if self.told.webhook else None
        return {"command": words, "webhook": webhook, "of": "job" if self.job.alert else "icx.toml"}


class Jobs(Sequence[JobStatus]):
    """The jobs of a workspace, each as it is now; `wrong` are files that hold no job.

    `ws.jobs()["loyal weekly"]` is one; `pause`, `resume` and `remove` change one and return it.
    """

    def __init__(self, folder: Path, history: History, clock: Clock, who: str, usual: Alert = NOBODY) -> None:
        self._folder = folder
        self._history = history
        self._outbox = Outbox(history.journal)
        self._clock = clock
        self._who = who
        self.usual = usual
        self.now = clock.now()
        jobs, wrong = everything(folder)
        self._all = [self.status(job) for job in jobs]
        self.wrong: Sequence[IcxError] = wrong

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, key: int) -> JobStatus: ...
    @overload
    def __getitem__(self, key: str) -> JobStatus: ...
    @overload
    def __getitem__(self, key: slice) -> list[JobStatus]: ...
    def __getitem__(self, key: int | str | slice) -> JobStatus | list[JobStatus]:
        if isinstance(key, str):
            return self.status(load(self._folder, key))
        return self._all[key]

    def __iter__(self) -> Iterator[JobStatus]:
        return iter(self._all)

    def __repr__(self) -> str:
        return "\n".join(str(one) for one in self._all) or "No job is saved yet."

    def _repr_html_(self) -> str:
        from icx.jobs.board_html import jobs_html

        return jobs_html(self)

    def status(self, job: Job) -> JobStatus:
        """Return how a job is now."""
        last = next(iter(self._history.runs(job.name, 1)), None)
        failures = self._history.failing(job.name) if last is not None and not last.ok else []
        state = "active"
        if job.paused is not None:
            state = "paused"
        elif last is not None and last.state == "running":
            state = "running"
        elif failures:
            state = "failing"
        return JobStatus(
            job,
            state,
            next_at(job, self._history.handled(job.name), self._history.last(job.name), self.now),
            last,
            failures[-1].started_at if failures else None,
            len(failures),
            self._outbox.unheard(job.name),
            job.alert or self.usual,
        )

    def runs(self, name: str | None = None, limit: int = 50) -> list[Ran]:
        """Return the runs of a job, or of all, newest first."""
        return self._history.runs(load(self._folder, name).name if name else None, limit)

    def pause(self, name: str, why: str = "") -> Job:
        """Let a job rest until it is resumed; one that is paused stays as it is."""
        job = load(self._folder, name)
        if job.paused is None:
            job = replace(job, paused=Paused(self._who, self._clock.now(), why))
            save(self._folder, job)
        return job

    def resume(self, name: str) -> Job:
        """Let a job go on; times that passed while it rested are not run."""
        job = load(self._folder, name)
        if job.paused is not None:
            job = replace(job, paused=None, counts_from=self._clock.now())
            save(self._folder, job)
        return job

    def remove(self, name: str) -> Path:
        """Delete a job; its runs stay in the journal."""
        return delete(self._folder, name)

    def next(self, count: int = 5, name: str | None = None) -> list[tuple[datetime, str]]:
        """Return the next times (aware, UTC) of one job or of all that are not paused, soonest first."""
        chosen = [self[name]] if name else self._all
        found = [
            (at, one.name)
            for one in chosen
            if one.job.paused is None
            for at in islice(after(one.job.cron, one.job.tz, self.now), count)
        ]
        return sorted(found)[:count]

    def users_of(self, audience: str) -> list[str]:
        """Return the jobs that use an audience."""
        return [one.name for one in self._all if one.job.audience == audience]
