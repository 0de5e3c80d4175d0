"""The catalogue: every field of one connection's profile, built-in, custom, attached and the users' own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from icx.fields import Catalogue, Field, FieldType
from icx.profile import builtin
from icx.profile.custom import Custom, free_name, read_custom
from icx.profile.own import Own, read_own
from icx.store.db import Connection, Store, quoted

KEY_COLUMN = "icx_key"  # in an attached table: what the rows are matched by


@dataclass(frozen=True)
class Attachment:
    """A column of an attached table, and the profile's column for it."""

    table: str
    identity: str
    column: str
    field: Field

    @property
    def match(self) -> str:
        return "u.email_key" if self.identity == "email" else "u.id"


@dataclass(frozen=True)
class Everything:
    """All fields of a connection, with what is needed to compute them."""

    customs: list[Custom]
    attachments: list[Attachment]
    owns: list[Own]
    totals: tuple[Field, ...] = ()

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(
            [
                *builtin.fields(),
                *(custom.as_field() for custom in self.customs),
                *(attachment.field for attachment in self.attachments),
                *self.totals,
                *(own.as_field() for own in self.owns),
            ]
        )


def catalogue(
    store: Store, connection: str, fields_dir: Path | None = None, totals: tuple[Field, ...] = ()
) -> Catalogue:
    """Return the fields of a connection's profile, with those of its points; no build is needed.

    A field file that cannot be used raises `BadInput` ("field-file") that names it and the cause.
    """
    with store.open(connection) as con:
        return everything(con, fields_dir, totals).catalogue


def everything(con: Connection, fields_dir: Path | None, totals: tuple[Field, ...] = ()) -> Everything:
    """Return the catalogue's parts; `con` has the connection's search path, `totals` are the fields of points."""
    known = builtin.fields()
    taken = {field.name.lower() for field in [*known, *totals]} | {"contact_id"}
    customs = read_custom(con, taken)
    attachments = _attached(con, taken)
    known += [custom.as_field() for custom in customs] + [one.field for one in attachments] + [*totals]
    return Everything(customs, attachments, read_own(con, fields_dir, known), totals)


def _attached(con: Connection, taken: set[str]) -> list[Attachment]:
    found = []
    for name, identity in con.execute("select name, identity from attached order by name").fetchall():
        table = f"attached_{name}"
        for column, kind, *_ in con.execute(f"describe {quoted(table)}").fetchall():
            if column != KEY_COLUMN:
                label = f"{column} of the attached table {name}"
                field_name = free_name(f"{name}_{column}", taken)
                field = Field(field_name, type_of(kind), label, f"{table}.{quoted(column)}", "attached")
                found.append(Attachment(table, identity, column, field))
    return found


def type_of(sql_type: str) -> FieldType:
    """Return the field type that a column of a DuckDB type becomes.

    >>> [type_of(t) for t in ("INTEGER", "DECIMAL(18,3)", "DATE", "BOOLEAN", "VARCHAR[]", "UUID")]
    ['integer', 'number', 'time', 'boolean', 'text list', 'text']
    """
    name = sql_type.upper()
    if name.endswith("[]"):
        return "text list"
    base = name.partition("(")[0]
    if base in {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}:
        return "integer"
    if base in {"DOUBLE", "FLOAT", "DECIMAL", "HUGEINT", "UHUGEINT", "UBIGINT"}:
        return "number"
    if base == "BOOLEAN":
        return "boolean"
    return "time" if base.startswith(("TIMESTAMP", "DATE")) else "text"
