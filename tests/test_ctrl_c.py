"""Ctrl-C stays heard where a library turns it into something else, or drops it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from icx.ctrl_c import stays_heard


@pytest.fixture(autouse=True)
def the_handler_of_python() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_a_stop_that_came_out_as_another_error_is_a_stop() -> None:
    with pytest.raises(KeyboardInterrupt), stays_heard():
        come_out_as_another_error()


def test_a_stop_that_was_told_in_better_words_keeps_them() -> None:
    with pytest.raises(LookupError, match="go on with r-15"), stays_heard():
        told_in_better_words()


def test_a_stop_that_was_dropped_ends_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), stays_heard():
        dropped()


def test_a_stop_that_was_dropped_is_raised_at_the_next_step() -> None:
    with contextlib.suppress(KeyboardInterrupt), stays_heard() as check:
        check()
        dropped()
        with pytest.raises(KeyboardInterrupt):
            check()


def test_an_inner_block_leaves_the_outer_one_informed() -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        stays_heard(),
        contextlib.suppress(KeyboardInterrupt),
        stays_heard(),
    ):
        dropped()


def test_without_a_stop_errors_pass_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError), stays_heard():
        _ = 1 / 0


def test_another_thread_hears_no_signals_and_is_left_alone() -> None:
    seen: list[Any] = []

    def work() -> None:
        with stays_heard() as check:
            check()
            seen.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["done"]


def dropped() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def told_in_better_words() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt as stop:
        raise LookupError("go on with r-15") from stop


def come_out_as_another_error() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError("Query interrupted") from None  # as DuckDB has it
