"""The reading loop: several threads fetch, one lands, pages of a unit in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from icx.clock import Clock, naive_utc
from icx.errors import IcxError, TryLater
from icx.pull.land import Bench, Landing
from icx.pull.progress import Meter
from icx.pull.workers import Workers
from icx.store import Connection

AHEAD = 5  # answers that may wait to be landed: what comes quickly is landed together
IN_A_ROW = 3  # tasks that cannot be read one after the other, and it is no longer the tasks
HELD = 3.0  # seconds the database is kept open while pages keep coming
IDLE = 0.3  # seconds of waiting after which others may have it


class Task(Protocol):
    """Something to read: hands out calls one by one and lands their answers in the same order."""

    label: str
    finished: bool

    def next_call(self) -> Callable[[], Any] | None:
        """Return the next call, or None while an answer must land first."""

    def land(self, con: Connection, landing: Landing, answer: Any) -> int:
        """Land an answer inside the open transaction; return the rows it brought."""

    def outdated(self, error: IcxError) -> bool:
        """Tell whether an error came to a call whose answer nobody waits for any more."""

    def refused(self, error: IcxError) -> bool:
        """Tell whether the rest of the pull can go on without this task."""


@dataclass
class Reader:
    """Reads tasks with a few calls in flight; what was landed is committed before more is asked.

    At most `threads` + `AHEAD` answers exist at a time, so memory is bounded and a kill costs no more calls than that.
    """

    bench: Bench
    landing: Landing
    threads: int
    clock: Clock
    meter: Meter
    waiting_until: Callable[[], datetime | None]
    calls_left: Callable[[], int | None]
    after: Callable[[Connection, int], None]
    stopped: Callable[[], None] = lambda: None  # raises when the pull is to end at once
    ending: Callable[[], IcxError | None] = lambda: None  # the end that somebody asked for
    pages: int = 0
    refused: list[tuple[Task, IcxError]] = field(default_factory=list)
    _in_a_row: int = 0

    def read(self, tasks: Iterable[Task]) -> None:
        """Read all tasks; raises the first error that a task does not absorb, after landing what came before.

        When its end is asked for nothing more is called, the pages under way are landed, and that end is raised; while
        the service makes it wait there is nothing to land, and it ends at once.
        """
        workers = Workers(self.threads)
        flying: deque[tuple[Task, Future[Any]]] = deque()
        try:
            calls = _Calls(iter(tasks))
            end: IcxError | None = None
            while True:
                self.stopped()
                end = end or self.ending()
                while (
                    end is None and len(flying) < self.threads + AHEAD and (asked := calls.next()) is not None
                ):
                    task, call = asked
                    flying.append((task, workers.submit(call)))
                if not flying:
                    if end is not None:
                        raise end
                    return
                self._wait(flying[0])
                self._land(flying)
        finally:
            for _, future in flying:
                future.cancel()
            workers.close(0.5 if flying else 2.0)

    def _wait(self, head: tuple[Task, Future[Any]]) -> None:
        task, future = head
        self.meter.what = task.label
        patience = IDLE
        while not future.done():
            try:
                future.exception(timeout=patience)
            except StillRunning:
                self.bench.rest()
                patience = 0.5
                if self.waiting_until() is not None and (end := self.ending()) is not None:
                    raise end from None
                self.meter.say(waiting_until=self.waiting_until(), calls_left=self.calls_left)

    def _land(self, flying: deque[tuple[Task, Future[Any]]]) -> None:
        """Land every answer at the head of the queue that is there, in one transaction."""
        ready: list[tuple[Task, Any]] = []
        failed: tuple[Task, BaseException] | None = None
        while flying and flying[0][1].done() and failed is None:
            task, future = flying.popleft()
            error = future.exception()
            if error is None:
                ready.append((task, future.result()))
            else:
                failed = (task, error)
        if ready:
            self._in_a_row = 0
            self.landing.at = naive_utc(self.clock.now())
            self.landing.forget()
            with self.bench.transaction() as con:
                for task, answer in ready:
                    if not task.finished:
                        self.meter.rows += task.land(con, self.landing, answer)
                        self.pages += 1
                        self.meter.done += task.finished
                self.landing.flush(con)
                self.after(con, self.pages)
            self.meter.say(calls_left=self.calls_left)
        if self.bench.held > HELD:
            self.bench.rest()
        if failed is not None:
            task, error = failed
            if isinstance(error, IcxError) and task.outdated(error):
                return
            if not (isinstance(error, IcxError) and task.refused(error)):
                raise error
            self._in_a_row += isinstance(error, TryLater)
            if self._in_a_row >= IN_A_ROW:
                raise error
            if not task.finished:
                task.finished = True
                self.meter.done += 1
                self.refused.append((task, error))


class _Calls:
    """The calls to make next: those of tasks under way first, in their order, then those of new tasks."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self._new = tasks
        self._under_way: list[Task] = []

    def next(self) -> tuple[Task, Callable[[], Any]] | None:
        self._under_way = [task for task in self._under_way if not task.finished]
        for task in self._under_way:
            call = task.next_call()
            if call is not None:
                return task, call
        for task in self._new:
            if task.finished:
                continue
            call = task.next_call()
            if call is not None:
                self._under_way.append(task)
                return task, call
        return None
