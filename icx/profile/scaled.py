"""The same profile from a Spark cluster: the same SQL over the store's tables, its rows brought back or left outside."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from icx.profile.assemble import Assembly, begin_totals, next_build
from icx.profile.own import bound
from icx.profile.statement import (
    MARK,
    own_sql,
    own_table,
    parameters,
    profile_sql,
    step_sql,
    view_columns,
)
from icx.scale import Spark, export, relation, tables_of, troubles
from icx.store import memory, one_row, quoted

Again = Callable[[], AbstractContextManager[Assembly]]  # the job with the database open


@dataclass(frozen=True)
class Exported:
    """What a build reads, outside the database: folders of Parquet by table, and the fields that points ask for."""

    tables: dict[str, Path]
    people: int
    asked: set[str] | None = None


def unload(job: Assembly, folder: Path) -> Exported:
    """Write the tables that this build reads; nothing is computed but the custom fields' types.

    Their texts are typed by DuckDB on the way out: how a date may be written is no two engines' opinion.
    """
    owns = [own_sql(own) for own in job.parts.owns if own.is_query]
    statements = [*(step_sql(step, job.tables) for step in STEPS), profile_sql(job.parts, job.tables), *owns]
    made = {_bare(name) for name in _made(job)}
    names = set().union(*(tables_of(sql) for sql in statements)) - made
    found = {}
    for name in sorted(names):
        columns = ["*"]
        if name == job.tables.users:
            columns += [f"{custom.sql} as {quoted(custom.column)}" for custom in job.parts.customs]
        found[name] = export(job.con, f"select {', '.join(columns)} from {quoted(name)} u", folder / name)
    count = one_row(job.con.execute(f"select count(*) from {quoted(job.tables.users)}"))
    assert count is not None
    return Exported(found, count[0], begin_totals(job))


STEPS = ("links", "quarters", "events", "machine")
# Where DuckDB's build keeps marks of everybody's events for the next refresh, here is who has any: the next build here
# computes everybody, since marks of one engine say nothing to the other.
WITH_EVENTS = "select distinct contact_id from {activity} where event_ts < $as_of"


def compute(job: Assembly, exported: Exported, spark: Spark, again: Again) -> tuple[Path, Path]:
    """Compute the profile on Spark; return the folders of its rows and of the machine events.

    `again` opens the database for a moment, where points are counted, from what Spark has found so far; otherwise it
    is not used.
    """
    tables = job.tables
    for name, folder in exported.tables.items():
        spark.view(name, folder)

    def make(name: str, sql: str) -> Path:
        return spark.make(name, sql, parameters(sql, job.moment, job.settings))

    for own in job.parts.owns:
        if own.is_query:
            spark.make(_bare(own_table(own, tables)), own_sql(own), bound(own.file.sql, job.moment))
    make(_bare(tables.temporary("marks")), tables.filled(WITH_EVENTS))
    made = {step: make(_bare(tables.temporary(step)), step_sql(step, tables)) for step in STEPS}
    if job.totals is not None:
        seen = None
        if exported.asked is not None:
            seen = make(
                _bare(tables.temporary("seen")),
                profile_sql(job.parts, tables, only=exported.asked, read=True),
            )
        with again() as here:
            folder = _points(here, made["machine"], seen, spark.folder / "points")
        spark.view(_bare(tables.temporary("points")), folder)
    return make("profile", profile_sql(job.parts, tables)), made["machine"]


def _points(job: Assembly, machine: Path, seen: Path | None, folder: Path) -> Path:
    """Count the points here, where the ledger is, and write everybody's totals for Spark to join."""
    begin_totals(job)
    assert job.totals is not None
    table = job.tables.temporary("points")
    job.totals.share(
        job.con,
        people=f"select id from {job.tables.users}",
        activity=job.tables.activity,
        machines=relation(machine),
        seen=relation(seen) if seen else None,
        into=table,
        mine=lambda column: "true",
    )
    export(job.con, f"from {table}", folder)
    job.con.execute(f"drop table {table}")
    if job.past:
        job.totals.end(job.con)
    return folder


def check_free(folder: Path) -> None:
    """Raise "folder-taken" when there is something in the folder that the rows shall go to."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise troubles.taken(folder)


def write(job: Assembly, exported: Exported, spark: Spark, folder: Path) -> None:
    """Let Spark write the rows, as a reader of the profile sees them, into a folder of their own, or leave none."""
    check_free(folder)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        spark.write(f"select {view_columns(job.parts, job.moment)} from profile", folder)
        found = 0
        if any(folder.glob("*.parquet")):
            with memory() as con:
                (found,) = con.execute(f"select count(*) from {relation(folder)}").fetchall()[0]
        if found != exported.people:
            raise troubles.other_rows(str(folder), exported.people, found)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def load(job: Assembly, exported: Exported, rows: Path, machine: Path) -> None:
    """Put what Spark computed where a build here would have put it; not over what another build computed meanwhile."""
    if job.name == "profile" and next_build(job.con) != job.build_id:
        raise troubles.built_meanwhile(job.connection)
    job.con.execute(
        f"create or replace table {job.target} as"
        f" select * replace (null::ubigint as {MARK}) from {relation(rows)}"
    )
    count = one_row(job.con.execute(f"select count(*) from {job.target}"))
    assert count is not None
    if count[0] != exported.people:
        job.con.execute(f"drop table {job.target}")
        raise troubles.other_rows("the profile", exported.people, count[0])
    table = job.tables.temporary("machine")
    job.con.execute(f"create or replace temp table {table} as select * from {relation(machine)}")


def _made(job: Assembly) -> list[str]:
    steps = [job.tables.temporary(step) for step in (*STEPS, "marks", "points")]
    return [*steps, *(own_table(own, job.tables) for own in job.parts.owns if own.is_query)]


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"')
