"""What changes between two pulls: edits, people who go and come back, custom fields, consent facts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pull_bed import Bed
from pull_fake import NOON, Fake, account, contact, event, subscription

from icx.clock import ManualClock
from icx.errors import NeedsYou, Refused
from icx.functions import email, emaildomain
from icx.icontact.paging import Page, without_erased
from icx.pull import last_complete, ledger, register, reset

DAY = 86_400


def facts(bed: Bed, where: str = "true") -> list[tuple[Any, ...]]:
    return bed.rows(f"select contact_id, list_id, fact, source from consent_facts where {where} order by all")


def ten() -> Fake:
    """Ten people who said no to nothing, one letter."""
    fake = account(1, people=10, messages=1, days_ago=(30,))
    fake.rows["subscriptions"] = [subscription(3001, 70_000 + n) for n in range(10)]
    fake.events = {}
    return fake


@pytest.fixture
def fake() -> Fake:
    return ten()


def pulled_from(fake: Fake, folder: Path) -> Path:
    bed = Bed(folder, ManualClock(NOON))
    with bed.journal:
        assert bed.pull(fake).ok
    return folder


@pytest.fixture(scope="module")
def after_one_pull(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pulled_from(ten(), tmp_path_factory.mktemp("pulled") / "bed")


@pytest.fixture(scope="module")
def after_one_left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pulled_from(after_the_fifth_left(ten()), tmp_path_factory.mktemp("left") / "bed")


def after_the_fifth_left(fake: Fake) -> Fake:
    fake.rows["subscriptions"][4]["status"] = "unsubscribed"
    return fake


def copied(folder: Path, to: Path) -> Iterator[Bed]:
    bed = Bed(shutil.copytree(folder, to), ManualClock(NOON))
    with bed.journal:
        yield bed


@pytest.fixture
def pulled(after_one_pull: Path, tmp_path: Path) -> Iterator[Bed]:
    """A bed into which `fake` was pulled as it is."""
    yield from copied(after_one_pull, tmp_path / "pulled")


@pytest.fixture
def one_left(after_one_left: Path, fake: Fake, tmp_path: Path) -> Iterator[Bed]:
    """A bed into which `fake` was pulled when the fifth of the ten had just left their list."""
    after_the_fifth_left(fake)
    yield from copied(after_one_left, tmp_path / "left")


def next_day(bed: Bed, fake: Fake, **options: Any) -> Any:
    bed.clock.sleep(DAY)
    return bed.pull(fake, **options)


# -- attributes

ADDRESSES = [
    "ada@example.com", "Ada.B_c+d-9@Mail.Example.ORG", "o'brien@example.com", 'O\'Brien "Bob" <b@example.com>', "a@b",
    "<joe@uk>", '"a@b"@example.com', "ada@example.com\n", "ada@example.com ", "ada@@example.com", ".ada@example.com",
    "ada@example..com", "ada@exämple.com", "ODOΣ@İ.example.com", "ada", "@", "a*b@example.com", "ada@example.com, b@c.d", None,
]  # fmt: skip


def test_an_address_is_what_the_function_says_whoever_reads_it(bed: Bed, fake: Fake) -> None:
    """Most are read by the database, when nothing is stored yet and when somebody's address changes."""
    for shift in (0, 7, 14):
        texts = ADDRESSES[shift:] + ADDRESSES[:shift]
        fake.rows["contacts"] = [contact(70_000 + n, email=text) for n, text in enumerate(texts)]
        next_day(bed, fake)
        stored = bed.rows("select email, email_key, email_domain from icontact_users order by id")
        assert stored == [(text, email(text), emaildomain(text)) for text in texts]


