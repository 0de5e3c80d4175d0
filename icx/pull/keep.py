"""What a pull keeps beside the rows: whose connection it is, its own line, views, and the reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icx.clock import aware_utc, naive_utc
from icx.errors import IcxError, NeedsYou, TryLater
from icx.icontact.paging import ERASED
from icx.pull.reading import Staged
from icx.pull.units import Unit
from icx.store import Connection, Store, check_name, one_row, quoted, transaction
from icx.store.locks import Holder, who

GOES_ON = timedelta(
    hours=12
)  # an interrupted pull older than this is not continued: its people would be stale
VIEWED = (
    "icontact_users",
    "icontact_activity",
    "lists",
    "subscriptions",
    "custom_fields",
    "campaigns",
    "messages",
    "sends",
    "statistics",
    "urls",
    "profile",
)


@dataclass(frozen=True)
class LastPull:
    """The last complete pull. `as_of` (aware UTC) is its start: what a profile is built as of."""

    pull_id: str
    as_of: datetime
    ended_at: datetime
    calls: int


@dataclass(frozen=True)
class Interrupted:
    """A pull that did not end: where the next one goes on."""

    pull_id: str
    started_at: datetime  # naive UTC, of its first part
    began_at: datetime
    full: bool
    pages: int  # of all its parts
    parts: tuple[str, ...]


def register(
    store: Store,
    name: str,
    account_id: int,
    client_folder_id: int,
    *,
    company: str | None = None,
    folder_name: str | None = None,
    contacts_only: bool | None = None,
    default: bool | None = None,
) -> None:
    """Make a connection's tables, and note whose they are; other accounts' rows are never mixed in.

    The first connection becomes the default one. Raises `other-account` when the tables hold another folder.
    """
    check_name(name)
    store.create_schema(name)
    with store.open() as con:
        row = one_row(
            con.execute(
                "select account_id, client_folder_id, is_default from shared.connections where name = ?",
                [name],
            )
        )
        if row is not None and tuple(row[:2]) != (account_id, client_folder_id):
            held = one_row(con.execute(f"select count(*) from {quoted(name)}.icontact_users"))
            raise NeedsYou(
                "other-account",
                f"{name} holds folder {row[1]} of account {row[0]}; "
                f"this is folder {client_folder_id} of account {account_id}. The two are never mixed.",
                where=f"account {row[0]} → {account_id}, folder {row[1]} → {client_folder_id}",
                kept=f"all {held[0] if held else 0:,} contacts, until you reset {name}; consent facts always",
                next=[["icx", "connect", f"{name}-2"], ["icx", "connect", name, "--reset"]],
            )
        if row is None:
            first = one_row(con.execute("select count(*) = 0 from shared.connections"))
            con.execute(
                "insert into shared.connections values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    name,
                    account_id,
                    client_folder_id,
                    company,
                    folder_name,
                    bool(contacts_only),
                    bool(first and first[0]),
                    naive_utc(store.clock.now()),
                ],
            )
        else:
            con.execute(
                "update shared.connections set company = coalesce(?, company), "
                "folder_name = coalesce(?, folder_name), contacts_only = coalesce(?, contacts_only) where name = ?",
                [company, folder_name, contacts_only, name],
            )
        if default and not (row is not None and row[2]):
            con.execute("update shared.connections set is_default = (name = ?)", [name])
    if row is None or (default and not row[2]):  # nearly every command comes by here, and finds them made
        refresh_views(store)


def streams(store: Store, connection: str, system: str) -> None:
    """Name the people and events of a connection by their system too: `mailchimp_users`, `mailchimp_activity`."""
    with store.open(connection) as con, transaction(con):
        for stream in ("users", "activity"):
            con.execute(f"create or replace view {system}_{stream} as select * from icontact_{stream}")


def refresh_views(store: Store) -> str | None:
    """Make `main.*` views of the default connection's tables; return its name, or None when there is none."""
    with store.open() as con:
        row = one_row(con.execute("select name from shared.connections where is_default"))
        shown = con.execute(
            "select view_name from duckdb_views() where schema_name = 'main' and not internal"
        )
        there = {name for (name,) in shown.fetchall()} & set(VIEWED)
        name = row[0] if row else None
        tables = con.execute(
            "select table_name from information_schema.tables where table_schema = ?", [name]
        ).fetchall()
        wanted = {table for (table,) in tables} & set(VIEWED) if name else set()
        with transaction(con):
            for view in sorted(there - wanted):
                con.execute(f"drop view main.{quoted(view)}")
            for view in sorted(wanted):
                con.execute(
                    f"create or replace view main.{quoted(view)} as select * from {quoted(str(name))}.{quoted(view)}"
                )
    return name


