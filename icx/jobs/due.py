"""Whether a job is due: a pure function of its definition, its last run and the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from icx.jobs.job import Job
from icx.jobs.times import after, between, latest

#: A time that is not run within this is missed; whoever runs `icx run-due` by cron does so more often.
LATE = timedelta(minutes=15)
#: How often a run that was cut off or stopped is taken up again without a new time of the clock.
TAKEN_UP = 3
LONGEST_BACKOFF = timedelta(hours=6)
MOST_COUNTED = 1_000
#: What is noted for later than this from now was noted by a clock that was wrong.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Last:
    """The newest run of a job. `due_at` is the time it answers, `first` the first try of it.

    `state` is running, done, failed, stopped or cut off. `lasting` is an end that another try cannot mend, or shall
    not: a name that is not there, a question nobody answered, a pull somebody stopped. Times are aware, UTC.
    """

    run: str
    first: str
    attempt: int
    due_at: datetime
    started_at: datetime
    ended_at: datetime | None
    state: str
    lasting: bool = False


@dataclass(frozen=True)
class Due:
    """What is to be done now. `why` is clock, retry, again (a run that was cut off is taken up) or hand.

    `at` is the time it answers. `missed` counts times older than `LATE` that nobody ran, since `missed_since`;
    with `run` False they are noted and nothing is run.
    """

    why: str
    at: datetime
    attempt: int = 1
    first: str | None = None
    missed: int = 0
    missed_since: datetime | None = None
    run: bool = True


def due(job: Job, handled: datetime | None, last: Last | None, now: datetime) -> Due | None:
    """Return what of a job is due at a moment, or None.

    `handled` is the newest time of its schedule that was run, or noted as missed. However often this is asked,
    a time comes up once; times that passed together come up as one.
    """
    if job.paused is not None or (last is not None and last.state == "running"):
        return None
    since = _since(job, handled, last, now)
    at = latest(job.cron, job.tz, since, now)
    if at is None:
        return _once_more(job, handled, last, now)
    missed = list(islice(between(job.cron, job.tz, since, now - LATE), MOST_COUNTED))
    return Due(
        "clock",
        at,
        missed=len(missed),
        missed_since=missed[0] if missed else None,
        run=not (job.missed == "skip" and now - at > LATE),
    )


def next_at(job: Job, handled: datetime | None, last: Last | None, now: datetime) -> datetime | None:
    """Return when a job is run next (`now` when it is due), or None when it is paused."""
    if job.paused is not None:
        return None
    if last is not None and last.state == "running":
        return next(after(job.cron, job.tz, now))
    found = due(job, handled, last, now)
    if found is not None and found.run:
        return now
    coming = next(after(job.cron, job.tz, now))
    again = retry_at(job, last)
    return min(coming, again) if again is not None and again > now else coming


def retry_at(job: Job, last: Last | None) -> datetime | None:
    """Return when a failed run is tried again; None when it is not."""
    if last is None or last.state != "failed" or last.lasting or last.ended_at is None:
        return None
    if last.attempt > job.retries:
        return None
    wait = timedelta(minutes=job.backoff * float(2 ** (last.attempt - 1)))
    return last.ended_at + min(wait, LONGEST_BACKOFF)


def is_final(job: Job, attempt: int, lasting: bool) -> bool:
    """Tell whether nothing more is tried after a failure, so that somebody has to hear of it."""
    return lasting or attempt > job.retries


def is_taken_up(job: Job, attempt: int) -> bool:
    """Tell whether a run that was cut off or stopped is taken up once more."""
    return attempt <= max(job.retries, TAKEN_UP)


def _since(job: Job, handled: datetime | None, last: Last | None, now: datetime) -> datetime:
    """Return the moment after which times of the schedule are still open."""
    known = [job.counts_from, handled]
    if job.overlap == "skip" and last is not None:
        known.append(last.ended_at)  # times that came while it ran are let go
    return max((one for one in known if one is not None and one <= now + AHEAD), default=now - LATE)


def _once_more(job: Job, handled: datetime | None, last: Last | None, now: datetime) -> Due | None:
    if last is None or last.due_at < max(job.counts_from, handled or job.counts_from):
        return None  # of a time before it was paused or changed, or one that a later time has overtaken
    if last.state in {"cut off", "stopped"} and not last.lasting and is_taken_up(job, last.attempt):
        return Due("again", last.due_at, last.attempt + 1, last.first)
    again = retry_at(job, last)
    if again is not None and again <= now:
        return Due("retry", last.due_at, last.attempt + 1, last.first)
    return None
