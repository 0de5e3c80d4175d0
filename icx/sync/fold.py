"""Remembering: what a plan decided and what became of it, made the state that the next plan begins with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from icx.store.syncs import KeptSync, Write
from icx.sync.decide import UNDOING
from icx.sync.definition import BETWEEN, Side
from icx.sync.hand import Work
from icx.sync.make import Ready
from icx.sync.memory import Memory
from icx.sync.merge import Base
from icx.sync.state import State
from icx.sync.tables import ACTING, ROWS
from icx.sync.want import Want, rounds_of

PART = 10_000  # rows of a plan that are held in memory at once


def fold(kept: KeptSync, be: Ready, work: Work, state: State) -> None:
    """Make the outcomes in the journal the state; done twice it is as done once."""

    def odd() -> Iterator[list[dict[str, Any]]]:
        last = -1
        while rows := state.rows(kept.number, f"({ACTING}) and row > {last}", PART):
            writes: dict[int, list[Write]] = {}
            for one in work.syncs.writes(kept.number, first=last + 1, last=rows[-1]["row"]):
                writes.setdefault(one.row, []).append(one)
            yield [became(row, writes.get(row["row"], [])) for row in rows]
            last = rows[-1]["row"]

    state.fold(kept.number, odd(), work.clock.now())


def became(row: Mapping[str, Any], writes: list[Write]) -> dict[str, Any]:
    """Return a pair as it is remembered after its writes; pure.

    What was not done is not remembered as agreed. A side whose person read back just as expected is settled; else both
    are decided again by the next plan, which is always safe, since what was agreed is known by value. Whom a system
    refused waits until something about them changes.
    """
    memory = Memory.from_text(row["memory"])
    by = {(one.round, one.side): one for one in writes}
    found: dict[str, Any] = {name: row[name] for name in ROWS.names} | {"words": ""}
    kept = dict(memory.kept)
    again = refused = False
    for level, one in enumerate(rounds_of(row)):
        for side, want in one.items():
            write = by.get((level, side))
            if write is not None and write.key:
                found[f"{side}_key"] = write.key
            if write is None or write.state != "done":
                memory = memory.without(want.lines, want.as_dict())
                if write is not None and write.state == "refused":
                    found |= {
                        "state": "failing",
                        "reason": "refused",
                        "words": write.words or "no reason given",
                    }
                    refused = True
                elif write is not None or not any(one.state == "refused" for one in writes):
                    again = True
                continue
            took = Want.from_dict(json.loads(write.took)) if write.took else want
            if took.as_dict() != want.as_dict():
                memory = memory.without(*_dropped(side, want, took))
                again = True
            for name, (sent, there) in (json.loads(write.kept) if write.kept else {}).items():
                kept[f"{side} {name}"] = (sent, there)
            found[f"{side}_digest"] = write.read_digest
    if found["a_key"] is None or found["b_key"] is None:
        memory = replace(memory, linked=False)  # nobody was made
        if not refused:
            found |= {"state": "excluded", "reason": "waiting"}
    if again:
        found |= {"a_digest": None, "b_digest": None}
    found["linked"] = memory.linked
    found["memory"] = replace(memory, kept=kept).as_text()
    return found


def _dropped(side: Side, want: Want, took: Want) -> tuple[dict[str, Base | None], dict[str, Any]]:
    """Return what of a write was left out right before it: lines with what was agreed before, and actions."""

    def sent(kind: str, name: str) -> bool:
        return name in (took.fields if kind == "set" else getattr(took, kind))

    at = 1 if side == "b" else 0
    lines = {line: was for line, was in want.lines.items() if not sent("set", line.split(BETWEEN)[at])}
    did = [one for one in want.did if not sent(one[2], one[3])]
    undid = [vars(one) for one in want.undid if not sent(UNDOING[one.kind], one.name)]
    return lines, {"did": did, "undid": undid}
