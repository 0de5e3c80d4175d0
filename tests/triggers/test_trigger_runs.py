"""What a trigger does: a push by an ordinary plan, told outside, held, tried again; never twice, never for who said no (M-24, C-01, C-02)."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import prepared
import pytest
from books import book

from icx.connections.base import Done
from icx.errors import BadInput, NeedsYou
from icx.plan.send import Sender
from icx.rules import InAudience
from icx.triggers import payload
from icx.workspace import Workspace, firing, marking, triggered

HOT = "acme/lists/Hot leads"
FIRST = {"first-push": "y"}


def made(folder: Path) -> None:
    with Workspace.with_sandbox(folder, contacts=60, messages=4, seed=5) as ws:
        ws.pull("acme", contacts_only=True)
        ws.attach(pd.DataFrame({"id": [1], "score": [0]}), "id", name="crm", identity="contact_id")
        ws.build("acme")
        ws.checks(["contacts", "profile"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace of 60 people whom the table crm gives scores; its account takes what is sent."""
    with Workspace(
        prepared.copy("triggers 60", made, tmp_path_factory.mktemp("triggers") / "ws"), who="maya"
    ) as ws:
        yield ws


@pytest.fixture
def ws(place: Workspace) -> Iterator[Workspace]:
    yield place
    for job in list(place.jobs()):
        place.jobs().remove(job.name)
    for trigger in place.triggers():
        place.remove_trigger(trigger.name)


@pytest.fixture
def who(place: Workspace) -> list[int]:
    """Whom a push may add."""
    with place.store.open("acme") as con:
        rows = con.execute("select id from icontact_users where status = 'normal' order by id").fetchall()
    return [row[0] for row in rows]


def score(ws: Workspace, scores: dict[int, int]) -> list[str]:
    """Give the people scores, as a build does that finds nothing else changed; return what it says of triggers."""
    with ws.store.open("acme") as con:
        con.execute("update profile_rows set crm_score = null")
        con.executemany(
            "update profile_rows set crm_score = ? where contact_id = ?",
            [[n, one] for one, n in scores.items()],
        )
        ((count,),) = con.execute("select count(*) from builds").fetchall()
        con.execute(
            "insert into builds select ?, as_of, built_at + interval 1 microsecond, pull_id, people, fields,"
            " seconds from builds order by built_at desc limit 1",
            [f"b-next-{count:03}"],
        )
        con.execute(  # the data has passed before, and these scores are nothing that is judged
            "insert into checks select suite, $next, ran_at, ok, replace(result, judged, $next) from checks"
            " where judged in (select build_id from builds order by built_at limit 1)",
            {"next": f"b-next-{count:03}"},
        )
    return triggered.looked(ws, "acme")


def hot(ws: Workspace, name: str, **options: Any) -> Any:
    return ws.trigger(name, ws.fields.crm_score >= 50, **options)


def states(ws: Workspace, name: str) -> dict[int, str]:
    return {one.contact_id: one.became for one in ws.trigger(name).firings()}


