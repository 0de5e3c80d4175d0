"""Wire to Python and back: ids, flags, every date form iContact is known to write, and what cannot be read."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from icx import mask
from icx.errors import BadInput
from icx.icontact.resources import RESOURCES, Resource

# The recordings' clocks show that times without an offset are the time of the US East coast.
EASTERN = ZoneInfo("America/New_York")
_MAX_ID = 2**63 - 1
_DATE = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)
_NUMBER = re.compile(r"-?\d+\Z", re.ASCII)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class CannotRead(ValueError):
    """One value is not what it should be; the text says which and never holds a person's data."""


@dataclass(frozen=True)
class SetAside:
    """A row that could not be read: its 0-based position in the collection, why, and the row as JSON text."""

    position: int
    reason: str
    raw: str = field(repr=False)


def parse(body: bytes) -> Any:
    """Return the JSON value of an answer, whatever content type it came under.

    Raises ValueError when it is no JSON. Bytes that are no UTF-8 and halves of surrogate pairs become U+FFFD, so that
    one broken name does not make its page unreadable.

    >>> parse(b'{"a": "caf\\\\u00e9"}'), parse(b'{"a": "\\\\ud83d"}'), parse(b'{"a": "\\xff"}')
    ({'a': 'café'}, {'a': '\ufffd'}, {'a': '\ufffd'})
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return _mended(json.loads(body.decode("utf-8-sig", "replace")))
        except RecursionError:
            raise ValueError("nested without end") from None


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(one) for one in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(one) for key, one in value.items()}
    return value


def read_time(text: str) -> datetime:
    """Return the moment a text means, aware, in UTC.

    Reads ISO 8601 with `Z`, with `-04:00` and with `-0400`; without an offset, with a blank instead of the T, and
    `20090725 14:55:12`. Without an offset the time is US Eastern; of the two 01:30 of the autumn change the first is
    meant (nothing tells them apart).

    >>> read_time("2012-06-09 15:46:52").isoformat()
    '2012-06-09T19:46:52+00:00'
    >>> read_time("2009-06-05T13:45:37-0400").isoformat()
    '2009-06-05T17:45:37+00:00'
    >>> read_time("2025-11-02 01:30:00").isoformat()
    '2025-11-02T05:30:00+00:00'
    """
    length = len(text)
    try:
        # The two forms that come by the million, by the library's own fast reader.
        if length == 25 and text[10] == "T" and text[22] == ":" and text.isascii():
            return datetime.fromisoformat(text).astimezone(UTC)
        if length == 19 and text[10] == " " and text[4] == "-" and text.isascii():
            return datetime.fromisoformat(text).replace(tzinfo=EASTERN).astimezone(UTC)
    except (ValueError, OverflowError):  # the last hours of the year 9999 are over in UTC
        pass  # whatever is odd about it, the slow reader says so
    found = _DATE.match(text.strip())
    if found is None:
        raise CannotRead(f"date {mask.addresses_in(mask.plain(text[:25]))!r}")
    year, month, day, hour, minute, second, offset = found.groups()
    try:
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))  # noqa: DTZ001
        return local.replace(tzinfo=_zone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CannotRead(f"date {mask.addresses_in(mask.plain(text[:25]))!r}") from None


def _zone(offset: str | None) -> ZoneInfo | timezone:
    if offset is None:
        return EASTERN
    if offset == "Z":
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if offset[0] == "-" else away)


def write_time(moment: datetime) -> str:
    """Return a moment as iContact wants it: Eastern time with its offset, no fractions.

    The articles demand exactly this form for the time of a send; elsewhere any ISO form is taken.

    >>> write_time(datetime(2026, 3, 2, 14, 15, tzinfo=UTC))
    '2026-03-02T09:15:00-05:00'
    """
    if moment.tzinfo is None:
        raise BadInput(
            "parameter",
            "A time without a zone has no place in time.",
            where=moment.isoformat(),
            kept="nothing was sent",
            next=["give the datetime a tzinfo"],
        )
    return moment.astimezone(EASTERN).replace(microsecond=0).isoformat()


def read_id(value: Any) -> int:
    """Return an id, which the recordings give as text and the articles as a number.

    >>> read_id("70012"), read_id(70012)
    (70012, 70012)
    """
    number = read_number(value)
    if not 0 <= number <= _MAX_ID:
        raise CannotRead("an id out of range")
    return number


def read_number(value: Any) -> int:
    """Return a whole number from a number or its text."""
    if isinstance(value, bool):
        raise CannotRead("a yes or no where a number stands")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < 40 and _NUMBER.match(value.strip()):
        return int(value)
    raise CannotRead(
        "not a number" if isinstance(value, (str, float)) else f"{type(value).__name__}, not a number"
    )


def read_flag(value: Any) -> bool:
    """Return yes or no from 0/1, "0"/"1" or a JSON boolean.

    >>> read_flag("1"), read_flag(0)
    (True, False)
    """
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in ("0", "1", "true", "false"):
        return str(value).strip().lower() in ("1", "true")
    raise CannotRead("neither 0 nor 1")


def read_ids(value: Any) -> list[int]:
    """Return ids from comma separated text, one number, or a list.

    >>> read_ids("3001, 3002"), read_ids(3001)
    ([3001, 3002], [3001])
    """
    parts: Iterable[Any] = value if isinstance(value, list) else str(value).split(",")
    return [read_id(part) for part in parts if str(part).strip() != ""]


def text_of(value: Any) -> str | None:
    """Return a value as text; missing and empty are None, nested values become JSON."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "id": read_id,
    "ids": read_ids,
    "number": read_number,
    "flag": read_flag,
    "any": lambda value: value,
}


