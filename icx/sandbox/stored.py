"""What the sandbox keeps and echoes without acting on it: segments, criteria, users, permissions, webhooks, forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from icx.sandbox.answers import ApiError, invalid, missing, not_found, page, warned
from icx.sandbox.call import Call, number, text
from icx.sandbox.search import Column, read_search


@dataclass(frozen=True)
class Stored:
    """One stored resource: its words on the wire and the rules its rows obey."""

    kind: str
    plural: str
    singular: str
    key: str  # "" when the rows have no id
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()  # required on create, never sent on update
    secret: tuple[str, ...] = ()  # accepted, never shown
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first_id: int = 1
    under: str = "folder"  # "folder", "account", or the stored kind that is its parent
    paged: bool = True
    arrays: tuple[str, ...] = ()


SEGMENTS = Stored(
    "segment", "segments", "segment", "segmentId", ("listId", "name", "description"), ("name", "listId"), ("listId",),
    first_id=501,
)  # fmt: skip
CRITERIA = Stored(
    "criterion", "criteria", "criterion", "criterionId", ("fieldName", "operator", "values"),
    ("fieldName", "operator", "values"),
    choices={"operator": ("eq", "lt", "lte", "gt", "gte", "bet", "notcontains", "contains", "month", "day", "year")},
    first_id=0, under="segment", paged=False, arrays=("values",),
)  # fmt: skip
USERS = Stored(
    "user", "users", "user", "userId", ("userName", "email", "firstName", "lastName", "password"),
    ("userName", "password"), ("userName", "password"), ("password",), first_id=40711, under="account",
)  # fmt: skip
PERMISSIONS = Stored(
    "permission", "permissions", "permission", "", ("clientFolderId", "creative", "subscriber", "analytic"),
    ("clientFolderId",), under="user",
)  # fmt: skip
WEBHOOKS = Stored(
    "webhook", "webhooks", "webhook", "webhookId", ("eventId", "url"), ("eventId", "url"),
    choices={"eventId": ("contact_created", "contact_updated", "contact_subscribed", "contact_unsubscribed")},
    first_id=701,
)  # fmt: skip
FORMS = Stored(
    "form", "forms", "form", "formId",
    ("created", "updated", "name", "confirmationMessageId", "automaticHTML", "lists"), first_id=1201,
)  # fmt: skip

Handler = Callable[[Call], Any]


def _scope(call: Call, what: Stored) -> tuple[int, int]:
    """Return (folder or account id, parent id) that the rows belong to; 404 when the parent is unknown."""
    if what.under == "folder":
        return call.folder_id, 0
    if what.under == "account":
        return call.account_id, 0
    owner = call.folder_id if what.under == "segment" else call.account_id
    parent = number(call.ids[0])
    sql = "select 1 from stored where kind = ? and folder_id = ? and id = ?"
    if parent is None or call.con.execute(sql, [what.under, owner, parent]).fetchone() is None:
        raise not_found()
    return owner, parent


def _member_id(call: Call, what: Stored) -> int | None:
    return number(call.ids[-1])


def _shown(what: Stored, row_id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if what.key:
        shown[what.key] = row_id if what.kind == "criterion" else str(row_id)
    for name in what.fields:
        if name not in what.secret:
            shown[name] = fields.get(name)
    return shown


def _all(call: Call, what: Stored) -> list[tuple[int, dict[str, Any]]]:
    owner, parent = _scope(call, what)
    sql = "select id, fields from stored where kind = ? and folder_id = ? and parent = ? order by id"
    return [(int(i), json.loads(fields)) for i, fields in call.con.execute(sql, [what.kind, owner, parent])]


def _one(call: Call, what: Stored) -> tuple[int, dict[str, Any]]:
    wanted = _member_id(call, what)
    for row_id, fields in _all(call, what):
        if row_id == wanted:
            return row_id, fields
    raise not_found()


def _checked(what: Stored, given: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(kept)
    for name in what.fields:
        if given.get(name) is None:
            continue
        if kept and name in what.fixed:
            raise ApiError(
                400, f"The {name} of a {what.singular} can not be changed. Please do not provide a {name}"
            )
        value = given[name]
        if name in what.arrays:
            row[name] = value if isinstance(value, list) else [value]
        else:
            row[name] = text(value)
    for name in what.required:
        if row.get(name) in (None, []):
            raise ApiError(400, missing(name))
    for name, allowed in what.choices.items():
        if row.get(name) not in allowed:
            raise ApiError(400, invalid(name))
    return row


def page_of(what: Stored) -> Handler:
    """Return the handler of GET on the collection."""
    columns = {
        name: Column(f"json_extract(fields, '$.{name}')") for name in what.fields if name not in what.secret
    }
    if what.key:
        columns[what.key] = Column("id", "id")

    def handler(call: Call) -> dict[str, Any]:
        owner, parent = _scope(call, what)
        search = read_search(call, columns)
        search.add("kind = ? and folder_id = ? and parent = ?", what.kind, owner, parent)
        order = ", ".join([*search.order, "id"])
        sql = f"select id, fields from stored where {' and '.join(search.where)} order by {order}"
        found = call.con.execute(sql, search.params).fetchall()
        rows = [_shown(what, row_id, json.loads(fields)) for row_id, fields in found]
        if not what.paged:
            return warned({what.plural: rows}, call.warnings)
        cut = rows[search.offset : search.offset + search.limit]
        return warned(page(what.plural, cut, search.limit, search.offset, len(rows)), call.warnings)

    return handler


def read_of(what: Stored) -> Handler:
    """Return the handler of GET on a member."""
    return lambda call: {what.singular: _shown(what, *_one(call, what))}


def create_of(what: Stored) -> Handler:
    """Return the handler of POST on the collection: rows with their id update, the others create."""

    def handler(call: Call) -> dict[str, Any]:
        made = []
        for given in call.rows(what.singular, what.plural):
            with call.row():
                made.append(_create_one(call, what, given))
        return warned({what.plural: made or None}, call.warnings)

    return handler


def _create_one(call: Call, what: Stored, given: Mapping[str, Any]) -> dict[str, Any]:
    owner, parent = _scope(call, what)
    known = dict(_all(call, what))
    row_id = number(given.get(what.key)) if what.key else _same_folder(known, given)
    if row_id is None or (row_id not in known and not what.key):
        row_id = max(known, default=what.first_id - 1) + 1
        if what.under in ("folder", "account"):  # ids differ across folders, too
            last = call.con.execute("select max(id) from stored where kind = ?", [what.kind]).fetchone()[0]
            row_id = max(row_id, (last or 0) + 1)
        row = _checked(what, given, {})
        if what.kind == "segment":
            _list_known(call, row["listId"])
    elif row_id in known:
        row = _checked(what, given, known[row_id])
    else:
        raise not_found()
    call.con.execute(
        "insert or replace into stored (kind, id, folder_id, parent, fields) values (?, ?, ?, ?, ?)",
        [what.kind, row_id, owner, parent, json.dumps(row)],
    )
    return _shown(what, row_id, row)


def _same_folder(known: Mapping[int, Mapping[str, Any]], given: Mapping[str, Any]) -> int | None:
    folder = text(given.get("clientFolderId"))
    return next((row_id for row_id, fields in known.items() if fields.get("clientFolderId") == folder), None)


def _list_known(call: Call, list_id: str) -> None:
    sql = "select 1 from lists where folder_id = ? and list_id = ? and not deleted"
    if call.con.execute(sql, [call.folder_id, number(list_id)]).fetchone() is None:
        raise ApiError(400, invalid("listId"))


def write_of(what: Stored, *, replace: bool = False) -> Handler:
    """Return the handler of POST (merge) or PUT (replace) on a member."""

    def handler(call: Call) -> dict[str, Any]:
        row_id, kept = _one(call, what)
        row = _checked(what, call.fields(what.singular), {} if replace else kept)
        owner, parent = _scope(call, what)
        call.con.execute(
            "update stored set fields = ? where kind = ? and folder_id = ? and parent = ? and id = ?",
            [json.dumps(row), what.kind, owner, parent, row_id],
        )
        return warned({what.singular: _shown(what, row_id, row)}, call.warnings)

    return handler


def delete_of(what: Stored) -> Handler:
    """Return the handler of DELETE on a member."""

    def handler(call: Call) -> list[Any]:
        row_id, _ = _one(call, what)
        owner, parent = _scope(call, what)
        call.con.execute(
            "delete from stored where kind = ? and folder_id = ? and parent = ? and id = ?",
            [what.kind, owner, parent, row_id],
        )
        if what.kind == "segment":
            call.con.execute(
                "delete from stored where kind = 'criterion' and folder_id = ? and parent = ?",
                [owner, row_id],
            )
        return []

    return handler
