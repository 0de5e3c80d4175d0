"""The demo on a small account: every figure it gives is the sandbox's own, and its list is the plan."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from icx.workspace import Workspace
from road.command import Said, typed
from road.held import Held

SMALL = ["--contacts", "3000", "--messages", "24"]  # of these some are refused at whatever hour it is
SMALLER = ["--contacts", "600", "--messages", "24"]
LIST = "Durham regulars"
DAY = 86_400


@dataclass(frozen=True)
class Demo:
    """One demo: what it printed, the folder it left, the account it worked on."""

    said: Said
    folder: Path

    @property
    def held(self) -> Held:
        return Held(self.folder / "data" / "sandbox-acme.sqlite")

    @property
    def json(self) -> dict[str, Any]:
        return self.said.json


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    said = typed("demo", str(folder), *SMALL, "--seed", "17", "--json", workspace=folder.parent)
    assert said.code == 0, said.err
    return Demo(said, folder)


def planned(demo: Demo) -> dict[str, set[int]]:
    """The people of the demo's plan by what became of them, from the plan as it is kept."""
    with Workspace(demo.folder) as ws:
        (plan,) = ws.plans()
        rows = plan.rows().select(["contact_id", "action"]).to_pylist()
    found: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        found[row["action"]].add(row["contact_id"])
    return found


def loyal(held: Held, as_of: str) -> set[int]:
    """The audience counted by hand in the account itself: opened 3 times in 90 days, Durham, no click in 7 days."""
    now = datetime.fromisoformat(as_of).timestamp()
    opens = held.rows(
        "select contact_id from events where kind = 'open' and event_time >= ? and event_time < ?"
        " group by contact_id having count(*) >= 3",
        now - 90 * DAY,
        now,
    )
    clicked = held.rows(
        "select contact_id from events where kind = 'click' and event_time >= ? and event_time < ?",
        now - 7 * DAY,
        now,
    )
    durham = held.rows("select contact_id from contacts where city = 'Durham' and status <> 'deleted'")
    return {row[0] for row in opens} & {row[0] for row in durham} - {row[0] for row in clicked}


def test_what_was_pulled_is_what_the_account_holds(demo: Demo) -> None:
    tables = {table["name"]: table for table in demo.json["pull"]["tables"]}
    held = demo.held.counts()
    events = held.pop("events")
    held["subscriptions"] -= demo.json["apply"]["added"]  # those came after the pull
    assert {name: table["stored"] for name, table in tables.items()} == held
    assert {name: table["service"] for name, table in tables.items()} == held
    got = demo.json["pull"]["events"]
    assert got["stored"] == events == got["of_listed"] + got["of_unknown"]
    listed = demo.held.one(
        "select count(*) from events join contacts using (contact_id) where status <> 'deleted'"
    )
    assert got["of_listed"] == listed


def test_no_count_differs_and_every_unit_is_counted(demo: Demo) -> None:
    book = demo.json["ledger"]
    assert book["red"] == 0
    assert book["green"] + book["amber"] == 7 + 4 * demo.held.counts()["messages"]
    assert {cell["state"] for cell in book["open"]} <= {"explained"}


def test_the_audience_is_counted_as_a_hand_would(demo: Demo) -> None:
    wanted = loyal(demo.held, demo.json["profile"]["as_of"])
    assert demo.json["audience"]["count"] == len(wanted) > 3
    assert demo.json["audience"]["steps"][-1]["left"] == len(wanted)
    rows = planned(demo)
    assert rows["add"] | rows["keep"] | rows["refuse"] == wanted


def test_the_list_is_the_plan_by_id(demo: Demo) -> None:
    rows = planned(demo)
    assert rows["add"]
    members = demo.held.members(demo.held.list_id(LIST))
    assert members == rows["add"] | rows["keep"] | rows["stay"]
    assert demo.json["plan"]["members"]["after"] == demo.json["apply"]["read_back"]["found"] == len(members)
    assert demo.json["apply"]["read_back"]["equal"]
    assert demo.json["apply"]["added"] == len(rows["add"])


