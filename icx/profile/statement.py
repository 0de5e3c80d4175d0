"""The statements that compute the profile: parts from the field files, joined by contact."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icx.fields import SQL_TYPES, Field
from icx.profile import builtin
from icx.profile.catalogue import KEY_COLUMN, Everything
from icx.profile.field import FieldFile
from icx.profile.own import Own
from icx.settings import Settings
from icx.store.db import quoted

# Lists that are stored beside the fields, since maps are made of them when the profile is read.
STORED_LISTS = ("open_marks", "click_marks")
# What a row was made of, as a number, stored beside the fields too: while it stays, a refresh takes the row over.
MARK = "row_mark"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MADE_OF_LISTS = ("hashedurls",)  # of lists that are not stored: taken over like what is counted


STEPS = (
    "links",
    "quarters",
    "events",
    "machine",
    "marks",
    "touched",
    "theirs",
)  # temporary tables, each of a file in `sql/`


@dataclass(frozen=True)
class Tables:
    """What the statements read: people and their events.

    `stem` begins the names of the temporary tables made on the way. Only the people with ids of at least `low` and below
    `high` are computed now (None: no end there), so that the events of all need not fit in memory at once; a table
    that lies by id is read no further than that. A refresh has in
    `kept` the rows of the profile before, and computes the touched people from their events (`taken` is false); of the
    others (`taken` is true) what may be another without that, from their rows there. `typed` says that `users` has a column for each
    custom field already, and that no marks are made: another engine's would say nothing to a refresh.
    """

    users: str = "icontact_users"
    activity: str = "icontact_activity"
    stem: str = "profile"
    low: int | None = None
    high: int | None = None
    kept: str = ""
    taken: bool = False
    typed: bool = False

    def temporary(self, what: str) -> str:
        return quoted(f"{self.stem} {what}")

    def mine(self, column: str = "contact_id") -> str:
        """Return the condition on a contact's id that chooses the people computed now."""
        parts = self.between(column)
        if self.kept:
            among = "not in" if self.taken else "in"
            parts.append(f"{column} {among} (select contact_id from {self.temporary('touched')})")
        return " and ".join(parts) or "true"

    def between(self, column: str) -> list[str]:
        """Return the conditions on a contact's id that keep to `low` and `high`."""
        ends = ((">=", self.low), ("<", self.high))
        return [f"{column} {sign} {end}" for sign, end in ends if end is not None]

    def filled(self, sql: str) -> str:
        """Return SQL of a file with the names of the tables it reads put in."""
        for name in STEPS:
            sql = sql.replace("{" + name + "}", self.temporary(name))
        names = {"activity": self.activity, "users": self.users, "kept": self.kept, "mine": self.mine()}
        for name, table in names.items():
            sql = sql.replace("{" + name + "}", table)
        return sql


def step_sql(name: str, tables: Tables) -> str:
    """Return the query of one of `STEPS`, or of `plain`: events for a few columns that need no more."""
    sql = builtin.text(name).replace("{plain}", builtin.text("plain").strip())
    return tables.filled(sql).strip()


