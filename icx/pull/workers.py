"""A few threads that fetch while one lands."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Workers:
    """Threads that make calls. They are daemons: a call waiting half an hour does not keep a stopped pull alive."""

    def __init__(self, count: int) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"icx-fetch-{n}", daemon=True) for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        """Queue a call; calls begin in the order they were queued."""
        future: Future[Any] = Future()
        self._tasks.put((future, call))
        return future

    def close(self, wait: float = 2.0) -> None:
        """Let the threads end after the calls under way; `wait` is seconds to see them off."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join(wait)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # the thread that lands raises it again
                future.set_exception(error)
