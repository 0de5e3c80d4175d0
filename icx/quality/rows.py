"""Which rows break an expectation: one WHERE text per row-wise metric of Great Expectations.

Three rules hold throughout: a missing value is not looked at, `NOT good` is never written without a
coalesce, and what cannot be compared is named instead of cast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from icx.quality.conditions import condition
from icx.quality.relation import CannotMap, Column, Relation, Unfit, in_set, needed, number
from icx.store.db import literal

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Unexpected:
    """The rows that break one expectation.

    `where` selects them in the relation, or in `source` when the check looks at a row's neighbours or at
    the whole column. `same` are the expressions two duplicates share. `considered` selects the rows that
    were looked at; `columns` are those whose values are shown; `shape` is how GX hands them out.
    """

    where: str
    columns: tuple[str, ...]
    considered: str
    shape: str = "value"
    same: tuple[str, ...] = ()
    source: str = ""


def unexpected(metric: str, domain: Values, values: Values, relation: Relation) -> Unexpected:
    """Return the rows that break a row-wise metric such as `column_values.in_set`.

    Raises CannotMap when the metric has no form in SQL, Unfit when it does not fit the data.
    """
    wanted = condition(domain.get("row_condition"), domain.get("condition_parser"), relation)
    if metric.startswith("column_values."):
        return _one_column(metric, relation.column(domain["column"]), values, relation, wanted)
    if metric.startswith("column_pair_values."):
        pair = relation.column(domain["column_A"]), relation.column(domain["column_B"])
        return _pair(metric, pair, domain, values, wanted)
    if metric in _MANY or metric == "compound_columns.unique":
        columns = [relation.column(name) for name in domain["column_list"]]
        return _many(metric, columns, domain, values, wanted)
    raise CannotMap(metric)


def _one_column(metric: str, c: Column, values: Values, relation: Relation, wanted: str) -> Unexpected:
    shown = (c.name,)
    considered = f"{wanted} AND {c.sql} IS NOT NULL"
    if metric == "column_values.nonnull":
        return Unexpected(f"{wanted} AND {c.sql} IS NULL", shown, wanted)
    if metric == "column_values.null":
        return Unexpected(considered, shown, wanted)
    if metric == "column_values.unique":
        return Unexpected(considered, shown, considered, same=(c.sql,))
    if metric in ("column_values.increasing", "column_values.decreasing"):
        return _in_order(metric, c, values, relation, considered)
    if metric in _STATISTICAL:
        if c.kind not in ("integer", "float", "decimal"):
            raise Unfit(f"{c.name} is {c.type}, not a number")
        figures = f"(SELECT {_FIGURES.replace('?', c.sql)} FROM {relation.sql} WHERE {considered})"
        good = _STATISTICAL[metric](c, values)
        source = f"(SELECT icx_rows.* FROM {relation.sql} icx_rows, {figures} icx_figures WHERE {considered} AND NOT coalesce({good}, true))"
        return Unexpected("true", shown, considered, source=source)
    if metric not in _GOOD:
        raise CannotMap(metric)
    return Unexpected(f"{considered} AND NOT coalesce({_GOOD[metric](c, values)}, false)", shown, considered)


def _in_order(metric: str, c: Column, values: Values, relation: Relation, considered: str) -> Unexpected:
    if c.kind not in ("integer", "float", "decimal", "time"):
        raise Unfit(f"{c.name} is {c.type}: only numbers and times rise or fall")
    if not relation.order:
        raise CannotMap(f"{metric}: the rows of this table have no order")
    sign = "<" if metric.endswith("increasing") else ">"
    moved = (
        f"{c.sql} {sign}{'=' if values.get('strictly') else ''} lag({c.sql}) OVER (ORDER BY {relation.order})"
    )
    source = f"(SELECT * FROM {relation.sql} WHERE {considered} QUALIFY {moved})"
    return Unexpected("true", (c.name,), considered, source=source)


def _between(sql: str, low: str | None, high: str | None, values: Values) -> str:
    if low is None and high is None:
        raise Unfit("min_value and max_value cannot both be missing")
    parts = []
    if low is not None:
        parts.append(f"{sql} {'>' if values.get('strict_min') else '>='} {low}")
    if high is not None:
        parts.append(f"{sql} {'<' if values.get('strict_max') else '<='} {high}")
    return " AND ".join(parts)


def _limits(c: Column, values: Values) -> str:
    low, high = values.get("min_value"), values.get("max_value")
    if low is not None and high is not None and type(low) is type(high) and low > high:
        raise Unfit("min_value cannot be greater than max_value")
    return _between(
        c.sql,
        None if low is None else needed(low, c, "min_value"),
        None if high is None else needed(high, c, "max_value"),
        values,
    )


def _length(c: Column, values: Values) -> str:
    low, high = values.get("min_value"), values.get("max_value")
    return _between(
        f"length({c.text})",
        None if low is None else number(low),
        None if high is None else number(high),
        values,
    )


def _matches(c: Column, regex: str) -> str:
    return f"regexp_matches({c.text}, {literal(regex)})"


def _regexes(c: Column, values: Values) -> str:
    if values.get("match_on") not in (None, "any", "all"):
        raise Unfit("match_on is either any or all")
    joint = " AND " if values.get("match_on") == "all" else " OR "
    return "(" + joint.join(_matches(c, regex) for regex in values["regex_list"]) + ")"


def _like(c: Column, pattern: str, values: Values) -> str:
    escape = f" ESCAPE {literal(values['escape'])}" if values.get("escape") else ""
    return f"({c.text} LIKE {literal(pattern)}{escape})"


def _likes(c: Column, values: Values) -> str:
    joint = " AND " if values.get("match_on") == "all" else " OR "
    return "(" + joint.join(_like(c, pattern, values) for pattern in values["like_pattern_list"]) + ")"


def _strftime(c: Column, values: Values) -> str:
    if c.kind != "text":
        raise Unfit(f"{c.name} is {c.type}: only text is read by a format")
    read = f"try_strptime({c.sql}, {literal(values['strftime_format'])})"
    return f"({read} IS NOT NULL AND year({read}) BETWEEN 1 AND 9999)"  # Python's years begin at 1


_GOOD: dict[str, Callable[[Column, Values], str]] = {
    "column_values.in_set": lambda c, v: in_set(v.get("value_set"), c),
    "column_values.not_in_set": lambda c, v: (
        "true" if v.get("value_set") is None else f"NOT {in_set(v['value_set'], c)}"
    ),
    "column_values.between": _limits,
    "column_values.value_length.between": _length,
    "column_values.value_length.equals": lambda c, v: f"length({c.text}) = {number(v['value'])}",
    "column_values.match_regex": lambda c, v: _matches(c, v["regex"]),
    "column_values.not_match_regex": lambda c, v: f"NOT {_matches(c, v['regex'])}",
    "column_values.match_regex_list": _regexes,
    "column_values.not_match_regex_list": lambda c, v: f"NOT {_regexes(c, {**v, 'match_on': 'any'})}",
    "column_values.match_like_pattern": lambda c, v: _like(c, v["like_pattern"], v),
    "column_values.not_match_like_pattern": lambda c, v: f"NOT {_like(c, v['like_pattern'], v)}",
    "column_values.match_like_pattern_list": _likes,
    "column_values.not_match_like_pattern_list": lambda c, v: f"NOT {_likes(c, {**v, 'match_on': 'any'})}",
    "column_values.json_parseable": lambda c, v: f"json_valid({c.sql})" if c.kind == "text" else "false",
    "column_values.match_strftime_format": _strftime,
}

_FIGURES = (
    "avg(?) AS icx_mean, stddev_samp(?) AS icx_spread, "
    "quantile_cont(CAST(? AS DOUBLE), 0.25) AS icx_low, quantile_cont(CAST(? AS DOUBLE), 0.75) AS icx_high"
)


def _z_score(c: Column, values: Values) -> str:
    score = f"(({c.sql} - icx_mean) / nullif(icx_spread, 0))"
    limit = float(values["threshold"])
    if values.get("double_sided"):
        return f"abs({score}) < {number(abs(limit))}"
    return f"{score} < {number(limit)}"


def _outlier(c: Column, values: Values) -> str:
    reach = number(float(values.get("multiplier") or 0))
    match values.get("method"):
        case "iqr":
            spread = f"{reach} * (icx_high - icx_low)"
            return f"{c.sql} BETWEEN icx_low - {spread} AND icx_high + {spread}"
        case "std":
            spread = f"({reach} * icx_spread)"
            return (
                f"CASE WHEN {spread} <= 0 THEN {c.sql} = icx_mean ELSE abs({c.sql} - icx_mean) < {spread} END"
            )
        case other:
            raise Unfit(f"method {other!r} is neither iqr nor std")


_STATISTICAL: dict[str, Callable[[Column, Values], str]] = {
    "column_values.z_score.under_threshold": _z_score,
    "column_values.not_outliers": _outlier,
}


def _pair(
    metric: str, pair: tuple[Column, Column], domain: Values, values: Values, wanted: str
) -> Unexpected:
    a, b = pair
    match domain.get("ignore_row_if", "both_values_are_missing"):
        case "both_values_are_missing":
            looked_at = f"NOT ({a.sql} IS NULL AND {b.sql} IS NULL)"
        case "either_value_is_missing":
            looked_at = f"({a.sql} IS NOT NULL AND {b.sql} IS NOT NULL)"
        case "neither" | "never":
            looked_at = "true"
        case other:
            raise Unfit(f"ignore_row_if {other!r} is not known")
    match metric:
        case "column_pair_values.equal" | "column_pair_values.a_greater_than_b":
            numbers = {"integer", "float", "decimal"}
            if a.kind != b.kind and not {a.kind, b.kind} <= numbers:
                raise Unfit(f"{a.name} is {a.type} and {b.name} is {b.type}: they cannot be compared")
            sign = "=" if metric.endswith("equal") else ">=" if values.get("or_equal") else ">"
            good = f"{a.sql} {sign} {b.sql}"
        case "column_pair_values.in_set":
            given = values.get("value_pairs_set")
            good = "true" if given is None else _pairs(a, b, given)
        case _:
            raise CannotMap(metric)
    considered = f"{wanted} AND {looked_at}"
    return Unexpected(
        f"{considered} AND NOT coalesce({good}, false)", (a.name, b.name), considered, shape="pair"
    )


def _pairs(a: Column, b: Column, given: Any) -> str:
    def is_value(c: Column, value: Any) -> str:
        if value is None:
            return f"{c.sql} IS NULL"
        return f"{c.sql} IS NOT DISTINCT FROM {needed(value, c, 'the pair member')}"

    alternatives = [f"({is_value(a, left)} AND {is_value(b, right)})" for left, right in given]
    return "(" + " OR ".join(alternatives) + ")" if alternatives else "false"


def _many(metric: str, columns: list[Column], domain: Values, values: Values, wanted: str) -> Unexpected:
    missing = [f"{c.sql} IS NULL" for c in columns]
    match domain.get("ignore_row_if", "all_values_are_missing"):
        case "all_values_are_missing":
            looked_at = f"NOT ({' AND '.join(missing)})"
        case "any_value_is_missing":
            looked_at = f"NOT ({' OR '.join(missing)})"
        case "never" | "neither":
            looked_at = "true"
        case other:
            raise Unfit(f"ignore_row_if {other!r} is not known")
    considered = f"{wanted} AND {looked_at}"
    shown = tuple(c.name for c in columns)
    if metric == "compound_columns.unique":
        return Unexpected(considered, shown, considered, "record", same=tuple(c.sql for c in columns))
    good = _MANY[metric](columns, values)
    return Unexpected(f"{considered} AND NOT coalesce({good}, false)", shown, considered, "record")


def _sum(columns: list[Column], values: Values) -> str:
    for c in columns:
        if c.kind not in ("integer", "float", "decimal", "boolean"):
            raise Unfit(f"{c.name} is {c.type}, not a number")
    return f"{' + '.join(c.sql for c in columns)} = {number(values['sum_total'])}"


def _all_different(columns: list[Column], values: Values) -> str:
    pairs = [(a, b) for at, a in enumerate(columns) for b in columns[at + 1 :]]
    return " AND ".join(f"{a.sql} IS DISTINCT FROM {b.sql}" for a, b in pairs) or "true"


_MANY: dict[str, Callable[[list[Column], Values], str]] = {
    "multicolumn_sum.equal": _sum,
    "multicolumn_values.equal": lambda columns, _: " AND ".join(
        f"{c.sql} IS NOT DISTINCT FROM {columns[0].sql}" for c in columns
    ),
    "select_column_values.unique.within_record": _all_different,
}
