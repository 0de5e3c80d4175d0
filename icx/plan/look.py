"""The last look before a write: whoever said no while the batches before this one were sent is not written.

An apply of many people takes minutes, and nothing holds the list still meanwhile. So the people of a batch are asked
for once more right before it leaves, and the consent table is asked again; that can only make the batch smaller. The
same with an address that is to become a contact: one that somebody else has made by then would be written over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from icx.functions import email as email_key
from icx.icontact import Client, find
from icx.plan.consent import judge
from icx.store.plans import Outcome

if TYPE_CHECKING:
    from icx.plan.contacts import NewContact
    from icx.plan.send import Row

#: What a reason to leave somebody out teaches about consent.
FACTS = {"left_this_list": "left", "do_not_contact": "donotcontact"}


@dataclass
class Looked:
    """Who may still be written, who is left out and why, and (contact id, email key, fact) each of who said no.

    `there` holds how somebody who is left out for being there already stands on the list, by contact id.
    """

    still: list[Row] = field(default_factory=list)
    left_out: list[Outcome] = field(default_factory=list)
    said_no: list[tuple[int, str | None, str]] = field(default_factory=list)
    there: dict[int, str] = field(default_factory=dict)


def look(client: Client, to_list: int, rows: Sequence[Row], from_list: int | None = None) -> Looked:
    """Return which of these people may still be put on this list, be it by a subscription or by a move.

    A move is of one person, away from `from_list`. Who left that list stays on it as unsubscribed: their status would
    travel with them, and the list would no longer say that they left.
    """
    people = [row.contact_id for row in rows]
    contacts, left = client.contacts_by_id(people), set()
    if from_list is None:
        on_list = find.statuses_on(client, to_list, people)
    else:
        (contact_id,) = people
        everywhere = find.statuses_of(client, contact_id)
        on_list = {contact_id: everywhere[to_list]} if to_list in everywhere else {}
        left = {contact_id} if everywhere.get(from_list) == "unsubscribed" else set()
    seen = Looked()
    for row in rows:
        contact = contacts[row.contact_id]
        status = contact["status"] if contact else "gone"
        wanted = "add_pending" if row.action == "add_pending" else "add"
        verdict = judge(status, on_list.get(row.contact_id, "not"), invite=wanted == "add_pending")
        if verdict.action == wanted and row.contact_id not in left:
            seen.still.append(row)
            continue
        if verdict.action == "keep":
            seen.there[row.contact_id] = on_list[row.contact_id]
        there = "on_parking_list" if row.action == "park" else "there"
        refused = verdict.reason or ("left_this_list" if row.contact_id in left else "changed")
        reason = there if verdict.action == "keep" else refused
        seen.left_out.append(Outcome(row.row, row.action, "left_out", reason, row.contact_id))
        if reason in FACTS:
            key = email_key(contact["email"]) if contact and contact["email"] else None
            seen.said_no.append((row.contact_id, key, FACTS[reason]))
    return seen


def look_for(client: Client, people: Sequence[NewContact]) -> tuple[list[NewContact], list[Outcome]]:
    """Return who may still be made, and who is left out: somebody has their address by now, who is not ours to change."""
    still: list[NewContact] = []
    left_out: list[Outcome] = []
    for one in people:
        if there := client.find_contact_by_email(one.email):
            left_out.append(Outcome(one.row, "create", "left_out", "changed", there[0]["contactId"]))
        else:
            still.append(one)
    return still, left_out
