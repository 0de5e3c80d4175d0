"""Deciding on sets: nobody who said no is added, everybody is counted once, deciding again is empty."""

import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.plan.decide import CONTACTS, FACTS, HAVE, OWN_WRITES, PARKING, WANT, decide
from icx.plan.policy import Policy

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
THEN = datetime(2026, 11, 1, 12)  # noqa: DTZ001 - as the store keeps it


def table(schema, rows):
    names = schema.names
    return pa.Table.from_pylist([dict(zip(names, row, strict=False)) for row in rows], schema=schema)


def people(*ids):
    return [(n, f"p{n}@example.com", f"p{n}@example.com") for n in ids]


def decided(wanted, have=(), contacts=(), facts=(), own=(), *, policy=None, parking=()):
    return decide(
        table(WANT, wanted),
        table(HAVE, have),
        table(CONTACTS, contacts),
        table(FACTS, facts),
        table(OWN_WRITES, own),
        policy=policy or Policy(),
        now=NOW,
        parking=table(PARKING, parking),
    )


def normal(*ids):
    return [(*person, "normal") for person in people(*ids)]


def action(decision, contact_id):
    (row,) = [row for row in decision.rows.to_pylist() if row["contact_id"] == contact_id]
    return row["action"], row["reason"]


def test_a_new_person_is_added_and_a_member_kept():
    decision = decided(people(1, 2), [(2, "normal", THEN)], normal(1, 2))
    assert action(decision, 1) == ("add", "")
    assert action(decision, 2) == ("keep", "")
    assert decision.counts.after == 2


def test_a_person_the_service_no_longer_lists_is_refused():
    assert action(decided(people(1)), 1) == ("refuse", "gone")


def test_a_person_who_left_is_refused_by_id_and_by_address():
    left = (7, "p1@example.com", "left", THEN, "subscription", None)
    assert action(decided(people(1), contacts=normal(1), facts=[left]), 1) == ("refuse", "left_this_list")
    by_id = (1, None, "left", THEN, "subscription", None)
    assert action(decided(people(1), contacts=normal(1), facts=[by_id]), 1) == ("refuse", "left_this_list")


def test_the_refusal_names_its_fact_and_its_date():
    left = (1, None, "left", THEN, "unsubscribe event", 70412)
    (row,) = decided(people(1), contacts=normal(1), facts=[left]).rows.to_pylist()
    assert (row["fact_at"], row["source"], row["message_id"]) == (THEN, "unsubscribe event", 70412)


def test_a_refusal_that_todays_read_repeats_keeps_its_own_date():
    left = (1, None, "left", THEN, "unsubscribe event", 70412)
    seen = (1, None, "left", THEN + timedelta(days=4), "subscription", None)
    read = [(1, "unsubscribed", THEN)]
    (row,) = decided(people(1), read, normal(1), [left, seen]).rows.to_pylist()
    assert (row["action"], row["reason"]) == ("refuse", "left_this_list")
    assert (row["fact_at"], row["source"], row["message_id"]) == (THEN, "unsubscribe event", 70412)


def test_a_refusal_that_only_todays_read_knows_is_dated_today():
    came_back = [
        (1, None, "left", THEN, "unsubscribe event", 70412),
        (1, None, "normal", THEN + timedelta(days=1), "subscription", None),
    ]
    for facts in ([], came_back):
        (row,) = decided(people(1), [(1, "unsubscribed", THEN)], normal(1), facts).rows.to_pylist()
        assert (row["action"], row["source"]) == ("refuse", "subscription")
        assert row["fact_at"] == NOW.replace(tzinfo=None)


def test_a_deleted_and_recreated_person_stays_refused():
    gone = (1, "p1@example.com", "deleted", THEN, "contact status", None)
    again = [(99, "p1@example.com", "p1@example.com")]
    contacts = [(*again[0], "normal")]
    assert action(decided(again, contacts=contacts, facts=[gone]), 99) == ("refuse", "deleted")


