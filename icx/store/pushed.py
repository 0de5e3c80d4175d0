"""What earlier plans did to a list and to a person, as the journal tells it: the next plan has to know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa

from icx.clock import naive_utc
from icx.store.journal import Journal
from icx.store.plans import SUBSCRIBING, Place


def unfinished(journal: Journal, place: Place) -> list[str]:
    """Return the plans to this list that an apply began and did not finish, oldest first."""
    rows = journal.read(
        "select number from plans where state = 'applying' and account_id = ? and client_folder_id = ?"
        " and list_id = ? order by number",
        tuple(place),
    )
    return [f"P-{row['number']}" for row in rows]


def own_writes(journal: Journal, place: Place) -> pa.Table:
    """Return when icx itself subscribed whom to this list: contact_id, written_at (naive UTC)."""
    rows = journal.read(
        f"select r.contact_id, r.at from plan_rows r join plans p on p.number = r.plan"
        f" where p.account_id = ? and p.client_folder_id = ? and r.to_list = ?"
        f" and r.action in {SUBSCRIBING} and r.state in ('sent', 'done', 'in_doubt')"
        f" and r.contact_id is not null order by r.at",
        tuple(place),
    )
    return pa.table(
        {
            "contact_id": pa.array([row["contact_id"] for row in rows], pa.int64()),
            "written_at": pa.array(
                [naive_utc(datetime.fromisoformat(row["at"])) for row in rows], pa.timestamp("us")
            ),
        }
    )


def parked(journal: Journal, place: Place) -> dict[int, int]:
    """Return the contacts that icx moved from this list and did not surely move back, and to which list each.

    Who was sent back and perhaps did not arrive is still away: what they do there counts.
    """
    rows = journal.read(
        "select r.contact_id, r.action, r.to_list from plan_rows r join plans p on p.number = r.plan"
        " where p.account_id = ? and p.client_folder_id = ? and p.list_id = ?"
        " and (r.state = 'done' and r.action in ('park', 'restore')"
        " or r.state in ('sent', 'in_doubt') and r.action = 'park')"
        " and r.contact_id is not null order by r.at, r.plan",
        tuple(place),
    )
    away: dict[int, int] = {}
    for row in rows:
        if row["action"] == "park":
            away[row["contact_id"]] = row["to_list"]
        else:
            away.pop(row["contact_id"], None)
    return away


def last_push(journal: Journal, place: Place) -> int | None:
    """Return how many people the last push added to this list, or None when there was none.

    A few who were tried again, or for whom a trigger fired, are no measure of the next push.
    """
    rows = journal.read(
        f"select p.number, count(*) as added from plans p join plan_rows r on r.plan = p.number"
        f" where p.account_id = ? and p.client_folder_id = ? and r.to_list = ? and r.state = 'done'"
        f" and r.action in {SUBSCRIBING} and p.state = 'finished'"
        f" and json_extract(p.header, '$.policy.retry_of') is null"
        f" and coalesce(json_extract(p.header, '$.policy.trigger'), '') = ''"
        f" group by p.number order by p.number desc limit 1",
        tuple(place),
    )
    return int(rows[0]["added"]) if rows else None


def pushed(journal: Journal, place: Place) -> bool:
    """Return whether any plan was ever applied to this list, to its end or not."""
    rows = journal.read(
        "select 1 from plans where state in ('applying', 'finished') and began_at is not null"
        " and account_id = ? and client_folder_id = ? and list_id = ? limit 1",
        tuple(place),
    )
    return bool(rows)


def of_contact(journal: Journal, contact_id: int) -> list[dict[str, Any]]:
    """Return every push row of one contact, with its plan: for what is held about somebody."""
    rows = journal.read(
        "select 'P-' || p.number as plan, p.audience, p.connection, p.list_name, p.who, r.action, r.state,"
        " r.words, r.at from plan_rows r join plans p on p.number = r.plan where r.contact_id = ?"
        " order by r.at",
        (contact_id,),
    )
    return [dict(row) for row in rows]
