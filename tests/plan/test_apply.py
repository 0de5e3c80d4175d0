"""A plan applied to a list on a real socket: the list equals the plan, and nobody who said no is on it."""

from dataclasses import replace

import pytest

from icx.errors import BadInput, NeedsYou, Refused
from icx.settings import Settings


def test_the_list_holds_exactly_whom_the_plan_added(place):
    here = place()
    target = here.make_list()
    wanted = here.people()[:30]
    plan = here.plan(wanted)
    applied = here.apply(plan)
    assert applied.state == "finished"
    assert applied.added == plan.counts.add == 30
    assert here.members(target) == set(wanted)
    assert applied.read_back is not None
    assert applied.read_back.equal
    assert here.violations() == []


def test_planning_sends_nothing(place):
    here = place()
    here.make_list()
    before = here.writes()
    here.plan(here.people()[:5])
    assert here.writes() == before


def test_deciding_again_after_the_apply_has_nothing_to_do(place):
    here = place()
    here.make_list()
    wanted = here.people()[:8]
    here.apply(here.plan(wanted))
    again = here.plan(wanted)
    assert (again.counts.add, again.counts.keep) == (0, 8)
    before = here.writes()
    assert here.apply(again).added == 0
    assert here.writes() == before


def test_nobody_who_said_no_is_added_and_each_refusal_has_its_reason(place):
    here = place(contacts=200)
    target = here.make_list()
    normal = here.people()
    here.put(target, normal[:3], "unsubscribed")
    here.sql("update contacts set status = 'donotcontact' where contact_id = ?", normal[5])
    here.pull()
    plan = here.plan(normal[:10])
    assert plan.refused == {"left_this_list": 3, "do_not_contact": 1}
    here.apply(plan)
    assert here.members(target) == set(normal[:10]) - set(normal[:3]) - {normal[5]}
    assert here.violations() == []


def test_an_apply_does_less_than_the_plan_when_people_say_no_meanwhile(place):
    here = place()
    target = here.make_list()
    wanted = here.people()[:10]
    plan = here.plan(wanted)
    here.put(target, [wanted[0]], "unsubscribed")
    here.sql("update contacts set status = 'donotcontact' where contact_id = ?", wanted[1])
    here.clock.sleep(2 * 3600)
    applied = here.apply(plan)
    assert applied.added == 8
    assert applied.left_out == {"unsubscribed": 1, "do_not_contact": 1}
    assert here.members(target) == set(wanted[2:])
    assert here.violations() == []


def test_who_says_no_while_the_batch_before_theirs_is_sent_is_left_out_told_and_remembered(place):
    here = place(settings=Settings(batch_size=2))
    target = here.make_list()
    wanted = here.people()[:9]
    plan = here.plan(wanted)
    (key,) = here.sql("select lower(email) from contacts where contact_id = ?", wanted[4])[0]
    sent = []

    def meanwhile(method, what):
        sent.append(what)
        if len(sent) == 2:  # the second batch leaves; the third and fourth are looked at after it
            here.put(target, wanted[5:6])  # by another client
            here.put(target, wanted[6:7], "unsubscribed")
            here.sql("update contacts set status = 'donotcontact' where contact_id = ?", wanted[4])
            here.sql("update contacts set status = 'bounced' where contact_id = ?", wanted[7])
            here.sql("delete from contacts where contact_id = ?", wanted[8])

    here.client.before_write = meanwhile
    applied = here.apply(plan)
    assert sent == sent[:2], "two of five batches were sent at all"
    assert applied.left_out == {
        "do_not_contact": 1,
        "already_there": 1,
        "unsubscribed": 1,
        "bounced": 1,
        "gone": 1,
    }
    assert (applied.added, applied.not_sent) == (4, 0)
    assert here.members(target) == {*wanted[:4], wanted[5]}
    assert here.violations() == []
    # Both rows vanish before a pull could see them; what was learned does not.
    here.sql("delete from subscriptions where contact_id = ?", wanted[6])
    here.sql(
        "update contacts set status = 'normal', email = ? where contact_id = ?",
        "other@example.com",
        wanted[4],
    )
    here.sql("insert into contacts (contact_id, folder_id, email, status, create_date) values (777777, ?, ?, 'normal', 1700000000)",
             here.running.client_folder_id, key)  # fmt: skip
    here.client.before_write = None
    here.pull()
    again = here.plan([*wanted, 777777])
    assert again.refused == {"left_this_list": 1, "do_not_contact": 2, "bounced": 1, "gone": 1}


