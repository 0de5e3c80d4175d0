"""Ctrl-C that stays heard, whatever library it lands in.

DuckDB asks for signals inside a statement and turns the KeyboardInterrupt into an error of its own, and where it
looks whether pandas is there it drops it: then Ctrl-C looks like a mistake of ours, or nothing happens at all. And
a statement that writes goes on for minutes after it heard the signal, unless another thread interrupts it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

INSIST = 0.02  # seconds between two interruptions of a statement that goes on
_AT_WORK: list[tuple[int, Callable[[], None]]] = []  # what may be interrupted, with the thread it works for


@contextmanager
def interruptible(interrupt: Callable[[], None]) -> Iterator[None]:
    """While the block lasts a stop that comes to this thread calls `interrupt` until the call under way has ended.

    It is called from another thread, and also while nothing is under way: then it must do nothing.
    """
    mine = (threading.get_ident(), interrupt)
    _AT_WORK.append(mine)
    try:
        yield
    finally:
        _AT_WORK.remove(mine)


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
            if frame is not None and _AT_WORK:
                threading.Thread(target=_insist, args=(frame, frame.f_lasti), daemon=True).start()
            raise

    return hear


def _insist(frame: FrameType, at: int) -> None:
    """Interrupt what the main thread has under way until it has left the call in which the signal came.

    Whatever it calls then, to roll back or to say how far it came, is not interrupted.
    """
    main = threading.main_thread().ident
    while True:
        here = sys._current_frames().get(main or 0)
        while here is not None and here is not frame:
            here = here.f_back
        if here is None or frame.f_lasti != at:
            return
        for thread, interrupt in list(_AT_WORK):
            if thread == main:
                with suppress(Exception):  # closed meanwhile
                    interrupt()
        del here
        threading.Event().wait(INSIST)
