"""The audience builder in a bare page: what clicks and keys make of the rule, and what is shown in each state."""

from __future__ import annotations

import ast
import copy
import json
import random
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import edits
import pytest
from bare import Bare, View
from builder_page import ANSWERS, PLACE, RULE, answers, builder, counted, everybody, plain, traits

from icx.rules import from_json, to_json
from icx.rules.nodes import Event, Group
from icx.widgets.base import module
from icx.workspace import Workspace

pytestmark = pytest.mark.browser

EVERYBODY = {"combinator": "and", "not": False, "rules": []}
EVIL = """<img src=x onerror="hit()"><b>bold</b>"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnungsfreundeskreis"


def blank(**changes: Any) -> dict[str, Any]:
    """A new audience: everybody."""
    return traits(tree=EVERYBODY, name="", saved={"name": None, "same": False}, **changes)


def rule_of(view: View) -> dict[str, Any]:
    return plain(view.trait("tree"))


def pick(view: View, name: str, value: str) -> None:
    view.page.get_by_role("combobox", name=name).select_option(value)


def menu(view: View, row: str, item: str) -> None:
    view.page.get_by_role("button", name=f"Menu of {row}", exact=True).click()
    view.page.get_by_role("menuitem", name=item, exact=True).click()


def focused(view: View) -> str:
    return str(
        view.page.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        )
    )


# --- clicks make the rule that code would make --------------------------------------------------------------------


def test_clicks_build_the_rule_that_code_builds(bare: Bare) -> None:
    view = builder(bare, blank(), on_save=everybody)
    page = view.page
    add = page.get_by_role("button", name="Rule", exact=True)
    add.click()
    pick(view, "Field, rule 1: new", "@event.open")
    page.get_by_role("textbox", name="Times, rule 1: Opened").fill("3")
    pick(view, "Count what, rule 1: Opened", "messages")
    add.click()
    pick(view, "Field, rule 2: new", "city")
    page.get_by_role("button", name="Add a value, rule 2: City").click()
    page.get_by_role("searchbox").fill("dur")
    page.get_by_role("checkbox", name="Durham", exact=True).check()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Group", exact=True).click()
    pick(view, "Field, rule 3: new", "@event.click")
    menu(view, "rule 3: Clicked a link", "Only on links that…")
    page.get_by_role("textbox", name="Text in the link, rule 3").fill("/members")
    page.get_by_role("textbox", name="Days, rule 3").fill("180")
    page.get_by_role("button", name="Rule in group 1").click()
    pick(view, "Field, rule 4: new", "points")
    page.get_by_role("textbox", name="Number, rule 4: Points total").fill("50")
    add.click()
    pick(view, "Field, rule 5: new", "email_last_click_ts")
    page.get_by_role("textbox", name="Days, rule 5: Last click").fill("7")
    menu(view, "rule 5: Last click", "Turn round with “Not”")
    wanted = copy.deepcopy(RULE)
    wanted["rules"][1]["value"] = ["Durham"]
    assert rule_of(view) == plain(wanted)
    assert to_json(from_json(rule_of(view))) == plain(wanted)
    assert view.quiet()


INPUTS: list[tuple[str, list[tuple[str, str]], dict[str, Any]]] = [
    ("vip", [("Value", "false")], {"field": "vip", "operator": "=", "value": False}),
    ("city", [("Operator", "contains|one"), ("Value", "=Dur")], {"field": "city", "operator": "contains", "value": "Dur"}),
    ("city", [("Operator", "null|none")], {"field": "city", "operator": "null", "value": None}),
    ("points", [("Operator", "between|pair"), ("From", "=1,000"), ("To", "=2000")], {"field": "points", "operator": "between", "value": [1000, 2000]}),
    ("email_last_click_ts", [("Operator", "within|this"), ("Period", "year")], {"field": "email_last_click_ts", "operator": "within", "value": {"this": "year"}}),
    ("ic_user_created", [("Operator", ">=|date"), ("Date", "=2026-10-01")], {"field": "ic_user_created", "operator": ">=", "value": "2026-10-01"}),
    ("visits", [("Entry", "shop"), ("Number", "=4")], {"field": "visits", "key": "shop", "operator": ">=", "value": 4}),
    ("@list", [("List", "Durham regulars"), ("Operator", "not on")], {"field": "@list", "operator": "not on", "value": "Durham regulars"}),
    ("@audience", [("Audience", "Lapsed")], {"field": "@audience", "operator": "in", "value": "Lapsed"}),
    ("@event.open", [("How often", "between"), ("From", "=1"), ("To", "=4"), ("Window", "ever")], {"field": "@event.open", "operator": "between", "value": [1, 4]}),
    ("@event.open", [("Window", "between"), ("First day", "=2026-10-01")], {"field": "@event.open", "operator": ">=", "value": 1, "between": ["2026-10-01", None]}),
]  # fmt: skip


def test_each_field_has_its_input(bare: Bare) -> None:
    """Values that begin with = are typed, others chosen."""
    view = builder(bare, blank(), on_save=everybody)
    for number, (field, clicks, leaf) in enumerate(INPUTS, start=1):
        view.page.get_by_role("button", name="Rule", exact=True).click()
        pick(view, f"Field, rule {number}: new", field)
        for name, value in clicks:
            if value.startswith("="):
                box = view.page.get_by_label(f"{name}, rule {number}:")
                box.fill(value[1:])
                box.press("Enter")
            else:
                pick(view, f"{name}, rule {number}:", value)
        assert rule_of(view)["rules"][-1] == leaf
        assert to_json(from_json(leaf)) == leaf
    view.shot("builder-inputs")


def test_an_event_can_be_of_one_message_and_by_people_only(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    menu(view, "rule 1: Opened", "Only of one message…")
    view.page.get_by_role("radio", name="Autumn sale").click()
    menu(view, "rule 1: Opened", "Only by people, not machines")
    leaf = rule_of(view)["rules"][0]
    assert leaf == {
        "field": "@event.open",
        "operator": ">=",
        "value": 3,
        "days": 90,
        "message": 101,
        "human": True,
    }
    view.page.get_by_role("button", name="Message, rule 1: Opened: Autumn sale").wait_for()


def test_no_value_is_a_rule_of_its_own_beside_the_values(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    view.page.get_by_role("button", name="Add a value, rule 2: City").click()
    view.page.get_by_role("button", name="Or has no value").click()
    group = rule_of(view)["rules"][1]
    assert group["combinator"] == "or"
    assert group["rules"][1] == {"field": "city", "operator": "null", "value": None}


# --- thirty edits: clicks, the pure functions, and Python -----------------------------------------------------------

ITEMS = {"up": "Move up", "down": "Move down", "out": "Move out of the group"}
PURE = "removeNode, duplicate, wrap, toggleNot, move, setCombined, plain, addRule, addGroup"


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_thirty_edits_by_clicks_are_the_same_edits_in_code(bare: Bare, seed: int) -> None:
    """After each click the rule is what the module's own functions, and Python on its own rules, make of it."""
    view = builder(bare, on_save=everybody)
    pure = (files("icx.widgets") / "builder_tree.js").read_text(encoding="utf-8") + f"\nexport {{ {PURE} }};"
    view.page.evaluate(
        "async (text) => { window.pure = await import(URL.createObjectURL(new Blob([text], {type: 'text/javascript'}))); }",
        pure,
    )
    chance = random.Random(seed)
    rule = from_json(plain(RULE))
    assert isinstance(rule, Group)
    for _ in range(30):
        rule = _edit(view, chance, rule)
        assert rule_of(view) == to_json(rule)
    for _ in range(100):
        if view.page.get_by_role("button", name="Undo").get_attribute("aria-disabled"):
            break
        view.page.get_by_role("button", name="Undo").click()
    assert rule_of(view) == plain(RULE)
    assert view.quiet()


