"""The mapping editor in Python: what is clicked is the policy that code would type, and what cannot work is named."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from plan_place import DONE_IN, Place

from icx.plan import MapLine, Policy, mapping
from icx.plan.plan import Plan
from icx.widgets.mapping import MappingEditor
from icx.widgets.plan import PlanView

PEOPLE = pa.table(
    {
        "contact_id": [1, 2, 3],
        "email": ["ada@example.com", "bob@example.org", None],
        "email_key": ["ada@example.com", "bob@example.org", None],
        "city": ["Durham", "", None],
        "county": ["North Carolina", "NC", "Connecticut"],
        "size": ["38", "many", None],
    }
)
CUSTOM = [
    {"privateName": "shoe_size", "publicName": "Shoe size", "fieldType": "number"},
    {"privateName": "tier", "publicName": "<b>Tier</b>", "fieldType": "text"},
]


def editor(*rows: tuple[str, str] | tuple[str, str, bool], **options: Any) -> MappingEditor:
    return MappingEditor(
        audience="Loyal",
        places=[{"label": "List", "name": "Regulars", "id": "#3004", "subject": True}],
        columns=[("city", "text", "City"), ("county", "text", "County"), ("size", "text", "Size")],
        custom=CUSTOM,
        people=lambda columns: PEOPLE.select(["contact_id", "email", "email_key", *columns]),
        policy=Policy(mapping=tuple(MapLine(*row) for row in rows), **options),
    )


def clicked(made: MappingEditor, *rows: dict[str, Any]) -> MappingEditor:
    """Set the rows as the browser does."""
    given = [{"id": f"n{n}", "blank": False} | row for n, row in enumerate(rows)]
    made.set_state({"rows": given, "rev": made.rev + 1})
    return made


def test_of_a_million_people_a_value_is_judged_once_and_an_edit_judges_none_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[object] = []
    monkeypatch.setattr(mapping, "text", lambda value, text=mapping.text: judged.append(value) or text(value))
    many = pa.table(
        {name: pa.chunked_array(PEOPLE.column(name).chunks * 50_000) for name in PEOPLE.column_names}
    )
    made = editor(("county", "state"), ("size", "shoe_size"))
    made._people = lambda columns: many.select(["contact_id", "email", "email_key", *columns])
    judged.clear()
    made.answer("judge", {})
    assert {one["people"] for one in made.answers["problems"].values()} == {100_000, 50_000}
    assert len(judged) == 6  # each county and each size, however many people have it
    clicked(made, {"column": "size", "field": "shoe_size"}, {"column": "county", "field": "city"})
    assert len(judged) == 6


def test_nothing_travels_by_default() -> None:
    made = editor()
    assert made.mapping == ()
    assert made.policy == Policy()
    assert made.ok
    assert "by their contact id alone" in made.static_html()


def test_clicked_rows_are_the_policy_that_code_would_type() -> None:
    made = clicked(
        editor(), {"column": "city", "field": "city"}, {"column": "county", "field": "tier", "blank": True}
    )
    typed = Policy(mapping=(MapLine("city", "city"), MapLine("county", "tier", blank=True)))
    assert made.policy == typed
    assert eval(made.answers["python"], {"Policy": Policy, "MapLine": MapLine}) == typed  # noqa: S307 - our own text
    assert made.answers["rev"] == made.rev


def test_the_other_choices_of_a_policy_stay() -> None:
    made = editor(("city", "city"), stale="park")
    assert clicked(made, {"column": "city", "field": "city"}).policy.stale == "park"


def test_problems_stand_beside_their_row_with_how_many_people_and_what_would_do() -> None:
    made = editor(
        ("county", "state"), ("size", "shoe_size"), ("county", "teir"), ("city", "email"), ("siez", "fax")
    )
    told = [made.answers["problems"][row["id"]] for row in made.rows]
    assert [one["message"] for one in told] == [
        "`state` holds 14 characters, iContact takes 10.",
        "`shoe_size` takes numbers.",
        "iContact has no field `teir` here.",
        "`email` cannot be mapped: an address is only written when a contact is made.",
        "There is no column `siez`.",
    ]
    assert [one["people"] for one in told] == [2, 1, None, None, None]
    assert told[2]["fixes"][0] == "tier"
    assert told[4]["side"] == "column"
    assert told[4]["fixes"][0] == "size"
    assert not made.ok
    assert "5 to fix" in made.static_html()


def test_a_field_cannot_be_filled_twice() -> None:
    made = editor(("city", "tier"), ("county", "tier"))
    assert [one["message"] for one in made.answers["problems"].values()] == ["`tier` is mapped twice."]


def test_half_a_row_does_nothing_yet() -> None:
    made = clicked(editor(), {"column": "city", "field": ""}, {"column": "county", "field": "city"})
    assert made.mapping == (MapLine("county", "city"),)
    assert made.ok


def test_how_many_have_a_value_is_said() -> None:
    made = editor(("city", "city"))
    assert made.answers["travel"] == {"r1": 1}
    assert made.answers["of"] == 3


def test_making_contacts_needs_a_stated_basis() -> None:
    made = editor()
    made.set_state({"make": True, "rev": 1})
    assert made.answers["basis"]
    assert made.answers["unmade"] == 1
    made.set_state({"basis": "they signed up in the shop", "rev": 2})
    assert made.ok
    assert made.policy == Policy(create_contacts=True, basis="they signed up in the shop")


def test_no_address_and_no_markup_from_outside_is_kept() -> None:
    made = editor(("city", "tier"))
    state = {key: value for key, value in made.get_state().items() if key not in {"_esm", "_css"}}
    held = json.dumps(state, default=str) + made.static_html()
    assert "ada@" not in held
    assert "<b>Tier" not in made.static_html()


def test_an_audience_that_cannot_be_read_is_an_error_with_four_parts(place: Place) -> None:
    list_id, _ = place.make_list()
    made = place.ws.mapping("Everybody", f"acme/lists/#{list_id}")
    made._people = lambda columns: place.ws.audience("Nobody of that name")
    made.answer("judge", {})
    assert set(made.answers["error"]) == {"code", "message", "where", "kept", "next"}
    assert not made.ok


def test_the_editor_of_a_workspace_makes_a_plan_that_sends_the_fields(place: Place) -> None:
    list_id, _ = place.make_list()
    few = place.few(4)
    made = place.ws.mapping(few, f"acme/lists/#{list_id}")
    assert {"city", "email"} <= {one["name"] for one in made.facts["columns"]}
    assert "city" in {one["name"] for one in made.facts["fields"]}
    assert "email" not in {one["name"] for one in made.facts["fields"]}
    clicked(made, {"column": "city", "field": "business"})
    assert made.ok, made.answers
    plan: Plan = place.ws.plan(few, f"acme/lists/#{list_id}", policy=made.policy)
    assert plan.updates
    view = PlanView(plan)
    view.answer("apply", {"plan": view.plan.plan_id, "answers": place.answers(view)})
    view.wait(DONE_IN)
    assert view.at["state"] == "finished", view.trouble
    someone = place.normal()[0]
    with place.ws.client("acme") as client:
        row = client.get("contacts", someone)
    assert row is not None
    assert (row["business"] or "") == (row["city"] or "")


@pytest.mark.parametrize("to", ["acme", "acme/lists/", "acme/people/x"])
def test_a_place_that_is_no_list_is_said(place: Place, to: str) -> None:
    with pytest.raises(ValueError, match="does not name a list"):
        place.ws.mapping("Everybody", to)
