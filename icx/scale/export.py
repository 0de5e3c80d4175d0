"""The store's tables as folders of Parquet files, for an engine that reads them from many machines."""

from __future__ import annotations

from pathlib import Path

from icx.store import Connection
from icx.store.names import literal

PART = "128MB"  # of one file; each is read by one worker at a time


def export(con: Connection, select: str, folder: Path) -> Path:
    """Write what a query gives as Parquet files of a bounded size into a new folder, and return it."""
    folder.mkdir(parents=True)
    con.execute(
        f"copy ({select}) to {literal(str(folder))} (format parquet, compression zstd,"
        f" file_size_bytes '{PART}', overwrite_or_ignore true)"
    )
    return folder


def relation(folder: Path) -> str:
    """Return what a query of DuckDB names to read such a folder."""
    return f"read_parquet({literal(str(folder / '*.parquet'))})"
