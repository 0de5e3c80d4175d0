"""What every test may use: a sandbox for reading, fresh ones for writing, and a server that misbehaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import prepared
import pytest
from forked import forking
from hypothesis import settings
from misbehaving import Misbehaving

from icx.sandbox import process
from icx.sandbox.process import SandboxProcess, start

IN_AN_INTERPRETER = process._begin

# The gate tries the same examples each time, so that a red gate says something about the change;
# HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("gate", derandomize=True, database=None, deadline=None)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=20_000)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

# A gate in the background of a shell is deaf to Ctrl-C, and so would be every program it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What takes longest is begun first: a file goes to one worker, and one that is begun last is waited for alone.
LONGEST = (
    "tests/lab/test_lab.py",
    "tests/pull/test_pull_units.py",
    "tests/docs/test_readme_runs.py",
    "tests/scale/test_spark_agrees.py",
    "tests/notebooks/test_notebooks_run.py",
    "tests/pull/test_pull_sandbox.py",
    "tests/awkward/test_awkward_pushes.py",
    "tests/jobs/test_run_again.py",
    "tests/pull/test_pull_history.py",
    "tests/road/test_kill.py",
    "tests/awkward/test_awkward_pulls.py",
    "tests/plan/test_apply.py",
    "tests/widgets/test_plan_view.py",
    "tests/widgets/test_builder_states_in_a_page.py",
    "tests/cli/test_cli_every_command.py",
    "tests/cli/test_cli_notebook.py",
    "tests/cli/test_cli_schedule.py",
    "tests/plan/test_plan.py",
    "tests/rules/test_rules_agree.py",
    "tests/plan/test_lost_answers.py",
    "tests/cli/test_cli_terminal.py",
    "tests/plan/test_killed.py",
    "tests/plan/test_any_order.py",
    "tests/road/test_demo.py",
    "tests/road/test_consent_machine.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; within a file, tests stay in the order they are read."""
    place = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(place)))


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All workers of a run share what is prepared: each has a folder of its own in the run's."""
    own = tmp_path_factory.getbasetemp()
    prepared.share((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared")


@pytest.fixture(scope="session", autouse=True)
def forked_sandboxes() -> Iterator[None]:
    """Sandboxes are forked from a process that has read their libraries."""
    with forking():
        yield


@pytest.fixture
def own_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sandboxes are started as users start them."""
    monkeypatch.setattr(process, "_begin", IN_AN_INTERPRETER)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    """One sandbox of 400 contacts for the whole session; tests only read from it."""
    with start(contacts=400, messages=12, seed=1) as running:
        yield running


@pytest.fixture
def fresh_sandbox() -> Iterator[Callable[..., SandboxProcess]]:
    """Start sandboxes of one's own: `fresh_sandbox(contacts=60, consent="permissive")`; ended with the test."""
    running: list[SandboxProcess] = []

    def make(**options: Any) -> SandboxProcess:
        running.append(start(**({"contacts": 60, "messages": 4} | options)))
        return running[-1]

    yield make
    for each in running:
        each.stop()


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    """A server that hangs up, cuts answers off and says 503 as it is told."""
    server = Misbehaving()
    yield server
    server.stop()
