"""Resolving: after a write whose fate is unknown, what is there now? Reads only; nothing is ever sent again.

Each function says how its kind of write shows. A write may still be under way in the service when its connection has
been lost, so what is not there yet is looked for once more after a pause.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from icx.icontact import codec, find
from icx.icontact.resources import resource, subscription_id

if TYPE_CHECKING:
    from icx.icontact.client import Client

SETTLE = 5.0  # seconds between the two looks

Moved = Literal["moved", "not moved", "gone"]


def subscribe(
    client: Client, changes: Sequence[tuple[int, int, str]]
) -> dict[tuple[int, int], dict[str, Any] | None]:
    """Return the subscription that is there now for each (contact id, list id, status) sent, or None.

    Compare the row's `status` with the one sent: an older row of another status is not the write.
    """
    wanted = list(dict.fromkeys((contact, list_id) for contact, list_id, _ in changes))
    asked = {(contact, list_id): status for contact, list_id, status in changes}
    found: dict[tuple[int, int], dict[str, Any] | None] = {}
    for list_id in dict.fromkeys(list_id for _, list_id in wanted):
        contacts = [contact for contact, one in wanted if one == list_id]
        for start in range(0, len(contacts), find.IDS_A_CALL):
            part = contacts[start : start + find.IDS_A_CALL]
            if len(part) > 1:
                for row in find.hinted(client, "subscriptions", "contactId", part, listId=list_id):
                    if row["listId"] == list_id:
                        found[(row["contactId"], list_id)] = row

    def look() -> list[tuple[int, int]]:
        for pair in wanted:
            if not _is(found.get(pair), asked[pair]):
                found[pair] = client.get("subscriptions", subscription_id(pair[1], pair[0]))
        return [pair for pair in wanted if not _is(found[pair], asked[pair])]

    if look():
        client.clock.sleep(SETTLE)
        look()
    return {pair: found[pair] for pair in wanted}


def move(client: Client, list_id: int, contact_id: int, to_list_id: int) -> Moved:
    """Return whether a move was done: the new subscription is read before the old one.

    Both there means not moved (the contact was on the other list already); neither there, the contact is gone.
    """

    def look() -> Moved:
        new = client.get("subscriptions", subscription_id(to_list_id, contact_id))
        old = client.get("subscriptions", subscription_id(list_id, contact_id))
        if old is not None:
            return "not moved"
        return "gone" if new is None else "moved"

    first = look()
    if first == "moved":
        return first
    client.clock.sleep(SETTLE)
    return look()


def create_contact(client: Client, email: str) -> list[dict[str, Any]]:
    """Return the contacts that now have exactly this address; none means that it was not created."""
    found = find.contact_by_email(client, email)
    if not found:
        client.clock.sleep(SETTLE)
        found = find.contact_by_email(client, email)
    return found


def create_list(client: Client, name: str, before: Collection[int]) -> list[dict[str, Any]]:
    """Return the lists of exactly this name that were not there before (`before`: the ids read before the write)."""
    found = [row for row in find.list_by_name(client, name) if row["listId"] not in before]
    if not found:
        client.clock.sleep(SETTLE)
        found = [row for row in find.list_by_name(client, name) if row["listId"] not in before]
    return found


def create_custom_field(client: Client, private_name: str) -> dict[str, Any] | None:
    """Return the custom field of exactly this private name, or None."""
    for pause in (0.0, SETTLE):
        if pause:
            client.clock.sleep(pause)
        for row in client.rows("customfields"):
            if row["privateName"] == private_name:
                return row
    return None


def update_contact(client: Client, contact_id: int, fields: Mapping[str, Any]) -> bool:
    """Return whether a contact now has every one of these values, compared field by field."""
    wire = codec.encode(resource("contacts"), fields)
    for pause in (0.0, SETTLE):
        if pause:
            client.clock.sleep(pause)
        row = client.get("contacts", contact_id)
        if row is not None and all(_held(row, key) == codec.text_of(value) for key, value in wire.items()):
            return True
    return False


def delete_contact(client: Client, contact_id: int) -> bool:
    """Return whether a contact is deleted; it stays readable and its status says so."""
    for pause in (0.0, SETTLE):
        if pause:
            client.clock.sleep(pause)
        row = client.get("contacts", contact_id)
        if row is None or row["status"] == "deleted":
            return True
    return False


def _is(row: Mapping[str, Any] | None, status: str) -> bool:
    return row is not None and row["status"] == status


def _held(row: Mapping[str, Any], key: str) -> str | None:
    return codec.text_of(row["custom"][key] if key in row["custom"] else row.get(key))
