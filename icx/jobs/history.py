"""What became of a job's runs, kept in the journal: tries of one time are linked, failures in a row are counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from icx.errors import IcxError
from icx.jobs.due import AHEAD, Due, Last
from icx.store.journal import Journal
from icx.store.locks import runs_still

VERB = "job"
GONE_WRONG = ("failed", "cut off")


@dataclass(frozen=True)
class Ran:
    """One run of a job. `state` is running, done, failed, stopped or cut off; times are aware, UTC.

    `due_at` is the time of the schedule it answers and `first` the first try of it; `why` is clock, retry, again or
    hand: then it answers no time, and the clock goes on as if it had not been.
    `code`, `message` and `next` say what went wrong and what to type; `figures` are its counts; `child` is the run of
    its notebook.
    `alerts` say how somebody was told, and whether that arrived.
    """

    job: str
    run: str
    first: str
    attempt: int
    due_at: datetime
    why: str
    state: str
    started_at: datetime
    ended_at: datetime | None = None
    text: str = ""
    code: str = ""
    message: str = ""
    next: Sequence[Sequence[str] | str] = ()
    lasting: bool = False
    child: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    alerts: Sequence[str] = ()
    problem: IcxError | None = field(default=None, compare=False, repr=False)  # only where it just ran

    @property
    def ok(self) -> bool:
        return self.state == "done"

    @property
    def facts(self) -> Last:
        """What `due` asks of the newest run."""
        return Last(
            self.run,
            self.first,
            self.attempt,
            self.due_at,
            self.started_at,
            self.ended_at,
            self.state,
            self.lasting,
        )

    def __str__(self) -> str:
        by = ", by hand" if self.why == "hand" else ""
        said = (
            f"{self.job}: {self.state.upper() if self.state in GONE_WRONG else self.state} ({self.run}{by})"
        )
        more = self.message or self.text
        return f"{said}, {more}" if more else said

    def as_dict(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "run": self.run,
            "first": self.first,
            "attempt": self.attempt,
            "why": self.why,
            "due_at": self.due_at,
            "state": self.state,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "text": self.text,
            "code": self.code or None,
            "message": self.message or None,
            "next": list(self.next),
            "notebook_run": self.child or None,
            "figures": dict(self.figures),
            "alerts": list(self.alerts),
        }


class History:
    """The runs of jobs in a workspace's journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def start(self, job: str, due: Due, who: str) -> Ran:
        """Note that a run of a job begins; from now on its time is taken."""
        now = self.journal.clock.now()
        run = self.journal.start_run(VERB, job, who)
        first = due.first or run
        with self.journal.write() as db:
            db.execute(
                "insert into job_runs values (?, ?, ?, ?, ?, ?)",
                (run, job, first, due.attempt, _text(due.at), due.why),
            )
        return Ran(job, run, first, due.attempt, due.at, due.why, "running", now)

    def end(self, ran: Ran) -> None:
        """Note how a run ended."""
        detail = {
            "text": ran.text,
            "code": ran.code,
            "message": ran.message,
            "next": list(ran.next),
            "lasting": ran.lasting,
            "child": ran.child,
            "figures": dict(ran.figures),
        }
        self.journal.end_run(ran.run, ran.state, {key: value for key, value in detail.items() if value})

    def note(self, job: str, kind: str, text: str, *, due_at: datetime | None = None, run: str = "") -> None:
        """Remember something about a job beside its runs."""
        with self.journal.write() as db:
            db.execute(
                "insert into job_notes (job, at, kind, due_at, run, text) values (?, ?, ?, ?, ?, ?)",
                (
                    job,
                    _text(self.journal.clock.now()),
                    kind,
                    _text(due_at) if due_at else None,
                    run,
                    text,
                ),
            )

        level = "warning" if kind == "missed" or "not delivered" in text else "info"
        self.journal.log.write(level, kind, f"{job}: {text}", run=run)

    def noted(self, job: str, kind: str) -> set[str]:
        """Return the texts of what was remembered of one kind about a job."""
        rows = self.journal.read("select text from job_notes where job = ? and kind = ?", (job, kind))
        return {row["text"] for row in rows}

    def told(self, run: str) -> list[str]:
        """Return how somebody was told of a run, and whether that arrived."""
        rows = self.journal.read(
            "select text from job_notes where kind = 'alert' and run = ? order by number", (run,)
        )
        return [row["text"] for row in rows]

    def handled(self, job: str) -> datetime | None:
        """Return the newest time of a job's schedule that was run or let go.

        A time far ahead is of a clock that was wrong: it counts for nothing, or the job would rest until then.
        """
        rows = self.journal.read(
            "select max(due_at) as newest from (select due_at from job_runs where job = :job and why <> 'hand'"
            " union all select due_at from job_notes where job = :job and kind = 'missed') where due_at <= :sane",
            {"job": job, "sane": _text(self.journal.clock.now() + AHEAD)},
        )
        newest = rows[0]["newest"]
        return datetime.fromisoformat(newest) if newest else None

    def runs(self, job: str | None = None, limit: int = 50, *, by_hand: bool = True) -> list[Ran]:
        """Return runs of a job, or of all, newest first. One whose process is gone without an end is `cut off`."""
        rows = self.journal.read(
            "select j.*, r.pid, r.process_began, r.started_at, r.ended_at, r.state, r.detail,"
            " (select group_concat(n.text, '\n') from job_notes n where n.job = j.job and n.kind = 'alert' and n.run = j.run) as told"
            " from job_runs j join runs r on r.number = cast(substr(j.run, 3) as integer)"
            " where (:job is null or j.job = :job) and (:by_hand or j.why <> 'hand')"
            " order by r.number desc limit :limit",
            {"job": job, "limit": limit, "by_hand": by_hand},
        )
        return [_ran(row) for row in rows]

    def last(self, job: str) -> Last | None:
        """Return what `due` asks of the newest run by the clock; one by hand counts only while it is under way.

        What failed and was done by hand since needs no other try.
        """
        newest, clocked = self.runs(job, 1), self.runs(job, 1, by_hand=False)
        if newest and newest[0].state == "running":
            return newest[0].facts
        if not clocked:
            return None
        since = self.journal.read(
            "select 1 from job_runs j join runs r on r.number = cast(substr(j.run, 3) as integer)"
            " where j.job = ? and j.why = 'hand' and r.state = 'done' and r.number > ? limit 1",
            (job, int(clocked[0].run[2:])),
        )
        facts = clocked[0].facts
        return replace(facts, state="done") if since else facts

    def failing(self, job: str) -> list[Ran]:
        """Return the failures in a row up to now, newest first; what still runs or was stopped breaks no row.

        A run by hand that fails is for whoever tries it; one that is done ends the row.
        """
        found = []
        for ran in self.runs(job, 1_000):
            if ran.state in GONE_WRONG and ran.why != "hand":
                found.append(ran)
            elif ran.state == "done":
                break
        return found

    def child(self, ran: Ran) -> str:
        """Return the run of a notebook that a run of a job began, also when that was cut off; or nothing."""
        if ran.child:
            return ran.child
        rows = self.journal.read(
            "select number from runs where within = ? and verb = 'run' order by number limit 1", (ran.run,)
        )
        return f"r-{rows[0]['number']}" if rows else ""


def _ran(row: Any) -> Ran:
    state = row["state"]
    detail = json.loads(row["detail"])
    if state == "running" and not runs_still(row["pid"], row["process_began"]):
        state = "cut off"
    if state == "cut off":
        said = {
            "message": "Its process ended before the run did.",
            "code": "cut-off",
            "next": [["icx", "schedule", "run", row["job"]] if row["why"] == "hand" else ["icx", "run-due"]],
        }
        detail = said | detail
    return Ran(
        row["job"],
        row["run"],
        row["first"],
        row["attempt"],
        datetime.fromisoformat(row["due_at"]),
        row["why"],
        state,
        datetime.fromisoformat(row["started_at"]),
        datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
        text=detail.get("text", ""),
        code=detail.get("code", ""),
        message=detail.get("message", ""),
        next=detail.get("next", ()),
        lasting=bool(detail.get("lasting")),
        child=detail.get("child", ""),
        figures=detail.get("figures", {}),
        alerts=tuple((row["told"] or "").splitlines()),
    )


def _text(moment: datetime) -> str:
    # Of one length, so that the text's order is the time's.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
