"""What a sync knows between two runs, in the store: who was read, who is in step with whom, what was agreed.

Everybody is compared in the database; only pairs of which something changed come out of it to be decided.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from icx.clock import aware_utc, naive_utc
from icx.connections.base import Person
from icx.functions import email as email_key
from icx.store import Connection, Store, private
from icx.store.names import literal
from icx.store.transactions import transaction
from icx.sync.definition import SIDES, Side
from icx.sync.match import met
from icx.sync.seen import Wanted, digest, doc

PART = 50_000  # people that are held in memory at once
SCRATCH = ".sync-"
_READING = pa.schema(
    [
        ("n", pa.int64()),
        ("key", pa.string()),
        ("email_key", pa.string()),
        ("digest", pa.int64()),
        ("told", pa.string()),
    ]
)
ROWS = pa.schema(
    [
        ("row", pa.int64()),
        *((name, pa.string()) for name in ("a_key", "b_key", "a_email", "b_email")),
        *((name, pa.int64()) for name in ("a_digest", "b_digest")),
        ("linked", pa.bool_()),
        *(
            (name, pa.string())
            for name in ("state", "reason", "memory", "verb_a", "verb_b", "rounds", "notes")
        ),
    ]
)


class Unit(NamedTuple):
    """Two people who are one, or somebody alone, of whom something changed: as last read, and what is remembered."""

    a_key: str | None
    b_key: str | None
    a_email: str | None
    b_email: str | None
    a_digest: int | None
    b_digest: int | None
    a_told: str | None
    b_told: str | None
    why: str
    memory: str | None
    state: str | None
    reason: str | None
    known_a: int | None
    known_b: int | None
    known_other: str | None


@dataclass(frozen=True)
class Marks:
    """When both sides were last read, and by which definition; times are aware UTC."""

    looks: str
    definition: str
    read: Mapping[Side, datetime | None]
    full: Mapping[Side, datetime | None]
    folded: int


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
        for old in self.store.path.parent.glob(f"{SCRATCH}*"):
            shutil.rmtree(old, ignore_errors=True)
        private.folder(self.store.path.parent)
        with tempfile.TemporaryDirectory(dir=self.store.path.parent, prefix=SCRATCH) as scratch:
            path = Path(scratch) / "reading.parquet"
            with private.alone(), pq.ParquetWriter(path, _READING) as out:
                for batch in _batches(people, want):
                    out.write_batch(batch)
            with self.store.open() as con, transaction(con):
                return self._land(con, side, path, whole=whole, started=started)

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
                "delete from shared.sync_people where sync = $sync and side = $side and list_contains($keys::varchar[], key)",
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
        for statement in _WORK.split(";\n"):
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
            rows = con.execute(_OUTLOOK, {"sync": self.sync, "plan": plan}).fetchall()
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
                " and list_contains($keys::varchar[], key)",
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

    def fold(
        self,
        plan: int,
        odd: Sequence[Mapping[str, Any]],
        read: Mapping[Side, Sequence[Person]],
        wants: Mapping[Side, Wanted],
        now: datetime,
    ) -> None:
        """Make what a plan decided and what became of it the state from now on; the same again changes nothing.

        `odd` are the rows that did not simply come to what was decided (columns of `ROWS`, and `words`): somebody was
        made, refused, or left out. `read` is who was read back after being written.
        """
        given = {"sync": self.sync, "plan": plan}
        with self.store.open() as con, transaction(con):
            known = con.execute(
                "select folded from shared.syncs where sync = $sync", {"sync": self.sync}
            ).fetchall()
            if not known or known[0][0] > plan:
                return
            table = pa.Table.from_pylist(list(odd), schema=pa.schema([*ROWS, ("words", pa.string())]))
            con.register("odd_given", table)
            con.execute(
                "create or replace temp table folding as select *, '' as words from shared.sync_rows"
                " where sync = $sync and plan = $plan and row not in (select row from odd_given)",
                given,
            )
            names = ", ".join(ROWS.names)
            con.execute(
                f"insert into folding (sync, plan, {names}, words) select $sync, $plan, {names}, words from odd_given",
                given,
            )
            con.unregister("odd_given")
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
            for side in SIDES:
                self._replace(con, side, read.get(side, ()), wants[side])
            con.execute("update shared.syncs set folded = $plan where sync = $sync", given)

    def _replace(self, con: Connection, side: Side, people: Sequence[Person], want: Wanted) -> None:
        for batch in _batches(people, want):
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


def _batches(people: Iterable[Person], want: Wanted) -> Iterator[pa.RecordBatch]:
    columns: tuple[list[Any], ...] = ([], [], [], [], [])
    for n, person in enumerate(people):
        told = doc(person, want)
        for column, value in zip(
            columns, (n, person.key, email_key(person.email), digest(told), told), strict=True
        ):
            column.append(value)
        if len(columns[0]) >= PART:
            yield pa.RecordBatch.from_arrays(
                [pa.array(c, f.type) for c, f in zip(columns, _READING, strict=True)], schema=_READING
            )
            columns = ([], [], [], [], [])
    if columns[0]:
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, _READING, strict=True)], schema=_READING
        )


def rounds_text(rounds: Sequence[Mapping[Side, Any]]) -> str:
    """Return what is written, as a plan keeps it."""
    told = [{side: want.as_dict() for side, want in one.items()} for one in rounds]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


_OUTLOOK = """
with rows as (select * from shared.sync_rows where sync = $sync and plan = $plan),
here as (select side, key from shared.sync_people where sync = $sync)
select state, reason, count(*) from (
  select state, reason from rows
  union all
  select s.state, s.reason from shared.sync_pairs s
  left join here a on a.side = 'a' and a.key = s.a_key left join here b on b.side = 'b' and b.key = s.b_key
  where s.sync = $sync and (a.key is not null or b.key is not null)
    and not exists (from rows r where r.a_key = s.a_key) and not exists (from rows r where r.b_key = s.b_key)
) group by all order by all
"""
# A link holds as long as somebody of it is there on both sides, or on neither but one that was not told gone yet. Who
# is left of a pair whose other half is deleted meets others by the address again, but is not made anew.
_WORK = """
create or replace temp table people_a as select key, email_key, digest, told from shared.sync_people where sync = $sync and side = 'a';
create or replace temp table people_b as select key, email_key, digest, told from shared.sync_people where sync = $sync and side = 'b';
create or replace temp table pairs as
select s.*, a.key is not null as here_a, b.key is not null as here_b,
       s.linked and ((a.key is not null and b.key is not null) or s.state <> 'deleted') as live
