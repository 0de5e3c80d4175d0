"""What each node of a rule keeps of the people who reach it: the whole tree in one pass over the profile.

Every leaf is asked once a person. Which leaves somebody passes is a pattern, and there are far fewer patterns than
people, so the pass counts patterns and all figures of all nodes are sums over these. Where who passes a leaf is known
already, as a bit a person, the same sums are made over everybody: ten million people are a megabyte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from icx.audience.near import near
from icx.rules import (
    Group,
    InAudience,
    Reading,
    Rule,
    Sql,
    audiences_used,
    condition,
    referred,
    walk,
    without_machines,
)
from icx.rules.nodes import child
from icx.store import Connection, quoted

if TYPE_CHECKING:
    from icx.audience.near import Mask


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


class Passes(Protocol):
    """Who knows, or finds out, who of all people passes a condition: a bit each, always in the same order."""

    def ask(self, tests: Iterable[Sql]) -> None:
        """Find out about several conditions at once, before each is asked for."""

    def __call__(self, test: Sql) -> Mask:
        """Return who passes a condition."""


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


def waterfall(con: Connection, profile: str, rule: Rule, reading: Reading) -> Waterfall:
    """Return the figures of every node of a rule, in one query.

    Raises what reading a rule raises (`field-unknown`, `rule-value`, …), before anything is counted.
    """
    asked = question(profile, rule, reading)
    return asked.answered(con.sql(asked.sql.text, params=list(asked.sql.params)).to_arrow_table())


def waterfall_of(rule: Rule, reading: Reading, passing: Passes) -> Waterfall:
    """Return what `waterfall` does; `passing` says of a condition who of all people passes it.

    Whoever is asked again and again after small edits keeps the answers for what did not change, and asks for the size
    without machines when the rest has been told (`size_without_machines`).
    """
    return _figures(rule, _known(rule, reading, passing), None)


@dataclass(frozen=True)
class Question:
    """A waterfall as one query: how many people pass which leaves; `answered` makes figures of its rows."""

    sql: Sql
    rule: Rule
    twin: Rule | None
    places: Mapping[str, int]

    def answered(self, rows: Any) -> Waterfall:
        """Return the figures; `rows` is an Arrow table of the query's columns."""
        import pyarrow as pa
        import pyarrow.compute as pc

        people = rows.column("n")
        everybody = pa.array([True] * rows.num_rows, pa.bool_())
        masks = [pa.concat_arrays(column.chunks or [everybody]) for column in rows.columns[1:]]
        patterns = _Patterns(
            everybody, masks, self.places, lambda mask: pc.sum(people.filter(mask)).as_py() or 0
        )
        return _figures(self.rule, patterns, self.twin)


def question(profile: str, rule: Rule, reading: Reading) -> Question:
    """Return what a waterfall asks; raises what reading a rule raises."""
    twin = _humanly(rule, reading)
    asked = _Asked(reading)
    asked.ask(rule, "")
    if twin:
        asked.reading = twin[1]
        asked.ask(twin[0], "human")
    return Question(asked.query(profile), rule, twin[0] if twin else None, asked.places)


def _figures(rule: Rule, patterns: _Patterns, twin: Rule | None) -> Waterfall:
    nodes: dict[str, Figures] = {}
    everybody = patterns.everybody
    patterns.figures(rule, "", everybody, everybody, None, nodes)
    size = patterns.count(patterns.of(twin, "human")) if twin is not None else None
    empty = None if nodes[""].left else _empties(rule, nodes)
    without = patterns.count(patterns.of(rule, "", leaving=empty)) if empty else 0
    missed = {path: patterns.count(mask) for path, mask in near(rule, patterns.of).items()}
    return Waterfall(patterns.count(everybody), size, nodes, empty, without, missed)


def members_of(rule: Rule, reading: Reading, passing: Passes) -> Mask:
    """Return who of all people a rule is true of, put together from who passes its leaves."""
    return _known(rule, reading, passing).of(rule, "")


def missed_by(rule: Rule, path: str, reading: Reading, passing: Passes) -> Mask:
    """Return who of all people is out because of one gate alone; see `gates`."""
    return near(rule, _known(rule, reading, passing).of)[path]


