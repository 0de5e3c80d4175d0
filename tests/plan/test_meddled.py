"""Applies while everything goes wrong at once: faults, kills, and another client that edits the same list."""

from __future__ import annotations

from typing import Any

import pytest
from meddled import begun, judge, judge_undone, push, told

from icx.settings import Settings


def lived(here: Any, seed: int, *, undo: bool, **how: Any) -> Any:
    story, plan = told(here, seed)
    push(here, story, plan, **how)
    judge(here, story)
    if undo:
        back = here.undo(plan.plan_id)
        push(here, story, back, **how)
        judge_undone(here, story)
        push(here, story, here.undo(back.plan_id), **how)
        judge_undone(here, story)
    return story


def test_a_disk_that_is_full_in_the_middle_sends_nobody_twice_and_loses_nobody(place: Any) -> None:
    here = place(contacts=300, settings=Settings(batch_size=5))
    story, plan = told(here, 1)
    for point in (3, 30, 60):
        assert begun(here, story, plan, full=point)["gave_up"] == "disk-full"
    push(here, story, plan, kills=0, faults=0, meddles=0.0)
    judge(here, story)


def test_the_list_is_the_plan_whatever_goes_wrong_at_once(place: Any) -> None:
    here = place(contacts=300, settings=Settings(batch_size=5))
    stories = [lived(here, seed, kills=1, faults=3, meddles=0.3, undo=False) for seed in (1, 2)]
    assert all((story.killed or story.full) and story.deeds for story in stories)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 200, 10))
def test_the_same_many_times_with_the_way_back(place: Any, seed: int) -> None:
    here = place(contacts=800, settings=Settings(batch_size=5))
    for each in range(seed, seed + 10):
        print(lived(here, each, kills=4, faults=5, meddles=0.3, undo=True))
