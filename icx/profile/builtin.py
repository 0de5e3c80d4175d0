"""The built-in fields: the files in `sql/`, by how they are computed."""

from __future__ import annotations

import functools
import importlib.resources

from icx.fields import Field, Source
from icx.profile.field import FieldFile, read_fields

STAGES: dict[str, Source] = {
    "contact": "contact",
    "activity": "activity",
    "recent": "activity",
    "human": "activity",
    "queries": "activity",
    "derived": "derived",
    "read": "derived",
}
# The vendor's own 34 columns come first, in its order; the rest follow as the files have them.
DERIVED_DEFAULTS = ("last_active_ts", "last_channel_activities", "channels", "hashedurls")


@functools.cache
def stage(name: str) -> tuple[FieldFile, ...]:
    """Return the fields of one stage (see STAGES), or of "lists", which are no fields but what maps are made of."""
    return tuple(read_fields(text(name), f"{name}.sql"))


@functools.cache
def text(name: str) -> str:
    return (importlib.resources.files("icx.profile") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def fields() -> list[Field]:
    """Return the built-in fields in the order of the profile's columns."""
    every = {f.name: as_field(f, STAGES[s]) for s in STAGES for f in stage(s)}
    first = [f.name for f in stage("contact")] + [f.name for f in stage("activity")][:12]
    order = [*first, *DERIVED_DEFAULTS, *every]
    return [every[name] for name in dict.fromkeys(order)]


def as_field(file: FieldFile, source: Source) -> Field:
    return Field(
        file.name, file.type, file.description, file.sql, source, pii=file.pii, estimate=file.estimate
    )
