"""A sync tried on copies of both systems until it comes to rest: what would be written, and that it ends. Sends nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from icx.store import Store, private
from icx.store.journal import Journal
from icx.store.syncs import Syncs
from icx.sync.apply import apply
from icx.sync.copy import MADE, Copy
from icx.sync.definition import SIDES, Side, Sync
from icx.sync.hand import Known, Watch, Work
from icx.sync.make import make
from icx.sync.plan import SyncPlan

RUNS = 4  # syncs one after the other; a sync that comes to rest needs one, and a second that finds nothing


@dataclass(frozen=True)
class Simulated:
    """What came of a sync on copies: `plan` is the first one, `written` counts all writes by side and run.

    `rests` says whether a last sync found nothing to do; `fields` how many people's values differ afterwards from
    before, by side.
    """

    sync: Sync
    plan: SyncPlan
    written: tuple[Mapping[Side, int], ...]
    rests: bool
    changed: Mapping[Side, int]
    made: Mapping[Side, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the simulation's JSON."""
        return {
            "sync": self.sync.name,
            "plan": self.plan.as_dict() | {"plan": None},
            "written": [dict(one) for one in self.written],
            "rests": self.rests,
            "changed": dict(self.changed),
            "made": dict(self.made),
        }

    def __str__(self) -> str:
        told = [
            f"{self.sync.of(side)}: {self.made[side]:,} made, {self.changed[side]:,} changed"
            for side in SIDES
        ]
        end = "and then nothing is left to do" if self.rests else "and it does NOT come to rest"
        return f"On copies, nothing was sent. {'; '.join(told)}; {len(self.written)} runs, {end}."


@dataclass(frozen=True)
class _Asked:
    """What is known of consent, asked and never taught: what happens on a copy has not happened."""

    watch: Watch

    def refused(self, people: Sequence[Known], list_id: str | None) -> Mapping[Known, str]:
        asked = {
            (None if (key or "").startswith(MADE) else key, address): (key, address)
            for key, address in people
        }
        return {asked[one]: why for one, why in self.watch.refused(list(asked), list_id).items()}

    def joined(self, list_id: str, keys: Sequence[str]) -> None:
        return None

    def made(self, people: Sequence[tuple[str, str]]) -> None:
        return None

    def check(self, step: Sequence[str]) -> None:
        self.watch.check(step)


def simulate(sync: Sync, work: Work) -> Simulated:
    """Carry a sync out on copies, as from what is agreed now. The copies, with everybody in them, are held in memory."""
    with tempfile.TemporaryDirectory(prefix="icx-simulated-") as scratch:
        private.folder(Path(scratch))
        copies = {side: _copy(work, side) for side in SIDES}
        before = {side: dict(copies[side].held) for side in SIDES}
        store = Store(Path(scratch) / "copy.duckdb", clock=work.clock)
        work.state(sync).copy_to(store)
        with Journal(Path(scratch) / "journal.sqlite", work.clock) as journal:
            beside = replace(
                work,
                ends=copies,
                store=store,
                syncs=Syncs(journal),
                watch={side: _Asked(work.watch[side]) for side in SIDES},
                settings=replace(work.settings, push=True),
            )
            trial = replace(sync, paused=None)
            first: SyncPlan | None = None
            written: list[Mapping[Side, int]] = []
            rests = False
            for _ in range(RUNS):
                plan = make(trial, beside, full=True)
                first = first or plan
                if plan.empty:
                    rests = True
                    break
                answers = {stop.key: stop.confirm or "simulated" for stop in plan.stops}
                written.append(apply(trial, plan.plan_id, beside, answers=answers).done)
        assert first is not None
        made = {side: len(copies[side].held) - len(before[side]) for side in SIDES}
        changed = {
            side: sum(copies[side].held[key] != person for key, person in before[side].items())
            for side in SIDES
        }
        return Simulated(sync, replace(first, kept=None), tuple(written), rests, changed, made)


def _copy(work: Work, side: Side) -> Copy:
    end = work.ends[side]
    lists = end.containers() if "lists" in end.can else []
    return Copy.of(
        end.read(),
        end.schema(),
        place=end.place,
        lists=lists,
        can=end.can - {"since"},
        kind=end.kind,
        batch=1000,
    )
