"""The journal: runs, every call, the shared call budget and named locks, in one SQLite file (WAL).

Operations are row-at-a-time work of several processes at once, and a foreign reader of the DuckDB file must
not stop an apply between a write and its outcome; so they live here and not there.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from icx import mask
from icx.clock import SYSTEM, Clock
from icx.errors import IcxError
from icx.store import budget, damage, private, tape
from icx.store.budget import SharedBudget
from icx.store.locks import Holder, began, hold, hold_if_free, holder, runs_still
from icx.store.log import Log
from icx.store.tape import CallLike

SCRIPTS = importlib.resources.files("icx.store") / "journal"


@dataclass(frozen=True)
class Run:
    """One execution of a verb. Times are aware UTC; `state` is running, done, failed, stopped, needs-you or cut off.

    `within` is the run it is part of: the job of a pull, the notebook of a plan.
    """

    run: str
    verb: str
    what: str
    who: str
    pid: int
    started_at: datetime
    ended_at: datetime | None
    state: str
    detail: Mapping[str, Any]
    within: str = ""


def said(error: BaseException) -> dict[str, str]:
    """Return what a run keeps of the error that ended it; addresses masked, and of an error not ours its kind only."""
    if not isinstance(error, IcxError):
        return {"code": type(error).__name__}
    told = {"code": error.code, "message": error.message, "where": error.where_text()}
    return {name: mask.addresses_in(text) for name, text in told.items()}


class Journal:
    """The workspace's `data/journal.sqlite`, made when first opened; safe to share between threads.

    `within` is the run that this whole process is part of, the kernel of a notebook for one. What begins, ends and
    goes wrong is told to `log` too.
    """

    def __init__(self, path: Path, clock: Clock = SYSTEM, within: str = "") -> None:
        self.path = path
        self.clock = clock
        self.log = Log(path.parent / "logs", clock)
        self._within = within
        self._running: set[str] = set()
        self._under_way = threading.local()
        self._lock = threading.RLock()
        try:
            private.folder(path.parent)
        except OSError:
            raise damage.read_only(path) from None
        self._open()

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()
        self._tape.close()

    def _open(self) -> None:
        from icx.store.restoring import finish

        finish(self.path.parent)  # a restore that was decided and then cut off
        with self._translating():
            self._db = self._connect("full")  # an intent must outlive a power cut
            self._tape = self._connect("normal")  # a call's record need only outlive the process
            self._file = self.path.stat().st_ino
            try:
                self._migrate()
            except BaseException:
                self.close()
                raise

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that is on disk when the block ends, or never was when it raises."""
        with self._lock, self._mending():
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("rollback")
                raise

    def read(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._lock, self._mending():
            return self._db.execute(sql, parameters).fetchall()

    def vacuum(self) -> None:
        """Write the file anew, without what was deleted, and its log with it."""
        with self._lock, self._mending():
            self._db.execute("vacuum")
            self._db.execute("pragma wal_checkpoint(truncate)")

    # -- runs

    def start_run(self, verb: str, what: str, who: str = "") -> str:
        """Note that a verb began, and return its run, such as "r-142"."""
        under_way = self._open_runs()
        within = under_way[-1] if under_way else self._within
        with self.write() as db:
            row = db.execute(
                "insert into runs (verb, what, who, pid, started_at, within, process_began)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (verb, what, who, os.getpid(), self._now(), within, began(os.getpid())),
            )
            run = f"r-{row.lastrowid}"
        self._running.add(run)
        under_way.append(run)
        self.log.write("info", "begun", f"{verb} {what}".strip() + " begins", run=run, within=within)
        return run

    def end_run(self, run: str, state: str = "done", detail: Mapping[str, Any] | None = None) -> None:
        """Note how a run ended: done, failed, stopped or needs-you; `detail` is JSON without secrets or addresses."""
        with self.write() as db:
            db.execute(
                "update runs set state = ?, ended_at = ?, detail = ? where number = ?",
                (state, self._now(), json.dumps(dict(detail or {}), default=str), int(run[2:])),
            )
        self._running.discard(run)
        ended = self.run(run)
        if ended is not None and ended.ended_at is not None:
            seconds = (ended.ended_at - ended.started_at).total_seconds()
            level = {"done": "info", "failed": "error"}.get(state, "warning")
            text = f"{ended.verb} {ended.what}: {state}".replace(" :", ":")
            code = str((detail or {}).get("code", ""))
            self.log.write(level, "ended", text, run=run, state=state, seconds=round(seconds, 1), code=code)

    def family(self, run: str) -> set[str]:
        """Return a run and every run that was part of it, however deep."""
        rows = self.read(
            "with recursive part(run) as (select ? union select 'r-' || r.number from runs r join part on r.within = part.run)"
            " select run from part",
            (run,),
        )
        return {row["run"] for row in rows}

    def run(self, run: str) -> Run | None:
        """Return one run, or None when there is none of that name."""
        rows = self.read("select * from runs where number = ?", (int(run[2:]),))
        return _run(rows[0]) if rows else None

    def runs(self, verb: str | None = None, what: str | None = None, limit: int = 50) -> list[Run]:
        """Return runs, newest first. One whose process is gone without an end is `cut off`."""
        rows = self.read(
            "select * from runs where (:verb is null or verb = :verb) and (:what is null or what = :what) "
            "order by number desc limit :limit",
            {"verb": verb, "what": what, "limit": limit},
        )
        return [_run(row) for row in rows]

    # -- tape

    def tape_sink(self, run: str) -> Callable[[CallLike], None]:
        """Return a function that writes each call of a run down."""

        def note(call: CallLike) -> None:
            with self._lock, self._mending():
                tape.note(self._tape, run, call)
            none = call.method == "GET" and call.status == 404  # an answer: there is no such row
            if call.problem or ((call.status or 0) >= 400 and not none):
                text = f"{call.method} {call.path}: {call.problem or call.status}"
                self.log.write("warning", "call", text, run=run, ms=call.ms, tried=call.attempt)

        return note

    def calls(self, run: str) -> tuple[int, int]:
        """Return how many calls a run made, and how many of them were repeats."""
        row = self.read("select count(*), coalesce(sum(attempt > 1), 0) from calls where run = ?", (run,))[0]
        return int(row[0]), int(row[1])

    # -- call budget

    def budget(
        self, app_id: str, account_id: int | None, *, per_hour: int, per_day: int, push: bool = False
    ) -> SharedBudget:
        """Return the calls that every process of this workspace shares for an application id and account."""
        return SharedBudget(self, budget.key(app_id, account_id), per_hour, per_day, push)

    def spend(self, key: str, per_hour: int, per_day: int) -> float:
        """Take a call under `key`, or return the seconds after which one may be free."""
        seconds = self.clock.now().timestamp()
        with self._lock, self._mending():
            self._tape.execute("begin immediate")
            try:
                wait = budget.spend(self._tape, key, seconds, per_hour, per_day)
                self._tape.execute("commit")
            except BaseException:
                if self._tape.in_transaction:
                    self._tape.execute("rollback")
                raise
        return wait

    def left(self, key: str, per_hour: int, per_day: int) -> int:
        """Return the calls left under `key` in the present hour (never more than the day leaves)."""
        with self._lock:
            return budget.left(self._tape, key, self.clock.now().timestamp(), per_hour, per_day)

    # -- locks

    def lock(
        self, name: str, *, what: str = "", busy: Callable[[Holder | None], IcxError] | None = None
    ) -> AbstractContextManager[None]:
        """Hold a named lock of the workspace while the block runs; see `icx.store.locks.hold`."""
        return hold(self.path.parent / "locks", name, what=what, busy=busy, clock=self.clock)

    def lock_if_free(self, name: str, *, what: str = "") -> AbstractContextManager[bool]:
        """Hold a named lock while the block runs, if nobody does; see `icx.store.locks.hold_if_free`."""
        return hold_if_free(self.path.parent / "locks", name, what=what, clock=self.clock)

    def holder(self, name: str) -> Holder | None:
        """Return who holds a named lock of the workspace, or None when nobody does."""
        return holder(self.path.parent / "locks", name)

    # -- inside

    def _now(self) -> str:
        return self.clock.now().astimezone(UTC).isoformat()

    def _open_runs(self) -> list[str]:
        """Return the runs that this thread is in the middle of, the innermost last."""
        if not hasattr(self._under_way, "runs"):
            self._under_way.runs = []
        found: list[str] = self._under_way.runs
        found[:] = [run for run in found if run in self._running]  # some end in another thread
        return found

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        with private.alone():  # its logs get the rights it has
            db = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        try:
            db.execute("pragma journal_mode = wal")
            db.execute(f"pragma synchronous = {synchronous}")
        except BaseException:
            db.close()
            raise
        return db

    def _migrate(self) -> None:
        with self.write() as db:
            db.execute("create table if not exists migrations (name text primary key, ran_at text not null)")
            done = {row["name"] for row in db.execute("select name from migrations")}
            scripts = {entry.name: entry for entry in SCRIPTS.iterdir() if entry.name.endswith(".sql")}
            if newer := done - scripts.keys():
                raise damage.made_by_newer(
                    self.path, "a newer icx", f"one without {', '.join(sorted(newer))}"
                )
            for name in sorted(scripts.keys() - done):
                for statement in _statements(scripts[name].read_text(encoding="utf-8")):
                    db.execute(statement)
                db.execute("insert into migrations values (?, ?)", (name, self._now()))

    @contextmanager
    def _mending(self) -> Iterator[None]:
        if not self._db.in_transaction and self._replaced():  # by a restore, while a notebook had it open
            self.close()
            self._open()
        with self._translating():
            yield

    def _replaced(self) -> bool:
        try:
            return self.path.stat().st_ino != self._file
        except OSError:
            return False

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            ours = damage.of_sqlite(error, self.path)
            if ours is None:
                raise
            raise ours from error


def _run(row: sqlite3.Row) -> Run:
    state = row["state"]
    if state == "running" and not runs_still(row["pid"], row["process_began"]):
        state = "cut off"
    ended = row["ended_at"]
    return Run(
        f"r-{row['number']}",
        row["verb"],
        row["what"],
        row["who"],
        row["pid"],
        datetime.fromisoformat(row["started_at"]),
        datetime.fromisoformat(ended) if ended else None,
        state,
        json.loads(row["detail"]),
        row["within"],
    )


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
