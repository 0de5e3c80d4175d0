"""Member snapshots: who was in an audience when, so that entered, left and size over time can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from icx.audience.audience import Audience
from icx.audience.people import People, as_audience, choice
from icx.clock import aware_utc, naive_utc
from icx.store import Connection, transaction

SHOWN = 100


@dataclass(frozen=True)
class Snapshot:
    """One stored membership: when it was taken, the moment it shows, how many people (times aware)."""

    audience: str
    connection: str
    taken_at: datetime
    as_of: datetime
    size: int


@dataclass(frozen=True)
class Flow:
    """Who entered and left since a snapshot; up to 100 ids of each are kept to look at."""

    audience: str
    since: Snapshot
    now: int
    entered: int
    left: int
    entered_ids: tuple[int, ...]
    left_ids: tuple[int, ...]

    def text(self, zone: tzinfo = UTC) -> str:
        """Return the flow as it is printed beside the audience's size."""
        moment = self.since.as_of.astimezone(zone)
        return f"{self.entered:,} entered and {self.left:,} left since {moment.day} {moment:%b}"

    def __repr__(self) -> str:
        return f"{self.audience}: {self.since.size:,} → {self.now:,} people, {self.text()}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "audience": self.audience,
            "since": f"{self.since.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "count": self.now,
            "entered": self.entered,
            "left": self.left,
        }


def snapshot(people: People, audience: Audience, now: datetime) -> Snapshot:
    """Store who is in the audience; `now` (aware) is when it is taken. All or nothing is stored."""
    taken = naive_utc(now)
    with people.open(audience) as (con, reading, rule):
        found = choice(people, rule, reading)
        key = [people.connection, audience.name, taken, reading.now]
        with transaction(con):
            con.execute(
                "insert into shared.member_snapshots (connection, audience, taken_at, as_of, contact_id)"
                f" select ?, ?, ?::timestamp, ?::timestamp, contact_id from ({found.text})",
                [*key, *found.params],
            )
            size = _one(
                con,
                "select count(*) from shared.member_snapshots"
                " where connection = ? and audience = ? and taken_at = ?",
                key[:3],
            )
            con.execute("insert into shared.snapshots values (?, ?, ?, ?, ?)", [*key, size])
    return Snapshot(audience.name, people.connection, aware_utc(taken), reading.as_of, size)


def snapshots(people: People, name: str) -> list[Snapshot]:
    """Return the stored snapshots of an audience, oldest first: its size over time."""
    with people.store.open(people.connection) as con:
        return _snapshots(con, people.connection, name)


def entered_left(people: People, audience: Audience, since: datetime | None = None) -> Flow | None:
    """Return who entered and left since the last snapshot, or since the last one at or before `since`.

    None when no snapshot was stored: then nobody knows who was in before.
    """
    named = as_audience(audience)
    with people.open(audience) as (con, reading, rule):
        known = _snapshots(con, people.connection, named.name)
        known = [one for one in known if since is None or one.taken_at <= since]
        if not known:
            return None
        then = known[-1]
        found = choice(people, rule, reading)
        old = "select contact_id from shared.member_snapshots where connection = ? and audience = ? and taken_at = ?"
        key = [people.connection, named.name, naive_utc(then.taken_at)]
        size = _one(con, f"select count(*) from ({found.text})", list(found.params))
        came = f"from ({found.text}) where contact_id not in ({old})"
        went = f"from ({old}) where contact_id not in ({found.text})"
        figures: list[Any] = []
        for part, values in ((came, [*found.params, *key]), (went, [*key, *found.params])):
            figures.append(_one(con, f"select count(*) {part}", values))
            rows = con.execute(f"select contact_id {part} order by 1 limit {SHOWN}", values).fetchall()
            figures.append(tuple(int(row[0]) for row in rows))
    entered, entered_ids, left, left_ids = figures
    return Flow(named.name, then, size, entered, left, entered_ids, left_ids)


def _snapshots(con: Connection, connection: str, name: str) -> list[Snapshot]:
    rows = con.execute(
        "select audience, connection, taken_at, as_of, size from shared.snapshots"
        " where connection = ? and audience = ? order by taken_at",
        [connection, name],
    ).fetchall()
    return [Snapshot(row[0], row[1], aware_utc(row[2]), aware_utc(row[3]), row[4]) for row in rows]


def _one(con: Connection, sql: str, values: list[Any]) -> int:
    return int(con.execute(sql, values).fetchall()[0][0])


__all__ = ["Flow", "Snapshot", "entered_left", "snapshot", "snapshots"]
