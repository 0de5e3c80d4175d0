"""Who of everybody: kept as a bit a person, reckoned with as a byte a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def packed(chosen: NDArray[np.bool_]) -> pa.BooleanArray:
    """Return a bit for each yes or no.

    >>> import numpy as np
    >>> packed(np.array([True, False, True])).to_pylist()
    [True, False, True]
    """
    import numpy as np
    import pyarrow as pa

    bits = pa.py_buffer(np.packbits(chosen, bitorder="little"))
    return pa.BooleanArray.from_buffers(pa.bool_(), len(chosen), [None, bits])


def from_bitstring(found: bytes | None, people: int) -> pa.BooleanArray:
    """Return the bits of DuckDB's `bitstring_agg(person, 0, bits(people) - 1)::blob`, one a person; null has none set.

    >>> import duckdb
    >>> said = f"select bitstring_agg(n::integer, 0, {bits(10) - 1})::blob from unnest([1, 9, 1]) t(n)"
    >>> from_bitstring(duckdb.execute(said).fetchone()[0], 10).to_pylist().index(True, 2)
    9
    """
    import numpy as np
    import pyarrow as pa

    if found is None:
        return packed(np.zeros(people, dtype=np.bool_))
    # The first of eight people is the highest bit there, the lowest in Arrow.
    turned = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1), bitorder="little")
    buffer = pa.py_buffer(turned[np.frombuffer(found, dtype=np.uint8)])
    return pa.BooleanArray.from_buffers(pa.bool_(), people, [None, buffer])


def bits(people: int) -> int:
    """Return how many bits whole bytes have for so many people: a bitstring of them needs no padding."""
    return max(8, -(-people // 8) * 8)


def unpacked(mask: pa.BooleanArray) -> NDArray[np.bool_]:
    """Return a yes or no for each bit; none may be missing."""
    import numpy as np

    bits = np.frombuffer(mask.buffers()[1], dtype=np.uint8)
    end = mask.offset + len(mask)
    return np.unpackbits(bits, count=end, bitorder="little")[mask.offset :].view(np.bool_)
