"""The short way of a page: whole columns of rows as sent, when every value has the form that comes by the million.

What a value means is said in `icx.icontact.codec`, row by row; that takes most of a pull's time. Here the same values
come out of a column at once, and anything odd in it (another form of date, a number where text stands, an id that is
missing) is `Odd`: then the page goes the long way, which is right about everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from icx.icontact.codec import EASTERN
from icx.icontact.resources import RESOURCES, Resource

_ID = r"^[1-9][0-9]{0,17}$"
_NUMBER = r"^-?[0-9]{1,18}$"
# Years whose clock changes every reader of time zones knows alike.
_DAY = r"^(?:19[7-9][0-9]|20[0-2][0-9]|203[0-6])-[0-9]{2}-[0-9]{2}"
_LOCAL = _DAY + r" [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_OFFSET = _DAY + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-](?:0[0-9]|1[0-4]):[0-5][0-9]$"
_MOMENT = pa.timestamp("us", tz="UTC")


class Odd(Exception):
    """A column has a value that is not of the plain form."""


def columns(
    name: str, keys: Sequence[str], raws: Sequence[Any], custom: frozenset[str] | None
) -> dict[str, pa.Array]:
    """Return what `codec.decode` puts under `keys`, for all rows of a resource; raises `Odd`.

    Ids and numbers are int64, times UTC, custom fields maps in the order of their names, all else text; missing and
    empty are null.
    """
    what = RESOURCES[name]
    sent_as = {key: key.removesuffix("_text") for key in keys if key != "custom"}
    names = _custom_names(what, custom) if "custom" in keys else []
    texts = _texts(raws, {*sent_as.values(), *names})
    found = {}
    for key in keys:
        try:
            if key == "custom":
                found[key] = _maps(names, [texts[one] for one in names], len(raws))
            else:
                kind = what.kinds.get(sent_as[key]) if key == sent_as[key] else None
                found[key] = _read(kind, texts[sent_as[key]])
        except (pa.ArrowException, ValueError) as error:
            raise Odd(key) from error
    return found


def _texts(raws: Sequence[Any], keys: set[str]) -> dict[str, pa.Array]:
    """Return the texts under each key, empty ones as null; whatever is no row, or no text, is odd."""
    first, values = raws[0] if raws else {}, []
    try:
        for key in keys:
            values += _values(raws, key, usual=key in first)
        sent = pa.array(
            values, pa.string()
        )  # of all columns at once: a call of Arrow's costs more than its rows
    except (pa.ArrowException, TypeError, AttributeError) as error:
        raise Odd("not a row of texts") from error
    sent = pc.if_else(pc.equal(sent, ""), None, sent)
    return {key: sent.slice(place * len(raws), len(raws)) for place, key in enumerate(keys)}


def _values(raws: Sequence[Any], key: str, *, usual: bool) -> list[Any]:
    with suppress(KeyError):
        if usual:
            return list(map(itemgetter(key), raws))
    return [raw.get(key) for raw in raws]


def _read(kind: str | None, sent: pa.Array) -> pa.Array:
    if kind is None:
        return sent
    if kind == "time":
        return _times(sent)
    if kind in ("id", "number"):
        return _whole(sent, _ID if kind == "id" else _NUMBER).cast(pa.int64())
    raise Odd(kind)


def _whole(sent: pa.Array, form: str) -> pa.Array:
    if sent.null_count < len(sent) and not pc.all(pc.match_substring_regex(sent, form)).as_py():
        raise Odd(form)
    return sent


def _times(sent: pa.Array) -> pa.Array:
    """Return moments; a local time that there was not, or that was written oddly, is an error of Arrow's."""
    given = sent.drop_null()
    if not len(given) or given[0].as_py()[10:11] != " ":
        return _whole(sent, _OFFSET).cast(_MOMENT)
    local = _whole(sent, _LOCAL).cast(pa.timestamp("s"))
    # Of the two 01:30 of the autumn change the first is meant, as codec.read_time has it.
    return pc.assume_timezone(local, EASTERN.key, ambiguous="earliest").cast(_MOMENT)


def _custom_names(what: Resource, names: frozenset[str] | None) -> list[str]:
    if names is None:
        raise Odd("custom fields that nobody knows")
    return sorted(names - what.kinds.keys() - what.texts)


def _maps(names: list[str], fields: list[pa.Array], rows: int) -> pa.Array:
    """Return a map for each row, of the fields that it has something in."""
    if not names:
        return pa.MapArray.from_arrays(pa.array([0] * (rows + 1), pa.int32()), _NO_TEXT, _NO_TEXT)
    there = np.array([field.is_valid().to_numpy(zero_copy_only=False) for field in fields])
    row, field = np.nonzero(there.T)
    ends = np.concatenate(([0], np.cumsum(there.sum(axis=0)))).astype(np.int32)
    values = pa.concat_arrays(fields).take(pa.array(field * rows + row))
    return pa.MapArray.from_arrays(pa.array(ends), pa.array(names).take(pa.array(field)), values)


_NO_TEXT = pa.array([], pa.string())
