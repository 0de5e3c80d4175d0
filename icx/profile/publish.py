"""Published files: Parquet beside the database, replaced by rename, for readers that must not hold a lock."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from icx.profile.statement import published_columns
from icx.store import private
from icx.store.db import Connection, literal
from icx.store.published import ABOUT, TABLES, About, write_about

KINDS = ("open", "click", "bounce", "unsubscribe")
MACHINES = ("open", "click")  # the kinds that `sql/machine.sql` marks
# Of zstd's levels the first takes less work than its own, the third, and the files are as big. Events, which a
# view counts after each edit, are packed so that they are read quickest: a fifth to a third less work than of zstd, for
# a fortieth more bytes. The other files are read no quicker so, and would be a seventh larger.
FORMAT = "format parquet, parquet_version v2, compression zstd, compression_level 1"
QUICK = "format parquet, parquet_version v2, compression lz4_raw"


def publish(con: Connection, directory: Path, about: About) -> None:
    """Write the connection's tables to `directory/<table>.parquet`; a reader sees the old file or the new.

    What is far longer than there are people is laid out so that a view can count it after each edit: rows of events
    and subscriptions say with `profile_row` which row of profile.parquet, from 0, is their person's (null when none),
    events lie by kind and say whether a machine probably made them, subscriptions lie by list. The profile's file has
    the lists that maps by message and hour are made of, and how they are is said with it.

    All files are written before the first is replaced, and what they are of is said last: whoever finds it again
    unchanged after reading has read tables of one build.
    """
    private.folder(directory)
    filed, made = published_columns(about.catalogue, about.as_of)
    for table in TABLES:  # the profile first
        select = _select(table, directory)
        if table == "profile" and filed != "*":
            select = f"select {filed} from profile_rows"
        packed = QUICK if table == "icontact_activity" else FORMAT
        con.execute(f"copy ({select}) to {literal(str(_unfinished(directory, table)))} ({packed})")
    (directory / ABOUT).unlink(missing_ok=True)
    for table in TABLES:
        os.replace(_unfinished(directory, table), directory / f"{table}.parquet")
    write_about(directory, replace(about, made=made))


def _select(table: str, directory: Path) -> str:
    profile = literal(str(_unfinished(directory, TABLES[0])))
    numbered = f" left join read_parquet({profile}, file_row_number = true) p on p.contact_id = t.contact_id"
    row = "p.file_row_number::integer as profile_row"
    if table == "messages":
        return "select * exclude (html_body) from messages"  # a mail's whole text is nothing to look people up by
    if table == "subscriptions":
        return f"select t.*, {row} from subscriptions t {numbered} order by t.list_id"
    if table == "icontact_activity":
        # One kind after another without sorting: within a kind events stay in the order of their messages and moments.
        kinds = ", ".join(literal(kind) for kind in KINDS)
        parts = {f"= {literal(kind)}": "false" for kind in KINDS} | {f"not in ({kinds})": "false"}
        for kind in MACHINES:
            parts[f"= {literal(kind)}"] = (
                f"exists (select 1 from machine_events m where m.event_type = {literal(kind)}"
                " and m.contact_id = t.contact_id and m.message_id = t.message_id and m.event_ts = t.event_ts)"
            )
        return " union all ".join(
            f"select t.*, {row}, {machine} as machine from icontact_activity t {numbered} where t.event_type {test}"
            for test, machine in parts.items()
        )
    return f"select * from {table}"


def _unfinished(directory: Path, table: str) -> Path:
    return directory / f".{table}.parquet.new"
