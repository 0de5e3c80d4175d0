"""How many people an audience has, and what each of its rules leaves: one pass over the profile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from icx.audience.audience import Audience
from icx.audience.people import People, as_audience
from icx.audience.waterfall import waterfall
from icx.rules import Group, Rule, code
from icx.rules.english import phrase
from icx.rules.nodes import child
from icx.words import counted

if TYPE_CHECKING:
    from icx.scale import Cluster


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
        return f"{self.count:,} of {counted(self.of, 'person')} of {self.connection}"

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

    def text(self, zone: tzinfo = UTC, flow: str = "", *, past: bool = False) -> str:
        """Return what `icx audience show` prints: the size, what each rule leaves, and what else is known."""
        moment = self.as_of.astimezone(zone)
        lines = [
            f"{self.audience or 'These'}: {counted(self.count, 'person')} of {self.connection} as of"
            f" {moment.day} {moment:%b %H:%M %Z}, {'a past moment' if past else 'the start of the last complete pull'}"
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
            lines.append(f"  {self.count:,} of {counted(self.of, 'person')}")
        human = "" if self.count_human is None else f"{self.count_human:,} without likely machine opens"
        if ending := " · ".join(part for part in (human, flow) if part):
            lines.append(f"  {ending}")
        return "\n".join(lines)


def count(people: People, audience: Audience | Rule, cluster: Cluster | None = None) -> Count:
    """Return an audience's size, its size without likely machines, and its waterfall, in one query.

    With `cluster` Spark counts there, from a copy of what the rule asks for; raises what `icx.scale.started` does.
    """
    named = as_audience(audience)
    if cluster is None:
        with people.open(audience) as (con, reading, rule):
            found = waterfall(con, people.profile, rule, reading)
    else:
        from icx.audience.scaled import waterfall as on_a_cluster

        found, reading, rule = on_a_cluster(people, audience, cluster)
    outermost = _outermost(rule)
    any_of = isinstance(rule, Group) and rule.combinator == "or" and len(outermost) > 1
    steps = []
    for path, step in outermost:
        figures = found.nodes[path]
        only = figures.alone if any_of else None
        steps.append(Step(step, phrase(step, people.zone), figures.before, figures.left, only))
    return Count(
        named.name,
        people.connection,
        reading.as_of,
        found.size,
        found.of,
        found.human,
        tuple(steps),
        any_of,
    )


def steps(people: People, audience: Audience | Rule) -> tuple[Step, ...]:
    """Return what each rule of the outermost group leaves, in order."""
    return count(people, audience).steps


def sizes(people: People, audience: Audience | Rule) -> dict[str, int]:
    """Return how many people each node of the rule has by itself, by path (the whole rule's is '')."""
    with people.open(audience) as (con, reading, rule):
        found = waterfall(con, people.profile, rule, reading)
    return {path: figures.everywhere for path, figures in found.nodes.items()}


def _outermost(rule: Rule) -> list[tuple[str, Rule]]:
    """Return the rules of the outermost group with their paths; a rule turned round is one step."""
    if isinstance(rule, Group) and not rule.negated:
        return [(child("", n), step) for n, step in enumerate(rule.rules)]
    return [("", rule)]
