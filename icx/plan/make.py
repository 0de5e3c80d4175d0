"""Making a plan: read the target list, ask what is known, decide, and keep the answer. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from icx.clock import Clock, naive_utc
from icx.errors import BadInput
from icx.icontact import Client
from icx.plan import facts, mapping, match, reading
from icx.plan.cost import cost
from icx.plan.decide import CONTACTS, HAVE, PARKING, WANT, Decision, decide
from icx.plan.match import Target
from icx.plan.plan import Plan
from icx.plan.policy import Policy
from icx.plan.retry import Among
from icx.plan.stops import Gate, stops
from icx.settings import Settings
from icx.store import Store, pushed
from icx.store.plans import Place, Plans


class Relation(Protocol):
    """Anything that turns into an Arrow table, such as a DuckDB relation."""

    def to_arrow_table(self) -> pa.Table: ...


@dataclass(frozen=True)
class Side:
    """The target's side: the list's subscriptions, the parking list, who icx parked from here and where to."""

    have: pa.Table
    parking: pa.Table
    parked: dict[int, int]
    parking_list_id: int | None


def make(
    want: pa.Table | Relation,
    *,
    target: Target,
    policy: Policy,
    client: Client,
    store: Store,
    plans: Plans,
    settings: Settings,
    clock: Clock,
    audience: str,
    as_of: datetime,
    who: str,
    create: bool = False,
    gate: Gate | None = None,
    override: Mapping[str, Any] | None = None,
    uses: Mapping[str, Any] | None = None,
    among: Among | None = None,
    run: str | None = None,
) -> Plan:
    """Return the plan that would make the people of `want` members of the target list, and keep it.

    `want` has contact_id (null for people without one), email, email_key and the columns the mapping names.
    `create` makes the list when there is none of this name. `gate` is the verdict on the data used; when it
    is not ok the plan cannot be applied, unless `override` says which check, who and why. `uses` is what the
    audience rests on (JSON), so that the gate can be asked again at apply. `as_of` is aware. `among` limits the plan
    to whom an earlier one did not get through. Raises BadInput: list-unknown, list-twice, cannot-map, plan-choice,
    nothing-to-retry.
    """
    place = f"{target.connection}/lists/{target.list}"
    facts.check_read(store, target.connection, settings.one_sender, ["icx", "plan", audience, "--to", place])
    table = want if isinstance(want, pa.Table) else want.to_arrow_table()
    lists = reading.whole(client, "lists", "listId")
    target = match.find(target, lists, client, create=create, audience=audience)
    if policy.stale == "park" and target.list == policy.parking_list:
        raise BadInput(
            "plan-choice",
            "Nobody can be parked from the parking list itself.",
            where=target.line(),
            kept="nothing was planned",
            next=["the same command without --stale park"],
        )
    side = read_side(client, lists, target.place, plans, policy)
    wanted = match.people(store, target.connection, table, policy.match)
    fresh = unread_now(side.have, wanted, client=client, store=store, target=target)
    wanted = match.by_address(wanted, fresh) if fresh is not None else wanted
    wanted = among.of(wanted) if among is not None else wanted
    custom = client.rows("customfields") if policy.mapping else ()
    wanted = mapping.travelling(wanted, policy.mapping, custom)
    facts.remember(store, target.place, side.have, clock.now())
    decision, known = decide_now(
        wanted,
        side,
        store=store,
        plans=plans,
        target=target,
        policy=policy,
        settings=settings,
        clock=clock,
        fresh=fresh,
        leaving=among.leaving if among is not None else None,
    )
    rows = with_fields(decision, wanted)
    counts = decision.counts
    updates = _count(rows, "fields", {"add", "keep"})
    restored = pc.sum(pc.equal(rows.column("via"), "move")).as_py() or 0
    makes_parking = policy.parking_list if counts.park and side.parking_list_id is None else None
    welcome = counts.add - counts.pending + counts.create if target.welcome else 0
    basis = policy.basis or settings.contact_basis
    found = stops(
        counts,
        list_name=target.list,
        first=not pushed.pushed(plans.journal, target.place),
        last_push=pushed.last_push(plans.journal, target.place),
        welcome=welcome,
        basis=basis,
        makes_parking_list=makes_parking,
        settings=settings,
    )
    plan = Plan(
        plan_id="",
        audience=audience,
        as_of=as_of,
        made_at=clock.now(),
        who=who,
        target=target,
        policy=replace(policy, basis=basis),
        counts=counts,
        refused=decision.refused,
        stops=found,
        cost=cost(
            counts,
            subscriptions=side.have.num_rows,
            folder_size=known.folder_size,
            updates=updates,
            restored=restored,
            makes=int(target.list_id is None) + int(makes_parking is not None),
            settings=settings,
        ),
        welcome=welcome,
        updates=updates,
        checks=_checks(gate, override, uses),
        calls_left=client.pace.budget.left(),
        parking_list_id=side.parking_list_id,
        zone=settings.zone,
        plans=plans,
    )
    plan_id = plans.add(
        plan.header(),
        rows,
        place=target.place,
        list_name=target.list,
        connection=target.connection,
        audience=audience,
        who=who,
    )
    note(store, clock, who, "planned", f"{plan_id}: {audience} to {target.line()}", run=run)
    if override and gate is not None and not gate.ok:
        what = f"{plan_id}: {override.get('check', 'checks')}"
        note(store, clock, who, "overrode", what, because=override.get("because"), run=run)
    return replace(plan, plan_id=plan_id)


def read_side(
    client: Client, lists: list[dict[str, Any]], place: Place, plans: Plans, policy: Policy
) -> Side:
    """Return the target list's subscriptions, and the parking lists that matter to it, read now."""
    ids = {row["listId"] for row in lists}
    have = reading.list_members(client, place.list_id) if place.list_id else HAVE.empty_table()
    parked = {
        contact: where for contact, where in pushed.parked(plans.journal, place).items() if where in ids
    }
    named = [row["listId"] for row in lists if row["name"] == policy.parking_list]
    parking_list_id = min(named) if named else None
    looked_at = set(parked.values()) | ({parking_list_id} if policy.stale == "park" else set()) - {None}
    rows: dict[int, dict[str, Any]] = {}
    for list_id in sorted(one for one in looked_at if one is not None):
        for row in reading.list_members(client, list_id).to_pylist():
            contact = row["contact_id"]
            ours = parked.get(contact) == list_id
            if contact not in rows or (ours and not rows[contact]["ours"]):
                rows[contact] = {"contact_id": contact, "status": row["status"], "ours": ours}
    parking = pa.Table.from_pylist(list(rows.values()), schema=PARKING)
    return Side(have, parking, parked, parking_list_id)


