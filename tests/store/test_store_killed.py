"""Killed by SIGKILL at points all through a verb: the old state or the new one, and the same command goes on."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from forked import script

from icx.store import Store

DYING = Path(__file__).with_name("dying.py")
WRITING = Path(__file__).with_name("writing.py")
OLD, NEW = [2], [1, 2]  # contacts before and after a restore


def killed(scenario: str, folder: Path, every: int, most: int = 9999) -> list[dict[str, Any]]:
    """Return what was found after each kill; every child was really killed, and could be looked at and gone on with."""
    process = script(DYING, scenario, str(folder), str(every), str(most))
    out, err = process.communicate()
    tried = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, err
    assert tried
    assert all(one["killed"] and one["ok"] for one in tried), tried
    return tried


def restored(tried: list[dict[str, Any]]) -> None:
    for one in tried:
        after, again = one["after"], one["again"]
        assert after["contacts"] in (OLD, NEW), one
        assert after["unread"] is (after["contacts"] == NEW), one  # pushes wait from the very moment
        assert after["facts"] == again["facts"] == [7, 8], one
        assert (again["contacts"], again["unread"], again["left"]) == (NEW, True, []), one


def backed_up(tried: list[dict[str, Any]]) -> None:
    for one in tried:  # a file of that name was whole whenever it was there: whoever looked has checked it
        assert one["again"]["there"], one
        assert (one["after"]["contacts"], one["after"]["facts"], one["again"]["left"]) == (OLD, [7, 8], []), (
            one
        )


def vacuumed(tried: list[dict[str, Any]]) -> None:
    for one in tried:
        for state in (one["after"], one["again"]):
            assert (state["contacts"], state["facts"], state["unread"]) == (OLD, [7, 8], False), one
        assert one["again"]["left"] == [], one


def erased(tried: list[dict[str, Any]]) -> None:
    for one in tried:
        after, again = one["after"], one["again"]
        assert after["known"] or after["contacts"] == [1, 2], (
            one
        )  # nobody goes before they would be recognised
        assert after["page"], one
        assert again == {"contacts": [2], "held": 0, "known": True, "page": True, "rows": 2}, one


def upgraded(tried: list[dict[str, Any]]) -> None:
    for one in tried:
        after, again = one["after"], one["again"]
        assert after["contacts"] == again["contacts"] == 1, one
        assert (again["version"], again["copies"] > 0) == (103, True), one


JUDGES = {"restore": restored, "backup": backed_up, "vacuum": vacuumed, "erase": erased, "upgrade": upgraded}


@pytest.mark.parametrize(("scenario", "most"), [("restore", 2), ("erase", 1), ("upgrade", 1)])
def test_a_verb_that_is_killed_leaves_the_old_or_the_new(scenario: str, most: int, tmp_path: Path) -> None:
    JUDGES[scenario](killed(scenario, tmp_path, 40, most))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", JUDGES)
def test_a_verb_that_is_killed_anywhere_leaves_the_old_or_the_new(scenario: str, tmp_path: Path) -> None:
    JUDGES[scenario](killed(scenario, tmp_path, 3))


def killed_while_writing(folder: Path, times: int) -> None:
    """Kill a process that writes and checkpoints without end, a moment after a commit; what was committed is there."""
    folder.mkdir()
    luck = random.Random(5)
    for _ in range(times):
        with script(WRITING, str(folder)) as process:
            for _ in range(luck.randint(1, 4)):
                committed = int(process.stdout.readline())
            time.sleep(luck.random() * 0.06)  # before, in or after the checkpoint that follows it
            process.kill()
            process.wait(30)
        with Store(folder / "icx.duckdb").open() as con:
            rows = con.execute("select n, count(*) from shared.written group by n order by n").fetchall()
        assert rows == [(n, 5000) for n in range(1, len(rows) + 1)]
        assert len(rows) in (committed, committed + 1, committed + 2)


def test_a_kill_in_a_checkpoint_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    killed_while_writing(tmp_path / "w", 2)


@pytest.mark.slow
def test_many_kills_in_checkpoints_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    killed_while_writing(tmp_path / "w", 60)
