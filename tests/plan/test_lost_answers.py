"""Lost answers, refused rows and busy hours: an unknown outcome is read back, nothing is sent twice."""

import pytest

from icx.errors import TryLater
from icx.icontact import Client
from icx.settings import Settings


def posts(here):
    return here.calls().get("POST /subscriptions", 0)


def test_a_lost_answer_is_read_back_and_not_sent_again(place):
    here = place(settings=Settings(batch_size=10))
    target = here.make_list()
    plan = here.plan(here.people()[:30])
    here.fault("POST /subscriptions", "close-after-write", after=1)
    notes = []
    applied = here.apply(plan, progress=lambda at: notes.append(at.note))
    assert (applied.added, applied.in_doubt) == (30, 0)
    assert here.members(target) == set(here.people()[:30])
    assert posts(here) == 3
    assert "10 of 10 are there" in notes


def test_a_request_that_did_not_arrive_is_sent_once_more_after_looking(place):
    here = place(settings=Settings(batch_size=10))
    target = here.make_list()
    plan = here.plan(here.people()[:20])
    here.fault("POST /subscriptions", "close-before")
    assert here.apply(plan).added == 20
    assert here.members(target) == set(here.people()[:20])
    assert here.violations() == []


def test_a_write_that_takes_effect_after_it_was_looked_for_is_icxs_own_and_not_sent_again(place):
    here = place(settings=Settings(batch_size=10))
    target = here.make_list()
    wanted = here.people()[:20]
    plan = here.plan(wanted)
    here.fault("POST /subscriptions", "close-before")
    late = []

    def told(at):
        if at.note == "0 of 10 are there" and not late:
            late.extend(wanted[:10])  # the service was slower than the look
            here.put(target, late)

    applied = here.apply(plan, progress=told)
    assert (applied.added, applied.left_out, applied.not_sent, applied.in_doubt) == (20, {}, 0, 0)
    assert late
    assert here.members(target) == set(wanted)
    assert applied.read_back is not None
    assert applied.read_back.equal
    back = here.apply(here.undo(plan.plan_id))
    assert (back.parked, here.members(target)) == (20, set()), "all twenty are icx's own to take back"


def test_when_reading_back_fails_too_the_rows_are_in_doubt_and_asked_for_again_later(place):
    here = place(settings=Settings(batch_size=10))
    target = here.make_list()
    wanted = here.people()[:20]
    plan = here.plan(wanted)
    impatient = Client(
        here.running.base_url,
        here.running.app_id,
        here.running.username,
        here.running.password,
        account_id=here.running.account_id,
        client_folder_id=here.running.client_folder_id,
        clock=here.clock,
        patience=60,
    )
    here.fault("POST /subscriptions", "close-after-write")
    here.fault("GET /subscriptions", "503", after=2, times=50)
    with pytest.raises(TryLater) as doubt:
        here.apply(plan, client=impatient)
    assert doubt.value.code == "in-doubt"
    assert doubt.value.next == [["icx", "apply", plan.plan_id]]
    impatient.close()
    here.fault_clear()
    sent = posts(here)
    applied = here.apply(plan.plan_id)
    assert (applied.added, applied.in_doubt, applied.not_sent) == (20, 0, 0)
    assert here.members(target) == set(wanted)
    assert posts(here) == sent + 1  # the second ten only


def test_a_service_that_stays_busy_stops_the_apply_and_the_same_command_goes_on(place):
    here = place(settings=Settings(batch_size=10))
    target = here.make_list()
    wanted = here.people()[:30]
    plan = here.plan(wanted)
    here.fault("POST /subscriptions", "503", after=1, times=500)
    with pytest.raises(TryLater) as busy:
        here.apply(plan)
    assert busy.value.code == "service-busy"
    assert len(here.members(target)) == 10
    here.fault_clear()
    assert here.apply(plan.plan_id).added == 30
    assert here.members(target) == set(wanted)


def _left_unseen(here, target, contact):
    """Let the service remember that the address left this list, which no reading tells: it alone can refuse."""
    here.sql(
        "insert into departures (folder_id, address, list_id, state, contact_id, happened)"
        " select folder_id, lower(email), ?, 'unsubscribed', contact_id, 0 from contacts where contact_id = ?",
        target,
        contact,
    )


