"""The audience builder in a bare page: what clicks and keys make of the rule, and what is shown in each state."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from typing import Any

import edits
import pytest
from bare import Bare, View
from builder_page import (
    ANSWERS,
    RULE,
    answers,
    blank,
    builder,
    everybody,
    focused,
    menu,
    pick,
    plain,
    rule_of,
    traits,
)

from icx.rules import from_json, to_json
from icx.rules.nodes import Event, Group
from icx.widgets.base import module
from icx.workspace import Workspace

pytestmark = pytest.mark.browser

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
PURE = "place, removeNode, duplicate, wrap, toggleNot, move, setCombined, plain, addRule, addGroup"


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_thirty_edits_by_clicks_are_the_same_edits_in_code(bare: Bare, seed: int) -> None:
    """After each click the rule is what the module's own functions, and Python on its own rules, make of it."""
    view = builder(bare, on_save=everybody)
    view.page.set_viewport_size({"width": 1040, "height": 1600})  # every row can be dragged to every other
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
    view.page.get_by_role("combobox", name="Combine all rules").focus()
    for _ in range(70):  # adding a rule and saying what it is about are two steps
        view.page.keyboard.press("Control+z")
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
    what = chance.choice(
        ["up", "down", "out", "copy", "wrap", "not", "remove", "rule", "group", "join", "drop"]
    )
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
        to = _node(tree, into)["id"]
        leaf = json.dumps({"field": "@event.open", "operator": ">=", "value": 1, "days": 90})
        pure = f"add{what.capitalize()}(tree, '{to}', {leaf})"
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
    elif what == "drop":
        assert place is not None
        group = chance.choice([one for one in [(), *groups] if one[: len(place)] != place])
        inside = edits.at(rule, group)
        assert isinstance(inside, Group)
        position = chance.randint(0, len(inside.rules))
        drag(view, node, _node(tree, group), position)
        pure = f"place(tree, '{node}', '{_node(tree, group)['id']}', {position})"
        result = edits.drop(rule, place, group, position)
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


def drag(view: View, node: str, group: dict[str, Any], position: int, *, drop: bool = True) -> None:
    """Drag a row by its grip to just above what stands at a position of a group, or above its buttons at its end."""
    stands = [*(f"row:{each['id']}" for each in group["rules"]), f"adds:{group['id']}"]
    boxes = [
        view.page.locator(f'[data-key="{key}"]').bounding_box() for key in (f"{node}:grip", stands[position])
    ]
    assert boxes[0]
    assert boxes[1]
    mouse = view.page.mouse
    mouse.move(boxes[0]["x"] + 10, boxes[0]["y"] + 12)
    mouse.down()
    mouse.move(boxes[1]["x"] + 60, boxes[1]["y"] + 1, steps=3)
    if drop:
        mouse.up()


def _node(tree: dict[str, Any], place: tuple[int, ...]) -> dict[str, Any]:
    for number in place:
        tree = tree["rules"][number]
    return tree


def _combinator(rule: Group, place: tuple[int, ...]) -> str:
    found = edits.at(rule, place)
    assert isinstance(found, Group)
    return found.combinator


# --- dragging -------------------------------------------------------------------------------------------------------


def test_a_rule_is_dragged_into_a_group_and_back_and_a_group_never_into_itself(bare: Bare) -> None:
    view = builder(bare, on_save=everybody)
    page = view.page
    group = RULE["rules"][2]
    drag(view, "city", group, 1, drop=False)
    assert page.get_by_role("group", name="group 1: Any of").get_attribute("class") == "target"
    assert page.locator(".drop-line").count() == 1
    view.shot("builder-dragging")
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.locator(".drop-line").count() == 0
    assert rule_of(view) == plain(RULE)
    assert view.heard_keys == []
    drag(view, "city", group, 1)
    inside = [each["field"] for each in rule_of(view)["rules"][1]["rules"]]
    assert inside == ["@event.click", "city", "points"]
    assert focused(view) == "Menu of rule 3: City"
    page.keyboard.press("Control+z")
    assert rule_of(view) == plain(RULE)
    drag(
        view, "any", group, 1
    )  # over its own rules: it goes before or after itself, which is where it stands
    assert rule_of(view) == plain(RULE)
    page.get_by_role("button", name="Menu of rule 1: Opened").click()
    assert page.get_by_role("menu").is_visible()
    assert view.quiet()


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
    assert focused(view) == "Set on the histogram, rule 1: Points total"
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


