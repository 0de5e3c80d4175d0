"""Words of the plan: reasons, times, durations, as people read them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from icx.words import counted

REASONS = {
    "left_this_list": "left this list",
    "do_not_contact": "do-not-contact",
    "bounced": "bounced",
    "deleted": "deleted in iContact",
    "gone": "gone from iContact",
    "pending": "never confirmed",
    "invitable": "only invited so far",
    "no_id": "without an iContact id",
    "no_address": "without a usable address",
    "not_in_table": "of a kind nothing allows",
    "on_parking_list": "on the parking list already",
    "not_normal": "bounced, do-not-contact or unconfirmed",
    "said_no": "asked not to be contacted",
    "erased": "erased here",
}

LEFT_OUT = {
    "left_this_list": "unsubscribed",
    "do_not_contact": "do_not_contact",
    "there": "already_there",
    "not_there": "no_longer_there",
}


def reason(code: str) -> str:
    """Return a reason's code as words.

    >>> reason("left_this_list")
    'left this list'
    """
    return REASONS.get(code, code.replace("_", " "))


def moment(when: datetime, zone: str) -> str:
    """Return a time as people of this zone write it.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 21, 12, 2, tzinfo=UTC), "America/New_York")
    '21 Nov 07:02 EST'
    """
    local = when.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %H:%M %Z}"


def duration(hours: float) -> str:
    """Return hours as a person says them.

    >>> duration(0.01), duration(0.4), duration(5.25)
    ('under a minute', 'about 24 min', 'about 5.2 h')
    """
    minutes = hours * 60
    if minutes < 1:
        return "under a minute"
    return f"about {minutes:.0f} min" if minutes < 120 else f"about {hours:.1f} h"


def grown(share: float) -> str:
    """Return how much a list grows; percents of one that is nearly empty would say nothing.

    >>> grown(2.27), grown(17438.25)
    ('by 227 %', 'to 17,439 times its size')
    """
    return f"to {share + 1:,.0f} times its size" if share > 10 else f"by {share * 100:,.0f} %"


def people(count: int) -> str:
    """Return a number of people in words.

    >>> people(1), people(1204)
    ('1 person', '1,204 people')
    """
    return counted(count, "person")


def calls(count: int) -> str:
    """Return a number of calls in words."""
    return counted(count, "call")
