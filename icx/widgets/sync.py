"""A sync by clicking: two systems, their fields and which way each travels, rules with conditions and actions, a preview.

What is clicked is the sync that code would make: `editor.sync`. Nothing is saved but by Save, and nothing is ever sent
from here: the preview reads both systems and says what an apply would do, and what to type for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

import traitlets

from icx import mask
from icx.errors import BadInput, IcxError
from icx.look.page import Html, head, note, number, panel, pill, root, table, tag, tile, tiles
from icx.sync import Line, Rule, Sync, SyncPlan, checked, from_dict
from icx.sync.definition import ACTS, ASKS, EVERYTHING, SIDES, WAYS, Side
from icx.sync.resolve import End, resolve
from icx.sync.text import STATES, reason
from icx.sync.words import sentences
from icx.widgets.base import Answer, Widget, module, told

BLANK: dict[str, Any] = {
    "name": "",
    "a": "",
    "b": "",
    "winner": "a",
    "alike": True,
    "basis": "",
    "unsubscribes": {},
    "lines": [],
    "rules": [],
}


class Systems(Protocol):
    """What the editor needs of a workspace."""

    def names(self) -> list[dict[str, str]]:
        """Return the saved connections: name, kind, and the words for it."""

    def look(self, name: str) -> tuple[End, str]:
        """Try a system's login, and return what it has and can, and what was seen."""

    def save(self, sync: Sync, *, change: bool) -> Sync:
        """Save a sync."""

    def plan(self, sync: Sync) -> SyncPlan:
        """Read both systems and return what would be done."""


