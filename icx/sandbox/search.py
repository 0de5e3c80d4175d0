"""Searches: field filters, wildcards, comparisons, order and paging of a collection read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from icx.sandbox.answers import UNKNOWN_TERMS, page, read_time, warned
from icx.sandbox.call import MOST_ROWS, Call, flag, number

Kind = Literal["text", "id", "number", "flag", "time"]
DEFAULT_LIMIT = 20
COMPARISONS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Column:
    """A searchable field: its SQL expression and how its value is read."""

    sql: str
    kind: Kind = "text"


@dataclass
class Search:
    """What the query string asked for, ready for SQL."""

    where: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    fields: int = 0  # how many recognised fields were filtered on

    def add(self, condition: str, *params: Any) -> None:
        self.where.append(condition)
        self.params.extend(params)


Special = Mapping[str, Callable[[Search, str], None]]


def read_search(
    call: Call, columns: Mapping[str, Column], special: Special | None = None, *, default: int = DEFAULT_LIMIT
) -> Search:
    """Turn the query string into conditions; unknown terms are ignored with the service's own warning."""
    search = Search(limit=default)
    special = special or {}
    terms = dict(call.query)
    unknown: list[str] = []
    for name, value in terms.items():
        if name in ("limit", "offset"):
            _paging(search, name, value)
        elif name in ("orderby", "orderBy"):
            _order(search, value, columns, unknown)
        elif name in special:
            search.fields += 1
            special[name](search, value)
        elif name in columns:
            search.fields += 1
            _filter(search, columns[name], value, terms.get(f"{name}SearchType", "eq"))
        elif not (name.endswith("SearchType") and name.removesuffix("SearchType") in columns):
            unknown.append(name)
    cap = call.state.switches.page_size_cap
    search.limit = min(search.limit, MOST_ROWS, cap or MOST_ROWS)
    if unknown:
        call.warn(UNKNOWN_TERMS.format(names=", ".join(unknown)))
    return search


def _paging(search: Search, name: str, value: str) -> None:
    given = number(value)
    if name == "offset":
        search.offset = given or 0
    elif given:
        search.limit = given


def _order(search: Search, value: str, columns: Mapping[str, Column], unknown: list[str]) -> None:
    for part in value.split(","):
        name, _, direction = part.strip().partition(":")
        if name in columns and direction.lower() in ("", "asc", "desc"):
            search.order.append(f"{columns[name].sql} {direction or 'asc'}")
        elif part.strip():
            unknown.append(f"orderby {part.strip()}")


def _filter(search: Search, column: Column, value: str, how: str) -> None:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts or how not in (*COMPARISONS, "bet"):
        search.add("0")  # an empty value means none, not "any"
    elif how == "bet":
        _between(search, column, parts)
    elif how == "eq":
        _any_of(search, column, parts)
    else:
        _compare(search, column, how, parts[0])


def _any_of(search: Search, column: Column, parts: list[str]) -> None:
    tests: list[str] = []
    params: list[Any] = []
    plain: list[Any] = []
    for part in parts:
        span = read_time(part) if column.kind == "time" else None
        if "*" in part:
            tests.append(f"cast({column.sql} as text) like ? escape '\\'")
            params.append(_like(part))
        elif span is not None:
            tests.append(f"{column.sql} between ? and ?")
            params.extend(span)
        elif column.kind != "time" and (value := _bound(column, part)) is not None:
            plain.append(value)
    if plain:  # one IN, since SQLite nests a long OR too deeply
        collate = " collate nocase" if column.kind == "text" else ""
        tests.append(f"{column.sql}{collate} in ({', '.join('?' * len(plain))})")
    search.add("(" + (" or ".join(tests) or "0") + ")", *params, *plain)


def _like(part: str) -> str:
    """Turn `j*` into a LIKE pattern, everything else taken as it is.

    >>> _like("a_b*%")
    'a\\\\_b%\\\\%'
    """
    for letter in "\\%_":
        part = part.replace(letter, "\\" + letter)
    return part.replace("*", "%")


def _compare(search: Search, column: Column, how: str, part: str) -> None:
    if column.kind == "time":
        span = read_time(part)
        value: Any = None if span is None else span[1 if how in ("gt", "lte") else 0]
    else:
        value = _bound(column, part)
    if value is None:
        search.add("0")
    else:
        search.add(f"{column.sql} {COMPARISONS[how]} ?", value)


def _between(search: Search, column: Column, parts: list[str]) -> None:
    if len(parts) != 2:
        search.add("0")
        return
    _compare(search, column, "gte", parts[0])
    _compare(search, column, "lte", parts[1])


def _bound(column: Column, part: str) -> Any:
    if column.kind in ("id", "number"):
        return number(part)
    if column.kind == "flag":
        return flag(part)
    return part


def read_page(
    call: Call,
    search: Search,
    *,
    plural: str,
    select: str,
    source: str,
    key: str,
    row: Callable[[tuple[Any, ...]], Any],
) -> dict[str, Any]:
    """Run a search and return the envelope; `key` breaks ties so that pages never overlap by themselves."""
    where = " and ".join(search.where) or "1"
    order = ", ".join([*search.order, key])
    total = call.state.total(call.con, f"select count(*) from {source} where {where}", search.params)
    sql = f"select {select} from {source} where {where} order by {order} limit ? offset ?"
    found = call.con.execute(sql, [*search.params, search.limit, search.offset])
    body = page(plural, [row(each) for each in found], search.limit, search.offset, total)
    return warned(body, call.warnings)
