"""Loading contacts with their custom fields, lists and subscriptions, each checked against the others."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from icx.sandbox.load_files import Chunk, Column, File, LoadError, find
from icx.sandbox.load_values import (
    BadValue,
    first_repeated,
    one_of,
    read_column,
    read_count,
    read_flag,
    read_id,
    read_text,
    read_time,
    show,
)
from icx.sandbox.traits import STATUSES, Ints

JSON = json.JSONEncoder(ensure_ascii=False)
LONG_AGO = read_time("2000-01-01")
NO_PRIVATE_NAME = re.compile(r"[\s\"'/\\\[\]]")
FIELD_TYPES = (
    "text",
    "checkbox",
    "number",
    "decimalOne",
    "decimalTwo",
    "decimalThree",
    "decimalFour",
    "date",
)
TEXT = Column(read_text)

CONTACTS = {
    "contact_id": Column(read_id, required=True),
    "email": TEXT,
    **dict.fromkeys(
        ("prefix", "first_name", "last_name", "suffix", "street", "street2", "city", "state", "postal_code"),
        TEXT,
    ),
    **dict.fromkeys(("phone", "fax", "business"), TEXT),
    "status": Column(one_of(*STATUSES), default="normal"),
    "create_date": Column(read_time, default=LONG_AGO),
    "bounce_count": Column(read_count, default=0),
}
CUSTOM_FIELDS = {
    "private_name": Column(read_text, required=True),
    "public_name": TEXT,
    "field_type": TEXT,
    "display_to_user": Column(read_flag, default=0),
}
LISTS = {
    "list_id": Column(read_id, required=True),
    "name": Column(read_text, required=True),
    "publicname": Column(read_text, default=""),
    "description": Column(read_text, default=""),
    "email_owner_on_change": Column(read_flag, default=1),
    "welcome_on_manual_add": Column(read_flag, default=0),
    "welcome_on_signup_add": Column(read_flag, default=0),
    "welcome_message_id": Column(read_text, default=""),
}
SUBSCRIPTIONS = {
    "list_id": Column(read_id, required=True),
    "contact_id": Column(read_id, required=True),
    "status": Column(one_of("normal", "pending", "unsubscribed"), default="normal"),
    "add_date": Column(read_time),
    "confirmation_message_id": TEXT,
}


@dataclass
class Keys:
    """Ids loaded so far, for the files that refer to them; `contacts` ascending with `created` beside it."""

    contacts: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    created: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    lists: set[int] = field(default_factory=set)
    messages: set[int] = field(default_factory=set)
    campaigns: set[int] = field(default_factory=set)


def insert(con: sqlite3.Connection, table: str, columns: dict[str, list[Any]], folder_id: int) -> None:
    """Insert columns of a chunk; rows whose key is taken are left out, and found by the check that follows."""
    names = ", ".join(["folder_id", *columns])
    marks = ", ".join(["?"] * (len(columns) + 1))
    rows = zip([folder_id] * len(next(iter(columns.values()))), *columns.values(), strict=True)
    con.executemany(f"insert or ignore into {table} ({names}) values ({marks})", rows)


def load_contacts(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> int:
    """Contacts and custom fields; fills `keys` and returns the number of custom fields."""
    file = find(directory, "contacts", CONTACTS, open_ended=True)
    if file is None:
        raise LoadError("is missing (contacts.csv, contacts.csv.gz or contacts.parquet)", file="contacts")
    declared = _custom_fields(con, directory, folder_id)
    extra = [name for name in file.header() if name not in CONTACTS]
    for name in extra:
        _check_private_name(file, name, column=name)
    undeclared = [name for name in extra if name not in declared]
    _insert_custom_fields(con, folder_id, [(name, name, "text", 0) for name in undeclared], len(declared))
    taken = {number for (number,) in con.execute("select contact_id from contacts")}
    ids, created = [], []
    for chunk in file.chunks():
        clash = next((n for n, one in enumerate(chunk.columns["contact_id"]) if one in taken), None)
        if clash is not None:
            raise file.wrong("is the id of a contact of another folder", chunk.first + clash, "contact_id")
        columns = {**chunk.columns, "custom": _custom_values(file, chunk)}
        insert(con, "contacts", columns, folder_id)
        ids.append(np.array(columns["contact_id"], dtype=np.int64))
        created.append(np.array(columns["create_date"], dtype=np.int64))
    if ids:
        keys.contacts, order = _unique(file, "contact_id", np.concatenate(ids))
        keys.created = np.concatenate(created)[order]
        _check_addresses(con, file, folder_id, np.concatenate(ids))
    return len(declared) + len(undeclared)


def _custom_fields(con: sqlite3.Connection, directory: Path, folder_id: int) -> list[str]:
    file = find(directory, "custom_fields", CUSTOM_FIELDS)
    names: list[str] = []
    for chunk in file.chunks() if file else ():
        rows = []
        for place, (name, label, kind, shown) in enumerate(zip(*chunk.columns.values(), strict=True)):
            row = chunk.first + place
            assert file is not None
            _check_private_name(file, name, row, "private_name")
            if name in names:
                raise file.wrong("is there twice", row, "private_name")
            if kind is not None and kind not in FIELD_TYPES:
                raise file.wrong(f"{show(kind)} is none of {', '.join(FIELD_TYPES)}", row, "field_type")
            names.append(name)
            rows.append((name, label or name, kind or "text", shown))
        _insert_custom_fields(con, folder_id, rows, len(names) - len(rows))
    return names


def _check_private_name(file: File, name: str, row: int | None = None, column: str | None = None) -> None:
    if not name or NO_PRIVATE_NAME.search(name):
        why = "cannot be a custom field: no blanks, quotes, slashes, backslashes or square brackets"
        raise file.wrong(why, row, column)


def _insert_custom_fields(
    con: sqlite3.Connection, folder_id: int, rows: list[tuple[str, str, str, int]], before: int
) -> None:
    con.executemany(
        "insert into custom_fields (folder_id, private_name, public_name, field_type, display_to_user, position)"
        " values (?, ?, ?, ?, ?, ?)",
        [(folder_id, *row, before + n) for n, row in enumerate(rows, start=1)],
    )


def _custom_values(file: File, chunk: Chunk) -> list[str]:
    """The further columns of each row as one JSON object, without the empty ones."""
    texts: dict[str, list[str | None]] = {}
    for name, values in chunk.extra.items():
        try:
            texts[name] = read_column(read_text, values, None, required=False)
        except BadValue as problem:
            raise file.wrong("is not text", chunk.first + problem.place, name) from None
    names = list(texts)
    return [
        JSON.encode({n: v for n, v in zip(names, row, strict=True) if v is not None})
        for row in (zip(*texts.values(), strict=True) if names else [()] * chunk.size)
    ]


def _unique(file: File, column: str, ids: Ints) -> tuple[Ints, Ints]:
    """The ids in order and the places they came from; one that is there twice is an error."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(again):
        later = int(order[again + 1].min())
        first = int(np.flatnonzero(ids == ids[later])[0])
        raise file.wrong(f"{ids[later]} is the id of row {first + 1} already", later + 1, column)
    return ordered, order