def unread_now(
    have: pa.Table, want: pa.Table, *, client: Client, store: Store, target: Target
) -> pa.Table | None:
    """Return contacts that no pull has seen yet as they are now (`decide.CONTACTS`), None when there are none.

    Contacts an apply made are members before any pull has seen them, or somebody has deleted them already: then they
    are found under the address they were made with, so that they are not made again.
    """
    unread = facts.unread(store, target.connection, target.place, have, want)
    if not unread:
        return None
    _, size = facts.freshness(store, target.connection)
    rows = [
        row | {"email_key": row["email_key"] or unread[row["contact_id"]]}
        for row in reading.contacts_now(client, unread, size).to_pylist()
    ]
    rows.sort(key=lambda row: row["status"] in {"gone", "deleted"})  # an address is first of who is there
    return pa.Table.from_pylist(rows, schema=CONTACTS)


def decide_now(
    wanted: pa.Table,
    side: Side,
    *,
    store: Store,
    plans: Plans,
    target: Target,
    policy: Policy,
    settings: Settings,
    clock: Clock,
    fresh: pa.Table | None = None,
    leaving: frozenset[int] | None = None,
) -> tuple[Decision, facts.Known]:
    """Return the decision on what is known now; `fresh` contacts replace the stored ones of the same id.

    Of the members who are not wanted only `leaving` are concerned, when it is given.
    """
    concerned = pa.concat_tables(
        [
            one.select(_CONCERNED.names).cast(_CONCERNED)
            for one in ([wanted] if fresh is None else [wanted, fresh])
        ]
        + [_by_id(one) for one in (side.have, side.parking)]
    )
    known = facts.known(
        store,
        target.connection,
        target.place,
        concerned,
        one_sender=settings.one_sender,
        parked=side.parked,
        parking_list=side.parking_list_id,
    )
    contacts = known.contacts
    if fresh is not None:
        again = pa.array(fresh.column("contact_id").to_pylist(), pa.int64())
        contacts = contacts.filter(pc.invert(pc.is_in(contacts.column("contact_id"), value_set=again)))
        contacts = pa.concat_tables([contacts, fresh])
    decision = decide(
        wanted.select(WANT.names).cast(WANT),
        side.have,
        contacts,
        known.facts,
        pushed.own_writes(plans.journal, target.place),
        policy=policy,
        now=clock.now(),
        parking=side.parking,
        leaving=leaving,
    )
    return decision, known


_CONCERNED = pa.schema([("contact_id", pa.int64()), ("email_key", pa.string())])


def _by_id(people: pa.Table) -> pa.Table:
    nobodys = pa.nulls(people.num_rows, pa.string())
    return people.select(["contact_id"]).append_column("email_key", nobodys).cast(_CONCERNED)


def with_fields(decision: Decision, wanted: pa.Table) -> pa.Table:
    """Return the decision's rows with `fields`, what travels with each person."""
    rows = decision.rows
    fields = pc.take(wanted.column("fields"), rows.column("place"))
    acting = pc.is_in(rows.column("action"), value_set=pa.array(["add", "create", "keep"]))
    return rows.append_column("fields", pc.if_else(acting, fields, pa.scalar(None, pa.string())))


def note(
    store: Store,
    clock: Clock,
    who: str,
    verb: str,
    what: str,
    *,
    because: str | None = None,
    run: str | None = None,
) -> None:
    """Write one line into the record of who did what."""
    with store.open() as con:
        con.execute(
            "insert into shared.record values (?, ?, ?, ?, ?, ?)",
            [naive_utc(clock.now()), who, verb, what, because, run],
        )


def _checks(
    gate: Gate | None, override: Mapping[str, Any] | None, uses: Mapping[str, Any] | None
) -> dict[str, Any]:
    if gate is None:
        return {"ok": None, "failed": [], "stale": [], "override": None}
    return ({"uses": dict(uses)} if uses else {}) | {
        "ok": gate.ok,
        "failed": [str(one) for one in gate.failed],
        "stale": [str(one) for one in gate.stale],
        "override": dict(override) if override and not gate.ok else None,
    }


def _count(rows: pa.Table, column: str, actions: set[str]) -> int:
    chosen = pc.is_in(rows.column("action"), value_set=pa.array(sorted(actions)))
    return int(pc.sum(pc.and_(chosen, pc.is_valid(rows.column(column)))).as_py() or 0)
