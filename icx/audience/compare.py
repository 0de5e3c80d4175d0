"""Looking at an audience: some members, how they spread over a field, and what audiences have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.audience.audience import Audience
from icx.audience.people import People, as_audience, choice
from icx.errors import BadInput
from icx.fields import Field
from icx.rules import Reading, Rule, Sql, condition, fields_used
from icx.store import Connection, quoted

if TYPE_CHECKING:
    import pandas as pd

LARGEST_OVERLAP = 6


@dataclass(frozen=True)
class Part:
    """One value's share: how many members have it, and how many of all contacts."""

    value: str
    count: int
    of: int


@dataclass(frozen=True)
class Breakdown:
    """How members spread over a field's values; the counts of a list or map field may add up to more."""

    audience: str
    field: str
    size: int
    people: int
    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        wide = max((len(part.value) for part in self.parts), default=0)
        lines = [
            f"  {part.value:<{wide}}  {part.count:>9,}  {_share(part.count, self.size)}"
            f"   (all contacts {_share(part.of, self.people)})"
            for part in self.parts
        ]
        return "\n".join([f"{self.audience or 'These'} by {self.field}: {self.size:,} people", *lines])

    def _repr_html_(self) -> str:
        from icx.audience.html import breakdown_html

        return breakdown_html(self)

    def as_dict(self) -> dict[str, Any]:
        parts = [{"value": part.value, "count": part.count, "of": part.of} for part in self.parts]
        return {"audience": self.audience, "field": self.field, "count": self.size, "parts": parts}


@dataclass(frozen=True)
class Overlap:
    """How many people each combination of audiences has.

    `cells` maps the positions of the audiences somebody is in to the number of people in exactly these.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    cells: dict[tuple[int, ...], int]

    @property
    def anybody(self) -> int:
        """How many people are in at least one."""
        return sum(self.cells.values())

    def both(self, first: int, second: int) -> int:
        """Return how many people two of the audiences share."""
        return sum(n for inside, n in self.cells.items() if first in inside and second in inside)

    def __repr__(self) -> str:
        lines = [f"{self.anybody:,} people in at least one of {len(self.names)} audiences"]
        for inside, n in sorted(self.cells.items(), key=lambda cell: (len(cell[0]), cell[0])):
            named = " and ".join(self.names[position] for position in inside)
            lines.append(f"  {n:>9,}  {'only ' if len(inside) < len(self.names) else ''}{named}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from icx.look import page, upset

        people = f"{page.number(self.anybody)} people in at least one of {len(self.names)} audiences"
        chart = upset.upset(self.names, self.sizes, self.cells)
        return page.root(page.head("Overlap", "", people), chart, name="Overlap")

    def as_dict(self) -> dict[str, Any]:
        return {
            "audiences": [{"name": n, "count": size} for n, size in zip(self.names, self.sizes, strict=True)],
            "anybody": self.anybody,
            "cells": [
                {"in": [self.names[p] for p in inside], "count": n} for inside, n in self.cells.items()
            ],
        }


def sample(
    people: People,
    audience: Audience | Rule,
    n: int = 5,
    *,
    show_people: bool = False,
    seed: int = 0,
    also: Sequence[str] = (),
) -> pd.DataFrame:
    """Return up to n members at random: id, address, fields asked for `also`, and those the rule is about.

    Addresses and other personal fields are masked unless `show_people`. The same `seed` gives the same people
    while the profile stays.
    """
    with people.open(audience) as (con, reading, rule):
        found = choice(people, rule, reading)
        where = Sql(f"contact_id in ({found.text})", found.params)
        order = Sql("hash(contact_id + ?), contact_id limit ?", (seed, n))
        return rows_of(con, reading, rule, where, order, people.profile, show_people, also)


def rows_of(
    con: Connection,
    reading: Reading,
    rule: Rule,
    where: Sql,
    order: Sql,
    profile: str,
    show_people: bool,
    also: Sequence[str],
) -> pd.DataFrame:
    """Return the people a condition holds for, in an order, with the fields their rule is about."""
    names = ["email"] if "email" in reading.catalogue else []
    used = [*also, *sorted(fields_used(rule) - {"email", *also})]
    names += [name for name in used if name in reading.catalogue]
    columns = ", ".join(["contact_id", *(quoted(name) for name in names)])
    frame: pd.DataFrame = con.execute(
        f"select {columns} from {quoted(profile)} where {where.text} order by {order.text}",
        [*where.params, *order.params],
    ).df()
    if not show_people:
        for name in names:
            field = reading.catalogue[name]
            if field.pii or field.type == "text":
                frame[name] = frame[name].map(
                    lambda value, field=field: _masked(value, field) if isinstance(value, str) else None
                )
    return frame


def _masked(value: str, field: Field) -> str:
    """Return somebody's text without who they are; also a note may hold an address."""
    if field.name == "email":
        return mask.address(value)
    return f"{value[:1]}…" if field.pii else mask.addresses_in(value)


