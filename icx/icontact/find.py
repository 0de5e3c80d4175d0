"""Finding: a filter asks, and every row that comes is compared here, letter by letter.

A search filter of iContact's is a hint: `*` means anything, a comma means several, an empty value means none, and an
unknown name means everything. So nothing is done with a row because a filter brought it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from icx.errors import Refused

if TYPE_CHECKING:
    from icx.icontact.client import Client

IDS_A_CALL = 150  # keeps the address of a read well below 2,000 characters


def same_address(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses are the same to iContact, where an address is unique in its folder.

    Lower case on both sides and no blanks around; nothing else: plus signs, dots and `*` are letters.

    >>> same_address("Ada@Example.com", "ada@example.com "), same_address("a*@example.com", "ada@example.com")
    (True, False)
    """
    return one is not None and other is not None and one.strip().lower() == other.strip().lower()


def contact_by_email(client: Client, email: str) -> list[dict[str, Any]]:
    """Return the contacts with exactly this address, of every status and on any list or none; usually 0 or 1.

    A comma in the address would make iContact look for two; it is asked for as `*`, which finds more, and what comes
    is compared.
    """
    asked = email.strip()
    if not asked:
        return []
    hint = asked.replace(",", "*")
    return [row for row in client.rows("contacts", email=hint) if same_address(row["email"], asked)]


def list_by_name(client: Client, name: str) -> list[dict[str, Any]]:
    """Return the lists with exactly this name, every letter and blank compared; two lists may share one.

    An account has few lists, so all are read and no filter is trusted.
    """
    return [row for row in client.rows("lists") if row["name"] == name]


def contacts_by_id(client: Client, ids: Iterable[int]) -> dict[int, dict[str, Any] | None]:
    """Return the contact of each id, read now; None where iContact has none.

    Read by the hundred with a filter; those that do not come are read singly, as deleted contacts are (they come with
    the status `deleted`).
    """
    wanted = list(dict.fromkeys(ids))
    found: dict[int, dict[str, Any] | None] = {}
    for start in range(0, len(wanted), IDS_A_CALL):
        part = wanted[start : start + IDS_A_CALL]
        if len(part) > 1:
            found |= {row["contactId"]: row for row in hinted(client, "contacts", "contactId", part)}
        for id in part:
            if id not in found:
                found[id] = client.get("contacts", id)
    return {id: found[id] for id in wanted}


def statuses_on(client: Client, list_id: int, contacts: Sequence[int]) -> dict[int, str]:
    """Return the status, read now, of those of these contacts that are on the list."""
    found: dict[int, str] = {}
    for start in range(0, len(contacts), IDS_A_CALL):
        part = contacts[start : start + IDS_A_CALL]
        rows = hinted(client, "subscriptions", "contactId", part, listId=list_id)
        found |= {row["contactId"]: row["status"] for row in rows if row["listId"] == list_id}
    return found


def statuses_of(client: Client, contact: int) -> dict[int, str]:
    """Return the status, read now, of one contact on each list they are on, by list."""
    rows = hinted(client, "subscriptions", "contactId", [contact])
    return {row["listId"]: row["status"] for row in rows}


def hinted(client: Client, name: str, field: str, ids: Sequence[int], **more: Any) -> list[dict[str, Any]]:
    """Return the rows a comma separated filter brings that really are of these ids; maybe not all of them."""
    allowed = set(ids)
    try:
        # One page: a filter that was taken cannot bring more rows than ids times lists.
        filters: dict[str, Any] = {field: list(ids), **more}
        rows = client.page(name, **filters).rows
    except Refused as error:
        if error.code != "filter-ignored":
            raise
        return []
    return [row for row in rows if row.get(field) in allowed]
