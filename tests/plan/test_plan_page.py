"""The page a plan leaves in a notebook, at every point it can stand; made without a service, the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from syrupy.assertion import SnapshotAssertion

from icx.clock import ManualClock, naive_utc
from icx.plan import Plan, Policy, Target
from icx.plan.applied import Applied, ReadBack
from icx.plan.cost import Cost
from icx.plan.decide import Counts
from icx.plan.html import plan_html
from icx.plan.stops import Stop
from icx.store.journal import Journal
from icx.store.plans import Intent, Outcome, Plans

NOW = datetime(2026, 11, 21, 14, 16, tzinfo=UTC)
TARGET = Target(
    "acme",
    "Acme Outdoor",
    41733,
    8021,
    "Main",
    "Durham regulars",
    3004,
    welcome=True,
    welcome_message_id=70001,
)
STOPS = (
    Stop("first-push", "y", "first push to this list", "first push to this list. Go on?"),
    Stop("growth", "4", "grows by 200 %, limit 50 %", "it grows by 200 %.", 2.0, 0.5),
    Stop("welcome", "Durham regulars", "welcome mail", "up to 4 welcome messages go out.", 4),
)
SCHEMA = pa.schema(
    [
        ("contact_id", pa.int64()), ("email", pa.string()), ("action", pa.string()), ("reason", pa.string()),
        ("fact_at", pa.timestamp("us")), ("source", pa.string()), ("message_id", pa.int64()),
        ("fields", pa.string()),
    ]
)  # fmt: skip


def rows() -> pa.Table:
    def row(contact: int, action: str, reason: str = "", **more: Any) -> dict[str, Any]:
        none = dict.fromkeys(SCHEMA.names)
        return (
            none
            | {
                "contact_id": contact,
                "email": f"canary{contact}@example.com",
                "action": action,
                "reason": reason,
            }
            | more
        )

    left = {
        "fact_at": naive_utc(datetime(2026, 3, 12, 9, tzinfo=UTC)),
        "source": "unsubscribe event",
        "message_id": 70412,
    }
    people = [row(70001 + n, "add") for n in range(4)] + [row(70005, "keep")]
    people += [row(70010 + n, "refuse", "left_this_list", **left) for n in range(5)]
    return pa.Table.from_pylist(
        [*people, row(70020, "refuse", "do_not_contact"), row(70030, "stay")], schema=SCHEMA
    )


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[Plans]:
    journal = Journal(tmp_path / "data" / "journal.sqlite", ManualClock(NOW))
    yield Plans(journal)
    journal.close()


def kept(plans: Plans, **changes: Any) -> Plan:
    plan = Plan(
        plan_id="",
        audience="Loyal in Durham",
        as_of=datetime(2026, 11, 21, 12, 2, tzinfo=UTC),
        made_at=datetime(2026, 11, 21, 14, 14, tzinfo=UTC),
        who="maya",
        target=TARGET,
        policy=Policy(),
        counts=Counts(11, 4, 0, 1, 6, 1, 0, 0, 0, 4, 2, 6),
        refused={"left_this_list": 5, "do_not_contact": 1},
        stops=STOPS,
        cost=Cost((("read the list again", 3), ("add, by 200", 1), ("read back", 1)), 5, 0.0005),
        welcome=4,
        updates=0,
        checks={
            "ok": True,
            "failed": [],
            "stale": [],
            "override": None,
            "uses": {"columns": ["city", "opens_90d"]},
        },
        calls_left=6902,
        parking_list_id=None,
        zone="America/New_York",
        plans=plans,
    )
    plan = replace(plan, **changes)
    plan_id = plans.add(
        plan.header(), rows(), place=plan.target.place, list_name=plan.target.list, connection="acme",
        audience=plan.audience, who=plan.who,
    )  # fmt: skip
    return replace(plan, plan_id=plan_id)


def page(plan: Plan) -> str:
    """The page without its stylesheet, a tag a line."""
    html = plan_html(plan, NOW)
    assert "canary" not in re.sub(r"c…@", "", html)
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL).replace("><", ">\n<")


def applied(plans: Plans, plan: Plan, *, done: int, refused: int = 0, words: str = "") -> None:
    plans.begin(plan.plan_id, {stop.key: stop.confirm for stop in plan.stops}, "maya")
    plans.intend(plan.plan_id, 1, [Intent(n, 70001 + n, "add", None, 3004) for n in range(done + refused)])
    outcomes = [Outcome(n, "add", "done") for n in range(done)]
    plans.outcome(
        plan.plan_id, outcomes + [Outcome(done + n, "add", "refused", words) for n in range(refused)]
    )


def finished(plans: Plans, plan: Plan, back: ReadBack, **changes: Any) -> Plan:
    plans.end(
        plan.plan_id, "finished", Applied(plan.plan_id, "finished", read_back=back, **changes).as_dict()
    )
    return plan


def test_an_open_plan(plans: Plans, snapshot: SnapshotAssertion) -> None:
    assert page(kept(plans)) == snapshot


def test_a_plan_that_was_stopped(plans: Plans, snapshot: SnapshotAssertion) -> None:
    plan = kept(plans)
    applied(plans, plan, done=2)
    assert page(plan) == snapshot


def test_a_plan_that_is_done_with_a_refused_row_and_one_left_out(
    plans: Plans, snapshot: SnapshotAssertion
) -> None:
    plan = kept(plans)
    words = "Contact ada@example.com <b>cannot</b> be subscribed"
    applied(plans, plan, done=2, refused=1, words=words)
    finished(
        plans, plan, ReadBack(4, 4), added=2, refused_by_service=1, refusals=((words, (70003,)),), left_out={"unsubscribed": 1}
    )  # fmt: skip
    html = page(plan)
    assert "ada@" not in html
    assert "<b>cannot" not in html
    assert html == snapshot


def test_a_list_that_does_not_equal_the_plan(plans: Plans, snapshot: SnapshotAssertion) -> None:
    plan = kept(plans)
    applied(plans, plan, done=4)
    finished(plans, plan, ReadBack(6, 5, missing=(70004,)), added=4)
    html = page(plan)
    assert html.index("does not equal the plan") < html.index("Unknown outcome")
    assert html == snapshot


def test_a_plan_whose_list_is_gone(plans: Plans) -> None:
    plan = kept(plans)
    plans.end(plan.plan_id, "closed", Applied(plan.plan_id, "closed").as_dict())
    html = page(plan)
    assert "The list was deleted in iContact after the plan." in html
    assert "P-1 is closed, its record kept" in html


def test_the_way_back_of_a_plan(plans: Plans, snapshot: SnapshotAssertion) -> None:
    counts = Counts(2, 0, 0, 2, 0, 4, 4, 0, 0, 4, 6, 2)
    stops = (
        Stop("parking", "y", 'makes the list "icx parking"', ""),
        Stop("removals", "4", "4 leave the list, 67 %, limit 10 %", "", 0.67, 0.1),
    )
    plan = kept(
        plans, policy=Policy(stale="park", undo_of="P-31"), counts=counts, refused={}, stops=stops, welcome=0,
        checks={"ok": None, "failed": [], "stale": [], "override": None},
    )  # fmt: skip
    assert page(plan) == snapshot


def test_a_plan_whose_checks_failed_says_which_and_who_overrode(plans: Plans) -> None:
    checks: dict[str, Any] = {
        "ok": False,
        "failed": ["profile/email"],
        "stale": ["contacts"],
        "override": None,
    }
    assert "Not good enough to send" in page(kept(plans, checks=checks))
    checks["override"] = {"check": "profile/email", "who": "maya", "because": "known"}
    assert "Overridden by maya:" in page(kept(plans, checks=checks))


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_any_size_is_written_whole(plans: Plans, size: int) -> None:
    counts = Counts(size, size, 0, 0, 0, 0, 0, 0, 0, size, 0, size)
    html = page(kept(plans, counts=counts, refused={}, stops=(), welcome=0))
    assert f"<b>{size:,}</b>" in html
    assert ("Nothing to do." in html) == (size == 0)


def test_one_person_is_no_people(plans: Plans) -> None:
    counts = Counts(1, 0, 1, 0, 0, 2, 0, 1, 1, 1, 2, 2)
    stops = (
        Stop("first-push", "y", "", ""),
        Stop("growth", "1", "adds 1, the last push added 0", "", 1, 0),
        Stop("removals", "1", "", "", 0.5, 0.1),
        Stop("basis", "", "", ""),
        Stop("welcome", "Durham regulars", "", "", 1),
        Stop("unsubscribe", "1", "", ""),
    )
    policy = Policy(stale="unsubscribe", create_contacts=True, basis="in the shop")
    html = page(kept(plans, counts=counts, stops=stops, policy=policy, welcome=1, refused={}))
    for words in (
        "1 person joins it",
        "1 person leaves the list",
        "1 contact is made",
        "1 person is unsubscribed",
    ):
        assert words in html
    assert re.search(r"\b1 (?:people|\w+ messages|contacts)\b|1 person (?:are|join|leave)\b", html) is None


def test_on_what_basis_contacts_are_made_names_nobody(plans: Plans) -> None:
    policy = Policy(create_contacts=True, basis="ada@example.com collected\x1b[31m them")
    words = str(kept(plans, counts=Counts(1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1), policy=policy, refused={}))
    assert "a…@e….com collected\\x1b[31m them" in words


def test_why_a_check_was_overridden_names_nobody(plans: Plans) -> None:
    checks: dict[str, Any] = {"ok": False, "failed": ["profile/email"], "stale": [], "uses": {"columns": []}}
    checks["override"] = {"check": "profile/email", "who": "maya", "because": "only ada@example.com is odd"}
    html = page(kept(plans, checks=checks))
    assert "is odd" in html
    assert "ada@" not in html


def test_a_name_is_a_name(plans: Plans) -> None:
    hostile = '<script>hit()</script> [red] \u202e"' + "x" * 200
    target = replace(TARGET, company=hostile, folder=hostile, list=hostile)
    html = page(kept(plans, target=target, audience=hostile))
    assert "<script" not in html
    assert "\u202e" not in html


def test_a_folder_without_a_name_is_named_by_its_id(plans: Plans) -> None:
    html = page(kept(plans, target=replace(TARGET, folder="")))
    assert "folder 8021" in html
