"""Pulls of the sandbox over its socket: killed at any moment, disturbed, without rights."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from forked import script
from pull_bed import TABLES
from pull_worker import pulled

from icx.errors import Refused, TryLater
from icx.pull import PullReport, ledger
from icx.sandbox.process import SandboxProcess
from icx.store import Store

Start = Callable[..., SandboxProcess]
WORKER = Path(__file__).with_name("pull_worker.py")
DYING = Path(__file__).with_name("pull_dying.py")


def login(sandbox: SandboxProcess) -> dict[str, Any]:
    names = ("base_url", "app_id", "username", "password", "account_id", "client_folder_id")
    return {name: getattr(sandbox, name) for name in names}


def tables(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    with Store(folder / "icx.duckdb").open("acme") as con:
        return {
            table: sorted(con.execute(f"select {columns} from {table}").fetchall(), key=repr)
            for table, columns in TABLES.items()
        }


def calls(sandbox: SandboxProcess) -> int:
    answer = requests.get(f"{sandbox.control_url}/calls", timeout=10)
    return int(answer.json()["total"])


def order(sandbox: SandboxProcess, **fault: Any) -> None:
    requests.post(f"{sandbox.control_url}/faults", json=fault, timeout=10).raise_for_status()


def killed(folder: Path, sandbox: SandboxProcess, after: int) -> None:
    """Start a pull and end it with SIGKILL once the sandbox has answered `after` more calls."""
    began = calls(sandbox)
    with script(WORKER, str(folder), json.dumps(login(sandbox))) as process:
        while calls(sandbox) - began < after and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert process.returncode == -signal.SIGKILL


def test_a_pull_killed_at_a_random_moment_goes_on_and_equals_a_quiet_one(
    tmp_path: Path, fresh_sandbox: Start
) -> None:
    sandbox = fresh_sandbox(contacts=600, messages=40, seed=7)
    quiet = pulled(tmp_path / "quiet", login(sandbox))
    whole = calls(sandbox)
    assert quiet.calls == whole
    expected = tables(tmp_path / "quiet")
    moment = random.Random().randrange(5, whole - 10)  # the point of the test is that any moment will do
    killed(tmp_path / "killed", sandbox, moment)
    report = pulled(tmp_path / "killed", login(sandbox))
    assert tables(tmp_path / "killed") == expected, f"killed after {moment} of {whole} calls"
    both = calls(sandbox) - whole
    assert both <= 1.1 * whole, f"killed after {moment}: {both} calls instead of {whole}"
    assert report.resumed is not None
    assert report.resumed.quiet == pytest.approx(whole, rel=0.1)
    assert "unstopped it would have been" in str(report)
    assert report.as_dict()["resumed_from"] == report.resumed.run


@pytest.mark.slow
def test_a_pull_killed_before_any_write_goes_on_and_equals_a_quiet_one(
    tmp_path: Path, fresh_sandbox: Start
) -> None:
    sandbox = fresh_sandbox(contacts=150, messages=6, seed=9)
    process = script(DYING, str(tmp_path), json.dumps(login(sandbox)), "6")
    out, err = process.communicate()
    assert process.returncode == 0, err
    tried = [json.loads(line) for line in out.splitlines()]
    assert len(tried) > 20
    print(f"{len(tried)} kills at {tried[0]['of']} points")
    assert all(one["killed"] and one["ok"] and not one["wrong"] for one in tried), tried


def test_every_contact_whatever_its_status_and_on_a_list_or_not_is_stored(
    tmp_path: Path, fresh_sandbox: Start
) -> None:
    state = tmp_path / "state.sqlite"
    sandbox = fresh_sandbox(contacts=300, messages=4, state=state)
    report = pulled(tmp_path / "data", login(sandbox))
    with sqlite3.connect(state) as there:
        held = there.execute(
            "select count(*) from contacts where folder_id = ? and status <> 'deleted'",
            [sandbox.client_folder_id],
        ).fetchone()[0]
        statuses = {
            status
            for (status,) in there.execute(
                "select distinct status from contacts where folder_id = ? and status <> 'deleted'",
                [sandbox.client_folder_id],
            )
        }
    there.close()
    with Store(tmp_path / "data" / "icx.duckdb").open("acme") as con:
        stored = {
            status for (status,) in con.execute("select distinct status from icontact_users").fetchall()
        }
    assert report.contacts >= held
    assert statuses <= stored
    assert report.ok


@pytest.mark.parametrize(
    "fault",
    [
        {"match": "GET /contacts", "fault": "503", "after": 2, "times": 1},
        {"match": "GET /messages/*/opens", "fault": "truncate", "after": 1},
        {"match": "GET /subscriptions", "fault": "close-before"},
        {"match": "GET /contacts", "fault": "total-moves", "after": 2},
        {"match": "GET /messages/*/clicks", "fault": "html-type", "times": 3},
    ],
    ids=lambda fault: fault["fault"],
)
def test_a_disturbance_changes_calls_and_no_row(
    tmp_path: Path, fresh_sandbox: Start, fault: dict[str, Any]
) -> None:
    sandbox = fresh_sandbox(contacts=200, messages=4, seed=3)
    pulled(tmp_path / "quiet", login(sandbox))
    order(sandbox, **fault)
    report = pulled(tmp_path / "disturbed", login(sandbox))
    assert tables(tmp_path / "disturbed") == tables(tmp_path / "quiet")
    assert report.ok


def test_a_login_lost_on_the_way_keeps_what_was_read(tmp_path: Path, fresh_sandbox: Start) -> None:
    sandbox = fresh_sandbox(contacts=200, messages=6, seed=3)
    order(sandbox, match="GET /messages/*/opens", fault="401", after=2, times=50)
    with pytest.raises(Refused) as lost:
        pulled(tmp_path / "data", login(sandbox))
    assert lost.value.code == "login-lost"
    assert "units" in lost.value.kept
    requests.delete(f"{sandbox.control_url}/faults", timeout=10)
    report = pulled(tmp_path / "data", login(sandbox))
    assert report.ok
    assert report.resumed is not None


def test_a_folder_without_tracking_is_pulled_with_contacts_and_lists(
    tmp_path: Path, fresh_sandbox: Start
) -> None:
    sandbox = fresh_sandbox(contacts=100, messages=4, deny=["tracking"])
    report = pulled(tmp_path / "data", login(sandbox))
    assert report.contacts_only
    assert report.contacts > 0
    assert report.events == 0
    assert "right-missing" in [note.code for note in report.notes]


def test_one_stored_event_deleted_by_hand_turns_its_cell_red(tmp_path: Path, fresh_sandbox: Start) -> None:
    sandbox = fresh_sandbox(contacts=200, messages=6)
    pulled(tmp_path / "data", login(sandbox))
    store = Store(tmp_path / "data" / "icx.duckdb")
    with store.open("acme") as con:
        con.execute("delete from icontact_activity where rowid in (select max(rowid) from icontact_activity)")
    red = ledger(store, "acme").red()
    assert len(red) == 1
    assert red[0].service == red[0].stored + 1
    unit = red[0].unit
    assert unit.message_id is not None
    again = pulled(tmp_path / "data", login(sandbox), unit=(unit.message_id, unit.collection))
    assert again.ok
    assert calls(sandbox) > 0


def test_a_second_process_holding_the_database_is_waited_for(tmp_path: Path, fresh_sandbox: Start) -> None:
    sandbox = fresh_sandbox(contacts=60, messages=2)
    pulled(tmp_path / "data", login(sandbox))
    script = (
        "import duckdb, sys, time\ncon = duckdb.connect(sys.argv[1]); print('held', flush=True)\n"
        "time.sleep(2); con.close()"
    )
    path = tmp_path / "data" / "icx.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        report = pulled(tmp_path / "data", login(sandbox))
        other.wait(30)
    assert report.ok


def test_two_pulls_at_once_are_refused_by_name(tmp_path: Path, fresh_sandbox: Start) -> None:
    sandbox = fresh_sandbox(contacts=60, messages=2, latency=200)
    with script(WORKER, str(tmp_path / "data"), json.dumps(login(sandbox))) as process:
        while calls(sandbox) < 2:
            time.sleep(0.02)
        with pytest.raises(TryLater) as refused:
            pulled(tmp_path / "data", login(sandbox))
        assert f"process {process.pid}" in refused.value.where_text()
        assert process.wait(60) == 0


def test_the_report_is_one_table_whose_sums_add_up(tmp_path: Path, sandbox: SandboxProcess) -> None:
    report: PullReport = pulled(tmp_path / "data", login(sandbox))
    told = report.lines()
    assert told[0].startswith("Pulled acme in ")
    assert any(line.startswith("contacts") and "● equal" in line for line in told)
    rows = {row.name: row for row in report.rows()}
    events = rows["opens"].stored + rows["clicks"].stored + rows["other events"].stored
    assert events == report.events == report.ledger.of_listed + report.ledger.of_unknown
    as_json = report.as_dict()
    assert as_json["ledger"]["green"] + as_json["ledger"]["amber"] == len(report.ledger.cells)
    assert as_json["ledger"]["red"] == 0
    assert len(report.ledger.cells) == 7 + 4 * report.messages
    json.dumps(as_json)
    shown = report._repr_html_() + report.ledger._repr_html_()
    assert "@" not in re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)
