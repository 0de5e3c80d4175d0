"""`icx doctor`: what is wrong is found and said, and the bundle holds no secret and no address, whatever is put in."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icx.connections.login import Login
from icx.errors import IcxError
from icx.sandbox.process import SandboxProcess
from icx.workspace import Workspace, bundle
from icx.workspace.bundle import clean, is_clean

PASSWORD, APP_ID = "CANARYpassword4711", "CANARYapplication1234567890abcdef"


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Iterator[Workspace]:
    """A workspace that was pulled once, over a login of planted secrets."""
    from icx.sandbox.process import start

    root = tmp_path_factory.mktemp("doctor") / "w"
    box = start(contacts=40, messages=3, app_id=APP_ID, password=PASSWORD, username="ada@example.com")
    with box, Workspace(root) as ws:
        ws.accounts.connect("acme", _login(box))
        ws.pull("acme")
        yield ws


def _login(box: SandboxProcess) -> Login:
    return Login.clean(APP_ID, "ada@example.com", PASSWORD, box.base_url)


def test_nothing_wrong_is_said_so_with_every_look(ws: Workspace) -> None:
    found = ws.doctor("acme", bundle=False)
    assert repr(found) == "Examined(nothing needs you)"
    (login,) = found.logins
    assert [step.state for step in login.steps] == ["good"] * 5
    assert [one.name for one in found.here] == [
        "owner", "settings", "folder", "room", "database", "journal", "secrets", "plans", "runs",
    ]  # fmt: skip
    assert found.bundle is None
    assert "Doctor" in found._repr_html_()


def test_what_is_broken_is_found_and_keeps_nothing_else_from_being_looked_at(tmp_path: Path) -> None:
    """A connection's file and the journal are damaged, in a folder whose name means something in an address."""
    root = tmp_path / "50% #1?mode=rw"
    with Workspace(root) as ws:
        assert "none yet" in next(one.text for one in ws.doctor(bundle=False).here if one.name == "journal")
        run = ws.journal.start_run("pull", "acme")
        ws.journal.end_run(run)
        assert {one.name: one.state for one in ws.doctor(bundle=False).here}["journal"] == "good"
    (root / "data" / "connections").mkdir()
    (root / "data" / "connections" / "acme.json").write_text("{")
    for path in root.glob("data/journal.sqlite*"):
        path.write_bytes(b"no journal at all" * 900)
    found = Workspace(root).doctor()
    assert found.bundle is not None
    with zipfile.ZipFile(found.bundle) as packed:
        assert "pull acme: done" in packed.read("log.txt").decode()
    assert [(one.connection, one.code) for one in found.logins] == [("acme", "connection-file")]
    here = {one.name: one for one in found.here}
    assert (here["journal"].state, here["database"].state) == ("bad", "good")
    assert "icx restore newest" in here["journal"].next


def test_the_step_that_refused_is_named_and_what_to_type(ws: Workspace) -> None:
    saved = ws.connection("acme")
    good = ws.accounts.login(saved)
    wrong = Login.clean(APP_ID, "ada@example.com", "wrong" + PASSWORD, good.base_url)
    ws.accounts.connections.save(saved, wrong)
    try:
        found = ws.doctor()
    finally:
        ws.accounts.connections.save(saved, good)
    assert found.bad
    what, typed = found.needs[0]
    assert what == "acme: the login is refused (step 2 of 5; account, folder, rights not tried)"
    assert list(typed) == ["icx", "connect", "acme", "--update"]
    assert found.bundle is not None
    assert not _held(found.bundle, PASSWORD, APP_ID, "ada@example.com")


def test_the_bundle_is_for_its_owner_and_holds_no_secret_and_no_address(ws: Workspace) -> None:
    with pytest.raises(IcxError), ws.noted("pull", "acme"):
        raise IcxError(
            "answer-unreadable", f"It said ada@example.com and {PASSWORD}.", where="contacts, page 3"
        )
    trace = ws.layout.reports / "trace-20260101-000000.txt"
    trace.parent.mkdir(parents=True, exist_ok=True)
    trace.write_text(
        f"File 'x.py', line 3\nConversionException: Could not convert 'Ada Byron' and {APP_ID}\n"
    )
    try:
        found = ws.doctor("acme")
    finally:
        trace.unlink()
    assert found.bundle is not None
    assert found.bundle.stat().st_mode & 0o777 == 0o600
    assert not _held(found.bundle, PASSWORD, APP_ID, "ada@example.com", "Ada Byron")
    with zipfile.ZipFile(found.bundle) as packed:
        texts = {name: packed.read(name).decode() for name in packed.namelist()}
    assert not [name for name, text in texts.items() if text.startswith("could not be read")]
    assert json.loads(texts["connections.json"])[0]["username"] == "a…@e….com"
    assert "It said a…@e….com" in texts["runs.json"]  # the exact error, masked
    assert json.loads(texts["calls.json"]) == []  # those of the failed run, which made none
    assert "line 3" in texts["traces.txt"]


def test_a_bundle_that_would_hold_a_secret_is_not_written(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "clean", lambda text, secrets: text)
    before = sorted(ws.layout.reports.glob("doctor-*"))
    monkeypatch.setenv("ICX_PASSWORD", "Python")  # it stands in doctor.txt
    with pytest.raises(IcxError, match="bundle-unsafe"):
        ws.doctor("acme")
    assert sorted(ws.layout.reports.glob("doctor-*")) == before


def test_a_damaged_journal_and_a_full_disk_are_findings(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from icx.workspace import doctor

    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 10**6}))
    journal = ws.layout.journal
    ws.journal.read("pragma wal_checkpoint(truncate)")
    held = journal.read_bytes()
    try:
        journal.write_bytes(held[:8192] + bytes(4096) + held[12288:])
        found = {one.name: one for one in (doctor._room(ws), doctor._journal(ws))}
    finally:
        journal.write_bytes(held)
    assert (found["room"].state, found["journal"].state) == ("bad", "bad")
    assert found["room"].text == "1.0 MB free; a pull or a build needs more"


# A password of parts of the word that hides it keeps the bundle from being written; no other does.
SECRETS = st.text(min_size=3, max_size=12).filter(lambda text: not set(text) <= set("(hidden)…@. "))


@given(text=st.text(), secrets=st.lists(SECRETS, max_size=3))
def test_what_was_cleaned_is_clean(text: str, secrets: list[str]) -> None:
    for secret in secrets:
        text += f" {secret} x{secret}@{secret}.com {secret[1:]}{secret}"
    assert is_clean(clean(text, secrets), secrets)


def _held(path: Path, *canaries: str) -> list[tuple[str, str]]:
    with zipfile.ZipFile(path) as packed:
        return [
            (name, one) for name in packed.namelist() for one in canaries if one in packed.read(name).decode()
        ]
