"""The field mapping: which values travel with people, and what cannot, named before anything is sent."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from icx.errors import BadInput
from icx.plan.policy import MapLine
from icx.words import counted

#: The contact's own fields that may be written, as iContact names them. The address and the status never are.
CONTACT_FIELDS = (
    "prefix", "firstName", "lastName", "suffix", "street", "street2", "city", "state", "postalCode",
    "phone", "fax", "business",
)  # fmt: skip
LONGEST = {"state": 10}
NEVER = {
    "email": "an address is only written when a contact is made",
    "status": "a status is never mapped; consent decides",
    "contactId": "iContact sets it",
    "createDate": "iContact sets it",
    "bounceCount": "iContact sets it",
}


Tally = Mapping[str, int]  # texts, each with how many people have it


@dataclass(frozen=True)
class Problem:
    """Why a line of a mapping cannot work: `line` counts from 1, `people` are those concerned (None: everybody).

    `fixes` are names that would do in its place, nearest first; `column` tells which side of the line is meant.
    """

    line: int
    message: str
    where: str
    people: int | None = None
    fixes: tuple[str, ...] = ()
    column: bool = False


def travelling(
    want: pa.Table, lines: Sequence[MapLine], custom_fields: Iterable[Mapping[str, Any]]
) -> pa.Table:
    """Return `want` with one more column, `fields`: what travels with each person, as JSON text, or null.

    Empty values are left out unless the line says that they blank the field. Raises `cannot-map`, naming the
    line and how many people it concerns; `custom_fields` are the folder's, as the service lists them.
    """
    if not lines:
        return want.append_column("fields", pa.nulls(want.num_rows, pa.string()))
    found = problems(want, lines, custom_fields)
    if found:
        raise _cannot(found[0])
    columns = [(line, want.column(line.column).to_pylist()) for line in lines]
    fields: list[str | None] = []
    for row in range(want.num_rows):
        one: dict[str, str] = {}
        for line, values in columns:
            value = text(values[row])
            if value or line.blank:
                one[line.field] = value
        fields.append(orjson.dumps(one).decode() if one else None)
    return want.append_column("fields", pa.array(fields, pa.string()))


def problems(
    want: pa.Table,
    lines: Sequence[MapLine],
    custom_fields: Iterable[Mapping[str, Any]],
    values: Callable[[str], Tally] | None = None,
) -> list[Problem]:
    """Return everything about a mapping that cannot work, a line at most once; names before values.

    `values` gives the tally of a column, where that is known already.
    """
    values = values or (lambda column: tally(want.column(column)))
    custom = {row["privateName"]: row.get("fieldType") or "text" for row in custom_fields}
    named = [_names(number, line, want.column_names, custom) for number, line in enumerate(lines, 1)]
    for number, line in enumerate(lines, 1):
        first = next(n for n, other in enumerate(lines, 1) if other.field == line.field)
        if named[number - 1] is None and first < number:
            named[number - 1] = Problem(
                number, f"`{line.field}` is mapped twice.", f"line {first} fills it too"
            )
    found = [one for one in named if one is not None]
    wrong = {one.line for one in found}
    for number, line in enumerate(lines, 1):
        if number not in wrong:
            found += _values(number, line, values, custom)
    return found


def tally(column: pa.ChunkedArray) -> Tally:
    """Return the texts of a column that travel, each with how many people have it: what is asked of a text is then
    asked once, however many people there are."""
    if pa.types.is_nested(column.type):
        found = Counter(map(text, column.to_pylist()))
    else:
        found = Counter()
        counts = column.value_counts()
        for value, people in zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True):
            found[text(value)] += people
    del found[""]
    return found


def travels(column: pa.ChunkedArray) -> int:
    """Return how many people have a value that would travel."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return int(pc.sum(pc.not_equal(column, "")).as_py() or 0)  # a text travels as it is
    return sum(tally(column).values())


def _values(
    number: int, line: MapLine, tallied: Callable[[str], Tally], custom: Mapping[str, str]
) -> list[Problem]:
    limit = LONGEST.get(line.field)
    numeric = custom.get(line.field, "text").startswith(("number", "decimal"))
    if limit is None and not numeric:
        return []
    values = tallied(line.column)
    sizes = {len(value) for value in values if limit is not None and len(value) > limit}
    if sizes:
        people = sum(count for value, count in values.items() if len(value) in sizes)
        words = f"`{line.field}` holds {max(sizes)} characters, iContact takes {limit}."
        return [Problem(number, words, counted(people, "person"), people)]
    wrong = sum(count for value, count in values.items() if numeric and not _is_number(value))
    return (
        [Problem(number, f"`{line.field}` takes numbers.", counted(wrong, "person"), wrong)] if wrong else []
    )


def text(value: Any) -> str:
    """Return a value as the text that travels; missing is empty.

    >>> text(True), text(3.0), text(None), text(date(2026, 3, 2))
    ('1', '3', '', '2026-03-02')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (float, Decimal)):
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what travels with one row of a plan; nothing by default."""
    kept = row.get("fields")
    return dict(orjson.loads(kept)) if kept else {}


def _names(number: int, line: MapLine, columns: Sequence[str], custom: Mapping[str, str]) -> Problem | None:
    if line.column not in columns:
        near = nearest(line.column, columns)
        words = f"There is no column `{line.column}`."
        return Problem(number, words, f"nearest: {', '.join(near)}", None, near, column=True)
    if line.field in NEVER:
        words = f"`{line.field}` cannot be mapped: {NEVER[line.field]}."
        return Problem(number, words, line.column)
    if line.field not in CONTACT_FIELDS and line.field not in custom:
        near = nearest(line.field, [*CONTACT_FIELDS, *custom])
        words = f"iContact has no field `{line.field}` here."
        return Problem(number, words, f"nearest: {', '.join(near)}", None, near)
    return None


def nearest(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the names that come nearest, or the first ones when none does."""
    return tuple(difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)[:3])


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _cannot(found: Problem) -> BadInput:
    return BadInput(
        "cannot-map",
        found.message,
        where=f"mapping line {found.line}, {found.where}",
        kept="nothing was sent",
        next=[f"mend line {found.line} of the mapping, then the same command"],
    )
