"""The ledger as it is read: somebody's lines, what each action came to, and whether counting again gives the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.clock import aware_utc
from icx.points import lines
from icx.points.action import Action, points_words, signed
from icx.points.score import as_text, last_counts
from icx.store import Connection, one_row
from icx.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from icx.points.book import Book


@dataclass(frozen=True)
class Line:
    """One award: what gave how much when (aware), and what earned it: an event, or the build that found somebody so."""

    action: str
    group: str
    amount: int
    happened: datetime
    event_type: str | None = None
    message_id: int | None = None
    subject: str | None = None
    url: str | None = None
    build_id: str | None = None

    def earned(self, *, show_people: bool = True) -> str:
        """Return what earned it; a link may hold an address, which is masked unless `show_people`."""
        if self.event_type is None:
            return f"found so by build {self.build_id}"
        subject = f" “{mask.plain(self.subject)}”" if self.subject else ""
        link = f": {mask.plain(self.url)}" if self.url else ""
        told = f"{self.event_type} in message {self.message_id}{subject}{link}"
        return told if show_people else mask.addresses_in(told)

    def text(self, zone: tzinfo, *, show_people: bool = True) -> str:
        at = self.happened.astimezone(zone)
        earned = self.earned(show_people=show_people)
        return f"{at.day} {at:%b %Y %H:%M}  {signed(self.amount):>7}  {mask.plain(self.action)}: {earned}"

    def as_dict(self, *, show_people: bool = True) -> dict[str, Any]:
        url = self.url if show_people or self.url is None else mask.addresses_in(self.url)
        return vars(self) | {"url": url}


@dataclass(frozen=True)
class Ledger:
    """Everything that gave one person points, oldest first; the total is the sum of the lines."""

    connection: str
    contact_id: int
    lines: tuple[Line, ...]
    zone: tzinfo = UTC

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def groups(self) -> Mapping[str, int]:
        """The sums of the groups."""
        found: dict[str, int] = {}
        for line in self.lines:
            if line.group:
                found[line.group] = found.get(line.group, 0) + line.amount
        return dict(sorted(found.items()))

    def __repr__(self) -> str:
        return f"contact {self.contact_id} of {self.connection}: {self.headline}"

    def _repr_html_(self) -> str:
        from icx.points.html import ledger_html

        return str(ledger_html(self))

    @property
    def headline(self) -> str:
        if not self.lines:
            return "no points"
        groups = "".join(f" · {name} {signed(sum_)}" for name, sum_ in self.groups.items())
        return f"{points_words(self.total)} in {counted(len(self.lines), 'award')}{groups}"

    @property
    def df(self) -> pd.DataFrame:
        """The lines as a table."""
        import pandas as pd

        columns = list(Line.__dataclass_fields__)
        return pd.DataFrame([vars(line) for line in self.lines], columns=columns)

    def text(self, *, show_people: bool = True) -> str:
        return "\n".join(
            [repr(self), *(f"  {line.text(self.zone, show_people=show_people)}" for line in self.lines)]
        )

    def as_dict(self, *, show_people: bool = True) -> dict[str, Any]:
        return {
            "connection": self.connection,
            "contact_id": self.contact_id,
            "total": self.total,
            "groups": dict(self.groups),
            "lines": [line.as_dict(show_people=show_people) for line in self.lines],
        }


def of_person(con: Connection, connection: str, contact_id: int, zone: tzinfo = UTC) -> Ledger:
    """Return a person's ledger as the last build counted it; `con` is on the connection's tables."""
    rows = con.execute(
        "select l.action, coalesce(l.points_group, ''), l.amount, l.happened_at, l.event_type, l.message_id,"
        " (select any_value(m.subject) from messages m where m.message_id = l.message_id), l.event_url, l.build_id"
        " from points_ledger l where l.contact_id = ? order by l.happened_at, l.action, l.message_id, l.event_url",
        [contact_id],
    ).fetchall()
    found = tuple(Line(row[0], row[1], row[2], aware_utc(row[3]), *row[4:]) for row in rows)
    return Ledger(connection, contact_id, found, zone)


@dataclass(frozen=True)
class Standing:
    """An action and what it came to in the last build.

    `state` is `counted`, `new` (saved since), `changed` (reads differently since); the next build counts the latter.
    """

    action: Action
    awards: int
    people: int
    points: int
    state: str


@dataclass(frozen=True)
class Points(Sequence[Action]):
    """The point actions of a connection, and what each came to by the last build (`as_of` is None before one).

    `removed` are actions whose lines still stand, until the next build.
    """

    connection: str
    as_of: datetime | None
    standings: tuple[Standing, ...]
    people: int = 0
    removed: tuple[str, ...] = ()
    zone: tzinfo = field(default=UTC, compare=False)

    def __getitem__(self, at: Any) -> Any:
        return [one.action for one in self.standings][at]

    def __len__(self) -> int:
        return len(self.standings)

    def __iter__(self) -> Iterator[Action]:
        return iter([one.action for one in self.standings])

    @property
    def awards(self) -> int:
        return sum(one.awards for one in self.standings)

    @property
    def total(self) -> int:
        return sum(one.points for one in self.standings)

    def __repr__(self) -> str:
        if not self.standings:
            return f"{self.connection} has no point actions"
        if self.as_of is None:
            return f"{counted(len(self), 'point action')} of {self.connection}, not counted yet"
        return (
            f"{counted(len(self), 'point action')} of {self.connection}: {counted(self.awards, 'award')}"
            f" to {counted(self.people, 'person')}, {points_words(self.total)}"
        )

    def _repr_html_(self) -> str:
        from icx.points.html import points_html

        return str(points_html(self))

    @property
    def waiting(self) -> list[str]:
        """What the next build brings: names of actions that are new, changed or removed since the last one."""
        return [one.action.name for one in self.standings if one.state != "counted"] + list(self.removed)

    def as_dict(self) -> dict[str, Any]:
        return {
            "connection": self.connection,
            "as_of": self.as_of,
            "people": self.people,
            "awards": self.awards,
            "points": self.total,
            "actions": [
                {"name": one.action.name, "amount": one.action.amount, "group": one.action.group,
                 "english": one.action.english, "awards": one.awards, "people": one.people, "points": one.points,
                 "state": one.state}
                for one in self.standings
            ],
            "removed": list(self.removed),
        }  # fmt: skip


def standings(book: Book, actions: Sequence[Action]) -> Points:
    """Return the actions with what the last build made of them; before the first build they are all new."""
    with book.store.open(book.connection) as con:
        before = last_counts(con)
        row = one_row(con.execute("select as_of from builds order by built_at desc, build_id desc limit 1"))
        people = one_row(con.execute("select count(distinct contact_id) from points_ledger"))
    found = []
    for action in actions:
        text, awards, who, points = before.get(action.name, ("", 0, 0, 0))
        state = "new" if not text else "counted" if text == as_text(action) else "changed"
        found.append(Standing(action.of(book), awards, who, points, state))
    removed = tuple(
        sorted(
            name
            for name, (_, awards, _, _) in before.items()
            if awards and name not in {a.name for a in actions}
        )
    )
    return Points(
        book.connection,
        aware_utc(row[0]) if row else None,
        tuple(found),
        people[0] if people else 0,
        removed,
        book.zone,
    )


@dataclass(frozen=True)
class Recount:
    """The ledger counted again from the raw events and the stays of builds, beside the stored one; nothing is changed.

    `missing` are lines that would be there now and are not, `extra` those that would no longer be.
    """

    connection: str
    as_of: datetime
    lines: int
    missing: int
    extra: int

    @property
    def equal(self) -> bool:
        return not self.missing and not self.extra

    def __repr__(self) -> str:
        same = (
            "all as stored"
            if self.equal
            else f"{self.missing:,} not stored, {self.extra:,} stored and not found"
        )
        return f"{self.connection}: {counted(self.lines, 'award')} counted again, {same}"

    def as_dict(self) -> dict[str, Any]:
        return {"connection": self.connection, "as_of": self.as_of, "lines": self.lines, "missing": self.missing,
                "extra": self.extra, "equal": self.equal}  # fmt: skip


def recount(book: Book, actions: Sequence[Action]) -> Recount:
    """Count the ledger again and compare it line by line, equal lines as often as they occur."""
    with book.open() as (con, reading, source):
        con.execute("create or replace temp table points_again as select * from points_ledger limit 0")
        lines.write(con, "points_again", actions, reading, source)
        row = one_row(
            con.execute(
                f"""
                select coalesce(sum(greatest(n, 0)), 0)::bigint, coalesce(sum(greatest(-n, 0)), 0)::bigint
                from (
                  select sum(n) as n from (
                    select {lines.COLUMNS}, 1 as n from points_again
                    union all
                    select {lines.COLUMNS}, -1 from points_ledger
                  )
                  group by {lines.COLUMNS}
                )
                """
            )
        )
        count = one_row(con.execute("select count(*) from points_again"))
        con.execute("drop table points_again")
    assert row is not None
    assert count is not None
    return Recount(book.connection, reading.as_of, count[0], row[0], row[1])
