"""The connection wizard without a browser: every answer it can get, and what is saved then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mailchimp_twin import serving
from mailchimp_twin.state import KEY
from typing_commands import no_keyring

from icx.sandbox.process import SandboxProcess, start
from icx.workspace import Workspace

__all__ = ["no_keyring"]


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """An account of three client folders."""
    state = tmp_path_factory.mktemp("agency") / "account.sqlite"
    with start(contacts=20, messages=2, folders=3, app_id="a" * 32, state=state) as sandbox:
        yield sandbox


@pytest.fixture
def ws(tmp_path: Path, no_keyring: None) -> Iterator[Workspace]:
    with Workspace(tmp_path / "workspace") as ws:
        yield ws


@pytest.fixture
def typed(agency: SandboxProcess) -> Callable[..., dict[str, Any]]:
    def fill(**other: Any) -> dict[str, Any]:
        right = {
            "label": "acme",
            "app_id": agency.app_id,
            "username": agency.username,
            "password": agency.password,
            "base_url": agency.base_url,
        }
        return right | other

    return fill


def test_a_wrong_password_saves_nothing_and_names_the_step(ws: Workspace, typed: Any) -> None:
    said = ws.connect().answer("try", typed(password="wrong"))
    assert said["state"] == "refused"
    assert said["problem"]["code"] == "login-refused"
    assert [step["state"] for step in said["steps"]] == ["good", "refused", *["not tried"] * 3]
    assert ws.accounts.connections.names() == []


def test_several_folders_are_offered_and_none_is_picked(ws: Workspace, typed: Any) -> None:
    wizard = ws.connect()
    said = wizard.answer("try", typed())
    assert (said["state"], said["what"], len(said["choices"])) == ("choose", "folder", 3)
    assert ws.accounts.connections.names() == []
    chosen = said["choices"][1]["id"]
    ids = [one["id"] for one in said["choices"]] + [1]
    sizes = [wizard.answer("size", typed(account=said["account"], folder=one))["contacts"] for one in ids]
    assert sizes[0] > 0
    assert sizes[1:] == [0, 0, None]  # an empty folder is one; what cannot be read is not
    done = wizard.answer("try", typed(folder=chosen))
    assert done["state"] == "done"
    assert ws.connection("acme").client_folder_id == chosen


def test_blanks_that_came_along_are_said(ws: Workspace, typed: Any, agency: SandboxProcess) -> None:
    said = ws.connect().answer("try", typed(username=f"{agency.username} "))
    assert said["notes"] == ["a blank at the end of the user name was taken off"]


def test_new_credentials_of_a_saved_one_may_leave_blank_what_stays(
    ws: Workspace, typed: Any, agency: SandboxProcess
) -> None:
    folder = agency.client_folder_id
    assert ws.connect().answer("try", typed(folder=folder))["state"] == "done"
    update = ws.connect("acme", update=True)
    assert update.answer("try", {"label": "acme", "password": agency.password})["state"] == "done"
    assert update.answer("try", {"label": "acme", "password": "wrong"})["state"] == "refused"
    assert ws.accounts.login(ws.connection("acme")).password.reveal() == agency.password


def test_another_folder_asks_for_the_name_and_says_what_is_dropped(
    ws: Workspace, typed: Any, agency: SandboxProcess
) -> None:
    wizard = ws.connect()
    assert wizard.answer("try", typed(folder=agency.client_folder_id))["state"] == "done"
    ws.pull("acme", contacts_only=True)
    other = next(
        one["id"]
        for one in wizard.answer("try", typed(label="b"))["choices"]
        if one["id"] != agency.client_folder_id
    )
    said = wizard.answer("try", typed(folder=other))
    assert said.get("state") == "other", said
    assert said["holds"]["contacts"] > 0
    assert ws.connection("acme").client_folder_id == agency.client_folder_id
    assert wizard.answer("try", typed(folder=other, confirm="acm"))["state"] == "other"
    assert wizard.answer("try", typed(folder=other, confirm="acme"))["state"] == "done"
    assert ws.connection("acme").client_folder_id == other


def test_a_login_that_stopped_working_is_told_step_by_step(
    ws: Workspace, typed: Any, agency: SandboxProcess
) -> None:
    wizard = ws.connect()
    wizard.answer("try", typed(folder=agency.client_folder_id))
    assert wizard.answer("diagnose", {"label": "acme"})["state"] == "good"
    assert wizard.answer("diagnose", {"label": "nobody"})["error"]["code"] == "connection-name"


def test_what_is_missing_is_asked_for_before_anything_is_sent(ws: Workspace) -> None:
    said = ws.connect().answer("try", {"label": "acme", "username": "ada@example.com"})
    assert said["error"]["message"] == "An application id and the API password are needed."
    assert said["error"]["kept"] == "nothing was sent or saved"


def test_no_secret_is_state(ws: Workspace, typed: Any, agency: SandboxProcess) -> None:
    wizard = ws.connect()
    wizard.answer("try", typed(folder=agency.client_folder_id))
    wizard.answer("try", typed(password="wrong"))
    kept = json.dumps(wizard.get_state(), default=str) + repr(wizard) + str(wizard.static_html())
    for secret in (agency.password, agency.app_id):
        assert secret not in kept


@pytest.mark.parametrize("label", ["", "../up", "a b", "icx"])
def test_a_label_that_is_no_name_starts_nothing(ws: Workspace, label: str) -> None:
    before = sorted(ws.layout.root.parent.rglob("*.sqlite"))
    said = ws.connect().answer("simulate", {"label": label})
    assert said["error"]["code"] == "connection-name", said
    assert sorted(ws.layout.root.parent.rglob("*.sqlite")) == before


def test_a_key_of_mailchimp_asks_which_audience_and_is_no_state(ws: Workspace) -> None:
    with serving() as twin:
        first, second = twin.state.audience("Newsletter", double_optin=True), twin.state.audience("Second")
        wizard = ws.connect()
        given = {"label": "news", "key": f"{KEY}\n", "base_url": f"{twin.url}/3.0"}
        assert wizard.answer("mailchimp", given | {"key": " "})["problem"]["message"] == "The key is needed."
        wrong = wizard.answer("mailchimp", given | {"key": f"{KEY[:-6]}0000-us1"})
        assert (wrong["state"], wrong["problem"]["code"]) == ("refused", "login-refused")
        asked = wizard.answer("mailchimp", given)
        assert (asked["state"], asked["what"]) == ("choose", "audience")
        assert {one["id"]: one["name"] for one in asked["choices"]} == {
            first.id: "Newsletter",
            second.id: "Second",
        }
        assert ws.accounts.connections.names() == []
        done = wizard.answer("mailchimp", given | {"audience": first.id})
        assert done["state"] == "done"
        assert "0 subscribed members · it asks each new member to confirm" in done["lines"]
        assert ws.connection("news").options["audience"] == first.id
        other = wizard.answer("mailchimp", given | {"audience": second.id})
        assert (other["state"], other["holds"]["contacts"]) == ("other", 0)
        assert (
            wizard.answer("mailchimp", given | {"audience": second.id, "confirm": "news"})["state"] == "done"
        )
        assert ws.connection("news").options["audience"] == second.id
        kept = json.dumps([wizard.get_state(), wrong, asked, done], default=str)
        assert KEY[:32] not in kept + repr(wizard) + str(wizard.static_html())
