"""Field files: the users' own fields, and what happens when one of them is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from accounts import CLOCK, PULLED, contact, event, store_at

from icx.errors import BadInput
from icx.fields import Field
from icx.profile import build, catalogue
from icx.profile.field import read_fields
from icx.profile.fill import histograms
from icx.profile.preview import spread
from icx.settings import Settings
from icx.store import memory

VIP = "-- name: vip\n-- type: boolean\n-- description: opens much\n"


@pytest.fixture
def store(tmp_path):
    store = store_at(tmp_path)
    with store.open("acme") as con:
        contact(con, 1, city="Durham")
        contact(con, 2)
        for days in (1, 2, 40):
            event(con, 1, "open", PULLED - timedelta(days=days))
    return store


@pytest.fixture
def fields(tmp_path):
    directory = tmp_path / "fields"
    directory.mkdir()
    return directory


def write(directory, name, text):
    (directory / name).write_text(text, encoding="utf-8")


def values(store, fields, columns):
    build(store, "acme", settings=Settings(), fields_dir=fields, clock=CLOCK)
    with store.open("acme") as con:
        return con.execute(f"select {columns} from profile order by contact_id").fetchall()


def test_an_expression_over_columns_is_a_field_at_once(store, fields):
    assert "vip" not in catalogue(store, "acme", fields)
    write(fields, "vip.sql", VIP + "opens_90d >= 3 and city = 'Durham' -- a comment at the end")
    field = catalogue(store, "acme", fields)["vip"]
    assert (field.type, field.source, field.description) == ("boolean", "user", "opens much")
    assert values(store, fields, "vip") == [(True,), (False,)]


def test_a_query_over_the_tables_is_a_field_and_as_of_is_bound(store, fields):
    sql = "select contact_id, count(*) as n from icontact_activity where event_ts >= $as_of - interval 10 day group by 1;"
    write(fields, "recent.sql", "-- name: recent\n-- type: integer\n-- empty: 0\n-- pii: yes\n" + sql)
    assert catalogue(store, "acme", fields)["recent"].pii
    assert values(store, fields, "recent") == [(2,), (0,)]


def test_fields_may_use_each_other_in_any_order(store, fields):
    write(fields, "a.sql", "-- name: a\n-- type: number\nb * 2.5")
    write(fields, "b.sql", "-- name: b\n-- type: integer\nopens_30d + days_since_last_open")
    assert values(store, fields, "a, b") == [(7.5, 3), (None, None)]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("opens_90d > 3", "SQL stands before"),
        ("", "no line `-- name"),
        (VIP, "no SQL under its header"),
        ("-- name: vip\n-- type: truth\n1", "`-- type: truth` is none of"),
        ("-- name: vip\n-- type: boolean\n-- pii: maybe\ntrue", "neither yes nor no"),
        ("-- name: city\n-- type: text\n'x'", "`city` is already a field of the profile"),
        ("-- name: Contact_Id\n-- type: integer\n1", "already the key"),
        ("-- name: no-name\n-- type: integer\n1", "is no name"),
        (VIP + "opens_9d > 3", "opens_9d"),
        (VIP + "opens_90d >", "field file vip.sql"),
        (VIP + "vip or true", "it needs itself"),
        (VIP + "true; drop table icontact_users", "several statements"),
        (VIP + "drop table icontact_users", "it is a command"),
        (VIP + "opens_90d > $least", "only $as_of is bound"),
        (VIP + "select contact_id, true from no_such_table", "no_such_table"),
        (VIP + "select true as vip, contact_id from icontact_activity", "not contact_id and one value"),
        (VIP + "select contact_id, true from icontact_activity", "rows of contacts it has given already"),
        (VIP + "city::integer > 3", "Durham"),
    ],
)
def test_a_bad_file_is_named_with_its_cause_and_nothing_is_lost(store, fields, text, cause):
    write(fields, "good.sql", "-- name: good\n-- type: integer\nopens_90d")
    assert values(store, fields, "good") == [(3,), (0,)]
    write(fields, "vip.sql", text)
    with pytest.raises(BadInput) as caught:
        build(store, "acme", settings=Settings(), fields_dir=fields, clock=CLOCK)
    assert caught.value.code == "field-file"
    assert "vip.sql" in caught.value.message
    assert cause in caught.value.message
    with store.open("acme") as con:
        assert con.execute("select good from profile order by contact_id").fetchall() == [(3,), (0,)]
        assert con.execute("select count(*) from builds").fetchone() == (1,)


def test_all_bad_files_are_named_at_once(store, fields):
    write(fields, "one.sql", "-- name: one\n-- type: nothing\n1")
    write(fields, "two.sql", "-- name: city\n-- type: text\n1")
    with pytest.raises(BadInput) as caught:
        catalogue(store, "acme", fields)
    assert caught.value.where == "one.sql, two.sql"


def test_a_pattern_of_fields_is_written_once():
    text = "-- name: {kind}_{days}d\n-- each: kind = open, click\n-- each: days = 7, 30\n-- type: integer\n{days}"
    assert [(f.name, f.sql) for f in read_fields(text, "x.sql")] == [
        ("open_7d", "7"),
        ("open_30d", "30"),
        ("click_7d", "7"),
        ("click_30d", "30"),
    ]


def test_a_share_of_nothing_is_no_end_of_a_scale():
    with memory() as con:
        con.execute(
            "create table profile as select n::double / d as rate from (values (1, 2), (3, 4), (0, 0), (1, 0), (-1, 0)) t(n, d)"
        )
        assert histograms(con, {"rate": "number"})["rate"] == [
            ("0.5", 1), *((f"{0.5 + 0.025 * bin:.4g}", 0) for bin in range(1, 9)), ("0.725", 1)
        ]  # fmt: skip
        shown = spread(con, Field("rate", "number", "…", "…", "user"))
        assert dict(shown.figures)["highest"] == "0.75"
