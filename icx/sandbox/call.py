"""One request as the handlers see it: who, where, the search terms, the rows sent, the warnings to give."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from icx.sandbox.answers import ApiError
from icx.sandbox.state import State

MOST_ROWS = 20_000  # the largest `limit` any client in the field was seen to use


@dataclass
class Call:
    """A request on its way through the handlers; `warnings` grows as rows are refused."""

    state: State
    con: sqlite3.Connection
    method: str
    path: str
    account_id: int = 0
    folder_id: int = 0
    ids: tuple[str, ...] = ()  # the ids of the path below the folder: parent first
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    version: tuple[int, int] = (2, 2)
    warnings: list[str] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.state.now()

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    @contextmanager
    def row(self) -> Iterator[None]:
        """Try one row of a collection write; a refusal undoes that row alone and becomes a warning."""
        self.con.execute("savepoint one_row")
        try:
            yield
        except ApiError as refused:
            self.con.execute("rollback to one_row")
            self.warnings.extend(refused.texts)
        finally:
            self.con.execute("release one_row")

    def parsed(self) -> Any:
        """Return the body's JSON value, None when there is none; 400 when it cannot be read."""
        if not self.body.strip():
            return None
        try:
            return orjson.loads(self.body)
        except ValueError:
            raise ApiError(
                400, "The data you provided could not be parsed. Please provide valid JSON"
            ) from None

    def rows(self, singular: str, plural: str) -> list[dict[str, Any]]:
        """Return the rows of a collection write, whichever of the accepted shapes they came in."""
        return [_unwrapped(row, singular) for row in _flat(_unwrapped(self.parsed(), singular, plural))]

    def fields(self, singular: str) -> dict[str, Any]:
        """Return the fields of a member write: bare, wrapped, or an array of one."""
        rows = self.rows(singular, singular)
        if len(rows) > 1:
            raise ApiError(400, f"You provided more than one {singular}. Please provide one {singular}")
        return rows[0] if rows else {}


def _unwrapped(value: Any, *names: str) -> Any:
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in names and isinstance(inner, list | dict):
            return inner
    return value


def _flat(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [row for inner in value for row in _flat(inner)]
    raise ApiError(400, "The data you provided could not be parsed. Please provide an array of objects")


def text(value: Any) -> str | None:
    """Return a field's value as the service keeps it: text, or None when it is absent or empty.

    >>> text(7), text(True), text(""), text(None), text(1.5)
    ('7', '1', None, None, '1.5')
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def flag(value: Any) -> int | None:
    """Return a 0/1 field as an integer; None when it is neither.

    >>> flag("1"), flag(0), flag(True), flag("true"), flag("maybe")
    (1, 0, 1, 1, None)
    """
    return {"1": 1, "0": 0, "true": 1, "false": 0}.get((text(value) or "").strip().lower())


def number(value: Any) -> int | None:
    """Return an id as an integer; None when it is none.

    >>> number("3001"), number(3001), number("3001x"), number(None)
    (3001, 3001, None, None)
    """
    shown = (text(value) or "").strip()
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 19 else None


def next_id(con: sqlite3.Connection, table: str, column: str, first: int) -> int:
    """Return the id a new row of `table` gets; ids are never used twice in a file."""
    highest = con.execute(f"select max({column}) from {table}").fetchone()[0]
    return max(first, (highest or 0) + 1)