def test_one_refused_row_has_the_warning_as_its_reason(place):
    here = place(consent="strict")
    target = here.make_list()
    wanted = here.people()[:10]
    plan = here.plan(wanted)
    _left_unseen(here, target, wanted[4])
    applied = here.apply(plan)
    assert (applied.added, applied.refused_by_service) == (9, 1)
    ((words, ids),) = applied.refusals
    assert ids == (wanted[4],)
    assert "left this list" in words
    assert here.members(target) == set(wanted) - {wanted[4]}


def test_several_refused_rows_are_sent_singly_to_learn_each_ones_words(place):
    here = place(consent="strict", settings=Settings(singles_limit=2))
    target = here.make_list()
    wanted = here.people()[:10]
    plan = here.plan(wanted)
    for contact in wanted[:3]:
        _left_unseen(here, target, contact)
    applied = here.apply(plan)
    assert (applied.added, applied.refused_by_service) == (7, 3)
    assert posts(here) == 1 + 2
    words = {row["contact_id"]: row["words"] for row in here.plans.outcomes(plan.plan_id) if row["words"]}
    assert f"_{wanted[0]} " in words[wanted[0]]
    assert f"_{wanted[1]} " in words[wanted[1]]
    assert str(applied.problem(0.01)).startswith(
        "Done, but iContact refused 3 of 10 rows (30.0 %, limit 1 %)"
    )


def test_a_lost_move_is_looked_up(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:4])
    plan = here.plan(people[2:4], stale="park")
    here.fault("PUT /subscriptions/*", "close-after-write")
    here.fault("PUT /subscriptions/*", "close-before")
    applied = here.apply(plan)
    assert applied.parked == 2
    assert here.members(target) == set(people[2:4])
    assert here.violations() == []


def test_a_lost_creation_makes_nobody_twice(place):
    here = place()
    target = here.make_list()
    rows = [
        {"contact_id": None, "email": f"n{n}@example.com", "email_key": f"n{n}@example.com"} for n in range(4)
    ]
    table = here.want([]).from_pylist(rows, schema=here.want([]).schema)
    plan = here.plan(table, create_contacts=True, basis="signed up in the shop")
    here.fault("POST /contacts", "close-after-write")
    assert here.apply(plan).added == 4
    assert here.sql("select count(*) from contacts where email like 'n_@example.com'") == [(4,)]
    assert len(here.members(target)) == 4


def test_a_lost_list_creation_makes_one_list(place):
    here = place()
    plan = here.plan(here.people()[:3], to="Brand new", create=True)
    here.fault("POST /lists", "close-after-write")
    assert here.apply(plan).added == 3
    assert here.sql("select count(*) from lists where name = 'Brand new'") == [(1,)]


def test_ctrl_c_ends_after_the_batch_and_the_same_command_goes_on(place):
    here = place(settings=Settings(batch_size=10))
    target = here.make_list()
    wanted = here.people()[:30]
    plan = here.plan(wanted)
    stopped = here.apply(plan, ending=lambda: len(here.members(target)) >= 20)
    assert (stopped.state, stopped.added, stopped.not_sent, stopped.in_doubt) == ("stopped", 20, 10, 0)
    assert f"Next: icx apply {plan.plan_id}" in str(stopped)
    applied = here.apply(plan.plan_id)
    assert (applied.state, applied.added) == ("finished", 30)
    assert here.members(target) == set(wanted)


def test_an_unfinished_plan_to_the_same_list_goes_first(place):
    here = place(settings=Settings(batch_size=10))
    here.make_list()
    first, second = here.plan(here.people()[:20]), here.plan(here.people()[20:25])
    here.apply(first, ending=lambda: here.plans.outcomes(first.plan_id) != [])
    with pytest.raises(Exception, match="is not finished") as other:
        here.apply(second)
    assert other.value.code == "apply-unfinished"
    assert other.value.where == "10 of 20 done"
    here.apply(first.plan_id)
    assert here.apply(second).added == 5


def test_a_list_whose_count_moves_while_it_is_read_is_read_again(place):
    here = place()
    target = here.make_list()
    here.put(target, here.people()[:5], "unsubscribed")
    here.fault("GET /subscriptions", "total-moves")
    assert here.plan(here.people()[:5]).refused == {"left_this_list": 5}
