"""Operators: their names in the JSON, which type of field takes which, and how a person would say them."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, overload

from icx.fields import FieldType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPARE = ("=", "!=", "<", "<=", ">", ">=")
TEXT = (
    "contains",
    "doesNotContain",
    "beginsWith",
    "doesNotBeginWith",
    "endsWith",
    "doesNotEndWith",
)
# The twins that do not look at upper and lower case, by the operator they are twins of.
IGNORE_CASE = {
    "=": "equalsIgnoreCase",
    "!=": "doesNotEqualIgnoreCase",
    "in": "inIgnoreCase",
    "notIn": "notInIgnoreCase",
} | {name: f"{name}IgnoreCase" for name in TEXT}
KEEP_CASE = {twin: name for name, twin in IGNORE_CASE.items()}

# An operator and the one that is true of exactly the other people who have a value.
OPPOSITE = {
    "=": "!=",
    "<": ">=",
    "<=": ">",
    "contains": "doesNotContain",
    "beginsWith": "doesNotBeginWith",
    "endsWith": "doesNotEndWith",
    "in": "notIn",
    "between": "notBetween",
    "within": "notWithin",
    "has": "hasNot",
}
OPPOSITE |= {IGNORE_CASE[name]: IGNORE_CASE[other] for name, other in OPPOSITE.items() if name in IGNORE_CASE}
OPPOSITE |= {other: name for name, other in OPPOSITE.items()}

MISSING = ("null", "notNull")
NUMBERS = (*COMPARE, "in", "notIn", "between", "notBetween", *MISSING)
ALLOWED: dict[FieldType, tuple[str, ...]] = {
    "text": ("=", "!=", *TEXT, "in", "notIn", *IGNORE_CASE.values(), *MISSING),
    "integer": NUMBERS,
    "number": NUMBERS,
    "boolean": ("=", "!=", *MISSING),
    "time": (*COMPARE, "between", "notBetween", "within", "notWithin", *MISSING),
    "text list": ("has", "hasNot", "in", "notIn", *MISSING),
    "text→integer": ("has", "hasNot", "in", "notIn", *MISSING),
    "text→time": ("has", "hasNot", "in", "notIn", *MISSING),
}
CAN: dict[FieldType, str] = {
    "text": "is, is not, contains, starts with, ends with, is one of, has a value",
    "integer": "is, is not, at least, at most, more than, less than, between, is one of, has a value",
    "number": "is, is not, at least, at most, more than, less than, between, is one of, has a value",
    "boolean": "is true, is false, has a value",
    "time": "before, after, on a date, between, within the last n days, has a value",
    "text list": "has, has not, has one of, has a value",
    "text→integer": "has a key, has not, has one of, has a value; one key's number as a number can",
    "text→time": "has a key, has not, has one of, has a value; one key's time as a time can",
}
NOUN: dict[FieldType, str] = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "time": "a time",
    "text list": "a list of texts",
    "text→integer": "a map of numbers",
    "text→time": "a map of times",
}
WORDS = {
    "=": "is",
    "!=": "is not",
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
    "contains": "contains",
    "doesNotContain": "does not contain",
    "beginsWith": "starts with",
    "doesNotBeginWith": "does not start with",
    "endsWith": "ends with",
    "doesNotEndWith": "does not end with",
    "in": "is one of",
    "notIn": "is none of",
    "between": "between",
    "notBetween": "not between",
    "within": "within",
    "notWithin": "not within",
    "has": "has",
    "hasNot": "has not",
    "null": "is missing",
    "notNull": "has a value",
}
WORDS |= {twin: WORDS[name] for name, twin in IGNORE_CASE.items()}
LINK = ("=", "!=", *TEXT, *(IGNORE_CASE[name] for name in ("=", "!=", *TEXT)))
EVENT_COUNTS = (*COMPARE, "between", "notBetween")
LIST_STATES = ("normal", "pending", "unsubscribed", "on", "not on")
KINDS = ("open", "click", "bounce", "unsubscribe", "any")
ALL = tuple(WORDS)
RELATIONS = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def one_key(kind: FieldType) -> FieldType:
    """Return the type of one entry of a map."""
    return "time" if kind == "text→time" else "integer"


@overload
def compare_counts(operator: str, found: int, wanted: int | tuple[int, int]) -> bool: ...


@overload
def compare_counts(
    operator: str, found: NDArray[np.unsignedinteger], wanted: int | tuple[int, int]
) -> NDArray[np.bool_]: ...


def compare_counts(operator: str, found: Any, wanted: int | tuple[int, int]) -> Any:
    """Return whether a count passes, or of an array of counts which do.

    >>> compare_counts(">=", 3, 3), compare_counts("between", 4, (1, 3)), compare_counts("notBetween", 4, (1, 3))
    (True, False, True)
    """
    if isinstance(wanted, tuple):
        inside = (found >= wanted[0]) & (found <= wanted[1])
        return inside != (operator == "notBetween")
    return RELATIONS[operator](found, wanted)
