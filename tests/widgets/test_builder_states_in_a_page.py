"""The audience builder while it counts, waits, is wrong, is empty; what it shows of people; whether it can be read."""

from __future__ import annotations

import ast
import copy
import json
import re
from importlib.resources import files

import pytest
from bare import Bare, View
from builder_page import (
    ANSWERS,
    EVIL,
    LONG,
    PLACE,
    RULE,
    answers,
    blank,
    builder,
    bump,
    counted,
    crowded,
    everybody,
    evil_answers,
    focused,
    pick,
    plain,
    rule_of,
    traits,
)

from icx.rules import from_json

pytestmark = pytest.mark.browser

# --- counting, busy, gone ---------------------------------------------------------------------------------------------


def test_a_slow_count_says_so_moves_nothing_and_can_be_stopped(bare: Bare) -> None:
    view = builder(bare)
    page = view.page
    page.get_by_text("3,902").first.wait_for()
    boxes = "[...document.querySelectorAll('.tree, .rr, .hero, .below')].map((each) => JSON.stringify(each.getBoundingClientRect()))"
    before = page.evaluate(boxes)
    rev = bump(view)
    page.get_by_text("counting…").wait_for()
    assert page.get_by_text("1,604").first.is_visible()
    assert page.evaluate(boxes) == before
    page.get_by_role("button", name="stop").click()
    assert view.questions("stop")
    page.get_by_role("button", name="count again").click()
    assert view.trait("rev") == rev + 1
    view.set(answers=ANSWERS | {"rev": rev + 1, "total": 1500, "before": 1604})
    page.get_by_text(f"0.6 % of contacts · {chr(0x2212)}104 by the last edit").wait_for()
    assert page.evaluate(boxes) == before