def breakdown(people: People, audience: Audience | Rule, by: str, *, most: int = 12) -> Breakdown:
    """Return how many members have each value of a field, with all contacts beside.

    Text, yes/no and lists by value, the most frequent first; numbers with many values in up to `most` equal
    steps; times by month or year. "no value" comes last. Addresses and personal values are masked.
    """
    named = as_audience(audience)
    with people.open(audience) as (con, reading, rule):
        field = reading.catalogue.find(by, named.name or "this breakdown")
        whole = condition(rule, reading)
        parts = spread(con, people.profile, field, whole, most)
        size, total = con.execute(
            f"select count(*) filter (where m), count(*) from (select {whole.text} as m"
            f" from {quoted(people.profile)})",
            list(whole.params),
        ).fetchone() or (0, 0)
    return Breakdown(named.name, by, size, total, parts)


def spread(con: Connection, profile: str, field: Field, whole: Sql, most: int) -> tuple[Part, ...]:
    """Return a field's values with how many of those a condition holds for have each, and how many of all."""
    expression, order = _bucket(con, profile, field, most)
    several = field.type in {"text list", "text→integer", "text→time"}
    people = "distinct contact_id" if several else "*"  # who has a value twice in a list has it once
    rows = con.execute(
        f"select v, count({people}) filter (where m), count({people}), min(o)"
        f" from (select *, {order} as o from (select contact_id, {expression} as v, {whole.text} as m"
        f" from {quoted(profile)})) group by v",
        list(whole.params),
    ).fetchall()
    known = [row for row in rows if row[0] is not None]
    if order == "null":
        known.sort(key=lambda row: (-row[1], -row[2], str(row[0])))
    else:
        known.sort(key=lambda row: row[3])
    parts = [Part(_value(row[0], field), row[1], row[2]) for row in known[:most]]
    if rest := known[most:]:
        parts.append(Part(f"{len(rest):,} others", sum(r[1] for r in rest), sum(r[2] for r in rest)))
    parts += [Part("no value", row[1], row[2]) for row in rows if row[0] is None]
    return tuple(parts)


def overlap(people: People, audiences: Sequence[Audience | Rule]) -> Overlap:
    """Return how many people each combination of up to six audiences has, in one pass."""
    if not 2 <= len(audiences) <= LARGEST_OVERLAP:
        raise BadInput(
            "parameter",
            f"Two to {LARGEST_OVERLAP} audiences can be compared; these are {len(audiences)}.",
            where="overlap",
            kept="nothing was changed",
            next=[["icx", "audience", "list"]],
        )
    found = []
    for audience in audiences:
        with people.open(audience) as (con, reading, rule):
            found.append(condition(rule, reading))
    columns = ", ".join(f"{one.text} as r{n}" for n, one in enumerate(found))
    marks = ", ".join(f"r{n}" for n in range(len(found)))
    with people.store.open(people.connection) as con:
        rows = con.execute(
            f"select {marks}, count(*) from (select {columns} from {quoted(people.profile)})"
            f" group by {marks} order by {marks}",
            [param for one in found for param in one.params],
        ).fetchall()
    cells = {tuple(n for n, inside in enumerate(row[:-1]) if inside): int(row[-1]) for row in rows}
    cells.pop((), None)
    sizes = tuple(sum(n for inside, n in cells.items() if p in inside) for p in range(len(found)))
    names = tuple(as_audience(one).name or f"audience {n + 1}" for n, one in enumerate(audiences))
    return Overlap(names, sizes, cells)


def _bucket(con: Connection, profile: str, field: Field, most: int) -> tuple[str, str]:
    """Return the SQL of a field's bucket and of what buckets are ordered by ("null": by size)."""
    column = quoted(field.name)
    if field.type == "text":
        return f"nullif({column}, '')", "null"
    if field.type == "boolean":
        return column, "null"
    if field.type == "text list":
        return f"unnest(case when len({column}) > 0 then {column} else [null] end)", "null"
    if field.type in {"text→integer", "text→time"}:
        return f"unnest(case when cardinality({column}) > 0 then map_keys({column}) else [null] end)", "null"
    low, high, different = con.execute(
        f"select min({column}), max({column}), approx_count_distinct({column}) from {quoted(profile)}"
    ).fetchone() or (None, None, 0)
    if low is None:
        return "null", "null"
    if field.type == "time":
        unit = "month" if (high - low).days <= 31 * most else "year"
        return f"date_trunc('{unit}', {column})::timestamp", "v"
    if different <= most and field.type == "integer":
        return column, "v"
    step = _step((float(high) - float(low)) / most)
    return f"(floor({column} / {step!r}) * {step!r})::double", "v"


def _step(least: float) -> float:
    """Return the next round number: 1, 2 or 5 times a power of ten.

    >>> _step(0.03), _step(7), _step(1234)
    (0.05, 10.0, 2000.0)
    """
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(float(f"{power * factor:.12g}") for factor in (1, 2, 5, 10) if power * factor >= least)


def _value(value: Any, field: Field) -> str:
    if field.type == "time":
        return f"{value:%b %Y}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:,.10g} and up"
    return f"{value:,}" if isinstance(value, int) else mask.plain(_masked(str(value), field))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else "    –"
