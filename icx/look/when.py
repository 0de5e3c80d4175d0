"""Moments and durations as words: the year only when it is not plain, an age up to a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def moment(at: datetime, now: datetime, zone: str, *, year: bool = False, seconds: bool = False) -> str:
    """Return an aware moment in a zone; of today only the time when `seconds` are asked for.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    >>> moment(datetime(2026, 11, 21, 7, 2, tzinfo=UTC), now, "UTC"), moment(datetime(2024, 3, 1, tzinfo=UTC), now, "UTC")
    ('21 Nov, 07:02', '1 Mar 2024, 00:00')
    """
    there, here = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    if seconds and there.date() == here.date():
        return f"{there:%H:%M:%S}"
    years = year or abs(now - at) > timedelta(days=365)
    return f"{there.day} {there:%b}{f' {there.year}' if years else ''}, {there:%H:%M}"


def ago(at: datetime, now: datetime, zone: str) -> str:
    """Return how long ago an aware moment was, from a day on the moment itself.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    >>> [ago(now - timedelta(minutes=n), now, "UTC") for n in (1, 5, 130, 3000)]
    ['just now', '5 min ago', '2 h ago', '19 Nov, 10:00']
    """
    passed = (now - at).total_seconds()
    if passed < 90:
        return "just now"
    if passed < 5400:
        return f"{passed / 60:.0f} min ago"
    return f"{passed / 3600:.0f} h ago" if passed < 86400 else moment(at, now, zone)


def lasted(seconds: float) -> str:
    """Return a duration.

    >>> lasted(0.4), lasted(42), lasted(112), lasted(7300)
    ('under 1 s', '42 s', '1 min 52 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def days(span: timedelta) -> str:
    """Return an age in hours, from two days on in days."""
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