def test_a_quick_count_says_nothing_of_counting(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    view.page.evaluate(
        "window.said = []; new MutationObserver(() => document.querySelector('.indet') && said.push(1)).observe(document.body, {subtree: true, childList: true})"
    )
    bump(view)
    view.page.wait_for_timeout(400)
    assert view.page.evaluate("said.length") == 0


def test_a_stale_answer_is_not_shown(bare: Bare) -> None:
    view = builder(bare)
    first = bump(view, "60")
    second = bump(view, "70")
    view.set(answers=ANSWERS | {"rev": second, "total": 700})
    view.page.locator(".bigno", has_text="700").wait_for()
    view.set(answers=ANSWERS | {"rev": first, "total": 600})
    view.page.wait_for_timeout(100)
    assert view.page.locator(".bigno").inner_text() == "700"


def test_a_late_list_of_values_is_not_shown_for_another_search(bare: Bare) -> None:
    view = builder(bare, told=answers(values=lambda given: None))
    view.page.get_by_role("button", name="Add a value, rule 2").click()
    view.page.get_by_role("searchbox").fill("dur")
    view.until(lambda: [each for each in view.questions("values") if each["search"] == "dur"])
    old, new = [each for each in view.questions("values") if "only" not in each][-2:]
    view.say(
        {
            "id": new["id"],
            "ok": True,
            "values": [{"value": "Durham", "count": 1}],
            "of": 9,
            "none": 0,
            "reach": 10,
        }
    )
    view.say(
        {
            "id": old["id"],
            "ok": True,
            "values": [{"value": "Old", "count": 1}],
            "of": 9,
            "none": 0,
            "reach": 10,
        }
    )
    view.page.get_by_role("checkbox", name="Durham").wait_for()
    assert view.page.get_by_role("checkbox", name="Old").count() == 0


def test_while_a_cell_runs_edits_go_on(bare: Bare) -> None:
    view = builder(bare, told={})
    bump(view, "60")
    view.page.get_by_text("waiting for the running cell").wait_for()
    bump(view, "70")
    assert rule_of(view)["rules"][2]["rules"][1]["value"] == 70
    view.say({"id": view.questions("alive")[-1]["id"], "ok": True})
    view.set(answers=ANSWERS | {"rev": view.trait("rev"), "total": 900})
    view.page.locator(".bigno", has_text="900").wait_for()
    assert view.page.get_by_text("waiting for the running cell").count() == 0


def test_after_a_restart_the_rule_can_be_edited_and_copied(bare: Bare) -> None:
    view = builder(bare, told={})
    view.page.evaluate("model.fire('comm_live_update')")
    view.page.get_by_text("The kernel was restarted").wait_for()
    bump(view, "60")
    save = view.page.get_by_role("button", name="Save", exact=True)
    assert save.get_attribute("aria-disabled") == "true"
    assert save.get_attribute("title") == "The kernel does not answer"
    assert view.page.get_by_text("last count, 09:12").is_visible()
    view.page.get_by_role("button", name="Copy as Python").click()
    view.page.get_by_role("button", name="Copied").first.wait_for()
    text = view.page.evaluate("navigator.clipboard.readText()")
    wanted = copy.deepcopy(RULE)
    wanted["rules"][2]["rules"][1]["value"] = 60
    call = ast.parse(text).body[1]
    assert isinstance(call, ast.Assign)
    assert isinstance(call.value, ast.Call)
    assert from_json(ast.literal_eval(call.value.args[0])) == from_json(plain(wanted))


def test_a_saved_notebook_knows_that_it_has_no_kernel(bare: Bare) -> None:
    """JupyterLab's model without a kernel: its manager says so at once."""
    view = builder(bare, told={})
    assert view.page.get_by_text("saved notebook").count() == 0
    view.page.evaluate("model.widget_manager = { kernel: null }; model.fire('comm_live_update')")
    view.page.get_by_text("saved notebook").wait_for()


def test_a_slow_answer_below_the_tree_is_told_as_waiting_and_what_stood_there_stays(bare: Bare) -> None:
    ready = answers()
    view = builder(bare, told=ready, on_save=everybody)
    page = view.page
    page.get_by_role("region", name="Breakdown").get_by_text("978").wait_for()
    ready["breakdown"] = lambda given: None
    bump(view)
    parts = page.get_by_role("region", name="Breakdown")
    parts.get_by_text("waiting…").wait_for()
    assert parts.get_by_text("978").is_visible()
    view.reply("breakdown", parts=[{"value": "New", "count": 1, "of": 2}], size=1, people=2)
    parts.get_by_text("New", exact=True).wait_for()
    parts.get_by_text("waiting…").wait_for(state="detached")


def test_nearest_misses_are_shown_masked_with_what_they_have_and_why(bare: Bare) -> None:
    view = builder(bare, on_save=everybody, width=500)
    page = view.page
    assert page.get_by_text("14,844 people are out because of one rule alone").count() == 1
    page.get_by_text("Nearest misses").click()
    page.get_by_role("button", name="Show who fails only this rule: city is Durham").click()
    shown = page.get_by_role("group", name="Fail only: city is Durham")
    shown.get_by_text("Leeds").wait_for()
    assert shown.get_by_text("5 of 9,377, at random · addresses masked").is_visible()
    assert view.questions("misses")[-1]["node"] == "city"
    box = shown.get_by_role("button", name="Why is j…@e….com out?").bounding_box()
    assert box
    assert box["x"] + box["width"] <= 520
    assert view.sticks_out() == 0
    view.shot("builder-misses")
    page.get_by_role("button", name="Show addresses").click()
    shown.get_by_text("jo@example.com").wait_for()
    page.get_by_role("button", name="Mask addresses").click()
    shown.get_by_text("j…@e….com").wait_for()
    assert shown.get_by_text("jo@example.com").count() == 0
    shown.get_by_role("button", name="Why is j…@e….com out?").click()
    page.get_by_text("is out because of the second rule").wait_for()
    assert view.questions("why")[-1]["who"] == "11"
    assert view.quiet()


# --- invalid, empty, saving -------------------------------------------------------------------------------------------


def test_a_wrong_value_is_named_in_its_row_and_keeps_the_last_count(bare: Bare) -> None:
    view = builder(bare)
    page = view.page
    bump(view, "fifty")
    box = page.get_by_role("textbox", name="Number, rule 4")
    assert box.get_attribute("aria-invalid") == "true"
    said = page.evaluate(
        "(id) => document.getElementById(id).textContent", box.get_attribute("aria-describedby")
    )
    assert "Enter a whole number" in said
    assert page.get_by_text("1 rule to fix").is_visible()
    assert page.get_by_text("last good count, 09:12").is_visible()
    assert (
        page.get_by_role("button", name="Save", exact=True).get_attribute("title")
        == "Fix the marked rule first"
    )
    page.get_by_role("combobox", name="Combine all rules").focus()
    page.get_by_role("button", name="Go to rule").click()
    assert focused(view) == "Number, rule 4: Points total"
    bump(view, "70")
    assert page.get_by_text("1 rule to fix").count() == 0


def test_pythons_word_on_a_rule_stands_in_its_row_with_the_fix(bare: Bare) -> None:
    view = builder(bare)
    rev = bump(view)
    fix = {"label": "Use Durham", "set": {"value": ["Durham"]}}
    error = {"message": "There is no city “Druham”.", "next": "", "fix": [fix]}
    view.set(answers=ANSWERS | {"rev": rev, "total": None, "nodes": None, "errors": {"city": error}})
    view.page.get_by_text("There is no city “Druham”.").first.wait_for()
    view.page.get_by_role("button", name="Use Durham").click()
    assert rule_of(view)["rules"][1]["value"] == ["Durham"]


def test_an_unfinished_rule_does_not_count_and_is_not_saved(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    view.page.get_by_role("button", name="Rule", exact=True).click()
    view.page.get_by_role("button", name="Group", exact=True).click()
    assert view.page.get_by_text("2 rules to finish").is_visible()
    assert (
        view.page.get_by_role("button", name="Save", exact=True).get_attribute("title")
        == "Finish the rule first"
    )
    assert view.saved == []
    assert rule_of(view) == plain(RULE)


def test_an_empty_audience_says_what_is_close(bare: Bare) -> None:
    nodes = ANSWERS["nodes"] | {
        "city": counted(31482, 0),
        "any": counted(0, 0),
        "not": counted(0, 0),
        "points": counted(0, 0, 0, 0),
        "clicked": counted(0, 0, 0, 0),
    }
    closest = [{"label": "Durham", "value": "Durham", "count": 3902, "set": {"value": ["Durham"]}}]
    none = ANSWERS | {
        "total": 0,
        "nodes": nodes,
        "empty": {"id": "city", "closest": closest, "without": 9870},
    }
    view = builder(
        bare,
        traits(answers=none),
        told=answers(sample={"columns": [], "rows": [], "ids": [], "of": 0, "masked": True}),
    )
    view.page.get_by_text("Nobody is left after this rule.").wait_for()
    assert view.page.get_by_role("button", name="Leave this rule out · 9,870").is_visible()
    view.page.get_by_role("button", name="Durham · 3,902").click()
    assert rule_of(view)["rules"][1]["value"] == ["Durham"]


def test_saving_under_a_name_and_what_refuses_it(bare: Bare) -> None:
    error = {
        "code": "audience-cycle",
        "message": "“Lapsed” would contain itself.",
        "where": "",
        "kept": "nothing was saved",
        "next": "take the rule out",
    }
    told = answers(
        save=lambda given: (
            {"name": given["name"]} if given["name"] != "Lapsed" else {"ok": False, "error": error}
        )
    )
    view = builder(bare, blank(), told=told, on_save=everybody)
    page = view.page
    page.get_by_role("button", name="Rule", exact=True).click()
    pick(view, "Field, rule 1: new", "@event.open")
    for name in ("Lapsed", "Readers"):
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("textbox", name="Name", exact=True).fill(name)
        page.get_by_role("button", name="Save audience").click()
        if name == "Lapsed":
            page.get_by_text("would contain itself").wait_for()
    page.get_by_role("heading", name="Readers").wait_for()
    assert page.get_by_text("would contain itself").count() == 0
    page.get_by_text("saved", exact=True).wait_for()
    assert plain(view.questions("save")[-1]["rule"]) == rule_of(view)


# --- people -----------------------------------------------------------------------------------------------------------


def test_addresses_are_shown_only_when_asked_and_never_in_state(bare: Bare) -> None:
    view = builder(bare)
    page = view.page
    page.get_by_text("j…@e….com").wait_for()
    assert [each["show"] for each in view.questions("sample")] == [False]
    page.get_by_role("button", name="Show addresses").click()
    page.get_by_text("jo@example.com").wait_for()
    assert "jo@example.com" not in json.dumps(view.page.evaluate("model.traits"))
    page.get_by_role("button", name="Mask addresses").click()
    assert page.get_by_text("jo@example.com").count() == 0


def test_why_names_the_deciding_rule(bare: Bare) -> None:
    view = builder(bare)
    view.page.get_by_role("button", name="Why is a…@e….org in?").click()
    view.page.get_by_text("2 is out because of the second rule.").wait_for()
    assert view.questions("why")[-1]["who"] == "2"
    assert focused(view) == "Address or contact id"
    assert view.page.get_by_role("img", name="not true, and decides").count() == 1


# --- how it looks -------------------------------------------------------------------------------------------------------


def opened(view: View) -> None:
    for fold in ("SQL", "Python"):
        view.page.locator("summary", has_text=fold).click()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("what", ["normal", "crowded"])
def test_everything_is_read_and_nothing_sticks_out(bare: Bare, what: str, theme: str) -> None:
    state, told = (traits(), answers()) if what == "normal" else (crowded(LONG), evil_answers(LONG))
    view = builder(bare, state, width=1280, theme=theme, told=told)
    view.page.get_by_role("table").wait_for()
    opened(view)
    for width in (1280, 1000, 480):
        view.page.evaluate(
            "(width) => { document.querySelector('section').style.width = `${width}px`; }", width
        )
        view.shot(f"builder-{what}-{width}-{theme}")
        assert view.sticks_out() <= 0, width
        assert view.faintest()[0] >= 4.5, view.faintest()
        assert view.small_targets() == []
    assert view.nameless() == []
    assert view.quiet()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_is_read(bare: Bare, theme: str) -> None:
    view = builder(bare, theme=theme, told={}, width=720)
    for text, lost in (("1 rule to fix", False), ("The kernel was restarted", True)):
        if lost:
            view.page.evaluate("model.fire('comm_live_update')")
        else:
            bump(view, "fifty")
        view.page.get_by_text(text).wait_for()
        assert view.faintest()[0] >= 4.5, view.faintest()
        assert view.sticks_out() <= 0


def test_no_module_makes_markup_from_data() -> None:
    for file in files("icx.widgets").iterdir():
        if file.name.endswith(".js"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text
            ), file.name


def test_names_that_look_like_code_stay_words(bare: Bare) -> None:
    view = builder(bare, crowded(EVIL), told=evil_answers(EVIL))
    view.page.get_by_role("table").wait_for()
    opened(view)
    view.page.get_by_role("button", name="Why is").click()
    view.page.get_by_role("button", name="Add a value, rule 2").click()
    view.page.get_by_role("checkbox", name=EVIL).wait_for()
    view.page.wait_for_timeout(100)
    assert view.quiet()
    assert view.section.inner_text().count("<b>bold</b>") > 5


def test_zero_contacts(bare: Bare) -> None:
    nobody = ANSWERS | {
        "total": 0,
        "of": 0,
        "before": None,
        "nodes": {key: counted(0, 0) for key in ANSWERS["nodes"]},
        "sizes": [0],
        "sentence": [["all contacts", ""]],
    }
    view = builder(
        bare,
        blank(answers=nobody, place=PLACE | {"contacts": 0}),
        told=answers(
            sample={"columns": [], "rows": [], "ids": [], "of": 0, "masked": True},
            breakdown={"parts": [], "size": 0, "people": 0},
        ),
    )
    view.page.get_by_text("Nothing to break down yet.").wait_for()
    assert "NaN" not in view.section.inner_text()
    assert view.sticks_out() <= 0


def test_the_size_is_read_out_at_most_every_two_seconds(bare: Bare) -> None:
    view = builder(bare)
    view.page.evaluate(
        "window.said = []; new MutationObserver(() => said.push(document.querySelector('.sr[role=status]').textContent)).observe(document.querySelector('.sr[role=status]'), {childList: true})"
    )
    for total in (1500, 1400, 1300, 1200):
        view.set(answers=ANSWERS | {"total": total, "before": None})
        view.page.wait_for_timeout(60)
    view.until(lambda: view.page.evaluate("said.at(-1)") == "1,200 contacts in the audience", 4)
    assert view.page.evaluate("said.length") <= 2


def test_the_size_without_machines_comes_after_the_total_and_moves_nothing(bare: Bare) -> None:
    view = builder(bare)
    hero = view.page.locator(".hero")
    before = hero.bounding_box()
    asked = [len(view.questions(verb)) for verb in ("sample", "breakdown")]
    view.set(answers=ANSWERS | {"human": 1204})
    hero.get_by_text("1,204 without likely machine opens").wait_for()
    assert hero.bounding_box() == before
    view.pump()
    assert [len(view.questions(verb)) for verb in ("sample", "breakdown")] == asked


def test_without_colours_of_its_own_bars_have_borders(bare: Bare) -> None:
    view = builder(bare, forced_colors="active")
    widths = view.page.evaluate(
        "[...document.querySelectorAll('.eff, .cmp')].map((each) => getComputedStyle(each).borderTopWidth)"
    )
    assert widths
    assert set(widths) == {"1px"}


def test_nothing_moves_for_those_who_ask_for_it(bare: Bare) -> None:
    view = builder(bare)
    bump(view)
    view.page.locator(".indet").wait_for(state="attached")
    assert (
        view.page.evaluate("getComputedStyle(document.querySelector('.indet'), '::after').animationName")
        == "none"
    )
