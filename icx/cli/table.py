"""Rows as text: columns on a terminal, a block a record when it is narrow, tabs in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from icx.mask import plain

Rows = Iterable[Sequence[object]]
NARROW = 80  # columns below which a table is one block a record
SHORTEST = 12  # a name is cut to no less than this


def lay_out(heads: Sequence[str], rows: Rows, *, right: Sequence[int] = (), width: int | None = None) -> str:
    """Return rows under their heads; `right` columns are figures. Without a width nothing is cut or padded.

    >>> print(lay_out(["list", "members"], [("Newsletter", 61), ("[red]VIP[/red]", 2)], right=[1], width=100))
    list            members
    Newsletter           61
    [red]VIP[/red]        2
    """
    cells = [[cell(value) for value in row] for row in rows]
    if width is None:
        return "\n".join("\t".join(row) for row in [list(heads), *cells])
    from rich.cells import cell_len

    widths = [max([cell_len(head), *(cell_len(row[i]) for row in cells)]) for i, head in enumerate(heads)]
    spare = width - 2 * (len(widths) - 1)
    fitted = _fit(widths, spare, right) if width >= NARROW else widths
    if sum(fitted) > spare:
        return _blocks(heads, cells)
    shown = [[middle(text, fitted[i]) for i, text in enumerate(row)] for row in cells]

    def line(row: Sequence[str]) -> str:
        parts = []
        for i, text in enumerate(row):
            gap = " " * (fitted[i] - cell_len(text))
            parts.append(gap + text if i in right else text + gap)
        return "  ".join(parts).rstrip()

    return "\n".join(line(row) for row in [list(heads), *shown])


def cell(value: object) -> str:
    """Return a value as one line of plain text.

    >>> cell(None), cell("two\\nlines"), cell(True)
    ('', 'two\\\\nlines', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value).replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def middle(text: str, width: int) -> str:
    """Return a name cut in the middle to a width in columns.

    >>> middle("Durham regulars of the north", 15)
    'Durham…e north'
    """
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    front = width // 2
    back = width - 1 - front
    tail = text[len(text) - back :]
    while cell_len(tail) > back:
        tail = tail[1:]
    return set_cell_size(text, front).rstrip(" ") + "…" + tail if back else set_cell_size(text, width)


def _fit(widths: Sequence[int], spare: int, right: Sequence[int]) -> list[int]:
    """Take from the widest columns of words until the line fits, and never from a figure."""
    fitted = list(widths)
    words = [i for i in range(len(widths)) if i not in right]
    while sum(fitted) > spare:
        widest = max(words, key=lambda i: fitted[i], default=None)
        if widest is None or fitted[widest] <= SHORTEST:
            break
        fitted[widest] -= 1
    return fitted


def _blocks(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    label = max(len(head) for head in heads)
    return "\n\n".join(
        "\n".join(f"{head:<{label}}  {text}" for head, text in zip(heads, row, strict=True)) for row in cells
    )
