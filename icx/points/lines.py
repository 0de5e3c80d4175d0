"""The ledger's lines in SQL: one scan of the events for all actions that events earn, one of the stays for the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from icx.points.action import Action
from icx.rules import Reading, Sql, event_condition
from icx.store import Connection, one_row

COLUMNS = "contact_id, action, points_group, amount, happened_at, event_type, message_id, event_url, build_id"
BITS = 60  # actions whose events are found in one scan: a bit of a number each


@dataclass(frozen=True)
class Source:
    """The tables that lines are counted from, as SQL names.

    `people` is a select of the contact ids that have points at all: whom the profile has. `machines` has the moments
    at which events are likely a machine's. `builds` are those known before, `build_id` is the one under way or last.
    """

    people: str
    activity: str = "icontact_activity"
    machines: str = "machine_events"
    stays: str = "points_stays"
    build_id: str = ""


def write(con: Connection, into: str, actions: Sequence[Action], reading: Reading, source: Source) -> None:
    """Add the lines that actions give to a table of the ledger's shape.

    The same tables give the same lines: nothing is taken from a ledger that was there before.
    """
    by_event = [one for one in actions if one.event is not None]
    for start in range(0, len(by_event), BITS):
        _events(con, into, by_event[start : start + BITS], reading, source)
    if by_build := [one for one in actions if one.event is None]:
        _stays(con, into, by_build, reading, source)


def _events(con: Connection, into: str, actions: Sequence[Action], reading: Reading, source: Source) -> None:
    tests = [_earned(one, reading) for one in actions]
    bits = " + ".join(
        f"case when {test.text} then {1 << n}::bigint else 0 end" for n, test in enumerate(tests)
    )
    asked = tuple(value for test in tests for value in test.params)
    con.execute(
        f"""
        create or replace temp table points_hits as
        select contact_id, event_ts, message_id, event_type, event_url, earned
        from (
          select e.*, {bits} as earned
          from {_activity(actions, source)} e
          where e.contact_id in ({source.people})
        )
        where earned <> 0
        """,
        list(asked),
    )
    _given(con, actions, reading, source)
    con.execute(
        f"""
        insert into {into} ({COLUMNS})
        select h.contact_id, a.action, a.points_group, a.amount, h.event_ts,
          h.event_type, h.message_id, h.event_url, null
        from points_hits h
        join points_given a on (h.earned & a.bit) <> 0
        where a.each
        """
    )
    # Events have no identity: of two at one moment the first is the one that sorts first, so that it is always the same.
    con.execute(
        f"""
        insert into {into} ({COLUMNS})
        select f.contact_id, a.action, a.points_group, a.amount, f.first.event_ts,
          f.first.event_type, f.first.message_id, nullif(f.first.event_url, ''), null
        from (
          select h.contact_id, a.bit, min({{
            'event_ts': h.event_ts, 'message_id': h.message_id, 'event_type': h.event_type,
            'event_url': coalesce(h.event_url, '')
          }}) as first
          from points_hits h
          join points_given a on (h.earned & a.bit) <> 0
          where not a.each
          group by h.contact_id, a.bit, case when a.apart then h.message_id end
        ) f
        join points_given a on a.bit = f.bit
        """
    )
    con.execute("drop table points_hits")


def _activity(actions: Sequence[Action], source: Source) -> str:
    """Return the events, marked where a machine probably made them, if that is asked at all."""
    if all(one.machines for one in actions):
        return source.activity
    return (
        f"(select a.*, m.contact_id is not null as machine from {source.activity} a"
        f" left join (select distinct contact_id, message_id, event_type, event_ts from {source.machines}) m"
        " on m.contact_id = a.contact_id and m.message_id = a.message_id"
        " and m.event_type = a.event_type and m.event_ts = a.event_ts)"
    )


def _earned(action: Action, reading: Reading) -> Sql:
    event = action.event
    assert event is not None
    found = event_condition(event, replace(reading, marked=True), f"action {action.name}")
    first, end = action.span(reading.lookup.zone)
    tests, values = [found.text], list(found.params)
    for text, moment in (("e.event_ts >= ?", first), ("e.event_ts < ?", end)):
        if moment is not None:
            tests.append(text)
            values.append(moment)
    return Sql(f"({' and '.join(tests)})", tuple(values))


def _stays(con: Connection, into: str, actions: Sequence[Action], reading: Reading, source: Source) -> None:
    """An award for a stay comes with the build that began it, or with the first one in the action's dates during it."""
    _given(con, actions, reading, source)
    con.execute(
        f"""
        insert into {into} ({COLUMNS})
        select contact_id, action, points_group, amount, happened_at, null, null, null, build_id
        from (
          select
            s.contact_id, a.action, a.points_group, a.amount, a.each, s.since,
            greatest(s.since, coalesce(a.first_at, s.since)) as happened_at,
            case when a.first_at > s.since then a.first_build else s.since_build end as build_id, a.ends
          from {source.stays} s
          join points_given a on a.rule = s.rule
          where s.since <= ? and s.contact_id in ({source.people})
            and (a.opens is null or a.first_at is not null)
            and (a.first_at is null or a.first_at <= s.since or s.until is null or a.first_at < s.until)
        )
        where ends is null or happened_at < ends
        qualify each or row_number() over (partition by contact_id, action order by happened_at, since, build_id) = 1
        """,
        [reading.now],
    )


def _given(con: Connection, actions: Sequence[Action], reading: Reading, source: Source) -> None:
    """Make the table of what each action gives, and from which build on those that builds award are active."""
    con.execute(
        "create or replace temp table points_given (bit bigint, action varchar, points_group varchar, amount bigint,"
        " each boolean, apart boolean, rule varchar, opens timestamp, ends timestamp, first_at timestamp,"
        " first_build varchar)"
    )
    for bit, action in enumerate(actions):
        opens, ends = action.span(reading.lookup.zone)
        first_at, first_build = _first_build(con, opens, reading.now, source.build_id)
        apart = action.each and action.event is not None and action.event.distinct is not None
        con.execute(
            "insert into points_given values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [1 << bit, action.name, action.group or None, action.amount, action.each and not apart, apart,
             action.digest, opens, ends, first_at, first_build],
        )  # fmt: skip


def _first_build(
    con: Connection, opens: datetime | None, now: datetime, build_id: str
) -> tuple[datetime | None, str | None]:
    """Return the first build in an action's dates, up to the one under way; (None, None) when none is, or all are."""
    if opens is None:
        return None, None
    row = one_row(
        con.execute(
            "select as_of, build_id from builds where as_of >= ? and as_of <= ? order by as_of, built_at limit 1",
            [opens, now],
        )
    )
    if row is not None:
        return row[0], row[1]
    return (now, build_id) if now >= opens else (None, None)


def totals(groups: Sequence[str], ledger: str, where: str = "true") -> str:
    """Return the select of everybody's total, and that of each group; who has no line is not in it."""
    columns = "".join(
        f", coalesce(sum(amount) filter (points_group = '{group}'), 0)::bigint as \"points_{group}\""
        for group in groups
    )
    return f"select contact_id, sum(amount)::bigint as points{columns} from {ledger} where {where} group by contact_id"


def tally(con: Connection, ledger: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield action, lines, people and points of a ledger."""
    rows: list[Any] = con.execute(
        f"select action, count(*), count(distinct contact_id), sum(amount)::bigint from {ledger} group by action"
    ).fetchall()
    yield from rows