def profile_sql(
    parts: Everything,
    tables: Tables,
    owns: Sequence[Own] | None = None,
    only: Collection[str] | None = None,
    read: bool = False,
) -> str:
    """Return the query of one row per person of `tables.users`, with parameter `$as_of`.

    `owns` chooses among the users' own fields (all of them by default). `only` names the fields to compute, and
    those they are made of; what the others need is left out then. `read` also gives those of them that are not stored.
    Of people taken over only what may be another is given (`moving_columns`), unless it is read.
    """
    owns = parts.owns if owns is None else owns
    if only is not None:
        owns = [own for own in owns if own.file.name in only]

    def stage(name: str) -> list[FieldFile]:
        return [f for f in builtin.stage(name) if only is None or f.name in only]

    sketch = _Sketch([tables.filled(builtin.text("prelude")).strip()])
    sketch.columns.append("u.id as contact_id")
    contact, counts, recent, human, lists = (
        stage(name) for name in ("contact", "activity", "recent", "human", "lists")
    )
    if tables.taken:
        sketch.columns += [f"u.{quoted(name)}" for name in sorted(_lasting(parts))]
    else:
        sketch.columns += [f"{f.sql} as {quoted(f.name)}" for f in contact]
        if counts or lists:
            sketch.add_part("counted", _aggregates([*counts, *lists], tables.temporary("events")))
        sketch.columns += [_counted("counted", f) for f in counts] + [f"counted.{f.name}" for f in lists]
        if recent:
            sketch.add_part("counted_recent", _aggregates(recent, "recent_events"))
            sketch.columns += [_counted("counted_recent", f) for f in recent]
        if human:
            without = _rows([f"{f.sql} as {quoted(f.name)}" for f in human], 2)
            again = f"({_aggregates([*counts, *recent], 'human_events')})"
            sketch.add_part("counted_again", f"select contact_id,\n  {without}\nfrom {again}")
            sketch.columns.append("counted_again.contact_id is not null as again")
            sketch.columns += [f"counted_again.{quoted(f.name)} as {_again(f)}" for f in human]
        if only is None:
            sketch.columns.append(_mark(tables, sketch.joins))
        sketch.columns += [
            f"{f'u.{quoted(custom.column)}' if tables.typed else custom.sql} as {quoted(custom.column)}"
            for custom in parts.customs
        ]
    for file in stage("queries"):
        sketch.add_query(file, tables.filled(file.sql))
    for table, match in dict.fromkeys((one.table, one.match) for one in parts.attachments):
        sketch.joins.append(f"left join {quoted(table)} on {quoted(table)}.{KEY_COLUMN} = {match}")
    sketch.columns += [
        f"{quoted(one.table)}.{quoted(one.column)}::{SQL_TYPES[one.field.type]} as {quoted(one.field.name)}"
        for one in parts.attachments
    ]
    totals = [one for one in parts.totals if only is None or one.name in only]
    if totals:
        table = tables.temporary("points")
        sketch.joins.append(f"left join {table} on {table}.contact_id = u.id")
        sketch.columns += [f"coalesce({table}.{quoted(t.name)}, 0) as {quoted(t.name)}" for t in totals]
    for own in owns:
        if own.is_query:
            sketch.add_query(own.file, f"select contact_id, value from {own_table(own, tables)}")
    joins = "\n  ".join(sketch.joins)
    sketch.withs.append(
        f"people as (\n  select\n    {_rows(sketch.columns, 4)}\n  from {_people(tables)} u\n  {joins}\n"
        f"  where {tables.mine('u.id')}\n)"
    )
    derived = []
    if not tables.taken:
        derived = [
            f"(case when again then {f'coalesce({_again(f)}, 0)' if f.type == 'integer' else _again(f)} else {f.sql} end)"
            f"::{SQL_TYPES[f.type]} as {quoted(f.name)}"
            for f in human
        ]
    over = MADE_OF_LISTS if tables.taken else ()
    later = [f for f in stage("derived") if f.name not in over]
    later += [*stage("read"), *(o.file for o in owns if not o.is_query)]
    derived += [f"({f.sql}\n)::{SQL_TYPES[f.type]} as {quoted(f.name)}" for f in later]
    sketch.withs.append(f"whole as (\n  select people.*,\n    {_rows(derived, 4)}\n  from people\n)")
    stored = moving_columns if tables.taken else stored_columns
    names = [*parts.catalogue] if read else stored(parts, owns)
    names = [name for name in names if only is None or name in only]
    kept = _rows([quoted(name) for name in ["contact_id", *names]], 2)
    return "with\n" + ",\n".join(sketch.withs) + f"\nselect\n  {kept}\nfrom whole"


def made_of(parts: Everything, names: Collection[str]) -> set[str]:
    """Return fields and those they are made of, however far down, as `profile_sql` takes them in `only`.

    What a field is made of are the names in its SQL; a field too many costs time and changes nothing.
    """
    files = [
        *(f for s in (*builtin.STAGES, "lists") for f in builtin.stage(s)),
        *(own.file for own in parts.owns),
    ]
    sources = {one.name.lower(): one for one in files}
    columns = {name.lower(): name for name in [*parts.catalogue, *(one.name for one in files)]}
    found: set[str] = set()
    todo = [name.lower() for name in names]
    while todo:
        name = todo.pop()
        if name in columns and name not in found:
            found.add(name)
            if name in sources:
                todo += {word.lower() for word in _WORD.findall(sources[name].sql)}
    return {columns[name] for name in found}


def own_sql(own: Own) -> str:
    """Return the query of a user's field that is a query itself, as (contact_id, value)."""
    return f"select contact_id, value::{SQL_TYPES[own.file.type]} as value from (\n{own.file.sql}\n) as own(contact_id, value)"


def own_table(own: Own, tables: Tables) -> str:
    return tables.temporary(f"own {own.file.name}")


@dataclass
class _Sketch:
    """The statement as it grows: named parts, joins to a person `u`, and columns."""

    withs: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    def add_part(self, part: str, sql: str) -> None:
        self.withs.append(f"{part} as (\n{sql}\n)")
        self.joins.append(f"left join {part} on {part}.contact_id = u.id")

    def add_query(self, file: FieldFile, sql: str) -> None:
        part = quoted(f"query {file.name}")
        self.add_part(part, sql)
        value = f"{part}.value::{SQL_TYPES[file.type]}"
        value = f"coalesce({value}, {file.empty})" if file.empty else value
        self.columns.append(f"{value} as {quoted(file.name)}")


