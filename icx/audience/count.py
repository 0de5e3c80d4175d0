"""How many people an audience has, and what each of its rules leaves: one pass over the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from icx.audience.audience import Audience
from icx.audience.people import People, as_audience
from icx.rules import Group, Reading, Rule, Sql, code, condition, walk, without_machines
from icx.rules.english import phrase
from icx.rules.nodes import child
from icx.store import Connection, quoted


@dataclass(frozen=True)
class Step:
    """What one rule of the audience leaves.

    In an all-group `left` is how many passed this rule and all before it; in an any-group it is how many this
    rule alone would have, and `only` how many it has that no other rule has.
    """

    rule: Rule
    english: str
    before: int
    left: int
    only: int | None = None

    @property
    def dropped(self) -> int:
        return self.before - self.left


@dataclass(frozen=True)
class Count:
    """The size of an audience, `of` how many people, seen at `as_of` (aware).

    `count_human` is its size when opens and clicks that machines probably made do not count; None when the
    rule asks for no opens or clicks. `steps` are those of the outermost group, in order.
    """

    audience: str
    connection: str
    as_of: datetime
    count: int
    of: int
    count_human: int | None
    steps: tuple[Step, ...]
    any_of: bool = False

    def __repr__(self) -> str:
        return f"{self.count:,} of {self.of:,} people of {self.connection}"

    def as_dict(self) -> dict[str, Any]:
        """Return the count as JSON."""
        return {
            "audience": self.audience,
            "connection": self.connection,
            "as_of": f"{self.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "count": self.count,
            "of": self.of,
            "count_human": self.count if self.count_human is None else self.count_human,
            "combinator": "or" if self.any_of else "and",
            "steps": [
                {"rule": code(step.rule, ""), "english": step.english, "left": step.left}
                | ({} if step.only is None else {"only": step.only})
                for step in self.steps
            ],
        }

    def text(self, zone: tzinfo = UTC, flow: str = "") -> str:
        """Return what `icx audience show` prints: the size, what each rule leaves, and what else is known."""
        moment = self.as_of.astimezone(zone)
        lines = [
            f"{self.audience or 'These'}: {self.count:,} people of {self.connection} as of"
            f" {moment.day} {moment:%b %H:%M %Z}, the start of the last complete pull"
        ]
        joiner = "or " if self.any_of else "and "
        words = [f"{joiner if n else ''}{step.english}" for n, step in enumerate(self.steps)]
        wide = max(map(len, words), default=0)
        figures = max((len(f"{n:,}") for step in self.steps for n in (step.before, step.left)), default=1)
        for said, step in zip(words, self.steps, strict=True):
            if self.any_of:
                lines.append(
                    f"  {said:<{wide}}    {step.left:>{figures},} · {step.only or 0:,} by this alone"
                )
            else:
                lines.append(f"  {said:<{wide}}    {step.before:>{figures},} → {step.left:>{figures},}")
        if self.any_of or not self.steps:
            lines.append(f"  {self.count:,} of {self.of:,} people")
        human = "" if self.count_human is None else f"{self.count_human:,} without likely machine opens"
        if ending := " · ".join(part for part in (human, flow) if part):
            lines.append(f"  {ending}")
        return "\n".join(lines)


def count(people: People, audience: Audience | Rule) -> Count:
    """Return an audience's size, its size without likely machines, and its waterfall, in one query."""
    named = as_audience(audience)
    with people.open(audience) as (con, reading, rule):
        steps = _outermost(rule)
        any_of = isinstance(rule, Group) and rule.combinator == "or" and len(steps) > 1
        conditions = [condition(step, reading, path) for path, step in steps]
        marks = [f"r{n}" for n in range(len(steps))]
        whole = (" or " if any_of else " and ").join(marks) or condition(rule, reading).text
        wanted = ["count(*)", f"count(*) filter (where {whole})"]
        for n, mark in enumerate(marks):
            passed = mark if any_of else " and ".join(marks[: n + 1])
            others = " or ".join(other for other in marks if other != mark)
            wanted.append(f"count(*) filter (where {passed})")
            wanted.append(f"count(*) filter (where {f'{mark} and not ({others})' if any_of else 'false'})")
        human, humanly = _humanly(rule, reading)
        differs = human != rule or humanly is not reading
        if differs:
            conditions.append(condition(human, humanly))
            wanted.append("count(*) filter (where human)")
        names = [*marks, "human"] if differs else marks
        total, size, *pairs = _figures(con, people.profile, names, conditions, wanted)
    without = pairs.pop() if differs else None
    found: list[Step] = []
    for n, (_, step) in enumerate(steps):
        before = total if any_of or not found else found[-1].left
        only = pairs[2 * n + 1] if any_of else None
        found.append(Step(step, phrase(step, people.zone), before, pairs[2 * n], only))
    return Count(
        named.name,
        people.connection,
        reading.as_of,
        size,
        total,
        without,
        tuple(found),
        any_of,
    )


def steps(people: People, audience: Audience | Rule) -> tuple[Step, ...]:
    """Return what each rule of the outermost group leaves, in order."""
    return count(people, audience).steps


def sizes(people: People, audience: Audience | Rule) -> dict[str, int]:
    """Return how many people each node of the rule has by itself, by path (the whole rule's is '')."""
    with people.open(audience) as (con, reading, rule):
        nodes = list(walk(rule))
        conditions = [condition(node, reading, path) for path, node in nodes]
        marks = [f"r{n}" for n in range(len(nodes))]
        wanted = [f"count(*) filter (where {mark})" for mark in marks]
        figures = _figures(con, people.profile, marks, conditions, wanted)
    return {path: figure for (path, _), figure in zip(nodes, figures, strict=True)}


def _outermost(rule: Rule) -> list[tuple[str, Rule]]:
    """Return the rules of the outermost group with their paths; a rule turned round is one step."""
    if isinstance(rule, Group) and not rule.negated:
        return [(child("", n), step) for n, step in enumerate(rule.rules)]
    return [("", rule)]


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


def _humanly(rule: Rule, reading: Reading) -> tuple[Rule, Reading]:
    """Return the rule without machines and what to read it against, nested audiences included."""
    from icx.rules import audiences_used

    human = without_machines(rule, reading.catalogue)
    if not audiences_used(rule):
        return human, reading
    audiences = _WithoutMachines(reading.lookup.audiences, reading)
    return human, replace(reading, lookup=replace(reading.lookup, audiences=audiences))


def _figures(
    con: Connection, profile: str, marks: list[str], conditions: list[Sql], wanted: list[str]
) -> list[int]:
    """Evaluate each condition once a person and return the counts wanted of them."""
    columns = ", ".join(f"{found.text} as {mark}" for mark, found in zip(marks, conditions, strict=True))
    columns = columns or "1"
    row = con.execute(
        f"select {', '.join(wanted)} from (select {columns} from {quoted(profile)})",
        [param for found in conditions for param in found.params],
    ).fetchone()
    assert row is not None
    return [int(figure) for figure in row]