def test_an_edit_is_noticed_with_its_old_and_new_value(pulled: Bed, fake: Fake) -> None:
    fake.rows["contacts"][3] |= {"city": "Durham", "custom": {"tier": "gold", "shoe size": "41"}}
    fake.rows["contacts"][4]["custom"] = {"tier": "silver"}
    before = {c["contactId"]: c["custom"].get("tier") for c in account(1, people=10).rows["contacts"]}
    report = next_day(pulled, fake)
    changes = pulled.rows(
        "select contact_id, field, old, new from changes where entity = 'contact' order by all"
    )
    assert (70_003, "city", None, "Durham") in changes
    assert (70_003, "cf_shoe size", None, "41") in changes
    if before[70_003] != "gold":
        assert (70_003, "cf_tier", before[70_003], "gold") in changes
    assert report.counted["contacts"].changed in (1, 2)
    assert report.counted["contacts"].new == 0


def test_a_pull_without_changes_writes_no_history(pulled: Bed, fake: Fake) -> None:
    next_day(pulled, fake)
    assert pulled.rows("select * from changes") == []


def test_a_contact_missing_from_a_full_reading_is_gone_and_may_come_back(pulled: Bed, fake: Fake) -> None:
    person = fake.rows["contacts"].pop(2)
    report = next_day(pulled, fake)
    assert report.counted["contacts"].gone == 1
    assert pulled.rows("select id from icontact_users where gone_at is not null") == [(70_002,)]
    assert facts(pulled) == [(70_002, None, "gone", "contact status")]
    assert report.ok
    fake.rows["contacts"].append(person)
    back = next_day(pulled, fake)
    assert back.counted["contacts"].new == 1
    assert pulled.rows("select count(*) from icontact_users where gone_at is null") == [(10,)]
    assert pulled.rows("select old, new from changes where field = 'exists' order by happened_at") == [
        ("1", None),
        (None, "1"),
    ]


class _WithErased(Fake):
    """An account read by a client that hands out nothing of somebody who was erased here."""

    def page(self, resource: str, **asked: Any) -> Page:
        page = super().page(resource, **asked)
        rows, aside = without_erased(page.rows, (), page.offset, lambda row: row.get("contactId") == 70_005)
        return replace(page, rows=rows, set_aside=aside)


def test_others_go_and_leave_lists_although_somebody_erased_here_is_still_at_the_service(
    bed: Bed, fake: Fake
) -> None:
    fake = _WithErased(rows=fake.rows)
    bed.pull(fake)
    del fake.rows["contacts"][2]
    del fake.rows["subscriptions"][2:4]
    report = next_day(bed, fake)
    assert report.ok
    assert bed.rows("select id from icontact_users where gone_at is not null") == [(70_002,)]
    assert facts(bed) == [(70_002, None, "gone", "contact status")]
    assert bed.rows("select contact_id from subscriptions order by 1") == [
        (70_000 + n,) for n in (0, 1, 4, 6, 7, 8, 9)
    ]


def test_nobody_is_called_gone_by_a_reading_that_was_not_whole(pulled: Bed, fake: Fake) -> None:
    fake.shown = lambda rows: rows[:3] + rows[:3] + rows[6:] if len(rows) == 10 else rows
    report = next_day(pulled, fake, page_size=3)
    assert report.counted["contacts"].gone == 0
    assert pulled.rows("select count(*) from icontact_users where gone_at is not null") == [(0,)]


def test_the_text_of_the_date_is_kept_as_the_service_wrote_it(bed: Bed, fake: Fake) -> None:
    fake.rows["contacts"][0]["createDate_text"] = "2026-11-01 01:30:00"
    bed.pull(fake)
    assert bed.rows("select create_date_text from icontact_users where id = 70000") == [
        ("2026-11-01 01:30:00",)
    ]


def test_a_custom_field_that_disappears_keeps_its_values_and_is_marked_gone(pulled: Bed, fake: Fake) -> None:
    before = pulled.rows("select id, custom['tier'] from icontact_users order by 1")
    fake.rows["customfields"] = []
    for person in fake.rows["contacts"]:
        person["custom"] = {}
    report = next_day(pulled, fake)
    assert pulled.rows("select id, custom['tier'] from icontact_users order by 1") == before
    assert pulled.rows("select private_name, gone_at is not null from custom_fields") == [("tier", True)]
    assert "field-gone" in [note.code for note in report.notes]
    assert report.counted["contacts"].changed == 0
    fake.rows["customfields"] = [{"privateName": "tier", "fieldType": "text", "displayToUser": True}]
    for person in fake.rows["contacts"]:
        person["custom"] = {"tier": "bronze"}
    next_day(pulled, fake)
    assert pulled.rows("select distinct custom['tier'] from icontact_users") == [("bronze",)]
    assert pulled.rows("select gone_at from custom_fields") == [(None,)]


