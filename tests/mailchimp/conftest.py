"""A twin of Mailchimp for the tests of one file, and a client whose waiting costs no time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mailchimp_twin import State, TwinServer, serving
from mailchimp_twin.state import KEY

from icx.clock import ManualClock
from icx.http import Pace
from icx.mailchimp import Client, Key


@pytest.fixture(scope="module")
def running() -> Iterator[TwinServer]:
    with serving() as twin:
        yield twin


@pytest.fixture
def twin(running: TwinServer) -> Iterator[TwinServer]:
    """The running twin with a fresh account; whatever was asked of it was as the vendor describes."""
    running.state = State()
    running.faults.clear()
    running.asked.clear()
    running.complaints.clear()
    running.most_at_once, running.slow = 0, 0.0
    yield running
    assert running.complaints == []


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def connect(twin: TwinServer, clock: ManualClock) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(key: str = KEY, **options: Any) -> Client:
        given = {"clock": clock, "timeout": (2, 5), "pace": Pace(clock=clock, first=200.0)} | options
        made.append(Client(Key(key, f"{twin.url}/3.0"), **given))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()
