"""How many rows each person has, from a result read batch by batch: an array of numbers, by the row of the profile.

Nothing is kept of a batch but what it adds, so ten million people and a hundred million events take tens of
megabytes. Memory touched for the first time costs more than all the arithmetic here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

READ = 122_880  # rows read at a time, as many as DuckDB keeps together: their memory is soon used again
BATCH = 1_000_000  # rows counted at a time, or as many as there are people
PAIRS = 500_000  # pairs told apart at a time, about


def rows_each(reading: pa.RecordBatchReader, people: int) -> Any:
    """Return how many rows name each person; the first column is a person's number, below `people`."""
    import numpy as np

    found = np.zeros(people, dtype=np.uint32)
    waiting: list[Any] = []

    def add() -> None:
        if waiting:  # counts come as 64 bits, which nobody's rows need
            np.add(found, np.bincount(np.concatenate(waiting), minlength=people), out=found, casting="unsafe")
            waiting.clear()

    for batch in reading:
        waiting.append(batch.column(0).to_numpy())
        if sum(map(len, waiting)) >= max(people, BATCH):  # a count costs as much as there are people
            add()
    add()
    return _narrow(found)


def different_each(reading: pa.RecordBatchReader, people: int) -> Any:
    """Return how many different rows name each person; beside a person's number a row has another whole number.

    Both are put into one number, the person's first. Each batch is sorted as it comes; then one range of people after
    another is taken out of all of them: eight bytes a row, and no step that needs them all at once.
    """
    import numpy as np

    numbers = _Numbers(63 - people.bit_length())
    runs = []
    for batch in reading:
        pairs = batch.column(0).to_numpy().astype(np.int64)
        pairs <<= numbers.room
        pairs |= numbers.fitting(batch.column(1))
        pairs.sort()  # several times as quick as looking each up in a table
        runs.append(pairs)
    found = np.zeros(people, dtype=np.uint32)
    ranges = max(1, sum(map(len, runs)) // PAIRS) if runs else 0
    for n in range(ranges):
        low, high = people * n // ranges, people * (n + 1) // ranges
        edges = np.array([low, high], dtype=np.int64) << numbers.room
        pairs = np.concatenate([run[slice(*np.searchsorted(run, edges))] for run in runs])
        pairs.sort()
        new = np.ones(len(pairs), dtype=np.bool_)
        np.not_equal(pairs[1:], pairs[:-1], out=new[1:])
        pairs = pairs[new]
        pairs >>= numbers.room
        pairs -= low
        found[low:high] = np.bincount(pairs, minlength=high - low)
    return _narrow(found)


class _Numbers:
    """Whole numbers of 64 bits told apart in `room` bits: as they are where they fit, else by when they first came."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._came: dict[int, int] = {}

    def fitting(self, column: pa.Array) -> Any:
        import numpy as np

        numbers = column.to_numpy()
        half = 1 << (self.room - 1)
        high = numbers.view(np.uint64).max(initial=0)  # a number below nought looks like a great one
        if high < half:
            return numbers
        coded = column.dictionary_encode()
        codes = [
            one if 0 <= one < half else half + self._came.setdefault(one, len(self._came))
            for one in coded.dictionary.to_pylist()
        ]
        return np.array(codes, dtype=np.int64)[coded.indices.to_numpy()]


def _narrow(found: Any) -> Any:
    """Return the counts in the smallest numbers that hold them."""
    import numpy as np

    return found.astype(np.min_scalar_type(int(found.max(initial=0))))
