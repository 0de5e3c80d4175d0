"""Which values the people who reach a rule have, how numbers lie among them, and what comes closest to a wrong value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from icx.errors import BadInput
from icx.fields import Field, FieldType
from icx.rules import Compare, Reading, Rule, Sql
from icx.rules.operators import one_key
from icx.rules.sql import EVENTS
from icx.store import Connection, one_row, quoted

SINGLE = ("text", "integer", "number", "boolean", "time")
BINS = 24
FAR = 0.98  # beyond this share of people a long tail is one bin
ALIKE = 0.8  # Jaro-Winkler: Durham and Druham have 0.96, Durham and Dunn 0.8


@dataclass(frozen=True)
class Values:
    """The commonest values: each with how many of the `reach` people who reach the rule have it.

    `different` values match the search, `none` people have no value.
    """

    values: tuple[tuple[Any, int], ...]
    different: int
    none: int
    reach: int


@dataclass(frozen=True)
class Histogram:
    """How a number or a time lies among the people who reach a rule; `bins` are (from, to, people), all times naive UTC.

    The last bin ends at `high` and may be wider than the others. Empty when nobody has a value.
    """

    bins: tuple[tuple[Any, Any, int], ...]
    low: Any
    high: Any
    median: Any


def values(
    con: Connection,
    reading: Reading,
    those: Sql,
    field: str,
    *,
    key: str | None = None,
    search: str = "",
    only: Sequence[str] | None = None,
    limit: int = 50,
    profile: str = "profile",
) -> Values:
    """Return a field's values among those a condition holds for; `only` asks for the counts of these values.

    `field` is one of the catalogue's, or `@event.KIND` with the key `url` or `message`, or `@list`, whose values are
    the ids of lists. The values of a map are its keys.
    """
    each = _each(reading, field, key, profile, those)
    single = field in reading.catalogue and reading.catalogue[field].type in SINGLE
    people = "*" if single else "distinct contact_id"  # who has a value twice has it once
    known = "v is not null and v::varchar <> ''"
    tests, given = [known], list(each.params)
    if search:
        tests.append("contains(lower(v::varchar), lower(?))")
        given.append(search)
    if only is not None:
        tests.append("list_contains(?, v::varchar)")
        given.append([str(one) for one in only])
    rows = con.execute(
        f"select v, count({people}) as n, count(*) over () from ({each.text}) where {' and '.join(tests)}"
        " group by v order by n desc, v limit ?",
        [*given, limit],
    ).fetchall()
    reach, some = one_row(
        con.execute(
            f"select (select count(*) from {quoted(profile)} where {those.text}),"
            f" (select count({people}) from ({each.text}) where {known})",
            [*those.params, *each.params],
        )
    ) or (0, 0)
    different = rows[0][2] if rows else 0
    return Values(tuple((v, n) for v, n, _ in rows), different, reach - some, reach)


def histogram(
    con: Connection,
    reading: Reading,
    those: Sql,
    field: str,
    key: str | None = None,
    profile: str = "profile",
) -> Histogram:
    """Return how a number, a time, or one key's number or time, lies among those a condition holds for."""
    known = reading.catalogue.find(field, "this histogram")
    kind, column = _column(known, key)
    if kind not in {"integer", "number", "time"}:
        raise BadInput(
            "rule-value",
            f"`{field}` has no numbers to lay out.",
            where="this histogram",
            kept="nothing was changed",
            next=[["icx", "fields", field]],
        )
    number = f"epoch({column.text})" if kind == "time" else f"{column.text}::double"
    inner = f"select {number} as v from {quoted(profile)} where {those.text}"
    given = [*column.params, *those.params]
    low, high, far, median = (
        one_row(
            con.execute(
                f"select min(v), max(v), quantile_disc(v, {FAR}), quantile_disc(v, 0.5) from ({inner})"
                " where v is not null and isfinite(v)",
                given,
            )
        )
        or (None,) * 4
    )
    if low is None:
        return Histogram((), None, None, None)
    # A long tail would press everybody else into the first column.
    end = far if far > low and high - low > 2 * (far - low) else high
    whole = kind == "integer"
    step = (end - low + (1 if whole else 0)) / BINS or 1.0
    step = max(1.0, float(-(-step // 1))) if whole else step
    rows = con.execute(
        f"select least({BINS - 1}, floor((v - ?) / ?))::integer as bin, count(*) from ({inner})"
        " where v is not null and isfinite(v) group by bin",
        [low, step, *given],
    ).fetchall()
    counted = dict(rows)
    last = max(counted)

    def shown(value: float) -> Any:
        if kind == "time":
            return datetime.fromtimestamp(value, tz=UTC).replace(tzinfo=None)
        return int(value) if whole else value

    bins = tuple(
        (shown(low + n * step), shown(high if n == last else low + (n + 1) * step), counted.get(n, 0))
        for n in range(last + 1)
    )
    return Histogram(bins, shown(low), shown(high), shown(median))


def closest(
    con: Connection, reading: Reading, those: Sql, leaf: Rule, limit: int = 3, profile: str = "profile"
) -> list[tuple[Any, int]]:
    """Return the values nearest to a leaf's that somebody who reaches it has, with how many have each.

    For text the most alike, for a number or a time with a bound the greatest or least there is. Nothing for personal
    fields, and where no value would help.
    """
    if not isinstance(leaf, Compare) or leaf.key is not None:
        return []
    field = reading.catalogue.get(leaf.field)
    if field is None or field.pii:
        return []
    if field.type in {"integer", "number"} and leaf.operator in {">", ">=", "<", "<=", "="}:
        return _closest_number(con, reading, those, field, leaf, profile)
    wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    if field.type not in {"text", "text list", "text→integer", "text→time"} or not all(
        isinstance(one, str) for one in wanted
    ):
        return []
    each = _each(reading, leaf.field, None, profile, those)
    alike = "greatest(" + ", ".join("jaro_winkler_similarity(lower(v), lower(?))" for _ in wanted) + ")"
    rows = con.execute(
        f"select v, n from (select v, n, {alike} as alike from"
        f" (select v, count(distinct contact_id) as n from ({each.text}) where v is not null and v <> '' group by v))"
        " where alike >= ? order by alike desc, n desc, v limit ?",
        [*wanted, *each.params, ALIKE, limit],
    ).fetchall()
    return [(v, n) for v, n in rows]


def _closest_number(
    con: Connection, reading: Reading, those: Sql, field: Field, leaf: Compare, profile: str
) -> list[tuple[Any, int]]:
    column = quoted(field.name)
    if leaf.operator == "=":
        rows = con.execute(
            f"select {column}, count(*) from {quoted(profile)} where {those.text} and {column} is not null"
            f" group by 1 order by abs({column}::double - ?::double), 1 limit 3",
            [*those.params, leaf.value],
        ).fetchall()
        return [(v, n) for v, n in rows]
    best, same = ("max", ">=") if leaf.operator in {">", ">="} else ("min", "<=")
    row = one_row(
        con.execute(
            f"with r as (select {column} as v from {quoted(profile)} where {those.text} and {column} is not null)"
            f" select (select {best}(v) from r), count(*) from r where v {same} (select {best}(v) from r)",
            list(those.params),
        )
    )
    # "more than the most there is" is nobody again
    return [row] if row and row[0] is not None and leaf.operator in {">=", "<="} else []


def _each(reading: Reading, field: str, key: str | None, profile: str, those: Sql) -> Sql:
    """Return a select of contact_id and v: a row for each value of each person."""
    own = f"from {quoted(profile)} where {those.text}"
    if field == "@list":
        members = (
            "select s.contact_id, s.list_id as v from subscriptions s where s.status in ('normal', 'pending')"
        )
        return Sql(f"{members} and s.contact_id in (select contact_id {own})", those.params)
    if field.startswith("@event."):
        kind = field.removeprefix("@event.")
        column = "e.event_url" if key == "url" else "e.message_id"
        only = "" if kind == "any" else " and e.event_type = ?"
        params = (*those.params, reading.now, *(() if kind == "any" else (kind,)))
        return Sql(
            f"select e.contact_id, {column} as v from {EVENTS} e"
            f" where e.contact_id in (select contact_id {own}) and e.event_ts < ?{only}",
            params,
        )
    known = reading.catalogue.find(field, "this list of values")
    kind_of, column_of = _column(known, key)
    text = column_of.text
    if kind_of in {"text→integer", "text→time"}:
        text = f"unnest(map_keys({text}))"
    elif kind_of == "text list":
        text = f"unnest({text})"
    return Sql(f"select contact_id, {text} as v {own}", (*column_of.params, *those.params))


def _column(field: Field, key: str | None) -> tuple[FieldType, Sql]:
    if key is None or field.type not in {"text→integer", "text→time"}:
        return field.type, Sql(quoted(field.name))
    return one_key(field.type), Sql(f"map_extract({quoted(field.name)}, ?)[1]", (key,))
