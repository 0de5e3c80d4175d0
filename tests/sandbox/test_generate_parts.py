"""What a generated account is made of: machines, odd links, odd people, clock changes, tags."""

from collections import Counter
from datetime import datetime

import pytest
from generated import AS_OF, Account

from icx import functions
from icx.sandbox.links import ODD
from icx.sandbox.zone import DAY, EASTERN, clock_changes


@pytest.fixture(scope="module")
def account():
    account = Account(10_412, 96, seed=1)
    yield account
    account.con.close()


def test_machines_are_labelled_and_behave_as_machines_do(account):
    late = (
        "select count(*) from events join sends using (message_id)"
        " where kind = 'open' and machine = 1 and event_time - released_time >= 10"
    )
    assert account.one(late) == 0
    scans = account.rows(
        "select count(distinct url), max(event_time) - min(event_time) from events"
        " where kind = 'click' and machine = 1 group by message_id, contact_id"
    )
    assert len(scans) > 100
    assert all(links >= 3 and seconds < 10 for links, seconds in scans)
    assert account.one("select count(*) from events where kind = 'open' and machine = 1") > 1_000


def test_some_rows_are_exactly_alike(account):
    alike = "select count(*) from (select 1 from events group by {} having count(*) > 1)"
    columns = "message_id, kind, contact_id, event_time, coalesce(url, '')"
    assert account.one(alike.format(columns)) > 100


def test_deleted_people_and_people_who_never_were_have_events(account):
    deleted = "select count(*) from events join contacts using (contact_id) where status = 'deleted'"
    assert account.one(deleted) > 20
    never = "select count(*) from events where contact_id not in (select contact_id from contacts)"
    assert account.one(never) > 20


def test_deleted_people_are_on_no_list(account):
    sql = "select count(*) from subscriptions s join contacts c using (contact_id) where c.status = 'deleted'"
    assert account.one(sql) == 0


def test_every_odd_link_is_clicked(account):
    clicked = {url for (url,) in account.rows("select distinct url from events where kind = 'click'")}
    assert set(ODD) <= clicked
    assert account.one("select count(*) from events where kind <> 'click' and url is not null") == 0
    assert account.one("select count(*) from events where kind = 'click' and url is null") == 0


def test_odd_links_cover_every_verdict_of_the_url_rule():
    verdicts = {functions.urlmain(url) for url in ODD}
    assert {None, "", "foo", "///threeslashes", "192.168.0.2:/foo"} <= verdicts


def test_events_and_people_stand_around_both_clock_changes(account):
    jumps = clock_changes(AS_OF - 730 * DAY, AS_OF)
    assert len(jumps) == 4
    offsets = {datetime.fromtimestamp(jump, EASTERN).utcoffset() for jump in jumps}
    assert len(offsets) == 2
    for jump in jumps:
        near = account.rows(
            "select event_time - ? from events where event_time between ? and ?", jump, jump - 1, jump + 3_600
        )
        assert {-1, 0, 1, 3_599, 3_600} <= {seconds for (seconds,) in near}
        for shift in (-3_600, -1, 0, 1_800):
            assert account.one("select count(*) from contacts where create_date = ?", jump + shift)


def test_addresses_belong_to_nobody_and_are_unique_to_the_letter(account):
    emails = [email for (email,) in account.rows("select email from contacts where email <> ''")]
    assert len(set(emails)) == len(emails)
    hosts = {email.rpartition("@")[2].lower() for email in emails if "@" in email} - {""}
    assert all(host.endswith(("example.com", "example.org", "example.net")) for host in hosts)
    read = [functions.email(email) for email in emails]
    assert max(Counter(one for one in read if one).values()) == 2  # capitals only
    assert any("+" in email for email in emails)
    assert any("'" in email for email in emails)
    assert any("*" in email for email in emails)


@pytest.mark.parametrize(("asked", "expected"), [(None, 31), (0, 0), (5, 5)])
def test_as_many_as_asked_have_no_usable_address(account, asked, expected):
    one = account if asked is None else Account(600, 4, 2, no_address=asked)
    emails = one.rows("select email from contacts where status <> 'deleted'")
    assert sum(functions.email(email or "") is None for (email,) in emails) == expected
    if one is not account:
        one.con.close()


def test_people_are_uneven(account):
    cities = Counter(city for (city,) in account.rows("select city from contacts"))
    assert 0.03 < cities["Durham"] / 10_412 < 0.06
    assert cities["Raleigh"] > 20 * cities["東京"] > 0
    assert cities[None] > 500
    names = " ".join(str(name) for (name,) in account.rows("select distinct last_name from contacts"))
    for sample in ('O\'Brien "Bob"', "García", "Иванова", "王", "الحسن", "כהן", "Παπαδόπουλος", "शर्मा", "김"):
        assert sample in names
    statuses = {status for (status,) in account.rows("select distinct status from contacts")}
    assert statuses == {"normal", "bounced", "donotcontact", "pending", "invitable", "deleted"}
    assert account.one("select max(length(state)) from contacts") <= 10


def test_lists_overlap(account):
    both = (
        "select count(*) from subscriptions a join subscriptions b using (contact_id)"
        " where a.list_id = 3001 and b.list_id = 3002 and a.status = 'normal' and b.status = 'normal'"
    )
    assert account.one(both) > 1_000
    assert [name for (name,) in account.rows("select name from lists where list_id = 3004")] == [
        "Durham regulars"
    ]
    names = [name for (name,) in account.rows("select name from lists")]
    assert {"Newsletter", "Outdoor tips", "Durham regulars"} <= set(names)
    assert len(set(names)) == len(names)


def test_two_lists_of_one_name_are_an_option():
    account = Account(50, 3, 1, twin_list=True)
    assert account.one("select count(*) from lists where name = 'Durham regulars'") == 2
    account.con.close()


def test_custom_fields_have_awkward_names_and_values(account):
    names = {name for (name,) in account.rows("select private_name from custom_fields")}
    assert {"country", "region"} <= names
    assert any(not name.isidentifier() for name in names)
    assert not any(set(name) & set(" \"'/\\[]") for name in names)
    used = {name for (name,) in account.rows("select distinct key from contacts, json_each(custom)")}
    assert used == names
    orders = {value for (value,) in account.rows("select distinct custom ->> 'orders' from contacts")}
    assert {"n/a", "12+"} <= orders
    assert "0" in orders


def test_delivered_is_those_mailed_less_those_bounced(account):
    wrong = (
        "select count(*) from statistics join sends using (message_id) where delivered <> recipient_count -"
        " (select count(*) from events e where e.message_id = statistics.message_id and kind = 'bounce')"
    )
    assert account.one(wrong) == 0
    assert account.one("select count(*) from statistics") == account.one(
        "select count(*) from sends where status = 'released'"
    )


def test_some_messages_carry_the_tag_and_all_their_links(account):
    bodies = [body for (body,) in account.rows("select html_body from messages")]
    tagged = [body for body in bodies if "<!-- lytics-aid:1234 -->" in body]
    assert 3 < len(tagged) < len(bodies) / 2
    assert all(body.count("<a href=") >= 4 for body in bodies)


def test_sends_still_to_come_and_called_off_exist(account):
    states = dict(account.rows("select status, count(*) from sends group by status"))
    assert set(states) == {"released", "pending", "cancelled"}
    assert account.one("select scheduled_time from sends where status = 'pending'") > AS_OF
