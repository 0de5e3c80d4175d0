"""Every command there is, typed over planted secrets: as it goes well, and as it fails in every way we know."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from canary import ADDRESS, APP_ID, COMMAND_KEY, HOOK_KEY, MAILCHIMP_KEY, MAILCHIMP_SECRET, PASSWORD, USERNAME
from misbehaving import Misbehaving, Says
from typing_commands import Said, hurried

from icx import cli
from icx.clock import SystemClock
from icx.sandbox.faults import KINDS
from icx.sandbox.process import SandboxProcess
from icx.store import Store

NOTEBOOK = [
    "%xmode Verbose",
    "import icx\nws = icx.open()\nsaved = ws.connection()\nlogin = ws.accounts.login(saved)\nsaved",
    "print(login, repr(login), vars(saved))\nlogin",
    "people = ws.person('70001')\nprint('to', people[0].email)\npeople[0]",
    "ws.audience('All')",
    "try:\n    ws.client(patience=0).time()\nexcept Exception as error:\n    print(error)",
    "ws.plans()",
    "(login, people, 1 / 0)",
]


PLANTED = "Could not convert"  # what a bug of ours says, with a secret in its words


@dataclass
class Lived:
    """What a workspace went through. `said` is by command line; `traces` hold every local variable."""

    folder: Path
    said: list[tuple[list[str], Said]] = field(default_factory=list)
    traces: list[tuple[list[str], str]] = field(default_factory=list)
    began: list[tuple[list[str], str]] = field(
        default_factory=list
    )  # words of a process, and its environment too
    faults: int = 0

    @property
    def alert(self) -> Path:
        """The command of an alert, which keeps what it hears in `data/alerted.txt`."""
        return self.folder.parent / "alert.py"

    def icx(
        self, *words: str, code: int | None = 0, patch: Callable[[Any], None] | None = None, **env: str
    ) -> Said:
        """Type a command; `code` is how it ends, None when that does not matter."""
        out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
        with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
            for name, value in env.items():
                patched.setenv(name, value)
            hurried(patched)
            if patch is not None:
                patch(patched)
            ended = cli.run([*words, "--debug", "--workspace", str(self.folder)])
        signal.signal(signal.SIGTERM, before)
        said = Said(ended, out.getvalue(), err.getvalue())
        self.said.append((list(words), said))
        assert code is None or ended == code, (words, said)
        return said

    def each(self, *words: str, **more: Any) -> None:
        """Type a command that only reads, for people and for machines."""
        self.icx(*words, **more)
        self.icx(*words, "--json", **more)


@contextmanager
def watched(lived: Lived) -> Iterator[None]:
    """Keep what every process is begun with, and every error that a command ends with, with all its variables."""
    begin, failed = subprocess.Popen.__init__, cli._Command.failed

    def began(self: Any, args: Any, *more: Any, **named: Any) -> None:
        words = [str(word) for word in (args if isinstance(args, list | tuple) else [args])]
        given = dict(named.get("env") or {}) if str(lived.alert) in words else {}
        given.pop("OPS_HOOK", None)  # the user's own, for whoever tells; the login is icx's
        lived.began.append((words, f"{words} {given}"))
        begin(self, args, *more, **named)

    def ended(self: Any, error: Any, cause: BaseException | None = None) -> int:
        kept = traceback.TracebackException.from_exception(cause or error, capture_locals=True)
        lived.traces.append((self.argv, "".join(kept.format())))
        return failed(self, error, cause)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", began)
        patch.setattr(cli._Command, "failed", ended)
        yield


def live(lived: Lived, box: SandboxProcess) -> None:
    """Go the whole road."""
    icx, folder = lived.icx, lived.folder
    folder.mkdir()
    icx("init", str(folder))
    logins(lived, box)
    icx("pull", "acme", "--json=lines")
    (folder.parent / "crm.csv").write_text(f"email,tier\n{ADDRESS},gold\n")
    icx("attach", str(folder.parent / "crm.csv"), "--key", "email", "--name", "crm")
    icx(
        "connect",
        "crm",
        "--table",
        str(folder.parent / "crm.csv"),
        "--identity",
        "email",
        "--writable",
        "tier",
    )
    database = "postgresql://canary@127.0.0.1:1/crm#people"
    icx("connect", "db", "--table", database, "--identity", "id", code=None, ICX_PASSWORD=PASSWORD)
    closed = ["connect", "mc", "--mailchimp", "--base-url", "http://127.0.0.1:1/3.0"]
    icx(*closed, code=1, ICX_MAILCHIMP_KEY=MAILCHIMP_KEY)
    icx(*closed[:3], code=2, ICX_MAILCHIMP_KEY=MAILCHIMP_KEY.replace("-", "_"))
    icx("connect", "mc", "--oauth", "4711", code=3, ICX_MAILCHIMP_SECRET=MAILCHIMP_SECRET)
    icx("build", "--json=lines")
    icx("check", "--rows", "phone", code=None)
    icx("check", "--json", code=None)
    icx("audience", "save", "All", "--template", "all")
    rule = {"rule": {"field": "email", "operator": "=", "value": ADDRESS}}
    (folder / "rule.json").write_text(json.dumps(rule))
    icx("audience", "save", "Gone", "--rule", str(folder / "rule.json"), "--description", f"only {ADDRESS}")
    for words in ("show Gone", "why Gone 70001"):
        lived.each("audience", *words.split(), code=None)
    plan = icx("plan", "All", "--to", "acme/lists/Durham regulars", "--json").json
    confirm = ["--yes", *(f"--confirm={stop['key']}={stop['confirm']}" for stop in plan["stops"])]
    icx("apply", plan["plan"], code=3)
    icx("pause", "--because", "a rest")
    icx("apply", plan["plan"], *confirm, code=None)
    icx("resume")
    requests.post(
        f"{box.control_url}/faults", json={"match": "POST *", "fault": "warnings", "by": 2}, timeout=10
    )
    icx("apply", plan["plan"], *confirm, "--json=lines", code=None)
    icx("plans", plan["plan"], "--refused", str(folder / "refused.csv"))
    icx("undo", plan["plan"])
    icx("retry", plan["plan"], code=None)
    jobs(lived)
    syncs(lived)
    icx("tidy", "--yes")
    icx("backup")
    icx("vacuum")
    icx("restore", "newest", "--dry")
    icx("restore", "newest", code=3)
    icx("restore", "newest", "--yes")
    icx("pull", "acme", "--full")
    looks(lived, plan["plan"])
    icx("audience", "delete", "Gone")
    icx("erase", "-", code=2)
    icx("erase", "70002", "--confirm", "erase=1", "--backups", "keep", code=None)
    icx("demo", str(folder), code=None)
    icx("sandbox", "--port", "none", code=2)
    icx("stop", "acme", code=None)


def looks(lived: Lived, plan: str) -> None:
    """Type every command that only reads, for people and for machines."""
    for words in (
        "lists acme", "audience list", "audience show All --sample 5 --sql", "audience count All", "audience why All 70001",
        f"plans {plan}", "plans", "schedule list", "schedule show weekly", "schedule next weekly", "schedule install --print",
        "status", "status acme --set-aside", "doctor acme", "person 70001", "record", "log --level debug", "calls",
        "calls --failed", "tidy", "explain pull acme", "explain audience All", "backup --list", "help", "help login-refused",
    ):  # fmt: skip
        lived.each(*words.split(), code=None)
    lived.icx(
        "points",
        "add",
        "Opened",
        "1",
        "--event",
        "open",
        "--description",
        f"ask {ADDRESS}",
        "--replace",
        code=None,
    )
    for words in ("list", "show Opened", "test Opened", "ledger 70001", "recount", "remove Opened"):
        lived.icx("points", *words.split(), code=None)
    told = ["--command", "true", "--addresses", "--description", f"ask {ADDRESS}", "--replace"]
    lived.icx("triggers", "add", "Opens", "--reaches", "opens_30d=1", *told, code=None)
    for words in (
        "list",
        "show Opens",
        "test Opens",
        "run Opens --existing --dry",
        "run Opens",
        "pause Opens",
        "resume Opens",
    ):
        lived.icx("triggers", *words.split(), code=None)
    lived.icx("triggers", "run", "Opens", "--existing", "--confirm", "existing=1", code=None)
    lived.icx("triggers", "remove", "Opens", code=None)
    lived.icx("fields")
    lived.icx("fields", "email", "--json")
    lived.icx("audience", "compare", "All", "Gone", "--json")


def plant(state: Path) -> None:
    """Let the account itself name a person where no address belongs: in subjects, in names and notes of lists."""
    with closing(sqlite3.connect(state, timeout=30)) as con, con:
        con.execute("update messages set subject = ?, message_name = ?", [f"For {ADDRESS}"] * 2)
        con.execute("update lists set description = ?", [f"ask {ADDRESS}"])
        con.execute("update contacts set city = ?, first_name = ? where contact_id = 70001", [ADDRESS] * 2)


def logins(lived: Lived, box: SandboxProcess) -> None:
    """Every fault of a login, and then the one that is saved."""
    icx = lived.icx
    here = ["connect", "acme", "--base-url", box.base_url, "--app-id", APP_ID, "--username", USERNAME]
    right = {"ICX_PASSWORD": PASSWORD}
    icx(*here, code=3)  # no password at all
    icx(*here, code=1, ICX_PASSWORD="wrong" + PASSWORD)
    icx(*here[:-1], "someone.else@example.com", code=1, **right)
    icx(*here, "--account", "1", "--json", code=1, **right)
    icx(*here, "--folder", "1", code=1, **right)
    for address in (
        "http://app.example.com",
        f"https://maya:{PASSWORD}@app.example.com",
        f"https://app.example.com/?{APP_ID}",
    ):
        icx("connect", "acme", "--base-url", address, *here[4:], code=1, **right)
    with echoing() as url:
        icx("connect", "acme", "--base-url", url, *here[4:], code=1, **right)
        icx("connect", "acme", "--base-url", url, *here[4:], "--json", code=1, **right)
    icx(*here, "--json", **right)
    icx("connect", "acme", "--default")


@contextmanager
def echoing() -> Iterator[str]:
    """A service that refuses with the login in its words."""
    server = Misbehaving()
    words = f"{APP_ID} with {PASSWORD} of {USERNAME} is refused"
    server.reply = lambda asked: (
        Says({"time": "2026-11-22T10:00:00-05:00"})
        if asked.path.endswith("/time")
        else Says({"errors": [words]}, status=401)
    )
    try:
        yield server.url
    finally:
        server.stop()


def syncs(lived: Lived) -> None:
    """Keep a table and the account in step."""
    icx = lived.icx
    icx(
        "sync",
        "make",
        "crm-acme",
        "crm",
        "acme",
        "--one-way",
        "--map",
        "tier -> business",
        "--basis",
        "they asked",
    )
    for words in ("plan", "simulate", "health"):
        lived.each("sync", words, "crm-acme", code=None)
    icx("sync", "apply", "crm-acme", code=None)
    icx("sync", "run", "crm-acme", "--yes", "--json=lines", code=None)
    lived.each("sync", "health", "crm-acme", "--rows", "5")
    lived.each("sync", "show", "crm-acme")
    lived.each("sync", "list")
    icx("sync", "pause", "crm-acme", "--because", "a rest")
    icx("sync", "resume", "crm-acme")
    icx("sync", "remove", "crm-acme", "--yes")


def jobs(lived: Lived) -> None:
    """A notebook, and jobs that tell a command and a webhook."""
    icx, folder = lived.icx, lived.folder
    write_notebook(folder / "look.ipynb")
    lived.alert.write_text("import sys; print(sys.stdin.read(), file=open(sys.argv[1], 'a'))")
    command = f"{sys.executable} {lived.alert} {folder / 'data' / 'alerted.txt'}"
    weekly = [
        "schedule",
        "add",
        "weekly",
        "--export",
        "All",
        "--to",
        "acme/lists/Nobody's",
        "--every",
        "daily 06:00",
    ]
    icx(*weekly, "--webhook", f"https://hooks.example.com/{HOOK_KEY}", code=2)
    icx(*weekly, "--alert-command", f"tell --token {COMMAND_KEY}", code=2)
    icx(*weekly, "--webhook", "env:OPS_HOOK", "--alert-command", command)
    hook = {"OPS_HOOK": f"http://127.0.0.1:1/{HOOK_KEY}", "ICX_PASSWORD": PASSWORD}
    icx("schedule", "run", "weekly", code=None, **hook)  # by hand: who typed it sees it, and nobody is told
    icx("run-due", code=None, patch=tomorrow, **hook)
    icx("schedule", "change", "weekly", "--description", f"ask {ADDRESS}")
    icx("schedule", "pause", "weekly")
    icx("schedule", "resume", "weekly")
    icx("schedule", "add", "look", "--notebook", str(folder / "look.ipynb"), "--every", "daily 06:00")
    icx("run", str(folder / "look.ipynb"), "--parameters")
    icx("run-due", code=None, **hook)
    icx("serve", code=None, patch=stops_when_it_waits, **hook)
    icx("schedule", "install", "--print", code=None)
    icx("schedule", "remove", "look")


def tomorrow(patch: pytest.MonkeyPatch) -> None:
    """Let it be a day later, when every daily job is due."""
    patch.setattr(SystemClock, "now", lambda self: datetime.now(UTC) + timedelta(days=1))


def write_notebook(path: Path) -> None:
    """Write a notebook that shows what it can of a login and of somebody, and fails with all its variables."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for n, text in enumerate(NOTEBOOK)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book))


