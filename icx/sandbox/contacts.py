"""Contacts and their history: pages, upsert by e-mail, merge, replace, soft delete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from icx.sandbox import consent, history, subscriptions
from icx.sandbox.answers import BAD_STATUS, ApiError, contact_time, invalid, missing, not_found, warned
from icx.sandbox.call import Call, next_id, number, text
from icx.sandbox.search import Column, Search, read_page, read_search

# Wire name -> column, in the order of a write's echo.
TEXTS = {
    "prefix": "prefix",
    "firstName": "first_name",
    "lastName": "last_name",
    "suffix": "suffix",
    "street": "street",
    "street2": "street2",
    "city": "city",
    "state": "state",
    "postalCode": "postal_code",
    "phone": "phone",
    "fax": "fax",
    "business": "business",
}
OWN = {*TEXTS, "contactId", "email", "createDate", "bounceCount", "status", "subscriptions"}
LONGEST_STATE = 10
WRITABLE_STATUSES = ("normal", "donotcontact")
STATUSES = ("normal", "bounced", "donotcontact", "pending", "invitable")
FIRST_ID = 70001

SEARCHED = {
    "contactId": Column("contact_id", "id"),
    "email": Column("email"),
    **{wire: Column(column) for wire, column in TEXTS.items()},
    "createDate": Column("create_date", "time"),
    "bounceCount": Column("bounce_count", "number"),
}
SELECT = (
    "email, first_name, last_name, prefix, suffix, fax, phone, street, street2, city, state, postal_code, business, "
    "create_date, status, bounce_count, cast(contact_id as text), custom"
)
# The keys of a read, in the order of the recordings (a write's echo has another).
READ_KEYS = (
    "email",
    "firstName",
    "lastName",
    "prefix",
    "suffix",
    "fax",
    "phone",
    "street",
    "street2",
    "city",
    "state",
    "postalCode",
    "business",
)
ON_A_LIST = "exists (select 1 from subscriptions s where s.contact_id = contacts.contact_id and s.status <> 'unsubscribed')"


def custom_names(call: Call) -> list[str]:
    """Return the folder's custom fields in their order."""
    sql = "select private_name from custom_fields where folder_id = ? and not deleted order by position, private_name"

    def read() -> list[str]:
        return [str(name) for (name,) in call.con.execute(sql, [call.folder_id])]

    # Inside a write the file may hold changes the cache has not seen.
    return (
        read()
        if call.con.in_transaction and call.method != "GET"
        else call.state.cached((sql, call.folder_id), read)
    )


def read_row(row: tuple[Any, ...], customs: list[str]) -> dict[str, Any]:
    """Return a contact as a GET gives it: text or null."""
    shown: dict[str, Any] = dict(zip(READ_KEYS, row, strict=False))
    shown["createDate"] = contact_time(row[13])
    shown["status"] = row[14]
    shown["bounceCount"] = str(row[15]) if row[15] else None
    shown["contactId"] = row[16]
    if customs:
        values = orjson.loads(row[17]) if row[17] != "{}" else {}
        for name in customs:
            shown[name] = values.get(name)
    return shown


def echo(call: Call, contact_id: int) -> dict[str, Any]:
    """Return a contact as a write echoes it: empty text instead of null, and the keys in another order."""
    found = read_row(_row(call, contact_id), custom_names(call))
    order = ["contactId", *TEXTS, "email", "createDate", "bounceCount", "status"]
    return {
        name: "" if found[name] is None else found[name]
        for name in [*order, *(n for n in found if n not in order)]
    }


def _row(call: Call, contact_id: int | None) -> tuple[Any, ...]:
    sql = f"select {SELECT} from contacts where folder_id = ? and contact_id = ?"
    row: tuple[Any, ...] | None = call.con.execute(sql, [call.folder_id, contact_id]).fetchone()
    if row is None:
        raise not_found()
    return row


