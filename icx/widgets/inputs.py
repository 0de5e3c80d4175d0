"""What the builder offers for each field: its type, its operators, and which input each operator takes."""

from __future__ import annotations

import re
from typing import Any

from icx.fields import Catalogue, Field, FieldType, Source
from icx.rules import operators
from icx.rules.english import label
from icx.rules.operators import KEEP_CASE, WORDS

TYPES: dict[FieldType, str] = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "time": "time",
    "text list": "set",
    "text→integer": "map",
    "text→time": "map",
}
GROUPS: dict[Source, str] = {
    "contact": "Person",
    "activity": "Engagement",
    "custom": "Custom",
    "attached": "Attached",
    "user": "Own",
    "derived": "Engagement",
    "points": "Points",
}
TITLES = {
    "email": "Address",
    "email_domain": "Domain",
    "ic_user_created": "Created",
    "email_bouncect": "Bounces",
    "email_click_ct": "Clicks",
    "email_open_ct": "Opens",
    "email_unsubscribect": "Unsubscribes",
    "email_last_click_ts": "Last click",
    "email_last_open_ts": "Last open",
    "email_lastbounce_ts": "Last bounce",
    "email_lastunsubscribe_ts": "Last unsubscribe",
    "email_first_click_ts": "First click",
    "email_first_open_ts": "First open",
    "email_firstbounce_ts": "First bounce",
    "email_firstunsubscribe_ts": "First unsubscribe",
    "last_active_ts": "Last active",
    "last_engaged_ts": "Last engaged",
    "hashedurls": "Pages clicked",
}
TIME_WORDS = {"=": "on", "!=": "not on", "<": "before", "<=": "up to", ">": "after", ">=": "from"}
MANY = {"in", "notIn", "inIgnoreCase", "notInIgnoreCase"}
EVENTS = {
    "open": "Opened",
    "click": "Clicked a link",
    "bounce": "Bounced",
    "unsubscribe": "Unsubscribed",
    "any": "Opened, clicked, bounced or unsubscribed",
}
STATES = {
    "on": "is on",
    "not on": "is not on",
    "normal": "is a normal member of",
    "pending": "is pending on",
    "unsubscribed": "is unsubscribed from",
}
COUNTS = {
    ">=": "at least",
    "<=": "at most",
    "=": "exactly",
    "!=": "not exactly",
    ">": "more than",
    "<": "fewer than",
    "between": "between",
    "notBetween": "not between",
}


def operators_of_types() -> dict[str, list[dict[str, Any]]]:
    """Return, for each type of field, its operators in the order they are offered, each with its input."""
    every = {name: _of(kind) for kind, name in TYPES.items()}
    every["list"] = [_one(state, words, "one") for state, words in STATES.items()]
    every["audience"] = [_one("in", "is in", "one"), _one("notIn", "is not in", "one")]
    every["event"] = [_one(op, words, "event") for op, words in COUNTS.items()]
    return every


def catalogue_of(
    fields: Catalogue, lists: dict[int, str | None], audiences: list[str], name: str = ""
) -> list[dict[str, Any]]:
    """Return what a rule can be about: the fields, then lists, other audiences (not `name`) and events."""
    offered = [_field(field) for field in fields.values()]
    for kind, words in EVENTS.items():
        offered.append(_pseudo(f"@event.{kind}", words, "event", "Events"))
    values = [{"value": value, "label": words} for value, words in list_names(lists)]
    offered.append(_pseudo("@list", "List", "list", "Lists") | {"values": values})
    others = [{"value": one, "label": one} for one in audiences if one != name]
    offered.append(_pseudo("@audience", "Audience", "audience", "Audiences") | {"values": others})
    return offered


def list_names(lists: dict[int, str | None]) -> list[tuple[str, str]]:
    """Return each list as a rule names it and as it is shown: by name, by id when the name is no name of its own.

    >>> list_names({3004: "Newsletter", 3005: "Twin", 3006: "Twin"})
    [('Newsletter', 'Newsletter'), ('#3005', 'Twin (#3005)'), ('#3006', 'Twin (#3006)')]
    """
    known = list(lists.values())
    named = []
    for list_id, name in sorted(lists.items(), key=lambda one: ((one[1] or "").casefold(), one[0])):
        if name and known.count(name) == 1 and not name.startswith("#"):
            named.append((name, name))
        else:
            named.append((f"#{list_id}", f"{name or 'no name'} (#{list_id})"))
    return named


def title(name: str) -> str:
    """Return a field's name as a control or a column shows it.

    >>> title("first_name"), title("opens_90d_human"), title("cf_tier"), title("email_last_click_ts")
    ('First name', 'Opens, 90 days, without machines', 'Tier', 'Last click')
    """
    human = ", without machines" if name.endswith("_human") else ""
    bare = name.removesuffix("_human")
    if bare in TITLES:
        return TITLES[bare] + human
    if found := re.fullmatch(r"(\w+)_(\d+)d", bare):
        return f"{_capital(label(found[1]))}, {found[2]} days{human}"
    return _capital(label(bare)) + human


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _field(field: Field) -> dict[str, Any]:
    offered = {
        "name": field.name,
        "label": title(field.name),
        "type": TYPES[field.type],
        "group": GROUPS.get(field.source, "Other"),
        "pii": field.pii,
        "description": field.description,
    }
    if TYPES[field.type] == "map":
        offered["of"] = operators.one_key(field.type)
    return offered | ({"gone": True} if field.gone else {})


def _pseudo(name: str, words: str, kind: str, group: str) -> dict[str, Any]:
    return {"name": name, "label": words, "type": kind, "group": group, "pii": False, "description": ""}


def _of(kind: FieldType) -> list[dict[str, Any]]:
    found = []
    for op in operators.ALLOWED[kind]:
        if op in operators.MISSING:
            found.append(_one(op, WORDS[op], "none"))
        elif op in {"within", "notWithin"}:
            no = "" if op == "within" else "not "
            found.append(_one(op, f"{no}within the last", "days"))
            found.append(_one(op, f"{no}in the current", "this"))
        elif op in {"between", "notBetween"}:
            found.append(_one(op, WORDS[op], "pair-date" if kind == "time" else "pair"))
        elif op in MANY:
            found.append(_one(op, WORDS[op], "many"))
        elif kind == "time":
            found.append(_one(op, TIME_WORDS[op], "date"))
        else:
            found.append(_one(op, WORDS[op], "one"))
    if kind == "time":  # a moving window is what is asked of a time most often
        found.sort(key=lambda one: one["input"] not in {"days", "this"})
    for one in found:
        if one["op"] in KEEP_CASE:
            one |= {"label": f"{one['label']}, in any case", "any_case": True}
    return found


def _one(op: str, words: str, kind: str) -> dict[str, Any]:
    return {"op": op, "label": words, "input": kind}