def test_another_client_who_edits_the_list_between_plan_and_apply_loses_nothing(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[20:25])
    plan = here.plan(people[:10])
    here.put(target, people[30:32])  # two more members
    here.put(target, [people[0]])  # one of ours already
    here.sql("delete from subscriptions where list_id = ? and contact_id = ?", target, people[20])
    applied = here.apply(plan)
    assert applied.left_out == {"already_there": 1}
    assert here.members(target) == {*people[:10], *people[21:25], *people[30:32]}
    assert applied.read_back is not None
    assert applied.read_back.equal


def test_what_a_person_said_between_plan_and_apply_is_kept_as_a_fact(place):
    here = place()
    target = here.make_list()
    wanted = here.people()[:4]
    plan = here.plan(wanted)
    here.put(target, [wanted[0]], "unsubscribed")
    here.apply(plan)
    # The row vanishes before any pull could see it; the fact does not.
    here.sql("delete from subscriptions where list_id = ? and contact_id = ?", target, wanted[0])
    assert here.plan(wanted).refused == {"left_this_list": 1}


def test_a_deleted_and_recreated_person_stays_refused(place):
    here = place()
    here.make_list()
    person = here.people()[0]
    (email,) = here.sql("select email from contacts where contact_id = ?", person)[0]
    here.sql("update contacts set status = 'donotcontact' where contact_id = ?", person)
    here.pull()
    here.clock.sleep(3600)
    here.sql("delete from contacts where contact_id = ?", person)
    here.sql(
        "insert into contacts (contact_id, folder_id, email, status, create_date) values (999999, ?, ?, 'normal', 1700000000)",
        here.running.client_folder_id,
        email,
    )
    here.pull()
    assert here.plan([999999]).refused in ({"do_not_contact": 1}, {"gone": 1})


def test_stops_need_answers_and_say_how_to_give_them(place):
    here = place()
    here.make_list()
    plan = here.plan(here.people()[:12])
    with pytest.raises(NeedsYou, match="asks before it acts") as stopped:
        here.apply(plan, confirm=False)
    assert stopped.value.code == "needs-answer"
    assert stopped.value.next == [["icx", "apply", plan.plan_id, "--yes"]]
    asked = []
    here.apply(plan, confirm=False, ask=lambda stop, number, of: asked.append(stop.key) or "y")
    assert asked == ["first-push"]


def test_growth_needs_the_count_and_removals_too(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:10])
    plan = here.plan(people[8:20], stale="park")
    stops = {stop.key: stop.confirm for stop in plan.stops}
    assert stops == {"first-push": "y", "parking": "y", "growth": "10", "removals": "8"}
    with pytest.raises(NeedsYou):
        here.apply(plan, confirm=False, answers={**here.answers(plan), "growth": "11"})
    here.apply(plan)
    assert here.members(target) == set(people[8:20])


def test_a_list_that_mails_halts_until_its_name_is_typed(place):
    here = place()
    here.make_list(welcomeOnManualAdd=1)
    plan = here.plan(here.people()[:3])
    assert plan.welcome == 3
    assert "this list sends a welcome: 3 messages" in str(plan)
    with pytest.raises(NeedsYou):
        here.apply(plan, confirm=False, answers={"first-push": "y", "welcome": "yes"})
    assert here.apply(plan).added == 3


def test_welcome_mail_switched_on_after_the_plan_is_a_stop_too(place):
    here = place()
    target = here.make_list()
    plan = here.plan(here.people()[:3])
    here.sql("update lists set welcome_on_manual_add = 1 where list_id = ?", target)
    with pytest.raises(NeedsYou) as stopped:
        here.apply(plan)
    assert "welcome" in stopped.value.where_text()
    assert here.members(target) == set()
    assert here.apply(plan, answers={"first-push": "y", "welcome": "Target"}).added == 3


def test_stale_members_stay_by_default_and_are_parked_by_choice(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:6])
    assert here.plan(people[4:8]).counts.stale == 4
    here.apply(here.plan(people[4:8], stale="park"))
    assert here.members(target) == set(people[4:8])
    (parking,) = here.sql("select list_id from lists where name = 'icx parking'")[0]
    assert here.members(parking) == set(people[:4])
    assert here.violations() == []


