"""A run that was cut off is repeated: what finished answers from the record, what was sent is not sent twice."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from books import book
from road.conftest import no_keyring
from typing_commands import PROGRAM, environment

from icx.errors import NeedsYou
from icx.jobs import Run, inside
from icx.store.locks import alive
from icx.workspace import Workspace

__all__ = ["no_keyring"]
pytestmark = pytest.mark.usefixtures("no_keyring")

PUSH = """
import icx, icx.notebook, os, pathlib, time
icx.notebook.setup()
ws = icx.open()
pathlib.Path("kernel").write_text(str(os.getpid()))
pulled = ws.pull("acme")
built = ws.build()
ws.audience("everybody", ws.fields.email_open_ct >= least)
plan = ws.plan("everybody", to="acme/lists/Outdoor tips")
done = plan.apply({stop.key: stop.confirm for stop in plan.stops})
icx.notebook.result(pulled=pulled.run, contacts=pulled.contacts, built=built.build_id, plan=plan.plan_id, done=done)
"""
LONG = """
pathlib.Path("there").touch()
if not os.path.exists("go"):
    time.sleep(120)
"""


WORDS = ["run", "push.ipynb", "-p", "apply=true", "-p", "least=1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Path:
    """A workspace on a small simulated account, nothing pulled yet, with a notebook that pushes and then dawdles."""
    folder = tmp_path_factory.mktemp("again") / "ws"
    with Workspace.with_sandbox(folder, name="acme", contacts=60, messages=6, seed=3):
        pass
    book(
        folder / "push.ipynb",
        PUSH,
        LONG,
        parameters="least: int = 0  # opens at least\napply: bool = False  # send",
    )
    return folder


def until(what: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def cut(folder: Path) -> str:
    """The run, cut off by SIGKILL in its last cell."""
    with subprocess.Popen(
        [*PROGRAM, *WORDS, "--workspace", str(folder)],
        env=environment(),
        stderr=subprocess.DEVNULL,
        cwd=folder,
    ) as running:
        until(lambda: (folder / "there").exists() or running.poll() is not None)
        running.send_signal(signal.SIGKILL)
    (folder / "there").unlink()
    return "r-1"


@pytest.fixture(scope="module")
def ws(folder: Path, cut: str) -> Iterator[Workspace]:
    with Workspace(folder) as ws:
        yield ws


@pytest.fixture(scope="module")
def again(ws: Workspace, cut: str, folder: Path) -> Run:
    (folder / "go").touch()
    return ws.run(again=cut)


def members(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data" / "sandbox-acme.sqlite")) as con:
        return int(
            con.execute(
                "select count(*) from subscriptions where list_id = 3002 and status = 'normal'"
            ).fetchone()[0]
        )


def test_the_kernel_of_a_killed_run_ends_and_its_copy_is_kept(cut: str, folder: Path) -> None:
    kernel = int((folder / "kernel").read_text())
    until(lambda: not alive(kernel), 20)
    assert (folder / "data" / "runs" / cut / "push.ipynb").exists()


def test_a_killed_run_reads_as_stopped_and_has_a_page(ws: Workspace, cut: str) -> None:
    from icx.workspace.running import runner

    run = runner(ws).load(cut)
    assert (run.state, run.exit_code, run.parameters) == ("stopped", 130, {"apply": True, "least": 1})
    assert run.error is not None
    assert run.error["next"] == [["icx", "run", "--again", cut]]
    assert 'data-state="stopped"' in run.report.read_text(encoding="utf-8")
    found = ws.journal.run(cut)
    assert found is not None
    assert found.state == "stopped"


def test_verbs_that_finished_answer_from_the_record_and_say_so(again: Run, ws: Workspace, cut: str) -> None:
    assert (again.state, again.again) == ("done", cut)
    assert [each.split()[0] for each in again.answered] == ["pull", "build", "plan", "apply"]
    for verb in ("pull", "build", "plan", "apply"):
        assert len(ws.journal.runs(verb)) == 1, verb
    assert again.executed.read_text(encoding="utf-8").count(f"answered from the record of {cut}") == 4
    assert f"answered from the record of {cut}: pull acme" in str(again)


def test_the_answers_are_the_objects_that_the_verbs_gave(again: Run, ws: Workspace, folder: Path) -> None:
    (plan,) = ws.plans()
    pull, build = ws.journal.runs("pull")[0], again.results["built"]
    assert again.results["pulled"] == pull.run
    assert again.results["contacts"] == 60
    assert str(build).startswith("b-")
    assert (again.results["plan"], plan.state) == (plan.plan_id, "finished")
    assert again.results["done"]["added"] == plan.counts.add > 0
    assert again.results["done"]["read_back"]["found"] == members(folder) == plan.counts.after


def test_other_inputs_are_done_anew_and_a_dry_run_sends_nothing(
    ws: Workspace, again: Run, folder: Path
) -> None:
    before = members(folder)
    fresh = ws.run("push.ipynb", least=2)
    assert (fresh.state, fresh.answered, fresh.apply) == ("done", (), False)
    assert fresh.results["done"]["state"] == "dry"
    assert fresh.results["plan"] != again.results["plan"]
    assert members(folder) == before
    assert len(ws.journal.runs("apply")) == 1
    assert "with -p apply=true it is" in str(fresh)


@pytest.fixture
def dry(folder: Path, cut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is the kernel of a dry run."""
    place = folder / "data" / "runs" / "r-999"
    place.mkdir(exist_ok=True)
    record = {"run": "r-999", "root": "r-999", "apply": False, "notebook": "push.ipynb"}
    inside.write_json(place / "run.json", record)
    monkeypatch.setenv("ICX_RUN", "r-999")
    monkeypatch.setenv("ICX_WORKSPACE", str(folder))