def size_without_machines(rule: Rule, reading: Reading, passing: Passes) -> int | None:
    """Return how many a rule is true of without what machines probably did; None when they cannot change it."""
    twin = _humanly(rule, reading)
    return None if twin is None else int(members_of(*twin, passing).true_count)


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

    def query(self, profile: str) -> Sql:
        """Return one query of the patterns there are: how many people have each, and which leaves it passes."""
        marks = [f"r{n}" for n in range(len(self.found))]
        columns = "".join(f", {one.text} as {mark}" for one, mark in zip(self.found, marks, strict=True))
        given = tuple(param for one in self.found for param in one.params)
        wanted = ", ".join(["count(*) as n", *marks])
        grouped = f" group by {', '.join(marks)}" if marks else ""
        return Sql(
            f"select {wanted} from (select contact_id{columns} from {quoted(profile)}){grouped}", given
        )


def _known(rule: Rule, reading: Reading, passing: Passes) -> _Patterns:
    """Return everybody as a pattern of their own, put together from who passes each leaf."""
    leaves = {path: node for path, node in walk(rule, "") if not isinstance(node, Group)}
    asked = {path: condition(node, reading, path) for path, node in leaves.items()}
    passing.ask(test for path, test in asked.items() if not isinstance(leaves[path], InAudience))
    masks: dict[Sql, Mask] = {}
    for path, test in asked.items():
        if test not in masks:
            masks[test] = _leaf(leaves[path], test, reading, path, passing)
    order = {test: n for n, test in enumerate(masks)}
    places = {path: order[test] for path, test in asked.items()}
    return _Patterns(passing(Sql("true")), list(masks.values()), places, lambda mask: int(mask.true_count))


def _leaf(node: Rule, found: Sql, reading: Reading, path: str, passing: Passes) -> Mask:
    import pyarrow.compute as pc

    if not isinstance(node, InAudience):
        return passing(found)
    members = members_of(*referred(node, reading, path), passing)
    return members if node.operator == "in" else pc.invert(members)


class _Patterns:
    """Which leaves people pass: `marks` have a bit for each pattern there is, and `count` says how many people have
    those of a mask."""

    def __init__(
        self, everybody: Mask, marks: list[Mask], places: Mapping[str, int], count: Callable[[Mask], int]
    ) -> None:
        self._marks = marks
        self._places = places
        self.count = count
        self.everybody = everybody

    def of(self, rule: Rule, path: str, leaving: str | None = None) -> Mask:
        """Return which patterns pass a node; `leaving` is the path of a rule that is left out."""
        import pyarrow.compute as pc

        if not isinstance(rule, Group):
            return self._marks[self._places[path]]
        every = rule.combinator == "and"
        passed = self.everybody if every else pc.invert(self.everybody)
        for n, each in enumerate(rule.rules):
            below = child(path, n)
            if below != leaving:
                one = self.of(each, below, leaving)
                passed = pc.and_(passed, one) if every else pc.or_(passed, one)
        return pc.invert(passed) if rule.negated else passed

    def figures(
        self, rule: Rule, path: str, group: Mask, before: Mask, others: Mask | None, into: dict[str, Figures]
    ) -> Mask:
        """Put the figures of a node and all below it into a dictionary, and return whom it leaves.

        `group` reach the group it stands in, `before` the node itself, `others` pass another rule of its any-group.
        """
        import pyarrow.compute as pc

        own = self.of(rule, path)
        left = pc.and_(before, own)
        everywhere = self.count(own)
        into[path] = Figures(
            self.count(before),
            self.count(left),
            everywhere if group is self.everybody else self.count(pc.and_(group, own)),
            everywhere,
            None if others is None else self.count(pc.and_not(left, others)),
        )
        if not isinstance(rule, Group):
            return left
        if rule.combinator == "and":
            arriving = before
            for n, one in enumerate(rule.rules):
                arriving = self.figures(one, child(path, n), before, arriving, None, into)
            return left
        each = [self.of(one, child(path, n)) for n, one in enumerate(rule.rules)]
        for n, one in enumerate(rule.rules):
            rest = pc.invert(self.everybody)
            for k, mask in enumerate(each):
                rest = pc.or_(rest, mask) if k != n else rest
            self.figures(one, child(path, n), before, before, rest, into)
        return left


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
