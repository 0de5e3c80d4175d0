"""A widget's module alone in a bare page of real Chromium: JupyterLab's colours, a model that is a dictionary, no kernel.

    def test_it(bare: Bare) -> None:
        view = bare(module("builder"), {"name": "x"}, answers={"values": lambda given: {"values": []}})
        view.page.get_by_role("button", name="Save").click()
        assert view.trait("rule") == {...}

`answers` says what Python would: a function of what was asked, or a dictionary; a verb that is not there stays
unanswered, as with a busy kernel, until `view.reply`. With `widget=` the page talks to a real Python widget instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import chromium
import pytest
from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from icx.look.page import style

ADDRESS = "https://notebook.test/"  # never asked of a network: the page itself is handed out by the test
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' blob:; img-src data:"
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SHOTS = os.environ.get("ICX_SHOTS")  # a folder: pictures to look at are kept there

# The model as anywidget hands it to a module, and what a notebook would hear of keys.
MODEL = """
window.heardKeys = [];
document.addEventListener("keydown", (event) => window.heardKeys.push(event.key));
window.makeModel = (traits) => {
  const listeners = new Map();
  let unsaved = {};
  const fire = (name, ...given) => [...(listeners.get(name) ?? [])].forEach((listener) => listener(...given));
  const put = (name, value) => {
    if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
    traits[name] = value;
    fire(`change:${name}`, value);
    fire("change");
  };
  return {
    get: (name) => structuredClone(traits[name]),
    set: (name, value) => { unsaved[name] = structuredClone(value); put(name, structuredClone(value)); },
    save_changes: () => {
      const changes = unsaved;
      unsaved = {};
      window.savedTraits(changes).then((more) => Object.entries(more ?? {}).forEach(([k, v]) => put(k, v)));
    },
    send: (message) => { window.askedPython(message).then((answer) => answer && fire("msg:custom", answer)); },
    on: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    off: (name, listener) => listeners.set(name, (listeners.get(name) ?? []).filter((each) => each !== listener)),
    put, fire, traits,
  };
};
window.start = async (source, traits) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const made = (await import(address)).default;
  window.model = window.makeModel(traits);
  await made.initialize?.({ model: window.model });
  window.cleanUp = await made.render({ model: window.model, el: document.getElementById("view") });
};
"""

Answers = dict[str, Callable[[dict[str, Any]], dict[str, Any] | None] | dict[str, Any]]


class View:
    """One widget in its page: what it asked, what it saved, and how Python would speak to it."""

    def __init__(self, page: Page, answers: Answers, widget: Any = None) -> None:
        self.page, self.answers, self.widget = page, answers, widget
        self.asked: list[dict[str, Any]] = []
        self.saved: list[dict[str, Any]] = []
        self.network: list[str] = []
        self.faults: list[str] = []
        self.on_save: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda changes: None
        self._from_python: queue.Queue[tuple[str, Any]] = queue.Queue()
        if widget is not None:
            self._listen(widget)

    # What the browser does.
    def _requested(self, request: Any) -> None:
        if request.url != ADDRESS and not request.url.startswith("blob:"):
            self.network.append(request.url)

    def _asked(self, message: dict[str, Any]) -> dict[str, Any] | None:
        self.asked.append(message)
        if self.widget is not None:
            self.widget._handle_custom_msg(message, [])
            return None
        found = self.answers.get(message["ask"])
        given = {key: value for key, value in message.items() if key not in {"ask", "id"}}
        answer = found(given) if callable(found) else found
        return None if answer is None else {"id": message["id"], "ok": True, **answer}

    def _saved(self, changes: dict[str, Any]) -> dict[str, Any] | None:
        self.saved.append(changes)
        if self.widget is not None:
            self.widget.set_state(changes)
            return None
        return self.on_save(changes)

    # What Python does.
    def _listen(self, widget: Any) -> None:
        def changed(change: Any) -> None:
            self._from_python.put(("trait", (change["name"], change["new"])))

        widget.observe(changed, names=[name for name in widget.keys if not name.startswith("_")])
        widget.send = lambda content, buffers=None: self._from_python.put(("message", content))

    def pump(self) -> None:
        """Hand over what the Python widget said since; its own threads may not touch the page."""
        with contextlib.suppress(queue.Empty):
            while True:
                what, value = self._from_python.get_nowait()
                if what == "trait":
                    self.set(**{value[0]: value[1]})
                else:
                    self.say(value)

    def until(self, what: Callable[[], object], seconds: float = 8) -> None:
        """Wait for something of the page or of Python, handing messages over meanwhile."""
        end = time.monotonic() + seconds
        while True:
            self.pump()
            if what():
                return
            assert time.monotonic() < end, "it did not come to that"
            self.page.wait_for_timeout(25)

    def set(self, **traits: Any) -> None:
        """Set traits as Python would."""
        self.page.evaluate("(all) => Object.entries(all).forEach(([k, v]) => model.put(k, v))", traits)

    def say(self, message: dict[str, Any]) -> None:
        """Send a message as Python would."""
        self.page.evaluate("(message) => model.fire('msg:custom', message)", message)

    def reply(self, verb: str, **answer: Any) -> None:
        """Answer the newest question of that verb."""
        newest = [each for each in self.asked if each["ask"] == verb][-1]
        self.say({"id": newest["id"], "ok": True, **answer})

    # What the test looks at.
    def trait(self, name: str) -> Any:
        return self.page.evaluate("(name) => model.get(name) ?? null", name)

    def questions(self, verb: str) -> list[dict[str, Any]]:
        return [each for each in self.asked if each["ask"] == verb]

    @property
    def section(self) -> Locator:
        return self.page.locator("section[data-name]")

    def sticks_out(self) -> int:
        """By how many pixels something is wider than the cell."""
        return int(self.page.evaluate("sticksOut(document.querySelector('section'))"))

    def faintest(self) -> tuple[float, str]:
        """The lowest contrast of any text on its ground, and that text."""
        ratio, text = self.page.evaluate("faintest(document.querySelector('section'))")
        return ratio, text

    def small_targets(self, least: float = 24) -> list[str]:
        """What can be clicked and is narrower or lower than `least` pixels, its spacing included (WCAG 2.5.8)."""
        return list(self.page.evaluate(SMALL, least))

    def nameless(self) -> list[str]:
        """Controls without a name."""
        return list(self.page.evaluate(NAMELESS))

    def shot(self, name: str) -> None:
        """Keep a picture to look at, when a folder for them is named."""
        if SHOTS:
            self.section.screenshot(path=Path(SHOTS) / f"{name}.png")

    def tab_to(self, name: str) -> None:
        """Press Tab until the element in focus has that name."""
        tab_to(self.page, name)

    @property
    def heard_keys(self) -> list[str]:
        """Keys that reached the notebook around the widget."""
        return list(self.page.evaluate("window.heardKeys"))

    @property
    def hits(self) -> int:
        """How often a name that would like to be code ran."""
        return int(self.page.evaluate("window.hits"))

    def quiet(self) -> bool:
        """Nothing was asked of the network, nothing failed, nothing ran that is data."""
        blocked = self.page.evaluate("window.asked")
        return self.network == [] and self.faults == [] and blocked == [] and self.hits == 0


FOCUSED = """() => {
  const each = document.activeElement;
  return each.getAttribute("aria-label") || each.labels?.[0]?.textContent || each.textContent;
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element in focus has that name, as its label or as its first words."""
    seen: list[str] = []
    for _ in range(30):
        page.keyboard.press("Tab")
        seen.append(str(page.evaluate(FOCUSED)).strip())
        if seen[-1] == name or seen[-1].startswith(f"{name} "):
            return
    raise AssertionError(f"{name} is not reached by Tab: {seen}")


SMALL = """(least) => [...document.querySelectorAll("section[data-name] :is(button, select, input, summary, a)")]
  .filter((each) => each.getClientRects().length)
  .filter((each) => {
    const label = each.closest("label");
    const box = (label ?? each).getBoundingClientRect();
    return Math.round(box.width) < least || Math.round(box.height) < least;
  })
  .map((each) => each.getAttribute("aria-label") || each.textContent || each.outerHTML)"""
NAMELESS = """() => [...document.querySelectorAll("section[data-name] :is(button, select, input, svg[role], [role=img])")]
  .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
  .concat([...document.querySelectorAll("section[data-name] :is(select, input)")]
    .filter((each) => !(each.getAttribute("aria-label") || each.labels?.length)))
  .map((each) => each.outerHTML.slice(0, 200))"""


class Bare(Protocol):
    def __call__(
        self,
        source: str,
        traits: dict[str, Any] | None = None,
        *,
        answers: Answers | None = None,
        widget: Any = None,
        on_save: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
        theme: str = "light",
        width: int = 1000,
        **options: Any,
    ) -> View: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a file of tests.

    Not for the session: while Playwright is there its event loop counts as running, and `asyncio.run` of other
    files in the same process would fail.
    """
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
        running = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield running
        with contextlib.suppress(Error):
            running.close()


class Window:
    """One page of a browser that shows one view after the other: opening another costs three times as much."""

    def __init__(self, browser: Browser, options: dict[str, Any]) -> None:
        context = browser.new_context(**{"reduced_motion": "reduce"} | options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=ADDRESS.rstrip("/"))
        self.view: View | None = None
        self.page = page = context.new_page()
        self.theme, self.width = "light", 1000
        page.set_default_timeout(5000)
        page.route("**/*", lambda route: _hand_out(route, self.theme, self.width))
        page.on("request", lambda request: self.view and self.view._requested(request))
        page.on("pageerror", lambda error: self.view and self.view.faults.append(str(error)))
        page.on("console", self._said)
        page.expose_function("askedPython", lambda message: self.view and self.view._asked(message))
        page.expose_function("savedTraits", lambda changes: self.view and self.view._saved(changes))

    def _said(self, said: Any) -> None:
        if self.view and said.type == "error":
            self.view.faults.append(said.text)

    def show(self, theme: str, width: int) -> Page:
        """Make the page as new, without a view in it yet."""
        self.theme, self.width = theme, width
        self.page.set_viewport_size({"width": width + 40, "height": 900})
        self.page.mouse.move(0, 0)
        return self.page


@pytest.fixture(scope="module")
def windows(browser: Browser) -> dict[str, list[Window]]:
    """The windows of a file of tests, by the options they were opened with."""
    return {}


@pytest.fixture
def bare(browser: Browser, windows: dict[str, list[Window]]) -> Iterator[Bare]:
    """Open a module in a page: `bare(module("builder"), traits, answers={…}, theme="dark", width=480)`."""
    used: list[Window] = []

    def make(
        source: str,
        traits: dict[str, Any] | None = None,
        *,
        answers: Answers | None = None,
        widget: Any = None,
        on_save: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
        theme: str = "light",
        width: int = 1000,
        **options: Any,
    ) -> View:
        alike = windows.setdefault(repr(sorted(options.items())), [])
        window = next((one for one in alike if one not in used), None)
        if window is None:
            alike.append(window := Window(browser, options))
        used.append(window)
        page = window.show(theme, width)
        window.view = view = View(page, answers or {}, widget)
        if on_save is not None:
            view.on_save = on_save
        page.goto(ADDRESS)
        state = {} if widget is None else _state(widget)
        page.evaluate(
            "([source, traits]) => start(source, traits)",
            [source, json.loads(json.dumps(state | (traits or {})))],
        )
        return view

    yield make
    for window in used:
        window.view = None
        window.page.goto("about:blank")


def _state(widget: Any) -> dict[str, Any]:
    return {key: value for key, value in widget.get_state().items() if not key.startswith("_")}


def _hand_out(route: Any, theme: str, width: int) -> None:
    if route.request.url != ADDRESS:
        route.abort()
        return
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<style>{chromium.theme(theme)}{chromium.LAB} section[data-name] {{ padding: 0 0 24px; }}</style>"
        f"<style>{style()}</style><script>{chromium.MEASURE}{MODEL}</script><link rel=icon href=data:,>"
    )
    body = f'<section data-name="view" style="width:{width}px"><div id="view"></div></section>'
    light = str(theme == "light").lower()
    route.fulfill(
        body=f'<!doctype html><html lang="en"><head>{head}</head><body data-jp-theme-light={light}>{body}</body></html>',
        content_type="text/html",
    )
