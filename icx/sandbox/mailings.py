"""Messages of a generated account: two years of them, what they say, to whom and when they were sent."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from icx.sandbox.links import body, links_of
from icx.sandbox.zone import DAY, EASTERN, clock_changes

SPAN = 730 * DAY
FULL = 48  # so many messages fill the two years; fewer lie closer together
SENT, DRAFT, SCHEDULED, CANCELLED = "sent", "draft", "scheduled", "cancelled"

THEMES = (
    "Autumn sale",
    "Trail of the month",
    "New boots are here",
    "Paddle weekend",
    "What's in your pack?",
    "Members' evening",
    "Rain or shine: jackets",
    'The "big" tent test',
    "Frühling am Fluss",
    "20 % off lamps, today only",
    "Volunteers wanted, Eno River",
    "Your gear, repaired",
    "Winter is coming ❄",
    "Last chance: kayaks",
)

# What a send goes to: weight, lists by place in membership.SPECS, lists left out.
AUDIENCES: tuple[tuple[int, tuple[int, ...], tuple[int, ...]], ...] = (
    (34, (0,), ()),
    (14, (0, 1), ()),
    (18, (1,), ()),
    (9, (2,), ()),
    (8, (0, 1, 2), (4,)),
    (5, (4,), ()),
    (4, (5, 2), ()),
)
LOCALS = (((3,), ()), ((3, 1), ()), ((3,), (4,)))


@dataclass(frozen=True)
class Mailing:
    """One message; `released` is when its send went out (Unix seconds), for a sent one."""

    message_id: int
    state: str
    kind: str
    subject: str
    links: list[str]
    released: int
    created: int
    include: tuple[int, ...]
    exclude: tuple[int, ...]
    pull: float  # how much better or worse than usual it did
    tag: int | None


def plan(rng: np.random.Generator, *, messages: int, as_of: int, first_id: int) -> list[Mailing]:
    """`messages` messages in order of release; the last few are a confirmation, drafts and a send to come."""
    specials = [
        ("normal", SCHEDULED),
        ("confirmation", DRAFT),
        ("normal", DRAFT),
        ("welcome", DRAFT),
        ("normal", CANCELLED),
    ]
    specials = specials[: messages // 8]
    releases = _releases(rng, messages - len(specials), as_of)
    mailings = []
    weights = np.array([weight for weight, _, _ in AUDIENCES], dtype=float)
    for number, released in enumerate([*releases, *(as_of for _ in specials)]):
        kind, state = specials[number - len(releases)] if number >= len(releases) else ("normal", SENT)
        message_id = first_id + number * 3 + int(rng.integers(0, 3))
        include, exclude = AUDIENCES[int(rng.choice(len(AUDIENCES), p=weights / weights.sum()))][1:]
        if number % 7 == 4 or number == len(releases) - 2:
            include, exclude = LOCALS[number // 7 % len(LOCALS)]
        theme = THEMES[int(rng.integers(0, len(THEMES)))]
        subject = theme if number % 3 else f"{theme} ({datetime.fromtimestamp(released, UTC):%B %Y})"
        if kind != "normal":
            subject = {
                "confirmation": "Please confirm your subscription",
                "welcome": "Welcome to Acme Outdoor",
            }[kind]
        created = released - int(rng.integers(3600, 4 * DAY))
        mailings.append(
            Mailing(
                message_id=message_id,
                state=state,
                kind=kind,
                subject=subject,
                links=links_of(rng, number, message_id),
                released=as_of + 2 * DAY if state == SCHEDULED else released,
                created=created,
                include=include,
                exclude=exclude,
                pull=float(np.exp(rng.normal(0, 0.22))),
                tag=(1234, 1234, 1235, 77)[number % 4] if number % 5 == 1 else None,
            )
        )
    return mailings


def _releases(rng: np.random.Generator, count: int, as_of: int) -> list[int]:
    """Release times on working mornings, denser lately, one of them just before each change of the clocks."""
    spots = ((np.arange(count)[::-1] + rng.random(count)) / max(1, count)) ** 1.3
    span = SPAN * min(1.0, max(0.2, count / FULL))
    times = []
    for spot in spots.tolist():
        day = datetime.fromtimestamp(as_of - DAY - int(spot * (span - 2 * DAY)), EASTERN)
        hour = int(rng.choice((8, 9, 9, 10, 10, 11, 14, 17)))
        times.append(
            int(
                day.replace(
                    hour=hour, minute=int(rng.integers(0, 60)), second=int(rng.integers(0, 60))
                ).timestamp()
            )
        )
    times = [min(moment, as_of - 6 * 3600) for moment in times]
    for jump in clock_changes(as_of - int(span), as_of - DAY):
        if count >= 12:
            nearest = min(range(count), key=lambda n: abs(times[n] - jump))
            times[nearest] = jump - 1_200
    return sorted(times)


def write(
    con: sqlite3.Connection,
    mailings: list[Mailing],
    *,
    folder_id: int,
    campaign_id: int,
    first_send: int,
    lists: list[int],
    recipients: dict[int, int],
) -> None:
    """Insert the messages and their sends; `recipients` counts people by message id, `lists` are ids by place."""
    con.executemany(
        "insert into messages (message_id, folder_id, campaign_id, message_type, subject, message_name, preview_text,"
        " html_body, text_body, create_date, raw_score) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                m.message_id,
                folder_id,
                campaign_id + m.message_id % 2,
                m.kind,
                m.subject,
                f"{m.subject} #{m.message_id}",
                None if m.message_id % 3 else "Have a look",
                body(m.subject, m.links, m.tag),
                "\n".join([m.subject, *(link for link in m.links if link)]),
                m.created,
                round(m.message_id % 37 / 10, 1),
            )
            for m in mailings
        ],
    )
    sends = [m for m in mailings if m.state != DRAFT]
    con.executemany(
        "insert into sends (send_id, folder_id, message_id, include_list_ids, exclude_list_ids, scheduled_time,"
        " released_time, recipient_count, status) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                first_send + n,
                folder_id,
                m.message_id,
                ",".join(str(lists[place]) for place in m.include),
                ",".join(str(lists[place]) for place in m.exclude),
                m.released - m.released % 60 if m.state == SENT else m.released,
                m.released if m.state == SENT else None,
                recipients.get(m.message_id, 0),
                {SENT: "released", SCHEDULED: "pending", CANCELLED: "cancelled"}[m.state],
            )
            for n, m in enumerate(sends)
        ],
    )


def write_campaigns(con: sqlite3.Connection, folder_id: int, first_id: int, company: str) -> None:
    """The two senders every generated message comes from."""
    for number, name in enumerate((company, f"{company}, the Durham store")):
        fields = {
            "name": name,
            "fromName": name,
            "fromEmail": "news@example.com",
            "description": "",
            "subscriptionManagement": "0",
            "clickTrackMode": "1",
            "useAccountAddress": "1",
            "archiveByDefault": "0",
            "forwardToFriend": "0",
            "street": "1 Trail Rd",
            "city": "Durham",
            "state": "NC",
            "zip": "27701",
            "country": "US",
        }
        con.execute(
            "insert into campaigns (campaign_id, folder_id, fields) values (?, ?, ?)",
            (first_id + number, folder_id, json.dumps(fields)),
        )
