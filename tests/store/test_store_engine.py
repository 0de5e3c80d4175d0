"""DuckDB is kept between openings, and the file is not: what others may do with it is as if it were closed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from icx.errors import Damaged, TryLater
from icx.store import Store, damage, migrate
from icx.store.engine import ENGINE, Engine

READ = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute('select count(*) from acme.lists').fetchall())"


def made(folder: Path) -> Store:
    store = Store(folder / "icx.duckdb")
    store.create_schema("acme")
    with store.open("acme") as con:
        con.execute("insert into lists (list_id, name) values (7, 'News')")
    return store


def names(store: Store) -> list[tuple[str]]:
    with store.open("acme") as con:
        found: list[tuple[str]] = con.execute("select name from lists order by 1").fetchall()
    return found


def test_another_program_may_use_the_file_between_two_openings(tmp_path: Path) -> None:
    store = made(tmp_path)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", READ, str(store.path)], capture_output=True, text=True, check=False
        )
        assert done.stdout == "[(1,)]\n", done.stderr
        assert names(store) == [("News",)]
    assert [path.name for path in tmp_path.iterdir()] == ["icx.duckdb"]  # no log is left beside it


def test_somebody_in_this_process_who_has_it_open_shares_it(tmp_path: Path) -> None:
    store = made(tmp_path)
    with duckdb.connect(str(store.path)) as mine:
        assert names(store) == [("News",)]
        mine.execute("insert into acme.lists (list_id, name) values (8, 'Mine')")
        assert names(store) == [("Mine",), ("News",)]
    assert names(store) == [("Mine",), ("News",)]


def test_two_files_at_once_and_two_stores_of_one_file_do_not_mix(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    with one.open("acme") as con, other.open("acme") as beside, Store(one.path).open("acme") as again:
        beside.execute("delete from lists")
        con.execute("insert into lists (list_id, name) values (8, 'Both')")
        assert again.execute("select count(*) from lists").fetchall() == [(2,)]
    assert (len(names(one)), names(other)) == (2, [])


def test_a_file_put_in_the_place_of_the_one_before_is_the_one_that_is_read(tmp_path: Path) -> None:
    store, other = made(tmp_path / "one"), made(tmp_path / "other")
    with other.open("acme") as con:
        con.execute("update lists set name = 'Other'")
    other.path.replace(store.path)
    assert names(store) == [("Other",)]


def test_after_an_error_of_duckdb_the_next_opening_works_and_nothing_half_done_stays(tmp_path: Path) -> None:
    store = made(tmp_path)
    with pytest.raises(duckdb.Error), store.open("acme") as con:
        con.execute("begin; delete from lists; select * from no_such_table")
    assert names(store) == [("News",)]


def test_limits_and_temporary_files_are_of_the_file_that_is_open(tmp_path: Path) -> None:
    asked = "select current_setting('memory_limit'), current_setting('temp_directory')"
    small = Store(tmp_path / "icx.duckdb", memory_limit="200MB")
    with small.open() as con:
        (held,) = con.execute(asked).fetchall()
    assert held == ("190.7 MiB", f"{tmp_path / 'icx.duckdb'}.tmp")
    with Store(small.path).open() as con:
        assert con.execute(asked).fetchall() != [held]


def test_threads_that_open_and_leave_meet_an_open_file_each_time(tmp_path: Path) -> None:
    store, wrong = made(tmp_path), []

    def often(mine: Store) -> None:
        for _ in range(15):
            if names(mine) != [("News",)]:
                wrong.append(mine)

    threads = [threading.Thread(target=often, args=[Store(store.path) if n % 2 else store]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_on_two_files_never_find_one_of_them_taken(tmp_path: Path) -> None:
    stores, wrong = [made(tmp_path / "one"), made(tmp_path / "other")], []

    def often(number: int) -> None:
        for turn in range(20):
            path = stores[(number + turn // 3) % 2].path
            try:
                names(Store(path) if turn % 2 else stores[(number + turn) % 2])
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=often, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_upgrade_that_cannot_keep_its_copy_leaves_the_file_free_and_is_done_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path).path

    def full(con: object, path: Path, have: int) -> None:
        raise damage.disk_full(path)

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "newest", lambda: 9_999)
        patch.setattr(migrate, "keep_copy", full)
        with pytest.raises(Damaged), Store(path).open():
            pass
    assert names(Store(path)) == [("News",)]
    con, lent = ENGINE.connect(path)
    assert lent
    ENGINE.leave(con)
    with duckdb.connect(str(path), read_only=True) as con:  # refused while it is held here
        assert con.execute("select name from acme.lists").fetchall() == [("News",)]


def test_a_connection_may_have_the_name_duckdb_gives_what_is_in_memory(tmp_path: Path) -> None:
    store = made(tmp_path)
    store.create_schema("memory")
    with store.open("memory") as con:
        assert con.execute("select count(*) from memory.lists").fetchall() == [(0,)]


def test_whatever_the_file_is_called_and_however_it_is_opened(tmp_path: Path) -> None:
    for name in ("memory", "temp", "my.data"):
        store = Store(tmp_path / f"{name}.duckdb")
        with store.open() as con:
            con.execute("create table here as select 1 as n")
        with made(tmp_path / name).open(), store.open() as con:  # the engine has another file: by itself
            assert con.execute("select n from here").fetchall() == [(1,)]


def test_somebody_in_this_process_who_attached_it_is_told_at_once(tmp_path: Path) -> None:
    store = made(tmp_path)
    with duckdb.connect() as mine:
        mine.execute(f"attach '{store.path}' as mine")
        with pytest.raises(TryLater, match="database open") as refused, store.open():
            pass
    assert refused.value.code == "database-busy"
    assert names(store) == [("News",)]


def test_times_are_utc_wherever_the_machine_is(tmp_path: Path) -> None:
    asked = (
        "from icx.store import Store\nfrom pathlib import Path\nimport sys\n"
        "for _ in range(2):\n"
        "    with Store(Path(sys.argv[1])).open() as con:\n"
        "        print(con.execute(\"select timestamptz '2026-11-22 05:00+00' :: timestamp\").fetchall()[0][0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(made(tmp_path).path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TZ": "America/Chicago"},
    )
    assert done.stdout == "2026-11-22 05:00:00\n" * 2, done.stderr


def test_a_process_forked_from_this_one_opens_files_of_its_own(tmp_path: Path) -> None:
    asked = (
        "import os, sys\nfrom pathlib import Path\nfrom icx.store import Store\n"
        "one, other = Store(Path(sys.argv[1])), Store(Path(sys.argv[2]))\n"
        "with one.open(): pass\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitpid(child, 0)[1] != 0)\n"
        "for store in (one, other, one):\n"
        "    with store.open('acme') as con: assert con.execute('select count(*) from lists').fetchall() == [(1,)]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(made(tmp_path / "one").path), str(made(tmp_path / "other").path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr


def test_an_engine_nobody_uses_ends_and_begins_again(tmp_path: Path) -> None:
    path, engine = made(tmp_path).path, Engine()
    for _ in range(2):
        con, lent = engine.connect(path)
        assert lent
        assert con.execute("select name from acme.lists").fetchall() == [("News",)]
        engine.end()  # not while it is used
        con.execute("select 1").fetchall()
        engine.leave(con)
        engine.end()