def test_a_new_subscription_that_icx_did_not_write_ends_leaving():
    left = (1, None, "left", THEN, "subscription", None)
    back = (1, None, "normal", THEN + timedelta(days=1), "subscription", None)
    assert action(decided(people(1), contacts=normal(1), facts=[left, back]), 1) == ("add", "")


def test_a_subscription_that_icx_wrote_does_not_end_leaving():
    left = (1, None, "left", THEN, "subscription", None)
    back = (1, None, "normal", THEN + timedelta(days=1), "subscription", None)
    own = [(1, THEN + timedelta(days=1))]
    refused = decided(people(1), contacts=normal(1), facts=[left, back], own=own)
    assert action(refused, 1) == ("refuse", "left_this_list")


def test_leaving_again_after_coming_back_counts():
    facts = [
        (1, None, "left", THEN, "subscription", None),
        (1, None, "normal", THEN + timedelta(days=1), "subscription", None),
        (1, None, "left", THEN + timedelta(days=2), "subscription", None),
    ]
    assert action(decided(people(1), contacts=normal(1), facts=facts), 1) == ("refuse", "left_this_list")


@pytest.mark.parametrize("fact", ["donotcontact", "deleted", "gone"])
def test_nothing_ends_the_facts_that_never_end(fact):
    facts = [
        (1, None, fact, THEN, "contact status", None),
        (1, None, "normal", THEN + timedelta(days=1), "subscription", None),
    ]
    assert action(decided(people(1), contacts=normal(1), facts=facts), 1)[0] == "refuse"


def test_do_not_contact_of_one_contact_counts_for_the_other_with_the_same_address():
    contacts = [
        (1, "jo@example.com", "jo@example.com", "normal"),
        (2, "JO@example.com", "jo@example.com", "donotcontact"),
    ]
    decision = decided([(1, "jo@example.com", "jo@example.com")], contacts=contacts)
    assert action(decision, 1) == ("refuse", "do_not_contact")


def test_leaving_with_one_contact_counts_for_the_other_with_the_same_address():
    contacts = [
        (1, "jo@example.com", "jo@example.com", "normal"),
        (2, "JO@example.com", "jo@example.com", "normal"),
    ]
    decision = decided([(1, "jo@example.com", "jo@example.com")], [(2, "unsubscribed", THEN)], contacts)
    assert action(decision, 1) == ("refuse", "left_this_list")


def test_people_we_parked_are_not_people_who_left_and_come_back_by_a_move():
    decision = decided(people(1), contacts=normal(1), parking=[(1, "normal", True)])
    (row,) = decision.rows.to_pylist()
    assert (row["action"], row["via"]) == ("add", "move")


def test_leaving_the_parking_list_counts_as_leaving_the_origin():
    decision = decided(people(1), contacts=normal(1), parking=[(1, "unsubscribed", True)])
    assert action(decision, 1) == ("refuse", "left_this_list")
    other = decided(people(1), contacts=normal(1), parking=[(1, "unsubscribed", False)])
    assert action(other, 1) == ("add", "")


def test_who_is_on_the_parking_list_already_cannot_be_moved_there():
    decision = decided(
        [], [(1, "normal", THEN)], normal(1), policy=Policy(stale="park"), parking=[(1, "normal", False)]
    )
    assert action(decision, 1) == ("stay", "on_parking_list")


def test_people_without_an_id_are_reported_or_created_by_choice():
    wanted = [(None, "new@example.com", "new@example.com"), (None, "nothing", None)]
    reported = decided(wanted)
    assert reported.refused == {"no_id": 1, "no_address": 1}
    created = decided(wanted, policy=Policy(create_contacts=True, basis="signed up in the shop"))
    assert (created.counts.create, created.refused) == (1, {"no_address": 1})


def test_creating_somebody_who_said_no_under_this_address_is_refused():
    wanted = [(None, "new@example.com", "new@example.com")]
    facts = [(7, "new@example.com", "left", THEN, "subscription", None)]
    decision = decided(wanted, facts=facts, policy=Policy(create_contacts=True, basis="shop"))
    assert decision.refused == {"left_this_list": 1}


