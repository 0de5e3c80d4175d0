"""The plan journal: plans, the answers to their stops, and what became of every row.

What a plan decided is written once and read whole (a million rows, with the columns that travel), so it is a
Parquet file in data/plans that DuckDB can read too. What happens to it is row-at-a-time work of an apply that
may be killed between two writes, so it lies in the SQLite journal.
"""

from __future__ import annotations

import bisect
import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from icx.errors import BadInput, IcxError
from icx.store import private
from icx.store.journal import Journal
from icx.store.locks import Holder

PART = 65_536  # rows of the file that are read together when a few are asked for
WORDS = ("contact", "on_list", "action", "reason", "via", "source")  # columns of few different words
SUBSCRIBING = "('add', 'add_pending', 'create', 'restore')"


class Place(NamedTuple):
    """The list a plan is for. `list_id` is None for a list that does not exist yet."""

    account_id: int
    client_folder_id: int
    list_id: int | None


@dataclass(frozen=True)
class KeptPlan:
    """A plan as the journal keeps it. Times are aware UTC; `header` is what was decided, without people."""

    plan_id: str
    made_at: datetime
    who: str
    connection: str
    audience: str
    place: Place
    list_name: str
    state: str
    header: dict[str, Any]
    began_at: datetime | None
    ended_at: datetime | None
    result: dict[str, Any] | None
    answers: dict[str, str]


class Intent(NamedTuple):
    """One row about to be written."""

    row: int
    contact_id: int | None
    action: str
    from_list: int | None
    to_list: int | None


class Outcome(NamedTuple):
    """What became of one row; `words` are the service's, or why it was left out."""

    row: int
    action: str
    state: str
    words: str = ""
    contact_id: int | None = None


@dataclass(frozen=True)
class Summary:
    """Outcomes counted: rows by (action, state, why left out), the refusals' words with their contacts,
    people whose outcome is not known, and people settled or in doubt."""

    counts: dict[tuple[str, str, str], int]
    refusals: list[tuple[str, int]]
    in_doubt: int
    touched: int


