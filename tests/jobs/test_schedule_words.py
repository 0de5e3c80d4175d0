"""Schedules as people type them: what they mean, how they are said back, what is nearest to nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icx.errors import BadInput
from icx.jobs.schedule import EXAMPLES, check_zone, english, parse

TABLE = {
    "Mon 07:00": ("0 7 * * 1", "every Monday at 07:00"),
    "monday 7am": ("0 7 * * 1", "every Monday at 07:00"),
    "Mondays at 07:00": ("0 7 * * 1", "every Monday at 07:00"),
    "every Tuesday at 7:30 pm": ("30 19 * * 2", "every Tuesday at 19:30"),
    "Mon,Thu 07:00": ("0 7 * * 1,4", "every Monday and Thursday at 07:00"),
    "Sat-Mon 07:00": ("0 7 * * 0,1,6", "every Monday, Saturday and Sunday at 07:00"),
    "weekdays 07:00": ("0 7 * * 1-5", "every weekday at 07:00"),
    "weekends": ("0 7 * * 0,6", "every Saturday and Sunday at 07:00"),
    "hourly": ("0 * * * *", "every hour"),
    "hourly :15": ("15 * * * *", "every hour, 15 minutes past"),
    "daily": ("0 7 * * *", "every day at 07:00"),
    "daily 07:00,19:00": ("0 7,19 * * *", "every day at 07:00 and 19:00"),
    "every day at noon": ("0 12 * * *", "every day at 12:00"),
    "every 15 min": ("*/15 * * * *", "every 15 minutes"),
    "every 1 minute": ("* * * * *", "every minute"),
    "every 60 minutes": ("0 * * * *", "every hour"),
    "every 6 hours": ("0 */6 * * *", "every 6 hours"),
    "every 24h": ("0 0 * * *", "every day at 00:00"),
    "weekly": ("0 7 * * 1", "every Monday at 07:00"),
    "monthly": ("0 7 1 * *", "on the 1st of every month at 07:00"),
    "1st 08:00": ("0 8 1 * *", "on the 1st of every month at 08:00"),
    "1st,15th 08:00": ("0 8 1,15 * *", "on the 1st and 15th of every month at 08:00"),
    "last day 08:00": ("0 8 L * *", "on the last day of every month at 08:00"),
    "0 7 * * MON": ("0 7 * * MON", "every Monday at 07:00"),
    "  5   7 * * 1-5 ": ("5 7 * * 1-5", "every weekday at 07:05"),
    "*/20 9-17 * * 1-5": ("*/20 9-17 * * 1-5", "every 20th minute from 09:00 through 17:59 on Monday through Friday"),
}  # fmt: skip


@pytest.mark.parametrize("typed", TABLE)
def test_a_schedule_means_a_cron_expression_and_is_said_back(typed: str) -> None:
    assert (parse(typed), english(parse(typed))) == TABLE[typed]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_schedule_offered_as_nearest_is_one(example: str) -> None:
    assert english(parse(example))


@pytest.mark.parametrize(
    ("typed", "nearest"),
    {
        "Mnday 07:00": "Mon 07:00",
        "houry": "hourly",
        "every 7 min": "every 6 min",
        "every 90 min": "hourly",
        "every 5 hours": "every 4 hours",
        "daily 07:00,19:30": "daily 07:00,19:00",
        "daily 25:00": "daily 07:00",
        "Thursday 7": "Thu 07:00",
        "32nd 08:00": "1st 08:00",
        "sometimes": "Mon 07:00",
        "": "Mon 07:00",
        "0 7 * *": "0 7 * * 1",
        "0 7 * * * *": "0 7 * * 1",
        "61 7 * * 1": "0 7 * * 1",
        "0 7 30 2 *": "0 7 * * 1",
        "0 7 , * 1": "0 7 * * 1",
    }.items(),
)
def test_nonsense_names_the_nearest_schedule(typed: str, nearest: str) -> None:
    with pytest.raises(BadInput) as told:
        parse(typed)
    assert told.value.code == "schedule"
    assert f'Nearest: "{nearest}"' in told.value.message
    parse(nearest)


@given(st.text(max_size=30) | st.text("0123456789*/,-# LWmonthur:", max_size=20))
def test_any_text_is_a_schedule_or_refused_with_one_that_is(text: str) -> None:
    try:
        cron = parse(text)
    except BadInput as error:
        parse(error.message.split('Nearest: "')[1].rstrip('".'))
    else:
        assert english(cron)
        assert parse(cron) == cron


def test_a_zone_is_one_there_is() -> None:
    assert check_zone("Europe/Berlin").key == "Europe/Berlin"
    for wrong in ("Berlin", "../etc/passwd", "", "America"):
        with pytest.raises(BadInput):
            check_zone(wrong)
