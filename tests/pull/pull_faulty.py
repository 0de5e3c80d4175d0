"""A service that goes wrong on order, pulls of it in a hurry, and what it holds itself, to compare with."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from pull_worker import pulled

from icx.pull import Progress, PullReport
from icx.sandbox.process import SandboxProcess, start
from icx.store import Store

PAGE = 20


@dataclass
class Hasty:
    """A clock for somebody who does not like to wait: sleeping moves it at once, when `told` has heard of it.

    It runs `faster` than the machine's, so that a moment of slowness looks like seconds.
    """

    faster: float = 1.0
    told: Any = lambda seconds: None
    ahead: float = 0.0
    began: float = field(default_factory=time.monotonic)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def monotonic(self) -> float:
        return self.began + (time.monotonic() - self.began) * self.faster + self.ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.monotonic() - time.monotonic())

    def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        with self._guard:  # several sleep at the same time, not one after the other
            left = until - self.monotonic()
            if left > 0:
                self.told(left)
                self.ahead += left
        time.sleep(0.001)


@dataclass
class Faulty:
    """A running sandbox, how it is told to go wrong, and what it holds."""

    sandbox: SandboxProcess
    state: Path
    shown: int = 0

    @property
    def login(self) -> dict[str, Any]:
        names = ("base_url", "app_id", "username", "password", "account_id", "client_folder_id")
        return {name: getattr(self.sandbox, name) for name in names}

    def order(self, *orders: dict[str, Any]) -> None:
        requests.post(f"{self.sandbox.control_url}/faults", json=orders, timeout=10).raise_for_status()

    @property
    def busiest(self) -> str:
        """Return the address of the opens that fill several pages."""
        messages = Counter(message for message, *_ in self.held()["events"].elements())
        return f"GET /messages/{messages.most_common(1)[0][0]}/opens"

    def waiting(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(f"{self.sandbox.control_url}/faults", timeout=10).json()[
            "faults"
        ]
        return found

    def clear(self) -> None:
        requests.delete(f"{self.sandbox.control_url}/faults", timeout=10).raise_for_status()

    def passes(self, seconds: float) -> None:
        """Let the service's time pass."""
        requests.post(
            f"{self.sandbox.control_url}/clock", json={"seconds": seconds}, timeout=10
        ).raise_for_status()

    def passes_seen(self, seconds: float) -> None:
        """Let it pass, and long waits take long enough for a progress line to be shown."""
        self.passes(seconds)
        if seconds >= 20 and self.shown < 3:
            self.shown += 1
            time.sleep(0.6)

    def calls(self, path: str = "") -> int:
        counted = requests.get(f"{self.sandbox.control_url}/calls", timeout=10).json()["calls"]
        return sum(one["count"] for one in counted if one["path"].startswith(path))

    def pull(
        self, folder: Path, clock: Hasty | None = None, *, page_size: int = PAGE, **options: Any
    ) -> PullReport:
        folder.mkdir(exist_ok=True)
        return pulled(folder, self.login, page_size=page_size, clock=clock or Hasty(), **options)

    def held(self) -> dict[str, Counter[tuple[Any, ...]]]:
        """Every contact, subscription and event the service has."""
        with closing(sqlite3.connect(f"file:{self.state}?mode=ro", uri=True, timeout=30)) as con:
            return {name: Counter(con.execute(sql).fetchall()) for name, sql in _HELD.items()}


_HELD = {
    "contacts": "select contact_id, email, status from contacts where status <> 'deleted'",
    "subscriptions": "select list_id, contact_id, status from subscriptions",
    "lists": "select list_id, name from lists where not deleted",
    "messages": "select message_id, subject from messages",
    "sends": "select send_id, message_id from sends",
    "events": "select message_id, kind, contact_id, event_time, url from events",
}
_STORED = {
    "contacts": "select id, email, status from icontact_users where gone_at is null",
    "subscriptions": "select list_id, contact_id, status from subscriptions",
    "lists": "select list_id, name from lists where gone_at is null",
    "messages": "select message_id, subject from messages",
    "sends": "select send_id, message_id from sends",
    "events": "select message_id, event_type, contact_id, epoch(event_ts)::bigint, event_url from icontact_activity",
}


def stored(folder: Path) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every contact, subscription and event a pull has stored, as `Faulty.held` gives them."""
    with Store(folder / "icx.duckdb").open("acme") as con:
        return {name: Counter(con.execute(sql).fetchall()) for name, sql in _STORED.items()}


@contextmanager
def faulty(folder: Path, **options: Any) -> Iterator[Faulty]:
    """Serve a small account whose contacts, subscriptions and some events fill several pages."""
    state = folder / "account.sqlite"
    with start(state=state, **({"contacts": 90, "messages": 3, "seed": 6} | options)) as sandbox:
        with closing(sqlite3.connect(state, timeout=30)) as con:
            # Opens of one message that fill three pages, exact twins among them, also where two pages meet.
            (message, folder_id, at) = con.execute(
                "select message_id, folder_id, max(event_time) from events group by 1 order by 1 limit 1"
            ).fetchone()
            con.executemany(
                "insert into events (folder_id, message_id, kind, contact_id, event_time) values (?, ?, 'open', ?, ?)",
                [(folder_id, message, 70_001 + n // 4, at + n // 4) for n in range(45)],
            )
            con.commit()
        yield Faulty(sandbox, state)


@dataclass
class Heard:
    """Progress as it is told."""

    all: list[Progress] = field(default_factory=list)

    def __call__(self, one: Progress) -> None:
        self.all.append(one)

    @property
    def waits(self) -> list[Progress]:
        return [one for one in self.all if one.waiting_until is not None]
