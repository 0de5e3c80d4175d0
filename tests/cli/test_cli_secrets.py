"""Planted secrets are found nowhere: not on a screen, not in a file, not in a trace, not in a repr."""

from __future__ import annotations

import io
import json
import re
import signal
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import click
import pytest
from test_cli_every_command import EVERY
from typing_commands import Said, Typed, hurried

from icx import cli
from icx.http import Secret
from icx.workspace import Workspace

PASSWORD = "CANARYpassword4711"
APP_ID = "CANARYapplication1234567890abcdef"
# What may hold people: the data itself, and where somebody asked to see them.
DATA = ("icx.duckdb", "published", "plans", "sandbox", "secrets")


def test_no_command_takes_a_password_except_the_sandbox_whose_password_is_made_up() -> None:
    for path, one in EVERY.items():
        names = [name for param in one.params if isinstance(param, click.Option) for name in param.opts]
        assert not [name for name in names if "password" in name or "secret" in name], path


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> tuple[Path, str]:
    """A workspace that went the whole road with planted secrets, and all that it said, with --debug."""
    from icx.sandbox.process import start

    folder = tmp_path_factory.mktemp("lived") / "w"
    said: list[Said] = []

    def icx(*words: str, **more: str) -> Said:
        out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in more.items():
                patch.setenv(name, value)
            hurried(patch)
            code = cli.run([*words, "--debug", "--workspace", str(folder)])
        signal.signal(signal.SIGTERM, before)
        said.append(Said(code, out.getvalue(), err.getvalue()))
        return said[-1]

    with start(
        contacts=120, messages=6, app_id=APP_ID, password=PASSWORD, username="canary.user@example.com"
    ) as box:
        login = ["--base-url", box.base_url, "--app-id", APP_ID, "--username", box.username]
        assert icx("connect", "acme", *login, ICX_PASSWORD="wrong" + PASSWORD).code == 1
        assert icx("connect", "acme", *login, "--json", ICX_PASSWORD=PASSWORD).code == 0
        assert icx("pull", "acme", "--json=lines").code == 0
        assert icx("build").code == 0
        assert icx("check", "--rows", "phone").code == 0
        assert icx("audience", "save", "All", "--template", "all").code == 0
        assert icx("audience", "show", "All", "--sample", "5").code == 0
        plan = icx("plan", "All", "--to", "acme/lists/Durham regulars", "--json").json
        confirm = ["--yes", *(f"--confirm={stop['key']}={stop['confirm']}" for stop in plan["stops"])]
        assert icx("apply", plan["plan"], *confirm).code == 0
        for words in (
            ["plans", plan["plan"]],
            ["plans", plan["plan"], "--refused", str(folder / "refused.csv")],
            ["undo", plan["plan"]],
            ["status"],
            ["record"],
            ["lists", "acme"],
            ["fields"],
        ):
            assert icx(*words).code == 0
        assert icx("explain", "pull", "acme").code == 0
        (folder / "data/audiences/Broken.json").write_text("{")
        icx("audience", "show", "Broken")
    icx("pull", "acme", "--wait", "0", ICX_PASSWORD=PASSWORD + "other")  # the service is gone now
    return folder, "".join(one.out + one.err for one in said)


def test_nothing_said_holds_a_secret_or_an_address(lived: tuple[Path, str]) -> None:
    _, said = lived
    assert PASSWORD not in said
    assert APP_ID not in said
    assert not addresses(said)


def test_no_file_holds_a_secret_and_only_data_holds_addresses(lived: tuple[Path, str]) -> None:
    folder, _ = lived
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        held = path.read_bytes()
        inside = (
            path.relative_to(folder / "data").parts[0] if path.is_relative_to(folder / "data") else path.name
        )
        if inside != "secrets":
            assert PASSWORD.encode() not in held, path
            assert APP_ID.encode() not in held, path
        if not inside.startswith(DATA) and path.parent.name != "connections":
            assert not addresses(held.decode("utf-8", "replace")), path
    kept = [path for path in files if path.parent.name == "secrets" and path.suffix == ".json"]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]


def test_neither_does_anything_a_notebook_shows(lived: tuple[Path, str]) -> None:
    folder, _ = lived
    ws = Workspace(folder)
    saved = ws.connection("acme")
    shown = [
        ws,
        saved,
        ws.accounts,
        ws.accounts.connections.login(saved),
        ws.status(),
        ws.plans()[0],
        ws.audience("All"),
    ]
    for one in shown:
        html = one._repr_html_() if hasattr(one, "_repr_html_") else ""
        text = f"{one!r}{one!s}{html}"
        assert PASSWORD not in text
        assert APP_ID not in text
        assert not addresses(text), text
    ws.close()


def test_a_person_is_an_id_unless_the_address_was_typed_or_asked_for(typed: Typed, demo: Path) -> None:
    by_id = typed("person", "70057", workspace=demo)
    assert by_id.code == 0
    assert not addresses(by_id.out)
    shown = typed("person", "70057", "--show-people", workspace=demo)
    (address,) = addresses(shown.out)
    assert address in typed("person", address, workspace=demo).out
    found = typed("person", address, "--json", workspace=demo)
    assert not addresses(found.out)
    why = typed("audience", "why", "Loyal in Durham", "70057", workspace=demo)
    assert not addresses(why.out)


def test_a_secret_is_no_text(tmp_path: Path) -> None:
    secret = Secret(PASSWORD)
    assert PASSWORD not in f"{secret}{secret!r}"
    with pytest.raises(TypeError):
        json.dumps({"password": secret})


def addresses(text: str) -> set[str]:
    """Return the addresses in a text that are not masked."""
    return set(re.findall(r"[\w.+-]+@[\w-]+\.(?:com|org|net)\b", text)) - {
        "jo@example.com",
        "you@example.com",
    }
