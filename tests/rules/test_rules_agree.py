"""The readers of a rule agree: SQL with the oracle, JSON and Python with the rule itself, a rule with its negation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from rule_people import AS_OF, CATALOGUE, COMPARES, LOOKUP, ZONE, crowds, database, one_leaf, people, rules

from icx.rules import (
    Compare,
    Days,
    Event,
    F,
    Group,
    Happened,
    Person,
    Rule,
    This,
    code,
    english,
    from_json,
    oracle,
    reason,
    sentence,
    sql,
    to_json,
)
from icx.rules.nodes import leaves
from icx.rules.reason import _evaluate
from icx.store import Connection

few = settings(max_examples=60, deadline=None)
many = settings(max_examples=200, deadline=None)


@many
@given(rules)
def test_a_rule_read_back_from_its_json_is_the_same_rule(rule: Rule) -> None:
    assert from_json(json.loads(json.dumps(to_json(rule)))) == rule


@many
@given(rules)
def test_a_rule_pasted_back_as_python_chooses_the_same_people_and_reads_the_same(rule: Rule) -> None:
    again = eval(code(rule), {"f": F(CATALOGUE)})  # noqa: S307
    assert _flat(again) == _flat(rule)


def _flat(rule: Rule) -> Rule:
    """Return the rule as operators would have built it: no group of one, none inside its own kind."""
    if not isinstance(rule, Group):
        return rule
    parts: list[Rule] = []
    for inner in map(_flat, rule.rules):
        same = isinstance(inner, Group) and inner.combinator == rule.combinator and not inner.negated
        parts.extend(inner.rules if same and isinstance(inner, Group) and inner.rules else [inner])
    if len(parts) == 1:
        one = parts[0]
        return ~one if rule.negated else one
    return Group(rule.combinator, tuple(parts), rule.negated)


@few
@given(rules, crowds)
def test_sql_chooses_exactly_the_people_the_oracle_says(rule: Rule, crowd: Sequence[Person]) -> None:
    with database(crowd) as con:
        found = sql(rule, CATALOGUE, LOOKUP, AS_OF)
        chosen = {row[0] for row in con.execute(found.text, list(found.params)).fetchall()}
        assert chosen == {n for n, person in enumerate(crowd) if oracle(rule, person)}


@few
@given(one_leaf, crowds)
def test_every_kind_of_leaf_chooses_the_people_the_oracle_says(rule: Rule, crowd: Sequence[Person]) -> None:
    with database(crowd) as con:
        found = sql(rule, CATALOGUE, LOOKUP, AS_OF)
        chosen = {row[0] for row in con.execute(found.text, list(found.params)).fetchall()}
        assert chosen == {n for n, person in enumerate(crowd) if oracle(rule, person)}


@few
@given(rules, crowds)
def test_a_rule_and_its_negation_make_everybody(rule: Rule, crowd: Sequence[Person]) -> None:
    with database(crowd) as con:
        sides = [sql(one, CATALOGUE, LOOKUP, AS_OF) for one in (rule, ~rule)]
        chosen = [{row[0] for row in con.execute(s.text, list(s.params)).fetchall()} for s in sides]
    assert chosen[0] | chosen[1] == set(range(len(crowd)))
    assert not chosen[0] & chosen[1]


@few
@given(rules)
def test_the_sql_of_every_rule_passes_explain(rule: Rule) -> None:
    found = sql(rule, CATALOGUE, LOOKUP, AS_OF)
    with database([]) as con:
        con.execute(f"explain {found.text}", list(found.params))


@many
@given(rules)
def test_the_sql_text_depends_on_the_shape_of_a_rule_never_on_its_values(rule: Rule) -> None:
    found = sql(rule, CATALOGUE, LOOKUP, AS_OF)
    text = found.text
    assert text.count("?") == len(found.params)
    literals = {part for n, part in enumerate(text.split("'")) if n % 2}
    assert literals <= {""}


@many
@given(rules, people())
def test_turning_the_named_leaf_turns_the_verdict(rule: Rule, person: Person) -> None:
    why = reason(rule, person)
    assert why.inside == oracle(rule, person)
    by_path = dict(leaves(rule))
    verdicts = {leaf: oracle(leaf, person) for leaf in by_path.values()}
    named = [by_path[path] for path in why.deciding]
    together = [set(named)] if why.together else [{leaf} for leaf in named]
    for some in together:
        turned = {leaf: verdict != (leaf in some) for leaf, verdict in verdicts.items()}
        assert _evaluate(rule, turned) != why.inside
    assert [row.path for row in why.rows if row.number] == list(by_path)
    assert why.text("somebody").startswith(f"somebody is {'in' if why.inside else 'out'}; ")


@many
@given(rules)
def test_every_rule_can_be_said_in_english(rule: Rule) -> None:
    assert english(rule, ZONE)
    assert "\x00" not in sentence(rule, ZONE)
    assert "None" not in english(rule, ZONE).replace("None of", "")


@pytest.fixture(scope="module")
def on_the_edges() -> Iterator[tuple[list[Person], Connection]]:
    """People whose only clicks are a microsecond before, at, and after every edge, and somebody without any."""
    edges = [AS_OF, AS_OF - timedelta(days=7)]
    days = ((1, 4), (1, 5), (14, 5), (15, 5), (16, 5), (17, 5), (21, 5))
    edges += [datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in days]
    crowd = [Person(0, dict.fromkeys(CATALOGUE), CATALOGUE, AS_OF, LOOKUP)]
    for edge in edges:
        for off in (-1, 0, 1):
            at = edge.replace(tzinfo=None) + timedelta(microseconds=off)
            values = dict.fromkeys(CATALOGUE) | {"email_last_click_ts": at}
            one, other = Happened("click", at, 11, None, machine=True), Happened("click", at, 12)
            crowd.append(Person(0, values, CATALOGUE, AS_OF, LOOKUP, events=(one,)))
            crowd.append(Person(0, values, CATALOGUE, AS_OF, LOOKUP, events=(one, other)))
    with database(crowd) as con:
        yield crowd, con


@pytest.mark.parametrize(
    "rule",
    [
        *(Compare("email_last_click_ts", w, v) for w in ("within", "notWithin") for v in (Days(7), This("day"), This("week"), This("month"))),
        *(Compare("email_last_click_ts", w, v) for w in COMPARES for v in ("2026-11-14", "2026-11-14T12:02:00Z")),
        Compare("email_last_click_ts", "between", ("2026-11-14", "2026-11-16")),
        Compare("email_last_click_ts", "notBetween", ("2026-11-14T12:02:00Z", "2026-11-16T05:00:00Z")),
        *(Event("click", w, n, days=7) for w in COMPARES for n in (0, 1) if (w, n) not in {(">=", 0), ("<", 0)}),
        Event("click", between=("2026-11-14T12:02:00Z", None)),
        Event("click", between=(None, "2026-11-14")),
        Event("click", "=", 0, between=("2026-11-14", "2026-11-16"), human=True),
    ],
    ids=repr,
)  # fmt: skip
def test_windows_and_days_have_the_same_edges_everywhere(
    rule: Rule, on_the_edges: tuple[list[Person], Connection]
) -> None:
    crowd, con = on_the_edges
    found = sql(rule, CATALOGUE, LOOKUP, AS_OF)
    chosen = {row[0] for row in con.execute(found.text, list(found.params)).fetchall()}
    assert chosen == {n for n, person in enumerate(crowd) if oracle(rule, person)}
    assert 0 < len(chosen) < len(crowd), "a rule that is the same for everybody would prove nothing here"
