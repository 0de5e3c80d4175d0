"""Small charts as inline SVG: drawn for the width they get, text never scaled, colours of the notebook's theme.

A chart library's pictures carry their own colours and need a script to follow a dark theme; these need neither, so a
saved notebook shows them on a code-hosting page too. For one's own analysis any library does.
"""

from __future__ import annotations

from collections.abc import Sequence

from icx.look.page import Html, number, text


def svg(width: float, height: float, label: str, *parts: str) -> Html:
    """Return parts as a picture of that size with a label that says its numbers."""
    return Html(
        f'<svg width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{text(label)}">{"".join(parts)}</svg>'
    )


def histogram(
    counts: Sequence[float],
    label: str,
    *,
    chosen: Sequence[bool] | None = None,
    width: float = 96,
    height: float = 22,
) -> Html:
    """Return counts as columns; those not `chosen` are grey. An empty bin has no column, a small one 1 px."""
    most = max(counts, default=0) or 1
    step = width / max(len(counts), 1)
    gap = 1 if step > 3 else 0
    columns = []
    for n, count in enumerate(counts):
        if count <= 0:
            continue
        tall = max(1.0, count / most * (height - 1))
        tone = "b" if chosen is None or chosen[n] else "g"
        columns.append(
            f'<rect x="{n * step:.1f}" y="{height - tall:.1f}" width="{step - gap:.1f}" height="{tall:.1f}" class="{tone}"/>'
        )
    base = f'<path class="ax" d="M0 {height - 0.5:g}H{width:g}"/>'
    return svg(width, height, label, *columns, base)


def sparkline(values: Sequence[float], label: str, *, width: float = 74, height: float = 24) -> Html:
    """Return values as a line without axes, the last one as a dot."""
    if len(values) < 2:
        return svg(width, height, label)
    points = line_points(values, width - 6, height - 6, left=2, top=3)
    x, y = points[-1]
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" class="b"/>'
    return svg(width, height, label, f'<path class="ln" d="{line_path(points)}"/>', dot)


def steps(sizes: Sequence[int], *, width: float = 150, height: float = 34) -> Html:
    """Return a column per edit, the newest in the accent colour."""
    label = (
        f"size after each of the last {len(sizes)} edits, now {number(sizes[-1])}" if sizes else "no edit yet"
    )
    most = max(sizes, default=0) or 1
    step = width / max(len(sizes), 1)
    columns = [
        f'<rect x="{n * step:.1f}" y="{height - max(2.0, size / most * (height - 2)):.1f}" width="{step - 3:.1f}" '
        f'height="{max(2.0, size / most * (height - 2)):.1f}" rx="1" class="{"b" if n == len(sizes) - 1 else "g"}"/>'
        for n, size in enumerate(sizes)
    ]
    return svg(width, height, label, *columns)


def line_points(
    values: Sequence[float],
    width: float,
    height: float,
    *,
    left: float = 0,
    top: float = 0,
    low: float | None = None,
    high: float | None = None,
) -> list[tuple[float, float]]:
    """Return the values as points in a box; a flat line lies at its bottom."""
    least = min(values) if low is None else low
    most = max(values) if high is None else high
    span = (most - least) or 1
    run = max(len(values) - 1, 1)
    return [
        (left + n * width / run, top + height - (value - least) / span * height)
        for n, value in enumerate(values)
    ]


def line_path(points: Sequence[tuple[float, float]]) -> str:
    """Return points as the `d` of a path."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
