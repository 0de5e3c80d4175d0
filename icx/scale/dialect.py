"""DuckDB's SQL as Spark says it: sqlglot's translation, and here the few things it leaves wrong or unsaid.

The SQL of fields and rules is written once, for DuckDB. What sqlglot translates well is left to it; each rule below
says what the two engines see differently. `tests/scale` compares the rows of every field and every rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType
from sqlglot.transforms import move_ctes_to_top_level

BUCKETS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


@dataclass(frozen=True)
class Spoken:
    """A statement as Spark reads it; `args` are its named values, and those of the statements before it.

    `tables` are made before it, in order: what DuckDB's text calls `materialized` is computed once here too. `values`
    are asked then, one value each, and kept as variables: Spark looks into no subquery from within a lambda.
    """

    text: str
    args: dict[str, Any] = field(default_factory=dict)
    tables: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, str], ...] = ()


def spoken(sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> Spoken:
    """Translate a query. `params` are the values of its `$names`, or of its `?` in order.

    >>> spoken("select array_length(list(x)) as n from t where y >= $as_of", {"as_of": datetime(2026, 1, 2)}).text
    "SELECT SIZE(NULLIF(COLLECT_LIST(x), ARRAY())) AS n FROM t WHERE y >= CAST('2026-01-02T00:00:00' AS TIMESTAMP_NTZ)"
    """
    if not isinstance(params, Mapping):
        sql, params = _named(sql, params)
    tree = move_ctes_to_top_level(sqlglot.parse_one(sql, read="duckdb"))
    args = _bind(tree, params)
    if isinstance(tree, exp.Query) and not tree.args.get("limit"):
        tree.set("order", None)  # a table has no order, and sorting all of it costs a shuffle
    tables = _made_first(tree)
    values = _asked_first(tree)
    said = [[(name, _text(_rewritten(query))) for name, query in some] for some in (tables, values)]
    return Spoken(_text(_rewritten(tree)), args, tuple(said[0]), tuple(said[1]))


def tables_of(sql: str) -> set[str]:
    """Return the names of the tables a query reads, those of its own `with` left out.

    >>> sorted(tables_of("with a as (select * from b) select * from a join c using (id)"))
    ['b', 'c']
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    own = {part.alias for part in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table) if table.name not in own}


def columns_of(sql: str) -> set[str]:
    """Return the names of the columns a query names, of whichever table.

    >>> sorted(columns_of("select a from b where c.d = 1"))
    ['a', 'd']
    """
    return {column.name for column in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Column)}


def _text(tree: Any) -> str:
    return str(tree.sql(dialect="spark", comments=False))


# --- values ---------------------------------------------------------------------------------------------------------


def _named(sql: str, params: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Give each `?` a name, in the order they stand in the text."""
    marks = [t for t in sqlglot.tokenize(sql, read="duckdb") if t.token_type == TokenType.PLACEHOLDER]
    names = [f"p{number}" for number in range(len(marks))]
    for mark, name in zip(reversed(marks), reversed(names), strict=True):
        sql = f"{sql[: mark.start]}${name}{sql[mark.end + 1 :]}"
    return sql, dict(zip(names, params, strict=True))


def _bind(tree: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Put values in place of names. Texts and fractions stay apart from the statement, as arguments."""
    args: dict[str, Any] = {}
    for mark in list(tree.find_all(exp.Placeholder)):
        mark.replace(_value(params[mark.name], args))
    return args


def _value(value: Any, args: dict[str, Any]) -> Any:
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat()), exp.DataType.Type.TIMESTAMPNTZ)
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int):
        number = exp.Literal.number(abs(value))
        return exp.paren(exp.Neg(this=number)) if value < 0 else number
    name = f"p{len(args)}"
    args[name] = value
    return exp.Placeholder(this=name)


# --- what comes before it -------------------------------------------------------------------------------------------


def _made_first(tree: Any) -> list[tuple[str, Any]]:
    """Take the materialized parts of the `with` out of the statement, each with the parts it reads."""
    made: list[tuple[str, Any]] = []
    inline: list[Any] = []
    for part in list(tree.args["with_"].expressions) if tree.args.get("with_") else []:
        if part.args.get("materialized"):
            made.append((part.alias, _with(part.this.copy(), inline)))
            part.pop()
        else:
            part.set("materialized", None)
            inline.append(part)
    if tree.args.get("with_") and not tree.args["with_"].expressions:
        tree.set("with_", None)
    return made


