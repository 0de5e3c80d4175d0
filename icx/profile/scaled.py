"""The same profile from a Spark cluster: the same SQL over the store's tables, its rows brought back into the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from icx.errors import NeedsYou
from icx.profile.assemble import Assembly
from icx.profile.own import bound
from icx.profile.statement import MARKS, own_sql, own_table, parameters, profile_sql, step_sql
from icx.scale import Spark, export, relation, tables_of
from icx.scale.troubles import other_rows
from icx.store import one_row, quoted


@dataclass(frozen=True)
class Exported:
    """What a build reads, outside the database: folders of Parquet by table."""

    tables: dict[str, Path]
    people: int


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
    return Exported(found, count[0])


STEPS = ("links", "quarters", "events", "machine")
# Where DuckDB's build keeps marks of everybody's events for the next refresh, here is who has any: the next build here
# computes everybody, since marks of one engine say nothing to the other.
WITH_EVENTS = "select distinct contact_id from {activity} where event_ts < $as_of"


def compute(job: Assembly, exported: Exported, spark: Spark) -> tuple[Path, Path]:
    """Compute the profile on Spark; return the folders of its rows and of the machine events. `job.con` is not used."""
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
    return make("profile", profile_sql(job.parts, tables)), made["machine"]


def load(job: Assembly, exported: Exported, rows: Path, machine: Path) -> None:
    """Put what Spark computed where a build here would have put it."""
    nothing = f"replace ({', '.join(f'null::ubigint as {name}' for name in MARKS)})"
    job.con.execute(f"create or replace table {job.target} as select * {nothing} from {relation(rows)}")
    count = one_row(job.con.execute(f"select count(*) from {job.target}"))
    assert count is not None
    if count[0] != exported.people:
        job.con.execute(f"drop table {job.target}")
        raise other_rows("the profile", exported.people, count[0])
    table = job.tables.temporary("machine")
    job.con.execute(f"create or replace temp table {table} as select * from {relation(machine)}")


def points_are_counted_here(connection: str) -> NeedsYou:
    """Return the error that a cluster cannot count points."""
    return NeedsYou(
        "spark-points",
        f"{connection} has points, and those are counted on this machine alone.",
        where="--engine spark",
        kept="the profile and the points as they were last built",
        next=[["icx", "build", "--connection", connection]],
    )


def _made(job: Assembly) -> list[str]:
    steps = [job.tables.temporary(step) for step in (*STEPS, "marks")]
    return [*steps, *(own_table(own, job.tables) for own in job.parts.owns if own.is_query)]


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"')
