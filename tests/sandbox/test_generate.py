"""The generated account: the same for the same seed, of believable figures, and never later than its moment."""

import json
import sqlite3
import statistics
from collections import Counter

import pytest
from generated import AS_OF, SCHEMA, TABLES, Account
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.sandbox.generate import generate
from icx.sandbox.zone import DAY


@pytest.fixture(scope="module")
def account():
    account = Account(10_412, 96, seed=1)
    yield account
    account.con.close()


DURHAM = """
    select contact_id from contacts c where city = 'Durham' and status <> 'deleted'
    and (select count(*) from events e where e.contact_id = c.contact_id and kind = 'open'
         and event_time >= ? - 90 * 86400) >= 3
    and not exists (select 1 from events e where e.contact_id = c.contact_id and kind = 'click'
                    and event_time >= ? - 7 * 86400)"""


def audience(account):
    account.con.execute("create index if not exists by_contact on events (contact_id)")
    return {contact for (contact,) in account.rows(DURHAM, AS_OF, AS_OF)}


def test_same_seed_gives_the_same_account_and_another_seed_another():
    first, again, other = Account(300, 24, 5), Account(300, 24, 5), Account(300, 24, 6)
    assert first.everything() == again.everything()
    assert first.made == again.made
    for table in set(TABLES) - {"lists", "custom_fields", "campaigns"}:
        assert first.everything()[table] != other.everything()[table], table
    for account in (first, again, other):
        account.con.close()


def test_counts_told_are_the_counts_stored(account):
    made = account.made
    assert made.contacts == account.one("select count(*) from contacts where status <> 'deleted'") == 10_412
    assert made.deleted == account.one("select count(*) from contacts where status = 'deleted'") > 100
    assert made.messages == account.one("select count(*) from messages") == 96
    assert made.events == account.one("select count(*) from events") > 40_000
    assert made.subscriptions == account.one("select count(*) from subscriptions")


def test_demo_audience_is_of_a_size_to_look_at_and_has_every_kind_of_refusal(account):
    people = audience(account)
    assert 50 <= len(people) <= 500
    other = Account(10_412, 96, seed=2)
    assert 50 <= len(audience(other)) <= 500
    assert audience(other) != people
    other.con.close()
    regulars = dict(
        account.rows(
            "select contact_id, s.status from subscriptions s join lists l using (list_id) where name = 'Durham regulars'"
        )
    )
    statuses = dict(account.rows("select contact_id, status from contacts"))
    assert 40 <= sum(status == "normal" for status in regulars.values()) <= 90
    fate = Counter((statuses[person], regulars.get(person, "not")) for person in people)
    assert fate["normal", "not"] > 50
    assert fate["normal", "normal"] > 10
    assert fate["normal", "unsubscribed"] > 5
    assert fate["donotcontact", "not"] > 0
    assert fate["bounced", "not"] > 0


def test_many_people_did_nothing_and_a_few_did_very_much(account):
    per_person = [
        count
        for (count,) in account.rows(
            "select count(event_id) from contacts c left join events using (contact_id)"
            " where c.status <> 'deleted' group by c.contact_id"
        )
    ]
    active = sorted(count for count in per_person if count)
    assert len(active) <= 0.7 * len(per_person)
    assert active[int(len(active) * 0.99)] / statistics.median(active) >= 3
    recent = account.one("select count(*) from events where event_time >= ?", AS_OF - 90 * DAY)
    assert recent > 5_000


def test_opens_and_clicks_decay_with_the_age_of_the_message(account):
    ages = account.rows(
        "select (event_time - released_time) / 86400 from events join sends using (message_id) where kind = 'open'"
    )
    days = Counter(age for (age,) in ages)
    assert days[0] > 3 * days[1] > 6 * days[5] > 0
    assert any(day > 60 for day in days)


@pytest.mark.parametrize(
    ("contacts", "messages", "seed"),
    [(10_412, 96, None), (400, 12, 3), (20, 8, 4), (7, 3, 5), (1, 0, 6), (1, 1, 7)],
)
def test_nothing_happens_before_its_cause_or_after_the_moment(account, contacts, messages, seed):
    one = account if seed is None else Account(contacts, messages, seed)
    check_times(one, AS_OF)
    if one is not account:
        one.con.close()


