"""Points as a notebook shows them: an action with its back-test, all actions, somebody's ledger."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from icx.errors import IcxError
from icx.look import page
from icx.look.charts import histogram
from icx.look.page import Html, Kind, number, tag
from icx.points.action import signed
from icx.words import counted

if TYPE_CHECKING:
    from icx.points.action import Action
    from icx.points.backtest import BackTest
    from icx.points.ledger import Ledger, Points

MOST = 100  # lines of a ledger that are shown
STATES: dict[str, tuple[Kind, str, str]] = {
    "counted": ("ok", "counted", ""),
    "new": ("", "with the next build", "clock"),
    "changed": ("", "changed, with the next build", "clock"),
}


def action_html(action: Action) -> Html:
    """Return an action: what it gives, and how often it would have fired in 90 days."""
    parts = [_head(action), tag("div", tag("b", action.english), ".", cls="sentence")]
    if action.description:
        parts.insert(1, tag("p", action.description, cls="muted"))
    if action.book is not None:
        try:
            parts += _tested(action.test())
        except IcxError as error:
            parts.append(page.note("bad", "Not counted.", f"{error.message} {error.next_text()}"))
    parts.append(page.fold("Python", page.code(action.python), more="· the same action as typed"))
    return page.root(tag("div", *parts, cls="stack"), name=f"Point action: {action.name}")


def test_html(found: BackTest) -> Html:
    """Return a back-test: how often, for how many, by week."""
    sentence = tag("div", tag("b", found.action.english), ".", cls="sentence")
    parts = [_head(found.action), sentence, *_tested(found)]
    return page.root(tag("div", *parts, cls="stack"), name=f"Back-test: {found.action.name}")


def points_html(points: Points) -> Html:
    """Return the actions of a connection and what each came to."""
    state = (
        page.pill("", f"{counted(len(points.waiting), 'action')} with the next build", "clock")
        if points.waiting
        else ""
    )
    as_of = f"profile of {_moment(points.as_of, points.zone)}" if points.as_of else "not built yet"
    parts = [page.head("Points", state, tag("span", "of ", tag("b", points.connection)), as_of)]
    if not points.standings:
        how = page.join(
            tag("code", 'ws.points("Clicked pricing", 10, f.clicked(url="/pricing"), each=True)'),
            " makes the first.",
        )
        parts.append(page.note("", "No point action is saved yet.", how))
        return page.root(*parts, name="Points")
    parts.append(
        page.tiles(
            page.tile("Points given", number(points.total), f"in {counted(points.awards, 'award')}"),
            page.tile("People", number(points.people), "who have any"),
            page.tile("Actions", number(len(points)), _groups(points)),
        )
    )
    rows = [
        (
            page.join(tag("b", one.action.name, cls="k"), tag("div", one.action.english, cls="small muted")),
            one.action.group or tag("span", "none", cls="muted"),
            number(one.awards),
            number(one.people),
            signed(one.points),
            page.pill(*STATES[one.state]),
        )
        for one in points.standings
    ]
    heads = ["Action", "Group", "Awards", "People", "Points", ""]
    removed = f"Removed, until the next build: {', '.join(points.removed)}." if points.removed else ""
    parts.append(tag("div", page.table(heads, rows, numbers=(2, 3, 4), foot=removed), cls="wraps"))
    return page.root(*parts, name="Points")


def ledger_html(ledger: Ledger) -> Html:
    """Return somebody's ledger, newest first, by their id; addresses in links are masked."""
    crumbs = [
        tag("span", "Contact of ", tag("b", ledger.connection)),
        *(f"{name} {signed(n)}" for name, n in ledger.groups.items()),
    ]
    head = page.head(f"Points of #{ledger.contact_id}", "", *crumbs)
    if not ledger.lines:
        return page.root(head, page.note("", "No points yet."), name="Points of a contact")
    rows = [
        (
            _moment(line.happened, ledger.zone).replace(" ", "\u00a0"),
            line.action,
            signed(line.amount),
            line.earned(show_people=False),
        )
        for line in reversed(ledger.lines[-MOST:])
    ]
    more = len(ledger.lines) - len(rows)
    foot = f"and {counted(more, 'older award')}; .df has them all" if more else ""
    hero = tag(
        "div",
        tag(
            "div",
            tag("div", signed(ledger.total), cls="bigno"),
            tag("div", counted(len(ledger.lines), "award"), cls="small muted"),
        ),
        cls="hero",
    )
    table = page.table(["When", "Action", "Points", "What earned it"], rows, numbers=(2,), foot=foot)
    return page.root(head, hero, tag("div", table, cls="wraps"), name="Points of a contact")


def _head(action: Action) -> Html:
    crumbs: list[object] = [tag("span", "Point action on ", tag("b", action.connection or "no connection"))]
    if action.group:
        crumbs.append(f"group {action.group}")
    return page.head(action.name, "", *crumbs)


def _tested(found: BackTest) -> list[Html]:
    """Return the one number, its weeks as columns, and what one has to know to read them."""
    counts = [week.fired for week in found.weeks]
    zone = _zone(found.action)
    label = "fired by week: " + ", ".join(
        f"{_day(week.start, zone)} {number(week.fired)}" for week in found.weeks
    )
    said = f"times in {counted(found.days, 'day')}, for {counted(found.people, 'person')}"
    total = tag("div", tag("div", number(found.fired), cls="bigno"), tag("div", said, cls="small muted"))
    ends = f"by week, {_day(found.weeks[0].start, zone)} to {_day(found.as_of, zone)}"
    chart = tag("div", histogram(counts, label, width=260, height=44), tag("div", ends, cls="small muted"))
    notes = tag(
        "div", *(tag("div", note[:1].upper() + note[1:], ".") for note in found.notes), cls="small muted"
    )
    return [
        tag("div", total, notes, chart, cls="hero"),
    ]


def _groups(points: Points) -> str:
    groups = sorted({one.action.group for one in points.standings} - {""})
    return f"groups: {', '.join(groups)}" if groups else "no group"


def _zone(action: Action) -> tzinfo:
    return action.book.zone if action.book else UTC


def _moment(at: datetime, zone: tzinfo) -> str:
    there = at.astimezone(zone)
    return f"{there.day} {there:%b %Y, %H:%M}"


def _day(at: datetime, zone: tzinfo) -> str:
    there = at.astimezone(zone)
    return f"{there.day} {there:%b}"
