"""Rules as frozen nodes: a leaf says one thing about a person, a group joins leaves with all, any, not.

A node holds only what its JSON holds (text, numbers, booleans, lists of these), so that a rule typed in
Python, clicked in a builder, and read from a file are the same object. Values get their type from the
catalogue when the rule is read against it (see `icx.rules.values`).

Missing values, for every leaf: **a leaf on a missing value is false**, whatever its operator, so also for
`!=`, `doesNotContain`, `notIn` and `notBetween`. `~rule` is the exact complement, so a rule and its negation
together always make everybody: `city != "Durham"` wants people whose city is known and another one,
`~(city == "Durham")` wants everybody else, people without a city included. Missing means: no value, empty
text, not-a-number, an empty list or an empty map. Leaves on lists, events and audiences are never missing:
who has no event did it 0 times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from icx.errors import BadInput

Kind = Literal["open", "click", "bounce", "unsubscribe", "any"]
Scalar = str | int | float | bool


@dataclass(frozen=True)
class Days:
    """The last n days of 24 hours before the moment the rule is read at: `[as_of - n days, as_of)`."""

    days: int | float


@dataclass(frozen=True)
class This:
    """The current day, week (from Monday), month or year in the workspace's zone, up to `as_of`."""

    unit: Literal["day", "week", "month", "year"]


Value = Scalar | Days | This | tuple[Scalar, ...] | None


class Rule:
    """What all nodes can do: `&` all of, `|` any of, `~` everybody else."""

    def __and__(self, other: Rule) -> Group:
        return _join("and", self, other)

    def __or__(self, other: Rule) -> Group:
        return _join("or", self, other)

    # Python asks the right side when the left is no rule: `f.opens_90d >= 3 & rule` means `3 & rule` first.
    def __rand__(self, other: object) -> NoReturn:
        _join("and", self, other)  # type: ignore[arg-type]
        raise AssertionError

    def __ror__(self, other: object) -> NoReturn:
        _join("or", self, other)  # type: ignore[arg-type]
        raise AssertionError

    def __invert__(self) -> Rule:
        if isinstance(self, Group):
            if self.negated and len(self.rules) == 1 and self.combinator == "and":
                return self.rules[0]
            return Group(self.combinator, self.rules, not self.negated)
        return Group("and", (self,), negated=True)

    def __bool__(self) -> NoReturn:
        raise BadInput(
            "rule-value",
            "A rule is neither true nor false by itself: write & for `and`, | for `or`, ~ for `not`.",
            where=repr(self),
            kept="nothing was changed",
            next=['(f.opens_90d >= 3) & ~(f.city == "Durham"), each part in its own parentheses'],
        )


@dataclass(frozen=True, repr=False)
class Group(Rule):
    """All of (`and`) or any of (`or`) some rules; `negated` turns the whole round.

    All of nothing is everybody; any of nothing is nobody.
    """

    combinator: Literal["and", "or"] = "and"
    rules: tuple[Rule, ...] = ()
    negated: bool = False

    def __repr__(self) -> str:
        return _code(self)


@dataclass(frozen=True, repr=False)
class Compare(Rule):
    """One profile field against a value. `key` picks one entry of a map field."""

    field: str
    operator: str
    value: Value = None
    key: str | None = None

    def __repr__(self) -> str:
        return _code(self)


@dataclass(frozen=True, repr=False)
class OnList(Rule):
    """A person's state on a list, named exactly or by `#id`.

    `normal`, `pending` and `unsubscribed` are the service's own words. `on` is normal or pending; `not on` is
    everybody else, people who left the list included.
    """

    state: Literal["normal", "pending", "unsubscribed", "on", "not on"]
    name: str

    def __repr__(self) -> str:
        return _code(self)


@dataclass(frozen=True)
class Link:
    """Which links of a click count: an operator for text and its value."""

    operator: str
    value: str


@dataclass(frozen=True, repr=False)
class Event(Rule):
    """How often somebody opened, clicked, bounced, unsubscribed, or did any of these.

    `count` is a whole number (two of them for `between`). The window is the last `days` before `as_of`, or
    `between` two moments or dates, both included, either of which may be None; without one it is all the
    time up to `as_of`. `distinct="messages"` counts different messages instead of events. `human` leaves out
    what machines probably did.
    """

    kind: Kind
    operator: str = ">="
    count: int | tuple[int, int] = 1
    days: int | float | None = None
    between: tuple[str | None, str | None] | None = None
    message: int | None = None
    url: Link | None = None
    distinct: Literal["messages"] | None = None
    human: bool = False

    def __repr__(self) -> str:
        return _code(self)


@dataclass(frozen=True, repr=False)
class InAudience(Rule):
    """Whether somebody is in another audience, at the same `as_of`."""

    operator: Literal["in", "notIn"]
    audience: str

    def __repr__(self) -> str:
        return _code(self)


EVERYBODY = Group()


def walk(rule: Rule, path: str = "") -> Iterator[tuple[str, Rule]]:
    """Yield every node with its path, the root first (its path is empty).

    >>> [path for path, _ in walk(Group("and", (Compare("city", "null"), Group("or", (EVERYBODY,)))))]
    ['', 'rules[0]', 'rules[1]', 'rules[1].rules[0]']
    """
    yield path, rule
    if isinstance(rule, Group):
        for position, inner in enumerate(rule.rules):
            yield from walk(inner, child(path, position))


def child(path: str, position: int) -> str:
    """Return the path of a group's n-th rule."""
    return f"{path}.rules[{position}]" if path else f"rules[{position}]"


def leaves(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield every leaf with its path, in reading order."""
    return ((path, node) for path, node in walk(rule) if not isinstance(node, Group))


def _join(combinator: Literal["and", "or"], left: Rule, right: Rule) -> Group:
    for side in (left, right):
        if not isinstance(side, Rule):
            raise BadInput(
                "rule-value",
                f"`{'&' if combinator == 'and' else '|'}` joins two rules; {side!r} is not one.",
                where=repr(left if side is right else right),
                kept="nothing was changed",
                next=['compare the field first: (f.opens_90d >= 3) & (f.city == "Durham")'],
            )
    parts: list[Rule] = []
    for side in (left, right):
        same = isinstance(side, Group) and side.combinator == combinator and not side.negated
        parts.extend(side.rules if same and isinstance(side, Group) and side.rules else [side])
    return Group(combinator, tuple(parts))


def _code(rule: Rule) -> str:
    from icx.rules.code import code

    return code(rule)
