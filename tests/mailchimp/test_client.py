"""The client asks as Mailchimp describes, waits when turned away, and believes no 200 by itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from mailchimp_twin import TwinServer, described
from mailchimp_twin.state import KEY

from icx.clock import ManualClock
from icx.errors import BadInput, IcxError, Refused, TryLater, UnknownOutcome
from icx.http import Call
from icx.mailchimp import Client, Key, Token, member_hash


# C-03 to C-10
def test_the_data_centre_is_what_ends_the_key() -> None:
    assert Key("abc-def-us6").base_url == "https://us6.api.mailchimp.com/3.0"
    assert Token("t", "https://us6.api.mailchimp.com").base_url == "https://us6.api.mailchimp.com/3.0"
    for wrong in ("0123456789abcdef", "abc-", "-us6", "abc-evil.example.com/"):
        with pytest.raises(BadInput) as told:
            Key(wrong)
        assert told.value.code == "mailchimp-key"
        assert wrong not in str(told.value)
    with pytest.raises(IcxError, match="verified https"):
        Key(KEY, "http://mailchimp.example.com/3.0")


def test_a_refused_key_is_told_once_and_never_shown(twin: TwinServer, connect: Callable[..., Client]) -> None:
    taped: list[Call] = []
    client = connect("ffffffffffffffffffffffffffffffff-us19", tape=taped.append)
    with pytest.raises(Refused) as told:
        client.ping()
    assert told.value.code == "login-refused"
    assert "ffffffff" not in f"{told.value}{told.value.data}{client!r}{taped}"
    assert [call.status for call in taped] == [401]


def test_what_the_twin_answers_has_the_names_that_the_vendor_describes(
    twin: TwinServer, client: Client
) -> None:
    audience = twin.state.audience("Newsletter")
    twin.state.person(audience, "ada@example.com", tags=["VIP"])
    sent = twin.state.campaign(audience, "Spring", ["ada@example.com"])
    sent.events.append(("ada@example.com", "click", sent.sent_at, "https://example.org/"))
    sent.left.append(("ada@example.com", sent.sent_at))
    [row] = client.members(audience.id)
    assert set(row) | {"_links"} <= described.MEMBER
    [shown] = client.lists()
    assert set(shown) <= described.LIST
    assert all(set(one) <= described.FIELD for one in client.merge_fields(audience.id))
    assert [one["name"] for one in client.segments(audience.id)] == ["VIP"]
    assert set(client.report(sent.id)) <= described.REPORT
    [did] = client.page(f"/reports/{sent.id}/email-activity", "emails", {}, 0).rows
    assert set(did) <= described.ACTIVITY
    assert all(set(event) <= described.EVENT for event in did["activity"])
    [gone] = client.page(f"/reports/{sent.id}/unsubscribed", "unsubscribes", {}, 0).rows
    assert set(gone) <= described.UNSUBSCRIBE
    said = client._write(
        "POST",
        f"/lists/{audience.id}",
        "a batch",
        {"members": [{"email_address": "x", "status": "pending"}]},
    ).value
    assert set(said) <= described.BATCH
    assert all(set(one) <= described.BATCH_ERROR for one in said["errors"])


def test_members_come_whole_though_they_change_while_pages_are_read(
    twin: TwinServer, connect: Callable[..., Client]
) -> None:
    audience = twin.state.audience("Newsletter")
    people = [twin.state.person(audience, f"p{number}@example.com") for number in range(95)]
    at_once = twin.state.tick()
    for one in people[20:60]:  # an import: many with one moment, more than a page of them
        one.changed = at_once
    read: list[Any] = []
    for place, row in enumerate(connect(page_size=10).members(audience.id)):
        read.append(row)
        if place % 7 == 0 and place < 90:  # somebody already read changes, and moves to the end
            people[place // 7].changed = twin.state.tick()
    assert {row["id"] for row in read} == set(audience.members)
    last = {row["id"]: row["last_changed"] for row in read}
    assert last == {one.id: one.changed.isoformat() for one in people}
    assert len(read) < 95 + 14 + 5


def test_since_gives_who_changed_and_nobody_is_lost_at_its_edge(twin: TwinServer, client: Client) -> None:
    audience = twin.state.audience("Newsletter")
    twin.state.person(audience, "early@example.com")
    twin.state.now += timedelta(hours=1)
    late = twin.state.person(audience, "late@example.com")
    since = late.changed - timedelta(seconds=1)
    assert [row["email_address"] for row in client.members(audience.id, since=since)] == ["late@example.com"]


def test_a_crowd_is_turned_away_without_json_and_the_client_waits_with_jitter(
    twin: TwinServer, client: Client, clock: ManualClock
) -> None:
    twin.faults += [("/ping", "429"), ("/ping", "403-bare"), ("/ping", "503")]
    before = clock.monotonic()
    assert client.ping()
    waited = clock.monotonic() - before
    assert 0.5 + 2 + 8 <= waited <= 1 + 4 + 16 + 1
    twin.faults += [("/ping", "retry-90")]
    before = clock.monotonic()
    assert client.ping()
    assert 90 <= clock.monotonic() - before < 95


def test_never_more_than_ten_calls_are_under_way_at_once(
    twin: TwinServer, connect: Callable[..., Client]
) -> None:
    twin.slow = 0.02
    client = connect()
    with ThreadPoolExecutor(24) as pool:
        assert all(pool.map(lambda _: client.ping(), range(48)))
    assert 1 < twin.most_at_once <= 10


def test_a_page_that_breaks_off_is_read_again_and_one_that_always_does_is_told(
    twin: TwinServer, client: Client
) -> None:
    twin.faults += [("/ping", "lost"), ("/ping", "504"), ("/ping", "500")]
    assert client.ping()
    twin.faults += [("/ping", "504")] * 4
    with pytest.raises(TryLater) as told:
        client.ping()
    assert told.value.code == "answer-unreadable"
    assert "Mailchimp" in told.value.message


def test_a_write_whose_answer_is_lost_is_never_sent_again(twin: TwinServer, client: Client) -> None:
    audience = twin.state.audience("Newsletter")
    for kind in ("lost", "504"):
        twin.faults.append(("/members/", kind))
        twin.asked.clear()
        with pytest.raises(UnknownOutcome):
            client.put(audience.id, f"{kind}@example.com", {"status_if_new": "subscribed"})
        assert len(twin.asked) == (1 if kind == "lost" else 0)
    assert [one.email for one in audience.members.values()] == ["lost@example.com"]


# C-31
def test_a_batch_of_200_that_means_no_is_read_row_by_row(twin: TwinServer, client: Client) -> None:
    audience = twin.state.audience("Newsletter")
    twin.state.person(audience, "there@example.com", "unsubscribed", left_itself=True)
    audience.forgotten.add(member_hash("gone@example.com"))
    rows = [
        {"email_address": email, "status": "subscribed"}
        for email in ("New@example.com", "there@example.com", "gone@example.com", "nonsense")
    ]
    done = client.batch(audience.id, rows, update=True)
    assert set(done.members) == {"new@example.com"}
    assert set(done.errors) == {"there@example.com", "gone@example.com", "nonsense"}
    assert "compliance state" in done.errors["there@example.com"]
    assert "permanently deleted" in done.errors["gone@example.com"]
    assert "@example.com" not in "".join(done.errors.values())
    with pytest.raises(BadInput):
        client.batch(audience.id, rows * 200, update=True)


def test_tags_and_static_segments_change_and_the_tape_has_no_address(
    twin: TwinServer, connect: Callable[..., Client]
) -> None:
    audience = twin.state.audience("Newsletter")
    ada = twin.state.person(audience, "ada@example.com", tags=["Old"])
    twin.state.person(audience, "bo@example.com")
    taped: list[Call] = []
    client = connect(tape=taped.append)
    client.tag(audience.id, ada.id, add=['O\'Brien "B" / VIP'], remove=["Old", "never there"])
    assert list(ada.tags.values()) == ['O\'Brien "B" / VIP']
    segment = next(iter(audience.segments))
    done = client.change_segment(audience.id, segment, add=["bo@example.com", "nobody@example.com"])
    assert set(done.members) == {"bo@example.com"}
    assert "example.com" not in str(taped)
    assert ada.id not in str(taped)
    assert f"/members/{ada.id[:6]}…/tags" in str(taped)
