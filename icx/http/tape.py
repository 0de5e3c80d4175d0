"""The tape: what was asked and how it went, with nothing of anybody in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from icx import mask

# Parameters whose values are numbers or words of the API; every other value may be about a person.
_PLAIN = frozenset(
    {"limit", "offset", "orderby", "status", "actor", "actionType", "count", "fields", "since_last_changed"}
    | {"sort_field", "sort_dir", "type", "list_id", "skip_merge_validation"}
)


@dataclass(frozen=True)
class Call:
    """One request as the journal keeps it.

    `path` is masked. `status` is None when no answer came; `problem` then says why. `ms` is the time to the last
    byte, `bytes` the size of the answer after decompression, `attempt` counts from 1, `at` is aware UTC.
    """

    method: str
    path: str
    status: int | None
    ms: int
    bytes: int
    attempt: int
    at: datetime
    problem: str = ""


Tape = Callable[[Call], None]


def shown_path(path: str, params: Mapping[str, object] | None = None) -> str:
    """Return a path and its filters with every address and every personal value hidden.

    >>> shown_path("/contacts", {"email": "ada@example.com", "limit": 20})
    '/contacts?email=a…@e….com&limit=20'
    >>> shown_path("/contacts", {"lastName": "Byron", "contactId": "7,8"})
    '/contacts?lastName=…&contactId=7,8'
    """
    shown = mask.plain(mask.addresses_in(unquote(path)))
    if not params:
        return shown
    return shown + "?" + "&".join(f"{name}={_shown_value(name, value)}" for name, value in params.items())


def _shown_value(name: str, value: object) -> str:
    text = str(value)
    if name in _PLAIN or name.endswith("SearchType") or (name.endswith("Id") and _is_ids(text)):
        return mask.plain(text)
    if name == "email":
        return mask.address(text)
    return "…"


def _is_ids(text: str) -> bool:
    return all(part.isdecimal() or part == "" for part in text.split(","))