def _people(tables: Tables) -> str:
    """Return what the people of a statement are read from, with the columns that joins are made on."""
    return (
        f"(select *, contact_id as id, email as email_key from {tables.kept})"
        if tables.taken
        else tables.users
    )


def _mark(tables: Tables, joins: list[str]) -> str:
    if tables.typed:
        return f"0 as {MARK}"
    ours = " and ".join(tables.between("contact_id")) or "true"
    joins.append(
        f"left join (from {tables.temporary('marks')} where {ours}) marks on marks.contact_id = u.id"
    )
    return f"hash(hash(u), marks.events_mark) as {MARK}"


def _aggregates(files: Sequence[FieldFile], events: str) -> str:
    columns = _rows([f"{f.sql} as {quoted(f.name)}" for f in files], 2)
    return f"select contact_id,\n  {columns}\nfrom {events}\ngroup by contact_id"


def _counted(part: str, file: FieldFile) -> str:
    """Return a column of counted events; a count of nothing is 0, a time of nothing null."""
    value = f"{part}.{quoted(file.name)}"
    value = f"coalesce({value}, 0)" if file.type == "integer" else value
    return f"{value}::{SQL_TYPES[file.type]} as {quoted(file.name)}"


def _again(file: FieldFile) -> str:
    return quoted(f"again {file.name}")


def _rows(texts: Sequence[str], indent: int) -> str:
    return (",\n" + " " * indent).join(texts)


def stored_columns(parts: Everything, owns: Sequence[Own] | None = None) -> list[str]:
    """Return the profile's columns that are stored, in order; the others are computed when it is read."""
    read = {f.name for f in builtin.stage("read")}
    chosen = {own.file.name for own in (parts.owns if owns is None else owns)}
    fields = [
        one.name
        for one in parts.catalogue.values()
        if one.name not in read and (one.source != "user" or one.name in chosen)
    ]
    return [*fields, *STORED_LISTS, MARK]


def moving_columns(parts: Everything, owns: Sequence[Own] | None = None) -> list[str]:
    """Return the stored columns that time, sends, points and users' own queries may change of anybody."""
    lasting = _lasting(parts)
    return [name for name in stored_columns(parts, owns) if name not in lasting]


def _lasting(parts: Everything) -> set[str]:
    """Return the columns that stay while a person's contact, events and windows do."""
    stages = ("contact", "activity", "recent", "human")
    fields = {f.name for name in stages for f in builtin.stage(name)} | {c.column for c in parts.customs}
    return fields | {*MADE_OF_LISTS, *STORED_LISTS, MARK}


def view_columns(parts: Everything, as_of: datetime) -> str:
    """Return the select list of the view `profile`: stored columns, and those computed on reading."""
    columns = _read_columns(parts.catalogue, {f.name: f for f in builtin.stage("read")}, as_of)
    return ", ".join(["contact_id", *columns.values()])


def published_columns(catalogue: Mapping[str, Field], as_of: datetime) -> tuple[str, dict[str, str]]:
    """Return the select list of a profile's file, from the stored rows, and the SQL of the fields that are left out.

    What is made of the stored lists stays unmade in the file, as in the store: ten maps of everybody take twice as long to
    make as the whole profile, and hardly anybody asks for all of them. The list is `*` when no field is one of them.
    """
    read = {f.name: f for f in builtin.stage("read")}
    made = {
        name
        for name in read.keys() & catalogue.keys()
        if catalogue[name].sql == read[name].sql and any(one in read[name].sql for one in STORED_LISTS)
    }
    if not made:
        return "*", {}
    columns = _read_columns(catalogue, read, as_of)
    kept = [sql for name, sql in columns.items() if name not in made]
    return ", ".join(["contact_id", *kept, *STORED_LISTS]), {
        name: sql for name, sql in columns.items() if name in made
    }


def _read_columns(
    catalogue: Collection[str], read: Mapping[str, FieldFile], as_of: datetime
) -> dict[str, str]:
    moment = f"timestamp '{as_of:%Y-%m-%d %H:%M:%S.%f}'"
    return {
        name: f"({read[name].sql.replace('$as_of', moment)})::{SQL_TYPES[read[name].type]} as {quoted(name)}"
        if name in read
        else quoted(name)
        for name in catalogue
    }


def parameters(
    sql: str, as_of: datetime, settings: Settings, since: datetime | None = None
) -> dict[str, Any]:
    """Return what a statement of ours is to be bound to: those of the known parameters it names."""
    known = {
        "as_of": as_of,
        "since": since,
        "zone": settings.zone,
        "machine_links": settings.machine_links,
        "machine_seconds": settings.machine_seconds,
    }
    return {name: value for name, value in known.items() if f"${name}" in sql}
