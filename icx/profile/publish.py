"""Published files: Parquet beside the database, replaced by rename, for readers that must not hold a lock."""

from __future__ import annotations

import os
from pathlib import Path

from icx.store.db import Connection, literal
from icx.store.published import ABOUT, TABLES, About, write_about

COLUMNS = {"messages": "* exclude (html_body)"}  # a mail's whole text is nothing to look people up by


def publish(con: Connection, directory: Path, about: About) -> None:
    """Write the connection's tables to `directory/<table>.parquet`; a reader sees the old file or the new.

    All are written before the first is replaced, and what they are of is said last: whoever finds it again
    unchanged after reading has read tables of one build.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        con.execute(
            f"copy (select {COLUMNS.get(table, '*')} from {table}) to {literal(str(_unfinished(directory, table)))}"
            " (format parquet, compression zstd)"
        )
    (directory / ABOUT).unlink(missing_ok=True)
    for table in TABLES:
        os.replace(_unfinished(directory, table), directory / f"{table}.parquet")
    write_about(directory, about)


def _unfinished(directory: Path, table: str) -> Path:
    return directory / f".{table}.parquet.new"
