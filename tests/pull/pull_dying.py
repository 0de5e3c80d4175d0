"""Kills a pull at counted points: one process forks a child for each, which ends by SIGKILL before that call.

Points are those of `killing`: each statement of DuckDB or SQLite and each change of a file, here in every thread.
`main([FOLDER, LOGIN, EVERY])` prints a line of JSON for each point: where it died, what went wrong after it, and whether
the tables are then those of a quiet pull.
"""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

from killing import counting, in_child
from pull_bed import TABLES
from pull_worker import pulled

from icx.store import Store


def tables(folder: Path) -> list[Any]:
    """Return how many rows each table has and a sum over all of them, whatever their order."""
    with Store(folder / "icx.duckdb").open("acme") as con:
        return [
            [table, *map(str, con.execute(f"select count(*), sum(hash(r)) from (select {columns} from {table}) r").fetchall()[0])]
            for table, columns in TABLES.items()
        ]  # fmt: skip


def one(folder: Path, login: dict[str, Any], at: int | None = None) -> list[str]:
    """Pull, and return the calls that may write; die before the one of this number."""
    return counting(lambda: pulled(folder, login), at, threading.setprofile)


def main(words: list[str]) -> None:
    place, login, every = Path(words[0]) / "w", json.loads(words[1]), int(words[2])
    place.mkdir(parents=True)
    code, names = in_child(lambda: one(place, login))
    assert code == 0
    _, quiet = in_child(lambda: tables(place))
    for point in range(every // 2, len(names) - len(names) // 10, every):  # threads: not each run has as many
        shutil.rmtree(place)
        place.mkdir()
        code, _ = in_child(lambda at=point: one(place, login, at))
        again, _ = in_child(lambda: pulled(place, login).calls)
        looked, after = in_child(lambda: tables(place))
        wrong = [table for table, theirs in zip(after or [], quiet, strict=False) if table != theirs]
        told = {"point": point, "of": len(names), "name": names[point], "killed": code == -9}
        print(json.dumps(told | {"ok": (again, looked) == (0, 0), "wrong": wrong}), flush=True)
