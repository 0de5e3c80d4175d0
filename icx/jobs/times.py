"""When a cron expression comes: instants, across clock changes, none twice and none left out.

A schedule that names hours means readings of the wall clock, each once: a reading that the clock leaps over in
spring comes at the first moment after the leap, one that comes twice in autumn counts the first time. A schedule
of every hour means time that passes: it goes on evenly through both nights.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def after(cron: str, zone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Yield the instants (aware, UTC) strictly after a moment at which the schedule comes, without end.

    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    >>> [f"{one:%d %H:%M}" for one, _ in zip(after("30 2 * * *", berlin, spring), range(2))]
    ['29 01:00', '30 00:30']
    """
    start = moment.astimezone(UTC)
    found = _evenly(cron, zone, start) if _every_hour(cron) else _readings(cron, zone, start)
    last = start
    for one in found:
        if one > last:  # two readings in one leap are one moment
            last = one
            yield one


def between(cron: str, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the instants after `begin`, up to and with `end`."""
    return takewhile(lambda one: one <= end, after(cron, zone, begin))


def latest(cron: str, zone: ZoneInfo, begin: datetime, end: datetime) -> datetime | None:
    """Return the last instant after `begin`, up to and with `end`; quick also when `begin` is years ago."""
    for back in (DAY / 24, DAY, 8 * DAY, 32 * DAY, 370 * DAY, end - begin):
        start = max(begin, end - back)
        found = deque(between(cron, zone, start, end), maxlen=1)
        if found or start == begin:
            return found[0] if found else None
    return None


def _every_hour(cron: str) -> bool:
    return len(CronSim(cron, datetime(2026, 1, 1)).hours) == 24  # noqa: DTZ001 - only its fields are read


def _readings(cron: str, zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """Every reading of the wall clock once. The library counts plain readings; the clock changes are ours."""
    # A start in the second half of an hour that comes twice gets readings of the first half; `after` drops them.
    for reading in CronSim(cron, start.astimezone(zone).replace(tzinfo=None)):
        first = reading.replace(tzinfo=zone, fold=0)
        instant = first.astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == reading:
            yield instant
        else:
            before = reading.replace(tzinfo=zone, fold=1).astimezone(UTC)
            yield _change(zone, before, instant)


def _evenly(cron: str, zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """Every instant at which the wall clock reads so, stretch by stretch of one offset from UTC."""
    while True:
        offset = _offset(zone, start)
        for reading in CronSim(cron, (start + offset).replace(tzinfo=None)):
            instant = (reading - offset).replace(tzinfo=UTC)
            changed = _first_change(zone, start, instant)
            if changed is not None:
                start = changed
                if _reads(cron, zone, changed):
                    yield changed
                break
            start = instant
            yield instant


def _reads(cron: str, zone: ZoneInfo, instant: datetime) -> bool:
    wall = instant.astimezone(zone).replace(tzinfo=None)
    return next(CronSim(cron, wall - SECOND)) == wall


def _first_change(zone: ZoneInfo, begin: datetime, end: datetime) -> datetime | None:
    """Return the first instant in (begin, end] from which another offset holds."""
    offset, low = _offset(zone, begin), begin
    while low < end:
        high = min(low + DAY, end)
        if _offset(zone, high) != offset:
            return _change(zone, low, high)
        low = high
    return None


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second of the offset that holds at `after`, which does not at `before`."""
    offset = _offset(zone, after)
    while after - before > SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _offset(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
