"""What commands say after a push is what happened: the person's page, the plan's rows, a second apply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from road.account import Account, account, confirmed, save
from road.command import done, icx, typed


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("a") / "a.sqlite", contacts=60, messages=3, seed=5) as running:
        yield running


@pytest.fixture(scope="module")
def workspace(served: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pulled, built, and one audience pushed to a new list as P-1."""
    folder = served.workspace(tmp_path_factory.mktemp("w") / "w")
    for words in (["pull", "acme"], ["build"]):
        done(*words, workspace=folder)
    save(folder, "Everybody", {"field": "ic_contact_id", "operator": "notNull"})
    plan = done("plan", "Everybody", "--to", "acme/lists/All", "--create", "--json", workspace=folder).json
    done("apply", plan["plan"], *confirmed(plan["stops"]), workspace=folder)
    return folder


def test_a_persons_page_names_the_push_that_added_them(served: Account, workspace: Path) -> None:
    contact = min(served.held.members(served.held.list_id("All")))
    said = done("person", str(contact), "--json", workspace=workspace).json
    (person,) = said["people"]
    assert person["pushes"][0]["plan"] == "P-1"
    assert person["held"]["push rows"] == len(person["pushes"])
    assert "P-1" in done("person", str(contact), workspace=workspace).out


def test_a_finished_plan_applied_again_sends_nothing(served: Account, workspace: Path) -> None:
    writes = served.calls("POST") + served.calls("PUT")
    again = done("apply", "P-1", "--json", workspace=workspace)
    assert again.json["state"] == "finished"
    assert served.calls("POST") + served.calls("PUT") == writes


def test_a_finished_plan_says_the_way_back_and_not_to_apply_it(workspace: Path) -> None:
    said = done("plans", "P-1", workspace=workspace).out
    assert "Next: icx undo P-1" in said
    assert "icx apply" not in said


def test_rows_of_a_plan_are_the_people_of_the_list(served: Account, workspace: Path) -> None:
    rows = done("plans", "P-1", "--json", workspace=workspace).json["rows"]
    assert {row["contact_id"] for row in rows if row["state"] == "done"} == served.held.members(
        served.held.list_id("All")
    )


def test_the_way_back_and_the_way_back_of_that(served: Account, workspace: Path) -> None:
    list_id = served.held.list_id("All")
    members = served.held.members(list_id)
    for expected in (set(), members):
        last = done("plans", "--json", workspace=workspace).json["plans"]
        newest = max(last, key=lambda plan: int(plan["plan"].removeprefix("P-")))["plan"]
        plan = done("undo", newest, "--json", workspace=workspace).json
        done("apply", plan["plan"], *confirmed(plan["stops"]), workspace=workspace)
        assert served.held.members(list_id) == expected


def test_an_error_is_four_parts_and_nothing_else(workspace: Path) -> None:
    """In a process of its own, since what a process says when it ends belongs to what is said."""
    said = icx("plan", "Everybody", "--to", "acme/lists/Nope", "--no-progress", workspace=workspace)
    assert (said.code, said.out) == (2, "")
    lines = said.err.splitlines()
    assert lines[0].startswith("icx: ")
    assert lines[0].endswith("[list-unknown]")
    assert [line.split()[0] for line in lines[1:]] == ["where", "kept", "next"]


def test_what_was_asked_for_is_refused_alike_without_a_terminal(workspace: Path) -> None:
    save(workspace, "One", {"field": "ic_contact_id", "operator": "endsWith", "value": "7"})
    plan = done("plan", "One", "--to", "acme/lists/Another", "--create", "--json", workspace=workspace).json
    said = typed("apply", plan["plan"], "--json", workspace=workspace)
    assert said.code == 3
    assert said.json["error"]["code"] == "needs-answer"
    (next_command,) = said.json["error"]["next"]
    assert typed(*next_command[1:], workspace=workspace).code == 0
