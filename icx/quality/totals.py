"""Figures over a whole table: aggregate metrics of Great Expectations as SQL.

Each is one or more aggregates for the shared scan and a function that makes GX's value of them, or a
query of its own where one pass over the table cannot answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from icx.quality.conditions import condition
from icx.quality.relation import CannotMap, Column, Relation, Unfit, in_set, written
from icx.store.db import Connection, quoted

Values = Mapping[str, Any]
SHOWN = 20
LISTED = 1000  # distinct values that are listed by name; the count beside the list is of all


@dataclass(frozen=True)
class Total:
    """`sql` are aggregates for the scan; `value` makes the metric of their results."""

    sql: tuple[str, ...]
    value: Callable[..., Any]


@dataclass(frozen=True)
class Query:
    """A metric that asks on its own; `run` gives its value. `own` marks the rows of somebody's own SQL."""

    run: Callable[[Connection], Any]
    own: bool = False


def total(metric: str, domain: Values, values: Values, relation: Relation) -> Total | Query:
    """Return how to compute an aggregate metric such as `column.max` or `table.row_count`.

    Raises CannotMap when it has no form here, Unfit when it does not fit the data.
    """
    if metric == "table.row_count" and domain.get("table"):
        table = quoted(str(domain["table"]))
        return Query(lambda con: _one(con, f"SELECT count(*) FROM {table}"))
    if metric.startswith("unexpected_rows_query."):
        return _own_query(metric, values, relation)
    if metric == "table.columns":
        return Total((), lambda: list(relation.types))
    if metric == "table.column_count":
        return Total((), lambda: len(relation.types))
    if metric == "table.column_types":
        return Total((), lambda: [{"name": name, "type": kind} for name, kind in relation.types.items()])
    where = condition(domain.get("row_condition"), domain.get("condition_parser"), relation)
    if metric == "table.row_count":
        return Total((f"count(*) FILTER (WHERE {where})",), lambda n: n)
    if "column" not in domain:
        raise CannotMap(metric)
    column = relation.column(domain["column"])
    if metric in _SIMPLE:
        kinds, sql = _SIMPLE[metric]
        if column.kind not in kinds:
            raise Unfit(f"{column.name} is {column.type}: {metric} is not defined for it")
        return Total((f"{sql.format(column.sql)} FILTER (WHERE {where})",), lambda found: found)
    if metric in _SHARES:
        over, under = (part.format(column.sql, where) for part in _SHARES[metric])
        return Total((over, under), lambda part, whole: part / whole if whole else 0)
    if metric in _QUERIES:
        return _QUERIES[metric](column, values, relation, where)
    raise CannotMap(metric)


_NUMBERS = {"integer", "float", "decimal", "boolean"}
_ORDERED = _NUMBERS | {"text", "time"}
_ANY = _ORDERED | {"other"}
_SIMPLE: dict[str, tuple[set[str], str]] = {
    "column.min": (_ORDERED, "min({})"),
    "column.max": (_ORDERED, "max({})"),
    "column.sum": (_NUMBERS, "sum({})"),
    "column.mean": (_NUMBERS | {"time"}, "avg({})"),
    "column.median": (_NUMBERS | {"time"}, "median({})"),
    "column.standard_deviation": (_NUMBERS, "stddev_samp({})"),
    "column.distinct_values.count": (_ANY, "count(DISTINCT {})"),
    "column_values.nonnull.count": (_ANY, "count({})"),
}
_SIMPLE["column.non_null_count"] = _SIMPLE["column_values.nonnull.count"]
_SHARES = {
    "column.unique_proportion": (
        "count(DISTINCT {0}) FILTER (WHERE {1})",
        "count({0}) FILTER (WHERE {1})",
    ),
    "column.non_null_proportion": ("count({0}) FILTER (WHERE {1})", "count(*) FILTER (WHERE {1})"),
}


def _distinct(c: Column, values: Values, relation: Relation, where: str) -> Query:
    sql = f"SELECT DISTINCT {c.sql} FROM {relation.sql} WHERE {where} AND {c.sql} IS NOT NULL"
    return Query(lambda con: {row[0] for row in con.execute(sql).fetchall()})


def _not_in_set(c: Column, values: Values, relation: Relation, where: str) -> Query:
    outside = f"{where} AND {c.sql} IS NOT NULL AND NOT coalesce({in_set(values['value_set'], c)}, false)"
    limit = values.get("limit") or LISTED
    sql = f"SELECT DISTINCT {c.sql} FROM {relation.sql} WHERE {outside} ORDER BY 1 LIMIT {int(limit)}"
    return Query(lambda con: [row[0] for row in con.execute(sql).fetchall()])


