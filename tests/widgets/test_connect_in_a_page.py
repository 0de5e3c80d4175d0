"""The connection wizard in real Chromium: by hand, by keyboard, and with names that would like to be code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bare import Bare, View, bare, browser
from mailchimp_twin import serving
from mailchimp_twin.state import KEY
from playwright.sync_api import expect
from typing_commands import no_keyring

from icx.connections.base import LINK, PATH
from icx.sandbox.process import SandboxProcess, start
from icx.widgets.base import module
from icx.widgets.connect import KINDS
from icx.workspace import Workspace

pytestmark = pytest.mark.browser
__all__ = ["bare", "browser", "no_keyring"]

EVIL = """<img src=x onerror="hit()">'"<b>bold</b>"""
FORM = {
    "kinds": list(KINDS),
    "link": LINK,
    "path": PATH,
    "start": "new",
    "label": "",
}
STEPS = ("service", "login", "account", "folder", "rights")


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    state = tmp_path_factory.mktemp("agency") / "account.sqlite"
    with start(contacts=20, messages=2, folders=3, app_id="a" * 32, state=state) as sandbox:
        yield sandbox


def steps(good: int, then: str, text: str) -> list[dict[str, Any]]:
    states = ["good"] * good + [then] + ["not tried"] * (4 - good)
    return [{"name": name, "state": state, "text": text} for name, state in zip(STEPS, states, strict=True)]


def fill(view: View, agency: SandboxProcess, **other: str) -> None:
    values = {
        "Label": "acme",
        "Application id": agency.app_id,
        "User name": agency.username,
        "API password": agency.password,
    }
    for label, value in (values | other).items():
        view.page.get_by_label(label, exact=True).fill(value)


def to_credentials(view: View) -> None:
    view.page.get_by_label("Search kinds of system").fill("icon")
    view.page.get_by_role("button", name="iContact e-mail marketing service").click()
    view.page.get_by_role("button", name="I have the three values").click()


def test_a_login_is_tried_mended_chosen_and_saved_by_hand(
    bare: Bare, agency: SandboxProcess, tmp_path: Path, no_keyring: None
) -> None:
    with Workspace(tmp_path / "workspace") as ws:
        view = bare(module("connect"), widget=ws.connect())
        to_credentials(view)
        view.page.get_by_text("Another address").click()
        view.page.get_by_label("Service address").fill(agency.base_url)
        fill(view, agency, **{"API password": "wrong"})
        view.shot("connect-filled")
        view.page.get_by_role("button", name="Check these values").click()
        alert = view.page.get_by_role("alert")
        view.until(lambda: alert.count() == 1)
        expect(alert).to_contain_text("iContact refused this login (401). Nothing was saved.")
        view.shot("connect-refused")
        assert ws.accounts.connections.names() == []
        view.page.get_by_label("API password", exact=True).fill(agency.password)
        view.page.get_by_role("button", name="Check again").click()
        folders = view.page.get_by_role("radiogroup", name="Client folder")
        view.until(lambda: folders.count() == 1)
        assert folders.get_by_role("radio").count() == 3
        view.until(lambda: folders.get_by_text(re.compile(r"\d contacts?$")).count() == 3)
        assert view.page.get_by_role("button", name="Use this folder").is_disabled()
        folders.get_by_role("radio").nth(1).check()
        view.shot("connect-choose")
        view.page.get_by_role("button", name="Use “").click()
        heading = view.page.get_by_role("heading", name="Saved acme")
        view.until(lambda: heading.count() == 1)
        view.shot("connect-saved")
        assert ws.connection("acme").company
        assert agency.password not in json.dumps(view.saved) + view.page.content()
        assert view.quiet()


def test_by_keyboard_alone(bare: Bare) -> None:
    view = bare(
        module("connect"),
        {"form": FORM},
        answers={
            "saved": {"saved": []},
            "try": {
                "state": "refused",
                "steps": [],
                "notes": [],
                "problem": {
                    "code": "service-unreachable",
                    "message": "iContact does not answer.",
                    "where": "GET /time",
                    "kept": "nothing was saved",
                    "next": "check the network",
                },
            },
        },
    )
    view.page.get_by_label("Search kinds of system").focus()
    keys = view.page.keyboard
    keys.type("icont")
    keys.press("Enter")
    keys.press("ArrowDown")
    expect(view.page.get_by_role("radio", name="One that somebody gave me")).to_be_checked()
    view.tab_to("I have the three values")
    keys.press("Enter")
    expect(view.page.get_by_label("Label", exact=True)).to_be_focused()
    for word in ("acme", "", "id", "ada@example.com"):
        keys.type(word)
        keys.press("Tab")
        if word == "ada@example.com":
            expect(view.page.get_by_label("API password", exact=True)).to_be_focused()
    keys.type("made-up")
    keys.press("Enter")
    view.until(lambda: view.questions("try"))
    expect(view.page.get_by_role("alert")).to_contain_text("iContact does not answer.")
    expect(view.page.get_by_role("button", name="Check again")).to_be_focused()
    assert view.heard_keys.count("a") == 0  # plain keys stay in the widget
    assert view.nameless() == []


