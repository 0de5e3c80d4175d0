"""How often a sync may run: what one reading of both systems costs in calls, and what the budget of a day allows. Pure.

iContact tells nobody what was edited: an edit is found by reading everybody, a call for each thousand contacts and one
for each thousand subscriptions of the lists that the sync names (of those who unsubscribed, where it names none). A table costs no call. A system with a feed of changes costs a call or two, and once a
day everybody is read there, since a feed tells of no deletion.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

#: Minutes between two scans where the budget allows it.
WANTED = 5
DAY = 24 * 60
FIXED = 3  # calls of a look at a folder of iContact beside its people: the lists, and the custom fields twice
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

    100,000 contacts at 1,000 a page, of whom 4,000 left a list, are 107 calls; with 120,000 subscriptions 223:

    >>> print(cost(107, per_day=70_000))
    107 calls a look, 30,816 of 70,000 a day at one each 5 min
    >>> print(cost(223, per_day=70_000))
    223 calls a look, 32,112 of 70,000 a day at one each 10 min; each 5 min would cost 64,224
    """
    for minutes in CHOICES:
        made = calls * ceil(DAY / minutes)
        if made <= per_day * share:
            return Cost(calls, minutes, made, per_day)
    return Cost(calls, CHOICES[-1], calls, per_day)


def scan(people: int, subscriptions: int, *, page: int) -> int:
    """Return the calls of a look at a folder of iContact.

    `subscriptions` are those of the lists that the sync names; where it names none, only those that were unsubscribed.

    >>> scan(100_000, 120_000, page=1000), scan(100_000, 4_000, page=1000)
    (223, 107)
    """
    return max(ceil(people / page), 1) + max(ceil(subscriptions / page), 1) + FIXED
