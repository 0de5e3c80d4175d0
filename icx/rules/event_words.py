"""Event rules in English: "opened at least 3 times in the last 90 days", "did not click in the last 7 days"."""

from __future__ import annotations

from datetime import tzinfo

from icx import mask
from icx.rules.nodes import Days, Event, This
from icx.rules.operators import KEEP_CASE

PAST = {
    "open": "opened",
    "click": "clicked",
    "bounce": "bounced",
    "unsubscribe": "unsubscribed",
    "any": "had an event",
}
PLAIN = {
    "open": "open",
    "click": "click",
    "bounce": "bounce",
    "unsubscribe": "unsubscribe",
    "any": "have an event",
}
NOT = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "between": "notBetween",
    "notBetween": "between",
}
LINKS = {
    "=": "that is",
    "!=": "that is not",
    "contains": "containing",
    "doesNotContain": "not containing",
    "beginsWith": "starting with",
    "doesNotBeginWith": "not starting with",
    "endsWith": "ending with",
    "doesNotEndWith": "not ending with",
}


def event_phrase(event: Event, zone: tzinfo, negated: bool = False) -> str:
    """Return what a person did, or how often, and when.

    >>> from datetime import UTC
    >>> event_phrase(Event("open", "<", 3, days=90), UTC)
    'opened fewer than 3 times in the last 90 days'
    >>> event_phrase(Event("click", ">=", 1, days=7), UTC, negated=True)
    'did not click in the last 7 days'
    >>> event_phrase(Event("open", ">=", 3, days=90, distinct="messages"), UTC)
    'opened at least 3 different messages in the last 90 days'
    """
    operator, count = _simple(
        NOT.get(event.operator, event.operator) if negated else event.operator, event.count
    )
    what = _object(event)
    window = _window(event, zone)
    human = " (likely machines not counted)" if event.human else ""
    if (operator, count) == ("=", 0):
        verb = PLAIN.get(event.kind, event.kind)
        start = f"did not {verb}" if window else f"never {PAST.get(event.kind, event.kind)}"
        return f"{start}{what}{window}{human}"
    verb = PAST.get(event.kind, event.kind)
    if (operator, count) == (">=", 1):
        return f"{verb}{what}{window}{human}"
    if event.distinct and event.message is None:
        where = f", by{what}," if what else ""
        noun = "different message" if count == 1 else "different messages"
        on = " in" if event.kind in {"click", "any", "bounce", "unsubscribe"} else ""
        return f"{verb}{on} {_often(operator, count, noun)}{where}{window}{human}"
    return f"{verb}{what} {_often(operator, count)}{window}{human}"


def window_words(window: Days | This) -> str:
    """Return a moving window in words.

    >>> window_words(Days(7)), window_words(Days(1)), window_words(This("week"))
    ('in the last 7 days', 'in the last day', 'this week')
    """
    if isinstance(window, This):
        return "today" if window.unit == "day" else f"this {window.unit}"
    return "in the last day" if window.days == 1 else f"in the last {window.days:,} days"


def _simple(operator: str, count: int | tuple[int, int]) -> tuple[str, int | tuple[int, int]]:
    """Return the shortest way to say a count: more than 0 is at least 1, fewer than 1 is exactly 0."""
    return {
        (">", 0): (">=", 1),
        ("!=", 0): (">=", 1),
        ("<", 1): ("=", 0),
        ("<=", 0): ("=", 0),
    }.get((operator, count), (operator, count))  # type: ignore[arg-type, return-value]


def _often(operator: str, count: int | tuple[int, int], noun: str = "") -> str:
    def times(n: int) -> str:
        return f"{n:,} {noun}" if noun else ("once" if n == 1 else f"{n:,} times")

    if isinstance(count, tuple):
        if operator == "between":
            return f"{count[0]:,} to {times(count[1])}"
        return f"fewer than {count[0]:,} or more than {times(count[1])}"
    if operator == ">=" and count == 0:
        return "any number of " + (noun or "times")
    words = {
        ">=": "at least",
        "<=": "at most",
        ">": "more than",
        "<": "fewer than",
        "=": "exactly",
        "!=": "not exactly",
    }
    return f"{words.get(operator, operator)} {times(count)}"


def _object(event: Event) -> str:
    parts = []
    if event.url is not None:
        operator = KEEP_CASE.get(event.url.operator, event.url.operator)
        case = " in any case" if event.url.operator in KEEP_CASE else ""
        on = "on " if event.kind == "any" else ""
        parts.append(f'{on}a link {LINKS.get(operator, operator)} "{mask.plain(event.url.value)}"{case}')
    if event.message is not None:
        before = "of " if parts else "in " if event.kind != "open" else ""
        parts.append(f"{before}message {event.message}")
    return "".join(f" {part}" for part in parts)


def _window(event: Event, zone: tzinfo) -> str:
    from icx.rules.english import day_words

    if event.days is not None:
        return f" {window_words(Days(event.days))}"
    since, until = event.between or (None, None)
    if since and until:
        return f" from {day_words(since, zone)} to {day_words(until, zone)}"
    if since:
        return f" since {day_words(since, zone)}"
    return f" up to {day_words(until, zone)}" if until else ""
