"""Rules in English: one phrase a leaf, joined the way a person would say it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import Literal

from icx import mask
from icx.rules.asks import as_event
from icx.rules.event_words import event_phrase, window_words
from icx.rules.nodes import Compare, Days, Event, Group, InAudience, OnList, Rule, This
from icx.rules.operators import KEEP_CASE, OPPOSITE, WORDS

Pronoun = Literal["who", "whose"]
Segment = tuple[str, Literal["strong", "muted"]]

# Fields that read better as something a person did, or was.
TIMES = {
    "ic_user_created": "was created",
    "last_active_ts": "was last active",
    "last_engaged_ts": "last opened or clicked",
    "email_last_click_ts": "last clicked",
    "email_last_open_ts": "last opened",
    "email_lastbounce_ts": "last bounced",
    "email_lastunsubscribe_ts": "last unsubscribed",
    "email_first_click_ts": "first clicked",
    "email_first_open_ts": "first opened",
    "email_firstbounce_ts": "first bounced",
    "email_firstunsubscribe_ts": "first unsubscribed",
}
NEVER = {
    "ic_user_created": "has no date of creation",
    "last_active_ts": "was never active",
    "last_engaged_ts": "never opened or clicked",
    "email_last_click_ts": "never clicked",
    "email_last_open_ts": "never opened",
    "email_lastbounce_ts": "never bounced",
    "email_lastunsubscribe_ts": "never unsubscribed",
    "email_first_click_ts": "never clicked",
    "email_first_open_ts": "never opened",
    "email_firstbounce_ts": "never bounced",
    "email_firstunsubscribe_ts": "never unsubscribed",
}
LABELS = {"ic_status": "contact status", "ic_contact_id": "contact id", "ic_bounce_count": "bounce count"}


def english(rule: Rule, zone: tzinfo = UTC) -> str:
    """Return a rule as one line of English; `zone` is where its dates are.

    >>> rule = (Compare("opens_90d", ">=", 3) & Compare("city", "=", "Durham")
    ...         & ~Compare("email_last_click_ts", "within", Days(7)))
    >>> english(rule)
    'opened at least 3 times in the last 90 days, and city is Durham, and did not click in the last 7 days'
    """
    return _text(_outer(rule, zone, pronouns=False))


def sentence(rule: Rule, zone: tzinfo = UTC) -> str:
    """Return a rule as an audience's description.

    >>> sentence(Compare("opens_90d", ">=", 3) & Compare("city", "=", "Durham"))
    'people who opened at least 3 times in the last 90 days, and whose city is Durham'
    """
    return _text(segments(rule, zone))


def segments(rule: Rule, zone: tzinfo = UTC) -> list[Segment]:
    """Return the description in pieces: what is asked of people strong, the words that join it muted.

    >>> segments(Compare("opens_90d", ">=", 3) & Compare("city", "=", "Durham"))[:3]
    [('people who ', 'muted'), ('opened at least 3 times in the last 90 days', 'strong'), (', and whose ', 'muted')]
    """
    if isinstance(rule, Group) and not rule.rules:
        everybody = (rule.combinator == "and") != rule.negated
        return [("all contacts" if everybody else "nobody", "strong")]
    pieces: list[Segment] = [("people ", "muted")]
    for text, weight in _outer(rule, zone, pronouns=True):
        before = pieces.pop()[0] if pieces[-1][1] == weight else ""
        pieces.append((before + text, weight))
    return pieces


def phrase(rule: Rule, zone: tzinfo = UTC) -> str:
    """Return one row's English: a leaf, a leaf turned round, or a group in short.

    >>> phrase(~Compare("city", "=", "Durham"))
    'city is not Durham or is missing'
    """
    text = _text(_inner(rule, zone, pronouns=False))
    return text.removeprefix("(").removesuffix(")") if _is_group(rule) else text


def label(name: str) -> str:
    """Return a field's name as a person would say it.

    >>> label("first_name"), label("cf_tier"), label("ic_status")
    ('first name', 'tier', 'contact status')
    """
    if name in LABELS:
        return LABELS[name]
    return mask.plain(name.removeprefix("cf_").removeprefix("ic_").replace("_", " "))


def value_words(value: object, zone: tzinfo = UTC) -> str:
    """Return a value as it is printed: numbers with separators, plain words bare, other text in quotes.

    >>> value_words(12345), value_words("Chapel Hill"), value_words("a, b"), value_words(True)
    ('12,345', 'Chapel Hill', '"a, b"', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.10g}"
    text = mask.plain(value)
    bare = text == text.strip() and text and all(c.isalnum() or c in " .@'_+/#&-" for c in text)
    if not bare or " or " in text or " and " in text:
        return f'"{text}"'
    return text


def _text(pieces: Sequence[Segment]) -> str:
    return "".join(text for text, _ in pieces)


def _outer(rule: Rule, zone: tzinfo, *, pronouns: bool) -> list[Segment]:
    if isinstance(rule, Group) and not rule.negated and len(rule.rules) > 1:
        return _joined(rule, f", {rule.combinator} ", zone, pronouns=pronouns)
    if isinstance(rule, Group) and not rule.negated and len(rule.rules) == 1:
        return _outer(rule.rules[0], zone, pronouns=pronouns)
    return _inner(rule, zone, pronouns=pronouns)


def _joined(group: Group, joiner: str, zone: tzinfo, *, pronouns: bool) -> list[Segment]:
    pieces: list[Segment] = []
    for one in group.rules:
        if pieces:
            pieces.append((joiner, "muted"))
        pieces += _inner(one, zone, pronouns=pronouns)
    return pieces


def _is_group(rule: Rule) -> bool:
    return isinstance(rule, Group) and not rule.negated and len(rule.rules) > 1


