"""Running what is due: each time once, a failure of its own, tries linked, a killed run taken up."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bench import MONDAY, Bench, bench

from icx.clock import ManualClock
from icx.errors import BadInput, Refused, Stopped, TryLater
from icx.jobs.due import Due
from icx.jobs.job import Alert, load, names
from icx.jobs.run_due import Done, RunDue
from icx.jobs.serve import serve
from icx.store import locks

HOUR = timedelta(hours=1)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def lost() -> TryLater:
    return TryLater("service-unreachable", "iContact does not answer.")


def test_what_is_due_runs_once_and_says_what_comes_next(here: Bench) -> None:
    here.job()
    here.job("later", every="daily 09:00")
    done = here.executor.run_due()
    assert [(one.job, one.state, one.text, one.due_at) for one in done.ran] == [
        ("weekly", "done", "fine", MONDAY)
    ]
    assert done.ok
    assert done.next == ("later", MONDAY + 2 * HOUR)
    assert str(done) == "weekly: done (r-1), fine"
    again = here.executor.run_due()
    assert str(again) == "Nothing is due."
    assert here.worked == [("weekly", "")]


def test_a_failure_is_failed_and_the_other_jobs_run(here: Bench) -> None:
    for name in ("a", "b", "c"):
        here.job(name)
    here.ends = [lost(), ZeroDivisionError("ada@example.com"), Done("fine")]
    done = here.executor.run_due()
    assert [(one.job, one.state, one.code) for one in done.ran] == [
        ("a", "failed", "service-unreachable"),
        ("b", "failed", "bug"),
        ("c", "done", ""),
    ]
    assert not done.ok
    assert "ada@" not in str(done) + json.dumps(done.as_dict(), default=str)


def test_tries_of_one_time_are_linked_and_failing_is_since_the_first_in_a_row(here: Bench) -> None:
    here.job(retries=2, backoff=5)
    here.ends = [lost(), lost(), lost()]
    for minutes in (0, 4, 1, 9, 1, 600):
        here.clock.sleep(minutes * 60)
        here.executor.run_due()
    runs = here.jobs.runs("weekly")
    assert [(one.run, one.first, one.attempt, one.why) for one in reversed(runs)] == [
        ("r-1", "r-1", 1, "clock"),
        ("r-2", "r-1", 2, "retry"),
        ("r-3", "r-1", 3, "retry"),
    ]
    (one,) = here.jobs
    assert (one.state, one.failing_since, one.failures) == ("failing", MONDAY, 3)
    here.clock.moment = MONDAY + timedelta(days=1)
    assert here.executor.run_due().ok
    assert here.jobs["weekly"].state == "active"


def test_what_only_a_person_can_mend_is_not_tried_again(here: Bench) -> None:
    here.job()
    here.ends = [BadInput("list-unknown", "acme has no such list.")]
    here.executor.run_due()
    here.clock.sleep(3 * 3600)
    assert here.executor.run_due().ran == []


def test_work_that_is_done_and_went_wrong_is_failed_and_not_done_again(here: Bench) -> None:
    here.job(kind="export", audience="Loyal", to="acme/lists/Loyal")
    problem = Refused("refused-share", "Done, but iContact refused 31 of 1,200 rows.")
    here.ends = [Done("P-1: 1,169 added", {"added": 1169}, problem)]
    (ran,) = here.executor.run_due().ran
    assert (ran.state, ran.code, ran.figures, ran.text) == (
        "failed", "refused-share", {"added": 1169}, "P-1: 1,169 added",
    )  # fmt: skip
    here.clock.sleep(3600)
    assert here.executor.run_due().ran == []


def test_a_stopped_run_ends_the_look_and_is_taken_up_by_the_next(here: Bench) -> None:
    here.job(kind="notebook", notebook="05-push.ipynb")
    here.ends = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        here.executor.run_due()
    (ran,) = here.executor.run_due().ran
    assert (ran.why, ran.first, ran.attempt, ran.state) == ("again", "r-1", 2, "done")


def test_a_pull_that_somebody_stopped_is_not_taken_up_before_its_next_time(here: Bench) -> None:
    here.job(alert=Alert(command="false"))
    here.ends = [Stopped("pull-stopped", "The pull of acme was stopped after its page.")]
    (ran,) = here.executor.run_due().ran
    assert (ran.state, ran.code, ran.alerts) == ("stopped", "pull-stopped", [])
    here.clock.sleep(3600)
    assert here.executor.run_due().ran == []
    here.clock.sleep(7 * 24 * 3600)
    (ran,) = here.executor.run_due().ran
    assert (ran.why, ran.state) == ("clock", "done")


def test_a_failed_notebook_is_repeated_from_its_own_run(here: Bench) -> None:
    here.job(kind="notebook", notebook="05-push.ipynb", backoff=0)
    here.ends = [TryLater("in-doubt", "200 people were sent.", data={"run": "r-99"})]
    here.executor.run_due()
    here.executor.run_due()
    assert here.worked == [("weekly", ""), ("weekly", "r-99")]


def test_a_retry_never_repeats_the_notebook_of_another_job(here: Bench) -> None:
    for name in ("a", "b"):
        here.job(name, kind="notebook", notebook="same.ipynb", backoff=0)
    here.ends = [ZeroDivisionError(), lambda: Done(here.journal.start_run("run", "same.ipynb"))]
    here.executor.run_due()
    here.executor.run_due()
    assert here.worked == [("a", ""), ("b", ""), ("a", "")]


def test_a_retry_finds_the_notebook_that_its_job_began_before_it_failed(here: Bench) -> None:
    here.job(kind="notebook", notebook="books/05-push.ipynb", backoff=0)
    begun = []

    def fails() -> Done:
        begun.append(here.journal.start_run("run", "05-push.ipynb"))
        raise ZeroDivisionError

    here.ends = [fails]
    here.executor.run_due()
    here.executor.run_due()
    assert here.worked == [("weekly", ""), ("weekly", begun[0])]


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from bench import bench
with bench(Path({folder!r})) as here:
    here.ends = [lambda: os._exit(9)]
    here.executor.run_due()
"""


