"""What views ask after each click, beside the plainest reading of the same rows: the ledger, a mapping, a plan's page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.conftest import CLOCK, Ratio
from icx.plan import MapLine, Policy
from icx.pull import ledger, others
from icx.store import Store
from icx.store.journal import Journal
from icx.store.plans import Place, Plans
from icx.widgets.mapping import MappingEditor

Compare = Callable[..., Ratio]
MANY = 1_000_000


def test_the_ledger(compare: Compare, store: Store, size: str) -> None:
    plain = "select message_id, event_type, count(*) from icontact_activity group by all"
    with store.open("acme") as con:
        con.execute(
            "insert into units by name select event_type || 's' as collection, message_id, count(*) as stored,"
            " count(*) as service, 'equal' as state, $1 as verified_at, 'r-1' as pull_id"
            " from icontact_activity group by all",
            [CLOCK.now().replace(tzinfo=None)],
        )
        others.keep(con)
        line = compare(
            "ledger, read",
            lambda: ledger(store, "acme", CLOCK.now()),
            lambda: con.execute(plain).fetchall(),
            size=size,
            against="count(*) by message and kind",
        )
        con.execute("delete from units where pull_id = 'r-1'")
    assert line.ratio < 100


def test_an_edit_of_a_mapping(compare: Compare) -> None:
    people = pa.table(
        {
            "contact_id": pa.array(range(MANY), pa.int64()),
            "email": [f"person{n}@example.com" for n in range(MANY)],
            "county": ["Durham", "Wake", "North Carolina", None] * (MANY // 4),
            "points": [float(n % 640) for n in range(MANY)],
        }
    )
    editor = MappingEditor(
        audience="Everybody",
        places=[{"label": "List", "name": "Regulars", "id": "#1", "subject": True}],
        columns=[("county", "text", "…"), ("points", "number", "…")],
        custom=[{"privateName": "points", "publicName": "Points", "fieldType": "number"}],
        people=lambda columns: people.select(["contact_id", "email", *columns]),
        policy=Policy(mapping=(MapLine("county", "state"), MapLine("points", "points"))),
    )

    def edited() -> None:
        rows = [row | {"blank": not row["blank"]} for row in editor.rows]
        editor.set_state({"rows": rows, "rev": editor.rev + 1})

    line = compare(
        "mapping, edited",
        edited,
        lambda: people.column("county").to_pylist(),
        size=f"{MANY:,} people",
        against="one column as Python values",
    )
    assert line.ratio < 0.2


def test_a_page_of_a_plan(compare: Compare, tmp_path: Path) -> None:
    plans = Plans(Journal(tmp_path / "journal.sqlite", CLOCK))
    rows = pa.table(
        {
            "contact_id": pa.array(range(MANY), pa.int64()),
            "email": [f"person{n}@example.com" for n in range(MANY)],
            "action": ["refuse", "add"] * (MANY // 2),
            "reason": ["bounced", None] * (MANY // 2),
        }
    )
    names = {"list_name": "L", "connection": "acme", "audience": "A", "who": "w"}
    plan = plans.add({}, rows, place=Place(41733, 8021, 3001), **names)
    refused = plans.refused(plan)["bounced"]
    line = compare(
        "plan, a page of its refusals",
        lambda: plans.some(plan, refused[400_000:400_020].to_pylist()),
        lambda: pq.read_table(plans.path(plan)),
        size=f"{MANY:,} people",
        against="the whole file read",
    )
    assert line.ratio < 1
