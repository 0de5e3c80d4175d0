"""How often a sync may run: what one reading of both systems costs in calls, and what the budget of a day allows. Pure.

iContact tells nobody what was edited: an edit is found by reading everybody, a call for each thousand contacts and one
for each thousand subscriptions. A table costs no call. A system with a feed of changes costs a call or two, and once a
day everybody is read there, since a feed tells of no deletion.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

#: Minutes between two scans where the budget allows it.
WANTED = 5
DAY = 24 * 60
#: Of a day's calls as many may go into looking; the others are for writing, pulls and pushes.
SHARE = 0.5
CHOICES = (5, 10, 15, 20, 30, 60, 120, 240, 360, 720, 1440)


@dataclass(frozen=True)
class Cost:
    """What looking costs: calls of one scan, minutes between two, calls a day; `wished` is whether it is five minutes."""

    calls: int
    minutes: int
    per_day: int
    budget: int

    @property
    def wished(self) -> bool:
        return self.minutes <= WANTED

    @property
    def every(self) -> str:
        """The schedule to type: `icx schedule add NAME --sync NAME --every …`."""
        if self.minutes < 60:
            return f"every {self.minutes} min"
        return {60: "hourly", 1440: "daily"}.get(self.minutes, f"every {self.minutes // 60} hours")

    def __str__(self) -> str:
        told = f"{self.calls:,} calls a look, {self.per_day:,} of {self.budget:,} a day at one each {self.minutes} min"
        return told if self.wished else f"{told}; each {WANTED} min would cost {self.calls * DAY // WANTED:,}"


def cost(calls: int, *, per_day: int, share: float = SHARE) -> Cost:
    """Return how often a scan of so many calls may run.

    100,000 contacts at 1,000 a page with 120,000 subscriptions are 222 calls:

    >>> print(cost(222, per_day=70_000))
    222 calls a look, 31,968 of 70,000 a day at one each 10 min; each 5 min would cost 63,936
    >>> print(cost(100, per_day=70_000))
    100 calls a look, 28,800 of 70,000 a day at one each 5 min
    """
    for minutes in CHOICES:
        made = calls * ceil(DAY / minutes)
        if made <= per_day * share:
            return Cost(calls, minutes, made, per_day)
    return Cost(calls, CHOICES[-1], calls, per_day)


def scan(
    people: int, *, page: int, subscriptions: int | None = None, feed: bool = False, table: bool = False
) -> int:
    """Return the calls of looking at one side: `subscriptions` None where lists are none of its business.

    >>> scan(100_000, page=1000, subscriptions=120_000), scan(100_000, page=1000, feed=True), scan(9, page=1, table=True)
    (222, 2, 0)
    """
    if table:
        return 0
    if feed:
        return 2
    return ceil(people / page) + ceil((subscriptions or 0) / page) + 2
