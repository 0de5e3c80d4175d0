"""Looking at an audience: some members, how they spread over a field, and what audiences have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx.audience.audience import Audience
from icx.audience.parts import Part, masked, spread
from icx.audience.people import People, as_audience, choice
from icx.errors import BadInput
from icx.rules import Reading, Rule, Sql, condition, fields_used
from icx.store import Connection, quoted

if TYPE_CHECKING:
    import pandas as pd

LARGEST_OVERLAP = 6


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
                    lambda value, field=field: masked(value, field) if isinstance(value, str) else None
                )
    return frame


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


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else "    –"
