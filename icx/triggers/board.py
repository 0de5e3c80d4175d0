"""All triggers of a connection, and what each came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from icx.clock import aware_utc
from icx.store import Connection
from icx.triggers import firings
from icx.triggers.firings import OPEN
from icx.triggers.trigger import Trigger
from icx.words import counted


@dataclass(frozen=True)
class Standing:
    """A trigger, when it was last looked at (aware; None: not yet), and how many firings are in which state."""

    trigger: Trigger
    looked: datetime | None = None
    states: Mapping[str, int] = field(default_factory=dict)
    let_go: int = 0

    @property
    def fired(self) -> int:
        return sum(self.states.values())

    @property
    def open(self) -> int:
        """Firings whose action is still to be done."""
        return sum(self.states.get(state, 0) for state in OPEN)

    @property
    def state(self) -> str:
        """paused, failing (something did not arrive), waiting, active, or new (no build has looked yet)."""
        if self.trigger.paused is not None:
            return "paused"
        if self.states.get("failed"):
            return "failing"
        if self.open:
            return "waiting"
        return "active" if self.looked is not None else "new"

    def as_dict(self) -> dict[str, Any]:
        one = self.trigger
        return {
            "name": one.name,
            "english": one.english,
            "state": self.state,
            "looked": self.looked,
            "fired": self.fired,
            "open": self.open,
            "states": dict(self.states),
        }


@dataclass(frozen=True)
class Triggers(Sequence[Trigger]):
    """The triggers of a connection."""

    connection: str
    standings: tuple[Standing, ...]
    zone: tzinfo = field(default=UTC, compare=False)

    def __getitem__(self, at: Any) -> Any:
        return [one.trigger for one in self.standings][at]

    def __len__(self) -> int:
        return len(self.standings)

    def __iter__(self) -> Iterator[Trigger]:
        return iter([one.trigger for one in self.standings])

    def __repr__(self) -> str:
        if not self.standings:
            return f"{self.connection} has no triggers"
        fired, waiting = sum(one.fired for one in self.standings), sum(one.open for one in self.standings)
        return (
            f"{counted(len(self), 'trigger')} of {self.connection}: fired {counted(fired, 'time')},"
            f" {counted(waiting, 'firing')} to be done"
        )

    def _repr_html_(self) -> str:
        from icx.triggers.html import triggers_html

        return str(triggers_html(self))

    def as_dict(self) -> dict[str, Any]:
        return {"connection": self.connection, "triggers": [one.as_dict() for one in self.standings]}


def standings(con: Connection, triggers: Sequence[Trigger]) -> tuple[Standing, ...]:
    """Return each trigger with what came of it; `con` is on the connection's tables."""
    states = firings.tallies(con)
    looks = {
        name: (aware_utc(at), let_go)
        for name, at, let_go in con.execute(
            "select trigger_name, looked_at, let_go from trigger_looks"
        ).fetchall()
    }
    return tuple(
        Standing(
            one,
            looks.get(one.name, (None, 0))[0],
            states.get(one.name, {}),
            looks.get(one.name, (None, 0))[1],
        )
        for one in triggers
    )
