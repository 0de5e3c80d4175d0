"""What each node of a rule keeps of the people who reach it: the whole tree in one pass over the profile.

Every leaf is asked once a person. Which leaves somebody passes is a pattern, and there are far fewer patterns than
people, so the pass counts patterns and all figures of all nodes are sums over these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from icx.audience.near import near
from icx.rules import Group, Reading, Rule, Sql, audiences_used, condition, walk, without_machines
from icx.rules.nodes import child
from icx.store import Connection, quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

COUNTED = 20  # up to so many leaves the patterns are counted in a table of all there can be


@dataclass(frozen=True)
class Figures:
    """One node's figures.

    `before` people reach it and `left` of them pass it. In an all-group who reaches a rule has passed those before
    it; in an any-group every rule is reached by all who reach the group, and `alone` is how many it has that no other
    rule has. `own` is how many it would keep of all who reach its group, `everywhere` of everybody.

    A group that is turned round has its figures after the turn, the rules inside it theirs before.
    """

    before: int
    left: int
    own: int
    everywhere: int
    alone: int | None = None

    @property
    def dropped(self) -> int:
        return self.before - self.left


@dataclass(frozen=True)
class Waterfall:
    """The figures of a rule's nodes by path (the whole rule's is ''), of how many people, and without machines.

    `human` is None when machines cannot change who is in, or it was not asked. `without` is the size of the whole
    without a node, for the first node that leaves nobody of those who reach it; `empty` is that node's path, None when
    there is none. `near` is how many are out because of a node alone, by the paths of `gates`.
    """

    of: int
    human: int | None
    nodes: Mapping[str, Figures]
    empty: str | None = None
    without: int = 0
    near: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.nodes[""].left


def waterfall(
    con: Connection,
    profile: str,
    rule: Rule,
    reading: Reading,
    passing: Callable[[Sql], Mask] | None = None,
) -> Waterfall:
    """Return the figures of every node of a rule, in one query.

    With `passing`, which says of a condition who of all people passes it, always in the same order, nothing is
    queried here: whoever is asked again and again after small edits keeps the answers for what did not change, and
    asks for the size without machines when the rest has been told (`size_without_machines`).
    Raises what reading a rule raises (`field-unknown`, `rule-value`, …), before anything is counted.
    """
    asked = _Asked(reading)
    asked.ask(rule, "")
    twin = _humanly(rule, reading) if passing is None else None
    if twin:
        asked.reading = twin[1]
        asked.ask(twin[0], "human")
    patterns = asked.answered(con, profile) if passing is None else asked.known(passing)
    nodes: dict[str, Figures] = {}
    everybody = patterns.everybody
    patterns.figures(rule, "", everybody, everybody, None, nodes)
    size = patterns.count(patterns.of(twin[0], "human")) if twin else None
    empty = None if nodes[""].left else _empties(rule, nodes)
    without = patterns.count(patterns.of(rule, "", leaving=empty)) if empty else 0
    missed = {path: patterns.count(mask) for path, mask in near(rule, patterns.of).items()}
    return Waterfall(patterns.count(everybody), size, nodes, empty, without, missed)


def members_of(rule: Rule, reading: Reading, passing: Callable[[Sql], Mask]) -> Mask:
    """Return who of all people a rule is true of, put together from who passes its leaves."""
    return _people(rule, reading, passing).of(rule, "")


def missed_by(rule: Rule, path: str, reading: Reading, passing: Callable[[Sql], Mask]) -> Mask:
    """Return who of all people is out because of one gate alone; see `gates`."""
    return near(rule, _people(rule, reading, passing).of)[path]


def _people(rule: Rule, reading: Reading, passing: Callable[[Sql], Mask]) -> _Patterns:
    """Return who passes which leaves, every person a pattern of their own."""
    asked = _Asked(reading)
    asked.ask(rule, "")
    everybody = passing(Sql("true"))
    return _Patterns(everybody, [passing(one) for one in asked.found], asked.places)


def size_without_machines(rule: Rule, reading: Reading, passing: Callable[[Sql], Mask]) -> int | None:
    """Return how many a rule is true of without what machines probably did; None when they cannot change it."""
    twin = _humanly(rule, reading)
    return None if twin is None else int(members_of(*twin, passing).sum())


def reaching(rule: Rule, path: str) -> Rule:
    """Return the rule of those who reach a node: who passed, in every all-group around it, the rules before.

    >>> from icx.rules import Compare
    >>> a, b, c = (Compare(name, "notNull") for name in "abc")
    >>> reaching(Group("and", (a, Group("or", (b, c)))), "rules[1].rules[1]")
    f.a.has_value()
    """
    passed: list[Rule] = []
    at, here = rule, ""
    while here != path:
        assert isinstance(at, Group)
        for n, inner in enumerate(at.rules):
            below = child(here, n)
            if path == below or path.startswith(f"{below}."):
                passed += at.rules[:n] if at.combinator == "and" else ()
                at, here = inner, below
                break
        else:
            raise KeyError(path)
    return Group("and", tuple(passed))


def _empties(rule: Rule, nodes: Mapping[str, Figures]) -> str | None:
    """Return the path of the first rule that leaves nobody of those who reach it, as deep as it can be named."""
    found = None
    at, here = rule, ""
    while isinstance(at, Group) and at.combinator == "and" and not at.negated:
        for n, inner in enumerate(at.rules):
            path = child(here, n)
            if nodes[path].before and not nodes[path].left:
                found, at, here = path, inner, path
                break
        else:
            break
    return found


class _Asked:
    """The different conditions of a rule's leaves; one that stands twice is asked once."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.places: dict[str, int] = {}
        self.found: dict[Sql, int] = {}

    def ask(self, rule: Rule, root: str) -> None:
        for path, node in walk(rule, root):
            if not isinstance(node, Group):
                where = path.removeprefix("human").lstrip(".") if root else path
                found = condition(node, self.reading, where)
                self.places[path] = self.found.setdefault(found, len(self.found))

    def answered(self, con: Connection, profile: str) -> _Patterns:
        import numpy as np

        marks = [f"r{n}" for n in range(len(self.found))]
        columns = "".join(f", {one.text} as {mark}" for one, mark in zip(self.found, marks, strict=True))
        given = [param for one in self.found for param in one.params]
        wanted = ", ".join(["count(*) as n", *marks])
        grouped = f" group by {', '.join(marks)}" if marks else ""
        rows = con.execute(
            f"select {wanted} from (select contact_id{columns} from {quoted(profile)}){grouped}", given
        ).fetchnumpy()
        people = np.asarray(rows["n"], dtype=np.int64)
        return _Patterns(people, [np.asarray(rows[mark], dtype=np.bool_) for mark in marks], self.places)

    def known(self, passing: Callable[[Sql], Mask]) -> _Patterns:
        """Put the leaves' answers together: each person's pattern is a number, and the numbers are counted."""
        import numpy as np

        masks = [passing(one) for one in self.found] or [passing(Sql("true"))]
        width = next(size for size in (8, 16, 32, 64) if len(masks) <= size) if len(masks) <= 64 else 0
        if not width:  # so many leaves that no number holds a pattern: every person is one
            people = np.ones(len(masks[0]), dtype=np.int64)
            return _Patterns(people, masks, self.places)
        kind = np.dtype(f"uint{width}").type
        pattern = np.zeros(len(masks[0]), dtype=kind)
        for n, mask in enumerate(masks):
            pattern |= mask.view(np.uint8).astype(kind) << kind(n)
        if len(masks) <= COUNTED:
            counts = np.bincount(pattern, minlength=1)
            found = np.flatnonzero(counts)
            people = counts[found]
        else:
            found, people = np.unique(pattern, return_counts=True)
        bits = found.astype(np.uint64)
        marks = [((bits >> np.uint64(n)) & np.uint64(1)).astype(np.bool_) for n in range(len(self.found))]
        return _Patterns(people.astype(np.int64), marks, self.places)


