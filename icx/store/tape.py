"""The tape: every call of every run as a row of the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from icx import mask

if TYPE_CHECKING:
    from icx.store.journal import Journal


class CallLike(Protocol):
    """What the tape needs of a call; icx.http.tape.Call has it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def status(self) -> int | None: ...
    @property
    def ms(self) -> float: ...
    @property
    def bytes(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def problem(self) -> str: ...


def note(db: sqlite3.Connection, run: str, call: CallLike) -> None:
    """Write one call of a run down."""
    db.execute(
        "insert into calls (run, at, method, path, status, ms, bytes, attempt, problem) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run,
            call.at.astimezone(UTC).isoformat(),
            call.method,
            mask.addresses_in(call.path),
            call.status,
            call.ms,
            call.bytes,
            call.attempt,
            mask.addresses_in(call.problem),
        ),
    )


def read(journal: Journal, runs: Collection[str], newest: int | None = None) -> list[sqlite3.Row]:
    """Return the calls of runs in the order they were made, or only the newest of them."""
    marks = ", ".join("?" * len(runs))
    rows = journal.read(
        f"select rowid, * from calls where run in ({marks}) order by rowid desc limit ?",
        (*runs, -1 if newest is None else newest),
    )
    return rows[::-1]


def newest_run(journal: Journal) -> str | None:
    """Return the run that made the last call, or None when there is none."""
    rows = journal.read("select run from calls order by rowid desc limit 1")
    return str(rows[0]["run"]) if rows else None
