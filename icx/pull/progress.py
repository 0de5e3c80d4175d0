"""Progress: what a pull is at, how fast, and until when it waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from icx.clock import Clock

EVERY = 0.5  # seconds between two reports of the same kind
ENOUGH = 8  # finished units before a remaining time is guessed


@dataclass(frozen=True)
class Progress:
    """A moment of a pull.

    `done` of `of` are units. `rate` is rows a second, `calls_left` this hour's, `seconds_left` a guess (None while it
    would be an invention), `waiting_until` aware UTC while the service or the budget makes us wait.
    """

    what: str
    done: int
    of: int | None
    rate: float | None = None
    note: str = ""
    waiting_until: datetime | None = None
    calls_left: int | None = None
    seconds_left: float | None = None


class Meter:
    """Counts units and rows and tells the caller now and then."""

    def __init__(self, clock: Clock, tell: Callable[[Progress], None] | None) -> None:
        self.clock = clock
        self.tell = tell
        self.done = 0
        self.of: int | None = None
        self.rows = 0
        self.what = ""
        self.note = ""
        self._began = clock.monotonic()
        self._told = float("-inf")
        self._kept = 0

    def start(self, of: int | None, kept: int = 0) -> None:
        """Say how many units there are; `kept` of them were finished by an earlier part."""
        self.of = of
        self.done = self._kept = kept
        self._began = self.clock.monotonic()

    def say(
        self,
        *,
        waiting_until: datetime | None = None,
        calls_left: Callable[[], int | None] | None = None,
        now: bool = False,
    ) -> None:
        """Tell the caller, unless that was done a moment ago."""
        moment = self.clock.monotonic()
        if self.tell is None or (not now and moment - self._told < EVERY):
            return
        self._told = moment
        passed = moment - self._began
        here = self.done - self._kept
        left = None
        if self.of is not None and here >= ENOUGH and passed > 0:
            left = (self.of - self.done) * passed / here
        self.tell(
            Progress(
                self.what,
                self.done,
                self.of,
                self.rows / passed if passed > 0 else None,
                self.note,
                waiting_until,
                calls_left() if calls_left else None,
                left,
            )
        )
