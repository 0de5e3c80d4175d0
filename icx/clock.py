"""Time as an argument: nothing in icx reads the machine's clock except through a `Clock`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the rest of icx may ask of time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring durations."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class ManualClock:
    """A clock for tests: it stands still until told to move, and sleeping moves it at once.

    >>> clock = ManualClock(datetime(2026, 3, 2, tzinfo=UTC))
    >>> clock.sleep(90)
    >>> clock.now().isoformat()
    '2026-03-02T00:01:30+00:00'
    >>> clock.sleep(1e-9)
    >>> clock.now().isoformat()
    '2026-03-02T00:01:30.000001+00:00'
    """

    moment: datetime
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        # Never less than asked: a rest below a microsecond would be waited for without end.
        self.moment += timedelta(microseconds=math.ceil(seconds * 1e6))


SYSTEM: Clock = SystemClock()


def naive_utc(moment: datetime) -> datetime:
    """Return an aware datetime as the naive UTC value the store keeps.

    >>> from datetime import timezone
    >>> naive_utc(datetime(2026, 3, 2, 9, 15, tzinfo=timezone(timedelta(hours=-5))))
    datetime.datetime(2026, 3, 2, 14, 15)
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in time; give it a zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware_utc(moment: datetime) -> datetime:
    """Return a naive UTC value from the store as an aware datetime."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
