"""The tag filter: which messages carry the marker comment in their HTML body."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from icx.pull.reading import Once
from icx.pull.units import Source
from icx.settings import Settings
from icx.store import Connection


def carries(body: str | None, text: str, aid: str) -> bool:
    """Tell whether a body holds `<!-- TEXT:AID -->`; without an AID any one counts.

    >>> carries("<p>hi</p><!-- lytics-aid:77 -->", "lytics-aid", "77")
    True
    >>> carries("<!-- lytics-aid:778 -->", "lytics-aid", "77")
    False
    """
    wanted = re.escape(aid) if aid else r"[^\s>]+?"
    return re.search(rf"<!--\s*{re.escape(text)}\s*:\s*{wanted}\s*-->", body or "") is not None


def bodies_wanted(con: Connection, *, everything: bool) -> list[int]:
    """Return the messages whose body a listing did not bring and whose tag is not known."""
    rows = con.execute(
        "select message_id from messages where (html_body is null and tagged is null) or ? order by message_id",
        [everything],
    ).fetchall()
    return [id for (id,) in rows]


def body_task(client: Source, message_id: int, settings: Settings) -> Once:
    """Return the call that reads one message's body."""

    def store(con: Connection, row: Any, at: datetime) -> None:
        body = (row or {}).get("htmlBody")
        con.execute(
            "update messages set html_body = ?, tagged = ? where message_id = ?",
            [body, carries(body, settings.tag_text, settings.tag_aid), message_id],
        )

    return Once(f"body of message {message_id}", lambda: client.get("messages", message_id), store)


def judge(con: Connection, settings: Settings) -> None:
    """Mark every message whose body is here, and drop what is stored of those without the marker."""
    rows = con.execute("select message_id, html_body from messages where html_body is not null").fetchall()
    for message_id, body in rows:
        con.execute(
            "update messages set tagged = ? where message_id = ?",
            [carries(body, settings.tag_text, settings.tag_aid), message_id],
        )
    untagged = "message_id in (select message_id from messages where not tagged)"
    con.execute(f"delete from icontact_activity where {untagged}")
    con.execute(f"delete from units where {untagged}")
    con.execute(f"delete from statistics where {untagged}")


def forget(con: Connection) -> None:
    """Take back what only the filter needs, when it is off."""
    con.execute(
        "update messages set html_body = null, tagged = null where html_body is not null or tagged is not null"
    )
