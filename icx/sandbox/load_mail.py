"""Loading campaigns, messages, sends and events, each checked against what it refers to."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from icx.sandbox.bulk import next_id
from icx.sandbox.load_files import Chunk, Column, File, find
from icx.sandbox.load_people import LONG_AGO, TEXT, Keys, insert
from icx.sandbox.load_values import (
    first_repeated,
    one_of,
    read_count,
    read_flag,
    read_id,
    read_ids,
    read_score,
    read_text,
    read_time,
)

CAMPAIGNS = {"campaign_id": Column(read_id, required=True), "name": Column(read_text, required=True)}
COUNTERS = ("delivered", "forwards", "comments", "complaints")
MESSAGES = {
    "message_id": Column(read_id, required=True),
    "subject": Column(read_text, required=True),
    "campaign_id": Column(read_id),
    "message_type": Column(one_of("normal", "confirmation", "welcome", "autoresponder"), default="normal"),
    **dict.fromkeys(("message_name", "preview_text", "html_body", "text_body"), TEXT),
    "create_date": Column(read_time, default=LONG_AGO),
    "spam_score": Column(read_score, default=0.0),
    "delivered": Column(read_count),
    **dict.fromkeys(COUNTERS[1:], Column(read_count, default=0)),
}
SENDS = {
    "message_id": Column(read_id, required=True),
    "send_id": Column(read_id),
    "include_list_ids": Column(read_ids, default=""),
    "exclude_list_ids": Column(read_ids, default=""),
    "scheduled_time": Column(read_time),
    "released_time": Column(read_time),
    "recipient_count": Column(read_count, default=0),
    "status": Column(one_of("released", "pending", "sending", "complete", "cancelled", "canceled")),
}
EVENTS = {
    "message_id": Column(read_id, required=True),
    "kind": Column(one_of("open", "click", "bounce", "unsubscribe"), required=True),
    "contact_id": Column(read_id, required=True),
    "event_time": Column(read_time, required=True),
    "url": TEXT,
    "machine": Column(read_flag, default=0),
}


def load_campaigns(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> None:
    """Campaigns, whose further columns are kept as the service names them."""
    file = find(directory, "campaigns", CAMPAIGNS, open_ended=True)
    ids: list[int] = []
    for chunk in file.chunks() if file else ():
        names = chunk.columns["name"]
        for place, campaign_id in enumerate(chunk.columns["campaign_id"]):
            further = {key: read_text(values[place]) for key, values in chunk.extra.items() if values[place]}
            fields = json.dumps({"name": names[place], **further}, ensure_ascii=False)
            con.execute(
                "insert or ignore into campaigns (campaign_id, folder_id, fields) values (?, ?, ?)",
                (campaign_id, folder_id, fields),
            )
        ids += chunk.columns["campaign_id"]
    if file:
        _each_once(file, "campaign_id", ids)
    keys.campaigns = set(ids)


def load_messages(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> int:
    """Messages and, where a file gives them, the counters of their statistics."""
    file = find(directory, "messages", MESSAGES)
    if file is None:
        return 0
    taken = {number for (number,) in con.execute("select message_id from messages")}
    own = 0
    ids: list[int] = []
    for chunk in file.chunks():
        columns = dict(chunk.columns)
        for place, (message_id, campaign) in enumerate(
            zip(columns["message_id"], columns["campaign_id"], strict=True)
        ):
            if message_id in taken:
                raise file.wrong(f"{message_id} is in the sandbox already", chunk.first + place, "message_id")
            if campaign is not None and campaign not in keys.campaigns:
                why = f"no campaign {campaign} in the campaigns file"
                raise file.wrong(why, chunk.first + place, "campaign_id")
        if None in columns["campaign_id"]:
            own = own or _own_campaign(con, folder_id)
            columns["campaign_id"] = [one or own for one in columns["campaign_id"]]
        counters = {name: columns.pop(name) for name in COUNTERS}
        columns["raw_score"] = columns.pop("spam_score")
        insert(con, "messages", columns, folder_id)
        _statistics(con, columns["message_id"], counters, folder_id)
        ids += columns["message_id"]
    _each_once(file, "message_id", ids)
    keys.messages = set(ids)
    return len(ids)


def _own_campaign(con: sqlite3.Connection, folder_id: int) -> int:
    campaign_id = next_id(con, "campaigns", "campaign_id", 501)
    fields = {"name": "Loaded", "fromName": "Loaded", "fromEmail": "news@example.com", "clickTrackMode": "1"}
    con.execute(
        "insert into campaigns (campaign_id, folder_id, fields) values (?, ?, ?)",
        (campaign_id, folder_id, json.dumps(fields)),
    )
    return campaign_id


def _statistics(
    con: sqlite3.Connection, messages: list[int], counters: dict[str, list[Any]], folder_id: int
) -> None:
    given = [
        place
        for place in range(len(messages))
        if counters["delivered"][place] is not None or any(counters[name][place] for name in COUNTERS[1:])
    ]
    if given:
        columns = {name: [values[place] for place in given] for name, values in counters.items()}
        insert(con, "statistics", {"message_id": [messages[place] for place in given], **columns}, folder_id)


def load_sends(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> int:
    """Sends of loaded messages to loaded lists; in a file without send_id they are numbered."""
    file = find(directory, "sends", SENDS)
    if file is None:
        return 0
    numbered = "send_id" not in file.header()
    number = next_id(con, "sends", "send_id", 9_001)
    taken = {one for (one,) in con.execute("select send_id from sends")}
    ids: list[int] = []
    for chunk in file.chunks():
        columns = chunk.columns
        _known_messages(file, chunk, keys)
        for name in ("include_list_ids", "exclude_list_ids"):
            for place, text in enumerate(columns[name]):
                unknown = [one for one in text.split(",") if one and int(one) not in keys.lists]
                if unknown:
                    why = f"no list {unknown[0]} in the lists file"
                    raise file.wrong(why, chunk.first + place, name)
        if numbered:
            columns["send_id"] = list(range(number + len(ids), number + len(ids) + chunk.size))
        for place, given in enumerate(columns["send_id"]):
            if given is None:
                raise file.wrong("is empty", chunk.first + place, "send_id")
            if given in taken:
                raise file.wrong(f"{given} is in the sandbox already", chunk.first + place, "send_id")
        columns["status"] = [
            status or ("released" if released is not None else "pending")
            for status, released in zip(columns["status"], columns["released_time"], strict=True)
        ]
        insert(con, "sends", columns, folder_id)
        ids += columns["send_id"]
    _each_once(file, "send_id", ids)
    return len(ids)


def load_events(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> int:
    """Events of loaded messages, in the order of the file; their people may be unknown."""
    file = find(directory, "events", EVENTS)
    if file is None:
        return 0
    event_id = begin = next_id(con, "events", "event_id", 1)
    for chunk in file.chunks():
        columns = chunk.columns
        _known_messages(file, chunk, keys)
        for place, (kind, url) in enumerate(zip(columns["kind"], columns["url"], strict=True)):
            if url is not None and kind != "click":
                raise file.wrong(
                    f"a url belongs to a click, this is one of {kind}", chunk.first + place, "url"
                )
        insert(
            con, "events", {"event_id": list(range(event_id, event_id + chunk.size)), **columns}, folder_id
        )
        event_id += chunk.size
    return event_id - begin


def _known_messages(file: File, chunk: Chunk, keys: Keys) -> None:
    if keys.messages.issuperset(chunk.columns["message_id"]):
        return
    for place, one in enumerate(chunk.columns["message_id"]):
        if one not in keys.messages:
            raise file.wrong(f"no message {one} in the messages file", chunk.first + place, "message_id")


def _each_once(file: File, column: str, ids: list[int]) -> None:
    twice = first_repeated(ids)
    if twice:
        raise file.wrong(f"{ids[twice[0]]} is the id of row {twice[1] + 1} already", twice[0] + 1, column)
