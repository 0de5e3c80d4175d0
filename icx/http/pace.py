"""Pace: how fast calls may follow each other, and how many are left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from icx.clock import SYSTEM, Clock

FIRST = 10.0  # calls a second to begin with
SLOWEST = 0.1
FASTEST = 200.0
QUICK = 1.0  # seconds; an answer within this says the service is at ease
_LONGEST_NAP = 30.0  # a long wait is slept in pieces, so that a process stopped meanwhile stops


class Budget(Protocol):
    """The calls still allowed; shared by all who use one application id and account."""

    def spend(self) -> float:
        """Take one call and return 0.0, or take none and return the seconds until one may be free."""

    def left(self) -> int | None:
        """Return the calls left this hour, or None when nobody counts."""


class Unlimited:
    """A budget that nobody counts; for a client used alone."""

    def spend(self) -> float:
        return 0.0

    def left(self) -> int | None:
        return None


class Pace:
    """Spaces calls out: faster while the service answers quickly, half as fast after each 503.

    iContact announces no rate limit in its headers and answers 503 both when it is overloaded and when a limit
    is reached, so the pace is found by trying. One `Pace` is shared by all threads of a client.
    `on_wait(until)` is told when the budget or a busy service makes a call wait; `until` is aware UTC.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        *,
        clock: Clock = SYSTEM,
        on_wait: Callable[[datetime], None] | None = None,
        first: float = FIRST,
    ) -> None:
        self.budget: Budget = budget or Unlimited()
        self.clock = clock
        self.on_wait = on_wait
        self.rate = first
        self.waiting_until: datetime | None = None
        self._climbing = True  # before the first 503 the pace grows by shares, later by steps
        self._next = clock.monotonic()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        left = self.left()
        return f"Pace({self.rate:.1f} calls a second, {'not counted' if left is None else f'{left} left'})"

    def left(self) -> int | None:
        """Return the calls left this hour, or None when nobody counts."""
        return self.budget.left()

    def spend(self) -> None:
        """Wait for this call's turn, and take it from the budget."""
        with self._lock:
            now = self.clock.monotonic()
            turn = max(self._next, now)
            self._next = turn + 1.0 / self.rate
        if turn > now:
            self.clock.sleep(turn - now)
        while (seconds := self.budget.spend()) > 0.0:
            self.pause(seconds)

    def answered(self, status: int | None, seconds: float) -> None:
        """Learn from an answer: its status (None: no answer came) and how long it took."""
        with self._lock:
            if status in (429, 503):
                self._climbing = False
                self.rate = max(SLOWEST, self.rate / 2)
            elif status is not None and status < 500 and seconds <= QUICK:
                faster = self.rate * 1.1 if self._climbing else self.rate + 0.1
                self.rate = min(FASTEST, faster)

    def pause(self, seconds: float) -> None:
        """Wait, visibly: `waiting_until` says until when, and `on_wait` is told."""
        until = self.clock.now() + timedelta(seconds=seconds)
        self.waiting_until = until
        if self.on_wait is not None:
            self.on_wait(until)
        try:
            while (remaining := (until - self.clock.now()).total_seconds()) > 0:
                self.clock.sleep(min(remaining, _LONGEST_NAP))
        finally:
            self.waiting_until = None
