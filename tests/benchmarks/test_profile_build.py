"""The profile's cost on a big uneven account beside one plain `group by contact_id, count(*)` of its events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.big_account import AS_OF, fill
from icx.clock import SYSTEM
from icx.profile import build, builtin
from icx.profile.catalogue import everything
from icx.profile.statement import Tables, parameters, profile_sql, step_sql
from icx.settings import Settings
from icx.store import Store
from icx.store.db import Connection

PLAIN = (
    "create or replace temp table plain as select contact_id, count(*) as n from icontact_activity group by 1"
)
SIZE = "100,000 people, 1,000,000 events"


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store of that size, of which 2 GB may be in memory."""
    store = Store(tmp_path_factory.mktemp("big") / "icx.duckdb", memory_limit="2GB")
    store.create_schema("acme")
    with store.open("acme") as con:
        fill(con, contacts=100_000, events=1_000_000)
    return store


def vendors_columns(con: Connection) -> None:
    """Compute the vendor's 34 columns alone into a table, from the raw events on."""
    tables = Tables(stem="few")
    for step in ("links", "quarters", "events"):
        made = step_sql(step, tables)
        into = f"create or replace temp table {tables.temporary(step)} as"
        con.execute(f"{into} {made}", parameters(made, AS_OF, Settings()))
    names = [field.name for field in builtin.fields()][:34]
    sql = profile_sql(everything(con, None), tables, only={*names, "click_pages"})
    con.execute(f"create or replace table few as {sql}", parameters(sql, AS_OF, Settings()))


def test_all_fields_cost_a_bounded_multiple_of_one_grouping(compare: Callable, big: Store) -> None:
    with big.open("acme") as con:
        con.execute("set threads = 2")
        line = compare(
            "profile, all fields",
            lambda: build(big, "acme", settings=Settings(), fields_dir=None, clock=SYSTEM),
            lambda: con.execute(PLAIN),
            size=SIZE,
            against="one group by contact_id",
            rounds=3,
        )
        assert con.execute("select count(*) from profile").fetchone() == (100_000,)
    assert line.ratio < 200


def test_the_vendors_columns_cost_a_bounded_multiple_of_one_grouping(compare: Callable, big: Store) -> None:
    with big.open("acme") as con:
        con.execute("set threads = 2")
        line = compare(
            "profile, the vendor's 34 columns",
            lambda: vendors_columns(con),
            lambda: con.execute(PLAIN),
            size=SIZE,
            against="one group by contact_id",
            rounds=3,
        )
        assert con.execute("select count(*) from few").fetchone() == (100_000,)
    assert line.ratio < 100


def test_it_is_computed_in_parts_when_memory_is_short(tmp_path: Path) -> None:
    store = Store(tmp_path / "icx.duckdb", memory_limit="200MB")
    store.create_schema("acme")
    with store.open("acme") as con:
        fill(con, contacts=100_000, events=1_000_000)
        assert build(store, "acme", settings=Settings(), fields_dir=None, clock=SYSTEM).people == 100_000
        assert (
            con.execute("select sum(email_open_ct) from profile").fetchone()
            == con.execute(
                "select count(*) from icontact_activity where event_type = 'open' and event_ts < $1", [AS_OF]
            ).fetchone()
        )
