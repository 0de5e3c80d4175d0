"""Landing: pages into staging, and a whole reading in place of the stored unit, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from icx.pull import consent, history, others
from icx.pull.columns import Aside
from icx.pull.units import EVENT_TYPE, KEYS, TABLE, Unit
from icx.store import Connection, Store, damage, one_row, transaction


class Bench:
    """The store while pages land: opened when there is something to write, given back while we wait.

    Opening costs about 30 ms and an open file keeps every other program out, so it is neither held for
    the length of a pull nor opened for each page.
    """

    def __init__(self, store: Store, connection: str) -> None:
        self.store = store
        self.connection = connection
        self._opened: Any = None
        self._con: Connection | None = None
        self._since = 0.0

    def con(self) -> Connection:
        """Return an open connection; `rest` gives it back."""
        if self._con is None:
            damage.check_room(self.store.path)
            self._opened = self.store.open(self.connection)
            self._con = self._opened.__enter__()
            self._since = self.store.clock.monotonic()
        return self._con

    @property
    def held(self) -> float:
        """Seconds since the file was opened, 0 when it is closed."""
        return 0.0 if self._con is None else self.store.clock.monotonic() - self._since

    def rest(self) -> None:
        """Close the file so that others may have it."""
        if self._con is not None:
            opened, self._opened, self._con = self._opened, None, None
            opened.__exit__(None, None, None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction; errors of the machine come out as `Damaged`."""
        con = self.con()
        try:
            with transaction(con):
                yield con
        except BaseException as error:
            opened, self._opened, self._con = self._opened, None, None
            if opened is not None:  # the store closes, and says disk-full and its like in our words
                opened.__exit__(type(error), error, error.__traceback__)
            raise


@dataclass
class Landing:
    """Whose unit lands, and what the pull learned so far."""

    folder: consent.Folder
    pull_id: str
    at: datetime  # when the pages at hand were landed
    touched_only: bool = False
    counted: dict[str, history.Counted] = field(default_factory=dict)
    counters: dict[Unit, int | None] = field(default_factory=dict)  # statistics figures, newest
    # Units that came in one answer land together at the end of the transaction: a statement costs about as
    # much as the few hundred rows of a unit.
    _events: list[pa.Table] = field(default_factory=list)
    _staged: dict[Unit, tuple[list[pa.Table], tuple[Any, ...]]] = field(default_factory=dict)
    _lines: list[tuple[Any, ...]] = field(default_factory=list)
    _clicks: bool = False
    _left: list[int] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.folder.now

    def flush(self, con: Connection) -> None:
        """Write what waits for the end of the transaction."""
        for unit in list(self._staged):
            self.flush_staged(con, unit)
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
        self.forget()

    def stage(
        self, unit: Unit, page: pa.Table, *, total: int | None, rows_read: int, last_rows: tuple[str, ...]
    ) -> None:
        """Put a page beside the others of its unit; `last_rows` are the digests a resume compares."""
        pages, _ = self._staged.get(unit, ([], ()))
        self._staged[unit] = (
            [*pages, page],
            (unit.collection, unit.message_id, total, rows_read, ",".join(last_rows), self.now),
        )

    def flush_staged(self, con: Connection, unit: Unit) -> None:
        """Write the waiting pages of a unit."""
        pages, line = self._staged.pop(unit, ([], ()))
        if not pages:
            return
        con.register("staged_page", pa.concat_tables(pages))
        con.execute(f"insert into {unit.staged} by name select * from staged_page")
        con.unregister("staged_page")
        con.execute(f"delete from staged_units where {_of(unit)}")
        con.execute("insert into staged_units values (?, ?, ?, ?, ?, ?)", list(line))

    def drop_staged(self, unit: Unit) -> None:
        """Forget waiting pages of a reading that was given up."""
        self._staged.pop(unit, None)

    def add(self, unit: Unit, page: pa.Table) -> None:
        """Keep a whole unit of events for the end of the transaction."""
        if page.num_rows == 0:
            return
        self._events.append(page)
        self._clicks |= unit.collection == "clicks"
        if unit.collection == "unsubscribes" and unit.message_id is not None:
            self._left.append(unit.message_id)

    def enter(self, unit: Unit, stored: int, service: int | None, state: str, reason: str | None) -> None:
        """Keep the unit's line of the ledger for the end of the transaction."""
        counter = self.counters.get(unit)
        self._lines.append(
            (
                unit.collection,
                unit.message_id,
                stored,
                service,
                counter,
                state,
                reason,
                self.at,
                self.pull_id,
            )
        )

    def forget(self) -> None:
        """Drop what waits, after a rollback or once it is written."""
        self._events, self._lines, self._clicks, self._left = [], [], False, []
        self._staged = {}


def begin(con: Connection, unit: Unit) -> None:
    """Forget pages and rows set aside of an earlier reading of this unit."""
    _drop_staged(con, unit)
    con.execute(f"delete from set_aside where {_of(unit)}")


def set_aside(con: Connection, unit: Unit, asides: list[Aside], now: datetime) -> None:
    """Keep rows that cannot be read, each with its place and reason."""
    for aside in asides:
        con.execute(
            "insert into set_aside values (?, ?, ?, ?, ?, ?)",
            [now, unit.collection, unit.message_id, aside.position, aside.reason, aside.raw],
        )


