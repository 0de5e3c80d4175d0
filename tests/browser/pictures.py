"""The pictures of the README, from real objects: a simulated account of a fixed seed and day, planned and not sent.

python tests/browser/pictures.py docs        (or: make pictures)
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "widgets"))

import bare
import chromium
from playwright.sync_api import sync_playwright

from icx.clock import ManualClock
from icx.widgets.base import module
from icx.workspace import Workspace

DAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ACCOUNT = {"contacts": 10_412, "messages": 96, "seed": 1, "account": 41733, "folder": 8021}
# JupyterLab takes the system's face, and a machine that makes pictures may have none that people see.
FACE = ":root { --jp-ui-font-family: Inter, system-ui, sans-serif; }"
FRAME = f"<style>{FACE} body {{ padding: 20px 24px; }} body > section {{ margin: 0 auto; }}</style>"


def clicked(widget: Any, file: Path, *, name: str = "builder", width: int = 960) -> None:
    """Keep a picture of a live widget, answered by its own Python."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=bare.QUIET)
        context = browser.new_context(viewport={"width": width + 64, "height": 900}, device_scale_factor=2)
        page = context.new_page()
        page.route("**/*", lambda route: bare._hand_out(route, "light", width))
        view = bare.View(page, {}, widget)
        page.goto(bare.ADDRESS)
        page.add_style_tag(content=f"{FACE} section[data-name] {{ padding: 20px 24px 8px !important; }}")
        page.evaluate("([source, traits]) => start(source, traits)", [module(name), bare._state(widget)])
        end = time.monotonic() + 5
        view.until(lambda: time.monotonic() > end, 10)  # its panels come with answers
        page.locator("section[data-name]").screenshot(path=file)
        browser.close()


def shown(docs: Path) -> dict[str, str]:
    """What a notebook shows of the demo's account before anything is sent; the builder's picture is kept on the way."""
    with tempfile.TemporaryDirectory() as folder, Workspace(folder, clock=ManualClock(DAY), who="maya") as ws:
        state = ws.layout.data / "sandbox-acme.sqlite"
        ws.accounts.start_sandbox("acme", state, **ACCOUNT, as_of=DAY.isoformat())
        ws.pull("acme")
        ws.build("acme")
        f = ws.fields
        rule = (f.opens_90d >= 3) & (f.city == "Durham") & ~f.email_last_click_ts.within(days=7)
        loyal = ws.audience("Loyal in Durham", rule, description="Our best readers near the shop")
        plan = ws.plan(loyal, "acme/lists/Durham regulars")
        clicked(ws.builder(loyal).wait(), docs / "builder.png")
        return {
            "plan": plan._repr_html_(),
            "checks": ws.check("profile")._repr_html_(),
        }


def main(folder: Path) -> None:
    sizes = {"plan": (960, 880), "checks": (1080, 640)}
    for name, piece in shown(folder.resolve()).items():
        width, height = sizes[name]
        page = chromium.notebook({name: FRAME + piece}, "light", width, script="")
        chromium.picture(page, folder.resolve() / f"{name}.png", width=width + 48, height=height)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
