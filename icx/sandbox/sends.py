"""Sends: one per message, recipients from the lists, released when their time has come."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from icx.sandbox.answers import ApiError, blanks, invalid, iso_time, missing, not_found, warned
from icx.sandbox.call import Call, next_id, number, text
from icx.sandbox.history import API_USER
from icx.sandbox.messages import MOST_SPAM, spam_check
from icx.sandbox.search import Column, read_page, read_search

IDS = {
    "includeListIds": "include_list_ids",
    "excludeListIds": "exclude_list_ids",
    "includeSegmentIds": "include_segment_ids",
    "excludeSegmentIds": "exclude_segment_ids",
}
SELECT = (
    "cast(send_id as text), cast(message_id as text), include_list_ids, exclude_list_ids, include_segment_ids, "
    "exclude_segment_ids, scheduled_time, released_time, recipient_count, status"
)
SEARCHED = {
    "sendId": Column("send_id", "id"),
    "messageId": Column("message_id", "id"),
    **{wire: Column(column) for wire, column in IDS.items()},
    "status": Column("status"),
    "recipientCount": Column("recipient_count", "number"),
    "scheduledTime": Column("scheduled_time", "time"),
    "releasedTime": Column("released_time", "time"),
}
FIRST_ID = 8001
SCHEDULE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00")


def _read_row(call: Call, row: tuple[Any, ...]) -> dict[str, Any]:
    shown: dict[str, Any] = {"sendId": row[0], "messageId": row[1]}
    shown |= dict(zip(IDS, (value or None for value in row[2:6]), strict=True))
    shown["scheduledTime"] = None if row[6] is None else iso_time(row[6])
    shown["releasedTime"] = None if row[7] is None else iso_time(row[7])
    shown["recipientCount"] = str(row[8] or 0)
    shown["status"] = row[9]
    score, subject, html, plain = call.con.execute(
        "select raw_score, subject, html_body, text_body from messages where message_id = ?", [row[1]]
    ).fetchone() or (0.0, None, None, None)
    return shown | spam_check(call, score, subject, html, plain)


def _stored(call: Call, send_id: int | None) -> tuple[Any, ...]:
    sql = f"select {SELECT} from sends where folder_id = ? and send_id = ?"
    row: tuple[Any, ...] | None = call.con.execute(sql, [call.folder_id, send_id]).fetchone()
    if row is None:
        raise not_found()
    return row


def list_page(call: Call) -> dict[str, Any]:
    """GET sends."""
    search = read_search(call, SEARCHED)
    search.add("folder_id = ?", call.folder_id)
    return read_page(
        call,
        search,
        plural="sends",
        select=SELECT,
        source="sends",
        key="send_id",
        row=lambda row: _read_row(call, row),
    )


def read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"send": _read_row(call, _stored(call, number(call.ids[0])))}


def create(call: Call) -> dict[str, Any]:
    """POST the collection; a refused send is a warning and no row, and the list is then []."""
    made = []
    for given in call.rows("send", "sends"):
        with call.row():
            made.append(blanks(_create_one(call, given)))
    return warned({"sends": made}, call.warnings)


def _create_one(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    if text(given.get("messageId")) is None:
        raise ApiError(400, missing("messageId"))
    if all(text(given.get(name)) is None for name in ("includeListIds", "includeSegmentIds")):
        raise ApiError(400, missing("includeListIds"))
    message_id = number(given["messageId"])
    sql = "select raw_score from messages where folder_id = ? and message_id = ?"
    found = call.con.execute(sql, [call.folder_id, message_id]).fetchone()
    if found is None:
        raise ApiError(400, invalid("messageId"))
    already = call.con.execute(
        "select send_id from sends where message_id = ? and status not in ('cancelled', 'canceled') limit 1",
        [message_id],
    ).fetchone()
    if already:
        raise ApiError(
            400, f"Message [messageId={message_id}] already scheduled for send [sendId={already[0]}]"
        )
    if found[0] >= MOST_SPAM:
        raise ApiError(
            400, f"Message [messageId={message_id}] was not sent: its spam score is {found[0]:.1f}"
        )
    ids = {column: _id_list(given, wire) for wire, column in IDS.items()}
    _check_lists(call, ids)
    values: dict[str, Any] = {
        "send_id": next_id(call.con, "sends", "send_id", FIRST_ID),
        "folder_id": call.folder_id,
    }
    values |= {"message_id": message_id, "status": "pending", "scheduled_time": _schedule(given)} | ids
    call.con.execute(
        f"insert into sends ({', '.join(values)}) values ({', '.join('?' * len(values))})", [*values.values()]
    )
    release_due(call)
    if _stored(call, values["send_id"])[9] == "pending":
        _remember(call, values["send_id"], "ScheduleSend")
    return _read_row(call, _stored(call, values["send_id"]))


def _id_list(given: Mapping[str, Any], wire: str) -> str:
    value = given.get(wire)
    if isinstance(value, list):
        value = ",".join(str(each) for each in value)
    ids = [part.strip() for part in (text(value) or "").split(",") if part.strip()]
    if any(number(each) is None for each in ids):
        raise ApiError(400, invalid(wire))
    return ",".join(ids)


def _check_lists(call: Call, ids: Mapping[str, str]) -> None:
    for wire, column in list(IDS.items())[:2]:
        for each in filter(None, ids[column].split(",")):
            sql = "select 1 from lists where folder_id = ? and list_id = ? and not deleted"
            if call.con.execute(sql, [call.folder_id, int(each)]).fetchone() is None:
                raise ApiError(400, invalid(wire))


def _schedule(given: Mapping[str, Any]) -> int | None:
    wanted = text(given.get("scheduledTime"))
    if wanted is None:
        return None
    if not SCHEDULE.fullmatch(wanted):
        raise ApiError(400, invalid("scheduledTime"))
    try:
        return int(datetime.fromisoformat(wanted).timestamp())
    except ValueError:
        raise ApiError(400, invalid("scheduledTime")) from None


def recipients(ids: tuple[str, str]) -> str:
    """Return the SELECT of contact ids that a send to these lists (included, excluded) reaches.

    Ids are checked digits and commas. Segments are stored and echoed, not evaluated: they add nobody.
    """
    included, excluded = ids
    chosen = f"list_id in ({included or 'null'}) and s.status = 'normal' and c.status = 'normal'"
    sql = (
        f"select distinct s.contact_id from subscriptions s join contacts c using (contact_id) where {chosen}"
    )
    if excluded:
        sql += (
            f" and s.contact_id not in (select contact_id from subscriptions where list_id in ({excluded}))"
        )
    return sql


def _remember(call: Call, send_id: int, action: str) -> None:
    row = _stored(call, send_id)
    details = json.dumps({"messageId": row[1], "sendId": row[0]})
    call.con.execute(
        "insert into actions (folder_id, contact_id, action_type, action_time, actor, details)"
        f" select ?, contact_id, ?, ?, ?, ? from ({recipients((row[2], row[3]))})",
        [call.folder_id, action, call.now, API_USER, details],
    )


def is_due(call: Call) -> bool:
    """Say whether a send waits whose time has come."""
    sql = "select 1 from sends where status = 'pending' and coalesce(scheduled_time, 0) <= ? limit 1"
    return call.con.execute(sql, [call.now]).fetchone() is not None


def release_due(call: Call) -> None:
    """Release every pending send whose time has come: count its recipients and note it in their history."""
    sql = "select send_id, include_list_ids, exclude_list_ids from sends where status = 'pending'"
    sql += " and coalesce(scheduled_time, 0) <= ?"
    for send_id, included, excluded in call.con.execute(sql, [call.now]).fetchall():
        count = call.con.execute(f"select count(*) from ({recipients((included, excluded))})").fetchone()[0]
        call.con.execute(
            "update sends set status = 'released', released_time = ?, recipient_count = ? where send_id = ?",
            [call.now, count, send_id],
        )
        _remember(call, send_id, "ReleaseSend")


def delete(call: Call) -> list[Any]:
    """DELETE a member: cancels what has not gone out yet."""
    row = _stored(call, number(call.ids[0]))
    if row[9] == "pending":
        call.con.execute("update sends set status = 'cancelled' where send_id = ?", [row[0]])
        _remember(call, int(row[0]), "CancelSend")
    elif row[9] not in ("cancelled", "canceled"):
        raise ApiError(400, f"Send [sendId={row[0]}] is {row[9]} and can not be cancelled")
    return []
