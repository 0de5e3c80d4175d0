"""People looked up by their ids are those a dictionary finds, in whatever order and in however many pieces they come."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from icx.plan.by_id import all_different, find

IDS = st.integers(-3, 9) | st.integers(-(2**63), 2**63 - 1)


@given(asked=st.lists(st.none() | IDS), among=st.lists(IDS), cut=st.integers(0, 9))
def test_each_is_found_at_their_first_place_or_not_at_all(
    asked: list[int | None], among: list[int], cut: int
) -> None:
    first = {one: place for place, one in reversed(list(enumerate(among)))}
    pieces = [pa.array(part, pa.int64()) for part in (among[:cut], among[cut:])]
    found = find(pa.chunked_array([pa.array(asked, pa.int64())]), pa.chunked_array(pieces))
    assert found.to_pylist() == [None if one is None else first.get(one) for one in asked]


@given(ids=st.lists(st.none() | IDS, max_size=6))
def test_ids_are_all_different_when_a_set_has_as_many(ids: list[int | None]) -> None:
    assert all_different(pa.chunked_array([pa.array(ids, pa.int64())])) == (
        None not in ids and len(set(ids)) == len(ids)
    )
