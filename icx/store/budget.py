"""The call budget: how many calls an hour and a day leave, counted by minute for all processes of a workspace."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icx.store.journal import Journal

HOUR, DAY = 60, 24 * 60  # minutes
PUSH_SHARE = 0.05  # of an hour's calls that a pull leaves for pushes


@dataclass(frozen=True)
class SharedBudget:
    """The sliding hour and day of one application id and account.

    A pull (`push=False`) leaves the last 5 % of the hour to pushes.
    """

    journal: Journal
    key: str
    per_hour: int
    per_day: int
    push: bool = False

    def spend(self) -> float:
        """Take one call and return 0.0, or take none and return the seconds until one may be free."""
        hour = self.per_hour if self.push else self.per_hour - int(self.per_hour * PUSH_SHARE)
        return self.journal.spend(self.key, hour, self.per_day)

    def left(self) -> int:
        """Return the calls left this hour."""
        return self.journal.left(self.key, self.per_hour, self.per_day)


def key(app_id: str, account_id: int | None) -> str:
    """Return the name under which calls are counted; the application id itself is not kept."""
    return hashlib.sha256(f"{app_id}/{account_id}".encode()).hexdigest()[:24]


def spend(db: sqlite3.Connection, key: str, seconds: float, per_hour: int, per_day: int) -> float:
    """Take a call under `key` at `seconds` of the clock, or return the seconds after which one may be free.

    Runs inside the transaction of whoever calls it.
    """
    minute = int(seconds // 60)
    wait = 0.0
    for window, limit in ((HOUR, per_hour), (DAY, per_day)):
        used = _used(db, key, minute, window)
        if used >= limit:
            wait = max(wait, _until_free(db, key, minute, window, used - limit + 1) * 60 - seconds)
    if wait <= 0:
        db.execute(
            "insert into budget values (?, ?, 1) on conflict (key, minute) do update set calls = calls + 1",
            (key, minute),
        )
    return wait


def left(db: sqlite3.Connection, key: str, seconds: float, per_hour: int, per_day: int) -> int:
    """Return the calls left under `key` in the hour before `seconds`, never more than the day leaves."""
    minute = int(seconds // 60)
    return max(0, min(per_hour - _used(db, key, minute, HOUR), per_day - _used(db, key, minute, DAY)))


def _used(db: sqlite3.Connection, key: str, minute: int, window: int) -> int:
    row = db.execute(
        "select coalesce(sum(calls), 0) from budget where key = ? and minute > ?", (key, minute - window)
    ).fetchone()
    return int(row[0])


def _until_free(db: sqlite3.Connection, key: str, minute: int, window: int, wanted: int) -> int:
    """Return the minute of the clock at which `wanted` of the calls in the window have left it."""
    freed = 0
    for when, calls in db.execute(
        "select minute, calls from budget where key = ? and minute > ? order by minute",
        (key, minute - window),
    ):
        freed += calls
        if freed >= wanted:
            return int(when) + window
    return minute + window