def test_a_deleted_list_is_kept_and_marked_gone(pulled: Bed, fake: Fake) -> None:
    fake.rows["lists"].pop()
    next_day(pulled, fake)
    assert pulled.rows("select list_id, gone_at is null from lists order by 1") == [
        (3001, True),
        (3002, False),
    ]


def test_addresses_are_normalised_and_odd_ones_are_told(bed: Bed, fake: Fake) -> None:
    fake.rows["contacts"][0]["email"] = "Ada@Example.COM"
    fake.rows["contacts"][1]["email"] = "ada@example.com"
    fake.rows["contacts"][2]["email"] = "two*stars@example.com"
    fake.rows["contacts"][3]["email"] = None
    report = bed.pull(fake)
    assert bed.rows("select email_key, email_domain from icontact_users where id = 70000") == [
        ("ada@example.com", "example.com")
    ]
    assert {"no-address", "shared-address", "odd-address"} <= {note.code for note in report.notes}
    assert "@" not in "".join(note.message + note.where for note in report.notes)


# -- consent facts


def test_an_unsubscribed_subscription_is_a_fact_once(one_left: Bed, fake: Fake) -> None:
    next_day(one_left, fake)
    next_day(one_left, fake, full=True)
    assert facts(one_left) == [(70_004, 3001, "left", "subscription")]
    assert one_left.rows("select happened_at from consent_facts") == [
        ((NOON - timedelta(days=400)).replace(tzinfo=None),)
    ]


def test_someone_who_opts_out_between_two_pulls_is_noticed(pulled: Bed, fake: Fake) -> None:
    fake.rows["subscriptions"][4]["status"] = "unsubscribed"
    report = next_day(pulled, fake)
    assert report.counted["subscriptions"].opted_out == 1
    assert facts(pulled) == [(70_004, 3001, "left", "subscription")]
    assert "1 person opted out" in str(report)


def test_an_unsubscribe_event_counts_against_every_list_of_the_send(bed: Bed, fake: Fake) -> None:
    fake.rows["sends"][0]["includeListIds"] = [3001, 3002]
    fake.events[88_001, "unsubscribes"] = [event("unsubscribes", 70_001, NOON - timedelta(days=29))]
    bed.pull(fake)
    next_day(bed, fake, full=True)
    assert facts(bed) == [
        (70_001, 3001, "left", "unsubscribe event"),
        (70_001, 3002, "left", "unsubscribe event"),
    ]
    assert bed.rows("select distinct happened_at, message_id from consent_facts") == [
        ((NOON - timedelta(days=29)).replace(tzinfo=None), 88_001)
    ]


@pytest.mark.parametrize("unknown", ["no send", "a segment"])
def test_an_unsubscribe_event_of_unknown_lists_counts_against_all(bed: Bed, fake: Fake, unknown: str) -> None:
    if unknown == "no send":
        fake.rows["sends"] = []
    else:
        fake.rows["sends"][0] |= {"includeListIds": [], "includeSegmentIds": [501]}
    fake.events[88_001, "unsubscribes"] = [event("unsubscribes", 70_001, NOON - timedelta(days=1))]
    bed.pull(fake)
    assert facts(bed) == [(70_001, None, "left", "unsubscribe event")]


@pytest.mark.parametrize("status", ["bounced", "donotcontact", "deleted"])
def test_what_the_service_says_of_a_contact_is_a_fact_with_its_address(
    bed: Bed, fake: Fake, status: str
) -> None:
    fake.rows["contacts"][5]["status"] = status
    bed.pull(fake)
    next_day(bed, fake)
    assert facts(bed) == [(70_005, None, status, "contact status")]
    assert bed.rows("select email_key from consent_facts") == [("person70005@example.com",)]


