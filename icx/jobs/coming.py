"""When something comes next, as a word in a table."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def coming(when: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """Return a moment to come: of today the time, of this week the day and the time, else the date.

    >>> from datetime import UTC
    >>> now, zone = datetime(2026, 11, 23, 14, tzinfo=UTC), ZoneInfo("America/New_York")
    >>> [coming(now + timedelta(hours=h), zone, now) for h in (0, 1, 22, 200)]
    ['now', '10:00', 'Tue 07:00', '1 Dec 17:00']
    """
    if when is None:
        return "not scheduled"
    if when <= now:
        return "now"
    local, here = when.astimezone(zone), now.astimezone(zone)
    if local.date() == here.date():
        return f"{local:%H:%M}"
    if local.date() - here.date() < timedelta(days=7):
        return f"{local:%a %H:%M}"
    year = "" if local.year == here.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def standing(
    state: str, since: datetime | None, by: str, next_at: datetime | None, zone: ZoneInfo, now: datetime
) -> str:
    """Return the one thing to know: that it fails and for how long, who paused it, or when it comes next.

    >>> from datetime import UTC
    >>> now, zone = datetime(2026, 11, 23, 14, tzinfo=UTC), ZoneInfo("America/New_York")
    >>> standing("failing", now - timedelta(days=3), "", now, zone, now), standing("paused", None, "maya", None, zone, now)
    ('FAILING 3 days', 'paused by maya')
    """
    if state == "failing" and since is not None:
        return f"FAILING {_for(now - since)}"
    if state == "paused":
        return f"paused by {by}"
    return "running" if state == "running" else coming(next_at, zone, now)


def _for(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    number, unit = (
        (hours / 24, "day") if hours >= 24 else (hours, "hour") if hours >= 1 else (hours * 60, "minute")
    )
    return f"{int(number):,} {unit}{'' if int(number) == 1 else 's'}"
