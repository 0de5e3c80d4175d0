"""What the builder answers when it is asked, what it offers, and what a saved notebook holds of it."""

# ruff: noqa: F401, F811 (fixtures are imported by name)

from __future__ import annotations

import copy
import json
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest
from builder_bed import CANARY, FIELDS, LOYAL, NAMED, Make, builder, edit, f, files, make

from icx.audience import Audience
from icx.errors import NeedsYou
from icx.rules import code, to_json
from icx.rules.operators import ALLOWED
from icx.widgets.builder import Builder
from icx.widgets.document import read, tree_of
from icx.widgets.inputs import TYPES

# --- questions ------------------------------------------------------------------------------------------------------


def ask(view: Builder, verb: str, **given: Any) -> dict[str, Any]:
    said = view.answer(verb, {"rule": view.tree, **given})
    assert said["ok"], said
    json.dumps(said)
    return said


def test_values_are_counted_among_those_who_reach_the_rule(make: Make) -> None:
    view = make(LOYAL)
    said = ask(view, "values", node="p3", field="city")
    assert said["values"] == [{"value": "Durham", "label": "Durham", "count": 4}]
    assert (said["reach"], said["none"], said["of"]) == (4, 0, 1)
    everyone = ask(view, "values", node="p2", field="city", limit=2)
    assert [one["count"] for one in everyone["values"]] == [5, 1]
    assert (everyone["reach"], everyone["none"], everyone["of"]) == (10, 2, 4)
    assert ask(view, "values", node="p2", field="city", search="GRÖ")["values"][0]["value"] == "Größe"
    assert ask(view, "values", node="p2", field="city", only=["O'Brien"])["values"][0]["count"] == 1


def test_values_of_lists_sets_keys_links_messages_and_audiences(make: Make) -> None:
    view = make(LOYAL)
    assert ask(view, "values", node="p2", field="channels")["values"][0]["count"] == 8
    assert ask(view, "values", node="p2", field="open_hours")["values"][0]["value"] == "9"
    lists = ask(view, "values", node="p2", field="@list")["values"]
    assert [(one["value"], one["count"]) for one in lists] == [
        ("Durham regulars", 2),
        ("#3005", 0),
        ("#3006", 0),
    ]
    assert (
        ask(view, "values", node="p2", field="@event.click", key="url")["values"][0]["value"]
        == "http://example.com/sale"
    )
    message = ask(view, "values", node="p2", field="@event.any", key="message")["values"][0]
    assert (message["value"], message["label"]) == (5, "Autumn sale (#5)")
    view.save("Loyal")
    assert ask(view, "values", node="p2", field="@audience")["values"] == [
        {"value": "Loyal", "label": "Loyal", "count": None}
    ]


def test_values_that_are_people_are_not_listed(make: Make) -> None:
    said = ask(make(LOYAL), "values", node="p2", field="email")
    assert (said["values"], said["pii"], said["of"]) == ([], True, 10)


def test_another_rule_that_is_wrong_keeps_nobody_from_the_values(make: Make) -> None:
    view = make(LOYAL)
    tree = copy.deepcopy(view.tree)
    tree["rules"][0]["value"] = "fifty"
    said = view.answer("values", {"rule": tree, "node": "p3", "field": "city"})
    assert said["reach"] == 10


@pytest.mark.parametrize(("field", "key"), [("opens_90d", None), ("open_rate_90d", None), ("ic_user_created", None), ("open_hours", "9")])  # fmt: skip
def test_a_histogram_counts_everybody_with_a_value_once(make: Make, field: str, key: str | None) -> None:
    said = ask(make(LOYAL), "histogram", node="p2", field=field, key=key)
    assert sum(one["count"] for one in said["bins"]) == (8 if key else 10)
    assert said["low"] <= said["median"] <= said["high"]
    assert said["bins"][0]["from"] == said["low"]
    assert said["bins"][-1]["to"] == said["high"]


def test_a_histogram_of_words_is_refused(make: Make) -> None:
    view = make(LOYAL)
    said = view.answer("histogram", {"rule": view.tree, "node": "p2", "field": "city"})
    assert said["error"]["code"] == "rule-value"


def test_members_are_masked_until_they_are_asked_for(make: Make) -> None:
    view = make(LOYAL & f.cf_note.has_value())
    said = ask(view, "sample", n=5, show=False)
    assert said["masked"]
    assert CANARY not in json.dumps(said)
    assert "Bob" not in json.dumps(said)
    assert said["ids"] == [110]
    shown = ask(view, "sample", n=5, show=True)
    assert any(CANARY in row for row in shown["rows"])
    assert any(NAMED in row for row in shown["rows"])
    assert [one["label"] for one in said["columns"]][:2] == ["Address", "First name"]


def test_a_breakdown_and_why(make: Make) -> None:
    view = make(LOYAL)
    said = ask(view, "breakdown", by="city")
    assert said["parts"][0] == {"value": "Durham", "count": 3, "of": 5}
    why = ask(view, "why", who="#101")
    assert not why["in"]
    assert [row["mark"] for row in why["rows"]] == ["yes", "yes", "NO"]
    assert (
        view.answer("why", {"rule": view.tree, "who": "nobody@example.com"})["error"]["code"]
        == "contact-unknown"
    )
    assert ask(view, "python_of")["python"] == code(LOYAL)