def account(ws: Workspace, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Do something in the account as another of its users would."""
    with sqlite3.connect(ws.layout.data / "sandbox-acme.sqlite", timeout=30) as con:
        rows = con.execute(sql, values).fetchall()
    con.close()
    return rows


def members(ws: Workspace, name: str) -> dict[int, str]:
    rows = account(
        ws,
        "select contact_id, status from subscriptions where list_id = (select list_id from lists where name = ?)",
        name,
    )
    return dict(rows)


def test_a_push_fires_by_an_ordinary_plan_for_those_who_cross_from_now_on_m24(
    ws: Workspace, who: list[int]
) -> None:
    one, two, three = who[:3]
    score(ws, {one: 10, two: 80})
    assert hot(ws, "Hot", push=HOT, create=True).test(30).already == 1
    assert score(ws, {one: 60, two: 80, three: 50}) == ["Hot fired for 2 people"]
    with pytest.raises(NeedsYou, match="asks before it acts") as held:
        ws.run_trigger("Hot")
    plan = ws.plans()[0]
    assert (held.value.code, plan.counts.add, plan.counts.stale) == ("needs-answer", 2, 0)
    assert states(ws, "Hot") == dict.fromkeys([one, three], f"planned ({plan.plan_id})")
    with pytest.raises(NeedsYou):
        ws.run_trigger("Hot")
    assert ws.plans()[0].plan_id == plan.plan_id  # the same plan is asked about again
    ran = ws.run_trigger("Hot", confirm=FIRST)
    assert (ran.done, ran.plan) == (2, plan.plan_id)
    assert members(ws, "Hot leads") == {one: "normal", three: "normal"}
    assert repr(ws.run_trigger("Hot")) == "Hot: nobody to do anything for"

    # who left is never added again, however often they cross
    account(ws, "update subscriptions set status = 'unsubscribed' where contact_id = ?", one)
    score(ws, {one: 10, three: 10})
    score(ws, {one: 90, three: 90})
    again = ws.run_trigger("Hot", confirm={"growth": "1"})
    assert (again.done, again.refused, again.reasons) == (1, 1, (("left_this_list", 1),))
    assert members(ws, "Hot leads") == {one: "unsubscribed", three: "normal"}


def test_whom_it_finds_so_already_are_shown_as_a_plan_first_and_asked_for_by_number_m24(
    ws: Workspace, who: list[int]
) -> None:
    two, three = who[3:5]
    score(ws, {two: 80, three: 70})
    found = hot(ws, "Warm", push="acme/lists/Warm", create=True)
    plan = found.existing()
    assert (plan.counts.add, plan.stops[0].key, states(ws, "Warm")) == (2, "first-push", {})
    with pytest.raises(NeedsYou, match="2 people are so already") as asked:
        found.run(existing=True)
    assert asked.value.next == [["icx", "triggers", "run", "Warm", "--existing", "--confirm", "existing=2"]]
    assert states(ws, "Warm") == {}
    assert found.run(existing=True, confirm=FIRST | {"existing": "2"}).done == 2
    assert found.existing() == 0
    assert set(members(ws, "Warm")) == {two, three}


def test_a_move_and_an_unsubscribe_are_plans_too_and_the_number_is_typed_c02(
    ws: Workspace, who: list[int]
) -> None:
    one, two, three = who[5:8]
    list_id = ws.client("acme").create("lists", [{"name": "From", "emailOwnerOnChange": 0}]).rows[0]["listId"]
    for each in (one, two):
        account(
            ws,
            "insert into subscriptions (list_id, contact_id, folder_id, status, add_date)"
            " select ?, ?, folder_id, 'normal', 1700000000 from contacts where contact_id = ?",
            list_id, each, each,
        )  # fmt: skip
    score(ws, dict.fromkeys([one, two, three], 10))
    hot(ws, "Away", move=("acme/lists/From", "To"))
    score(ws, {one: 60, two: 10, three: 60})
    moved = ws.run_trigger("Away", confirm={"parking": "y", "removals": "1"})
    assert (moved.done, moved.refused, moved.reasons) == (1, 1, (("not_there", 1),))
    assert (set(members(ws, "From")), set(members(ws, "To"))) == ({two}, {one})
    ws.remove_trigger("Away")
    hot(ws, "Out", unsubscribe="acme/lists/From")
    score(ws, {one: 10, two: 60})
    with pytest.raises(NeedsYou) as typed:
        ws.run_trigger("Out", confirm={"removals": "1"})
    assert "unsubscribe=1" in str(typed.value.next)
    assert ws.run_trigger("Out", confirm={"removals": "1", "unsubscribe": "1"}).done == 1
    assert members(ws, "From") == {two: "unsubscribed"}


def dies(*_: Any) -> None:
    raise KeyboardInterrupt


#: Where a run is killed: the plan is made and not noted, applied and not noted, a batch sent and not noted; or nowhere.
DEATHS = ((firing.firings, "planned"), (firing.firings, "settle"), (Sender, "_note"), None, None)


@pytest.mark.parametrize(
    "seed", [3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 130))]
)
def test_however_it_is_killed_each_crossing_is_done_once_and_nobody_who_left_is_added_again(
    ws: Workspace, who: list[int], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw, people = random.Random(seed), who[8:14]
    name, left, crossings = f"Story {seed}", set[int](), 0
    say = dict(FIRST)
    scores = dict.fromkeys(people, 10)
    score(ws, scores)
    hot(ws, name, push=f"acme/lists/{name}", create=True)
    for number in range(5 if seed > 99 else 2):
        now = {one: draw.choice([10, 90]) if number else 90 for one in people}
        crossings += sum(now[one] > scores[one] for one in people)
        score(ws, scores := now)
        for one in draw.sample(people, draw.randint(0, 2)) if number else ():
            left |= {one} if members(ws, name).get(one) == "normal" else set()
            account(
                ws,
                "update subscriptions set status = 'unsubscribed' where contact_id = ?"
                " and list_id = (select list_id from lists where name = ?)",
                one, name,
            )  # fmt: skip
        death = draw.choice(DEATHS) if number else DEATHS[draw.randint(0, 2)]
        with monkeypatch.context() as patch:
            if death is not None:
                patch.setattr(*death, dies)
            with contextlib.suppress(KeyboardInterrupt):
                run_agreeing(ws, name, say)
        assert {one for one, state in members(ws, name).items() if state != "normal"} == left
    run_agreeing(ws, name, say)
    fired = ws.trigger(name).firings(1000)
    assert len(fired) == crossings
    assert {one.state for one in fired} <= {"done", "refused"}
    assert {one.contact_id for one in fired if one.state == "refused"} <= left
    on = members(ws, name)
    assert {one for one, state in on.items() if state != "normal"} == left
    assert {one.contact_id for one in fired} == set(on)


def run_agreeing(ws: Workspace, name: str, say: dict[str, str]) -> None:
    """Run it, and answer what its plan asks, as somebody at a terminal does."""
    ws.run_trigger(name, confirm=say, ask=lambda stop, *_: stop.confirm)


def test_more_at_once_than_agreed_is_held_and_a_paused_trigger_does_nothing(
    ws: Workspace, who: list[int]
) -> None:
    people = who[11:14]
    score(ws, dict.fromkeys(people, 10))
    hot(ws, "Few", command=[sys.executable, "-c", ""], most=2)
    score(ws, dict.fromkeys(people, 60))
    with pytest.raises(NeedsYou, match="fired for 3 people at once, limit 2") as held:
        ws.run_trigger("Few", confirm={"firings": "2"})
    assert held.value.next == [["icx", "triggers", "run", "Few", "--confirm", "firings=3"]]
    ws.pause_trigger("Few", "sale is over")
    with pytest.raises(NeedsYou, match="sale is over") as paused:
        ws.run_trigger("Few", confirm={"firings": "3"})
    assert paused.value.code == "trigger-paused"
    ws.resume_trigger("Few")
    assert ws.run_trigger("Few", confirm={"firings": "3"}).done == 3


def test_what_is_told_holds_ids_and_is_told_again_until_it_arrives_c01(
    ws: Workspace, who: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, heard = who[14:17], tmp_path / "heard.jsonl"
    monkeypatch.setattr(payload, "BATCH", 2)
    script = tmp_path / "told.py"
    script.write_text(
        "import sys, pathlib\nhere = pathlib.Path(__file__).parent\n"
        "if (here / 'deaf').exists(): sys.exit(7)\n"
        "with (here / 'heard.jsonl').open('a') as file: file.write(sys.stdin.read() + '\\n')\n"
    )
    score(ws, dict.fromkeys(people, 10))
    hot(ws, "Told", command=[sys.executable, str(script)])
    score(ws, {people[0]: 60, people[1]: 70, people[2]: 80})
    (tmp_path / "deaf").touch()
    lost = ws.run_trigger("Told")
    assert (lost.failed, lost.waiting, lost.problem and lost.problem.code) == (2, 1, "trigger-untold")
    assert not heard.exists()
    (tmp_path / "deaf").unlink()
    assert ws.run_trigger("Told").done == 3
    told = [json.loads(line) for line in heard.read_text().splitlines()]
    rows = [row for one in told for row in one["firings"]]
    assert [len(one["firings"]) for one in told] == [2, 1]
    assert sorted(row["contact_id"] for row in rows) == people
    assert {row["after"] for row in rows} == {60, 70, 80}
    assert len({row["id"] for row in rows}) == 3
    assert "@" not in heard.read_text()
    assert told[0]["schema"] == "trigger/1"

    # with addresses only where the trigger's file asks for them
    hot(ws, "Told", command=[sys.executable, str(script)], addresses=True, replace=True)
    score(ws, dict.fromkeys(people, 10))
    score(ws, dict.fromkeys(people, 60))
    heard.unlink()
    ws.run_trigger("Told")
    assert heard.read_text().count("@") == 3
    assert "ids and addresses of 3 firings" in set(
        ws.record()["what"].str.partition(": ")[2].str.partition(" to ")[0]
    )


def test_a_job_runs_a_trigger_holds_at_what_it_was_not_answered_and_keeps_it_from_being_removed(
    ws: Workspace, who: list[int]
) -> None:
    people = who[17:19]
    score(ws, dict.fromkeys(people, 10))
    hot(ws, "Timed", push="acme/lists/Timed", create=True)
    with pytest.raises(NeedsYou, match="reads differently") as other:
        hot(ws, "Timed", push="acme/lists/Else")
    assert other.value.code == "trigger-change"
    with pytest.raises(BadInput):
        ws.schedule("timed", trigger="Tmed", every="hourly")
    ws.schedule("timed", trigger="Timed", every="hourly")
    score(ws, dict.fromkeys(people, 60))
    held = ws.run_job("timed")
    assert (held.state, held.code, held.lasting) == ("failed", "needs-answer", True)
    assert held.next[-1] == ["icx", "schedule", "change", "timed", "--confirm", "first-push=y"]
    ws.change_job("timed", answers=FIRST | {"firings": "5"})
    ran = ws.run_job("timed")
    assert (ran.state, ran.figures["done"]) == ("done", 2)
    with pytest.raises(NeedsYou, match="run by the job timed") as used:
        ws.remove_trigger("Timed")
    assert used.value.code == "trigger-used"


def test_what_a_trigger_watches_is_not_taken_away_under_it(ws: Workspace) -> None:
    ws.audience("Durham", ws.fields.city == "Durham")
    ws.trigger("Leaves", InAudience("notIn", "Durham"), command=["/bin/true"])
    with pytest.raises(NeedsYou, match='the trigger "Leaves"') as used:
        ws.delete_audience("Durham")
    assert used.value.code == "audience-used"
    with pytest.raises(BadInput, match="does one thing, and 2 are named"):
        ws.trigger("X", ws.fields.crm_score >= 3, push="acme/lists/A", move=("acme/lists/A", "B"))


def test_a_field_is_set_once_and_a_tag_only_where_there_are_tags_c02(
    ws: Workspace, who: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = who[19:21]
    ((name,),) = account(ws, "select private_name from custom_fields where field_type = 'text' limit 1") or [
        ("",)
    ]
    score(ws, dict.fromkeys([one, two], 10))
    with pytest.raises(BadInput, match="acme has no tags"):
        hot(ws, "Marked", tag="vip")
    with pytest.raises(BadInput, match="There is no field `cf_nothing`"):
        hot(ws, "Marked", set_field=("nothing", "gold"))
    hot(ws, "Marked", set_field=(f"cf_{name}", "gold"))
    score(ws, dict.fromkeys([one, two], 90))
    account(ws, "update contacts set status = 'deleted' where contact_id = ?", two)
    ran = ws.run_trigger("Marked")
    assert (ran.done, ran.refused, ran.reasons) == (1, 1, (("gone", 1),))
    assert ws.client("acme").get("contacts", one)["custom"][name] == "gold"

    # what the service does not take is tried again by the next run
    score(ws, {one: 10})
    score(ws, {one: 90})
    with monkeypatch.context() as patch:
        patch.setattr(marking, "_written", lambda *_: [Done(0, "refused", words="too long")])
        lost = ws.run_trigger("Marked")
    assert (lost.failed, lost.reasons, lost.problem and lost.problem.code) == (
        1,
        (("too long", 1),),
        "trigger-unmarked",
    )
    assert ws.run_trigger("Marked").done == 1


def heard(ws: Workspace) -> Path:
    return book(
        ws.layout.root / "hear.ipynb",
        "import pyarrow.parquet as pq\nfrom icx.notebook import result\nfound = pq.read_table(people)",
        "result(contacts=found['contact_id'].to_pylist(), columns=found.column_names)",
        parameters='people: str = ""  # a Parquet file, a row a firing',
    )


def test_a_notebook_without_the_parameter_is_refused_when_the_trigger_is_saved(ws: Workspace) -> None:
    with pytest.raises(BadInput, match="has no parameter"):
        hot(ws, "Book", notebook=str(heard(ws)), params={"persons": "x"})


@pytest.mark.slow
def test_a_notebook_gets_the_people_as_a_file_that_is_gone_afterwards_c01(
    ws: Workspace, who: list[int]
) -> None:
    one = who[21]
    score(ws, {one: 10})
    hot(ws, "Book", notebook=str(heard(ws)))
    score(ws, {one: 60})
    ran = ws.run_trigger("Book")
    assert (ran.done, ran.problem) == (1, None)
    (run,) = ws.layout.runs.glob("*/results.json")
    told = json.loads(run.read_text())
    assert told["contacts"] == [one]
    assert "email" not in told["columns"]
    assert not list(ws.layout.handed.iterdir())
