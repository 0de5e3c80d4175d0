"""Lists: flags echo in the type sent, reads give strings, a deleted list answers 500."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import ApiError, missing, warned
from icx.sandbox.call import Call, flag, next_id, number, text
from icx.sandbox.search import Column, read_page, read_search

TEXTS = {"name": "name", "publicname": "publicname", "description": "description"}
FLAGS = {
    "emailOwnerOnChange": "email_owner_on_change",
    "welcomeOnManualAdd": "welcome_on_manual_add",
    "welcomeOnSignupAdd": "welcome_on_signup_add",
}
DEFAULTS = {"emailOwnerOnChange": 1, "welcomeOnManualAdd": 0, "welcomeOnSignupAdd": 0}
WELCOME = "welcomeMessageId"
COLUMNS = {**TEXTS, **FLAGS, WELCOME: "welcome_message_id"}
KEYS = ("listId", *COLUMNS)
SELECT = f"cast(list_id as text), {', '.join(COLUMNS.values())}"
SEARCHED = {
    "listId": Column("list_id", "id"),
    **{wire: Column(column) for wire, column in TEXTS.items()},
    **{wire: Column(column, "flag") for wire, column in FLAGS.items()},
    WELCOME: Column("welcome_message_id"),
}
FIRST_ID = 3001


def alive(call: Call, list_id: int | None) -> bool:
    """Say whether the folder has this list."""
    sql = "select 1 from lists where folder_id = ? and list_id = ? and not deleted"
    return call.con.execute(sql, [call.folder_id, list_id]).fetchone() is not None


def read_row(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a list as a GET gives it: every value text, or null."""
    return {key: None if value in (None, "") else str(value) for key, value in zip(KEYS, row, strict=True)}


def _stored(call: Call, list_id: int | None) -> dict[str, Any]:
    sql = f"select {SELECT} from lists where folder_id = ? and list_id = ? and not deleted"
    row = call.con.execute(sql, [call.folder_id, list_id]).fetchone()
    if row is None:
        shown = call.ids[0] if call.ids else list_id
        raise ApiError(500, f"No result for ({shown}).")
    return dict(zip(KEYS, row, strict=True))


def _echo(call: Call, list_id: int | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list as a write echoes it: empty text for nothing, flags and ids in the type they were sent."""
    shown = {key: "" if value is None else value for key, value in _stored(call, list_id).items()}
    return {
        key: given[key] if key in (*FLAGS, WELCOME) and given.get(key) is not None else shown[key]
        for key in shown
    }


def list_page(call: Call) -> dict[str, Any]:
    """GET lists."""
    search = read_search(call, SEARCHED)
    search.add("folder_id = ? and not deleted", call.folder_id)
    return read_page(call, search, plural="lists", select=SELECT, source="lists", key="list_id", row=read_row)


def read(call: Call) -> dict[str, Any]:
    """GET a member."""
    _stored(call, number(call.ids[0]))
    sql = f"select {SELECT} from lists where list_id = ?"
    return {"list": read_row(call.con.execute(sql, [number(call.ids[0])]).fetchone())}


def create(call: Call) -> dict[str, Any]:
    """POST the collection: rows with a listId update, the others create; names need not differ."""
    made = []
    for given in call.rows("list", "lists"):
        with call.row():
            list_id = number(given.get("listId"))
            if list_id is not None:
                _change(call, list_id, given, replace=False)
            else:
                list_id = _insert(call, given)
            made.append(_echo(call, list_id, given))
    return warned({"lists": made or None}, call.warnings)


def _insert(call: Call, given: Mapping[str, Any]) -> int:
    if text(given.get("name")) is None:
        raise ApiError(400, missing("name"))
    list_id = next_id(call.con, "lists", "list_id", FIRST_ID)
    values: dict[str, Any] = {column: text(given.get(wire)) for wire, column in TEXTS.items()}
    for wire, column in FLAGS.items():
        sent = flag(given.get(wire))
        values[column] = DEFAULTS[wire] if sent is None else sent
    values["welcome_message_id"] = text(given.get(WELCOME)) or ""
    columns = ["list_id", "folder_id", *values]
    call.con.execute(
        f"insert into lists ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
        [list_id, call.folder_id, *values.values()],
    )
    return list_id


def _change(call: Call, list_id: int, given: Mapping[str, Any], *, replace: bool) -> None:
    _stored(call, list_id)
    if replace and text(given.get("name")) is None:
        raise ApiError(400, missing("name"))
    values: dict[str, Any] = {}
    for wire, column in TEXTS.items():
        if given.get(wire) is not None or replace:
            values[column] = text(given.get(wire))
    for wire, column in FLAGS.items():
        if given.get(wire) is not None or replace:
            values[column] = flag(given.get(wire)) or 0  # a PUT resets to 0, not to the default
    if given.get(WELCOME) is not None or replace:
        values["welcome_message_id"] = text(given.get(WELCOME)) or ""
    if "name" in values and values["name"] is None:
        raise ApiError(400, missing("name"))
    if values:
        sets = ", ".join(f"{column} = ?" for column in values)
        call.con.execute(f"update lists set {sets} where list_id = ?", [*values.values(), list_id])


def merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    return _write_member(call, replace=False)


def replace(call: Call) -> dict[str, Any]:
    """PUT a member: everything not given is blanked or 0."""
    return _write_member(call, replace=True)


def _write_member(call: Call, *, replace: bool) -> dict[str, Any]:
    list_id = number(call.ids[0])
    _stored(call, list_id)
    given = call.fields("list")
    _change(call, list_id or 0, given, replace=replace)
    return warned({"list": _echo(call, list_id, given)}, call.warnings)


def delete(call: Call) -> list[Any]:
    """DELETE a member: the list and its subscriptions are gone."""
    list_id = number(call.ids[0])
    _stored(call, list_id)
    call.con.execute("update lists set deleted = 1 where list_id = ?", [list_id])
    call.con.execute("delete from subscriptions where list_id = ?", [list_id])
    return []
