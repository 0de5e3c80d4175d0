"""Migrations: numbered, each once, with a copy of what was there before, and never backwards."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from icx.errors import Damaged
from icx.store import Store, migrate


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations to which a test may add one."""
    folder = tmp_path / "migrations"
    shutil.copytree(str(migrate.MIGRATIONS), folder)
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    return folder


def made(path: Path) -> Store:
    store = Store(path / "icx.duckdb")
    store.create_schema("acme")
    with store.open("acme") as con:
        con.execute("insert into lists (list_id, name) values (1, 'News')")
    return store


def test_a_later_migration_runs_once_on_the_shared_and_on_every_connections_tables(
    tmp_path: Path, scripts: Path
) -> None:
    made(tmp_path)
    (scripts / "connection-0102-colour.sql").write_text("alter table lists add column colour varchar;")
    (scripts / "0103-places.sql").write_text("create table shared.places (name varchar);")
    for _ in range(2):
        with Store(tmp_path / "icx.duckdb").open("acme") as con:
            assert con.execute("select name, colour from lists").fetchall() == [("News", None)]
            assert con.execute("select * from shared.places").fetchall() == []


def test_the_database_of_before_is_kept_as_a_copy(tmp_path: Path, scripts: Path) -> None:
    made(tmp_path)
    before = migrate.newest()
    (scripts / "connection-0102-gone.sql").write_text("drop table lists;")
    store = Store(tmp_path / "icx.duckdb")
    with store.open():
        pass
    assert store.migrated is not None
    assert (store.migrated.before, store.migrated.after) == (before, 102)
    assert store.migrated.copy == tmp_path / f"icx-v{before}.duckdb"
    with duckdb.connect(str(store.migrated.copy), read_only=True) as con:
        assert con.execute("select name from acme.lists").fetchall() == [("News",)]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, scripts: Path) -> None:
    made(tmp_path)
    broken = scripts / "connection-0102-broken.sql"
    broken.write_text("drop table lists; select * from nowhere;")
    with pytest.raises(duckdb.CatalogException), Store(tmp_path / "icx.duckdb").open():
        pass
    broken.unlink()
    with Store(tmp_path / "icx.duckdb").open("acme") as con:
        assert con.execute("select name from lists").fetchall() == [("News",)]


def test_a_database_made_by_a_newer_icx_is_not_opened(tmp_path: Path, scripts: Path) -> None:
    newer = scripts / "0109-later.sql"
    newer.write_text("create table shared.later (a int);")
    made(tmp_path)
    newer.unlink()
    before = (tmp_path / "icx.duckdb").read_bytes()
    with pytest.raises(Damaged) as refused, Store(tmp_path / "icx.duckdb").open():
        pass
    assert refused.value.code == "made-by-newer"
    assert "version 109" in refused.value.message
    assert f"(version {migrate.newest()})" in refused.value.message
    assert (tmp_path / "icx.duckdb").read_bytes() == before


def test_without_room_for_the_copy_nothing_is_migrated(
    tmp_path: Path, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path)
    (scripts / "connection-0102-gone.sql").write_text("drop table lists;")

    class Usage(NamedTuple):
        total: int = 10
        used: int = 10
        free: int = 0

    monkeypatch.setattr(migrate.shutil, "disk_usage", lambda path: Usage())
    with pytest.raises(Damaged) as refused, Store(tmp_path / "icx.duckdb").open():
        pass
    assert refused.value.code == "disk-full"
    assert list(tmp_path.glob("icx-v*")) == []
    with duckdb.connect(str(tmp_path / "icx.duckdb"), read_only=True) as con:
        assert con.execute("select name from acme.lists").fetchall() == [("News",)]


def test_a_dropped_connection_leaves_consent_facts(tmp_path: Path) -> None:
    store = made(tmp_path)
    with store.open() as con:
        con.execute(
            "insert into shared.consent_facts values "
            "(1, 2, 7, null, null, 'left', '2026-01-01', '2026-01-01', 'subscription', null)"
        )
    store.drop_schema("acme")
    store.create_schema("acme")
    with store.open("acme") as con:
        assert con.execute("select count(*) from lists").fetchall() == [(0,)]
        assert con.execute("select count(*) from consent_facts").fetchall() == [(1,)]