def reset(store: Store, connection: str, *, forget: bool = False) -> None:
    """Drop a connection's rows and make its tables anew; consent facts and the record stay.

    With `forget` its account and folder are forgotten too, so that another folder may take the name.
    """
    with store.open() as con:
        for view in VIEWED:  # a view on a dropped table would be in the way
            con.execute(f"drop view if exists main.{quoted(view)}")
        if forget:
            con.execute("delete from shared.connections where name = ?", [connection])
    store.drop_schema(connection)
    if not forget:
        store.create_schema(connection)
    refresh_views(store)


def last_complete(store: Store, connection: str) -> LastPull | None:
    """Return the last complete pull, or None before the first one."""
    with store.open(connection) as con:
        row = one_row(
            con.execute(
                "select pull_id, started_at, ended_at, calls from pulls where state = 'complete' and only_unit is null "
                "order by ended_at desc limit 1"
            )
        )
    return LastPull(row[0], aware_utc(row[1]), aware_utc(row[2]), row[3]) if row else None


def interrupted(con: Connection, now: datetime) -> Interrupted | None:
    """Return the pull to go on with, when the newest one did not end and is not too old."""
    rows = con.execute(
        "select pull_id, started_at, began_at, state, full_sweep, pages from pulls "
        "where only_unit is null order by began_at desc, rowid desc"
    ).fetchall()
    if not rows or rows[0][3] == "complete" or now - rows[0][1] > GOES_ON:
        return None
    pull_id, started_at, began_at, _, full, _ = rows[0]
    parts = [row for row in rows if row[1] == started_at and row[3] != "complete"]
    return Interrupted(
        pull_id, started_at, began_at, full, sum(row[5] for row in parts), tuple(row[0] for row in parts)
    )


def contacts_only(con: Connection, connection: str) -> bool:
    """Tell whether a connection reads contacts only, whatever one pull was asked for."""
    row = one_row(con.execute("select contacts_only from shared.connections where name = ?", [connection]))
    return bool(row and row[0])


def staged(con: Connection) -> dict[Unit, Staged]:
    """Return the readings that wait in staging."""
    rows = con.execute(
        """
        select s.collection, s.message_id, s.total, s.rows_read, s.last_row,
          count(a.position), count(a.position) filter (a.reason = $erased)
        from staged_units s left join set_aside a
          on a.collection = s.collection and a.message_id is not distinct from s.message_id
        group by all
        """,
        {"erased": ERASED},
    ).fetchall()
    return {
        Unit(collection, message_id): Staged(total, rows_read, tuple(last_row.split(",")), asides, erased)
        for collection, message_id, total, rows_read, last_row, asides, erased in rows
    }


def dirty(con: Connection) -> set[Unit]:
    """Return the units with pages or rows set aside of an earlier reading."""
    rows = con.execute(
        "select collection, message_id from staged_units union select collection, message_id from set_aside"
    ).fetchall()
    return {Unit(collection, message_id) for collection, message_id in rows}


def clear_staging(con: Connection) -> None:
    """Drop pages of readings that will not go on."""
    for (table,) in con.execute(
        "select table_name from duckdb_tables() where schema_name = current_schema() "
        "and table_name like 'staged\\_%' escape '\\'"
    ).fetchall():
        con.execute(f"delete from {quoted(table)}")


def busy(connection: str) -> Callable[[Holder | None], IcxError]:
    """Return what to say when another process pulls this connection."""

    def error(holder: Holder | None) -> IcxError:
        return TryLater(
            "pull-running",
            f"{connection} is being pulled.",
            where=who(holder),
            kept="this one read nothing",
            next=[["icx", "status"]],
        )

    return error
