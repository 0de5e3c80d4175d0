"""Ctrl-C that stays heard, whatever library it lands in.

DuckDB asks for signals inside a statement and turns the KeyboardInterrupt into an error of its own, and where it
looks whether pandas is there it drops it: then Ctrl-C looks like a mistake of ours, or nothing happens at all.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def stays_heard() -> Iterator[Callable[[], None]]:
    """Yield a function that raises the stop which came meanwhile; long work calls it between its steps.

    What the handler in place raises for SIGINT and SIGTERM is noted on its way. The block ends with it also when
    it was lost under way or came out as another error. Only the main thread hears signals; elsewhere nothing changes.
    """
    came: list[BaseException] = []

    def check() -> None:
        if came:
            raise came[0]

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: _noting(old, came) for number, old in before.items() if callable(old)}
    for number, hear in ours.items():
        signal.signal(number, hear)
    try:
        yield check
        check()
    except Exception as error:
        if came and error is not came[0] and not _says(error, came[0]):
            raise came[0] from error
        raise
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _says(error: BaseException, stop: BaseException) -> bool:
    """Return whether an error was raised `from` the stop: then it was heard, and told in better words."""
    cause = error.__cause__
    while cause is not None and cause is not stop:
        cause = cause.__cause__
    return cause is stop


def _noting(old: Callable[..., Any], came: list[BaseException]) -> Callable[[int, FrameType | None], None]:
    def hear(number: int, frame: FrameType | None) -> None:
        try:
            old(number, frame)
        except BaseException as stop:
            came.append(stop)
            raise

    return hear
