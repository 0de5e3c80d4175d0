"""Pace: how fast calls may follow each other, and how many are left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from icx.clock import SYSTEM, Clock

FIRST = 10.0  # calls a second to begin with
SLOWEST = 0.1
FASTEST = 1000.0  # how many are asked at a time limits a service that takes its time to far less
QUICK = 1.0  # seconds; an answer within this says the service is at ease
AT_ONCE = 0.1  # seconds; after some dozen such answers it is asked as fast as it answers
# Answers that take this many times as long as they used to, so many in a row, say that a used-up limit is kept by
# slowness instead of a 503. Then nothing is asked for a while; after the last nap slowness is taken as it comes.
SLOWER = 5.0
IN_A_ROW = 8
KNOWN = 20  # answers before it is known how long they take
NAPS = (60.0, 300.0, 900.0)
_PAUSE = 5.0  # seconds from which waiting for one's turn is worth saying
_SMALL = 20_000  # bytes that make no difference to how long an answer takes
_LONGEST_NAP = 30.0  # a long wait is slept in pieces, so that a process stopped meanwhile stops


@dataclass(frozen=True)
class Waiting:
    """Why and until when a call waits, for a progress line; `attempt` is 0 before the first. `until` is aware UTC."""

    label: str
    why: str
    attempt: int
    until: datetime


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
    """Spaces calls out: faster while the service answers quickly, half as fast after each 503 or 429.

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
        self._usual: list[float] = []  # seconds and size of answers that came as they should, as one figure
        self._slow = self._naps = 0
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
        if turn - now > _PAUSE:
            self.pause(turn - now)
        elif turn > now:
            self.clock.sleep(turn - now)
        while (seconds := self.budget.spend()) > 0.0:
            self.pause(seconds)

    def hold(self, seconds: float) -> None:
        """Let nobody call for so long: what one call was told holds for all."""
        with self._lock:
            self._next = max(self._next, self.clock.monotonic() + seconds)

    def answered(self, status: int | None, seconds: float, size: int = 0) -> None:
        """Learn from an answer: its status (None: no answer came), how long it took, how many bytes it has."""
        with self._lock:
            if status is not None and status < 400:
                self._compare(seconds, size)
            if status in (429, 503):
                self._climbing = False
                self.rate = max(SLOWEST, self.rate / 2)
            elif status is not None and status < 500 and seconds <= QUICK:
                share = 1.5 if seconds <= AT_ONCE else 1.1
                faster = self.rate * share if self._climbing else self.rate + 0.1
                self.rate = min(FASTEST, faster)

    def _compare(self, seconds: float, size: int) -> None:
        effort = seconds / (_SMALL + size)  # a long page may take longer
        usual = sorted(self._usual)[len(self._usual) // 2] if len(self._usual) >= KNOWN else None
        if usual is not None and seconds > QUICK and effort > SLOWER * usual:
            self._slow += 1
            return
        self._slow = 0
        if seconds <= QUICK:
            self._naps = 0
        self._usual = [*self._usual, effort][-KNOWN:]

    def slowed(self) -> float:
        """Return the seconds to wait because the service has become slow without a word, 0.0 when it has not."""
        with self._lock:
            if self._slow < IN_A_ROW:
                return 0.0
            self._slow = 0
            if self._naps == len(NAPS):
                self._usual = []  # this is how it is now
                return 0.0
            self._naps += 1
            return NAPS[self._naps - 1]

    def pause(self, seconds: float) -> None:
        """Wait, visibly: `waiting_until` says until when, and `on_wait` is told."""
        end = self.clock.monotonic() + seconds
        until = self.clock.now() + timedelta(seconds=seconds)
        self.waiting_until = until
        if self.on_wait is not None:
            self.on_wait(until)
        try:
            # Over when either says so: one stands still while the machine sleeps, the other may be set back.
            while (
                remaining := min((until - self.clock.now()).total_seconds(), end - self.clock.monotonic())
            ) > 0:
                self.clock.sleep(min(remaining, _LONGEST_NAP))
        finally:
            self.waiting_until = None
