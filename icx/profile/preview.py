"""A field before it is saved: its SQL is tried on the built profile, and its values are counted. Nothing is kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from icx.clock import aware_utc
from icx.errors import BadInput, NeedsYou
from icx.fields import SQL_TYPES, Field
from icx.profile.catalogue import Everything, everything
from icx.profile.field import FieldFile, bad_file, read_fields
from icx.profile.fill import counted, histograms
from icx.profile.own import Own, bind, bound, check_field_name, first_line, parsed
from icx.store import one_row, shared
from icx.store.db import Connection, DatabaseError, Store, quoted


@dataclass(frozen=True)
class Spread:
    """The values of one field: how many people have one, how they are distributed, and a few figures.

    `histogram` is (label, people). `figures` are (name, value as text): median, mean, 95th percentile, highest for
    numbers, first and last for times, different values for texts. For PII only how many values differ is told.
    `replaces` says that a field file of this name is there already.
    """

    field: Field
    people: int
    filled: int
    histogram: tuple[tuple[str, int], ...]
    figures: tuple[tuple[str, str], ...]
    replaces: bool = False


def preview(
    store: Store, connection: str, fields_dir: Path | None, source: str, totals: tuple[Field, ...] = ()
) -> Spread:
    """Return the values that a field file's text would give, on the profile as it was last built.

    Raises `field-file` when the text is no field, its name is taken by another field, or DuckDB refuses its SQL;
    `profile-missing` before the first build. Nothing is written.
    """
    file = _one(source)
    with store.open(connection) as con:
        row = one_row(con.execute("select as_of from builds order by built_at desc limit 1"))
        if row is None:
            raise NeedsYou(
                "profile-missing",
                f"There is no profile of {connection} yet.",
                where=f"{connection}.profile",
                kept="nothing was changed",
                next=[["icx", "build", "--connection", connection]],
            )
        every = everything(con, fields_dir, totals)
        check_field_name(file, _taken(every, file))
        own = parsed(file)
        built = {name for name, *_ in con.execute("describe profile").fetchall()} - {file.name}
        bind(con, own, [field for field in every.catalogue.values() if field.name in built])
        try:
            con.execute(
                f"create or replace temp table previewed as {_statement(own)}",
                bound(file.sql, aware_utc(row[0]).replace(tzinfo=None)),
            )
        except DatabaseError as error:
            raise bad_file(file.file, first_line(error)) from None
        found = spread(con, own.as_field(), "previewed")
    there = fields_dir is not None and (fields_dir / f"{file.name}.sql").exists()
    return dataclasses.replace(found, replaces=there)


def spread(con: Connection, field: Field, table: str = "profile") -> Spread:
    """Return the values of a field's column in a table of the connection."""
    people, filled = counted(con, [field.name], table)
    bars = [] if field.pii else histograms(con, {field.name: field.type}, table).get(field.name, [])
    figures = _figures(con, field, table, quoted(field.name))
    return Spread(field, people, filled[field.name], tuple(bars), tuple(figures))


def save_field(fields_dir: Path, source: str, *, replace: bool = False) -> Path:
    """Write a field file under its field's name; it is a column from the next build on.

    Raises `field-file` when a file of that name is there and `replace` is not said; it stays as it was.
    """
    file = _one(source)
    path = fields_dir / f"{file.name}.sql"
    if path.exists() and not replace:
        raise BadInput(
            "field-file",
            f"There is a field file {path.name} already.",
            where=f"data/fields/{path.name}",
            kept="the file as it was",
            next=["give the field another name, or replace the file on purpose"],
        )
    return shared.write(path, source.rstrip() + "\n")


def written(name: str, kind: str, description: str, sql: str, *, pii: bool) -> str:
    """Return the text of a field file."""
    clean = " ".join(description.split())
    return f"-- name: {name.strip()}\n-- type: {kind}\n-- description: {clean}\n-- pii: {'yes' if pii else 'no'}\n{sql.strip()}\n"


def _taken(every: Everything, file: FieldFile) -> dict[str, str]:
    """Return the names a field file cannot have, by what has them; its own file of before may be replaced."""
    taken = {field.name.lower(): "a field of the profile" for field in every.catalogue.values()}
    for own in every.owns:
        taken[own.file.name.lower()] = f"a field of {own.file.file}"
        if own.file.file == f"{file.name}.sql":
            del taken[own.file.name.lower()]
    return taken | {"contact_id": "the key"}


def _one(source: str) -> FieldFile:
    found = read_fields(source, "the new field")
    if len(found) != 1:
        raise bad_file("the new field", f"it holds {len(found)} fields; one is meant")
    return found[0]


def _statement(own: Own) -> str:
    name, kind = quoted(own.file.name), SQL_TYPES[own.file.type]
    empty = f"coalesce(v, {own.file.empty})" if own.file.empty else "v"
    if not own.is_query:
        return f"select contact_id, ({own.file.sql}\n)::{kind} as {name} from profile"
    return (
        f"select p.contact_id, ({empty})::{kind} as {name} from profile p"
        f" left join (select a as contact_id, any_value(b) as v from ({own.file.sql}\n) q(a, b) group by 1) using (contact_id)"
    )


def _figures(con: Connection, field: Field, table: str, value: str) -> list[tuple[str, str]]:
    if field.type in {"integer", "number"}:
        finite = f" where isfinite({value})" if field.type == "number" else ""
        row = one_row(
            con.execute(
                f"select median({value}), avg({value}), quantile_cont({value}, 0.95), max({value})"
                f" from {quoted(table)}{finite}"
            )
        )
        names = ("median", "mean", "95th pct.", "highest")
        return [
            (name, f"{figure:,.4g}")
            for name, figure in zip(names, row or (), strict=False)
            if figure is not None
        ]
    if field.type == "time":
        row = one_row(con.execute(f"select min({value}), max({value}) from {quoted(table)}"))
        return [
            (name, f"{at.day} {at:%b %Y}")
            for name, at in zip(("first", "last"), row or (), strict=False)
            if at
        ]
    if field.type == "text":
        row = one_row(con.execute(f"select count(distinct {value}) from {quoted(table)}"))
        return [("different values", f"{row[0]:,}")] if row else []
    return []
