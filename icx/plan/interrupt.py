"""Ctrl-C during long work: the first ends after the batch or page, the second at once; both are safe."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Ending:
    """Whether somebody asked for the end."""

    def __init__(self, also: Callable[[], bool] | None = None) -> None:
        self._also = also
        self._asked = False

    def ask(self) -> None:
        self._asked = True

    @property
    def asked(self) -> bool:
        return self._asked or (self._also is not None and self._also())


@contextmanager
def ends_after_the_batch(
    note: Callable[[str], None], also: Callable[[], bool] | None = None
) -> Iterator[Ending]:
    """Yield an `Ending` that Ctrl-C sets while the block runs; `also` may ask for the end too.

    Only the main thread hears signals; elsewhere `also` alone decides.
    """
    ending = Ending(also)
    if threading.current_thread() is not threading.main_thread():
        yield ending
        return

    def heard(number: int, frame: FrameType | None) -> None:
        if ending.asked:
            if callable(before):
                before(number, frame)
            raise KeyboardInterrupt
        ending.ask()
        note("ending after this batch (once more: at once, also safe)")

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield ending
    finally:
        signal.signal(signal.SIGINT, before)
