"""Assembling a profile in the database: compute it beside the old one, then swap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from icx.profile.catalogue import Everything
from icx.profile.field import bad_file
from icx.profile.own import Own, bound, first_line
from icx.profile.statement import (
    Tables,
    machine_params,
    machine_sql,
    profile_params,
    profile_sql,
    view_columns,
)
from icx.settings import Settings
from icx.store.db import Connection, DatabaseError, quoted


@dataclass(frozen=True)
class Assembly:
    """One build under way. `name` is the profile's own: `profile`, or `profile_at` for a past moment."""

    con: Connection
    connection: str
    name: str
    moment: datetime
    parts: Everything
    tables: Tables
    settings: Settings

    @property
    def schema(self) -> str:
        return quoted(self.connection)

    @property
    def target(self) -> str:
        return f"{self.schema}.{self.name}_next"


def mark_machines(job: Assembly) -> None:
    """Find the moments whose opens and clicks are likely a machine's."""
    job.con.execute(
        f"create or replace temp table {job.tables.machine} as {machine_sql(job.tables)}",
        machine_params(job.moment, job.settings),
    )


def compute(job: Assembly) -> None:
    """Compute the new profile into its own table; when a user's file makes it fail, say which one."""
    sql = profile_sql(job.parts, job.tables)
    try:
        job.con.execute(
            f"create or replace table {job.target} as {sql}", profile_params(sql, job.moment, job.settings)
        )
        (twice,) = one(job.con, f"select count(*) - count(distinct contact_id) from {job.target}")
    except DatabaseError:
        _blame(job)
        raise
    if twice:
        job.con.execute(f"drop table {job.target}")
        _blame(job)
        raise AssertionError("the profile has two rows of one contact")


def _blame(job: Assembly) -> None:
    """Try the users' files one after another and raise the error of the first that fails."""
    good: list[Own] = []
    for own in job.parts.owns:
        sql = profile_sql(job.parts, job.tables, [*good, own])
        try:
            if own.is_query:
                query = f"select count(*) - count(distinct contact_id) from ({own.file.sql}\n)"
                (twice,) = one(job.con, query, job.moment)
                if twice:
                    raise bad_file(
                        own.file.file, f"its select gives {twice} rows of contacts it has given already"
                    )
            job.con.execute(
                f"select count({quoted(own.file.name)}) from ({sql})",
                profile_params(sql, job.moment, job.settings),
            )
        except DatabaseError as error:
            raise bad_file(own.file.file, first_line(error)) from None
        good.append(own)


@dataclass(frozen=True)
class Made:
    """What the row in `builds` says."""

    built_at: datetime
    pull_id: str
    people: int
    fields: int
    seconds: float


def swap(job: Assembly, made: Made) -> str:
    """Put the computed profile in place of the old one, in one transaction, and return the build's id.

    A past profile gets no row in `builds`: nothing is ever judged or sent from it.
    """
    con, schema, name = job.con, job.schema, job.name
    con.execute("begin")
    try:
        con.execute(f"drop view if exists {schema}.{name}")
        con.execute(f"drop table if exists {schema}.{name}_rows")
        con.execute(f"alter table {job.target} rename to {name}_rows")
        columns = view_columns(job.parts, job.moment)
        con.execute(f"create view {schema}.{name} as select {columns} from {schema}.{name}_rows")
        build_id = f"{name}@{job.moment:%Y-%m-%dT%H:%M:%SZ}"
        if name == "profile":
            _keep_machine_events(job)
            (number,) = one(
                con, "select coalesce(max(try_cast(substr(build_id, 3) as bigint)), 0) + 1 from builds"
            )
            build_id = f"b-{number}"
            con.execute(
                "insert into builds values (?, ?, ?, ?, ?, ?, ?)",
                [build_id, job.moment, made.built_at, made.pull_id, made.people, made.fields, made.seconds],
            )
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    return build_id


def _keep_machine_events(job: Assembly) -> None:
    """Keep the marks, and the view of events without them, for rules that ask for people's own events."""
    schema = job.schema
    job.con.execute(f"create or replace table {schema}.machine_events as select * from {job.tables.machine}")
    job.con.execute(
        f"create or replace view {schema}.activity_human as select a.* from {schema}.icontact_activity a"
        f" anti join {schema}.machine_events m on m.contact_id = a.contact_id and m.message_id = a.message_id"
        " and m.event_type = a.event_type and m.event_ts = a.event_ts"
    )


def one(con: Connection, sql: str, as_of: datetime | None = None) -> tuple[int, ...]:
    """Return the only row of a query, which may name `$as_of`."""
    row = con.execute(sql, bound(sql, as_of) if as_of else None).fetchone()
    assert row is not None
    return tuple(row)
