"""Counting beside the notebook: the newest edit wins, an older count is stopped, and nobody is kept from the data."""

# ruff: noqa: F401, F811 (fixtures are imported by name)

from __future__ import annotations

import copy
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from builder_bed import LOYAL, ZONE, Make, builder, edit, f, files, make, published

from icx.audience import Live
from icx.errors import NeedsYou
from icx.rules import Group
from icx.store import Store, memory
from icx.store import published as store_published
from icx.store.published import Published
from icx.widgets import builder_answers as answers
from icx.widgets.builder import Builder
from icx.widgets.counting import Stopped, Turn, Worker
from icx.widgets.document import tree_of

# A count nobody would wait for: every pair of a hundred thousand numbers.
ENDLESS = "select count(*) from range(100000) a(i), range(100000) b(j) where hash(i + j) % 7 = 1"


def until(what: Any, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.01)
    assert what()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counting a rule with `opens_90d >= 0` takes for ever, unless its query is interrupted."""
    began: list[str] = []
    real = answers.counted

    def counted(live: Any, tree: Any, name: str, running: Any) -> Any:
        if tree["rules"] and tree["rules"][0].get("value") == 0:
            with live.people.open(LOYAL) as (con, _, _rule):
                running(con)
                began.append("slow")
                con.execute(ENDLESS).fetchall()
        return real(live, tree, name, running)

    monkeypatch.setattr(answers, "counted", counted)
    return began


def test_a_turn_whose_cursor_is_closed_when_it_is_stopped_ends_without_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda given: faults.append(given.exc_value))
    turn = Turn()
    con = memory()
    turn.running(con)
    con.close()  # the answer is being told, and the turn is not over yet
    turn.stop()
    until(lambda: turn.stopped)
    time.sleep(0.1)
    with memory() as other, pytest.raises(Stopped):
        turn.running(other)
    turn.over()
    until(lambda: not [one for one in threading.enumerate() if one.name == "icx-stop"])
    assert faults == []


def test_what_cannot_be_told_does_not_leave_the_next_question_without_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    faults: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda given: faults.append(given.exc_type))

    def work(job: str, turn: Turn) -> None:
        if job == "no JSON":
            raise TypeError(job)
        told.append(job)

    worker = Worker(work, "icx-test")
    worker.give("no JSON", "one")
    until(lambda: faults)
    worker.give("next", "two")
    until(lambda: told)
    worker.close()
    assert (told, faults) == (["next"], [TypeError])


def test_a_newer_edit_stops_the_count_that_runs_and_is_the_only_one_told(make: Make, slow: list[str]) -> None:
    view = make(LOYAL)
    told: list[int] = []
    view.observe(lambda change: told.append(change.new["rev"]), "answers")
    edit(view, tree_of((f.opens_90d >= 0) & (f.city == "Durham")))
    until(lambda: slow)
    began = time.monotonic()
    edit(view, tree_of((f.opens_90d >= 1) & (f.city == "Durham"))).wait(5)
    assert time.monotonic() - began < 3
    assert set(told) == {view.rev}
    assert view.answers["total"] == 5


def test_of_many_edits_at_once_the_last_is_counted(make: Make) -> None:
    view = make(LOYAL)
    for least in range(1, 20):
        tree = copy.deepcopy(view.tree)
        tree["rules"][0]["value"] = least % 8
        edit(view, tree)
    assert view.wait(10).answers["rev"] == view.rev
    assert view.answers["total"] == 3  # 19 % 8 = 3


def test_a_count_can_be_given_up(make: Make, slow: list[str]) -> None:
    view = make(LOYAL)
    before = view.answers
    edit(view, tree_of((f.opens_90d >= 0) & (f.city == "Durham")))
    until(lambda: slow)
    assert view.answer("stop", {}) == {"ok": True}
    assert view._worker.idle(5)
    assert view.answers == before
    with pytest.raises(TimeoutError):
        view.wait(0.05)


def test_the_total_does_not_wait_for_the_size_without_machines(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, free = make(LOYAL), threading.Event()
    real = answers.human

    def human(*given: Any) -> Any:
        assert free.wait(5)
        return real(*given)

    monkeypatch.setattr(answers, "human", human)
    edit(view, tree_of(f.opened(3, days=90)))
    until(lambda: view.answers["rev"] == view.rev)
    assert (view.answers["total"], view.answers["human"]) == (4, None)
    free.set()
    assert view.wait(5).answers["human"] == 0


def test_a_newer_edit_stops_the_count_without_machines_too(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = make(LOYAL)
    began: list[str] = []
    real = answers.human

    def human(live: Any, tree: Any, name: str, running: Any) -> Any:
        if not began:
            with live.people.open(LOYAL) as (con, _, _rule):
                running(con)
                began.append("slow")
                con.execute(ENDLESS).fetchall()
        return real(live, tree, name, running)

    monkeypatch.setattr(answers, "human", human)
    edit(view, tree_of(f.opened(3, days=90)))
    until(lambda: began)
    edit(view, tree_of(f.opened(3, days=30))).wait(5)
    assert (view.answers["rev"], view.answers["total"], view.answers["human"]) == (view.rev, 4, 0)


def test_a_slow_question_keeps_no_cell_and_no_other_question_waiting(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of a lane is answered, the one before is given up; what changes nothing is answered at once."""
    view = make(LOYAL)
    told: dict[str, Any] = {}
    threads: set[str] = set()
    began: list[str] = []
    real = answers.breakdown

    def breakdown(live: Any, tree: Any, by: str, running: Any = None) -> Any:
        threads.add(threading.current_thread().name)
        if by == "engagement_tier":
            with live.people.open(LOYAL) as (con, _, _rule):
                running(con)
                began.append(by)
                con.execute(ENDLESS).fetchall()
        return real(live, tree, by, running)

    def ask(number: str, lane: str, verb: str, **given: Any) -> None:
        asked = {"ask": verb, "id": number, "lane": lane, "rule": view.tree, **given}
        view._handle_custom_msg(asked, [])

    monkeypatch.setattr(answers, "breakdown", breakdown)
    monkeypatch.setattr(view, "send", lambda said: told.update({said["id"]: said}))
    ask("slow", "a:breakdown", "breakdown", by="engagement_tier")
    until(lambda: began)
    view._handle_custom_msg({"ask": "alive", "id": "pulse"}, [])
    assert told == {"pulse": {"id": "pulse", "ok": True}}
    ask("chips", "a:values:p2", "values", node="p2", field="city")
    ask("new", "a:breakdown", "breakdown", by="city")
    until(lambda: view._questions.idle(0))
    assert set(told) == {"pulse", "chips", "new"}
    assert told["new"]["parts"][0]["value"] == "Durham"
    assert threads == {"icx-questions"}
    ask("slow", "a:breakdown", "breakdown", by="engagement_tier")
    until(lambda: len(began) == 2)
    view.close()
    assert "slow" not in told
    assert not [one for one in threading.enumerate() if one.name == "icx-questions"]


