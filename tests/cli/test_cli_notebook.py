"""The workspace as a notebook has it: objects worth showing, a plan that applies itself and says what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import icx
from icx.errors import BadInput, NeedsYou
from icx.workspace import Workspace

TARGET = "acme/lists/Newsletter"


@pytest.fixture
def ws(copy: Path) -> Workspace:
    workspace = Workspace(copy, who="maya")
    yield workspace  # type: ignore[misc]
    workspace.close()


def test_a_workspace_says_where_it_is_and_whom_it_knows(ws: Workspace, copy: Path) -> None:
    assert repr(ws) == f"Workspace({str(copy)!r}: acme)"
    html = ws._repr_html_()
    assert "Acme Outdoor" in html
    assert "<script" not in html


def test_an_empty_folder_is_a_workspace_and_nothing_is_made_by_looking(tmp_path: Path) -> None:
    with icx.open(str(tmp_path)) as empty:
        assert repr(empty) == f"Workspace({str(tmp_path)!r}: no connection yet)"
        assert "icx connect acme" in empty._repr_html_()
        with pytest.raises(BadInput, match="No connection is saved here yet"):
            empty.connection()
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_company_does_nothing_in_the_notebook(ws: Workspace, copy: Path) -> None:
    path = copy / "data/connections/acme.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"company": "<script>x</script>\x1b"}))
    assert "<script" not in ws._repr_html_()
    assert "\x1b" not in ws._repr_html_()


def test_the_connection_is_the_only_one_unless_named(ws: Workspace) -> None:
    assert ws.connection() == ws.connection("acme") == ws.connection("ACME")
    with pytest.raises(BadInput, match="There is no connection `acne`"):
        ws.connection("acne")


def test_a_field_explains_itself(ws: Workspace) -> None:
    shown = ws.fields.opens_90d.__doc__
    assert shown.startswith("opens_90d (integer): opens in the 90 days before as_of")
    assert "count(" in shown
    assert "opens_90d" in dir(ws.fields)
    with pytest.raises(BadInput, match="Nearest: `opens_90d`"):
        _ = ws.fields.opens_9d


def test_a_plan_applies_itself_once_its_stops_are_answered(ws: Workspace) -> None:
    everybody = ws.audience("Everybody", ws.fields.opens_90d >= 1)
    plan = ws.plan(everybody, to=TARGET)
    assert plan.stops
    with pytest.raises(NeedsYou) as stopped:
        plan.apply()
    answers = {stop.key: stop.confirm for stop in plan.stops}
    assert stopped.value.code == "needs-answer"
    assert stopped.value.next[0] == f"plan.apply(confirm={answers!r})"
    assert stopped.value.next[1][:3] == ["icx", "apply", plan.plan_id]
    done = eval(str(stopped.value.next[0]), {"plan": plan})  # noqa: S307 - what it says can be pasted
    assert done.state == "finished"
    assert done.added == plan.counts.add
    assert done.read_back.equal
    again = plan.apply()
    assert again.as_dict() == done.as_dict() | {"already": True}  # nothing was sent twice, and it says so
    back = plan.undo()
    assert back.counts.park == done.added
    assert back.hand is not None
    verbs = [entry["verb"] for entry in ws.record().to_dict("records")]
    assert verbs[:3] == ["planned", "applied", "planned"]


def test_a_plan_of_another_kernel_goes_on_by_its_id(ws: Workspace, copy: Path) -> None:
    plan = ws.plan("Loyal in Durham", to=TARGET)
    with Workspace(copy) as later:
        (same, *_) = later.plans()
        assert same.plan_id == plan.plan_id
        answers = {stop.key: stop.confirm for stop in same.stops}
        assert same.apply(confirm=answers).state == "finished"
    assert plan.apply().state == "finished"


def test_a_finished_push_remembers_who_was_in(ws: Workspace) -> None:
    from icx.audience import entered_left, snapshots

    audience = ws.audience("Somebody", ws.fields.opens_90d >= 2)
    plan = ws.plan(audience, to=TARGET)
    people = ws.people()
    assert snapshots(people, "Somebody") == []
    plan.apply(confirm={stop.key: stop.confirm for stop in plan.stops})
    (kept,) = snapshots(people, "Somebody")
    assert kept.size == audience.count().count
    wider = ws.audience("Somebody", ws.fields.opens_90d >= 1)
    flow = entered_left(people, wider)
    assert flow is not None
    assert (flow.now, flow.entered, flow.left) == (wider.count().count, wider.count().count - kept.size, 0)


def test_the_rows_of_a_plan_are_judged_before_they_are_sent(ws: Workspace, copy: Path) -> None:
    plan = ws.plan("Loyal in Durham", to=TARGET)
    with ws.store.open("acme") as con:
        ((ok,),) = con.execute(
            "select ok from checks where suite = 'plan' and judged = ?", [plan.plan_id]
        ).fetchall()
    assert ok
    suite = {
        "name": "plan",
        "expectations": [
            {
                "type": "expect_table_row_count_to_be_between",
                "kwargs": {"max_value": 0},
                "meta": {},
                "severity": "critical",
            }
        ],
        "meta": {},
    }
    (copy / "expectations").mkdir(exist_ok=True)
    (copy / "expectations/plan.json").write_text(json.dumps(suite))
    # the suite says something else than when the plan was made, so the rows are judged again
    with pytest.raises(NeedsYou) as stopped:
        plan.apply(confirm={stop.key: stop.confirm for stop in plan.stops})
    assert stopped.value.code == "check-failed"
    assert stopped.value.kept == "the plan; nothing was sent"
    held = ws.plan("Loyal in Durham", to=TARGET)
    assert held.checks["ok"] is False
    assert held.checks["failed"] == ["plan/table"]
    assert ws.plans()[0].checks["failed"] == ["plan/table"]


def test_a_sandbox_workspace_needs_one_line_and_keeps_no_secret(tmp_path: Path) -> None:
    with icx.open(str(tmp_path / "w"), sandbox=True, contacts=60, messages=4) as ws:
        assert ws.connection("acme").kind == "sandbox"
        assert ws.status().connections[0].state == "new"
    assert not (tmp_path / "w/data/secrets").exists()
    with icx.open(str(tmp_path / "w")) as again:
        assert again.pull("acme", contacts_only=True).ok
