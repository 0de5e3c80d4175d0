"""Whether a rule is true of one person, in plain Python: the second opinion the SQL is compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from icx.fields import Catalogue
from icx.rules.lookup import Lookup
from icx.rules.nodes import Compare, Days, Event, Group, InAudience, OnList, Rule, This
from icx.rules.operators import KEEP_CASE, compare_counts
from icx.rules.sql import fold
from icx.rules.values import Moment, check_event, check_state, field_of, place, span, typed


@dataclass(frozen=True)
class Happened:
    """One event of a person; `at` is naive UTC as stored, `machine` whether a machine probably made it."""

    kind: str
    at: datetime
    message: int
    url: str | None = None
    machine: bool = False


@dataclass(frozen=True)
class Person:
    """One contact with everything a rule can ask about, and what names in rules stand for.

    `values` is their profile row (times naive UTC), `lists` list id → subscription status.
    """

    contact_id: int
    values: Mapping[str, Any]
    catalogue: Catalogue
    as_of: datetime
    lookup: Lookup = field(default_factory=Lookup)
    lists: Mapping[int, str] = field(default_factory=dict)
    events: tuple[Happened, ...] = ()

    @property
    def now(self) -> datetime:
        return self.as_of.astimezone(UTC).replace(tzinfo=None)


def oracle(rule: Rule, person: Person, trail: tuple[str, ...] = ()) -> bool:
    """Return whether the rule is true of this person."""
    if isinstance(rule, Group):
        verdicts = (oracle(inner, person, trail) for inner in rule.rules)
        found = all(verdicts) if rule.combinator == "and" else any(verdicts)
        return found != rule.negated
    if isinstance(rule, Compare):
        return _compare(rule, person)
    if isinstance(rule, OnList):
        check_state(rule, "")
        state = person.lists.get(person.lookup.list_id(rule.name, place("", "")))
        if rule.state in {"on", "not on"}:
            return (state in {"normal", "pending"}) == (rule.state == "on")
        return state == rule.state
    if isinstance(rule, Event):
        return compare_counts(rule.operator, how_often(rule, person), rule.count)
    assert isinstance(rule, InAudience)
    inner = person.lookup.audience(rule.audience, place("", ""), trail)
    return oracle(inner, person, (*trail, rule.audience)) == (rule.operator == "in")


def how_often(rule: Event, person: Person) -> int:
    """Return how many events, or different messages, a rule's window holds."""
    found = list(matching(rule, person))
    return len({event.message for event in found}) if rule.distinct else len(found)


def matching(rule: Event, person: Person) -> list[Happened]:
    """Return the events of the rule's kind, window, message and link, oldest first."""
    first, last = check_event(rule, person.lookup.zone, place("", ""))
    start = span(Days(rule.days), person.as_of, UTC)[0] if rule.days is not None else None

    def counts(event: Happened) -> bool:
        return (
            event.at < person.now
            and rule.kind in {"any", event.kind}
            and (start is None or event.at >= start)
            and (first is None or event.at >= first.start)
            and (last is None or (event.at < last.end if last.end else event.at <= last.start))
            and rule.message in {None, event.message}
            and (rule.url is None or bool(event.url and _text(rule.url.operator, event.url, rule.url.value)))
            and not (rule.human and event.machine)
        )

    return sorted(filter(counts, person.events), key=lambda event: event.at)


def value_of(leaf: Compare, person: Person) -> Any:
    """Return the person's own value of a leaf's field, None when it is missing."""
    own = person.values.get(leaf.field)
    if leaf.key is not None:
        own = own.get(leaf.key) if own else None
    if own is None or (isinstance(own, float) and math.isnan(own)):
        return None
    return None if isinstance(own, str | list | tuple | dict) and not own else own


def _compare(leaf: Compare, person: Person) -> bool:
    where = place("", "")
    field, kind = field_of(leaf, person.catalogue, where)
    wanted = typed(leaf, field, kind, person.lookup.zone, where)
    own = value_of(leaf, person)
    if leaf.operator == "null" or own is None:
        return leaf.operator == "null" and own is None
    if leaf.operator == "notNull":
        return True
    if isinstance(wanted, Days | This):
        start, end = span(wanted, person.as_of, person.lookup.zone)
        return bool(start <= own < end) == (leaf.operator == "within")
    if kind == "time":
        return _time(leaf.operator, own, wanted)
    if kind in {"text list", "text→integer", "text→time"}:
        asked = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(one in own for one in asked) == (leaf.operator in {"has", "in"})
    return _text(leaf.operator, own, wanted)


def _text(operator: str, own: Any, wanted: Any) -> bool:
    """Compare a single value, a text or a number, with one or several."""
    if operator in KEEP_CASE:
        folded = tuple(map(fold, wanted)) if isinstance(wanted, tuple) else fold(wanted)
        return _text(KEEP_CASE[operator], fold(own), folded)
    if operator in {"in", "notIn"}:
        return (own in wanted) == (operator == "in")
    if operator in {"between", "notBetween"}:
        return bool(wanted[0] <= own <= wanted[1]) == (operator == "between")
    if operator.startswith("doesNot"):
        positive = {
            "doesNotContain": "contains",
            "doesNotBeginWith": "beginsWith",
            "doesNotEndWith": "endsWith",
        }
        return not _text(positive[operator], own, wanted)
    if operator == "contains":
        return bool(wanted in own)
    if operator == "beginsWith":
        return bool(own.startswith(wanted))
    if operator == "endsWith":
        return bool(own.endswith(wanted))
    return _order(operator, own, wanted)


def _order(operator: str, own: Any, wanted: Any) -> bool:
    return bool(
        {
            "=": own == wanted,
            "!=": own != wanted,
            "<": own < wanted,
            "<=": own <= wanted,
            ">": own > wanted,
            ">=": own >= wanted,
        }[operator]
    )


def _time(operator: str, own: datetime, wanted: Any) -> bool:
    if operator in {"between", "notBetween"}:
        low, high = wanted
        inside = own >= low.start and (own < high.end if high.end else own <= high.start)
        return bool(inside) == (operator == "between")
    assert isinstance(wanted, Moment)
    if wanted.end is None:
        return _order(operator, own, wanted.start)
    before, after = own < wanted.start, own >= wanted.end
    return {
        "=": not before and not after,
        "!=": before or after,
        "<": before,
        "<=": not after,
        ">": after,
        ">=": not before,
    }[operator]
