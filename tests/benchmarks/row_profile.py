"""Row 1: the whole profile, and its 34 default columns, beside one plain grouping of the same events; row 12: bytes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.big_account import AS_OF, Size
from benchmarks.datasets import NAME, account
from benchmarks.harness import Figure, bench, in_turn, peak, ratio, worked
from icx.profile import builtin
from icx.profile.assemble import shares
from icx.profile.catalogue import everything
from icx.profile.statement import Tables, parameters, profile_sql, step_sql
from icx.settings import Settings
from icx.store.db import Connection

PLAIN = (
    "create or replace temp table plain as select contact_id, count(*) as n from icontact_activity group by 1"
)
DEFAULTS = 34


def default_columns(con: Connection, into: str = "few") -> None:
    """Compute the 34 default columns alone into a table, from the raw events on, in as many parts as memory asks.

    They are asked for once, so their events are neither put in order first nor kept.
    """
    tables = Tables(stem="few")
    names = [field.name for field in builtin.fields()][:DEFAULTS]
    sql = step_sql("links", tables)
    con.execute(
        f"create or replace temp table {tables.temporary('links')} as {sql}",
        parameters(sql, AS_OF, Settings()),
    )
    for place, now in enumerate(shares(con, tables)):
        plain = step_sql("plain", now).replace("$as_of", f"timestamp '{AS_OF}'")
        con.execute(f"create or replace temp view {now.temporary('events')} as {plain}")
        sql = profile_sql(everything(con, None), now, only={*names, "click_pages"})
        begin = f"insert into {into}" if place else f"create or replace table {into} as"
        con.execute(f"{begin} {sql}", parameters(sql, AS_OF, Settings()))


@bench(1, "XS", "S1", "S2", "hard")
def profile(size: Size) -> Iterator[Figure]:
    """Full builds and the 34 columns in turn with the plain grouping, with the memory this size may have."""
    with account(size) as acme, acme.store.open(NAME) as con:
        con.execute("set threads = 2")
        con.execute(PLAIN)
        rounds = 1 if size.name in {"S2", "hard"} else 3
        times = in_turn(
            rounds,
            few=lambda: default_columns(con),
            plain=lambda: con.execute(PLAIN),
            all=lambda: acme.build(full=True),
            plain_again=lambda: con.execute(PLAIN),
        )
        for part in ("", " cpu"):
            times[f"plain{part}"] += times.pop(f"plain_again{part}")
        plain = f"one group by contact_id ({min(times['plain']):.2f} s)"
        yield Figure(
            "the 34 default columns into the store", ratio(times, "few", "plain"),
            target=6 if size.name == "S2" else None, against=plain, times=times,
            note=f"{min(times['few']):.1f} s, {worked(times, 'few', 'plain')}",
        )  # fmt: skip
        yield Figure(
            "the whole profile into the store", ratio(times, "all", "plain"), against=plain, times=times,
            note=f"{min(times['all']):.1f} s, {worked(times, 'all', 'plain')}",
        )  # fmt: skip


@bench(1, "XS", "S1", "S2", "hard")
def profile_in_little_memory(size: Size) -> Iterator[Figure]:
    """The same with 2 GB for DuckDB."""
    with account(size, memory="2GB") as acme, acme.store.open(NAME) as con:
        con.execute("set threads = 2")
        for what, run in (
            ("34 default columns", lambda: default_columns(con)),
            ("whole profile", lambda: acme.build(full=True)),
        ):
            with peak() as told:
                times = in_turn(1, ours=run)
                held = told()
            times |= in_turn(2, plain=lambda: con.execute(PLAIN))
            yield Figure(f"the {what}, memory held under a limit of 2 GB", held, "GB", 3)
            yield Figure(
                f"the {what} under that limit",
                ratio(times, "ours", "plain"),
                against="one group by under it",
                times=times,
                note=f"{min(times['ours']):.1f} s, {worked(times, 'ours', 'plain')}",
            )


@bench(12, "XS", "S1", "S2", "hard")
def bytes_in_the_store(size: Size) -> Iterator[Figure]:
    """What a row of events and a row of the profile take in the database file, by its own blocks."""
    with account(size, built=True) as acme, acme.store.open(NAME) as con:
        for table, what, target in (
            ("icontact_activity", "an event", 10),
            ("profile_rows", "a profile", 120),
        ):
            (rows,) = con.execute(f"select count(*) from {table}").fetchall()[0]
            held = con.execute(
                "select count(distinct block_id) * (select block_size from pragma_database_size() limit 1)"
                f" from pragma_storage_info('{NAME}.{table}') where block_id >= 0"
            ).fetchall()[0][0]
            yield Figure(f"{what}, user columns included", held / rows, "bytes", target)
