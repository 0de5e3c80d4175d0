"""One transaction of the DuckDB file: everything in it is there afterwards, or nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what happens within; roll it back when it fails, and raise what it failed of.

    >>> con = duckdb.connect()
    >>> _ = con.execute("create table people (id bigint)")
    >>> with transaction(con):
    ...     _ = con.execute("insert into people values (1)")
    >>> con.execute("select count(*) from people").fetchall()
    [(1,)]
    """
    con.execute("begin")
    try:
        yield
        con.execute("commit")
    except BaseException:
        # A commit that failed has rolled back already, and a database that broke cannot: neither is the cause.
        with suppress(Exception):
            con.execute("rollback")
        raise
