"""Forgetting: what the journal keeps of runs that are long over, taken out piece by piece."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from icx.store.budget import DAY
from icx.store.journal import Journal

#: Rows deleted in one transaction: whoever writes meanwhile waits for no longer than that takes.
PIECE = 50_000


def old_calls(journal: Journal, before: datetime) -> int:
    """Return how many calls on the tape are older than a moment (aware)."""
    found = journal.read("select count(*) from calls where at < ?", (_text(before),))
    return int(found[0][0])


def forget_calls(journal: Journal, before: datetime) -> int:
    """Take calls older than a moment (aware) off the tape, and return how many."""
    gone = 0
    while True:
        with journal.write() as db:
            done = db.execute(
                "delete from calls where rowid in (select rowid from calls where at < ? limit ?)",
                (_text(before), PIECE),
            ).rowcount
        gone += done
        if done < PIECE:
            return gone


def forget_verbs(journal: Journal, roots: Iterable[str]) -> None:
    """Forget the answers kept for runs that can no longer be repeated."""
    with journal.write() as db:
        db.executemany("delete from run_verbs where root = ?", [(root,) for root in roots])


def forget_spent(journal: Journal) -> None:
    """Forget calls counted in minutes that no budget looks at any more."""
    minute = int(journal.clock.now().timestamp() // 60)
    with journal.write() as db:
        db.execute("delete from budget where minute < ?", (minute - 2 * DAY,))


def roots_of_unfinished_plans(journal: Journal) -> set[str]:
    """Return the runs (the first of each and its repetitions) whose notebook made a plan that is begun and not finished."""
    rows = journal.read(
        "select distinct v.root from run_verbs v join plans p on v.answer = '\"P-' || p.number || '\"'"
        " where v.verb in ('plan', 'undo') and p.state = 'applying'"
    )
    return {row["root"] for row in rows}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
