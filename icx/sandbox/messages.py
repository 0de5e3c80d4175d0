"""Messages, with the spam check that versions from 2.1 show, and the welcome automation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import ApiError, blanks, invalid, iso_time, missing, not_found, not_supported, warned
from icx.sandbox.call import Call, next_id, number, text
from icx.sandbox.search import Column, read_page, read_search

FIRST_ID = 5001
TYPES = ("normal", "confirmation", "welcome", "autoresponder")
TEXTS = {
    "subject": "subject",
    "messageType": "message_type",
    "messageName": "message_name",
    "previewText": "preview_text",
    "htmlBody": "html_body",
    "textBody": "text_body",
}
SELECT = (
    "cast(message_id as text), cast(campaign_id as text), message_type, subject, message_name, preview_text, "
    "html_body, text_body, create_date, raw_score"
)
SEARCHED = {
    "messageId": Column("message_id", "id"),
    "campaignId": Column("campaign_id", "id"),
    **{wire: Column(column) for wire, column in TEXTS.items()},
    "createDate": Column("create_date", "time"),
}
# Rule name -> (score, what it says, the words that earn it, in lower case).
SPAM_RULES = {
    "GTUBE": (
        1000.0,
        "Generic test for unsolicited bulk email",
        ("xjs*c4jdbqadn1.nsbn3*2idnen*gtube-standard",),
    ),
    "DEAR_FRIEND": (2.6, "Contains 'Dear Friend'", ("dear friend",)),
    "FREE_MONEY": (2.5, "Offers free money", ("free money", "make money fast", "$$$")),
    "URG_BIZ": (0.6, "Contains urgent matter", ("urgent", "act now")),
}
MOST_SPAM = 5.0


def spam_details(*texts: str | None) -> list[tuple[float, str, str]]:
    """Return the rules a message breaks as (score, name, description).

    >>> spam_details("Dear friend", None)
    [(2.6, 'DEAR_FRIEND', "Contains 'Dear Friend'")]
    """
    words = " ".join(each or "" for each in texts).lower()
    return [
        (score, name, says)
        for name, (score, says, marks) in SPAM_RULES.items()
        if any(m in words for m in marks)
    ]


def spam_check(call: Call, raw_score: float, *texts: str | None) -> dict[str, Any]:
    """Return the `spamCheck` member of a message or send, empty below version 2.1."""
    if call.version < (2, 1):
        return {}
    details = [
        {"spamDetailScore": f"{score:.1f}", "spamDetailName": name, "spamDetailDescription": says}
        for score, name, says in spam_details(*texts)
        or [(raw_score, "HTML_MESSAGE", "HTML included in message")]
        if score > 0
    ]
    return {"spamCheck": {"rawScore": f"{raw_score:.1f}", "spamDetails": details}}


def _read_row(call: Call, row: tuple[Any, ...]) -> dict[str, Any]:
    keys = (
        "messageId",
        "campaignId",
        "messageType",
        "subject",
        "messageName",
        "previewText",
        "htmlBody",
        "textBody",
    )
    shown = dict(zip(keys, row, strict=False))
    shown["createDate"] = iso_time(row[8])
    return shown | spam_check(call, row[9], row[3], row[6], row[7])


def message(call: Call, message_id: int | None) -> dict[str, Any]:
    """Return one message as a GET gives it, or 404."""
    sql = f"select {SELECT} from messages where folder_id = ? and message_id = ?"
    row = call.con.execute(sql, [call.folder_id, message_id]).fetchone()
    if row is None:
        raise not_found()
    return _read_row(call, row)


def list_page(call: Call) -> dict[str, Any]:
    """GET messages."""
    search = read_search(call, SEARCHED)
    search.add("folder_id = ?", call.folder_id)
    return read_page(
        call,
        search,
        plural="messages",
        select=SELECT,
        source="messages",
        key="message_id",
        row=lambda row: _read_row(call, row),
    )


def read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"message": message(call, number(call.ids[0]))}


def create(call: Call) -> dict[str, Any]:
    """POST the collection: rows with a messageId update, the others create."""
    made = []
    for given in call.rows("message", "messages"):
        with call.row():
            message_id = number(given.get("messageId"))
            kept = {} if message_id is None else message(call, message_id)
            message_id = message_id or next_id(call.con, "messages", "message_id", FIRST_ID)
            _save(call, message_id, given, kept)
            made.append(blanks(message(call, message_id)))
    return warned({"messages": made or None}, call.warnings)


def _save(call: Call, message_id: int, given: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    row = {**kept, **{key: value for key, value in given.items() if value is not None}}
    for name in ("campaignId", "messageType", "subject"):
        if text(row.get(name)) is None:
            raise ApiError(400, missing(name))
    if row["messageType"] not in TYPES:
        raise ApiError(400, invalid("messageType"))
    campaign_id = number(row["campaignId"])
    known = "select 1 from campaigns where folder_id = ? and campaign_id = ?"
    if call.con.execute(known, [call.folder_id, campaign_id]).fetchone() is None:
        raise ApiError(400, invalid("campaignId"))
    values: dict[str, Any] = {column: text(row.get(wire)) for wire, column in TEXTS.items()}
    values["campaign_id"] = campaign_id
    # Every change is checked again, as the service does.
    broken = spam_details(values["subject"], values["html_body"], values["text_body"])
    values["raw_score"] = sum(score for score, _, _ in broken)
    if kept:
        sets = ", ".join(f"{column} = ?" for column in values)
        call.con.execute(f"update messages set {sets} where message_id = ?", [*values.values(), message_id])
        return
    values |= {"message_id": message_id, "folder_id": call.folder_id, "create_date": call.now}
    call.con.execute(
        f"insert into messages ({', '.join(values)}) values ({', '.join('?' * len(values))})",
        [*values.values()],
    )


def merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    now = message(call, number(call.ids[0]))
    _save(call, int(now["messageId"]), call.fields("message"), now)
    return warned({"message": blanks(message(call, int(now["messageId"])))}, call.warnings)


def welcome_automation(call: Call) -> dict[str, Any]:
    """POST automations/welcomemessage: stored and echoed; nothing can be read back."""
    if call.ids[0] != "welcomemessage":
        raise not_supported()
    made = []
    for given in call.rows("automation", "automations"):
        with call.row():
            for name in ("messageId", "listId"):
                if text(given.get(name)) is None:
                    raise ApiError(400, missing(name))
            message(call, number(given["messageId"]))
            automation_id = _store_automation(call, given)
            made.append({"automationId": str(automation_id), **given})
    return warned({"automations": made or None}, call.warnings)


def _store_automation(call: Call, given: Mapping[str, Any]) -> int:
    last = call.con.execute("select max(id) from stored where kind = 'automation'").fetchone()[0]
    automation_id = max(901, (last or 0) + 1)
    call.con.execute(
        "insert into stored (kind, id, folder_id, parent, fields) values ('automation', ?, ?, 0, ?)",
        [automation_id, call.folder_id, json.dumps(given)],
    )
    return automation_id
