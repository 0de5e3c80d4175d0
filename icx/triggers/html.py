"""Triggers as a notebook shows them: one with its back-test and its firings, all of a connection, a back-test."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from icx import mask
from icx.errors import IcxError
from icx.look import page
from icx.look.charts import histogram
from icx.look.page import Html, Kind, number, tag
from icx.words import counted

if TYPE_CHECKING:
    from icx.triggers.backtest import BackTest
    from icx.triggers.board import Triggers
    from icx.triggers.firings import Firing
    from icx.triggers.trigger import Trigger

MOST = 20  # firings that are shown
STATES: dict[str, tuple[Kind, str, str]] = {
    "active": ("ok", "active", ""),
    "new": ("", "from the next build on", "clock"),
    "waiting": ("", "something to do", "clock"),
    "failing": ("bad", "did not arrive, tried again", ""),
    "paused": ("", "paused", ""),
}


def trigger_html(trigger: Trigger) -> Html:
    """Return a trigger: its sentence, how often it would have fired in 90 days, and whom it fired for."""
    parts = [_head(trigger), _sentence(trigger)]
    if trigger.description:
        parts.insert(1, tag("p", trigger.description, cls="muted"))
    if trigger.paused is not None:
        parts.append(page.note("", "Paused.", f"by {trigger.paused.by}. {trigger.paused.why}"))
    if trigger.hand is not None:
        try:
            found = trigger.test()
            parts += _tested(found)
            fired = trigger.firings(MOST)
            if fired:
                parts.append(_table(fired, found.zone))
        except IcxError as error:
            parts.append(page.note("bad", "Not counted.", f"{error.message} {error.next_text()}"))
    parts.append(page.fold("Python", page.code(trigger.python), more="· the same trigger as typed"))
    return page.root(tag("div", *parts, cls="stack"), name=f"Trigger: {trigger.name}")


def test_html(found: BackTest) -> Html:
    """Return a back-test: how often, for how many, by week."""
    return page.root(
        tag("div", _head(found.trigger), _sentence(found.trigger), *_tested(found), cls="stack"),
        name=f"Back-test: {found.trigger.name}",
    )


def triggers_html(triggers: Triggers) -> Html:
    """Return the triggers of a connection and what each came to."""
    head = page.head("Triggers", "", tag("span", "of ", tag("b", triggers.connection)))
    if not triggers.standings:
        how = page.join(
            tag("code", 'ws.trigger("Hot", f.points >= 50, push="acme/lists/Hot leads")'), " makes the first."
        )
        return page.root(head, page.note("", "No trigger is saved yet.", how), name="Triggers")
    rows = [
        (
            page.join(
                tag("b", one.trigger.name, cls="k"), tag("div", one.trigger.english, cls="small muted")
            ),
            number(one.fired),
            number(one.states.get("done", 0)),
            number(one.states.get("refused", 0)),
            number(one.open),
            page.pill(*STATES[one.state]),
        )
        for one in triggers.standings
    ]
    table = page.table(["Trigger", "Fired", "Done", "Refused", "To do", ""], rows, numbers=(1, 2, 3, 4))
    return page.root(head, tag("div", table, cls="wraps"), name="Triggers")


def _head(trigger: Trigger) -> Html:
    return page.head(
        trigger.name, "", tag("span", "Trigger on ", tag("b", trigger.connection or "no connection"))
    )


def _sentence(trigger: Trigger) -> Html:
    words = trigger.english
    return tag("div", tag("b", words[:1].upper() + words[1:]), ".", cls="sentence")


def _table(fired: list[Firing], zone: tzinfo) -> Html:
    rows = [
        (
            _moment(one.fired_at, zone),
            f"#{one.contact_id}",
            one.crossed,
            one.build_id,
            mask.addresses_in(one.became),
        )
        for one in fired
    ]
    foot = f"the newest {MOST:,}; .firings(…) has more" if len(fired) == MOST else ""
    return tag(
        "div",
        page.table(["When", "Contact", "What crossed", "Seen by", "What became of it"], rows, foot=foot),
        cls="wraps",
    )


def _tested(found: BackTest) -> list[Html]:
    counts = [week.fired for week in found.weeks]
    label = "fired by week: " + ", ".join(
        f"{_day(week.start, found.zone)} {number(week.fired)}" for week in found.weeks
    )
    said = f"times it would have fired in {counted(found.days, 'day')}, for {counted(found.people, 'person')}"
    total = tag("div", tag("div", number(found.fired), cls="bigno"), tag("div", said, cls="small muted"))
    ends = f"by week, {_day(found.weeks[0].start, found.zone)} to {_day(found.as_of, found.zone)}"
    chart = tag("div", histogram(counts, label, width=260, height=44), tag("div", ends, cls="small muted"))
    notes = tag(
        "div", *(tag("div", note[:1].upper() + note[1:], ".") for note in found.notes), cls="small muted"
    )
    return [tag("div", total, notes, chart, cls="hero")]


def _moment(at: datetime, zone: tzinfo) -> str:
    there = at.astimezone(zone)
    return f"{there.day} {there:%b %Y, %H:%M}".replace(" ", "\u00a0")


def _day(at: datetime, zone: tzinfo = UTC) -> str:
    there = at.astimezone(zone)
    return f"{there.day} {there:%b}"
