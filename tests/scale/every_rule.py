"""Every kind of rule there is, from the registries of operators, kinds and states, and a crowd to try them on."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rule_people import CATALOGUE, people, rules

from icx.fields import FieldType
from icx.rules import Compare, Days, Event, InAudience, Link, OnList, Person, Rule, This
from icx.rules.operators import ALLOWED, EVENT_COUNTS, IGNORE_CASE, KINDS, LINK, LIST_STATES

SEVERAL = {"in", "notIn", IGNORE_CASE["in"], IGNORE_CASE["notIn"]}
MOMENTS = ("2026-10-22T12:02:00Z", "2026-11-14")
VALUES: dict[FieldType, tuple[Any, Any]] = {
    "text": ("Durham", "ΟΔΟΣ"),
    "integer": (2, 5),
    "number": (0.1, 3),
    "boolean": (True, False),
    "time": MOMENTS,
    "text list": ("9", "email"),
    "text→integer": ("9", "'"),
    "text→time": ("email", "sms"),
}


def value(kind: FieldType, operator: str) -> Any:
    """Return a value of the kind that the operator takes."""
    one, two = VALUES[kind]
    if operator in {"null", "notNull"}:
        return None
    if operator in {"within", "notWithin"}:
        return Days(7) if operator == "within" else This("week")
    if operator in SEVERAL or operator in {"between", "notBetween"}:
        return (one, two)
    return two if kind == "text" and operator in IGNORE_CASE.values() else one


def leaves() -> list[Rule]:
    """Return each operator of each type, each kind of event and each state on a list: of the registries, not of a list here."""
    found: list[Rule] = [
        Compare(name, operator, value(field.type, operator))
        for name, field in CATALOGUE.items()
        for operator in ALLOWED[field.type]
        if name != 'odd "name'  # a second text
    ]
    found += [
        Compare("open_hours", operator, value("integer", operator), "9") for operator in ALLOWED["integer"]
    ]
    found += [
        Compare("last_channel_activities", operator, value("time", operator), "email")
        for operator in ALLOWED["time"]
    ]
    found += [OnList(state, "Newsletter") for state in LIST_STATES]  # type: ignore[arg-type]
    found += [Event(kind) for kind in KINDS]  # type: ignore[arg-type]
    for operator in EVENT_COUNTS:
        found += [Event("any", operator, (1, 2) if "etween" in operator else n) for n in (0, 2)][
            -2 if "etween" not in operator else -1 :
        ]
    found += [Event("click", url=Link(operator, "/SALE")) for operator in LINK]
    found += [
        Event("open", days=7),
        Event("open", between=MOMENTS),
        Event("click", message=11),
        Event("any", human=True),
    ]
    found += [
        Event("open", ">=", 2, distinct="messages"),
        Event("any", "=", 0, human=True, distinct="messages", days=90),
    ]
    found += [InAudience("in", "Silver"), InAudience("notIn", "Gold")]
    return [rule for rule in found if _has_a_meaning(rule)]


def _has_a_meaning(rule: Rule) -> bool:
    return not (isinstance(rule, Event) and (rule.operator, rule.count) in {(">=", 0), ("<", 0)})


LEAVES = leaves()


def drawn(strategy: st.SearchStrategy[Any]) -> Any:
    """Return one random example, the same each time; the first that is drawn is the simplest there is."""
    found: list[Any] = []

    @settings(
        max_examples=3,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        deadline=None,
    )
    @given(strategy)
    def draw(one: Any) -> None:
        found.append(one)

    draw()
    return found[-1]


def crowd_of(size: int) -> list[Person]:
    return list(drawn(st.lists(people(), min_size=size, max_size=size)))


def random_rules(size: int) -> list[Rule]:
    return list(drawn(st.lists(rules, min_size=size, max_size=size)))
