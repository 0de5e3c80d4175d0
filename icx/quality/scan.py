"""Computing what a suite needs: one scan of the table, and a query only where a check found something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from icx.quality.relation import CannotMap, Relation, Unfit
from icx.quality.rows import Unexpected, unexpected
from icx.quality.totals import Query, Total, total
from icx.store.db import Connection, DatabaseError, quoted

PARTS = {
    "unexpected_count",
    "filtered_row_count",
    "unexpected_values",
    "unexpected_index_list",
    "unexpected_index_query",
}


class Metric(Protocol):
    """What this module reads of GX's MetricConfiguration."""

    @property
    def id(self) -> Any: ...
    @property
    def metric_name(self) -> str: ...
    @property
    def metric_domain_kwargs(self) -> Any: ...
    @property
    def metric_value_kwargs(self) -> Any: ...


@dataclass
class Computed:
    """Values by metric id; `failed` says why one has none, `unmapped` that only its SQL form is missing."""

    values: dict[Any, Any] = field(default_factory=dict)
    failed: dict[Any, str] = field(default_factory=dict)
    unmapped: dict[Any, str] = field(default_factory=dict)


def compute(con: Connection, relation: Relation, wanted: Mapping[Any, Metric], samples: int) -> Computed:
    """Compute every wanted metric; a metric that cannot be computed never takes another with it."""
    found = Computed()
    totals: dict[Any, Total] = {}
    checks: dict[Any, tuple[str, Unexpected]] = {}
    queries: dict[Any, Query] = {}
    for key, metric in wanted.items():
        name, part = split(metric.metric_name)
        domain, values = metric.metric_domain_kwargs, metric.metric_value_kwargs
        try:
            if part:
                check = unexpected(name, domain, values, relation)
                checks[key] = part, check
                if part == "filtered_row_count":
                    totals[key] = Total((f"count(*) FILTER (WHERE {check.considered})",), lambda n: n)
                elif part == "unexpected_count" and not check.same and not check.source:
                    totals[key] = Total((f"count(*) FILTER (WHERE {check.where})",), lambda n: n)
            else:
                how = total(name, domain, values, relation)
                if isinstance(how, Total):
                    totals[key] = how
                else:
                    queries[key] = how
        except Unfit as wrong:
            found.failed[key] = str(wrong)
        except CannotMap as gap:
            found.unmapped[key] = str(gap)
        except Exception as error:  # a suite is written by hand: whatever is in it fails that check alone
            found.failed[key] = f"{type(error).__name__}: {first_line(error)}"
    _scan(con, relation, totals, found)
    none: set[str] = set()  # somebody's own SQL that found no row need not look for rows to show
    for key, query in sorted(queries.items(), key=lambda pair: pair[1].own):
        text = str(wanted[key].metric_value_kwargs.get("unexpected_rows_query"))
        try:
            found.values[key] = [] if query.own and text in none else query.run(con)
            if found.values[key] == 0:
                none.add(text)
        except Exception as error:
            found.failed[key] = first_line(error)
    _look(con, relation, checks, found, samples)
    return found


def split(name: str) -> tuple[str, str]:
    """Return a metric's base and part.

    >>> split("column_values.in_set.unexpected_count")
    ('column_values.in_set', 'unexpected_count')
    >>> split("column.max")
    ('column.max', '')
    """
    base, _, part = name.rpartition(".")
    return (base, part) if part in PARTS else (name, "")


def first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:300]


def _scan(con: Connection, relation: Relation, totals: Mapping[Any, Total], found: Computed) -> None:
    wanted = list(dict.fromkeys(sql for how in totals.values() for sql in how.sql))
    results: dict[str, Any] = {}
    errors: dict[str, str] = {}
    bound = _bindable(con, relation, wanted, errors)
    _run(con, relation, bound, results, errors)
    for key, how in totals.items():
        wrong = [sql for sql in how.sql if sql in errors]
        if wrong:
            # a regular expression DuckDB cannot read may still be read by Python
            target = found.unmapped if "regexp_matches(" in wrong[0] else found.failed
            target[key] = errors[wrong[0]]
        else:
            found.values[key] = how.value(*(results[sql] for sql in how.sql))


def _bindable(con: Connection, relation: Relation, wanted: list[str], errors: dict[str, str]) -> list[str]:
    if not wanted:
        return []
    try:
        con.execute(f"SELECT {', '.join(wanted)} FROM {relation.sql} LIMIT 0").fetchall()
    except DatabaseError as error:
        if len(wanted) == 1:
            errors[wanted[0]] = first_line(error)
            return []
        middle = len(wanted) // 2
        halves = (wanted[:middle], wanted[middle:])
        return [sql for half in halves for sql in _bindable(con, relation, half, errors)]
    return wanted


