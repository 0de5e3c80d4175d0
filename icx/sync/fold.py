"""Remembering: what a plan decided and what became of it, made the state that the next plan begins with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from icx.connections.base import Person
from icx.store.syncs import KeptSync, Write
from icx.sync.decide import Want
from icx.sync.definition import SIDES, Side
from icx.sync.hand import Work
from icx.sync.make import Ready
from icx.sync.memory import Memory
from icx.sync.state import ROWS, State


def fold(
    kept: KeptSync, be: Ready, work: Work, state: State, read: Mapping[Side, Mapping[str, Person]]
) -> None:
    """Make the outcomes in the journal the state; done twice it is as done once."""
    writes: dict[int, list[Write]] = {}
    for one in work.syncs.writes(kept.number):
        writes.setdefault(one.row, []).append(one)
    odd = [
        became(row, writes.get(row["row"], []))
        for row in state.rows(kept.number, "verb_a is not null or verb_b is not null")
    ]
    people = {side: list(read.get(side, {}).values()) for side in SIDES}
    state.fold(kept.number, odd, people, be.want, work.clock.now())


def became(row: Mapping[str, Any], writes: list[Write]) -> dict[str, Any]:
    """Return a pair as it is remembered after its writes; pure.

    What was not done is not remembered as agreed. A side whose person read back just as expected is settled; else both
    are decided again by the next plan, which is always safe, since what was agreed is known by value.
    """
    memory = Memory.from_text(row["memory"])
    rounds = [{side: Want.from_dict(w) for side, w in one.items()} for one in json.loads(row["rounds"])]
    by = {(one.round, one.side): one for one in writes}
    found: dict[str, Any] = {name: row[name] for name in ROWS.names} | {"words": ""}
    kept = dict(memory.kept)
    again = False
    for level, one in enumerate(rounds):
        for side, want in one.items():
            write = by.get((level, side))
            done = write is not None and write.state == "done"
            took = Want.from_dict(json.loads(write.took)) if write and write.took else want
            if write is not None and write.key:
                found[f"{side}_key"] = write.key
            if not done:
                memory = memory.without(want.lines, want.as_dict())
                if want.make and not found[f"{side}_key"]:
                    memory = replace(memory, linked=False)
                if write is not None and write.state == "refused":
                    found |= {
                        "state": "failing",
                        "reason": "refused",
                        "words": write.words or "no reason given",
                    }
                else:
                    again = True
                continue
            assert write is not None
            missing = {line: was for line, was in want.lines.items() if not _sent(line, side, want, took)}
            if missing or took.as_dict() != want.as_dict():
                memory = memory.without(missing, {})
                again = True
            for name, pair in (json.loads(write.kept) if write.kept else {}).items():
                kept[f"{side} {name}"] = (pair[0], pair[1])
            found[f"{side}_digest"] = write.read_digest
    if again:
        found |= {"a_digest": None, "b_digest": None}
    if not memory.linked:
        for side in SIDES:
            if any(side in one and one[side].make for one in rounds) and row[f"{side}_key"] is None:
                found[f"{side}_key"] = None if found["state"] != "in_sync" else found[f"{side}_key"]
    if again and found["state"] == "in_sync" and not memory.linked:
        found |= {"state": "excluded", "reason": "waiting"}
    found["linked"] = memory.linked
    found["memory"] = replace(memory, kept=kept).as_text()
    return found


def _sent(line: str, side: str, want: Want, took: Want) -> bool:
    name = line.partition("=")[2] if side == "b" else line.partition("=")[0]
    return took.fields.get(name) == want.fields.get(name)
