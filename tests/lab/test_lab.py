"""What an analyst does, by hand, in real JupyterLab: connect, choose by clicks, push, watch, write a field, map one.

One file, so that one JupyterLab, one Chromium and one workspace that is ready serve all of it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lab
import pytest
import requests
from bare import tab_to
from playwright.sync_api import Browser, expect

from icx.sandbox.process import SandboxProcess
from icx.workspace import Workspace

pytestmark = pytest.mark.browser

OPENED = "import icx\nws = icx.open('held')"
PUSH = """import time
from icx.store.activity import Activity
plan = ws.plan("Watched", to="acme/lists/Watched", create=True)
answers = {stop.key: stop.confirm for stop in plan.stops}
states = [ws.apply(plan, answers=answers).state]
while Activity(ws.journal).paused():
    time.sleep(0.1)
print(*states, ws.apply(plan).state)"""


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
        [OPENED, "builder = ws.builder()\nbuilder"],
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
            OPENED,
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
    cells = [OPENED, "builder = ws.builder()\nbuilder"]
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


def slow(service: SandboxProcess, match: str, seconds: float, times: int) -> None:
    """Let the next answers of one kind come late, and no others."""
    order = [{"match": match, "fault": "slow", "seconds": seconds, "times": times}]
    requests.delete(f"{service.control_url}/faults", timeout=10).raise_for_status()
    requests.post(f"{service.control_url}/faults", json=order, timeout=10).raise_for_status()


def refuse(account: Path, list_name: str, contacts: Sequence[int]) -> None:
    """Let the service alone know that these people left a list: it refuses them, and no reading told of it."""
    with sqlite3.connect(account, timeout=30) as db:
        ((list_id, folder),) = db.execute("select list_id, folder_id from lists where name = ?", (list_name,))
        db.execute("delete from departures where list_id = ?", (list_id,))
        db.executemany(
            "insert into departures (folder_id, address, list_id, state, contact_id, happened)"
            " select ?, lower(email), ?, 'unsubscribed', contact_id, 0 from contacts where contact_id = ?",
            [(folder, list_id, one) for one in contacts],
        )


@pytest.mark.slow  # a minute: two kernels, a pull slow enough to be stopped twice, two plans
def test_the_monitor_of_one_kernel_stops_pauses_and_tries_again_what_another_does(
    server: lab.Server, browser: Browser, service: SandboxProcess, account: Path, held: Path
) -> None:
    """A pull ends after its page by a click in the monitor, then by one in its own cell; a push rests and goes on."""
    lab.written(server.folder, "work.ipynb", [OPENED, "report = ws.pull('acme', full=True)", PUSH])
    lab.written(server.folder, "watch.ipynb", [OPENED, "ws.monitor()"])
    with Workspace(held) as ws:
        audience = ws.audience("Watched", ws.fields.ic_status == "normal")
        refused = sorted(audience.of(ws.people("acme")).members())[:2]
        with ws.client("acme") as client:
            client.create("lists", [{"name": "Watched", "emailOwnerOnChange": 0}])
    refuse(account, "Watched", refused)
    with (
        lab.opened(server, browser, "watch.ipynb") as watch,
        lab.opened(server, browser, "work.ipynb") as work,
    ):
        watch.run_all()
        monitor = watch.output(1).get_by_role("region", name="Activity")
        stopped = work.output(1).get_by_text("What landed is kept; the same call goes on.")

        slow(service, "GET /messages/*/", 2, 12)
        work.begin()
        expect(work.output(1).get_by_role("region", name="Pulling acme")).to_be_visible()
        monitor.get_by_role("button", name="Stop after this page: pull acme").click()
        expect(stopped).to_be_visible()
        expect(work.output(1).get_by_text("was stopped after its page").first).to_be_visible()
        expect(work.output(1).get_by_text("Traceback")).to_have_count(0)
        work.idle()

        slow(service, "GET /messages/*/", 2, 12)
        work.begin()
        expect(stopped).to_have_count(0)
        work.output(1).get_by_role("button", name="Stop after this page").click()
        expect(stopped).to_be_visible()
        work.shot("lab-stopped")
        work.idle()

        slow(service, "POST /subscriptions", 1, 8)
        work.begin()
        expect(monitor.get_by_text("adding, ").first).to_be_visible()
        monitor.get_by_role("button", name="Pause all pushes").click()
        expect(monitor.get_by_text("stopped before its end")).to_be_visible()
        watch.shot("lab-monitor")
        monitor.get_by_role("button", name="Resume all pushes").click()
        expect(work.output(2).get_by_text("stopped finished")).to_be_visible()

        failed = monitor.get_by_role("region", name="Rows that failed")
        for contact in refused:
            expect(failed.get_by_text(f"#{contact}")).to_be_visible()
        failed.get_by_role("button", name="Show").click()
        expect(failed.get_by_text("addresses shown")).to_be_visible()
        refuse(account, "Watched", [])
        failed.get_by_role("button", name=re.compile("^Try 2 again: P-")).click()
        plan = monitor.get_by_role("region", name=re.compile(r"^Plan P-\d+$")).first
        expect(plan.get_by_text("Nothing has been sent")).to_be_visible()
        watch.shot("lab-again")
        plan.get_by_role("button", name="Apply: add 2").click()
        expect(plan.get_by_text("Done, verified")).to_be_visible()
        expect(monitor.get_by_text("None: no row of the last pushes")).to_be_visible()
        watch.save()
        work.save()
        assert watch.left + work.left == []
    assert set(refused) <= on_the_list(held, "Watched")


@pytest.mark.slow  # its clicks are tried in a bare page too
def test_a_field_is_found_and_one_of_her_own_is_seen_before_it_is_saved(
    server: lab.Server, browser: Browser, held: Path
) -> None:
    lab.written(server.folder, "fields.ipynb", [OPENED, "ws.browse_fields()"])
    with lab.opened(server, browser, "fields.ipynb") as notebook:
        notebook.run_all()
        fields = notebook.output(1).get_by_role("region", name="Fields")
        fields.get_by_role("searchbox", name="Search fields").fill("city")
        fields.get_by_role("button", name="city", exact=True).click()
        values = fields.get_by_role("region", name="Field city")
        expect(values.get_by_role("img", name=re.compile(r"^Raleigh: \d+ of 300$"))).to_be_visible()
        fields.get_by_role("button", name="New field").click()
        new = fields.get_by_role("region", name="New field")
        new.get_by_label("Name", exact=True).fill("reads_90d")
        new.get_by_label("What it says").fill("opens and clicks in 90 days")
        new.get_by_label("SQL").fill("opens_90d + clicks_9d")
        new.get_by_role("button", name="Show its values").click()
        expect(new.get_by_role("alert").get_by_text("clicks_9d").first).to_be_visible()
        expect(new.get_by_role("button", name="Save field")).to_be_disabled()
        new.get_by_label("SQL").fill("opens_90d + clicks_90d")
        new.get_by_role("button", name="Show its values").click()
        expect(new.get_by_text("Not saved yet.")).to_be_visible()
        expect(new.get_by_text("filled", exact=True)).to_be_visible()
        notebook.shot("lab-fields")
        assert not (held / "data/fields/reads_90d.sql").exists()
        new.get_by_role("button", name="Save field").click()
        expect(fields.get_by_text("Saved data/fields/reads_90d.sql.")).to_be_visible()
        notebook.save()
        assert notebook.left == []
    assert "opens_90d + clicks_90d" in (held / "data/fields/reads_90d.sql").read_text()


def test_a_mapping_is_mended_beside_its_row_and_travels_with_the_plan(
    server: lab.Server, browser: Browser, held: Path
) -> None:
    with Workspace(held) as ws:
        ws.audience("Mapped", ws.fields.city.is_in("Durham", "Winston-Salem", "Raleigh"))
    cells = [
        OPENED,
        "editor = ws.mapping('Mapped', 'acme/lists/Mapped')\neditor",
        "plan = ws.plan('Mapped', 'acme/lists/Mapped', create=True, policy=editor.policy)\nplan",
    ]
    lab.written(server.folder, "mapping.ipynb", cells)
    with lab.opened(server, browser, "mapping.ipynb") as notebook:
        notebook.run(0)
        notebook.run(1)
        editor = notebook.output(1).get_by_role("region", name="Field mapping")
        editor.get_by_role("button", name="Field", exact=True).click()
        row = editor.get_by_role("group", name="Row 1")
        row.get_by_role("combobox", name="iContact's field, row 1").select_option("state")
        row.get_by_role("combobox", name="Field of the profile, row 1").select_option("email")
        expect(row.get_by_role("alert").get_by_text("iContact takes 10")).to_be_visible()
        expect(editor.get_by_text("1 to fix").first).to_be_visible()  # and it is said to screen readers
        notebook.shot("lab-mapping")
        row.get_by_role("combobox", name="Field of the profile, row 1").select_option("city")
        row.get_by_role("combobox", name="iContact's field, row 1").select_option("city")
        expect(editor.get_by_text("1 field travels")).to_be_visible()
        notebook.run(2)
        expect(notebook.output(2).get_by_text("Nothing has been sent")).to_be_visible()
        notebook.save()
        assert notebook.left == []
    with Workspace(held) as ws:
        (line,) = ws.plans()[0].policy.mapping
        assert (line.column, line.field) == ("city", "city")
