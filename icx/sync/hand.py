"""What carries a sync out: a workspace, which knows the logins, the database and who asks; and what it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from icx.clock import Clock
from icx.connections.base import Connection, Person
from icx.plan.applied import Progress
from icx.settings import Settings
from icx.store import Store
from icx.store.syncs import Syncs
from icx.sync.definition import SIDES, Side, Sync
from icx.sync.resolve import End
from icx.sync.state import State

if TYPE_CHECKING:
    from icx.sync.applied import Synced
    from icx.sync.health import Health
    from icx.sync.plan import SyncPlan
    from icx.sync.simulate import Simulated

Tell = Callable[[Progress], None]


class Hand(Protocol):
    """What a sync's verbs end in."""

    def plan(self, sync: Sync, *, full: bool, progress: Tell | None) -> SyncPlan: ...

    def apply(
        self, plan: SyncPlan, *, answers: Mapping[str, str] | None, progress: Tell | None
    ) -> Synced: ...

    def simulate(self, sync: Sync) -> Simulated: ...

    def health(self, sync: Sync) -> Health: ...

    def pause(self, sync: Sync, why: str) -> Sync: ...

    def resume(self, sync: Sync) -> Sync: ...


#: Somebody as far as consent knows them: the system's key, the address as it is compared.
Known = tuple[str | None, str | None]


class Watch(Protocol):
    """What is known of consent beside what a system says of somebody today, and learns from what was written."""

    def refused(self, people: Sequence[Known], list_id: str | None) -> Mapping[Known, str]:
        """Return who may not be put on a list (None: not be made at all) by what is known, and the reason's code."""

    def joined(self, list_id: str, keys: Sequence[str]) -> None:
        """Learn whom icx put on a list."""

    def made(self, people: Sequence[tuple[str, str]]) -> None:
        """Learn whom icx made, (key, address) each."""

    def check(self, step: Sequence[str]) -> None:
        """Raise what stands against any writing there; `step` is the command to type afterwards."""


class NothingKnown:
    """The consent facts of a system of which icx keeps none: a table, a copy."""

    def refused(self, people: Sequence[Known], list_id: str | None) -> Mapping[Known, str]:
        return {}

    def joined(self, list_id: str, keys: Sequence[str]) -> None:
        return None

    def made(self, people: Sequence[tuple[str, str]]) -> None:
        return None

    def check(self, step: Sequence[str]) -> None:
        return None


@dataclass(frozen=True)
class Work:
    """Everything a sync works with: both systems, what is known of consent there, the store, the journal, the clock.

    `erased` tells whether an address is of somebody who was erased here, `calls` how many calls were made so far,
    `others` which syncs there are beside this one.
    """

    ends: Mapping[Side, Connection]
    store: Store
    syncs: Syncs
    settings: Settings
    clock: Clock
    who: str
    watch: Mapping[Side, Watch] = field(default_factory=lambda: {"a": NothingKnown(), "b": NothingKnown()})
    erased: Callable[[str], bool] = lambda address: False
    calls: Callable[[], int] = lambda: 0
    others: Callable[[], Sequence[Sync]] = tuple

    def described(self, sync: Sync) -> dict[Side, End]:
        """Ask both systems what they have and can."""
        found: dict[Side, End] = {}
        for side in SIDES:
            end = self.ends[side]
            lists = tuple(end.containers()) if "lists" in end.can else ()
            found[side] = End(sync.of(side), end.kind, end.can, tuple(end.schema()), lists)
        return found

    def state(self, sync: Sync) -> State:
        return State(self.store, sync.name)


def silent(progress: Any) -> None:
    """Hear of progress and say nothing."""


def by_key(people: Mapping[str, Person | None]) -> list[Person]:
    """Return those who are there."""
    return [person for person in people.values() if person is not None]
