"""Alerts: a real command and a real webhook hear of it, without an address or a secret; one that is lost is noted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from bench import MONDAY, Bench, bench, hook
from misbehaving import Misbehaving

from icx import notify
from icx.clock import ManualClock
from icx.errors import BadInput, NeedsYou, Refused, TryLater
from icx.jobs.due import Due
from icx.jobs.job import Alert
from icx.jobs.run_due import Done

# What must be in no alert: an address, passwords, a webhook's key, a person's name typed as a value.
CANARIES = ("canary@example.com", "canary-password", "canary-app-id", "T0CANARY", "B0CANARYKEY")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("ICX_PASSWORD", "canary-password")
    monkeypatch.setenv("ICX_APP_ID", "canary-app-id")
    with bench(tmp_path) as made:
        yield made


def lost() -> TryLater:
    return TryLater("service-unreachable", "No answer.")


@pytest.fixture
def heard(tmp_path: Path) -> tuple[tuple[str, ...], Path]:
    """A command that keeps what it gets on stdin and in its environment, and where."""
    kept = tmp_path / "heard.txt"
    script = tmp_path / "alert me.py"
    script.write_text(
        "import os, sys, pathlib\n"
        "with open(sys.argv[1], 'a') as f: f.write(sys.stdin.read() + '\\n' + repr(sorted(os.environ.items())) + '\\n')\n"
    )
    return (sys.executable, str(script), str(kept)), kept


def test_a_command_and_a_webhook_hear_of_a_failed_run_and_of_nothing_they_should_not(
    here: Bench, heard: tuple[tuple[str, ...], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    command, kept = heard
    with hook() as web:
        monkeypatch.setenv("OPS_HOOK", f"{web.address}/T0CANARY?key=B0CANARYKEY")
        here.job(retries=0, alert=Alert(command, "env:OPS_HOOK"), params={"who": "canary@example.com"})
        here.ends = [
            Refused(
                "login-refused",
                "iContact refused canary@example.com\x1b[31m.",
                where="canary@example.com canary-password",
                data={"app_id": "canary-app-id"},
            )
        ]
        (ran,) = here.executor.run_due().ran
    assert ran.alerts == ["failed: command: delivered", "failed: webhook: delivered"]
    (body,) = web.got
    told, environment = kept.read_text().splitlines()
    assert json.loads(told) == body
    assert web.paths == ["/hook/T0CANARY?key=B0CANARYKEY"]
    assert "Authorization" not in web.headers[0]
    assert {key: body[key] for key in ("schema", "alert", "job", "kind", "run", "at", "code", "text")} == {
        "schema": "alert/1", "alert": "failed", "job": "weekly", "kind": "import", "run": "r-1",
        "at": "2026-11-23T12:00:00Z", "code": "login-refused", "text": "iContact refused c…@e….com\\x1b[31m.",
    }  # fmt: skip
    for canary in CANARIES:
        assert canary not in json.dumps(body)
        assert canary not in (here.folder / "weekly.json").read_text().replace("canary@example.com", "")
        assert canary not in repr(here.history.runs()) + repr(here.jobs)
    assert "ICX_PASSWORD" not in environment
    assert "ICX_APP_ID" not in environment


def test_a_failure_is_told_when_no_retry_is_left_and_a_retry_that_works_tells_nothing(here: Bench) -> None:
    with hook() as web:
        here.job(retries=1, backoff=0, alert=Alert(webhook=web.address))
        here.ends = [TryLater("service-unreachable", "No answer."), Done("fine")]
        here.executor.run_due()
        assert here.executor.run_due().ok
        assert web.got == []
        here.clock.moment = MONDAY + timedelta(days=1)
        here.ends = [
            TryLater("service-unreachable", "No answer."),
            TryLater("service-unreachable", "No answer."),
        ]
        here.executor.run_due()
        assert web.got == []
        here.executor.run_due()
    assert [(body["alert"], body["facts"]["attempt"]) for body in web.got] == [("failed", 2)]


def test_refused_rows_a_size_outside_its_band_and_missed_times_are_told_apart(here: Bench) -> None:
    with hook() as web:
        alert = Alert(webhook=web.address)
        export = {"kind": "export", "audience": "Loyal", "to": "acme/lists/Loyal"}
        here.job("a", alert=alert, **export)
        here.job("b", alert=alert, band=(100, 200), **export)
        here.job("c", alert=alert, band=(None, 200), audience="Loyal")
        here.job("d", alert=alert, band=(300, 300), audience="Loyal")
        here.ends = [
            Done(
                "P-1",
                {"size": 1200},
                Refused("refused-share", "Done, but iContact refused 31 of 1,200 rows."),
            ),
            NeedsYou("size-band", "Loyal: 300 people, outside its band 100 to 200."),
            Done("300 people"),
            Done("300 people"),
        ]
        done = here.executor.run_due()
        assert [one.state for one in done.ran] == ["failed", "failed", "done", "done"]
        here.clock.moment = MONDAY + timedelta(days=2, hours=4)
        here.ends = []
        here.job("c", alert=alert, missed="skip")
        here.jobs.pause("a")
        here.jobs.pause("b")
        here.jobs.pause("d")
        here.executor.run_due()
    assert [(body["job"], body["alert"], body["text"]) for body in web.got] == [
        ("a", "refused", "Done, but iContact refused 31 of 1,200 rows."),
        ("b", "size", "Loyal: 300 people, outside its band 100 to 200."),
        ("c", "size", "Loyal: 300 people, outside its band up to 200."),
        ("c", "missed", "2 times passed while nothing ran. None of them is run."),
    ]
    assert web.got[2]["facts"] == {"audience": "Loyal", "size": 300}


def test_an_alert_that_does_not_arrive_is_noted_and_hides_nothing(here: Bench) -> None:
    with hook(500, 503, 500) as web:
        here.job(retries=0, alert=Alert(("/not/there", "x"), web.address))
        here.ends = [TryLater("service-unreachable", "No answer.")]
        (ran,) = here.executor.run_due().ran
    assert len(web.got) == 3
    assert len({body["id"] for body in web.got}) == 1
    assert (ran.state, ran.code) == ("failed", "service-unreachable")
    assert list(ran.alerts) == [
        "failed: command: not delivered, it could not be started: No such file or directory",
        "failed: webhook: not delivered, it answered 500",
    ]
    one = here.jobs["weekly"]
    assert (one.state, one.unheard) == ("failing", " · ".join(ran.alerts))
    assert one.as_dict()["last"]["alerts"] == list(ran.alerts)


def test_an_alert_waits_for_no_job_and_is_sent_again_until_somebody_answers(here: Bench) -> None:
    with hook(503, 503, 503) as web:
        worked: list[int] = []

        def fails() -> Done:
            worked.append(len(web.got))  # how much was sent before this job ran
            raise BadInput("list-unknown", "acme has no such list.")

        for name in ("a", "b"):
            here.job(name, alert=Alert(webhook=web.address))
        here.ends = [fails, fails]
        here.executor.run_due()
        assert worked == [0, 0]
        assert [body["job"] for body in web.got] == [
            "a"
        ] * 3  # it does not answer: b does not wait for it as well
        assert [one.unheard for one in here.jobs] == ["failed: webhook: not delivered, it answered 503"] * 2
        here.clock.sleep(60)
        here.executor.run_due()
        assert len(web.got) == 3
        here.clock.sleep(5 * 60)
        here.executor.run_due()
        here.executor.run_due()
    assert [body["job"] for body in web.got[3:]] == ["a", "b"]
    assert [one.unheard for one in here.jobs] == ["", ""]
    assert here.jobs.runs("a")[0].alerts[-1] == "failed: webhook: delivered"


def test_a_webhook_that_does_not_answer_holds_up_no_command_and_a_way_put_in_its_place_hears(
    here: Bench, heard: tuple[tuple[str, ...], Path]
) -> None:
    command, kept = heard

    def commanded() -> list[str]:
        return [json.loads(line)["job"] for line in kept.read_text().splitlines()[::2]]

    with hook(503, 503, 503, 503, 503, 503) as web:
        for name in ("a", "b"):
            here.job(name, retries=0, alert=Alert(command, web.address))
        here.job("c", retries=0, alert=Alert(webhook=web.address))
        here.ends = [lost(), lost(), lost()]
        here.executor.run_due()
        assert commanded() == ["a", "b"]
        assert [body["job"] for body in web.got] == ["a"] * 3
        here.job("c", retries=0, alert=Alert(command), counts_from=here.clock.now())
        here.clock.sleep(5 * 60 + 1)
        here.executor.run_due()
    assert commanded() == ["a", "b", "c"]
    assert [one.unheard for one in here.jobs] == ["failed: webhook: not delivered, it answered 503"] * 2 + [
        ""
    ]


def test_an_alert_that_never_arrives_is_given_up_after_a_day_and_stays_shown(here: Bench) -> None:
    with hook() as web:
        nobody = web.address  # where nobody listens any more
    here.job(retries=0, alert=Alert(("/not/there",), nobody))
    here.ends = [lost()]
    here.executor.run_due()
    here.jobs.pause("weekly")
    for _ in range(40):
        here.clock.sleep(3600)
        here.executor.run_due()
    ((tries, next_at),) = map(tuple, here.journal.read("select tries, next_at from job_alerts"))
    assert (10 < tries < 30, next_at) == (True, None)
    assert here.jobs["weekly"].unheard == (
        "failed: command: not delivered, it could not be started: No such file or directory"
        " · failed: webhook: not delivered, no connection"
    )
    assert len(here.history.told("r-1")) == 2  # what is always the same is noted once


def test_a_file_that_holds_no_job_any_more_is_told_to_whoever_hears_of_all_once_a_day(here: Bench) -> None:
    here.job()
    (here.folder / "broken.json").write_text('{"kind": "import"', encoding="utf-8")
    with hook() as web:
        here.usual = Alert(webhook=web.address)
        here.executor.run_due()
        here.executor.run_due()
        here.clock.sleep(86_400)
        here.executor.run_due()
    assert [(body["job"], body["code"], body["text"]) for body in web.got] == [
        ("broken", "job-file", "A file with a job cannot be read. It does not run.")
    ] * 2


# --- one way at a time ----------------------------------------------------------------------------------------------


def test_a_run_that_was_killed_as_often_as_it_is_taken_up_is_told_once(here: Bench) -> None:
    with hook() as web:
        here.job(alert=Alert(webhook=web.address))
        here.history.start("weekly", Due("again", MONDAY, attempt=4, first="r-1"), "maya")
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            pass
        with here.journal.write() as db:
            db.execute("update runs set pid = ?", (gone.pid,))
        for _ in range(2):
            assert here.executor.run_due().ran == []
    (told,) = web.got
    assert (told["alert"], told["run"], told["code"]) == ("failed", "r-1", "cut-off")
    assert told["text"] == "Its process ended before the run did, 4 times."
    assert told["next"] == [["icx", "schedule", "run", "weekly"]]  # run-due takes it up no more


def test_a_webhook_is_tried_again_when_it_was_busy_and_not_when_it_said_no() -> None:
    clock = ManualClock(MONDAY)
    with hook(503, 204) as web:
        (sent,) = notify.send({"text": "x"}, webhook=web.address, clock=clock)
        assert (sent.ok, sent.tries, len(web.got)) == (True, 2, 2)
    assert sum(clock.slept) > 0
    with hook(404) as web:
        (sent,) = notify.send({"text": "x"}, webhook=web.address, clock=clock)
        assert (str(sent), sent.tries) == ("webhook: not delivered, it answered 404", 1)
    (sent,) = notify.send({"text": "x"}, webhook=web.address, clock=clock)  # nobody listens there any more
    assert (sent.problem, sent.tries) == ("no connection", 3)


def test_a_webhook_under_a_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    server = Misbehaving()
    try:
        address = server.with_own_certificate(tmp_path)
        (sent,) = notify.send({"text": "x"}, webhook=address, clock=ManualClock(MONDAY))
        assert (sent.problem, sent.tries) == ("its certificate is not one this machine trusts", 1)
        assert server.asked == []
    finally:
        server.stop()


def test_a_redirect_is_not_followed_and_a_login_of_a_netrc_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login maya password canary-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with hook() as elsewhere, hook(307, location=elsewhere.address) as web:
        (sent,) = notify.send({"text": "x"}, webhook=web.address, clock=ManualClock(MONDAY))
    assert sent.problem == "it redirects (307), which is not followed"
    assert elsewhere.got == []
    assert "Authorization" not in web.headers[0]


def test_a_command_is_no_shell_and_one_that_fails_is_tried_three_times(tmp_path: Path) -> None:
    kept = tmp_path / "n"
    command = [
        sys.executable,
        "-c",
        f"import sys; open({str(kept)!r}, 'a').write(sys.argv[1] + '|'); sys.exit(3)",
    ]
    (sent,) = notify.send({"text": "x"}, command=[*command, "$(id); a b"], clock=ManualClock(MONDAY))
    assert (sent.problem, sent.tries) == ("it ended with 3", 3)
    assert kept.read_text() == "$(id); a b|" * 3


@pytest.mark.parametrize(
    ("webhook", "problem"),
    [
        ("env:NOT_SET", "env:NOT_SET holds no address"),
        ("keyring:ops", "keyring:ops holds no address"),
        ("env:PLAIN", "plain http is for this machine alone"),
        ("env:LOGIN", "a login does not belong into an address"),
        ("env:FILE", "this is not a web address; it begins with https://"),
    ],
)
def test_nothing_is_sent_to_an_address_that_is_not_safe(webhook: str, problem: str) -> None:
    environment = {
        "PLAIN": "http://hooks.example.com/x",
        "LOGIN": "https://maya:canary-password@hooks.example.com/x",
        "FILE": "ftp://hooks.example.com/x",
    }
    (sent,) = notify.send(
        {"text": "x"},
        webhook=webhook,
        environment=environment,
        keyring=lambda name: None,
        clock=ManualClock(MONDAY),
    )
    assert (sent.problem, sent.tries) == (problem, 1)


def test_an_address_in_the_keyring_is_found_by_its_name() -> None:
    with hook() as web:
        (sent,) = notify.send(
            {"text": "x"},
            webhook="keyring:ops",
            keyring=lambda name: web.address if name == "ops" else None,
            clock=ManualClock(MONDAY),
        )
    assert sent.ok


@pytest.mark.parametrize(
    "webhook",
    [
        "https://hooks.example.com/services/T0CANARY/B0CANARYKEY/x8Gd7sQ1",
        "https://hooks.example.com/x?sig=abc",
        "https://discord.example.com/api/webhooks/1234567890/aBcD",
        "http://hooks.example.com/icx",
        "https://maya:pw@hooks.example.com/icx",
        "env:",
        "env:a b",
        "mailto:ada@example.com",
        "",
    ],
)
def test_a_job_takes_no_address_that_may_be_a_key(here: Bench, webhook: str) -> None:
    if not webhook:
        notify.check_webhook("https://hooks.example.com/icx/alerts")
        return
    with pytest.raises(BadInput) as told:
        here.job(alert=replace(Alert(), webhook=webhook))
    assert told.value.code == "webhook"
    assert "CANARY" not in str(told.value)
    assert not list(here.folder.glob("*.json"))


@pytest.mark.parametrize(
    "command",
    [
        ("curl", "-H", "Authorization: Bearer B0CANARYKEY", "https://hooks.example.com/icx"),
        ("send", "--password", "B0CANARYKEY"),
        ("send", "--token=B0CANARYKEY"),
        ("curl", "https://hooks.example.com/services/T0CANARY/B0CANARYKEY"),
    ],
)
def test_a_job_takes_no_command_that_holds_what_may_be_a_secret(
    here: Bench, command: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as told:
        here.job(alert=Alert(command))
    assert told.value.code == "alert-command"
    assert "CANARY" not in str(told.value)
