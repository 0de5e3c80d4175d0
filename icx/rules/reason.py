"""Why one person is in or out: every leaf's verdict, and which leaves decide.

A deciding leaf is one whose turning round turns the verdict round. In an all-group that one leaf alone keeps
somebody out of, it is that leaf; when no leaf alone can do it, the smallest set found that does it together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from icx import mask
from icx.rules.asks import as_event
from icx.rules.code import code
from icx.rules.english import label, phrase, value_words
from icx.rules.event_words import PAST
from icx.rules.nodes import Compare, Days, Event, Group, InAudience, OnList, Rule, This, child, leaves
from icx.rules.oracle import Person, how_often, matching, oracle, value_of
from icx.rules.values import span

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
SEARCHED = 4


@dataclass(frozen=True)
class Row:
    """One line of the answer: a leaf (`number` counts them), or a group's heading (`number` 0).

    `holds` is whether the line is true of the person as it is worded; `value` what the person has there;
    `turns` (aware) when it turns round by itself if nothing else happens; `decides` whether it is named.
    """

    path: str
    number: int
    depth: int
    rule: Rule
    english: str
    holds: bool
    value: str
    turns: datetime | None
    decides: bool


@dataclass(frozen=True)
class Reason:
    """Why a person is in or out of a rule.

    `deciding` are the paths of the deciding leaves: each alone turns the verdict, or, when `together`, only
    all of them at once. Empty when the rule is the same for everybody.
    """

    contact_id: int
    inside: bool
    deciding: tuple[str, ...]
    together: bool
    rows: tuple[Row, ...]
    zone: Any = UTC
    as_of: datetime | None = None

    def headline(self, who: str = "") -> str:
        """Return the answer in a line; `who` is how to name the person (else `#id`)."""
        return f"{who or f'#{self.contact_id}'} is {'in' if self.inside else 'out'}; {self._decided()}"

    def text(self, who: str = "", *, show_people: bool = False) -> str:
        """Return the whole answer; addresses among the values are masked unless `show_people`."""
        lines = [(f"{'  ' * row.depth}{row.english}", self.detail(row)) for row in self.rows]
        width = max((len(words) for words, _ in lines), default=0)
        body = [
            f"  {'yes' if row.holds else 'NO '}  {words:<{width}}    {detail}".rstrip()
            for row, (words, detail) in zip(self.rows, lines, strict=True)
        ]
        return "\n".join(
            [self.headline(who), *(line if show_people else mask.addresses_in(line) for line in body)]
        )

    def detail(self, row: Row) -> str:
        """Return a row's value, and for one that fails when it holds by itself."""
        if row.turns is None or row.holds:
            return row.value
        alone = row.decides and not self.inside and not self.together
        moment = day(row.turns, self.zone, self.as_of or row.turns)
        return f"{row.value}; {'in' if alone else 'yes'} from {moment}"

    def as_dict(self, *, show_people: bool = False) -> dict[str, Any]:
        """Return the answer as JSON."""
        shown = (lambda text: text) if show_people else mask.addresses_in
        return {
            "contact": self.contact_id,
            "in": self.inside,
            "decides": list(self.deciding),
            "together": self.together,
            "rules": [
                {
                    "path": row.path,
                    "rule": shown(code(row.rule, "")),
                    "english": shown(row.english),
                    "holds": row.holds,
                    "value": shown(row.value),
                    "turns": None if row.turns is None else f"{row.turns.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                    "decides": row.decides,
                }
                for row in self.rows
                if row.number
            ],
        }

    def _decided(self) -> str:
        named = [row for row in self.rows if row.decides]
        every = sum(1 for row in self.rows if row.number)
        if not named:
            return "the rule is the same for everybody"
        words = [f"the {ordinal(row.number)}" for row in named]
        if len(words) == 1:
            return f"{words[0]} rule decides"
        if self.inside and len(words) == every and not self.together:
            return f"all {every} rules hold"
        listed = f"{', '.join(words[:-1])} and {words[-1]}"
        return f"{listed} rule decide {'together' if self.together else ', each alone'}".replace(" ,", ",")


