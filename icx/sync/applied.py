"""What an apply of a sync came to: how many were written on each side, left out, refused, or are not known."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icx import mask
from icx.errors import IcxError, Refused
from icx.sync.definition import SIDES, Side
from icx.words import counted


@dataclass(frozen=True)
class Synced:
    """The outcome of an apply. `state` is finished, or stopped (the same call goes on).

    `done` counts writes by side; `left_out` those an apply did less than its plan, by why; `refused` the system's words
    with how many it said them of; `differs` how many read back otherwise than they were sent; `names` the systems'.
    """

    plan_id: str
    sync: str
    state: str
    done: Mapping[Side, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    not_sent: int = 0
    in_doubt: int = 0
    differs: int = 0
    already: bool = False
    names: Mapping[Side, str] = field(default_factory=dict, compare=False)

    @property
    def written(self) -> int:
        return sum(self.done.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the apply's JSON."""
        return {
            "plan": self.plan_id,
            "sync": self.sync,
            "state": self.state,
            "done": {side: self.done.get(side, 0) for side in SIDES},
            "left_out": dict(self.left_out),
            "refused": dict(self.refused),
            "not_sent": self.not_sent,
            "in_doubt": self.in_doubt,
            "differs": self.differs,
            "already": self.already,
            "systems": dict(self.names),
        }

    def __str__(self) -> str:
        refused = sum(self.refused.values())
        by = ", ".join(f"{self.done.get(side, 0):,} in {self.names.get(side, side)}" for side in SIDES)
        told = [f"{self.written:,} written ({by})"]
        told += [f"{sum(self.left_out.values()):,} left out"] if self.left_out else []
        told += [f"{refused:,} refused by the service"] if refused else []
        told += [f"{self.differs:,} read back otherwise"] if self.differs else []
        if self.state != "finished":
            told += [f"{self.not_sent:,} not sent", f"{self.in_doubt:,} in doubt"]
            return f"Stopped: {', '.join(told)}. Next: icx sync apply {shlex.quote(self.sync)}"
        head = f"{self.plan_id} is finished already; nothing was sent now. Then" if self.already else "Done"
        return f"{head}: {', '.join(told)}."

    def problem(self, limit: float) -> IcxError | None:
        """Return the error to report although it is done: more rows refused than the limit (a share) allows."""
        refused = sum(self.refused.values())
        of = refused + self.written
        if not refused or refused / of <= limit:
            return None
        words = "; ".join(
            f'{count:,} "{mask.plain(mask.addresses_in(text))}"'
            for text, count in list(self.refused.items())[:5]
        )
        return Refused(
            "refused-share",
            f"Done, but {refused:,} of {counted(of, 'row')} {'was' if refused == 1 else 'were'} refused"
            f" ({100 * refused / of:.1f} %, limit {limit * 100:g} %).",
            where=words,
            kept=f"{self.written:,} written and recorded; who was refused is tried again when they change",
            next=[["icx", "sync", "show", self.sync]],
        )


def from_result(result: Mapping[str, Any]) -> Synced:
    """Return what the journal kept of an apply."""
    return Synced(
        result["plan"],
        result["sync"],
        result["state"],
        result["done"],
        result["left_out"],
        result["refused"],
        result["not_sent"],
        result["in_doubt"],
        result["differs"],
        already=True,
        names=result.get("systems", {}),
    )
