"""How people spread over a field's values: the buckets of a field, and how many people are in each."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.fields import Field
from icx.rules import Sql
from icx.store import Connection, one_row, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEVERAL = ("text list", "text→integer", "text→time")
CODED = 65_536  # up to so many buckets a person's is kept as a number


@dataclass(frozen=True)
class Part:
    """One value's share: how many members have it, and how many of all contacts."""

    value: str
    count: int
    of: int


def spread(con: Connection, profile: str, field: Field, whole: Sql, most: int) -> tuple[Part, ...]:
    """Return a field's values with how many of those a condition holds for have each, and how many of all."""
    bucket = _bucket(con, profile, field, most)
    people = (
        "distinct contact_id" if field.type in SEVERAL else "*"
    )  # who has a value twice in a list has it once
    rows = con.execute(
        f"select v, count({people}) filter (where m), count({people})"
        f" from (select contact_id, {bucket.text} as v, {whole.text} as m from {quoted(profile)}) group by v",
        list(whole.params),
    ).fetchall()
    return _parts(rows, field, bucket, most)


class Side:
    """All people, parted in members and others: the smaller side is laid out, `out` when that is the others."""

    def __init__(self, members: NDArray[np.bool_]) -> None:
        import numpy as np

        self.out = 2 * int(np.count_nonzero(members)) > len(members)
        self.fewer = ~members if self.out else members
        self.rows = np.flatnonzero(self.fewer)


@dataclass(frozen=True)
class Coded:
    """Everybody's bucket of a field as a number: `values` has a bucket's value, `of` how many people are in it.

    With `rows` a person may be in several buckets: then `codes[k]` is one of those of the person `rows[k]`, else
    `codes[k]` is that of the person k.
    """

    field: Field
    bucket: Bucket
    values: tuple[Any, ...]
    of: NDArray[np.int64]
    codes: NDArray[Any]
    rows: NDArray[Any] | None

    @property
    def nbytes(self) -> int:
        return int(self.codes.nbytes + (0 if self.rows is None else self.rows.nbytes))

    def spread(self, side: Side, most: int) -> tuple[Part, ...]:
        """Return what `spread` does, for the people on one side."""
        import numpy as np

        among = side.rows if self.rows is None else side.fewer[self.rows]
        counted = np.bincount(self.codes[among], minlength=len(self.values))
        members = self.of - counted if side.out else counted
        return _parts(
            zip(self.values, members.tolist(), self.of.tolist(), strict=True), self.field, self.bucket, most
        )


def coded(con: Connection, profile: str, field: Field, most: int, people: int) -> Coded | None:
    """Return everybody's bucket of a field; None when there are more than `CODED` different ones.

    A person's id in `profile` is the number of the row, below `people`.
    """
    import numpy as np

    bucket = _bucket(con, profile, field, most)
    several = field.type in SEVERAL
    each = f"select {'distinct' if several else ''} contact_id, {bucket.text} as v from {quoted(profile)}"
    con.execute(
        "create or replace temp table buckets as select v, n, row_number() over () - 1 as code"
        f" from (select v, count(*) as n from ({each}) group by v)"
    )
    (different,) = one_row(con.execute("select count(*) from buckets")) or (0,)
    if different > CODED:
        con.execute("drop table buckets")
        return None
    known = con.execute("select v, n from buckets order by code").fetchall()
    kind = "utinyint" if different <= 256 else "usmallint"
    found = con.execute(
        f"select e.contact_id, b.code::{kind} as code from ({each}) e join buckets b on b.v is not distinct from e.v"
    ).fetchnumpy()
    con.execute("drop table buckets")
    rows, codes = np.asarray(found["contact_id"]), np.asarray(found["code"])
    of = np.array([n for _, n in known], dtype=np.int64)
    values = tuple(v for v, _ in known)
    if several:
        return Coded(field, bucket, values, of, codes, rows)
    whole = np.zeros(people, dtype=codes.dtype)
    whole[rows] = codes
    return Coded(field, bucket, values, of, whole, None)


@dataclass(frozen=True)
class Bucket:
    """The SQL of a field's bucket; `ordered` when buckets stand in the order of their values, else by size."""

    text: str
    ordered: bool = False


def _bucket(con: Connection, profile: str, field: Field, most: int) -> Bucket:
    column = quoted(field.name)
    if field.type == "text":
        return Bucket(f"nullif({column}, '')")
    if field.type == "boolean":
        return Bucket(column)
    if field.type == "text list":
        return Bucket(f"unnest(case when len({column}) > 0 then {column} else [null] end)")
    if field.type in SEVERAL:
        return Bucket(f"unnest(case when cardinality({column}) > 0 then map_keys({column}) else [null] end)")
    # Divided by nothing a number is infinite or none: no end of a scale, and what is none is no value here either.
    finite = f" filter (isfinite({column}))" if field.type == "number" else ""
    low, high, different = con.execute(
        f"select min({column}){finite}, max({column}){finite}, approx_count_distinct({column}) from {quoted(profile)}"
    ).fetchone() or (None, None, 0)
    if low is None:
        return Bucket("null")
    if field.type == "time":
        unit = "month" if (high - low).days <= 31 * most else "year"
        return Bucket(f"date_trunc('{unit}', {column})::timestamp", ordered=True)
    if different <= most and field.type == "integer":
        return Bucket(column, ordered=True)
    step = _step(float(high) / most - float(low) / most)
    return Bucket(f"nullif(floor({column} / {step!r}) * {step!r}, 'nan'::double)", ordered=True)


def _parts(rows: Iterable[tuple[Any, int, int]], field: Field, bucket: Bucket, most: int) -> tuple[Part, ...]:
    """Return what is shown of buckets, given as value, members and all people."""
    every = list(rows)
    known = [row for row in every if row[0] is not None]
    shown = heapq.nsmallest(
        most, known, (lambda row: row[0]) if bucket.ordered else (lambda row: (-row[1], -row[2], str(row[0])))
    )
    parts = [Part(_value(row[0], field), row[1], row[2]) for row in shown]
    if rest := len(known) - len(shown):
        count, of = (sum(row[n] for row in known) - sum(row[n] for row in shown) for n in (1, 2))
        parts.append(Part(f"{rest:,} others", count, of))
    parts += [Part("no value", row[1], row[2]) for row in every if row[0] is None]
    return tuple(parts)


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
    return f"{value:,}" if isinstance(value, int) else mask.plain(masked(str(value), field))


def masked(value: str, field: Field) -> str:
    """Return somebody's text without who they are; also a note may hold an address."""
    if field.name == "email":
        return mask.address(value)
    return f"{value[:1]}…" if field.pii else mask.addresses_in(value)
