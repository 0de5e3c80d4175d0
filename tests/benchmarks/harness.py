"""Measuring: what a benchmark is, what it finds, and how two things are timed so that a shared machine does not lie.

A benchmark is a function that yields `Figure`s; `@bench` says which row of the targets it answers and for which
sizes. Each runs in a process of its own, so that its memory is its own. Times of a shared machine say little; a ratio
of two things done in turn, the quickest round of each, says something.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.big_account import Size

SCAN = "select sum(hash(contact_id)), count(*) from icontact_activity"


@dataclass(frozen=True)
class Figure:
    """One thing measured: `value` in `unit`, held against `target` ("at least" it, when `least`; None: only told).

    `times` are the seconds of each round of what was compared. A figure with a `wrong` is of no worth: what was to
    be equal was not.
    """

    what: str
    value: float
    unit: str = "×"
    target: float | None = None
    least: bool = False
    against: str = ""
    note: str = ""
    wrong: str = ""
    times: dict[str, list[float]] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.wrong:
            return False
        if self.target is None:
            return None
        return self.value >= self.target if self.least else self.value <= self.target

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"met": self.met}


@dataclass(frozen=True)
class Bench:
    """A benchmark: the row of the targets it answers, the sizes it is measured at, and how."""

    name: str
    row: int
    sizes: tuple[str, ...]
    run: Callable[[Size], Iterator[Figure]]


BENCHES: dict[str, Bench] = {}


def bench(row: int, *sizes: str) -> Callable[[Callable[[Size], Iterator[Figure]]], Bench]:
    """Register a function as the benchmark of its name."""

    def register(run: Callable[[Size], Iterator[Figure]]) -> Bench:
        BENCHES[run.__name__] = Bench(run.__name__, row, sizes, run)
        return BENCHES[run.__name__]

    return register


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


Times = dict[str, list[float]]


def in_turn(rounds: int, **calls: Callable[[], object]) -> Times:
    """Do several things in turn, so often, each round in the other order; return the seconds of each.

    Under `NAME cpu` are the seconds that cores worked for it, all threads together.
    """
    times: Times = {name + part: [] for name in calls for part in ("", " cpu")}
    for number in range(rounds):
        for name in calls if number % 2 == 0 else reversed(calls):
            worked = time.process_time()
            times[name].append(seconds(calls[name]))
            times[f"{name} cpu"].append(time.process_time() - worked)
    return times


def ratio(times: Times, ours: str, plain: str) -> float:
    """Return the quickest of ours by the quickest of the plain thing; slower rounds measured somebody else's work."""
    return min(times[ours]) / min(times[plain])


def worked(times: Times, ours: str, plain: str) -> str:
    """Tell the same ratio of the cores' work, which hangs less on what else the machine does."""
    return f"{ratio(times, f'{ours} cpu', f'{plain} cpu'):.3g} × by cores' work"


@contextmanager
def peak() -> Iterator[Callable[[], float]]:
    """Give a function that tells the most memory this process held since the block began, in GB (Linux)."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # forget the peak there was

    def told() -> float:
        with open("/proc/self/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e9

    yield told


def load() -> float:
    """Return how many processes wanted a core in the last minute."""
    return os.getloadavg()[0]
