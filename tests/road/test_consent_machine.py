"""Consent as an invariant: whatever happens in whatever order, nobody who said no is put back and nobody is forgotten."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from icx.connections.login import Login
from icx.rules import from_json
from icx.sandbox.process import SandboxProcess
from icx.workspace import Workspace
from road.account import account
from road.answers import Service
from road.deeds import DEEDS
from road.world import ALL_OF_SECOND, SECOND, Hasty, World

SETTINGS = f'batch_size = 6\npage_size = 25\none_sender = [["acme", "{SECOND}"]]\n'
EVERYBODY = {"field": "ic_contact_id", "operator": "notNull"}
# What icx is told to do; what is named twice is drawn twice as often.
COMMANDS = (
    "plan_and_apply", "plan_and_apply", "plan_and_apply", "push_the_other_folder", "plan", "apply_an_old_plan",
    "undo", "undo", "pull", "pull_and_build", "pull_and_build", "pull_elsewhere", "start_over", "back_up", "restore", "vacuum",
)  # fmt: skip


def _ending(digits: str) -> dict[str, Any]:
    field = {"field": "ic_contact_id", "operator": "endsWith"}
    return {"combinator": "or", "rules": [field | {"value": digit} for digit in digits]}


def connect(ws: Workspace, sandbox: SandboxProcess) -> None:
    """Connect both client folders; the sandbox answers at another port each time it is started."""
    login = Login.clean(sandbox.app_id, sandbox.username, sandbox.password, sandbox.base_url)
    ws.accounts.connect("acme", login, folder=sandbox.client_folder_id, default=True)
    ws.accounts.connect(SECOND, login, folder=_second(sandbox))


def _second(sandbox: SandboxProcess) -> int:
    (found,) = set(Service.of(sandbox).folders()) - {sandbox.client_folder_id}
    return found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two client folders of a service that lets everything through, pulled and built once, with audiences."""
    place = tmp_path_factory.mktemp("prepared")
    with account(
        place / "a.sqlite", contacts=60, messages=3, seed=2, folders=2, consent="permissive"
    ) as running:
        (place / "w").mkdir()
        (place / "w" / "icx.toml").write_text(SETTINGS)
        service = Service.of(running.sandbox)
        # Half of the second folder's people are also in the first one, written otherwise.
        addresses = [row["email"] for row in service.rows("contacts", "contacts") if row["email"]][:12]
        people = [{"email": one.swapcase()} for one in addresses]
        people += [{"email": f"only{n}@example.org"} for n in range(12)]
        service.folder(_second(running.sandbox)).call("POST", "contacts", people)
        with Workspace(place / "w") as ws:
            connect(ws, running.sandbox)
            for name in ("acme", SECOND):
                ws.pull(name)
                ws.build(name)
            for name, rule_ in (
                ("Normal", EVERYBODY),
                ("Some", _ending("13579")),
                ("Others", _ending("24680")),
            ):
                ws.audience(name, from_json(rule_), connection="acme")
            ws.audience(ALL_OF_SECOND, from_json(EVERYBODY), connection=SECOND)
    return place


class Life(RuleBasedStateMachine):
    """One life of an account: how long it is, is the machine's to find and to shrink; what happens, its seed's."""

    prepared: ClassVar[Path]
    place: ClassVar[Path]
    number: ClassVar[itertools.count[int]] = itertools.count()
    lived: ClassVar[list[World]] = []

    @initialize(seed=st.integers(0, 2**32), ahead=st.sampled_from([-300, 0, 300]))
    def begin(self, seed: int, ahead: int) -> None:
        self.life = ExitStack()
        place = self.place / str(next(self.number))
        shutil.copytree(self.prepared, place)
        running = self.life.enter_context(account(place / "a.sqlite", consent="permissive"))
        clock = Hasty(ahead)
        ws = self.life.enter_context(Workspace(place / "w", clock=clock, who="maya"))
        connect(ws, running.sandbox)
        self.world = World(running, ws, clock, random.Random(seed))
        self.lived.append(self.world)
        self.world.plan_and_apply()

    @rule()
    def step(self) -> None:
        """Something happens. Hypothesis would choose the first of a list far too often; the life's own dice do not."""
        dice = self.world.rnd
        if dice.random() < 0.6:
            getattr(self.world, dice.choice(COMMANDS))()
        else:
            for _ in range(dice.randint(1, 3)):
                self.world.somebody(dice.choice(DEEDS))

    def teardown(self) -> None:
        if hasattr(self, "life"):
            self.life.close()
            shutil.rmtree(self.place, ignore_errors=True)


def live(prepared: Path, place: Path, lives: int, steps: int) -> list[World]:
    """Let so many accounts live through so many steps each; a broken rule is told with the shortest life that breaks it."""
    Life.prepared, Life.place, Life.lived = prepared, place, []
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Life.lived


def test_nobody_who_said_no_is_put_back_and_nobody_else_is_forgotten(prepared: Path, tmp_path: Path) -> None:
    lived = live(prepared, tmp_path / "lives", lives=2, steps=6)
    assert sum(world.added for world in lived) > 20


@pytest.mark.slow
def test_the_same_in_many_long_lives(prepared: Path, tmp_path: Path) -> None:
    lived = live(prepared, tmp_path / "lives", lives=60, steps=50)
    assert sum(world.added for world in lived) > 500
    assert sum(world.surely_members for world in lived) > 500
    did = sum((world.did for world in lived), Counter())
    assert set(DEEDS) <= did.keys()  # none of them is a word only
    assert {"pull", "build", "reset", "backup", "restore", "vacuum", "plan", "apply", "undo"} <= did.keys()
