"""A service that is never the bottleneck: pages rendered beforehand, of which only the ids differ, over a real socket.

    python -m benchmarks.page_server '{"contacts": 1000000, "messages": 20, "opens": 50000}'

prints its port and serves until its standard input ends. What it answers has the form of iContact's answers; a page
holds at most 1,000 rows. `latency` (seconds) passes before each answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

FIRST_ID = 1_000_000_000  # every id has ten digits, so that another id fits in its place
ROWS = 1000
NOON = datetime(2026, 11, 21, 17, tzinfo=UTC)


@dataclass(frozen=True)
class Served:
    """How much of each; every message has so many opens and nothing else."""

    contacts: int = 0
    messages: int = 0
    opens: int = 0
    latency: float = 0.0


class Rendered:
    """A page of a collection as bytes, in which the ids of its rows are put in place."""

    def __init__(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.name = name
        # Twice, so that a page may begin with any of them: a row is the same on whichever page it comes.
        texts = [json.dumps(row, separators=(",", ":")).encode() for row in rows] * 2
        self.ends = np.cumsum([0, *(len(text) + 1 for text in texts)])
        self.body = np.frombuffer(b",".join(texts) + b",", dtype=np.uint8)
        mark = str(FIRST_ID).encode()
        self.places = np.array([found.start() for found in re.finditer(mark, bytes(self.body))])
        self.rows = np.searchsorted(self.ends, self.places, side="right") - 1
        self.digits = self.places[:, None] + np.arange(10)

    def page(self, offset: int, limit: int, total: int) -> bytes:
        first, count = offset % ROWS, max(0, min(limit, ROWS, total - offset))
        begin, end_at = np.searchsorted(self.rows, [first, first + count])
        body = self.body.copy()
        ids = FIRST_ID + offset - first + self.rows[begin:end_at]
        body[self.digits[begin:end_at]] = 48 + (ids[:, None] // 10 ** np.arange(9, -1, -1)) % 10
        rows = body[self.ends[first] : self.ends[first + count] - 1].tobytes() if count else b""
        end = f'],"limit":{limit},"offset":{offset},"total":{total}}}'
        return b'{"' + self.name.encode() + b'":[' + rows + end.encode()


def contact(n: int) -> dict[str, Any]:
    made = NOON - timedelta(minutes=37 * n)
    return {
        "contactId": str(FIRST_ID), "prefix": "", "firstName": f"First{n % 90}", "lastName": f"O'Last {n % 700}",
        "suffix": "", "email": f"person.{FIRST_ID}@example.com", "street": f"{n} Main Street", "street2": "",
        "city": ("Durham", "Raleigh", "Cary", "Austin")[n % 4], "state": "NC", "postalCode": f"277{n % 100:02}",
        "phone": f"919-555-{n % 10_000:04}", "fax": "", "business": "", "status": "normal", "bounceCount": "0",
        "createDate": f"{made:%Y-%m-%d %H:%M:%S}", "tier": ("gold", "silver", "")[n % 3],
    }  # fmt: skip


def opened(n: int) -> dict[str, Any]:
    at = NOON - timedelta(seconds=11 * n)
    return {"contactId": str(FIRST_ID), "openTime": f"{at:%Y-%m-%dT%H:%M:%S}-05:00"}


def message(n: int) -> dict[str, Any]:
    made = NOON - timedelta(days=n)
    return {"messageId": str(88_000 + n), "campaignId": "9", "messageType": "normal", "subject": f"Letter {n}",
            "createDate": f"{made:%Y-%m-%d %H:%M:%S}"}  # fmt: skip


class Service(asyncio.Protocol):
    """HTTP/1.1 with kept connections, GET alone."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.waiting = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            address = head.split(b" ", 2)[1].decode()
            if self.served.latency:
                asyncio.get_running_loop().call_later(self.served.latency, self.answer, address)
            else:
                self.answer(address)

    def answer(self, address: str) -> None:
        path, _, query = address.partition("?")
        asked = dict(part.split("=") for part in query.split("&") if part)
        body = answer(self.served, path, int(asked.get("offset", 0)), int(asked.get("limit", 20)))
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )


CONTACTS = Rendered("contacts", [contact(n) for n in range(ROWS)])
OPENS = Rendered("opens", [opened(n) for n in range(ROWS)])


def answer(served: Served, path: str, offset: int, limit: int) -> bytes:
    """Return the body of an answer."""
    name = path.rpartition("/")[2]
    if name == "statistics":
        counted = {"bounces": "0", "delivered": str(served.opens), "unsubscribes": "0",
                   "opens": {"unique": str(served.opens), "total": str(served.opens)},
                   "clicks": {"unique": "0", "total": "0"}, "forwards": "0", "comments": "0", "complaints": "0"}  # fmt: skip
        return json.dumps({"statistics": counted}).encode()
    if name == "contacts":
        return CONTACTS.page(offset, limit, served.contacts)
    if name == "opens":
        return OPENS.page(offset, limit, served.opens)
    rows: list[dict[str, Any]] = []
    if name == "messages":
        rows = [message(n) for n in range(served.messages)]
    elif name == "customfields":
        rows = [
            {
                "customFieldId": "tier",
                "privateName": "tier",
                "publicName": "Tier",
                "fieldType": "text",
                "displayToUser": "1",
            }
        ]
    shown = rows[offset : offset + min(limit, ROWS)]
    return json.dumps({name: shown, "limit": limit, "offset": offset, "total": len(rows)}).encode()


async def serve(served: Served) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Service(served), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """Serve in another process; give the address that a client takes."""
    command = [sys.executable, "-m", "benchmarks.page_server", json.dumps(asdict(served))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/icp"
        process.stdin.close()


if __name__ == "__main__":
    asyncio.run(serve(Served(**json.loads(sys.argv[1]))))
