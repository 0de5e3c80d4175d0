"""An UpSet chart: which combinations of sets have how many members, as a table that can be read aloud.

The combinations are rows and not columns, as in most drawings of it: names keep their length, a narrow notebook
shows it whole, and each row is a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from icx.look.charts import svg
from icx.look.page import Html, bar, join, number, share, table, tag

LETTERS = "ABCDEF"
SHOWN = 16
_STEP = 22


def upset(
    names: Sequence[str], sizes: Sequence[int], cells: Mapping[tuple[int, ...], int], *, subject: int = 0
) -> Html:
    """Return the chart of up to six sets; `cells` maps positions to how many are in exactly these sets.

    Rows with the `subject` are in the accent colour; the largest combinations come first.
    """
    total = sum(cells.values())
    most = max(sizes, default=0) or 1
    sets = table(
        ("", "Audience", "People", ""),
        [
            (
                tag("span", LETTERS[at], cls="mono"),
                tag("b", name) if at == subject else name,
                number(size),
                bar(100 * size / most, f"{name}: {number(size)} people", "" if at == subject else "ref-grey"),
            )
            for at, (name, size) in enumerate(zip(names, sizes, strict=True))
        ],
        (2,),
    )
    ranked = sorted(cells.items(), key=lambda cell: (-cell[1], cell[0]))
    longest = max(cells.values(), default=0) or 1
    rows = [
        (
            _dots(inside, len(names), names, subject in inside),
            number(count),
            bar(100 * count / longest, _said(inside, names, count), "" if subject in inside else "ref-grey"),
            share(count, total),
        )
        for inside, count in ranked[:SHOWN]
    ]
    rest = sum(count for _, count in ranked[SHOWN:])
    foot = f"{len(ranked) - SHOWN} smaller combinations with {number(rest)} people" if rest else ""
    heads = (
        tag("span", *(tag("span", LETTERS[at], cls="dot-head") for at in range(len(names))), cls="mono"),
        "People",
        "in exactly these audiences",
        "Of all",
    )
    return tag("div", sets, table(heads, rows, (1, 3), foot), cls="upset")


def _dots(inside: tuple[int, ...], of: int, names: Sequence[str], subject: bool) -> Html:
    tone = "b" if subject else "k"
    first, last = (min(inside), max(inside)) if inside else (0, 0)
    y = _STEP / 2
    parts = []
    if last > first:
        stroke = "var(--icx-accent)" if subject else "var(--icx-text)"
        parts.append(
            f'<path d="M{first * _STEP + y:g} {y:g}H{last * _STEP + y:g}" style="stroke:{stroke};stroke-width:1.5"/>'
        )
    parts += [
        f'<circle cx="{at * _STEP + y:g}" cy="{y:g}" r="5" class="{tone if at in inside else "tr"}"/>'
        for at in range(of)
    ]
    return svg(of * _STEP, _STEP, " and ".join(names[at] for at in inside), *parts)


def _said(inside: tuple[int, ...], names: Sequence[str], count: int) -> str:
    only = "only " if len(inside) < len(names) else ""
    people = "person" if count == 1 else "people"
    return f"{number(count)} {people} {only}in {' and '.join(names[at] for at in inside)}"


def in_and_out(rows: Sequence[tuple[str, int, int | None, int | None]]) -> Html:
    """Return (when, size, entered, left) as a table with bars on one scale, the newest last; None is not known."""
    most = max((moved or 0 for row in rows for moved in row[2:]), default=0) or 1

    def moved(count: int | None, sign: str, words: str, cls: str = "") -> tuple[Html, Html]:
        if count is None:
            return Html("–"), Html("")
        return join(sign, number(count)), bar(100 * count / most, f"{number(count)} {words}", cls)

    body = [
        (when, number(size), *moved(entered, "+", "entered"), *moved(left, "−", "left", "ref-grey"))
        for when, size, entered, left in rows
    ]
    return table(("When", "Size", "Entered", "", "Left", ""), body, (1, 2, 4))
