"""How full each field of a built profile is, and a small histogram of its values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput
from icx.fields import SQL_TYPES, Catalogue, FieldType
from icx.profile import builtin
from icx.profile.catalogue import type_of
from icx.store import one_row
from icx.store.db import Connection, Store, quoted

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
MOST = 0.99  # of the people; a scale that few others stretch ends there
TOP = 8


def fill_rates(store: Store, connection: str, fields: Catalogue | None = None) -> pd.DataFrame:
    """Return a row per field: `field, type, people, filled, share, histogram`.

    `filled` counts people with a value, `share` is filled / people (0 to 1). `histogram` is a list of
    (label, people): the commonest texts, equal steps of numbers, months, years or decades of times; it is empty for
    personal data (PII), ids, lists and maps. `fields` is the catalogue, which knows the users' own
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
        known = fields if fields is not None else Catalogue(builtin.fields())
        kinds = {name: built_type(known, name, sql_type) for name, sql_type in columns}
        people, filled = counted(con, list(kinds))
        shown = {
            name: kind for name, kind in kinds.items() if filled[name] and not _hidden(known, name, kind)
        }
        bars = histograms(con, shown)
    rows = [
        (name, kind, people, filled[name], filled[name] / people if people else 0.0, bars.get(name, []))
        for name, kind in kinds.items()
    ]
    return pd.DataFrame(rows, columns=["field", "type", "people", "filled", "share", "histogram"])


def _hidden(known: Catalogue, name: str, kind: FieldType) -> bool:
    """Return whether the values of a field are somebody's own: personal data, ids, texts nobody described."""
    if name == "email_domain":
        return False
    return name == "ic_contact_id" or (known[name].pii if name in known else kind == "text")


def built_type(known: Catalogue, name: str, sql_type: str) -> FieldType:
    """Return the type of a built column: the catalogue's, unless the field's file was changed since the build."""
    if name in known and SQL_TYPES[known[name].type].upper() == sql_type.upper():
        return known[name].type
    return type_of(sql_type)


def counted(con: Connection, columns: Sequence[str], table: str = "profile") -> tuple[int, dict[str, int]]:
    """Return how many rows a table has, and how many have a value in each column."""
    counts = "".join(f", count({quoted(name)})" for name in columns)
    row = one_row(con.execute(f"select count(*){counts} from {quoted(table)}"))
    assert row is not None
    return int(row[0]), dict(zip(columns, map(int, row[1:]), strict=True))


def histograms(
    con: Connection, kinds: Mapping[str, FieldType], table: str = "profile"
) -> dict[str, list[tuple[str, int]]]:
    """Return (label, people) by column: the commonest texts, equal steps of numbers, months, years or decades of times.

    All numbers and times are read in two statements: the view of a profile is long, and binding it costs more
    than scanning a column of it. Columns of lists and maps have none.
    """
    stepped = [name for name, kind in kinds.items() if kind in {"integer", "number", "time"}]
    found: dict[str, list[tuple[str, int]]] = {}
    if stepped:
        ends = ", ".join(_ends(quoted(name), kinds[name]) for name in stepped)
        row = one_row(con.execute(f"select {ends} from {quoted(table)}"))
        assert row is not None
        scales = {
            name: _Scale.of(kinds[name], low, high, most)
            for name, low, high, most in zip(stepped, row[::3], row[1::3], row[2::3], strict=True)
            if low is not None
        }
        bins = ", ".join(f"histogram({scale.bin(quoted(name))})" for name, scale in scales.items())
        row = one_row(con.execute(f"select {bins} from {quoted(table)}")) if scales else ()
        for (name, scale), counts in zip(scales.items(), row or (), strict=True):
            found[name] = [(scale.label(bin), int(counts.get(bin, 0))) for bin in scale.bins(counts)]
    for name in (name for name, kind in kinds.items() if kind in {"text", "boolean"}):
        rows = con.execute(
            f"select {quoted(name)}::varchar, count(*) from {quoted(table)} where {quoted(name)} is not null"
            f" group by 1 order by 2 desc, 1 limit {TOP}"
        ).fetchall()
        found[name] = [(str(label), int(count)) for label, count in rows]
    return found


def _ends(column: str, kind: FieldType) -> str:
    """Return the SQL of a column's least and greatest value, and of what 99 of 100 are not above."""
    # A number that was divided by nothing is no end of a scale.
    among = f" filter (isfinite({column}))" if kind == "number" else ""
    most = "null" if kind == "time" else f"approx_quantile({column}, {MOST}){among}"
    return f"min({column}){among}, max({column}){among}, {most}"


@dataclass(frozen=True)
class _Scale:
    """The bins of one column: steps of a number from `low`, or a part of the calendar as a time's format.

    A few people far out would leave everybody else in the first bin: then the steps end where most people end, and
    the last bin is open.
    """

    low: float = 0
    step: float = 0
    months: int | None = None
    count: int = 1
    whole: bool = False
    open: bool = False

    @classmethod
    def of(cls, kind: FieldType, low: Any, high: Any, most: Any = None) -> _Scale:
        """Return the scale of values from `low` to `high`, of which 99 of 100 are not above `most`.

        >>> [_Scale.of("integer", 0, 45, 4).label(bin) for bin in range(3)], _Scale.of("integer", 0, 45, 4).label(9)
        (['0', '1', '2'], '9+')
        >>> [_Scale.of("integer", 0, 99, 98).label(bin) for bin in (0, 9)]
        ['0–9', '90–99']
        """
        if kind == "time":
            return cls(months=12 * (high.year - low.year) + high.month - low.month)
        span = float(high) - float(low)
        far = most is not None and span > 2 * (float(most) - float(low))
        reach = float(most) - float(low) if far else span
        if kind == "integer":
            step = float(math.ceil((reach + 1) / BINS))
            count = min(BINS, int(span // step) + 1)
            return cls(low, step, count=count, whole=True, open=count * step <= span)
        if not span or not math.isfinite(span):
            return cls(low)
        step = reach / (BINS - 1) if far and reach else span / BINS
        return cls(low, step, count=BINS, open=step * BINS < span)

    def bin(self, column: str) -> str:
        """Return the SQL of a value's bin."""
        if self.months is None:
            if self.whole:
                return f"least({self.count - 1}, floor(({column} - {self.low!r}) / {self.step!r}))::int"
            bin = (
                f"least({self.count - 1}, floor(({column} - {self.low!r}) / {self.step!r}))"
                if self.step
                else 0
            )
            return f"case when isfinite({column}) then {bin}::int end"
        if self.months <= 24:
            return f"strftime({column}, '%Y-%m')"
        return (
            f"strftime({column}, '%Y')"
            if self.months <= 240
            else f"(year({column}) // 10 * 10)::varchar || 's'"
        )

    def bins(self, counts: Mapping[Any, int]) -> list[Any]:
        """Return the bins in order; an empty step of a number is one too, a month without anybody is not."""
        return sorted(counts) if self.months is not None else list(range(self.count))

    def label(self, bin: Any) -> str:
        """Return what a bin is called."""
        if self.months is not None:
            return str(bin)
        first = self.low + bin * self.step
        if self.open and bin == self.count - 1:
            return f"{first:.4g}+"
        last = first + self.step - 1
        return f"{first:g}–{last:g}" if self.whole and self.step > 1 else f"{first:.4g}"
