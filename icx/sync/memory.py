"""What a sync remembers of two people in step: values last agreed, what its rules did, what a system keeps instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from icx.sync.definition import Side
from icx.sync.merge import Base
from icx.sync.seen import compact

Did = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Deed:
    """Something a rule wanted on `side`: whether icx did it (`ours`) and what was there `before`."""

    rule: str
    side: Side
    kind: str
    name: str
    value: str = ""
    undo: bool = False
    ours: bool = True
    before: str = ""

    @property
    def id(self) -> Did:
        return (self.rule, *self.what)

    @property
    def what(self) -> tuple[str, str, str, str]:
        return (self.side, self.kind, self.name, self.value)


@dataclass(frozen=True)
class Memory:
    """`base`: line id -> values last agreed (a, b). `kept`: "b field" -> (sent, what was there instead afterwards).

    `linked` holds once two people were found to be one; `gone` is the side whose contact is no more.
    """

    base: Mapping[str, Base] = field(default_factory=dict)
    deeds: tuple[Deed, ...] = ()
    kept: Mapping[str, Base] = field(default_factory=dict)
    linked: bool = False
    gone: str = ""

    def as_text(self) -> str:
        """Return the memory as the store keeps it.

        >>> Memory.from_text(Memory({"x=y": ("1", "2")}, linked=True).as_text()).base
        {'x=y': ('1', '2')}
        """
        told: dict[str, Any] = {}
        if self.base:
            told["base"] = {key: list(value) for key, value in sorted(self.base.items())}
        if self.deeds:
            told["deeds"] = [vars(deed) for deed in self.deeds]
        if self.kept:
            told["kept"] = {key: list(value) for key, value in sorted(self.kept.items())}
        if self.linked:
            told["linked"] = True
        if self.gone:
            told["gone"] = self.gone
        return compact(told)

    @classmethod
    def from_text(cls, text: str | None) -> Memory:
        """Return the memory that `as_text` wrote; nothing is remembered of whom none was written."""
        if not text:
            return NOTHING
        told = json.loads(text)
        return cls(
            {key: (value[0], value[1]) for key, value in told.get("base", {}).items()},
            tuple(Deed(**deed) for deed in told.get("deeds", ())),
            {key: (value[0], value[1]) for key, value in told.get("kept", {}).items()},
            told.get("linked", False),
            told.get("gone", ""),
        )

    def without(self, lines: Mapping[str, Base | None], deeds: Mapping[str, Any]) -> Memory:
        """Return the memory as it is when these lines were not written after all (line id -> what was agreed before)."""
        base = dict(self.base)
        for line, before in lines.items():
            if before is None:
                base.pop(line, None)
            else:
                base[line] = before
        undone = {tuple(one) for one in deeds.get("did", ())}
        kept = [deed for deed in self.deeds if deed.id not in undone or not deed.ours]
        back = [Deed(**one) for one in deeds.get("undid", ())]
        return replace(self, base=base, deeds=(*kept, *back))


NOTHING = Memory()
