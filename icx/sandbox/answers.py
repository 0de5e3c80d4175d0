"""Answers as iContact words them: PHP-encoded JSON, envelopes, its date forms, its error texts."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any
from zoneinfo import ZoneInfo

import orjson

EASTERN = ZoneInfo("America/New_York")

# The reason phrases iContact really sends where they differ from the registered ones.
REASONS = {401: "Authorization Required", 501: "Method Not Implemented"}

UNKNOWN_TERMS = (
    "The data you received may not be what you expected. This happened because your request contained terms "
    "which could not be recognized and so were ignored ({names}).\nYou can do either of the following: ignore this "
    "warning and continue, or make a new request using terms listed in the API documentation."
)
BAD_STATUS = (
    "The status value you provided was not valid. status can be either donotcontact or normal. "
    "Please provide a valid status"
)


@dataclass(frozen=True)
class Answer:
    """One answer before it is encoded: a status, a JSON value, and perhaps headers of its own."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """The service says no: a status and one or more sentences."""

    def __init__(self, status: int, *texts: str) -> None:
        super().__init__(*texts)
        self.status = status
        self.texts = list(texts)

    def answer(self) -> Answer:
        return Answer(self.status, {"errors": self.texts})


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def not_supported() -> ApiError:
    return ApiError(405, "Method Not Allowed")


def not_implemented() -> ApiError:
    return ApiError(501, "Resource Or Version Not Implemented")


def invalid(name: str) -> str:
    """Return the sentence for a value that was not accepted.

    >>> invalid("email")
    'The email value you provided was not valid. Please provide a valid email'
    """
    return f"The {name} value you provided was not valid. Please provide a valid {name}"


def missing(name: str) -> str:
    """Return the sentence for a required field that was not given.

    >>> missing("email")
    'You did not provide an email field, which is required. Please provide an email field'
    """
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"You did not provide {article} {name} field, which is required. Please provide {article} {name} field"


def php_json(value: Any) -> bytes:
    r"""Encode as PHP does: `/` as `\/`, everything past ASCII as `\u` and four digits, no blanks.

    >>> php_json({"url": "http://é"})
    b'{"url":"http:\\/\\/\\u00e9"}'
    """
    encoded = orjson.dumps(value).replace(b"/", b"\\/")
    return encoded if encoded.isascii() else encoded.decode().encode("ascii", "icx.php_json")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return encode_basestring_ascii(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("icx.php_json", _escaped)  # many times faster than a pattern on a page of 20,000 rows


def page(plural: str, rows: Sequence[Any], limit: int, offset: int, total: int) -> dict[str, Any]:
    """Return the envelope of a collection read."""
    return {plural: list(rows), "limit": limit, "offset": offset, "total": total}


def warned(body: dict[str, Any], warnings: Iterable[str]) -> dict[str, Any]:
    """Add `warnings` to an envelope; the key is absent when there are none."""
    listed = list(warnings)
    return body | {"warnings": listed} if listed else body


def blanks(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as a write echoes it: empty text where a read gives null.

    >>> blanks({"name": "News", "zip": None})
    {'name': 'News', 'zip': ''}
    """
    return {key: "" if value is None else value for key, value in row.items()}


def eastern(seconds: int | float) -> datetime:
    """Return an instant as the service's own local time."""
    return datetime.fromtimestamp(int(seconds), EASTERN)


@lru_cache(1 << 16)  # a quarter of a page's time, and the same people are read again and again
def contact_time(seconds: int) -> str:
    """Return local time without an offset, as contacts carry it.

    >>> contact_time(1339271212)
    '2012-06-09 15:46:52'
    """
    return eastern(seconds).isoformat(" ")[:19]  # strftime takes four times as long


def iso_time(seconds: int) -> str:
    """Return ISO 8601 with the offset, as subscriptions and tracking carry it.

    >>> iso_time(1339273550)
    '2012-06-09T16:25:50-04:00'
    """
    return eastern(seconds).isoformat()


def history_time(seconds: int) -> str:
    """Return ISO 8601 whose offset has no colon, as a contact's history carries it.

    >>> history_time(1244223937)
    '2009-06-05T13:45:37-0400'
    """
    return eastern(seconds).strftime("%Y-%m-%dT%H:%M:%S%z")


def read_time(text: str) -> tuple[int, int] | None:
    """Read a search's date as the first and last second it may mean; None when it is no date.

    A time without an offset is Eastern; a date alone is its whole day.

    >>> read_time("2012-06-09T16:25:50-04:00")
    (1339273550, 1339273550)
    >>> read_time("2012-06-09")
    (1339214400, 1339300799)
    >>> read_time("soon") is None
    True
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EASTERN)
    first = int(moment.astimezone(UTC).timestamp())
    if len(text.strip()) > 10:
        return first, first
    next_day = (moment + timedelta(days=1)).astimezone(UTC)
    return first, int(next_day.timestamp()) - 1
