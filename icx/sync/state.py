"""What a sync knows between two runs, in the store: who was read, who is in step with whom, what was agreed.

Everybody is compared in the database; only pairs of which something changed come out of it to be decided.
"""

from __future__ import annotations

import importlib.resources
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from icx.clock import aware_utc, naive_utc
from icx.connections.base import Person
from icx.store import Connection, Store, private
from icx.store.names import literal
from icx.store.transactions import transaction
from icx.sync.definition import SIDES, Side
from icx.sync.match import met
from icx.sync.seen import Wanted
from icx.sync.tables import ACTING, LEFT_FOR, OUTLOOK, PART, READING, ROWS, SCRATCH, Marks, Unit, batches


class State:
    """What one sync knows."""

    def __init__(self, store: Store, sync: str) -> None:
        self.store, self.sync = store, sync

    def __repr__(self) -> str:
        return f"State({self.sync!r})"

    # -- marks

    def marks(self) -> Marks | None:
        """Return when and how it was last read; None before the first reading."""
        with self.store.open() as con:
            rows = con.execute(
                "select looks, definition, read_a, read_b, full_a, full_b, folded from shared.syncs where sync = ?",
                [self.sync],
            ).fetchall()
        if not rows:
            return None
        looks, definition, *times, folded = rows[0]
        aware = [aware_utc(one) if one else None for one in times]
        return Marks(
            looks, definition, {"a": aware[0], "b": aware[1]}, {"a": aware[2], "b": aware[3]}, folded
        )

    def mark(self, looks: str, definition: str) -> None:
        """Note by which definition everybody is looked at from now on; who was decided by another is decided again."""
        with self.store.open() as con, transaction(con):
            con.execute(
                "insert into shared.syncs (sync, looks, definition) values ($sync, '', '')"
                " on conflict do nothing",
                {"sync": self.sync},
            )
            con.execute(
                "update shared.sync_pairs set a_digest = null, b_digest = null where sync = $sync and exists ("
                "from shared.syncs where sync = $sync and (definition <> $definition or looks <> $looks))",
                {"sync": self.sync, "definition": definition, "looks": looks},
            )
            con.execute(
                "update shared.syncs set looks = $looks, definition = $definition,"
                " full_a = case when looks = $looks then full_a end, full_b = case when looks = $looks then full_b end"
                " where sync = $sync",
                {"sync": self.sync, "definition": definition, "looks": looks},
            )

    # -- readings

    def take(
        self, side: Side, people: Iterable[Person], want: Wanted, *, whole: bool, started: datetime
    ) -> list[str]:
        """Keep a reading of a side, and return whom it misses of those known before (only when `whole`).

        The database is free while the system is read: people wait in a file beside it.
        """
        self._sweep()
        private.folder(self.store.path.parent)
        with tempfile.TemporaryDirectory(dir=self.store.path.parent, prefix=SCRATCH) as scratch:
            path = Path(scratch) / "reading.parquet"
            with private.alone(), pq.ParquetWriter(path, READING) as out:
                for batch in batches(people, want):
                    out.write_batch(batch)
            with self.store.open() as con, transaction(con):
                return self._land(con, side, path, whole=whole, started=started)

    def _sweep(self) -> None:
        """Remove what a reading left behind whose process was killed; another sync may be reading now."""
        for old in self.store.path.parent.glob(f"{SCRATCH}*"):
            if self.store.clock.now().timestamp() - old.stat().st_mtime > LEFT_FOR:
                shutil.rmtree(old, ignore_errors=True)

    def _land(self, con: Connection, side: Side, path: Path, *, whole: bool, started: datetime) -> list[str]:
        given = {"sync": self.sync, "side": side}
        con.execute(
            "create or replace temp table reading as select key, arg_max(email_key, n) as email_key,"
            f" arg_max(digest, n) as digest, arg_max(told, n) as told from read_parquet({literal(str(path))}) group by key"
        )
        con.execute(
            "delete from shared.sync_people using reading r where sync = $sync and side = $side"
            " and sync_people.key = r.key and (sync_people.digest <> r.digest"
            " or sync_people.email_key is distinct from r.email_key)",
            given,
        )
        con.execute(
            "insert into shared.sync_people select $sync, $side, r.key, r.email_key, r.digest, r.told from reading r"
            " anti join (from shared.sync_people where sync = $sync and side = $side) p using (key)",
            given,
        )
        missing: list[str] = []
        if whole:
            found = con.execute(
                "select key from shared.sync_people p where sync = $sync and side = $side"
                " and not exists (from reading r where r.key = p.key) order by key",
                given,
            ).fetchall()
            missing = [key for (key,) in found]
        con.execute(
            f"update shared.syncs set read_{side} = $now{f', full_{side} = $now' if whole else ''} where sync = $sync",
            {"sync": self.sync, "now": naive_utc(started)},
        )
        con.execute("drop table reading")
        return missing

    def gone(self, side: Side, keys: Sequence[str]) -> None:
        """Note who is surely no longer in a system."""
        with self.store.open() as con, transaction(con):
            con.execute(
                "delete from shared.sync_people where sync = $sync and side = $side and key in (select unnest($keys::varchar[]))",
                {"sync": self.sync, "side": side, "keys": list(keys)},
            )

    def sizes(self) -> dict[Side, int]:
        """Return how many people each side had when last read."""
        with self.store.open() as con:
            rows = con.execute(
                "select side, count(*) from shared.sync_people where sync = ? group by side", [self.sync]
            ).fetchall()
        found = dict(rows)
        return {"a": found.get("a", 0), "b": found.get("b", 0)}

    # -- what is to be decided

    def prepare(self, con: Connection) -> int:
        """Find whom something changed of (table `work`, numbered by n), and return how many pairs that are."""
        given = {"sync": self.sync}
        few = range(3)  # one, several, or nobody is all that matters
        rows = [(a, b, la, lb, *met(a, b, la, lb)) for a in few for b in few for la in few for lb in few]
        con.execute(
            "create or replace temp table verdicts as from (values"
            f" {', '.join(map(str, rows))}) v(a, b, la, lb, together, why_a, why_b)"
        )
        script = (importlib.resources.files("icx.sync") / "work.sql").read_text(encoding="utf-8")
        for statement in script.split(";\n"):
            con.execute(statement, given if "$sync" in statement else None)
        return int(con.execute("select count(*) from work").fetchall()[0][0])

    def units(self, con: Connection) -> Iterator[list[Unit]]:
        """Yield whom something changed of, some at a time."""
        start = 0
        while True:
            rows = con.execute(
                f"select {', '.join(Unit._fields)} from work where n > ? and n <= ? order by n",
                [start, start + PART],
            ).fetchall()
            if not rows:
                return
            yield [Unit(*row) for row in rows]
            start += PART

    # -- rows of a plan

    def keep_rows(self, con: Connection, plan: int, rows: list[dict[str, Any]]) -> None:
        """Keep what a plan decided."""
        con.register("decided", pa.Table.from_pylist(rows, schema=ROWS))
        con.execute(
            f"insert into shared.sync_rows select $sync, $plan, {', '.join(ROWS.names)} from decided",
            {"sync": self.sync, "plan": plan},
        )
        con.unregister("decided")

    def drop_rows(self, keep: Sequence[int]) -> None:
        """Forget the rows of plans that nobody asks for any more."""
        with self.store.open() as con, transaction(con):
            con.execute(
                "delete from shared.sync_rows where sync = $sync and not list_contains($keep::bigint[], plan)",
                {"sync": self.sync, "keep": list(keep)},
            )

    def rows(self, plan: int, where: str = "true", limit: int | None = None) -> list[dict[str, Any]]:
        """Return rows of a plan."""
        with self.store.open() as con:
            asked = con.sql(
                f"select {', '.join(ROWS.names)} from shared.sync_rows where sync = $sync and plan = $plan"
                f" and ({where}) order by row limit $limit",
                params={"sync": self.sync, "plan": plan, "limit": 2**62 if limit is None else limit},
            )
            table = asked.to_arrow_table()
            del asked
        found: list[dict[str, Any]] = table.to_pylist()
        return found

    def count(self, plan: int, where: str = "true") -> int:
        """Return how many rows of a plan meet a condition."""
        with self.store.open() as con:
            found = con.execute(
                f"select count(*) from shared.sync_rows where sync = ? and plan = ? and ({where})",
                [self.sync, plan],
            ).fetchall()
        return int(found[0][0])

    def outlook(self, plan: int | None = None) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many pairs are in each state, and for each reason why not in step; with `plan` once it is done."""
        with self.store.open() as con:
            rows = con.execute(OUTLOOK, {"sync": self.sync, "plan": plan}).fetchall()
        states: dict[str, int] = {}
        reasons: dict[str, int] = {}
        for state, reason, count in rows:
            states[state] = states.get(state, 0) + count
            if reason:
                reasons[reason] = reasons.get(reason, 0) + count
        return states, reasons

    def told(self, side: Side, keys: Sequence[str]) -> dict[str, str]:
        """Return what was last read of some people."""
        with self.store.open() as con:
            rows = con.execute(
                "select key, told from shared.sync_people where sync = $sync and side = $side"
                " and key in (select unnest($keys::varchar[]))",
                {"sync": self.sync, "side": side, "keys": list(keys)},
            ).fetchall()
        return dict(rows)

    def memories(
        self, pairs: Sequence[tuple[str | None, str | None]]
    ) -> dict[tuple[str | None, str | None], str]:
        """Return what is remembered of pairs; of those that no plan has settled yet nothing."""
        given = {"a": [a for a, _ in pairs], "b": [b for _, b in pairs], "sync": self.sync}
        with self.store.open() as con:
            rows = con.execute(
                "select g.a, g.b, s.memory from (select unnest($a::varchar[]) as a, unnest($b::varchar[]) as b) g"
                " join shared.sync_pairs s on s.sync = $sync and s.a_key is not distinct from g.a"
                " and s.b_key is not distinct from g.b",
                given,
            ).fetchall()
        return {(a, b): memory for a, b, memory in rows}

    def pairs(self, state: str = "", limit: int = 1000) -> list[dict[str, Any]]:
        """Return pairs that are not in step, or of one state, those of the longest standing first."""
        with self.store.open() as con:
            asked = con.sql(
                "select state, reason, words, a_key, b_key, a_email, b_email, since from shared.sync_pairs"
                " where sync = $sync and case when $state = '' then state <> 'in_sync' else state = $state end"
                " order by since, a_key, b_key limit $limit",
                params={"sync": self.sync, "state": state, "limit": limit},
            )
            found: list[dict[str, Any]] = asked.to_arrow_table().to_pylist()
            del asked
        return found

    def words(self) -> dict[str, int]:
        """Return what systems said when they refused somebody, and of how many."""
        with self.store.open() as con:
            rows = con.execute(
                "select words, count(*) as n from shared.sync_pairs where sync = ? and state = 'failing' and words <> ''"
                " group by words order by n desc, words",
                [self.sync],
            ).fetchall()
        return dict(rows)

    def copy_to(self, store: Store) -> None:
        """Copy what is agreed into another store, where it may be carried on without touching this one."""
        with self.store.open() as con:
            tables = {}
            for table in ("syncs", "sync_people", "sync_pairs"):
                asked = con.sql(f"from shared.{table} where sync = $sync", params={"sync": self.sync})
                tables[table] = asked.to_arrow_table()
                del asked
        with store.open() as con:
            for table, rows in tables.items():
                con.register("copied", rows)
                con.execute(f"insert into shared.{table} from copied")
                con.unregister("copied")
            con.execute("update shared.syncs set folded = 0")  # plans are counted anew there

    # -- folding what was done

    def fold(self, plan: int, odd: Iterable[Sequence[Mapping[str, Any]]], now: datetime) -> None:
        """Make what a plan decided and what became of it the state from now on; the same again changes nothing.

        `odd` yields, some at a time, the rows that something was written of (columns of `ROWS`, and `words`), as they
        came out; the others came to what was decided.
        """
        given: dict[str, Any] = {"sync": self.sync, "plan": plan}
        names = ", ".join(ROWS.names)
        schema = pa.schema([*ROWS, ("words", pa.string())])
        with self.store.open() as con, transaction(con):
            known = con.execute("select folded from shared.syncs where sync = $sync", {"sync": self.sync})
            if any(folded > plan for (folded,) in known.fetchall()):
                return
            con.execute(
                f"create or replace temp table folding as select {names}, '' as words from shared.sync_rows"
                f" where sync = $sync and plan = $plan and not ({ACTING})",
                given,
            )
            for some in odd:
                con.register("odd", pa.Table.from_pylist(list(some), schema=schema))
                con.execute(f"insert into folding select {names}, words from odd")
                con.unregister("odd")
            con.execute(
                "create or replace temp table since as select f.row, min(s.since) as since from folding f"
                " join shared.sync_pairs s on s.sync = $sync and (s.a_key = f.a_key or s.b_key = f.b_key)"
                " and s.state = f.state and s.reason = f.reason group by f.row",
                {"sync": self.sync},
            )
            for side in SIDES:
                con.execute(
                    f"delete from shared.sync_pairs using folding f where sync_pairs.sync = $sync"
                    f" and sync_pairs.{side}_key = f.{side}_key",
                    {"sync": self.sync},
                )
            con.execute(
                "insert into shared.sync_pairs select $sync, a_key, b_key, a_email, b_email, a_digest, b_digest, linked,"
                " state, reason, words, memory, coalesce(s.since, $now) from folding left join since s using (row)"
                " where not (a_key is null and b_key is null)",
                {"sync": self.sync, "now": naive_utc(now)},
            )
            con.execute(  # somebody alone who is no more has nothing to be remembered
                "delete from shared.sync_pairs s where s.sync = $sync and not s.linked and not exists (from"
                " shared.sync_people p where p.sync = $sync and p.side = case when s.a_key is null then 'b' else 'a' end"
                " and p.key = coalesce(s.a_key, s.b_key))",
                {"sync": self.sync},
            )
            con.execute("update shared.syncs set folded = $plan where sync = $sync", given)

    def replace(self, side: Side, people: Sequence[Person], want: Wanted) -> None:
        """Keep people as they were read back, in the place of how they were last read."""
        with self.store.open() as con, transaction(con):
            self._replace(con, side, people, want)

    def some(self, plan: int, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Return these rows of a plan."""
        return self.rows(plan, f"row in ({', '.join(str(int(one)) for one in set(rows))})") if rows else []

    def _replace(self, con: Connection, side: Side, people: Sequence[Person], want: Wanted) -> None:
        for batch in batches(people, want):
            con.register("read_back", pa.Table.from_batches([batch]))
            con.execute(
                "delete from shared.sync_people using read_back r where sync = $sync and side = $side"
                " and sync_people.key = r.key",
                {"sync": self.sync, "side": side},
            )
            con.execute(
                "insert into shared.sync_people select $sync, $side, key, email_key, digest, told from read_back",
                {"sync": self.sync, "side": side},
            )
            con.unregister("read_back")

    def forget(self) -> None:
        """Forget everything this sync knew; both systems stay as they are."""
        with self.store.open() as con, transaction(con):
            for table in ("syncs", "sync_people", "sync_pairs", "sync_rows"):
                con.execute(f"delete from shared.{table} where sync = ?", [self.sync])
