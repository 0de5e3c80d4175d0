"""What is wrong with a cluster is said before anything is started, and a stop stops the work."""

from __future__ import annotations

import gc
import importlib.util
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from accounts import CLOCK, PULLED, contact, store_at

import icx.scale.turn
from icx.audience import count
from icx.audience.people import People
from icx.cli.engine import chosen
from icx.clock import SYSTEM
from icx.errors import IcxError
from icx.profile import build, catalogue, scaled
from icx.profile.assemble import Assembly
from icx.profile.catalogue import Everything
from icx.profile.statement import Tables
from icx.rules import F
from icx.scale import Cluster, relation, spark
from icx.scale.troubles import failed
from icx.settings import Settings
from icx.store import Connection, locks, memory


def trouble(master: str) -> IcxError:
    with pytest.raises(IcxError) as told:
        Cluster(master, Path("nowhere")).check()
    return told.value


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Java of version 17, by what it says of itself."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    return program


@pytest.mark.parametrize("master", ["", "host:7077", "spark://host", "http://host:7077"])
def test_what_is_no_master_is_told_so(master: str) -> None:
    assert trouble(master).code == "spark-master"


def test_without_java_or_with_an_old_one_the_package_to_install_is_named(
    java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java.write_text("#!/bin/sh\necho 'java version \"1.8.0_292\"' >&2\n")
    told = trouble("local[2]")
    assert (told.code, "version 8" in told.where_text()) == ("java-missing", True)
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "/nowhere")
    assert trouble("local[2]").next[0] == ["apt-get", "install", "openjdk-17-jre-headless"]


def test_without_pyspark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    told = trouble("local[2]")
    assert (told.code, told.next[0]) == ("spark-missing", ["pip", "install", "pyspark>=4,<5"])


