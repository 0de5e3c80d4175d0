"""A transaction is whole or not there, and what it failed of is what is told."""

from __future__ import annotations

import pytest

from icx.store import Connection, memory, transaction


def write(con: Connection, person: int, cause: str, *, ended: bool = False) -> None:
    with transaction(con):
        con.execute("insert into people values (?)", [person])
        if ended:
            con.execute("rollback")  # as a commit that found no room does by itself
        if cause:
            raise KeyError(cause)


def test_what_failed_is_told_also_when_the_database_has_rolled_back_by_itself() -> None:
    with memory() as con:
        con.execute("create table people (id bigint primary key)")
        with pytest.raises(KeyError, match="full"):
            write(con, 1, "full", ended=True)
        with pytest.raises(KeyError, match="other"):
            write(con, 2, "other")
        assert con.execute("select id from people").fetchall() == []
        write(con, 3, "")
        assert con.execute("select id from people").fetchall() == [(3,)]
