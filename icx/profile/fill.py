"""How full each field of a built profile is, and a small histogram of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icx.errors import BadInput
from icx.fields import SQL_TYPES, Catalogue, FieldType
from icx.profile import builtin
from icx.profile.catalogue import type_of
from icx.store.db import Connection, Store, quoted

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
TOP = 8


def fill_rates(store: Store, connection: str, fields: Catalogue | None = None) -> pd.DataFrame:
    """Return a row per field: `field, type, people, filled, share, histogram`.

    `filled` counts people with a value, `share` is filled / people (0 to 1). `histogram` is a list of
    (label, people): the commonest texts, equal steps of numbers, months, years or decades of times; it is empty for
    fields about one person (PII), for ids, lists and maps. `fields` is the catalogue, which knows the users' own
    PII flags; without it only built-in texts are shown.
    """
    import pandas as pd

    with store.open(connection) as con:
        if not con.execute(
            "select 1 from duckdb_views() where schema_name = ? and view_name = 'profile'", [connection]
        ).fetchall():
            raise BadInput(
                "not-built",
                f"There is no profile of {connection} yet.",
                where=connection,
                kept="nothing was changed",
                next=[["icx", "build", "--connection", connection]],
            )
        columns = [(row[0], row[1]) for row in con.execute("describe profile").fetchall()][1:]
        counts = ", ".join(f"count({quoted(name)})" for name, _ in columns)
        row = con.execute(f"select count(*), {counts} from profile").fetchone()
        assert row is not None
        people, filled = row[0], row[1:]
        known = fields if fields is not None else Catalogue(builtin.fields())
        rows = []
        for (name, sql_type), count in zip(columns, filled, strict=True):
            kind = built_type(known, name, sql_type)
            hidden = name not in known or known[name].pii or name in {"ic_contact_id", "email_domain"}
            if kind == "text" and hidden and name != "email_domain":
                bars: list[tuple[str, int]] = []
            else:
                bars = histogram(con, name, kind) if count else []
            rows.append((name, kind, people, count, count / people if people else 0.0, bars))
    return pd.DataFrame(rows, columns=["field", "type", "people", "filled", "share", "histogram"])


def built_type(known: Catalogue, name: str, sql_type: str) -> FieldType:
    """Return the type of a built column: the catalogue's, unless the field's file was changed since the build."""
    if name in known and SQL_TYPES[known[name].type].upper() == sql_type.upper():
        return known[name].type
    return type_of(sql_type)


def histogram(con: Connection, name: str, kind: FieldType, table: str = "profile") -> list[tuple[str, int]]:
    """Return (label, people) for a column of a table: the commonest texts, or equal steps of numbers or times."""
    column = quoted(name)
    if kind in {"text", "boolean"}:
        query = (
            f"select {column}::varchar, count(*) from {quoted(table)} where {column} is not null"
            f" group by 1 order by 2 desc, 1 limit {TOP}"
        )
    elif kind in {"integer", "number"}:
        query = f"""
            with span as (select min({column}) as low, max({column}) as high from {quoted(table)}),
            steps as (
              select low, greatest((high - low) / {BINS}, {1 if kind == "integer" else 0})::double as step from span
            )
            select case when step = 0 then low::varchar else printf('%g', low + bin * step) end, n
            from (
              select least({BINS - 1}, case when step = 0 then 0 else floor(({column} - low) / step) end)::int as bin,
                any_value(low) as low, any_value(step) as step, count(*) as n
              from {quoted(table)}, steps
              where {column} is not null
              group by 1
            )
            order by bin
        """
    elif kind == "time":
        query = f"""
            with span as (select date_diff('month', min({column}), max({column})) as months from {quoted(table)})
            select
              case
                when months <= 24 then strftime({column}, '%Y-%m')
                when months <= 240 then strftime({column}, '%Y')
                else (year({column}) // 10 * 10)::varchar || 's'
              end,
              count(*)
            from {quoted(table)}, span
            where {column} is not null
            group by 1
            order by 1
        """
    else:
        return []
    return [(str(label), int(count)) for label, count in con.execute(query).fetchall()]