def list_page(call: Call) -> dict[str, Any]:
    """GET contacts: the listed, unlisted or all contacts that a search finds; the deleted are never listed."""
    statuses: list[str] = []

    def by_status(search: Search, value: str) -> None:
        # one client writes Total and Unlisted
        statuses.extend(part.strip().lower() for part in value.split(",") if part.strip())
        if not statuses:
            search.add("0")

    def by_list(search: Search, value: str) -> None:
        ids = [given for part in value.split(",") if (given := number(part.strip())) is not None]
        marks = ", ".join("?" * len(ids))
        search.add(
            f"contact_id in (select contact_id from subscriptions where list_id in ({marks}) and status <> 'unsubscribed')",
            *ids,
        )

    search = read_search(call, SEARCHED, {"status": by_status, "listId": by_list})
    rule = call.state.switches.listed_rule
    search.add("folder_id = ? and status <> 'deleted'", call.folder_id)
    if "unlisted" in statuses:
        search.add(f"not {ON_A_LIST}")
    elif not statuses and (rule == "always" or (rule == "unfiltered" and not search.fields)):
        search.add(ON_A_LIST)
    named = [status for status in statuses if status not in ("total", "unlisted")]
    if named:
        search.add(f"status in ({', '.join('?' * len(named))})", *named)
    customs = custom_names(call)
    return read_page(
        call,
        search,
        plural="contacts",
        select=SELECT,
        source="contacts",
        key="contact_id",
        row=lambda row: read_row(row, customs),
    )


def read(call: Call) -> dict[str, Any]:
    """GET a member; a deleted contact still answers, with status deleted."""
    return {"contact": read_row(_row(call, number(call.ids[0])), custom_names(call))}


def create(call: Call) -> dict[str, Any]:
    """POST the collection: rows with a contactId or a known address update, the others create."""
    made = []
    for given in call.rows("contact", "contacts"):
        with call.row():
            made.append(_upsert(call, given))
    return warned({"contacts": made or None}, call.warnings)


