"""Ctrl-C in a long statement that writes: heard at once, and what follows it still works."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from icx.store import Store

SCRIPT = """
import signal, sys
from pathlib import Path
from icx.ctrl_c import stays_heard
from icx.store import Store

signal.signal(signal.SIGINT, signal.default_int_handler)
store = Store(Path(sys.argv[1]), memory_limit="1GB")
with store.open() as con:
    con.execute("create table said (word varchar)")
try:
    with stays_heard(), store.open() as con:
        try:
            print("begins", flush=True)
            con.execute(sys.argv[2])
        finally:
            con.execute("insert into said values ('stopped')")
except KeyboardInterrupt:
    sys.exit(7)
"""
# A minute's work. Without an interruption DuckDB goes on with the table to its end after it heard the signal.
ENDLESS = "select hash(i + j) as h from range(10000) a(i), range(40000) b(j)"


@pytest.mark.parametrize("statement", [f"create table t as {ENDLESS}", f"select sum(h) from ({ENDLESS})"])
def test_ctrl_c_ends_a_statement_at_once_and_the_next_one_works(tmp_path: Path, statement: str) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "icx.duckdb"), statement]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        try:
            assert process.wait(20) == 7
        finally:
            process.kill()
    assert time.monotonic() - sent < 10
    with Store(tmp_path / "icx.duckdb").open() as con:
        assert con.execute("select word from said").fetchall() == [("stopped",)]
        assert con.execute("select count(*) from duckdb_tables() where table_name = 't'").fetchone() == (0,)
