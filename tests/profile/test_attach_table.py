"""Attached tables: any source, matched by address or id, and what did not match is said."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from accounts import CLOCK, contact, store_at

from icx.errors import BadInput
from icx.profile import attach, build, catalogue, detach
from icx.settings import Settings

CSV = "Mail,tier,spent,day\nJO@example.com,gold,12.5,2026-01-01\nnobody@example.com,x,1,2026-01-02\n"
CSV += "Jo <jo@example.com>,silver,3,2026-01-03\n,none,1,2026-01-03\n"


@pytest.fixture
def store(tmp_path):
    store = store_at(tmp_path)
    with store.open("acme") as con:
        contact(con, 1, email="jo@example.com")
        contact(con, 2, email="lee@example.com")
    return store


def values(store, columns):
    build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
    with store.open("acme") as con:
        return con.execute(f"select {columns} from profile order by contact_id").fetchall()


def test_a_csv_is_matched_by_address_and_reported(store, tmp_path):
    (tmp_path / "crm.csv").write_text(CSV, encoding="utf-8")
    done = attach(store, "acme", tmp_path / "crm.csv", key="Mail")
    assert (done.name, done.rows, done.matched, done.unmatched, done.duplicates) == ("crm", 4, 1, 2, 1)
    assert done.columns == ["crm_tier", "crm_spent", "crm_day"]
    assert values(store, "crm_tier, crm_spent") == [("gold", 12.5), (None, None)]
    assert [catalogue(store, "acme")[name].type for name in done.columns] == ["text", "number", "time"]


def test_a_frame_is_matched_by_contact_id(store):
    frame = pd.DataFrame({"id": [2, 1, 7], "member": [True, False, None]})
    done = attach(store, "acme", frame, key="id", name="club")
    assert (done.matched, done.unmatched) == (2, 1)
    assert values(store, "club_member") == [(False,), (True,)]


def test_parquet_and_tables_of_duckdb_files_can_be_attached(store, tmp_path):
    parquet, other = tmp_path / "p.parquet", tmp_path / "crm.duckdb"
    duckdb.sql(f"copy (select 1 as contact, 'a' as letter) to '{parquet}' (format parquet)")
    with duckdb.connect(str(other)) as con:
        con.execute("create table people as select 'lee@example.com' as mail, 5 as points")
    attach(store, "acme", str(parquet), key="contact")
    attach(store, "acme", f"{other}#people", key="mail", name="crm")
    with store.open("acme") as con:
        con.execute("create table acme.shop as select 2 as id, ['x', 'y'] as tags")
    attach(store, "acme", "table:acme.shop", key="id")
    assert values(store, "p_letter, crm_points, shop_tags") == [("a", None, None), (None, 5, ["x", "y"])]


def test_attaching_again_replaces_and_detaching_removes(store):
    attach(store, "acme", pd.DataFrame({"id": [1], "a": [1]}), key="id", name="t")
    attach(store, "acme", pd.DataFrame({"id": [1], "b": [2]}), key="id", name="t")
    assert [name for name in catalogue(store, "acme") if name.startswith("t_")] == ["t_b"]
    detach(store, "acme", "t")
    assert "t_b" not in catalogue(store, "acme")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"key": "nope"}, "attach-key"),
        ({"key": "id", "name": "2 words"}, "attach-name"),
        ({"key": "id", "name": "email"}, "attach-name"),
        ({"key": "id", "identity": "phone"}, "attach-key"),
        ({"source": "missing.csv", "key": "id"}, "attach-source"),
        ({"source": "table:acme.missing", "key": "id"}, "attach-source"),
    ],
)
def test_what_cannot_be_attached_is_said_and_changes_nothing(store, options, code):
    frame = pd.DataFrame({"id": [1], "domain": ["x"]})
    attach(store, "acme", frame, key="id", name="kept")
    with pytest.raises(BadInput) as caught:
        attach(store, "acme", **{"source": frame, "name": "t"} | options)
    assert caught.value.code == code
    with store.open("acme") as con:
        assert con.execute("select name from attached").fetchall() == [("kept",)]
