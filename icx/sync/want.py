"""What is to become of one person on one side, and what they are once it is done. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from icx.connections.base import Change, Person
from icx.sync.definition import SIDES, Side
from icx.sync.memory import Deed
from icx.sync.merge import Base
from icx.sync.seen import compact


@dataclass(frozen=True)
class Want:
    """What is to become of one person: like `Change`, with the lines and rules it is done for."""

    make: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    join: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    unsubscribe: frozenset[str] = frozenset()
    tag: frozenset[str] = frozenset()
    untag: frozenset[str] = frozenset()
    lines: Mapping[str, Base | None] = field(default_factory=dict)  # what was agreed before
    did: tuple[tuple[str, ...], ...] = ()
    undid: tuple[Deed, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.make or self.fields or self.join or self.leave or self.unsubscribe or self.tag or self.untag
        )

    @property
    def verb(self) -> str:
        """What is done, in one word, for counts."""
        if self.make:
            return "create"
        if self.unsubscribe:
            return "unsubscribe"
        return "undo" if self.undid else "update" if self.lines else "act"

    def change(self, row: int, key: str | None, email: str | None) -> Change:
        """Return it as a system is told."""
        return Change(
            row,
            key,
            email if self.make else None,
            dict(self.fields),
            dict.fromkeys(sorted(self.join), "normal"),
            self.leave,
            self.unsubscribe,
            self.tag,
            self.untag,
        )

    def less(self, now: Want) -> Want:
        """Return what of this is wanted still: never more, and no value that is another one by now."""
        return replace(
            self,
            make=self.make and now.make,
            fields={name: value for name, value in self.fields.items() if now.fields.get(name) == value},
            join=self.join & now.join,
            leave=self.leave & now.leave,
            unsubscribe=self.unsubscribe & now.unsubscribe,
            tag=self.tag & now.tag,
            untag=self.untag & now.untag,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as a plan keeps it."""
        told: dict[str, Any] = {"make": True} if self.make else {}
        for name in ("fields", "lines"):
            if found := getattr(self, name):
                told[name] = dict(found)
        for name in ("join", "leave", "unsubscribe", "tag", "untag"):
            if found := getattr(self, name):
                told[name] = sorted(found)
        if self.did:
            told["did"] = [list(one) for one in self.did]
        if self.undid:
            told["undid"] = [vars(one) for one in self.undid]
        return told

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Want:
        """Return what `as_dict` wrote."""
        sets = {n: frozenset(told.get(n, ())) for n in ("join", "leave", "unsubscribe", "tag", "untag")}
        lines = {key: (was[0], was[1]) if was else None for key, was in told.get("lines", {}).items()}
        return cls(
            told.get("make", False),
            told.get("fields", {}),
            **sets,
            lines=lines,
            did=tuple(tuple(one) for one in told.get("did", ())),
            undid=tuple(Deed(**one) for one in told.get("undid", ())),
        )


def after(person: Person | None, want: Want, email: str | None) -> Person:
    """Return somebody (None: who is made with this address) as they are once it is done."""
    if person is None:
        person = Person("", email)
    fields = {name: value for name, value in {**person.fields, **want.fields}.items() if value}
    lists = {name: status for name, status in person.lists.items() if name not in want.leave}
    lists |= dict.fromkeys(want.join, "normal") | dict.fromkeys(want.unsubscribe, "unsubscribed")
    return replace(person, fields=fields, lists=lists, tags=(person.tags | want.tag) - want.untag)


def rounds_text(rounds: Sequence[Mapping[Side, Want]]) -> str:
    """Return what is written, as a plan keeps it."""
    if not rounds:
        return "[]"
    return compact([{side: want.as_dict() for side, want in one.items()} for one in rounds])


def rounds_of(row: Mapping[str, Any]) -> list[dict[Side, Want]]:
    """Return what a row of a plan writes, round by round."""
    return [
        {side: Want.from_dict(one[side]) for side in SIDES if side in one}
        for one in json.loads(row["rounds"])
    ]