def test_a_later_normal_subscription_of_someone_who_left_is_a_fact(one_left: Bed, fake: Fake) -> None:
    fake.rows["subscriptions"][4] |= {"status": "normal", "addDate": NOON + timedelta(hours=20)}
    next_day(one_left, fake)
    next_day(one_left, fake)
    assert facts(one_left) == [
        (70_004, 3001, "left", "subscription"),
        (70_004, 3001, "normal", "subscription"),
    ]


def test_someone_who_left_came_back_and_left_again_has_left(bed: Bed, fake: Fake) -> None:
    person = fake.rows["subscriptions"][4]
    person["status"] = "unsubscribed"
    bed.pull(fake)
    for status in ("normal", "unsubscribed"):  # with a date that never moves
        person["status"] = status
        next_day(bed, fake)
    told = bed.rows("select fact from consent_facts order by seen_at")
    assert [fact for (fact,) in told] == ["left", "normal", "left"]


def test_a_normal_subscription_older_than_the_leaving_is_no_way_back(bed: Bed, fake: Fake) -> None:
    fake.events[88_001, "unsubscribes"] = [event("unsubscribes", 70_001, NOON - timedelta(days=29))]
    bed.pull(fake)
    next_day(bed, fake)
    assert facts(bed, "fact = 'normal'") == []


def test_a_subscription_that_icx_wrote_is_no_way_back(one_left: Bed, fake: Fake) -> None:
    one_left.clock.sleep(DAY)
    one_left.rows(
        "insert into shared.consent_facts values (1, 2, 70004, null, 3001, 'normal', "
        "'2026-11-22 12:00:00', '2026-11-22 12:00:00', 'apply', null)"
    )
    fake.rows["subscriptions"][4] |= {"status": "normal", "addDate": NOON + timedelta(hours=24)}
    next_day(one_left, fake)
    assert facts(one_left, "fact = 'normal' and source = 'subscription'") == []


def test_a_new_address_of_someone_who_left_is_held_too(one_left: Bed, fake: Fake) -> None:
    fake.rows["contacts"][4]["email"] = "new-name@example.org"
    next_day(one_left, fake)
    assert one_left.rows("select email_key from consent_facts where fact = 'left' order by 1") == [
        ("new-name@example.org",),
        ("person70004@example.com",),
    ]


def test_facts_survive_a_reset_and_are_not_told_twice(bed: Bed, fake: Fake) -> None:
    fake.rows["subscriptions"][4]["status"] = "unsubscribed"
    fake.events[88_001, "unsubscribes"] = [event("unsubscribes", 70_001, NOON - timedelta(days=29))]
    bed.pull(fake)
    before = facts(bed)
    reset(bed.store, "acme")
    assert facts(bed) == before
    assert last_complete(bed.store, "acme") is None
    assert bed.rows("select * from main.icontact_users") == []
    next_day(bed, fake)
    assert facts(bed) == before


# -- whose rows these are


def test_rows_of_two_folders_are_never_mixed(pulled: Bed, fake: Fake) -> None:
    fake.client_folder_id = 3
    with pytest.raises(NeedsYou) as refused:
        pulled.pull(fake)
    assert refused.value.code == "other-account"
    assert "10 contacts" in refused.value.kept
    reset(pulled.store, "acme", forget=True)
    pulled.pull(fake)
    assert pulled.rows("select client_folder_id from shared.connections") == [(3,)]


def test_the_first_connection_is_what_plain_table_names_show(pulled: Bed, fake: Fake) -> None:
    register(pulled.store, "zeta", 1, 9)
    with pulled.store.open() as con:
        assert con.execute("select count(*) from icontact_users").fetchall() == [(10,)]
    register(pulled.store, "zeta", 1, 9, default=True)
    with pulled.store.open() as con:
        assert con.execute("select count(*) from icontact_users").fetchall() == [(0,)]


