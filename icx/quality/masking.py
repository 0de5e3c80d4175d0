"""Masking what a check found: samples hold people, and verdicts are stored and shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from icx import mask

PERSONAL = frozenset(
    {
        "email",
        "email_key",
        "first_name",
        "last_name",
        "phone",
        "fax",
        "street",
        "street_line_2",
        "street_address",
        "address_2",
    }
)


def personal_columns(more: Collection[str] = ()) -> frozenset[str]:
    """Return the columns whose values are people: names, addresses, numbers, and those given."""
    return PERSONAL | frozenset(more)


def masked(value: Any, personal: Collection[str], theirs: bool) -> Any:
    """Return a result with every address masked, and every text of a personal column cut to a letter.

    `theirs` says that the values come from a personal column; inside rows the column's name decides.

    >>> masked({"partial_unexpected_list": ["Ada", None]}, {"first_name"}, True)
    {'partial_unexpected_list': ['A…', None]}
    >>> masked([{"id": 7, "email": "jo@example.com", "city": "Durham"}], {"email"}, False)
    [{'id': 7, 'email': 'j…@e….com', 'city': 'Durham'}]
    """
    if isinstance(value, str):
        return mask.address(value) if theirs and value else mask.addresses_in(value)
    if isinstance(value, Mapping):
        return {
            name: inner if name in _NOT_DATA else masked(inner, personal, theirs or name in personal)
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [masked(inner, personal, theirs) for inner in value]
    return value


def masked_text(text: str) -> str:
    """Return an error's words without the data they quote.

    >>> masked_text("Conversion Error: Could not convert string 'Ada' to INT64")
    "Conversion Error: Could not convert string '…' to INT64"
    """
    hidden = mask.addresses_in(text)
    return (
        re.sub(r"'[^']*'", "'…'", hidden)
        if re.match(r"(Conversion|Invalid Input|Out of Range) Error", text)
        else hidden
    )


_NOT_DATA = {"unexpected_index_query", "unexpected_index_column_names", "exception_traceback"}
