"""Conditions that are asked beside each other: answered as one by one, and stopped together."""

# ruff: noqa: F401, F811 (fixtures are imported by name)

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from builder_bed import files

from icx.audience.passing import Passing
from icx.rules import Sql
from icx.store import Connection, published
from icx.store.published import Published
from icx.widgets.counting import Turn

# Nobody would wait for these: every pair of a hundred thousand numbers.
ENDLESS = [
    Sql(
        "contact_id < (select count(*) from range(100000) a(i), range(100000) b(j) where hash(i + j) % 7 = ?)",
        (n,),
    )
    for n in range(3)
]


@pytest.fixture
def built(files: Path) -> Published:
    return Published(files, "demo")


def test_what_is_asked_beside_each_other_is_what_is_asked_one_by_one(built: Published) -> None:
    tests = [Sql("opens_90d >= ?", (n,)) for n in range(7)] + [Sql("city = ?", ("Durham",))]
    with Passing(built, list) as one_by_one:
        expected = [one_by_one(test).to_pylist() for test in tests]
    anew = Published(built.directory, built.connection)
    with Passing(anew, list) as passing:
        passing.ask([*tests, *tests])
        assert all(anew.known(test) for test in tests)
        assert [passing(test).to_pylist() for test in tests] == expected


def test_a_stop_reaches_both(built: Published) -> None:
    turn, cursors = Turn(), []

    def running(con: Connection) -> None:
        cursors.append(con)
        turn.running(con)
        if len(cursors) == 2:
            threading.Timer(0.2, turn.stop).start()

    began = time.monotonic()
    with Passing(built, list, running) as passing, pytest.raises(published.Interrupted):
        passing.ask(ENDLESS)
    turn.over()
    assert time.monotonic() - began < 5
    assert len(cursors) == 2
    assert not any(built.known(test) for test in ENDLESS)


@pytest.mark.parametrize("turned", [False, True])
def test_when_one_fails_the_other_is_not_waited_for(built: Published, turned: bool) -> None:
    tests = [Sql("there_is_no_such_field"), *ENDLESS[:1]]
    began = time.monotonic()
    with Passing(built, list) as passing, pytest.raises(Exception, match="there_is_no_such_field"):
        passing.ask(reversed(tests) if turned else tests)
    assert time.monotonic() - began < 5
