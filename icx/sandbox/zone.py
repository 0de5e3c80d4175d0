"""The service's zone: US Eastern, and the moments at which its clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
DAY = 86_400


def offset_at(moment: int) -> int:
    """Seconds east of UTC at this Unix time.

    >>> offset_at(1_700_000_000)
    -18000
    """
    offset = datetime.fromtimestamp(moment, UTC).astimezone(EASTERN).utcoffset()
    return int((offset or timedelta()).total_seconds())


def clock_changes(begin: int, end: int) -> list[int]:
    """Unix times in `[begin, end)` at which Eastern clocks jump, in order.

    >>> [datetime.fromtimestamp(t, UTC).isoformat() for t in clock_changes(1704067200, 1735689600)]
    ['2024-03-10T07:00:00+00:00', '2024-11-03T06:00:00+00:00']
    """
    changes = []
    for day in range(begin, end, DAY):
        low, high = day, min(day + DAY, end)
        if offset_at(low) == offset_at(high):
            continue
        before = offset_at(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_at(middle) == before else (low, middle)
        if high < end:
            changes.append(high)
    return changes
