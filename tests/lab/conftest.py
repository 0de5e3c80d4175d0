"""One JupyterLab, one simulated account and one workspace that is ready, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lab
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from icx.connections.login import Login
from icx.sandbox.process import SandboxProcess, start
from icx.workspace import Workspace

expect.set_options(timeout=60_000)  # a step may wait for a kernel that is busy


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a file: while Playwright is there, `asyncio.run` of other files would fail."""
    with sync_playwright() as playwright, lab.chromium_of(playwright) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Server]:
    with lab.server(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulated service keeps its account."""
    return tmp_path_factory.mktemp("service") / "account.sqlite"


@pytest.fixture(scope="session")
def service(account: Path) -> Iterator[SandboxProcess]:
    """A simulated account of two client folders, outside of the workspace as the real one is."""
    with start(contacts=300, messages=12, folders=2, app_id="a" * 32, state=account) as running:
        yield running


@pytest.fixture(scope="session")
def held(server: lab.Server, service: SandboxProcess) -> Path:
    """A workspace that is connected, pulled, built and checked; a push takes several batches."""
    folder = server.folder / "held"
    folder.mkdir()
    (folder / "icx.toml").write_text("batch_size = 20\n")
    with Workspace(folder) as ws:
        login = Login.clean(service.app_id, service.username, service.password, service.base_url)
        ws.accounts.connect("acme", login, folder=service.client_folder_id)
        ws.pull("acme")
        ws.build("acme")
        ws.checks(name="acme")
    return folder