def distinct(con: Connection, landing: Landing, unit: Unit) -> int:
    """Return how many different rows of a collection wait in staging."""
    landing.flush_staged(con, unit)
    keys = ", ".join(KEYS[unit.collection])
    row = one_row(con.execute(f"select count(*) from (select distinct {keys} from {unit.staged})"))
    assert row is not None
    return int(row[0])


def replace(
    con: Connection,
    unit: Unit,
    landing: Landing,
    *,
    service: int | None,
    asides: int,
    verified: bool,
    reason: str | None,
    page: pa.Table | None = None,
    new_unit: bool = False,
) -> None:
    """Put the reading in place of the stored unit. `page` is the whole reading when it came in one answer.

    `asides` are the rows that could not be read, which may be anybody's: with them nobody is missing for certain.
    A provisional reading of events never takes the place of a longer one: events are only ever added.
    """
    state = "equal" if verified else "provisional"
    if reason is None and asides:
        reason = "set aside"
    if reason is None and landing.touched_only and unit.collection in ("contacts", "subscriptions"):
        reason = "filtered"
    if not new_unit:
        con.execute(f"delete from units where {_of(unit)}")
    source = "page" if page is not None else f"(select * from {unit.staged} where {_of_staged(unit)})"
    if page is None:
        landing.flush_staged(con, unit)
    if unit.is_events and not new_unit:
        if not verified:
            came = page.num_rows if page is not None else _count(con, unit, source)
            held = _count(con, unit, f"icontact_activity where {_of_events(unit)}")
            if held > came:
                landing.enter(unit, held, service, state, reason)
                _drop_staged(con, unit)
                return
        con.execute(
            f"delete from icontact_activity where {_of_events(unit)}",
        )
    if unit.is_events and page is not None:
        landing.add(unit, page)
        landing.enter(unit, page.num_rows, service, state, reason)
        return
    if page is not None:
        con.register("page", page)
    if unit.is_events:
        _staged_events(con, unit, landing, source)
    else:
        _collection(con, unit, landing, source, verified=verified and not asides)
    landing.enter(unit, _count(con, unit, source), service, state, reason)
    if page is not None:
        con.unregister("page")
    else:
        _drop_staged(con, unit)


def _drop_staged(con: Connection, unit: Unit) -> None:
    con.execute(f"delete from {unit.staged} where {_of_staged(unit)}")
    con.execute(f"delete from staged_units where {_of(unit)}")


def _collection(con: Connection, unit: Unit, landing: Landing, source: str, *, verified: bool) -> None:
    name, now = unit.collection, landing.now
    if name == "contacts":
        gone = con.execute("select private_name from custom_fields where gone_at is not null").fetchall()
        history.read_contacts(con, source, now, [field for (field,) in gone])
        consent.statuses(con, landing.folder, "reading")
        landing.counted[name] = history.contacts(
            con, source, now, verified=verified, touched_only=landing.touched_only
        )
        consent.gone(con, landing.folder)
        if verified:
            consent.made_and_gone(con, landing.folder, source)
        others.forget(con)
    elif name == "subscriptions":
        consent.left_lists(con, landing.folder, source)
        landing.counted[name] = history.subscriptions(
            con, source, now, verified=verified, touched_only=landing.touched_only
        )
        consent.came_back(con, landing.folder)
    elif name in ("lists", "customfields"):
        landing.counted[name] = history.named(con, TABLE[name], KEYS[name][0], source, now, verified=verified)
    else:
        _replaced(con, unit, source, verified=verified)


def _replaced(con: Connection, unit: Unit, source: str, *, verified: bool) -> None:
    """Campaigns, messages and sends: the reading takes the place of what was stored."""
    table, (key,) = TABLE[unit.collection], KEYS[unit.collection]
    if unit.collection == "messages":
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


def _staged_events(con: Connection, unit: Unit, landing: Landing, source: str) -> None:
    con.execute(f"insert into icontact_activity by name select * from {source}")
    if unit.collection == "clicks":
        _urls(con, source)
    if unit.collection == "unsubscribes":
        consent.left_by_event(con, landing.folder, unit.message_id)


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


def _count(con: Connection, unit: Unit, source: str) -> int:
    if unit.is_events:
        sql = f"select count(*) from {source}"
    else:
        table = TABLE[unit.collection]
        there = " where gone_at is null" if table in ("icontact_users", "lists", "custom_fields") else ""
        sql = f"select count(*) from {table}{there}"
    row = one_row(con.execute(sql))
    assert row is not None
    return int(row[0])


def _of(unit: Unit) -> str:
    message = "is null" if unit.message_id is None else f"= {unit.message_id}"
    return f"collection = '{unit.collection}' and message_id {message}"


def _of_staged(unit: Unit) -> str:
    if not unit.is_events:
        return "true"
    return _of_events(unit)


def _of_events(unit: Unit) -> str:
    return f"message_id = {unit.message_id} and event_type = '{EVENT_TYPE[unit.collection]}'"
