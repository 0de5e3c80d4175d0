"""Subscriptions: who is on which list; batch create, status by POST, move by PUT; the consent rules apply here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icx.sandbox import consent, history, lists
from icx.sandbox.answers import ApiError, invalid, iso_time, missing, not_found, not_supported, warned
from icx.sandbox.call import Call, number, text
from icx.sandbox.search import Column, Search, read_page, read_search

STATUSES = ("normal", "pending", "unsubscribed")
SELECT = "list_id, contact_id, status, add_date, confirmation_message_id"
SEARCHED = {
    "listId": Column("list_id", "id"),
    "contactId": Column("contact_id", "id"),
    "status": Column("status"),
    "addDate": Column("add_date", "time"),
    "confirmationMessageId": Column("confirmation_message_id"),
}


def read_row(row: tuple[Any, ...]) -> dict[str, Any]:
    list_id, contact_id, status, added, confirmation = row
    return {
        "subscriptionId": f"{list_id}_{contact_id}",
        "contactId": str(contact_id),
        "listId": str(list_id),
        "status": status,
        "addDate": iso_time(added),
        "confirmationMessageId": confirmation,
    }


def list_page(call: Call) -> dict[str, Any]:
    """GET subscriptions."""

    def by_id(search: Search, value: str) -> None:
        pairs = [_pair(part.strip()) for part in value.split(",") if part.strip()]
        marks = ", ".join("(?, ?)" for _ in pairs)
        search.add(
            f"(list_id, contact_id) in (values {marks})" if pairs else "0",
            *(each for pair in pairs for each in pair),
        )

    search = read_search(call, SEARCHED, {"subscriptionId": by_id})
    search.add("folder_id = ?", call.folder_id)
    return read_page(
        call,
        search,
        plural="subscriptions",
        select=SELECT,
        source="subscriptions",
        key="list_id, contact_id",
        row=read_row,
    )


def _pair(subscription_id: str) -> tuple[int, int]:
    """Read `{listId}_{contactId}`; an unreadable one matches nothing.

    >>> _pair("3001_70012"), _pair("3001")
    ((3001, 70012), (-1, -1))
    """
    left, _, right = subscription_id.partition("_")
    list_id, contact_id = number(left), number(right)
    return (-1, -1) if list_id is None or contact_id is None else (list_id, contact_id)


def _row(call: Call, list_id: int, contact_id: int) -> tuple[Any, ...] | None:
    sql = f"select {SELECT} from subscriptions where list_id = ? and contact_id = ? and folder_id = ?"
    row: tuple[Any, ...] | None = call.con.execute(sql, [list_id, contact_id, call.folder_id]).fetchone()
    return row


def _member(call: Call) -> tuple[Any, ...]:
    row = _row(call, *_pair(call.ids[0]))
    if row is None:
        raise not_found()
    return row


def read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"subscription": read_row(_member(call))}


def create(call: Call) -> dict[str, Any]:
    """POST the collection; ids are echoed in the type they were sent in."""
    made = []
    for given in call.rows("subscription", "subscriptions"):
        with call.row():
            made.append(_create_one(call, given))
    return warned({"subscriptions": made or None}, call.warnings)


def _create_one(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    sent_contact, sent_list = given.get("contactId"), given.get("listId")
    if text(given.get("subscriptionId")) is not None and sent_contact is None and sent_list is None:
        sent_list, _, sent_contact = str(given["subscriptionId"]).partition("_")
    for name, value in (("contactId", sent_contact), ("listId", sent_list), ("status", given.get("status"))):
        if text(value) is None:
            raise ApiError(400, missing(name))
    contact_id, list_id = number(sent_contact), number(sent_list)
    before = _row(call, list_id or 0, contact_id or 0)
    put(call, contact_id, list_id, str(given["status"]), text(given.get("confirmationMessageId")))
    if before is not None and before[2] == given["status"]:
        # a client's own suite expects to hear of it; the row is given all the same
        call.warn(f"The subscription {list_id}_{contact_id} already has the status {before[2]}")
    row = _row(call, list_id or 0, contact_id or 0)
    assert row is not None  # put() has just written it
    shown = {
        "addDate": iso_time(row[3]),
        "contactId": sent_contact,
        "listId": sent_list,
        "status": row[2],
        "subscriptionId": f"{list_id}_{contact_id}",
    }
    return shown | ({"confirmationMessageId": row[4]} if row[4] else {})


def inline(call: Call, contact_id: int, given: Any) -> list[dict[str, Any]]:
    """Subscribe a contact that was posted with its own `subscriptions`; refused ones become warnings."""
    made = []
    for each in given if isinstance(given, list) else []:
        with call.row():
            made.append(_create_one(call, {**each, "contactId": str(contact_id)}))
    return made


def put(
    call: Call, contact_id: int | None, list_id: int | None, became: str, confirmation: str | None
) -> None:
    """Set one person's state on one list, or raise the sentence that refuses it and change nothing."""
    if became not in STATUSES:
        raise ApiError(400, invalid("status"))
    email, contact_status = _contact(call, contact_id)
    if not lists.alive(call, list_id):
        raise ApiError(400, invalid("listId"))
    assert contact_id is not None
    assert list_id is not None
    row = _row(call, list_id, contact_id)
    was = row[2] if row else consent.past(call, email, list_id)
    forbidden = consent.subscription(contact_status, was, became)
    if forbidden is not None and consent.refuses(call, forbidden):
        raise ApiError(400, f"The subscription {list_id}_{contact_id} was not changed: {forbidden.why}.")
    if row is None:
        call.con.execute(
            "insert into subscriptions (list_id, contact_id, folder_id, status, add_date, confirmation_message_id)"
            " values (?, ?, ?, ?, ?, ?)",
            [list_id, contact_id, call.folder_id, became, call.now, confirmation],
        )
    elif row[2] != became or confirmation is not None:
        call.con.execute(
            "update subscriptions set status = ?, confirmation_message_id = coalesce(?, confirmation_message_id)"
            " where list_id = ? and contact_id = ?",
            [became, confirmation, list_id, contact_id],
        )
    if row is None or row[2] != became:
        consent.record(call, forbidden, contact_id, list_id)
        history.add(call, contact_id, "EditSubscription", {"listId": str(list_id), "newStatus": became})


