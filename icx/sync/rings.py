"""Syncs that lead around in a ring: a value could follow itself for ever, which one sync alone cannot see. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from icx.sync.definition import SIDES, Sync, other


def ring(sync: Sync, others: Iterable[Sync]) -> list[str]:
    """Return the systems of a ring that a sync closes together with others, or nothing.

    >>> one, two, three = Sync("1", "crm", "mail"), Sync("2", "mail", "shop"), Sync("3", "shop", "crm")
    >>> ring(one, [one, two]), ring(one, [two, three])
    ([], ['crm', 'mail', 'shop'])

    Between the same two systems a second sync is one too.

    >>> ring(one, [Sync("again", "mail", "crm")])
    ['crm', 'mail']
    """
    ways: dict[str, set[str]] = {}
    for one in others:
        if one.name != sync.name and one.paused is None:
            for side in SIDES:
                if one.on(side):
                    ways.setdefault(one.of(side), set()).add(one.of(other(side)))
    for side in SIDES:
        if sync.on(side):
            found = _way(ways, sync.of(other(side)), sync.of(side))
            if found:
                return [sync.of(side), *found[:-1]]
    return []


def _way(ways: dict[str, set[str]], start: str, end: str) -> list[str]:
    """Return the shortest way from one system to another."""
    paths = [[start]]
    seen = {start}
    for path in paths:  # it grows while it is walked
        for there in sorted(ways.get(path[-1], ())):
            if there == end:
                return [*path, there]
            if there not in seen:
                seen.add(there)
                paths.append([*path, there])
    return []
