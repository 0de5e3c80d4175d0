"""The monitor without a browser: what runs in any process, what is paused, what failed; nobody's address in it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from road.conftest import no_keyring

from icx.errors import BadInput, NeedsYou, Stopped
from icx.pull.progress import Progress
from icx.store.activity import Activity
from icx.store.locks import began
from icx.widgets.monitor import Monitor
from icx.workspace import Workspace
from icx.workspace.cell import Cell

__all__ = ["no_keyring"]
EVIL = """<img src=x onerror="hit()">"""
ADDRESS = re.compile(r"[\w.+-]+@(?:[\w-]+\.)*\w+\.\w+")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("watched") / "acme"
    with Workspace.with_sandbox(folder, contacts=60, messages=6, seed=17) as ws:
        ws.pull("acme")
        ws.build("acme")
        ws.audience("Everybody", ws.fields.ic_status == "normal")
        yield ws


@pytest.fixture
def ws(made: Workspace) -> Iterator[Workspace]:
    yield made
    made.resume_pushes()
    for job in list(made.jobs()):
        made.jobs().remove(job.name)
    with made.journal.write() as db:
        db.execute("update runs set state = 'done' where state = 'running'")


@pytest.fixture
def fault(ws: Workspace) -> Iterator[Callable[..., None]]:
    """Order a fault of the simulated service; what is left of it is taken back."""

    def send(method: str, body: list[Any] | None) -> None:
        url = f"{ws.accounts._running['acme'].control_url}/faults"
        requests.request(method, url, json=body, timeout=10).raise_for_status()

    yield lambda match, kind, **more: send("POST", [{"match": match, "fault": kind, **more}])
    send("DELETE", None)


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The number of another process that is alive."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        yield other.pid
        other.kill()


def running_in(ws: Workspace, pid: int, verb: str, what: str) -> str:
    run = ws.journal.start_run(verb, what, "maya")
    with ws.journal.write() as db:
        db.execute(
            "update runs set pid = ?, process_began = ? where number = ?", (pid, began(pid), int(run[2:]))
        )
    return run


def test_a_run_of_another_process_is_shown_with_what_it_said(ws: Workspace, elsewhere: int) -> None:
    run = running_in(ws, elsewhere, "pull", "acme")
    Activity(ws.journal).tell(run, Progress('"Autumn sale" opens', 74, 121, 1840.0))
    (line,) = ws.monitor().said["now"]
    assert line["words"] == '"Autumn sale" opens, 74 of 121'
    assert line["percent"] == pytest.approx(61.2)
    assert line["shape"] == "running"


def test_a_wait_says_until_when_and_why(ws: Workspace, elsewhere: int) -> None:
    run = running_in(ws, elsewhere, "pull", "acme")
    until = ws.clock.now() + timedelta(minutes=2)
    Activity(ws.journal).tell(run, Progress("contacts", 3, 7, None, "503, try 3", until))
    (line,) = ws.monitor().said["now"]
    assert line["shape"] == "clock"
    assert (
        line["words"] == f"waits for iContact until {until.astimezone(ws.settings.tz):%H:%M:%S}: 503, try 3"
    )
    assert "1 waiting" in ws.monitor().static_html()


def test_a_wait_for_another_service_names_it(ws: Workspace, elsewhere: int) -> None:
    saved = replace(ws.connection("acme"), name="news", kind="mailchimp", default=False)
    ws.accounts.connections.save(saved)
    try:
        run = running_in(ws, elsewhere, "pull", "news")
        until = ws.clock.now() + timedelta(minutes=2)
        Activity(ws.journal).tell(run, Progress("contacts", 3, 7, None, "503, try 3", until))
        (line,) = ws.monitor().said["now"]
        assert line["words"].startswith("waits for Mailchimp until")
    finally:
        (ws.accounts.connections.directory / "news.json").unlink()


def test_a_run_that_said_nothing_yet_tells_its_calls(ws: Workspace, elsewhere: int) -> None:
    call = ws.journal.tape_sink(running_in(ws, elsewhere, "pull", "acme"))
    for words in ("under way", "1 call", "2 calls"):
        (line,) = ws.monitor().said["now"]
        assert line["words"] == words
        call(
            SimpleNamespace(
                at=ws.clock.now(), method="GET", path="/", status=200, ms=1.0, bytes=2, attempt=1, problem=""
            )
        )


def test_a_process_that_is_gone_is_not_shown_as_running(ws: Workspace) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        gone = other.pid
    running_in(ws, gone, "build", "acme")
    assert ws.monitor().said["now"] == []


def test_a_number_given_to_a_later_process_is_not_the_run(ws: Workspace) -> None:
    run = running_in(ws, os.getppid(), "build", "acme")
    with ws.journal.write() as db:
        db.execute("update runs set process_began = 'earlier' where number = ?", (int(run[2:]),))
    assert ws.monitor().said["now"] == []


def test_a_pull_notes_its_progress_in_the_journal(ws: Workspace) -> None:
    ws.pull("acme", full=True)
    run = ws.journal.runs("pull", "acme", limit=1)[0].run
    rows = ws.journal.read("select * from run_progress where run = ?", (run,))
    assert rows
    assert rows[0]["what"]


def stopping(other: Workspace) -> Callable[[Any], None]:
    """What a pull tells its progress to: the monitor of another kernel stops it once there is something to keep."""

    def heard(report: Any) -> None:
        if report.of and not other.said:
            (line,) = other.monitor().said["now"]
            other.said = [line["name"], other.monitor().answer("end", {"run": line["pull"]})["ok"]]
            other.said.append(other.monitor().said["now"][0]["words"])

    other.said = []
    return heard


def test_the_monitor_of_another_kernel_stops_a_pull_after_its_page_and_the_next_one_goes_on(
    ws: Workspace, fault: Callable[..., None]
) -> None:
    fault("GET /messages/*/clicks", "slow", seconds=0.8, times=2)
    with Workspace(ws.layout.root, who="noor") as other:
        with pytest.raises(Stopped, match=r"stopped after its page, as noor asked .*\.") as caught:
            ws.pull("acme", full=True, progress=stopping(other))
        name, ok, words = other.said
        assert (name, ok) == ("pull acme", True)
        assert words.endswith(" · ends after this page, asked by noor")
        assert re.fullmatch(r"\d+ of \d+ units and the pages waiting", caught.value.kept)
        assert caught.value.next == [["icx", "pull", "acme"]]
        assert ws.journal.runs("pull", "acme", limit=1)[0].state == "stopped"
        assert other.monitor().said["happened"][0]["words"].startswith("stopped")
        with pytest.raises(BadInput, match="No pull of acme runs now"):
            other.stop("acme")
    report = ws.pull("acme")
    assert report.resumed is not None
    assert report.resumed.earlier_calls + report.calls == report.resumed.quiet, "a page was read twice"
    assert not report.ledger.red()


def test_the_first_interrupt_of_a_cell_ends_its_pull_after_the_page(
    ws: Workspace, fault: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button in the cell interrupts the kernel, since a kernel that works hears nothing else."""
    fault("GET /messages/*/clicks", "slow", seconds=0.8, times=2)
    monkeypatch.setattr("icx.workspace.bringing.in_notebook", lambda: True)
    monkeypatch.setattr("icx.workspace.cell.in_notebook", lambda: True)
    pressed: list[str] = []

    def drawn(self: Cell, report: Any) -> None:
        if report.of and not pressed:
            pressed.append(report.what)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Cell, "__call__", drawn)
    with pytest.raises(Stopped, match=r"The pull of acme was stopped after its page\. "):
        ws.pull("acme", full=True)
    assert pressed
    monkeypatch.undo()
    report = ws.pull("acme")
    assert report.resumed is not None
    assert report.resumed.earlier_calls + report.calls == report.resumed.quiet, "a page was read twice"


