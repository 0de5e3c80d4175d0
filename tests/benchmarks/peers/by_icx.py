"""The 34 default columns by icx: the SQL of its fields on DuckDB, from Parquet to Parquet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from timed import main

from icx.profile import builtin
from icx.profile.catalogue import Everything
from icx.profile.statement import Tables, parameters, profile_sql, step_sql
from icx.scale import relation
from icx.settings import Settings
from icx.store import memory
from icx.store.names import literal

DEFAULTS = [field.name for field in builtin.fields()][:34]


# What no default column reads: the order, which pays with the fifty other fields, and the hours of the week.
NOT_ASKED = (
    ",\n  a.message_id * 65536 + q.hours as mark",
    "join {quarters} q on q.quarter = time_bucket(interval 15 minute, a.event_ts)\n",
    "\norder by a.contact_id",
)


def job(tables: Path, out: Path, as_of: str) -> None:
    moment, names = datetime.fromisoformat(as_of), Tables()
    events = builtin.text("events")
    for part in NOT_ASKED:
        assert part in events, part
        events = events.replace(part, "")
    with memory() as con:
        con.execute("set threads = 2")
        con.execute("set preserve_insertion_order = false")
        for folder in tables.iterdir():
            con.execute(f"create view {folder.name} as from {relation(folder)}")
        con.execute(f"create temp table {names.temporary('links')} as {step_sql('links', names)}")
        now = f"timestamp {literal(as_of)}"
        con.execute(
            f"create view {names.temporary('events')} as {names.filled(events).replace('$as_of', now)}"
        )
        sql = profile_sql(Everything([], [], []), names, only={*DEFAULTS, "click_pages"}, read=True)
        path = literal(str(out / "profile.parquet"))
        con.execute(
            f"copy (select * exclude (contact_id) from ({sql})) to {path} (format parquet, compression zstd)",
            parameters(sql, moment, Settings()),
        )


main(job)