def _names(tree: dict[str, Any]) -> dict[tuple[int, ...], str]:
    """What each row's menu is called, by its place."""
    labels = {
        "@event.open": "Opened",
        "@event.click": "Clicked a link",
        "city": "City",
        "points": "Points total",
        "email_last_click_ts": "Last click",
    }
    words = {
        ("and", False): "All of",
        ("or", False): "Any of",
        ("or", True): "None of",
        ("and", True): "Not all of",
    }
    rules = groups = 0
    found: dict[tuple[int, ...], str] = {}

    def walk(node: dict[str, Any], place: tuple[int, ...]) -> None:
        nonlocal rules, groups
        for number, each in enumerate(node["rules"]):
            here = (*place, number)
            if edits.is_row(from_json(each)):
                rules += 1
                found[here] = f"rule {rules}: {labels[each.get('field') or each['rules'][0]['field']]}"
            else:
                groups += 1
                found[here] = f"group {groups}: {words[each['combinator'], each['not']]}"
                walk(each, here)

    walk(tree, ())
    return found


def _edit(view: View, chance: random.Random, rule: Group) -> Group:
    tree = view.trait("tree")
    names = _names(plain(tree))
    place = chance.choice(edits.places(rule)) if rule.rules else None
    what = chance.choice(["up", "down", "out", "copy", "wrap", "not", "remove", "rule", "group", "join"])
    if place is None or len(names) > 14 or len(names) < 4:
        what = "remove" if place is not None and len(names) > 14 else "rule"
    groups = [each for each in edits.places(rule) if not edits.is_row(edits.at(rule, each))]
    into = chance.choice([(), *groups])
    opened = Event("open", ">=", 1, days=90)
    node = _node(tree, place or ())["id"]
    pure = ""
    if what in {"rule", "group"}:
        name = f"{what.capitalize()} in {names[into]}" if into else what.capitalize()
        view.page.get_by_role("button", name=name, exact=True).click()
        view.page.get_by_role("combobox", name=": new").select_option("@event.open")
        added = (
            opened
            if what == "rule"
            else Group("or" if _combinator(rule, into) == "and" else "and", (opened,))
        )
        group = _node(tree, into)["id"]
        leaf = json.dumps({"field": "@event.open", "operator": ">=", "value": 1, "days": 90})
        pure = f"add{what.capitalize()}(tree, '{group}', {leaf})"
        result = edits.add(rule, into, added)
    elif what == "join":
        how = chance.choice(["all", "any", "none"])
        name = f"Combine {names[into]}" if into else "Combine all rules"
        pick(view, name, how)
        found = edits.at(rule, into)
        assert isinstance(found, Group)
        fresh = Group("and" if how == "all" else "or", found.rules, how == "none")
        pure = f"setCombined(tree, '{_node(tree, into)['id']}', '{how}')"
        result = edits.put(rule, into, fresh) if into else fresh
    else:
        assert place is not None
        found = edits.at(rule, place)
        row = names[place]
        if what in ITEMS:
            result = edits.move(rule, place, what) if what != "out" or len(place) > 1 else rule
            pure = f"move(tree, '{node}', '{what}')" if result is not rule else "tree"
            item = ITEMS[what] if result is not rule else None
        elif what == "copy":
            result, item, pure = (
                edits.put(rule, place, found, found),
                "Duplicate",
                f"duplicate(tree, '{node}')",
            )
        elif what == "wrap":
            result, item, pure = edits.wrap(rule, place), "Wrap in a group", f"wrap(tree, '{node}')"
        elif what == "not":
            away = isinstance(found, Group) and found.negated
            result, item = edits.turn(rule, place), "Take “Not” away" if away else "Turn round with “Not”"
            pure = f"toggleNot(tree, '{node}')"
        else:
            item = "Remove" if edits.is_row(found) else "Remove with its rules"
            result, pure = edits.put(rule, place), f"removeNode(tree, '{node}')"
        if item:
            menu(view, row, item)
    made = view.page.evaluate(f"(tree) => {{ with (pure) {{ return plain({pure}); }} }}", tree)
    assert made == to_json(result), what
    return result


