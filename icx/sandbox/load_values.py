"""Reading one column of a file to load: ids, counts, flags, times and words, with the row of the first bad value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from icx.sandbox.zone import EASTERN

LARGEST_ID = 2**63 - 1
EPOCH = re.compile(r"\d{9,11}")
LATEST = 4_102_444_800  # the year 2100, in Unix seconds


class BadValue(ValueError):
    """A value that cannot be read; `place` counts from 0 within the column, the text says why."""

    def __init__(self, place: int, why: str) -> None:
        super().__init__(why)
        self.place = place


def read_column(read: Callable[[Any], Any], values: list[Any], default: Any, *, required: bool) -> list[Any]:
    """`read` every value that is there, `default` for the others; a missing required one is a `BadValue`.

    >>> read_column(read_id, ["7", None], 0, required=False)
    [7, 0]
    >>> read_column(read_id, ["7", "x7"], 0, required=False)
    Traceback (most recent call last):
    icx.sandbox.load_values.BadValue: 'x7' is no id
    """
    known: dict[Any, Any] = {None: default, "": default}
    result = []
    for place, value in enumerate(values):
        if value is None or value == "":
            if required:
                raise BadValue(place, "is empty")
            result.append(default)
        elif value.__class__ is str and value in known:
            result.append(known[value])
        else:
            try:
                read_value = read(value)
            except (ValueError, OverflowError, TypeError) as problem:
                raise BadValue(place, f"{show(value)} is {problem}") from None
            result.append(read_value)
            if value.__class__ is str and len(known) < 10_000:
                known[value] = read_value
    return result


def show(value: Any) -> str:
    """A value as an error may show it: short, and never an address.

    >>> show("ada@example.com")
    'a value with @'
    """
    if "@" in str(value):
        return "a value with @"
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "...")


def read_id(value: Any) -> int:
    """A whole number above 0."""
    number = _whole(value)
    if number is None or not 0 < number <= LARGEST_ID:
        raise ValueError("no id")
    return number


def read_count(value: Any) -> int:
    """A whole number, 0 included."""
    number = _whole(value)
    if number is None or not 0 <= number <= LARGEST_ID:
        raise ValueError("no whole number")
    return number


def read_flag(value: Any) -> int:
    """0 or 1; true and false will do.

    >>> read_flag("True")
    1
    """
    number = {"0": 0, "1": 1, "false": 0, "true": 1}.get(str(value).strip().lower())
    if number is None:
        raise ValueError("neither 0 nor 1")
    return number


def read_score(value: Any) -> float:
    """A number with or without decimals."""
    try:
        number = float(value)
    except ValueError:
        raise ValueError("no number") from None
    if not math.isfinite(number):
        raise ValueError("no number")
    return number


def read_text(value: Any) -> str:
    """Text as it is; numbers, flags and days of a Parquet file as the service would write them.

    >>> read_text(True), read_text(3.0), read_text(date(2026, 3, 2))
    ('1', '3.0', '2026-03-02')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, bytes):
        return value.decode("utf-8", "strict")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def read_ids(value: Any) -> str:
    """Ids as a send names them, comma separated: `3001, 3002` becomes `3001,3002`."""
    if isinstance(value, list):
        return ",".join(str(read_id(part)) for part in value)
    try:
        return ",".join(str(read_id(part)) for part in str(value).split(",") if part.strip())
    except ValueError:
        raise ValueError("no list of ids") from None


def one_of(*words: str) -> Callable[[Any], str]:
    """A reader of one of these words, in any case."""

    def read(value: Any) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError("none of " + ", ".join(words))
        return word

    return read


def read_time(value: Any) -> int:
    """Unix seconds of a time. Text without an offset is US Eastern, as on the service; a zone-less Parquet time is UTC.

    >>> read_time("2026-03-02 09:15:00") == read_time("2026-03-02T14:15:00Z") == 1772460900
    True
    """
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds < LATEST:
        raise ValueError("no time (like 2026-03-02 09:15:00 or 2026-03-02T09:15:00-05:00)")
    return seconds


def _seconds(value: Any) -> int | None:
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime.combine(value, time(), EASTERN).timestamp())
    text = str(value).strip()
    if EPOCH.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=EASTERN)).timestamp())


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def first_repeated(values: Iterable[Any]) -> tuple[int, int] | None:
    """Places of the first value that came before, and of where it came first.

    >>> first_repeated(["a", "b", "a"])
    (2, 0)
    """
    seen: dict[Any, int] = {}
    for place, value in enumerate(values):
        if value in seen:
            return place, seen[value]
        seen[value] = place
    return None