def test_a_master_that_does_not_answer_is_told_at_once(java: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        told = trouble(f"spark://127.0.0.1:{taken.getsockname()[1]}")
    assert (told.code, told.exit_code) == ("spark-unreachable", 1)


def test_the_driver_is_reached_at_the_address_from_which_the_master_is(java: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as master:
        assert Cluster(f"spark://localhost:{master.getsockname()[1]}", Path()).check() == "127.0.0.1"
    assert Cluster("local[2]", Path()).check() == "127.0.0.1"


def test_a_stop_stops_the_work_and_is_passed_on() -> None:
    stopped = threading.Event()

    def look(seconds: float) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as worker, pytest.raises(KeyboardInterrupt):
        spark.waited(
            worker.submit(stopped.wait), look, stopped.set, lambda error: failed("it", "", Path()), SYSTEM
        )
    assert stopped.is_set()


def test_an_error_of_the_work_is_told_in_our_words() -> None:
    def fail() -> None:
        raise ValueError("[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012")

    def told(error: Exception) -> IcxError:
        return failed("the profile", spark.first_words(error), Path("spark.log"))

    with ThreadPoolExecutor(1) as worker, pytest.raises(IcxError, match="the profile: Division by zero"):
        spark.waited(worker.submit(fail), lambda seconds: None, lambda: None, told, SYSTEM)


@pytest.mark.parametrize("options", [("--master", "local[2]"), ("--folder", "there")])
def test_what_is_for_spark_is_not_taken_for_duckdb(options: tuple[str, str]) -> None:
    folder = Path(options[1]) if options[0] == "--folder" else None
    with pytest.raises(IcxError) as told:
        chosen("duckdb", options[1] if folder is None else None, folder)
    assert told.value.exit_code == 2
    assert chosen("duckdb", None, None) == {}
    assert chosen("spark", None, None) == {"master": "", "folder": None}
    assert chosen("spark", "spark://h:1", None, Path("out"))["to"] == Path("out")
    with pytest.raises(IcxError):
        chosen("duckdb", None, None, Path("out"))


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("last_words", "code"),
    [("All masters are unresponsive! Giving up.", "spark-refused"), ("Could not create the Java Virtual Machine.", "spark-start")],
)  # fmt: skip
def test_a_java_side_that_ends_while_it_starts_is_told_by_its_last_words(
    java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last_words: str, code: str
) -> None:
    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    java.write_text(f"{java.read_text()}[ $1 = -version ] || {{ echo '{last_words}' >&2; exit 1; }}\n")
    with pytest.raises(IcxError) as told, spark.started(Cluster("local[2]", tmp_path / "shared"), "run"):
        pass
    assert told.value.code == code
    assert last_words in (tmp_path / "shared" / "spark.log").read_text()
    assert not (tmp_path / "shared" / "run").exists()
    del told
    gc.collect()  # pyspark leaves the pipe of a Java that ended to the collector


def idle(tasks: int) -> Any:
    """A session whose only stage has so many tasks, and nobody at work on them."""
    stage = SimpleNamespace(numCompletedTasks=0, numTasks=tasks, numActiveTasks=0)
    tracker = SimpleNamespace(getActiveStageIds=lambda: [1], getStageInfo=lambda number: stage)
    return SimpleNamespace(sparkContext=SimpleNamespace(statusTracker=lambda: tracker))


def test_without_a_worker_it_is_told_first_and_then_given_up(tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []
    running = spark.Spark(
        idle(8), Cluster("spark://h:1", tmp_path), tmp_path, tmp_path, say=lambda *told: said.append(told)
    )
    running._look(1)
    running._look(60)
    assert said == [(0, 8, ""), (0, 8, "waiting for a worker")]
    with pytest.raises(IcxError) as told:
        running._look(601)
    assert told.value.code == "spark-no-workers"


def test_rows_that_got_lost_on_the_way_leave_the_profile_as_it_was(tmp_path: Path) -> None:
    con = memory()
    con.execute("create schema acme")
    con.execute("create view builds as select 'b-1' as build_id")
    rows = tmp_path / "rows"
    rows.mkdir()
    con.execute(f"copy (select 1 as contact_id, 0 as row_mark) to '{rows}/one.parquet'")
    job = Assembly(
        con, "acme", "profile", PULLED, Everything([], [], []), Tables(), Settings(), build_id="b-2"
    )
    with pytest.raises(IcxError) as told:
        scaled.load(job, scaled.Exported({}, people=2), rows, rows)
    assert told.value.code == "scale-rows"
    assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


@dataclass
class Stand:
    """In place of Spark: DuckDB, which sees what was copied out and nothing else; `meanwhile` is done as it computes."""

    folder: Path
    meanwhile: Any
    con: Connection = field(default_factory=memory)

    def view(self, name: str, folder: Path) -> None:
        self.con.execute(f'create view "{name}" as select * from {relation(folder)}')

    def rows(self, sql: str, params: Any) -> list[tuple[Any, ...]]:
        self.meanwhile()
        return self.con.execute(sql, list(params)).fetchall()

    def make(self, name: str, sql: str, params: Any) -> Path:
        self.meanwhile()
        raise KeyboardInterrupt


def test_nobody_is_erased_while_they_are_on_a_cluster_and_the_same_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is free then: what comes back would bring them back."""
    store, busy, folders = store_at(tmp_path / "data"), [], []
    cluster = Cluster("local[2]", tmp_path / "shared")
    with store.open("acme") as con:
        for person in (1, 2, 3):
            contact(con, person, city="Durham" if person < 3 else "Cary")
    build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
    fields = catalogue(store, "acme", None)
    people, rule = People(store, "acme", fields), F(fields).city == "Durham"

    def on_the_cluster(verb: str) -> Any:
        if verb == "count":
            return count(people, rule, cluster)
        return build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK, cluster=cluster)

    for verb in ("build", "count"):

        def meanwhile(verb: str = verb) -> None:
            with pytest.raises(IcxError) as told, locks.alone(tmp_path / "data" / "locks", what="an erasure"):
                pass
            busy.append((told.value.code, told.value.message))
            with pytest.raises(IcxError) as told:
                on_the_cluster(verb)
            busy.append((told.value.code, told.value.message))

        @contextmanager
        def started(cluster: Cluster, name: str, meanwhile: Any = meanwhile, **how: Any) -> Iterator[Stand]:
            folders.append(name)
            yield Stand(cluster.folder / name, meanwhile)

        monkeypatch.setattr(icx.scale.turn, "started", started)
        if verb == "count":
            assert on_the_cluster(verb) == count(people, rule)
        else:
            with pytest.raises(KeyboardInterrupt):
                on_the_cluster(verb)
    assert busy == [
        ("already-running", f"a {verb} of acme on Spark is already under way.")
        for verb in ("build", "build", "count", "count")
    ]
    with locks.alone(tmp_path / "data" / "locks", what="an erasure"), pytest.raises(IcxError) as told:
        on_the_cluster("count")
    assert told.value.code == "already-running"
    assert len(set(folders)) == 2