class _Patterns:
    """How many people pass and fail which leaves: a row for each pattern that somebody has."""

    def __init__(self, people: Any, marks: list[Mask], places: Mapping[str, int]) -> None:
        import numpy as np

        self._people = people
        self._marks = marks
        self._places = places
        self.everybody: Mask = np.ones(len(people), dtype=np.bool_)

    def count(self, mask: Mask) -> int:
        return int(self._people[mask].sum())

    def of(self, rule: Rule, path: str, leaving: str | None = None) -> Mask:
        """Return which patterns pass a node; `leaving` is the path of a rule that is left out."""
        if not isinstance(rule, Group):
            return self._marks[self._places[path]]
        every = rule.combinator == "and"
        passed = self.everybody if every else ~self.everybody
        for n, inner in enumerate(rule.rules):
            below = child(path, n)
            if below != leaving:
                one = self.of(inner, below, leaving)
                passed = passed & one if every else passed | one
        return ~passed if rule.negated else passed

    def figures(
        self, rule: Rule, path: str, group: Mask, before: Mask, others: Mask | None, into: dict[str, Figures]
    ) -> None:
        """Put the figures of a node and all below it into a dictionary.

        `group` reach the group it stands in, `before` the node itself, `others` pass another rule of its any-group.
        """
        own = self.of(rule, path)
        into[path] = Figures(
            self.count(before),
            self.count(before & own),
            self.count(group & own),
            self.count(own),
            None if others is None else self.count(before & own & ~others),
        )
        if not isinstance(rule, Group):
            return
        each = [self.of(inner, child(path, n)) for n, inner in enumerate(rule.rules)]
        arriving = before
        for n, inner in enumerate(rule.rules):
            if rule.combinator == "or":
                rest = ~self.everybody
                for k, one in enumerate(each):
                    rest = rest | one if k != n else rest
                self.figures(inner, child(path, n), before, before, rest, into)
            else:
                self.figures(inner, child(path, n), before, arriving, None, into)
                arriving = arriving & each[n]


class _WithoutMachines(Mapping[str, Rule]):
    """Other audiences' rules, each with what machines probably did left out."""

    def __init__(self, rules: Mapping[str, Rule], reading: Reading) -> None:
        self._rules = rules
        self._reading = reading

    def __getitem__(self, name: str) -> Rule:
        return without_machines(self._rules[name], self._reading.catalogue)

    def __iter__(self) -> Any:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def _humanly(rule: Rule, reading: Reading) -> tuple[Rule, Reading] | None:
    """Return the rule without machines and what to read it against, nested audiences included; None if no other."""
    human = without_machines(rule, reading.catalogue)
    if not audiences_used(rule):
        return None if human == rule else (human, reading)
    audiences = _WithoutMachines(reading.lookup.audiences, reading)
    return human, replace(reading, lookup=replace(reading.lookup, audiences=audiences))
