"""What an analyst does, by hand, in real JupyterLab: connect, choose by clicks, push, and go on after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator

import lab
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from icx.sandbox.process import SandboxProcess, start

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)  # a step may wait for a kernel that is busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, lab.chromium_of(playwright) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Server]:
    with lab.server(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A simulated account of two client folders, outside of the workspace as the real one is."""
    state = tmp_path_factory.mktemp("service") / "account.sqlite"
    with start(contacts=300, messages=12, folders=2, app_id="a" * 32, state=state) as running:
        yield running


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
