"""Numbered migrations: each file and the record that it ran commit together."""

from __future__ import annotations

import importlib.resources
from datetime import datetime
from pathlib import Path

import duckdb

from icx.store.db import quoted

SHARED = ["0001-begin.sql"]
CONNECTION = ["connection-0001-begin.sql"]


def migrate(con: duckdb.DuckDBPyConnection, path: Path, now: datetime) -> None:
    """Bring the shared tables, and every connection's tables, to this version."""
    con.execute(
        "create table if not exists main.icx_migrations (scope varchar, name varchar, ran_at timestamp)"
    )
    _run(con, "", SHARED, now)
    for (name,) in con.execute("select name from icx.connections").fetchall():
        migrate_connection(con, name)


def migrate_connection(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute(f"create schema if not exists {quoted(name)}")
    now = con.execute("select now()::timestamp").fetchone()
    assert now is not None
    _run(con, name, CONNECTION, now[0])


def _run(con: duckdb.DuckDBPyConnection, scope: str, files: list[str], now: datetime) -> None:
    done = {
        row[0]
        for row in con.execute("select name from main.icx_migrations where scope = ?", [scope]).fetchall()
    }
    for file in files:
        if file in done:
            continue
        text = (importlib.resources.files("icx.store") / "migrations" / file).read_text(encoding="utf-8")
        con.execute("begin")
        try:
            if scope:
                con.execute(f"set search_path = '{quoted(scope)}'")
            con.execute(text)
            con.execute("insert into main.icx_migrations values (?, ?, ?)", [scope, file, now])
            con.execute("commit")
        except BaseException:
            con.execute("rollback")
            raise
        finally:
            con.execute("set search_path = 'main'")
