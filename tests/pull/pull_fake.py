"""A service that does as told, for clocks and failures: order of rows, totals that move, a call that ends everything."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from icx.icontact.paging import Page

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KINDS = ("opens", "clicks", "bounces", "unsubscribes")
TIME = {
    "opens": "openTime",
    "clicks": "clickTime",
    "bounces": "bounceTime",
    "unsubscribes": "unsubscribeTime",
}


class Killed(BaseException):
    """What stands here for a SIGKILL: nobody may catch it and go on."""


@dataclass
class Fake:
    """An account in memory. `before(number, resource, parent, offset)` may raise; `shown` may rearrange a page's rows."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: dict[tuple[int, str], list[dict[str, Any]]] = field(default_factory=dict)
    counters: dict[int, dict[str, int]] = field(default_factory=dict)
    bodies: dict[int, str] = field(default_factory=dict)
    before: Callable[[int, str, int | None, int], None] | None = None
    total: Callable[[str, int | None, int], int | None] | None = None
    shown: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
    most: int | None = None  # rows a page holds at most, whatever is asked
    account_id: int | None = 1
    client_folder_id: int | None = 2
    custom_names: frozenset[str] | None = None
    asked: list[tuple[str, int | None, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _note(self, resource: str, parent: int | None, offset: int) -> None:
        with self._lock:
            self.asked.append((resource, parent, offset))
            number = len(self.asked)
        if self.before is not None:
            self.before(number, resource, parent, offset)

    def page(
        self,
        resource: str,
        *,
        parent: int | None = None,
        offset: int = 0,
        limit: int | None = None,
        tries: int | None = None,
    ) -> Page:
        self._note(resource, parent, offset)
        rows = self.rows.get(resource, []) if parent is None else self.events.get((parent, resource), [])
        everything = self.shown(list(rows)) if self.shown else rows
        step = min(limit or 20, self.most or 10**6)
        part = copy.deepcopy(everything[offset : offset + step])
        total = self.total(resource, parent, offset) if self.total else None
        return Page(part, len(rows) if total is None else total, offset, read=len(part))

    def sent(self, resource: str, **asked: Any) -> Page:
        return self.page(resource, **asked)

    def statistics(self, message_id: int) -> Mapping[str, Any]:
        self._note("statistics", message_id, 0)
        given = self.counters.get(message_id)
        if given is not None:
            return given
        counts = {kind: len(self.events.get((message_id, kind), [])) for kind in KINDS}
        return {
            "opens_total": counts["opens"],
            "clicks_total": counts["clicks"],
            "bounces": counts["bounces"],
            "unsubscribes": counts["unsubscribes"],
        }

    def get(self, resource: str, id: int) -> Mapping[str, Any]:
        self._note(resource, id, 0)
        return {"htmlBody": self.bodies.get(id)}


def contact(id: int, **more: Any) -> dict[str, Any]:
    made = NOON - timedelta(days=id % 700)
    return {
        "contactId": id,
        "email": f"person{id}@example.com",
        "firstName": f"First{id}",
        "status": "normal",
        "createDate": made,
        "createDate_text": f"{made:%Y-%m-%d %H:%M:%S}",
        "bounceCount": 0,
        "custom": {},
    } | more


def subscription(list_id: int, contact_id: int, status: str = "normal", **more: Any) -> dict[str, Any]:
    return {
        "listId": list_id,
        "contactId": contact_id,
        "status": status,
        "addDate": NOON - timedelta(days=400),
    } | more


def event(kind: str, contact_id: int, at: datetime, url: str | None = None) -> dict[str, Any]:
    return {"contactId": contact_id, TIME[kind]: at} | ({"clickLink": url} if kind == "clicks" else {})


def account(seed: int, people: int = 30, messages: int = 3, days_ago: Sequence[int] = (1, 20, 200)) -> Fake:
    """Return a small account: some people on two lists, some with events, among them exact twins."""
    luck = random.Random(seed)
    fake = Fake()
    fake.rows["lists"] = [{"listId": id, "name": f"List {id}"} for id in (3001, 3002)]
    fake.rows["customfields"] = [{"privateName": "tier", "fieldType": "text", "displayToUser": True}]
    fake.rows["campaigns"] = [{"campaignId": 9, "name": "House", "clickTrackMode": 1}]
    fake.rows["contacts"] = [
        contact(70_000 + n, custom={"tier": luck.choice(["gold", "silver"])}) for n in range(people)
    ]
    fake.rows["subscriptions"] = [
        subscription(list_id, 70_000 + n, luck.choice(["normal", "normal", "unsubscribed"]))
        for n in range(people)
        for list_id in luck.sample([3001, 3002], luck.randint(0, 2))
    ]
    fake.rows["messages"], fake.rows["sends"] = [], []
    for number in range(messages):
        message_id, released = 88_001 + number, NOON - timedelta(days=days_ago[number % len(days_ago)])
        fake.rows["messages"].append(
            {
                "messageId": message_id,
                "campaignId": 9,
                "messageType": "normal",
                "subject": f"Letter {number}",
                "messageName": None,
                "createDate": released,
            }
        )
        fake.rows["sends"].append(
            {
                "sendId": 500 + number,
                "messageId": message_id,
                "status": "released",
                "releasedTime": released,
                "recipientCount": people,
                "includeListIds": [3001],
                "excludeListIds": [],
                "includeSegmentIds": [],
                "excludeSegmentIds": [],
            }
        )
        for kind in KINDS:
            rows = [
                event(
                    kind,
                    70_000 + luck.randrange(people + 2),  # two of them nobody lists
                    released + timedelta(minutes=luck.randrange(600)),
                    luck.choice(["https://shop.example.com/a?x=1", "https://shop.example.com/b"]),
                )
                for _ in range(luck.randrange(0, 12))
            ]
            fake.events[message_id, kind] = rows + rows[:2]  # two events alike in every column are two events
    return fake
