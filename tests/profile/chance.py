"""Accounts at random: few people, and events where a moment more or less makes a difference."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from accounts import PULLED, add, contact, event, send, subscription

URLS = [
    "http://shop.example.com/a?x=1",
    "http://shop.example.com/a?x=2",
    "http://shop.example.com/b",
    "https://Shop.example.com/%7Ejo/caf%E9",
    "mailto:jo@example.com",
    "http://%zz/",
    "//cdn.example.org/x",
]
EDGES = [timedelta(0), timedelta(days=7), timedelta(days=30), timedelta(days=90), timedelta(days=365)]
EDGES += [edge + timedelta(microseconds=1) for edge in EDGES] + [timedelta(days=-1), timedelta(hours=26)]
CLOCK_CHANGES = [timedelta(days=1, hours=6), timedelta(days=128, hours=6)]  # near 9 March and 2 November


def fill(con: Any, rnd: random.Random) -> None:
    """Fill the store's `acme` with six people, one of them gone, near every edge there is."""
    lists, messages = [1, 2, 3], [10, 11, 12, 13]
    released = {}
    for number, message in enumerate(messages[:3]):
        at = PULLED - timedelta(days=rnd.choice([1, 20, 89, 90, 200]), seconds=rnd.randrange(60))
        released[message] = at
        without = rnd.sample(lists, rnd.choice([0, 0, 1]))
        send(con, number + 1, message, at, rnd.sample(lists, rnd.randint(1, 2)), without)
    for person in range(1, 7):
        address = rnd.choice(
            ["jo@example.com", "Jo <JO@Example.org>", "no address", None, '"a b"@example.net']
        )
        contact(con, person, email=address, city=rnd.choice(["Durham", None]), bounce_count="0")
        for list_id in lists:
            _subscribe(con, rnd, list_id, person)
        for _ in range(rnd.choice([0, 0, 1, 5, 12])):
            happen(con, rnd, person, rnd.choice(messages), released)
    con.execute("update icontact_users set gone_at = ? where id = 6", [PULLED])
    event(con, 999, "open", PULLED - timedelta(days=2), 10)


def _subscribe(con: Any, rnd: random.Random, list_id: int, person: int) -> None:
    since = rnd.choice([None, PULLED - timedelta(days=300), PULLED - timedelta(days=40)])
    status = rnd.choice(["normal", "normal", "pending", "unsubscribed", "none"])
    if status != "none":
        subscription(con, list_id, person, status, since)
    if rnd.random() < 0.4:
        history = rnd.choice(
            [["normal", "unsubscribed"], ["pending", "normal"], [None, "normal", "unsubscribed"]]
        )
        days = sorted(rnd.sample(range(1, 35), len(history) - 1), reverse=True)
        for old, new, ago in zip(history, history[1:], days, strict=False):
            add(
                con, "changes", happened_at=PULLED - timedelta(days=ago), entity="subscription",
                contact_id=person, list_id=list_id, field="status", old=old, new=new,
            )  # fmt: skip


def happen(con: Any, rnd: random.Random, person: int, message: int, released: Mapping[int, datetime]) -> None:
    """Let one thing happen, or a few clicks: near a release, at the edge of a window, or at any time."""
    kind = rnd.choice(["open", "open", "click", "click", "bounce", "unsubscribe"])
    near = message in released and rnd.random() < 0.3
    at = released[message] + timedelta(seconds=rnd.choice([-1, 0, 5, 10, 11])) if near else None
    at = at or PULLED - rnd.choice([*EDGES, *CLOCK_CHANGES, timedelta(hours=rnd.randrange(20_000))])
    if kind == "click" and rnd.random() < 0.5:
        for step in range(rnd.randint(2, 4)):
            event(
                con,
                person,
                "click",
                at + timedelta(seconds=step * rnd.choice([0, 3, 5, 6])),
                message,
                URLS[step],
            )
    elif kind == "click":
        event(con, person, kind, at, message, rnd.choice([*URLS, None]))
    else:
        for _ in range(rnd.choice([1, 1, 2])):
            event(con, person, kind, at, message)
