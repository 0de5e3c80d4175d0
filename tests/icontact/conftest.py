"""A misbehaving server, a clock that jumps, and clients of both."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from misbehaving import Misbehaving

from icx.clock import ManualClock
from icx.icontact import Client


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    server = Misbehaving()
    yield server
    server.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, 14, 15, tzinfo=UTC))


@pytest.fixture
def connect(server: Misbehaving, clock: ManualClock) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(**options: Any) -> Client:
        given = {"account_id": 111, "client_folder_id": 222, "clock": clock, "timeout": (2, 2)} | options
        clients.append(Client(server.url, "1f3c9a00", "maya@example.com", "s3cret-w0rd", **given))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()