def test_closing_stops_what_runs(files: Path, tmp_path: Path, slow: list[str]) -> None:
    others = set(threading.enumerate())
    view = builder(files, (f.opens_90d >= 0) & (f.city == "Durham"), tmp_path / "audiences")
    until(lambda: slow)
    view.close()
    assert not [one for one in set(threading.enumerate()) - others if one.name == "icx-builder"]


def test_a_new_build_is_asked_and_said(tmp_path: Path) -> None:
    folder = published(tmp_path / "published" / "acme", people=10)
    view = builder(folder, LOYAL).wait(10)
    assert (view.answers["total"], view.place["contacts"]) == (3, 10)
    published(folder, build_id="b-2", people=9)
    edit(view, view.tree).wait(10)
    assert (view.answers["total"], view.answers["of"]) == (2, 9)
    assert view.place["contacts"] == 9
    view.close()


def test_while_a_build_is_being_put_in_place_the_one_before_is_asked(tmp_path: Path) -> None:
    folder = published(tmp_path / "published" / "acme")
    view = builder(folder, LOYAL).wait(10)
    (folder / "published.json").unlink()
    edit(view, view.tree).wait(10)
    assert view.answers["total"] == 3
    (folder / "profile.parquet").rename(folder / "away.parquet")
    edit(view, tree_of(f.city == "Raleigh")).wait(10)
    assert view.answers["total"] is None
    assert "icx build" in view.answers["note"]
    (folder / "away.parquet").rename(folder / "profile.parquet")
    edit(view, tree_of(f.city == "Raleigh")).wait(10)
    assert view.answers["total"] == 1
    view.close()


HOLD = "import duckdb, sys\ncon = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"


