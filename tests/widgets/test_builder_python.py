"""The builder without a browser: what it counts, says, offers and keeps for the document it is given."""

# ruff: noqa: F401, F811 (fixtures are imported by name)

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from builder_bed import LOYAL, ZONE, Make, edit, f, files, make

from icx.audience import Audience, load
from icx.rules import EVERYBODY, Group, Rule, code, english, sentence
from icx.widgets.builder import Builder
from icx.widgets.document import tree_of


def figures(view: Builder) -> list[tuple[int, int, int | None]]:
    nodes = view.wait(10).answers["nodes"]
    return [(own["before"], own["left"], own["alone"]) for own in nodes.values()]


# --- counting -------------------------------------------------------------------------------------------------------


def test_a_rule_is_counted_node_by_node(make: Make) -> None:
    view = make(LOYAL)
    assert view.answers["total"] == 3
    assert view.answers["of"] == 10
    assert view.answers["human"] == 0
    assert figures(view) == [(10, 3, None), (10, 4, None), (4, 4, None), (4, 3, None), (4, 1, None)]
    assert repr(view) == "Builder(a new audience: 3 of 10 people of acme)"


def test_an_any_group_says_what_each_rule_has_alone(make: Make) -> None:
    view = make((f.city == "Durham") | (f.opens_90d >= 3) | f.on_list("Durham regulars", "pending"))
    assert figures(view) == [(10, 6, None), (10, 5, 1), (10, 4, 0), (10, 1, 1)]


def test_events_and_lists_and_other_audiences_count_too(make: Make) -> None:
    make(LOYAL).save("Loyal")
    view = make(f.opened(3, days=30) & ~f.on_list("Durham regulars") & f.in_audience("Loyal"))
    assert view.answers["total"] == 3
    assert [left for _, left, _ in figures(view)][1:] == [4, 3, 1, 3]


def test_everybody_is_the_start(make: Make) -> None:
    view = make()
    assert view.rule == EVERYBODY
    assert view.answers["total"] == 10
    assert view.answers["sentence"] == [["all contacts", "strong"]]


def test_sizes_of_the_last_eight_edits_are_kept(make: Make) -> None:
    view = make(f.opens_90d >= 0)
    for least in range(9):
        tree = copy.deepcopy(view.tree)
        tree["rules"][0]["value"] = least
        edit(view, tree).wait(10)
    assert view.answers["sizes"] == [8, 6, 4, 4, 4, 4, 4, 0]
    assert view.answers["before"] == 4


def test_the_words_are_those_of_the_audience(make: Make) -> None:
    said = make(LOYAL).answers
    assert "".join(text for text, _ in said["sentence"]) == sentence(LOYAL, ZONE)
    assert {weight for _, weight in said["sentence"]} == {"strong", "muted"}
    assert said["python"] == code(LOYAL)
    assert said["sql"].count("?") == said["params"] == 4


# --- the same object as code's --------------------------------------------------------------------------------------

