"""The account level: time, accounts, client folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import ApiError, eastern, missing, not_found, warned
from icx.sandbox.call import Call, next_id, number, text
from icx.sandbox.search import Column, read_search

# The row's members in their order; the first five have columns of their own.
ACCOUNT_KEYS = (
    "accountId",
    "accountType",
    "companyName",
    "country",
    "email",
    "enabled",
    "fax",
    "firstName",
    "lastName",
    "multiClientFolder",
    "multiUser",
    "phone",
    "postalCode",
    "state",
    "street",
    "city",
    "title",
    "subscriberLimit",
    "billingStreet",
    "billingCity",
    "billingState",
    "billingPostalCode",
    "billingCountry",
)
OWN_COLUMNS = {"companyName": "company_name", "accountType": "account_type", "enabled": "enabled"}
FOLDER_TEXTS = ("fromName", "fromEmail", "street", "city", "state", "zip", "country")


def time(call: Call) -> dict[str, Any]:
    """GET time, the one answer that needs no login."""
    return {"time": eastern(call.now).isoformat(), "timestamp": call.now}


def _account_row(row: tuple[Any, ...]) -> dict[str, Any]:
    account_id, company, kind, enabled, limit, fields = row
    known = json.loads(fields) | {"accountId": str(account_id), "companyName": company, "accountType": kind}
    known |= {"enabled": enabled, "subscriberLimit": str(limit)}
    return {key: text(known.get(key)) or "" for key in ACCOUNT_KEYS}


ACCOUNT_SELECT = (
    "select account_id, company_name, account_type, enabled, subscriber_limit, fields from accounts"
)


def _account(call: Call, account_id: int | None) -> dict[str, Any]:
    row = call.con.execute(f"{ACCOUNT_SELECT} where account_id = ?", [account_id]).fetchone()
    if row is None:
        raise not_found()
    return _account_row(row)


def accounts_page(call: Call) -> dict[str, Any]:
    """GET a: every account of the login; the paging numbers come in another order here."""
    search = read_search(
        call, {"accountId": Column("account_id", "id"), "companyName": Column("company_name")}
    )
    where = " and ".join(search.where) or "1"
    found = call.con.execute(f"{ACCOUNT_SELECT} where {where} order by account_id", search.params).fetchall()
    rows = [_account_row(row) for row in found[search.offset : search.offset + search.limit]]
    body = {"accounts": rows, "total": len(found), "limit": search.limit, "offset": search.offset}
    return warned(body, call.warnings)


def account_read(call: Call) -> dict[str, Any]:
    """GET a/{accountId}."""
    return {"account": _account(call, call.account_id)}


def accounts_create(call: Call) -> dict[str, Any]:
    """POST a: updates the accounts named; this login cannot open new ones."""
    made = []
    for given in call.rows("account", "accounts"):
        with call.row():
            if text(given.get("accountId")) is None:
                raise ApiError(400, missing("accountId"))
            made.append(_save_account(call, number(given["accountId"]), given))
    return warned({"accounts": made or None}, call.warnings)


def account_merge(call: Call) -> dict[str, Any]:
    """POST a/{accountId}: only the given fields change."""
    return warned({"account": _save_account(call, call.account_id, call.fields("account"))}, call.warnings)


def _save_account(call: Call, account_id: int | None, given: Mapping[str, Any]) -> dict[str, Any]:
    now = _account(call, account_id)
    changed = {key: text(value) for key, value in given.items() if key in ACCOUNT_KEYS and value is not None}
    row = now | changed
    fields = {
        key: row[key] for key in ACCOUNT_KEYS if key not in (*OWN_COLUMNS, "accountId", "subscriberLimit")
    }
    call.con.execute(
        "update accounts set company_name = ?, fields = ? where account_id = ?",
        [row["companyName"], json.dumps(fields), account_id],
    )
    return _account(call, account_id)


# --- client folders


def _folder_row(row: tuple[Any, ...], shows_name: bool) -> dict[str, Any]:
    folder_id, name, recipient, logo, fields = row
    shown: dict[str, Any] = {"clientFolderId": str(folder_id), "logoId": logo, "emailRecipient": recipient}
    if shows_name:  # ordinary accounts see the three members above only
        known = json.loads(fields)
        shown |= {"name": name, **{key: known.get(key) for key in FOLDER_TEXTS}}
    return shown


def _folders(call: Call) -> list[dict[str, Any]]:
    sql = "select folder_id, name, email_recipient, logo_id, fields from folders where account_id = ? order by folder_id"
    rows = call.con.execute(sql, [call.account_id]).fetchall()
    return [_folder_row(row, len(rows) > 1) for row in rows]


def _folder(call: Call, folder_id: int) -> dict[str, Any]:
    return next(row for row in _folders(call) if row["clientFolderId"] == str(folder_id))


def folders_page(call: Call) -> dict[str, Any]:
    """GET a/{}/c: all of them, with a total and no paging."""
    rows = _folders(call)
    return {"clientfolders": rows, "total": len(rows)}


def folder_read(call: Call) -> dict[str, Any]:
    """GET a/{}/c/{}."""
    return {"clientfolder": _folder(call, call.folder_id)}


def folders_create(call: Call) -> dict[str, Any]:
    """POST a/{}/c: rows with a clientFolderId update, the others create."""
    made = []
    for given in call.rows("clientfolder", "clientfolders"):
        with call.row():
            folder_id = number(given.get("clientFolderId"))
            known = [int(row["clientFolderId"]) for row in _folders(call)]
            if folder_id is None:
                if text(given.get("name")) is None:
                    raise ApiError(400, missing("name"))
                folder_id = next_id(call.con, "folders", "folder_id", 1)
                call.con.execute(
                    "insert into folders (folder_id, account_id) values (?, ?)", [folder_id, call.account_id]
                )
            elif folder_id not in known:
                raise not_found()
            made.append(_save_folder(call, folder_id, given, replace=False))
    return warned({"clientfolders": made or None}, call.warnings)


def folder_merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    return {"clientfolder": _save_folder(call, call.folder_id, call.fields("clientfolder"), replace=False)}


def folder_replace(call: Call) -> dict[str, Any]:
    """PUT a member: everything not given is blanked."""
    return {"clientfolder": _save_folder(call, call.folder_id, call.fields("clientfolder"), replace=True)}


def _save_folder(call: Call, folder_id: int, given: Mapping[str, Any], *, replace: bool) -> dict[str, Any]:
    sql = "select name, email_recipient, fields from folders where folder_id = ?"
    name, recipient, fields = call.con.execute(sql, [folder_id]).fetchone()
    kept = {} if replace else {**json.loads(fields), "name": name, "emailRecipient": recipient}
    row = {**kept, **{key: value for key, value in given.items() if value is not None}}
    texts = {key: value for key in FOLDER_TEXTS if (value := text(row.get(key))) is not None}
    call.con.execute(
        "update folders set name = ?, email_recipient = ?, fields = ? where folder_id = ?",
        [text(row.get("name")), text(row.get("emailRecipient")), json.dumps(texts), folder_id],
    )
    return _folder(call, folder_id)
