"""After a restore: when a folder counts as read again, and what becomes of plans whose fate nobody knows."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from icx.clock import ManualClock
from icx.pull import keep
from icx.store import Connection, Store, restoring
from icx.store.journal import Journal

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
HOUR = timedelta(hours=1)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[Connection]:
    store = Store(tmp_path / "icx.duckdb", clock=ManualClock(NOON))
    for name in ("acme", "other"):
        keep.register(store, name, 1, len(name))
    with store.open() as con:
        yield con


def test_a_folder_is_read_again_once_a_whole_pull_of_it_began_after_the_newest_restore(
    con: Connection,
) -> None:
    assert restoring.unread(con, "acme") is None, "there was no restore"
    for hours in (2, 0, 5):
        con.execute(
            "insert into shared.restores values (?, ?, 'b', false)", [NAIVE - hours * HOUR, NAIVE - 9 * HOUR]
        )
    unread = (NOON, NOON - 9 * HOUR)
    for began, state, full, unit in itertools.product(
        (-HOUR, -timedelta(seconds=1), timedelta(0), HOUR),
        ("complete", "running", "stopped"),
        (True, False),
        (None, "88104/opens"),
    ):
        con.execute("delete from acme.pulls")
        con.execute(
            "insert into acme.pulls (pull_id, started_at, began_at, state, full_sweep, only_unit)"
            " values ('r-1', ?, ?, ?, ?, ?)",
            [NAIVE + began, NAIVE + 2 * HOUR, state, full, unit],
        )
        read = began >= timedelta(0) and state == "complete" and full and unit is None
        assert restoring.unread(con, "acme") == (None if read else unread), (began, state, full, unit)
    con.execute("update acme.pulls set state = 'complete', full_sweep = true, only_unit = null")
    assert restoring.unread(con, "acme") is None
    assert restoring.unread(con, "other") == restoring.unread(con, "gone") == unread, "each by itself"


@pytest.mark.parametrize(
    ("kept", "files", "following"), [(4, [9, 2], 10), (4, [2], 5), (4, [], 5), (0, [7], 8), (0, [], 1)]
)
def test_plans_of_a_record_brought_back_are_closed_and_no_number_is_given_twice(
    tmp_path: Path, kept: int, files: list[int], following: int
) -> None:
    path, plans = tmp_path / "journal.sqlite", tmp_path / "plans"
    plans.mkdir()
    for name in [f"P-{number}.parquet" for number in files] + ["P-x.parquet", "P-99.tmp"]:
        (plans / name).touch()
    insert = (
        "insert into plans (made_at, who, connection, audience, account_id, client_folder_id, list_name, header, state,"
        " result) values ('', '', '', '', 1, 2, '', '{}', ?, '{}')"
    )
    states = ["open", "applying", "finished", "closed"][:kept]
    with Journal(path) as journal, journal.write() as db:
        db.executemany(insert, [[state] for state in states])
        db.executemany(
            "insert into runs (verb, what, who, pid, started_at, state, ended_at) values ('apply', '', '', 1, '', ?, ?)",
            [("running", None), ("running", "before"), ("done", None)],
        )
    assert restoring._close_plans(path, plans, NOON) == (("P-1", "P-2") if kept else ())
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("select state, result from plans order by number").fetchall()
        assert found == [("closed", None), ("closed", None), ("finished", "{}"), ("closed", "{}")][:kept]
        assert db.execute("select state, ended_at from runs order by number").fetchall() == [
            ("stopped", NOON.isoformat()), ("stopped", "before"), ("done", None),
        ]  # fmt: skip
        assert db.execute(insert, ["open"]).lastrowid == following
