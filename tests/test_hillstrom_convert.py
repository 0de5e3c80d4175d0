"""The Hillstrom converter, on a few made-up rows of its shape, and on the real file when ICX_HILLSTROM names it."""

import gzip
import os
import sqlite3
from pathlib import Path

import pytest
from hillstrom import convert

import icx.sandbox
from icx.sandbox.load import load

SCHEMA = Path(icx.sandbox.__file__).with_name("schema.sql").read_text(encoding="utf-8")
HEADER = (
    "recency,history_segment,history,mens,womens,zip_code,newbie,channel,treatment,conversion,visit,spend\n"
)
MADE_UP = HEADER + (
    "10,2) $100 - $200,142.44,1,0,Surburban,0,Phone,Womens E-Mail,0,0,0.0\n"
    "6,3) $200 - $350,329.08,1,1,Surburban,1,Web,No E-Mail,0,1,0.0\n"
    "2,2) $100 - $200,180.65,0,1,Rural,1,Web,Mens E-Mail,1,1,29.99\n"
    "9,5) $500 - $750,675.83,1,0,Surburban,1,Web,Mens E-Mail,0,1,0.0\n"
)
VISITS = (
    "select subject, count(*) from events join messages using (message_id) where kind = 'click' group by 1"
)
PEOPLE = (
    "select name, count(*) from subscriptions join lists using (list_id) where status = 'normal' group by 1"
)
NAMED = """
    select count(*), count(*) filter (where custom ->> 'treatment' <> 'No E-Mail') from contacts
    where custom ->> 'visit' = '1' and custom ->> 'zip_code' = 'Surburban' and cast(custom ->> 'history' as real) > 200"""


@pytest.fixture
def loaded(tmp_path):
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.executescript(SCHEMA)

    def convert_and_load(source):
        convert(source, tmp_path / "account")
        load(con, tmp_path / "account", 8021)
        return con

    yield convert_and_load
    con.close()


def test_groups_become_lists_and_visits_clicks(loaded, tmp_path):
    source = tmp_path / "made-up.csv.gz"
    with gzip.open(source, "wt", encoding="utf-8") as file:
        file.write(MADE_UP)
    con = loaded(source)
    assert con.execute(PEOPLE).fetchall() == [("Mens E-Mail", 2), ("No E-Mail", 1), ("Womens E-Mail", 1)]
    assert con.execute(VISITS).fetchall() == [("Mens E-Mail", 2), ("site visit, no e-mail", 1)]
    assert con.execute(NAMED).fetchone() == (2, 1)
    assert con.execute("select count(*) from sends where message_id = 503").fetchone() == (0,)


def test_a_file_of_another_shape_is_named(tmp_path):
    source = tmp_path / "other.csv"
    source.write_text("recency,history\n1,2\n")
    with pytest.raises(ValueError, match=r"other\.csv has no column history_segment"):
        convert(source, tmp_path / "account")


if "ICX_HILLSTROM" in os.environ:

    def test_the_published_figures_are_in_the_loaded_account(loaded):
        con = loaded(Path(os.environ["ICX_HILLSTROM"]))
        assert dict(con.execute(PEOPLE)) == {
            "Mens E-Mail": 21_307,
            "Womens E-Mail": 21_387,
            "No E-Mail": 21_306,
        }
        visits = {"Mens E-Mail": 3_894, "Womens E-Mail": 3_238, "site visit, no e-mail": 2_262}
        assert dict(con.execute(VISITS)) == visits
        assert con.execute(NAMED).fetchone() == (2_018, 1_533)
