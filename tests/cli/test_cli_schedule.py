"""Jobs as they are typed: saved, listed, paused, run for real by `run-due`, told to a webhook, shown by `status`."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bench import hook
from typing_commands import Typed, begun, in_a_process

from icx.clock import SystemClock
from icx.errors import BadInput
from icx.jobs.job import load, save
from icx.workspace import Workspace


class Later(SystemClock):
    """The machine's clock, ahead by as long as it is told."""

    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Path:
    """A small simulated account, pulled and built, with an audience."""
    folder = tmp_path_factory.mktemp("jobs") / "acme"
    with Workspace.with_sandbox(folder, contacts=60, messages=4, seed=3) as ws:
        ws.pull("acme")
        ws.build("acme")
        ws.audience("Everybody", ws.fields.email.has_value())
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "acme"))


@pytest.fixture
def ws(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr(Later, "ahead", timedelta())
    with Workspace(folder, clock=Later(), who="maya") as opened:
        yield opened


def when_it_comes(ws: Workspace) -> None:
    """Set the clock to a minute after the next time of the jobs."""
    soonest = min(one.next_at for one in ws.jobs() if one.next_at)
    Later.ahead = soonest - datetime.now(UTC) + timedelta(minutes=1)


def test_an_import_pulls_builds_and_checks_when_its_hour_comes(ws: Workspace) -> None:
    job = ws.schedule("fresh", connection="acme", keep_updated=True, description="for everybody")
    assert (job.kind, job.every, job.description) == ("import", "hourly", "for everybody")
    assert ws.run_due().ran == []
    when_it_comes(ws)
    said: list[object] = []
    done = ws.run_due(progress=said.append)
    (ran,) = done.ran
    assert ran.state == "done", ran.message
    assert ran.figures["people"] > 50
    assert (ran.figures["ledger_red"], ran.figures["checks_failed"]) == (0, 0)
    assert [run.verb for run in ws.journal.runs(limit=4)] == ["check", "build", "pull", "job"]
    assert said[0] == f"fresh › import acme ({ran.run})"
    assert done.next is not None
    assert done.next[0] == "fresh"


def test_an_export_adds_with_answers_given_beforehand_and_holds_outside_its_band(ws: Workspace) -> None:
    common = {"audience": "Everybody", "create": True, "every": "hourly", "answers": {"first-push": "y"}}
    with hook() as web:
        ws.schedule("narrow", **common, to="acme/lists/Few", band=(None, 3), alert_webhook=web.address)
        ws.schedule("open", **common, to="acme/lists/By the clock", band=(10, None))
        when_it_comes(ws)
        done = {ran.job: ran for ran in ws.run_due().ran}
    assert (done["narrow"].code, done["narrow"].state) == ("size-band", "failed")
    assert [body["alert"] for body in web.got] == ["size"]
    assert done["open"].state == "done", done["open"].message
    assert done["open"].figures["added"] > 10
    assert {plan.target.list: plan.state for plan in ws.plans()} == {
        "By the clock": "finished",
        "Few": "open",
    }


def begun_to(ws: Workspace, plan_id: str) -> None:
    """Leave a plan as an apply does that was killed before its first call."""
    stops = ws.plan_journal.get(plan_id).header["stops"]
    ws.plan_journal.begin(plan_id, {stop["key"]: stop["confirm"] for stop in stops}, "maya")


def test_an_export_first_finishes_what_was_cut_off_of_its_own_and_nothing_that_somebody_began(
    ws: Workspace, typed: Typed, folder: Path
) -> None:
    plan = ws.plan("Everybody", "acme/lists/#3002")
    begun_to(ws, plan.plan_id)
    with hook() as web:
        ws.schedule(
            "tips", audience="Everybody", to="acme/lists/#3002", every="hourly", alert_webhook=web.address
        )
        when_it_comes(ws)
        (ran,) = ws.run_due().ran
    assert (ran.state, ran.code, ran.lasting) == ("failed", "apply-unfinished", True)
    assert ran.message == f"{plan.plan_id} to this list is not finished, and the job did not begin it."
    next_steps = [["icx", "apply", plan.plan_id], ["icx", "schedule", "run", "tips"]]
    assert [(body["alert"], body["next"]) for body in web.got] == [("failed", next_steps)]
    assert [kept.state for kept in ws.plan_journal.all()] == ["applying"]  # nor is there another plan
    assert ws.plan_journal.outcomes(plan.plan_id) == []
    assert (
        f"  next  icx apply {plan.plan_id} · icx schedule run tips"
        in typed("schedule", "list", workspace=folder).out
    )

    ws.jobs()._history.note("tips", "plan", plan.plan_id)  # as if the job itself had begun it
    done = ws.run_job("tips")
    assert (done.state, done.why) == ("done", "hand"), done.message
    assert done.figures["added"] == 0  # the plan that was cut off had them all
    assert ws.plan_journal.get(plan.plan_id).state == "finished"


def test_an_answer_to_the_welcome_mail_holds_up_to_its_most_and_one_of_before_for_nobody(
    ws: Workspace, typed: Typed, folder: Path
) -> None:
    (mailing,) = [one["name"] for one in ws.lists("acme").to_dict("records") if one["welcome"]][:1]
    to = f"acme/lists/{mailing}"
    (stop,) = [stop for stop in ws.plan("Everybody", to).stops if stop.key == "welcome"]
    assert stop.value is not None
    answers = {"first-push": "y", "growth": "100000"}
    with pytest.raises(BadInput, match="welcome takes LIST:MOST"):
        ws.schedule(
            "mails", audience="Everybody", to=to, every="hourly", answers=answers | {"welcome": mailing}
        )
    job = ws.schedule("mails", audience="Everybody", to=to, every="hourly", answers=answers)
    save(
        folder / "data/jobs", replace(job, answers=answers | {"welcome": mailing})
    )  # as an older icx kept it
    ran = ws.run_job("mails")
    assert (ran.state, ran.code) == ("failed", "needs-answer")
    assert "would hold for any number" in ran.message
    by_hand, change = ran.next
    assert by_hand[:2] == ["icx", "apply"]
    assert change[:4] == ["icx", "schedule", "change", "mails"]
    said = typed(*change[1:-1], f"welcome={mailing}:{stop.value - 1:.0f}", workspace=folder)
    assert said.code == 0, said.err
    assert ws.run_job("mails").code == "needs-answer"
    assert typed(*change[1:], workspace=folder).code == 0
    ran = ws.run_job("mails")
    assert (ran.state, ran.figures["added"]) == ("done", stop.value), ran.message
    shown = typed("schedule", "show", "mails", workspace=folder).out
    assert f"welcome={mailing}:{stop.value:.0f}" in shown
    assert f"by hand) {ran.text}" in shown


def test_a_notebook_takes_no_answer_to_the_welcome_mail_without_a_most(ws: Workspace, folder: Path) -> None:
    push = {"confirm": {"welcome": "VIP"}, "sandbox": False}
    with pytest.raises(BadInput, match="confirm: welcome=VIP holds for any number"):
        ws.schedule("push", "notebooks/05-push.ipynb", every="daily", params=push)
    job = ws.schedule("push", "notebooks/05-push.ipynb", every="daily", params={"sandbox": False})
    save(folder / "data/jobs", replace(job, params=push))
    ran = ws.run_job("push")
    assert (ran.code, ran.child) == ("needs-answer", "")


def test_a_job_is_run_by_hand_and_its_alert_is_the_one_of_the_settings(
    ws: Workspace, typed: Typed, folder: Path
) -> None:
    (folder / "icx.toml").write_text(
        'alert_webhook = "https://hooks.example.com/icx"\nalert_command = ["mail", "ops@example.com"]\n'
    )
    assert typed("schedule", "add", "fresh", "--import", "acmes", workspace=folder).code == 2
    assert typed("schedule", "add", "fresh", "--import", "acme", workspace=folder).code == 0
    listed = typed("schedule", "list", workspace=folder).out
    assert (
        "When one goes wrong: told is command mail o…@e….com, webhook https://hooks.example.com/… (icx.toml)"
        in listed
    )
    (one,) = typed("schedule", "list", "--json", workspace=folder).json["jobs"]
    assert one["alert"] == {
        "command": ["mail", "o…@e….com"],
        "webhook": "https://hooks.example.com/…",
        "of": "icx.toml",
    }
    before = one["next_at"]
    ran = typed("schedule", "run", "fresh", workspace=folder)
    assert ran.code == 0, ran.err
    assert re.match(
        r"fresh: done \(r-\d+, by hand\), \d+ people, 3 suites\nBy the clock it comes next: ", ran.out
    )
    assert "  told       command mail o…@e….com" in typed("schedule", "show", "fresh", workspace=folder).out
    assert typed("schedule", "list", "--json", workspace=folder).json["jobs"][0]["next_at"] == before
    (folder / "data/connections/acme.json").unlink()
    failed = typed("schedule", "run", "fresh", "--json", workspace=folder)
    assert (failed.code, failed.json["state"], failed.json["error"]["code"]) == (
        2,
        "failed",
        "connection-unknown",
    )
    (folder / "icx.toml").write_text('alert_webhook = "https://hooks.example.com/T0/B0CANARY9"\n')
    wrong = typed("schedule", "list", workspace=folder)
    assert (wrong.code, "CANARY" in wrong.err) == (2, False)
    assert 'alert_webhook = "env:ICX_WEBHOOK"' in wrong.err


def test_run_due_in_its_own_process_fails_tells_the_webhook_and_status_shows_since_when(folder: Path) -> None:
    with hook() as web:
        more = {"OPS": f"{web.address}/T0CANARYKEY"}
        add = ("schedule", "add", "loyal weekly", "--export", "Everybody", "--to", "acme/lists/News")
        said = in_a_process(
            *add, "--every", "hourly", "--retries", "0", "--webhook", "env:OPS", workspace=folder
        )
        assert said.code == 0, said.err
        text = (folder / "data/jobs/loyal weekly.json").read_text(encoding="utf-8")
        assert "CANARY" not in text
        since = json.loads(text)["counts_from"]
        # As if it had been made three hours ago, and its audience deleted since.
        (folder / "data/audiences/Everybody.json").unlink()
        before = (datetime.fromisoformat(since) - timedelta(hours=3)).isoformat()
        (folder / "data/jobs/loyal weekly.json").write_text(text.replace(since, before), encoding="utf-8")
        ran = in_a_process("run-due", "--json", workspace=folder, **more)
        assert ran.code == 1, ran.err
        assert ran.json["schema"] == "run-due/1"
        assert [(one["job"], one["code"]) for one in ran.json["ran"]] == [
            ("loyal weekly", "audience-unknown")
        ]
        assert ran.json["error"]["code"] == "job-failed"
        assert [body["alert"] for body in web.got] == ["missed", "failed"]
        assert web.paths == ["/hook/T0CANARYKEY"] * 2
        assert "CANARY" not in ran.out + ran.err
        again = in_a_process("run-due", workspace=folder, **more)
        assert again.out.startswith("Nothing is due.\nNext: loyal weekly, ")
    status = in_a_process("status", workspace=folder)
    assert "FAILING 0 minutes" in status.out
    assert "Needs you: acme. Next: icx schedule list" in status.out
    (one,) = in_a_process("status", "--json", workspace=folder).json["connections"]
    assert (one["state"], one["needs"]) == ("failing", ["icx", "schedule", "list"])
    assert one["next_run"]


def test_serve_says_what_comes_next_and_ends_at_sigterm(folder: Path) -> None:
    assert in_a_process("schedule", "add", "n", "--import", "acme", workspace=folder).code == 0
    serving = begun("serve", workspace=folder)
    assert serving.stderr is not None
    line = serving.stderr.readline()
    assert "next: n, " in line
    time.sleep(0.1)
    serving.send_signal(signal.SIGTERM)
    out, _ = serving.communicate(timeout=20)
    assert (serving.returncode, out) == (0, "Ended: 0 runs, 0 failed.\n")


def test_jobs_are_added_listed_paused_resumed_and_removed(typed: Typed, folder: Path) -> None:
    def icx(line: str) -> str:
        said = typed(*shlex.split(line), workspace=folder)
        assert (said.code, said.err) == (0, ""), said.err
        return said.out

    assert icx("schedule add nightly --import acme --every 'mon-fri 6am' --zone Europe/Berlin").splitlines()[
        0
    ] == ("nightly: import acme, every weekday at 06:00 (Europe/Berlin)")
    assert "every weekday at 06:00" in icx("schedule list")
    assert icx("schedule next -n 1").endswith("\tnightly\n")
    assert icx("schedule pause nightly --because 'the account moves'").startswith("nightly rests.")
    assert "paused by " in icx("schedule list")
    assert "the account moves" in icx("schedule list")
    assert "paused by " in icx("status")
    assert icx("schedule next") == "Nothing is to come. Next: icx schedule list\n"
    assert icx("schedule resume nightly").startswith("nightly goes on, next run ")
    assert load(folder / "data/jobs", "nightly").paused is None
    assert icx("schedule remove nightly") == "nightly is removed; its runs stay in the journal.\n"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("--import acme --every sometimes", "schedule", 'Nearest: "'),
        ("--import acme --export Everybody --every daily", "usage", "A job is one of"),
        ("--export Everybody --every daily", "usage", "A job is one of"),
        ("--import acmee", "connection-unknown", "acmee"),
        ("--export Nobody --to acme/lists/X --every daily", "audience-unknown", "Nobody"),
        ("--export Everybody --to acme/X --every daily", "target", "acme/X"),
        ("--notebook not-there.ipynb --every daily", "file-unknown", "not-there"),
        ("--export Everybody --to acme/lists/X", "schedule", "is not a schedule"),
        ("--import acme --band 5", "usage", "is no band"),
        ("--import acme --webhook https://hooks.example.com/T0/B0KEY12", "webhook", "env:ICX_WEBHOOK"),
    ],
)
def test_a_job_that_cannot_work_is_not_saved(
    typed: Typed, made: Path, line: str, code: str, told: str
) -> None:
    said = typed("schedule", "add", "x", *shlex.split(line), workspace=made)
    assert said.code == 2
    assert f"[{code}]" in said.err
    assert told in said.err
    assert not list((made / "data").glob("jobs/*.json"))


