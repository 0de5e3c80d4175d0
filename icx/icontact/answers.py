"""Answers: what an answer of each shape holds, and whether it is the shape that was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from icx.errors import Refused
from icx.icontact import codec
from icx.icontact.resources import Resource

# The recorded warning of an ignored search term; the names stand in the parentheses.
_IGNORED = re.compile(r"could not be recognized.*?\(([^)]*)\)", re.DOTALL)
_PAGING = frozenset(
    {"limit", "offset"}
)  # ignored by a collection without paging: harmless, we count rows ourselves

Check = Callable[[Any], str | None]


def param(value: Any) -> str:
    """Return a filter's value as it goes into the address: ids joined by commas, flags 0 and 1."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(param(one) for one in value)
    return codec.write_time(value) if hasattr(value, "tzinfo") else str(value)


def has_rows(what: Resource) -> Check:
    """Return a check that an answer has the collection's rows; `null` is an empty list.

    An account without custom fields is said to leave their key out altogether.
    """

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "not an object"
        if what.plural in value:
            found = value[what.plural]
            return None if found is None or isinstance(found, (list, dict)) else f"without {what.plural}"
        return None if what.name == "customfields" else f"without {what.plural}"

    return check


def has_row(what: Resource) -> Check:
    """Return a check that an answer holds one row."""

    def check(value: Any) -> str | None:
        found = first(value.get(what.singular)) if isinstance(value, dict) else None
        return None if isinstance(found, dict) and found else f"without {what.singular}"

    return check


def has(key: str) -> Check:
    """Return a check that an answer holds an object under a key."""
    return lambda value: (
        None if isinstance(value, dict) and isinstance(value.get(key), dict) else f"without {key}"
    )


def has_time(value: Any) -> str | None:
    """Check the answer of /time."""
    try:
        codec.read_time(str(value["time"]))
    except (TypeError, KeyError, codec.CannotRead):
        return "without a time"
    return None


def first(value: Any) -> Any:
    """Return the row itself where a member answers with an array of one."""
    return value[0] if isinstance(value, list) and value else value


def rows_of(what: Resource, value: Mapping[str, Any]) -> list[Any]:
    """Return the rows of an answer; PHP writes a list with gaps as an object, whose values are the rows."""
    found = value.get(what.plural)
    if isinstance(found, dict):
        return list(found.values())
    return list(found or [])


def total_of(value: Mapping[str, Any]) -> int | None:
    """Return the service's count, or None where it gives none."""
    return count(value.get("total"))


def count(value: Any) -> int | None:
    """Return a counter, or None when it is missing or no number."""
    try:
        return codec.read_number(value)
    except codec.CannotRead:
        return None


def not_there(status: int, words: Sequence[str]) -> bool:
    """Tell whether a refusal means that there is no such row."""
    return status == 404 and bool(words)


def list_not_there(status: int, words: Sequence[str]) -> bool:
    """The same for lists, where a deleted one is a 500 with the words "No result for (205303)."."""
    return not_there(status, words) or (status == 500 and any("no result" in word.lower() for word in words))


def refuse_ignored(warnings: Sequence[str], given: frozenset[str], label: str) -> None:
    """Raise `filter-ignored` when iContact warns that it did not know a filter: it has answered with everything."""
    for warning in warnings:
        found = _IGNORED.search(warning)
        if found is None:
            continue
        names = {name.strip(" *") for name in found.group(1).split(",")} - {""}
        ignored = sorted((names or given) - _PAGING)
        if ignored:
            raise Refused(
                "filter-ignored",
                f"iContact does not know the filter {', '.join(f'`{name}`' for name in ignored)}"
                " and would answer with everything.",
                where=label,
                kept="the answer was not used",
                next=["filter by a field iContact documents, or read all rows and compare here"],
                data={"ignored": ignored},
            )
