"""Campaigns, also called sender properties: who a message comes from and how it is tracked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import ApiError, blanks, missing, not_found, warned
from icx.sandbox.call import Call, next_id, number, text
from icx.sandbox.search import Column, read_page, read_search

KEYS = (
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
REQUIRED = (
    "name",
    "fromName",
    "fromEmail",
    "subscriptionManagement",
    "clickTrackMode",
    "useAccountAddress",
    "archiveByDefault",
)
SEARCHED = {
    "campaignId": Column("campaign_id", "id"),
    **{key: Column(f"json_extract(fields, '$.{key}')") for key in KEYS},
}
FIRST_ID = 101


def _read_row(row: tuple[Any, ...]) -> dict[str, Any]:
    fields = json.loads(row[1])
    return {"campaignId": row[0], **{key: text(fields.get(key)) for key in KEYS}}


def _stored(call: Call, campaign_id: int | None) -> dict[str, Any]:
    sql = "select cast(campaign_id as text), fields from campaigns where folder_id = ? and campaign_id = ?"
    row = call.con.execute(sql, [call.folder_id, campaign_id]).fetchone()
    if row is None:
        raise not_found()
    return _read_row(row)


def list_page(call: Call) -> dict[str, Any]:
    """GET campaigns."""
    search = read_search(call, SEARCHED)
    search.add("folder_id = ?", call.folder_id)
    return read_page(
        call,
        search,
        plural="campaigns",
        select="cast(campaign_id as text), fields",
        source="campaigns",
        key="campaign_id",
        row=_read_row,
    )


def read(call: Call) -> dict[str, Any]:
    """GET a member."""
    return {"campaign": _stored(call, number(call.ids[0]))}


def create(call: Call) -> dict[str, Any]:
    """POST the collection: rows with a campaignId update, the others create."""
    made = []
    for given in call.rows("campaign", "campaigns"):
        with call.row():
            campaign_id = number(given.get("campaignId"))
            if campaign_id is None:
                campaign_id = next_id(call.con, "campaigns", "campaign_id", FIRST_ID)
                _save(call, campaign_id, given, {})
            else:
                _save(call, campaign_id, given, _stored(call, campaign_id))
            made.append(blanks(_stored(call, campaign_id)))
    return warned({"campaigns": made or None}, call.warnings)


def _save(call: Call, campaign_id: int, given: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    row = {**kept, **{key: value for key, value in given.items() if value is not None}}
    for name in REQUIRED:
        if text(row.get(name)) is None:
            raise ApiError(400, missing(name))
    fields = {key: value for key in KEYS if (value := text(row.get(key))) is not None}
    call.con.execute(
        "insert or replace into campaigns (campaign_id, folder_id, fields) values (?, ?, ?)",
        [campaign_id, call.folder_id, json.dumps(fields)],
    )


def merge(call: Call) -> dict[str, Any]:
    """POST a member: only the given fields change."""
    return _write_member(call, replace=False)


def replace(call: Call) -> dict[str, Any]:
    """PUT a member: everything not given is blanked."""
    return _write_member(call, replace=True)


def _write_member(call: Call, *, replace: bool) -> dict[str, Any]:
    now = _stored(call, number(call.ids[0]))
    _save(call, int(now["campaignId"]), call.fields("campaign"), {} if replace else now)
    return warned({"campaign": blanks(_stored(call, int(now["campaignId"])))}, call.warnings)
