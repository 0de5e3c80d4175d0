"""The field mapping: which values travel with people, and what cannot, named before anything is sent."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

from icx.errors import BadInput
from icx.plan.policy import MapLine

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


def travelling(
    want: pa.Table, lines: Sequence[MapLine], custom_fields: Iterable[Mapping[str, Any]]
) -> pa.Table:
    """Return `want` with one more column, `fields`: what travels with each person, as JSON text, or null.

    Empty values are left out unless the line says that they blank the field. Raises `cannot-map`, naming the
    line and how many people it concerns; `custom_fields` are the folder's, as the service lists them.
    """
    if not lines:
        return want.append_column("fields", pa.nulls(want.num_rows, pa.string()))
    custom = {row["privateName"]: row.get("fieldType") or "text" for row in custom_fields}
    for number, line in enumerate(lines, 1):
        _check_line(number, line, want.column_names, custom)
    columns = {line.column: want.column(line.column).to_pylist() for line in lines}
    too_long: Counter[int] = Counter()
    longest: dict[int, int] = {}
    no_number: Counter[int] = Counter()
    fields: list[str | None] = []
    for row in range(want.num_rows):
        one: dict[str, str] = {}
        for number, line in enumerate(lines, 1):
            value = text(columns[line.column][row])
            if not value:
                if line.blank:
                    one[line.field] = ""
                continue
            if len(value) > LONGEST.get(line.field, len(value)):
                too_long[number] += 1
                longest[number] = max(longest.get(number, 0), len(value))
            if custom.get(line.field, "text").startswith(("number", "decimal")) and not _is_number(value):
                no_number[number] += 1
            one[line.field] = value
        fields.append(orjson.dumps(one).decode() if one else None)
    for number, people in too_long.items():
        field = lines[number - 1].field
        raise _cannot(
            number,
            f"`{field}` holds {longest[number]} characters, iContact takes {LONGEST[field]}.",
            f"{people:,} people",
        )
    for number, people in no_number.items():
        raise _cannot(number, f"`{lines[number - 1].field}` takes numbers.", f"{people:,} people")
    return want.append_column("fields", pa.array(fields, pa.string()))


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


def _check_line(number: int, line: MapLine, columns: Sequence[str], custom: Mapping[str, str]) -> None:
    if line.column not in columns:
        raise _cannot(number, f"There is no column `{line.column}`.", _nearest(line.column, columns))
    if line.field in NEVER:
        raise _cannot(number, f"`{line.field}` cannot be mapped: {NEVER[line.field]}.", line.column)
    if line.field not in CONTACT_FIELDS and line.field not in custom:
        known = [*CONTACT_FIELDS, *custom]
        raise _cannot(number, f"iContact has no field `{line.field}` here.", _nearest(line.field, known))


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)[:3]
    return f"nearest: {', '.join(near)}"


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _cannot(number: int, message: str, where: str) -> BadInput:
    return BadInput(
        "cannot-map",
        message,
        where=f"mapping line {number}, {where}",
        kept="nothing was sent",
        next=[f"mend line {number} of the mapping, then the same command"],
    )