@pytest.mark.usefixtures("dry")
def test_a_dry_run_starts_no_run_that_sends_and_no_job(folder: Path, cut: str) -> None:
    with Workspace(folder) as ws:
        before = len(ws.journal.runs("run"))
        for start in (
            lambda: ws.run("push.ipynb", least=1, apply=True),
            lambda: ws.run(again=cut),  # which was allowed to send
            ws.run_due,
            ws.serve,
        ):
            with pytest.raises(NeedsYou, match="This run is dry"):
                start()
        assert len(ws.journal.runs("run")) == before


@pytest.mark.usefixtures("dry")
def test_a_write_in_a_dry_run_is_stopped_before_it_is_sent(folder: Path) -> None:
    before = members(folder)
    with Workspace(folder) as ws, ws.client("acme") as client:
        contact = next(iter(client.rows("contacts")))["contactId"]
        with pytest.raises(NeedsYou, match="This run is dry") as caught:
            client.subscribe([(contact, 3002, "normal")])
        for write in (
            lambda: client.within(client.account_id, client.client_folder_id).create(
                "lists", [{"name": "New"}]
            ),
            lambda: client.update("contacts", contact, {"city": "Durham"}),
            lambda: client.delete("lists", 3002),
            lambda: client.move(3002, contact, 3001),
        ):
            with pytest.raises(NeedsYou, match="This run is dry"):
                write()
    assert caught.value.next == [["icx", "run", "push.ipynb", "-p", "apply=true"]]
    assert "contacts" not in caught.value.message
    assert members(folder) == before


def test_an_apply_that_was_cut_off_goes_on_with_its_plan_and_is_answered_once_it_finished(
    folder: Path, again: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder / "data" / "runs" / "r-998"
    place.mkdir()
    record = {"run": "r-998", "root": "r-998", "apply": True, "notebook": "push.ipynb"}
    inside.write_json(place / "run.json", record)
    monkeypatch.setenv("ICX_RUN", "r-998")
    monkeypatch.setenv("ICX_WORKSPACE", str(folder))
    made, sent = [], []
    for attempt in range(3):
        inside._read.cache_clear()  # each is a kernel of its own
        with Workspace(folder) as ws:
            plan = ws.plan("everybody", "acme/lists/Brand new", create=True)
            made.append(plan.plan_id)
            answers = {stop.key: str(stop.confirm) for stop in plan.stops}
            if attempt == 0:
                ws.plan_journal.begin(plan.plan_id, answers, "somebody")  # and here it was cut off
            else:
                sent.append(ws.apply(plan, answers=answers))
            applied = len(ws.journal.runs("apply", plan.plan_id))
    assert len(set(made)) == 1
    assert sent[0] == sent[1]
    assert sent[0].state == "finished"
    assert sent[0].added > 0
    assert applied == 1


def test_ctrl_c_stops_the_run_ends_its_kernel_and_names_the_way_on(folder: Path, again: Run) -> None:
    (folder / "go").unlink()
    (folder / "there").unlink()
    with subprocess.Popen(
        [*PROGRAM, "run", "--again", again.id, "--json", "--workspace", str(folder)],
        env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
    ) as running:  # fmt: skip
        until(lambda: (folder / "there").exists() or running.poll() is not None)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert '"code":"stopped"' in out
    assert "icx run --again r-" in err
    assert not alive(int((folder / "kernel").read_text()))
    with Workspace(folder) as ws:
        assert ws.journal.runs("run", "push.ipynb")[0].state == "stopped"
