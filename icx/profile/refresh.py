"""Refreshing a profile: rows whose people, events and windows stayed are taken over from the profile before.

A build leaves with each row what it was made of as a number, and beside the rows what all of them were made with. As
long as the latter is the same, the next build computes only the people of `sql/touched.sql` from their events, with the
same statement as a whole build, and reads for the others what their events gave from the rows there are.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from icx.profile.catalogue import Everything
from icx.profile.statement import STEPS, Tables, profile_sql, step_sql
from icx.settings import Settings
from icx.store.db import Connection, quoted

ROWS = "profile_rows"


def basis(con: Connection, parts: Everything, tables: Tables, settings: Settings) -> str:
    """Return a digest of what all rows are made with: the statements, the settings they read, and DuckDB's version.

    DuckDB's `hash`, of which the marks are made, is another one in another version.
    """
    version = con.execute("select version()").fetchall()
    texts = [step_sql(step, tables) for step in STEPS] + [profile_sql(parts, tables)]
    set_to = (settings.zone, settings.machine_links, settings.machine_seconds)
    return hashlib.sha256(repr((version, texts, set_to)).encode()).hexdigest()


def since(con: Connection, connection: str, basis: str, moment: datetime) -> datetime | None:
    """Return the moment of the profile that may be refreshed to `moment`, or None when it has to be built whole."""
    there = con.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() and schema_name = ?"
        " and table_name in ('profile_basis', 'profile_releases', 'machine_events', ?)",
        [connection, ROWS],
    ).fetchall()
    if there != [(4,)]:
        return None
    rows = con.execute("select basis, as_of from profile_basis").fetchall()
    return next((as_of for known, as_of in rows if known == basis and as_of <= moment), None)


def touched(con: Connection, tables: Tables) -> int:
    """Return how many people were computed from their events."""
    ((number,),) = con.execute(f"select count(*) from {tables.temporary('touched')}").fetchall()
    return int(number)


def keep(con: Connection, connection: str, basis: str, moment: datetime) -> None:
    """Write down what the profile of that moment was made with, and the releases it knew."""
    schema = quoted(connection)
    con.execute(f"create or replace table {schema}.profile_basis as select $basis as basis, $moment as as_of",
        {"basis": basis, "moment": moment})  # fmt: skip
    con.execute(
        f"create or replace table {schema}.profile_releases as"
        " select distinct message_id, released_at from sends where released_at is not null"
    )
