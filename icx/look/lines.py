"""Charts over weeks: labels are text of the page beside a drawing that stretches, so no text is ever scaled.

A saved output does not know how wide it will be shown. So only the drawing inside the axes is an SVG without a fixed
width; what is read stays 11 px in every notebook.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from icx.look.page import Html, join, number, tag, text

UNIT = 100  # width of a drawing in its own units


class End(NamedTuple):
    """A label at the end of a line: its value, its words, and the class that colours it."""

    value: float
    words: str
    cls: str = ""


def growth(weeks: Sequence[date], joined: Sequence[int], left: Sequence[int], *, height: int = 132) -> Html:
    """Return who joined above one line of zero and who left below it, a column a week."""
    up, down = max(joined, default=0), max(left, default=0)
    grid = nice(up or down or 1)
    top, bottom = max(grid[-1], up, 1), max(down, 0)
    zero = height * top / (top + bottom) if bottom else height - 1
    unit = zero / top
    step = UNIT / max(len(weeks), 1)
    drawn = [_line(zero - value * unit) for value in grid]
    for n, (more, less) in enumerate(zip(joined, left, strict=True)):
        x, wide = n * step + step * 0.07, step * 0.86
        if more:
            tall = max(1.0, more * unit)
            drawn.append(_column(x, zero - tall, wide, tall, "b"))
        if less:
            drawn.append(_column(x, zero + 1, wide, max(1.0, less * unit), "g"))
    marks = [(zero - value * unit, number(value)) for value in grid]
    if down * unit > 24:
        deep = down if len(nice(down)) < 2 else nice(down)[-1]
        marks.append((zero + deep * unit, number(-deep)))
        drawn.insert(0, _line(zero + deep * unit))
    said = (
        f"Joined {number(sum(joined))} and left {number(sum(left))} in {len(weeks)} weeks; "
        f"the last week {number(joined[-1] if joined else 0)} joined"
    )
    return figure(
        said,
        height,
        drawn,
        marks=_spaced(marks),
        ticks=months(weeks),
        flag=_outstanding(weeks, joined),
    )


def lines(
    weeks: Sequence[date],
    people: Sequence[int],
    machines: Sequence[int],
    clicks: Sequence[int],
    *,
    height: int = 132,
) -> Html:
    """Return events a week: people's opens, what likely machines add to them as a grey area, and clicks."""
    whole = [one + other for one, other in zip(people, machines, strict=True)]
    grid = nice(max([*whole, *clicks], default=0) or 1)
    top = max([grid[-1], *whole, *clicks, 1])

    def points(values: Sequence[int]) -> list[tuple[float, float]]:
        run = max(len(values) - 1, 1)
        return [(n * UNIT / run, height - 1 - value / top * (height - 2)) for n, value in enumerate(values)]

    drawn = [_line(height - 1 - value / top * (height - 2)) for value in grid]
    ends = []
    if len(weeks) > 1:
        if any(machines):
            area = _path(points(whole)) + "L" + _path(points(people)[::-1])[1:] + "Z"
            drawn.append(f'<path class="tr" d="{area}"/>')
            drawn.append(f'<path class="lg dash" d="{_path(points(whole))}"/>')
            ends.append(End(whole[-1], "with machines"))
        drawn.append(f'<path class="ln" d="{_path(points(people))}"/>')
        drawn.append(f'<path class="ln k2" d="{_path(points(clicks))}"/>')
        ends += [
            End(people[-1], f"opened {number(people[-1])}", "acc"),
            End(clicks[-1], f"clicked {number(clicks[-1])}", "tx"),
        ]
    said = (
        f"In {len(weeks)} weeks {number(sum(people))} opens by people, {number(sum(machines))} likely by machines, "
        f"{number(sum(clicks))} clicks"
    )
    return figure(
        said,
        height,
        drawn,
        marks=[(height - 1 - value / top * (height - 2), number(value)) for value in grid],
        ticks=months(weeks, middle=False),
        ends=_apart([(height - 1 - one.value / top * (height - 2), one) for one in ends], height),
    )


def strip(states: Sequence[str], label: str, *, places: int = 60) -> Html:
    """Return a block a unit: equal is full and green, explained a lower one, due hollow amber, unequal red, crossed."""
    step = UNIT * 6 / max(places, len(states), 1)
    wide = step - min(1.5, step / 4)
    blocks = []
    for n, state in enumerate(states):
        x = n * step
        if state == "unequal":
            blocks.append(f'<rect x="{x:.2f}" y="0" width="{wide:.2f}" height="14" class="badf"/>')
            near, far = x + wide * 0.25, x + wide * 0.75
            blocks.append(f'<path class="cross" d="M{near:.2f} 4L{far:.2f} 10M{far:.2f} 4L{near:.2f} 10"/>')
        elif state == "equal":
            blocks.append(f'<rect x="{x:.2f}" y="0" width="{wide:.2f}" height="14" class="okb"/>')
        elif state == "explained":
            blocks.append(f'<rect x="{x:.2f}" y="5" width="{wide:.2f}" height="9" class="expf"/>')
        elif state == "none":
            blocks.append(f'<rect x="{x:.2f}" y="11" width="{wide:.2f}" height="3" class="tr"/>')
        else:
            blocks.append(f'<rect x="{x:.2f}" y="6" width="{wide:.2f}" height="7.5" class="duef"/>')
    return Html(
        f'<svg viewBox="0 0 {UNIT * 6} 14" preserveAspectRatio="none" role="img" aria-label="{text(label)}">'
        f"{''.join(blocks)}</svg>"
    )


