"""The one statement that computes the profile: parts from the field files, joined by contact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icx.fields import SQL_TYPES, FieldType
from icx.profile import builtin
from icx.profile.catalogue import KEY_COLUMN, Everything
from icx.profile.own import Own, bound
from icx.settings import Settings
from icx.store.db import quoted


@dataclass(frozen=True)
class Tables:
    """What the statement reads: people, their events, and the moments that are likely a machine's.

    A refresh of some people passes the same three with only those people in them; the SQL is the same.
    """

    users: str = "icontact_users"
    activity: str = "icontact_activity"
    machine: str = "machine_events"


def machine_sql(tables: Tables) -> str:
    """Return the query of machine moments; its parameters are as_of, machine_links, machine_seconds."""
    return builtin.text("machine").replace("{activity}", tables.activity)


def machine_params(as_of: datetime, settings: Settings) -> dict[str, Any]:
    return {
        "as_of": as_of,
        "machine_links": settings.machine_links,
        "machine_seconds": settings.machine_seconds,
    }


def profile_sql(parts: Everything, tables: Tables, owns: Sequence[Own] | None = None) -> str:
    """Return the query of one row per person of `tables.users`; parameters `$as_of` and `$zone`.

    `owns` chooses among the users' own fields (all of them by default).
    """
    owns = parts.owns if owns is None else owns
    sketch = _Sketch()
    sketch.withs.append(
        builtin.text("prelude").format(activity=tables.activity, machine=tables.machine).strip()
    )
    sketch.columns.append("u.id as contact_id")
    sketch.columns += [f"{f.sql} as {quoted(f.name)}" for f in builtin.stage("contact")]
    _add_counts(sketch)
    for file in builtin.stage("queries"):
        sketch.add_query(file.name, file.sql.format(activity=tables.activity), file.empty, file.type)
    sketch.columns += [f"{custom.sql} as {quoted(custom.column)}" for custom in parts.customs]
    for table, match in dict.fromkeys((one.table, one.match) for one in parts.attachments):
        sketch.joins.append(f"left join {quoted(table)} on {quoted(table)}.{KEY_COLUMN} = {match}")
    sketch.columns += [
        f"{quoted(one.table)}.{quoted(one.column)}::{SQL_TYPES[one.field.type]} as {quoted(one.field.name)}"
        for one in parts.attachments
    ]
    for own in owns:
        if own.is_query:
            query = f"select contact_id, value from (\n{own.file.sql}\n) as own(contact_id, value)"
            sketch.add_query(own.file.name, query, own.file.empty, own.file.type)
    joins = "\n  ".join(sketch.joins)
    sketch.withs.append(
        f"people as (\n  select\n    {_rows(sketch.columns, 4)}\n  from {tables.users} u\n  {joins}\n)"
    )
    later = [*builtin.stage("derived"), *builtin.stage("read"), *(o.file for o in owns if not o.is_query)]
    derived = _rows([f"({f.sql}\n)::{SQL_TYPES[f.type]} as {quoted(f.name)}" for f in later], 4)
    sketch.withs.append(f"whole as (\n  select people.*,\n    {derived}\n  from people\n)")
    kept = _rows([quoted(name) for name in ["contact_id", *stored_columns(parts, owns)]], 2)
    return "with\n" + ",\n".join(sketch.withs) + f"\nselect\n  {kept}\nfrom whole"


@dataclass
class _Sketch:
    """The statement as it grows: named parts, joins to a person `u`, and columns."""

    withs: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    def add_query(self, name: str, sql: str, empty: str, type: FieldType) -> None:
        part = quoted(f"query {name}")
        self.withs.append(f"{part} as (\n{sql}\n)")
        self.joins.append(f"left join {part} on {part}.contact_id = u.id")
        value = f"{part}.value::{SQL_TYPES[type]}"
        self.columns.append(f"{f'coalesce({value}, {empty})' if empty else value} as {quoted(name)}")


def _add_counts(sketch: _Sketch) -> None:
    """Add all aggregates over events, in one pass; a count of nothing is 0, a map of nothing null."""
    counts, maps = builtin.stage("activity"), builtin.stage("maps")
    aggregates = _rows([f"{f.sql} as {quoted(f.name)}" for f in (*counts, *maps)], 4)
    sketch.withs.append(
        f"counted as (\n  select contact_id,\n    {aggregates}\n  from events\n  group by contact_id\n)"
    )
    sketch.joins.append("left join counted on counted.contact_id = u.id")
    for file in counts:
        value = f"counted.{quoted(file.name)}"
        value = f"coalesce({value}, 0)" if file.type == "integer" else value
        sketch.columns.append(f"{value}::{SQL_TYPES[file.type]} as {quoted(file.name)}")
    for file in maps:
        # Keys are collected once and counted list by list, which is far cheaper than a grouping for each map.
        value = f"list_aggregate(counted.{quoted(file.name)}, 'histogram')::{SQL_TYPES[file.type]}"
        sketch.columns.append(f"{value} as {quoted(file.name)}")


def _rows(texts: Sequence[str], indent: int) -> str:
    return (",\n" + " " * indent).join(texts)


def stored_columns(parts: Everything, owns: Sequence[Own] | None = None) -> list[str]:
    """Return the profile's columns that are stored, in order; the others are computed when it is read."""
    read = {f.name for f in builtin.stage("read")}
    chosen = {own.file.name for own in (parts.owns if owns is None else owns)}
    return [
        one.name
        for one in parts.catalogue.values()
        if one.name not in read and (one.source != "user" or one.name in chosen)
    ]


def view_columns(parts: Everything, as_of: datetime) -> str:
    """Return the select list of the view `profile`: stored columns, and those computed on reading."""
    read = {f.name: f for f in builtin.stage("read")}
    moment = f"timestamp '{as_of:%Y-%m-%d %H:%M:%S.%f}'"
    columns = ["contact_id"]
    for name in parts.catalogue:
        if name in read:
            columns.append(
                f"({read[name].sql.replace('$as_of', moment)})::{SQL_TYPES[read[name].type]} as {name}"
            )
        else:
            columns.append(quoted(name))
    return ", ".join(columns)


def profile_params(sql: str, as_of: datetime, settings: Settings) -> dict[str, Any]:
    return bound(sql, as_of) | {"zone": settings.zone}
