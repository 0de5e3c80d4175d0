"""When jobs are due: never twice, never left out, across clock changes, downtime, overlap, retries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icx.jobs.due import LATE, Due, Last, due, next_at
from icx.jobs.job import Job, Paused
from icx.jobs.times import after, between, latest

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)  # 07:00 in New York
# A zone, and the days of both of its clock changes; with a leap at midnight, and with one of half an hour.
CHANGES = [
    (zone, datetime.fromisoformat(day).replace(tzinfo=UTC))
    for zone, days in {
        "America/New_York": ("2026-03-08", "2026-11-01"),
        "Europe/Berlin": ("2026-03-29", "2026-10-25"),
        "Australia/Lord_Howe": ("2026-10-03", "2026-04-04"),
        "America/Santiago": ("2026-09-06", "2026-04-05"),
        "Africa/Cairo": ("2026-04-23", "2026-10-29"),
        "Asia/Kathmandu": ("2026-06-01", "2026-06-01"),
        "UTC": ("2026-03-08", "2026-11-01"),
    }.items()
    for day in days
]


def job(**changes: object) -> Job:
    made = Job(
        "weekly", "import", "daily 07:00", "America/New_York", MONDAY - timedelta(days=1), connection="acme"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def last(state: str = "done", **changes: object) -> Last:
    made = Last("r-7", "r-7", 1, MONDAY, MONDAY, MONDAY + MINUTE, state)
    return replace(made, **changes)  # type: ignore[arg-type]


# --- instants, against walking minute by minute ---------------------------------------------------------------------

Fields = tuple[set[int], set[int], set[int]]  # minutes, hours, weekdays (0 is Sunday)


@st.composite
def crons(draw: st.DrawFn) -> tuple[str, Fields]:
    """A cron expression and what it stands for, each made without the other's help."""
    step = draw(st.sampled_from([None, 1, 5, 15, 30]))
    minutes = set(range(0, 60, step)) if step else draw(st.sets(st.integers(0, 59), min_size=1, max_size=3))
    minute = f"*/{step}" if step else ",".join(map(str, sorted(minutes)))
    kind = draw(st.sampled_from(["every", "some", "range", "step"]))
    if kind == "every":
        hour, hours = "*", set(range(24))
    elif kind == "some":
        hours = draw(st.sets(st.sampled_from([0, 1, 2, 3, 7, 23]), min_size=1, max_size=3))
        hour = ",".join(map(str, sorted(hours)))
    elif kind == "range":
        first = draw(st.integers(0, 4))
        hour, hours = f"{first}-{first + 3}", set(range(first, first + 4))
    else:
        hour, hours = "*/2", set(range(0, 24, 2))
    days = draw(st.sets(st.integers(0, 6), min_size=3) | st.just(set(range(7))))
    weekday = "*" if len(days) == 7 else ",".join(map(str, sorted(days)))
    return f"{minute} {hour} * * {weekday}", (minutes, hours, days)


def walked(zone: ZoneInfo, fields: Fields, begin: datetime, end: datetime) -> list[datetime]:
    """The instants in (begin, end], found by reading the wall clock each minute; and what it leaps over."""
    minutes, hours, days = fields

    def comes(wall: datetime) -> bool:
        return wall.minute in minutes and wall.hour in hours and wall.isoweekday() % 7 in days

    found, read = [], set()
    instant = begin.replace(second=0) - 2 * timedelta(days=1)
    before = instant.astimezone(zone).replace(tzinfo=None)
    while (instant := instant + MINUTE) <= end:
        wall = instant.astimezone(zone).replace(tzinfo=None)
        if len(hours) == 24:
            now = comes(wall)  # time that passes
        else:
            readings = [wall]
            while wall - before > MINUTE:  # the clock leapt
                before += MINUTE
                readings.append(before)
            now = any(comes(one) and one not in read for one in readings)
            read |= set(readings)
        before = wall
        if now and instant > begin:
            found.append(instant)
    return found


@given(st.sampled_from(CHANGES), crons(), st.integers(-1_600, 1_600), st.integers(1, 2_400))
def test_instants_are_those_a_person_at_the_clock_would_count(
    change: tuple[str, datetime], cron: tuple[str, Fields], start: int, length: int
) -> None:
    name, day = change
    zone, (text, fields) = ZoneInfo(name), cron
    begin = day + start * MINUTE
    end = begin + length * MINUTE
    expected = walked(zone, fields, begin, end)
    assert list(between(text, zone, begin, end)) == expected
    assert latest(text, zone, begin, end) == (expected[-1] if expected else None)


def test_a_night_without_and_a_night_with_two_of_the_hour() -> None:
    newyork = ZoneInfo("America/New_York")
    spring, autumn = datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)
    one = [
        f"{each.astimezone(newyork):%d %H:%M %Z}" for each in islice(after("30 2 * * *", newyork, spring), 2)
    ]
    assert one == ["08 03:00 EDT", "09 02:30 EDT"]
    two = [
        f"{each.astimezone(newyork):%d %H:%M %Z}" for each in islice(after("30 1 * * *", newyork, autumn), 2)
    ]
    assert two == ["01 01:30 EDT", "02 01:30 EST"]
    assert len(list(between("0 * * * *", newyork, autumn, autumn + 24 * HOUR))) == 24


