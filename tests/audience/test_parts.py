"""How people spread over a field: everybody's bucket kept as a number says what the question in SQL says."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.audience import parts
from icx.audience.parts import Side, coded, spread
from icx.fields import Field
from icx.rules import Sql
from icx.store import Connection, memory

DAYS = st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1))  # noqa: DTZ001 (the store's times are naive UTC)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.sampled_from(["Durham", "", "Größe", 'O\'Brien "Bob" <b@example.com>', "a", "b", "c"]),
    "integer": st.integers(-3, 40),
    "number": st.floats(-5, 5)
    | st.sampled_from([math.inf, -math.inf, math.nan]),  # what a share of nothing is
    "boolean": st.booleans(),
    "time": DAYS,
    "text list": st.lists(st.sampled_from("abc"), max_size=4),
    "text→integer": st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3),
}
SQL = {"text": "varchar", "integer": "bigint", "number": "double", "time": "timestamp", "text list": "varchar[]",
       "text→integer": "map(varchar, bigint)"}  # fmt: skip


def table(kind: str, values: list[Any]) -> Connection:
    con = memory()
    con.execute(f"create table profile (contact_id integer, x {SQL.get(kind, kind)}, m boolean)")
    if values:
        marks = ", ".join(["(?, ?, ?)"] * len(values))
        cells = [cell for row, one in enumerate(values) for cell in (row, *one)]
        con.execute(f"insert into profile values {marks}", cells)
    return con


@pytest.mark.parametrize("kind", list(VALUES))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_buckets_kept_as_numbers_give_what_sql_gives(kind: Any, data: st.DataObject) -> None:
    people = data.draw(st.lists(st.tuples(st.none() | VALUES[kind], st.booleans()), max_size=15))
    field = Field("x", kind, "x", "…", "custom")
    with table(kind, people) as con:
        found = coded(con, "profile", field, 4, len(people))
        assert found is not None
        members = np.array([member for _, member in people], dtype=np.bool_)
        assert found.spread(Side(members), 4) == spread(con, "profile", field, Sql("m"), 4)


def test_a_field_of_too_many_values_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "CODED", 2)
    with table("text", [("a", True), ("b", True), ("c", False)]) as con:
        assert coded(con, "profile", Field("x", "text", "x", "…", "custom"), 4, 3) is None
