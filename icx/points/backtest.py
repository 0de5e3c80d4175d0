"""How often an action would have fired, by week, before it is saved; and what saving it changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from icx.clock import aware_utc
from icx.errors import BadInput
from icx.points import lines
from icx.points.action import Action, no_circle, points_words
from icx.points.lines import Source
from icx.points.score import looked_for, meeting
from icx.rules import Compare, Group, InAudience, Reading, Rule, as_event, condition
from icx.store import Connection, one_row
from icx.words import counted

if TYPE_CHECKING:
    from icx.points.book import Book

WEEK = timedelta(days=7)
LONGEST = 3_660


@dataclass(frozen=True)
class Week:
    """A week of a back-test: when it began (aware), how often the action would have fired, for how many people."""

    start: datetime
    fired: int
    people: int


@dataclass(frozen=True)
class Gives:
    """How many awards an action gives, to how many people, and their sum."""

    awards: int
    people: int
    points: int

    def __str__(self) -> str:
        return f"{counted(self.awards, 'award')} to {counted(self.people, 'person')}, {points_words(self.points)}"


@dataclass(frozen=True)
class BackTest:
    """How often an action would have fired in the `days` before `as_of` (aware), for how many people, by week.

    `whole` is what it gives with the next build: events of all its dates count, also old ones, and whoever a build
    finds so. An action that builds award is looked at once a week, as far back as events and lists tell; `as_today`
    names the fields that no history tells, which are taken as they are today.
    """

    action: Action
    days: int
    as_of: datetime
    fired: int
    people: int
    weeks: tuple[Week, ...]
    whole: Gives
    as_today: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        return self.fired * self.action.amount

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from icx.points.html import test_html

        return str(test_html(self))

    @property
    def headline(self) -> str:
        """The answer in one line."""
        return (
            f"would have fired {counted(self.fired, 'time')} in {counted(self.days, 'day')},"
            f" for {counted(self.people, 'person')}: {points_words(self.points)}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What one has to know to read it."""
        given = f"the next build gives {self.whole}"
        if self.action.event is not None:
            older = (
                ""
                if self.action.since
                else "; events before these days count too, unless `since` leaves them out"
            )
            return (given + older,)
        today = (
            f"; {', '.join(self.as_today)} as today, since no history tells what it was"
            if self.as_today
            else ""
        )
        return (given, f"looked at once a week{today}")

    def text(self) -> str:
        """Return it as people read it, a bar a week."""
        zone = self.action.book.zone if self.action.book else UTC
        most = max((week.fired for week in self.weeks), default=0) or 1
        rows = [
            f"  from {week.start.astimezone(zone):%d %b}  {week.fired:>9,}  {'█' * round(20 * week.fired / most)}".rstrip()
            for week in self.weeks
        ]
        return "\n".join(
            [f"{self.action.name} {self.headline}", *rows, *(f"  {note}" for note in self.notes)]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `icx points test --json` prints."""
        return {
            "action": self.action.name,
            "days": self.days,
            "as_of": self.as_of,
            "fired": self.fired,
            "people": self.people,
            "points": self.points,
            "weeks": [{"start": one.start, "fired": one.fired, "people": one.people} for one in self.weeks],
            "next_build": vars(self.whole),
            "as_today": list(self.as_today),
        }


@dataclass(frozen=True)
class Change:
    """What an action gives as it is saved, as it would be, and how many people's totals differ."""

    before: Gives
    after: Gives
    people: int

    def __str__(self) -> str:
        return f"{self.before} → {self.after}; the total of {counted(self.people, 'person')} changes"


def back_test(book: Book, action: Action, days: int = 90) -> BackTest:
    """Count how often the action would have fired; nothing is saved. `days` is from 1 to 3,660.

    Raises what is wrong with its rule, and profile-missing before the first build.
    """
    if not 1 <= days <= LONGEST:
        raise BadInput(
            "points-value",
            f"A back-test looks 1 to {LONGEST:,} days back; {days:,} is not.",
            where=action.name,
            kept="nothing was changed",
            next=["90 days is the usual look"],
        )
    with book.open() as (con, reading, source):
        edges = week_edges(reading.now, days)
        rule = _rule(book, action, reading)
        as_today: set[str] = set()
        with _given(con, action, rule, reading, source) as ledger:
            whole = _gives(con, ledger)
            if rule is None:
                fired = f"select happened_at, contact_id from {ledger}"
                _weeks_of_events(con, fired, edges)
            else:
                _weeks_of_stays(con, action, replayed(rule, reading, as_today), reading, edges)
        rows = con.execute(
            "select n, count(*), count(distinct contact_id) from points_fired group by n order by n"
        ).fetchall()
        found = {n: (count, people) for n, count, people in rows}
        total = one_row(con.execute("select count(*), count(distinct contact_id) from points_fired")) or (
            0,
            0,
        )
        con.execute("drop table points_fired")
    weeks = tuple(Week(aware_utc(start), *found.get(n + 1, (0, 0))) for n, start in enumerate(edges[:-1]))
    return BackTest(
        action.of(book), days, reading.as_of, total[0], total[1], weeks, whole, tuple(sorted(as_today))
    )


def change(book: Book, before: Action | None, after: Action | None) -> Change:
    """Return what saving `after` in place of `before` changes; None is no action at all."""
    nothing = Gives(0, 0, 0)
    with book.open() as (con, reading, source):
        sums, gives = [], []
        for n, action in enumerate((before, after)):
            sums.append(f"points_sums_{n}")
            con.execute(f"create or replace temp table {sums[n]} (contact_id bigint, points bigint)")
            if action is None:
                gives.append(nothing)
                continue
            with _given(con, action, _rule(book, action, reading), reading, source) as ledger:
                gives.append(_gives(con, ledger))
                con.execute(
                    f"insert into {sums[n]} select contact_id, sum(amount) from {ledger} group by contact_id"
                )
        row = one_row(
            con.execute(
                f"select count(*) from {sums[0]} a full join {sums[1]} b on a.contact_id = b.contact_id"
                " where coalesce(a.points, 0) <> coalesce(b.points, 0)"
            )
        )
        for name in sums:
            con.execute(f"drop table {name}")
    return Change(gives[0], gives[1], row[0] if row else 0)


def _rule(book: Book, action: Action, reading: Reading) -> Rule | None:
    """Return the rule a build looks for, or None for an action that events earn; raise what is wrong in either."""
    rule, used = looked_for(action, reading)
    no_circle(action.name, book.made_of(used))
    return None if action.event is not None else rule


@contextmanager
def _given(
    con: Connection, action: Action, rule: Rule | None, reading: Reading, source: Source
) -> Iterator[str]:
    """Yield a table of the lines that the next build gives for an action, were nothing else to change."""
    table = "temp.points_tried"
    con.execute("create or replace temp table points_tried as select * from points_ledger limit 0")
    if rule is not None:
        met = meeting({action.digest: rule}, reading, "profile")
        con.execute(
            "create or replace temp table points_stays_tried as select * from points_stays where rule = ?",
            [action.digest],
        )
        con.execute(
            "insert into points_stays_tried (rule, contact_id, since, since_build)"
            f" select m.rule, m.contact_id, ?, ? from ({met.text}) m"
            " anti join (select contact_id from points_stays_tried where until is null) s on s.contact_id = m.contact_id",
            [reading.now, source.build_id, *met.params],
        )
        source = replace(source, stays="points_stays_tried")
    lines.write(con, table, [action], reading, source)
    try:
        yield table
    finally:
        con.execute("drop table points_tried")
        con.execute("drop table if exists points_stays_tried")


def _gives(con: Connection, ledger: str) -> Gives:
    row = one_row(
        con.execute(
            f"select count(*), count(distinct contact_id), coalesce(sum(amount), 0)::bigint from {ledger}"
        )
    )
    assert row is not None
    return Gives(*row)


def week_edges(now: datetime, days: int) -> list[datetime]:
    """Return where the weeks of a back-test begin, and its end; the first may be shorter than a week.

    >>> [f"{one:%d %b}" for one in week_edges(datetime(2026, 11, 22), 17)]
    ['05 Nov', '08 Nov', '15 Nov', '22 Nov']
    """
    start = now - timedelta(days=days)
    edges = [now]
    while edges[-1] - WEEK > start:
        edges.append(edges[-1] - WEEK)
    return [start, *reversed(edges)]


def _weeks_of_events(con: Connection, fired: str, edges: list[datetime]) -> None:
    con.execute("create or replace temp table points_edges (n integer, start timestamp, until timestamp)")
    con.executemany(
        "insert into points_edges values (?, ?, ?)",
        [(n + 1, start, end) for n, (start, end) in enumerate(pairwise(edges))],
    )
    con.execute(
        f"create or replace temp table points_fired as select e.n, f.contact_id from ({fired}) f"
        " join points_edges e on f.happened_at >= e.start and f.happened_at < e.until"
    )
    con.execute("drop table points_edges")


def _weeks_of_stays(
    con: Connection, action: Action, rule: Rule, reading: Reading, edges: list[datetime]
) -> None:
    """Look who met a rule at each edge, and who so entered; people count from when they were created."""
    opens, ends = action.span(reading.lookup.zone)
    con.execute("create or replace temp table points_then (n integer, contact_id bigint)")
    for n, edge in enumerate(edges):
        if (opens is None or edge >= opens) and (ends is None or edge < ends):
            then = replace(reading, as_of=aware_utc(edge), past=n < len(edges) - 1)
            test = condition(rule, then)
            con.execute(
                f"insert into points_then select {n}, contact_id from profile"
                f" where {test.text} and (ic_user_created is null or ic_user_created < ?)",
                [*test.params, edge],
            )
    before = "p.n = t.n - 1" if action.each else "p.n < t.n"
    con.execute(
        "create or replace temp table points_fired as select t.n, t.contact_id from points_then t where t.n > 0"
        f" and not exists (select 1 from points_then p where p.contact_id = t.contact_id and {before})"
    )
    con.execute("drop table points_then")


def replayed(rule: Rule, reading: Reading, as_today: set[str]) -> Rule:
    """Return a rule that can be asked of the past: counting fields as the events they count, audiences as their rules.

    Fields for which that cannot be done are added to `as_today`.

    >>> from icx.fields import Catalogue
    >>> from icx.rules import Lookup
    >>> read, left = Reading(Catalogue([]), Lookup(), datetime(2026, 11, 22, tzinfo=UTC)), set()
    >>> replayed(Compare("opens_90d", ">=", 3) & Compare("city", "=", "Durham"), read, left), left
    (f.opened(at_least=3, days=90) & (f.city == "Durham"), {'city'})
    """
    if isinstance(rule, Group):
        return replace(rule, rules=tuple(replayed(inner, reading, as_today) for inner in rule.rules))
    if isinstance(rule, InAudience):
        inner = replayed(reading.lookup.audience(rule.audience, reading.where), reading, as_today)
        return inner if rule.operator == "in" else ~inner
    event = as_event(rule)
    if event is not None:
        return event
    if isinstance(rule, Compare) and rule.field != "ic_user_created":
        as_today.add(rule.field)
    return rule