def _check_addresses(con: sqlite3.Connection, file: File, folder_id: int, ids: Ints) -> None:
    """An address is unique in the folder, capitals told apart."""
    twice = con.execute(
        "select min(contact_id), max(contact_id) from contacts where folder_id = ? and email is not null"
        " group by email collate binary having count(*) > 1 limit 1",
        [folder_id],
    ).fetchone()
    if twice:
        rows = sorted(int(np.flatnonzero(ids == one)[0]) + 1 for one in twice)
        raise file.wrong(f"is the address of row {rows[0]} again", rows[1], "email")


def load_lists(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> int:
    """Lists; two may have one name, not one id."""
    file = find(directory, "lists", LISTS)
    keys.lists = load_ids(con, file, folder_id, table="lists", column="list_id") if file else set()
    return len(keys.lists)


def load_ids(con: sqlite3.Connection, file: File, folder_id: int, *, table: str, column: str) -> set[int]:
    """Insert a file that is its table; returns its ids, which are new and each there once."""
    taken = {number for (number,) in con.execute(f"select {column} from {table}")}
    ids: list[int] = []
    for chunk in file.chunks():
        for place, one in enumerate(chunk.columns[column]):
            if one in taken:
                raise file.wrong(f"{one} is in the sandbox already", chunk.first + place, column)
        ids += chunk.columns[column]
        insert(con, table, chunk.columns, folder_id)
    twice = first_repeated(ids)
    if twice:
        raise file.wrong(f"{ids[twice[0]]} is the id of row {twice[1] + 1} already", twice[0] + 1, column)
    return set(ids)


def load_subscriptions(con: sqlite3.Connection, directory: Path, folder_id: int, keys: Keys) -> int:
    """Subscriptions of loaded contacts to loaded lists, at most one of a contact to a list."""
    file = find(directory, "subscriptions", SUBSCRIPTIONS)
    if file is None:
        return 0
    lists = np.array(sorted(keys.lists), dtype=np.int64)
    pairs = []
    for chunk in file.chunks():
        columns = chunk.columns
        for place, one in enumerate(columns["list_id"]):
            if one not in keys.lists:
                raise file.wrong(f"no list {one} in the lists file", chunk.first + place, "list_id")
        contacts = np.array(columns["contact_id"], dtype=np.int64)
        spots = np.searchsorted(keys.contacts, contacts)
        there = spots < len(keys.contacts)
        there[there] = keys.contacts[spots[there]] == contacts[there]
        if not there.all():
            place = int(np.flatnonzero(~there)[0])
            why = f"no contact {contacts[place]} in the contacts file"
            raise file.wrong(why, chunk.first + place, "contact_id")
        created = keys.created[spots].tolist()
        columns["add_date"] = [
            default if given is None else given
            for given, default in zip(columns["add_date"], created, strict=True)
        ]
        insert(con, "subscriptions", columns, folder_id)
        pairs.append(np.searchsorted(lists, np.array(columns["list_id"])) * len(keys.contacts) + spots)
    return len(_unique_pairs(file, np.concatenate(pairs))) if pairs else 0


def _unique_pairs(file: File, pairs: Ints) -> Ints:
    try:
        return _unique(file, "contact_id", pairs)[0]
    except LoadError as problem:
        first = int(np.flatnonzero(pairs == pairs[(problem.row or 1) - 1])[0]) + 1
        why = f"this contact is on this list in row {first} already"
        raise file.wrong(why, problem.row, "contact_id") from None