def decode(
    what: Resource, raw: Mapping[str, Any], custom_names: frozenset[str] | None = None
) -> dict[str, Any]:
    """Return a row with Python values: ids int, times aware, flags bool, missing and '' None.

    A contact's keys that are no field of iContact's own are custom fields and stand as text under `custom`; with
    `custom_names` given, only those do, and other unknown keys stay on the row as text. A `createDate` keeps its
    original text under `createDate_text`. Raises `CannotRead` when an id or a date of the row cannot be read.
    """
    row: dict[str, Any] = _blank(what.name).copy()
    custom: dict[str, str | None] = {}
    kinds, texts = what.kinds, what.texts if what.open else None
    for key, value in raw.items():
        kind = kinds.get(key)
        if kind is None:
            # Most values of most rows are plain text; this line is what a pull's speed hangs on.
            text = (value or None) if type(value) is str else text_of(value)
            if texts is None or key in texts or (custom_names is not None and key not in custom_names):
                row[key] = text
            else:
                custom[key] = text
        elif value is None or value == "":
            continue
        elif kind == "id":
            row[key] = int(value) if _plain_id(value) else _value(key, kind, value)
        elif kind == "time":
            row[key] = _time(key, value)
            if key == "createDate":
                row["createDate_text"] = str(value)
        else:
            row[key] = _value(key, kind, value)
    for key in _id_lists(what.name):
        if row[key] is None:
            row[key] = []
    if what.open:
        row["custom"] = custom
    if (
        what.id_form == "list_contact"
        and row.get(what.id or "") is None
        and row["listId"]
        and row["contactId"]
    ):
        row[what.id or ""] = f"{row['listId']}_{row['contactId']}"
    if what.id is not None and row.get(what.id) is None:
        raise CannotRead(f"no {what.id}")
    return row


def _plain_id(value: Any) -> bool:
    return type(value) is str and len(value) < 19 and value.isascii() and value.isdecimal()


@functools.cache
def _blank(name: str) -> dict[str, Any]:
    """Return a row of a resource in which nothing is known; copied, never changed."""
    what = RESOURCES[name]
    return dict.fromkeys([*sorted(what.texts), *what.kinds])


@functools.cache
def _id_lists(name: str) -> tuple[str, ...]:
    return tuple(key for key, kind in RESOURCES[name].kinds.items() if kind == "ids")


def _time(key: str, value: Any) -> datetime:
    try:
        return read_time(value if isinstance(value, str) else "")
    except CannotRead as error:
        raise CannotRead(f"{key}: {error}") from None


def _value(key: str, kind: str, value: Any) -> Any:
    try:
        return _READERS[kind](value)
    except CannotRead as error:
        # What a counter or a switch says is worth less than its row; an id is what the row is about.
        if kind in ("number", "flag"):
            return None
        raise CannotRead(f"{key}: {error}") from None


def decode_rows(
    what: Resource, raws: Iterable[Any], start: int, custom_names: frozenset[str] | None = None
) -> tuple[list[dict[str, Any]], list[SetAside]]:
    """Return the rows of a page that can be read, and those that cannot with their position and reason."""
    rows: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    for position, raw in enumerate(raws, start):
        try:
            if not isinstance(raw, dict):
                raise CannotRead("not an object")
            rows.append(decode(what, raw, custom_names))
        except CannotRead as error:
            aside.append(SetAside(position, str(error), json.dumps(raw, ensure_ascii=False)))
    return rows, aside


def encode(what: Resource, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as they go on the wire.

    None leaves a field out; "" blanks it. Flags become 0 and 1, times Eastern, lists of ids comma separated text, and
    what stands under `custom` comes to stand beside the other fields.

    >>> from icx.icontact.resources import resource
    >>> encode(resource("contacts"), {"email": "ada@example.com", "city": None, "custom": {"vip_tier": "gold"}})
    {'email': 'ada@example.com', 'vip_tier': 'gold'}
    """
    wire: dict[str, Any] = {}
    for key, value in fields.items():
        if key == "custom" and what.open and isinstance(value, Mapping):
            wire |= {name: _wire(name, one) for name, one in value.items() if one is not None}
        elif key in what.receive_only:
            raise BadInput(
                "parameter",
                f"iContact sets `{key}` itself; it cannot be written.",
                where=what.name,
                kept="nothing was sent",
                next=[f"leave out {key}"],
            )
        elif value is not None:
            wire[key] = _wire(key, value)
    return wire


def _wire(key: str, value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (str, int, float)):
        return value
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(str(one) for one in value)
    raise BadInput(
        "parameter",
        f"`{key}` holds a {type(value).__name__}, which cannot be sent.",
        where=key,
        kept="nothing was sent",
        next=["give text, a number, a yes or no, a date, or a list of ids"],
    )