def test_a_pull_that_waits_for_the_service_is_stopped_at_once(
    ws: Workspace, fault: Callable[..., None]
) -> None:
    fault("GET /messages/*/clicks", "503", times=50)
    began = time.monotonic()

    def heard(report: Any) -> None:
        if report.waiting_until is not None:
            ws.stop()

    with pytest.raises(Stopped) as caught:
        ws.pull("acme", full=True, progress=heard)
    assert time.monotonic() - began < 10
    assert "clicks" in str(caught.value.where)


def test_paused_pushes_are_refused_and_go_on_when_resumed(ws: Workspace) -> None:
    plan = ws.plan("Everybody", "acme/lists/Outdoor tips")
    monitor = ws.monitor()
    assert monitor.answer("pause", {}) == {"ok": True}
    assert monitor.said["paused"].startswith("by ")
    with pytest.raises(NeedsYou, match="All pushes of this workspace are paused") as caught:
        ws.apply(plan, ask=lambda stop, number, of: stop.confirm or "y")
    assert caught.value.code == "pushes-paused"
    assert "All pushes are paused" in ws._repr_html_()
    assert monitor.answer("resume", {}) == {"ok": True}
    assert monitor.said["paused"] == ""


def test_a_push_under_way_ends_after_its_batch_when_pushes_are_paused(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ws.__dict__, "settings", __import__("dataclasses").replace(ws.settings, batch_size=5))
    plan = ws.plan("Everybody", "acme/lists/Camping, hiking & more")
    assert plan.counts.add > 10

    def paused_at_once(report: object) -> None:
        if getattr(report, "what", "") == "adding" and getattr(report, "done", 0):
            ws.pause_pushes("too many at once")

    done = ws.apply(plan, ask=lambda stop, number, of: stop.confirm or "y", progress=paused_at_once)
    assert done.state == "stopped"
    assert 0 < done.added < plan.counts.add
    said = ws.monitor().said
    assert said["unfinished"] == [{"plan": plan.plan_id, "words": "Everybody → Camping, hiking & more"}]
    ws.resume_pushes()
    assert ws.apply(plan).state == "finished"
    assert ws.monitor().said["unfinished"] == []


