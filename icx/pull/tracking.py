"""What is read under a message: its counters and its events, which another right governs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from icx.errors import IcxError
from icx.pull.due import Message
from icx.pull.land import Landing
from icx.pull.reading import Once, Reading
from icx.pull.units import Source
from icx.store import Connection

COUNTERS = (
    "bounces",
    "delivered",
    "unsubscribes",
    "opens_unique",
    "opens_total",
    "clicks_unique",
    "clicks_total",
    "forwards",
    "comments",
    "complaints",
)


class Missing:
    """Whether the right to see tracking turned out to be missing, and where."""

    where: str | None = None

    def note(self, error: IcxError) -> None:
        self.where = self.where or error.where_text()


class Tracking:
    """A task under a message: without the right to see tracking, the pull goes on with contacts and lists."""

    def __init__(self, task: Reading | Once, missing: Missing) -> None:
        self.task = task
        self.missing = missing
        self.label = task.label

    @property
    def finished(self) -> bool:
        return self.task.finished

    @finished.setter
    def finished(self, value: bool) -> None:
        self.task.finished = value

    def next_call(self) -> Callable[[], Any] | None:
        if self.missing.where is not None:
            self.task.finished = True  # one 403 is enough; the others are not asked for
            return None
        return self.task.next_call()

    def land(self, landing: Landing, answer: Any) -> int:
        return self.task.land(landing, answer)

    def outdated(self, error: IcxError) -> bool:
        return self.task.outdated(error)

    def refused(self, error: IcxError) -> bool:
        if error.code == "right-missing":
            self.missing.note(error)
            return True
        return self.task.refused(error)


def statistics(client: Source, message: Message) -> Once:
    """Return the call that reads a message's counters."""

    def store(con: Connection, answer: Any, at: datetime) -> None:
        con.execute("delete from statistics where message_id = ?", [message.message_id])
        con.execute(
            "insert into statistics values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [message.message_id, *(answer.get(name) for name in COUNTERS), at],
        )

    return Once(f'"{message.name}" statistics', lambda: client.statistics(message.message_id), store)
