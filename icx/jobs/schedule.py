"""Schedules as people say them: "Mon 07:00", "weekdays 07:00", "hourly", "every 15 min", or a cron expression."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from icx import mask
from icx.clock import SYSTEM
from icx.errors import BadInput

DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
FULL = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
SETS = {"weekdays": "1-5", "weekday": "1-5", "weekends": "0,6", "weekend": "0,6", "daily": "*"}
#: At what hour a schedule runs that names a day and no time.
MORNING = (0, 7)
# What is offered to whoever wrote something else; each is a schedule.
EXAMPLES = (
    "hourly", "hourly :15", "daily", "daily 07:00", "weekdays 07:00", "weekends 09:00", "weekly", "monthly",
    "Mon 07:00", "Mon,Thu 07:00", "Mon-Fri 07:00", "1st 08:00", "1st,15th 08:00", "last 08:00",
    "every 15 min", "every 2 hours", "every hour", "every day", "0 7 * * 1",
)  # fmt: skip
WHOLE = {
    "hourly": "0 * * * *",
    "every hour": "0 * * * *",
    "every minute": "* * * * *",
    "weekly": "0 7 * * 1",
    "monthly": "0 7 1 * *",
}
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?")


def parse(text: str) -> str:
    """Return the cron expression (five fields) that a schedule means.

    >>> parse("Mon,Thu 07:00"), parse("every 15 min"), parse("1st 08:00"), parse("0 7 * * MON")
    ('0 7 * * 1,4', '*/15 * * * *', '0 8 1 * *', '0 7 * * MON')

    Raises `schedule` with the nearest schedule there is.
    """
    words = " ".join(text.split())
    found = _cron(words) if _looks_like_cron(words) else _words(words.lower())
    if found is None:
        raise _nonsense(text)
    return found


def english(cron: str) -> str:
    """Return what a cron expression says, in words.

    >>> english(parse("weekdays 07:00")), english("*/15 * * * *"), english("5 7,19 1 * *")
    ('every weekday at 07:00', 'every 15 minutes', 'on the 1st of every month at 07:05 and 19:05')
    """
    minute, hour, day, month, weekday = cron.upper().split()
    times, days = _times_said(minute, hour), _days_said(day, month, weekday)
    if times is None or days is None:
        told = CronSim(cron, SYSTEM.now()).explain()
        return told[:1].lower() + told[1:]
    if not times.startswith("at "):  # every hour, every 15 minutes
        return times if days == "every day" else f"{times}, {days}"
    return f"{days} {times}"


def check_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name, or say what one looks like."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            "schedule",
            f'"{mask.plain(name)}" is not a time zone.',
            where="--zone",
            kept="nothing was saved",
            next=["a zone such as America/New_York or Europe/Berlin"],
        ) from None


def _looks_like_cron(words: str) -> bool:
    parts = words.split()
    figures = [bool(re.fullmatch(r"[\d*/,-]+", part)) for part in parts]
    return len(parts) > 1 and (all(figures) or (len(parts) >= 5 and all(figures[:2])))


def _cron(words: str) -> str | None:
    if len(words.split()) != 5:
        raise _nonsense(words, "a cron expression has five fields: minute hour day month weekday")
    try:
        found = CronSim(words, SYSTEM.now().replace(tzinfo=None))
        next(found)
    except CronSimError as error:
        raise _nonsense(words, str(error).lower()) from None
    except StopIteration:
        raise _nonsense(words, "it never comes") from None
    except ValueError:
        # `min()` of an empty field inside the library
        raise _nonsense(words, "a field is empty") from None
    return words


def _words(words: str) -> str | None:
    if words in WHOLE:
        return WHOLE[words]
    if past := re.fullmatch(r"hourly (?:at )?:?(\d{1,2})", words):
        return f"{int(past[1])} * * * *" if int(past[1]) < 60 else None
    if every := re.fullmatch(r"every (\d+) ?(m|min|mins|minutes?|h|hours?)", words):
        return _every(int(every[1]), every[2][0])
    words = re.sub(r"^every day\b", "daily", words)
    days, _, rest = re.sub(r"^every ", "", words).replace(" at ", " ").replace(", ", ",").partition(" ")
    if days == "last" and rest.startswith("day"):
        rest = rest[3:].strip()
    when, which = _clock(rest), _which(days)
    if when is None or which is None:
        return None
    (minute, hours), (day, weekday) = when, which
    return f"{minute} {hours} {day} * {weekday}"


def _every(number: int, unit: str) -> str | None:
    """Only what divides the hour or the day comes at the same times again."""
    whole = 60 if unit == "m" else 24
    if number < 1 or number > whole or whole % number:
        fits = [n for n in range(1, whole) if whole % n == 0]
        near = min(fits, key=lambda n: abs(n - number))
        if unit == "m" and number > 60:
            unit, near = "h", min((1, 2, 3, 4, 6, 8, 12), key=lambda n: abs(n * 60 - number))
        best = f"every {near} {'min' if unit == 'm' else 'hours'}".replace("every 1 hours", "hourly")
        raise _nonsense(f"every {number} {unit}", "it must divide an hour or a day evenly", best)
    if unit == "m":
        return "0 * * * *" if number == 60 else f"*/{number} * * * *".replace("*/1 ", "* ")
    return "0 0 * * *" if number == 24 else f"0 */{number} * * *".replace("*/1 ", "* ")


def _clock(text: str) -> tuple[int, str] | None:
    """Return minute and hours of "07:00" or "07:00,19:00"; the morning when no time is named."""
    if not text:
        return MORNING[0], str(MORNING[1])
    found = []
    for one in re.split(r",| and ", text.replace("noon", "12:00").replace("midnight", "0:00")):
        match = _TIME.fullmatch(one.strip())
        if match is None or (match[2] is None and match[3] is None):
            return None
        hour, minute = int(match[1]), int(match[2] or 0)
        if match[3]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if match[3] == "pm" else 0)
        if hour > 23 or minute > 59:
            return None
        found.append((hour, minute))
    minutes = {minute for _, minute in found}
    if len(minutes) > 1:
        raise _nonsense(
            text, "several times a day are at the same minute of the hour; else make two jobs", "daily 07:00,19:00"
        )  # fmt: skip
    return minutes.pop(), ",".join(str(hour) for hour in sorted({hour for hour, _ in found}))


def _which(text: str) -> tuple[str, str] | None:
    """Return the day and weekday fields of "mon,thu", "weekdays", "mon-fri", "1st,15th" or "last"."""
    if text in SETS:
        return "*", SETS[text]
    if text == "last":
        return "L", "*"
    if ordinals := _ordinals(text):
        return ",".join(str(day) for day in ordinals), "*"
    found: list[int] = []
    for one in text.split(","):
        first, dash, last = one.partition("-")
        begin, end = _weekday(first), _weekday(last) if dash else _weekday(first)
        if begin is None or end is None:
            return None
        found += [(begin + step) % 7 for step in range((end - begin) % 7 + 1)]
    return "*", ",".join(str(day) for day in sorted(set(found)))


def _ordinals(text: str) -> list[int]:
    parts = [re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|\.)", one) for one in text.split(",")]
    days = [int(part[1]) for part in parts if part]
    return sorted(set(days)) if len(days) == len(parts) and all(1 <= day <= 31 for day in days) else []


def _weekday(text: str) -> int | None:
    """Return 0 for Sunday to 6; a day is its name or the beginning of it."""
    text = text.rstrip("s.") if len(text) > 4 else text.rstrip(".")
    for number, full in enumerate(FULL):
        if len(text) >= 2 and full.lower().startswith(text):
            return number
    return None


def _times_said(minute: str, hour: str) -> str | None:
    if hour == "*":
        if minute == "*":
            return "every minute"
        if re.fullmatch(r"\*/\d+", minute) and 60 % int(minute[2:]) == 0:
            return f"every {minute[2:]} minutes"
        if minute.isdigit():
            past = int(minute)
            said = f", {past} minute{'s' if past > 1 else ''} past"
            return "every hour" + (said if past else "")
        return None
    if re.fullmatch(r"\*/\d+", hour) and 24 % int(hour[2:]) == 0 and minute.isdigit():
        return f"every {hour[2:]} hours" + (f", {int(minute)} past" if int(minute) else "")
    hours = hour.split(",")
    if minute.isdigit() and all(each.isdigit() for each in hours):
        return "at " + _and(f"{each:02}:{int(minute):02}" for each in sorted(int(each) for each in hours))
    return None


def _days_said(day: str, month: str, weekday: str) -> str | None:
    if month != "*":
        return None
    if day == "*" and weekday == "*":
        return "every day"
    if day == "*":
        numbers = _numbers(weekday)
        if numbers is None:
            return None
        if numbers == {1, 2, 3, 4, 5}:
            return "every weekday"
        if numbers == {0, 6}:
            return "every Saturday and Sunday"
        return "every " + _and(FULL[each] for each in sorted(numbers, key=lambda each: (each - 1) % 7))
    if weekday == "*" and day == "L":
        return "on the last day of every month"
    if weekday == "*" and all(each.isdigit() for each in day.split(",")):
        return f"on the {_and(_ordinal(int(each)) for each in day.split(','))} of every month"
    return None


def _numbers(weekday: str) -> set[int] | None:
    found: set[int] = set()
    for one in weekday.split(","):
        ends = [DAYS.index(each.title()) if each.title() in DAYS else each for each in one.split("-")]
        if not all(isinstance(each, int) or each.isdigit() for each in ends) or len(ends) > 2:
            return None
        found |= {each % 7 for each in range(int(ends[0]), int(ends[-1]) + 1)}
    return found or None


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _and(parts: Iterable[str]) -> str:
    words = list(parts)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _nonsense(text: str, why: str = "", best: str = "") -> BadInput:
    shown = mask.plain(text)[:60]
    near = best or _nearest(shown)
    return BadInput(
        "schedule",
        f'"{shown}" is not a schedule. Nearest: "{near}".',
        where=why or 'days and a time ("Mon,Thu 07:00"), "hourly", "every 15 min", or a cron expression',
        kept="nothing was saved",
        next=[f"--every {near!r}"],
    )


def _nearest(text: str) -> str:
    """Return the schedule that a text is most like; its first word says most about what was meant."""
    if _looks_like_cron(text):
        return "0 7 * * 1"
    first = (text.split() or [""])[0].lower()
    starts = {example.lower().split()[0]: example for example in reversed(EXAMPLES)}
    starts |= {f"{day}{ending}": "1st 08:00" for day in range(32, 100) for ending in ("st", "nd", "rd", "th")}
    starts |= {full.lower(): f"{day} 07:00" for full, day in zip(FULL, DAYS, strict=True)}
    starts |= {day.lower(): f"{day} 07:00" for day in DAYS}
    starts |= {"nightly": "daily 02:00", "night": "daily 02:00", "morning": "daily 07:00"}
    if first in starts and first != "every":
        return (
            starts[first]
            if " " in starts[first]
            else f"{starts[first]} 07:00"
            if " " in text
            else starts[first]
        )
    whole = difflib.get_close_matches(text.lower(), EXAMPLES, n=1, cutoff=0.6)
    alike = difflib.get_close_matches(first, starts, n=1, cutoff=0.6)
    return starts[alike[0]] if alike and first != "every" else whole[0] if whole else "Mon 07:00"
