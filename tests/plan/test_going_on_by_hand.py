"""Going on after a cut and deciding again: for every outcome left open and every decision, what may be sent at most."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from icx.clock import ManualClock
from icx.errors import BadInput, NeedsYou
from icx.plan import again
from icx.plan.applied import Applied, ReadBack, from_result, tally
from icx.plan.decide import HAVE, PARKING
from icx.plan.make import Side
from icx.plan.reading import SETTLE
from icx.plan.resume import resolve
from icx.plan.retry import Among, not_arrived
from icx.store.plans import Intent, Outcome, Place, Plans, Summary

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TARGET, PARKED = 7, 9


class Asked:
    """The service as far as going on asks it: of fields it says whether they arrived."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.fields: list[tuple[int, Any]] = []

    def resolve_update_contact(self, contact: int, fields: Any) -> bool:
        self.fields.append((contact, dict(fields)))
        return contact % 2 == 0


def kept(plans: Plans, keys: list[str | None] | None = None, list_id: int | None = TARGET) -> str:
    rows = pa.table({"email_key": pa.array(keys or [None], pa.string())})
    place = Place(1, 2, list_id)
    return plans.add({}, rows, place=place, list_name="L", connection="acme", audience="A", who="w")


def side(have: dict[int, str], parking: dict[int, str] | None = None) -> Side:
    return Side(
        pa.Table.from_pylist(
            [{"contact_id": one, "status": status} for one, status in have.items()], schema=HAVE
        ),
        pa.Table.from_pylist(
            [{"contact_id": one, "status": status, "ours": True} for one, status in (parking or {}).items()],
            schema=PARKING,
        ),
        dict.fromkeys(range(99), PARKED),
        PARKED,
    )


def settled(action: str, status: str | None, away: bool) -> tuple[str, str] | None:
    """What the lists show of a write whose answer was lost; None: nothing to be seen."""
    if action == "park":
        return None if status else ("done", "") if away else ("left_out", "not_there")
    if action == "unsubscribe":
        return ("done", "") if status == "unsubscribed" else None
    if status is None:
        return None
    if status == ("pending" if action == "add_pending" else "normal"):
        return "done", ""
    return "left_out", "left_this_list" if status == "unsubscribed" else "there"


def test_an_open_outcome_is_what_the_lists_show_now_or_after_a_pause(plans: Plans) -> None:
    cases = list(
        itertools.product(
            ("add", "add_pending", "create", "restore", "park", "unsubscribe"),
            (None, "normal", "pending", "unsubscribed"),
            (False, True),
            ("sent", "in_doubt"),
        )
    )
    for late in (False, True):
        plan = kept(plans)
        have = {n: status for n, (_, status, _, _) in enumerate(cases) if status}
        away = {n: "normal" for n, (_, _, parked, _) in enumerate(cases) if parked}
        plans.intend(plan, 1, [Intent(n, n, case[0], None, TARGET) for n, case in enumerate(cases)])
        plans.outcome(plan, [Outcome(n, case[0], case[3]) for n, case in enumerate(cases)])
        asked = Asked(plans.journal.clock)  # type: ignore[arg-type]
        began = asked.clock.now()
        truth = side(have, away)
        first = side({n: "normal" for n, case in enumerate(cases) if case[0] == "park"}) if late else truth
        end = resolve(plan, {}, first, client=asked, plans=plans, read_again=lambda truth=truth: truth)  # type: ignore[arg-type]
        assert end is truth
        assert (asked.clock.now() - began).total_seconds() == SETTLE
        for n, row in enumerate(plans.outcomes(plan)):
            action, status, parked, _ = cases[n]
            expected = settled(action, status, parked) or ("not_sent", "")
            assert (row["state"], row["words"]) == expected, cases[n]
            assert row["contact_id"] == n


def test_what_shows_at_once_is_not_waited_for_and_what_is_settled_is_not_asked_about(plans: Plans) -> None:
    plan, asked = kept(plans), Asked(ManualClock(NOON))
    here = side({1: "normal"}, {6: "normal"})
    for state in ("done", "refused", "left_out", "not_sent"):
        plans.outcome(plan, [Outcome(0, "add", state, "", 5)])
        assert resolve(plan, {}, here, client=asked, plans=plans, read_again=pytest.fail) is here  # type: ignore[arg-type]
    plans.intend(plan, 1, [Intent(1, 1, "add", None, TARGET), Intent(2, None, "contact", None, None)])
    plans.intend(plan, 1, [Intent(6, 6, "park", TARGET, PARKED)])
    plans.intend(plan, 1, [Intent(n, n, "fields", None, None) for n in (3, 4)])
    rows = {n: {"fields": f'{{"city": "{n}"}}'} for n in (3, 4)}
    assert resolve(plan, rows, here, client=asked, plans=plans, read_again=pytest.fail) is here  # type: ignore[arg-type]
    assert asked.clock.now() == NOON
    assert asked.fields == [(3, {"city": "3"}), (4, {"city": "4"})]
    assert {row["words"] for row in plans.outcomes(plan)} == {""}
    found = {(row["row"], row["action"]): row["state"] for row in plans.outcomes(plan)}
    assert found == {
        (0, "add"): "not_sent", (1, "add"): "done", (2, "contact"): "not_sent", (3, "fields"): "not_sent",
        (4, "fields"): "done", (6, "park"): "done",
    }  # fmt: skip


DECIDED = ["add", "add_pending", "create", "keep", "refuse", "stay", "park", "unsubscribe"]
AS_PLANNED = {(one, one) for one in DECIDED} | {("create", "add")}  # somebody made the contact meanwhile


