"""The journal of syncs: plans, answers to their stops, and every write with its intent before and its outcome after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from icx.errors import BadInput
from icx.store.journal import Journal

#: States of a write whose fate is not known.
OPEN = ("sent", "in_doubt")


@dataclass(frozen=True)
class KeptSync:
    """A sync's plan as the journal keeps it. Times are aware UTC; `header` is what was decided, without people."""

    plan_id: str
    number: int
    sync: str
    made_at: datetime
    who: str
    state: str
    header: dict[str, Any]
    answers: dict[str, str]
    began_at: datetime | None
    ended_at: datetime | None
    result: dict[str, Any] | None


class Write(NamedTuple):
    """One write: the pair's row, the round and the side, and what became of it."""

    row: int
    round: int
    side: str
    state: str
    key: str | None = None
    words: str = ""
    took: str | None = None
    read_digest: int | None = None
    kept: str | None = None


class Syncs:
    """The plans of syncs in a workspace's journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def __repr__(self) -> str:
        return f"Syncs({str(self.journal.path)!r})"

    def add(self, sync: str, who: str, after: int = 0) -> int:
        """Begin a plan and return its number; it is `closed` until `keep` says what was decided.

        Its number is higher than `after`, the newest one the database knows of: the journal may have been begun anew.
        """
        with self.journal.write() as db:
            row = db.execute(
                "insert into sync_plans (number, sync, made_at, who, state, header)"
                " select max(coalesce(max(number), 0), coalesce((select seq from sqlite_sequence where name ="
                " 'sync_plans'), 0), ?) + 1, ?, ?, ?, 'closed', '{}' from sync_plans",
                (after, sync, self._now(), who),
            )
            return int(row.lastrowid or 0)

    def keep(self, number: int, header: Mapping[str, Any]) -> None:
        """Say what a plan decided; older plans of the same sync that nobody began are closed."""
        with self.journal.write() as db:
            db.execute(
                "update sync_plans set state = 'closed' where state = 'open' and number < ?"
                " and sync = (select sync from sync_plans where number = ?)",
                (number, number),
            )
            db.execute(  # a look each five minutes that found nothing is worth no line for ever
                "delete from sync_plans where sync = (select sync from sync_plans where number = ?)"
                " and state in ('closed', 'finished') and number < ? - 100"
                " and not exists (select 1 from sync_writes w where w.plan = sync_plans.number)",
                (number, number),
            )
            db.execute(
                "update sync_plans set state = 'open', header = ? where number = ?",
                (json.dumps(dict(header)), number),
            )

    def get(self, plan_id: str) -> KeptSync:
        """Return a plan, or say which there are."""
        digits = plan_id.upper().removeprefix("S-")
        rows = (
            self.journal.read("select * from sync_plans where number = ?", (int(digits),))
            if digits.isascii() and digits.isdigit()
            else []
        )
        if not rows:
            latest = self.journal.read("select number from sync_plans order by number desc limit 3")
            raise BadInput(
                "plan-unknown",
                f'There is no plan "{plan_id}" of a sync.',
                where="the latest are: " + (", ".join(f"S-{row[0]}" for row in latest) or "none yet"),
                kept="nothing was sent",
                next=[["icx", "sync", "list"]],
            )
        return _kept(rows[0])

    def of(self, sync: str, limit: int = 50) -> list[KeptSync]:
        """Return the plans of a sync that decided something, newest first."""
        rows = self.journal.read(
            "select * from sync_plans where sync = ? and header <> '{}' order by number desc limit ?",
            (sync, limit),
        )
        return [_kept(row) for row in rows]

    def unfinished(self, sync: str) -> KeptSync | None:
        """Return the plan of a sync that was begun and not finished."""
        rows = self.journal.read(
            "select * from sync_plans where sync = ? and state = 'applying' order by number limit 1", (sync,)
        )
        return _kept(rows[0]) if rows else None

    def begin(self, number: int, answers: Mapping[str, str]) -> None:
        """Note that a plan is being applied, with the answers given to its stops."""
        with self.journal.write() as db:
            db.execute(
                "update sync_plans set state = 'applying', began_at = coalesce(began_at, ?), answers = ?"
                " where number = ?",
                (self._now(), json.dumps(dict(answers)), number),
            )

    def end(self, number: int, state: str, result: Mapping[str, Any]) -> None:
        """Note how an apply ended: finished, applying (stopped; it goes on), or closed (a newer plan does the rest)."""
        with self.journal.write() as db:
            db.execute(
                "update sync_plans set state = ?, ended_at = ?, result = ? where number = ?",
                (state, self._now(), json.dumps(dict(result)), number),
            )
            if state != "applying":  # values of people are in the journal no longer than an apply needs them
                db.execute("update sync_writes set took = null, kept = null where plan = ?", (number,))

    def note(self, number: int, writes: Iterable[Write]) -> None:
        """Note writes: `sent` before the call leaves, what became of them after; on disk when this returns."""
        now = self._now()
        with self.journal.write() as db:
            db.executemany(
                "insert into sync_writes (plan, row, round, side, key, state, words, took, read_digest, kept, at,"
                " ended_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict (plan, row, round, side) do update set state = excluded.state, words = excluded.words,"
                " key = coalesce(excluded.key, key), took = coalesce(excluded.took, took),"
                " read_digest = excluded.read_digest, kept = excluded.kept, ended_at = excluded.ended_at",
                [
                    (
                        number,
                        *(one.row, one.round, one.side, one.key, one.state, one.words, one.took),
                        *(one.read_digest, one.kept, now, None if one.state == "sent" else now),
                    )
                    for one in writes
                ],
            )

    def writes(self, number: int, *states: str, first: int = 0, last: int | None = None) -> list[Write]:
        """Return what became of the writes of a plan, of some of its rows or of those in one of these states."""
        chosen = f" and state in ({', '.join('?' * len(states))})" if states else ""
        rows = self.journal.read(
            "select row, round, side, state, key, words, took, read_digest, kept from sync_writes"
            f" where plan = ? and row between ? and ?{chosen} order by row, round, side",
            (number, first, 2**62 if last is None else last, *states),
        )
        return [Write(*row) for row in rows]

    def counts(self, number: int) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Return how many writes of a plan came to each (side, state, words), and how many read back otherwise."""
        rows = self.journal.read(
            "select side, state, case when state in ('refused', 'left_out') then words else '' end as said, count(*),"
            " count(kept) from sync_writes where plan = ? group by 1, 2, 3 order by 4 desc",
            (number,),
        )
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in rows}

    def _now(self) -> str:
        return self.journal.clock.now().astimezone(UTC).isoformat()


def _kept(row: Any) -> KeptSync:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return KeptSync(
        f"S-{row['number']}",
        row["number"],
        row["sync"],
        datetime.fromisoformat(row["made_at"]),
        row["who"],
        row["state"],
        json.loads(row["header"]),
        json.loads(row["answers"]),
        moment(row["began_at"]),
        moment(row["ended_at"]),
        json.loads(row["result"]) if row["result"] else None,
    )
