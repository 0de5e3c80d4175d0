"""The gate: one failing step fails it, and what could not run is named last, which in CI is a failure."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

GATE = Path(__file__).parents[1] / "gate.sh"
STEPS = ("ruff", "mypy", "lint-imports", "pytest")
TOOLS = ("bash", "sed", "id", "dirname")

Gate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Run the gate with steps that only pass or fail, on a machine that has Chromium and Java or has not."""

    def run(
        *, fails: str = "", chromium: bool = True, java: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool) or tool)
        for step in (*STEPS, *["chromium"] * chromium, *["java"] * java):
            (folder / step).write_text(
                f'#!{shutil.which("bash")}\necho "{step} $*"\nexit {int(step == fails)}\n'
            )
            (folder / step).chmod(0o755)
        return subprocess.run(
            [str(folder / "bash"), str(GATE)],
            env={"PATH": str(folder), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_all_good_is_good(gate: Gate) -> None:
    done = gate(CI="true")
    assert done.returncode == 0, done.stdout
    assert "Not run" not in done.stdout
    assert "not browser" not in done.stdout


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_fails_the_gate(gate: Gate, step: str) -> None:
    assert gate(fails=step).returncode == 1


def test_without_chromium_the_last_line_says_so(gate: Gate) -> None:
    done = gate(chromium=False)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("Not run: pages in Chromium")
    assert "not slow and not browser" in done.stdout


def test_without_java_the_tests_on_spark_are_named_as_left_out(gate: Gate) -> None:
    done = gate(java=False)
    assert done.stdout.splitlines()[-1].startswith("Not run: Spark")
    assert "not slow and not spark" in done.stdout


def test_in_ci_what_did_not_run_is_a_failure(gate: Gate) -> None:
    assert gate(chromium=False, CI="true").returncode == 1
