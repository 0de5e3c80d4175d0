"""Long work in its cell: the button is there when the kernel hears, keeps focus, and what is drawn is no code."""

from __future__ import annotations

from typing import Any

import pytest
from bare import Bare

from icx.clock import SYSTEM
from icx.pull.progress import Progress
from icx.widgets.base import module
from icx.widgets.working import Working
from icx.workspace.cell import Cell

pytestmark = pytest.mark.browser
EVIL = """<img src=x onerror="hit()">"""


def working(done: int, ends: list[int]) -> Working:
    made = Working("Pulling acme", lambda: ends.append(1))
    made.show(drawn(done), "Pulling acme …")
    return made


def drawn(done: int) -> Any:
    return Cell("Pulling acme", SYSTEM, "UTC").html(Progress(f'"{EVIL}" opens', done, 417, 5870.0))


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 480)])
def test_it_is_asked_to_end_once_and_focus_stays(bare: Bare, theme: str, width: int) -> None:
    ends: list[int] = []
    made = working(248, ends)
    view = bare(module("working"), widget=made, theme=theme, width=width)
    stop = view.page.get_by_role("button", name="Stop after this page")
    view.until(lambda: stop.count() == 1)
    stop.focus()
    made.show(drawn(249), "Pulling acme …")
    view.until(lambda: view.page.get_by_text("249 of 417").count() > 0)
    assert view.page.evaluate("document.activeElement.textContent") == "Stop after this page"
    view.page.keyboard.press("Enter")
    view.until(lambda: ends)
    stopping = view.page.get_by_role("button", name="Stopping after this page…")
    assert stopping.is_disabled()
    assert ends == [1]
    view.shot(f"working-{theme}-{width}")
    assert view.sticks_out() <= 0
    assert view.nameless() == []
    assert view.page.get_by_text(EVIL).count() > 0
    assert view.quiet()


def test_a_kernel_that_hears_nobody_while_it_works_gets_no_button(bare: Bare) -> None:
    made = working(248, [])
    view = bare(module("working"), {"html": made.html, "name": made.name}, answers={})
    view.page.get_by_text("248 of 417").wait_for()
    assert view.page.get_by_role("button").count() == 0
    view.reply("alive")
    view.page.get_by_role("button", name="Stop after this page").wait_for()


def test_of_a_page_only_what_look_draws_is_taken(bare: Bare) -> None:
    evil = f"""{EVIL}<script>hit()</script><img src="https://evil.test/1"><style>@import "https://evil.test/2"</style>
      <p style="background: url(https://evil.test/3)" onclick="hit()" id="x">told</p><iframe srcdoc="<b>no</b>"></iframe>
      <svg viewBox="0 0 16 16"><a href="&#1;java&#9;script:hit()"><path d="M0 0"/></a><use href="#x"/></svg>
      <i style="--v:40.00%" class="kept">bar</i><object data="https://evil.test/4"></object>"""
    view = bare(
        module("working"), {"html": f'<div class="head">{evil}</div>', "name": "n"}, answers={"alive": {}}
    )
    view.page.get_by_role("button", name="Stop after this page").wait_for()
    view.page.evaluate("document.querySelector('.head p').click()")
    names = view.page.evaluate(
        "[...document.querySelectorAll('.head *:not(button, button *)')].map((each) => each.localName)"
    )
    assert names == ["p", "svg", "i"]
    assert view.page.evaluate("document.querySelector('.head p').attributes.length") == 0
    assert view.page.evaluate("document.querySelector('.head i').getAttribute('style')") == "--v:40.00%"
    assert view.quiet()