def test_people_we_parked_come_back_by_a_move(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:4])
    here.apply(here.plan(people[2:4], stale="park"))
    here.clock.sleep(3600)
    here.pull()
    here.apply(here.plan(people[:4], stale="park"))
    (parking,) = here.sql("select list_id from lists where name = 'icx parking'")[0]
    assert here.members(target) == set(people[:4])
    assert here.on(parking) == {}


def test_leaving_the_parking_list_counts_as_leaving_the_origin(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:4])
    here.apply(here.plan(people[2:4], stale="park"))
    (parking,) = here.sql("select list_id from lists where name = 'icx parking'")[0]
    here.put(parking, [people[0]], "unsubscribed")
    assert here.plan(people[:4]).refused == {"left_this_list": 1}
    here.pull()
    here.sql("delete from subscriptions where list_id = ?", parking)
    assert here.plan(people[:4]).refused == {"left_this_list": 1}


def test_unsubscribing_needs_the_count_and_has_no_way_back(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:20])
    plan = here.plan(people[1:20], stale="unsubscribe")
    assert [stop.confirm for stop in plan.stops if stop.key == "unsubscribe"] == ["1"]
    here.apply(plan)
    assert here.on(target)[people[0]] == "unsubscribed"
    assert here.plan(people[:1]).refused == {"left_this_list": 1}


def test_undo_moves_whom_the_plan_added_to_the_parking_list(place):
    here = place()
    target = here.make_list()
    people = here.people()
    here.put(target, people[:5])
    plan = here.plan(people[3:9])
    here.apply(plan)
    before = here.writes()
    back = here.undo(plan.plan_id)
    assert here.writes() == before
    assert back.counts.park == 4
    assert '\n      4  that P-1 added move to "' in str(back)
    heard = []
    here.apply(back, progress=heard.append)
    assert {one.what for one in heard} >= {"parking"}
    assert "adding" not in {one.what for one in heard}
    assert here.members(target) == set(people[:5])


def test_undo_of_a_plan_that_did_nothing_says_so(place):
    here = place()
    here.make_list()
    plan = here.plan(here.people()[:2])
    with pytest.raises(BadInput, match="nothing to take back"):
        here.undo(plan.plan_id)


def test_a_list_is_made_on_request_only_and_only_once(place):
    here = place()
    people = here.people()
    with pytest.raises(BadInput) as unknown:
        here.plan(people[:3], to="Targett")
    assert unknown.value.code == "list-unknown"
    plan = here.plan(people[:3], to="Brand new", create=True)
    assert "Brand new (to be made)" in str(plan)
    here.apply(plan)
    ((made, count),) = here.sql("select min(list_id), count(*) from lists where name = 'Brand new'")
    assert count == 1
    assert here.members(made) == set(people[:3])


def test_two_lists_of_one_name_are_an_error_that_prints_both_ids(place):
    here = place()
    first, second = here.make_list(), here.make_list()
    here.put(first, here.people()[:2])
    with pytest.raises(BadInput) as twice:
        here.plan(here.people()[:3])
    assert twice.value.code == "list-twice"
    assert f"{first} with 2 members, {second} with 0 members" in twice.value.where_text()
    assert here.plan(here.people()[:3], to=f"#{second}").target.list_id == second


def test_a_list_deleted_after_the_plan_closes_it(place):
    here = place()
    target = here.make_list()
    plan = here.plan(here.people()[:3])
    here.client.delete("lists", target)
    with pytest.raises(Refused) as gone:
        here.apply(plan)
    assert gone.value.code == "list-gone"
    assert here.plans.get(plan.plan_id).state == "closed"


def test_the_push_switch_off_makes_no_request_at_all(place):
    here = place()
    here.make_list()
    plan = here.plan(here.people()[:3])
    before = here.calls()
    here.settings = replace(here.settings, push=False)
    for one in (None, here.people()[0]):
        with pytest.raises(NeedsYou) as held:
            here.apply(plan, confirm=False, test=one)
        assert held.value.code == "push-off"
        assert "icx.toml: push = false" in str(held.value)
    assert here.calls() == before
    here.settings = replace(here.settings, push=True)
    assert here.apply(plan).added == 3
    back = here.undo(plan.plan_id)
    before = here.calls()
    here.settings = replace(here.settings, push=False)
    with pytest.raises(NeedsYou) as held:
        here.apply(back)
    assert (held.value.code, here.calls()) == ("push-off", before)
    assert here.apply(plan).state == "finished"  # told from the journal


