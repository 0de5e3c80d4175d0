"""Verbs that finished inside the run of a notebook, kept so that the same run again need not repeat them."""

from __future__ import annotations

import json
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
) -> None:
    """Write down that a verb of a run finished."""
    now = journal.clock.now().astimezone(UTC).isoformat()
    with journal.write() as db:
        db.execute(
            "insert or replace into run_verbs values (?, ?, ?, ?, ?, ?, ?)",
            (root, key, run, verb, what, json.dumps(answer), now),
        )
