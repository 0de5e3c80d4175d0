"""Whatever the order of commands and of what another client does meanwhile, nobody who said no is put back."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from icx.workspace import Workspace
from road.account import account, save
from road.command import done
from road.world import Hasty, World

STEPS = 7


def lives(tmp_path: Path, seed: int, steps: int = STEPS) -> World:
    """Let an account, icx and another client live through so many random steps."""
    rnd = random.Random(seed)
    with account(tmp_path / "a.sqlite", contacts=60, messages=3, seed=seed, consent="permissive") as running:
        folder = running.workspace(tmp_path / "w", "batch_size = 6\npage_size = 25\n")
        for command in (["pull", "acme"], ["build"]):
            done(*command, workspace=folder)
        ids = {"field": "ic_contact_id", "operator": "endsWith", "value": ""}
        some = [ids | {"value": digit} for digit in "13579"]
        others = [ids | {"value": digit} for digit in "24680"]
        save(folder, "Normal", {"field": "ic_contact_id", "operator": "notNull"})
        save(folder, "Some", {"combinator": "or", "rules": some})
        save(folder, "Others", {"combinator": "or", "rules": others})
        clock = Hasty(rnd.choice([-300, 0, 300]))
        with Workspace(folder, clock=clock, who="maya") as ws:
            world = World(running, ws, clock, rnd)
            world.plan_and_apply()
            commands = [
                world.plan_and_apply, world.plan_and_apply, world.plan_and_apply, world.plan, world.apply_an_old_plan,
                world.undo, world.undo, world.pull, world.pull_and_build, world.pull_and_build, world.start_over,
                world.somebody_acts, world.somebody_acts, world.somebody_acts,
            ]  # fmt: skip
            for _ in range(steps):
                rnd.choice(commands)()
            return world


def test_nobody_who_said_no_is_ever_put_back(tmp_path: Path) -> None:
    world = lives(tmp_path, seed=2)
    assert world.added > 20, world.story()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 26))
def test_nobody_who_said_no_is_put_back_in_other_lives(tmp_path: Path, seed: int) -> None:
    assert lives(tmp_path, seed, 40).added
