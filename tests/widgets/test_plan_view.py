"""The plan's view in Python: what it says, what it asks, what its button does; nothing else sends."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from plan_place import DONE_IN, Place

from icx.plan import Applied, Plan, Policy, Progress
from icx.plan.stage import stage
from icx.settings import Settings
from icx.store.plans import Intent
from icx.widgets.plan import PlanView


def everything(view: PlanView) -> str:
    """All that a notebook would save of a view."""
    state = {key: value for key, value in view.get_state().items() if key not in {"_esm", "_css"}}
    return json.dumps(state, default=str) + view.static_html() + repr(view)


def no_address(place: Place, text: str) -> bool:
    return not any(email in text for email in place.emails())


@pytest.fixture
def batches(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches, so that there is something to stop between, each told."""
    monkeypatch.setattr("icx.widgets.plan.TOLD_EVERY", 0)
    monkeypatch.setattr("icx.widgets.plan.SHARE", 1)
    monkeypatch.setitem(place.ws.__dict__, "settings", Settings(batch_size=5))


def test_the_view_says_where_it_goes_and_that_nothing_was_sent(place: Place) -> None:
    list_id, name = place.make_list()
    view = place.view(list_id)
    assert [one["label"] for one in view.said["places"]] == ["Company", "Client folder", "List"]
    assert view.said["places"][2]["name"] == name
    assert view.said["places"][2]["id"] == f"#{list_id}"
    assert view.at["pill"][1] == "Nothing has been sent"
    assert place.members(list_id) == set()


def test_the_sums_on_the_screen_add_up(place: Place) -> None:
    list_id, _ = place.make_list()
    people = place.normal()
    place.put(list_id, people[:3])
    place.put(list_id, people[3:5], "unsubscribed")
    view = place.view(list_id)
    add, keep, _, refused = (one["value"] for one in view.said["tiles"])
    audience, after = view.said["shift"]["rows"]
    assert audience["total"] == add + keep + refused == sum(n for _, n in audience["parts"])
    assert after["total"] == sum(n for part, n in after["parts"] if part != "gap")
    assert sum(one["count"] for one in view.said["refused"]["reasons"]) == refused


def test_a_plan_shown_in_a_notebook_is_its_view(place: Place) -> None:
    list_id, _ = place.make_list()
    plan = place.plan(list_id)
    data, _ = plan._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "Confirm before sending" in data["text/html"]
    assert data["text/plain"] == str(plan)


def test_people_are_shown_in_an_answer_and_nowhere_else(place: Place) -> None:
    list_id, _ = place.make_list()
    place.put(list_id, place.normal()[:4], "unsubscribed")
    view = place.view(list_id)
    masked = view.answer("people", {"code": "left_this_list"})
    assert masked["of"] == 4
    assert no_address(place, json.dumps(masked))
    shown = view.answer("people", {"code": "left_this_list", "show": True, "offset": 2, "limit": 2})
    assert len(shown["rows"]) == 2
    assert not no_address(place, json.dumps(shown))
    assert no_address(place, everything(view))


def test_the_refusals_leave_as_csv_in_parts_and_masked_unless_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_id, _ = place.make_list()
    place.put(list_id, place.normal()[:4], "unsubscribed")
    view = place.view(list_id)
    monkeypatch.setattr("icx.widgets.plan.EXPORTED", 3)

    def exported(**given: Any) -> list[dict[str, str]]:
        told: dict[str, Any] = {"next": 0}
        parts: list[str] = []
        while told["next"] is not None:
            told = view.answer("export", {"offset": told["next"], **given})
            parts.append(told["csv"])
        return list(csv.DictReader(io.StringIO("".join(parts))))

    rows = exported()
    refused = view.plan.counts.refused
    assert len(rows) == refused > 3
    assert no_address(place, json.dumps(rows))
    left = [row for row in rows if row["reason"] == "left this list"]
    assert {int(row["contact"]) for row in left} == set(place.normal()[:4])
    assert {row["address"] for row in exported(show=True)} & set(place.emails())
    assert view.plan.refusals("left_this_list").num_rows == 4


