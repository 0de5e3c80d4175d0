"""Values of a rule get their type from the catalogue here, or the error says what the field can do."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from icx.errors import BadInput, Damaged
from icx.fields import Catalogue, Field, FieldType
from icx.rules import operators
from icx.rules.nodes import Compare, Days, Event, Link, OnList, This

NEEDS = dict.fromkeys(("<", "<=", ">", ">=", "between", "notBetween"), "a number")
NEEDS |= dict.fromkeys(operators.TEXT, "text") | dict.fromkeys(operators.KEEP_CASE, "text")
NEEDS |= {"within": "a time", "notWithin": "a time", "has": "a list or a map", "hasNot": "a list or a map"}
LARGEST = 2**63 - 1
LONGEST = 36_500


@dataclass(frozen=True)
class Moment:
    """A point in time, or a whole day: `[start, end)` in naive UTC; `end` is None for a point."""

    start: datetime
    end: datetime | None = None


def place(where: str, path: str) -> str:
    """Return where in a file or rule something stands.

    >>> place("loyal.json", "rules[0].rules[1]"), place("", "")
    ('loyal.json, rules[0].rules[1]', 'the rule')
    """
    return ", ".join(part for part in (where, path) if part) or "the rule"


def wrong(message: str, where: str, hint: str) -> BadInput:
    return BadInput("rule-value", message, where=where, kept="nothing was changed", next=[hint])


def field_of(leaf: Compare, catalogue: Catalogue, where: str) -> tuple[Field, FieldType]:
    """Return the field a leaf is about and the type it compares, or name the nearest field."""
    field = catalogue.find(leaf.field, where)
    if field.gone:
        raise Damaged(
            "field-gone",
            f"The custom field `{field.name.removeprefix('cf_')}` is no longer in iContact.",
            where=where,
            kept="its last values, marked gone; audiences that use it wait",
            next=["change the rule, or restore the field in iContact and pull"],
            data={"field": field.name},
        )
    if leaf.key is None:
        return field, field.type
    if field.type not in {"text→integer", "text→time"}:
        raise wrong(
            f"`{field.name}` is {operators.NOUN[field.type]}; only a map has keys.",
            place(where, f"key {leaf.key}"),
            _can(field.type),
        )
    return field, operators.one_key(field.type)


def typed(leaf: Compare, field: Field, kind: FieldType, zone: tzinfo, where: str) -> Any:
    """Return a leaf's value in the type of its field.

    Text is str, a whole number int (or float when the rule has a fraction), a number float, a time `Moment`
    (pairs and lists are tuples of these), `Days` and `This` stay. Raises `rule-value` with what would do.
    """
    operator = leaf.operator
    _known(operator, operators.ALL, where)
    if operator not in operators.ALLOWED[kind]:
        raise wrong(
            f'`{field.name}` is {operators.NOUN[kind]}; "{_said(leaf)}" needs '
            f"{NEEDS.get(operator, 'a single value')}.",
            place(where, f"value {_shown(leaf.value)}"),
            _can(kind),
        )
    if operator in operators.MISSING:
        return None
    if operator in {"within", "notWithin"}:
        return _window(leaf.value, field, where)
    if operators.KEEP_CASE.get(operator, operator) in {"in", "notIn"}:
        if not isinstance(leaf.value, tuple) or not leaf.value:
            raise _bad(field, kind, leaf.value, "a list with at least one value", where)
        return tuple(_one(field, kind, value, zone, where) for value in leaf.value)
    if operator in {"between", "notBetween"}:
        if not isinstance(leaf.value, tuple) or len(leaf.value) != 2:
            raise _bad(field, kind, leaf.value, "two values, the smaller first", where)
        low, high = (_one(field, kind, value, zone, where) for value in leaf.value)
        if _start(low) > _start(high):
            raise _bad(field, kind, leaf.value, "the smaller value first", where)
        return (low, high)
    return _one(field, kind, leaf.value, zone, where)


def check_event(leaf: Event, zone: tzinfo, where: str) -> tuple[Moment | None, Moment | None]:
    """Return the moments of an event leaf's `between`, or say what is wrong with the leaf."""
    _known(leaf.kind, operators.KINDS, where, "event", "@event.")
    if leaf.operator not in operators.EVENT_COUNTS:
        raise wrong(
            f'How often somebody did something is a whole number; "{leaf.operator}" does not compare one.',
            where,
            f"a count can: {', '.join(operators.EVENT_COUNTS)}",
        )
    pair = leaf.operator in {"between", "notBetween"}
    counts = leaf.count if isinstance(leaf.count, tuple) else (leaf.count,)
    whole = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= LARGEST for n in counts)
    if not whole or pair != isinstance(leaf.count, tuple) or (pair and counts[0] > counts[-1]):
        raise wrong(
            f"{'Two whole numbers are needed, the smaller first' if pair else 'A whole number is needed'}; "
            f"{_shown(leaf.count)} is not.",
            place(where, f"value {_shown(leaf.count)}"),
            "a count is 0, 1, 2, …",
        )
    if leaf.days is not None:
        if leaf.between is not None:
            raise wrong("A window is `days` or `between`, not both.", where, "leave one of the two out")
        _window(Days(leaf.days), None, where)
    if leaf.url is not None:
        _check_link(leaf.kind, leaf.url, where)
    if leaf.distinct not in {None, "messages"}:
        raise wrong(f'"{leaf.distinct}" cannot be counted apart.', where, 'distinct can be: "messages"')
    if leaf.message is not None and not 0 <= leaf.message <= LARGEST:
        raise wrong(f"{leaf.message} is no message id.", where, "a message is named by its id, a number")
    ends = tuple(None if text is None else moment(text, zone, where) for text in leaf.between or (None, None))
    if ends[0] and ends[1] and ends[0].start > ends[1].start:
        raise wrong("The window ends before it begins.", where, "the earlier moment first")
    return ends[0], ends[1]


