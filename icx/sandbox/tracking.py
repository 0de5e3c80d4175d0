"""Tracking of one message: opens, clicks, bounces, unsubscribes as pages, and the statistics object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from icx.sandbox.answers import iso_time, not_found
from icx.sandbox.call import Call, number
from icx.sandbox.search import Column, read_page, read_search

# Path word -> (kind in the events table, name of its time on the wire).
KINDS = {
    "opens": ("open", "openTime"),
    "clicks": ("click", "clickTime"),
    "bounces": ("bounce", "bounceTime"),
    "unsubscribes": ("unsubscribe", "unsubscribeTime"),
}


def _message(call: Call) -> int:
    message_id = number(call.ids[0])
    sql = "select 1 from messages where folder_id = ? and message_id = ?"
    if message_id is None or call.con.execute(sql, [call.folder_id, message_id]).fetchone() is None:
        raise not_found()
    return message_id


def page_of(word: str) -> Callable[[Call], dict[str, Any]]:
    """Return the handler of one kind's pages."""
    kind, moment = KINDS[word]
    click = word == "clicks"
    columns = {"contactId": Column("contact_id", "id"), moment: Column("event_time", "time")}
    if click:
        columns["clickLink"] = Column("url")

    def read_row(row: tuple[Any, ...]) -> dict[str, Any]:
        shown = {"contactId": row[0], moment: iso_time(row[1])}
        return shown | {"clickLink": row[2]} if click else shown

    def handler(call: Call) -> dict[str, Any]:
        message_id = _message(call)
        search = read_search(call, columns, default=call.state.switches.tracking_limit)
        search.add("message_id = ? and kind = ?", message_id, kind)
        return read_page(
            call,
            search,
            plural=word,
            select="cast(contact_id as text), event_time, url",
            source="events",
            key="event_id",
            row=read_row,
        )

    return handler


def statistics(call: Call) -> dict[str, Any]:
    """GET messages/{id}/statistics: counted from the events; one object, no paging."""
    message_id = _message(call)
    return {"statistics": call.state.cached(("statistics", message_id), lambda: _count(call, message_id))}


def _count(call: Call, message_id: int) -> dict[str, Any]:
    sql = "select kind, count(*), count(distinct contact_id) from events where message_id = ? group by kind"
    counts = {kind: (total, unique) for kind, total, unique in call.con.execute(sql, [message_id])}
    extra = call.con.execute(
        "select delivered, forwards, comments, complaints from statistics where message_id = ?", [message_id]
    ).fetchone() or (None, 0, 0, 0)
    sent = call.con.execute(
        "select coalesce(sum(recipient_count), 0) from sends where folder_id = ? and message_id = ? and status not in ('pending', 'cancelled', 'canceled')",
        [call.folder_id, message_id],
    ).fetchone()[0]
    none = (0, 0)
    bounces = counts.get("bounce", none)[0]
    opens, clicks = counts.get("open", none), counts.get("click", none)
    return {
        "bounces": bounces,
        "delivered": max(sent - bounces, 0) if extra[0] is None else extra[0],
        "unsubscribes": counts.get("unsubscribe", none)[0],
        "opens": {"unique": opens[1], "total": opens[0]},
        "clicks": {"unique": clicks[1], "total": clicks[0]},
        "forwards": extra[1] or 0,
        "comments": extra[2] or 0,
        "complaints": extra[3] or 0,
    }
