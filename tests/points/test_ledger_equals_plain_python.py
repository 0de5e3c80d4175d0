"""The ledger of random histories is what plain Python counts, build after build; counted again it is the same (M-33 to M-37)."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import histories
import pytest
from accounts import CLOCK, PULLED, store_at
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.fields import Catalogue
from icx.points import Score
from icx.points.book import Book
from icx.points.ledger import recount
from icx.points.lines import COLUMNS
from icx.profile import assemble, build
from icx.settings import Settings
from icx.store import Store


def compared(seed: int) -> None:
    draw = random.Random(seed)
    every, world = histories.actions(draw), histories.World()
    with TemporaryDirectory() as folder:
        store = store_at(Path(folder))
        for number in range(4):
            with store.open("acme") as con:
                world.go_on(draw, con, PULLED + timedelta(days=2 * number), number)
            if number == 2:
                every = [
                    one for one in every if one.name != "a1"
                ]  # one that is removed takes its lines along
            score = Score(every, histories.lookup)
            done = build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK, totals=score)
            stored, totals, machines = _stored(store)
            assert stored == histories.ledger(world, every, machines), (seed, number)
            assert done.awards == len(stored)
            assert number in {0, 2} or done.anew is not None  # rows were taken over, the ledger was not
            assert totals == {who: histories.sums(stored, who) for who in world.cities}, (seed, number)
            again = recount(_book(store), every)
            assert (again.equal, again.lines) == (True, len(stored))


def _stored(store: Store) -> tuple[list[Any], dict[int, tuple[int, int, int]], set[Any]]:
    with store.open("acme") as con:
        lines = con.execute(f"select {COLUMNS} from points_ledger").fetchall()
        names = {row[0] for row in con.execute("describe profile").fetchall()}
        columns = [
            name if name in names else "0" for name in ("points", "points_g", "points_h")
        ]  # without an action none
        rows = con.execute(f"select contact_id, {', '.join(columns)} from profile").fetchall()
        marks = con.execute(
            "select contact_id, message_id, event_type, event_ts from machine_events"
        ).fetchall()
    return sorted(lines, key=repr), {row[0]: row[1:] for row in rows}, set(marks)


def _book(store: Store) -> Book:
    return Book(store, "acme", Catalogue([]), histories.lookup, lambda names: names, histories.ZONE)


# Between them these two notice each part of the statements that was taken out one after the other.
@pytest.mark.parametrize(("seed", "shares"), [(4, 1), (5, 4)])
def test_the_ledger_and_its_sums_are_those_of_plain_python(
    seed: int, shares: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assemble, "parts_needed", lambda con, tables: shares)
    compared(seed)


@pytest.mark.slow
@settings(max_examples=300)
@given(seed=st.integers(0, 1_000_000))
def test_so_are_those_of_many_more_histories(seed: int) -> None:
    compared(seed)