def test_failed_rows_have_the_services_words_and_nobodys_address(ws: Workspace) -> None:
    plan = ws.plan("Everybody", "acme/lists/Kayak Frühling*")
    people = ws.plan_journal.rows(plan.plan_id).to_pylist()
    contact, email = people[0]["contact_id"], people[0]["email"]
    now = ws.clock.now().isoformat()
    with ws.journal.write() as db:
        db.execute("update plans set began_at = ? where number = ?", (now, int(plan.plan_id[2:])))
        db.execute(
            "insert into plan_rows (plan, row, contact_id, action, batch, state, words, at)"
            " values (?, ?, ?, 'add', 1, 'refused', ?, ?)",
            (int(plan.plan_id[2:]), 0, contact, f"{EVIL} refused {email}", now),
        )
    monitor = ws.monitor()
    (row,) = [one for one in monitor.said["rows"] if one["push"] == plan.plan_id]
    assert row["who"] == f"#{contact}"
    assert EVIL in row["words"]
    state, html = json.dumps(monitor.get_state(), default=str), str(monitor.static_html())
    for text in (
        state,
        re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL),
    ):
        assert not ADDRESS.search(text.replace("…@", "")), ADDRESS.search(text)
    assert "<img" not in html
    answer = monitor.answer("show", {})
    assert answer["people"][f"{plan.plan_id}/0"] == email
    assert email not in json.dumps(monitor.get_state(), default=str)


def test_jobs_are_shown_paused_and_resumed(ws: Workspace) -> None:
    empty = ws.monitor()
    assert empty.said["jobs"] == []
    assert "No job yet" in empty.static_html()
    ws.schedule("weekly pull", connection="acme", every="Mon 07:00")
    monitor = ws.monitor()
    assert monitor.said["jobs"][0]["next"] != "–"
    monitor.answer("pause", {"job": "weekly pull"})
    assert ws.jobs()["weekly pull"].job.paused is not None
    assert monitor.said["jobs"][0]["words"].startswith("paused by ")
    monitor.answer("resume", {"job": "weekly pull"})
    assert ws.jobs()["weekly pull"].job.paused is None
    refused = monitor.answer("pause", {"job": "no such job"})
    assert refused["error"]["code"] == "job-unknown"


def test_the_ledger_is_read_again_only_when_a_run_ended(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = ws.monitor()
    assert monitor.said["ledger"]["unequal"] == 0
    reads: list[int] = []
    import icx.workspace.overview as module

    true = module.ledger_of
    monkeypatch.setattr(module, "ledger_of", lambda ws: reads.append(1) or true(ws))
    monitor.refresh()
    assert reads == []
    with ws.noted("build", "acme"):
        pass
    monitor.refresh()
    assert reads == [1]
    with ws.noted("pull", "acme"):
        with ws.noted("build", "acme"):
            pass
        monitor.refresh()
        assert reads == [1], "the database was opened beside a run that may want it"
    monitor.refresh()
    assert reads == [1, 1]


def test_a_keychain_is_asked_once_for_each_connection(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    true = ws.accounts.budget
    monkeypatch.setattr(ws.accounts, "budget", lambda saved: asked.append(saved.name) or true(saved))
    monitor = ws.monitor()
    monitor.refresh()
    assert asked == ["acme"]
    assert monitor.said["calls"].startswith("calls left this hour: acme ")


class Counting:
    """A workspace that counts how often it is looked at."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> dict[str, object]:
        self.looks += 1
        empty: dict[str, object] = {
            key: []
            for key in ("now", "unfinished", "jobs", "jobs_wrong", "rows", "again", "happened", "syncs")
        }
        return empty | {
            "name": "acme",
            "at": str(self.looks),
            "zone": "UTC",
            "calls": "",
            "paused": "",
            "ledger": {},
        }

    def people(self) -> dict[str, str]:
        return {}

    def pause(self, job: str = "") -> None: ...

    def resume(self, job: str = "") -> None: ...

    def end(self, run: str) -> None: ...


def test_it_looks_by_itself_while_a_browser_shows_it(tmp_path: Path) -> None:
    watched = Counting()
    moment = [0.0]
    monitor = Monitor(watched, every=0.01, monotonic=lambda: moment[0])
    monitor.answer("here", {})
    end = time.monotonic() + 5
    while watched.looks < 4 and time.monotonic() < end:
        time.sleep(0.01)
    assert watched.looks >= 4
    moment[0] = 3600.0  # no browser was heard of for an hour
    while monitor._looking is not None and monitor._looking.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert "icx monitor" not in [thread.name for thread in threading.enumerate()]
    monitor.answer("here", {})
    assert monitor._looking is not None
    assert monitor._looking.is_alive()
    monitor.stop()
    monitor._looking.join(5)
    assert not monitor._looking.is_alive()
    monitor.answer("here", {"still": True})  # the browser's pulse
    assert not monitor._looking.is_alive()
    monitor.answer("here", {})  # shown again
    assert monitor._looking.is_alive()
    monitor.stop()
    monitor._looking.join(5)
