"""The catalogue's dataclasses: what a profile field is, and how to find one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from icx.errors import BadInput

FieldType = Literal["text", "integer", "number", "boolean", "time", "text list", "text→integer", "text→time"]
# How each type is stored. Times are naive UTC.
SQL_TYPES: dict[FieldType, str] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "time": "timestamp",
    "text list": "varchar[]",
    "text→integer": "map(varchar, bigint)",
    "text→time": "map(varchar, timestamp)",
}
Source = Literal["contact", "activity", "custom", "attached", "user", "derived", "points"]


@dataclass(frozen=True)
class Field:
    """One column of the profile.

    `column` is its name in the profile table (the same as `name`). `sql` is what an analyst would read to
    understand it. `gone` marks a custom field that iContact no longer has: its last values are kept.
    """

    name: str
    type: FieldType
    description: str
    sql: str
    source: Source
    pii: bool = False
    estimate: bool = False
    gone: bool = False

    def __repr__(self) -> str:
        return f"{self.name} ({self.type}): {self.description}"


class Catalogue(Mapping[str, Field]):
    """The fields of one connection's profile, by name.

    >>> fields = Catalogue([Field("city", "text", "city", "city", "contact")])
    >>> fields["city"]
    city (text): city
    >>> fields.find("ctiy")
    Traceback (most recent call last):
    icx.errors.BadInput: There is no field `ctiy`. Nearest: `city`. [field-unknown]
    ...
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = {field.name: field for field in fields}

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"{len(self)} fields"

    def find(self, name: str, where: str = "the catalogue") -> Field:
        """Return the field, or name the nearest ones."""
        if name in self._fields:
            return self._fields[name]
        near = difflib.get_close_matches(name, self._fields, n=3, cutoff=0.5)
        hint = f" Nearest: {', '.join(f'`{n}`' for n in near)}." if near else ""
        raise BadInput(
            "field-unknown",
            f"There is no field `{name}`.{hint}",
            where=where,
            kept="nothing was changed",
            next=[["icx", "fields", near[0] if near else ""]] if near else [["icx", "fields"]],
        )
