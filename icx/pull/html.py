"""Counts as a notebook shows them: one table, readable in light, dark and narrow, nothing from outside run."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from icx import mask

# JupyterLab centres its tables, stripes them and sets every cell to the right; words belong to the left.
_CELL = "text-align:left;padding:4px 16px 4px 0;vertical-align:top;background:none"
_NUMBER = "text-align:right;padding:4px 16px 4px 0;vertical-align:top;background:none;white-space:nowrap"
_TABLE = "margin:4px 0;border-collapse:collapse;font-variant-numeric:tabular-nums;table-layout:auto;overflow-wrap:anywhere"
_ROW = "background:none"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int]) -> str:
    """Return rows as an HTML table; `numbers` are the positions of the columns set to the right, never broken.

    >>> table(["unit", "stored"], [["<b>", "1,204"]], [1])[-40:]
    ":nowrap'>1,204</td></tr></tbody></table>"
    """
    head = "".join(f"<th style='{_style(at, numbers)}'>{text(name)}</th>" for at, name in enumerate(heads))
    body = "".join(
        f"<tr style='{_ROW}'>"
        + "".join(f"<td style='{_style(at, numbers)}'>{text(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table style='{_TABLE}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def line(words: str) -> str:
    """Return words as a paragraph."""
    return f"<p style='overflow-wrap:anywhere'>{text(words)}</p>"


def text(value: object) -> str:
    """Return a value as text of a page: names from outside stay names.

    >>> text("<b>VIP</b>")
    '&lt;b&gt;VIP&lt;/b&gt;'
    """
    return html.escape(mask.plain(value))


def _style(at: int, numbers: Sequence[int]) -> str:
    return _NUMBER if at in numbers else _CELL