def test_the_latest_of_many_years_is_found_at_once() -> None:
    zone = ZoneInfo("America/New_York")
    assert latest("* * * * *", zone, MONDAY - timedelta(days=3_000), MONDAY) == MONDAY
    assert latest("0 8 29 2 *", zone, MONDAY - timedelta(days=3_000), MONDAY) == datetime(
        2024, 2, 29, 13, tzinfo=UTC
    )


# --- due ------------------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(CHANGES),
    crons(),
    st.lists(st.integers(1, 900), min_size=1, max_size=12),
    st.sampled_from(["skip", "wait"]),
)
def test_asked_at_any_moments_a_time_runs_once_and_the_newest_always(
    change: tuple[str, datetime], cron: tuple[str, Fields], pauses: list[int], overlap: str
) -> None:
    name, day = change
    begin = day - timedelta(hours=20)
    one = job(every=cron[0], zone=name, counts_from=begin, overlap=overlap)
    now, handled, ran = begin, None, None
    answered: list[datetime] = []
    for pause in pauses:
        now += pause * MINUTE
        found = due(one, handled, ran, now)
        open_ = list(between(one.cron, one.tz, answered[-1] if answered else begin, now))
        assert (found is None) == (not open_)
        if found is not None:
            assert found.why == "clock"
            assert found.at == open_[-1]
            assert found.missed == len([each for each in open_ if each <= now - LATE])
            answered.append(found.at)
            handled, ran = found.at, last(due_at=found.at, started_at=now, ended_at=now)
            assert due(one, handled, ran, now) is None
    assert answered == sorted(set(answered))


def test_what_passed_while_nothing_ran_is_one_run_or_by_choice_none() -> None:
    back = MONDAY + timedelta(days=3, hours=2)
    once = due(job(), None, None, back)
    assert once == Due("clock", MONDAY + timedelta(days=3), missed=4, missed_since=MONDAY)
    let_go = due(job(missed="skip"), None, None, back)
    assert let_go == replace(once, run=False)
    # Just come is not missed.
    in_time = due(job(missed="skip"), MONDAY, last(), MONDAY + timedelta(days=1, minutes=4))
    assert in_time == Due("clock", MONDAY + timedelta(days=1))


def test_what_comes_while_the_run_before_is_under_way_is_let_go_or_waits() -> None:
    slow = last(ended_at=MONDAY + timedelta(hours=2, minutes=10))
    now = MONDAY + timedelta(hours=2, minutes=11)
    assert due(job(every="hourly", overlap="skip"), MONDAY, slow, now) is None
    waiting = due(job(every="hourly", overlap="wait"), MONDAY, slow, now)
    assert waiting is not None
    assert waiting.at == MONDAY + 2 * HOUR
    assert (
        due(job(every="hourly", overlap="wait"), MONDAY, replace(slow, state="running", ended_at=None), now)
        is None
    )


def test_a_failure_is_tried_again_later_and_later_then_given_up() -> None:
    one = job(retries=2, backoff=10)
    failed = last("failed")
    assert due(one, MONDAY, failed, MONDAY + 10 * MINUTE) is None
    assert due(one, MONDAY, failed, MONDAY + 11 * MINUTE) == Due("retry", MONDAY, 2, "r-7")
    second = replace(failed, run="r-8", attempt=2)
    assert due(one, MONDAY, second, MONDAY + 20 * MINUTE) is None
    assert due(one, MONDAY, second, MONDAY + 21 * MINUTE) == Due("retry", MONDAY, 3, "r-7")
    assert next_at(one, MONDAY, second, MONDAY + 5 * MINUTE) == MONDAY + 21 * MINUTE
    assert due(one, MONDAY, replace(second, attempt=3), MONDAY + HOUR) is None
    assert due(one, MONDAY, replace(failed, lasting=True), MONDAY + HOUR) is None


def test_a_run_that_was_cut_off_is_taken_up_but_not_for_ever() -> None:
    killed = last("cut off", ended_at=None)
    assert due(job(), MONDAY, killed, MONDAY + MINUTE) == Due("again", MONDAY, 2, "r-7")
    assert due(job(), MONDAY, replace(killed, attempt=4), MONDAY + MINUTE) is None
    tomorrow = due(job(), MONDAY, killed, MONDAY + timedelta(days=1))
    assert tomorrow == Due("clock", MONDAY + timedelta(days=1))


def test_a_paused_job_is_not_due_and_what_passed_then_is_not_run_afterwards() -> None:
    paused = job(paused=Paused("maya", MONDAY))
    assert due(paused, None, None, MONDAY + HOUR) is None
    assert next_at(paused, None, None, MONDAY) is None
    resumed = job(counts_from=MONDAY + HOUR)
    assert due(resumed, MONDAY, last("failed"), MONDAY + 2 * HOUR) is None
    assert next_at(resumed, MONDAY, last(), MONDAY + HOUR) == MONDAY + timedelta(days=1)


@pytest.mark.parametrize("back", [-HOUR, -timedelta(days=400)])
def test_a_clock_set_back_runs_nothing_twice(back: timedelta) -> None:
    assert due(job(), MONDAY, last(), MONDAY + back) is None
