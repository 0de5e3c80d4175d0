"""Nearest misses: who is out because of one rule alone, and would be in if it were different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, TypeAlias

from icx import mask
from icx.audience.audience import Audience
from icx.audience.people import People
from icx.rules import (
    Group,
    InAudience,
    Person,
    Rule,
    as_event,
    condition,
    fields_used,
    leaves,
    phrase,
    reason,
)
from icx.rules.nodes import child
from icx.store import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    Mask: TypeAlias = pa.BooleanArray  # a bit a person, or a pattern


@dataclass(frozen=True)
class Gate:
    """A node that keeps out whoever it does not say `opens` of, whatever the other nodes say."""

    path: str
    rule: Rule
    opens: bool

    @property
    def asks(self) -> Rule:
        """What somebody must be to pass."""
        return self.rule if self.opens else Group("and", (self.rule,), True)

    def words(self, zone: tzinfo) -> str:
        """Return in English what somebody must be to pass."""
        return phrase(self.asks, zone)

    def about_events(self) -> bool:
        """Whether what somebody did is part of the answer; a field that counts events is about them too."""
        return any(isinstance(one, InAudience) or as_event(one) is not None for _, one in leaves(self.rule))


@dataclass(frozen=True)
class Near:
    """The people one rule alone keeps out: how many, and up to a few of their ids."""

    rule: Rule
    english: str
    count: int
    ids: tuple[int, ...]


def gates(rule: Rule) -> tuple[Gate, ...]:
    """Return the nodes all of which must be passed to be in, as deep as they go; none when there is only one.

    The rules of an all-group are gates each, those of a none-group too; an any-group inside is one, for whoever fails
    it fails every rule in it.

    >>> from icx.rules import Compare
    >>> a, b, c, d = (Compare(name, "notNull") for name in "abcd")
    >>> [(one.path, one.opens) for one in gates(Group("and", (a, Group("or", (b, c)), Group("or", (c, d), True))))]
    [('rules[0]', True), ('rules[1]', True), ('rules[2].rules[0]', False), ('rules[2].rules[1]', False)]
    >>> gates(Group("or", (a, b)))
    ()
    """
    found = tuple(_gates(rule, "", True))
    return found if len(found) > 1 else ()


def _gates(rule: Rule, path: str, opens: bool) -> Iterator[Gate]:
    if isinstance(rule, Group) and rule.rules:
        inner = opens != rule.negated
        if len(rule.rules) == 1 or inner == (rule.combinator == "and"):
            for n, one in enumerate(rule.rules):
                yield from _gates(one, child(path, n), inner)
            return
    yield Gate(path, rule, opens)


def alone(passed: Sequence[Mask]) -> list[Mask]:
    """Return, for each of several conditions that all must be passed, who fails only that one."""
    import pyarrow.compute as pc

    once = twice = None  # who fails one at least, and two
    for one in map(pc.invert, passed):
        again = None if once is None else pc.and_(once, one)
        twice = again if twice is None else pc.or_(twice, again)
        once = one if once is None else pc.or_(once, one)
    only = once if twice is None else pc.and_not(once, twice)
    return [pc.and_not(only, one) for one in passed]


def one_step_away(people: People, audience: Audience | Rule, n: int = 5) -> tuple[Near, ...]:
    """Return, for each rule that alone can keep somebody out, the people who fail it and no other; see `gates`.

    Empty where only one rule can, an any-group for example: then it is everybody who is out.
    """
    with people.open(audience) as (con, reading, rule):
        found = gates(rule)
        if not found:
            return ()
        tests = [(condition(one.rule, reading, one.path), one.opens) for one in found]
        columns = ", ".join(f"({test.text}) = {opens} as r{k}" for k, (test, opens) in enumerate(tests))
        failed = " + ".join(f"(not r{k})::integer" for k in range(len(found)))
        which = " ".join(f"when not r{k} then {k}" for k in range(len(found)))
        rows = con.execute(
            f"select case {which} end as k, count(*), min(contact_id, {int(n)}) from"
            f" (select contact_id, {columns} from {quoted(people.profile)}) where {failed} = 1 group by k",
            [param for test, _ in tests for param in test.params],
        ).fetchall()
    by_gate = {k: (int(size), tuple(map(int, ids))) for k, size, ids in rows}
    return tuple(
        Near(one.rule, one.words(people.zone), *by_gate.get(k, (0, ()))) for k, one in enumerate(found)
    )


def near(rule: Rule, passing: Callable[[Rule, str], Mask]) -> Mapping[str, Mask]:
    """Return, by the path of each gate, who is out because of it alone; `passing` says who passes a node."""
    import pyarrow.compute as pc

    found = gates(rule)
    passed = [passing(one.rule, one.path) for one in found]
    masks = [mask if one.opens else pc.invert(mask) for mask, one in zip(passed, found, strict=True)]
    return dict(zip((one.path for one in found), alone(masks), strict=True))


def fact(gate: Gate, person: Person, *, masked: bool = True) -> str:
    """Return what somebody has where a gate looks; `masked` hides addresses and personal values."""
    told = reason(gate.asks, person)
    rows = [row for row in told.rows if row.number]
    if not masked:
        return " · ".join(told.detail(row) for row in rows)
    return " · ".join(_masked(told.detail(row), row.rule, person) for row in rows)


def _masked(words: str, rule: Rule, person: Person) -> str:
    """Return what somebody has without who they are: of a name its first letter, of an address as everywhere."""
    fields = [person.catalogue[name] for name in fields_used(rule) if name in person.catalogue]
    if words != "no value" and any(one.pii and one.name != "email" for one in fields):
        return f"{words[:1]}…"
    return mask.addresses_in(words)
