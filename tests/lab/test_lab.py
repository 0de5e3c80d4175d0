"""What an analyst does, by hand, in real JupyterLab: connect, choose by clicks, push, and go on after a restart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import lab
import pytest
from bare import tab_to
from playwright.sync_api import Browser, expect

from icx.sandbox.process import SandboxProcess
from icx.workspace import Workspace

pytestmark = pytest.mark.browser


def test_an_account_is_connected_by_clicks_and_no_secret_is_in_the_notebook(
    server: lab.Server, browser: Browser, service: SandboxProcess
) -> None:
    lab.written(server.folder, "connect.ipynb", ["import icx\nws = icx.open('clicked')", "ws.connect()"])
    with lab.opened(server, browser, "connect.ipynb") as notebook:
        notebook.run_all()
        wizard = notebook.output(1).get_by_role("region", name="Connect")
        wizard.get_by_role("button", name="iContact e-mail marketing service").click()
        wizard.get_by_role("button", name="I have the three values").click()
        wizard.get_by_label("Label", exact=True).fill("acme")
        wizard.get_by_label("Application id", exact=True).fill(service.app_id)
        wizard.get_by_label("User name", exact=True).fill(service.username)
        wizard.get_by_label("API password", exact=True).fill(service.password)
        wizard.get_by_text("Another address").click()
        wizard.get_by_label("Service address").fill(service.base_url)
        wizard.get_by_role("button", name="Check these values").click()
        wizard.get_by_role("radio", name="Main").check()
        wizard.get_by_role("button", name="Use “Main”").click()
        expect(wizard.get_by_role("heading", name="Saved acme")).to_be_visible()
        notebook.shot("lab-connect")
        saved = notebook.save()
        assert notebook.left == []
    assert (server.folder / "clicked/data/connections/acme.json").exists()
    shown = saved.cells[1].outputs[0]["data"]
    assert {"text/html", "application/vnd.jupyter.widget-view+json"} <= set(shown)
    assert service.password not in json.dumps(saved)
    assert service.app_id not in json.dumps(saved)


def on_the_list(folder: Path, name: str) -> set[int]:
    """Who is a member of a list, as the service itself says."""
    with Workspace(folder) as ws, ws.client("acme") as client:
        (found,) = [row["listId"] for row in client.rows("lists") if row["name"] == name]
        rows = client.rows("subscriptions", listId=found)
        return {row["contactId"] for row in rows if row["status"] == "normal" and row["listId"] == found}


def compose(builder: Any) -> None:
    """Click the rule together: opened in a year, and lives in one of two cities."""
    builder.get_by_role("button", name="Rule", exact=True).click()
    builder.get_by_role("combobox", name="Field, rule 1: new").select_option("@event.open")
    builder.get_by_role("textbox", name="Days, rule 1: Opened").fill("365")
    builder.get_by_role("button", name="Rule", exact=True).click()
    builder.get_by_role("combobox", name="Field, rule 2: new").select_option("city")
    builder.get_by_role("button", name="Add a value, rule 2: City").click()
    builder.get_by_role("checkbox", name="Durham", exact=True).check()
    builder.get_by_role("checkbox", name="Raleigh", exact=True).check()
    builder.get_by_role("button", name="Done").click()


def test_an_audience_is_clicked_pushed_and_found_on_the_list(
    server: lab.Server, browser: Browser, held: Path
) -> None:
    """Clicked and typed are one; a kernel restarted in the middle loses nothing; the list is what the plan said."""
    lab.written(
        server.folder,
        "clicked.ipynb",
        ["import icx\nws = icx.open('held')", "builder = ws.builder()\nbuilder"],
    )
    with lab.opened(server, browser, "clicked.ipynb") as notebook:
        notebook.run_all()
        builder = notebook.output(1).locator(".icx").first
        compose(builder)
        expect(builder.get_by_text("In the audience", exact=True)).to_be_visible()
        notebook.restart()
        expect(builder.get_by_text("The kernel was restarted")).to_be_visible()
        notebook.shot("lab-restarted")
        days = builder.get_by_role("textbox", name="Days, rule 1: Opened")
        days.fill("364")
        days.press("Enter")
        expect(days).to_have_value("364")
        notebook.run_all()  # a new kernel: the rule is clicked together again, on the same page
        builder = notebook.output(1).locator(".icx").first
        compose(builder)
        builder.get_by_role("button", name="Save as…").click()
        dialog = builder.get_by_role("dialog", name="Save as")
        dialog.get_by_role("textbox").first.fill("Clicked")
        dialog.get_by_role("button", name="Save audience").click()
        expect(builder.get_by_text("saved", exact=True)).to_be_visible()
        notebook.shot("lab-builder")
        notebook.save()
        assert notebook.left == []
    with Workspace(held) as ws:
        f = ws.fields
        typed = f.opened(1, days=365) & f.city.is_in("Durham", "Raleigh")
        clicked = ws.audience("Clicked")
        assert clicked.rule == typed
        assert clicked.count().count > 0


def test_a_plan_is_read_confirmed_and_applied_by_clicks(
    server: lab.Server, browser: Browser, held: Path
) -> None:
    with Workspace(held) as ws:
        f = ws.fields
        wanted = ws.audience("Pushed", f.opened(1, days=365))
    lab.written(
        server.folder,
        "push.ipynb",
        [
            "import icx\nws = icx.open('held')",
            "plan = ws.plan('Pushed', to='acme/lists/Newcomers', create=True)\nplan",
        ],
    )
    with lab.opened(server, browser, "push.ipynb") as notebook:
        notebook.run_all()
        view = notebook.output(1).locator(".icx").first
        expect(view.get_by_text("Nothing has been sent")).to_be_visible()
        apply = view.get_by_role("button", name="Apply: add")
        expect(apply).to_be_disabled()
        for box in view.get_by_role("checkbox").all():
            box.check()
        for number in view.get_by_label(re.compile(r"^Type ")).all():
            label = number.evaluate("each => each.labels[0].textContent")
            number.fill(label.removeprefix("Type ").strip())
        notebook.shot("lab-plan")
        apply.click()
        expect(view.get_by_role("button", name="Plan the reverse…")).to_be_visible()
        notebook.shot("lab-applied")
        notebook.save()
        assert notebook.left == []
    with Workspace(held) as ws:
        plan = ws.plans()[0]
        members = on_the_list(held, "Newcomers")
        assert len(members) == plan.counts.add
        assert members <= set(wanted.of(ws.people("acme")).members())


def test_an_audience_is_built_by_keyboard_in_the_dark_theme(
    server: lab.Server, browser: Browser, held: Path
) -> None:
    """No mouse; what is typed in the widget stays there: `d d` would delete the notebook's cell."""
    cells = ["import icx\nws = icx.open('held')", "builder = ws.builder()\nbuilder"]
    lab.written(server.folder, "dark.ipynb", cells)
    with (
        server.themed("JupyterLab Dark"),
        lab.opened(server, browser, "dark.ipynb", width=1000) as notebook,
    ):
        notebook.run_all()
        page, keys = notebook.page, notebook.page.keyboard
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        builder = notebook.output(1).locator(".icx").first
        builder.get_by_role("combobox", name="Combine all rules").focus()
        tab_to(page, "Rule")
        keys.press("Enter")
        field = builder.get_by_role("combobox", name="Field, rule 1: new")
        expect(field).to_be_focused()
        keys.type("City")
        tab_to(page, "Add a value, rule 1: City")
        keys.press("Enter")
        expect(builder.get_by_role("searchbox")).to_be_focused()
        keys.type("dd")
        assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
        keys.press("Backspace")
        keys.type("urham")
        box = builder.get_by_role("checkbox", name="Durham", exact=True)
        expect(box).to_be_visible()
        tab_to(page, "Durham")
        keys.press("Space")
        expect(box).to_be_checked()
        tab_to(page, "Done")
        keys.press("Enter")
        expect(builder.get_by_text("city is Durham")).to_be_visible()
        notebook.shot("lab-dark")
        keys.press("Control+z")
        expect(builder.get_by_text("city is Durham")).to_have_count(0)
        assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
        assert notebook.left == []
