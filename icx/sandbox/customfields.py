"""Custom fields: their id is their private name; deleting or renaming one reaches into every contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import ApiError, invalid, missing, not_found, warned
from icx.sandbox.call import Call, flag, text
from icx.sandbox.contacts import OWN
from icx.sandbox.search import Column, read_page, read_search

KEYS = ("customFieldId", "privateName", "publicName", "displayToUser", "fieldType")
SELECT = "private_name, private_name, public_name, cast(display_to_user as text), field_type"
SEARCHED = {
    "customFieldId": Column("private_name"),
    "privateName": Column("private_name"),
    "publicName": Column("public_name"),
    "displayToUser": Column("display_to_user", "flag"),
    "fieldType": Column("field_type"),
}
TYPES = ("text", "checkbox", "number", "decimalOne", "decimalTwo", "decimalThree", "decimalFour", "date")
REFUSED_LETTERS = set(" \t\r\n\"'/\\[]")


def _read_row(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(KEYS, row, strict=True))


def _echo(call: Call, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: "" if value is None else value for key, value in _stored(call, name).items()}
    sent = given.get("displayToUser")
    return shown if sent is None else shown | {"displayToUser": sent}


def _stored(call: Call, name: str) -> dict[str, Any]:
    sql = f"select {SELECT} from custom_fields where folder_id = ? and private_name = ? and not deleted"
    row = call.con.execute(sql, [call.folder_id, name]).fetchone()
    if row is None:
        raise not_found()
    return _read_row(row)


def list_page(call: Call) -> dict[str, Any]:
    """GET customfields."""
    search = read_search(call, SEARCHED)
    search.add("folder_id = ? and not deleted", call.folder_id)
    return read_page(
        call,
        search,
        plural="customfields",
        select=SELECT,
        source="custom_fields",
        key="position, private_name",
        row=_read_row,
    )


def read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"customfield": _stored(call, call.ids[0])}


def create(call: Call) -> dict[str, Any]:
    """POST the collection: create only."""
    made = []
    for given in call.rows("customfield", "customfields"):
        with call.row():
            for name in ("privateName", "displayToUser", "fieldType"):
                if text(given.get(name)) is None:
                    raise ApiError(400, missing(name))
            name = _new_name(call, str(given["privateName"]))
            call.con.execute(
                "insert or replace into custom_fields (folder_id, private_name, public_name, display_to_user, field_type,"
                " position) values (?, ?, ?, ?, ?, (select coalesce(max(position), 0) + 1 from custom_fields))",
                [call.folder_id, name, text(given.get("publicName")), _display(given), _type(given)],
            )
            made.append(_echo(call, name, given))
    return warned({"customfields": made or None}, call.warnings)


def _new_name(call: Call, name: str) -> str:
    sql = "select 1 from custom_fields where folder_id = ? and private_name = ? and not deleted"
    taken = call.con.execute(sql, [call.folder_id, name]).fetchone()
    if not name or REFUSED_LETTERS & set(name) or name in OWN or taken:
        raise ApiError(400, invalid("privateName"))
    return name


def _display(given: Mapping[str, Any]) -> int:
    shown = flag(given.get("displayToUser"))
    if shown is None:
        raise ApiError(400, invalid("displayToUser"))
    return shown


def _type(given: Mapping[str, Any]) -> str:
    if given.get("fieldType") not in TYPES:
        raise ApiError(400, invalid("fieldType"))
    return str(given["fieldType"])


def merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    return _write_member(call, replace=False)


def replace(call: Call) -> dict[str, Any]:
    """PUT a member: everything not given is blanked."""
    return _write_member(call, replace=True)


def _write_member(call: Call, *, replace: bool) -> dict[str, Any]:
    now = _stored(call, call.ids[0])
    given = call.fields("customfield")
    kept = {} if replace else now
    row = {**kept, **{name: value for name, value in given.items() if value is not None}}
    if replace:
        for name in ("privateName", "displayToUser", "fieldType"):
            if text(row.get(name)) is None:
                raise ApiError(400, missing(name))
    name = str(row["privateName"])
    if name != now["privateName"]:
        _rename(call, now["privateName"], _new_name(call, name))
    call.con.execute(
        "update custom_fields set public_name = ?, display_to_user = ?, field_type = ?"
        " where folder_id = ? and private_name = ?",
        [text(row.get("publicName")), _display(row), _type(row), call.folder_id, name],
    )
    return warned({"customfield": _echo(call, name, given)}, call.warnings)


def _rename(call: Call, old: str, new: str) -> None:
    call.con.execute(
        "delete from custom_fields where folder_id = ? and private_name = ? and deleted",
        [call.folder_id, new],
    )
    call.con.execute(
        "update custom_fields set private_name = ? where folder_id = ? and private_name = ?",
        [new, call.folder_id, old],
    )
    call.con.execute(
        "update contacts set custom = json_remove(json_set(custom, ?, json_extract(custom, ?)), ?)"
        " where folder_id = ? and json_extract(custom, ?) is not null",
        [_path(new), _path(old), _path(old), call.folder_id, _path(old)],
    )


def _path(name: str) -> str:
    return f'$."{name}"'  # a private name has no quotes


def delete(call: Call) -> list[Any]:
    """DELETE a member: the field and every contact's value of it are gone."""
    name = _stored(call, call.ids[0])["privateName"]
    call.con.execute(
        "update custom_fields set deleted = 1 where folder_id = ? and private_name = ?",
        [call.folder_id, name],
    )
    call.con.execute(
        "update contacts set custom = json_remove(custom, ?) where folder_id = ? and json_extract(custom, ?) is not null",
        [_path(name), call.folder_id, _path(name)],
    )
    return []
