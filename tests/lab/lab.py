"""Real JupyterLab in real Chromium: a notebook of given cells, run by the keyboard, its outputs found by role and name."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from bare import QUIET
from playwright.sync_api import Browser, Locator, Page, Playwright

from icx.jobs.books import nbformat

# Lab asks for news and updates unless told not to; a person's own Lab may, a test's may not. Widgets are saved with
# the notebook, as somebody may have set it who sends notebooks around.
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}
THEMES = "@jupyterlab/apputils-extension/themes"
ADDRESS = re.compile(r"[\w.+-]+@(?:[\w-]+\.)*example\.\w+")


@dataclass
class Server:
    """A running JupyterLab: its address with the token, and the folder it shows."""

    address: str
    token: str
    folder: Path

    def api(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(
            method,
            f"{self.address}/api/{path}",
            headers={"Authorization": f"token {self.token}"},
            json=body,
            timeout=60,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    @contextmanager
    def themed(self, theme: str) -> Iterator[None]:
        """Let pages that are opened in the block have another theme."""
        setting(self.folder, THEMES, {"theme": theme})
        yield
        setting(self.folder, THEMES, {"theme": "JupyterLab Light"})


def setting(folder: Path, name: str, values: dict[str, Any]) -> None:
    """Write one of JupyterLab's settings, as its own editor would; a page reads it when it is opened."""
    file = folder / ".jupyter" / "lab" / "user-settings" / f"{name}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values))


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Start JupyterLab on a folder, with settings of its own; ends with the block."""
    home = folder / ".jupyter"
    for name, values in (SETTINGS | {THEMES: {"theme": "JupyterLab Light"}}).items():
        setting(folder, name, values)
    token = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "lab" / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "lab" / "workspaces"),
        "JUPYTER_PLATFORM_DIRS": "0",
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
    }
    words = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0",
        "--LabApp.collaborative=False", "--ServerApp.open_browser=False", "--ServerApp.terminals_enabled=False",
    ]  # fmt: skip
    log = (home / "log.txt").open("w")
    process = subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        found = Server(f"http://127.0.0.1:{port}", token, folder)
        end = time.monotonic() + 90
        while True:
            try:
                found.api("GET", "status")
                break
            except requests.RequestException:
                assert process.poll() is None, (home / "log.txt").read_text()
                assert time.monotonic() < end, (home / "log.txt").read_text()
                time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


@dataclass
class Notebook:
    """A notebook open in JupyterLab."""

    server: Server
    page: Page
    name: str
    left: list[str] = field(default_factory=list)
    """Requests that left this machine; expect none."""

    def cell(self, at: int) -> Locator:
        """Return a code cell, with its input and its output."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(at)

    def output(self, at: int) -> Locator:
        """Return what a cell shows."""
        return self.cell(at).locator(".jp-OutputArea")

    def run_all(self, seconds: float = 120) -> None:
        """Run every cell and wait for the last to be done."""
        self.begin()
        self.done(seconds)

    def begin(self) -> None:
        """Run every cell; the test goes on meanwhile."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def run(self, at: int) -> None:
        """Run one cell by the keyboard, as somebody who reads on does."""
        self.cell(at).get_by_role("textbox").click()
        self.page.keyboard.press("Control+Enter")

    def done(self, seconds: float = 120) -> None:
        """Wait until no cell is waiting or running."""
        end = time.monotonic() + seconds
        time.sleep(0.3)
        while True:
            marks = self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_text_contents()
            if marks and not any(mark.strip() in {"[*]:", "[ ]:"} for mark in marks):
                return
            assert time.monotonic() < end, marks
            time.sleep(0.2)

    def restart(self) -> None:
        """Restart the kernel by its menu, and wait for the new one."""
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
        self.page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel has nothing to do, also when a cell ended with an error."""
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()

    def save(self) -> nbformat.NotebookNode:
        """Save the notebook with its widgets, and return what the file holds: nobody's address is in it."""
        file = self.server.folder / self.name
        before = file.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")
        end = time.monotonic() + 20
        while file.stat().st_mtime_ns == before:
            assert time.monotonic() < end, "the notebook was not saved"
            time.sleep(0.1)
        time.sleep(0.3)
        text = file.read_text(encoding="utf-8")
        assert not (found := ADDRESS.search(text)), found
        saved = nbformat.reads(text, as_version=4)
        assert "application/vnd.jupyter.widget-state+json" in saved.metadata.widgets, "no widget was saved"
        return saved

    def shot(self, name: str) -> None:
        """Keep a picture to look at, when a folder for them is named."""
        if folder := os.environ.get("ICX_SHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def written(folder: Path, name: str, cells: Sequence[str]) -> Path:
    """Write a notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    file = folder / name
    nbformat.write(made, file)
    return file


@contextmanager
def opened(
    running: Server, browser: Browser, name: str, *, width: int = 1280, height: int = 1400
) -> Iterator[Notebook]:
    """Open a notebook whose kernel runs already: one that Lab still starts loses what is typed meanwhile."""
    wanted = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
    session = running.api("POST", "sessions", wanted)
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(60_000)
    here = Notebook(running, page, name)

    def requested(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            here.left.append(request.url)

    page.on("request", requested)
    page.goto(f"{running.address}/lab/tree/{name}?token={running.token}&reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator(".jp-NotebookPanel .jp-Spinner").wait_for(state="detached")
    # A menu used before Lab knows the kernel asks which kernel to take.
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    try:
        yield here
    finally:
        context.close()
        running.api("DELETE", f"sessions/{session['id']}")


@contextmanager
def chromium_of(playwright: Playwright) -> Iterator[Browser]:
    """Return a browser that runs for the block."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    running = playwright.chromium.launch(executable_path=found, args=QUIET)
    try:
        yield running
    finally:
        running.close()
