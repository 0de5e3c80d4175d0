"""What a suite judges: a relation of DuckDB, its columns and how their values are written in SQL."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from icx.store.db import Connection, DatabaseError, literal, quoted

Kind = Literal["integer", "float", "decimal", "text", "boolean", "time", "other"]

_INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
_INTEGERS |= {"INTEGER", "UINTEGER"}


class CannotMap(Exception):
    """This expectation has no form in DuckDB's SQL; the text says which part."""


class Unfit(Exception):
    """The expectation does not fit the data: no such column, a value of another type."""


@dataclass(frozen=True)
class Column:
    """One column: `sql` is what stands in a query, with a float's NaN counted as missing."""

    name: str
    type: str
    kind: Kind
    sql: str

    @property
    def text(self) -> str:
        return self.sql if self.kind == "text" else f"CAST({self.sql} AS VARCHAR)"


@dataclass(frozen=True)
class Relation:
    """`sql` stands after FROM. `key` names a row; `order` is the table's own order, or the key's."""

    sql: str
    types: Mapping[str, str]
    key: tuple[str, ...] = ()
    order: str = ""

    def column(self, name: Any) -> Column:
        if name not in self.types:
            raise Unfit(f'there is no column "{name}"')
        kind = kind_of(self.types[name])
        sql = quoted(name)
        if kind == "float":
            sql = f"nullif({sql}, 'nan'::DOUBLE)"
        elif self.types[name].startswith("ENUM"):
            sql = f"CAST({sql} AS VARCHAR)"
        return Column(name, self.types[name], kind, sql)


def describe(con: Connection, sql: str, key: Iterable[str] = ()) -> Relation:
    """Return the relation behind `sql` (a table's name or a query in brackets) with its columns.

    Only those of `key` that exist are used.
    """
    types = {row[0]: str(row[1]).upper() for row in con.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()}
    present = tuple(name for name in key if name in types)
    order = ", ".join(map(quoted, present))
    if "rowid" not in types:
        try:
            con.execute(f"SELECT rowid FROM {sql} LIMIT 0").fetchall()
            order = "rowid"
        except DatabaseError:
            pass  # a view, a query or a file has no row ids: the key's order has to do
    return Relation(sql, types, present, order)


def kind_of(type_name: str) -> Kind:
    """Return the kind of a DuckDB type.

    >>> [kind_of(name) for name in ("BIGINT", "DOUBLE", "DECIMAL(18,3)", "VARCHAR", "TIMESTAMP", "VARCHAR[]")]
    ['integer', 'float', 'decimal', 'text', 'time', 'other']
    """
    name = type_name.upper()
    if name.endswith("]"):
        return "other"
    if name in _INTEGERS:
        return "integer"
    if name in {"DOUBLE", "FLOAT"}:
        return "float"
    if name.startswith("DECIMAL"):
        return "decimal"
    if name == "VARCHAR" or name.startswith("ENUM"):
        return "text"
    if name == "BOOLEAN":
        return "boolean"
    return "time" if name == "DATE" or name.startswith("TIMESTAMP") else "other"


def number(value: float | Decimal) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            return f"'{value}'::DOUBLE"
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value!r}::DOUBLE"
    return str(value)


def written(value: Any, column: Column) -> str | None:
    """Return a value as SQL for comparing with a column, or None when it is of another type."""
    if value is None:
        return None
    match column.kind:
        case "integer" | "float" | "decimal" if isinstance(value, (bool, int, float, Decimal)):
            return None if isinstance(value, float) and math.isnan(value) else number(value)
        case "text" if isinstance(value, str):
            return literal(value)
        case "boolean" if isinstance(value, bool):
            return str(value).lower()
        case "time":
            moment = _moment(value)
            return None if moment is None else f"TIMESTAMP {literal(moment.isoformat(sep=' '))}"
    return None


def needed(value: Any, column: Column, what: str) -> str:
    """Return a value as SQL, or say that it cannot be compared with the column."""
    text = written(value, column)
    if text is None:
        raise Unfit(f"{what} {value!r} cannot be compared with {column.name}, which is {column.type}")
    return text


def members(values: Iterable[Any], column: Column) -> list[str]:
    """Return the members of a set that a column could hold, as SQL."""
    if column.kind == "other":
        raise Unfit(f"{column.name} is {column.type}, which cannot be compared with a set")
    found = (written(value, column) for value in values)
    return list(dict.fromkeys(text for text in found if text is not None))


def in_set(values: Iterable[Any] | None, column: Column) -> str:
    if values is None:
        return "true"
    listed = members(values, column)
    return f"{column.sql} IN ({', '.join(listed)})" if listed else "false"


def _moment(value: Any) -> datetime.datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time.min)
    return None
