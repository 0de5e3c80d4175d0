"""Reading the service now: a whole list, and contacts by id by whichever way costs fewer calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from icx.clock import naive_utc
from icx.errors import TryLater
from icx.functions import email as email_key
from icx.icontact import Client
from icx.icontact.paging import ERASED
from icx.plan.decide import CONTACTS, HAVE

TRIES = 5
IDS_A_CALL = 150  # what the client asks for in one read by id
SETTLE = 5.0  # seconds; a write whose answer was lost may still be under way in the service


def whole(client: Client, name: str, id_field: str, **filters: Any) -> list[dict[str, Any]]:
    """Return every row of a collection, read while its total stood still; raises TryLater when it never does.

    A plan made from half a list would take somebody who left for somebody who never was there.
    """
    seen: list[tuple[int | None, int]] = []
    for _ in range(TRIES):
        rows: dict[Any, dict[str, Any]] = {}
        totals: set[int | None] = set()
        erased = 0  # people who were erased here are not read, and are counted all the same
        for page in client.pages(name, **filters):
            rows |= {row[id_field]: row for row in page.rows}
            erased += sum(aside.reason == ERASED for aside in page.set_aside)
            totals.add(page.total)
        if totals <= {len(rows) + erased, None}:
            return list(rows.values())
        seen.append((max((total or 0) for total in totals), len(rows)))
    total, found = seen[-1]
    raise TryLater(
        "list-moves",
        f"The count moved during each of {TRIES} readings.",
        where=f"{name}: {total:,} counted, {found:,} read",
        kept="nothing was sent",
        next=["the same command, when fewer changes are under way"],
    )


def list_members(client: Client, list_id: int) -> pa.Table:
    """Return every subscription of a list, of every status, as `decide.HAVE`."""
    rows = whole(client, "subscriptions", "subscriptionId", listId=list_id)
    # A filter is a hint: what is not of this list is no business of ours.
    return pa.Table.from_pylist(
        [
            {"contact_id": row["contactId"], "status": row["status"], "add_date": _naive(row.get("addDate"))}
            for row in rows
            if row["listId"] == list_id
        ],
        schema=HAVE,
    )


def members(have: pa.Table, status: str = "normal") -> set[int]:
    """Return the contacts of a reading that have this status."""
    columns = have.select(["contact_id", "status"]).to_pydict()
    return {
        contact
        for contact, found in zip(columns["contact_id"], columns["status"], strict=True)
        if found == status
    }


def contacts_now(client: Client, ids: Iterable[int], folder_size: int) -> pa.Table:
    """Return contacts as they are now (`decide.CONTACTS`), by id or by reading the folder, whichever costs less.

    One that iContact does not know any more has the status `gone`.
    """
    wanted = list(dict.fromkeys(ids))
    by_id = -(-len(wanted) // IDS_A_CALL)
    everybody = -(-folder_size // client.page_size)
    found: Mapping[int, dict[str, Any] | None]
    if by_id <= everybody:
        found = client.contacts_by_id(wanted)
    else:
        read = {row["contactId"]: row for row in client.rows("contacts", status="total")}
        missing = [contact for contact in wanted if contact not in read]
        found = read | client.contacts_by_id(missing)
    return contacts_table({contact: found.get(contact) for contact in wanted})


def contacts_table(found: Mapping[int, dict[str, Any] | None]) -> pa.Table:
    """Return rows of the service as `decide.CONTACTS`."""
    return pa.Table.from_pylist(
        [
            {
                "contact_id": contact,
                "email": row["email"] if row else None,
                "email_key": email_key(row["email"]) if row and row["email"] else None,
                "status": (row["status"] or "unknown") if row else "gone",
            }
            for contact, row in found.items()
        ],
        schema=CONTACTS,
    )


def settled(
    client: Client, list_id: int, look: Callable[[pa.Table], Iterable[int]], first: pa.Table | None = None
) -> pa.Table:
    """Return a reading of a list in which `look` misses nobody, or the second one after a pause."""
    have = list_members(client, list_id) if first is None else first
    if any(True for _ in look(have)):
        client.clock.sleep(SETTLE)
        have = list_members(client, list_id)
    return have


def _naive(moment: datetime | None) -> datetime | None:
    return naive_utc(moment) if moment else None
