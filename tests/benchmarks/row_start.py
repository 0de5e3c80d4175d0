"""Row 11: what starting costs: `import icx`, `icx --help`, and `icx.open()` where something was opened before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

import icx
from benchmarks.big_account import Size
from benchmarks.datasets import NAME, account
from benchmarks.harness import Figure, bench, in_turn, ratio

ROUNDS = 9
SCRIPTS = {
    "python": "pass",
    "libraries": "import pandas, duckdb",
    "import icx": "import icx",
    "icx --help": "from icx.cli import run; run(['--help'])",
}
FIRST = "select count(*) from icontact_users"


@bench(11, "XS", "S1")
def start(size: Size) -> Iterator[Figure]:
    """Interpreters that start in turn: with nothing, with two libraries somebody would import instead, and with icx."""
    times = in_turn(
        ROUNDS, **{name: lambda script=script: started(script) for name, script in SCRIPTS.items()}
    )
    for name, target in (("import icx", 150.0), ("icx --help", 300.0)):
        yield Figure(f"{name}, the whole process", 1000 * min(times[name]), "ms", target, times=times)
        for plain in ("python", "libraries"):
            yield Figure(name, ratio(times, name, plain), against=f"python -c '{SCRIPTS[plain]}'")


@bench(11, "XS", "S1", "S2")
def opening(size: Size) -> Iterator[Figure]:
    """A workspace opened, its first number read and closed again, in turn with the same by DuckDB alone."""
    with account(size, built=True) as acme:
        folder = acme.folder / "workspace"
        (folder / "data").mkdir(parents=True)
        path = acme.store.path.rename(folder / "data" / "icx.duckdb")
        read_by_icx(folder)  # what is warm has been opened before
        times = in_turn(ROUNDS, ours=lambda: read_by_icx(folder), plain=lambda: read_by_duckdb(path))
    what = "icx.open(), a number read, closed"
    yield Figure(what, 1000 * min(times["ours"]), "ms", 60.0, times=times)
    yield Figure(what, ratio(times, "ours", "plain"), against="DuckDB alone")


def started(script: str) -> None:
    """Run a script in an interpreter of its own."""
    subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=True)


def read_by_icx(folder: Path) -> Any:
    """Open the workspace with its journal, read a number, close both."""
    with icx.open(str(folder)) as ws, ws.store.open(NAME) as con:
        return con.execute(FIRST).fetchall(), ws.journal


def read_by_duckdb(path: Path) -> Any:
    with duckdb.connect(str(path)) as con:
        return con.execute(f"use {NAME}; {FIRST}").fetchall()
