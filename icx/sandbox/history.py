"""A contact's history: writing actions as things happen, and reading them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from icx.sandbox.answers import history_time, not_found
from icx.sandbox.call import Call, number
from icx.sandbox.search import Column, Search, read_page, read_search

API_USER = "40711"  # the user id that writes through the API carry


def add(call: Call, contact_id: int, action: str, details: Mapping[str, Any] | None = None) -> None:
    """Record one action; empty details are PHP's empty array."""
    call.con.execute(
        "insert into actions (folder_id, contact_id, action_type, action_time, actor, details) values (?, ?, ?, ?, ?, ?)",
        [call.folder_id, contact_id, action, call.now, API_USER, json.dumps(details or [])],
    )


def read(call: Call) -> dict[str, Any]:
    """GET contacts/{id}/actions, the newest first."""
    contact_id = number(call.ids[0])
    sql = "select 1 from contacts where folder_id = ? and contact_id = ?"
    if call.con.execute(sql, [call.folder_id, contact_id]).fetchone() is None:
        raise not_found()

    def by_actor(search: Search, value: str) -> None:
        words = {part.strip() for part in value.split(",")} & {"system", "admin", "contact", "user"}
        tests = [f"actor = '{word}'" for word in sorted(words - {"user"})]
        if "user" in words:
            tests.append("actor glob '[0-9]*'")  # one user's own id cannot be searched
        search.add(f"({' or '.join(tests) or '0'})")

    columns = {"actionType": Column("action_type"), "actionTime": Column("action_time", "time")}
    search = read_search(call, columns, {"actor": by_actor}, default=call.state.switches.history_limit)
    search.add("folder_id = ? and contact_id = ?", call.folder_id, contact_id)
    return read_page(
        call,
        search,
        plural="actions",
        select="action_type, action_time, actor, details",
        source="actions",
        key="action_time desc, action_id desc",
        row=lambda row: {
            "actionType": row[0],
            "actionTime": history_time(row[1]),
            "actor": row[2],
            "details": json.loads(row[3]) or [],
        },
    )
