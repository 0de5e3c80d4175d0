"""Whole units in place of what was stored of them: events, people with their history, the small collections."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from icx.pull import consent, history, others
from icx.pull.units import EVENT_TYPE, KEYS, TABLE, Unit
from icx.store import Connection, one_row


@dataclass(frozen=True)
class Whole:
    """A unit that was read to its end: rows that wait in staging, if any, and the pages after these.

    `asides` are the rows that could not be read. A reading that is not `verified` never takes the place of a longer
    one of events: events are only ever added.
    """

    unit: Unit
    pages: tuple[pa.Table, ...]
    staged: bool
    service: int | None
    asides: int
    verified: bool
    reason: str | None
    new_unit: bool  # nothing of it is stored yet
    unique: bool  # of a collection: no row came twice
    at: datetime


@dataclass
class Batch:
    """What one transaction writes.

    Events of all units that came together, and their lines of the ledger, are written last, in one statement each: a
    statement costs about as much as the few hundred rows of a unit.
    """

    con: Connection
    folder: consent.Folder
    pull_id: str
    touched_only: bool
    counted: dict[str, history.Counted]
    counters: dict[Unit, int | None]
    _events: list[pa.Table] = field(default_factory=list)
    _lines: list[tuple[Any, ...]] = field(default_factory=list)
    _clicks: bool = False
    _left: list[int] = field(default_factory=list)

    def put(self, whole: Whole) -> None:
        """Put a reading in place of the stored unit."""
        unit, con = whole.unit, self.con
        if not whole.new_unit:
            con.execute(f"delete from units where {of_unit(unit)}")
        stored = self._put_events(whole) if unit.is_events else self._put_collection(whole)
        if whole.staged:
            self.drop_staged(unit)
        reason = whole.reason
        if reason is None and whole.asides:
            reason = "set aside"
        if reason is None and self.touched_only and unit.collection in ("contacts", "subscriptions"):
            reason = "filtered"
        self._lines.append(
            (
                unit.collection,
                unit.message_id,
                stored,
                whole.service,
                self.counters.get(unit),
                "equal" if whole.verified else "provisional",
                reason,
                whole.at,
                self.pull_id,
            )
        )

    def drop_staged(self, unit: Unit) -> None:
        """Forget what waits in staging of a unit."""
        self.con.execute(f"delete from {unit.staged} where {rows_of(unit)}")
        self.con.execute(f"delete from staged_units where {of_unit(unit)}")

    def write(self) -> None:
        """Write what was kept for the end."""
        con = self.con
        if self._events:
            con.register("page", pa.concat_tables(self._events))
            con.execute("insert into icontact_activity by name select * from page")
            if self._clicks:
                _urls(con, "page")
            con.unregister("page")
        for message_id in self._left:
            consent.left_by_event(con, self.folder, message_id)
        if self._lines:
            marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, null)"] * len(self._lines))
            con.execute(
                f"insert into units values {marks}", [value for line in self._lines for value in line]
            )

    # -- events

    def _put_events(self, whole: Whole) -> int:
        """Return how many rows are stored then; those of `pages` are kept for the end."""
        unit, con = whole.unit, self.con
        source = f"{unit.staged} where {rows_of(unit)}"
        came = int(sum(page.num_rows for page in whole.pages)) + (_count(con, source) if whole.staged else 0)
        if not whole.new_unit:
            here = f"icontact_activity where {rows_of(unit)}"
            if not whole.verified and (held := _count(con, here)) > came:
                return held
            con.execute(f"delete from {here}")
        if whole.staged:
            con.execute(f"insert into icontact_activity by name select * from {source}")
            if unit.collection == "clicks":
                _urls(con, f"(select * from {source})")
        self._events += [page for page in whole.pages if page.num_rows]
        self._clicks |= unit.collection == "clicks"
        if unit.collection == "unsubscribes" and unit.message_id is not None and came:
            self._left.append(unit.message_id)
        return came

    # -- collections

    def _put_collection(self, whole: Whole) -> int:
        """Return how many rows the service lists of it."""
        unit, con = whole.unit, self.con
        # Who cannot be read may be anybody: with rows set aside nobody is missing for certain.
        verified = whole.verified and not whole.asides
        if whole.staged:
            self._collection(unit.collection, unit.staged, verified=verified, unique=whole.unique)
        else:
            con.register("page", pa.concat_tables(whole.pages))
            self._collection(unit.collection, "page", verified=verified, unique=whole.unique)
            con.unregister("page")
        table = TABLE[unit.collection]
        gone = table in ("icontact_users", "lists", "custom_fields")
        return _count(con, table + (" where gone_at is null" if gone else ""))

    def _collection(self, name: str, source: str, *, verified: bool, unique: bool) -> None:
        con, now = self.con, self.folder.now
        if name == "contacts":
            gone = con.execute("select private_name from custom_fields where gone_at is not null").fetchall()
            people = history.read_contacts(con, source, now, [field for (field,) in gone], unique=unique)
            consent.statuses(con, self.folder, people)
            self.counted[name] = history.contacts(
                con, people, source, now, verified=verified, touched_only=self.touched_only
            )
            consent.gone(con, self.folder)
            if verified:
                consent.made_and_gone(con, self.folder, source)
            others.forget(con)
        elif name == "subscriptions":
            consent.left_lists(con, self.folder, source)
            self.counted[name] = history.subscriptions(
                con, source, now, verified=verified, touched_only=self.touched_only, unique=unique
            )
            consent.came_back(con, self.folder)
        elif name in ("lists", "customfields"):
            self.counted[name] = history.named(
                con, TABLE[name], KEYS[name][0], source, now, verified=verified
            )
        else:
            _replaced(con, name, source, verified=verified)


def _replaced(con: Connection, name: str, source: str, *, verified: bool) -> None:
    """Campaigns, messages and sends: the reading takes the place of what was stored."""
    table, (key,) = TABLE[name], KEYS[name]
    if name == "messages":
        # What is known of a message's tag is learned from its body, which a listing need not hold.
        source = (
            f"(select s.* replace (coalesce(s.html_body, t.html_body) as html_body), t.tagged "
            f"from {source} s left join messages t using (message_id))"
        )
    con.execute(
        f"create or replace temp table incoming as select * from {source} "
        f"qualify row_number() over (partition by {key}) = 1"
    )
    con.execute(
        f"delete from {table}" + ("" if verified else f" where {key} in (select {key} from incoming)")
    )
    con.execute(f"insert into {table} by name select * from incoming")
    con.execute("drop table incoming")


def _urls(con: Connection, source: str) -> None:
    """Hash each link that was never stored before, once."""
    from icx.functions import url_key, urlmain

    texts = [
        text
        for (text,) in con.execute(
            f"select distinct s.event_url from {source} s anti join urls u on u.event_url = s.event_url "
            "where s.event_url is not null"
        ).fetchall()
    ]
    if not texts:
        return
    mains = [urlmain(text) for text in texts]
    shown = [
        None if main is None else main.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for main in mains
    ]
    con.register(
        "new_urls",
        pa.table(
            {
                "event_url": pa.array(texts, pa.string()),
                "url_main": pa.array(shown, pa.string()),
                "url_key": pa.array([url_key(text) for text in texts], pa.string()),
            }
        ),
    )
    con.execute("insert into urls by name select * from new_urls")
    con.unregister("new_urls")


def _count(con: Connection, rows: str) -> int:
    row = one_row(con.execute(f"select count(*) from {rows}"))
    assert row is not None
    return int(row[0])


def of_unit(unit: Unit) -> str:
    """Return which lines of the ledger, of staging, of the rows set aside are a unit's."""
    message = "is null" if unit.message_id is None else f"= {unit.message_id}"
    return f"collection = '{unit.collection}' and message_id {message}"


def rows_of(unit: Unit) -> str:
    """Return which rows of its table are a unit's."""
    if not unit.is_events:
        return "true"
    return f"message_id = {unit.message_id} and event_type = '{EVENT_TYPE[unit.collection]}'"
