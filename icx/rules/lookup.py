"""What names in a rule stand for: lists by name or #id, other audiences, and the zone days begin in."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from icx.errors import BadInput, NeedsYou
from icx.rules.nodes import Rule


@dataclass(frozen=True)
class Lookup:
    """The names a rule may use beside the catalogue's fields.

    `lists` is id → name; `list_sizes` (id → normal members) makes the error about two lists of one name more
    helpful. `audiences` is name → rule and may read files when asked. `zone` is where days and weeks begin.
    """

    lists: Mapping[int, str | None] = field(default_factory=dict)
    audiences: Mapping[str, Rule] = field(default_factory=dict)
    zone: tzinfo = UTC
    list_sizes: Mapping[int, int] = field(default_factory=dict)
    connection: str = ""

    def list_id(self, name: str, where: str) -> int:
        """Return the id of the list with exactly this name, or `#id`.

        >>> Lookup(lists={3004: "Newsletter"}).list_id("#3004", "the rule")
        3004
        """
        if re.fullmatch(r"#\d{1,18}", name) and int(name[1:]) in self.lists:
            return int(name[1:])
        found = [list_id for list_id, own in self.lists.items() if own == name]
        if len(found) == 1:
            return found[0]
        who = self.connection or "This connection"
        if found:
            found.sort()
            sizes = " · ".join(
                f"#{i} with {self.list_sizes[i]:,} members" if i in self.list_sizes else f"#{i}"
                for i in found
            )
            raise BadInput(
                "list-twice",
                f'{who} has {"two" if len(found) == 2 else len(found)} lists "{name}".',
                where=f"{where}: {sizes}",
                kept="nothing was changed",
                next=[f'write the list\'s id instead of its name: "#{found[0]}"'],
                data={"lists": found},
            )
        near = nearest(name, {own: i for i, own in self.lists.items() if own})
        hint = ", ".join(f"{own} ({i})" for own, i in near)
        raise BadInput(
            "list-unknown",
            f'{who} has no list "{name}".' + (f" Nearest: {hint}." if hint else ""),
            where=where,
            kept="nothing was changed",
            next=[["icx", "lists", self.connection]] if self.connection else ["icx lists shows them all"],
        )

    def audience(self, name: str, where: str, trail: Sequence[str] = ()) -> Rule:
        """Return the rule of another audience; `trail` is the audiences being read, outermost first."""
        if name in trail:
            raise cycle([*trail[list(trail).index(name) :], name])
        if name not in self.audiences:
            raise audience_unknown(name, self.audiences, where)
        return self.audiences[name]


def nearest(name: str, names: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return up to three of the names that look most like this one, upper and lower case apart."""
    folded: dict[str, str] = {}
    for own in names:
        folded.setdefault(own.casefold(), own)
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
    return [(folded[text], names[folded[text]]) for text in close]


def audience_unknown(name: str, known: Iterable[str], where: str) -> BadInput:
    near = [own for own, _ in nearest(name, dict.fromkeys(known, 0))]
    hint = f" Nearest: {', '.join(near)}." if near else ""
    return BadInput(
        "audience-unknown",
        f'There is no audience "{name}".{hint}',
        where=where,
        kept="nothing was changed",
        next=[["icx", "audience", "show", near[0]] if near else ["icx", "audience", "list"]],
    )


def cycle(names: Sequence[str]) -> NeedsYou:
    """Return the error that audiences use each other in a circle; the first name is also the last.

    >>> cycle(["Gold", "Silver", "Gold"]).message
    'Gold uses Silver, which uses Gold.'
    >>> cycle(["Gold", "Gold"]).message
    'Gold uses Gold.'
    """
    first, second, *rest = names
    return NeedsYou(
        "audience-cycle",
        f"{first} uses {second}" + "".join(f", which uses {name}" for name in rest) + ".",
        where=" → ".join(names),
        kept="nothing was saved",
        next=[["icx", "audience", "show", second]],
    )
