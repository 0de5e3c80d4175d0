"""How often a trigger would have fired, by week, before it is saved; each way of telling says what it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Any

from icx.audience import People
from icx.clock import aware_utc
from icx.errors import BadInput
from icx.points.action import TOTAL
from icx.points.backtest import LONGEST, Week, replayed, week_edges
from icx.rules import Compare, InAudience, Reading, Rule, condition
from icx.store import Connection, one_row
from icx.triggers.look import existing_count
from icx.triggers.trigger import Trigger, told
from icx.words import counted, form

LEDGER, SNAPSHOTS, COUNTED = "ledger", "snapshots", "counted"


@dataclass(frozen=True)
class BackTest:
    """How often a trigger would have fired in the `days` before `as_of` (aware), for how many people, by week.

    `way` says how that is known: `ledger` (points, from the dates of the ledger's lines), `snapshots` (an audience, from
    who was in at each kept snapshot) or `counted` (as of the end of each week, as far back as events and lists tell;
    `as_today` names the fields that no history tells). `already` is how many are so now and never fired.
    """

    trigger: Trigger
    days: int
    as_of: datetime
    fired: int
    people: int
    weeks: tuple[Week, ...]
    way: str
    already: int
    as_today: tuple[str, ...] = ()
    looks: int = 0
    zone: tzinfo = UTC

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from icx.triggers.html import test_html

        return str(test_html(self))

    @property
    def headline(self) -> str:
        """The answer in one line.

        It is "would have fired 312 times in 90 days, for 290 people".
        """
        return f"would have {told(self.fired)} in {counted(self.days, 'day')}, for {counted(self.people, 'person')}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What one has to know to read it."""
        how = {
            LEDGER: "told by the dates of the points' ledger",
            SNAPSHOTS: f"told by {counted(self.looks, 'kept snapshot')} of the audience",
            COUNTED: "looked at once a week, as far back as events and lists tell",
        }[self.way]
        if self.as_today:
            how += f"; {', '.join(self.as_today)} as today, since no history tells what it was"
        there = (
            f"{counted(self.already, 'person')} {form(self.already, 'is')} so already, and left alone until that is asked for"
            if self.already
            else "nobody is so already of whom it has not fired"
        )
        return (how, there)

    def text(self) -> str:
        """Return it as people read it, a bar a week."""
        most = max((week.fired for week in self.weeks), default=0) or 1
        rows = [
            f"  from {week.start.astimezone(self.zone):%d %b}  {week.fired:>9,}  {'█' * round(20 * week.fired / most)}".rstrip()
            for week in self.weeks
        ]
        return "\n".join(
            [f"{self.trigger.name} {self.headline}", *rows, *(f"  {note}" for note in self.notes)]
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what `icx triggers test --json` prints."""
        return {
            "trigger": self.trigger.name,
            "days": self.days,
            "as_of": self.as_of,
            "fired": self.fired,
            "people": self.people,
            "weeks": [{"start": one.start, "fired": one.fired, "people": one.people} for one in self.weeks],
            "way": self.way,
            "as_today": list(self.as_today),
            "already": self.already,
        }


def back_test(people: People, trigger: Trigger, days: int = 90) -> BackTest:
    """Count how often the trigger would have fired; nothing is saved. `days` is from 1 to 3,660.

    It is as if the trigger had been saved at the beginning of these days: whom it found so then is left alone. Raises
    what is wrong with its rule, and profile-missing before the first build.
    """
    if not 1 <= days <= LONGEST:
        raise BadInput(
            "trigger-value",
            f"A back-test looks 1 to {LONGEST:,} days back; {days:,} is not.",
            where=trigger.name,
            kept="nothing was changed",
            next=["90 days is the usual look"],
        )
    with people.open(trigger.when, f"trigger {trigger.name}") as (con, reading, _):
        already = existing_count(con, people, trigger, reading)
        edges = week_edges(reading.now, days)
        as_today: set[str] = set()
        con.execute("create or replace temp table trigger_fired (fired_at timestamp, contact_id bigint)")
        con.execute(
            "create or replace temp table trigger_edges (n integer, start timestamp, until timestamp)"
        )
        con.executemany(
            "insert into trigger_edges values (?, ?, ?)",
            [(n, start, end) for n, (start, end) in enumerate(pairwise(edges))],
        )
        way, looks = _fill(con, people, trigger, reading, edges, as_today)
        if trigger.fires == "contact":
            con.execute(
                "create or replace temp table trigger_fired as"
                " select min(fired_at) as fired_at, contact_id from trigger_fired group by contact_id"
            )
        # An edge belongs to the week that it ends: a look there sees what crossed before.
        rows = con.execute(
            "select e.n, count(*), count(distinct f.contact_id) from trigger_fired f"
            " join trigger_edges e on f.fired_at > e.start and f.fired_at <= e.until group by e.n"
        ).fetchall()
        found = {n: (count, who) for n, count, who in rows}
        total = one_row(con.execute("select count(*), count(distinct contact_id) from trigger_fired")) or (
            0,
            0,
        )
        con.execute("drop table trigger_fired; drop table trigger_edges")
    weeks = tuple(Week(aware_utc(start), *found.get(n, (0, 0))) for n, start in enumerate(edges[:-1]))
    return BackTest(
        trigger,
        days,
        reading.as_of,
        total[0],
        total[1],
        weeks,
        way,
        already,
        tuple(sorted(as_today)),
        looks,
        people.zone,
    )


def _fill(
    con: Connection,
    people: People,
    trigger: Trigger,
    reading: Reading,
    edges: list[datetime],
    as_today: set[str],
) -> tuple[str, int]:
    """Fill the table of crossings (fired_at, contact_id); return how, and how many snapshots told it."""
    rule = trigger.when
    if (
        isinstance(rule, Compare)
        and (rule.field == TOTAL or rule.field.startswith(f"{TOTAL}_"))
        and trigger.fires != "each"
    ):
        _from_ledger(con, trigger, rule, edges)
        return LEDGER, 0
    if isinstance(rule, InAudience):
        taken = [
            row[0]
            for row in con.execute(
                "select taken_at from shared.snapshots where connection = ? and audience = ? and as_of >= ? order by taken_at",
                [people.connection, rule.audience, edges[0]],
            ).fetchall()
        ]
        if len(taken) >= len(edges):  # at least one a week: they tell what no counting of fields can
            _from_snapshots(con, people.connection, trigger, rule, taken)
            return SNAPSHOTS, len(taken)
    _from_edges(con, people, trigger, replayed(rule, reading, as_today), reading, edges)
    return COUNTED, 0


def _from_ledger(con: Connection, trigger: Trigger, rule: Compare, edges: list[datetime]) -> None:
    """Follow everybody's sum through the ledger's lines; lines of one moment count together."""
    group = "true" if rule.field == TOTAL else "points_group = $group"
    met = f"coalesce(total {rule.operator} $limit, false)"
    # Nobody has points before the first line: that is no side to fall from, and zero is not reached.
    before = "was is not null and not was" if trigger.downward else "not coalesce(was, false)"
    values = {"limit": rule.value, "start": edges[0], "end": edges[-1]}
    values |= {} if rule.field == TOTAL else {"group": rule.field.removeprefix(f"{TOTAL}_")}
    con.execute(
        f"""
        insert into trigger_fired
        select happened_at, contact_id
        from (
          select contact_id, happened_at, met, lag(met) over (partition by contact_id order by happened_at) as was
          from (
            select contact_id, happened_at, {met} as met
            from (
              select contact_id, happened_at,
                sum(sum(amount)) over (partition by contact_id order by happened_at) as total
              from points_ledger where {group} group by contact_id, happened_at
            )
          )
        )
        where met and {before} and happened_at > $start and happened_at <= $end
        """,
        values,
    )


def _from_snapshots(
    con: Connection, connection: str, trigger: Trigger, rule: InAudience, taken: list[datetime]
) -> None:
    """Compare each snapshot with the one before: who came or went fires at the later one."""
    members = "select contact_id from shared.member_snapshots where connection = ? and audience = ? and taken_at = ?"
    for before, after in pairwise(taken):
        old, new = [connection, rule.audience, before], [connection, rule.audience, after]
        first, second = (new, old) if trigger.way == "entered" else (old, new)
        minus = "" if trigger.fires == "each" else f" where contact_id not in ({members})"
        con.execute(
            f"insert into trigger_fired select ?::timestamp, contact_id from ({members}){minus}",
            [after, *first, *([] if trigger.fires == "each" else second)],
        )


def _from_edges(
    con: Connection, people: People, trigger: Trigger, rule: Rule, reading: Reading, edges: list[datetime]
) -> None:
    """Look who is so at the end of each week; people count from when they were created."""
    con.execute("create or replace temp table trigger_then (n integer, contact_id bigint, met boolean)")
    for n, edge in enumerate(edges):
        then = replace(reading, as_of=aware_utc(edge), past=n < len(edges) - 1)
        test = condition(rule, then)
        con.execute(
            f"insert into trigger_then select {n}, contact_id, {test.text} from profile"
            " where ic_user_created is null or ic_user_created < ?",
            [*test.params, edge],
        )
    crossed = "b.met = false" if trigger.downward else "not coalesce(b.met, false)"
    crossed = "true" if trigger.fires == "each" else crossed
    con.execute(
        f"insert into trigger_fired select e.until, t.contact_id from trigger_then t"
        " join trigger_edges e on e.n = t.n - 1"
        f" left join trigger_then b on b.contact_id = t.contact_id and b.n = t.n - 1 where t.met and {crossed}"
    )
    con.execute("drop table trigger_then")
