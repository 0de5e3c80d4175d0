"""Killed by SIGKILL at points all through a verb: the old state or the new one, and the same command goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from forked import script

DYING = Path(__file__).with_name("dying.py")
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
