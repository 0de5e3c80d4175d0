"""The opener of the DuckDB file: waits its turn, names who is in the way, and says what a machine lacks."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from icx.clock import ManualClock
from icx.errors import BadInput, Damaged, TryLater
from icx.store import Store, one_row
from icx.store import db as opener

HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
con.close()
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Store:
    return Store(tmp_path / "data" / "icx.duckdb", clock=clock)


def test_a_schema_per_connection_is_searched_first_and_shared_tables_follow(store: Store) -> None:
    store.create_schema("acme-outlet")
    with store.open("acme-outlet") as con:
        con.execute("insert into lists (list_id, name) values (7, 'News')")
        con.execute("select * from consent_facts").fetchall()
    with store.open() as con:
        assert con.execute('select name from "acme-outlet".lists').fetchall() == [("News",)]


def test_the_file_is_closed_when_nobody_uses_it(store: Store) -> None:
    with store.open(), store.open():
        pass
    with duckdb.connect(str(store.path), read_only=True) as con:  # refused while a writer holds it
        assert con.execute("select count(*) from shared.connections").fetchall() == [(0,)]


def test_threads_share_one_opening(store: Store) -> None:
    store.create_schema("acme")
    seen: list[int] = []

    def count() -> None:
        with store.open("acme") as con:
            row = one_row(con.execute("select count(*) from lists"))
            seen.append(row[0] if row else -1)

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [0] * 6


def test_another_process_that_holds_the_file_is_named_after_the_wait(
    store: Store, clock: ManualClock
) -> None:
    store.path.parent.mkdir(parents=True)
    waits: list[tuple[float, str]] = []
    store.on_wait = lambda seconds, holder: waits.append((seconds, holder))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TryLater) as refused, store.open():
            pass
        assert other.stdin is not None
        other.stdin.close()
        other.wait(30)
    assert refused.value.code == "database-busy"
    assert f"process {other.pid}" in refused.value.where_text()
    assert "waited 10 min" in refused.value.where_text()
    assert sum(clock.slept) == pytest.approx(600)
    assert waits
    assert str(other.pid) in waits[0][1]


def test_this_process_holding_the_file_read_only_is_told_at_once(store: Store, clock: ManualClock) -> None:
    with store.open():
        pass
    with (
        duckdb.connect(str(store.path), read_only=True),
        pytest.raises(TryLater, match="database open") as refused,
        store.open(),
    ):
        pass
    assert refused.value.code == "database-busy"
    assert clock.slept == []


def test_a_folder_that_cannot_be_made_is_read_only(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(Damaged) as refused, Store(tmp_path / "data" / "icx.duckdb", clock=clock).open():
        pass
    assert refused.value.code == "read-only"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ('IO Error: Could not write file "x": No space left on device', "disk-full"),
        ('IO Error: Cannot open file "x": Permission denied', "read-only"),
        ('IO Error: Cannot open file "x": Read-only file system', "read-only"),
        (
            "IO Error: Trying to read a database file with version number 99, but we can only read version 64",
            "",
        ),
    ],
)
def test_what_the_machine_lacks_is_told_in_our_words(store: Store, words: str, code: str) -> None:
    if not code:
        words, code = words.replace("read version 64", "read versions between 64 and 67"), "made-by-newer"
    with pytest.raises(Damaged) as refused, store.open():
        raise duckdb.IOException(words)
    assert refused.value.code == code
    assert refused.value.kept
    assert refused.value.next


def test_an_error_of_a_statement_stays_what_it_is(store: Store) -> None:
    with pytest.raises(duckdb.CatalogException), store.open() as con:
        con.execute("select * from no_such_table")


def test_a_full_disk_leaves_the_rows_of_before(store: Store) -> None:
    store.create_schema("acme")
    with store.open("acme") as con:
        con.execute("insert into lists (list_id, name) values (1, 'News')")

    def fill() -> None:
        with store.open("acme") as con:
            con.execute("begin")
            con.execute("delete from lists")
            raise duckdb.IOException("Could not write: No space left on device")

    with pytest.raises(Damaged) as full:
        fill()
    assert full.value.code == "disk-full"
    with store.open("acme") as con:
        assert con.execute("select name from lists").fetchall() == [("News",)]


def test_a_file_that_is_no_database_is_left_alone(store: Store) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(b"this is a spreadsheet, honestly" * 500)
    with pytest.raises(Damaged) as refused, store.open():
        pass
    assert refused.value.code == "database-damaged"
    assert store.path.read_bytes().startswith(b"this is a spreadsheet")


@pytest.mark.parametrize("name", ["main", "Shared", "1st", "a b", "", "x" * 64, 'a"b'])
def test_a_name_that_cannot_be_a_schema_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadInput):
        store.create_schema(name)
    assert not store.path.exists()


def test_an_in_memory_database_is_private() -> None:
    with opener.memory() as con:
        assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