@pytest.mark.parametrize(("width", "theme"), [(1000, "light"), (480, "dark")])
def test_every_state_reads_and_fits(bare: Bare, width: int, theme: str) -> None:
    saved = [
        {
            "name": "acme",
            "kind": "icontact",
            "company": EVIL,
            "account_id": 41733,
            "folder": EVIL * 2,
            "client_folder_id": 8021,
            "contacts_only": False,
            "username": "m…@e….com",
            "description": "",
        }
    ]
    problem = {"code": "other-account", "message": f"acme holds {EVIL}", "where": "", "kept": "", "next": ""}
    answers: list[dict[str, Any]] = [
        {
            "state": "refused",
            "steps": steps(1, "refused", "401"),
            "notes": [],
            "problem": problem | {"code": "login-refused"},
        },
        {
            "state": "choose",
            "steps": steps(3, "asks", "3"),
            "notes": [],
            "what": "folder",
            "words": "3 folders",
            "choices": [{"id": n, "name": EVIL * 3} for n in range(1, 4)],
        },
        {"state": "contacts_only", "steps": steps(4, "refused", "403"), "notes": [], "problem": problem},
        {
            "state": "other",
            "steps": steps(4, "good", "x" * 200),
            "notes": [],
            "problem": problem,
            "holds": {"contacts": 12904, "messages": 31},
        },
    ]
    for at, answer in enumerate(answers):
        view = bare(
            module("connect"),
            {"form": FORM | {"start": "update", "label": "acme"}},
            answers={"saved": {"saved": saved}, "try": answer},
            theme=theme,
            width=width,
        )
        expect(view.page.get_by_text("left blank: as saved").first).to_be_visible()
        view.page.get_by_role("button", name="Check and save").click()
        shown = view.page.get_by_role("list", name="Live check").or_(
            view.page.get_by_label("Type acme to drop it")
        )
        expect(shown).to_be_visible()
        view.shot(f"connect-{answer['state']}-{theme}-{at}")
        assert view.sticks_out() <= 0, answer["state"]
        ratio, text = view.faintest()
        assert ratio >= 4.5, (answer["state"], text)
        assert view.small_targets() == []
        assert view.quiet(), (view.faults, view.network)


def test_a_table_is_connected_by_naming_its_columns(bare: Bare, tmp_path: Path, no_keyring: None) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("nr,mail,tier\n1,ada@example.com,gold\n2,,basic\n")
    with Workspace(tmp_path / "workspace") as ws:
        wizard = ws.connect()
        view = bare(module("connect"), widget=wizard)
        view.page.get_by_label("Search kinds of system").fill("parquet")
        view.page.get_by_label("Search kinds of system").press("Enter")
        view.page.get_by_label("Label", exact=True).fill("shop")
        view.page.get_by_label("Table", exact=True).fill(str(path))
        view.page.get_by_role("button", name="Read and save").click()
        view.until(lambda: view.page.get_by_text("its columns are nr, mail, tier").count())
        assert ws.accounts.connections.names() == []
        view.page.get_by_label("Column that tells rows apart").fill("nr")
        view.page.get_by_label("Columns icx may write").fill("tier")
        view.page.get_by_role("button", name="Read and save").click()
        view.until(lambda: view.page.get_by_text("Saved shop").count())
        assert view.page.get_by_text("1 row without an address: matched with nobody").count()
        assert "ada@" not in view.page.content()
        assert ws.system("shop").can == frozenset()
        assert [column.name for column in ws.system("shop").schema() if column.writable] == ["tier"]
        view.shot("connect-table")


def test_a_key_of_mailchimp_is_typed_hidden_and_an_audience_is_picked(
    bare: Bare, tmp_path: Path, no_keyring: None
) -> None:
    with serving() as twin, Workspace(tmp_path / "workspace") as ws:
        twin.state.audience("Newsletter")
        second = twin.state.audience(EVIL)
        view = bare(module("connect"), widget=ws.connect(), width=480)
        page = view.page
        page.get_by_label("Search kinds of system").fill("chimp")
        page.get_by_label("Search kinds of system").press("Enter")
        page.get_by_text("The account is somebody else's").click()
        expect(page.get_by_text("icx connect news --mailchimp --oauth CLIENT_ID")).to_be_visible()
        view.shot("connect-mailchimp-key")
        page.get_by_role("button", name="I have the key").click()
        page.get_by_label("Label", exact=True).fill("news")
        page.get_by_text("Another address").click()
        page.get_by_label("Service address").fill(f"{twin.url}/3.0")
        key = page.get_by_label("API key", exact=True)
        assert key.get_attribute("type") == "password"
        key.fill(f"{KEY[:-6]}0000-us1")
        page.get_by_role("button", name="Check this key").click()
        view.until(lambda: page.get_by_role("alert").count())
        expect(page.get_by_role("alert")).not_to_contain_text("iContact")
        view.shot("connect-mailchimp-refused")
        key.fill(KEY)
        page.get_by_role("button", name="Check again").click()
        audiences = page.get_by_role("radiogroup", name="Audience")
        view.until(audiences.count)
        audiences.get_by_role("radio").nth(1).check()
        view.shot("connect-mailchimp-choose")
        assert view.sticks_out() <= 0
        assert ws.accounts.connections.names() == []
        page.get_by_role("button", name="Use “").click()
        view.until(page.get_by_role("heading", name="Saved news").count)
        view.shot("connect-mailchimp-saved")
        assert ws.connection("news").options["audience"] == second.id
        assert page.get_by_text('ws.pull("news")').count()
        state = json.dumps([view.saved, page.evaluate("model.traits")])
        assert KEY[:32] not in state + page.content()
        assert view.quiet()
