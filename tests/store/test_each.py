"""Counting the rows people have, batch by batch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from icx.store import each
from icx.store.bits import bits, from_bitstring
from icx.store.db import memory

PEOPLE = 1000
persons = st.integers(0, 3) | st.integers(0, PEOPLE - 1)
messages = st.integers(5, 8) | st.integers(-(2**63), 2**63 - 1)


def read(pairs: list[tuple[int, int]]) -> pa.RecordBatchReader:
    people, about = (
        np.array([pair[n] for pair in pairs], dtype=kind) for n, kind in ((0, "int32"), (1, "int64"))
    )
    return pa.table({"person": people, "message": about}).to_reader(max_chunksize=2)


def told(counts: np.ndarray) -> dict[int, int]:
    assert len(counts) == PEOPLE
    return {person: int(n) for person, n in enumerate(counts) if n}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(persons, messages)), st.sampled_from([1, 3, 1_000_000]))
@example([(PEOPLE - 1, 0), (PEOPLE - 1, 2**62), (0, 2**62), (PEOPLE - 1, -1), (0, 2**62)], 1)
def test_a_message_counts_once_however_often_somebody_opened_it(
    pairs: list[tuple[int, int]], batch: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(each, "BATCH", batch)
        patched.setattr(each, "PAIRS", batch)  # as many ranges of people as there are rows, or one
        assert told(each.different_each(read(pairs), PEOPLE)) == Counter(person for person, _ in set(pairs))
        assert told(each.rows_each(read(pairs), PEOPLE)) == Counter(person for person, _ in pairs)


def test_counts_are_kept_in_the_smallest_numbers() -> None:
    assert each.rows_each(read([(7, n) for n in range(255)]), PEOPLE).dtype == np.uint8
    assert each.rows_each(read([(7, n) for n in range(256)]), PEOPLE).dtype == np.uint16
    assert each.different_each(read([(7, n) for n in range(256)]), PEOPLE).dtype == np.uint16


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 40))
def test_bits_are_those_of_the_people_that_rows_name(data: st.DataObject, people: int) -> None:
    named = data.draw(st.lists(st.integers(0, people - 1)))
    with memory() as con:
        con.execute("create table t as select unnest(?)::integer as n", [named])
        (found,) = con.execute(f"select bitstring_agg(n, 0, {bits(people) - 1})::blob from t").fetchone() or (
            None,
        )
    mask = from_bitstring(found, people)
    assert mask.to_pylist() == [person in named for person in range(people)]
    assert mask.true_count == len(set(named))