class SyncEditor(Widget):
    """Two systems and how they are kept in step; `sync` is what code would have made, `plan` the last preview."""

    _esm = module("sync")
    beside = frozenset({"look", "preview"})
    draft = traitlets.Dict().tag(sync=True)
    rev = traitlets.Int(0).tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    ends = traitlets.Dict().tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)

    def __init__(self, systems: Systems, sync: Sync | None = None) -> None:
        self._systems = systems
        self._saved: Sync | None = sync if sync is not None and sync.hand is not None else None
        self._ends: dict[str, End] = {}
        self._kept: dict[str, Any] = {}  # what of a saved sync is not clicked here
        self.plan: SyncPlan | None = None
        self._ids = itertools.count(1)
        facts = {
            "systems": systems.names(),
            "ways": list(WAYS),
            "asks": {about: list(asks) for about, asks in ASKS.items()},
            "acts": list(ACTS),
        }
        super().__init__(facts=facts, draft=self._drafted(sync))
        self.observe(lambda _: self._judge(), names=["rev"])
        self._judge()

    def __repr__(self) -> str:
        made = self.sync
        return f"SyncEditor({made!r})" if made is not None else "SyncEditor(not complete yet)"

    @property
    def sync(self) -> Sync | None:
        """Return the sync as it stands, or None while it means nothing yet."""
        try:
            return self._made()
        except IcxError:
            return None

    def static_html(self) -> Html:
        draft, answers = self.draft, self.answers
        made = self.sync
        state = pill("ok", "Can be saved") if answers["ok"] else pill("warn", "Not complete")
        parts: list[object] = [head(f"Sync {draft['name']}".strip(), state)]
        if made is not None:
            parts.append(panel("In words", tag("ul", *(tag("li", line.strip()) for line in sentences(made)))))
        rows = [
            (line["a"], line["way"], line["b"], "empties" if line["blank"] else "")
            for line in answers["mapped"]
        ]
        if rows:
            parts.append(
                panel("Fields", table((draft["a"] or "a", "way", draft["b"] or "b", "when empty"), rows))
            )
        if answers["problem"]:
            parts.append(note("bad", answers["problem"]["message"], answers["problem"]["where"]))
        if self.plan is not None:
            boxes = [tile(STATES[code], number(self.plan.states.get(code, 0)), "") for code in STATES]
            parts.append(tiles(*boxes))
        return root(*parts, name="Sync")

    # --- what the browser asks -----------------------------------------------------------------------------------------

    def ask_look(self, name: str, running: Any = None) -> Answer:
        """Try a system and return what it has: its columns, its lists, what it can."""
        end, words = self._systems.look(name)
        self._ends[name] = end
        seen = {
            "words": words,
            "kind": end.kind,
            "can": sorted(end.can),
            "columns": [asdict(one) | {"label": mask.plain(one.label)} for one in end.columns],
            "lists": [{"id": str(one.id), "name": mask.plain(one.name)} for one in end.lists],
        }
        self.ends = {**self.ends, name: seen}
        self._judge()
        return {}

    def ask_save(self, change: bool = False) -> Answer:
        """Save the sync; `change` says that one that reads differently may be replaced."""
        self._saved = self._systems.save(self._made(), change=change)
        self.plan = None
        return {"name": self._saved.name}

    def ask_preview(self, running: Any = None) -> Answer:
        """Read both systems and say what an apply would do: counts, reasons, questions and a sample, people masked."""
        if self._saved is None or self._saved.as_dict() != self._made().as_dict() | _rest(self._saved):
            raise BadInput(
                "sync-value",
                "The preview is of what is saved.",
                where="the sync was changed since",
                kept="nothing was read or sent",
                next=["Save, then Preview"],
            )
        plan = self.plan = self._systems.plan(self._saved)
        answers = {stop.key: stop.confirm or "how they agreed" for stop in plan.stops}
        return {
            "plan": plan.plan_id,
            "first": plan.first,
            "states": [[STATES[code], plan.states.get(code, 0)] for code in STATES],
            "writes": [
                {"system": plan.sync.of(side), "people": plan.sizes[side], "calls": plan.calls[side],
                 "counts": {verb: count for verb, count in plan.counts[side].items() if count}}
                for side in SIDES
            ],
            "reasons": [[reason(code, plan.sync), count] for code, count in plan.reasons.items()],
            "told": [mask.plain(one) for one in plan.told],
            "stops": [{"words": stop.words, "question": stop.question} for stop in plan.stops],
            "python": f"ws.sync({plan.sync.name!r}).plan().apply({f'confirm={answers!r}' if answers else ''})",
        }  # fmt: skip

    # --- inside --------------------------------------------------------------------------------------------------------

    def _drafted(self, sync: Sync | None) -> dict[str, Any]:
        if sync is None:
            return {**BLANK, "rules": [self._ruled(rule) for rule in EVERYTHING]}
        self._kept = {"description": sync.description}
        return {
            "name": sync.name, "a": sync.a, "b": sync.b, "winner": sync.winner, "alike": sync.alike, "basis": sync.basis,
            "unsubscribes": dict(sync.unsubscribes),
            "lines": [{"id": self._id(), "a": one.a, "b": one.b, "way": one.way, "blank": one.blank, "winner": one.winner}
                      for one in sync.lines],
            "rules": [self._ruled(rule) for rule in sync.rules],
        }  # fmt: skip

    def _ruled(self, rule: Rule) -> dict[str, Any]:
        return {
            "id": self._id(), "side": rule.side, "does": rule.does,
            "when": [{"id": self._id(), **asdict(one)} for one in rule.when],
            "then": [{"id": self._id(), **asdict(one)} for one in rule.then],
        }  # fmt: skip

    def _id(self) -> str:
        return f"r{next(self._ids)}"

    def _made(self) -> Sync:
        draft = self.draft
        lines = [_bare(one) for one in draft["lines"] if one["a"] and one["b"]]
        rules = [
            {"side": rule["side"], "does": rule["does"], "when": [_bare(one) for one in rule["when"]],
             "then": [_bare(one) for one in rule["then"]]}
            for rule in draft["rules"]
        ]  # fmt: skip
        kept = {key: draft[key] for key in ("name", "a", "b", "winner", "alike", "basis", "unsubscribes")}
        return from_dict({**kept, **self._kept, "lines": lines, "rules": rules}, f"sync {draft['name']}")

    def _judge(self) -> None:
        """Say whether the draft means something, and what is wrong beside the line or rule that is wrong."""
        answer: dict[str, Any] = {
            "rev": self.rev, "ok": False, "problem": {}, "rows": {}, "mapped": [], "told": [], "words": [], "python": "",
        }  # fmt: skip
        try:
            made = self._made()
            answer |= {
                "ok": True,
                "words": [line.strip() for line in sentences(made)],
                "python": _python(made),
            }
            if made.a in self._ends and made.b in self._ends:
                ends: dict[Side, End] = {"a": self._ends[made.a], "b": self._ends[made.b]}
                answer["rows"] = self._rows(made, ends)
                found, said = resolve(made, ends)
                answer["told"] = said
                answer["mapped"] = [asdict(line) for line in found.lines]
        except IcxError as error:
            answer |= {"ok": False, "problem": told(error)}
        except Exception as error:  # a view that only waits would say nothing
            answer |= {"ok": False, "problem": told(error)}
        if not answer["mapped"]:
            answer["mapped"] = [_bare(one) for one in self.draft["lines"]]
        answer["ok"] = answer["ok"] and not answer["rows"]
        self.answers = answer

    def _rows(self, made: Sync, ends: Mapping[Side, End]) -> dict[str, str]:
        """Return what is wrong with each line and each rule, tried by itself."""
        alone = replace(
            made, lines=(), rules=EVERYTHING, alike=False, unsubscribes={"a": "none", "b": "none"}
        )
        tried: list[tuple[str, Sync]] = [
            (one["id"], replace(alone, lines=(Line(**_bare(one)),)))
            for one in self.draft["lines"]
            if one["a"] and one["b"]
        ]
        tried += [
            (one["id"], replace(alone, rules=(rule,)))
            for one, rule in zip(self.draft["rules"], made.rules, strict=True)
        ]
        wrong = {}
        for row, sync in tried:
            try:
                resolve(checked(sync), ends)
            except IcxError as error:
                wrong[row] = error.message
        return wrong


def _bare(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "id"}


def _rest(saved: Sync) -> dict[str, Any]:
    """Return what of a saved sync no draft says: whether it rests."""
    return {"paused": saved.as_dict()["paused"]} if saved.paused else {}


def _python(made: Sync) -> str:
    """Return the call that makes this sync by typing."""
    given = [repr(made.name), repr(made.a), repr(made.b)]
    if made.lines:
        given.append(f"lines=[{', '.join(_typed(line) for line in made.lines)}]")
    if made.rules == (Rule("a"),):
        given.append("one_way=True")
    elif made.rules != EVERYTHING:
        given.append(f"rules=[{_listed(made.rules)}]")
    given += [f"winner={made.b!r}"] if made.winner == "b" else []
    given += ["alike=False"] if not made.alike else []
    if made.unsubscribes:
        named = {made.of("b" if side == "b" else "a"): how for side, how in made.unsubscribes.items()}
        given.append(f"unsubscribes={named!r}")
    given += [f"basis={made.basis!r}"] if made.basis else []
    return f"ws.sync({', '.join(given)})"


def _typed(line: Line) -> str:
    return repr(line) if line.winner else repr(str(line))


def _listed(rules: Sequence[Rule]) -> str:
    return ", ".join(repr(rule) for rule in rules)