def test_one_person_can_be_tried_first(place):
    here = place()
    target = here.make_list()
    people = here.people()[:5]
    plan = here.plan(people)
    tried = here.apply(plan, confirm=False, test=people[2])
    assert (tried.state, tried.added) == ("tested", 1)
    assert here.members(target) == {people[2]}
    whole = here.apply(plan)
    assert whole.added == 5
    assert here.members(target) == set(people)


def test_a_gate_that_failed_holds_the_apply_and_an_override_is_recorded(place):
    here = place()
    here.make_list()

    class Failed:
        ok, failed, stale = False, ["profile/email"], []

    plan = here.plan(here.people()[:3], gate=Failed())
    with pytest.raises(NeedsYou) as held:
        here.apply(plan)
    assert held.value.code == "check-failed"
    over = {"check": "profile/email", "who": "maya", "because": "the odd addresses are known"}
    assert here.apply(here.plan(here.people()[:3], gate=Failed(), override=over)).added == 3
    with here.store.open() as con:
        said = con.execute("select verb, because from shared.record where verb = 'overrode'").fetchall()
    assert said == [("overrode", "the odd addresses are known")]


def test_contacts_are_created_by_choice_only_and_never_twice(place):
    here = place()
    target = here.make_list()
    people = here.people()
    (known,) = here.sql("select email from contacts where contact_id = ?", people[0])[0]
    want = here.want(people[:1]).to_pylist()
    want += [
        {"contact_id": None, "email": "new@example.com", "email_key": "new@example.com"},
        {"contact_id": None, "email": "late@example.com", "email_key": "late@example.com"},
        {"contact_id": None, "email": known.upper(), "email_key": want[0]["email_key"]},
    ]
    table = here.want([]).from_pylist(want, schema=here.want([]).schema)
    assert here.plan(table).refused == {"no_id": 2}
    plan = here.plan(table, create_contacts=True)
    assert [stop.key for stop in plan.stops] == ["first-push", "basis"]
    here.sql(
        "insert into contacts (contact_id, folder_id, email, status, create_date) values (888888, ?, 'Late@example.com', 'normal', 1700000000)",
        here.running.client_folder_id,
    )
    applied = here.apply(plan)
    assert (applied.added, applied.created) == (3, 1)
    ((new,),) = here.sql("select contact_id from contacts where email = 'new@example.com'")
    assert here.members(target) == {people[0], new, 888888}


def test_a_contact_made_meanwhile_by_somebody_who_said_no_is_not_added(place):
    here = place()
    target = here.make_list()
    row = [{"contact_id": None, "email": "no@example.com", "email_key": "no@example.com"}]
    table = here.want([]).from_pylist(row, schema=here.want([]).schema)
    plan = here.plan(table, create_contacts=True, basis="signed up in the shop")
    here.sql(
        "insert into contacts (contact_id, folder_id, email, status, create_date)"
        " values (888888, ?, 'no@example.com', 'donotcontact', 1700000000)",
        here.running.client_folder_id,
    )
    assert here.apply(plan).left_out == {"do_not_contact": 1}
    assert here.on(target) == {}
    assert here.violations() == []


def test_who_said_no_a_moment_after_the_pull_is_left_out(place):
    here = place()
    target = here.make_list()
    people = here.people()[:5]
    plan = here.plan(people)
    here.sql("update contacts set status = 'donotcontact' where contact_id = ?", people[0])
    here.client.delete("contacts", people[1])
    here.apply(plan)
    assert here.members(target) == set(people[2:])
    assert here.violations() == []


def test_an_applied_plan_applied_again_sends_nothing(place):
    here = place()
    here.make_list()
    plan = here.plan(here.people()[:3])
    first = here.apply(plan)
    before = here.calls()
    again = here.apply(plan)
    assert again.as_dict() == first.as_dict() | {"already": True}
    assert str(again).startswith("P-1 is finished already; nothing was sent now. Then: 3 added")
    assert here.calls() == before
