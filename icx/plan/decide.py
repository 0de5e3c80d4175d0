"""Decide what becomes of everybody: the wanted, the members, the refused. Pure; values in, values out."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from icx.clock import naive_utc
from icx.plan.by_id import find
from icx.plan.consent import ENDED_BY, ROW_OF_FACT, judge
from icx.plan.policy import Policy
from icx.store import memory

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
    want = want.add_column(0, "place", pa.array(np.arange(want.num_rows)))
    parking = PARKING.empty_table() if parking is None else parking
    stand, kept_away = _known(want, have, contacts, facts, own_writes, parking, now)
    rows = pa.concat_tables(
        [
            _judged(want, have, contacts, parking, stand, policy),
            _stale(want, have, contacts, parking, kept_away, policy, leaving),
        ]
    )
    return _counted(rows, have)


def _known(
    want: pa.Table,
    have: pa.Table,
    contacts: pa.Table,
    facts: pa.Table,
    own_writes: pa.Table,
    parking: pa.Table,
    now: datetime,
) -> tuple[pa.Table, pa.Table]:
    """Return the facts that stand (place, standing, fact_at, source, message_id), a row for whoever has one, and whom
    they keep away from the parking list too (contact_id, email_key)."""
    con = memory()
    try:
        for name, table in (("want", want), ("have", have), ("contacts", contacts), ("facts", facts)):
            con.register(name, table)
        con.register("own_writes", own_writes)
        con.register("parking", parking)
        con.execute("create temp table ended_by (fact varchar, ends varchar)")
        con.executemany("insert into ended_by values (?, ?)", [list(pair) for pair in ENDED_BY.items()])
        script = (importlib.resources.files("icx.plan") / "decide.sql").read_text(encoding="utf-8")
        *statements, _ = script.split(";\n")
        for statement in statements:
            bound = {"now": naive_utc(now)} if "$now" in statement else None
            con.execute(statement, bound)
        stand = con.sql("select * from stand").to_arrow_table()
        kept_away = con.sql(_KEPT_AWAY, params={"rows": list(ROW_OF_FACT)}).to_arrow_table()
    finally:
        con.close()
    return stand, kept_away


_KEPT_AWAY = """
select distinct contact_id, email_key from told where fact = 'left_parking' or list_contains($rows, fact)
"""


def _judged(
    want: pa.Table, have: pa.Table, contacts: pa.Table, parking: pa.Table, stand: pa.Table, policy: Policy
) -> pa.Table:
    """Return the rows of the wanted. A verdict is asked for once per kind of people, of which there are some dozens."""
    ids = want.column("contact_id")
    contact_at, parked_at = find(ids, contacts.column("contact_id")), find(ids, parking.column("contact_id"))
    known_at = find(want.column("place"), stand.column("place"))
    emails = {name: _or_else(want, name, contacts, contact_at) for name in ("email", "email_key")}
    contact = pc.if_else(ids.is_null(), "new", _at(contacts, "status", contact_at, "gone"))
    on_list = _at(have, "status", find(ids, have.column("contact_id")), "not")
    ours = pc.and_(parking.column("ours"), pc.equal(parking.column("status"), "normal"))
    kinds = pa.table(
        {
            "contact": contact,
            "on_list": on_list,
            "standing": _at(stand, "standing", known_at, ""),
            "parked": pc.fill_null(ours.take(parked_at), False),
            "has_address": emails["email_key"].is_valid(),
        }
    )
    numbers, kind_at = _kinds(kinds)
    verdicts = [_verdict(**kind, policy=policy) for kind in numbers]
    given = {
        name: pa.array([one[place] for one in verdicts], type_).take(kind_at)
        for place, (name, type_) in enumerate(_VERDICT.items())
    }
    why = {name: stand.column(name).take(known_at) for name in ("fact_at", "source", "message_id")}
    who = {"place": want.column("place"), "contact_id": ids, **emails}
    return pa.table(who | {"contact": contact, "on_list": on_list} | given | why).cast(_ROWS)


_VERDICT = {"action": pa.string(), "reason": pa.string(), "via": pa.string(), "undoable": pa.bool_()}


def _verdict(
    contact: str, on_list: str, standing: str, parked: bool, has_address: bool, policy: Policy
) -> tuple[str, str, str, bool]:
    """Return action, reason, via and undoable of people who are alike in all that counts."""
    facts = set(filter(None, standing.split(",")))
    action, reason = judge(contact, on_list, facts, invite=policy.invite)
    if action == "create" and not has_address:
        action, reason = "refuse", "no_address"
    elif action == "create" and not policy.create_contacts:
        action, reason = "refuse", "no_id"
    return action, reason, "move" if action == "add" and parked else "", action == "add"


def _stale(
    want: pa.Table,
    have: pa.Table,
    contacts: pa.Table,
    parking: pa.Table,
    kept_away: pa.Table,
    policy: Policy,
    leaving: frozenset[int] | None,
) -> pa.Table:
    """Return the rows of the members who are not wanted, by their ids.

    Parking puts somebody on a list too, if a quiet one: only people who may be added to it are moved there.
    """
    members = have.filter(pc.equal(have.column("status"), "normal")).column("contact_id")
    ids = members.filter(find(members, want.column("contact_id").drop_null()).is_null())
    if leaving is not None:
        ids = ids.filter(pc.is_in(ids, value_set=pa.array(sorted(leaving), pa.int64())))
    ids = ids.take(pc.sort_indices(ids))
    at = find(ids, contacts.column("contact_id"))
    email, key = (contacts.column(name).take(at) for name in ("email", "email_key"))
    contact = _at(contacts, "status", at, "gone")
    action: Any = policy.stale
    stuck: Any = ""
    if policy.stale == "park":
        said_no = pc.or_(
            pc.is_in(ids, value_set=kept_away.column("contact_id").drop_null()),
            pc.is_in(key, value_set=kept_away.column("email_key").drop_null()),
        )
        stuck = pc.if_else(said_no, "said_no", "")
        stuck = pc.if_else(pc.equal(contact, "normal"), stuck, "not_normal")
        there = find(ids, parking.column("contact_id")).is_valid()
        stuck = pc.if_else(there, "on_parking_list", stuck)
        action = pc.if_else(pc.equal(stuck, ""), "park", "stay")
    count = len(ids)
    given = {"on_list": "normal", "action": action, "reason": stuck, "via": ""}
    columns = {"contact_id": ids, "email": email, "email_key": key, "contact": contact} | {
        name: pa.repeat(value, count) if isinstance(value, str) else value for name, value in given.items()
    }
    columns["undoable"] = pc.equal(columns["action"], "park")
    return pa.table({field.name: columns.get(field.name, pa.nulls(count)) for field in _ROWS}).cast(_ROWS)


_ROWS = pa.schema(
    [
        ("place", pa.int64()),
        *WANT,
        ("contact", pa.string()),
        ("on_list", pa.string()),
        *_VERDICT.items(),
        ("fact_at", pa.timestamp("us")),
        ("source", pa.string()),
        ("message_id", pa.int64()),
    ]
)


def _at(table: pa.Table, column: str, rows: pa.Array, missing: str) -> pa.ChunkedArray:
    """Return the words of a column in these rows; `missing` for none."""
    return pc.fill_null(table.column(column).take(rows), missing)


def _or_else(want: pa.Table, name: str, contacts: pa.Table, at: pa.Array) -> pa.ChunkedArray:
    """Return what is wanted under a name, or else what the contact has there."""
    given = want.column(name)
    return pc.coalesce(given, contacts.column(name).take(at)) if given.null_count else given


def _kinds(columns: pa.Table) -> tuple[list[dict[str, Any]], pa.Array]:
    """Return the different rows of a table of few words, and which of them each row is."""
    number: Any = pa.scalar(0, pa.int64())
    for column in columns.columns:
        words = column.combine_chunks().dictionary_encode()
        number = pc.add(pc.multiply(number, len(words.dictionary)), words.indices)
    kinds = number.dictionary_encode()
    first = pc.index_in(kinds.dictionary, value_set=number)
    return columns.take(first).to_pylist(), kinds.indices


def _counted(rows: pa.Table, have: pa.Table) -> Decision:
    tally = _tally(rows.column("action"))
    reasons = _tally(rows.column("reason").filter(pc.equal(rows.column("action"), "refuse")))
    refused = dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
    undoable = pc.sum(rows.column("undoable")).as_py() or 0
    members = pc.sum(pc.equal(have.column("status"), "normal")).as_py() or 0
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


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    return {one["values"]: one["counts"] for one in column.value_counts().to_pylist()}
