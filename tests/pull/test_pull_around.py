"""Pulls around single rows and wrong clocks: what is found by halving, what is kept, what counts as newest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pull_bed import Bed
from pull_fake import NOON, account, contact, event

from icx.errors import TryLater
from icx.icontact import failures
from icx.pull import due
from icx.pull.halving import MOST_CALLS, MOST_ROWS, around_bad_rows
from icx.pull.keep import last_complete

FAILS = failures.unreadable("contacts", 4, "an error of its own (500)")


def showing(rows: int, bad: set[int], most: int = 1000) -> tuple[Callable[..., Any], list[tuple[int, int]]]:
    """A service with so many rows that cannot show some of them, and what it was asked."""
    asked: list[tuple[int, int]] = []

    def fetch(offset: int, limit: int, tries: int | None = None) -> Any:
        asked.append((offset, limit))
        window = range(offset, min(offset + min(limit, most), rows))
        if bad & set(window):
            raise failures.unreadable("contacts", tries or 4, "an error of its own (500)")
        return type("Page", (), {"rows": [contact(n) for n in window], "total": rows, "set_aside": ()})

    return fetch, asked


@settings(max_examples=40)
@given(
    rows=st.integers(2, 1200),
    bad=st.sets(st.integers(0, 999), min_size=1, max_size=MOST_ROWS),
    most=st.sampled_from([7, 400, 1000]),
)
def test_bad_rows_are_found_with_few_calls_and_all_others_kept(rows: int, bad: set[int], most: int) -> None:
    fetch, asked = showing(rows, bad, most)
    limit = min(1000, most)
    here = {place for place in bad if place < min(rows, limit)}
    if {0, limit // 2} <= bad:  # both rows that tell a bad row from a bad service
        return
    page = around_bad_rows(fetch, 0, limit, FAILS)
    assert [row["contactId"] for row in page.rows] == [n for n in range(min(rows, limit)) if n not in here]
    assert [aside.position for aside in page.set_aside] == sorted(here)
    assert page.total == rows
    assert len(asked) <= MOST_CALLS + 2


@pytest.mark.parametrize("bad", [set(range(1000)), {3, 5, 7, 9, 11}], ids=["every row", "too many rows"])
def test_more_than_a_few_bad_rows_are_the_service_s_own_trouble(bad: set[int]) -> None:
    fetch, asked = showing(1000, bad)
    with pytest.raises(TryLater) as raised:
        around_bad_rows(fetch, 0, 1000, FAILS)
    assert raised.value is FAILS
    assert len(asked) <= MOST_CALLS + 2


@pytest.mark.parametrize(("threads", "cut_off"), [(3, False), (1, True)], ids=["in one go", "cut off before"])
@pytest.mark.parametrize("twins", [range(9, 14), range(6, 11)], ids=["on the second page", "on the first"])
def test_rows_alike_where_two_pages_meet_hide_no_shift(
    bed: Bed, twins: range, threads: int, cut_off: bool
) -> None:
    fake = account(4, messages=1)
    alike = event("opens", 70_000, NOON)
    fake.events[88_001, "opens"] = [
        dict(alike) if n in twins else event("opens", 70_001, NOON + timedelta(seconds=n)) for n in range(30)
    ]

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "opens" and offset >= 5:
            fake.before = None
            if cut_off:
                raise failures.busy("opens", 1800)
            come_and_go()

    def come_and_go() -> None:  # the count stays as it is
        fake.events[88_001, "opens"].pop(0)
        fake.events[88_001, "opens"].append(event("opens", 70_002, NOON + timedelta(hours=1)))

    fake.before = before
    if cut_off:
        with pytest.raises(TryLater):
            bed.pull(fake, page_size=10, threads=threads)
        come_and_go()
    bed.pull(fake, page_size=10, threads=threads)
    stored = bed.rows("select contact_id, event_ts from icontact_activity where event_type = 'open'")
    held = [(row["contactId"], row["openTime"].replace(tzinfo=None)) for row in fake.events[88_001, "opens"]]
    assert sorted(stored) == sorted(held)


def test_a_reading_that_an_older_icx_left_with_one_row_to_compare_goes_on(bed: Bed) -> None:
    fake = account(4, messages=1)
    fake.events[88_001, "opens"] = [event("opens", 70_000 + n, NOON) for n in range(30)]

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "opens" and offset >= 15:
            raise failures.busy("opens", 1800)

    fake.before = before
    with pytest.raises(TryLater):
        bed.pull(fake, page_size=10, threads=1)
    with bed.store.open("acme") as con:
        con.execute("update staged_units set last_row = string_split(last_row, ',')[-1]")
    fake.before, fake.asked = None, []
    bed.pull(fake, page_size=10, threads=1)
    opens = [offset for what, _, offset in fake.asked if what == "opens"]
    assert opens[0] == 17  # the last of the 18 that were kept, and on from there
    assert bed.rows("select count(distinct contact_id) from icontact_activity where event_type = 'open'") == [
        (30,)
    ]


def test_a_count_that_is_too_small_is_no_reason_to_throw_events_away(bed: Bed) -> None:
    fake = account(4, messages=1)
    fake.events[88_001, "opens"] = [event("opens", 70_000 + n, NOON) for n in range(12)]
    bed.pull(fake)
    shown = fake.events[88_001, "opens"]
    fake.events[88_001, "opens"] = shown[:3]
    fake.total = lambda resource, parent, offset: 12 if resource == "opens" else None
    bed.clock.sleep(3600)
    cell = bed.pull(fake, full=True).ledger.cell("opens", 88_001)
    assert cell is not None
    assert (cell.state, cell.stored, cell.service) == ("provisional", 12, 12)
    fake.events[88_001, "opens"], fake.total = shown, None
    bed.clock.sleep(3600)
    again = bed.pull(fake).ledger.cell("opens", 88_001)
    assert again is not None
    assert again.state in ("equal", "explained")


def test_an_error_of_a_page_that_nobody_waits_for_any_more_stops_nothing(bed: Bed) -> None:
    fake = account(4, people=40, messages=1)
    seen: list[int] = []

    def total(resource: str, parent: int | None, offset: int) -> int | None:
        return 41 if resource == "contacts" and seen.count(offset) == 1 and offset else None

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "contacts":
            seen.append(offset)
            if offset == 12 and seen.count(12) == 1:  # asked for before the count was seen to move
                raise failures.unreachable("contacts", 4, 62, "connection lost", sent="nothing")

    fake.before, fake.total = before, total
    report = bed.pull(fake, threads=3)
    assert seen.count(12) > 1
    assert (report.contacts, report.ledger.state) == (40, "explained")


@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=400)])
def test_a_pull_made_while_the_clock_was_ahead_hides_no_later_one(bed: Bed, ahead: timedelta) -> None:
    fake = account(6)
    bed.clock.moment += ahead
    bed.pull(fake)
    bed.clock.moment += timedelta(seconds=30) - ahead
    fake.events[88_003, "opens"] = [*fake.events[88_003, "opens"], event("opens", 70_003, NOON)]
    fake.counters[88_003] = {"opens_total": 1, "clicks_total": 1, "bounces": 1, "unsubscribes": 1}
    began = bed.clock.now()
    asked = len(fake.asked)
    report = bed.pull(fake)
    assert {(what, parent) for what, parent, _ in fake.asked[asked:]} >= {
        ("opens", 88_003),
        ("statistics", 88_003),
    }
    assert report.as_of == began.replace(tzinfo=None)
    newest = last_complete(bed.store, "acme")
    assert newest is not None
    assert newest.as_of == began
    assert bed.rows("select count(*) from pulls where started_at > now()::timestamp + interval 1 year") == [
        (0,)
    ]


def test_a_pull_cut_off_after_the_clock_was_set_back_goes_on_and_reads_what_it_had_not(bed: Bed) -> None:
    fake = account(6)
    bed.clock.moment += timedelta(hours=5)
    bed.pull(fake)
    bed.clock.moment -= timedelta(hours=4)

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "subscriptions":
            raise failures.busy("subscriptions", 1800)

    fake.before = before
    with pytest.raises(TryLater):
        bed.pull(fake)
    fake.before, fake.asked = None, []
    fake.rows["subscriptions"].pop()
    bed.clock.sleep(60)
    report = bed.pull(fake)
    assert report.resumed is not None
    assert "contacts" not in {what for what, _, _ in fake.asked}
    assert {what for what, _, _ in fake.asked} >= {"subscriptions", "opens"}
    assert report.subscriptions == len(fake.rows["subscriptions"])


def test_a_verification_of_the_future_is_due() -> None:
    now = NOON.replace(tzinfo=None)
    known = due.Known(3, 3, 3, "equal", now + timedelta(days=30), 3)
    message = due.Message(1, "Old", "normal", now - timedelta(days=300), None)
    assert due.event_due(message, known, 3, now) == "its time has come"
    assert due.statistics_due(message, now + timedelta(days=30), now)
    assert due.overdue(message, now + timedelta(days=30), now)
    assert not due.overdue(message, now + timedelta(hours=1), now)  # two clocks that differ a little
