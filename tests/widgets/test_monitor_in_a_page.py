"""The monitor in a page: it shows what Python says, asks for pauses and people, and stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from bare import Bare

from icx.widgets.base import module

pytestmark = pytest.mark.browser

EVIL = """<img src=x onerror="hit()">&amp;'"<b>bold</b>"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsfreundeskreis"


def said(**more: Any) -> dict[str, Any]:
    """What Python says when a lot goes on under names that would like to be code."""
    line = {
        "key": "r-7", "what": "P-31", "shape": "running", "name": f"loyal {LONG}", "about": f"{EVIL} → {LONG}",
        "words": "adding, 700 of 1,201", "percent": 58.3, "since": "09:17:00", "passed": "1 min 4 s",
        "job": "loyal weekly", "paused": False, "pull": "", "ends": False,
    }  # fmt: skip
    waits = line | {"key": "r-8", "shape": "clock", "name": "pull acme", "percent": None, "job": "", "pull": "r-8",
                    "words": "waits for iContact until 09:31:40: 503, try 3"}  # fmt: skip
    jobs = [
        {"name": "loyal weekly", "about": EVIL, "says": "every Monday at 07:00", "next": "23 Nov, 07:00",
         "state": "active", "words": "", "paused": False, "runs": ["done", "failed", "cut off", "stopped"], "last": ""},
        {"name": "sunset monthly", "about": LONG, "says": "every month", "next": "–", "state": "paused",
         "words": f"paused by maya since 20 Nov, 08:00: {EVIL}", "paused": True, "runs": [], "last": ""},
    ]  # fmt: skip
    row = {"key": "P-31/4", "who": "#70233", "push": "P-31", "list": EVIL, "words": f"{EVIL} is refused {LONG}",
           "did": "refused, not sent again", "at": "09:16:02"}  # fmt: skip
    happened = [
        {"at": "09:17:13", "way": "→ acme", "what": LONG, "shape": "ok", "words": "100 added", "group": "written"},
        {"at": "09:16:55", "way": "→ acme", "what": EVIL, "shape": "bad", "words": "1 refused by iContact", "group": "refused"},
        {"at": "09:12:40", "way": "← pull", "what": "acme", "shape": "ok", "words": "done", "group": ""},
    ]  # fmt: skip
    kinds = [
        {"kind": kind, "states": ["equal", "due", "unequal", "none"], "total": 1411382}
        for kind in ("opens", "clicks")
    ]
    book = {
        "name": "acme",
        "kinds": kinds,
        "equal": 1660,
        "due": 9,
        "explained": 5,
        "unequal": 1,
        "as_of": "21 Nov, 07:02",
    }
    return {
        "name": EVIL, "at": "09:17:14", "zone": "Europe/Berlin", "calls": "calls left this hour: acme 7,412", "paused": "",
        "now": [line, waits], "unfinished": [{"plan": "P-30", "words": EVIL}], "jobs": jobs, "jobs_wrong": [],
        "rows": [row], "again": [{"plan": "P-31", "list": EVIL, "count": 3}], "happened": happened, "ledger": book,
        "syncs": [{"name": EVIL, "systems": LONG, "counts": ["98,412", "1,204", "12", "0", "3"], "failing": True, "words": "read 21 Nov, 07:02"}],
    } | more  # fmt: skip


NOTHING = said(
    now=[],
    unfinished=[],
    jobs=[],
    rows=[],
    again=[],
    happened=[],
    syncs=[],
    ledger={"kinds": []},
    name="acme",
)


@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 480), ("dark", 1240)])
def test_it_is_readable_and_nothing_sticks_out(bare: Bare, theme: str, width: int) -> None:
    view = bare(module("monitor"), {"said": said()}, theme=theme, width=width)
    view.page.get_by_role("heading", name="Activity").wait_for()
    view.shot(f"monitor-{theme}-{width}")
    assert view.sticks_out() <= 0
    ratio, text = view.faintest()
    assert ratio >= 4.5, text
    assert view.small_targets() == []
    assert view.nameless() == []
    assert view.page.get_by_text(EVIL).count() > 0
    assert view.quiet()


def test_with_nothing_to_show_every_panel_says_what_will_stand_there(bare: Bare) -> None:
    view = bare(module("monitor"), {"said": NOTHING})
    view.page.get_by_text("No job yet:").wait_for()
    view.shot("monitor-empty")
    for words in (
        "Nothing runs now.",
        "Nothing is pulled yet.",
        "None: no row of the last pushes",
        "Nothing yet.",
    ):
        assert view.page.get_by_text(words).count() == 1
    assert view.quiet()


