"""Published files: Parquet beside the database, replaced by rename, for readers that must not hold a lock."""

from __future__ import annotations

import os
from pathlib import Path

from icx.store.db import Connection, literal

TABLES = ("profile", "icontact_users", "icontact_activity", "lists", "subscriptions")


def publish(con: Connection, directory: Path) -> None:
    """Write the connection's tables to `directory/<table>.parquet`; a reader sees the old file or the new."""
    directory.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        unfinished = directory / f".{table}.parquet.new"
        con.execute(
            f"copy (select * from {table}) to {literal(str(unfinished))} (format parquet, compression zstd)"
        )
        os.replace(unfinished, directory / f"{table}.parquet")
