"""A store, a journal and a clock for each test of pulls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pull_bed import Bed
from pull_fake import NOON

from icx.clock import ManualClock


@pytest.fixture
def new_bed(tmp_path: Path) -> Iterator[Callable[[], Bed]]:
    made: list[Bed] = []

    def make() -> Bed:
        made.append(Bed(tmp_path / f"bed-{len(made)}", ManualClock(NOON)))
        return made[-1]

    yield make
    for bed in made:
        bed.journal.close()


@pytest.fixture
def bed(new_bed: Callable[[], Bed]) -> Bed:
    return new_bed()
