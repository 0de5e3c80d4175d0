"""Rules as the Python an analyst would type; their `repr`, which can be pasted back."""

from __future__ import annotations

import keyword

from icx.rules.nodes import Compare, Days, Event, Group, InAudience, OnList, Rule, This
from icx.rules.operators import COMPARE, KEEP_CASE

METHODS = {
    "contains": "contains",
    "doesNotContain": "does_not_contain",
    "beginsWith": "begins_with",
    "doesNotBeginWith": "does_not_begin_with",
    "endsWith": "ends_with",
    "doesNotEndWith": "does_not_end_with",
    "in": "is_in",
    "notIn": "not_in",
    "between": "between",
    "notBetween": "not_between",
    "within": "within",
    "notWithin": "not_within",
    "has": "has",
    "hasNot": "has_not",
    "null": "is_missing",
    "notNull": "has_value",
    "=": "equals",
    "!=": "does_not_equal",
}
VERBS = {
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "unsubscribe": "unsubscribed",
    "any": "did",
}


def code(rule: Rule, f: str = "f.") -> str:
    """Return the Python expression of a rule; `f` is what stands before a field.

    >>> code(Compare("opens_90d", ">=", 3) & ~Compare("city", "=", "Durham"))
    '(f.opens_90d >= 3) & ~(f.city == "Durham")'
    """
    if isinstance(rule, Group):
        return _group(rule, f)
    if isinstance(rule, Compare):
        return _compare(rule, f)
    if isinstance(rule, OnList):
        state = "" if rule.state == "on" else f", {_text(rule.state)}"
        return f"{f}on_list({_text(rule.name)}{state})"
    if isinstance(rule, InAudience):
        sign = "" if rule.operator == "in" else "not_"
        return f"{f}{sign}in_audience({_text(rule.audience)})"
    assert isinstance(rule, Event)
    return _event(rule, f)


def _group(rule: Group, f: str) -> str:
    sign = "~" if rule.negated else ""
    if not rule.rules:
        return f"{sign}{f}{'everybody' if rule.combinator == 'and' else 'nobody'}()"
    if len(rule.rules) == 1:
        inner = code(rule.rules[0], f)
        return f"{sign}{inner if _atom(rule.rules[0]) else f'({inner})'}" if sign else inner
    joiner = " & " if rule.combinator == "and" else " | "
    parts = joiner.join(code(one, f) if _atom(one) else f"({code(one, f)})" for one in rule.rules)
    return f"~({parts})" if sign else parts


def _atom(rule: Rule) -> bool:
    """Return whether an expression stands beside & and | and after ~ without parentheses."""
    if isinstance(rule, Group):
        return not rule.rules or rule.negated or (len(rule.rules) == 1 and _atom(rule.rules[0]))
    return not (isinstance(rule, Compare) and rule.operator in COMPARE)


def _compare(leaf: Compare, f: str) -> str:
    plain = leaf.field.isidentifier() and not keyword.iskeyword(leaf.field)
    name = f"{f}{leaf.field}" if plain else f"{f.rstrip('.') or 'f'}[{_text(leaf.field)}]"
    if leaf.key is not None:
        name += f"[{_text(leaf.key)}]"
    if leaf.operator in COMPARE:
        return f"{name} {'==' if leaf.operator == '=' else leaf.operator} {_value(leaf.value)}"
    ignore = leaf.operator in KEEP_CASE
    method = METHODS.get(KEEP_CASE.get(leaf.operator, leaf.operator), leaf.operator)
    if isinstance(leaf.value, Days):
        arguments = f"days={leaf.value.days}"
    elif isinstance(leaf.value, This):
        arguments = f"this={_text(leaf.value.unit)}"
    elif leaf.value is None:
        arguments = ""
    elif isinstance(leaf.value, tuple):
        arguments = ", ".join(_value(one) for one in leaf.value)
    else:
        arguments = _value(leaf.value)
    return f"{name}.{method}({arguments}{', ignore_case=True' if ignore else ''})"


def _event(leaf: Event, f: str) -> str:
    count = leaf.count if isinstance(leaf.count, tuple) else (leaf.count,)
    names = {">=": "at_least", "<=": "at_most", "=": "times"}
    if leaf.operator in names:
        parts = [] if leaf.operator == ">=" and leaf.count == 1 else [f"{names[leaf.operator]}={leaf.count}"]
    else:
        parts = [f"count=({_text(leaf.operator)}, {', '.join(map(str, count))})"]
    if leaf.days is not None:
        parts.append(f"days={leaf.days}")
    if leaf.between is not None:
        since, until = leaf.between
        parts += [f"since={_text(since)}"] if since else []
        parts += [f"until={_text(until)}"] if until else []
    if leaf.message is not None:
        parts.append(f"message={leaf.message}")
    if leaf.url is not None:
        link = _text(leaf.url.value)
        parts.append(
            f"url={link if leaf.url.operator == 'contains' else f'({_text(leaf.url.operator)}, {link})'}"
        )
    if leaf.distinct:
        parts.append(f"distinct={_text(leaf.distinct)}")
    if leaf.human:
        parts.append("human=True")
    return f"{f}{VERBS.get(leaf.kind, leaf.kind)}({', '.join(parts)})"


def _value(value: object) -> str:
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    shown = repr(value)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in shown else shown
