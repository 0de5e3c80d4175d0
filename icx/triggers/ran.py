"""What a run of a trigger came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from icx import mask
from icx.errors import IcxError
from icx.words import counted


@dataclass(frozen=True)
class Ran:
    """What became of the firings that were due.

    `done` includes who was on the list already. `refused` are those whom consent keeps away, with the reasons;
    `failed` did not arrive and are tried again by the next run. `plan` is the plan that did it, `run` the notebook's
    run. `problem` is why it did not end well, although what was done is kept.
    """

    trigger: str
    fired: int = 0
    done: int = 0
    refused: int = 0
    failed: int = 0
    waiting: int = 0
    plan: str = ""
    run: str = ""
    reasons: tuple[tuple[str, int], ...] = ()
    problem: IcxError | None = None

    def __repr__(self) -> str:
        name = mask.plain(self.trigger)
        if not self.done + self.refused + self.failed + self.waiting:
            return f"{name}: nobody to do anything for"
        parts = [f"{counted(self.done, 'person')} done"]
        parts += [f"{self.refused:,} refused"] if self.refused else []
        parts += (
            [f"{self.failed:,} did not arrive and {'is' if self.failed == 1 else 'are'} tried again"]
            if self.failed
            else []
        )
        parts += [f"{self.waiting:,} wait"] if self.waiting else []
        how = f" ({self.plan or self.run})" if self.plan or self.run else ""
        return f"{name}: {', '.join(parts)}{how}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "trigger": self.trigger,
            "fired": self.fired,
            "done": self.done,
            "refused": self.refused,
            "failed": self.failed,
            "waiting": self.waiting,
            "plan": self.plan or None,
            "run": self.run or None,
            "reasons": dict(self.reasons),
        }
