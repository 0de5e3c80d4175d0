"""Looking: lists of a connection, and the record of who did what, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icx.store import one_row

if TYPE_CHECKING:
    import pandas as pd

    from icx.store import Store

_LISTS = """
    select list_id, name,
           count(*) filter (s.status = 'normal') as members,
           count(*) filter (s.status = 'pending') as pending,
           count(*) filter (s.status = 'unsubscribed') as unsubscribed,
           coalesce(welcome_on_manual_add, false) as welcome
      from lists left join subscriptions s using (list_id)
     where gone_at is null
     group by list_id, name, welcome_on_manual_add
     order by members desc, list_id
"""
_RECORD = """
    select happened_at, who, verb, what, because, run
      from shared.record order by happened_at desc limit ?
"""


def lists(store: Store, connection: str) -> pd.DataFrame:
    """Return the lists of the last pull: list_id, name, members, pending, unsubscribed, welcome (mails one)."""
    with store.open(connection) as con:
        return con.execute(_LISTS).df()


def holds(store: Store, connection: str) -> dict[str, int]:
    """Return how many contacts and messages are stored of a connection; a table that is not there yet has none."""
    with store.open(connection) as con:
        there = {
            name
            for (name,) in con.execute(
                "select table_name from information_schema.tables where table_schema = ?", [connection]
            ).fetchall()
        }
        counts = {}
        for what, table in (("contacts", "icontact_users"), ("messages", "messages")):
            row = one_row(con.execute(f"select count(*) from {table}")) if table in there else None
            counts[what] = int(row[0]) if row else 0
    return counts


def record(store: Store, limit: int) -> pd.DataFrame:
    """Return the newest entries of the record; `happened_at` is naive UTC."""
    with store.open() as con:
        return con.execute(_RECORD, [limit]).df()