def _node(tree: dict[str, Any], place: tuple[int, ...]) -> dict[str, Any]:
    for number in place:
        tree = tree["rules"][number]
    return tree


def _combinator(rule: Group, place: tuple[int, ...]) -> str:
    found = edits.at(rule, place)
    assert isinstance(found, Group)
    return found.combinator


# --- keyboard -------------------------------------------------------------------------------------------------------


def test_the_keyboard_alone_builds_a_rule(bare: Bare) -> None:
    view = builder(bare, blank(), on_save=everybody)
    keys = view.page.keyboard
    view.page.get_by_role("combobox", name="Combine all rules").focus()
    keys.press("Tab")
    assert focused(view) == "Rule"
    keys.press("Enter")
    assert focused(view) == "Field, rule 1: new"
    keys.type("Poi")
    assert focused(view) == "Field, rule 1: Points total"
    keys.press("Tab")
    keys.press("Tab")
    keys.type("50")
    keys.press("Enter")
    assert rule_of(view)["rules"] == [{"field": "points", "operator": ">=", "value": 50}]
    keys.press("Tab")
    assert focused(view) == "Menu of rule 1: Points total"
    keys.press("Enter")
    view.page.get_by_role("menuitem", name="Move up").wait_for()
    view.until(lambda: focused(view) == "Move up")
    for _ in range(2):
        keys.press("ArrowDown")
    assert focused(view) == "Duplicate"
    keys.press("Enter")
    assert len(rule_of(view)["rules"]) == 2
    assert focused(view) == "Menu of rule 1: Points total"
    assert view.heard_keys == []


