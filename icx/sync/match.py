"""Who belongs together where no link says so yet: by the address, and never by guessing. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Met(NamedTuple):
    """Whether the two people of one address are one (`together`), else why each side's are in step with nobody."""

    together: bool
    why_a: str = ""
    why_b: str = ""


def met(a: int, b: int, linked_a: int = 0, linked_b: int = 0) -> Met:
    """Return how people of one address belong together, by how many of each side no link holds (`a`, `b`) or one does.

    Where an address is there twice on a side, nobody can tell which one is meant: all of them are listed, and none is
    written or linked. Somebody whom a link holds stays linked; who comes with the same address later is the duplicate.

    >>> met(1, 1), met(1, 0)
    (Met(together=True, why_a='', why_b=''), Met(together=False, why_a='', why_b=''))
    >>> met(1, 2)
    Met(together=False, why_a='duplicate_there', why_b='duplicate')
    >>> met(1, 0, linked_a=1)
    Met(together=False, why_a='duplicate', why_b='')
    """
    if a == b == 1 and not linked_a and not linked_b:
        return Met(True)
    twice_a, twice_b = a + linked_a > 1, b + linked_b > 1
    why_a = "duplicate" if twice_a else "duplicate_there" if twice_b or linked_b else ""
    why_b = "duplicate" if twice_b else "duplicate_there" if twice_a or linked_a else ""
    return Met(False, why_a if a else "", why_b if b else "")
