"""A sync made ready for two systems: fields that are alike mapped, lists found by name, what cannot work named. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from icx.connections.base import Column, Container
from icx.errors import BadInput
from icx.rules.lookup import nearest
from icx.sync.definition import SIDES, Act, Line, Rule, Side, Sync, When, other

#: Names that different systems have for one thing; each group is one.
SAME = (
    ("firstname", "fname", "givenname", "forename"),
    ("lastname", "lname", "surname", "familyname"),
    ("postalcode", "zip", "zipcode", "postcode"),
    ("phone", "phonenumber", "telephone"),
    ("street", "address", "address1", "street1", "addressline1"),
    ("street2", "address2", "addressline2"),
    ("city", "town"),
    ("business", "company", "companyname", "organization", "organisation"),
)
_ONE = {name: group[0] for group in SAME for name in group}
#: Columns that an unsubscribe elsewhere is shown in, where a system has one of them.
FLAGS = ("unsubscribed", "icxunsubscribed", "optedout", "optout")
NEVER = {"email", "emailaddress", "status"}


@dataclass(frozen=True)
class End:
    """One side as it is now: the name of the system, its kind, what it can, its columns and lists."""

    name: str
    kind: str
    can: frozenset[str]
    columns: tuple[Column, ...]
    lists: tuple[Container, ...] = ()

    def column(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name == name), None)

    def holds(self, name: str, value: str) -> bool:
        """Tell whether a column can hold a value: not too long, one of its choices, a number where it is one."""
        column = self.column(name)
        if column is None:
            return True
        if column.longest is not None and len(value) > column.longest:
            return False
        if column.type == "choice" and column.choices and value not in column.choices:
            return False
        return column.type != "number" or _number(value)

    @property
    def mails(self) -> bool:
        """Whether people there can be written to by mail, so that nobody is put there without a basis."""
        return self.kind != "table"


def resolve(sync: Sync, ends: Mapping[Side, End]) -> tuple[Sync, list[str]]:
    """Return the sync with ids for lists, lines for fields that are alike and its mirrors as rules; and what is to tell.

    Raises BadInput: field-unknown, list-unknown, list-twice, cannot-map, sync-value.
    """
    rules = [_rule(rule, sync, ends) for rule in sync.rules]
    lines = [_line(line, sync, ends) for line in sync.lines]
    lines += _alike(sync, lines, rules, ends) if sync.alike else []
    mirrors, told = _mirrors(sync, ends, lines, rules)
    _clashes(sync, lines, (*rules, *mirrors))
    return replace(sync, lines=tuple(lines), rules=(*rules, *mirrors)), told


def _number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def plain(name: str) -> str:
    """Return what is the same in names of one thing.

    >>> plain("First Name") == plain("fname"), plain("cf_tier"), plain("ZIP")
    (True, 'cftier', 'postalcode')
    """
    bare = re.sub(r"[^a-z0-9]", "", name.casefold())
    return _ONE.get(bare, bare)


def _alike(sync: Sync, lines: Sequence[Line], rules: Sequence[Rule], ends: Mapping[Side, End]) -> list[Line]:
    taken = {side: {line.of(side) for line in lines} for side in SIDES}
    for side in SIDES:  # a field that shows who said no is no field of theirs
        taken[side].add(sync.unsubscribes.get(side, "").removeprefix("field "))
    for rule in rules:
        taken[other(_side(rule.side))] |= {act.name for act in rule.then if act.kind == "set"}
    free: dict[Side, dict[str, Column]] = {}
    for side in SIDES:
        named: dict[str, list[Column]] = {}
        for column in ends[side].columns:
            if column.name not in taken[side] and plain(column.name) not in {*NEVER, *FLAGS}:
                named.setdefault(plain(column.name), []).append(column)
        free[side] = {name: found[0] for name, found in named.items() if len(found) == 1}
    made = []
    for name, one in free["a"].items():
        two = free["b"].get(name)
        if two is not None and (one.writable or two.writable):
            way = "both" if one.writable and two.writable else "a>b" if two.writable else "b>a"
            made.append(Line(one.name, two.name, way))
    return made


def _line(line: Line, sync: Sync, ends: Mapping[Side, End]) -> Line:
    found = {side: _name(line.of(side), sync, ends[side]) for side in SIDES}
    for side in SIDES:
        column = ends[side].column(found[side])
        if line.goes(side) and column is not None and not column.writable:
            raise BadInput(
                "cannot-map",
                f"`{found[side]}` of {ends[side].name} cannot be written.",
                where=f"sync {sync.name}: {line}",
                kept="nothing was planned",
                next=[f"let it travel the other way: {line.a} {'<-' if side == 'b' else '->'} {line.b}"],
            )
    return replace(line, a=found["a"], b=found["b"])


def _name(name: str, sync: Sync, end: End) -> str:
    if name.startswith("@list:"):
        return f"@list:{_list(name[6:], sync, end)}"
    if name in {"@status", "@unsubscribed"}:
        return name
    return _column(name, sync, end)


def _column(name: str, sync: Sync, end: End) -> str:
    if end.column(name) is not None:
        return name
    near = [one for one, _ in nearest(name, {column.name: 0 for column in end.columns})]
    raise BadInput(
        "field-unknown",
        f"{end.name} has no field `{name}`." + (f" Nearest: {', '.join(near)}." if near else ""),
        where=f"sync {sync.name}",
        kept="nothing was planned",
        next=[["icx", "sync", "show", sync.name]],
    )


def _list(name: str, sync: Sync, end: End) -> str:
    found = [str(one.id) for one in end.lists if name in {one.name, f"#{one.id}"}]
    if len(found) == 1:
        return found[0]
    near = [one for one, _ in nearest(name, {one.name: 0 for one in end.lists})]
    raise BadInput(
        "list-twice" if found else "list-unknown",
        f'{end.name} has {len(found)} lists "{name}".'
        if found
        else f'{end.name} has no list "{name}".' + (f" Nearest: {', '.join(near)}." if near else ""),
        where=f"sync {sync.name}" + (f": {', '.join(f'#{one}' for one in found)}" if found else ""),
        kept="nothing was planned",
        next=[f"its id instead of the name: #{found[0]}"] if found else [["icx", "lists", end.name]],
    )


def _rule(rule: Rule, sync: Sync, ends: Mapping[Side, End]) -> Rule:
    here, there = ends[_side(rule.side)], ends[other(_side(rule.side))]
    when = [
        replace(one, name=_list(one.name, sync, here)) if one.about == "list"
        else replace(one, name=_column(one.name, sync, here)) if one.about == "field"
        else one
        for one in rule.when
    ]  # fmt: skip
    then = []
    for given in rule.then:
        act = given
        needs = {"set": "", "tag": "tags", "untag": "tags", "unsubscribe": "unsubscribe"}.get(
            act.kind, "lists"
        )
        if needs and needs not in there.can:
            raise BadInput(
                "cannot-map",
                f"{there.name} has no {needs if needs != 'unsubscribe' else 'way to unsubscribe anybody'}.",
                where=f"sync {sync.name}: {act}",
                kept="nothing was planned",
                next=["a field instead: set NAME to VALUE"],
            )
        if act.kind in {"join", "leave", "unsubscribe"}:
            act = replace(act, name=_list(act.name, sync, there))
        elif act.kind == "set":
            column = there.column(_column(act.name, sync, there))
            if column is not None and not column.writable:
                raise BadInput(
                    "cannot-map",
                    f"`{act.name}` of {there.name} cannot be written.",
                    where=f"sync {sync.name}: {act}",
                    kept="nothing was planned",
                    next=["another field"],
                )
        then.append(act)
    return replace(rule, when=tuple(when), then=tuple(then))


def _mirrors(
    sync: Sync, ends: Mapping[Side, End], lines: Sequence[Line], rules: Sequence[Rule]
) -> tuple[list[Rule], list[str]]:
    """Return the rules by which an unsubscribe on one side shows on the other: a flag, taken back when it is over."""
    made, told = [], []
    used = {side: {line.of(side) for line in lines} for side in SIDES}
    for rule in rules:
        used[other(_side(rule.side))] |= {act.name for act in rule.then}
    for side in SIDES:
        there = other(side)
        how = sync.unsubscribes.get(there, "auto")
        if how == "none" or not ({"status", "unsubscribe"} & ends[side].can):
            continue
        kind, _, name = how.partition(" ")
        if how == "auto":
            column = next(
                (one.name for one in ends[there].columns if plain(one.name) in FLAGS and one.writable), None
            )
            if column is not None and column not in used[there]:
                kind, name = "field", column
            elif "tags" in ends[there].can:
                kind, name = "tag", f"unsubscribed in {ends[side].name}"
            else:
                told.append(
                    f"who says no in {ends[side].name} does not show in {ends[there].name}: it has no field"
                    ' "unsubscribed" and no tags'
                )
                continue
        if kind == "field":
            _column(name, sync, ends[there])
        act = Act("set", name, "yes", undo=True) if kind == "field" else Act("tag", name, undo=True)
        made.append(Rule(side, (When("unsubscribed", "yes"),), "act", (act,)))
    return made, told


def _clashes(sync: Sync, lines: Sequence[Line], rules: Sequence[Rule]) -> None:
    """Raise sync-value for what would fight whoever it is about: two that write the same field."""
    for to in SIDES:
        writers: dict[str, list[str]] = {}
        for line in lines:
            if line.goes(to):
                writers.setdefault(line.of(to), []).append(str(line))
        sets = {
            act.name: str(act)
            for rule in rules
            if rule.side == other(to)
            for act in rule.then
            if act.kind == "set"
        }
        for name, by in writers.items():
            every = [*by, sets[name]] if name in sets else by
            if len(every) > 1:
                raise BadInput(
                    "sync-loop",
                    f"`{name}` of {sync.of(to)} would be written twice, and flip back and forth: {' · '.join(every)}.",
                    where=f"sync {sync.name}",
                    kept="nothing was planned",
                    next=["take one of them out, or let one of them travel the other way"],
                )


def _side(side: str) -> Side:
    return "b" if side == "b" else "a"
