"""How a sync stands: who is in step, who is excluded or a duplicate, who fails and in whose words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from icx import mask
from icx.store.syncs import Syncs
from icx.sync.continuous import Cost, cost
from icx.sync.definition import SIDES, Side, Sync
from icx.sync.text import STATES, reason

if TYPE_CHECKING:
    from icx.sync.state import State


@dataclass(frozen=True)
class Health:
    """A sync as its last run left it; times are aware UTC, None before the first reading.

    `states` counts pairs by in_sync, excluded, duplicate, deleted and failing; `reasons` says why, by code; `words` are
    the systems' own, with how many they said them of. `people()` is a table of those who are not in step.
    `look` is what the last reading cost and how often it may be had; None before the first.
    """

    sync: Sync
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    words: Mapping[str, int]
    read: Mapping[Side, datetime | None]
    sizes: Mapping[Side, int]
    look: Cost | None
    kept: State

    def people(self, state: str = "", *, show: bool = False, limit: int = 1000) -> pa.Table:
        """Return a row per pair that is not in step: state, reason, words, both ids, address (masked unless `show`)."""
        rows = self.kept.pairs(state, limit)
        told = [
            {
                "state": STATES.get(row["state"], row["state"]),
                "reason": reason(row["reason"], self.sync),
                "words": mask.plain(mask.addresses_in(row["words"])),
                self.sync.a: row["a_key"],
                self.sync.b: row["b_key"],
                "address": (row["a_email"] or row["b_email"])
                if show
                else mask.address(row["a_email"] or row["b_email"]),
                "since": row["since"],
            }
            for row in rows
        ]
        names = ["state", "reason", "words", self.sync.a, self.sync.b, "address"]
        schema = pa.schema([*((name, pa.string()) for name in names), ("since", pa.timestamp("us"))])
        return pa.Table.from_pylist(told, schema=schema)

    def as_dict(self) -> dict[str, Any]:
        """Return the health's JSON: numbers, no people."""
        return {
            "sync": self.sync.name,
            "systems": {side: self.sync.of(side) for side in SIDES},
            "paused": self.sync.paused is not None,
            "people": dict(self.sizes),
            "states": dict(self.states),
            "reasons": dict(self.reasons),
            "words": dict(self.words),
            "look": vars(self.look) if self.look else None,
            "read": {
                side: at.strftime("%Y-%m-%dT%H:%M:%SZ") if (at := self.read[side]) else None for side in SIDES
            },
        }

    def __str__(self) -> str:
        head = f"{self.sync.name}: {self.sync.a} and {self.sync.b}"
        if self.sync.paused:
            head += f", resting, by {self.sync.paused.by}"
        lines = [head]
        lines += [f"  {count:>9,}  {STATES.get(state, state)}" for state, count in self.states.items()]
        lines += [f"  {count:>9,}    {reason(code, self.sync)}" for code, count in self.reasons.items()]
        lines += [
            f'  {count:>9,}    "{mask.plain(mask.addresses_in(text))}"' for text, count in self.words.items()
        ]
        lines += [f"  looking: {self.look}"] if self.look else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from icx.sync.html import health_html

        return health_html(self)


def health(sync: Sync, state: State, syncs: Syncs, *, per_day: int) -> Health:
    """Return how a sync stands; `per_day` is the budget of calls."""
    kept = syncs.of(sync.name, 1)
    states, reasons = state.outlook()
    marks = state.marks()
    return Health(
        sync,
        states,
        reasons,
        state.words(),
        marks.read if marks else {"a": None, "b": None},
        state.sizes(),
        cost(kept[0].header["reading"], per_day=per_day) if kept else None,
        state,
    )
