"""Looking: lists of a connection, and the record of who did what, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def record(store: Store, limit: int) -> pd.DataFrame:
    """Return the newest entries of the record; `happened_at` is naive UTC."""
    with store.open() as con:
        return con.execute(_RECORD, [limit]).df()