def stops_when_it_waits(patch: pytest.MonkeyPatch) -> None:
    def stop(self: Any, seconds: float) -> None:
        raise KeyboardInterrupt

    patch.setattr(SystemClock, "sleep", stop)


def faults(lived: Lived, box: SandboxProcess) -> None:
    """Every fault of the service, for a command that asks once or twice; a pull under the worst of them."""
    for kind in set(KINDS) - {"hold"}:  # which has the caller wait for as long as it can
        order = {"match": "*", "fault": kind, "times": 12, "seconds": 0.01}
        requests.post(f"{box.control_url}/faults", json=order, timeout=10).raise_for_status()
        deep = kind in {"401", "html-page"}
        lived.icx(*(["pull", "acme", "--full"] if deep else ["explain", "pull", "acme"]), code=None)
        requests.delete(f"{box.control_url}/faults", timeout=10)
        lived.faults += 1


def crashes(lived: Lived, commands: list[list[str]]) -> None:
    """Every command again, while icx goes wrong in each of its ways: a bug, a full disk, Ctrl-C."""

    def wrong(error: BaseException) -> Callable[[Any], None]:
        def broken(self: Any, *args: Any) -> Any:
            who = ADDRESS  # a variable as any of ours may be
            raise error.with_traceback(None) if who else error

        def patch(patched: pytest.MonkeyPatch) -> None:
            patched.setattr(Store, "_connect", broken)
            stops_when_it_waits(patched)

        return patch

    kinds = (
        RuntimeError(f"{PLANTED} '{ADDRESS}', password {PASSWORD}"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(lived.folder / "data" / "icx.duckdb")),
        KeyboardInterrupt(),
    )
    for number, words in enumerate(commands):
        lived.icx(*words, code=None, patch=wrong(kinds[number % len(kinds)]), ICX_PASSWORD=PASSWORD)
        lived.faults += 1
