"""A pull of a Mailchimp audience: the same tables, ledger and profile as iContact's, whole after any stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mailchimp_twin import Audience, TwinServer
from pull_bed import Bed

from icx.clock import ManualClock
from icx.connections.mailchimp_source import Source
from icx.errors import IcxError
from icx.mailchimp import Client, ids
from icx.mailchimp.answers import member_hash
from icx.profile import build
from icx.settings import Settings
from icx.store.erased import Erased

PEOPLE = [f"p{number}@example.com" for number in range(23)]


@pytest.fixture
def audience(twin: TwinServer, clock: ManualClock) -> Audience:
    """An audience with every status, two campaigns, and people who did things, one who is no longer there."""
    made = twin.state.audience("Newsletter", has_welcome=True)
    twin.state.field(made, "AGE", "number")
    for place, email in enumerate(PEOPLE):
        status = {3: "unsubscribed", 4: "cleaned", 5: "pending", 6: "transactional", 7: "archived"}.get(
            place, "subscribed"
        )
        merge = {
            "FNAME": f'O\'Brien "{place}" <b@x>',
            "AGE": place,
            "ADDRESS": {"addr1": "1 Main", "city": "Durham", "state": "NC", "zip": "27701"},
        }
        twin.state.person(made, email, status, merge=merge, tags=["VIP"] if place % 2 else [])
    for title, days in (("Spring", 40), ("Autumn", 1)):
        sent = twin.state.campaign(
            made, title, [*PEOPLE, "gone@example.com"], clock.now() - timedelta(days=days)
        )
        for place, email in enumerate([*PEOPLE[:12], "gone@example.com"]):
            at = sent.sent_at + timedelta(minutes=place)
            sent.events.append((email, "open", at, ""))
            sent.events.append((email, "open", at, ""))  # two alike are two
            if place % 3 == 0:
                sent.events.append((email, "click", at, f"https://example.org/{place % 2}"))
        sent.events.append((PEOPLE[4], "bounce", sent.sent_at, ""))
        sent.left.append((PEOPLE[3], sent.sent_at + timedelta(hours=1)))
    twin.state.campaign(twin.state.audience("Another"), "Not ours", PEOPLE)
    return made


@pytest.fixture
def source(twin: TwinServer, connect: Callable[..., Client], audience: Audience) -> Callable[[], Source]:
    return lambda: Source(connect(), ids.account(twin.state.account_id), audience.id)


def test_a_pull_brings_members_campaigns_and_what_each_did(
    tmp_path: Path, clock: ManualClock, source: Callable[[], Source], twin: TwinServer, audience: Audience
) -> None:
    bed = Bed(tmp_path, clock)
    report = bed.pull(source())
    assert {cell.state for cell in report.ledger.cells} <= {"equal", "explained"}
    assert all("no longer lists" in cell.reason for cell in report.ledger.cells if cell.state == "explained")
    assert bed.rows("select count(*), count(distinct id) from icontact_users") == [(22, 22)]
    assert bed.rows("select custom['mailchimp_status'], status from icontact_users order by all") == sorted(
        [("subscribed", "normal")] * 18
        + [("unsubscribed", "donotcontact"), ("cleaned", "bounced"), ("pending", "pending")]
        + [("transactional", "normal")]
    )
    assert bed.rows("select status, count(*) from subscriptions group by 1 order by 1") == [
        ("normal", 18),
        ("pending", 1),
        ("unsubscribed", 1),
    ]
    assert bed.rows("select event_type, count(*) from icontact_activity group by 1 order by 1") == [
        ("bounce", 2),
        ("click", 10),
        ("open", 52),
        ("unsubscribe", 2),
    ]
    [(spring,)] = bed.rows("select message_id from messages where message_name = 'Spring'")
    assert source().get("messages", spring)["htmlBody"] == "<p>Spring</p>"  # for the tag filter
    built = build(bed.store, "acme", settings=Settings(), fields_dir=None, clock=clock)
    assert built.people == 22
    wanted = "email_open_ct, email_click_ct, mailchimp_rating, mailchimp_tags, mailchimp_vip, cf_AGE, city, first_name"
    assert bed.rows(f"select {wanted} from profile where email = '{PEOPLE[9]}'") == [
        (4, 2, 2.0, "VIP", False, 9.0, "Durham", 'O\'Brien "9" <b@x>')
    ]
    assert (
        bed.rows(
            "select fact, count(*) from shared.consent_facts where fact in ('left', 'bounced') group by 1"
        )
        != []
    )
    assert "Not ours" not in str(bed.rows("select subject from messages"))
    assert ids.person(member_hash(PEOPLE[0])) in {id for (id,) in bed.rows("select id from icontact_users")}


def test_a_second_pull_reads_no_campaign_again_that_did_not_move(
    tmp_path: Path, clock: ManualClock, source: Callable[[], Source], twin: TwinServer, audience: Audience
) -> None:
    bed = Bed(tmp_path, clock)
    bed.pull(source(), page_size=50)
    clock.sleep(3600)
    before = bed.tables()
    twin.asked.clear()
    bed.pull(source(), page_size=50)
    assert bed.tables() == before
    spring = next(one for one in twin.state.campaigns.values() if one.title == "Spring")
    assert f"/reports/{spring.id}/email-activity" not in {path for _, path, _, _ in twin.asked}
    twin.asked.clear()
    spring.events.append((PEOPLE[1], "click", clock.now(), "https://example.org/late"))
    clock.sleep(86400 * 4)
    bed.pull(source(), page_size=50)
    paths = [path for _, path, _, _ in twin.asked]
    assert paths.count(f"/reports/{spring.id}/email-activity") == 1
    assert bed.rows("select count(*) from icontact_activity where event_url like '%late'") == [(1,)]


class Stopped(BaseException):
    """What ends a process."""


@pytest.mark.parametrize("when", [9, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 24, 3))])
def test_stopped_anywhere_the_next_pull_ends_like_one_that_was_not(
    tmp_path: Path, clock: ManualClock, source: Callable[[], Source], when: int
) -> None:
    whole = Bed(tmp_path / "whole", clock)
    whole.pull(source())
    asked = 0

    class Cut(Source):
        def sent(self, resource: str, **more: Any) -> Any:
            nonlocal asked
            asked += 1
            if asked == when:
                raise Stopped
            return super().sent(resource, **more)

    first = source()
    first.__class__ = Cut
    bed = Bed(tmp_path / "cut", clock)
    with pytest.raises(Stopped):
        bed.pull(first)
    bed.pull(source())
    assert bed.tables() == whole.tables()


def test_a_campaign_whose_recipients_move_is_read_again_and_one_that_always_does_is_left_for_later(
    tmp_path: Path, clock: ManualClock, source: Callable[[], Source], twin: TwinServer, audience: Audience
) -> None:
    bed = Bed(tmp_path, clock)
    spring, autumn = (
        next(one for one in twin.state.campaigns.values() if one.title == title)
        for title in ("Spring", "Autumn")
    )
    theirs = source()
    page = theirs.client.page

    def moving(path: str, *more: Any, **named: Any) -> Any:
        answer = page(path, *more, **named)
        if path.endswith("email-activity") and (spring.id in path or len(autumn.recipients) < 26):
            one = spring if spring.id in path else autumn
            one.recipients.append(f"late{len(one.recipients)}@example.com")
            answer = page(path, *more, **(named | {"count": 4}))
        return answer

    theirs.client.page = moving  # type: ignore[method-assign]
    report = bed.pull(theirs, page_size=50)
    told = {cell.name: cell for cell in report.ledger.cells if "opens" in cell.name}
    assert told['opens of "Autumn"'].stored == 26
    assert told['opens of "Spring"'].state == "due"
    assert bed.pull(source(), page_size=50).ledger
    assert bed.rows("select count(*) from icontact_activity where event_type = 'open'") == [(52,)]


def test_a_gateway_that_gives_up_is_asked_for_less(
    tmp_path: Path, clock: ManualClock, source: Callable[[], Source], twin: TwinServer
) -> None:
    twin.faults += [("email-activity", "504")] * 4
    Bed(tmp_path, clock).pull(source(), threads=1, page_size=50)
    sizes = [params["count"] for _, path, params, _ in twin.asked if path.endswith("email-activity")]
    assert sizes[0] == "250"


def test_another_audience_is_never_mixed_in(
    tmp_path: Path,
    clock: ManualClock,
    source: Callable[[], Source],
    twin: TwinServer,
    connect: Callable[..., Client],
) -> None:
    bed = Bed(tmp_path, clock)
    bed.pull(source(), page_size=50)
    other = next(one for one in twin.state.audiences.values() if one.name == "Another")
    with pytest.raises(IcxError) as told:
        bed.pull(Source(connect(), ids.account(twin.state.account_id), other.id))
    assert told.value.code == "other-account"


def test_who_was_erased_here_comes_back_with_no_pull(
    tmp_path: Path, clock: ManualClock, source: Callable[[], Source]
) -> None:
    bed = Bed(tmp_path, clock)
    theirs = source()
    theirs.erased = Erased(b"k" * 32, {}).with_people([], [PEOPLE[9]], "2026-11-01")
    bed.pull(theirs, page_size=50)
    gone = ids.person(member_hash(PEOPLE[9]))
    assert bed.rows(f"select count(*) from icontact_users where id = {gone} or email = '{PEOPLE[9]}'") == [
        (0,)
    ]
    assert bed.rows(f"select count(*) from subscriptions where contact_id = {gone}") == [(0,)]
    theirs.erased = Erased(b"k" * 32, {}).with_people(
        [(theirs.account_id or 0, theirs.client_folder_id or 0, gone)], [PEOPLE[9]], "2026-11-01"
    )
    bed.pull(theirs, full=True, page_size=50)
    assert bed.rows(f"select count(*) from icontact_activity where contact_id = {gone}") == [(0,)]