def test_a_killed_run_is_taken_up_by_the_next_look(here: Bench, tmp_path: Path) -> None:
    here.job()
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert here.jobs["weekly"].state == "failing"
    (ran,) = here.executor.run_due().ran
    assert (ran.why, ran.attempt, ran.state) == ("again", 2, "done")
    assert here.executor.run_due().ran == []


def test_a_killed_run_is_taken_up_also_when_another_process_has_its_number(here: Bench) -> None:
    here.job()
    here.history.start("weekly", Due("clock", MONDAY), "maya")  # of this process's number, and not under way
    (ran,) = here.executor.run_due().ran
    assert (ran.why, ran.attempt, ran.state) == ("again", 2, "done")
    assert [one.state for one in here.jobs.runs("weekly")] == ["done", "cut off"]


def test_two_looks_at_once_run_a_job_once(here: Bench) -> None:
    here.job()
    begun, go = threading.Event(), threading.Event()

    def slow() -> Done:
        begun.set()
        assert go.wait(10)
        return Done("fine")

    here.ends = [slow]
    first: list[RunDue] = []
    thread = threading.Thread(target=lambda: first.append(here.executor.run_due()))
    thread.start()
    assert begun.wait(10)
    # Another process would see the run as running; this one looks past that, at the lock.
    second = here.executor
    second._due = lambda job, now: Due("clock", MONDAY)  # type: ignore[method-assign]
    assert second.run_due().busy == ["weekly"]
    assert here.jobs["weekly"].state == "running"
    go.set()
    thread.join()
    assert first[0].ok
    assert here.executor.run_due().ran == []
    assert len(here.worked) == 1


def test_missed_times_are_one_run_or_let_go_once(here: Bench) -> None:
    here.job("once")
    here.job("skip", missed="skip")
    here.clock.moment = MONDAY + timedelta(days=3, hours=2)
    done = here.executor.run_due()
    assert [(one.job, one.due_at) for one in done.ran] == [("once", MONDAY + timedelta(days=3))]
    assert [(name, found.missed) for name, found in done.let_go] == [("skip", 4)]
    assert "skip: 4 missed, let go" in str(done)
    assert str(here.executor.run_due()) == "Nothing is due."


