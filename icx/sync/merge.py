"""Three-way merge of one field of two people: what each side held when they last agreed, and what it holds now. Pure."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from icx.sync.definition import SIDES, Line, Side, other

Base = tuple[str, str]


@dataclass(frozen=True)
class Merged:
    """What becomes of one field: the side it is written to ("": none) and the value, and what is agreed once it is.

    `base` None says that nothing is agreed yet. `note` is "", conflict (one value gives way to another), kept (an
    emptied field wiped nothing) or foreign (somebody wrote where the mapping lets values only arrive).
    """

    to: Side | None
    value: str
    base: Base | None
    note: str = ""


def merge(line: Line, a: str, b: str, base: Base | None, *, flows: Set[Side], winner: Side) -> Merged:
    """Return what becomes of one field that holds `a` and `b` now and held `base` when the two last agreed.

    `flows` are the sides that values may travel to, by the rules that match now; the line says which of these by its
    way. A value whose way a rule blocks is not forgotten: it travels once the rule matches. An empty value never wipes
    one, unless the line says blank and the two had agreed before.

    >>> both = frozenset({"a", "b"})
    >>> merge(Line("x", "y"), "new", "old", ("old", "old"), flows=both, winner="b")
    Merged(to='b', value='new', base=('new', 'new'), note='')
    >>> merge(Line("x", "y"), "mine", "yours", ("old", "old"), flows=both, winner="b")
    Merged(to='a', value='yours', base=('yours', 'yours'), note='conflict')
    >>> merge(Line("x", "y"), "", "old", ("old", "old"), flows=both, winner="a")
    Merged(to=None, value='', base=('', 'old'), note='kept')
    """
    if alike(a, b):
        return Merged(None, "", (a, b))
    value: dict[Side, str] = {"a": a, "b": b}
    moved = [side for side in SIDES if base is None or not alike(value[side], _of(base, side))]
    if base is not None and not moved:
        return Merged(None, "", base)
    wipes = line.blank and base is not None
    leads = [
        side for side in moved if line.goes(other(side)) and other(side) in flows and (value[side] or wipes)
    ]
    if leads:
        prefers: Side = "b" if (line.winner or winner) == "b" else "a"
        ahead = leads[0] if len(leads) == 1 else prefers
        gives_way = len(moved) == 2 and bool(value[other(ahead)])
        both = (value[ahead], value[ahead])
        return Merged(other(ahead), value[ahead], both, "conflict" if gives_way else "")
    blocked = {side for side in moved if line.goes(other(side)) and other(side) not in flows}
    if base is None:
        return Merged(None, "", None if blocked else (a, b))
    after = tuple(_of(base, side) if side in blocked else value[side] for side in SIDES)
    foreign = any(not line.goes(other(side)) for side in moved)
    kept = any(not value[side] for side in moved if side not in blocked)
    return Merged(None, "", (after[0], after[1]), "foreign" if foreign else "kept" if kept else "")


def alike(one: str, two: str) -> bool:
    """Tell whether two values are one and the same to every system; blanks around them are not told apart.

    >>> alike("Ada ", "Ada"), alike("Ada", "ada")
    (True, False)
    """
    return one == two or one.strip() == two.strip()


def _of(base: Base, side: Side) -> str:
    return base[0] if side == "a" else base[1]