from shared.sync_pairs s
left join people_a a on a.key = s.a_key
left join people_b b on b.key = s.b_key
where s.sync = $sync;
create or replace temp table everybody as
select 'a' as side, p.*, s.a_key is not null as held from people_a p
  left join (select distinct a_key from pairs where live and here_a) s on s.a_key = p.key
union all
select 'b', p.*, s.b_key is not null from people_b p
  left join (select distinct b_key from pairs where live and here_b) s on s.b_key = p.key;
create or replace temp table addresses as
select email_key, v.together, v.why_a, v.why_b
from (
  select email_key,
         least(count(*) filter (side = 'a' and not held), 2) as a, least(count(*) filter (side = 'b' and not held), 2) as b,
         least(count(*) filter (side = 'a' and held), 2) as la, least(count(*) filter (side = 'b' and held), 2) as lb
  from everybody where email_key is not null group by email_key
) c join verdicts v using (a, b, la, lb);
create or replace temp table units as
select s.a_key, s.b_key, coalesce(a.email_key, s.a_email) as a_email, coalesce(b.email_key, s.b_email) as b_email,
       a.digest as a_digest, b.digest as b_digest, a.told as a_told, b.told as b_told, '' as why,
       s.memory, s.state, s.reason, s.a_digest as known_a, s.b_digest as known_b, s.b_key as known_other
from pairs s left join people_a a on a.key = s.a_key left join people_b b on b.key = s.b_key
where s.live and (here_a or here_b)
union all
select a.key, b.key, a.email_key, b.email_key, a.digest, b.digest, a.told, b.told, '', null, null, null, null, null, null
from everybody a join everybody b on a.email_key = b.email_key join addresses d on d.email_key = a.email_key
where a.side = 'a' and b.side = 'b' and d.together and not a.held and not b.held
union all
select a.key, s.b_key, a.email_key, s.b_email, a.digest, null, a.told, null,
       case when a.email_key is null then 'no_address' else d.why_a end, s.memory, s.state, s.reason, s.a_digest, s.b_digest, s.b_key
from everybody a left join addresses d using (email_key) left join pairs s on s.a_key = a.key
where a.side = 'a' and not a.held and not coalesce(d.together, false)
union all
select s.a_key, b.key, s.a_email, b.email_key, null, b.digest, null, b.told,
       case when b.email_key is null then 'no_address' else d.why_b end, s.memory, s.state, s.reason, s.a_digest, s.b_digest, s.a_key
from everybody b left join addresses d using (email_key) left join pairs s on s.b_key = b.key
where b.side = 'b' and not b.held and not coalesce(d.together, false);
create or replace temp table work as
select row_number() over (order by coalesce(a_key, ''), coalesce(b_key, '')) as n, * from units
where state is null or known_a is distinct from a_digest or known_b is distinct from b_digest
   or (case when state = 'duplicate' or reason = 'no_address' then reason else '' end) <> why
"""