def test_install_prints_units_and_a_line_with_the_right_command(typed: Typed, tmp_path: Path) -> None:
    place = tmp_path / "50 % acme"
    place.mkdir()
    units = typed("schedule", "install", "--print", "--json", workspace=place).json["units"]
    assert [re.sub(r"-[0-9a-f]{4}\.", ".", Path(unit["path"]).name) for unit in units] == [
        "icx-run-due-50-acme.service",
        "icx-run-due-50-acme.timer",
    ]
    same_name = typed("schedule", "install", "--print", "--json", workspace=tmp_path / "b" / "50 % acme")
    assert same_name.json["units"][0]["path"] != units[0]["path"]
    begins = next(line for line in units[0]["text"].splitlines() if line.startswith("ExecStart="))
    words = shlex.split(begins.removeprefix("ExecStart=").replace("%%", "%"))
    assert Path(words[0]).is_absolute()
    assert words[-4:] == ["run-due", "--workspace", str(place), "--no-color"]
    always = typed("schedule", "install", "--print", "--always", workspace=place).out
    assert "icx-serve-50-acme-" in always
    line = typed("schedule", "install", "--print", "--cron", workspace=place).out.splitlines()[0]
    assert line.startswith("*/5 * * * * ")
    command = line.removeprefix("*/5 * * * * ").replace("\\%", "%")
    assert shlex.split(command)[-4:] == ["--workspace", str(place), "--quiet", ">/dev/null"]
    assert not list(place.iterdir())


def test_a_way_with_stale_members_that_there_is_not_is_told_before_anything_is_saved(ws: Workspace) -> None:
    with pytest.raises(BadInput, match='"prak" is nothing that can be done'):
        ws.schedule("weekly", audience="Everybody", to="acme/lists/X", every="weekly", stale="prak")
    assert not ws.jobs()


def test_an_audience_that_a_job_uses_is_not_deleted(ws: Workspace, typed: Typed, folder: Path) -> None:
    ws.schedule("weekly", audience="Everybody", to="acme/lists/X", every="weekly")
    said = typed("audience", "delete", "Everybody", workspace=folder)
    assert said.code == 3
    assert 'Everybody is used by the job "weekly".' in said.err
    save(folder / "data/jobs", load(folder / "data/jobs", "weekly"))
