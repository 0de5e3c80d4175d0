"""Campaigns (sender properties) and messages, with the spam check that versions from 2.1 show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import ApiError, invalid, iso_time, missing, not_found, not_supported, warned
from icx.sandbox.call import Call, next_id, number, text
from icx.sandbox.search import Column, read_page, read_search

CAMPAIGN_KEYS = (
    "name",
    "description",
    "fromName",
    "fromEmail",
    "forwardToFriend",
    "subscriptionManagement",
    "clickTrackMode",
    "useAccountAddress",
    "archiveByDefault",
    "street",
    "city",
    "state",
    "zip",
    "country",
)
CAMPAIGN_REQUIRED = (
    "name",
    "fromName",
    "fromEmail",
    "subscriptionManagement",
    "clickTrackMode",
    "useAccountAddress",
    "archiveByDefault",
)
CAMPAIGN_SEARCHED = {
    "campaignId": Column("campaign_id", "id"),
    **{key: Column(f"json_extract(fields, '$.{key}')") for key in CAMPAIGN_KEYS},
}
FIRST_CAMPAIGN, FIRST_MESSAGE = 101, 5001

MESSAGE_TYPES = ("normal", "confirmation", "welcome", "autoresponder")
MESSAGE_TEXTS = {
    "subject": "subject",
    "messageType": "message_type",
    "messageName": "message_name",
    "previewText": "preview_text",
    "htmlBody": "html_body",
    "textBody": "text_body",
}
MESSAGE_SELECT = (
    "cast(message_id as text), cast(campaign_id as text), message_type, subject, message_name, preview_text, "
    "html_body, text_body, create_date, raw_score"
)
MESSAGE_SEARCHED = {
    "messageId": Column("message_id", "id"),
    "campaignId": Column("campaign_id", "id"),
    **{wire: Column(column) for wire, column in MESSAGE_TEXTS.items()},
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


# --- campaigns


def _campaign_row(row: tuple[Any, ...]) -> dict[str, Any]:
    fields = json.loads(row[1])
    return {"campaignId": row[0], **{key: text(fields.get(key)) for key in CAMPAIGN_KEYS}}


def _campaign(call: Call, campaign_id: int | None) -> dict[str, Any]:
    sql = "select cast(campaign_id as text), fields from campaigns where folder_id = ? and campaign_id = ?"
    row = call.con.execute(sql, [call.folder_id, campaign_id]).fetchone()
    if row is None:
        raise not_found()
    return _campaign_row(row)


def campaigns_page(call: Call) -> dict[str, Any]:
    """GET campaigns."""
    search = read_search(call, CAMPAIGN_SEARCHED)
    search.add("folder_id = ?", call.folder_id)
    return read_page(
        call,
        search,
        plural="campaigns",
        select="cast(campaign_id as text), fields",
        source="campaigns",
        key="campaign_id",
        row=_campaign_row,
    )


def campaign_read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"campaign": _campaign(call, number(call.ids[0]))}


def campaigns_create(call: Call) -> dict[str, Any]:
    """POST the collection: rows with a campaignId update, the others create."""
    made = []
    for given in call.rows("campaign", "campaigns"):
        with call.row():
            campaign_id = number(given.get("campaignId"))
            if campaign_id is None:
                campaign_id = next_id(call.con, "campaigns", "campaign_id", FIRST_CAMPAIGN)
                _save_campaign(call, campaign_id, given, {})
            else:
                _save_campaign(call, campaign_id, given, _campaign(call, campaign_id))
            made.append(_blanks(_campaign(call, campaign_id)))
    return warned({"campaigns": made or None}, call.warnings)


def _save_campaign(call: Call, campaign_id: int, given: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    row = {**kept, **{key: value for key, value in given.items() if value is not None}}
    for name in CAMPAIGN_REQUIRED:
        if text(row.get(name)) is None:
            raise ApiError(400, missing(name))
    fields = {key: value for key in CAMPAIGN_KEYS if (value := text(row.get(key))) is not None}
    call.con.execute(
        "insert or replace into campaigns (campaign_id, folder_id, fields) values (?, ?, ?)",
        [campaign_id, call.folder_id, json.dumps(fields)],
    )


def campaign_merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    return _write_campaign(call, replace=False)


def campaign_replace(call: Call) -> dict[str, Any]:
    """PUT a member: everything not given is blanked."""
    return _write_campaign(call, replace=True)


def _write_campaign(call: Call, *, replace: bool) -> dict[str, Any]:
    now = _campaign(call, number(call.ids[0]))
    _save_campaign(call, int(now["campaignId"]), call.fields("campaign"), {} if replace else now)
    return warned({"campaign": _blanks(_campaign(call, int(now["campaignId"])))}, call.warnings)


def _blanks(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: "" if value is None else value for key, value in row.items()}


# --- messages


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


def _message_row(call: Call, row: tuple[Any, ...]) -> dict[str, Any]:
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
    sql = f"select {MESSAGE_SELECT} from messages where folder_id = ? and message_id = ?"
    row = call.con.execute(sql, [call.folder_id, message_id]).fetchone()
    if row is None:
        raise not_found()
    return _message_row(call, row)


def messages_page(call: Call) -> dict[str, Any]:
    """GET messages."""
    search = read_search(call, MESSAGE_SEARCHED)
    search.add("folder_id = ?", call.folder_id)
    return read_page(
        call,
        search,
        plural="messages",
        select=MESSAGE_SELECT,
        source="messages",
        key="message_id",
        row=lambda row: _message_row(call, row),
    )


def message_read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"message": message(call, number(call.ids[0]))}


def messages_create(call: Call) -> dict[str, Any]:
    """POST the collection: rows with a messageId update, the others create."""
    made = []
    for given in call.rows("message", "messages"):
        with call.row():
            message_id = number(given.get("messageId"))
            kept = {} if message_id is None else message(call, message_id)
            message_id = message_id or next_id(call.con, "messages", "message_id", FIRST_MESSAGE)
            _save_message(call, message_id, given, kept)
            made.append(_blanks(message(call, message_id)))
    return warned({"messages": made or None}, call.warnings)


def _save_message(call: Call, message_id: int, given: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    row = {**kept, **{key: value for key, value in given.items() if value is not None}}
    for name in ("campaignId", "messageType", "subject"):
        if text(row.get(name)) is None:
            raise ApiError(400, missing(name))
    if row["messageType"] not in MESSAGE_TYPES:
        raise ApiError(400, invalid("messageType"))
    campaign_id = number(row["campaignId"])
    known = "select 1 from campaigns where folder_id = ? and campaign_id = ?"
    if call.con.execute(known, [call.folder_id, campaign_id]).fetchone() is None:
        raise ApiError(400, invalid("campaignId"))
    values: dict[str, Any] = {column: text(row.get(wire)) for wire, column in MESSAGE_TEXTS.items()}
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


def message_merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    now = message(call, number(call.ids[0]))
    _save_message(call, int(now["messageId"]), call.fields("message"), now)
    return warned({"message": _blanks(message(call, int(now["messageId"])))}, call.warnings)


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