# -- rights, modes


def test_without_the_right_to_see_tracking_contacts_and_lists_are_up_to_date(bed: Bed, fake: Fake) -> None:
    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if parent is not None:
            raise Refused("right-missing", "This login may not read this (403).", where=f"messages/{parent}")

    fake.before = before
    report = bed.pull(fake)
    assert report.ok
    assert report.contacts_only
    assert report.contacts == 10
    assert [note.code for note in report.notes] == ["right-missing"]
    assert last_complete(bed.store, "acme") is not None


def test_a_contacts_only_pull_asks_for_nothing_else(bed: Bed, fake: Fake) -> None:
    bed.pull(fake, contacts_only=True)
    assert {resource for resource, _, _ in fake.asked} == {
        "customfields",
        "lists",
        "contacts",
        "subscriptions",
    }


def test_one_message_the_service_refuses_does_not_stop_the_others(bed: Bed) -> None:
    fake = account(3, messages=2)

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if (resource, parent) == ("clicks", 88_001):
            raise Refused(
                "service-refused", "iContact refused this (404).", where="clicks", data={"status": 404}
            )

    fake.before = before
    report = bed.pull(fake)
    cell = report.ledger.cell("clicks", 88_001)
    assert cell is not None
    assert (cell.state, cell.colour) == ("due", "amber")
    assert "unit-refused" in [note.code for note in report.notes]
    assert report.ledger.cell("clicks", 88_002) is not None


# -- the tag filter


def tagged(fake: Fake) -> Fake:
    for number, message in enumerate(fake.rows["messages"]):
        fake.bodies[message["messageId"]] = (
            "<p>Hello</p><!-- lytics-aid:77 -->" if number == 0 else "<p>Hello</p><!-- lytics-aid:778 -->"
        )
    return fake


TAG = {"with_settings": {"tag_filter": True, "tag_aid": "77"}}


def test_the_tag_filter_keeps_marked_messages_and_the_people_they_touched(bed: Bed) -> None:
    fake = tagged(account(4, people=30, messages=2))
    fake.events[88_001, "opens"] = [event("opens", 70_000 + n, NOON) for n in (1, 2, 3)]
    for kind in ("clicks", "bounces", "unsubscribes"):
        fake.events[88_001, kind] = []
    report = bed.pull(fake, **TAG)
    assert bed.rows("select distinct message_id from icontact_activity") == [(88_001,)]
    assert bed.rows("select id from icontact_users order by 1") == [(70_001,), (70_002,), (70_003,)]
    cell = report.ledger.cell("contacts")
    assert cell is not None
    assert (cell.state, cell.stored, cell.service) == ("explained", 3, 30)
    assert report.ok


def test_people_left_out_by_the_tag_filter_keep_their_no(bed: Bed) -> None:
    fake = tagged(account(4, people=10, messages=2))
    fake.events = {}
    fake.rows["contacts"][5]["status"] = "donotcontact"
    bed.pull(fake, **TAG)
    assert (70_005, None, "donotcontact", "contact status") in facts(bed)


def test_the_filter_switched_off_brings_everybody_and_drops_the_bodies(bed: Bed) -> None:
    fake = tagged(account(4, people=10, messages=2))
    bed.pull(fake, **TAG)
    assert bed.rows("select count(html_body) from messages") == [(2,)]
    report = next_day(bed, fake)
    assert report.contacts == 10
    assert bed.rows("select count(html_body), count(tagged) from messages") == [(0, 0)]
    assert bed.rows("select count(distinct message_id) from units where message_id is not null") == [(2,)]
    assert report.ok


def test_bodies_are_not_kept_without_the_filter(bed: Bed, fake: Fake) -> None:
    fake.rows["messages"][0]["htmlBody"] = "<p>for whoever lists it</p>"
    bed.pull(fake)
    assert bed.rows("select html_body from messages") == [(None,)]


# -- what is due


