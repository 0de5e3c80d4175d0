"""Published files: Parquet beside the database, replaced by rename, for readers that must not hold a lock."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from icx.profile.statement import published_columns
from icx.store import private
from icx.store.db import Connection, literal
from icx.store.published import ABOUT, TABLES, About, write_about

COLUMNS = {"messages": "* exclude (html_body)"}  # a mail's whole text is nothing to look people up by
NUMBERED = ("icontact_activity", "machine_events", "subscriptions")  # far more rows than people


def publish(con: Connection, directory: Path, about: About) -> None:
    """Write the connection's tables to `directory/<table>.parquet`; a reader sees the old file or the new.

    Rows of events and subscriptions say with `profile_row` which row of profile.parquet, from 0, is their person's
    (null when none): a view that counts them after each edit then looks nobody up. The profile's file has the lists
    that maps by message and hour are made of, and how they are is said with it. All files are written before the
    first is replaced, and what they are of is said last: whoever finds it again unchanged after reading has read
    tables of one build.
    """
    private.folder(directory)
    filed, made = published_columns(about.catalogue, about.as_of)
    for table in TABLES:  # the profile first
        select = f"select {COLUMNS.get(table, '*')} from {table}"
        if table == "profile" and filed != "*":
            select = f"select {filed} from profile_rows"
        if table in NUMBERED:
            select = (
                f"select t.*, p.file_row_number::integer as profile_row from {table} t left join"
                f" read_parquet({literal(str(_unfinished(directory, TABLES[0])))}, file_row_number = true) p"
                " on p.contact_id = t.contact_id"
            )
        con.execute(
            f"copy ({select}) to {literal(str(_unfinished(directory, table)))} (format parquet, compression zstd)"
        )
    (directory / ABOUT).unlink(missing_ok=True)
    for table in TABLES:
        os.replace(_unfinished(directory, table), directory / f"{table}.parquet")
    write_about(directory, replace(about, made=made))


def _unfinished(directory: Path, table: str) -> Path:
    return directory / f".{table}.parquet.new"