def check_state(leaf: OnList, where: str) -> None:
    _known(leaf.state, operators.LIST_STATES, where, "state on a list")


def moment(value: object, zone: tzinfo, where: str) -> Moment:
    """Return a moment or a day from its text; without a zone it is one of the workspace.

    >>> moment("2026-11-21", UTC, "")
    Moment(start=datetime.datetime(2026, 11, 21, 0, 0), end=datetime.datetime(2026, 11, 22, 0, 0))
    >>> moment("2026-11-21T07:02:00-05:00", UTC, "").start
    datetime.datetime(2026, 11, 21, 12, 2)
    """
    try:
        text = str(value).strip()
        if len(text) == 10:
            day = date.fromisoformat(text)
            return Moment(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        return Moment(found.astimezone(UTC).replace(tzinfo=None))
    except (ValueError, OverflowError):
        raise wrong(
            f"{_shown(value)} is no date and no time.",
            place(where, f"value {_shown(value)}"),
            'write 2026-11-21, or 2026-11-21T07:02:00-05:00, or for a moving window {"days": 7}',
        ) from None


def span(window: Days | This, as_of: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return `[start, end)` of a moving window in naive UTC; `as_of` is aware and is the end.

    >>> span(This("week"), datetime(2026, 11, 21, 12, tzinfo=UTC), UTC)[0]
    datetime.datetime(2026, 11, 16, 0, 0)
    """
    end = as_of.astimezone(UTC).replace(tzinfo=None)
    if isinstance(window, Days):
        return end - timedelta(days=window.days), end
    day = as_of.astimezone(zone).date()
    first = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "year": day.replace(month=1, day=1),
    }[window.unit]
    return _midnight(first, zone), end


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _start(value: Any) -> Any:
    return value.start if isinstance(value, Moment) else value


def _window(value: object, field: Field | None, where: str) -> Days | This:
    if isinstance(value, This) and value.unit in {"day", "week", "month", "year"}:
        return value
    days = value.days if isinstance(value, Days) else None
    number = isinstance(days, int | float) and not isinstance(days, bool)
    if isinstance(value, Days) and number and math.isfinite(value.days) and 0 < value.days <= LONGEST:
        return value
    subject = f"`{field.name}` is a time; " if field else ""
    raise wrong(
        f"{subject}{_shown(value)} is no window of days.",
        place(where, f"value {_shown(value)}"),
        f'a window is {{"days": n}} with n over 0 and up to {LONGEST:,}, or {{"this": "week"}}',
    )


def _one(field: Field, kind: FieldType, value: object, zone: tzinfo, where: str) -> Any:
    if kind == "time":
        if not isinstance(value, str):
            raise _bad(field, kind, value, "a date or a time as text", where)
        return moment(value, zone, where)
    if kind == "boolean":
        found = {"true": True, "false": False}.get(str(value).lower())
        if found is None:
            raise _bad(field, kind, value, "true or false", where)
        return found
    if kind in {"integer", "number"}:
        return _number(field, kind, value, where)
    # A whole number is plain enough as text (a status code, a flag); a fraction or a yes is not.
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _storable(value):
        raise _bad(field, kind, value, "text in quotes", where)
    if not value:
        raise _bad(field, kind, value, "some text; for people without a value there is `null`", where)
    return value


def _number(field: Field, kind: FieldType, value: object, where: str) -> int | float:
    found: int | float | None = None
    if isinstance(value, str):
        try:
            found = int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
        except ValueError:
            found = None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = value
    if found is None or not math.isfinite(found) or (kind == "integer" and abs(found) > LARGEST):
        raise _bad(field, kind, value, "a number", where)
    if kind == "number":
        return float(found)
    return int(found) if isinstance(found, float) and found.is_integer() else found


def _storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _check_link(kind: str, link: Link, where: str) -> None:
    _known(link.operator, operators.LINK, where, "operator for a link")
    if kind not in {"click", "any"}:
        raise wrong("Only clicks have a link.", where, "take `url` out, or ask for clicks")
    if not isinstance(link.value, str) or not link.value or not _storable(link.value):
        raise wrong(f"{_shown(link.value)} is no text of a link.", where, "give some text of the link")


def _known(
    name: object, known: tuple[str, ...], where: str, noun: str = "operator", prefix: str = ""
) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    hint = f" Nearest: {', '.join(f'`{prefix}{text}`' for text in near)}." if near else ""
    raise wrong(
        f"There is no {noun} `{prefix}{name}`.{hint}",
        where,
        f"there are: {', '.join(prefix + text for text in known)}",
    )


def _bad(field: Field, kind: FieldType, value: object, needed: str, where: str) -> BadInput:
    return wrong(
        f"`{field.name}` is {operators.NOUN[kind]}; {_shown(value)} is not {needed}."
        if value not in (None, "")
        else f"`{field.name}` is {operators.NOUN[kind]}; it needs {needed}.",
        place(where, f"value {_shown(value)}"),
        _can(kind),
    )


def _can(kind: FieldType) -> str:
    noun = {"integer": "a whole number", "number": "a number", "boolean": "yes or no", "time": "a time"}
    return f"{noun.get(kind, kind)} can: {operators.CAN[kind]}"


def _said(leaf: Compare) -> str:
    shown = _shown(leaf.value).strip('"')
    return f"{operators.WORDS[leaf.operator]} {shown}".strip()


def _shown(value: object) -> str:
    """Return a value as the error may print it: short, quoted when it is text."""
    if value is None:
        return "nothing"
    if isinstance(value, Days | This):
        return repr(value)
    text = (
        f'"{value}"'
        if isinstance(value, str)
        else ", ".join(map(_shown, value))
        if isinstance(value, tuple)
        else str(value)
    )
    return text if len(text) <= 60 else f"{text[:59]}…"