def test_a_run_noted_by_a_clock_that_was_years_ahead_does_not_let_the_job_rest_for_years(here: Bench) -> None:
    here.job()
    here.clock.moment = MONDAY + timedelta(days=2000)
    assert here.executor.run_due().ok
    here.clock.moment = MONDAY + timedelta(days=1)
    (ran,) = here.executor.run_due().ran
    assert ran.due_at == MONDAY + timedelta(days=1)
    assert here.executor.run_due().ran == []


def test_a_paused_job_rests_and_what_passed_is_not_run(here: Bench) -> None:
    here.job()
    paused = here.jobs.pause("weekly", "the account moves").paused
    assert paused is not None
    assert (paused.by, paused.since, paused.why) == ("maya", MONDAY, "the account moves")
    assert here.executor.run_due().ran == []
    here.clock.sleep(7200)
    here.jobs.resume("weekly")
    assert here.executor.run_due().ran == []
    assert here.jobs["weekly"].next_at == MONDAY + timedelta(days=1)
    here.jobs.remove("WEEKLY")
    assert names(here.folder) == []


def test_a_run_by_hand_leaves_the_clock_as_it_was_also_for_a_paused_job(here: Bench) -> None:
    here.job()
    here.clock.sleep(180)  # three minutes late: the time of the clock is still to come
    here.executor.run_now("WEEKLY")
    here.executor.run_due()
    assert [(one.run, one.why, one.due_at) for one in here.jobs.runs("weekly")] == [
        ("r-2", "clock", MONDAY),
        ("r-1", "hand", MONDAY + timedelta(minutes=3)),
    ]
    # It runs beyond the next time of the clock, which is not let go for it.
    here.clock.moment = MONDAY + timedelta(days=1, minutes=-10)
    here.ends = [lambda: here.clock.sleep(1800) or Done("fine")]
    here.executor.run_now("weekly")
    assert [one.due_at for one in here.executor.run_due().ran] == [MONDAY + timedelta(days=1)]
    here.jobs.pause("weekly")
    assert here.executor.run_now("weekly").ok
    assert here.jobs["weekly"].state == "paused"


def test_a_run_by_hand_that_fails_is_not_tried_again_and_one_that_is_done_spares_the_retry(
    here: Bench,
) -> None:
    here.job(backoff=5)
    here.ends = [lost(), lost()]
    here.executor.run_due()
    assert here.executor.run_now("weekly").problem is not None
    here.clock.sleep(6 * 60)
    (ran,) = here.executor.run_due().ran
    assert (ran.why, ran.first, ran.attempt) == ("retry", "r-1", 2)
    here.clock.moment = MONDAY + timedelta(days=1)
    here.ends = [lost(), KeyboardInterrupt()]
    here.executor.run_due()
    with pytest.raises(KeyboardInterrupt):
        here.executor.run_now("weekly")
    assert here.jobs["weekly"].state == "failing"
    assert here.executor.run_now("weekly").ok
    assert here.jobs["weekly"].state == "active"
    here.clock.sleep(3600)
    assert here.executor.run_due().ran == []


def test_a_job_under_way_is_not_run_by_hand_beside_it(here: Bench) -> None:
    here.job()
    here.ends = [lambda: here.executor.run_now("weekly")]
    (ran,) = here.executor.run_due().ran
    assert (ran.code, ran.message) == ("already-running", "The job weekly is under way.")


def test_a_file_that_is_no_job_is_told_and_stops_no_other(here: Bench) -> None:
    here.job()
    (here.folder / "broken.json").write_text('{"kind": "import"', encoding="utf-8")
    (here.folder / "odd.json").write_text((here.folder / "weekly.json").read_text().replace("daily", "dayly"))
    done = here.executor.run_due()
    assert [one.job for one in done.ran] == ["weekly"]
    assert [error.code for error in done.wrong] == ["job-file", "schedule"]
    assert not done.ok