def test_a_second_pull_asks_only_what_may_have_changed(bed: Bed) -> None:
    fake = account(5, messages=3, days_ago=(1, 20, 200))
    bed.pull(fake, page_size=50)
    whole = len(fake.asked)
    fake.asked.clear()
    next_day(bed, fake, page_size=50)
    messages = {parent for resource, parent, _ in fake.asked if resource in ("opens", "clicks")}
    assert messages == {88_001}
    assert len(fake.asked) < whole
    fake.asked.clear()
    next_day(bed, fake, page_size=50, full=True)
    assert len(fake.asked) == whole


def test_an_old_unit_is_verified_again_in_its_time(bed: Bed) -> None:
    fake = account(5, messages=1, days_ago=(200,))
    bed.pull(fake)
    fake.events[88_001, "opens"].append(event("opens", 70_001, NOON))
    fake.counters[88_001] = {"opens_total": 0, "clicks_total": 0, "bounces": 0, "unsubscribes": 0}
    late = bed.pull(fake, full=True)
    cell = late.ledger.cell("opens", 88_001)
    assert cell is not None
    assert cell.stored == len(fake.events[88_001, "opens"])
    fake.asked.clear()
    bed.clock.sleep(61 * DAY)
    bed.pull(fake)
    assert ("opens", 88_001, 0) in fake.asked


def test_a_counter_that_moved_has_an_old_unit_read(bed: Bed) -> None:
    fake = account(5, messages=1, days_ago=(30,))
    bed.pull(fake)
    fake.events[88_001, "clicks"].append(event("clicks", 70_001, NOON, "https://shop.example.com/late"))
    fake.asked.clear()
    bed.clock.sleep(2 * DAY)
    next_day(bed, fake, page_size=50)
    kinds = {resource for resource, parent, _ in fake.asked if parent == 88_001}
    assert kinds == {"statistics", "clicks"}
    assert ledger(bed.store, "acme").red() == []


def test_an_automated_message_never_ages(bed: Bed) -> None:
    fake = account(5, messages=1, days_ago=(600,))
    fake.rows["messages"][0]["messageType"] = "confirmation"
    bed.pull(fake)
    fake.asked.clear()
    next_day(bed, fake)
    assert ("opens", 88_001, 0) in fake.asked


def test_statistics_that_say_more_make_a_young_cell_amber_and_it_is_read_again(bed: Bed) -> None:
    fake = account(5, messages=1, days_ago=(5,))
    fake.events[88_001, "clicks"] = []
    fake.counters[88_001] = {"opens_total": 0, "clicks_total": 2, "bounces": 0, "unsubscribes": 0}
    report = bed.pull(fake)
    cell = report.ledger.cell("clicks", 88_001)
    assert cell is not None
    assert (cell.state, cell.reason) == ("due", "statistics say 2 more; read again")
    fake.asked.clear()
    bed.clock.sleep(3600)
    bed.pull(fake)
    assert ("clicks", 88_001, 0) in fake.asked


def test_a_cell_nobody_verified_for_long_is_amber(bed: Bed) -> None:
    bed.pull(account(5))
    assert ledger(bed.store, "acme").colour in ("green", "amber")
    bed.clock.sleep(3 * DAY)
    late = ledger(bed.store, "acme")
    contacts = late.cell("contacts")
    assert contacts is not None
    assert (contacts.state, contacts.colour) == ("due", "amber")


def test_the_start_of_the_last_complete_pull_is_the_moment_to_build_for(bed: Bed) -> None:
    bed.pull(account(5))
    started = bed.clock.now()
    done = last_complete(bed.store, "acme")
    assert done is not None
    assert done.as_of <= started
    bed.clock.sleep(60)
    bed.pull(account(5), unit=(88_001, "opens"))
    again = last_complete(bed.store, "acme")
    assert again == done


def test_a_contact_on_several_lists_or_none_is_stored_once(bed: Bed) -> None:
    fake = account(5)
    fake.rows["contacts"].append(contact(99_999, status="invitable"))
    bed.pull(fake)
    assert bed.rows("select count(*), count(distinct id) from icontact_users") == [(31, 31)]