STATUS = st.sampled_from(["normal", "pending", "invitable", "bounced", "donotcontact", "gone"])
ON_LIST = st.sampled_from(["not", "not", "normal", "pending", "unsubscribed"])
FACT = st.sampled_from(["", "", "left", "donotcontact", "gone", "bounced", "normal"])


@settings(max_examples=25, deadline=None)
@given(
    folk=st.lists(st.tuples(STATUS, ON_LIST, FACT, st.booleans(), st.booleans()), max_size=12),
    stale=st.sampled_from(["stay", "park"]),
    invite=st.booleans(),
)
def test_applied_the_list_is_what_was_wanted_and_allowed_and_deciding_again_is_empty(folk, stale, invite):
    policy = Policy(stale=stale, invite=invite, confirmation_message=5 if invite else None)
    ids = range(len(folk))
    contacts = [(*people(n)[0], folk[n][0]) for n in ids]
    have = [(n, folk[n][1], THEN) for n in ids if folk[n][1] != "not"]
    facts = [(n, None, folk[n][2], THEN, "subscription", None) for n in ids if folk[n][2]]
    wanted = people(*(n for n in ids if folk[n][3]))
    parking = [(n, "normal", False) for n in ids if folk[n][4]]

    first = decided(wanted, have, contacts, facts, policy=policy, parking=parking)
    rows = first.rows.to_pylist()
    refused = {row["contact_id"] for row in rows if row["action"] == "refuse"}
    members = {n for n, status, _ in have if status == "normal"}
    pending = {n for n, status, _ in have if status == "pending"}
    asked = {row["contact_id"] for row in rows if row["action"] == "add_pending"}
    want = {n for n, *_ in wanted}
    after = {n: status for n, status, _ in have}
    for row in rows:
        if row["action"] in {"add", "add_pending"}:
            assert row["contact_id"] not in after
            after[row["contact_id"]] = "normal" if row["action"] == "add" else "pending"
        if row["action"] == "park":
            del after[row["contact_id"]]
    now_members = {n for n, status in after.items() if status == "normal"}

    allowed = want - refused - asked - pending
    immovable = {n for n, *_ in parking}
    immovable |= {n for n in ids if folk[n][0] != "normal" or folk[n][2] in {"donotcontact", "gone"}}
    assert now_members == (members | allowed if stale == "stay" else allowed | ((members - want) & immovable))
    counts = first.counts
    assert counts.wanted == counts.add + counts.create + counts.keep + counts.refused == len(want)
    assert counts.after + counts.pending == len(now_members) + len(asked)
    assert sum(first.refused.values()) == counts.refused

    parked = [(row["contact_id"], "normal", True) for row in rows if row["action"] == "park"]
    again = decided(
        wanted,
        [(n, status, THEN) for n, status in after.items()],
        contacts,
        facts,
        policy=policy,
        parking=[*parking, *parked],
    )
    assert {row["action"] for row in again.rows.to_pylist()} <= {"keep", "refuse", "stay"}


def test_a_million_people_are_decided_in_a_few_seconds():
    n = 100_000  # a tenth, to be kind to the machine; the statement is one join, it grows straight
    ids = pa.array(range(n), pa.int64())
    keys = pa.array([f"p{i}@example.com" for i in range(n)])
    want = pa.table({"contact_id": ids, "email": keys, "email_key": keys})
    contacts = want.append_column("status", pa.array(["normal"] * n))
    have = pa.table(
        {
            "contact_id": ids[::3],
            "status": pa.array(["normal", "unsubscribed"] * (len(ids[::3]) // 2 + 1))[: len(ids[::3])],
            "add_date": pa.array([THEN] * len(ids[::3]), pa.timestamp("us")),
        }
    )
    began = time.perf_counter()
    decision = decide(
        want, have, contacts, FACTS.empty_table(), OWN_WRITES.empty_table(), policy=Policy(), now=NOW
    )
    assert decision.counts.wanted == n
    assert time.perf_counter() - began < 6