def _not_in_set_count(c: Column, values: Values, relation: Relation, where: str) -> Total:
    outside = f"{where} AND NOT coalesce({in_set(values['value_set'], c)}, false)"
    return Total((f"count(DISTINCT {c.sql}) FILTER (WHERE {outside})",), lambda n: n)


def _missing(c: Column, values: Values, relation: Relation, where: str) -> Query:
    wanted = {value: written(value, c) for value in values["value_set"] or [] if value is not None}
    inside = in_set(values["value_set"], c)
    sql = f"SELECT DISTINCT {c.sql} FROM {relation.sql} WHERE {where} AND {inside}"

    def run(con: Connection) -> list[Any]:
        there = {written(row[0], c) for row in con.execute(sql).fetchall()}
        return [value for value, text in wanted.items() if text is None or text not in there]

    return Query(run)


def _missing_count(c: Column, values: Values, relation: Relation, where: str) -> Query:
    listed = _missing(c, values, relation, where)
    return Query(lambda con: len(listed.run(con)))


def _most_common(c: Column, values: Values, relation: Relation, where: str) -> Query:
    sql = (
        f"SELECT {c.sql} FROM {relation.sql} WHERE {where} AND {c.sql} IS NOT NULL GROUP BY 1 "
        "QUALIFY count(*) = max(count(*)) OVER () ORDER BY 1"
    )
    return Query(lambda con: [row[0] for row in con.execute(sql).fetchall()])


def _value_counts(c: Column, values: Values, relation: Relation, where: str) -> Query:
    sql = (
        f"SELECT {c.sql} AS value, count(*) AS n FROM {relation.sql} "
        f"WHERE {where} AND {c.sql} IS NOT NULL GROUP BY 1 ORDER BY 1"
    )

    def run(con: Connection) -> Any:
        import pandas as pd

        found = con.execute(sql).fetchall()
        return pd.Series(
            [n for _, n in found], index=pd.Index([value for value, _ in found], name="value"), name="count"
        )

    return Query(run)


def _quantiles(c: Column, values: Values, relation: Relation, where: str) -> Query:
    if c.kind not in ("integer", "float", "decimal", "time"):
        raise Unfit(f"{c.name} is {c.type}: it has no quantiles")
    rows = f"FROM {relation.sql} WHERE {where} AND {c.sql} IS NOT NULL"

    def run(con: Connection) -> list[Any]:
        n = _one(con, f"SELECT count(*) {rows}")
        if not n:
            return [None for _ in values["quantiles"]]
        # GX's pandas takes the nearest rank (ties to the even one), quantile_disc the lower: aim between ranks
        aims = ", ".join(repr((round(q * (n - 1)) + 0.5) / n) for q in values["quantiles"])
        return list(_one(con, f"SELECT quantile_disc({c.sql}, [{aims}]) {rows}"))

    return Query(run)


_QUERIES: dict[str, Callable[[Column, Values, Relation, str], Total | Query]] = {
    "column.distinct_values": _distinct,
    "column.distinct_values.not_in_set": _not_in_set,
    "column.distinct_values.not_in_set.count": _not_in_set_count,
    "column.distinct_values.missing_from_column": _missing,
    "column.distinct_values.missing_from_column.count": _missing_count,
    "column.most_common_value": _most_common,
    "column.value_counts": _value_counts,
    "column.quantile_values": _quantiles,
}


def own_query(values: Values, relation: Relation) -> str:
    """Return an expectation's own SQL as a query in brackets, with `{batch}` as the relation judged."""
    text = str(values["unexpected_rows_query"]).strip().rstrip(";")
    return f"({text.replace('{batch}', relation.sql)})"


def _own_query(metric: str, values: Values, relation: Relation) -> Query:
    own = own_query(values, relation)

    def rows(con: Connection) -> list[dict[str, Any]]:
        found = con.execute(f"SELECT * FROM {own} LIMIT {SHOWN}")
        names = [item[0] for item in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    if metric.endswith("row_count"):
        return Query(lambda con: _one(con, f"SELECT count(*) FROM {own}"))
    return Query(rows, own=True)


def _one(con: Connection, sql: str) -> Any:
    ((found,),) = con.execute(sql).fetchall()
    return found