def test_nobody_refused_is_added_and_nobody_twice(demo: Demo) -> None:
    rows = planned(demo)
    assert rows["refuse"]
    list_id = demo.held.list_id(LIST)
    on = demo.held.on(list_id)
    assert not rows["refuse"] & demo.held.members(list_id)
    left = {contact for contact, status in on.items() if status == "unsubscribed"}
    assert rows["refuse"] >= left & loyal(demo.held, demo.json["profile"]["as_of"])
    added = demo.held.times_added(list_id)
    assert {contact: added.get(contact) for contact in rows["add"]} == dict.fromkeys(rows["add"], 1)
    assert demo.held.violations() == []


def test_sums_add_up(demo: Demo) -> None:
    counts = demo.json["plan"]["counts"]
    assert counts["wanted"] == counts["add"] + counts["create"] + counts["keep"] + counts["refused"]
    assert sum(demo.json["plan"]["refused"].values()) == counts["refused"]
    members = demo.json["plan"]["members"]
    assert members["after"] == members["now"] + counts["add"]
    assert members["now"] == counts["keep"] + counts["stale"]
    assert demo.json["ok"] is True
    assert demo.json["profile"]["people"] == demo.json["audience"]["of"]


def test_another_seed_and_a_second_run_in_one_folder(demo: Demo) -> None:
    before = demo.json
    said = typed("demo", str(demo.folder), *SMALLER, "--seed", "30", workspace=demo.folder.parent)
    assert said.code == 0, said.err
    again, text = Demo(said, demo.folder), said.out
    held, rows = again.held.counts(), planned(again)
    added = len(rows["add"])
    assert f"{held['contacts']:,} contacts · {held['subscriptions'] - added:,} subscriptions" in text
    assert f"{held['events']:,} events" in text
    assert held["events"] != before["pull"]["events"]["stored"]
    assert held["subscriptions"] != next(
        table["stored"] for table in before["pull"]["tables"] if table["name"] == "subscriptions"
    )
    assert again.held.members(again.held.list_id(LIST)) == rows["add"] | rows["keep"] | rows["stay"]
    _reads_true(text, rows)


def _reads_true(text: str, rows: dict[str, set[int]]) -> None:
    """What is printed for people adds up, and names no figure that is not there."""
    add, keep, refused = (len(rows[action]) for action in ("add", "keep", "refuse"))
    now = keep + len(rows["stay"])
    assert re.search(rf"now {now:,} members: {add:,} add · {keep:,} keep", text)
    assert re.search(rf"{refused:,} refused", text)
    assert re.search(rf"apply\s+{add:,} added", text)
    assert re.search(
        rf"read back\s+{now + add:,} members expected, {now + add:,} found, the same people", text
    )
    whole, equal, explained, differ = _figures(
        r"([\d,]+) counts compared with the service: ([\d,]+) equal.*?([\d,]+) explained, ([\d,]+) differ",
        text,
    )
    assert (whole, differ) == (equal + explained, 0)
    expected, passed, warned, failed = _figures(
        r"([\d,]+) expectations: ([\d,]+) passed, ([\d,]+) warnings?.*?, ([\d,]+) failed", text
    )
    assert expected == passed + warned + failed
    flow = " ".join(text.split()).partition(" plan P-")[0]  # lines of people are broken for the eye
    steps = [int(number.replace(",", "")) for number in re.findall(r"→ ([\d,]+) ", flow)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == add + keep + refused
    assert not re.search(r"\b1 (people|members|warnings|contacts)\b|: *$|\b0 refused:", text, re.MULTILINE)


def _figures(pattern: str, text: str) -> list[int]:
    found = re.search(pattern, text)
    assert found, text
    return [int(group.replace(",", "")) for group in found.groups()]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    said = typed("demo", str(tmp_path / "mine"), "--json", workspace=tmp_path)
    assert said.code == 2
    assert said.json["error"]["code"] == "demo-folder"
    assert said.json["ok"] is False
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
