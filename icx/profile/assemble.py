"""Assembling a profile in the database: compute it beside the old one, then swap."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from icx.profile import refresh
from icx.profile.catalogue import Everything
from icx.profile.field import bad_file
from icx.profile.own import Own, bound, first_line
from icx.profile.statement import (
    STEPS,
    Tables,
    made_of,
    moving_columns,
    own_sql,
    own_table,
    parameters,
    profile_sql,
    step_sql,
    view_columns,
)
from icx.profile.totals import Totals
from icx.settings import Settings
from icx.store.db import Connection, DatabaseError, quoted
from icx.store.transactions import transaction

BYTES_PER_EVENT = 400  # of memory while computing, measured at ten events a person
SAMPLED = 100_000  # events, to find ids that part the people into as many events each


@dataclass(frozen=True)
class Assembly:
    """One build under way. `name` is the profile's own: `profile`, or `profile_at` for a past moment.

    `basis` is what a later refresh compares (see `refresh`); `since` the moment of the profile that is refreshed now.
    `outside`: its rows stay outside the store.
    """

    con: Connection
    connection: str
    name: str
    moment: datetime
    parts: Everything
    tables: Tables
    settings: Settings
    basis: str = ""
    since: datetime | None = None
    totals: Totals | None = None
    build_id: str = ""
    outside: bool = False

    @property
    def past(self) -> bool:
        """Whether it takes the place of no profile: of points only totals are made."""
        return self.name != "profile" or self.outside

    @property
    def schema(self) -> str:
        return quoted(self.connection)

    @property
    def target(self) -> str:
        return self.tables.temporary("next") if self.tables.kept else f"{self.schema}.{self.name}_next"

    @property
    def anew(self) -> Tables:
        """The tables for the people computed from their events; a refresh has these events in a table of their own."""
        tables = self.tables
        return replace(tables, activity=tables.temporary("theirs")) if tables.kept else tables


def prepare(job: Assembly) -> None:
    """Make the tables all shares of the people read: links and hours by number, and what users' queries give."""
    _make(job, "marks", job.tables)
    if job.tables.kept:
        _make(job, "touched", job.tables)
        _make(job, "theirs", job.tables)
    for step in ("links", "quarters"):
        _make(job, step, job.anew)
    for own in job.parts.owns:
        if own.is_query:
            _run_own(job, own)


def shares(con: Connection, tables: Tables) -> list[Tables]:
    """Return the tables as they are read part by part of the people, so that the events of each part fit in memory."""
    number = parts_needed(con, tables)
    if number == 1:
        return [tables]
    # People by ranges of their ids, for contacts lie in that order: of each part only its own are read.
    (ends,) = con.execute(
        f"select quantile_disc(contact_id, {[part / number for part in range(1, number)]})"
        f" from (select contact_id from {tables.activity} using sample {SAMPLED} rows)"
    ).fetchall()[0]
    return [
        replace(tables, low=low, high=high)
        for low, high in pairwise([None, *dict.fromkeys(ends or []), None])
    ]


def parts_needed(con: Connection, tables: Tables) -> int:
    """Return in how many parts the events fit in memory."""
    (events,) = one(con, f"select count(*) from {tables.activity}")
    limit = con.execute("select current_setting('memory_limit')").fetchone()
    assert limit is not None
    number, unit = limit[0].split()
    fitting: float = float(number) * 1024 ** "KMGT".index(unit[0]) * 1024 / BYTES_PER_EVENT
    return max(1, math.ceil(events / fitting))


def compute(job: Assembly) -> None:
    """Compute the new profile into its own table; when a user's file makes it fail, say which one."""
    asked = begin_totals(job)
    for place, now in enumerate(shares(job.con, job.anew)):
        add = place > 0
        ways = [now]
        if job.tables.kept:
            ways.append(replace(now, activity=job.tables.activity, taken=True))
        _make(job, "events", now)
        _make(job, "machine", now, add=add)
        if job.totals is not None:
            _count_totals(job, job.totals, ways, asked)
        for way in ways:
            _insert(job, way, job.tables.temporary("moved") if way.taken else job.target, add=add)


def begin_totals(job: Assembly) -> set[str] | None:
    """Return the fields that points ask for: they are computed first, and then again with all the others.

    None when nobody has to be looked at.
    """
    if job.totals is None:
        return None
    return job.totals.begin(
        job.con,
        schema=job.schema,
        as_of=job.moment,
        build_id=job.build_id,
        past=job.past,
        catalogue=replace(job.parts, totals=()).catalogue,
        made_of=lambda names: made_of(job.parts, names),
    )


def _count_totals(job: Assembly, totals: Totals, ways: list[Tables], asked: set[str] | None) -> None:
    """Count the points of one share of the people, also of those whose rows are taken over."""
    now = ways[0]
    seen, machines = None, now.temporary("machine")
    if asked is not None:
        seen = now.temporary("seen")
        for way in ways:
            sql = profile_sql(job.parts, way, only=asked, read=True)
            into = f"insert into {seen}" if way.taken else f"create or replace temp table {seen} as"
            job.con.execute(f"{into} {sql}", parameters(sql, job.moment, job.settings))
    if now.kept:
        machines = f"(from {machines} union all from {job.schema}.machine_events where {ways[1].mine()})"
    everybody = replace(now, kept="")
    totals.share(
        job.con,
        people=f"select id from {now.users} where {everybody.mine('id')}",
        activity=job.tables.activity,
        machines=machines,
        seen=seen,
        into=now.temporary("points"),
        mine=everybody.mine,
    )


