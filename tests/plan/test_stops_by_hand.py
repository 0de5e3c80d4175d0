"""What a plan asks before it acts, what answers it, and what stands before an apply: at their limits, value for value."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from service import NOON

from icx.errors import IcxError, NeedsYou
from icx.plan import gates
from icx.plan.decide import Counts
from icx.plan.stops import Stop, confirm_options, open_stops, stops
from icx.settings import Settings
from icx.store.locks import Holder
from icx.store.plans import Outcome, Place, Plans

NOBODY = dict.fromkeys(Counts.__dataclass_fields__, 0)


def asked(members: int = 100, **given: Any) -> list[tuple[str, str, float | int | None, float | int | None]]:
    facts = {"first": False, "last_push": None, "welcome": 0, "basis": "shop", "makes_parking_list": None}
    counts = Counts(
        **NOBODY | {"members": members} | {name: given.pop(name) for name in list(given) if name in NOBODY}
    )
    found = stops(counts, list_name="VIP", settings=Settings(), **facts | given)  # type: ignore[arg-type]
    return [(stop.key, stop.confirm, stop.value, stop.limit) for stop in found]


def test_a_plan_asks_for_each_thing_by_itself_and_for_all_in_their_order() -> None:
    assert asked(add=40, create=10, park=4, unsubscribe=0, last_push=25) == []
    growth, removal = Settings().growth_limit, Settings().removal_limit
    assert asked(add=41, create=10) == [("growth", "51", 0.51, growth)]
    assert asked(create=51) == [("growth", "51", 0.51, growth)]
    assert asked(add=9, last_push=4) == [("growth", "9", 9.0, 8.0)]
    assert asked(add=8, last_push=4) == []
    assert asked(add=1, last_push=0) == [("growth", "1", 1.0, 0.0)]
    assert asked(add=60, last_push=4) == [("growth", "60", 0.6, growth)]
    assert asked(members=0, add=60) == []
    assert asked(members=0, add=60, last_push=4) == [("growth", "60", 60.0, 8.0)]
    assert asked(park=6, unsubscribe=4) == [("unsubscribe", "4", 4, None)]
    assert asked(park=11) == [("removals", "11", 0.11, removal)]
    assert asked(create=1, basis="") == [("basis", "", 1, None)]
    assert asked(add=1, basis="") == []
    assert asked(first=True, create=1) == [("first-push", "y", None, None)]
    assert asked(first=True, park=1) == []
    assert asked(makes_parking_list="icx parking") == [("parking", "y", None, None)]
    assert asked(welcome=1) == [("welcome", "VIP", 1, None)]
    everything = asked(
        add=60, create=1, park=11, unsubscribe=3, first=True, basis="", welcome=61, makes_parking_list="icx parking"
    )  # fmt: skip
    assert [key for key, *_ in everything] == [
        "first-push", "parking", "growth", "removals", "basis", "welcome", "unsubscribe",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stop", "right", "wrong"),
    [
        (Stop("first-push", "y", "", ""), ["y", "Y", " yes "], ["", "n", "yess", "1"]),
        (Stop("growth", "1204", "", "", 0.5), ["1204", "1,204", " 1204 "], ["1205", "y", "", "12 04"]),
        (Stop("basis", "", "", "", 3), ["they signed up", "n"], ["", "  "]),
        (
            Stop("welcome", "A: B", "", "", 1204),
            ["A: B", " A: B ", "A: B:1204", "A: B:1,500"],
            ["a: b", "A: B:1203", "A:1500", "A: B:", "A: B:many", ":1500", "1204"],
        ),
        (Stop("growth", "A", "", "", 5), ["A"], ["A:9"]),  # a most is for messages alone
        (Stop("welcome", "A", "", ""), ["A"], ["A:9"]),
    ],
)  # fmt: skip
def test_a_stop_is_answered_by_what_it_asks_for_and_by_nothing_else(
    stop: Stop, right: list[str], wrong: list[str]
) -> None:
    assert not stop.answered(None)
    assert [text for text in right if not stop.answered(text)] == []
    assert [text for text in wrong if stop.answered(text)] == []
    assert open_stops([stop], {"other": "y"}) == [stop]
    assert open_stops([stop], {stop.key: right[0]}) == []


def test_what_a_stop_is_for_machines_and_which_options_answer_it() -> None:
    assert Stop("growth", "5", "w", "q", 0.6, 0.5).as_dict() == {
        "key": "growth", "value": 0.6, "limit": 0.5, "confirm": "5",
    }  # fmt: skip
    assert Stop("basis", "", "w", "q").as_dict() == {"key": "basis", "confirm": ""}
    assert confirm_options([Stop("basis", "", "", "")]) == ["--confirm", "basis=how they agreed"]
    assert confirm_options([Stop("growth", "5", "", ""), Stop("parking", "y", "", "")]) == [
        "--yes", "--confirm", "growth=5",
    ]  # fmt: skip


def code(does: Any, *given: Any) -> Any:
    try:
        does(*given)
    except IcxError as error:
        return error.code
    return None


def test_a_plan_that_was_closed_by_a_restore_or_is_switched_off_is_not_applied() -> None:
    def kept(**facts: Any) -> Any:
        return SimpleNamespace(
            **{"plan_id": "P-1", "made_at": NOON, "connection": "acme", "result": None} | facts
        )

    off, on = Settings(push=False), Settings(push=True)
    assert [code(gates.check_switch, kept(state="open"), one) for one in (off, on)] == ["push-off", None]
    with pytest.raises(NeedsYou) as told:
        gates.check_switch(kept(state="open"), off)
    assert told.value.kept == "the plan; no request was made"
    with pytest.raises(NeedsYou) as told:
        gates.check_switch(kept(state="applying"), off)
    assert told.value.kept == "what was sent before; no request was made"
    found = [
        code(gates.check_closed, kept(state=state, result=result))
        for state, result in (
            ("closed", None),
            ("closed", {"state": "closed"}),
            ("open", None),
            ("applying", None),
        )
    ]
    assert found == ["plan-closed", None, None, None]


@pytest.mark.parametrize(
    ("ok", "failed", "stale", "override", "wrong"),
    [
        (True, [], [], None, None),
        (None, [], [], None, None),
        (False, ["profile/a"], [], None, "check-failed"),
        (False, ["profile/a"], ["mine/b"], None, "check-failed"),
        (False, [], ["mine/b"], None, "check-stale"),
        (False, [], [], None, "check-failed"),
        (False, ["profile/a"], [], {"check": "a"}, None),
    ],
)
def test_data_that_did_not_pass_is_not_pushed(
    ok: bool | None, failed: list[str], stale: list[str], override: Any, wrong: str | None
) -> None:
    checks = {"ok": ok, "failed": failed, "stale": stale, "override": override}
    plan: Any = SimpleNamespace(plan_id="P-1", checks=checks)
    assert code(gates.check_data, plan) == wrong
    if wrong:
        with pytest.raises(NeedsYou) as told:
            gates.check_data(plan)
        assert told.value.next == [["icx", "check", ([*failed, *stale] or ["profile"])[0].split("/")[0]]]
        assert told.value.data == {"failed": failed, "stale": stale}


def test_another_plan_that_was_begun_for_this_list_goes_first(plans: Plans) -> None:
    def plan(list_id: int) -> str:
        header = {"counts": {"add": 1, "create": 2, "park": 3, "unsubscribe": 4}}
        names = {"list_name": "L", "connection": "acme", "audience": "A", "who": "w"}
        return plans.add(header, pa.table({"x": [1]}), place=Place(1, 2, list_id), **names)

    first, second, elsewhere = plan(7), plan(7), plan(8)
    plans.begin(first, {}, "w")
    plans.outcome(first, [Outcome(0, "add", "done"), Outcome(1, "add", "in_doubt")])
    for one in (first, elsewhere):
        gates.check_unfinished(plans, plans.get(one))
    with pytest.raises(NeedsYou) as told:
        gates.check_unfinished(plans, plans.get(second))
    assert (told.value.code, told.value.where) == ("apply-unfinished", "1 of 10 done")
    assert told.value.next == [["icx", "apply", first]]


def test_what_is_not_answered_is_asked_and_what_is_then_open_stops_the_apply() -> None:
    asked_for: list[tuple[str, int, int]] = []
    three = (
        Stop("first-push", "y", "first", ""),
        Stop("growth", "5", "grows", ""),
        Stop("basis", "", "makes", ""),
    )
    plan: Any = SimpleNamespace(plan_id="P-1")

    def ask(stop: Stop, number: int, of: int) -> str | None:
        asked_for.append((stop.key, number, of))
        return {"growth": "5"}.get(stop.key)

    with pytest.raises(NeedsYou) as told:
        gates.answered(plan, three, {"first-push": "y"}, ask)
    assert asked_for == [("growth", 2, 3), ("basis", 3, 3)]
    assert (told.value.code, told.value.where) == ("needs-answer", "makes")
    assert told.value.data == {"stops": [{"key": "basis", "confirm": ""}]}
    assert told.value.next[0][:3] == ["icx", "apply", "P-1"]
    given = {"first-push": "y", "basis": "shop"}
    assert gates.answered(plan, three, given, ask) == given | {"growth": "5"}
    assert given == {"first-push": "y", "basis": "shop"}, "what was given stays as it was"
    assert code(gates.answered, plan, three, given, None) == "needs-answer"


def test_one_who_is_added_for_a_test_is_asked_about_mail_and_basis_alone() -> None:
    all_ = (Stop("growth", "5", "", ""), Stop("basis", "", "", "", 3), Stop("welcome", "VIP", "", "", 60))
    plan: Any = SimpleNamespace(stops=all_, welcome=60, target=SimpleNamespace(list="VIP"))
    basis, welcome = gates.for_one(plan, 70_001)
    assert basis == all_[1]
    assert (welcome.key, welcome.confirm, welcome.value) == ("welcome", "VIP", 1)
    plan.welcome = 0
    assert gates.for_one(plan, 70_001) == (all_[1],)


def test_whoever_holds_the_list_is_named() -> None:
    for holder, named in ((Holder(7, NOON, "P-2"), "P-2"), (None, "P-1")):
        assert gates.running("P-1", holder).next == [["icx", "plans", named]]
