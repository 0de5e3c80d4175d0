"""Tidying: what is old goes, shown first; what somebody may still need stays, and a run is never half there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bench import MONDAY
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.clock import ManualClock
from icx.http.tape import Call
from icx.jobs.due import Due
from icx.jobs.history import History
from icx.jobs.job import Job, save
from icx.jobs.tidy import Keeping, Left, decide
from icx.store import run_verbs
from icx.workspace import Workspace

DAY = timedelta(days=1)


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path, clock=ManualClock(MONDAY), who="maya") as opened:
        yield opened


def ran(
    ws: Workspace, days: int, state: str = "done", notebook: str = "05-push.ipynb", root: str = ""
) -> str:
    """Leave a run of a notebook as the runner does that ended so many days ago."""
    run = ws.journal.start_run("run", notebook, "maya")
    at = (MONDAY - days * DAY).isoformat()
    record = {
        "run": run,
        "root": root or run,
        "notebook": f"/x/{notebook}",
        "started": at,
        "ended": at,
        "state": state,
    }
    place = ws.layout.runs / run
    place.mkdir(parents=True)
    (place / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (place / "report.html").write_text("x" * 1000, encoding="utf-8")
    if state != "running":
        ws.journal.end_run(run, state)
    return run


def page(ws: Workspace, name: str, days: int) -> Path:
    path = ws.layout.reports / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x", encoding="utf-8")
    moment = (MONDAY - days * DAY).timestamp()
    os.utime(path, (moment, moment))
    return path


def there(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*")}


def test_old_runs_pages_and_calls_go_shown_first_and_newer_failed_and_own_ones_stay(ws: Workspace) -> None:
    new, old, older, failed, once = (
        ran(ws, 1),
        ran(ws, 91),
        ran(ws, 400),
        ran(ws, 300, "failed"),
        ran(ws, 9999, notebook="yearly.ipynb"),
    )
    very_old_failure = ran(ws, 366, "stopped")
    page(ws, "checks-r3.html", 91), page(ws, "checks-r4-profile.html", 89), page(ws, "my own.html", 999)
    call = {"method": "GET", "path": "/a", "status": 200, "ms": 3, "bytes": 9, "attempt": 1}
    for days in (91, 1):
        ws.journal.tape_sink("r-1")(Call(**call, at=MONDAY - days * DAY))
    run_verbs.keep(ws.journal, older, "k", run=older, verb="build", what="acme", answer={})

    shown = ws.tidy()
    assert (shown.runs, shown.pages, shown.calls, shown.done) == (3, 1, 1, False)
    assert str(shown).startswith(
        "Nothing is removed yet. Would go: 0.0 MB and 1 call of the tape\n  runs   3 of 6, 0.0 MB"
    )
    assert str(shown).endswith("\nNext: icx tidy --yes")
    assert there(ws.layout.runs) == {new, old, older, failed, once, very_old_failure}

    done = ws.tidy(remove=True)
    assert done.as_dict() | {"removed": False} == shown.as_dict()
    assert there(ws.layout.runs) == {new, failed, once}
    assert there(ws.layout.reports) == {"checks-r4-profile.html", "my own.html"}
    assert ws.journal.calls("r-1") == (1, 0)
    assert run_verbs.find(ws.journal, older, "k") is None
    assert not ws.tidy()


def test_nothing_goes_that_a_repetition_an_unfinished_plan_or_a_next_try_still_needs(ws: Workspace) -> None:
    (ws.layout.root / "icx.toml").write_text(
        "keep_runs = 1\nkeep_days = 1\nkeep_failed_days = 1\n", encoding="utf-8"
    )
    planned = ran(ws, 50)
    again = ran(ws, 40, root=planned)
    tried, under_way, locked, gone, _newest = (
        ran(ws, 60, "failed"),
        ran(ws, 61, "running"),
        ran(ws, 70),
        ran(ws, 80),
        ran(ws, 0),
    )
    _newest_failed = ran(ws, 0, "failed")
    with ws.journal.write() as db:
        db.execute(
            "insert into plans (made_at, who, connection, audience, account_id, client_folder_id, list_id, list_name,"
            " header, state) values ('', '', '', '', 1, 1, 1, '', '{}', 'applying')"
        )
    run_verbs.keep(ws.journal, planned, "k", run=planned, verb="plan", what="x", answer="P-1")
    save(ws.layout.jobs, Job("push", "notebook", "daily", "UTC", MONDAY, notebook="05-push.ipynb"))
    history = History(ws.journal)
    started = history.start("push", Due("clock", MONDAY), "maya")
    history.end(replace(started, state="failed", child=tried))
    with ws.journal.lock(f"run {locked}"):
        done = ws.tidy(remove=True)
    assert [one.path.name for one in done.going] == [gone]
    assert done.spared == {"that a repetition or an unfinished plan needs": 4}
    assert {planned, again, tried, under_way, locked} < there(ws.layout.runs)


def test_the_notebook_of_a_job_that_was_killed_stays_for_the_run_that_takes_it_up(ws: Workspace) -> None:
    save(ws.layout.jobs, Job("push", "notebook", "daily", "UTC", MONDAY, notebook="05-push.ipynb"))
    history = History(ws.journal)
    killed = history.start("push", Due("clock", MONDAY), "maya")
    begun = ran(ws, 400, "failed")
    history.end(replace(killed, state="cut off"))
    ran(ws, 0, "failed")
    assert ws.tidy(remove=True).going == []
    assert begun in there(ws.layout.runs)


def test_a_tidying_that_is_cut_off_leaves_no_half_run_and_the_next_one_ends_it(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(ws, 0)
    old = ran(ws, 200)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ws.tidy(remove=True)
    assert f".going-{old}" in there(ws.layout.runs)
    assert old not in there(ws.layout.runs)
    ws.tidy(remove=True)
    assert there(ws.layout.runs) == {"r-1"}


def test_run_due_tidies_once_a_day_and_says_so(ws: Workspace) -> None:
    ran(ws, 0), ran(ws, 200)
    assert str(ws.run_due()) == "Nothing is due.\ntidied: 1 run, 0.0 MB"
    ran(ws, 200)
    assert str(ws.run_due()) == "Nothing is due."
    ws.clock.sleep(24 * 3600)
    assert ws.run_due().tidied is not None


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 500), st.booleans(), st.integers(0, 5)), max_size=30),
    st.integers(0, 400), st.integers(0, 400), st.integers(0, 5), st.sets(st.integers(0, 5)),
)  # fmt: skip
def test_the_newest_of_each_stays_and_at_most_so_many_and_nothing_that_is_needed_goes(
    made: list[tuple[str, int, bool, int]], days: int, failed_days: int, count: int, needed: set[int]
) -> None:
    things = [
        Left(Path(f"r-{n}"), of, MONDAY - age * DAY, 1, failed, f"r-{root}")
        for n, (of, age, failed, root) in enumerate(made)
    ]
    kept_for = {f"r-{root}" for root in needed}
    going, spared = decide(things, Keeping(days, failed_days, count), kept_for, MONDAY)
    assert not {one.root for one in going} & kept_for
    stay = [one for one in things if one not in going]
    for of, failed in {(one.of, one.failed) for one in things}:
        group = [one for one in things if (one.of, one.failed) == (of, failed)]
        left = [one for one in stay if one in group]
        assert max(one.at for one in group) in [one.at for one in left]
        limit = failed_days if failed else days
        free = [one for one in left if one.root not in kept_for]
        assert not count or len(free) <= count
        if not kept_for:
            assert all(
                not limit or MONDAY - one.at <= limit * DAY
                for one in sorted(left, key=lambda one: one.at)[:-1]
            )
    assert len(going) + len(stay) == len(things)
    assert not spared or needed
