"""Uploads: settings by POST, the CSV by PUT, then receiving, importing, complete; the people really arrive."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from icx.sandbox import contacts, subscriptions
from icx.sandbox.answers import ApiError, invalid, missing, not_found, page, warned
from icx.sandbox.call import Call, number, text
from icx.sandbox.search import Column, read_search

FIRST_ID = 81
ACTIONS = ("add", "donotcontact", "unsubscribe")
IMPORTING_SECONDS = 0.5  # how long an upload shows `importing` after its file came
# Merge names of the first row -> wire names; a contact's own wire names are understood as well.
MERGE_NAMES = {
    "fname": "firstName",
    "lname": "lastName",
    "address1": "street",
    "address2": "street2",
    "zip": "postalCode",
}
KNOWN = {name.lower(): name for name in ("email", *contacts.TEXTS)} | MERGE_NAMES


def _stored(call: Call) -> tuple[int, dict[str, Any]]:
    upload_id = number(call.ids[0])
    sql = "select fields from stored where kind = 'upload' and folder_id = ? and id = ?"
    row = call.con.execute(sql, [call.folder_id, upload_id]).fetchone()
    if row is None or upload_id is None:
        raise not_found()
    return upload_id, json.loads(row[0])


def _save(call: Call, upload_id: int, fields: Mapping[str, Any]) -> None:
    call.con.execute(
        "insert or replace into stored (kind, id, folder_id, parent, fields) values ('upload', ?, ?, 0, ?)",
        [upload_id, call.folder_id, json.dumps(fields)],
    )


def _shown(call: Call, upload_id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    status = fields["status"]
    if status == "importing" and call.state.exact_now() >= fields["received"] + IMPORTING_SECONDS:
        status = "complete"
    return {
        "uploadId": str(upload_id),
        "action": fields["action"],
        "listIds": fields["listIds"],
        "status": status,
    }


def list_page(call: Call) -> dict[str, Any]:
    """GET uploads."""
    search = read_search(call, {"uploadId": Column("id", "id")})
    search.add("kind = 'upload' and folder_id = ?", call.folder_id)
    sql = f"select id, fields from stored where {' and '.join(search.where)} order by id"
    rows = [
        _shown(call, row_id, json.loads(fields)) for row_id, fields in call.con.execute(sql, search.params)
    ]
    cut = rows[search.offset : search.offset + search.limit]
    return warned(page("uploads", cut, search.limit, search.offset, len(rows)), call.warnings)


def create(call: Call) -> dict[str, Any]:
    """POST the collection: what the file that follows is for."""
    made = []
    for given in call.rows("upload", "uploads"):
        with call.row():
            last = call.con.execute("select max(id) from stored where kind = 'upload'").fetchone()[0]
            upload_id = number(given.get("uploadId")) or max(FIRST_ID, (last or 0) + 1)
            fields = _checked(call, given, {"status": "receiving", "action": None, "listIds": None})
            _save(call, upload_id, fields)
            made.append(_shown(call, upload_id, fields))
    return warned({"uploads": made or None}, call.warnings)


def _checked(call: Call, given: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(kept)
    if text(given.get("action")) is not None:
        fields["action"] = text(given["action"])
    lists = given.get("listIds")
    if lists is not None:
        fields["listIds"] = ",".join(str(each) for each in lists) if isinstance(lists, list) else text(lists)
    if fields["action"] is None:
        raise ApiError(400, missing("action"))
    if fields["action"] not in ACTIONS:
        raise ApiError(400, invalid("action"))
    for each in _list_ids(fields):
        sql = "select 1 from lists where folder_id = ? and list_id = ? and not deleted"
        if call.con.execute(sql, [call.folder_id, each]).fetchone() is None:
            raise ApiError(400, invalid("listIds"))
    return fields


def _list_ids(fields: Mapping[str, Any]) -> list[int]:
    return [number(part.strip()) or 0 for part in (fields["listIds"] or "").split(",") if part.strip()]


def read(call: Call) -> dict[str, Any]:
    """GET a member: its status is what a client waits on."""
    return {"upload": _shown(call, *_stored(call))}


def read_data(call: Call) -> dict[str, Any]:
    """GET uploads/{id}/data: not in the articles, but iContact's own PHP client polls here for a bare `status`."""
    return _shown(call, *_stored(call))


def merge(call: Call) -> dict[str, Any]:
    """POST a member: other settings, as long as no file came."""
    upload_id, fields = _stored(call)
    if fields["status"] != "receiving":
        raise ApiError(400, f"Upload [uploadId={upload_id}] has its file and can not be changed")
    changed = _checked(call, call.fields("upload"), fields)
    _save(call, upload_id, changed)
    return warned({"upload": _shown(call, upload_id, changed)}, call.warnings)


def delete(call: Call) -> list[Any]:
    """DELETE a member: no file is expected any more."""
    upload_id, fields = _stored(call)
    _save(call, upload_id, fields | {"status": "cancelled"})
    return []


def put_data(call: Call) -> dict[str, Any]:
    """PUT uploads/{id}/data: the raw file, imported row by row; the answer is the bare upload."""
    upload_id, fields = _stored(call)
    if fields["status"] != "receiving":
        raise ApiError(400, f"Upload [uploadId={upload_id}] does not wait for a file")
    rows = _rows(call)
    for row in rows:
        with call.row():
            _import(call, fields, row)
    fields |= {"status": "importing", "received": call.state.exact_now()}
    _save(call, upload_id, fields)
    return warned({"uploadId": str(upload_id), "status": "importing"}, call.warnings)


def _rows(call: Call) -> list[dict[str, str]]:
    if call.body[:2] == b"PK" or call.body[:4] == b"\xd0\xcf\x11\xe0":
        raise ApiError(415, "This sandbox imports CSV only. Please provide a CSV file")
    try:
        file = call.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        file = call.body.decode("cp1252", errors="replace")
    if file.startswith('"'):
        with suppress(ValueError):  # a client may send the text JSON-encoded
            file = str(json.loads(file))
    read = csv.reader(io.StringIO(file, newline=""))
    heads = [_wire_name(call, head) for head in next(read, [])]
    if "email" not in heads:
        raise ApiError(400, missing("email"))
    return [{head: cell for head, cell in zip(heads, row, strict=False) if head} for row in read if any(row)]


def _wire_name(call: Call, head: str) -> str:
    name = head.strip().removeprefix("[").removesuffix("]").strip()
    return name if name in contacts.custom_names(call) else KNOWN.get(name.lower(), "")


def _import(call: Call, fields: Mapping[str, Any], row: Mapping[str, str]) -> None:
    given: dict[str, Any] = {name: value for name, value in row.items() if value.strip()}
    action = fields["action"]
    if action == "donotcontact":
        given["status"] = "donotcontact"
    contact_id = contacts.save(call, given, replace=False)
    if action != "donotcontact":
        for list_id in _list_ids(fields):
            became = "normal" if action == "add" else "unsubscribed"
            subscriptions.put(call, contact_id, list_id, became, None)
