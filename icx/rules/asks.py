"""What a rule asks for: its fields, lists, audiences and events, and its twin without machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from icx.fields import Catalogue
from icx.rules.lookup import Lookup
from icx.rules.nodes import Compare, Days, Event, Group, InAudience, Kind, OnList, Rule, leaves

# Fields that count events or date the last of a kind, as the event rule they stand for.
_COUNTED = re.compile(
    r"(?P<kind>opens|clicks|bounces|messages_opened|messages_clicked)_(?P<days>\d+)d(?P<human>_human)?"
)
_KINDS: dict[str, Kind] = {
    "opens": "open",
    "clicks": "click",
    "bounces": "bounce",
    "messages_opened": "open",
    "messages_clicked": "click",
}
_EVER: dict[str, Kind] = {
    "email_open_ct": "open",
    "email_click_ct": "click",
    "email_bouncect": "bounce",
    "email_unsubscribect": "unsubscribe",
    "email_open_ct_human": "open",
    "email_click_ct_human": "click",
}
_LAST: dict[str, Kind] = {
    "email_last_open_ts": "open",
    "email_last_click_ts": "click",
    "email_lastbounce_ts": "bounce",
    "email_lastunsubscribe_ts": "unsubscribe",
}


def fields_used(rule: Rule, lookup: Lookup | None = None) -> set[str]:
    """Return the names of the fields a rule reads; with a lookup, those of nested audiences too.

    >>> sorted(fields_used(Compare("city", "=", "Durham") & ~Compare("opens_90d", ">=", 3)))
    ['city', 'opens_90d']
    """
    return {leaf.field for leaf in _all_leaves(rule, lookup) if isinstance(leaf, Compare)}


def lists_used(rule: Rule, lookup: Lookup | None = None) -> set[str]:
    """Return the lists a rule names, as it names them."""
    return {leaf.name for leaf in _all_leaves(rule, lookup) if isinstance(leaf, OnList)}


def audiences_used(rule: Rule) -> set[str]:
    """Return the other audiences a rule itself names."""
    return {leaf.audience for _, leaf in leaves(rule) if isinstance(leaf, InAudience)}


def uses_events(rule: Rule, catalogue: Catalogue | None = None, lookup: Lookup | None = None) -> bool:
    """Return whether events can change who is in: event rules and, with a catalogue, fields made from events.

    A field the analyst wrote herself counts as made from events, since its SQL may read them.
    """
    for leaf in _all_leaves(rule, lookup):
        if isinstance(leaf, Event):
            return True
        if isinstance(leaf, Compare):
            known = catalogue.get(leaf.field) if catalogue is not None else None
            if as_event(leaf) is not None or (
                known and known.source in {"activity", "derived", "user", "points"}
            ):
                return True
    return False


def as_event(leaf: Rule) -> Event | None:
    """Return the event rule a leaf on a counting field stands for, or None.

    >>> as_event(Compare("opens_90d", ">=", 3))
    f.opened(at_least=3, days=90)
    >>> as_event(Compare("email_last_click_ts", "within", Days(7)))
    f.clicked(days=7)
    """
    if isinstance(leaf, Event):
        return leaf
    if not isinstance(leaf, Compare) or leaf.key is not None:
        return None
    if leaf.field in _LAST and leaf.operator == "within" and isinstance(leaf.value, Days):
        return Event(_LAST[leaf.field], ">=", 1, leaf.value.days)
    count = _count(leaf)
    if count is None:
        return None
    if leaf.field in _EVER:
        return Event(_EVER[leaf.field], leaf.operator, count, human=leaf.field.endswith("_human"))
    if found := _COUNTED.fullmatch(leaf.field):
        distinct = "messages" if found["kind"].startswith("messages") else None
        return Event(
            _KINDS[found["kind"]],
            leaf.operator,
            count,
            int(found["days"]),
            distinct=distinct,  # type: ignore[arg-type]
            human=bool(found["human"]),
        )
    return None


def without_machines(rule: Rule, catalogue: Catalogue) -> Rule:
    """Return the rule that leaves out what machines probably did: event rules and fields with a human twin.

    >>> without_machines(Event("open", days=90), Catalogue([]))
    f.opened(days=90, human=True)
    """
    if isinstance(rule, Group):
        return replace(rule, rules=tuple(without_machines(inner, catalogue) for inner in rule.rules))
    if isinstance(rule, Event):
        return replace(rule, human=True)
    if isinstance(rule, Compare):
        twin = f"{rule.field}_human"
        if twin in catalogue:
            return replace(rule, field=twin)
        last = as_event(rule) if rule.field in _LAST else None
        return rule if last is None else replace(last, human=True)
    return rule


def _count(leaf: Compare) -> int | tuple[int, int] | None:
    """Return a whole number, or two for between, when that is what the leaf compares with."""
    if leaf.operator in {"=", "!=", "<", "<=", ">", ">="}:
        return _whole(leaf.value)
    if leaf.operator in {"between", "notBetween"} and isinstance(leaf.value, tuple) and len(leaf.value) == 2:
        low, high = _whole(leaf.value[0]), _whole(leaf.value[1])
        return None if low is None or high is None or low > high else (low, high)
    return None


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _all_leaves(rule: Rule, lookup: Lookup | None, trail: tuple[str, ...] = ()) -> Iterator[Rule]:
    for path, leaf in leaves(rule):
        yield leaf
        if isinstance(leaf, InAudience) and lookup is not None:
            inner = lookup.audience(leaf.audience, path, trail)
            yield from _all_leaves(inner, lookup, (*trail, leaf.audience))
