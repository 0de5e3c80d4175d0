"""What Mailchimp's answers are made of: pages, what became of a batch, moments, and the hash that names a member."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from icx.clock import aware_utc

Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Some rows of a collection from the 0-based `offset` on; `total` is Mailchimp's count at that moment."""

    rows: list[Row]
    total: int | None
    offset: int

    @property
    def end(self) -> int:
        """The offset of the row after the last one."""
        return self.offset + len(self.rows)

    def __repr__(self) -> str:
        return f"Page({len(self.rows)} rows from {self.offset}, total {self.total})"


@dataclass(frozen=True)
class Batch:
    """What became of a batch: members by their address in lower case, and each refused address with the words.

    An address in neither is one Mailchimp said nothing about.
    """

    members: Mapping[str, Row]
    errors: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Batch({len(self.members)} taken, {len(self.errors)} refused)"


def member_hash(email: str) -> str:
    """Return how Mailchimp names the member with an address: the MD5 of it in lower case.

    >>> member_hash("Ada@Example.com") == member_hash("ada@example.com")
    True
    >>> member_hash("ada@example.com")
    '3e3417d7ef77d5932a6734b916515ed5'
    """
    return hashlib.md5(email.strip().lower().encode("utf-8"), usedforsecurity=False).hexdigest()


def changed(row: Mapping[str, Any]) -> datetime | None:
    """Return when a member was last changed (aware UTC), None where Mailchimp does not say."""
    return read_moment(row.get("last_changed"))


def read_moment(text: object) -> datetime | None:
    """Read a time of Mailchimp's as aware UTC; None for an empty or unreadable one.

    >>> read_moment("2026-03-02T14:15:00+00:00").isoformat(), read_moment("")
    ('2026-03-02T14:15:00+00:00', None)
    """
    if not isinstance(text, str) or not text:
        return None
    try:
        return aware_utc(datetime.fromisoformat(text))
    except ValueError:
        return None


def moment(when: datetime) -> str:
    """Return a moment as Mailchimp reads it; without a zone it is UTC.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 2, 14, 15, tzinfo=UTC))
    '2026-03-02T14:15:00+00:00'
    """
    return aware_utc(when).replace(microsecond=0).isoformat()