def stacked(parts: Sequence[tuple[str, int, str]]) -> Html:
    """Return one bar of parts (label, count, class); each is at least 1 px when it is not zero."""
    whole = sum(count for _, count, _ in parts) or 1
    inner = [
        Html(
            f'<i class="{cls}" style="flex:{count / whole:.5f} 1 1px" title="{text(label)}: {number(count)}"></i>'
        )
        for label, count, cls in parts
        if count
    ]
    said = ", ".join(f"{label} {number(count)}" for label, count, _ in parts)
    return tag("div", *inner, cls="splitbar", role="img", aria_label=said)


def figure(
    label: str,
    height: int,
    drawn: Sequence[str],
    *,
    marks: Sequence[tuple[float, str]],
    ticks: Sequence[tuple[float, str]],
    ends: Sequence[tuple[float, End]] = (),
    flag: tuple[float, str] | None = None,
) -> Html:
    """Return a drawing with its labels: `marks` at the left (px from the top), `ticks` below (percent of the width)."""
    side = [Html(f'<span style="top:{y:.1f}px">{text(words)}</span>') for y, words in marks]
    below = [Html(f'<span style="left:{x:.2f}%">{text(words)}</span>') for x, words in ticks]
    right = [
        Html(f'<span class="{one.cls}" style="top:{y:.1f}px">{text(one.words)}</span>') for y, one in ends
    ]
    drawing = Html(
        f'<svg viewBox="0 0 {UNIT} {height}" preserveAspectRatio="none" style="height:{height}px" aria-hidden="true">'
        f"{''.join(drawn)}</svg>"
    )
    said: object = ""
    if flag is not None:
        x, words = flag
        place = f"right:{100 - x:.2f}%" if x > 50 else f"left:{x:.2f}%"
        said = Html(f'<span class="flag" style="{place}">{text(words)}</span>')
    return tag(
        "div",
        tag("div", *side, cls="ys"),
        tag("div", drawing, said, cls="plot"),
        tag("div", *right, cls="ends") if ends else "",
        tag("div", *below, cls="xs"),
        cls="chart with-ends" if ends else "chart",
        role="img",
        aria_label=label,
    )


def nice(most: float) -> list[int]:
    """Return up to four round values from zero to just about `most`.

    >>> nice(1630), nice(7), nice(1), nice(0)
    ([0, 500, 1000, 1500], [0, 2, 4, 6], [0, 1], [0, 1])
    """
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if most < 4 * step:
                return list(range(0, max(int(most), step) + 1, step))
        size *= 10


def months(weeks: Sequence[date], *, middle: bool = True) -> list[tuple[float, str]]:
    """Return where months begin, in percent of the width; the first week with its day, January with its year."""
    found: list[tuple[float, str]] = []
    run = max(len(weeks) if middle else len(weeks) - 1, 1)
    for n, week in enumerate(weeks):
        first = n == 0
        if first or week.month != weeks[n - 1].month:
            words = f"{week.day} {week:%b}" if first else f"{week:%b}"
            if week.month == 1 and not first:
                words = f"{week:%b %Y}"
            room = 24 if len(found) == 1 and not middle else 10  # the first one has its day, too
            if not found or 100 * n / run - found[-1][0] > room:
                found.append((100 * n / run, words))
    return [(x, words) for x, words in found if x < 95]


def _outstanding(weeks: Sequence[date], values: Sequence[int]) -> tuple[float, str] | None:
    """Return a label for one week that is more than twice the middle one and more than all others."""
    if len(values) < 4:
        return None
    most = max(values)
    at = values.index(most)
    middle = sorted(values)[len(values) // 2]
    if most < 10 or most < 2 * max(middle, 1) or list(values).count(most) > 1:
        return None
    week = weeks[at]
    edge = at if at > len(values) / 2 else at + 1
    return 100 * edge / len(values), f"week of {week.day} {week:%b}: {number(most)}"


def _spaced(marks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Leave out marks that would lie on one another; zero stays, and of the others the outermost."""
    kept = [mark for mark in marks if mark[1] == "0"]
    for mark in sorted(marks, key=lambda one: -abs(one[0] - kept[0][0]) if kept else 0):
        if all(abs(mark[0] - other[0]) >= 13 for other in kept):
            kept.append(mark)
    return kept


def _apart(ends: Sequence[tuple[float, End]], height: int) -> list[tuple[float, End]]:
    """Move labels that would lie on one another 14 px apart, inside the height."""
    placed: list[tuple[float, End]] = []
    for y, one in sorted(ends, key=lambda end: end[0]):
        placed.append((max(y, placed[-1][0] + 14 if placed else 0), one))
    over = placed[-1][0] - height if placed else 0
    if over > 0:
        limit = float(height)
        for n in range(len(placed) - 1, -1, -1):
            y = min(placed[n][0], limit)
            placed[n] = (y, placed[n][1])
            limit = y - 14
    return placed


def _column(x: float, y: float, wide: float, tall: float, tone: str) -> str:
    return f'<rect x="{x:.2f}" y="{y:.1f}" width="{wide:.2f}" height="{tall:.1f}" class="{tone}"/>'


def _line(y: float) -> str:
    return f'<path class="ax" d="M0 {y:.1f}H{UNIT}"/>'


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.1f}" for x, y in points)


def legend(*each: tuple[str, str]) -> Html:
    """Return what colours mean: (class of the swatch, words)."""
    return tag("span", *(tag("span", tag("i", cls=f"sw {cls}"), words) for cls, words in each), cls="legend")


def pairs(rows: Sequence[tuple[object, object]]) -> Html:
    """Return names with their values, a line each."""
    return tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in rows), cls="pairs")