class Plans:
    """The plans of a workspace, in its journal and beside it."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.folder = journal.path.parent / "plans"

    def __repr__(self) -> str:
        return f"Plans({str(self.folder)!r})"

    # -- making and reading plans

    def add(
        self,
        header: Mapping[str, Any],
        rows: pa.Table,
        *,
        place: Place,
        list_name: str,
        connection: str,
        audience: str,
        who: str,
    ) -> str:
        """Keep a plan, whole or not at all, and return its id, such as "P-31"."""
        private.folder(self.folder)
        with self.journal.write() as db:
            number = db.execute(
                "insert into plans (made_at, who, connection, audience, account_id, client_folder_id, list_id,"
                " list_name, header) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._now(), who, connection, audience, *place, list_name, json.dumps(dict(header))),
            ).lastrowid
            path = self._path(f"P-{number}")
            scratch = path.with_suffix(".tmp")
            with scratch.open("wb") as file:
                words = [name for name in WORDS if name in rows.column_names]
                pq.write_table(rows, file, compression="zstd", row_group_size=PART, use_dictionary=words)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(path)
        return f"P-{number}"

    def get(self, plan_id: str) -> KeptPlan:
        """Return a plan, or say which there are."""
        found = self.journal.read("select * from plans where number = ?", (self._number(plan_id),))
        if not found:
            raise self._unknown(plan_id)
        answers = self.journal.read(
            "select key, value from plan_answers where plan = ?", (self._number(plan_id),)
        )
        return _kept(found[0], {row["key"]: row["value"] for row in answers})

    def all(self) -> list[KeptPlan]:
        """Return every plan, newest first."""
        return [_kept(row, {}) for row in self.journal.read("select * from plans order by number desc")]

    def judge(self, plan_id: str, checks: Mapping[str, Any]) -> None:
        """Note the verdict on a plan's own rows, which are judged once they are kept."""
        header = self.get(plan_id).header | {"checks": dict(checks)}
        with self.journal.write() as db:
            db.execute(
                "update plans set header = ? where number = ?", (json.dumps(header), self._number(plan_id))
            )

    def rows(self, plan_id: str) -> pa.Table:
        """Return what the plan decided, a row per person."""
        return pq.read_table(self._path(plan_id))

    def refused(self, plan_id: str) -> dict[str, pa.Array]:
        """Return the rows of those the plan refuses, by reason, as numbers that `some` takes; a plan never changes."""
        found = pq.read_table(self._path(plan_id), columns=["action", "reason"])
        refused = pc.equal(found.column("action"), "refuse")
        reasons = found.column("reason")
        return {
            code: pc.indices_nonzero(pc.and_(refused, pc.equal(reasons, code)))
            for code in pc.unique(reasons.filter(refused)).to_pylist()
        }

    def some(self, plan_id: str, rows: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Return some rows of the plan, in the order asked for; of the file only the parts they lie in are read."""
        wanted = list(columns) if columns else None
        with pq.ParquetFile(self._path(plan_id)) as file:
            sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
            begins = list(itertools.accumulate(sizes, initial=0))
            parts = sorted({bisect.bisect_right(begins, row) - 1 for row in rows})
            shifts, before = {}, 0
            for part in parts:
                shifts[part] = before - begins[part]
                before += sizes[part]
            found = file.read_row_groups(parts, columns=wanted)
        return found.take(
            pa.array([row + shifts[bisect.bisect_right(begins, row) - 1] for row in rows], pa.int64())
        )

    def path(self, plan_id: str) -> Path:
        """Return the Parquet file of the plan's rows."""
        return self._path(plan_id)

    # -- applying

    def lock(self, kept: KeptPlan, busy: Callable[[Holder | None], IcxError]) -> AbstractContextManager[None]:
        """Hold the target list, by its id or, while it is not made yet, by its name: one apply at a time."""
        return self.journal.lock(_lock_name(kept), what=kept.plan_id, busy=busy)

    def making(self, place: Place) -> AbstractContextManager[None]:
        """Hold the making of lists in a folder, so that two applies never make two of one name."""
        return self.journal.lock(f"lists {place.account_id} {place.client_folder_id}", what="making a list")

    def begin(self, plan_id: str, answers: Mapping[str, str], who: str) -> None:
        """Note that the plan is being applied, with the answers given to its stops."""
        number = self._number(plan_id)
        with self.journal.write() as db:
            db.execute(
                "update plans set state = 'applying', began_at = coalesce(began_at, ?) where number = ?",
                (self._now(), number),
            )
            db.executemany(
                "insert or replace into plan_answers values (?, ?, ?, ?, ?)",
                [(number, key, value, who, self._now()) for key, value in answers.items()],
            )

    def found_list(self, plan_id: str, list_id: int) -> None:
        """Note the id of the list that the plan had made."""
        with self.journal.write() as db:
            db.execute("update plans set list_id = ? where number = ?", (list_id, self._number(plan_id)))

    def intend(self, plan_id: str, batch: int, intents: Iterable[Intent]) -> None:
        """Note what is about to be sent; on disk before the call leaves."""
        number, now = self._number(plan_id), self._now()
        with self.journal.write() as db:
            db.executemany(
                "insert into plan_rows (plan, row, contact_id, action, from_list, to_list, batch, state, at)"
                " values (?, ?, ?, ?, ?, ?, ?, 'sent', ?)"
                " on conflict (plan, row, action) do update set state = 'sent', words = '', at = excluded.at,"
                " batch = excluded.batch, contact_id = excluded.contact_id, to_list = excluded.to_list,"
                " from_list = excluded.from_list, ended_at = null",
                [
                    (number, one.row, one.contact_id, one.action, one.from_list, one.to_list, batch, now)
                    for one in intents
                ],
            )

    def outcome(self, plan_id: str, outcomes: Iterable[Outcome]) -> None:
        """Note what became of rows, sent or left out."""
        number, now = self._number(plan_id), self._now()
        with self.journal.write() as db:
            db.executemany(
                "insert into plan_rows (plan, row, contact_id, action, batch, state, words, at, ended_at)"
                " values (?, ?, ?, ?, 0, ?, ?, ?, ?)"
                " on conflict (plan, row, action) do update set state = excluded.state, words = excluded.words,"
                " contact_id = coalesce(excluded.contact_id, contact_id), ended_at = excluded.ended_at",
                [
                    (number, one.row, one.contact_id, one.action, one.state, one.words, now, now)
                    for one in outcomes
                ],
            )

    def end(self, plan_id: str, state: str, result: Mapping[str, Any]) -> None:
        """Note how an apply ended: finished, applying (stopped; it goes on), or closed (its list is gone)."""
        with self.journal.write() as db:
            db.execute(
                "update plans set state = ?, ended_at = ?, result = ? where number = ?",
                (state, self._now(), json.dumps(dict(result)), self._number(plan_id)),
            )

    def batches(self, plan_id: str, newest: int = 5) -> list[dict[str, Any]]:
        """Return the newest batches sent: batch, action, rows, how many of each state, and when (UTC text)."""
        states = ("done", "refused", "sent", "in_doubt", "not_sent", "left_out")
        counted = ", ".join(f"sum(state = '{state}') as {state}" for state in states)
        rows = self.journal.read(
            f"select batch, min(action) as action, count(*) as rows, {counted}, max(coalesce(ended_at, at)) as at"
            " from plan_rows where plan = ? and batch > 0 group by batch order by batch desc limit ?",
            (self._number(plan_id), newest),
        )
        return [dict(row) for row in rows]

    def holder(self, plan_id: str) -> Holder | None:
        """Return who is applying to this plan's list right now, here or in another process; None: nobody."""
        return self.journal.holder(_lock_name(self.get(plan_id)))

    def next_batch(self, plan_id: str) -> int:
        """Return the number of the next batch."""
        rows = self.journal.read(
            "select coalesce(max(batch), 0) + 1 from plan_rows where plan = ?", (self._number(plan_id),)
        )
        return int(rows[0][0])

    def outcomes(
        self, plan_id: str, *states: str, offset: int = 0, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return what became of every row touched or left out, or of those in one of these states.

        With `limit` only so many from `offset` on are read; `touched` says how many there are.
        """
        chosen = f" and state in ({', '.join('?' * len(states))})" if states else ""
        rows = self.journal.read(
            "select row, contact_id, action, from_list, to_list, batch, state, words, at, ended_at"
            f" from plan_rows where plan = ?{chosen} order by row, action limit ? offset ?",
            (self._number(plan_id), *states, -1 if limit is None else limit, offset),
        )
        return [dict(row) for row in rows]

    def touched(self, plan_id: str) -> int:
        """Return how many rows `outcomes` has."""
        rows = self.journal.read("select count(*) from plan_rows where plan = ?", (self._number(plan_id),))
        return int(rows[0][0])

    def summary(self, plan_id: str) -> Summary:
        """Return the outcomes counted, without a row per person."""
        number = (self._number(plan_id),)
        counts = self.journal.read(
            "select action, state, case state when 'left_out' then words else '' end as words, count(*) as n"
            " from plan_rows where plan = ? group by 1, 2, 3",
            number,
        )
        refusals = self.journal.read(
            "select words, contact_id from plan_rows where plan = ? and state = 'refused' and action <> 'contact'"
            " order by row",
            number,
        )
        settled = self.journal.read(
            "select count(distinct case when state in ('sent', 'in_doubt') then row end),"
            " count(distinct row) from plan_rows where plan = ? and ("
            " (state in ('sent', 'in_doubt') and action <> 'fields') or"
            " (state in ('done', 'refused', 'left_out') and action not in ('fields', 'contact')))",
            number,
        )[0]
        return Summary(
            {(row["action"], row["state"], row["words"]): row["n"] for row in counts},
            [(row["words"], row["contact_id"] or 0) for row in refusals],
            in_doubt=settled[0],
            touched=settled[1],
        )

    # -- inside

    def _path(self, plan_id: str) -> Path:
        return self.folder / f"P-{self._number(plan_id)}.parquet"

    def _number(self, plan_id: str) -> int:
        digits = plan_id.removeprefix("P-").removeprefix("p-")
        if not digits.isascii() or not digits.isdigit():
            raise self._unknown(plan_id)
        return int(digits)

    def _unknown(self, plan_id: str) -> BadInput:
        rows = self.journal.read("select number from plans order by number desc limit 3")
        latest = ", ".join(f"P-{row['number']}" for row in rows) or "none yet"
        return BadInput(
            "plan-unknown",
            f'There is no plan "{plan_id}".',
            where=f"the latest are: {latest}",
            kept="nothing was sent",
            next=[["icx", "plans"]],
        )

    def _now(self) -> str:
        return self.journal.clock.now().astimezone(UTC).isoformat()


def _lock_name(kept: KeptPlan) -> str:
    account, folder, list_id = kept.place
    return f"apply {account} {folder} {list_id if list_id is not None else f'named {kept.list_name}'}"


def _kept(row: Any, answers: dict[str, str]) -> KeptPlan:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return KeptPlan(
        plan_id=f"P-{row['number']}",
        made_at=datetime.fromisoformat(row["made_at"]),
        who=row["who"],
        connection=row["connection"],
        audience=row["audience"],
        place=Place(row["account_id"], row["client_folder_id"], row["list_id"]),
        list_name=row["list_name"],
        state=row["state"],
        header=json.loads(row["header"]),
        began_at=moment(row["began_at"]),
        ended_at=moment(row["ended_at"]),
        result=json.loads(row["result"]) if row["result"] else None,
        answers=answers,
    )
