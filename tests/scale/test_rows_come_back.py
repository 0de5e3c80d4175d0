"""What a cluster computes comes back, or stays outside: with DuckDB in place of Spark, which sees only what was copied out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import histories
import pytest
from accounts import CLOCK, PULLED, contact, event, store_at

import icx.scale.turn
from icx.errors import IcxError
from icx.points import Action, Score
from icx.profile import Build, build
from icx.rules import Event
from icx.scale import Cluster, export, relation
from icx.settings import Settings
from icx.store import Connection, Store, memory, quoted


@dataclass
class Willing:
    """In place of Spark; `before` is called with the name of each table that is computed."""

    folder: Path
    before: Any
    con: Connection = field(default_factory=memory)

    def view(self, name: str, folder: Path) -> None:
        self.con.execute(f"create or replace view {quoted(name)} as select * from {relation(folder)}")

    def make(self, name: str, sql: str, params: Any) -> Path:
        self.before(name)
        self.con.execute(f"create or replace temp table made as {sql}", params)
        folder = export(self.con, "from made", self.folder / f"made {name}")
        self.view(name, folder)
        return folder

    def write(self, sql: str, folder: Path) -> None:
        export(self.con, sql, folder)
        self.before("written")


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is called before a table is computed: the last of the list."""
    called: list[Any] = [lambda name: None]

    @contextmanager
    def started(cluster: Cluster, name: str, **how: Any) -> Iterator[Willing]:
        folder = cluster.folder / f"{name} {random.random()}"
        folder.mkdir(parents=True)
        yield Willing(folder, called[-1])

    monkeypatch.setattr(icx.scale.turn, "started", started)
    return called


def built(store: Store, **how: Any) -> Build:
    return build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK, **how)


def everything_in(store: Store, *tables: str) -> list[list[str]]:
    with store.open("acme") as con:
        return [sorted(map(repr, con.execute(f"from {table}").fetchall())) for table in tables]


KEPT = ("profile", "machine_events", "points_ledger", "points_stays", "points_counts")


@pytest.mark.parametrize("seed", [4, 5])
def test_points_are_counted_here_while_a_cluster_computes_the_rest(
    before: list[Any], tmp_path: Path, seed: int
) -> None:
    stores = [store_at(tmp_path / name) for name in ("here", "there")]
    clusters = [None, Cluster("local[2]", tmp_path / "shared")]
    draws, worlds = [random.Random(seed), random.Random(seed)], [histories.World(), histories.World()]
    every = histories.actions(random.Random(seed))
    for number in range(3):
        done = []
        for store, cluster, draw, world in zip(stores, clusters, draws, worlds, strict=True):
            with store.open("acme") as con:
                world.go_on(draw, con, PULLED + timedelta(days=2 * number), number)
            done.append(built(store, totals=Score(every[number:], histories.lookup), cluster=cluster))
        assert (done[1].awards, done[1].notes) == (done[0].awards, done[0].notes)
        assert everything_in(stores[1], *KEPT) == everything_in(stores[0], *KEPT)
    assert done[0].awards


def a_few(tmp_path: Path) -> tuple[Store, Cluster]:
    store = store_at(tmp_path / "data")
    with store.open("acme") as con:
        for person in (1, 2, 3):
            contact(con, person, city="Durham")
            event(con, person, "open", PULLED - timedelta(days=person), 1)
    return store, Cluster("local[2]", tmp_path / "shared")


def test_written_outside_the_rows_are_what_a_reader_of_the_profile_sees(
    before: list[Any], tmp_path: Path
) -> None:
    store, cluster = a_few(tmp_path)
    score = Score([Action("Opened", 4, Event("open"))], histories.lookup)
    here = built(store, totals=score)
    kept = everything_in(store, *KEPT, "builds")
    folder = tmp_path / "out" / "profile"
    there = built(store, totals=score, cluster=cluster, to=folder)
    assert (there.table, there.build_id, there.people, there.awards) == (str(folder), "", 3, here.awards)
    assert everything_in(store, *KEPT, "builds") == kept
    assert everything_in(store, relation(folder)) == everything_in(store, "profile")
    with pytest.raises(IcxError) as told:
        built(store, cluster=cluster, to=folder)
    assert told.value.code == "folder-taken"


@pytest.mark.parametrize("stopped_by", [KeyboardInterrupt, RuntimeError])
def test_what_was_not_written_whole_is_not_there(
    before: list[Any], tmp_path: Path, stopped_by: type[BaseException]
) -> None:
    store, cluster = a_few(tmp_path)

    def stop(name: str) -> None:
        if name == "written":
            raise stopped_by

    before.append(stop)
    with pytest.raises(stopped_by):
        built(store, cluster=cluster, to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_build_that_ended_meanwhile_is_not_replaced(before: list[Any], tmp_path: Path) -> None:
    """It may be of a later pull than what the cluster was given."""
    store, cluster = a_few(tmp_path)

    def another(name: str) -> None:
        if name == "profile":
            before[-1] = before[0]
            with store.open("acme") as con:
                contact(con, 4, city="Cary")
            built(store)

    before.append(another)
    with pytest.raises(IcxError) as told:
        built(store, cluster=cluster)
    assert told.value.code == "built-meanwhile"
    assert len(everything_in(store, "profile")[0]) == 4
