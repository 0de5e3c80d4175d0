"""Everything icx shows, kept as pictures to look at: each account, light and dark, in windows 1,280 and 1,000 wide.

python tests/browser/looks.py build/looks [WORD …]        (or: make looks)

Words choose accounts and pieces whose name holds them all; `quick` takes light and wide, dark and narrow only. `index.html` in the folder has them side by side; what
sticks out of its cell, text that is too faint, and what a page complained of is written under its picture.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "widgets"))

import bare
import chromium
import looks_accounts
from looks_accounts import Piece
from playwright.sync_api import Browser, Error, sync_playwright

from icx.widgets.base import module

EVERY = (("light", 1280), ("light", 1000), ("dark", 1280), ("dark", 1000))
QUICK = (EVERY[0], EVERY[3])
AROUND = 112  # pixels of a notebook's window that are not its cell: prompt, margins, scroll bar
FAINT = 4.5


@dataclass(frozen=True)
class Look:
    """One picture and what was measured on it."""

    account: str
    name: str
    theme: str
    window: int
    file: str
    complaints: tuple[str, ...]


@contextmanager
def chrome() -> Iterator[Browser]:
    """One Chromium for all pictures."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=found, args=bare.QUIET)
        yield browser
        browser.close()


def taken(browser: Browser, piece: Piece, theme: str, window: int, folder: Path) -> Look:
    """Take one picture."""
    slug = re.sub(r"\W+", "-", f"{piece.account}-{piece.name}-{theme}-{window}").lower()
    file = folder / f"{slug}.png"
    context = browser.new_context(
        viewport={"width": window, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(8000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    try:
        if piece.page is not None:
            page.goto(piece.page.resolve().as_uri())
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            complaints += [f"sticks out {wide} px"] if wide > 0 else []
            page.screenshot(path=file, full_page=True)
        else:
            _show(page, piece, theme, window - AROUND)
            complaints += _measured(page)
            low = page.evaluate("document.querySelector('section').getBoundingClientRect().bottom + 4")
            page.screenshot(
                path=file, full_page=True, clip={"x": 0, "y": 0, "width": window, "height": max(low, 200)}
            )
    except (Error, AssertionError) as error:
        complaints.append(f"not taken: {str(error).splitlines()[0]}")
    context.close()
    return Look(piece.account, piece.name, theme, window, file.name, tuple(complaints))


def _show(page: Any, piece: Piece, theme: str, width: int) -> None:
    """Open an output or a widget as a notebook would show it."""
    if piece.widget is None:
        text = chromium.notebook({"view": piece.html}, theme, width)
        page.set_content(text.replace(f"<script>{chromium.MEASURE}</script>", _measure_later(), 1))
    else:
        page.route("**/*", lambda route: bare._hand_out(route, theme, width))
        view = bare.View(page, {}, piece.widget)
        page.goto(bare.ADDRESS)
        state = bare._state(piece.widget)
        page.evaluate("([source, traits]) => start(source, traits)", [module(piece.module), state])
        _settled(view)
        if piece.act is not None:
            piece.act(view)
            _settled(view)
    page.add_style_tag(content="body > section { margin: 20px auto 24px; }")


def _measure_later() -> str:
    return f"<script>{chromium.MEASURE.split('window.addEventListener(')[0]}</script>"


def _settled(view: Any, quiet: float = 0.6, most: float = 25) -> None:
    """Hand over what Python says until the page has not changed for a while."""
    end, still, before = time.monotonic() + most, time.monotonic(), ""
    while time.monotonic() < end:
        view.pump()
        now = str(view.page.content())
        if now != before:
            before, still = now, time.monotonic()
        elif time.monotonic() - still > quiet:
            return
        view.page.wait_for_timeout(60)


def _measured(page: Any) -> list[str]:
    out = page.evaluate("sticksOut(document.querySelector('section'))")
    ratio, text = page.evaluate("faintest(document.querySelector('section'))")
    found = [f"sticks out {out} px"] if out > 0 else []
    return found + ([f"{ratio:.2f} : 1 – {text}"] if ratio < FAINT else [])


def sheet(looks: list[Look]) -> str:
    """Return one page of all pictures: a row a piece, light and dark beside each other, complaints below."""
    parts = []
    for account, name in dict.fromkeys((one.account, one.name) for one in looks):
        each = [one for one in looks if (one.account, one.name) == (account, name)]
        cells = "".join(
            f'<figure><a href="{one.file}"><img src="{one.file}" loading="lazy"></a><figcaption>{one.theme}, '
            f"{one.window:,} px{''.join(f'<br><b>{html.escape(said)}</b>' for said in one.complaints)}</figcaption></figure>"
            for one in each
        )
        parts.append(f"<h2>{html.escape(account)} · {html.escape(name)}</h2><div>{cells}</div>")
    style = (
        "body{font:13px system-ui;margin:24px;color-scheme:light dark}div{display:grid;"
        "grid-template-columns:repeat(4,1fr);gap:12px}figure{margin:0}img{width:100%;border:1px solid #8886}b{color:#c33}"
    )
    said = sum(bool(one.complaints) for one in looks)
    head = f"<h1>{len(looks)} pictures, {said} with something to mend</h1>"
    return f'<!doctype html><meta charset="utf-8"><title>Looks</title><style>{style}</style>{head}{"".join(parts)}'


def main(folder: Path, words: list[str]) -> int:
    """Take the pictures that were asked for; return how many have something to mend."""
    for name in ("ICX_PASSWORD", "ICX_APP_ID", "ICX_WORKSPACE"):
        os.environ.pop(name, None)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    folder.mkdir(parents=True, exist_ok=True)
    looks: list[Look] = []
    accounts = [one for one in looks_accounts.MAKERS if one in words] or list(looks_accounts.MAKERS)
    rest = [word for word in words if word not in {*looks_accounts.MAKERS, "quick"}]
    ways = QUICK if "quick" in words else EVERY
    with chrome() as browser:
        for account in accounts:
            for piece in looks_accounts.shown(account, folder / "accounts" / account, rest):
                looks += [taken(browser, piece, theme, window, folder) for theme, window in ways]
                for one in looks[-len(ways) :]:
                    for said in one.complaints:
                        print(f"{one.file}: {said}")
    (folder / "index.html").write_text(sheet(looks), encoding="utf-8")
    print(f"{len(looks)} pictures; open {folder / 'index.html'}")
    return sum(bool(one.complaints) for one in looks)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]) > 0)
