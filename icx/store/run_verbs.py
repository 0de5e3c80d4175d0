"""Verbs that finished inside the run of a notebook, kept so that the same run again need not repeat them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from icx.store.journal import Journal


@dataclass(frozen=True)
class Finished:
    """A verb that finished: in which run, when (aware UTC), and its answer as JSON."""

    run: str
    ended_at: datetime
    answer: Any


def find(journal: Journal, root: str, key: str) -> Finished | None:
    """Return what a verb of a run, or of a repetition of it, came to."""
    rows = journal.read("select run, ended_at, answer from run_verbs where root = ? and key = ?", (root, key))
    if not rows:
        return None
    row = rows[0]
    return Finished(row["run"], datetime.fromisoformat(row["ended_at"]), json.loads(row["answer"]))


def keep(
    journal: Journal,
    root: str,
    key: str,
    *,
    run: str,
    verb: str,
    what: str,
    answer: Any,
    problem: Mapping[str, Any] | None = None,
) -> None:
    """Write down that a verb finished; `problem` is the error it ended with although it was done."""
    now = journal.clock.now().astimezone(UTC).isoformat()
    told = json.dumps(dict(problem), default=str) if problem is not None else None
    with journal.write() as db:
        db.execute(
            "insert or replace into run_verbs values (?, ?, ?, ?, ?, ?, ?, ?)",
            (root, key, run, verb, what, json.dumps(answer), told, now),
        )


def problems(journal: Journal, run: str) -> list[dict[str, Any]]:
    """Return the errors that verbs of a run ended with although they were done, in order."""
    rows = journal.read(
        "select problem from run_verbs where run = ? and problem is not null order by ended_at", (run,)
    )
    return [json.loads(row["problem"]) for row in rows]
