"""Activity: what is under way and what happened, read from the journal by any process; and what is to rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from icx import mask
from icx.store.journal import Journal, Run

PUSHES = "pushes"
TOLD_EVERY = 1.0  # seconds between two notes of one run's progress
RECENT = 20  # plans whose rows are looked at
BATCHES = 8  # newest batches of each of the newest plans


@dataclass(frozen=True)
class Under:
    """A run under way, with what it said last, and who asked it to end. Times are aware UTC; `rate` is rows a second."""

    run: Run
    what: str = ""
    done: int | None = None
    whole: int | None = None
    rate: float | None = None
    note: str = ""
    waiting_until: datetime | None = None
    told_at: datetime | None = None
    calls: int = 0
    ends: Rest | None = None


@dataclass(frozen=True)
class Rest:
    """Who let something rest, or asked for its end, since when (aware UTC), and why."""

    who: str
    since: datetime
    why: str


@dataclass(frozen=True)
class Failed:
    """A row of a push that the service refused, or whose outcome is not known; `words` are the service's.

    `ended` tells that its apply is over: what did not arrive then is tried again by a plan of its own.
    """

    plan_id: str
    audience: str
    connection: str
    list_name: str
    row: int
    contact_id: int | None
    action: str
    state: str
    words: str
    at: datetime
    ended: bool = True


@dataclass(frozen=True)
class Event:
    """Something that happened: a batch, a run that began or ended, a note about a job. `kind` is what sort."""

    at: datetime
    kind: str
    what: str
    state: str
    count: int = 0
    place: str = ""


class Activity:
    """The activity of a workspace, in its journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    # -- progress

    def teller(self, run: str) -> Callable[[Any], None]:
        """Return a function that notes a run's progress, at most once a second and at every change of a wait."""
        said: dict[str, Any] = {"at": float("-inf"), "waits": None}

        def tell(report: Any) -> None:
            until = getattr(report, "waiting_until", None)
            now = self.journal.clock.monotonic()
            if now - said["at"] < TOLD_EVERY and until == said["waits"]:
                return
            if until is not None and until != said["waits"]:
                why = f"{getattr(report, 'what', '')}: {getattr(report, 'note', '') or ''}".strip(": ")
                self.journal.log.write("warning", "wait", f"waits: {why}", run=run, until=_text(until))
            said.update(at=now, waits=until)
            self.tell(run, report)

        return tell

    def tell(self, run: str, report: Any) -> None:
        """Note where a run is: a report with `what`, `done`, `of`, `rate`, `note`, `waiting_until`."""
        until = getattr(report, "waiting_until", None)
        with self.journal.write() as db:
            db.execute(
                "insert or replace into run_progress values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run,
                    self._now(),
                    mask.addresses_in(str(getattr(report, "what", ""))),
                    getattr(report, "done", None),
                    getattr(report, "of", None),
                    getattr(report, "rate", None),
                    mask.addresses_in(str(getattr(report, "note", "") or "")),
                    _text(until) if until else None,
                ),
            )

    def under_way(self) -> list[Under]:
        """Return what runs now, oldest first; a run whose process is gone is not among them."""
        rows = self.journal.read(
            "select number from runs where state = 'running' order by number desc limit 200"
        )
        found = []
        for row in reversed(rows):
            run = self.journal.run(f"r-{row['number']}")
            if run is None or run.state != "running":
                continue
            said = self.journal.read("select * from run_progress where run = ?", (run.run,))
            calls, _ = self.journal.calls(run.run)
            found.append(_under(run, said[0] if said else None, calls, self.ends(run.run)))
        return found

    # -- an end asked for

    def end(self, run: str, who: str) -> Rest:
        """Ask a run to end after what it is at; whoever asked first is remembered."""
        with self.journal.write() as db:
            db.execute("insert or ignore into run_ends values (?, ?, ?)", (run, who, self._now()))
        found = self.ends(run)
        assert found is not None
        return found

    def ends(self, run: str) -> Rest | None:
        """Return who asked a run to end, in this process or another one; None: nobody did."""
        rows = self.journal.read("select * from run_ends where run = ?", (run,))
        return Rest(rows[0]["who"], _moment(rows[0]["at"]), "") if rows else None

    # -- rest

    def pause(self, what: str, who: str, why: str = "") -> Rest:
        """Let something rest until it is resumed; what rests already stays as it is."""
        with self.journal.write() as db:
            db.execute("insert or ignore into pauses values (?, ?, ?, ?)", (what, who, self._now(), why))
        found = self.paused(what)
        assert found is not None
        return found

    def resume(self, what: str) -> None:
        """Let something go on."""
        with self.journal.write() as db:
            db.execute("delete from pauses where what = ?", (what,))

    def paused(self, what: str = PUSHES) -> Rest | None:
        """Return who let something rest, or None when it does not."""
        rows = self.journal.read("select * from pauses where what = ?", (what,))
        return Rest(rows[0]["who"], _moment(rows[0]["since"]), rows[0]["why"]) if rows else None

    # -- what happened

    def failed_rows(self, limit: int = 20) -> list[Failed]:
        """Return the newest rows of pushes that were refused by the service or are in doubt.

        What a later plan to the same list settled, or tried again, is told by that plan.
        """
        rows = self.journal.read(
            "select p.number, p.audience, p.connection, p.list_name, p.state = 'finished' as ended, r.* from"
            f" (select * from plans where began_at is not null order by number desc limit {RECENT}) p"
            " join plan_rows r on r.plan = p.number and r.state in ('refused', 'in_doubt')"
            " where r.action <> 'contact' and not exists (select 1 from plans q where q.number > p.number"
            " and q.began_at is not null and json_extract(q.header, '$.policy.retry_of') = 'P-' || p.number)"
            " and not exists (select 1 from plan_rows s join plans q on q.number = s.plan"
            " where s.contact_id = r.contact_id and q.number > p.number and q.account_id = p.account_id"
            " and q.client_folder_id = p.client_folder_id and q.list_id = p.list_id"
            " and s.state in ('done', 'refused', 'left_out') and (s.action = 'fields') = (r.action = 'fields'))"
            " order by coalesce(r.ended_at, r.at) desc limit ?",
            (limit,),
        )
        return [
            Failed(
                f"P-{row['number']}",
                row["audience"],
                row["connection"],
                row["list_name"],
                row["row"],
                row["contact_id"],
                row["action"],
                row["state"],
                row["words"],
                _moment(row["ended_at"] or row["at"]),
                bool(row["ended"]),
            )
            for row in rows
        ]

    def refused(self, plan_id: str) -> int:
        """Return how many people of a plan the service refused."""
        rows = self.journal.read(
            "select count(distinct row) as n from plan_rows where plan = ? and state = 'refused' and action <> 'contact'",
            (int(plan_id[2:]),),
        )
        return int(rows[0]["n"])

    def events(self, limit: int = 40) -> list[Event]:
        """Return what happened, newest first: batches of pushes, runs that ended, notes about jobs."""
        found = self._batches(limit) + self._ended(limit) + self._notes(limit)
        return sorted(found, key=lambda event: event.at, reverse=True)[:limit]

    def _batches(self, limit: int) -> list[Event]:
        rows = self.journal.read(
            "select p.number, p.audience, p.connection, p.list_name, r.batch, r.action, r.state, count(*) as n,"
            " max(coalesce(r.ended_at, r.at)) as at from"
            " (select * from plans where began_at is not null order by number desc limit 5) p"
            " join plan_rows r on r.plan = p.number and r.batch >="
            f" (select coalesce(max(batch), 0) - {BATCHES} from plan_rows where plan = p.number)"
            " where r.action <> 'contact' group by p.number, r.batch, r.action, r.state order by at desc limit ?",
            (limit,),
        )
        return [
            Event(
                _moment(row["at"]),
                f"{row['action']} {row['state']}",
                f"{row['audience'] or 'way back'} → {row['list_name']}",
                row["state"],
                row["n"],
                row["connection"],
            )
            for row in rows
        ]

    def _ended(self, limit: int) -> list[Event]:
        rows = self.journal.read(
            "select * from runs where state <> 'running' order by number desc limit ?", (limit,)
        )
        found = []
        for row in rows:
            detail = json.loads(row["detail"])
            code = str(detail.get("message") or detail.get("code") or "") if isinstance(detail, dict) else ""
            at = row["ended_at"] or row["started_at"]
            found.append(
                Event(_moment(at), row["verb"], row["what"], row["state"], 0, mask.addresses_in(code))
            )
        return found

    def _notes(self, limit: int) -> list[Event]:
        rows = self.journal.read("select * from job_notes order by number desc limit ?", (limit,))
        return [
            Event(
                _moment(row["at"]),
                f"job {row['kind']}",
                row["job"],
                row["kind"],
                0,
                mask.addresses_in(row["text"]),
            )
            for row in rows
        ]

    def last_change(self) -> str:
        """Return what differs when a run ended since: whoever shows stored data reads it again only then."""
        rows = self.journal.read(
            "select count(*) as n, max(ended_at) as at from runs where ended_at is not null"
        )
        return f"{rows[0]['n']} {rows[0]['at']}"

    def _now(self) -> str:
        return _text(self.journal.clock.now())


def _under(run: Run, said: Any, calls: int, ends: Rest | None) -> Under:
    if said is None:
        return Under(run, calls=calls, ends=ends)
    until = said["waiting_until"]
    return Under(
        run,
        said["what"],
        said["done"],
        said["whole"],
        said["rate"],
        said["note"],
        _moment(until) if until else None,
        _moment(said["at"]),
        calls,
        ends,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
