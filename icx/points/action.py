"""A point action: a name, an amount, and the rule that earns it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.errors import BadInput, IcxError
from icx.fields import Catalogue, Field
from icx.rules import Event, Group, Lookup, Reading, Rule, code, condition, sentence, to_json
from icx.rules.english import day_words
from icx.rules.event_words import event_phrase
from icx.rules.values import check_event, moment
from icx.words import counted

if TYPE_CHECKING:
    from icx.points.backtest import BackTest
    from icx.points.book import Book

TOTAL = "points"
LARGEST = 1_000_000


@dataclass(frozen=True, repr=False)
class Action:
    """What earns points, and how many.

    `earns` is a rule. A plain event rule (`f.clicked(url="/pricing")`) is earned by events: the first one, `each` one,
    or with `distinct="messages"` the first in each message. Any other rule (a field's value, an audience, how often
    something happened) is earned when a build first finds somebody so, or with `each` whenever one finds them newly so.

    `since` and `until` are dates of the workspace's zone, both included, or moments; empty is open. What machines
    probably did counts only with `machines`. `book` (set by the workspace) is what it counts on.
    """

    name: str
    amount: int
    earns: Rule
    each: bool = False
    group: str = ""
    since: str = ""
    until: str = ""
    machines: bool = False
    description: str = ""
    connection: str = ""
    book: Book | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        group = f" in {self.group}" if self.group else ""
        return f"{mask.plain(self.name)}{group}: {self.english}"

    def _repr_html_(self) -> str:
        from icx.points.html import action_html

        return str(action_html(self))

    @property
    def event(self) -> Event | None:
        """The event that earns it, or None when a build has to find somebody so."""
        rule = self.earns
        while isinstance(rule, Group) and len(rule.rules) == 1 and not rule.negated:
            (rule,) = rule.rules
        plain = isinstance(rule, Event) and (rule.operator, rule.count, rule.days) == (">=", 1, None)
        return replace(rule, human=not self.machines) if plain and isinstance(rule, Event) else None

    @property
    def digest(self) -> str:
        """What the stays of its rule are kept under: the same for two actions that ask the same."""
        asked = [to_json(self.earns), self.machines]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]

    @property
    def english(self) -> str:
        """The action as a sentence, dates in the workspace's zone."""
        return english(self, self.book.zone if self.book else UTC)

    @property
    def python(self) -> str:
        """The action as it would be typed."""
        given = {"each": self.each or None, "group": self.group, "since": self.since, "until": self.until,
                 "machines": self.machines or None, "description": self.description}  # fmt: skip
        more = "".join(f", {key}={value!r}" for key, value in given.items() if value)
        return f"ws.points({self.name!r}, {self.amount}, {code(self.earns)}{more})"

    def of(self, book: Book) -> Action:
        """Return the same action, counting on this book."""
        return replace(self, book=book, connection=self.connection or book.connection)

    def test(self, days: int = 90) -> BackTest:
        """Return how often it would have fired in the days before the last build, for how many people, by week."""
        from icx.points.backtest import back_test

        if self.book is None:
            raise BadInput(
                "points-value",
                f"{mask.plain(self.name)} has a rule, but nobody to count.",
                where="an action made by hand",
                kept="nothing was changed",
                next=["ws.points(…, dry=True) gives it with its people, and saves nothing"],
            )
        return back_test(self.book, self, days)

    def span(self, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
        """Return the moments (naive UTC) from which and before which it is active; None is open."""
        where = f"action {self.name}"
        first = moment(self.since, zone, where).start if self.since else None
        if not self.until:
            return first, None
        last = moment(self.until, zone, where)
        return first, last.end or last.start


def english(action: Action, zone: tzinfo) -> str:
    """Return what an action gives and when.

    >>> english(Action("Pricing", 10, Event("click"), each=True), UTC)
    '+10 each time somebody clicked'
    >>> english(Action("Left", -5, Event("unsubscribe"), until="2026-11-30"), UTC)
    '−5 once, when somebody first unsubscribed; until 30 Nov 2026'
    >>> from icx.rules import InAudience
    >>> english(Action("Gold", 3, InAudience("in", "Gold"), each=True), UTC)
    '+3 each time a build newly finds somebody who is in the audience Gold'
    """
    amount = signed(action.amount)
    event = action.event
    if event is not None:
        did = event_phrase(replace(event, human=False, distinct=None), zone)
        if action.each:
            said = (
                f"once a message, when somebody first {did}"
                if event.distinct
                else f"each time somebody {did}"
            )
        else:
            said = f"once, when somebody first {did}"
    else:
        who = sentence(action.earns, zone).replace("all contacts", "anybody").removeprefix("people ")
        who = f"somebody {who}" if who.startswith("who") else who
        said = (
            f"each time a build newly finds {who}" if action.each else f"once, when a build first finds {who}"
        )
    since, until = (day_words(text, zone) if text else "" for text in (action.since, action.until))
    dates = f"from {since} to {until}" if since and until else f"since {since}" if since else f"until {until}"
    more = [dates] if since or until else []
    more += ["also what machines probably did"] if action.machines else []
    return "; ".join([f"{amount} {said}", *more])


def signed(amount: int) -> str:
    """Return points as they are printed.

    >>> signed(10), signed(-1500), signed(0)
    ('+10', '−1,500', '0')
    """
    return f"+{amount:,}" if amount > 0 else f"{amount:,}".replace("-", "−")


def points_words(amount: int) -> str:
    """Return a sum of points.

    >>> points_words(1), points_words(-1500)
    ('1 point', '−1,500 points')
    """
    return counted(amount, "point").replace("-", "−")


def column(group: str) -> str:
    """Return the profile's field that has the total of a group."""
    return f"{TOTAL}_{group}"


def fields(actions: list[Action] | tuple[Action, ...]) -> tuple[Field, ...]:
    """Return the fields that points are: the total, and one of each group; none without an action.

    >>> [f.name for f in fields([Action("a", 1, Event("open")), Action("b", 2, Event("click"), group="interest")])]
    ['points', 'points_interest']
    """
    if not actions:
        return ()
    sql = "select sum(amount) from points_ledger where contact_id = …"
    made = [Field(TOTAL, "integer", "points of all actions: the sum of the ledger's lines", sql, "points")]
    for group in sorted({one.group for one in actions} - {""}):
        said = f"points of the group {group}: the sum of the ledger's lines in it"
        made.append(Field(column(group), "integer", said, f"{sql} and points_group = '{group}'", "points"))
    return tuple(made)


def checked(action: Action, catalogue: Catalogue, lookup: Lookup, as_of: datetime) -> Action:
    """Return the action, or raise what is wrong with its rule: a field, a list, an audience, a value.

    `catalogue` has no points in it: an action cannot be earned by points, or the ledger would rest on itself.
    """
    where = f"action {action.name}"
    if action.event is not None:
        check_event(action.event, lookup.zone, where)
    else:
        condition(action.earns, Reading(catalogue, lookup, as_of, where))
    return action


def no_circle(name: str, used: set[str]) -> None:
    """Raise points-circle when a rule's fields are points themselves."""
    found = sorted(one for one in used if one == TOTAL or one.startswith(f"{TOTAL}_"))
    if found:
        raise BadInput(
            "points-circle",
            f"{mask.plain(name)} would be earned by points themselves (`{found[0]}`).",
            where=f"action {mask.plain(name)}",
            kept="nothing was saved",
            next=[
                "use the fields the points are made of; an audience may use points, an action may not use it"
            ],
        )


def waits(action: Action, error: IcxError) -> str:
    """Return that an action is not looked at for now, and why."""
    return f"{mask.plain(action.name)} waits: {error.message}"


def as_json(action: Action) -> dict[str, Any]:
    """Return what the file of an action holds, and what two of them are compared by."""
    return {
        "name": action.name,
        "connection": action.connection,
        "description": action.description,
        "amount": action.amount,
        "group": action.group,
        "each": action.each,
        "since": action.since,
        "until": action.until,
        "machines": action.machines,
        "earns": to_json(action.earns),
    }
