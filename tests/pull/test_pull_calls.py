"""Calls that pulls make, counted: the first one of everything, each day's of what may have changed, and what is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pull_bed import Bed
from pull_fake import NOON, Fake, account, contact, event

from icx.pull import due
from icx.pull.units import COLLECTIONS, KINDS

NOW = NOON.replace(tzinfo=None)
DAY = timedelta(days=1)
CALLS = 1 + len(KINDS)  # a message's statistics and each kind of its events


def test_a_first_pull_makes_no_call_more_than_it_must(bed: Bed) -> None:
    fake, size = account(4, messages=12), 100
    fake.rows["contacts"] = [contact(70_000 + n) for n in range(2_350)]
    fake.events[88_001, "opens"] = [event("opens", 70_000 + n, NOON) for n in range(1_240)]
    bed.pull(fake, threads=4, page_size=size)
    rows = sum(map(len, [*fake.rows.values(), *fake.events.values()]))
    assert len(fake.asked) <= rows / size + len(COLLECTIONS) + 12 * CALLS
    assert len(set(fake.asked)) == len(fake.asked)  # nothing was asked twice


def test_a_pull_each_day_costs_a_twentieth_of_a_whole_one() -> None:
    """Two messages a week for two years; each day the counters of one of a hundred move."""
    days, whole = 90, []
    read: dict[
        int, list[timedelta]
    ] = {}  # when, from the first pull on, the counters and each kind were read
    for today in (day * DAY for day in range(days)):
        calls = messages = 0
        for number in range(208 + 2 * days // 7):
            released = NOW + timedelta(days=3.5 * (number - 208))
            if released > NOW + today:
                continue
            messages += 1
            message = due.Message(number, "Letter", "normal", released, None)
            counters, *kinds = read.setdefault(number, [timedelta.min] * CALLS)
            first = counters == timedelta.min
            if first or due.statistics_due(message, NOW + counters, NOW + today):
                calls += 1
                read[number][0] = today
            moved = read[number][0] == today and (number + today.days) % 100 == 0
            for place, at in enumerate(kinds, 1):
                known = None if first else due.Known(5, 5, 5, "equal", NOW + at, 5)
                if due.event_due(message, known, 6 if moved and place == 1 else 5, NOW + today) is not None:
                    calls += 1
                    read[number][place] = today
        whole.append(calls / (messages * CALLS))
    assert whole[0] == 1
    assert max(whole[1:]) <= 0.05  # no day on which what one pull read is all due at once


@pytest.mark.parametrize("counted", [True, False], ids=["counters tell", "counters tell nothing"])
def test_a_late_event_is_found_within_the_time_of_its_age(bed: Bed, counted: bool) -> None:
    ages = (1, 5, 20, 100, 500)
    fake = account(6, people=5, messages=len(ages), days_ago=ages)
    bed.pull(fake)
    before = {id: len(fake.events[id, "opens"]) for id in _ids(fake)}
    for id in before:
        fake.counters[id] = dict(fake.statistics(id))  # as they are now
        fake.events[id, "opens"].append(event("opens", 70_001, NOON))
        if counted:
            del fake.counters[id]
    tiers = due.STATISTICS_TIERS if counted else due.EVENT_TIERS
    last = {id: max(DAY, due.interval(age * DAY, tiers)) for id, age in zip(before, ages, strict=True)}
    for day in sorted(set(last.values())):
        bed.clock.sleep((NOON + day - bed.clock.now()).total_seconds())
        report = bed.pull(fake)
        here = dict(
            bed.rows(
                "select message_id, count(*) from icontact_activity where event_type = 'open' group by 1"
            )
        )
        for id, until in last.items():
            if until <= day:
                assert here[id] == before[id] + 1, (id, day)
            cell = report.ledger.cell("opens", id)
            assert cell is not None
            assert cell.stored == here[id]
            if (
                cell.colour == "green"
            ):  # equal to what the service said, and that is not longer ago than its time
                assert cell.stored == cell.service
                assert cell.verified_at is not None
                assert bed.clock.now() - cell.verified_at <= due.interval(500 * DAY, due.EVENT_TIERS)


def _ids(fake: Fake) -> list[int]:
    return [row["messageId"] for row in fake.rows["messages"]]