def test_serve_runs_each_time_and_ends_when_it_is_stopped_between_runs(here: Bench) -> None:
    here.job(every="every 30 min")
    said, coming = [], []

    class Stopping(ManualClock):
        def sleep(self, seconds: float) -> None:
            if self.moment >= MONDAY + 2 * HOUR:
                raise KeyboardInterrupt
            super().sleep(seconds)

    clock = here.clock = here.journal.clock = Stopping(MONDAY)
    done = serve(here.executor.run_due, clock, said=said.append, waiting=coming.append)
    assert (done.runs, done.failed, str(done)) == (5, 0, "Ended: 5 runs, 0 failed.")
    assert [one.ran[0].due_at for one in said] == [MONDAY + timedelta(minutes=30 * n) for n in range(5)]
    assert coming[0] == ("weekly", MONDAY + timedelta(minutes=30))


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_job_is_a_readable_file_that_reads_back_the_same(here: Bench) -> None:
    job = here.job(band=(100, None), answers={"growth": "500"}, audience="Loyal", description="für Größe")
    here.jobs.pause("weekly")
    assert load(here.folder, "weekly").paused is not None
    here.jobs.resume("weekly")
    again = load(here.folder, "Weekly")
    assert (again.band, again.answers, again.description) == (job.band, job.answers, job.description)
    text = json.loads((here.folder / "weekly.json").read_text(encoding="utf-8"))
    assert text["every"] == "daily 07:00"
    assert "retries" not in text  # what is the default is not written


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "../x"}, "job-name"),
        ({"name": "con"}, "job-name"),
        ({"name": ""}, "job-name"),
        ({"name": "WEEKLY"}, "job-choice"),
        ({"every": "sometimes"}, "schedule"),
        ({"zone": "Berlin"}, "schedule"),
        ({"kind": "export"}, "job-choice"),
        ({"kind": "dance"}, "job-choice"),
        ({"retries": 99}, "job-choice"),
        ({"band": (5, 1), "audience": "Loyal"}, "job-choice"),
        ({"band": (5, None)}, "job-choice"),
        ({"refused_share": 3.0}, "job-choice"),
    ],
)
def test_what_cannot_work_is_not_saved(here: Bench, changes: dict[str, object], code: str) -> None:
    here.job()
    with pytest.raises(BadInput) as told:
        here.job(**({"name": "other"} | changes))
    assert told.value.code == code
    assert names(here.folder) == ["weekly"]


def test_an_unknown_job_names_the_nearest(here: Bench) -> None:
    here.job("loyal weekly")
    with pytest.raises(BadInput, match="Nearest: loyal weekly"):
        here.jobs.pause("loyal week")


def test_times_of_all_jobs_come_in_order(here: Bench) -> None:
    here.job("a", every="hourly")
    here.job("b", every="daily 07:30")
    half = timedelta(minutes=30)
    assert here.jobs.next(3) == [(MONDAY + half, "b"), (MONDAY + HOUR, "a"), (MONDAY + 2 * HOUR, "a")]
    assert [at for at, _ in here.jobs.next(2, "b")] == [MONDAY + half, MONDAY + half + timedelta(days=1)]
    assert isinstance(here.jobs.next(1)[0][0], datetime)


def test_a_restore_or_an_erasure_meanwhile_ends_no_look_at_the_clock(here: Bench) -> None:
    here.job()
    with locks.alone(here.journal.path.parent / "locks", what="a restore", clock=here.clock):
        done = here.executor.run_due()
    assert (done.ran, done.busy, done.ok) == ([], ["weekly"], True)
    assert str(done) == "weekly: waits for another process"
    assert [one.why for one in here.executor.run_due().ran] == ["clock"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("params", ["city"]),
        ("answers", "growth"),
        ("create", "no"),
        ("retries", 1.5),
        ("alert", {"command": "mail ops"}),  # not the commands m, a, i, l
        ("alert", {"webhook": 5}),
    ],
)
def test_a_file_with_a_value_of_another_kind_holds_no_job(here: Bench, name: str, value: object) -> None:
    here.job()
    path = here.folder / "weekly.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    (error,) = here.executor.run_due().wrong
    assert (error.code, f": {name} is " in error.where_text()) == ("job-file", True)


def test_what_icx_itself_did_wrong_and_what_was_killed_by_hand_say_what_to_type(here: Bench) -> None:
    here.job(retries=0)
    here.ends = [ZeroDivisionError("ada@example.com")]
    problem = here.executor.run_now("weekly").problem
    assert problem is not None
    assert (problem.code, problem.next) == ("bug", [["icx", "log", "r-1"]])
    here.history.start("weekly", Due("hand", MONDAY), "maya")  # and its process is gone
    here.executor.run_due()
    (killed,) = [one for one in here.jobs.runs("weekly") if one.state == "cut off"]
    assert killed.next == [["icx", "schedule", "run", "weekly"]]  # run-due takes up only what the clock began
