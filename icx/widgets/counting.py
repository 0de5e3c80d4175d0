"""One worker for a view's questions that take long: of a lane the newest wins, an older one still running is stopped."""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
INSIST = 0.02  # seconds between two interruptions of a query that is no longer wanted


class Stopped(Exception):
    """What runs was superseded or given up."""


class Turn:
    """One run of the worker: what it runs may be interrupted from another thread while it lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interrupts: list[Callable[[], None]] = []
        self._over = threading.Event()
        self.stopped = False

    def running(self, con: Any) -> None:
        """Say that a cursor is at work, beside others said before; raises when the answer is no longer wanted."""
        with self._lock:
            if self.stopped:
                raise Stopped
            self._interrupts.append(con.interrupt)

    def stop(self) -> None:
        """Interrupt it; returns at once."""
        with self._lock:
            first, self.stopped = not self.stopped, True
        if first:
            threading.Thread(target=self._insist, name="icx-stop", daemon=True).start()

    def over(self) -> None:
        """Nothing of this run may be interrupted any more; its cursors are about to be closed."""
        with self._lock:
            self._interrupts.clear()
        self._over.set()

    def _insist(self) -> None:
        # A cursor between two queries does not remember that it was interrupted, so it is told until it has ended.
        while not self._over.wait(INSIST):
            with self._lock:
                for interrupt in self._interrupts:
                    # a cursor that is closed by now; what comes next of the turn is refused
                    with suppress(Exception):
                        interrupt()


class Worker(Generic[Job]):
    """Runs `work(job, turn)` for the newest job of each lane, on a thread of its own that starts with the first.

    `work` hands its cursors to `turn.running` and looks at `turn.stopped` before it tells anybody its answer. Of
    several lanes that wait, the one asked last is next: it is what somebody has just clicked.
    """

    def __init__(self, work: Callable[[Job, Turn], None], name: str) -> None:
        self._work = work
        self._name = name
        self._changed = threading.Condition()
        self._waiting: dict[str, Job] = {}
        self._running = ""  # the lane of the turn
        self._turn: Turn | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def give(self, job: Job, lane: str = "") -> None:
        """Ask for an answer; one of that lane that is under way is stopped, one that waited is forgotten."""
        with self._changed:
            if self._closed:
                return
            self._waiting.pop(lane, None)
            self._waiting[lane] = job
            if self._turn is not None and self._running == lane:
                self._turn.stop()
            if self._thread is None:
                atexit.register(
                    self.close
                )  # a thread that waits for ever would keep everything it knows till the end
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """Give up what runs and what waits."""
        with self._changed:
            self._waiting.clear()
            if self._turn is not None:
                self._turn.stop()

    def idle(self, seconds: float) -> bool:
        """Wait until nothing runs or waits; False when that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and self._turn is None, seconds)

    def close(self, seconds: float = 5) -> None:
        """Stop, and end the thread."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            self._waiting.clear()
            if self._turn is not None:
                self._turn.stop()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
                if self._closed:
                    return
                self._running, job = self._waiting.popitem()
                turn = self._turn = Turn()
            try:
                self._work(job, turn)
            except Stopped:
                pass
            except Exception:  # told as a thread's end would be, but the next question is answered
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
            finally:
                turn.over()
                with self._changed:
                    self._turn = None
                    self._changed.notify_all()