def _inner(rule: Rule, zone: tzinfo, *, pronouns: bool, negated: bool = False) -> list[Segment]:
    if isinstance(rule, Group):
        turned = rule.negated != negated
        if not rule.rules:
            who = "everybody" if (rule.combinator == "and") != turned else "nobody"
            return [("who are " if pronouns else "is ", "muted"), (who, "strong")]
        if len(rule.rules) == 1:
            return _inner(rule.rules[0], zone, pronouns=pronouns, negated=turned)
        pieces = _joined(rule, f" {rule.combinator} ", zone, pronouns=pronouns)
        return [("not (" if turned else "(", "muted"), *pieces, (")", "muted")]
    pronoun, text = _leaf(rule, zone, negated)
    return [(f"{pronoun} ", "muted"), (text, "strong")] if pronouns else [(text, "strong")]


def _leaf(rule: Rule, zone: tzinfo, negated: bool) -> tuple[Pronoun, str]:
    if isinstance(rule, OnList):
        return "who", _on_list(rule, negated)
    if isinstance(rule, InAudience):
        inside = (rule.operator == "in") != negated
        return "who", f"is {'' if inside else 'not '}in the audience {value_words(rule.audience)}"
    event = as_event(rule)
    if event is not None:
        return "who", event_phrase(event, zone, negated)
    assert isinstance(rule, Compare)
    if rule.operator in {"null", "notNull"}:
        return "who", _missing(rule, (rule.operator == "null") != negated)
    if not negated:
        return _compare(rule, zone)
    pronoun, text = _compare(_turned(rule), zone)
    ending = f" or {NEVER[rule.field]}" if rule.field in NEVER and rule.key is None else " or is missing"
    return pronoun, text + ending


def _turned(rule: Compare) -> Compare:
    return Compare(rule.field, OPPOSITE.get(rule.operator, rule.operator), rule.value, rule.key)


def _on_list(rule: OnList, negated: bool) -> str:
    name = f"the list {value_words(rule.name)}"
    if rule.state in {"on", "not on"}:
        return f"is {'' if (rule.state == 'on') != negated else 'not '}on {name}"
    no = "not " if negated else ""
    return {
        "normal": f"is {no}a normal member of {name}",
        "pending": f"is {no}pending on {name}",
        "unsubscribed": f"is {no}unsubscribed from {name}",
    }.get(rule.state, f"is {no}{rule.state} on {name}")


def _missing(rule: Compare, missing: bool) -> str:
    name = _named(rule)
    if rule.field in NEVER and rule.key is None:
        verb = NEVER[rule.field]
        if missing:
            return verb
        return verb.replace("never ", "").replace("has no ", "has a ") + (
            " at some time" if "never " in verb else ""
        )
    return f"has no {name}" if missing else f"has a {name}"


def _named(rule: Compare) -> str:
    return label(rule.field) + (f" of {value_words(rule.key)}" if rule.key is not None else "")


def _compare(rule: Compare, zone: tzinfo) -> tuple[Pronoun, str]:
    verb = TIMES.get(rule.field) if rule.key is None else None
    pronoun: Pronoun = "who" if verb else "whose"
    name = verb or f"{_named(rule)} is"
    operator = KEEP_CASE.get(rule.operator, rule.operator)
    ending = " in any case" if rule.operator in KEEP_CASE else ""
    value = rule.value
    if isinstance(value, Days | This):
        window = window_words(value)
        return pronoun, f"{name} {window}" if operator == "within" else f"{name}, but not {window}"
    if isinstance(value, tuple) and operator in {"between", "notBetween"} and len(value) == 2:
        no = "" if operator == "between" else "not "
        return pronoun, f"{name} {no}between {_at(value[0], zone)} and {_at(value[1], zone)}"
    if verb or (isinstance(value, str) and operator in {"<", "<=", ">", ">="}):
        words = {"=": "on", "!=": "not on", "<": "before", "<=": "up to", ">": "after", ">=": "from"}
        return pronoun, f"{name} {words.get(operator, operator)} {_at(value, zone)}"
    if operator in {"has", "hasNot"}:
        return "whose", f"{_named(rule)} {WORDS[operator]} {value_words(value)}"
    if operator in {
        "contains",
        "doesNotContain",
        "beginsWith",
        "doesNotBeginWith",
        "endsWith",
        "doesNotEndWith",
    }:
        return "whose", f'{_named(rule)} {WORDS[operator]} "{mask.plain(value)}"{ending}'
    if isinstance(value, tuple):
        shown = [value_words(one) for one in value]
        listed = " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else "nothing"
        return "whose", f"{name} {'not ' if operator == 'notIn' else ''}{listed}{ending}"
    if operator in {"=", "!="}:
        return "whose", f"{name} {'' if operator == '=' else 'not '}{value_words(value)}{ending}"
    return "whose", f"{name} {WORDS.get(operator, operator)} {value_words(value)}"


def _at(value: object, zone: tzinfo) -> str:
    """Return a date or moment of a rule as it is printed; other values as they are."""
    if not isinstance(value, str):
        return value_words(value)
    return day_words(value, zone)


def day_words(text: str, zone: tzinfo) -> str:
    """Return a rule's date or moment in words, in the workspace's zone.

    >>> day_words("2026-11-21", UTC), day_words("2026-11-21T07:02:00Z", UTC)
    ('21 Nov 2026', '21 Nov 2026 07:02')
    """
    try:
        if len(text.strip()) == 10:
            day = date.fromisoformat(text.strip())
            return f"{day.day} {day:%b %Y}"
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return value_words(text)
    moment = moment.astimezone(zone) if moment.tzinfo else moment
    return f"{moment.day} {moment:%b %Y %H:%M}"


__all__ = ["Event", "Segment", "english", "label", "phrase", "segments", "sentence", "value_words"]
