"""A table and a simulated iContact in step, over a real socket, through a workspace."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from icx.errors import BadInput, NeedsYou
from icx.sync import Act, Rule, When
from icx.sync.continuous import scan
from icx.workspace import Workspace

LIST = "Gold people"


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.with_sandbox(tmp_path_factory.mktemp("synced"), contacts=40, messages=1, seed=5) as made:
        yield made


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def write(path: Path, *people: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, ["id", "email", "first_name", "city", "tier", "unsubscribed"])
        out.writeheader()
        out.writerows({"unsubscribed": "", **one} for one in people)


def test_a_table_and_icontact_are_brought_in_step(ws: Workspace, tmp_path: Path) -> None:
    with ws.client("acme") as client:
        every = list(client.rows("contacts", status="total"))
        once = Counter(row["email"].lower() for row in every if row["email"])
        alone = [row for row in every if once[(row["email"] or "").lower()] == 1]
        there = [row for row in alone if row["status"] == "normal"][:3]
        no = next(row for row in alone if row["status"] == "donotcontact")
        client.create("lists", [{"name": LIST, "emailOwnerOnChange": 0}])
    path = tmp_path / "crm.csv"
    people = [
        {"id": str(n), "email": row["email"].upper(), "first_name": f"First {n}", "city": "", "tier": "gold"}
        for n, row in enumerate(there)
    ]
    write(
        path,
        *people,
        {
            "id": "7",
            "email": "made@example.com",
            "first_name": 'O\'Brien "Bob"',
            "city": "Durham",
            "tier": "gold",
        },
        {"id": "8", "email": no["email"], "first_name": "No", "city": "", "tier": "gold"},
    )
    ws.accounts.connect_table("crm", str(path), "id", writable=["first_name", "city", "unsubscribed"])
    sync = ws.sync(
        "crm and acme",
        "crm",
        "acme",
        rules=[
            Rule("a", (When("field", "is", "tier", "gold"),), "create", (Act("join", LIST),)),
            Rule("b", does="update"),
        ],
        basis="customers, who agreed at the till",
    )
    plan = sync.plan()
    assert plan.counts["b"] == {"create": 1, "update": 4}
    assert [stop.key for stop in plan.stops] == ["first-run"]
    with pytest.raises(NeedsYou, match="asks before it acts"):
        plan.apply()
    done = plan.apply({"first-run": "y"})
    assert (done.state, done.refused, done.left_out) == ("finished", {}, {})
    with ws.client("acme") as client:
        made = client.find_contact_by_email("made@example.com")[0]
        assert (made["firstName"], made["city"]) == ('O\'Brien "Bob"', "Durham")
        gold = next(row["listId"] for row in client.rows("lists") if row["name"] == LIST)
        on = {
            row["contactId"]: row["status"] for row in client.rows("subscriptions") if row["listId"] == gold
        }
        assert on == dict.fromkeys([*(row["contactId"] for row in there), made["contactId"]], "normal")
        assert client.get("contacts", there[0]["contactId"])["firstName"] == "First 0"  # type: ignore[index]
    told = rows(path)
    assert told["0"]["city"] == (there[0]["city"] or "")
    assert told["8"]["unsubscribed"] == "yes"
    again = sync.plan()
    assert again.empty
    assert again.reading == scan(41, 4, page=1000), "what looking costs is what was said"
    health = sync.health()
    assert health.states["in_sync"] == 5
    with ws.client("acme") as client:
        client.update("contacts", there[0]["contactId"], {"city": "Raleigh"})
    ws.apply_sync("crm and acme")
    assert rows(path)["0"]["city"] == "Raleigh"
    assert sync.simulate().rests

    (stands,) = ws.status().syncs
    assert (stands.name, stands.systems, stands.in_step, stands.failing) == (
        "crm and acme",
        "crm <-> acme",
        5,
        0,
    )
    assert (stands.read, stands.paused_by) == (max(at for at in sync.health().read.values() if at), "")
    ws.sync("crm and acme").pause("the till is counted")
    assert ws.status().syncs[0].paused_by == ws.who
    assert f"rests, by {ws.who}" in ws.status()._repr_html_()
    monitor = ws.monitor()
    try:
        (said,) = monitor.said["syncs"]
        assert (said["counts"][0], said["failing"], said["words"]) == ("5", False, f"rests, by {ws.who}")
        assert "crm &lt;-&gt; acme" in monitor.static_html()
    finally:
        monitor.close()
        ws.sync("crm and acme").resume()


# P-28
def test_by_the_clock_it_waits_for_whoever_answers_and_then_goes_on_by_itself(
    ws: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "clock.csv"
    write(path, {"id": "1", "email": "clock@example.com", "first_name": "Clara", "city": "", "tier": "gold"})
    ws.accounts.connect_table("clock", str(path), "id", writable=["first_name", "city"])
    with ws.client("acme") as client:
        client.create("lists", [{"name": "Hello", "emailOwnerOnChange": 0, "welcomeOnManualAdd": 1}])
    ws.sync("clock", "clock", "acme", rules=[Rule("a", then=(Act("join", "Hello"),))])
    ws.schedule("in step", sync="clock", every="every 5 min")
    waits = ws.run_job("in step")
    assert waits.code == "needs-answer"
    assert list(waits.next[1][:4]) == ["icx", "schedule", "change", "in step"]
    asked = {"first-run", "basis", "mails"}
    assert {stop.key for stop in ws.sync_plans("clock")[0].stops} == asked
    with pytest.raises(BadInput, match="nothing asks for frist-run"):
        ws.change_job("in step", answers={"frist-run": "y"})
    ws.change_job("in step", answers={"first-run": "y", "basis": "asked at the till", "mails": "1"})
    assert ws.run_job("in step").state == "done"
    with ws.client("acme") as client:
        assert client.find_contact_by_email("clock@example.com")[0]["firstName"] == "Clara"
    ws.sync("clock").pause("holidays")
    assert "paused" in str(ws.run_job("in step").text)
    with pytest.raises(NeedsYou, match="rests"):
        ws.apply_sync("clock")
    ws.sync("clock").resume()
    ws.erase("clock@example.com", confirm=ws.erase("clock@example.com").count)
    assert ws.sync("clock").plan().reasons.get("erased") == 1, "who was erased is not made anew"
    ws.remove_sync("clock")
    assert [sync.name for sync in ws.syncs()] == ["crm and acme"]


def test_what_happens_on_a_copy_teaches_nothing_of_consent(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "trial.csv"
    write(path, {"id": "1", "email": "only.here@example.com", "first_name": "Jo", "city": "", "tier": "gold"})
    ws.connect_table("trial", path, "id", email="email")
    sync = ws.sync("trial", "trial", "acme", one_way=True, basis="they signed up in the shop")

    def known() -> list[tuple[object, ...]]:
        with ws.store.open() as con:
            return con.execute("from shared.consent_facts").fetchall()

    before = known()
    tried = sync.simulate()
    assert (tried.made, tried.rests) == ({"a": 0, "b": 1}, True)
    assert known() == before
    ws.remove_sync("trial")