def test_whom_one_rule_alone_keeps_out_is_counted_and_shown_masked_with_why(make: Make) -> None:
    view = make(LOYAL)
    said = {one["id"]: one for one in view.answers["misses"]}
    assert [(one["rule"], one["count"]) for one in said.values()] == [
        ("opened at least 3 times in the last 90 days", 1),
        ("city is Durham", 0),
        ("did not click in the last 7 days", 1),
    ]
    clicked = next(node for node, one in said.items() if one["rule"].startswith("did not click"))
    found = ask(view, "misses", node=clicked)
    assert (found["ids"], found["of"], found["masked"]) == ([101], 1, True)
    assert found["facts"] == ["clicked 18 Nov 07:02; in from 25 Nov 07:02"]
    assert found["rows"][0][0] == "p…@e….com"
    assert ask(view, "misses", node=clicked, show=True)["rows"][0][0] == "person101@example.com"
    assert ask(view, "misses", node="p1")["ids"] == []


def test_what_a_near_miss_has_is_masked_where_it_says_who_they_are(make: Make) -> None:
    view = make((f.first_name == "Jo") & (f.email == "nobody@example.com") & (f.opens_90d >= 7))
    address = view.answers["misses"][1]["id"]
    assert view.answers["misses"][1]["count"] == 3
    facts = ask(view, "misses", node=address)["facts"]
    assert facts == ["p…@e….com"] * 3
    other = make((f.first_name == "Ada") & (f.opens_90d >= 7))
    assert set(ask(other, "misses", node=other.answers["misses"][0]["id"])["facts"]) == {"J…", "O…"}


# --- what is offered ------------------------------------------------------------------------------------------------


def test_every_field_has_the_input_its_type_needs(make: Make) -> None:
    view = make()
    offered = {one["name"]: one for one in view.catalogue}
    assert set(FIELDS) <= set(offered)
    for name, field in FIELDS.items():
        kind = offered[name]["type"]
        assert kind == TYPES[field.type]
        assert {one["op"] for one in view.operators[kind]} == set(ALLOWED[field.type])
    inputs = {kind: {one["input"] for one in ops} for kind, ops in view.operators.items()}
    assert inputs["time"] == {"date", "pair-date", "days", "this", "none"}
    assert inputs["integer"] == {"one", "many", "pair", "none"}
    assert inputs["event"] == {"event"}
    assert offered["open_hours"]["of"] == "integer"
    assert offered["cf_gone"]["gone"]
    assert [one["value"] for one in offered["@list"]["values"]] == ["Durham regulars", "#3005", "#3006"]
    assert "@event.click" in offered


def test_the_place_says_whose_people_and_as_of_when(make: Make) -> None:
    assert make().place == {
        "connection": "acme",
        "profile_as_of": "21 Nov 2026, 07:02",
        "contacts": 10,
        "zone": "America/New_York",
    }


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(NeedsYou, match="no published profile") as raised:
        builder(tmp_path / "acme")
    assert raised.value.code == "profile-missing"


# --- what a saved notebook holds ------------------------------------------------------------------------------------


def test_no_address_of_anybody_is_in_what_is_saved(make: Make) -> None:
    view = make(Audience(NAMED.replace("<b@x.example>", "<i>x</i>"), LOYAL))
    ask(view, "sample", n=5, show=True)
    data, _ = view._repr_mimebundle_()
    state = json.dumps({key: value for key, value in view.get_state().items() if not key.startswith("_")})
    for text in (state, data["text/html"], data["text/plain"]):
        assert CANARY not in text
        assert "secret-domain" not in text
        assert "@example.com" not in text
        assert "Bob&quot; &lt;b" not in text
    assert "<i>x</i>" not in data["text/html"]
    assert "c…@s….example" in data["text/html"]


def test_the_saved_twin_tells_the_audience_without_a_kernel(make: Make) -> None:
    page = make(Audience("Loyal in Durham", LOYAL)).static_html()
    words = re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))
    assert "Loyal in Durham not saved" in words
    assert "Audience on acme · profile of 21 Nov 2026, 07:02 · 10 contacts" in words
    assert "3 30.0 % of contacts · 0 without likely machine opens" in words
    assert "Opened at least 3 times in the last 90 days 4 −6" in words
    assert "In the audience 3 30.0 %" in words
    assert "<script" not in page
    assert escape(code(LOYAL)) in page


def test_the_twin_of_a_wrong_rule_says_what_is_wrong(make: Make) -> None:
    view = make(LOYAL)
    edit(
        view, tree_of(f.city == "Durham") | {"rules": [{"id": "w", "field": "ctiy", "operator": "null"}]}
    ).wait(10)
    page = view.static_html()
    assert "There is no field `ctiy`" in page
    assert "1 rule to fix" in page


def test_documents_read_as_they_were_written() -> None:
    document = read(tree_of(LOYAL))
    assert document.rule == LOYAL
    assert list(document.ids) == ["", "rules[0]", "rules[1]", "rules[2]", "rules[2].rules[0]"]
    assert to_json(document.partial) == to_json(LOYAL)


@pytest.mark.parametrize("by", ["cf_note", "email", "first_name"])
def test_code_sees_no_address_and_no_name_in_a_breakdown_or_a_sample(make: Make, by: str) -> None:
    live = make()._live
    of_one = Audience("", f.opens_90d >= 7, "acme").of(live.people)
    found = [of_one.breakdown(by), live.breakdown(of_one, by)]
    said = [repr(each) + each._repr_html_() + str(each.as_dict()) for each in found]
    asked = Audience("", (f.cf_note != "a") & f.email.has_value() & f.first_name.has_value(), "acme")
    sample = asked.of(live.people).sample()
    for text in [*said, sample.to_string(max_colwidth=None)]:
        assert CANARY not in text
        assert "Bob" not in text
    assert list(sample["contact_id"]) == [110]