def test_alt_and_arrows_move_a_rule_through_groups(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    view.page.get_by_role("button", name="Menu of rule 2: City").focus()
    keys = view.page.keyboard
    seen = []
    for _ in range(4):
        keys.press("Alt+ArrowDown")
        seen.append(
            [
                each.get("field") or [inner["field"] for inner in each["rules"]]
                for each in rule_of(view)["rules"]
            ]
        )
        assert "City" in focused(view)
    assert seen == [
        ["@event.open", ["city", "@event.click", "points"], ["email_last_click_ts"]],
        ["@event.open", ["@event.click", "city", "points"], ["email_last_click_ts"]],
        ["@event.open", ["@event.click", "points", "city"], ["email_last_click_ts"]],
        ["@event.open", ["@event.click", "points"], "city", ["email_last_click_ts"]],
    ]
    for _ in range(4):
        keys.press("Alt+ArrowUp")
    assert rule_of(view) == plain(RULE)
    keys.press("Delete")
    assert len(rule_of(view)["rules"]) == 3
    assert focused(view) == "Menu of group 1: Any of"
    assert view.heard_keys == []


def test_undo_and_redo_by_keys_and_in_a_text_field_not(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    page = view.page
    pick(view, "Operator, rule 4", "<=|one")
    page.get_by_text("1 unsaved edit", exact=True).wait_for()
    page.get_by_role("textbox", name="Text in the link").press("Control+z")
    assert rule_of(view)["rules"][2]["rules"][1]["operator"] == "<="
    page.get_by_role("combobox", name="Field, rule 4").focus()
    page.keyboard.press("Control+z")
    assert rule_of(view) == plain(RULE)
    assert focused(view) == "Field, rule 4: Points total"
    page.get_by_text("saved", exact=True).wait_for()
    page.keyboard.press("Control+Shift+Z")
    assert rule_of(view)["rules"][2]["rules"][1]["operator"] == "<="
    assert page.get_by_role("button", name="Undo: changed “at least” to “at most”").count() == 1
    assert set(view.heard_keys) <= {"Control", "Shift"}


def test_keys_of_the_notebook_stay_its_own(bare: Bare) -> None:
    view = builder(bare)
    view.page.get_by_role("textbox", name="Number, rule 4").focus()
    for key in ("d", "d", "Escape", "Shift+Enter", "Control+s"):
        view.page.keyboard.press(key)
    assert [key for key in view.heard_keys if key not in {"Shift", "Control"}] == ["Escape", "Enter", "s"]
    view.page.get_by_role("button", name="Add a value, rule 2").click()
    view.page.keyboard.press("Escape")
    assert view.page.get_by_role("dialog").count() == 0
    assert view.heard_keys.count("Escape") == 1
    assert focused(view) == "Add a value, rule 2: City"


def test_focus_goes_where_the_work_goes_on(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    view.page.get_by_role("button", name="Rule in group 1").click()
    assert focused(view) == "Field, rule 5: new"
    menu(view, "rule 6: Last click", "Remove")
    assert focused(view) == "Rule"
    menu(view, "rule 1: Opened", "Remove")
    assert focused(view) == "Menu of rule 1: City"
    menu(view, "rule 1: City", "Wrap in a group")
    assert focused(view) == "Menu of rule 1: City"


def test_an_answer_never_moves_focus_or_what_is_being_typed(bare: Bare) -> None:
    view = builder(bare)
    box = view.page.get_by_role("textbox", name="Number, rule 4")
    box.press("End")
    box.type("00")
    view.set(answers=ANSWERS | {"total": 1605})
    view.page.get_by_text("1,605").first.wait_for()
    box.type("0")
    assert box.input_value() == "50000"
    assert focused(view) == "Number, rule 4: Points total"


# --- counting, busy, gone ---------------------------------------------------------------------------------------------


def bump(view: View, text: str = "60") -> int:
    box = view.page.get_by_role("textbox", name="Number, rule 4")
    box.fill(text)
    box.press("Enter")
    return int(view.trait("rev"))


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


def crowded(name: str) -> dict[str, Any]:
    """A rule in which every name is `name`, with a million contacts."""
    state = traits(name=name, place=PLACE | {"connection": name, "contacts": 1_000_000})
    state["catalogue"] = [
        each | {"label": f"{each['label']} {name}", "group": name} for each in state["catalogue"]
    ]
    state["tree"]["rules"][1]["value"] = [name, "Durham"]
    big = {key: counted(1_000_000, 987_654, 987_654, 876_543) for key in ANSWERS["nodes"]}
    state["answers"] = ANSWERS | {
        "total": 987_654,
        "of": 1_000_000,
        "nodes": big,
        "sentence": [[f"people whose city is {name}", "strong"]],
        "sql": name,
        "python": name,
        "sizes": [1_000_000, 987_654],
    }
    return state


def evil_answers(name: str) -> dict[str, Any]:
    columns = [
        {"name": "email", "label": name, "num": False},
        {"name": "city", "label": "City", "num": False},
    ]
    return answers(
        values={"values": [{"value": name, "label": name, "count": 1}], "of": 1, "none": 2, "reach": 3},
        sample={"columns": columns, "rows": [[name, name]], "ids": [1], "of": 1, "masked": True},
        breakdown={"parts": [{"value": name, "count": 1, "of": 2}], "size": 1, "people": 2},
        why={"who": name, "in": False, "line": name, "rows": [{"mark": "NO", "rule": name, "fact": name}]},
    )


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


# --- with Python behind it ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("clicked") / "ws"
    with Workspace.with_sandbox(folder, contacts=60, messages=6, seed=3) as ws:
        ws.pull()
        ws.build()
    with Workspace(folder) as ws:
        yield ws


def test_clicks_count_and_save_what_code_counts_and_saves(bare: Bare, workspace: Workspace) -> None:
    f = workspace.fields
    made = workspace.builder()
    try:
        view = bare(module("builder"), widget=made, width=1000)
        page = view.page
        page.get_by_role("button", name="Rule", exact=True).click()
        pick(view, "Field, rule 1: new", "opens_365d")
        page.get_by_role("textbox", name="Number, rule 1").fill("1")
        page.get_by_role("button", name="Rule", exact=True).click()
        pick(view, "Field, rule 2: new", "city")
        page.get_by_role("button", name="Add a value, rule 2").click()
        view.until(lambda: page.get_by_role("checkbox").count() > 2)
        city = page.get_by_role("checkbox").first.get_attribute("aria-label")
        page.get_by_role("checkbox").first.check()
        page.get_by_role("button", name="Done").click()
        menu(view, "rule 2: City", "Turn round with “Not”")
        typed = (f.opens_365d >= 1) & ~f.city.is_in(city)
        view.until(lambda: view.trait("tree") == made.tree and made.answers.get("rev") == made.rev)
        assert made.rule == typed
        total = workspace.audience("Typed", typed).count().count
        view.until(lambda: page.locator(".bigno").inner_text() == f"{total:,}")
        view.until(lambda: page.get_by_role("table").count() and page.locator(".sketch svg").count())
        assert view.page.locator(".left").last.inner_text() == f"{total:,}"
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("textbox", name="Name", exact=True).fill("Clicked")
        page.get_by_role("button", name="Save audience").click()
        view.until(lambda: page.get_by_text("saved", exact=True).count())
        assert workspace.audience("Clicked").rule == typed
        made.audience = f.opens_90d >= 1
        view.until(lambda: page.get_by_role("combobox", name="Field, rule 1: Opens, 90 days").count())
        page.get_by_role("button", name="Undo").click()
        view.until(lambda: made.rule == typed)
        view.until(lambda: made.answers.get("rev") == made.rev)
        assert "@" not in json.dumps(view.page.evaluate("model.traits.answers")).replace(
            "@event", ""
        ).replace("@list", "")
        view.shot("builder-with-python")
        assert view.quiet()
    finally:
        made.close()