def test_apply_adds_reads_back_and_offers_the_way_back(place: Place) -> None:
    list_id, _ = place.make_list()
    place.put(list_id, place.normal()[:3])
    view = place.applied(place.view(list_id))
    assert view.trouble == {}
    assert view.at["state"] == "finished"
    assert view.at["pill"][1] == "Done, verified"
    before, added, expected, found = (value for _, _, value in view.at["sum"]["numbers"])
    assert before + added == expected == found == len(place.members(list_id))
    assert view.at["undo"]
    assert no_address(place, everything(view))

    first = view.plan.plan_id
    told = view.answer("undo", {})
    assert told["ok"]
    assert view.said["undo_of"] == first != told["plan"] == view.plan.plan_id
    assert view.trail == [first]
    assert view.at["pill"][1] == "Nothing has been sent"
    assert len(place.members(list_id)) == found
    under_way: list[str] = []
    view.observe(lambda change: under_way.extend(_step_now(change["new"])), names=["at"])
    place.applied(view)
    assert "Move away" in under_way
    assert view.at["state"] == "finished", view.trouble
    assert len(place.members(list_id)) == 3
    assert [label for _, label, _ in view.at["sum"]["numbers"]] == [
        "members before",
        "moved away",
        "expected",
        "read back",
    ]
    assert view.answer("open", {"plan": view.trail[0]})["ok"]
    assert view.at["state"] == "finished"


def _step_now(at: dict[str, Any]) -> list[str]:
    return [step["headline"] for step in at["steps"] if step["state"] == "now"]


