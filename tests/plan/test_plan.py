"""What a plan says: sums that add up, words for people, JSON for machines, and a notebook view without addresses."""

import json
import re
from pathlib import Path

import pytest

import icx.plan
from icx.errors import BadInput
from icx.plan import Target, load
from icx.plan.decide import Counts
from icx.plan.policy import Policy
from icx.plan.send import may
from icx.plan.stops import Stop, confirm_options, stops
from icx.settings import Settings
from icx.store import pushed
from icx.store.plans import Plans

TRANSCRIPT = """\
P-1  Acme Outdoor ({account}) › Main ({folder}) › Target ({list})  nothing has been sent
      6  add       can be undone: moved to the parking list, one call each
      2  keep      already on the list
      4  refused   3 left this list · 1 do-not-contact · no option changes this
     12  people in the audience as of 21 Nov 07:00 EST
      3  no longer match and stay (--stale park moves them; --stale unsubscribe is final)
List    5 members, read just now; 11 after       Fields  none sent, people go by contact id
Mail    this list sends a welcome: 6 messages. Automations cannot be read: look in iContact
Checks  not asked for                            Cost    7 calls, under a minute
Stops   1 first push to this list · 2 grows by 120 %, limit 50 % · 3 welcome mail
Apply reads again first and may do less than this, never more. Next: icx apply P-1
 unattended: icx apply P-1 --yes --confirm growth=6 --confirm welcome=Target"""


@pytest.fixture
def planned(place):
    here = place(contacts=200)
    target = here.make_list(welcomeOnManualAdd=1)
    people = here.people()
    here.put(target, people[:5])
    here.put(target, people[10:13], "unsubscribed")
    here.sql("update contacts set status = 'donotcontact' where contact_id = ?", people[13])
    here.pull()
    return here, target, here.plan([*people[3:5], *people[10:20]])


def test_the_transcript_says_what_would_be_so_then_what_to_type(planned):
    here, target, plan = planned
    words = TRANSCRIPT.format(
        account=here.running.account_id, folder=here.running.client_folder_id, list=target
    )
    assert re.sub(r"\) {2,}nothing", ")  nothing", str(plan)) == words


def test_the_json_counts_add_up_and_hold_no_people(planned):
    _, target, plan = planned
    told = plan.as_dict()
    counts = told["counts"]
    assert counts["wanted"] == counts["add"] + counts["create"] + counts["keep"] + counts["refused"] == 12
    assert sum(told["refused"].values()) == counts["refused"]
    assert told["target"]["list_id"] == target
    assert told["stops"][1:] == [
        {"key": "growth", "value": 1.2, "limit": 0.5, "confirm": "6"},
        {"key": "welcome", "value": 6, "confirm": "Target"},
    ]
    assert "@" not in json.dumps(told)


def test_the_notebook_view_masks_people_and_asks_nothing_from_outside(planned):
    here, _, plan = planned
    view = plan._repr_html_()
    emails = [row[0] for row in here.sql("select email from contacts where email is not null")]
    assert not any(email in view for email in emails)
    assert "Left this list" in view
    assert "http" not in view
    assert "<script" not in view


def test_text_from_outside_cannot_become_markup(place):
    here = place()
    here.make_list("<b>VIP</b>\x1b[31m")
    plan = here.plan(here.people()[:1], to="<b>VIP</b>\x1b[31m")
    assert "<b>VIP" not in plan._repr_html_()
    assert "\x1b" not in str(plan)
    assert "\\x1b[31m" in str(plan)


def test_a_plan_is_the_same_from_another_process(planned):
    here, _, plan = planned
    again = load(Plans(here.journal), plan.plan_id)
    assert again == plan
    assert again.rows().equals(plan.rows())


def test_a_plan_says_per_row_whether_it_can_be_undone(planned):
    _, _, plan = planned
    rows = plan.rows().to_pylist()
    assert {row["action"] for row in rows if row["undoable"]} == {"add"}
    assert sum(row["undoable"] for row in rows) == plan.as_dict()["undoable"] == 6


def test_plans_are_numbered_and_an_unknown_one_is_named(planned):
    here, _, plan = planned
    assert plan.plan_id == "P-1"
    assert here.plan(here.people()[:1]).plan_id == "P-2"
    with pytest.raises(BadInput, match='There is no plan "P-9"') as unknown:
        here.apply("P-9")
    assert unknown.value.where == "the latest are: P-2, P-1"


def test_who_planned_and_who_applied_is_on_record(planned):
    here, _, plan = planned
    here.apply(plan)
    with here.store.open() as con:
        said = con.execute(
            "select who, verb, what from shared.record order by happened_at, verb desc"
        ).fetchall()
    assert [(who, verb) for who, verb, _ in said] == [("maya", "planned"), ("maya", "applied")]
    assert all(what.startswith("P-1: Loyal to Acme Outdoor") for _, _, what in said)


def test_every_outcome_is_a_row_and_a_person_can_ask_for_theirs(planned):
    here, _, plan = planned
    here.apply(plan)
    added = [row for row in plan.rows().to_pylist() if row["action"] == "add"]
    outcomes = here.plans.outcomes(plan.plan_id)
    assert {row["contact_id"] for row in outcomes} == {row["contact_id"] for row in added}
    (mine,) = pushed.of_contact(here.plans.journal, added[0]["contact_id"])
    assert (mine["plan"], mine["audience"], mine["state"], mine["who"]) == ("P-1", "Loyal", "done", "maya")