def _insert(job: Assembly, tables: Tables, table: str, *, add: bool) -> None:
    sql = profile_sql(job.parts, tables)
    kind = "temp table" if tables.kept else "table"
    into = f"insert into {table}" if add else f"create or replace {kind} {table} as"
    try:
        job.con.execute(f"{into} {sql}", parameters(sql, job.moment, job.settings))
    except DatabaseError:
        _blame(job, tables)
        raise


def _make(job: Assembly, step: str, tables: Tables, *, add: bool = False) -> None:
    """Make, or add to, a temporary table of one of the steps in `sql/`."""
    sql, table = step_sql(step, tables), tables.temporary(step)
    into = f"insert into {table}" if add else f"create or replace temp table {table} as"
    job.con.execute(f"{into} {sql}", parameters(sql, job.moment, job.settings, job.since))


def _run_own(job: Assembly, own: Own) -> None:
    table = own_table(own, job.tables)
    try:
        job.con.execute(
            f"create or replace temp table {table} as {own_sql(own)}", bound(own.file.sql, job.moment)
        )
    except DatabaseError as error:
        raise bad_file(own.file.file, first_line(error)) from None
    (twice,) = one(job.con, f"select count(*) - count(distinct contact_id) from {table}")
    if twice:
        raise bad_file(own.file.file, f"its select gives {twice} rows of contacts it has given already")


def _blame(job: Assembly, tables: Tables) -> None:
    """Try the users' expressions one after another and raise the error of the first that fails."""
    good: list[Own] = []
    for own in job.parts.owns:
        good.append(own)
        sql = profile_sql(job.parts, tables, good)
        try:
            job.con.execute(
                f"select count({quoted(own.file.name)}) from ({sql})",
                parameters(sql, job.moment, job.settings),
            )
        except DatabaseError as error:
            raise bad_file(own.file.file, first_line(error)) from None


def tidy(job: Assembly) -> None:
    """Drop the temporary tables; the connection may live on, and they are as big as the events."""
    for what in [*STEPS, "next", "moved", "seen", "points", *(f"own {o.file.name}" for o in job.parts.owns)]:
        job.con.execute(f"drop table if exists {job.tables.temporary(what)}")


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
    with transaction(con):
        con.execute(f"drop view if exists {schema}.{name}")
        if job.tables.kept:
            _put_in(job)
        else:
            con.execute(f"drop table if exists {schema}.{name}_rows")
            con.execute(f"alter table {job.target} rename to {name}_rows")
        columns = view_columns(job.parts, job.moment)
        con.execute(f"create view {schema}.{name} as select {columns} from {schema}.{name}_rows")
        build_id = f"{name}@{job.moment:%Y-%m-%dT%H:%M:%SZ}"
        if name == "profile":
            if not job.tables.kept:
                _keep_machine_events(job)
            refresh.keep(con, job.connection, job.basis, job.moment)
            build_id = job.build_id
            con.execute(
                "insert into builds values (?, ?, ?, ?, ?, ?, ?)",
                [build_id, job.moment, made.built_at, made.pull_id, made.people, made.fields, made.seconds],
            )
        if job.totals is not None:
            job.totals.swap(con)
    return build_id


def next_build(con: Connection) -> str:
    """Return the id of the build that comes next."""
    (number,) = one(con, "select coalesce(max(try_cast(substr(build_id, 3) as bigint)), 0) + 1 from builds")
    return f"b-{number}"


def _put_in(job: Assembly) -> None:
    """Put the rows computed anew in place of those people's old ones, and what moved into the rows that stay."""
    rows, touched = f"{job.schema}.{job.name}_rows", job.tables.temporary("touched")
    machine = f"{job.schema}.machine_events"
    job.con.execute(f"delete from {rows} where contact_id in (select contact_id from {touched})")
    job.con.execute(f"insert into {rows} by name select * from {job.target}")
    moving = [quoted(name) for name in moving_columns(job.parts)]
    changes = ", ".join(f"{name} = moved.{name}" for name in moving)
    changed = " or ".join(f"r.{name} is distinct from moved.{name}" for name in moving)
    job.con.execute(
        f"update {rows} r set {changes} from {job.tables.temporary('moved')} moved"
        f" where moved.contact_id = r.contact_id and ({changed})"
    )
    job.con.execute(f"delete from {machine} where contact_id in (select contact_id from {touched})")
    job.con.execute(f"insert into {machine} select * from {job.tables.temporary('machine')}")


def _keep_machine_events(job: Assembly) -> None:
    """Keep the marks, and the view of events without them, for rules that ask for people's own events."""
    schema = job.schema
    job.con.execute(
        f"create or replace table {schema}.machine_events as select * from {job.tables.temporary('machine')}"
    )
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
