"""A clock that jumps, a client of the misbehaving server, and one of a sandbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from misbehaving import Misbehaving

from icx.clock import ManualClock
from icx.http import Pace
from icx.icontact import Client
from icx.sandbox.process import SandboxProcess, start


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


@pytest.fixture(scope="module")
def twin() -> Iterator[SandboxProcess]:
    """A sandbox that the tests of one module write to, each with people and lists of its own."""
    with start(contacts=60, messages=3, seed=11) as process:
        yield process


@pytest.fixture
def live(twin: SandboxProcess, clock: ManualClock) -> Iterator[Client]:
    """A client of the twin; waiting costs no time."""
    with Client(
        twin.base_url,
        twin.app_id,
        twin.username,
        twin.password,
        account_id=twin.account_id,
        client_folder_id=twin.client_folder_id,
        clock=clock,
        pace=Pace(clock=clock),
    ) as client:
        yield client


@pytest.fixture
def trouble(twin: SandboxProcess) -> Iterator[Callable[..., None]]:
    """Order a fault of the twin: `trouble("POST /contacts", "close-before")`."""

    def order(match: str, fault: str, **more: Any) -> None:
        answer = requests.post(
            f"{twin.control_url}/faults", json={"match": match, "fault": fault, **more}, timeout=10
        )
        assert answer.ok, answer.text

    yield order
    requests.delete(f"{twin.control_url}/faults", timeout=10)
