"""A profile that does not fit in memory is computed in parts, and comes out the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.big_account import AS_OF, S1, fill
from icx.clock import SYSTEM
from icx.profile import build
from icx.settings import Settings
from icx.store import Store


def test_it_is_computed_in_parts_when_memory_is_short(tmp_path: Path) -> None:
    store = Store(tmp_path / "icx.duckdb", memory_limit="200MB")
    store.create_schema("acme")
    with store.open("acme") as con:
        fill(con, replace(S1, contacts=100_000, events=1_000_000))
        assert build(store, "acme", settings=Settings(), fields_dir=None, clock=SYSTEM).people == 100_000
        assert (
            con.execute("select sum(email_open_ct) from profile").fetchone()
            == con.execute(
                "select count(*) from icontact_activity where event_type = 'open' and event_ts < $1", [AS_OF]
            ).fetchone()
        )
