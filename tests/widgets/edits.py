"""The builder's edits written once more, on rules in Python: what clicking must come to.

A place is the row's numbers from the root, `(2, 0)` for the first rule of the third row; a rule turned round is one
row. An edit that has nowhere to go gives the rule back as it was.
"""

from __future__ import annotations

from dataclasses import replace

from icx.rules import Rule
from icx.rules.nodes import Group

Place = tuple[int, ...]


def is_row(rule: Rule) -> bool:
    """A leaf, or a leaf with Not before it."""
    turned = isinstance(rule, Group) and rule.negated and rule.combinator == "and" and len(rule.rules) == 1
    return not isinstance(rule, Group) or (turned and not isinstance(rule.rules[0], Group))


def at(root: Group, place: Place) -> Rule:
    found: Rule = root
    for number in place:
        assert isinstance(found, Group)
        found = found.rules[number]
    return found


def places(root: Group, above: Place = ()) -> list[Place]:
    """Every row and every group but the root, in reading order."""
    found: list[Place] = []
    for number, rule in enumerate(root.rules):
        here = (*above, number)
        found.append(here)
        if isinstance(rule, Group) and not is_row(rule):
            found.extend(places(rule, here))
    return found


def put(root: Group, place: Place, *rules: Rule) -> Group:
    """The root with these instead of what is at the place; a group that loses its last rule goes too."""
    parent = at(root, place[:-1])
    assert isinstance(parent, Group)
    kept = (*parent.rules[: place[-1]], *rules, *parent.rules[place[-1] + 1 :])
    if not kept and len(place) > 1:
        return put(root, place[:-1])
    fresh = replace(parent, rules=kept)
    return fresh if len(place) == 1 else put(root, place[:-1], fresh)


def add(root: Group, place: Place, rule: Rule) -> Group:
    """The rule at the end of the group at the place."""
    group = at(root, place)
    assert isinstance(group, Group)
    fresh = replace(group, rules=(*group.rules, rule))
    return put(root, place, fresh) if place else fresh


def other(root: Group, place: Place) -> str:
    parent = at(root, place[:-1])
    assert isinstance(parent, Group)
    return "or" if parent.combinator == "and" else "and"


def wrap(root: Group, place: Place) -> Group:
    return put(root, place, Group(other(root, place), (at(root, place),)))  # type: ignore[arg-type]


def turn(root: Group, place: Place) -> Group:
    rule = at(root, place)
    if isinstance(rule, Group):
        return put(root, place, rule.rules[0] if is_row(rule) else replace(rule, negated=not rule.negated))
    return put(root, place, Group("and", (rule,), True))


def _insert(root: Group, group: Place, position: int, rule: Rule) -> Group:
    found = at(root, group)
    assert isinstance(found, Group)
    fresh = replace(found, rules=(*found.rules[:position], rule, *found.rules[position:]))
    return put(root, group, fresh) if group else fresh


def move(root: Group, place: Place, way: str) -> Group:
    *above, number = place
    parent_place = tuple(above)
    parent, rule = at(root, parent_place), at(root, place)
    assert isinstance(parent, Group)

    def group(position: int) -> Group | None:
        inside = 0 <= position < len(parent.rules)
        found = parent.rules[position] if inside else None
        return found if isinstance(found, Group) and not is_row(found) else None

    up, down = group(number - 1), group(number + 1)
    if way in {"up", "into"} and up is not None:
        return put(_insert(root, (*parent_place, number - 1), len(up.rules), rule), place)
    if way in {"down", "into"} and down is not None:
        return put(_insert(root, (*parent_place, number + 1), 0, rule), place)
    if way == "into":
        return root
    if way == "up" and number > 0:
        return put(put(root, place, parent.rules[number - 1]), (*parent_place, number - 1), rule)
    if way == "down" and number < len(parent.rules) - 1:
        return put(put(root, place, parent.rules[number + 1]), (*parent_place, number + 1), rule)
    if not parent_place:
        return root
    # Out of the group: before it when going up, else after it. The group is left first, so that its place is known.
    left = put(root, place)
    gone = len(parent.rules) == 1
    return _insert(left, parent_place[:-1], parent_place[-1] + (0 if way == "up" or gone else 1), rule)


def drop(root: Group, place: Place, group: Place, position: int) -> Group:
    """The rule at the place, put into a group before what stands at the position there now; never into itself."""
    same = group == place[:-1] and position in {place[-1], place[-1] + 1}
    if same or group[: len(place)] == place:
        return root
    fresh = _insert(root, group, position, at(root, place))
    now = list(place)
    if len(place) > len(group) and place[: len(group)] == group and place[len(group)] >= position:
        now[len(group)] += 1  # what it stands in, or itself, was pushed down by one
    return put(fresh, tuple(now))
