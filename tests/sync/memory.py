"""Systems in memory that behave as badly as services do, and a bench to run a sync between them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from icx.clock import ManualClock
from icx.connections.base import Change, Column, Container, Done, Person
from icx.errors import TryLater, UnknownOutcome
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal
from icx.store.syncs import Syncs
from icx.sync import Sync, checked
from icx.sync.apply import apply
from icx.sync.copy import Copy
from icx.sync.hand import Work
from icx.sync.make import make

COLUMNS = (Column("name", "Name"), Column("tier", "Tier"), Column("unsubscribed", "Unsubscribed"))


class Killed(BaseException):
    """The process ends here, as kill -9 does."""


@dataclass
class System(Copy):
    """A copy with faults: `luck` decides before and after each write; `log` is every change that arrived."""

    luck: random.Random | None = None
    kill: float = 0.0
    drop: float = 0.0
    refuse: float = 0.0
    refused: dict[str, str] = field(default_factory=dict)  # key or address: the words it is refused with
    keeps: dict[str, dict[str, str]] = field(default_factory=dict)  # field: value sent -> value kept
    meddle: object = None  # called before each write, as somebody else at work
    log: list[Change] = field(default_factory=list)

    def _falls(self, chance: float) -> bool:
        return self.luck is not None and self.luck.random() < chance

    def people(self, keys: Sequence[str]) -> dict[str, Person | None]:
        if self._falls(self.drop / 4):
            raise TryLater("service-busy", "busy", where=self.place, kept="all", next=["later"])
        return super().people(keys)

    def write(self, changes: Sequence[Change]) -> list[Done]:
        assert len(changes) <= self.batch
        if callable(self.meddle):
            self.meddle()
        if self._falls(self.kill):
            raise Killed("before the write")
        if self._falls(self.drop):
            raise _lost(self.place)
        done = super().write(changes)
        if self._falls(self.kill):
            raise Killed("after the write")
        if self._falls(self.drop):
            raise _lost(self.place)
        return done

    def settle(self, changes: Sequence[Change]) -> list[Done]:
        if self._falls(self.drop):
            raise TryLater("service-busy", "busy", where=self.place, kept="all", next=["later"])
        return super().settle(changes)

    def _one(self, change: Change) -> Done:
        who = change.key or change.email or ""
        if who in self.refused or self._falls(self.refuse):
            return Done(change.row, "refused", None, self.refused.get(who, "You did not provide a state"))
        sent = {name: self.keeps.get(name, {}).get(value, value) for name, value in change.fields.items()}
        before = self.held.get(change.key or "")
        assert before is None or before.status == "normal" or not change.join, (
            "nobody is put on a list who said no"
        )
        done = super()._one(replace(change, fields=sent))
        self.log.append(change)
        return done


def _lost(place: str) -> UnknownOutcome:
    return UnknownOutcome(
        "in-doubt", "the connection was lost", where=place, kept="not sent again", next=["read"]
    )


def person(
    key: str, email: str | None, lists: dict[str, str] | None = None, status: str = "normal", **fields: str
) -> Person:
    """Return somebody for a test."""
    return Person(key, email, fields, status, lists=lists or {})


def system(name: str, *people: Person, **more: object) -> System:
    """Return a system that holds these people and two lists."""
    made = System(
        name,
        COLUMNS,
        (Container("1", "News"), Container("2", "Gold")),
        **more,  # type: ignore[arg-type]
    )
    made.held = {one.key: one for one in people}
    return made


class Bench:
    """A store, a journal and systems by name; a new one over the same folder is a new process."""

    def __init__(self, folder: Path, **systems: System) -> None:
        self.folder = folder
        self.systems = systems
        self.clock = ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
        self.store = Store(folder / "icx.duckdb", clock=self.clock)
        self.open = ExitStack()
        self.open.enter_context(self.store.open())  # else each look opens the file anew
        self.journal = Journal(folder / "journal.sqlite", self.clock)
        self.syncs = Syncs(self.journal)
        self.settings = Settings(contact_basis="they asked for it")

    def close(self) -> None:
        self.journal.close()
        self.open.close()

    def work(self, sync: Sync) -> Work:
        ends = {"a": self.systems[sync.a], "b": self.systems[sync.b]}
        return Work(ends, self.store, self.syncs, self.settings, self.clock, "maya")  # type: ignore[arg-type]

    def plan(self, sync: Sync, **more: bool):
        self.clock.moment += timedelta(minutes=5)
        return make(checked(sync), self.work(sync), **more)

    def apply(self, sync: Sync, plan, **answers: str):
        given = {stop.key: stop.confirm or "they asked" for stop in plan.stops} | answers
        return apply(checked(sync), plan.plan_id, self.work(sync), answers=given)

    def run(self, sync: Sync):
        plan = self.plan(sync)
        return self.apply(sync, plan)
