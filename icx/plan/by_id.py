"""Looking a million people up by their ids at once: by binary search, in a fraction of a join's time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def find(ids: pa.ChunkedArray, among: pa.ChunkedArray) -> pa.Array:
    """Return the row in `among`, which has no nulls, of each of `ids`; null for those it has not.

    >>> find(pa.chunked_array([[7, None, 9]]), pa.chunked_array([[9, 8, 7]])).to_pylist()
    [2, None, 0]
    """
    known, asked = among.to_numpy(), ids.fill_null(0).to_numpy()
    if len(known) == 0:
        return pa.nulls(len(asked), pa.int64())
    order = None
    if not _ascending(known):
        order = np.argsort(known, kind="stable")
        known = known[order]
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    missing = (known[at] != asked) | ids.is_null().to_numpy()
    return pa.array(at if order is None else order[at], pa.int64(), mask=missing)


def all_different(ids: pa.ChunkedArray) -> bool:
    """Tell whether nobody is without an id and no id comes twice.

    >>> [all_different(pa.chunked_array([ids])) for ids in ([3, 1, 2], [3, 1, 3], [3, None])]
    [True, False, False]
    """
    if ids.null_count:
        return False
    known = ids.to_numpy()
    return _ascending(known) or _ascending(np.sort(known))


def _ascending(known: Any) -> bool:
    return bool((known[1:] > known[:-1]).all())
