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


def unpacked(mask: pa.BooleanArray) -> NDArray[np.bool_]:
    """Return a yes or no for each bit; none may be missing."""
    import numpy as np

    bits = np.frombuffer(mask.buffers()[1], dtype=np.uint8)
    end = mask.offset + len(mask)
    return np.unpackbits(bits, count=end, bitorder="little")[mask.offset :].view(np.bool_)
