"""Writing many rows into the sandbox's SQLite: one transaction, indexes built once at the end, ids that go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def bulk(con: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, inside the caller's transaction or in one of its own; indexes are made again at the end."""
    con.execute("savepoint bulk")
    try:
        indexes = con.execute(
            "select name, sql from sqlite_master where type = 'index' and sql is not null"
        ).fetchall()
        for name, _ in indexes:
            con.execute(f'drop index "{name}"')
        yield
        for _, sql in indexes:
            con.execute(sql)
        con.execute("release bulk")
    except BaseException:
        con.execute("rollback to bulk")
        con.execute("release bulk")
        raise


def next_id(con: sqlite3.Connection, table: str, column: str, first: int) -> int:
    """The id after the largest one of a table of ours, or `first` in an empty one."""
    (largest,) = con.execute(f"select max({column}) from {table}").fetchone()
    return first if largest is None else int(largest) + 1


def write_place(
    con: sqlite3.Connection, *, account_id: int, folder_id: int, company: str, folder_name: str
) -> None:
    """The account and its folder, unless they are there already."""
    con.execute(
        "insert or ignore into accounts (account_id, company_name) values (?, ?)", (account_id, company)
    )
    con.execute(
        "insert or ignore into folders (folder_id, account_id, name, email_recipient) values (?, ?, ?, ?)",
        (folder_id, account_id, folder_name, "news@example.com"),
    )