def test_without_the_answers_nothing_is_sent_and_the_view_says_what_is_missing(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.view(list_id)
    view.answer("apply", {"plan": view.plan.plan_id, "answers": {}})
    view.wait(DONE_IN)
    assert view.trouble["code"] == "needs-answer"
    assert view.trouble["kept"] == "nothing was sent"
    assert view.at["state"] == "open"
    assert place.members(list_id) == set()


def test_the_wrong_number_is_no_answer(place: Place) -> None:
    list_id, _ = place.make_list()
    place.put(list_id, place.normal()[:3])
    view = place.view(list_id)
    growth = next(stop for stop in view.said["stops"] if stop["key"] == "growth")
    assert growth["kind"] == "type"
    view.answer(
        "apply",
        {
            "plan": view.plan.plan_id,
            "answers": place.answers(view) | {"growth": str(int(growth["confirm"]) - 1)},
        },
    )
    view.wait(DONE_IN)
    assert view.trouble["code"] == "needs-answer"
    assert len(place.members(list_id)) == 3


def test_questions_are_asked_by_what_they_weigh(place: Place) -> None:
    with place.ws.client("acme") as client:
        message = next(iter(client.rows("messages")))["messageId"]
    name = "Loyal <i>readers</i>"
    list_id, _ = place.make_list(name, welcomeOnManualAdd=1, welcomeMessageId=message)
    place.put(list_id, place.normal()[:3])
    kinds = {stop["key"]: (stop["kind"], stop["confirm"]) for stop in place.view(list_id).said["stops"]}
    assert kinds["first-push"] == ("box", "y")
    assert kinds["welcome"] == ("type", name)
    assert kinds["growth"][0] == "type"


@pytest.mark.usefixtures("batches")
def test_pause_ends_after_the_batch_and_the_same_button_goes_on(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.view(list_id)
    sent = threading.Event()
    view.observe(lambda change: sent.set() if change["new"].get("done") else None, names=["at"])
    assert view.answer("apply", {"plan": view.plan.plan_id, "answers": place.answers(view)})["ok"]
    assert sent.wait(DONE_IN)
    assert view.answer("pause", {})["ending"]
    view.wait(DONE_IN)
    assert view.at["state"] == "stopped"
    assert view.at["go"]["button"].startswith("Go on: ")
    assert "0 in doubt" in view.at["go"]["headline"]
    some = place.members(list_id)
    assert 0 < len(some) < view.at["of"]

    again = PlanView(place.ws.plans()[0])  # as a kernel that was restarted would show it
    assert again.at["state"] == "stopped"
    assert again.at["done"] == len(some)
    assert again.at["batches"] == view.at["batches"]
    assert set(again.at["answers"]) == set(place.answers(view))
    before: list[int | None] = []  # what was done when the speed of this start began to count

    def heard(_: Any) -> None:
        if again._live and again.at["left"]:
            before.append(again._live.done_before)

    again.observe(heard, names=["at"])
    assert again.answer("apply", {"plan": again.plan.plan_id, "answers": {}})["ok"]
    again.wait(DONE_IN)
    assert again.at["state"] == "finished", again.trouble
    assert set(before) == {len(some) + 5}
    assert some < place.members(list_id)
    assert len(place.members(list_id)) == again.at["of"]


@pytest.mark.usefixtures("batches")
def test_two_applies_at_once_and_the_second_one_only_looks(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.view(list_id)
    other = PlanView(view.plan)
    seen: list[dict[str, Any]] = []

    def look(change: Any) -> None:
        if change["new"].get("done") and not seen:
            other.answer("refresh", {})
            seen.append(dict(other.at))
            seen.append(other.answer("apply", {"plan": other.plan.plan_id, "answers": place.answers(view)}))
            other.wait(DONE_IN)
            seen.append(dict(other.trouble))
            seen.append(view.answer("apply", {"plan": view.plan.plan_id, "answers": {}}))

    view.observe(look, names=["at"])
    place.applied(view)
    at, began, trouble, second = seen
    assert at["state"] == "elsewhere"
    assert "process" in at["notes"][0][2]
    assert began["ok"]
    assert trouble["code"] == "apply-running"
    assert second["error"]["code"] == "apply-running"
    assert view.at["state"] == "finished"
    assert view.at["sum"]["ok"]


def test_a_button_sends_its_own_plan_and_no_other_that_took_its_place(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.applied(place.view(list_id))
    before, first = place.members(list_id), view.plan.plan_id
    assert view.answer("undo", {})["ok"]
    told = view.answer("apply", {"plan": first, "answers": place.answers(view)})
    assert told["error"]["code"] == "needs-answer"
    assert view.plan.plan_id in told["error"]["message"]
    view.wait(DONE_IN)
    assert view.at["state"] == "open"
    assert place.members(list_id) == before


class Patient:
    """A hand that carries nothing out until it is let, then says it was stopped."""

    refused_share = 1.0

    def __init__(self) -> None:
        self.let = threading.Event()

    def apply(self, plan: Plan, **_: Any) -> Applied:
        self.let.wait(DONE_IN)
        return Applied(plan.plan_id, "stopped")

    def undo(self, plan: Plan) -> Plan:
        return plan

    def show(self, plan: Plan) -> PlanView:
        return PlanView(plan)


def test_a_slow_look_never_hides_that_the_apply_has_ended(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Patient()
    view = PlanView(replace(place.plan(place.make_list()[0]), hand=hand))
    asked = threading.current_thread()

    def slow(*given: Any) -> Any:
        found = stage(*given)
        if threading.current_thread() is asked:
            hand.let.set()
            view.wait(0.5)  # what it found is old by then
        return found

    assert view.answer("apply", {"plan": view.plan.plan_id})["ok"]
    monkeypatch.setattr("icx.widgets.plan.stage", slow)
    assert view.at["state"] == "running"
    view.answer("refresh", {})
    view.wait(DONE_IN)
    assert view.at["state"] == "open"


def test_telling_is_a_small_part_of_an_apply(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Quick(Patient):
        def apply(self, plan: Plan, **given: Any) -> Applied:
            for done in range(50):
                given["progress"](Progress("adding", done, 50))
            return Applied(plan.plan_id, "stopped")

    def dear(*given: Any) -> Any:
        time.sleep(0.02)
        told.append("")
        return stage(*given)

    view = PlanView(replace(place.plan(place.make_list()[0]), hand=Quick()))
    monkeypatch.setattr("icx.widgets.plan.stage", dear)
    monkeypatch.setattr("icx.widgets.plan.TOLD_EVERY", 0)
    view.answer("apply", {"plan": view.plan.plan_id})
    view.wait(DONE_IN)
    assert view.trouble == {}
    assert 3 <= len(told) < 10


def test_a_list_that_is_gone_closes_the_plan_and_is_shown(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.view(list_id)
    with place.ws.client("acme") as client:
        client.delete("lists", list_id)
    place.applied(view)
    assert view.trouble["code"] == "list-gone"
    assert view.at["state"] == "closed"
    again = PlanView(view.plan)
    assert again.at["pill"][1] == "Closed: the list is gone"
    assert "was deleted in iContact" in again.static_html()


def test_a_lost_service_stops_the_apply_with_its_four_parts(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.view(list_id)
    place.fault("GET /lists", "401", times=3)
    place.applied(view)
    assert set(view.trouble) == {"code", "message", "where", "kept", "next"}
    assert view.at["state"] == "open"
    place.mend()
    place.applied(view)
    assert view.at["state"] == "finished", view.trouble


def test_a_plan_waits_for_the_unfinished_one_of_its_list(place: Place) -> None:
    list_id, _ = place.make_list()
    first, second = place.view(list_id), place.view(list_id)
    place.ws.plan_journal.begin(first.plan.plan_id, {}, "maya")
    second.answer("refresh", {})
    assert second.at["blocked"] == first.plan.plan_id
    assert second.answer("open", {"plan": first.plan.plan_id})["ok"]
    assert second.at["state"] == "stopped"
    place.applied(second)
    assert second.at["state"] == "finished", second.trouble


def test_an_apply_that_was_killed_is_shown_as_stopped_and_asks_before_it_sends_again(place: Place) -> None:
    list_id, _ = place.make_list()
    plan = place.plan(list_id)
    answers = {stop.key: stop.confirm for stop in plan.stops}
    rows = [row for row in enumerate(plan.rows().to_pylist()) if row[1]["action"] == "add"][:5]
    place.ws.plan_journal.begin(plan.plan_id, answers, "maya")
    intents = [Intent(n, row["contact_id"], "add", None, list_id) for n, row in rows]
    place.ws.plan_journal.intend(plan.plan_id, 1, intents)
    place.put(list_id, [row["contact_id"] for _, row in rows[:3]])  # these had arrived
    view = PlanView(plan)
    assert view.at["state"] == "stopped"
    assert "5 in doubt" in view.at["go"]["headline"]
    assert view.at["batches"][0]["words"] == "sent, outcome not known"
    view.answer("apply", {"plan": view.plan.plan_id, "answers": {}})
    view.wait(DONE_IN)
    assert view.at["state"] == "finished", view.trouble
    assert len(place.members(list_id)) == view.at["of"] == plan.counts.add


def test_one_contact_can_be_tried_first(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.view(list_id)
    someone = place.normal()[0]
    view.answer("apply", {"plan": view.plan.plan_id, "test": someone})
    view.wait(DONE_IN)
    assert place.members(list_id) == {someone}
    assert f"#{someone}" in view.news
    assert view.at["state"] == "open"


def test_the_outcome_table_has_a_row_for_everybody_touched(place: Place) -> None:
    list_id, _ = place.make_list()
    view = place.applied(place.view(list_id))
    told = view.answer("outcomes", {"limit": 500})
    assert told["of"] == len(told["rows"]) == len(place.members(list_id))
    assert {row["outcome"] for row in told["rows"]} == {"added"}
    assert no_address(place, json.dumps(told))
    shown = view.answer("outcomes", {"limit": 3, "offset": 1, "show": True})
    assert [row["who"] for row in shown["rows"]] == [row["who"] for row in told["rows"][1:4]]
    assert not no_address(place, json.dumps(shown))


def test_unsubscribing_asks_for_the_number_and_says_it_is_final(place: Place) -> None:
    list_id, _ = place.make_list()
    people = place.normal()
    place.put(list_id, people[:6])
    few = place.ws.audience("Few", place.ws.fields.ic_contact_id == str(people[0]))
    plan = place.ws.plan(few, f"acme/lists/#{list_id}", policy=Policy(stale="unsubscribe"))
    view = PlanView(plan)
    final = next(stop for stop in view.said["stops"] if stop["key"] == "unsubscribe")
    assert (final["kind"], final["confirm"]) == ("type", "5")
    assert view.said["does"]["button"] == "Apply: unsubscribe 5"
    place.applied(view)
    assert place.members(list_id) == {people[0]}
    assert not view.at["undo"]
    assert view.at["sum"]["ok"]


def test_a_list_made_by_the_apply_has_its_id_afterwards(place: Place) -> None:
    plan = place.ws.plan(place.audience, "acme/lists/Brand new", create=True)
    view = PlanView(plan)
    assert view.said["places"][2]["id"] == "to be made"
    place.applied(view)
    assert view.at["state"] == "finished", view.trouble
    assert view.said["places"][2]["id"].startswith("#")
    assert PlanView(plan).said["places"][2] == view.said["places"][2]


def test_a_list_that_is_as_wanted_has_no_button(place: Place) -> None:
    list_id, _ = place.make_list()
    place.applied(place.view(list_id))
    view = place.view(list_id)
    assert view.said["does"] is None
    assert "Nothing to do." in view.static_html()


def test_hostile_names_stay_words(place: Place) -> None:
    name = '<img src=x onerror="hit()"> \u202e & "A"'
    list_id, _ = place.make_list(name)
    html = place.view(list_id).static_html()
    assert "<img" not in html
    assert "&lt;img" in html
    assert "\u202e" not in html


def test_a_view_that_cannot_be_drawn_breaks_off_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_id, _ = place.make_list()
    place.put(list_id, place.normal()[:3])
    view = place.view(list_id)
    drawn, broken = view._stand, []

    def stand() -> None:
        if view._live is not None and view._live.what == "adding" and not broken:
            broken.append(view._live.what)
            raise RuntimeError("no picture")
        drawn()

    monkeypatch.setattr(view, "_stand", stand)
    assert view.answer("apply", {"plan": view.plan.plan_id, "answers": place.answers(view)})["ok"]
    view.wait(DONE_IN)
    assert broken
    assert view.at["state"] == "finished", view.trouble
    assert len(place.members(list_id)) == view.at["of"] + 3