RULES: list[Rule] = [
    f.city == "Durham",
    ~(f.city == "Durham"),
    LOYAL,
    (f.city == "Durham") | ~((f.opens_90d >= 3) & f.opened(3, days=90, distinct="messages")),
    f.channels.has("email") & f.open_hours["9"].between(1, 8) & f.clicked(url="/sale"),
    Group("and", (f.city == "Durham",)),
    ~EVERYBODY,
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_audience_is_the_one_code_would_make(make: Make, rule: Rule) -> None:
    view = make(Audience("Loyal", rule, "acme", "our best"))
    assert view.rule == rule
    assert view.audience == Audience("Loyal", rule, "acme", "our best")


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_document_of_the_browser_gives_the_rule_code_would_make(make: Make, rule: Rule) -> None:
    view = edit(make(), tree_of(rule) | {"id": "browser-1"}).wait(10)
    assert english(view.rule) == english(rule)
    assert view.rule == (
        rule if not isinstance(rule, Group) or len(rule.rules) != 1 or rule.negated else rule.rules[0]
    )


def test_an_audience_can_be_set_and_is_counted(make: Make) -> None:
    view = make()
    rev = view.rev
    view.audience = Audience("Durham", f.city == "Durham")
    assert view.rev > rev
    assert (view.wait(10).answers["total"], view.name) == (5, "Durham")
    view.audience = f.opens_90d >= 3
    assert view.wait(10).answers["total"] == 4


def test_ids_are_not_saved(make: Make, tmp_path: Path) -> None:
    make(LOYAL).save("Loyal")
    saved = (tmp_path / "audiences" / "Loyal.json").read_text()
    assert '"id"' not in saved
    assert load(tmp_path / "audiences", "Loyal").rule == LOYAL


def test_saving_says_when_the_rule_is_another_again(make: Make) -> None:
    view = make(LOYAL)
    assert view.saved == {"name": None, "same": False}
    assert view.answer("save", {"rule": view.tree, "name": "Loyal", "description": "x"}) == {
        "ok": True,
        "name": "Loyal",
    }
    assert (view.name, view.saved) == ("Loyal", {"name": "Loyal", "same": True})
    edit(view, tree_of(f.city == "Durham")).wait(10)
    assert view.saved == {"name": "Loyal", "same": False}
    assert make(view.audience).saved == {"name": "Loyal", "same": False}
    assert make(Audience("Loyal", LOYAL)).saved == {"name": "Loyal", "same": True}


def test_an_audience_that_would_use_itself_is_not_saved(make: Make, tmp_path: Path) -> None:
    make(LOYAL).save("Loyal")
    make(f.in_audience("Loyal")).save("Inner")
    said = make().answer("save", {"rule": tree_of(f.in_audience("Inner")), "name": "Loyal"})
    assert said["error"]["code"] == "audience-cycle"
    assert load(tmp_path / "audiences", "Loyal").rule == LOYAL
    assert make().answer("save", {"rule": tree_of(LOYAL), "name": ""})["error"]["code"] == "audience-name"


# --- what is wrong, and where ---------------------------------------------------------------------------------------


def broken(view: Builder, **change: Any) -> dict[str, Any]:
    tree = copy.deepcopy(view.tree)
    tree["rules"][1] = {"id": "wrong", **change}
    return edit(view, tree).wait(10).answers


@pytest.mark.parametrize(
    ("leaf", "code_of_error", "fix"),
    [
        ({"field": "ctiy", "operator": "=", "value": "Durham"}, "field-unknown", {"set": {"field": "city"}}),
        ({"field": "opens_90d", "operator": ">=", "value": "fifty"}, "rule-value", None),
        ({"field": "opens_90d", "operator": "within", "value": "fifty"}, "rule-value", None),
        ({"field": "@list", "operator": "on", "value": "Durham regular"}, "list-unknown", {"set": {"value": "Durham regulars"}}),
        ({"field": "@list", "operator": "on", "value": "Twin"}, "list-twice", {"set": {"value": "#3005"}}),
        ({"field": "cf_gone", "operator": "=", "value": "x"}, "field-gone", {"remove": True}),
        ({"field": "@audience", "operator": "in", "value": "Nobody"}, "audience-unknown", None),
        ({"field": "@event.open", "operator": ">=", "value": "many"}, "rule-value", None),
        ({"field": "", "operator": "=", "value": ""}, "rule-value", None),
        ({}, "rule-value", None),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named_at_its_node(
    make: Make, leaf: dict[str, Any], code_of_error: str, fix: Any
) -> None:
    view = make(LOYAL)
    said = broken(view, **leaf)
    assert list(said["errors"]) == ["wrong"]
    error = said["errors"]["wrong"]
    assert error["code"] == code_of_error
    assert error["message"]
    assert error["next"]
    assert (said["total"], said["nodes"]) == (None, None)
    assert said["sizes"] == [3]
    if fix:
        assert {key: value for key, value in error["fix"][0].items() if key != "label"} == fix
    refused = view.answer("save", {"rule": view.tree, "name": "Wrong"})
    assert refused["error"]["code"] == code_of_error
    assert view.saved == {"name": None, "same": False}


def test_every_wrong_rule_is_named_at_once(make: Make) -> None:
    view = make(LOYAL)
    tree = copy.deepcopy(view.tree)
    tree["rules"][0]["value"] = "fifty"
    tree["rules"][1]["field"] = "ctiy"
    tree["rules"][2] = {
        "id": "inner",
        "combinator": "or",
        "not": False,
        "rules": [{"id": "deep", "field": "nope", "operator": "null"}],
    }
    assert set(edit(view, tree).wait(10).answers["errors"]) == {"p2", "p3", "deep"}


def test_an_audience_using_the_one_being_edited_is_a_circle(make: Make) -> None:
    make(LOYAL).save("Loyal")
    make(f.in_audience("Loyal")).save("Inner")
    view = make(Audience("Loyal", LOYAL))
    said = broken(view, field="@audience", operator="in", value="Inner")
    assert said["errors"]["wrong"]["code"] == "audience-cycle"
    assert said["errors"]["wrong"]["fix"] == [{"label": "leave this rule out", "remove": True}]


def test_where_nobody_is_left_the_closest_values_are_named(make: Make) -> None:
    view = make((f.opens_90d >= 3) & f.city.is_in("Druham", "Xyz") & (f.open_rate_90d >= 0))
    empty = view.answers["empty"]
    assert empty["id"] == view.tree["rules"][1]["id"]
    assert empty["without"] == 4
    assert empty["closest"] == [
        {"value": "Durham", "label": "Durham", "count": 4, "set": {"value": ["Durham"]}}
    ]
    assert make(f.opens_90d >= 50).answers["empty"]["closest"][0]["set"] == {"value": 7}
    assert make(f.email == "person109@example.org").answers["empty"]["closest"] == []


def test_a_rule_set_in_code_keeps_the_name_and_the_description(make: Make) -> None:
    view = make(Audience("Loyal", LOYAL, description="Near the shop"))
    view.audience = f.city == "Raleigh"
    assert (view.audience.name, view.audience.description) == ("Loyal", "Near the shop")
    assert view.save().description == "Near the shop"
