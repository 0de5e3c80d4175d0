"""Trying again whom the service refused: a new plan of them alone, decided, confirmed and applied as any other."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

import pytest
from plan_place import Place

from icx.errors import BadInput, NeedsYou
from icx.plan import Plan, Policy
from icx.store import pushed
from icx.widgets.plan import PlanView


def refuses(place: Place, list_id: int, contacts: Sequence[int], *, no_more: bool = False) -> None:
    """Let the service alone remember that these people left the list, and so refuse them; or forget it again."""
    with sqlite3.connect(place.state, timeout=10) as db:
        db.execute("delete from departures where list_id = ?", (list_id,))
        if not no_more:
            db.executemany(
                "insert into departures (folder_id, address, list_id, state, contact_id, happened)"
                " select folder_id, lower(email), ?, 'unsubscribed', contact_id, 0 from contacts where contact_id = ?",
                [(list_id, one) for one in contacts],
            )


def pushed_with_refusals(place: Place, count: int) -> tuple[int, list[int], PlanView]:
    """Push everybody to a list of its own whose service refuses the first `count`."""
    list_id, _ = place.make_list()
    people = [row["contact_id"] for row in place.plan(list_id).rows().to_pylist() if row["action"] == "add"]
    refuses(place, list_id, people[:count])
    view = place.applied(place.view(list_id))
    assert view.applied is not None
    assert view.applied.refused_by_service == count
    return list_id, people, view


def acting(plan: Plan) -> dict[str, set[int]]:
    rows = plan.rows().to_pylist()
    return {action: {row["contact_id"] for row in rows if row["action"] == action} for action in {row["action"] for row in rows}}  # fmt: skip


def test_only_whom_the_service_refused_is_planned_again_and_nothing_is_sent_before_the_button(
    place: Place,
) -> None:
    list_id, people, view = pushed_with_refusals(place, 3)
    before = view.plan
    refuses(place, list_id, people[1:2])  # the service would take two of the three by now
    with place.ws.client("acme") as client:  # and one of these two has said no meanwhile
        client.update("contacts", people[2], {"status": "donotcontact"})
    told = view.answer("retry", {})
    assert told["ok"], told
    plan = view.plan
    assert acting(plan) == {"add": set(people[:3])}
    assert (plan.counts.wanted, plan.counts.stale, plan.policy.retry_of) == (3, 0, before.plan_id)
    assert plan.target == before.target
    assert set(people[:3]).isdisjoint(place.members(list_id))
    assert f"3  whom iContact refused when {before.plan_id} was applied" in str(plan)
    assert view.said["title"] == f"Plan: try again whom {before.plan_id} did not get through"
    place.applied(view)
    done = view.applied
    assert done is not None
    assert (done.added, done.refused_by_service, sum(done.left_out.values())) == (1, 1, 1)
    assert done.read_back is not None
    assert done.read_back.equal
    assert place.members(list_id) == set(people) - set(people[1:3])
    # The size of a push is that of the push, not of the few tried again.
    assert pushed.last_push(place.ws.journal, plan.target.place) == len(people) - 3


def test_somebody_no_longer_in_the_audience_is_counted_and_not_planned(place: Place) -> None:
    list_id, _ = place.make_list()
    f, ids = place.ws.fields, [str(one) for one in place.normal()[:4]]
    place.ws.audience("Friends", f.ic_contact_id.is_in(*ids))
    plan = place.ws.plan(place.ws.audience("Pushed", f.in_audience("Friends")), f"acme/lists/#{list_id}")
    wanted = sorted(acting(plan)["add"])
    refuses(place, list_id, wanted[:2])
    done = place.applied(PlanView(plan)).plan
    place.ws.audience("Friends", f.ic_contact_id.is_in(*map(str, wanted[1:])))
    again = done.retry()
    assert acting(again) == {"add": {wanted[1]}}
    assert "2  whom iContact refused" in str(again)
    assert "; 1 no longer in the audience" in str(again)
    place.ws.audience("Friends", f.ic_contact_id.is_in(*map(str, wanted[2:])))
    with pytest.raises(BadInput, match="is left to be tried again") as caught:
        place.ws.retry(done.plan_id)
    assert caught.value.where == "nobody whom iContact refused is in the audience any more"


def test_a_member_that_could_not_be_unsubscribed_is_the_only_one_tried_again(place: Place) -> None:
    list_id, _ = place.make_list()
    people = place.normal()[:4]
    place.put(list_id, people)
    audience = place.few(1)
    place.fault("POST /subscriptions/*", "400", after=1, times=1)
    policy = Policy(stale="unsubscribe")
    view = place.applied(PlanView(place.ws.plan(audience, f"acme/lists/#{list_id}", policy=policy)))
    assert view.applied is not None
    assert view.applied.refused_by_service == 1
    left = place.members(list_id) - {people[0]}
    somebody = place.normal()[10]
    place.put(list_id, [somebody])  # joined meanwhile: stale to the audience, and no business of this plan
    assert somebody in place.members(list_id)
    assert len(left) == 1
    plan = view.plan.retry()
    assert acting(plan) == {"unsubscribe": left}
    assert [stop.key for stop in plan.stops if stop.key == "unsubscribe"]
    place.applied(PlanView(plan))
    assert place.members(list_id) == {people[0], somebody}


def test_nothing_is_tried_again_of_a_plan_that_is_open_unfinished_or_arrived(place: Place) -> None:
    list_id, _ = place.make_list()
    plan = place.plan(list_id)
    with pytest.raises(BadInput, match="is left to be tried again"):
        place.ws.retry(plan)
    with place.ws.journal.write() as db:
        db.execute("update plans set state = 'applying' where number = ?", (int(plan.plan_id[2:]),))
    try:
        with pytest.raises(NeedsYou) as caught:
            plan.retry()
        assert caught.value.next == [["icx", "apply", plan.plan_id]]
    finally:
        with place.ws.journal.write() as db:
            db.execute("update plans set state = 'open' where number = ?", (int(plan.plan_id[2:]),))
    assert not place.applied(PlanView(plan)).at["retry"]


def test_the_monitor_plans_again_and_shows_failed_rows_until_they_arrive(place: Place) -> None:
    list_id, people, view = pushed_with_refusals(place, 2)
    monitor = place.ws.monitor()
    mine = {"plan": view.plan.plan_id, "list": view.plan.target.list, "count": 2}
    assert mine in monitor.said["again"]
    told = monitor.answer("retry", {"plan": view.plan.plan_id})
    assert told["ok"], told
    shown = monitor._plan
    assert isinstance(shown, PlanView)
    assert (told["view"], told["name"]) == (shown.model_id, shown.plan.plan_id)
    assert mine in monitor.said["again"], "planned is not arrived"
    assert not any(email in json.dumps(shown.said) for email in place.emails())
    refuses(place, list_id, [], no_more=True)
    place.applied(shown)
    monitor.refresh()
    assert not [row for row in monitor.said["rows"] if row["push"] in (view.plan.plan_id, told["name"])]
    assert mine not in monitor.said["again"]
    assert place.members(list_id) == set(people)
    refused = monitor.answer("retry", {"plan": told["name"]})
    assert refused["error"]["code"] == "nothing-to-retry"
    monitor.stop()
