"""The reading loop: several threads fetch, one lands, pages of a unit in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

from icx.clock import Clock, naive_utc
from icx.errors import IcxError, TryLater
from icx.pull.land import Landing
from icx.pull.progress import Meter
from icx.pull.workers import Workers

AHEAD = 5  # answers that may wait to be landed while others are written
IN_A_ROW = 3  # tasks that cannot be read one after the other, and it is no longer the tasks
HELD = 3.0  # seconds the database is kept open while pages keep coming
IDLE = 0.3  # seconds of waiting after which others may have it


class Task(Protocol):
    """Something to read: hands out calls one by one and lands their answers in the same order."""

    label: str
    finished: bool

    def next_call(self) -> Callable[[], Any] | None:
        """Return the next call, or None while an answer must land first."""

    def land(self, landing: Landing, answer: Any) -> int:
        """Land an answer; return the rows it brought."""

    def outdated(self, error: IcxError) -> bool:
        """Tell whether an error came to a call whose answer nobody waits for any more."""

    def refused(self, error: IcxError) -> bool:
        """Tell whether the rest of the pull can go on without this task."""


@dataclass
class Reader:
    """Reads tasks with a few calls in flight.

    At most `threads` + `AHEAD` answers wait to be landed, and `Landing` lets what landed wait but a moment, so memory
    is bounded and a kill costs few calls.
    """

    landing: Landing
    threads: int
    clock: Clock
    meter: Meter
    waiting_until: Callable[[], datetime | None]
    calls_left: Callable[[], int | None]
    stopped: Callable[[], None] = lambda: None  # raises when the pull is to end at once
    ending: Callable[[], IcxError | None] = lambda: None  # the end that somebody asked for
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
                    break
                self._wait(flying[0])
                while flying and flying[0][1].done():
                    self._land(*flying.popleft())
                if not self.landing.left:
                    self._write()
            self._write()
            if end is not None:
                raise end
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
                future.exception(timeout=min(patience, self.landing.left))
            except StillRunning:
                if not self.landing.left:
                    self._write()
                    continue
                self.landing.bench.rest()
                patience = 0.5
                if self.waiting_until() is not None and (end := self.ending()) is not None:
                    self._write()
                    raise end from None
                self.meter.say(waiting_until=self.waiting_until(), calls_left=self.calls_left)

    def _land(self, task: Task, future: Future[Any]) -> None:
        """Land an answer, or what came instead of one."""
        error = future.exception()
        if error is None:
            self._in_a_row = 0
            self.landing.at = naive_utc(self.clock.now())
            if not task.finished:
                self.meter.rows += task.land(self.landing, future.result())
                self.landing.came()
                self.meter.done += task.finished
            self.meter.say(calls_left=self.calls_left)
            return
        if isinstance(error, IcxError) and task.outdated(error):
            return
        absorbed = isinstance(error, IcxError) and task.refused(error)
        self._in_a_row += absorbed and isinstance(error, TryLater)
        if not absorbed or self._in_a_row >= IN_A_ROW:
            if isinstance(error, Exception):
                self._write()  # what came before it is kept
            raise error
        if not task.finished:
            task.finished = True
            self.meter.done += 1
            self.refused.append((task, cast(IcxError, error)))

    def _write(self) -> None:
        self.landing.write()
        if self.landing.bench.held > HELD:
            self.landing.bench.rest()


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
