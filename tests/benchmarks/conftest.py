"""Ratios of icx to the nearest plain thing, measured side by side in one run and printed as one table.

Times of a shared machine say little; a ratio of two things done in turn says something. The tests only hold that a
ratio is not absurd: what it is, people read in the table (`make bench`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.made import AS_OF, MADE, fill
from icx.clock import ManualClock
from icx.profile import build
from icx.settings import Settings
from icx.store import Store

CLOCK = ManualClock(AS_OF)


@dataclass(frozen=True)
class Ratio:
    """One line of the table: seconds of icx and of the plain thing."""

    what: str
    size: str
    ours: float
    plain: float
    against: str

    @property
    def ratio(self) -> float:
        return self.ours / self.plain


LINES: list[Ratio] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Benchmarks take a quiet machine and a minute: `make bench` and `make test-slow` run them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not LINES:
        return
    say = terminalreporter.write_line
    terminalreporter.section("ratios")
    say(f"{'what':<40}{'size':<38}{'icx':>9}{'plain':>10}{'ratio':>8}  against")
    for line in LINES:
        say(
            f"{line.what:<40}{line.size:<38}{line.ours:>7.3f} s{line.plain:>8.3f} s{line.ratio:>8.1f}  {line.against}"
        )


def quickest(call: Callable[[], object], rounds: int) -> float:
    """Seconds of the quickest of so many rounds; the slower ones measured somebody else's work."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


@pytest.fixture
def compare(benchmark: Any) -> Callable[..., Ratio]:
    """Measure ours with pytest-benchmark and the plain thing beside it; the line goes into the table."""

    def measure(
        what: str,
        ours: Callable[[], object],
        plain: Callable[[], object],
        *,
        size: str,
        against: str,
        rounds: int = 5,
    ) -> Ratio:
        ours()
        plain()  # both warm
        first = quickest(plain, rounds)
        benchmark.pedantic(ours, rounds=rounds)
        found = benchmark.stats.stats.min if benchmark.stats else quickest(ours, rounds)
        line = Ratio(what, size, found, min(first, quickest(plain, rounds)), against)
        benchmark.extra_info |= {"plain": line.plain, "ratio": line.ratio, "against": against}
        LINES.append(line)
        return line

    return measure


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store as a pull leaves it, made by SQL, with a profile built from it."""
    made = Store(tmp_path_factory.mktemp("bench") / "icx.duckdb", clock=CLOCK)
    fill(made)
    build(made, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
    return made


@pytest.fixture(scope="session")
def size() -> str:
    return f"{MADE.contacts:,} people, {MADE.events:,} events"
