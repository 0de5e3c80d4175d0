"""Running what is due: one run a time and job, failures kept apart, somebody told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from icx import mask
from icx.clock import Clock
from icx.errors import BadInput, IcxError, NeedsYou, Stopped, TryLater
from icx.jobs import alerts
from icx.jobs.due import Due, due, is_final, is_taken_up, next_at
from icx.jobs.history import History, Ran
from icx.jobs.job import NOBODY, Alert, Job, everything, load
from icx.jobs.outbox import Outbox
from icx.jobs.tidy import Tidied
from icx.store.journal import Journal
from icx.store.locks import Holder, who


@dataclass(frozen=True)
class Done:
    """What a kind of job hands back: one line, its counts, and what went wrong although the work is done.

    `child` is the run of a notebook.
    """

    text: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    problem: IcxError | None = None
    child: str = ""


#: Does a job's work; the text is the notebook run of an earlier try to be repeated, or empty.
Kind = Callable[[Job, str], Done]


@dataclass(frozen=True)
class RunDue:
    """What a look at the clock came to: runs, jobs whose times were let go, `busy` ones that wait for another process.

    `tidied` says what was removed as kept long enough. `wrong` are files that hold no job. `next` names the job that comes next, and when (aware, UTC).
    """

    now: datetime
    ran: Sequence[Ran] = ()
    let_go: Sequence[tuple[str, Due]] = ()
    busy: Sequence[str] = ()
    wrong: Sequence[IcxError] = ()
    next: tuple[str, datetime] | None = None
    tidied: Tidied | None = None

    @property
    def failed(self) -> list[Ran]:
        return [one for one in self.ran if not one.ok]

    @property
    def ok(self) -> bool:
        return not self.failed and not self.wrong

    def __str__(self) -> str:
        lines = [str(one) for one in self.ran]
        lines += [f"{name}: {found.missed:,} missed, let go" for name, found in self.let_go]
        lines += [f"{name}: waits for another process" for name in self.busy]
        lines = lines or ["Nothing is due."]
        return "\n".join([*lines, self.tidied.line()] if self.tidied else lines)

    def as_dict(self) -> dict[str, Any]:
        return {
            "now": self.now,
            "ran": [one.as_dict() for one in self.ran],
            "let_go": [{"job": name, "at": one.at, "missed": one.missed} for name, one in self.let_go],
            "busy": list(self.busy),
            "wrong": [error.as_dict() for error in self.wrong],
            "next": {"job": self.next[0], "at": self.next[1]} if self.next else None,
            "tidied": self.tidied.as_dict() if self.tidied else None,
        }


class Executor:
    """Runs the jobs of one folder. `kinds` does the work by kind; `sizes` counts an audience by its name.

    `usual` hears of the jobs that name nobody themselves.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal,
        kinds: Mapping[str, Kind],
        *,
        clock: Clock,
        who: str,
        sizes: Callable[[Job], int],
        usual: Alert = NOBODY,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = folder
        self.history = History(journal)
        self._outbox = Outbox(journal)
        self._journal = journal
        self._kinds = kinds
        self._clock = clock
        self._who = who
        self._sizes = sizes
        self._usual = usual
        self._say = progress or (lambda text: None)

    def run_due(self) -> RunDue:
        """Run each job that is due once, one after the other, the longest due first."""
        now = self._clock.now()
        jobs, wrong = everything(self.folder)
        for job in jobs:
            self._settle(job)
        found = [(job, one) for job in jobs if (one := self._due(job, now)) is not None]
        ran: list[Ran] = []
        let_go: list[tuple[str, Due]] = []
        busy: list[str] = []
        for job, _ in sorted(found, key=lambda each: (each[1].at, each[0].name)):
            with self._free(job) as free:
                if free:
                    self._one(job, ran, let_go)
                else:
                    busy.append(job.name)
        busy += [job.name for job in jobs if job.name not in busy and self._running(job)]
        self._tell(jobs, wrong)
        told = [replace(one, alerts=self.history.told(one.run)) for one in ran]
        return RunDue(now, told, let_go, busy, wrong, self.next())

    def run_now(self, name: str) -> Ran:
        """Run a job by hand, also one that is paused; the clock goes on as if it had not been, nothing is retried.

        Raises BadInput "job-unknown", TryLater "already-running" while it is under way.
        """
        job = load(self.folder, name)
        with self._journal.lock(f"job:{job.name}", what=f"the job {job.name}", busy=_under_way):
            self._end_of_the_dead(job)
            return self.run(load(self.folder, name), Due("hand", self._clock.now()))

    def next(self) -> tuple[str, datetime] | None:
        """Return which job comes next, and when."""
        now = self._clock.now()
        coming = []
        for job in everything(self.folder)[0]:
            at = next_at(job, self.history.handled(job.name), self.history.last(job.name), now)
            if at is not None:
                coming.append((at, job.name))
        return (min(coming)[1], min(coming)[0]) if coming else None

    def _free(self, job: Job) -> AbstractContextManager[bool]:
        return self._journal.lock_if_free(f"job:{job.name}", what=f"the job {job.name}")

    def _settle(self, job: Job) -> None:
        """Note a run as cut off that nobody holds any more, although a process has its number.

        In a container the program has the same number after every start, and the run would never end.
        """
        if not self._running(job):
            return
        with self._free(job) as free:
            if free:
                self._end_of_the_dead(job)

    def _end_of_the_dead(self, job: Job) -> None:
        for ran in self._running(job):
            self.history.end(replace(ran, state="cut off"))

    def _running(self, job: Job) -> list[Ran]:
        return [ran for ran in self.history.runs(job.name, 1) if ran.state == "running"]

    def _due(self, job: Job, now: datetime) -> Due | None:
        return due(job, self.history.handled(job.name), self.history.last(job.name), now)

    def _one(self, job: Job, ran: list[Ran], let_go: list[tuple[str, Due]]) -> None:
        """Run one job, now that no other process does; it is asked again, since another may just have done it."""
        try:
            job = load(self.folder, job.name)
        except IcxError:
            return  # removed or changed meanwhile; the next look tells
        now = self._clock.now()
        found = self._due(job, now)
        if found is None:
            return
        if not found.run:
            self.history.note(job.name, "missed", f"{found.missed} let go", due_at=found.at)
            let_go.append((job.name, found))
        if found.missed:
            self._outbox.put(alerts.of_missed(job, found, now), job.alert or self._usual)
        if found.run:
            ran.append(self.run(job, found))

    def run(self, job: Job, found: Due) -> Ran:
        """Run a job for one time of its schedule and return what became of it; only a stop from outside is raised."""
        before = self._notebook_run(job, found)
        ran = self.history.start(job.name, found, self._who)
        tried = f", try {found.attempt}"
        again = {"clock": "", "retry": tried, "again": ", taken up again", "hand": ", by hand"}[found.why]
        self._say(f"{job.name} › {job.about}{again} ({ran.run})")
        try:
            done = self._kinds[job.kind](job, before)
            if done.problem is not None:
                ran = _failed(ran, done.problem, done)
            else:
                ran = replace(
                    ran, state="done", text=_shown(done.text), figures=done.figures, child=done.child
                )
        except Stopped as error:  # somebody asked for it: nobody is alerted, and its time is done with
            ran = replace(_failed(ran, error), state="stopped", lasting=True)
        except IcxError as error:
            ran = _failed(ran, error)
        except Exception as error:
            # One job's mistake is not another's; which line it was, the log tells.
            self._journal.log.failed(error, run=ran.run)
            mistake = IcxError(
                "bug",
                f"icx itself went wrong: {type(error).__name__}.",
                where=f"the job {job.name}",
                kept="what it did until then; the other jobs are run",
                next=[["icx", "log", ran.run]],
            )
            ran = _failed(ran, mistake)
        except BaseException:
            self.history.end(replace(ran, state="stopped"))
            raise
        ran = replace(ran, ended_at=self._clock.now())
        size = self._size(job, ran) if ran.ok else None
        if size is not None:
            ran = replace(ran, figures={**ran.figures, "size": size})
        self.history.end(ran)
        if found.why != "hand":  # who runs it by hand sees what becomes of it
            self._note_alert(job, ran, size)
        return ran

    def _note_alert(self, job: Job, ran: Ran, size: int | None) -> None:
        way = job.alert or self._usual
        if ran.state == "failed" and is_final(job, ran.attempt, ran.lasting):
            self._outbox.put(alerts.of_failure(job, ran), way)
        elif size is not None and alerts.outside(job, size):
            self._outbox.put(alerts.of_size(job, ran, size), way)

    def _tell(self, jobs: Sequence[Job], wrong: Sequence[IcxError]) -> None:
        """Send the alerts, now that no job waits for them; of what could not tell itself, too."""
        for job in jobs:
            for ran in self.history.runs(job.name, 1, by_hand=False):
                if ran.state == "cut off" and not is_taken_up(job, ran.attempt):
                    text = f"Its process ended before the run did, {ran.attempt:,} times."
                    dead = replace(ran, message=text, next=[["icx", "schedule", "run", job.name]])
                    self._outbox.put(alerts.of_failure(job, dead), job.alert or self._usual)
        for error in wrong:
            self._outbox.put(alerts.of_file(error, self._clock.now()), self._usual)
        own = {job.name: job.alert for job in jobs}
        self._outbox.deliver(lambda name: own.get(name) or self._usual)

    def _size(self, job: Job, ran: Ran) -> int | None:
        """Return how many people a job's audience has now; an export knows it from its plan."""
        if job.band is None:
            return None
        if isinstance(ran.figures.get("size"), int):
            return int(ran.figures["size"])
        try:
            return self._sizes(job)
        except IcxError as error:
            self.history.note(job.name, "size", _shown(error.message), run=ran.run)
            return None

    def _notebook_run(self, job: Job, found: Due) -> str:
        """Return the notebook's run of the try before, so that what it finished is not done again."""
        if found.why in {"clock", "hand"} or job.kind != "notebook":
            return ""
        return self.history.child(self.history.runs(job.name, 1, by_hand=False)[0])


def _failed(ran: Ran, error: IcxError, done: Done | None = None) -> Ran:
    """Return a run with what went wrong. Work that is done, and what only a person can mend, is not tried again."""
    return replace(
        ran,
        state="failed",
        code=error.code,
        message=_shown(error.message),
        next=[
            _shown(step) if isinstance(step, str) else [_shown(word) for word in step] for step in error.next
        ],
        lasting=done is not None or isinstance(error, BadInput | NeedsYou),
        text=_shown(done.text) if done else "",
        figures=done.figures if done else {},
        child=done.child if done else str(error.data.get("run", "")),
        problem=error,
    )


def _shown(text: str) -> str:
    return mask.plain(mask.addresses_in(text))


def _under_way(holder: Holder | None) -> IcxError:
    """Return that a job is under way, for somebody who asked for it."""
    return TryLater(
        "already-running",
        f"{holder.what[:1].upper() + holder.what[1:] if holder else 'The job'} is under way.",
        where=who(holder),
        kept="this one did nothing",
        next=["wait until it ends, then the same command"],
    )
