"""A workspace's data folder to pull into, and what is compared between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from icx.clock import ManualClock
from icx.pull import PullReport, pull
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal

TABLES = {
    "icontact_users": "* exclude (first_seen, gone_at), gone_at is null as listed",
    "icontact_activity": "*",
    "urls": "*",
    "subscriptions": "*",
    "lists": "* exclude (gone_at)",
    "custom_fields": "* exclude (gone_at)",
    "campaigns": "*",
    "messages": "*",
    "sends": "*",
    "statistics": "* exclude (read_at)",
    "units": "* exclude (verified_at, pull_id)",
    "shared.consent_facts": "* exclude (seen_at, happened_at)",
}


class Bed:
    """A workspace's data folder, and pulls into it."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.store = Store(folder / "icx.duckdb", clock=clock)
        self.journal = Journal(folder / "journal.sqlite", clock)

    def pull(self, client: Any, *, threads: int = 2, page_size: int = 5, **options: Any) -> PullReport:
        settings = Settings(threads=threads, page_size=page_size, **options.pop("with_settings", {}))
        return pull(self.store, self.journal, client, "acme", settings=settings, clock=self.clock, **options)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every table's rows, sorted, without the times at which they were read."""
        with self.store.open("acme") as con:
            return {
                table: sorted(con.execute(f"select {columns} from {table}").fetchall(), key=repr)
                for table, columns in TABLES.items()
            }

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.store.open("acme") as con:
            return con.execute(sql).fetchall()