def test_bounds_are_set_on_the_histogram_by_mouse_and_by_keys_as_if_typed(bare: Bare) -> None:
    state = traits()
    state["tree"]["rules"][2]["rules"][1] |= {"operator": "between", "value": [40, 200]}
    view = builder(bare, state, on_save=everybody)
    page = view.page
    value = lambda: rule_of(view)["rules"][2]["rules"][1]["value"]  # noqa: E731
    page.get_by_role("button", name="Set on the histogram, rule 4: Points total").click()
    low, high = (page.get_by_role("slider", name=f"{end}, rule 4: Points total") for end in ("From", "To"))
    view.until(lambda: focused(view) == "From, rule 4: Points total")
    assert (low.get_attribute("aria-valuenow"), low.get_attribute("aria-valuetext")) == ("40", "40")
    assert (low.get_attribute("aria-valuemin"), low.get_attribute("aria-valuemax")) == ("0", "640")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert low.get_attribute("aria-valuetext") == "81"
    assert value() == [40, 200]  # a draft until the keys are quiet
    page.keyboard.press("Enter")
    assert value() == [81, 200]
    assert page.get_by_role("textbox", name="From, rule 4").input_value() == "81"
    plot = page.locator(".plot").bounding_box()
    assert plot
    page.mouse.move(plot["x"] + plot["width"] * 201 / 640, plot["y"] + 40)
    page.mouse.down()
    page.mouse.move(plot["x"] + plot["width"] * 0.501, plot["y"] + 40, steps=3)
    assert high.get_attribute("aria-valuetext") in {"319", "320"}
    view.shot("builder-brushing")
    page.mouse.up()
    assert value()[0] == 81
    assert value()[1] in {319, 320}
    assert focused(view) == "To, rule 4: Points total"
    for _ in range(12):
        page.keyboard.press("Shift+ArrowLeft")  # stops at the other bound
    page.keyboard.press("Escape")
    assert value() == [81, 81]
    assert focused(view) == "Set on the histogram, rule 4: Points total"
    page.keyboard.press("Control+z")
    assert value()[1] in {319, 320}
    assert view.quiet()


def test_a_date_is_set_on_its_histogram_by_days(bare: Bare) -> None:
    months = [f"2026-0{month}-01T05:00:00" for month in range(1, 7)]
    bins = [{"from": one, "to": two, "count": 10 * n + 5} for n, (one, two) in enumerate(pairwise(months))]
    told = answers(histogram={"bins": bins, "low": months[0], "high": months[-1], "median": months[2]})
    state = traits()
    state["tree"]["rules"][1] = {
        "id": "made",
        "field": "ic_user_created",
        "operator": ">=",
        "value": "2026-02-10",
    }
    view = builder(bare, state, told=told, on_save=everybody)
    page = view.page
    page.get_by_role("button", name="Set on the histogram, rule 2: Created").click()
    bound = page.get_by_role("slider", name="Date, rule 2: Created")
    view.until(lambda: focused(view) == "Date, rule 2: Created")
    assert bound.get_attribute("aria-valuetext") == "10 Feb 2026"
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowLeft"):
        page.keyboard.press(key)
    assert bound.get_attribute("aria-valuetext") == "31 May 2026"
    view.shot("builder-brushing-dates")
    page.get_by_role("button", name="Done").click()
    assert rule_of(view)["rules"][1]["value"] == "2026-05-31"
    assert view.quiet()


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