CASES = itertools.product(
    ["add", "add_pending", "create", "park", "unsubscribe"],
    [None, *DECIDED],
    ["", "left_this_list", "do_not_contact", "pending"],
    ["not", "unsubscribed"],
    ["", "move"],
)


def test_an_apply_sends_what_was_planned_or_less() -> None:
    for case in CASES:
        sends_no_more(*case)


def sends_no_more(planned: str, now: str | None, reason: str, on_list: str, via: str) -> None:
    contact = None if now == "create" else 5
    row = {"row": 3, "contact_id": 5, "action": planned, "email": "a@example.com", "fields": None}
    fresh = {"contact_id": contact, "action": now, "reason": reason, "on_list": on_list, "via": ""}
    fresh |= {"email": "A@example.com", "email_key": "a@example.com"}
    work = again.Todo()
    again._one(work, row, None if now is None else fresh | {"via": via}, side({}))
    goes = (planned, now) in AS_PLANNED
    assert work.people == goes == (not work.left_out)
    if not goes:
        why = {None: "not_there", "keep": "there"}.get(now, reason or "changed")
        assert work.left_out == [Outcome(3, planned, "left_out", why, 5)]
    fact = {"left_this_list": "left", "do_not_contact": "donotcontact"}.get(reason)
    said = not goes and now not in {None, "keep"} and fact and contact and on_list == "not"
    assert work.said_no == ([(5, "a@example.com", fact)] if said else [])
    if goes and now != "create":
        found = {"restores": work.restores, "parks": work.parks, "unsubscribes": work.unsubscribes}
        found["adds"] = work.adds
        name = "restores" if via else {"park": "parks", "unsubscribe": "unsubscribes"}.get(planned, "adds")
        ((one,),) = [rows for rows in found.values() if rows]
        assert found[name] == [one]
        action = "restore" if via else planned
        assert one == (3, 5, action, on_list, PARKED if action in {"restore", "park"} else None)
    if goes and now == "create":
        assert work.creates == [(3, "a@example.com", {})]


# -- what it came to, and trying again


def test_an_apply_is_told_from_what_the_journal_counted() -> None:
    counts = {
        ("add", "done", ""): 5, ("create", "done", ""): 3, ("restore", "done", ""): 2, ("add_pending", "done", ""): 7,
        ("contact", "done", ""): 4, ("park", "done", ""): 11, ("unsubscribe", "done", ""): 13,
        ("fields", "done", ""): 6, ("fields", "refused", ""): 1, ("fields", "left_out", "gone"): 2,
        ("fields", "not_sent", ""): 9, ("add", "left_out", "there"): 3, ("park", "left_out", "there"): 2,
        ("contact", "left_out", "there"): 8, ("add", "refused", ""): 3, ("add", "sent", ""): 1,
    }  # fmt: skip
    summary = Summary(counts, [("no", 1), ("full", 2), ("full", 3)], in_doubt=1, touched=50)
    back = ReadBack(10, 9, (4,), (5, 6))
    found = tally("P-1", "finished", summary, 60, back, fields=12)
    assert found == Applied(
        plan_id="P-1", state="finished", added=10, asked=7, created=4, parked=11, unsubscribed=13, fields_sent=6,
        left_out={"already_there": 5}, refused_by_service=3, refusals=(("full", (2, 3)), ("no", (1,))), in_doubt=1,
        not_sent=10 + 3, read_back=back,
    )  # fmt: skip
    assert from_result(found.as_dict()) == found
    assert tally("P-1", "finished", summary, 40, fields=2).not_sent == 0
    assert from_result(tally("P-1", "finished", summary, 40).as_dict()).read_back is None


def test_only_whom_the_service_refused_is_tried_again(plans: Plans) -> None:
    plan = kept(plans, [f"{n}@example.com" if n != 4 else None for n in range(9)])
    outcomes = [
        (0, "add", "refused", 10), (1, "create", "refused", None), (1, "contact", "refused", None),
        (2, "park", "refused", 12), (3, "unsubscribe", "refused", 13), (4, "add", "refused", 14),
        (4, "fields", "refused", 14), (5, "add", "done", 15), (6, "add", "left_out", 16), (7, "add", "not_sent", 17),
    ]  # fmt: skip
    plans.outcome(
        plan, [Outcome(row, action, state, "", contact) for row, action, state, contact in outcomes]
    )
    found = not_arrived(plans, plan)
    keys = frozenset({"0@example.com", "1@example.com"})
    assert found == Among(plan, frozenset({10, 14}), keys, frozenset({12, 13}), 5)
    wanted = pa.table(
        {
            "contact_id": pa.array([10, 11, None, None, None, 14], pa.int64()),
            "email_key": ["x@example.com", "0@example.com", "1@example.com", "2@example.com", None, None],
        }
    )
    assert found.of(wanted).to_pylist() == [wanted.to_pylist()[n] for n in (0, 2, 5)]
    assert found.of(wanted.slice(1, 1)).num_rows == 0  # there are members to be moved
    alone = Among(plan, found.contacts, found.keys, frozenset(), 2)
    assert alone.of(wanted).num_rows == 3
    assert Among(plan, None, frozenset(), frozenset(), 2).of(wanted) is wanted
    with pytest.raises(BadInput):
        alone.of(wanted.slice(1, 1))


def test_a_plan_without_refusals_or_list_or_end_is_not_tried_again(plans: Plans) -> None:
    for state, list_id, refuse, wrong in (
        ("finished", TARGET, "contact", BadInput),
        ("finished", None, "add", BadInput),
        ("applying", TARGET, "add", NeedsYou),
    ):
        plan = kept(plans, list_id=list_id)
        plans.outcome(plan, [Outcome(0, refuse, "refused", "", 1)])
        plans.end(plan, state, {})
        with pytest.raises(wrong):
            not_arrived(plans, plan)
