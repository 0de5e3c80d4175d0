"""The people an audience chooses from: one connection's profile, its lists, and the audiences saved beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from icx.audience.audience import Audience
from icx.audience.files import Rules
from icx.clock import aware_utc
from icx.errors import BadInput, Damaged, NeedsYou
from icx.fields import Catalogue
from icx.rules import EVERYBODY, Lookup, Reading, Rule, Sql, condition
from icx.store import Connection, one_row, quoted
from icx.store.published import Opener


@dataclass(frozen=True)
class People:
    """Where an audience counts.

    `audiences` is the folder of saved audiences, `zone` where days begin. Without `as_of` it is the moment the
    profile was built as of; for a past profile give both its `as_of` (aware) and its table as `profile`.
    """

    store: Opener
    connection: str
    catalogue: Catalogue
    audiences: Path | None = None
    zone: tzinfo = UTC
    as_of: datetime | None = None
    profile: str = "profile"

    @contextmanager
    def open(self, audience: Audience | Rule, where: str = "") -> Iterator[tuple[Connection, Reading, Rule]]:
        """Open the store: a cursor on the connection's tables, what a rule is read against, and the rule.

        `where` names the file or audience in errors. Raises `other-connection`, `profile-missing`, and inside
        the block `field-gone` with the audience's name.
        """
        found = as_audience(audience)
        _same_connection(self, found)
        with (
            self.store.open(self.connection) as con,
            self.read(found, self.lookup(con), self._as_of(con), where) as reading,
        ):
            yield con, reading, found.rule

    @contextmanager
    def read(self, audience: Audience, lookup: Lookup, as_of: datetime, where: str = "") -> Iterator[Reading]:
        """Yield what an audience's rule is read against, given what its names stand for; raises as `open` does."""
        _same_connection(self, audience)
        where = where or (f"audience {audience.name}" if audience.name else "")
        trail = (audience.name,) if audience.name else ()
        with _gone_named(audience):
            yield Reading(self.catalogue, lookup, as_of, where, trail, past=self.profile != "profile")

    def lookup(self, con: Connection) -> Lookup:
        """Return the lists and audiences that rules name; `con` is on the connection's tables."""
        lists = con.execute("select list_id, name from lists where gone_at is null").fetchall()
        names = [name for _, name in lists]
        twice = len(set(names)) < len(names)
        sizes = (
            con.execute(
                "select list_id, count(*) from subscriptions where status = 'normal' group by list_id"
            ).fetchall()
            if twice
            else []
        )
        return Lookup(dict(lists), Rules(self.audiences), self.zone, dict(sizes), self.connection)

    def _as_of(self, con: Connection) -> datetime:
        if self.as_of is not None:
            return self.as_of
        built = one_row(
            con.execute(
                "select b.as_of from builds b, information_schema.tables t"
                " where t.table_schema = ? and t.table_name = ? order by b.built_at desc limit 1",
                [self.connection, self.profile],
            )
        )
        if built is None:
            raise NeedsYou(
                "profile-missing",
                f"There is no profile of {self.connection} yet.",
                where=f"{self.connection}.profile",
                kept="nothing was changed",
                next=[["icx", "build", "--connection", self.connection]],
            )
        return aware_utc(built[0])


def as_audience(given: Audience | Rule) -> Audience:
    """Return an audience, also for a bare rule, which has no name."""
    return given if isinstance(given, Audience) else Audience("", given)


def checked(people: People, audience: Audience | Rule, where: str = "") -> Audience:
    """Return the audience when its rule can be read here, or say what is wrong with it and where.

    `where` is the file's name for the path in errors. Raises `field-unknown`, `rule-value`, `list-unknown`,
    `list-twice`, `audience-unknown`, `audience-cycle`, `field-gone`, `other-connection`.
    """
    with people.open(audience, where) as (_, reading, rule):
        condition(rule, reading)
    return as_audience(audience)


def members_sql(people: People, audience: Audience | Rule) -> Sql:
    """Return the select of an audience's contact ids, to be run on a cursor of the connection's schema."""
    with people.open(audience) as (_, reading, rule):
        return choice(people, rule, reading)


def choice(people: People, rule: Rule, reading: Reading) -> Sql:
    """Return the select of the contact ids a rule is true of."""
    found = condition(rule, reading)
    return Sql(f"select contact_id from {quoted(people.profile)} where {found.text}", found.params)


def members_relation(people: People, audience: Audience | Rule, con: Connection, table: str) -> int:
    """Make a temporary table of the members' `contact_id` on a cursor of the same schema; return its size."""
    found = members_sql(people, audience)
    con.execute(f"create or replace temp table {quoted(table)} as {found.text}", list(found.params))
    row = one_row(con.execute(f"select count(*) from temp.{quoted(table)}"))
    assert row is not None
    return int(row[0])


def members(people: People, audience: Audience | Rule) -> list[int]:
    """Return the contact ids of everybody in an audience, in order."""
    with people.open(audience) as (con, reading, rule):
        found = choice(people, rule, reading)
        rows = con.execute(f"{found.text} order by contact_id", list(found.params)).fetchall()
    return [int(row[0]) for row in rows]


def moment_of(people: People) -> datetime:
    """Return the moment these people are seen at, aware."""
    with people.open(EVERYBODY) as (_, reading, _rule):
        return reading.as_of


@contextmanager
def _gone_named(audience: Audience) -> Iterator[None]:
    """Say in a `field-gone` error which audience waits."""
    try:
        yield
    except Damaged as error:
        if error.code == "field-gone" and audience.name:
            error.where = f"used by the audience {audience.name}; {error.where_text()}"
            error.next = [["icx", "audience", "show", audience.name], *error.next]
        raise


def _same_connection(people: People, audience: Audience) -> None:
    if audience.connection and audience.connection != people.connection:
        raise BadInput(
            "other-connection",
            f"{audience.name} chooses from {audience.connection}, not from {people.connection}.",
            where=audience.name,
            kept="nothing was changed",
            next=[["icx", "audience", "show", audience.name, "--connection", audience.connection]],
        )
