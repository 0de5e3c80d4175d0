"""A workspace with one connection, two contacts and a plan, made without any service: to be copied and broken."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from icx.clock import Clock, ManualClock
from icx.pull import register
from icx.store.plans import Place
from icx.workspace import Workspace

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place(1, 2, 3004)
ROWS = pa.table(
    {"contact_id": pa.array([1, 2], pa.int64()), "email": ["jo@example.com", "ada@example.com"],
     "email_key": ["jo@example.com", "ada@example.com"], "action": ["add", "keep"], "reason": ["", ""],
     "fields": pa.array([None, None], pa.string())}
)  # fmt: skip


def made(folder: Path, clock: Clock | None = None) -> Workspace:
    """Return a workspace whose `acme` was pulled at noon."""
    ws = Workspace(folder, clock=clock or ManualClock(NOON), who="maya", wait_minutes=0.05)
    register(ws.store, "acme", 1, 2)
    with ws.store.open("acme") as con:
        con.execute(
            "insert into icontact_users (id, email, email_key, status, first_seen) values"
            " (1, 'Jo@example.com', 'jo@example.com', 'normal', '2026-11-21'),"
            " (2, 'ada@example.com', 'ada@example.com', 'normal', '2026-11-21')"
        )
        con.execute("insert into pulls (pull_id, started_at, began_at, ended_at, state) values"
                    " ('r-1', '2026-11-21 11:00', '2026-11-21 11:00', '2026-11-21 11:01', 'complete')")  # fmt: skip
    ws.plan_journal.add(
        {"counts": {}}, ROWS, place=PLACE, list_name="News", connection="acme", audience="All", who="maya"
    )
    (ws.layout.audiences).mkdir(parents=True)
    (ws.layout.audiences / "All.json").write_text("{}")
    secrets = ws.layout.data / "secrets"
    secrets.mkdir()
    (secrets / "acme.json").write_text('{"password": "canary-of-a-secret"}')
    return ws


def said_no(ws: Workspace, contact: int) -> None:
    """Note that somebody asked never to be contacted."""
    with ws.store.open() as con:
        con.execute(
            "insert into shared.consent_facts values"
            " (1, 2, ?, null, null, 'donotcontact', '2026-11-21', '2026-11-21', 'contact status', null)",
            [contact],
        )


def contacts(ws: Workspace) -> list[int]:
    """Return the contacts stored."""
    with ws.store.open("acme") as con:
        return [row[0] for row in con.execute("select id from icontact_users order by id").fetchall()]


def facts(ws: Workspace) -> list[int]:
    """Return the contacts of whom a fact is known."""
    with ws.store.open() as con:
        return [
            row[0] for row in con.execute("select contact_id from shared.consent_facts order by 1").fetchall()
        ]
