"""Planted secrets are found nowhere: not on a screen, not in a file, not in a trace, not in a repr."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
import pytest
from canary import ADDRESS, APP_ID, PASSWORD, USERNAME, addresses_in, contents, secrets_in
from canary_run import PLANTED, Lived, crashes, faults, live, plant, watched, write_notebook
from test_cli_every_command import EVERY
from typing_commands import Typed, hurried

from icx.http import Secret
from icx.workspace import Workspace

# What may hold people: the data itself, and where somebody asked to see them.
DATA = ("icx", "published", "plans", "backups", "secrets", "connections", "jobs", "points", "triggers")


def test_no_command_takes_a_password_except_the_sandbox_whose_password_is_made_up() -> None:
    for path, one in EVERY.items():
        names = [name for param in one.params if isinstance(param, click.Option) for name in param.opts]
        assert not [name for name in names if "password" in name or "secret" in name], path


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Lived:
    """A workspace that went the whole road with planted secrets, whatever the umask, and all that it said."""
    from icx.sandbox.process import start

    here = Lived(tmp_path_factory.mktemp("lived") / "w")
    careless = os.umask(0)
    try:
        with watched(here):
            state = here.folder.parent / "account.sqlite"
            with start(
                state=state, contacts=120, messages=6, app_id=APP_ID, password=PASSWORD, username=USERNAME
            ) as box:
                plant(state)
                live(here, box)
                faults(here, box)
            here.icx("pull", "acme", "--wait", "0", code=1, ICX_PASSWORD=PASSWORD + "other")  # it is gone now
            (here.folder / "data/audiences/Broken.json").write_text("{")
            (here.folder / "data/audiences/Broken.json").chmod(0o600)
            here.icx("audience", "show", "Broken", code=None)
            crashes(here, [[*words] for words in once(here)])
    finally:
        os.umask(careless)
    return here


def once(lived: Lived) -> list[list[str]]:
    """Return one line of each command that was typed."""
    return list({command(words): words for words, _ in lived.said}.values())


def command(words: list[str]) -> str:
    """Return which command a line is of."""
    two = " ".join(["icx", *words[:2]])
    return two if two in EVERY else f"icx {words[0]}"


def test_every_command_there_is_was_typed(lived: Lived) -> None:
    """A new verb has a line in `canary_run.live`, or this says so."""
    assert {command(words) for words, _ in lived.said} == set(EVERY)


def test_nothing_said_holds_a_secret_or_an_address_that_was_not_typed(lived: Lived) -> None:
    assert len(lived.said) > 150
    for words, said in lived.said:
        told, typed = said.out + said.err, " ".join(words)
        assert not secrets_in(told), words
        assert not addresses_in(told) - addresses_in(typed), words
    assert any(ADDRESS[0] + "…@" in said.out for _, said in lived.said), "somebody was there to be masked"


def test_no_file_holds_a_secret_and_only_data_holds_addresses(lived: Lived) -> None:
    data, searched = lived.folder / "data", 0
    for path in sorted(data.rglob("*")):
        if not path.is_file() or path.parent == data / "secrets":
            continue
        inside = path.relative_to(data).parts[0]
        for where, text in contents(path):
            searched += 1
            assert not secrets_in(text), (path, where)
            if not inside.startswith(DATA):
                assert not addresses_in(text), (path, where)
    assert searched > 80
    kinds = {path.suffix for path in data.rglob("*")}
    assert kinds >= {".duckdb", ".sqlite", ".jsonl", ".zip", ".parquet", ".html", ".txt", ".json"}


def test_all_that_was_written_is_for_its_owner_alone_under_any_umask(lived: Lived) -> None:
    data = lived.folder / "data"
    assert not [path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077]
    assert (lived.folder / "refused.csv").stat().st_mode & 0o777 == 0o600


def test_no_process_is_begun_with_a_secret_and_no_error_holds_one_in_its_variables(lived: Lived) -> None:
    assert any(str(lived.alert) in words for words, _ in lived.began)
    told = [json.loads(line) for line in (lived.folder / "data/alerted.txt").read_text().splitlines()]
    assert "failed" in {one["alert"] for one in told}, "and at most hours that its time had passed, too"
    assert {one["job"] for one in told} == {"weekly"}
    assert not [line for _, line in lived.began if secrets_in(line) or addresses_in(line)]
    traced = [(words, text) for words, text in lived.traces if PLANTED not in text]
    assert len(traced) > 30
    for words, text in traced:
        assert set(secrets_in(text)) <= set(secrets_in(" ".join(words))), text


def test_every_call_is_on_the_tape_and_every_line_of_the_log_is_whole(lived: Lived) -> None:
    """After every fault of the service: whoever looks has method, path, status, time, size, try, and the run."""
    with Workspace(lived.folder) as ws:
        rows = ws.journal.read("select * from calls")
        runs = {f"r-{row['number']}" for row in ws.journal.read("select number from runs")}
    assert len(rows) > 200
    assert {row["run"] for row in rows} <= runs
    assert all(
        row["method"] in {"GET", "POST", "PUT", "DELETE"} and row["path"].startswith("/") for row in rows
    )
    assert all(row["ms"] >= 0 and row["bytes"] >= 0 and row["attempt"] >= 1 for row in rows)
    assert {row["status"] for row in rows} >= {200, 401, 429, 500, 503, None}
    assert any(row["attempt"] > 2 for row in rows)
    assert all(row["status"] is not None or row["problem"] for row in rows), "no answer has its reason"
    lines = [
        json.loads(line)
        for path in sorted((lived.folder / "data/logs").iterdir())
        for line in path.read_text().splitlines()
    ]
    assert len(lines) > 100
    assert all({"at", "level", "event", "text", "pid"} <= set(line) for line in lines)
    told = {line["run"] for line in lines if "run" in line}
    assert told <= runs
    assert len(told) > 30


def test_neither_does_anything_a_notebook_shows(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)  # the service is gone, and doctor tries it for a minute
    ws = Workspace(lived.folder)
    saved = ws.connection("acme")
    shown = [
        ws, saved, ws.accounts, ws.accounts.connections.login(saved), ws.status(), ws.plans()[0], ws.audience("All"),
        ws.ledger("acme"), ws.jobs(), ws.log(), ws.calls(), ws.doctor(bundle=False), ws.backups(), ws.lists("acme"), ws.settings,
    ]  # fmt: skip
    for one in shown:
        html = one._repr_html_() if hasattr(one, "_repr_html_") else ""
        text = f"{one!r}{one!s}{html}"
        assert not secrets_in(text), text
        assert not addresses_in(text), text
    ws.close()


@pytest.mark.slow
def test_neither_does_a_notebook_that_was_run_and_failed_with_all_its_variables(lived: Lived) -> None:
    write_notebook(lived.folder / "look.ipynb")
    said = lived.icx("run", str(lived.folder / "look.ipynb"), code=1, ICX_PASSWORD=PASSWORD)
    assert "ZeroDivisionError" in said.out + said.err
    files = [path for path in (lived.folder / "data" / "runs").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".ipynb", ".html", ".json"}
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        for where, text in contents(path):
            assert not secrets_in(text), (path, where)
            assert not addresses_in(text), (path, where)


def test_a_person_is_an_id_unless_the_address_was_typed_or_asked_for(typed: Typed, demo: Path) -> None:
    by_id = typed("person", "70057", workspace=demo)
    assert by_id.code == 0
    assert not addresses_in(by_id.out)
    shown = typed("person", "70057", "--show-people", workspace=demo)
    (address,) = addresses_in(shown.out)
    assert address in typed("person", address, workspace=demo).out
    found = typed("person", address, "--json", workspace=demo)
    assert addresses_in(found.out) <= {address}
    why = typed("audience", "why", "Loyal in Durham", "70057", workspace=demo)
    assert not addresses_in(why.out)


def test_a_secret_is_no_text() -> None:
    secret = Secret(PASSWORD)
    assert PASSWORD not in f"{secret}{secret!r}"
    with pytest.raises(TypeError):
        json.dumps({"password": secret})