def _run(
    con: Connection, relation: Relation, wanted: list[str], results: dict[str, Any], errors: dict[str, str]
) -> None:
    if not wanted:
        return
    try:
        (row,) = con.execute(f"SELECT {', '.join(wanted)} FROM {relation.sql}").fetchall()
    except DatabaseError as error:
        # one bad value of one check ends the whole scan: halve until only the guilty check is left out
        if len(wanted) == 1:
            errors[wanted[0]] = first_line(error)
            return
        middle = len(wanted) // 2
        _run(con, relation, wanted[:middle], results, errors)
        _run(con, relation, wanted[middle:], results, errors)
        return
    results.update(zip(wanted, row, strict=True))


def _look(
    con: Connection,
    relation: Relation,
    checks: Mapping[Any, tuple[str, Unexpected]],
    found: Computed,
    samples: int,
) -> None:
    """Count duplicates and neighbours, and fetch a few rows of every check that found some."""
    counts: dict[Unexpected, int] = {}
    rows: dict[Unexpected, list[dict[str, Any]]] = {}
    wrong: dict[Unexpected, tuple[str, bool]] = {}
    for key, (part, check) in checks.items():
        if part == "unexpected_count":
            if key in found.values:
                counts[check] = found.values[key]
            elif key in found.unmapped or key in found.failed:
                unmapped = key in found.unmapped
                wrong[check] = (found.unmapped if unmapped else found.failed)[key], unmapped
    for key, (part, check) in checks.items():
        if key in found.values or key in found.failed or key in found.unmapped:
            continue
        try:
            if check in wrong:
                raise _Known
            if part == "unexpected_index_query":
                found.values[key] = selecting(relation, check)
                continue
            if check not in counts:
                counts[check] = _count(con, relation, check)
            if part == "unexpected_count":
                found.values[key] = counts[check]
                continue
            if check not in rows:
                rows[check] = fetch(con, relation, check, samples) if counts[check] else []
            found.values[key] = _shaped(part, check, rows[check], relation)
        except DatabaseError as error:
            wrong[check] = first_line(error), False
            found.failed[key] = wrong[check][0]
        except _Known:
            text, unmapped = wrong[check]
            (found.unmapped if unmapped else found.failed)[key] = text


class _Known(Exception):
    """The check is already known to be impossible."""


def _count(con: Connection, relation: Relation, check: Unexpected) -> int:
    if check.same:
        keys = ", ".join(check.same)
        sql = (
            f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) n FROM {relation.sql} WHERE {check.where} "
            f"GROUP BY {keys} HAVING count(*) > 1)"
        )
    else:
        sql = f"SELECT count(*) FROM {check.source or relation.sql} WHERE {check.where}"
    ((found,),) = con.execute(sql).fetchall()
    return int(found)


def selecting(relation: Relation, check: Unexpected, columns: str = "*") -> str:
    """Return the query that selects the rows which break a check, in the table's own order."""
    sql = f"SELECT {columns} FROM {check.source or relation.sql} AS icx_rows WHERE {check.where}"
    if not check.same:
        return sql
    alike = " AND ".join(f"({key}) IS NOT DISTINCT FROM icx_same.k{at}" for at, key in enumerate(check.same))
    keys = ", ".join(f"{key} AS k{at}" for at, key in enumerate(check.same))
    groups = (
        f"(SELECT {keys} FROM {relation.sql} WHERE {check.where} GROUP BY ALL HAVING count(*) > 1) icx_same"
    )
    order = f" ORDER BY {relation.order}" if relation.order else ""
    return f"{sql} AND EXISTS (SELECT 1 FROM {groups} WHERE {alike}){order}"


def fetch(con: Connection, relation: Relation, check: Unexpected, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` of the rows that break a check: their key and the columns it looks at."""
    names = list(dict.fromkeys([*relation.key, *check.columns]))
    sql = selecting(relation, check, ", ".join(map(quoted, names)))
    found = con.execute(f"{sql} LIMIT {int(limit)}").fetchall()
    return [dict(zip(names, row, strict=True)) for row in found]


def _shaped(part: str, check: Unexpected, rows: list[dict[str, Any]], relation: Relation) -> Any:
    if part == "unexpected_index_list":
        return rows if relation.key else None
    match check.shape:
        case "pair":
            return [tuple(row[name] for name in check.columns) for row in rows]
        case "record":
            return [{name: row[name] for name in check.columns} for row in rows]
    return [row[check.columns[0]] for row in rows]
