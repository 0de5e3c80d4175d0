"""The journal: runs, the tape, the shared budget, and locks that a dead process cannot keep."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.clock import ManualClock
from icx.errors import Damaged, TryLater
from icx.store.budget import key
from icx.store.journal import Journal, said
from icx.store.locks import alone

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    method: str = "GET"
    path: str = "/contacts?email=ada@example.com"
    status: int | None = 200
    ms: float = 3.0
    bytes: int = 10
    attempt: int = 1
    at: datetime = NOON
    problem: str = ""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def journal(tmp_path: Path, clock: ManualClock) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite", clock) as opened:
        yield opened


def test_a_run_has_a_number_a_beginning_and_an_end(journal: Journal, clock: ManualClock) -> None:
    first = journal.start_run("pull", "acme", "maya")
    clock.sleep(60)
    journal.end_run(first, "done", {"rows": 7})
    second = journal.start_run("pull", "acme")
    newest, oldest = journal.runs("pull", "acme")
    assert (first, second) == ("r-1", "r-2")
    assert newest.state == "running"
    assert oldest.state == "done"
    assert oldest.ended_at == NOON + timedelta(seconds=60)
    assert oldest.detail == {"rows": 7}


def test_a_run_whose_process_is_gone_is_cut_off_unless_it_had_ended(journal: Journal) -> None:
    journal.end_run(journal.start_run("plan", "acme"))
    journal.start_run("pull", "acme")
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait(30)
    with journal.write() as db:
        db.execute("update runs set pid = ?", (gone.pid,))
    assert [one.state for one in journal.runs()] == ["cut off", "done"]


def test_the_tape_counts_calls_and_repeats_and_holds_no_address(journal: Journal) -> None:
    run = journal.start_run("pull", "acme")
    note = journal.tape_sink(run)
    note(Call())
    note(Call(status=None, attempt=2, problem="no answer about ada@example.com"))
    assert journal.calls(run) == (2, 1)
    told = " ".join(str(tuple(row)) for row in journal.read("select * from calls"))
    assert "ada@example.com" not in told


def test_runs_and_calls_that_went_wrong_are_told_to_the_log(tmp_path: Path, journal: Journal) -> None:
    run = journal.start_run("pull", "acme")
    note = journal.tape_sink(run)
    for call in (
        Call(status=200),
        Call(status=404),  # there is no such row: an answer
        Call(status=400, attempt=2),
        Call("POST", "/contacts", 404),
        Call("POST", "/contacts", 399),
        Call(status=None),
    ):
        note(call)
    journal.end_run(run, "needs-you", {"code": "login-lost"})
    journal.end_run(journal.start_run("plan", "acme"), "failed")
    (path,) = (tmp_path / "logs").iterdir()
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(one["event"], one["level"]) for one in told] == [
        ("begun", "info"),
        ("call", "warning"),
        ("call", "warning"),
        ("ended", "warning"),
        ("begun", "info"),
        ("ended", "error"),
    ]
    assert [one["text"][:4] + one["text"][-4:] for one in told[1:3]] == ["GET  400", "POST 404"]
    assert (told[1]["tried"], told[3]["code"], told[3]["seconds"]) == (2, "login-lost", 0)
    assert "code" not in told[5]


def test_a_run_keeps_the_words_of_an_error_without_addresses_and_of_others_the_kind_alone() -> None:
    lost = TryLater("in-doubt", "Was ada@example.com sent?", where="row 7", kept="all", next=["wait"])
    found = said(lost)
    assert (found["code"], found["where"]) == ("in-doubt", "row 7")
    assert "ada@example.com" not in found["message"]
    assert found["message"].startswith("Was ")
    assert said(ValueError("ada@example.com")) == {"code": "ValueError"}


def test_what_was_written_outlives_a_power_cut_and_the_file_is_given_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "other" / "journal.sqlite") as journal:
        assert [tuple(row) for row in journal.read("pragma synchronous")] == [(2,)]  # full
        assert [tuple(row) for row in journal.read("pragma journal_mode")] == [("wal",)]
    with pytest.raises(sqlite3.ProgrammingError):
        journal.read("select 1")


def test_a_transaction_belongs_to_the_file_it_was_begun_in(tmp_path: Path, journal: Journal) -> None:
    def runs() -> int:
        return len(journal.read("select * from runs"))

    journal.start_run("pull", "acme")
    path, away = journal.path, tmp_path / "away.sqlite"
    with journal.write() as db:
        db.execute("delete from runs")
        path.rename(away)
        Journal(path).close()
        assert runs() == 0
        db.execute("rollback")
        db.execute("begin")
    journal.start_run("plan", "acme")
    assert (runs(), journal.runs()[0].run) == (1, "r-1")  # of the file that is there now
    path.unlink()
    assert runs() == 1  # nothing took its place


def test_what_went_wrong_is_told_as_it_is_and_the_next_write_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> float:
        raise RuntimeError

    def full(db: sqlite3.Connection, *_: object) -> float:
        db.execute("rollback")
        raise RuntimeError

    def ended_by_the_disk() -> None:
        with journal.write() as db:
            db.execute("rollback")
            raise RuntimeError

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        journal.read("select * from elsewhere")
    with pytest.raises(RuntimeError):
        ended_by_the_disk()
    for spend in (stumble, full):
        with monkeypatch.context() as patch:
            patch.setattr("icx.store.budget.spend", spend)
            with pytest.raises(RuntimeError):
                journal.spend("k", 10, 10)
    assert journal.spend("k", 10, 10) == 0
    assert journal.left("k", 10, 10) == 9


def test_the_tape_may_be_written_by_several_threads(journal: Journal) -> None:
    note = journal.tape_sink("r-1")
    threads = [threading.Thread(target=lambda: [note(Call()) for _ in range(20)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.calls("r-1") == (100, 0)


def test_a_write_that_raises_leaves_nothing(journal: Journal) -> None:
    def stumble() -> None:
        with journal.write() as db:
            db.execute("insert into budget values ('k', 1, 1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stumble()
    assert journal.read("select * from budget") == []


def test_two_processes_share_one_budget(tmp_path: Path, journal: Journal, clock: ManualClock) -> None:
    with Journal(tmp_path / "journal.sqlite", clock) as other:
        one = journal.budget("app", 7, per_hour=10, per_day=100, push=True)
        two = other.budget("app", 7, per_hour=10, per_day=100, push=True)
        for budget in (one, two) * 5:
            assert budget.spend() == 0.0
        assert one.left() == two.left() == 0
        assert two.spend() > 0
        assert journal.budget("another", 7, per_hour=10, per_day=100).spend() == 0.0


def test_a_spent_hour_says_how_long_to_wait_and_is_free_then(journal: Journal, clock: ManualClock) -> None:
    budget = journal.budget("app", 7, per_hour=2, per_day=100, push=True)
    assert budget.spend() == 0.0
    clock.sleep(600)
    assert budget.spend() == 0.0
    wait = budget.spend()
    assert 0 < wait <= 3000
    clock.sleep(wait)
    assert budget.spend() == 0.0


def test_a_pull_leaves_some_calls_for_pushes(journal: Journal) -> None:
    pull = journal.budget("app", 7, per_hour=100, per_day=1000)
    push = journal.budget("app", 7, per_hour=100, per_day=1000, push=True)
    spent = 0
    while pull.spend() == 0.0:
        spent += 1
    assert spent == 95
    assert push.spend() == 0.0


@settings(max_examples=25, deadline=None)
@given(gaps=st.lists(st.integers(0, 900), min_size=1, max_size=40), limit=st.integers(1, 6))
def test_no_sliding_hour_ever_holds_more_calls_than_allowed(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], limit: int
) -> None:
    clock = ManualClock(NOON)
    granted: list[datetime] = []
    with Journal(tmp_path_factory.mktemp("j") / "journal.sqlite", clock) as journal:
        budget = journal.budget("app", 7, per_hour=limit, per_day=1000, push=True)
        for gap in gaps:
            clock.sleep(gap)
            if budget.spend() == 0.0:
                granted.append(clock.now())
    for moment in granted:
        # Calls are counted by minute of the clock, so an hour is at least 59 minutes.
        recent = [g for g in granted if moment - timedelta(minutes=59) < g <= moment]
        assert len(recent) <= limit


def test_the_application_id_is_not_kept(journal: Journal) -> None:
    journal.budget("1f3c9a-secret", 7, per_hour=5, per_day=5).spend()
    assert "1f3c9a" not in key("1f3c9a-secret", 7)
    assert "1f3c9a" not in str([tuple(row) for row in journal.read("select * from budget")])


def test_a_held_lock_names_its_holder(journal: Journal) -> None:
    with journal.lock("pull acme", what="a pull of acme"):
        busy = pytest.raises(TryLater, match="a pull of acme is already under way")
        with busy as refused, journal.lock("pull acme"):
            pass
        assert "process" in refused.value.where_text()
        with journal.lock("pull other"):
            pass
    with journal.lock("pull acme"):
        pass


def test_a_killed_process_keeps_no_lock(tmp_path: Path, journal: Journal) -> None:
    script = (
        "import sys, time; from pathlib import Path; from icx.store.journal import Journal\n"
        "with Journal(Path(sys.argv[1])).lock('pull acme'):\n  print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "journal.sqlite")], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TryLater) as refused, journal.lock("pull acme"):
            pass
        assert f"process {other.pid}" in refused.value.where_text()
        other.kill()
        other.wait(30)
    with journal.lock("pull acme"):
        pass


def test_a_journal_made_by_a_newer_icx_is_not_opened(tmp_path: Path, journal: Journal) -> None:
    with journal.write() as db:
        db.execute("insert into migrations values ('0042-later.sql', '')")
    with pytest.raises(Damaged) as refused:
        Journal(tmp_path / "journal.sqlite")
    assert refused.value.code == "made-by-newer"


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("not a journal" * 100)
    with pytest.raises(Damaged) as refused:
        Journal(path)
    assert refused.value.code == "database-damaged"


def test_a_full_disk_is_told_in_our_words(journal: Journal) -> None:
    with pytest.raises(Damaged) as refused, journal.write():
        raise sqlite3.OperationalError("database or disk is full")
    assert refused.value.code == "disk-full"


def test_a_number_that_another_process_has_by_now_is_no_holder_and_no_running_run(
    tmp_path: Path, journal: Journal
) -> None:
    run = journal.start_run("pull", "acme")
    with journal.lock("pull acme", what="a pull of acme"):
        assert journal.holder("pull acme") is not None
        (note,) = (tmp_path / "locks").glob("*.json")
        told = json.loads(note.read_text())
        note.write_text(json.dumps(told | {"began": "another boot 7"}))
        assert journal.holder("pull acme") is None
        note.write_text(json.dumps(told | {"began": ""}))  # a system that does not tell
        assert journal.holder("pull acme") is not None
    with journal.write() as db:
        db.execute("update runs set process_began = 'another boot 7'")
    found = journal.run(run)
    assert found is not None
    assert found.state == "cut off"


def test_whoever_has_the_whole_workspace_is_alone_in_it(journal: Journal, tmp_path: Path) -> None:
    folder = tmp_path / "locks"
    busy = pytest.raises(TryLater, match="a pull of acme is already under way")
    with journal.lock("pull acme", what="a pull of acme"), busy, alone(folder, what="x"):
        pass
    with alone(folder, what="a restore"):
        with pytest.raises(TryLater, match="a restore is already under way"), journal.lock("pull acme"):
            pass
        with pytest.raises(TryLater, match="a restore is already under way"), alone(folder, what="y"):
            pass
    with journal.lock("pull acme"):
        pass