def check_times(account, as_of):
    early = (
        "select count(*) from events join contacts using (contact_id) where event_time < create_date",
        "select count(*) from events e left join sends s using (message_id) where event_time < coalesce(released_time, 2e10)",
        "select count(*) from subscriptions join contacts using (contact_id) where add_date < create_date",
        "select count(*) from sends join messages using (message_id) where released_time < create_date",
        "select count(*) from actions join contacts using (contact_id) where action_time < create_date",
    )
    for sql in early:
        assert account.one(sql) == 0, sql
    for table, column in (
        ("events", "event_time"),
        ("contacts", "create_date"),
        ("subscriptions", "add_date"),
        ("messages", "create_date"),
        ("sends", "released_time"),
        ("actions", "action_time"),
    ):
        latest = account.one(f"select max({column}) from {table}")
        assert latest is None or latest <= as_of, table


@settings(max_examples=40, deadline=None)
@given(
    contacts=st.integers(1, 60),
    messages=st.integers(0, 30),
    seed=st.integers(0, 2**63),
    as_of=st.integers(1_262_304_000, 1_893_456_000),
)
def test_any_small_account_is_consistent(contacts, messages, seed, as_of):
    account = Account(contacts, messages, seed, as_of)
    check_times(account, as_of)
    check_goodbyes(account)
    assert account.made.contacts == account.one("select count(*) from contacts where status <> 'deleted'")
    orphans = "select count(*) from subscriptions where contact_id not in (select contact_id from contacts)"
    assert account.one(orphans) == 0
    account.con.close()


def check_goodbyes(account):
    lists = {
        message: set(included.split(","))
        for message, included in account.rows("select message_id, include_list_ids from sends")
    }
    left = {
        (contact, moment, json.loads(details)["listId"])
        for contact, moment, details in account.rows(
            "select contact_id, action_time, details from actions where action_type = 'EditSubscription'"
        )
    }
    known = {
        contact for (contact,) in account.rows("select contact_id from contacts where status <> 'deleted'")
    }
    status = {
        (str(list_id), contact): status
        for list_id, contact, status in account.rows("select list_id, contact_id, status from subscriptions")
    }
    for message, contact, moment in account.rows(
        "select message_id, contact_id, event_time from events where kind = 'unsubscribe'"
    ):
        from_lists = [one for one in lists[message] if (contact, moment, one) in left]
        assert from_lists, (message, contact)
        assert contact not in known or all(status[one, contact] == "unsubscribed" for one in from_lists)
    gone = {(one, contact) for contact, _, one in left if contact in known}
    assert gone == {key for key, value in status.items() if value == "unsubscribed"}


def test_an_unsubscribe_leaves_a_list_of_the_send_at_that_time(account):
    assert account.one("select count(*) from events where kind = 'unsubscribe'") > 50
    check_goodbyes(account)


def test_a_second_folder_goes_on_behind_the_first():
    account = Account(100, 6, 1)
    first = account.everything()
    account.generate(60, 4, 1, folder_id=9120, folder_name="Events")
    assert account.one("select count(*) from contacts where folder_id = 9120 and status <> 'deleted'") == 60
    assert (
        account.rows("select * from contacts where folder_id = 8021 order by contact_id") == first["contacts"]
    )
    assert account.rows("select name from folders order by folder_id") == [("Main",), ("Events",)]
    assert account.one("select count(*) from accounts") == 1
    account.con.close()


def test_more_custom_fields_are_an_option():
    account = Account(40, 2, 1, extra_custom_fields=200)
    assert account.one("select count(*) from custom_fields") == 209
    account.con.close()


def test_it_nests_in_a_transaction_and_keeps_the_indexes():
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.executescript(SCHEMA)
    before = con.execute("select name from sqlite_master where type = 'index' order by name").fetchall()
    con.execute("begin")
    generate(con, contacts=30, messages=3, seed=1, as_of=AS_OF)
    con.execute("rollback")
    assert con.execute("select count(*) from contacts").fetchone() == (0,)
    generate(con, contacts=30, messages=3, seed=1, as_of=AS_OF)
    assert (
        con.execute("select name from sqlite_master where type = 'index' order by name").fetchall() == before
    )
    con.close()


def test_an_account_of_nobody_is_refused():
    con = sqlite3.connect(":memory:")
    with pytest.raises(ValueError, match="needs a contact"):
        generate(con, contacts=0, messages=3, seed=1, as_of=AS_OF)
    con.close()
