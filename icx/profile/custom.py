"""Custom fields: kept as text by the pull, typed here by what iContact says they are."""

from __future__ import annotations

from dataclasses import dataclass

from icx.fields import Field, FieldType
from icx.store.db import Connection, literal, quoted

DATES = [
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%Y/%m/%d",
    "%d %b %Y",
    "%b %d, %Y",
]


@dataclass(frozen=True)
class Custom:
    """A custom field of the account: its private name, iContact's word for its type, and its column."""

    private_name: str
    field_type: str
    column: str
    public_name: str
    gone: bool

    @property
    def type(self) -> FieldType:
        return kind(self.field_type)

    @property
    def raw(self) -> str:
        return f"u.custom[{literal(self.private_name)}]"

    @property
    def sql(self) -> str:
        return typed(self.raw, self.type)

    def as_field(self) -> Field:
        label = self.public_name or self.private_name
        gone = "; no longer there, these are its last values" if self.gone else ""
        return Field(
            self.column, self.type, f"custom field {label}{gone}", self.sql, "custom", gone=self.gone
        )


def kind(field_type: str) -> FieldType:
    """Return the type of a custom field; what is not known is text.

    >>> kind("checkbox"), kind("decimalTwo"), kind("date"), kind("text"), kind("something new")
    ('boolean', 'number', 'time', 'text', 'text')
    """
    word = field_type.lower()
    if word == "checkbox":
        return "boolean"
    if word == "number" or word.startswith("decimal"):
        return "number"
    return "time" if word == "date" else "text"


def typed(raw: str, type: FieldType) -> str:
    """Return SQL that reads text `raw` as the type, null where it cannot."""
    if type == "number":
        number = f"try_cast(replace(trim({raw}), ',', '') as double)"
        return f"case when isfinite({number}) then {number} end"
    if type == "boolean":
        return (
            f"case when lower(trim({raw})) in ('1', 'true', 'yes', 'on', 'y', 't', 'checked') then true"
            f" when lower(trim({raw})) in ('0', 'false', 'no', 'off', 'n', 'f', 'unchecked') then false end"
        )
    if type == "time":
        formats = ", ".join(literal(f) for f in DATES)
        return f"coalesce(try_cast(trim({raw}) as timestamp), try_strptime(trim({raw}), [{formats}]))"
    return raw


def read_custom(con: Connection, taken: set[str]) -> list[Custom]:
    """Return the connection's custom fields, each with a column name nobody else has.

    `taken` holds names in lower case (DuckDB's columns do not tell cases apart) and grows.
    """
    rows = con.execute(
        "select private_name, coalesce(field_type, 'text'), coalesce(public_name, ''), gone_at is not null"
        " from custom_fields order by gone_at is not null, private_name"
    ).fetchall()
    return [
        Custom(name, field_type, free_name(_column(name), taken), public, gone)
        for name, field_type, public, gone in rows
    ]


def _column(name: str) -> str:
    """Return the profile's name for a custom field; what another system says of people has its name in front.

    >>> _column("tier"), _column("mailchimp_rating")
    ('cf_tier', 'mailchimp_rating')
    """
    return name if name.startswith("mailchimp_") else f"cf_{name}"


def free_name(name: str, taken: set[str]) -> str:
    """Return `name`, or it with a number when it is taken, and take it.

    >>> free_name("cf_Tier", {"cf_tier"})
    'cf_Tier_2'
    """
    wanted, number = name, 1
    while name.lower() in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name.lower())
    return name


def failures(con: Connection, users: str, rows: str, customs: list[Custom]) -> dict[str, int]:
    """Return how many texts of each typed custom field could not be read as its type.

    `rows` is the profile built of `users`, where what could be read stands already.
    """
    typed_ones = [custom for custom in customs if custom.type != "text"]
    if not typed_ones:
        return {}
    given = ", ".join(f"count({custom.raw})" for custom in typed_ones)
    read = ", ".join(f"count({quoted(custom.column)})" for custom in typed_ones)
    texts, values = (
        con.execute(f"select {counts} from {table} u").fetchall()[0]
        for counts, table in ((given, users), (read, rows))
    )
    return {
        custom.column: text - value
        for custom, text, value in zip(typed_ones, texts, values, strict=True)
        if text != value
    }
