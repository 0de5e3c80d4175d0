"""What a sync looks at of each person: the fields, lists and tags it names, as one text that is compared. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from icx.connections.base import Person
from icx.sync.definition import Side, Sync, When

STATUS_WORDS = {
    "normal": "Normal",
    "bounced": "Bounced",
    "donotcontact": "DNC",
    "pending": "Pending",
    "invitable": "Invitable",
}
#: JSON in as few letters as it takes; one encoder for all, since making one costs as much as using it.
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: What an action is about.
PLACES = {"set": "field", "join": "list", "leave": "list", "unsubscribe": "list"}
#: People who said no, or whom mail does not reach.
SAID_NO = frozenset({"donotcontact", "bounced"})


@dataclass(frozen=True)
class Wanted:
    """What is looked at on one side; `all_lists` where no list is named, and an unsubscribe from any counts."""

    fields: frozenset[str]
    lists: frozenset[str]
    tags: frozenset[str]

    @property
    def all_lists(self) -> bool:
        return not self.lists


def wanted(sync: Sync, side: Side) -> Wanted:
    """Return what a sync, its lists already given as ids, looks at on a side."""
    fields = {line.of(side) for line in sync.lines if not line.of(side).startswith("@")}
    lists = {line.of(side)[6:] for line in sync.lines if line.of(side).startswith("@list:")}
    tags: set[str] = set()
    named: list[tuple[str, str]] = []
    for rule in sync.rules:
        if rule.side == side:
            named += [(when.about, when.name) for when in rule.when]
        else:
            named += [(PLACES.get(act.kind, "tag"), act.name) for act in rule.then]
    for about, name in named:
        if about == "field":
            fields.add(name)
        elif about == "list":
            lists.add(name)
        elif about == "tag":
            tags.add(name)
    return Wanted(frozenset(fields), frozenset(lists), frozenset(tags))


def doc(person: Person, want: Wanted) -> str:
    """Return what is looked at of somebody, the same text as long as none of it changes.

    >>> want = Wanted(frozenset({"city"}), frozenset(), frozenset())
    >>> doc(Person("7", "ada@example.com", {"city": "Durham", "zip": "27701"}, lists={"3": "unsubscribed"}), want)
    '{"e":"ada@example.com","f":{"city":"Durham"},"s":"normal","u":1}'
    """
    told: dict[str, object] = {"e": person.email or ""}
    if found := {name: value for name in sorted(want.fields) if (value := person.fields.get(name))}:
        told["f"] = found
    if found := {name: value for name in sorted(want.lists) if (value := person.lists.get(name))}:
        told["l"] = found
    told["s"] = person.status
    if person.said and person.said != person.status:
        told["w"] = person.said
    if found_tags := sorted(want.tags & person.tags):
        told["t"] = found_tags
    if left(person, want):
        told["u"] = 1
    if person.trouble:
        told["x"] = person.trouble
    return compact(told)


def person_of(key: str, text: str) -> Person:
    """Return somebody as `doc` tells of them."""
    told = json.loads(text)
    lists = dict(told.get("l", {}))
    if told.get("u") and "unsubscribed" not in lists.values() and told["s"] != "donotcontact":
        lists["*"] = "unsubscribed"  # of a list nobody named
    return Person(
        key,
        told["e"] or None,
        told.get("f", {}),
        told["s"],
        told.get("w", told["s"]),
        lists,
        frozenset(told.get("t", ())),
        trouble=told.get("x", ""),
    )


def left(person: Person, want: Wanted) -> bool:
    """Tell whether somebody said no: do-not-contact, or unsubscribed from a list that the sync is about."""
    return person.status == "donotcontact" or any(
        status == "unsubscribed" and (want.all_lists or name in want.lists or name == "*")
        for name, status in person.lists.items()
    )


def digest(text: str) -> int:
    """Return 63 bits that stand for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def value_of(person: Person | None, name: str) -> str:
    """Return what somebody holds under a name of a mapping line; "" for nothing, and for nobody.

    >>> value_of(Person("7", None, status="donotcontact"), "@status"), value_of(Person("7", None), "@list:3")
    ('DNC', 'none')
    """
    if person is None:
        return ""
    if name == "@status":
        return STATUS_WORDS.get(person.status, person.status)
    if name == "@unsubscribed":
        return "yes" if said_no(person) else "no"
    if name.startswith("@list:"):
        return person.lists.get(name[6:], "none")
    return person.fields.get(name, "")


def said_no(person: Person) -> bool:
    """Tell whether somebody, as `person_of` has them, said no."""
    return person.status == "donotcontact" or "unsubscribed" in person.lists.values()


def meets(person: Person, when: When) -> bool:
    """Tell whether somebody meets a condition.

    >>> ada = Person("7", None, {"tier": "Gold", "spent": "12.5"}, tags=frozenset({"vip"}))
    >>> [meets(ada, one) for one in (When("field", "is", "tier", "gold"), When("field", "at least", "spent", "9"))]
    [False, True]
    """
    if when.about == "status":
        same = when.value.casefold() in {person.status, STATUS_WORDS.get(person.status, "").casefold()}
        return same == (when.asks == "is")
    if when.about == "unsubscribed":
        return said_no(person) == (when.asks == "yes")
    if when.about == "tag":
        return (when.name in person.tags) == (when.asks == "has")
    if when.about == "list":
        status = person.lists.get(when.name)
        if when.asks == "left":
            return status == "unsubscribed"
        return (status in {"normal", "pending"}) == (when.asks == "on")
    value = person.fields.get(when.name, "")
    if when.asks in {"at least", "at most"}:
        return _ordered(value, when.value, least=when.asks == "at least")
    return {
        "is": value == when.value,
        "is not": value != when.value,
        "contains": when.value in value,
        "starts with": value.startswith(when.value),
        "empty": not value,
        "filled": bool(value),
    }[when.asks]


def _ordered(value: str, limit: str, *, least: bool) -> bool:
    """Compare as numbers where both are, else as text, which is right for dates as ISO writes them."""
    if not value:
        return False
    one: float | str
    two: float | str
    try:
        one, two = float(value), float(limit)
    except ValueError:
        one, two = value, limit
    return one >= two if least else one <= two  # type: ignore[operator]


def fields_of(person: Person) -> Mapping[str, str]:
    """Return the fields that hold something."""
    return {name: value for name, value in person.fields.items() if value}