def test_the_only_list_of_a_folder_needs_no_name(place):
    here = place()
    for (list_id,) in here.sql("select list_id from lists where not deleted"):
        here.client.delete("lists", list_id)
    target = here.make_list("Everybody")
    assert here.plan(here.people()[:1], to="").target.list_id == target


def test_another_connections_audience_is_matched_by_address(place):
    here = place()
    here.make_list()
    rows = here.want(here.people()[:3]).to_pylist()
    foreign = [row | {"contact_id": row["contact_id"] + 10**6} for row in rows]
    foreign.append({"contact_id": 5, "email": "nobody@example.com", "email_key": "nobody@example.com"})
    plan = here.plan(here.want([]).from_pylist(foreign, schema=here.want([]).schema), match="email")
    assert (plan.counts.add, plan.refused) == (3, {"no_id": 1})
    added = [row["contact_id"] for row in plan.rows().to_pylist() if row["action"] == "add"]
    assert added == here.people()[:3]


def test_do_not_contact_of_a_folder_named_one_sender_counts_here(place):
    here = place(settings=Settings(one_sender=(("acme", "acme-outlet"),)))
    here.make_list()
    person = here.want(here.people()[:1]).to_pylist()[0]
    with here.store.open() as con:
        con.execute(
            "insert into shared.connections (name, account_id, client_folder_id, created_at)"
            " values ('acme-outlet', 1, 2, '2026-01-01')"
        )
        con.execute(
            "insert into shared.consent_facts values (1, 2, 77, ?, null, 'donotcontact',"
            " '2026-01-01', '2026-01-01', 'contact status', null)",
            [person["email_key"]],
        )
    assert here.plan(here.people()[:1]).refused == {"do_not_contact": 1}
    here.settings = Settings()
    assert here.plan(here.people()[:1]).refused == {}


def test_unconfirmed_people_are_asked_by_choice_only(place):
    here = place()
    target = here.make_list()
    person = here.people()[0]
    here.sql("update contacts set status = 'invitable' where contact_id = ?", person)
    here.pull()
    assert here.plan([person]).refused == {"invitable": 1}
    plan = here.plan([person], invite=True, confirmation_message=7)
    assert (plan.counts.add, plan.counts.pending, plan.counts.after) == (1, 1, 0)
    applied = here.apply(plan)
    assert (applied.added, applied.asked) == (0, 1)
    assert here.on(target) == {person: "pending"}


def test_a_choice_that_is_none_is_named():
    with pytest.raises(BadInput, match="nothing that can be done with stale members"):
        Policy(stale="delete")
    with pytest.raises(BadInput, match="needs the message"):
        Policy(invite=True)


def counted(**changes):
    base = dict.fromkeys(Counts.__dataclass_fields__, 0) | {"members": 100}
    return Counts(**base | changes)


def asked(counts, **changes):
    facts = {"first": False, "last_push": None, "welcome": 0, "basis": "", "makes_parking_list": None}
    found = stops(counts, list_name="VIP", settings=Settings(), **facts | changes)
    return {stop.key: stop.confirm for stop in found}


def test_stops_come_at_their_limits_and_not_before():
    assert asked(counted(add=50)) == {}
    assert asked(counted(add=51)) == {"growth": "51"}
    assert asked(counted(add=21), last_push=10) == {"growth": "21"}
    assert asked(counted(add=20), last_push=10) == {}
    assert asked(counted(park=10)) == {}
    assert asked(counted(park=11)) == {"removals": "11"}
    assert asked(counted(unsubscribe=1)) == {"unsubscribe": "1"}
    assert asked(counted(create=1)) == {"basis": ""}
    assert asked(counted(create=1), basis="shop") == {}
    assert asked(counted(add=1), first=True, welcome=1) == {"first-push": "y", "welcome": "VIP"}
    assert asked(counted(), first=True) == {}


def test_the_options_that_answer_are_printed_ready():
    found = [Stop("welcome", "Durham regulars", "", ""), Stop("first-push", "y", "", "")]
    assert confirm_options(found) == ["--yes", "--confirm", "welcome=Durham regulars"]


@pytest.mark.parametrize(
    ("before", "after"),
    [("unsubscribed", "normal"), ("unsubscribed", "pending"), ("pending", "normal"), ("normal", "normal")],
)
def test_the_last_gate_before_the_wire_refuses_what_consent_does_not_list(before, after):
    with pytest.raises(ValueError, match="never turns"):
        may(before, after)


def test_only_two_files_write_to_icontact():
    writing = re.compile(r"client\.(create|update|move|delete|subscribe)\(")
    folder = Path(icx.plan.__file__).parent
    found = {path.name for path in folder.glob("*.py") if writing.search(path.read_text(encoding="utf-8"))}
    assert found == {"send.py", "contacts.py"}


def test_the_target_line_names_company_folder_and_list():
    target = Target("acme", "Acme Outdoor", 41733, 8021, "Main", "Durham regulars", 3004)
    assert target.line() == "Acme Outdoor (41733) › Main (8021) › Durham regulars (3004)"
