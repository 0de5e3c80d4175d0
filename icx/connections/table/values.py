"""The values of a table's cells: to the text all systems share, and back to what the column holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Kind = Literal[
    "text", "choice", "whole", "number", "decimal", "yes/no", "date", "moment", "aware", "time", "other"
]

#: What `Column.type` says of each kind; `other` (lists, bytes) is shown and never written.
TYPES: Mapping[Kind, str] = {
    "text": "text", "choice": "choice", "whole": "number", "number": "number", "decimal": "number",
    "yes/no": "yes/no", "date": "date", "moment": "date", "aware": "date", "time": "text", "other": "text",
}  # fmt: skip
_NOTHING = {"NAType", "NaTType"}  # how pandas says nothing
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0"}


@dataclass(frozen=True)
class Known:
    """One column of a table as its source knows it.

    `empty` is whether it may hold nothing, `given` that the source gives a new row its value. `least` and `most`
    bound whole numbers, `digits` are the whole digits and decimals of a decimal, `longest` is in characters.
    `letters` is the encoding a file is written in.
    """

    name: str
    kind: Kind = "text"
    empty: bool = True
    given: bool = False
    longest: int | None = None
    least: int | None = None
    most: int | None = None
    digits: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    letters: str = "utf-8"


class DoesNotFit(ValueError):
    """A text that a column cannot hold; the words say what it takes, and never hold the text."""


class Rejected(DoesNotFit):
    """What a database says that does not keep a row: its own words. Nothing of the batch was kept."""


def text_of(value: Any) -> str:
    """Return a cell as text; nothing at all and not-a-number are "".

    >>> text_of(None), text_of(12.0), text_of(True), text_of(Decimal("1.50")), text_of(date(2026, 3, 2))
    ('', '12', 'yes', '1.50', '2026-03-02')
    >>> text_of(datetime(2026, 3, 2, 14, 15, tzinfo=UTC)), text_of(0.1), text_of("O'Brien ")
    ('2026-03-02T14:15:00+00:00', '0.1', "O'Brien ")
    """
    if isinstance(value, str):
        return value
    if value is None or type(value).__name__ in _NOTHING or value != value:  # noqa: PLR0124 - not-a-number
        return ""
    if type(value).__module__ == "numpy":
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def value_of(text: str, column: Known) -> Any:
    """Return what a column holds for a text; "" is nothing where the column may hold nothing.

    Raises DoesNotFit rather than round, cut or guess.

    >>> value_of("7", Known("age", "whole")), value_of("", Known("age", "whole")), value_of("", Known("name", empty=False))
    (7, None, '')
    >>> value_of("7.5", Known("age", "whole"))
    Traceback (most recent call last):
    icx.connections.table.values.DoesNotFit: `age` takes whole numbers
    """
    if text == "":
        if column.empty:
            return None
        if column.kind == "text":
            return ""
        raise DoesNotFit(f"`{column.name}` may not be empty")
    read = _READ.get(column.kind)
    if read is None:
        raise DoesNotFit(f"`{column.name}` holds values that icx does not write")
    try:
        return read(text, column)
    except DoesNotFit:
        raise
    except (ValueError, OverflowError, InvalidOperation):
        raise DoesNotFit(f"`{column.name}` takes {_WORDS[column.kind]}") from None


def same(text: str, other: str, column: Known) -> bool:
    """Tell whether two texts are one value to a column.

    >>> same("7", "7.0", Known("price", "decimal", digits=(5, 2))), same("7", "7.0", Known("name"))
    (True, False)
    """
    if text == other:
        return True
    try:
        return bool(value_of(text, column) == value_of(other, column))
    except DoesNotFit:
        return False


def _text(text: str, column: Known) -> str:
    if column.longest is not None and len(text) > column.longest:
        raise DoesNotFit(f"`{column.name}` takes {column.longest} characters, and this has {len(text)}")
    try:
        text.encode(column.letters)
    except UnicodeEncodeError:
        raise DoesNotFit(
            f"`{column.name}` is written in {column.letters}, which lacks a letter of this"
        ) from None
    return text


def _choice(text: str, column: Known) -> str:
    if text not in column.choices:
        raise DoesNotFit(f"`{column.name}` takes one of {', '.join(column.choices[:8])}")
    return text


def _whole(text: str, column: Known) -> int:
    number = Decimal(text.strip())
    if number != number.to_integral_value():
        raise ValueError
    found = int(number)
    if (column.least is not None and found < column.least) or (
        column.most is not None and found > column.most
    ):
        raise DoesNotFit(f"`{column.name}` takes whole numbers from {column.least} to {column.most}")
    return found


def _decimal(text: str, column: Known) -> Decimal:
    number = Decimal(text.strip())
    if not number.is_finite():
        raise ValueError
    if column.digits is not None:
        whole, after = column.digits
        exact = number.quantize(Decimal(1).scaleb(-after))
        if exact != number or abs(exact) >= Decimal(10) ** whole:
            raise DoesNotFit(f"`{column.name}` takes {whole} digits and {after} after the point")
        return exact
    return number


def _number(text: str, column: Known) -> float:
    found = float(text)
    if found != found or found in (float("inf"), float("-inf")):  # noqa: PLR0124
        raise ValueError
    return found


def _flag(text: str, column: Known) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise ValueError
    return word in _YES


def _date(text: str, column: Known) -> date:
    found = datetime.fromisoformat(text.strip())
    if found.time() != time():
        raise ValueError
    return found.date()


def _moment(text: str, column: Known) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _aware(text: str, column: Known) -> datetime:
    found = datetime.fromisoformat(text.strip())
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _time(text: str, column: Known) -> time:
    return time.fromisoformat(text.strip())


_READ: Mapping[Kind, Callable[[str, Known], Any]] = {
    "text": _text, "choice": _choice, "whole": _whole, "number": _number, "decimal": _decimal, "yes/no": _flag,
    "date": _date, "moment": _moment, "aware": _aware, "time": _time,
}  # fmt: skip
_WORDS: Mapping[Kind, str] = {
    "whole": "whole numbers", "number": "numbers", "decimal": "numbers", "yes/no": "yes or no",
    "date": "dates, as 2026-03-02", "moment": "times, as 2026-03-02T14:15:00", "aware": "times, as 2026-03-02T14:15:00Z",
    "time": "times of day, as 14:15",
}  # fmt: skip
