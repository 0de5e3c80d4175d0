"""What a sandbox holds, read from its own SQLite file: no API and nothing of icx in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Held:
    """The account in one state file; it may be served at the same time."""

    file: Path

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        con = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=30)
        try:
            yield con
        finally:
            con.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.open() as con:
            return con.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        """The single value a query gives."""
        ((value,),) = self.rows(sql, *values)
        return value

    def counts(self) -> dict[str, int]:
        """How many rows of each kind a reader of the account ought to find."""
        tables = {
            "contacts": "contacts where status <> 'deleted'",
            "subscriptions": "subscriptions",
            "lists": "lists where not deleted",
            "customfields": "custom_fields where not deleted",
            "campaigns": "campaigns",
            "messages": "messages",
            "sends": "sends",
            "events": "events",
        }
        return {name: self.one(f"select count(*) from {table}") for name, table in tables.items()}

    def on(self, list_id: int) -> dict[int, str]:
        """Everybody who has a subscription to a list, with its status."""
        return dict(self.rows("select contact_id, status from subscriptions where list_id = ?", list_id))

    def members(self, list_id: int) -> set[int]:
        return {contact for contact, status in self.on(list_id).items() if status == "normal"}

    def list_id(self, name: str) -> int:
        found: int = self.one("select list_id from lists where name = ? and not deleted", name)
        return found

    def violations(self) -> list[tuple[Any, ...]]:
        return self.rows("select kind, contact_id, list_id, was, became, request from violations")

    def times_added(self, list_id: int) -> dict[int, int]:
        """How often each contact's own history says that it became normal on this list."""
        rows = self.rows(
            "select contact_id, count(*) from actions where action_type = 'EditSubscription'"
            " and details ->> 'listId' = ? and details ->> 'newStatus' = 'normal' group by contact_id",
            str(list_id),
        )
        return dict(rows)