def test_a_database_somebody_holds_is_nothing_to_wait_for(make: Make, tmp_path: Path) -> None:
    store = Store(tmp_path / "icx.duckdb")
    with store.open():
        pass
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        view = make(LOYAL)
        assert view.answers["total"] == 3
        assert view.answer("save", {"rule": view.tree, "name": "Loyal"})["ok"]
        holder.communicate("")


def test_an_open_builder_holds_no_database(make: Make, tmp_path: Path) -> None:
    view = make(LOYAL)
    opened = [one.readlink() for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert not [one for one in opened if one.suffix == ".duckdb"]
    assert view.answers["total"] == 3


def test_a_worker_does_the_newest_job_and_forgets_those_that_waited() -> None:
    done: list[int] = []
    free, busy = threading.Event(), threading.Event()

    def work(job: int, turn: Turn) -> None:
        busy.set()
        free.wait(5)
        if turn.stopped:
            raise Stopped
        done.append(job)

    worker: Worker[int] = Worker(work, "test")
    worker.give(1)
    assert busy.wait(5)
    for job in (2, 3, 4):
        worker.give(job)
    free.set()
    assert worker.idle(5)
    assert done == [4]
    worker.close()
    worker.give(5)
    assert worker.idle(1)
    assert done == [4]


def test_what_an_older_icx_published_is_built_again(tmp_path: Path) -> None:
    place = published(tmp_path / "acme")
    events = place / "icontact_activity.parquet"
    with memory() as con:
        con.execute(f"create table events as select * exclude (profile_row) from read_parquet('{events}')")
        con.execute(f"copy events to '{events}' (format parquet)")
    with pytest.raises(NeedsYou) as told:
        Live(place, "acme", None, ZONE)
    assert (told.value.code, told.value.next) == (
        "profile-missing",
        [["icx", "build", "--connection", "acme"]],
    )


def test_an_account_without_anybody_is_counted_too(tmp_path: Path) -> None:
    view = builder(published(tmp_path / "published" / "acme", people=0), LOYAL).wait(10)
    assert (view.answers["total"], view.answers["of"], view.answers["empty"]) == (0, 0, None)
    asked = {"rule": view.tree, "node": "p2"}
    assert view.answer("values", {**asked, "field": "city"})["values"] == []
    assert view.answer("histogram", {**asked, "field": "opens_90d"})["bins"] == []
    assert view.answer("sample", {"rule": view.tree})["rows"] == []
    assert "0 contacts" in view.static_html()
    view.close()


def kept(published: Published) -> int:
    return len(published._kept)


def test_a_rule_of_more_answers_than_have_room_is_counted_and_the_oldest_are_let_go(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_published, "KEPT_BYTES", 60)
    each = tuple(f.opened(1, days=days) for days in range(1, 20))
    view = make(Group("or", each))
    assert view.answers["note"] == ""
    assert view.answers["total"] == 8
    until(lambda: view._worker.idle(0))
    assert 0 < sum(size for _, size in view._live.published._kept.values()) <= 60


def test_the_same_question_about_events_asked_by_two_threads_has_one_answer(make: Make) -> None:
    published = make(LOYAL)._live.published
    both = threading.Barrier(2)
    found: list[list[int]] = []

    def ask() -> None:
        with published.by_row.open() as con:
            both.wait(5)
            found.append(published.counts(con, "select contact_id from icontact_activity", []).tolist())

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(5)
    assert found[0] == found[1]
    assert sum(found[0]) > 0


def test_a_question_about_one_rule_does_not_count_the_events_of_another(make: Make) -> None:
    view = make(LOYAL)
    before = kept(view._live.published)
    tree = tree_of((f.city == "Durham") & f.opened(3, days=11))
    said = view.answer("values", {"rule": tree, "node": tree["rules"][0]["id"], "field": "city"})
    assert said["ok"]
    assert said["reach"] == 10
    assert kept(view._live.published) == before


def test_what_cannot_be_offered_is_told_and_the_next_edit_is_counted(files: Path) -> None:
    gone: list[OSError] = []

    def names() -> list[str]:
        if gone:
            raise gone.pop()
        return []

    view = Builder(Live(files, "acme", None, ZONE), LOYAL, save=lambda _: None, names=names).wait(10)
    gone.append(FileNotFoundError("audiences"))
    edit(view, tree_of(f.city == "Durham")).wait(5)
    assert "icx build" in view.answers["note"]
    assert edit(view, tree_of(f.city == "Raleigh")).wait(5).answers["total"] == 1
    view.close()
