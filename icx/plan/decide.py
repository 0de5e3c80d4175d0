"""Decide what becomes of everybody: the wanted, the members, the refused. Pure; values in, values out."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from icx.clock import naive_utc
from icx.plan.consent import ENDED_BY, ROW_OF_FACT, judge
from icx.plan.policy import Policy
from icx.store import Connection, memory

WANT = pa.schema([("contact_id", pa.int64()), ("email", pa.string()), ("email_key", pa.string())])
HAVE = pa.schema([("contact_id", pa.int64()), ("status", pa.string()), ("add_date", pa.timestamp("us"))])
CONTACTS = pa.schema([*WANT, ("status", pa.string())])
FACTS = pa.schema(
    [
        ("contact_id", pa.int64()),
        ("email_key", pa.string()),
        ("fact", pa.string()),
        ("happened_at", pa.timestamp("us")),
        ("source", pa.string()),
        ("message_id", pa.int64()),
    ]
)
OWN_WRITES = pa.schema([("contact_id", pa.int64()), ("written_at", pa.timestamp("us"))])
PARKING = pa.schema([("contact_id", pa.int64()), ("status", pa.string()), ("ours", pa.bool_())])


@dataclass(frozen=True)
class Counts:
    """People, not rows. wanted = add + create + keep + refused; `pending` are part of `add`.

    `stale` are the members no longer wanted, whatever becomes of them; `park` and `unsubscribe` of them
    are moved or unsubscribed. `members` is the list's size at the reading, `after` the one expected.
    """

    wanted: int
    add: int
    create: int
    keep: int
    refused: int
    stale: int
    park: int
    unsubscribe: int
    pending: int
    undoable: int
    members: int
    after: int


@dataclass(frozen=True)
class Decision:
    """A row per person: contact_id, email, email_key, place, action, reason, via, undoable, and what was known.

    `place` is the person's row in `want` (null for stale members). Actions: add, add_pending, create,
    keep, refuse for the wanted; stay, park, unsubscribe for stale members. `via` is `move` for somebody
    icx parked, who comes back by being moved.
    """

    rows: pa.Table
    counts: Counts
    refused: dict[str, int]


def decide(
    want: pa.Table,
    have: pa.Table,
    contacts: pa.Table,
    facts: pa.Table,
    own_writes: pa.Table,
    *,
    policy: Policy,
    now: datetime,
    parking: pa.Table | None = None,
    leaving: frozenset[int] | None = None,
) -> Decision:
    """Return what becomes of everybody.

    `want` (columns of `WANT`, a contact once) are the audience's people, `have` every subscription of the
    target list, `contacts` today's read of the folder (or of everybody concerned), `facts` the consent
    facts that concern this list (and as `left_parking` who left the parking list), `own_writes` when icx itself subscribed somebody to it, `parking` the
    parking list with `ours` for those icx moved there from this list. `leaving` limits which members may be stale.
    """
    con = memory()
    try:
        con.register("want_given", want)
        con.execute(
            "create temp table want as select (row_number() over () - 1)::bigint as place, contact_id,"
            " email, email_key from want_given"
        )
        for name, table in (("have", have), ("contacts", contacts), ("facts", facts)):
            con.register(name, table)
        con.register("own_writes", own_writes)
        con.register("parking", PARKING.empty_table() if parking is None else parking)
        con.execute("create temp table ended_by (fact varchar, ends varchar)")
        con.executemany("insert into ended_by values (?, ?)", [list(pair) for pair in ENDED_BY.items()])
        con.execute("create temp table row_of_fact (fact varchar)")
        con.executemany("insert into row_of_fact values (?)", [[fact] for fact in ROW_OF_FACT])
        script = (importlib.resources.files("icx.plan") / "decide.sql").read_text(encoding="utf-8")
        *statements, _ = script.split(";\n")
        for statement in statements:
            bound = {"now": naive_utc(now)} if "$now" in statement else None
            con.execute(statement, bound)
        if leaving is not None:
            con.register("leaving", pa.table({"contact_id": pa.array(sorted(leaving), pa.int64())}))
            con.execute("delete from stale where contact_id not in (select contact_id from leaving)")
        _judge_combinations(con, policy)
        rows = con.sql(
            _ROWS, params={"stale": policy.stale, "create": policy.create_contacts}
        ).to_arrow_table()
        return _counted(con, rows, have)
    finally:
        con.close()


def _judge_combinations(con: Connection, policy: Policy) -> None:
    """Ask the consent table once per combination of facts, not once per person."""
    combinations = con.execute("select distinct contact, on_list, standing from people").fetchall()
    con.execute(
        "create temp table verdicts (contact varchar, on_list varchar, standing varchar[], action varchar, reason varchar)"
    )
    verdicts = [
        [contact, on_list, standing, *judge(contact, on_list, set(standing), invite=policy.invite)]
        for contact, on_list, standing in combinations
    ]
    if verdicts:
        con.executemany("insert into verdicts values (?, ?, ?, ?, ?)", verdicts)


_ROWS = """
with judged as (
  select p.place, p.contact_id, p.email, p.email_key, p.contact, p.on_list, p.parked,
         v.action, v.reason, p.fact_at, p.source, p.message_id
  from people p join verdicts v using (contact, on_list, standing)
)
select place, contact_id, email, email_key, contact, on_list,
       case
         when action <> 'create' then action
         when not $create or email_key is null then 'refuse'
         else action
       end as action,
       case
         when action <> 'create' then reason
         when email_key is null then 'no_address'
         when not $create then 'no_id'
         else ''
       end as reason,
       case when action = 'add' and parked then 'move' else '' end as via,
       action = 'add' as undoable,
       fact_at, source, message_id
from judged
union all
select null, contact_id, email, email_key, contact, 'normal',
       case when $stale = 'park' and stuck is not null then 'stay' else $stale end,
       case when $stale = 'park' then coalesce(stuck, '') else '' end,
       '', $stale = 'park' and stuck is null, null, null, null
from stale
order by place nulls last, contact_id
"""


def _counted(con: Connection, rows: pa.Table, have: pa.Table) -> Decision:
    con.register("decided", rows)
    tally = dict(con.execute("select action, count(*) from decided group by action").fetchall())
    refused = dict(
        con.execute(
            "select reason, count(*) from decided where action = 'refuse' group by reason order by 2 desc, 1"
        ).fetchall()
    )
    ((undoable,),) = con.execute("select count(*) from decided where undoable").fetchall()
    ((members,),) = con.execute("select count(*) from have where status = 'normal'").fetchall()
    add, pending, create = tally.get("add", 0), tally.get("add_pending", 0), tally.get("create", 0)
    park, unsubscribe = tally.get("park", 0), tally.get("unsubscribe", 0)
    counts = Counts(
        wanted=add + pending + create + tally.get("keep", 0) + tally.get("refuse", 0),
        add=add + pending,
        create=create,
        keep=tally.get("keep", 0),
        refused=tally.get("refuse", 0),
        stale=tally.get("stay", 0) + park + unsubscribe,
        park=park,
        unsubscribe=unsubscribe,
        pending=pending,
        undoable=undoable,
        members=members,
        after=members + add + create - park - unsubscribe,
    )
    return Decision(rows, counts, refused)