def reason(rule: Rule, person: Person) -> Reason:
    """Return why the rule is true or not true of this person."""
    verdicts: dict[Rule, bool] = {}
    for _, leaf in leaves(rule):
        if leaf not in verdicts:
            verdicts[leaf] = oracle(leaf, person)
    inside = _evaluate(rule, verdicts)
    named, together = _decide(rule, verdicts, inside)
    deciding = tuple(path for path, leaf in leaves(rule) if leaf in named)
    rows = _rows(rule, person, verdicts, set(deciding))
    return Reason(
        person.contact_id, inside, deciding, together, tuple(rows), person.lookup.zone, person.as_of
    )


def ordinal(number: int) -> str:
    """Return a number as a place in a row.

    >>> ordinal(3), ordinal(11), ordinal(22)
    ('third', '11th', '22nd')
    """
    if number <= len(ORDINALS):
        return ORDINALS[number - 1]
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def day(moment: datetime, zone: Any, as_of: datetime) -> str:
    """Return a moment as it is printed, without the year within twelve months of `as_of`."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    local = aware.astimezone(zone)
    year = "" if abs(aware - as_of) < timedelta(days=365) else f" {local:%Y}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def _evaluate(rule: Rule, verdicts: Mapping[Rule, bool]) -> bool:
    if not isinstance(rule, Group):
        return verdicts[rule]
    inner = (_evaluate(one, verdicts) for one in rule.rules)
    return (all(inner) if rule.combinator == "and" else any(inner)) != rule.negated


def _decide(rule: Rule, verdicts: Mapping[Rule, bool], inside: bool) -> tuple[set[Rule], bool]:
    """Return the deciding leaves, and whether only all of them together decide."""

    def turns(some: set[Rule]) -> bool:
        flipped = {leaf: verdict != (leaf in some) for leaf, verdict in verdicts.items()}
        return _evaluate(rule, flipped) != inside

    alone = {leaf for leaf in verdicts if turns({leaf})}
    if alone:
        return alone, False
    smallest = _to_turn(rule, verdicts)
    if smallest is not None and turns(smallest):
        return smallest, True
    # A leaf that stands twice can undo its own turning; then a few leaves at a time are tried.
    for size in range(2, min(SEARCHED, len(verdicts)) + 1):
        for some in combinations(verdicts, size):
            if turns(set(some)):
                return set(some), True
    return set(), False


def _to_turn(rule: Rule, verdicts: Mapping[Rule, bool]) -> set[Rule] | None:
    """Return a smallest set of leaves that turns a node round, None when nothing can."""
    if not isinstance(rule, Group):
        return {rule}
    holds = _evaluate(rule, verdicts) != rule.negated
    one_is_enough = holds == (rule.combinator == "and")
    if one_is_enough:
        found = [part for inner in rule.rules if (part := _to_turn(inner, verdicts)) is not None]
        return min(found, key=len, default=None)
    together: set[Rule] = set()
    for inner in rule.rules:
        if _evaluate(inner, verdicts) == holds:
            part = _to_turn(inner, verdicts)
            if part is None:
                return None
            together |= part
    return together or None


def _rows(rule: Rule, person: Person, verdicts: Mapping[Rule, bool], deciding: set[str]) -> list[Row]:
    rows: list[Row] = []
    counter = iter(range(1, len(list(leaves(rule))) + 1))
    zone = person.lookup.zone

    def add(node: Rule, path: str, depth: int, negated: bool) -> None:
        if not isinstance(node, Group):
            shown = ~node if negated else node
            holds = verdicts[node] != negated
            value, turn = _value(node, person)
            number = next(counter)
            rows.append(
                Row(path, number, depth, shown, phrase(shown, zone), holds, value, turn, path in deciding)
            )
            return
        turned = node.negated != negated
        if len(node.rules) == 1:
            add(node.rules[0], child(path, 0), depth, turned)
            return
        if path or turned or node.combinator == "or":
            words = {
                ("and", False): "all of these:",
                ("or", False): "any of these:",
                ("and", True): "not all of these:",
                ("or", True): "none of these:",
            }[node.combinator, turned]
            holds = _evaluate(node, verdicts) != negated
            rows.append(Row(path, 0, depth, node, words, holds, "", None, False))
            depth += 1
        for position, inner in enumerate(node.rules):
            add(inner, child(path, position), depth, False)

    add(rule, "", 0, False)
    return rows


def _value(leaf: Rule, person: Person) -> tuple[str, datetime | None]:
    """Return what the person has where the leaf looks, and when the leaf turns by itself."""
    if isinstance(leaf, OnList):
        state = person.lists.get(person.lookup.list_id(leaf.name, "the rule"))
        return (state or "not on it"), None
    if isinstance(leaf, InAudience):
        inner = person.lookup.audience(leaf.audience, "the rule")
        return ("in it" if oracle(inner, person, (leaf.audience,)) else "not in it"), None
    event = as_event(leaf)
    if event is not None and not (isinstance(leaf, Compare) and leaf.operator == "within"):
        return _happened(leaf, event, person), _turning(event, person)
    assert isinstance(leaf, Compare)
    own = value_of(leaf, person)
    if event is not None:
        verb = PAST[event.kind]
        words = "never" if own is None else f"{verb} {day(own, person.lookup.zone, person.as_of)}"
        return words, None if own is None else _field_turning(leaf, own, person)
    if own is None:
        return "no value", None
    return _own(own, person), _field_turning(leaf, own, person)


def _own(own: Any, person: Person) -> str:
    if isinstance(own, datetime):
        return day(own, person.lookup.zone, person.as_of)
    if isinstance(own, dict):
        return f"{len(own):,} keys: {', '.join(mask.plain(key) for key in list(own)[:5])}"
    if isinstance(own, list | tuple):
        return ", ".join(mask.plain(one) for one in own)
    return mask.plain(own) if isinstance(own, str) else value_words(own)


def _happened(leaf: Rule, event: Event, person: Person) -> str:
    """Return how often and when, from the events; a counting field's own number has the last word."""
    found = matching(event, person)
    count = how_often(event, person)
    verb = PAST[event.kind]
    if isinstance(leaf, Compare) and leaf.field in person.values:
        own = person.values[leaf.field]
        if own is None or own != count:
            return "no value" if own is None else times(int(own))
    if not count:
        before = matching(replace(event, days=None, between=None), person)
        return f"last {verb} {day(before[-1].at, person.lookup.zone, person.as_of)}" if before else "never"
    last = day(found[-1].at, person.lookup.zone, person.as_of)
    once = event.operator in {"=", "<", "<="} and event.count in {0, 1}
    if once or (event.operator, event.count) == (">=", 1):
        return f"{verb} {last}" if count == 1 else f"{verb} {times(count)}, last {last}"
    machines = sum(1 for one in found if one.machine)
    ending = f", {machines} of them likely by machines" if machines and not event.distinct else ""
    return (f"{count:,} different messages" if event.distinct else times(count)) + ending