def test_pauses_are_asked_for_by_name(bare: Bare) -> None:
    answers: dict[str, Any] = {"pause": {}, "resume": {}, "here": {}}
    view = bare(module("monitor"), {"said": said()}, answers=answers)
    view.page.get_by_role("button", name="Pause all pushes").click()
    view.page.get_by_role("button", name="Pause loyal weekly").first.click()
    view.page.get_by_role("button", name="Resume sunset monthly").click()
    view.until(lambda: view.questions("resume"))
    assert [one.get("job") for one in view.questions("pause")] == [None, "loyal weekly"]
    assert view.questions("resume")[0]["job"] == "sunset monthly"
    view.set(said=said(paused="by maya since 22 Nov, 09:20"))
    view.page.get_by_role("button", name="Resume all pushes").wait_for()
    view.page.get_by_text("All pushes are paused.").wait_for()
    assert view.quiet()


def test_news_between_press_and_release_do_not_take_the_click_away(bare: Bare) -> None:
    view = bare(module("monitor"), {"said": said()}, answers={"pause": {}, "here": {}})
    view.page.get_by_role("button", name="Pause all pushes").hover()
    view.page.mouse.down()
    view.set(said=said(at="09:17:16"))
    view.page.mouse.up()
    view.until(lambda: view.questions("pause"))
    assert view.quiet()


def test_people_are_only_in_the_answer_and_go_again(bare: Bare) -> None:
    view = bare(
        module("monitor"),
        {"said": said()},
        answers={"show": {"people": {"P-31/4": "jo@example.com"}}, "here": {}},
    )
    assert view.page.get_by_text("jo@example.com").count() == 0
    view.page.get_by_role("button", name="Show", exact=True).click()
    view.page.get_by_text("jo@example.com").wait_for()
    view.page.get_by_role("button", name="Mask").click()
    view.page.get_by_text("addresses masked").wait_for()
    assert view.page.get_by_text("jo@example.com").count() == 0
    assert view.saved == []


def test_a_pull_is_asked_to_end_by_its_run(bare: Bare) -> None:
    view = bare(module("monitor"), {"said": said()}, answers={"end": {}, "here": {}})
    view.page.get_by_role("button", name="Stop after this page: pull acme").click()
    view.until(lambda: view.questions("end"))
    assert view.questions("end")[0]["run"] == "r-8"
    view.set(said=said(now=[said()["now"][1] | {"ends": True, "words": "contacts · ends after this page"}]))
    assert view.page.get_by_role("button", name="Stop after this page: pull acme").is_disabled()
    assert view.quiet()


def test_a_plan_of_those_who_failed_stays_while_the_rest_is_drawn_again(bare: Bare) -> None:
    """Without a manager that gives views (as here) the words say where the plan is; JupyterLab shows the plan itself."""
    answers: dict[str, Any] = {"retry": {"view": "model-7", "name": "P-32"}, "here": {}}
    view = bare(module("monitor"), {"said": said()}, answers=answers)
    view.page.get_by_role("button", name="Try 3 again: P-31").click()
    plan = view.page.get_by_role("region", name="Plan P-32")
    plan.get_by_text("P-32 plans them again; nothing has been sent.").wait_for()
    assert view.questions("retry")[0]["plan"] == "P-31"
    plan.evaluate("(each) => { each.icxSame = true; }")
    view.set(said=said(at="09:17:20"))
    assert plan.evaluate("(each) => each.icxSame")
    view.shot("monitor-again")
    assert view.page.evaluate("document.activeElement.textContent") == "Close P-32"
    plan.get_by_role("button", name="Close P-32").click()
    assert plan.count() == 0
    assert view.sticks_out() <= 0
    assert view.quiet()


def test_a_refusal_is_shown_with_its_four_parts(bare: Bare) -> None:
    error = {
        "code": "job-unknown",
        "message": f"There is no job {EVIL}.",
        "where": "no job is saved",
        "kept": "nothing was changed",
        "next": "icx schedule list",
    }
    view = bare(module("monitor"), {"said": said()}, answers={"here": {}})
    view.page.get_by_role("button", name="Pause all pushes").click()
    view.until(lambda: view.questions("pause"))
    view.say({"id": view.questions("pause")[0]["id"], "ok": False, "error": error})
    view.page.get_by_role("alert").get_by_text("There is no job").wait_for()
    assert "icx schedule list" in view.page.get_by_role("alert").inner_text()
    assert view.quiet()


def test_what_happened_can_be_narrowed_and_focus_stays(bare: Bare) -> None:
    view = bare(module("monitor"), {"said": said()}, answers={"here": {}})
    refused = view.page.get_by_role("button", name="Refused")
    refused.focus()
    view.page.keyboard.press("Enter")
    view.page.get_by_text("1 refused by iContact").wait_for()
    assert view.page.get_by_text("100 added").count() == 0
    view.set(said=said(at="09:17:16"))
    view.page.get_by_text("09:17:16").wait_for()
    assert view.page.evaluate("document.activeElement.textContent") == "Refused"
    assert view.heard_keys == []