def _asked_first(tree: Any) -> list[tuple[str, Any]]:
    """Take the subqueries that `list_select` looks into out of the statement."""
    found: list[tuple[str, Any]] = []
    parts = tree.args["with_"].expressions if tree.args.get("with_") else []
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "list_select" and isinstance(call.expressions[0], exp.Subquery):
            inner, name = call.expressions[0], f"icx_asked_{len(found)}"
            found.append((name, _with(inner.this.copy(), parts)))
            inner.replace(exp.column(name))
    return found


def _with(query: Any, parts: Sequence[Any]) -> Any:
    """Give a query those of the named parts that it reads, itself or through another."""
    needed: list[Any] = []
    names = {table.name for table in query.find_all(exp.Table)}
    for part in reversed(parts):
        if part.alias in names:
            needed.insert(0, part.copy())
            names |= {table.name for table in part.find_all(exp.Table)}
    if needed:
        query.set("with_", exp.With(expressions=needed))
    return query


# --- what the engines see differently -------------------------------------------------------------------------------


def _rewritten(tree: Any) -> Any:
    """Put each part into Spark's words, the innermost first."""
    top = exp.Paren(this=tree)
    for node in reversed(list(tree.walk())):
        rule = RULES.get(type(node)) or CALLS.get(node.name.lower() if type(node) is exp.Anonymous else "")
        new = rule(node) if rule else None
        if new is not None:
            node.replace(new)
    return top.this


def _spark(text: str, **parts: Any) -> Any:
    """Parse Spark's own SQL, in which `:names` stand for parts of the statement."""
    made = exp.Paren(this=sqlglot.parse_one(text, read="spark"))
    for mark in list(made.find_all(exp.Placeholder)):
        mark.replace(parts[mark.name].copy())
    return made.this


def _list(node: Any) -> Any:
    """A list of no rows is null to DuckDB and empty to Spark; a `filter` belongs to the aggregate inside."""
    inner = node.this if isinstance(node, exp.Filter) else node
    if not isinstance(inner, exp.ArrayAgg) or (
        node is inner and isinstance(node.parent, exp.Filter | exp.Window)
    ):
        return None
    return exp.Nullif(this=node.copy(), expression=exp.Array(expressions=[]))


def _distinct_over(node: Any) -> Any:
    """Spark counts no distinct values over a window, but collects them."""
    counted = node.this
    if not isinstance(counted, exp.Count) or not isinstance(counted.this, exp.Distinct):
        return None
    made = node.copy()
    made.set("this", exp.Anonymous(this="COLLECT_SET", expressions=[counted.this.expressions[0].copy()]))
    return exp.ArraySize(this=made)


def _among(node: Any) -> Any:
    """`x in (select …)` in a condition as `exists`, in a column as a join, which Spark has no subquery for.

    Ids are never null, and for a `not in` that could meet one Spark compares everybody with everybody.
    """
    query, scope = node.args.get("query"), node.find_ancestor(exp.Select)
    source = scope.args.get("from_") if scope is not None else None
    if query is None or source is None or not isinstance(node.this, exp.Column):
        return None
    those = query.this if isinstance(query, exp.Subquery) else query
    outer = exp.column(node.this.name, table=node.this.table or source.this.alias_or_name, quoted=True)
    own = those.selects[0].alias_or_name
    condition = node.find_ancestor(exp.Where, exp.Having, exp.Join, exp.Select) is not scope
    if condition:
        return exp.Exists(
            this=exp.select("1").from_(_named_query(those, "those")).where(_same("those", own, outer))
        )
    name = f"those_{len(scope.args.get('joins') or [])}"
    key = f"id_in_{name}"  # which no column of the statement is mixed up with
    once = (
        exp.select(exp.alias_(exp.column(own, quoted=True), key))
        .distinct()
        .from_(_named_query(those, "every"))
    )
    scope.join(_named_query(once, name), on=_same(name, key, outer), join_type="left", copy=False)
    return exp.paren(exp.Not(this=exp.Is(this=exp.column(key, table=name), expression=exp.null())))