def _upsert(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    contact_id = number(given.get("contactId"))
    if contact_id is not None:
        _row(call, contact_id)
        change(call, contact_id, given, replace=call.state.switches.bulk_update == "replace")
    else:
        contact_id = save(call, given)
    shown = echo(call, contact_id)
    if "subscriptions" in given:
        shown["subscriptions"] = subscriptions.inline(call, contact_id, given["subscriptions"])
    return shown


def save(call: Call, given: Mapping[str, Any], *, replace: bool = True) -> int:
    """Create the contact of this address, or write over the one there is (keeping its id); return the id."""
    email = _email(given)
    known = find(call, email)
    if known is not None:
        change(call, known, given, replace=replace)
        return known
    return _insert(call, email, given)


def find(call: Call, email: str) -> int | None:
    """Return the living contact of an address, the one in the same letter case before the others."""
    sql = (
        "select contact_id from contacts where folder_id = ? and email = ? collate nocase and status <> 'deleted'"
        " order by email <> ?, contact_id limit 1"
    )
    row = call.con.execute(sql, [call.folder_id, email, email]).fetchone()
    return int(row[0]) if row else None


def _email(given: Mapping[str, Any]) -> str:
    email = (text(given.get("email")) or "").strip()
    if not email:
        raise ApiError(400, missing("email"))
    local, at, domain = email.rpartition("@")
    if not (local and at and domain) or any(letter.isspace() for letter in email):
        raise ApiError(400, invalid("email"))
    return email


def _insert(call: Call, email: str, given: Mapping[str, Any]) -> int:
    wanted = _status(given) or "normal"
    contact_id = next_id(call.con, "contacts", "contact_id", FIRST_ID)
    before = consent.past(call, email)
    lifted = consent.status(before, wanted) if before else None
    if before and consent.refuses(call, lifted):
        wanted, lifted = before, None  # a strict service remembers the address
    values = {column: _clean(wire, given.get(wire)) for wire, column in TEXTS.items()}
    columns = ["contact_id", "folder_id", "email", "status", "create_date", "custom", *values]
    custom = {name: value for name in custom_names(call) if (value := text(given.get(name))) is not None}
    call.con.execute(
        f"insert into contacts ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
        [contact_id, call.folder_id, email, wanted, call.now, json.dumps(custom), *values.values()],
    )
    consent.record(call, lifted, contact_id)
    history.add(call, contact_id, "AddContact")
    return contact_id


def change(call: Call, contact_id: int, given: Mapping[str, Any], *, replace: bool) -> None:
    """Merge the given fields into a contact, or with `replace` blank everything that is not given."""
    now = dict(zip(("email", "status", "custom", *TEXTS.values()), _stored(call, contact_id), strict=True))
    new = dict(now)
    if text(given.get("email")) is not None:
        new["email"] = _new_address(call, contact_id, now, _email(given))
    for wire, column in TEXTS.items():
        if given.get(wire) is not None or replace:
            new[column] = _clean(wire, given.get(wire))
    customs = json.loads(now["custom"])
    for name in custom_names(call):
        if given.get(name) is not None or replace:
            value = text(given.get(name))
            customs = (
                {**customs, name: value}
                if value is not None
                else {k: v for k, v in customs.items() if k != name}
            )
    new["custom"] = json.dumps(customs)
    new["status"] = _new_status(call, contact_id, now["status"], _status(given))
    _write_changes(call, contact_id, now, new)


def _stored(call: Call, contact_id: int) -> tuple[Any, ...]:
    columns = ", ".join(("email", "status", "custom", *TEXTS.values()))
    row: tuple[Any, ...] = call.con.execute(
        f"select {columns} from contacts where contact_id = ?", [contact_id]
    ).fetchone()
    return row


def _new_address(call: Call, contact_id: int, now: Mapping[str, Any], email: str) -> str:
    """Return the address a contact gets: nobody else's, and none that had asked to be left alone."""
    if email.lower() == (now["email"] or "").lower():
        return email
    if find(call, email) is not None:
        raise ApiError(400, f"{invalid('email')}. Another contact has it")
    before = consent.past(call, email)
    lifted = consent.status(before, now["status"]) if before else None
    if consent.refuses(call, lifted):
        raise ApiError(400, f"The status of this address is {before} and can not be changed")
    consent.record(call, lifted, contact_id)
    return email


def _new_status(call: Call, contact_id: int, was: str, wanted: str | None) -> str:
    if wanted is None or wanted == was:
        return was
    forbidden = consent.status(was, wanted)
    if call.state.switches.consent == "strict" and (was in consent.FROZEN or forbidden):
        raise ApiError(400, f"The status of this contact is {was} and can not be changed. {BAD_STATUS}")
    consent.record(call, forbidden, contact_id)
    return wanted


def _write_changes(call: Call, contact_id: int, now: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    changed = {column: value for column, value in new.items() if value != now[column]}
    if not changed:
        return
    sets = ", ".join(f"{column} = ?" for column in changed)
    call.con.execute(f"update contacts set {sets} where contact_id = ?", [*changed.values(), contact_id])
    if "status" in changed:
        history.add(call, contact_id, "EditStatus", {"status": changed["status"]})
    if "email" in changed:
        _leave_address(call, contact_id, now["email"], now["status"])
    details = {
        wire: changed[column] or ""
        for wire, column in {"email": "email", **TEXTS}.items()
        if column in changed
    }
    if "custom" in changed:
        before, after = json.loads(now["custom"]), json.loads(new["custom"])
        details |= {
            name: after.get(name, "") for name in {**before, **after} if before.get(name) != after.get(name)
        }
    if details:
        history.add(call, contact_id, "EditFields", details)


def _leave_address(call: Call, contact_id: int, email: str | None, was: str) -> None:
    """Let the address remember its contact's status and the lists it left."""
    consent.remember(call, email, was, contact_id)
    gone = "select list_id from subscriptions where contact_id = ? and status = 'unsubscribed'"
    for (list_id,) in call.con.execute(gone, [contact_id]).fetchall():
        consent.remember(call, email, "unsubscribed", contact_id, list_id)


def _status(given: Mapping[str, Any]) -> str | None:
    wanted = text(given.get("status"))
    if wanted is not None and wanted not in WRITABLE_STATUSES:
        raise ApiError(400, BAD_STATUS)
    return wanted


def _clean(wire: str, value: Any) -> str | None:
    kept = text(value)
    return kept[:LONGEST_STATE] if kept is not None and wire == "state" else kept


def merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    return _write_member(call, replace=False)


def replace(call: Call) -> dict[str, Any]:
    """PUT a member: everything not given is blanked."""
    return _write_member(call, replace=True)


def _write_member(call: Call, *, replace: bool) -> dict[str, Any]:
    contact_id = int(_row(call, number(call.ids[0]))[16])
    given = call.fields("contact")
    if replace and text(given.get("email")) is None:
        raise ApiError(400, missing("email"))
    change(call, contact_id, given, replace=replace)
    return warned({"contact": echo(call, contact_id)}, call.warnings)


def delete(call: Call) -> list[Any]:
    """DELETE a member: it stays readable by its id, with status deleted, and leaves its lists."""
    row = _row(call, number(call.ids[0]))
    contact_id = int(row[16])
    if row[14] == "deleted":
        raise not_found()
    _leave_address(call, contact_id, row[0], row[14])
    call.con.execute("update contacts set status = 'deleted' where contact_id = ?", [contact_id])
    call.con.execute("delete from subscriptions where contact_id = ?", [contact_id])
    return []
