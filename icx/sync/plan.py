"""The plan of a sync: what would change on either side, and why not; the questions to answer, the cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx.plan.stops import Stop
from icx.store.syncs import KeptSync
from icx.sync.definition import SIDES, Side, Sync

if TYPE_CHECKING:
    from icx.sync.applied import Synced
    from icx.sync.state import State

VERBS = ("create", "update", "act", "undo", "unsubscribe")


@dataclass(frozen=True)
class SyncPlan:
    """What a sync would do now; nothing has been sent.

    `sizes` is how many people each side has, `counts` how many of them would be written, by verb. `states` counts
    pairs as they will be (in_sync, excluded, duplicate, deleted, failing), `reasons` why, `notes` what is to tell of
    fields (conflict, foreign, kept, keeps, refused, contradiction, loop). `told` are sentences about the whole. `calls`
    is what the writes of each side cost, `reading` what this plan cost to read both, `pieces` how many there are, `base`
    the newest plan whose outcomes this one knows. Times are aware UTC.
    """

    plan_id: str
    sync: Sync
    made_at: datetime
    who: str
    first: bool
    sizes: Mapping[Side, int]
    counts: Mapping[Side, Mapping[str, int]]
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    notes: Mapping[str, int]
    stops: tuple[Stop, ...]
    calls: Mapping[Side, int]
    reading: int
    told: tuple[str, ...]
    zone: str
    pieces: int = 0
    base: int = 0
    state: str = "open"
    kept: State | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        parts = [f"{self.writes(side):,} in {self.sync.of(side)}" for side in SIDES]
        return f"SyncPlan({self.plan_id}: {self.sync.name!r}, {', '.join(parts)})"

    def __str__(self) -> str:
        from icx.sync.text import transcript

        return transcript(self)

    def _repr_html_(self) -> str:
        from icx.sync.html import plan_html

        return plan_html(self)

    def writes(self, side: Side | None = None) -> int:
        """Return how many people of a side, or of both, would be written."""
        return sum(sum(self.counts[one].values()) for one in SIDES if side in (None, one))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.writes()

    @property
    def number(self) -> int:
        return int(self.plan_id[2:])

    def rows(self, where: str = "true", limit: int | None = None) -> list[dict[str, Any]]:
        """Return a row per pair that this plan decided; `where` is a condition of SQL over their columns."""
        if self.kept is None:
            raise ValueError("this plan was not kept")
        return self.kept.rows(self.number, where, limit)

    def apply(
        self,
        confirm: Mapping[str, str | int] | None = None,
        *,
        progress: Callable[[Any], None] | None = None,
    ) -> Synced:
        """Do what the plan says, or less, and read back; cut off, the same call goes on.

        `confirm` answers the plan's stops: `plan.apply(confirm={"first-run": "y"})`.
        """
        answers = {key: str(value) for key, value in (confirm or {}).items()}
        return self.sync.carrier().apply(self, answers=answers, progress=progress)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan's JSON: numbers, no people."""
        return {
            "plan": self.plan_id,
            "sync": self.sync.name,
            "systems": {side: self.sync.of(side) for side in SIDES},
            "made_at": self.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "state": self.state,
            "first": self.first,
            "people": dict(self.sizes),
            "counts": {side: dict(self.counts[side]) for side in SIDES},
            "states": dict(self.states),
            "reasons": dict(self.reasons),
            "notes": dict(self.notes),
            "told": list(self.told),
            "calls": dict(self.calls),
            "reading": self.reading,
            "stops": [stop.as_dict() for stop in self.stops],
        }

    def header(self) -> dict[str, Any]:
        """Return what the journal keeps, without people."""
        return {
            "definition": self.sync.as_dict(),
            "first": self.first,
            "sizes": dict(self.sizes),
            "counts": {side: dict(self.counts[side]) for side in SIDES},
            "states": dict(self.states),
            "reasons": dict(self.reasons),
            "notes": dict(self.notes),
            "stops": [asdict(stop) for stop in self.stops],
            "calls": dict(self.calls),
            "reading": self.reading,
            "told": list(self.told),
            "zone": self.zone,
            "pieces": self.pieces,
            "base": self.base,
        }


def from_kept(kept: KeptSync, sync: Sync, state: State) -> SyncPlan:
    """Return the plan that the journal keeps."""
    header = kept.header
    return SyncPlan(
        plan_id=kept.plan_id,
        sync=sync,
        made_at=kept.made_at,
        who=kept.who,
        first=header["first"],
        sizes=header["sizes"],
        counts=header["counts"],
        states=header["states"],
        reasons=header["reasons"],
        notes=header["notes"],
        stops=tuple(Stop(**stop) for stop in header["stops"]),
        calls=header["calls"],
        reading=header["reading"],
        told=tuple(header["told"]),
        zone=header["zone"],
        pieces=header["pieces"],
        base=header["base"],
        state=kept.state,
        kept=state,
    )
