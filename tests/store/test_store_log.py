"""The log: whole lines of JSON from any process, masked, a file a day; and the calls of a run with all that was part of it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from icx.clock import ManualClock
from icx.errors import BadInput, NeedsYou, TryLater
from icx.http.tape import Call
from icx.store import log as made
from icx.store.log import Log
from icx.workspace import Workspace

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "logs", ManualClock(NOON))


def test_no_address_no_secret_and_no_control_character_is_written(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICX_PASSWORD", "canary-password")
    log.write(
        "info",
        "ada@example.com",
        "for ada@example.com\x1b[31m\n",
        run="r-1",
        who=["canary-password", {"x": "ada@example.com"}],
    )
    error = TryLater(
        "in-doubt",
        "ada@example.com?",
        where="canary-password",
        kept="",
        next=[["icx", "person", "ada@example.com"]],
    )
    log.failed(error, run="r-2", what="apply")
    log.failed(error, run="r-1")  # the run around it
    try:
        raise ValueError("canary-password of ada@example.com: 'Canary Street 5'")
    except ValueError as bug:
        log.failed(bug, run="r-3")
    (path,) = log.files()
    text = path.read_text(encoding="utf-8")
    assert "ada@" not in text
    assert "canary" not in text.lower()
    assert "\x1b" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = [json.loads(line) for line in text.splitlines()]
    assert [one["run"] for one in told] == ["r-1", "r-2", "r-3"]
    assert told[1]["text"] == "apply: a…@e….com? [in-doubt]"
    assert told[2]["trace"][-1].endswith("test_no_address_no_secret_and_no_control_character_is_written")


def test_a_day_has_a_file_and_a_long_one_several_read_in_order(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "PART", 300)
    for n in range(12):
        log.write("info", "n", str(n))
    log.clock.sleep(86_400)
    log.write("error", "n", "12")
    assert [path.name for path in log.files()][:2] == ["2026-11-22.jsonl", "2026-11-22-2.jsonl"]
    assert log.files()[-1].name == "2026-11-23.jsonl"
    assert [line.text for line in log.read()] == [str(n) for n in range(13)]
    assert [line.text for line in log.read(since=NOON + timedelta(hours=1))] == ["12"]
    assert [line.text for line in log.read(level="warning")] == ["12"]


def test_lines_of_several_processes_do_not_mix_and_one_that_was_cut_off_hides_no_other(log: Log) -> None:
    script = (
        "import sys; from pathlib import Path; from icx.store.log import Log\n"
        f"for n in range(300): Log(Path({str(log.folder)!r})).write('info', 'n', sys.argv[1] * 200)"
    )
    started = [subprocess.Popen([sys.executable, "-c", script, mark]) for mark in "ab"]
    assert [one.wait() for one in started] == [0, 0]
    assert sorted({line.text for line in log.read()}) == ["a" * 200, "b" * 200]
    with log.files()[0].open("a") as file:
        file.write('{"at": "2026-11-22T12:00\n')
    log.clock = ManualClock(datetime.now(UTC))
    log.write("info", "n", "after")
    assert len(list(log.read())) == 601


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder")
    Log(tmp_path / "logs").write("info", "n", "lost")


# --- of a run ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A job whose pull made three calls, one of them twice; and a pull of somebody else, which failed."""
    opened = Workspace(tmp_path, clock=ManualClock(NOON), who="maya")
    call = {"method": "GET", "path": "/contacts?email=ada@example.com", "ms": 40, "bytes": 900}
    journal = opened.journal
    job = journal.start_run("job", "nightly")
    with opened.noted("pull", "acme") as run:
        note = journal.tape_sink(run)
        note(Call(**call, status=200, attempt=1, at=NOON))
        note(Call(**call | {"ms": 9000}, status=None, attempt=1, at=NOON, problem="connection lost"))
        note(Call(**call, status=200, attempt=2, at=NOON))
    journal.end_run(job)
    with pytest.raises(NeedsYou):
        _lost(opened, Call(**call, status=401, attempt=1, at=NOON))
    return opened


def _lost(ws: Workspace, call: Call) -> None:
    with ws.noted("pull", "other") as run:
        ws.journal.tape_sink(run)(call)
        raise NeedsYou(
            "login-lost", "The login worked until 14:02.", where="call 412", kept="all", next=["wait"]
        )


def test_the_calls_of_a_job_are_those_of_all_that_was_part_of_it(ws: Workspace) -> None:
    found = ws.calls("r-1")
    assert repr(found) == (
        "job nightly (r-1): 3 calls, 1 of them again, 1 without a good answer, 0.0 MB in 9.1 s; 40 ms in the middle, 9,000 at most"
    )
    assert list(found.df["status"].fillna(0)) == [200, 0, 200]
    assert list(found.df["try"]) == [1, 1, 2]
    assert [call.problem for call in ws.calls("r-1", failed=True)] == ["connection lost", ""]
    assert ws.calls().run == "r-3"
    shown = found._repr_html_()
    assert "1 without a good answer" in shown
    assert "a…@e….com" in shown
    assert "ada@" not in shown + repr(list(found))
    with pytest.raises(BadInput, match='There is no run "r-9"'):
        ws.calls("r-9")


def test_a_query_of_many_ids_is_short_to_read_and_whole_in_the_table(ws: Workspace) -> None:
    path = f"/contacts?contactId={','.join(map(str, range(70000, 70300)))}"
    lost = Call("GET", path, None, 9000, 0, 1, NOON, "connection lost")
    ws.journal.tape_sink("r-2")(lost)
    found = ws.calls("r-2")
    assert found.rows()[-1][2] == "/contacts?contactId=70000,…,70299 (300)"
    assert path == found.df["path"].iloc[-1] == found.rows(whole=True)[-1][2]
    assert "70000,…,70299 (300): connection lost" in repr(ws.log("r-2"))
    assert "70001" not in found._repr_html_() + repr(ws.log("r-2"))


def test_the_log_of_a_job_is_that_of_all_that_was_part_of_it(ws: Workspace) -> None:
    assert repr(ws.log("r-1")).splitlines() == [
        "07:00:00  r-1  job nightly begins",
        "07:00:00  r-2  pull acme begins",
        "07:00:00  warning  r-2  GET /contacts?email=a…@e….com: connection lost",
        "07:00:00  r-2  pull acme: done in 0.0 s",
        "07:00:00  r-1  job nightly: done in 0.0 s",
    ]
    assert [line.text for line in ws.log(level="warning")][1:] == [
        "GET /contacts?email=a…@e….com: 401",
        "The login worked until 14:02. [login-lost]",
        "pull other: failed",
    ]
    assert [line.level for line in ws.log(limit=1)] == ["error"]
    assert "1 error" in ws.log()._repr_html_()
    assert ws.log().df["event"].iloc[-1] == "ended"
    with pytest.raises(BadInput, match="is no level"):
        ws.log(level="loud")
