"""Running jobs for as long as nobody says stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

from icx.clock import Clock
from icx.jobs.run_due import RunDue

#: Seconds between two looks; a job that somebody adds or resumes is seen within this.
PATIENCE = 30.0


@dataclass(frozen=True)
class Served:
    """How much was run until the stop, and how much of it failed."""

    runs: int = 0
    failed: int = 0

    def __str__(self) -> str:
        times = "1 run" if self.runs == 1 else f"{self.runs:,} runs"
        return f"Ended: {times}, {self.failed:,} failed."

    def as_dict(self) -> dict[str, int]:
        return {"runs": self.runs, "failed": self.failed}


def serve(
    run_due: Callable[[], RunDue],
    clock: Clock,
    *,
    said: Callable[[RunDue], None] | None = None,
    waiting: Callable[[tuple[str, datetime] | None], None] | None = None,
    until: Callable[[], bool] = lambda: False,
) -> Served:
    """Run what is due, wait for the next, and so on, until Ctrl-C or SIGTERM; return what was run.

    `said` hears what each look came to when it ran something, `waiting` what comes next. A stop while nothing
    runs is the ordinary end; a stop inside a run is raised, and the run is taken up by whoever looks next.
    """
    done = Served()
    while not until():
        found = run_due()
        done = Served(done.runs + len(found.ran), done.failed + len(found.failed))
        if said is not None and (found.ran or found.let_go or found.wrong or found.tidied):
            said(found)
        try:
            with _stop_is_an_end():
                if waiting is not None:
                    waiting(found.next)
                left = (found.next[1] - clock.now()).total_seconds() if found.next else PATIENCE
                clock.sleep(min(PATIENCE, max(left, 5.0 if found.busy else 0.2)))
        except (_Enough, KeyboardInterrupt):
            break
    return done


class _Enough(BaseException):
    """Somebody said stop while nothing ran."""


@contextmanager
def _stop_is_an_end() -> Iterator[None]:
    """Hear Ctrl-C and SIGTERM as the end of waiting: no work is interrupted, so it is no stop to tell of."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(number: int, frame: FrameType | None) -> None:
        raise _Enough

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