def times(count: int) -> str:
    """Return how often in words: once, 2 times."""
    return "once" if count == 1 else f"{count:,} times"


def _turning(event: Event, person: Person) -> datetime | None:
    """Return when an event rule turns round by itself, as the oldest events leave its window."""
    if event.days is None:
        return None
    verdict = oracle(event, person)
    for happened in matching(event, person):
        leaving = happened.at.replace(tzinfo=UTC) + timedelta(days=event.days)
        if oracle(event, replace(person, as_of=leaving + timedelta(microseconds=1))) != verdict:
            return leaving
    return None


def _field_turning(leaf: Compare, own: Any, person: Person) -> datetime | None:
    if leaf.operator not in {"within", "notWithin"} or not isinstance(own, datetime):
        return None
    start, end = span(leaf.value, person.as_of, person.lookup.zone)  # type: ignore[arg-type]
    if not start <= own < end:
        return None
    if isinstance(leaf.value, Days):
        return own.replace(tzinfo=UTC) + timedelta(days=leaf.value.days)
    assert isinstance(leaf.value, This)
    local = person.as_of.astimezone(person.lookup.zone)
    for ahead in range(1, 367):
        later = local + timedelta(days=ahead)
        begins = span(leaf.value, later, person.lookup.zone)[0]
        if begins > start:
            return begins.replace(tzinfo=UTC)
    return None


__all__ = ["Reason", "Row", "label", "reason"]
