"""Rules as JSON: the shape of react-querybuilder, so other builders can read ours and we theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from icx.errors import BadInput
from icx.rules import operators
from icx.rules.nodes import (
    Compare,
    Days,
    Event,
    Group,
    InAudience,
    Link,
    OnList,
    Rule,
    Scalar,
    This,
    Value,
    child,
)
from icx.rules.values import place

MANY = {"in", "notIn", "inIgnoreCase", "notInIgnoreCase"}
PAIR = {"between", "notBetween"}
EVENT_KEYS = ["field", "operator", "value", "days", "between", "message", "url", "distinct", "human"]
# What react-querybuilder and the like keep for themselves in an exported rule.
BUILDER_KEYS = {"id", "path", "valueSource", "disabled", "muted", "type", "inputType", "label", "meta", "match", "context",
                "combinatorPreceding"}  # fmt: skip


def to_json(rule: Rule) -> dict[str, Any]:
    """Return a rule as plain JSON.

    >>> to_json(Compare("city", "=", "Durham"))
    {'field': 'city', 'operator': '=', 'value': 'Durham'}
    """
    if isinstance(rule, Group):
        inner = [to_json(one) for one in rule.rules]
        return {"combinator": rule.combinator, "not": rule.negated, "rules": inner}
    if isinstance(rule, Compare):
        key = {} if rule.key is None else {"key": rule.key}
        return {"field": rule.field, **key, "operator": rule.operator, "value": _plain(rule.value)}
    if isinstance(rule, OnList):
        return {"field": "@list", "operator": rule.state, "value": rule.name}
    if isinstance(rule, InAudience):
        return {"field": "@audience", "operator": rule.operator, "value": rule.audience}
    assert isinstance(rule, Event)
    count = list(rule.count) if isinstance(rule.count, tuple) else rule.count
    leaf: dict[str, Any] = {"field": f"@event.{rule.kind}", "operator": rule.operator, "value": count}
    extra = {
        "days": rule.days,
        "between": None if rule.between is None else list(rule.between),
        "message": rule.message,
        "url": None if rule.url is None else {"operator": rule.url.operator, "value": rule.url.value},
        "distinct": rule.distinct,
        "human": rule.human or None,
    }
    return leaf | {key: value for key, value in extra.items() if value is not None}


def from_json(data: object, where: str = "") -> Rule:
    """Return the rule in plain JSON; `where` (a file's name) leads the path in errors.

    Reads react-querybuilder's exports too: upper-case combinators, `between` as "1,5", `in` as "a,b", numbers
    as text, keys of the builder's own (`id`, `path`, `valueSource: "value"`, `disabled`), rules muted there
    left out as its own exports leave them out, and combinators written between the rules.
    """
    rule = _read(data, where, "")
    if rule is None:
        raise _wrong(
            "Every rule here is muted, so nothing says who is meant.",
            where,
            "",
            "unmute a rule, or take it out",
        )
    return rule


def _read(data: object, where: str, path: str) -> Rule | None:
    if not isinstance(data, Mapping):
        raise _wrong(
            f"A rule is an object with field, operator and value; {_kind(data)} is not.",
            where,
            path,
            '{"field": "city", "operator": "=", "value": "Durham"}',
        )
    if data.get("muted") is True:
        return None
    if "rules" in data or "combinator" in data:
        return _read_group(data, where, path)
    name = data.get("field")
    operator = data.get("operator")
    for key, value in (("field", name), ("operator", operator)):
        if not isinstance(value, str) or not value:
            raise _wrong(
                f"A rule needs a text as `{key}`.", where, path, '{"field": "city", "operator": "=", …}'
            )
    if data.get("valueSource", "value") != "value":
        raise _wrong(
            f"`{name}` is compared with another field; a rule compares with a value.",
            where,
            path,
            'write the value itself, with "valueSource": "value" or without it',
        )
    return _read_leaf(cast(str, name), cast(str, operator), data, where, path)


def _read_group(data: Mapping[str, Any], where: str, path: str) -> Rule | None:
    rules = data.get("rules")
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise _wrong("A group needs a list of `rules`.", where, path, '{"combinator": "and", "rules": […]}')
    negated = data.get("not", False)
    if not isinstance(negated, bool):
        raise _wrong(f"`not` is true or false; {negated!r} is not.", where, path, '"not": false')
    if any(isinstance(inner, str) for inner in rules):
        return _between_rules(rules, negated, where, path)
    combinator = _combinator(data.get("combinator", "and"), where, path)
    read = [_read(inner, where, child(path, n)) for n, inner in enumerate(rules)]
    kept = tuple(inner for inner in read if inner is not None)
    # A group whose rules are all muted says nothing; as an empty group it would say "everybody".
    return Group(combinator, kept, negated) if kept or not read else None


def _between_rules(rules: Sequence[object], negated: bool, where: str, path: str) -> Rule:
    """Read rules with their combinators written between them; `and` binds closer than `or`."""
    any_of: list[list[Rule]] = [[]]
    for position, inner in enumerate(rules):
        here = child(path, position)
        if position % 2:
            if _combinator(inner, where, here) == "or":
                any_of.append([])
            continue
        rule = _read(inner, where, here)
        if rule is None:
            raise _wrong("A muted rule cannot stand between combinators.", where, here, "take it out")
        any_of[-1].append(rule)
    if len(rules) % 2 == 0:
        raise _wrong("The last combinator has no rule after it.", where, path, "take the combinator out")
    groups = [Group("and", tuple(part)) if len(part) > 1 else part[0] for part in any_of]
    if len(groups) > 1:
        return Group("or", tuple(groups), negated)
    return Group("and", tuple(any_of[0]), negated)


def _combinator(value: object, where: str, path: str) -> Literal["and", "or"]:
    text = str(value).lower()
    if text in {"and", "or"}:
        return cast(Literal["and", "or"], text)
    raise _wrong(f"A group joins with `and` or `or`; {value!r} does not.", where, path, '"combinator": "and"')


def _read_leaf(name: str, operator: str, data: Mapping[str, Any], where: str, path: str) -> Rule:
    value = data.get("value")
    if name == "@list":
        state = {"in": "on", "=": "on", "notIn": "not on", "!=": "not on", "noton": "not on"}
        return OnList(cast(Any, state.get(operator, operator)), _name(value, "list", where, path))
    if name == "@audience":
        chosen = {"=": "in", "!=": "notIn"}.get(operator, operator)
        if chosen not in {"in", "notIn"}:
            raise _wrong(f"An audience leaf takes `in` or `notIn`, not `{operator}`.", where, path, '"in"')
        return InAudience(cast(Any, chosen), _name(value, "audience", where, path))
    if name.startswith("@event."):
        return _read_event(name.removeprefix("@event."), operator, data, where, path)
    if name.startswith("@"):
        raise _wrong(f"`{name}` is no field.", where, path, "@list, @audience, @event.open, @event.click, …")
    key = data.get("key")
    if key is not None and not isinstance(key, str):
        raise _wrong(f"A key is text; {key!r} is not.", where, path, f'"key": "{key}"')
    return Compare(name, operator, _value(operator, value, where, path), key)


def _read_event(kind: str, operator: str, data: Mapping[str, Any], where: str, path: str) -> Event:
    count = data.get("value")
    pair: Sequence[Any]
    if operator in PAIR:
        pair = _items(count)
        if len(pair) != 2:
            raise _wrong("`between` needs two whole numbers.", where, path, '"value": [1, 3]')
        counts: int | tuple[int, int] = (_whole(pair[0], where, path), _whole(pair[1], where, path))
    else:
        counts = _whole(count, where, path)
    unknown = sorted(str(key) for key in data if key not in EVENT_KEYS and key not in BUILDER_KEYS)
    if unknown:
        raise _wrong(
            f"An event rule has no `{unknown[0]}`; left out unseen it would choose more people.",
            where,
            path,
            ", ".join(EVENT_KEYS[3:]),
        )
    days = data.get("days")
    if isinstance(days, str):
        days = _number(days)
    if (
        (data.get("days") is not None and days is None)
        or not isinstance(days, int | float | None)
        or days is True
    ):
        raise _wrong(f"`days` is a number; {data['days']!r} is not.", where, path, '"days": 90')
    between = data.get("between")
    ends: tuple[str | None, str | None] | None = None
    if between is not None:
        pair = between if isinstance(between, list | tuple) else []
        if len(pair) != 2 or not all(end is None or isinstance(end, str) for end in pair) or not any(pair):
            raise _wrong(
                "`between` needs two moments as text, or null for an open end.",
                where,
                path,
                '"between": ["2026-10-01", null]',
            )
        ends = (pair[0] or None, pair[1] or None)
    message = data.get("message")
    if message is not None:
        message = _whole(str(message).removeprefix("#"), where, path)
    distinct = data.get("distinct") or None
    if not isinstance(distinct, str | None):
        raise _wrong(f"{distinct!r} cannot be counted apart.", where, path, '"distinct": "messages"')
    human = data.get("human", False)
    if human not in (True, False, None):
        raise _wrong(f"`human` is true or false; {human!r} is not.", where, path, '"human": true')
    return Event(
        cast(Any, kind), operator, counts, days, ends, message, _link(data.get("url"), where, path),
        cast(Any, distinct), bool(human)
    )  # fmt: skip


def _link(url: object, where: str, path: str) -> Link | None:
    if url is None:
        return None
    if isinstance(url, str):
        return Link("contains", url)
    if not isinstance(url, Mapping) or not isinstance(url.get("value"), str):
        raise _wrong(
            "`url` needs an operator and a text.", where, path, '{"operator": "contains", "value": "/sale"}'
        )
    return Link(str(url.get("operator", "contains")), url["value"])


def _value(operator: str, value: Any, where: str, path: str) -> Value:
    if operator in operators.MISSING:
        return None
    if operator in MANY or operator in PAIR:
        return tuple(_scalar(one, where, path) for one in _items(value))
    if operator in {"within", "notWithin"}:
        if isinstance(value, Mapping):
            if "this" in value:
                return This(value["this"])
            value = value.get("days")
        found = _number(value) if isinstance(value, str) else value
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise _wrong(f"{value!r} is no number of days.", where, path, '"value": {"days": 7}')
        return Days(found)
    return None if value is None else _scalar(value, where, path)


def _items(value: Any) -> list[Any]:
    """Return the values of a list, or of a builder's comma text, where `\\,` is a comma.

    >>> _items("Durham, Chapel Hill"), _items(r"a\\,b,c"), _items([1, 2]), _items(5)
    (['Durham', 'Chapel Hill'], ['a,b', 'c'], [1, 2], [5])
    """
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str):
        parts = re.split(r"(?<!\\),", value)
        return [text for text in (part.replace("\\,", ",").strip() for part in parts) if text]
    return [] if value is None else [value]


def _scalar(value: Any, where: str, path: str) -> Scalar:
    if isinstance(value, str | int | float | bool):
        return value
    raise _wrong(
        f"A value is a text, a number, true or false; {_kind(value)} is not.",
        where,
        path,
        '"value": "Durham"',
    )


def _whole(value: object, where: str, path: str) -> int:
    found = _number(value) if isinstance(value, str) else value
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise _wrong(f"A whole number is needed; {value!r} is not one.", where, path, '"value": 3')
    return found


def _number(text: object) -> int | float | None:
    try:
        found = float(str(text))
    except ValueError:
        return None
    return int(found) if found.is_integer() else found


def _name(value: object, noun: str, where: str, path: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and noun == "list":
        return f"#{value}"
    if isinstance(value, str) and value:
        return value
    raise _wrong(f"The {noun}'s name is missing.", where, path, f'"value": "the {noun}\'s name"')


def _plain(value: Value) -> Any:
    if isinstance(value, Days):
        return {"days": value.days}
    if isinstance(value, This):
        return {"this": value.unit}
    return list(value) if isinstance(value, tuple) else value


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _wrong(message: str, where: str, path: str, hint: str) -> BadInput:
    return BadInput(
        "rule-value",
        message,
        where=place(where, path),
        kept="nothing was changed",
        next=[f"for example {hint}"],
    )
