"""What each node of a rule keeps: the one pass over the profile says what plain Python says of each person in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from rule_people import AS_OF, CATALOGUE, LOOKUP, crowds, database, rules

from icx.audience import Figures, reaching, waterfall
from icx.audience.waterfall import size_without_machines, waterfall_of
from icx.rules import Among, Group, Person, Reading, Rule, Sql, oracle, walk
from icx.rules.nodes import child
from icx.rules.operators import compare_counts

few = settings(max_examples=30, deadline=None)


def by_hand(
    rule: Rule, path: str, group: Sequence[Person], before: Sequence[Person], others: Sequence[Rule] | None
) -> Iterator[tuple[str, Figures]]:
    """Walk down the tree with the people themselves."""
    left = [one for one in before if oracle(rule, one)]
    alone = None
    if others is not None:
        alone = len([one for one in left if not any(oracle(other, one) for other in others)])
    own = len([one for one in group if oracle(rule, one)])
    yield path, Figures(len(before), len(left), own, -1, alone)
    if isinstance(rule, Group):
        arriving = before
        for n, inner in enumerate(rule.rules):
            if rule.combinator == "or":
                rest = [other for k, other in enumerate(rule.rules) if k != n]
                yield from by_hand(inner, child(path, n), before, before, rest)
            else:
                yield from by_hand(inner, child(path, n), before, arriving, None)
                arriving = [one for one in arriving if oracle(inner, one)]


def turned(rule: Rule, path: str, here: str = "") -> Rule:
    """The rule with the node at the path turned round."""
    if here == path:
        return Group("and", (rule,), True)
    if not isinstance(rule, Group):
        return rule
    inner = tuple(turned(one, path, child(here, n)) for n, one in enumerate(rule.rules))
    return replace(rule, rules=inner)


@dataclass
class Told:
    """Who passes a condition, told by the database or, of lists and events, reckoned from its rows."""

    con: Any
    announced: set[Sql] = field(default_factory=set)

    def ask(self, tests: Iterable[Sql]) -> None:
        self.announced |= set(tests)

    def __call__(self, test: Sql) -> Any:
        assert test in self.announced or test == Sql("true")
        if isinstance(test, Among):  # by its parts, as views that are edited ask it
            rows = self.con.execute(test.rows.text, list(test.rows.params)).fetchall()
            times = Counter(row[0] for row in (set(rows) if test.once else rows))
            people = self.con.execute("select contact_id from profile order by rowid").fetchall()
            found = [compare_counts(test.operator, times[one], test.count) for (one,) in people]
            assert test.ever is None or found == [(times[one] > 0) == test.ever for (one,) in people]
            return pa.array(found, pa.bool_())
        rows = self.con.execute(
            f"select {test.text} from profile order by rowid", list(test.params)
        ).fetchall()
        return pa.array([row[0] for row in rows], pa.bool_())


@few
@given(rules, crowds)
def test_every_node_keeps_the_people_the_oracle_says(rule: Rule, crowd: Sequence[Person]) -> None:
    def size(asked: Rule) -> int:
        return len([one for one in crowd if oracle(asked, one)])

    with database(crowd) as con:
        found = waterfall(con, "profile", rule, Reading(CATALOGUE, LOOKUP, AS_OF))
        # answers of leaves that are kept, put together person by person, come to the same
        reading = Reading(CATALOGUE, LOOKUP, AS_OF)
        passing = Told(con)
        alike = waterfall_of(rule, reading, passing)
        assert replace(alike, human=size_without_machines(rule, reading, passing)) == found
    expected = dict(by_hand(rule, "", crowd, crowd, None))
    nodes = dict(walk(rule))
    assert list(found.nodes) == list(expected) == list(nodes)
    for path, figures in expected.items():
        own = found.nodes[path]
        assert own == replace(figures, everywhere=size(nodes[path])), path
        assert own.dropped == own.before - own.left
        assert size(reaching(rule, path)) == own.before
    for path, n in found.near.items():
        would = turned(rule, path)
        assert n == len([one for one in crowd if oracle(would, one) and not oracle(rule, one)]), path
    assert (found.of, found.size) == (len(crowd), size(rule))
    if found.empty is not None:
        assert found.size == 0
        assert found.nodes[found.empty].before > found.nodes[found.empty].left == 0
        assert found.without == size(_without(rule, found.empty))


def _without(rule: Rule, leaving: str, path: str = "") -> Rule:
    assert isinstance(rule, Group)
    kept = [
        _without(inner, leaving, child(path, n)) if leaving.startswith(f"{child(path, n)}.") else inner
        for n, inner in enumerate(rule.rules)
        if child(path, n) != leaving
    ]
    return Group(rule.combinator, tuple(kept), rule.negated)
