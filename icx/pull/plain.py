"""The short way of a page: whole columns of rows as sent, when every value has the form that comes by the million.

What a value means is said in `icx.icontact.codec`, row by row; that takes most of a pull's time. Here the same values
come out of a column at once, and anything odd in it (another form of date, a number where text stands, an id that is
missing) is `Odd`: then the page goes the long way, which is right about everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def column(name: str, key: str, raws: Sequence[Mapping[str, Any]], custom: frozenset[str] | None) -> pa.Array:
    """Return what `codec.decode` puts under `key`, for all rows of a resource; raises `Odd`.

    Ids and numbers are int64, times UTC, custom fields maps, all else text; missing and empty are null.
    """
    what = RESOURCES[name]
    if key == "custom":
        return _custom(what, raws, custom)
    sent_as = key.removesuffix("_text")
    kind = what.kinds.get(sent_as)
    try:
        # get() of anything but a row, or a text column with a number in it: the long way says what it is
        values = [raw.get(sent_as) for raw in raws]
        sent = pa.array(values, pa.string())
        if "" in values:
            sent = pc.if_else(pc.equal(sent, ""), None, sent)
        if kind is None or key != sent_as:
            return sent
        if kind == "time":
            return _times(sent)
        if kind in ("id", "number"):
            return _whole(sent, _ID if kind == "id" else _NUMBER).cast(pa.int64())
    except (pa.ArrowException, TypeError, ValueError, AttributeError) as error:
        raise Odd(key) from error
    raise Odd(key)


def _whole(sent: pa.Array, form: str) -> pa.Array:
    if sent.null_count < len(sent) and not pc.all(pc.match_substring_regex(sent, form)).as_py():
        raise Odd(form)
    return sent


def _times(sent: pa.Array) -> pa.Array:
    """Return moments; a local time that there was not, or that was written oddly, is an error of Arrow's."""
    given = sent.drop_null()
    if len(given) and pc.all(pc.match_substring_regex(given, _LOCAL)).as_py():
        local = sent.cast(pa.timestamp("s"))
        # Of the two 01:30 of the autumn change the first is meant, as codec.read_time has it.
        return pc.assume_timezone(local, EASTERN.key, ambiguous="earliest").cast(_MOMENT)
    return _whole(sent, _OFFSET).cast(_MOMENT)


def _custom(what: Resource, raws: Sequence[Mapping[str, Any]], names: frozenset[str] | None) -> pa.Array:
    own = what.kinds.keys() | what.texts
    keys: list[str] = []
    values: list[Any] = []
    ends = [0]
    for raw in raws:
        more = raw.keys() - own if names is None else raw.keys() & names - own
        if more:
            for key in raw if len(more) > 1 else more:  # in the order they came
                if key in more and raw[key] not in (None, ""):
                    keys.append(key)
                    values.append(raw[key])
        ends.append(len(keys))
    try:
        return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, pa.array(values, pa.string()))
    except (pa.ArrowException, TypeError) as error:
        raise Odd("custom") from error
