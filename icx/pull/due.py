"""Due: which units a pull reads, decided from ages, counters and what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

Tiers = tuple[tuple[timedelta, timedelta], ...]
# (younger than, verified again after): by the age of a message's last release. Opens and clicks decay; the vendor's
# pages show nothing after years, but nothing promises it. A pull each day of two years of messages so costs under a
# twentieth of the calls of a whole one (tests/pull/test_pull_calls.py); a counter that moved has a unit read at once.
EVENT_TIERS: Tiers = (
    (timedelta(days=3), timedelta(0)),
    (timedelta(days=14), timedelta(days=3)),
    (timedelta(days=60), timedelta(days=14)),
    (timedelta(days=365), timedelta(days=60)),
    (timedelta.max, timedelta(days=90)),
)
# A statistics call is one instead of four; its counters tell which of the four to make.
STATISTICS_TIERS: Tiers = (
    (timedelta(days=14), timedelta(0)),
    (timedelta(days=60), timedelta(days=3)),
    (timedelta(days=365), timedelta(days=14)),
    (timedelta.max, timedelta(days=30)),
)
YOUNG = timedelta(days=14)
OVERDUE = timedelta(hours=36)


@dataclass(frozen=True)
class Message:
    """A message as far as its age goes. `released_at` is its last release, or its making (naive UTC)."""

    message_id: int
    name: str
    message_type: str | None
    released_at: datetime | None
    tagged: bool | None

    def age(self, now: datetime) -> timedelta:
        """Return the time since the last release; automated messages and undated ones never age."""
        if self.message_type not in (None, "normal") or self.released_at is None:
            return timedelta(0)
        return now - self.released_at


@dataclass(frozen=True)
class Known:
    """What the ledger knows of one kind of event of a message."""

    stored: int
    service: int | None
    statistics: int | None
    state: str
    verified_at: datetime
    there: int  # rows in the table now


def interval(age: timedelta, tiers: Tiers) -> timedelta:
    """Return how long a verification holds at an age.

    >>> interval(timedelta(days=30), EVENT_TIERS)
    datetime.timedelta(days=14)
    """
    return next(every for below, every in tiers if age < below)


def turn(number: int, at: datetime, every: timedelta) -> int:
    """Return which turn of a message (its id) a moment belongs to, when there is one for so long.

    Turns of different messages begin at different times, so that what one first pull read is not due on one day.

    >>> noon, week = datetime(2026, 11, 21, 12), timedelta(days=7)
    >>> [turn(number, noon + week, week) - turn(number, noon, week) for number in (88104, 88105)]
    [1, 1]
    >>> [turn(number, noon + week / 2, week) - turn(number, noon, week) for number in (88104, 88105, 88106)]
    [1, 1, 0]
    """
    seconds = int(every.total_seconds())
    begins = number * 40_503 % 65_536 * seconds // 65_536  # multiples of the golden ratio, evenly spread
    return (int((at - datetime(1970, 1, 1)).total_seconds()) + begins) // seconds  # noqa: DTZ001


def _come(message: Message, then: datetime, now: datetime, tiers: Tiers) -> bool:
    """Tell whether a message's next turn has come, or the clock was wrong at the last one."""
    every = interval(message.age(now), tiers)
    if not every or then > now:
        return True
    return turn(message.message_id, then, every) != turn(message.message_id, now, every)


def event_due(message: Message, known: Known | None, counter: int | None, now: datetime) -> str | None:
    """Return why a kind of event is to be read again, or None when it is verified in its time.

    `counter` is the newest statistics figure; it is a hint, so a difference is looked into once while it
    stays the same, and again at each pull while the message is young.
    """
    if known is None:
        return "never read"
    if known.there != known.stored:
        return "rows are missing here" if known.there < known.stored else "rows too many here"
    if known.state != "equal":
        return known.state
    age = message.age(now)
    if counter is not None and counter not in (known.statistics, known.service):
        return "statistics moved"
    if counter is not None and known.service is not None and counter > known.service and age < YOUNG:
        return "statistics say more"
    return "its time has come" if _come(message, known.verified_at, now, EVENT_TIERS) else None


def statistics_due(message: Message, read_at: datetime | None, now: datetime) -> bool:
    """Tell whether a message's counters are to be read."""
    return read_at is None or _come(message, read_at, now, STATISTICS_TIERS)


def overdue(message: Message | None, verified_at: datetime, now: datetime) -> bool:
    """Tell whether a verification is older than it should be, with a day and a half of grace.

    One that lies in the future was made by a wrong clock: nobody knows how old it is.
    """
    every = timedelta(0) if message is None else interval(message.age(now), EVENT_TIERS)
    return not -OVERDUE <= now - verified_at <= every + OVERDUE
