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


def job(tables: Path, out: Path, as_of: str) -> None:
    moment, names = datetime.fromisoformat(as_of), Tables()
    with memory() as con:
        con.execute("set threads = 2")
        con.execute("set preserve_insertion_order = false")
        for folder in tables.iterdir():
            con.execute(f"create view {folder.name} as from {relation(folder)}")
        con.execute(f"create temp table {names.temporary('links')} as {step_sql('links', names)}")
        now = f"timestamp {literal(as_of)}"
        plain = step_sql("plain", names).replace("$as_of", now)
        con.execute(f"create view {names.temporary('events')} as {plain}")
        sql = profile_sql(Everything([], [], []), names, only={*DEFAULTS, "click_pages"}, read=True)
        path = literal(str(out / "profile.parquet"))
        con.execute(
            f"copy (select * exclude (contact_id) from ({sql})) to {path} (format parquet, compression zstd)",
            parameters(sql, moment, Settings()),
        )


main(job)
