"""Reading again before an apply: the list, old contacts, new addresses; and deciding again: less, never more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from icx.clock import Clock
from icx.icontact import Client
from icx.plan import facts, match, reading
from icx.plan.contacts import Change, NewContact
from icx.plan.decide import HAVE, WANT
from icx.plan.make import Side, decide_now, unread_now
from icx.plan.mapping import fields_of
from icx.plan.match import Target
from icx.plan.plan import Plan
from icx.plan.send import Row
from icx.settings import Settings
from icx.store import Store
from icx.store.plans import Outcome, Plans

WRITING = {"add", "add_pending", "create", "park", "unsubscribe"}
#: The verbs of a fresh decision that are no more than the plan's own.
NO_MORE_THAN = {
    "add": {"add"},
    "add_pending": {"add_pending"},
    "create": {"create", "add"},
    "park": {"park"},
    "unsubscribe": {"unsubscribe"},
}


@dataclass
class Todo:
    """What is still to be sent, and who is left out; `said_no` are consent facts learned by reading again."""

    adds: list[Row] = field(default_factory=list)
    restores: list[Row] = field(default_factory=list)
    parks: list[Row] = field(default_factory=list)
    unsubscribes: list[Row] = field(default_factory=list)
    creates: list[NewContact] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    left_out: list[Outcome] = field(default_factory=list)
    said_no: list[tuple[int, str | None, str]] = field(default_factory=list)

    @property
    def people(self) -> int:
        return sum(
            len(rows) for rows in (self.adds, self.restores, self.parks, self.unsubscribes, self.creates)
        )


def fresh_contacts(
    rows: Sequence[Mapping[str, Any]],
    *,
    client: Client,
    store: Store,
    connection: str,
) -> tuple[pa.Table, dict[int, dict[str, Any]]]:
    """Return contacts of these plan rows as they are now, and whom the addresses to be made turned out to be.

    They are read however fresh the pull: somebody may have said no a minute ago. An address that is to become
    a contact is looked up, exactly.
    """
    _, size = facts.freshness(store, connection)
    found: dict[int, dict[str, Any]] = {}
    by_contact: dict[int, dict[str, Any] | None] = {}
    for row in rows:
        if row["action"] == "create":
            same = client.find_contact_by_email(row["email"])
            by_contact |= {contact["contactId"]: contact for contact in same}
            if same:
                found[row["row"]] = min(same, key=lambda contact: contact["contactId"])
    ids = [row["contact_id"] for row in rows if row["contact_id"] is not None]
    fresh = [reading.contacts_table(by_contact), reading.contacts_now(client, ids, size)]
    return pa.concat_tables(fresh), found


def todo(
    plan: Plan,
    rows: pa.Table,
    settled: Mapping[tuple[int, str], str],
    side: Side,
    *,
    client: Client,
    store: Store,
    plans: Plans,
    target: Target,
    settings: Settings,
    clock: Clock,
    only: int | None = None,
) -> Todo:
    """Return what is left to do of the plan's `rows`, after reading and deciding again.

    `settled` holds the state of rows already sent, by (row, action): they are not touched. Everything the
    fresh decision does not allow, or no longer needs, is left out with the reason. `only` is the one contact
    of a test.
    """
    acting = [row for row in acting_rows(rows) if only is None or row["contact_id"] == only]
    waiting = [
        row
        for row in acting
        if row["action"] in WRITING
        and not any((row["row"], verb) in settled for verb in (row["action"], "restore"))
    ]
    fresh, found = fresh_contacts(waiting, client=client, store=store, connection=target.connection)
    wanted = rows.slice(0, plan.counts.wanted).select(WANT.names)
    if found:
        ids = wanted.column("contact_id").to_pylist()
        for number, contact in found.items():
            ids[number] = contact["contactId"]
        wanted = wanted.set_column(0, "contact_id", pa.array(ids, pa.int64()))
    if any(row["action"] == "create" and row["row"] not in found for row in waiting):
        unread = unread_now(HAVE.empty_table(), wanted, client=client, store=store, target=target)
        if unread is not None:
            wanted = match.by_address(wanted, unread)
            there = pc.is_in(
                unread.column("contact_id"), value_set=fresh.column("contact_id").combine_chunks()
            )
            fresh = pa.concat_tables([fresh, unread.filter(pc.invert(there))])
    decision, _ = decide_now(
        wanted,
        side,
        store=store,
        plans=plans,
        target=target,
        policy=plan.policy,
        settings=settings,
        clock=clock,
        fresh=fresh,
    )
    # Both tables hold the wanted first and in the same order: a wanted person's place is the row.
    places = [row["row"] for row in acting if row["row"] < plan.counts.wanted]
    now_wanted = dict(zip(places, decision.rows.take(pa.array(places, pa.int64())).to_pylist(), strict=True))
    members = decision.rows.slice(plan.counts.wanted)
    now_stale = {row["contact_id"]: row for row in members.to_pylist()} if plan.policy.stale != "stay" else {}
    work = Todo()
    for row in waiting:
        now = now_wanted[row["row"]] if row["row"] in now_wanted else now_stale.get(row["contact_id"])
        _one(work, row, now, side)
    for row in acting:
        if row["fields"] and row["action"] in {"add", "keep"} and (row["row"], "fields") not in settled:
            now = now_wanted[row["row"]]
            if now["action"] in {"add", "keep"}:
                work.changes.append(Change(row["row"], row["contact_id"], fields_of(row)))
            else:
                reason = now["reason"] or "changed"
                work.left_out.append(Outcome(row["row"], "fields", "left_out", reason, row["contact_id"]))
    return work


def acting_rows(rows: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a plan that write something, each with its number under `row`."""
    writes = pc.is_in(rows.column("action"), value_set=pa.array(sorted(WRITING)))
    chosen = pc.indices_nonzero(pc.or_(writes, pc.is_valid(rows.column("fields"))))
    taken = rows.select(["contact_id", "email", "email_key", "action", "fields"]).take(chosen)
    return [row | {"row": number} for number, row in zip(chosen.to_pylist(), taken.to_pylist(), strict=True)]


def _one(work: Todo, row: Mapping[str, Any], now: Mapping[str, Any] | None, side: Side) -> None:
    action = row["action"]
    if now is None or now["action"] not in NO_MORE_THAN[action]:
        reason = now["reason"] if now is not None else "not_there"
        if now is not None and now["action"] == "keep":
            reason = "there"
        outcome = Outcome(row["row"], action, "left_out", reason or "changed", row["contact_id"])
        work.left_out.append(outcome)
        fact = {"left_this_list": "left", "do_not_contact": "donotcontact"}.get(reason)
        # That somebody is unsubscribed on the list itself has been noted when the list was read.
        if now is not None and fact and now["contact_id"] is not None and now["on_list"] != "unsubscribed":
            work.said_no.append((now["contact_id"], now["email_key"], fact))
        return
    contact, on_list = now["contact_id"], now["on_list"]
    if now["action"] == "create":
        work.creates.append(NewContact(row["row"], row["email"], fields_of(row)))
    elif now["via"] == "move":
        work.restores.append(Row(row["row"], contact, "restore", on_list, side.parked[contact]))
    elif action == "park":
        work.parks.append(Row(row["row"], contact, "park", on_list, side.parking_list_id))
    elif action == "unsubscribe":
        work.unsubscribes.append(Row(row["row"], contact, "unsubscribe", on_list))
    else:
        work.adds.append(Row(row["row"], contact, action, on_list))
