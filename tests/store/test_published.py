"""What a build published: counting the rows people have."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from icx.store.published import _different

rows = st.integers(0, 3) | st.integers(0, 2**31 - 1)
messages = st.integers(5, 8) | st.integers(0, 2**62)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(rows, messages)))
@example([(2**31 - 1, 0), (2**31 - 1, 2**62), (0, 2**62), (2**31 - 1, 0)])  # no room for both in one number
def test_a_message_counts_once_however_often_somebody_opened_it(pairs: list[tuple[int, int]]) -> None:
    people, about = (
        np.array([pair[n] for pair in pairs], dtype=kind) for n, kind in ((0, "int32"), (1, "int64"))
    )
    batches = pa.table({"person": people, "message": about}).to_reader(max_chunksize=2)
    assert Counter(_different(batches).tolist()) == Counter(person for person, _ in set(pairs))
