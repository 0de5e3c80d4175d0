"""What is forked for a test begins and ends as a program of its own does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import Forked, Nursery

ENDS = """
import atexit, signal, sys, threading, time

def main(words):
    atexit.register(print, "after all")
    threading.Thread(target=lambda: (time.sleep(0.1), print("of a thread"))).start()
    print("begun", flush=True)
    match words:
        case ["returns"]: return None
        case ["exits"]: sys.exit(3)
        case ["raises"]: raise ValueError("told")
        case ["waits"]: sys.stdin.read()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.end()


@pytest.fixture
def ends(tmp_path: Path) -> Path:
    (tmp_path / "ends.py").write_text(ENDS)
    return tmp_path / "ends.py"


def forked(nursery: Nursery, program: Path, *words: str) -> Forked:
    return Forked(nursery, "ends:main", list(words), env=os.environ | {"FORKED_FROM": str(program.parent)})


@pytest.mark.parametrize("how", ["returns", "exits", "raises"])
def test_it_ends_as_an_interpreter_does(nursery: Nursery, ends: Path, how: str) -> None:
    own = subprocess.run(
        [sys.executable, str(ends), how], capture_output=True, text=True, timeout=60, check=False
    )
    process = forked(nursery, ends, how)
    out, err = process.communicate(60)
    assert (process.returncode, out) == (own.returncode, own.stdout) != (0, "")
    assert err.splitlines()[-1:] == own.stderr.splitlines()[-1:]


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_is_its_end(nursery: Nursery, ends: Path, which: signal.Signals) -> None:
    process = forked(nursery, ends, "waits")
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    assert process.poll() is None
    process.send_signal(which)
    assert process.communicate(60) == ("", "")
    assert process.returncode == -which


def test_left_without_a_look_its_pipes_are_closed_and_it_ends(nursery: Nursery, ends: Path) -> None:
    with forked(nursery, ends, "waits") as process:
        pass
    assert process.returncode is not None


def test_the_nursery_ends_those_that_are_left(ends: Path) -> None:
    nursery = Nursery()
    left = [forked(nursery, ends, "waits") for _ in range(8)]
    nursery.end()
    for one in left:
        with one:
            assert one.wait(20) == -9  # nobody is there to say how
