"""Build: one row per person from the tables of one connection, swapped in as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from icx.clock import Clock, aware_utc, naive_utc
from icx.errors import BadInput
from icx.profile import refresh
from icx.profile.assemble import Assembly, Made, compute, next_build, one, prepare, swap, tidy
from icx.profile.catalogue import everything
from icx.profile.custom import failures
from icx.profile.past import users_then
from icx.profile.publish import publish
from icx.profile.statement import Tables
from icx.profile.totals import Totals
from icx.settings import Settings
from icx.store.db import Connection, Store
from icx.store.published import About

if TYPE_CHECKING:
    from icx.scale import Cluster


@dataclass(frozen=True)
class Progress:
    """How far a build is: `done` of `of` steps; `what` is the one under way."""

    what: str
    done: int
    of: int | None = None
    rate: float | None = None
    note: str = ""
    waiting_until: datetime | None = None


@dataclass(frozen=True)
class Build:
    """What was built.

    `table` is `profile`, or `profile_at` for a past moment, or the folder it was written to; then there is no
    `build_id`. `no_address` counts people without a usable
    address, `shared_address` addresses that two or more contacts have; `cast_failures` texts of custom fields that could not be read as their type, by column;
    `late_events` events at or after `as_of`, left for the next build. `attributes` says whose values stand
    in a past profile: "then", or "today" when the moment lies before the first pull. `anew` is how many people were
    computed from their events, when those of the others were taken over from the profile before; None for all.
    `awards` are the lines of the points' ledger, and `notes` say what about points a person has to know, and
    `triggers` which of them fired for how many.
    """

    build_id: str
    as_of: datetime
    people: int
    fields: int
    seconds: float
    no_address: int
    shared_address: int = 0
    cast_failures: Mapping[str, int] = field(default_factory=dict)
    late_events: int = 0
    table: str = "profile"
    attributes: str = "then"
    anew: int | None = None
    awards: int = 0
    notes: Sequence[str] = ()
    triggers: Sequence[str] = ()


def build(
    store: Store,
    connection: str,
    *,
    settings: Settings,
    fields_dir: Path | None,
    clock: Clock,
    as_of: datetime | None = None,
    full: bool = False,
    published: Path | None = None,
    totals: Totals | None = None,
    progress: Callable[[Progress], None] | None = None,
    cluster: Cluster | None = None,
    to: Path | None = None,
) -> Build:
    """Compute the profile of a connection and put it in place of the old one in one transaction.

    Whose contact, events and windows are as they were in the profile before is taken over from there, unless `full`:
    the rows are the same, in a fraction of the time.
    Without `as_of` the moment is the start of the last complete pull. An earlier `as_of` (aware) builds
    `profile_at` beside the profile and leaves that as it is. `published` is the folder under which
    `<connection>/*.parquet` is replaced for outside readers. `totals` counts the people's points on the way.
    With `cluster` Spark computes everybody there, from a copy of the tables; the database is free for others meanwhile.
    With `to` as well the rows stay outside, as Parquet files in that new folder, and nothing in the store is replaced.

    Raises `BadInput`: "not-pulled" when there is no complete pull, "field-file" for a field file that cannot
    be used, "as-of" for a moment after the last complete pull, "folder-taken" when `to` is there and not empty.
    `TryLater`: "built-meanwhile" when another build ended while Spark computed. The profile stays as it was then.
    """
    say = progress or (lambda _: None)
    began = clock.monotonic()
    if cluster is None:
        with store.open(connection) as con:
            say(Progress("fields", 0, 4))
            job, pull_id, attributes = _begin(con, connection, settings, fields_dir, as_of, full, totals)
            say(Progress("links and hours", 1, 4))
            prepare(job)
            say(Progress("profile", 2, 4))
            compute(job)
            return _finish(job, pull_id, attributes, began, clock, published, say)
    from icx.profile import scaled
    from icx.scale import relation, run

    def tell(done: int, of: int, note: str) -> None:
        say(Progress("Spark", done, of or None, note=note))

    if to is not None:
        scaled.check_free(to)
    with run(cluster, store, connection, "build", say=tell) as spark:
        with store.open(connection) as con:
            say(Progress("export", 0))
            job, pull_id, attributes = _begin(con, connection, settings, fields_dir, as_of, True, totals)
            job = replace(job, basis="", tables=replace(job.tables, typed=True), outside=to is not None)
            exported = scaled.unload(job, spark.folder / "tables")

        @contextmanager
        def again() -> Iterator[Assembly]:
            with store.open(connection) as con:
                here = replace(job, con=con)
                _people(here)
                yield here

        rows, machine = scaled.compute(job, exported, spark, again)
        if to is not None:
            scaled.write(job, exported, spark, to)
        with again() as here:
            if to is not None:
                done = replace(_told(here, attributes, began, clock), table=str(to))
                if not done.people:
                    return done
                unread = failures(here.con, here.tables.users, relation(to), here.parts.customs)
                return replace(done, cast_failures=unread)
            scaled.load(here, exported, rows, machine)
            return _finish(here, pull_id, attributes, began, clock, published, say, counted=here.past)


def _begin(
    con: Connection,
    connection: str,
    settings: Settings,
    fields_dir: Path | None,
    as_of: datetime | None,
    full: bool,
    totals: Totals | None,
) -> tuple[Assembly, str, str]:
    """Return what is to be built, the pull it is of, and whose attributes stand in it."""
    pull_id, pulled_at = _last_pull(con, connection)
    moment = pulled_at if as_of is None else naive_utc(as_of)
    if moment > pulled_at:
        raise _too_late(moment, pulled_at, connection)
    name = "profile" if moment == pulled_at else "profile_at"
    tables = Tables(users=f"{name}_people", stem=name)
    parts = everything(con, fields_dir, totals.fields if totals else ())
    job = Assembly(
        con, connection, name, moment, parts, tables, settings, totals=totals, build_id=next_build(con)
    )
    attributes = _people(job)
    if name == "profile":
        basis = refresh.basis(con, parts, tables, settings)
        since = None if full else refresh.since(con, connection, basis, moment)
        job = replace(
            job, basis=basis, since=since, tables=replace(tables, kept=refresh.ROWS) if since else tables
        )
    return job, pull_id, attributes


def _people(job: Assembly) -> str:
    """Let the connection see the people the profile is of; return whose attributes they have."""
    if job.name != "profile":
        return users_then(job.con, job.tables.users, job.moment)
    job.con.execute(
        f"create or replace temp view {job.tables.users} as select * from icontact_users where gone_at is null"
    )
    return "then"


def _finish(
    job: Assembly,
    pull_id: str,
    attributes: str,
    began: float,
    clock: Clock,
    published: Path | None,
    say: Callable[[Progress], None],
    *,
    counted: bool = False,
) -> Build:
    """Put what was computed in place, publish it, and say what it is; `counted`: nothing of points is left to do."""
    say(Progress("swap", 3, 4))
    if job.totals is not None and not counted:
        job.totals.end(job.con)
    done = _told(job, attributes, began, clock)
    anew = refresh.touched(job.con, job.tables) if job.since else None
    made = Made(naive_utc(clock.now()), pull_id, done.people, done.fields, done.seconds)
    build_id = swap(job, made)
    unread = failures(job.con, job.tables.users, f"{job.schema}.{job.name}_rows", job.parts.customs)
    tidy(job)
    if published is not None and job.name == "profile":
        about = About(build_id, aware_utc(job.moment), done.people, job.parts.catalogue)
        publish(job.con, published / job.connection, about)
    say(Progress("done", 4, 4))
    return replace(done, build_id=build_id, anew=anew, cast_failures=unread)


def _told(job: Assembly, attributes: str, began: float, clock: Clock) -> Build:
    """Return what is to be said of what was computed, whether or not it takes the place of the profile."""
    con, users, totals = job.con, job.tables.users, job.totals
    people, no_address = one(con, f"select count(*), count(*) - count(email_key) from {users}")
    (shared,) = one(
        con,
        f"select count(*) from (select 1 from {users} where email_key is not null"
        " group by email_key having count(*) > 1)",
    )
    (late,) = one(con, f"select count(*) from {job.tables.activity} where event_ts >= $as_of", job.moment)
    return Build(
        build_id="",
        as_of=aware_utc(job.moment),
        people=people,
        fields=len(job.parts.catalogue),
        seconds=clock.monotonic() - began,
        no_address=no_address,
        shared_address=shared,
        late_events=late,
        table=job.name,
        attributes=attributes,
        awards=totals.lines if totals else 0,
        notes=tuple(totals.notes) if totals else (),
    )


def last_build(store: Store, connection: str) -> tuple[str, datetime] | None:
    """Return the id of the profile's build and its `as_of` (aware), or None when none was built."""
    with store.open(connection) as con:
        row = con.execute(
            "select build_id, as_of from builds order by built_at desc, build_id desc limit 1"
        ).fetchone()
    return None if row is None else (row[0], aware_utc(row[1]))


def _last_pull(con: Connection, connection: str) -> tuple[str, datetime]:
    row = con.execute(
        "select pull_id, started_at from pulls where state = 'complete' and only_unit is null"
        " order by started_at desc limit 1"
    ).fetchone()
    if row is None:
        raise BadInput(
            "not-pulled",
            f"There is no complete pull of {connection} yet, so there is nobody to make a profile of.",
            where=connection,
            kept="nothing was changed",
            next=[["icx", "pull", connection]],
        )
    return row[0], row[1]


def _too_late(moment: datetime, pulled_at: datetime, connection: str) -> BadInput:
    return BadInput(
        "as-of",
        f"What {connection} was at {moment:%Y-%m-%d %H:%M} UTC is not known: the last complete pull began before.",
        where=f"--as-of; known up to {pulled_at:%Y-%m-%d %H:%M} UTC",
        kept="the profile as it was last built",
        next=[["icx", "pull", connection], ["icx", "build", "--connection", connection]],
    )