def _named_query(query: Any, name: str) -> Any:
    return exp.Subquery(this=query.copy(), alias=exp.TableAlias(this=exp.to_identifier(name)))


def _same(table: str, column: str, outer: Any) -> Any:
    return exp.EQ(this=exp.column(column, table=table, quoted=True), expression=outer)


def _bucket(node: Any) -> Any:
    """Times are taken down to a whole number of the interval since 1970, which DuckDB's buckets fall on up to a day."""
    width = int(node.this.this.name) * BUCKETS[node.this.unit.name.upper()]
    return _spark(
        "(:x - interval '0.000001' second * pmod(unix_micros(to_timestamp_ltz(:x)), :width))",
        x=node.expression,
        width=exp.Literal.number(width * 1_000_000),
    )


def _lower(node: Any) -> Any:
    """DuckDB lowers letter by letter; Spark looks at neighbours (a final sigma) and makes two letters of one (İ)."""
    return _spark(
        "case when octet_length(:x) = char_length(:x) then lower(:x)"
        " else array_join(transform(split(replace(:x, 'İ', 'i'), ''), letter -> lower(letter)), '') end",
        x=node.this,
    )


def _in_zone(node: Any) -> Any:
    """`timezone(zone, timezone('UTC', x))`: a moment in UTC as the clocks of a zone show it."""
    zone, inner = node.expressions
    if (
        isinstance(inner, exp.Anonymous)
        and inner.name.lower() == "timezone"
        and inner.expressions[0].name == "UTC"
    ):
        return _spark("convert_timezone('UTC', :zone, :x)", zone=zone, x=inner.expressions[1])
    return None


def _entry(node: Any) -> Any:
    """`map_extract(m, key)[1]`: the entry, or null."""
    if type(node.this) is exp.Anonymous and node.this.name.lower() == "map_extract":
        return _spark("try_element_at(:m, :key)", m=node.this.expressions[0], key=node.this.expressions[1])
    return None


def _aggregate(node: Any) -> Any:
    """How often each value is in a list: runs of the sorted list, since looking each one up is quadratic."""
    if node.expressions[1].name != "histogram":
        return None
    return _spark(
        "element_at(transform(array(array_sort(array_compact(:l))), s -> element_at(transform(array("
        "filter(transform(s, (x, i) -> i), i -> i = 0 or s[i] <> get(s, i - 1))"
        "), b -> map_from_arrays(transform(b, i -> s[i]),"
        " transform(b, (i, n) -> cast(coalesce(get(b, n + 1), size(s)) - i as bigint)))), 1)), 1)",
        l=node.expressions[0],
    )


RULES: dict[type, Callable[[Any], Any]] = {
    exp.ArrayAgg: _list,
    exp.Filter: _list,
    exp.Window: _distinct_over,
    exp.In: _among,
    exp.DateBin: _bucket,
    exp.Lower: _lower,
    exp.Bracket: _entry,
    exp.DayOfWeek: lambda node: _spark("(dayofweek(:x) - 1)", x=node.this),
    exp.DayOfWeekIso: lambda node: _spark("(weekday(:x) + 1)", x=node.this),
    exp.ArrayOverlaps: lambda node: _spark(
        "coalesce(arrays_overlap(:a, :b), false)", a=node.this, b=node.expression
    ),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "list_unique": lambda node: _spark("array_size(array_distinct(:l))", l=node.expressions[0]),
    "list_aggregate": _aggregate,
    "list_select": lambda node: _spark(
        "transform(:at, place -> get(:l, cast(place as int) - 1))",
        l=node.expressions[0],
        at=node.expressions[1],
    ),
    "timezone": _in_zone,
    "to_seconds": lambda node: exp.Interval(
        this=exp.Literal.string(node.expressions[0].name), unit=exp.var("SECOND")
    ),
    # Another number than DuckDB's, of 64 bits like it; Spark's own `hash` has 32. A decimal, so that a sum has room.
    "hash": lambda node: _spark("cast(xxhash64(:x) as decimal(20))", x=node.expressions[0]),
    "epoch_us": lambda node: _spark("unix_micros(to_timestamp_ltz(:x))", x=node.expressions[0]),
}