def _contact(call: Call, contact_id: int | None) -> tuple[str | None, str]:
    sql = "select email, status from contacts where folder_id = ? and contact_id = ?"
    row = call.con.execute(sql, [call.folder_id, contact_id]).fetchone()
    if row is None:
        raise ApiError(400, invalid("contactId"))
    return row[0], row[1]


def merge(call: Call) -> dict[str, Any]:
    """POST a member: its status; a refused one is a warning, and the row stays as it was."""
    list_id, contact_id, status, _, _ = _member(call)
    given = call.fields("subscription")
    wanted = text(given.get("status")) or status
    if wanted not in STATUSES:
        raise ApiError(400, invalid("status"))
    with call.row():
        put(call, contact_id, list_id, wanted, text(given.get("confirmationMessageId")))
    return warned({"subscription": read_row(_member(call))}, call.warnings)


def move(call: Call) -> dict[str, Any]:
    """PUT a member with another listId (version 2.2): the person changes lists and keeps the status."""
    if call.version < (2, 2):
        raise not_supported()
    list_id, contact_id, status, _, confirmation = _member(call)
    given = call.fields("subscription")
    if text(given.get("listId")) is None:
        raise ApiError(400, missing("listId"))
    target = number(given["listId"])
    others = [name for name in given if name not in ("listId", "subscriptionId") and given[name] is not None]
    if others:
        call.warn(
            f"Only the listId of a subscription can be changed here. These fields were ignored: {', '.join(others)}"
        )
    if target == list_id:
        return warned({"subscription": read_row(_member(call))}, call.warnings)
    if not lists.alive(call, target):
        raise ApiError(400, invalid("listId"))
    email, _ = _contact(call, contact_id)
    moved = False
    with call.row():
        put(call, contact_id, target, status, confirmation)
        moved = True
    if not moved:
        return warned({"subscription": read_row(_member(call))}, call.warnings)
    # Someone who had left the old list has still left it, whatever becomes of the row.
    consent.remember(call, email, status, contact_id, list_id)
    call.con.execute("delete from subscriptions where list_id = ? and contact_id = ?", [list_id, contact_id])
    row = _row(call, target or 0, contact_id)
    assert row is not None  # put() has just written it
    return warned({"subscription": read_row(row)}, call.warnings)
