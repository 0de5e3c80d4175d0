"""The plan's view and the mapping editor in a bare page of Chromium: by name, by keyboard, in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from bare import Bare, View
from plan_place import DONE_IN, Place

from icx.settings import Settings
from icx.widgets.base import module
from icx.widgets.mapping import MappingEditor
from icx.widgets.plan import PlanView

pytestmark = pytest.mark.browser


@pytest.fixture
def planned(place: Place) -> PlanView:
    """A plan that asks by a box and by a number, and refuses some."""
    return asking(place)


@pytest.fixture(scope="module")
def shown(place: Place) -> PlanView:
    """Such a plan for tests that only look."""
    return asking(place)


def asking(place: Place) -> PlanView:
    list_id, _ = place.make_list()
    people = place.normal()
    place.put(list_id, people[:3])
    place.put(list_id, people[3:7], "unsubscribed")
    return place.view(list_id)


def opened(bare: Bare, widget: Any, **options: Any) -> View:
    name = "plan" if isinstance(widget, PlanView) else "mapping"
    return bare(module(name), widget=widget, **options)


def confirm(view: View, widget: PlanView) -> None:
    view.page.get_by_role("checkbox").check()
    number = next(stop["confirm"] for stop in widget.said["stops"] if stop["key"] == "growth")
    view.page.get_by_label(f"Type {number}").fill(number)


def apply_button(view: View) -> Any:
    return view.page.get_by_role("button", name="Apply: add")


def test_nothing_can_be_sent_before_every_question_is_answered(
    bare: Bare, place: Place, shown: PlanView
) -> None:
    view = opened(bare, shown)
    assert apply_button(view).is_disabled()
    assert "Apply waits for 2 confirmations" in view.page.inner_text("body")
    confirm(view, shown)
    assert apply_button(view).is_enabled()
    view.page.get_by_label("Type ").fill("1")
    assert apply_button(view).is_disabled()
    assert "Apply waits for 1 confirmation: grows" in view.page.inner_text("body")
    assert view.questions("apply") == []
    assert view.quiet()


def test_confirm_apply_read_back_and_the_way_back(bare: Bare, place: Place, planned: PlanView) -> None:
    view = opened(bare, planned)
    confirm(view, planned)
    apply_button(view).click()
    view.until(lambda: planned.at["state"] == "finished", DONE_IN)
    view.until(lambda: "The list equals the plan" in view.page.inner_text("body"))
    view.page.get_by_role("button", name="Outcome table").click()
    view.until(lambda: view.page.get_by_role("region", name="Outcome table").count())
    assert view.page.get_by_role("row").count() > 5
    view.page.get_by_role("button", name="Plan the reverse…").click()
    view.until(lambda: view.page.get_by_role("heading", name="take").count(), DONE_IN)
    assert "Nothing has been sent" in view.page.inner_text("body")
    assert view.page.get_by_role("button", name="Back to").is_visible()
    assert view.quiet()


def test_pause_and_go_on_with_the_same_button(
    bare: Bare, place: Place, planned: PlanView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(place.ws.__dict__, "settings", Settings(batch_size=2))
    view = opened(bare, planned)
    confirm(view, planned)
    apply_button(view).click()
    view.until(lambda: view.page.get_by_role("button", name="Pause after this batch").count(), DONE_IN)
    assert "Safe to close the notebook" in view.page.inner_text("body")
    view.page.get_by_role("button", name="Pause after this batch").click()
    view.until(lambda: planned.at["state"] == "stopped", DONE_IN)
    view.until(lambda: view.page.get_by_role("button", name="Go on").count())
    view.page.get_by_role("button", name="Go on").click()
    view.until(lambda: planned.at["state"] == "finished", DONE_IN)
    assert view.quiet()


def test_what_was_ticked_for_one_plan_is_not_ticked_for_the_next(
    bare: Bare, place: Place, planned: PlanView
) -> None:
    view = opened(bare, planned)
    confirm(view, planned)
    assert apply_button(view).is_enabled()
    other = asking(place)
    assert planned.answer("open", {"plan": other.plan.plan_id})["ok"]  # as a second window on it would
    view.until(lambda: other.plan.plan_id in view.page.inner_text("body"))
    assert not view.page.get_by_role("checkbox").is_checked()
    assert view.page.get_by_label("Type ").input_value() == ""
    assert apply_button(view).is_disabled()


def test_people_are_masked_until_asked_and_never_in_state(bare: Bare, place: Place, shown: PlanView) -> None:
    view = opened(bare, shown)
    view.page.get_by_role("button", name="Left this list, 4 people").click()
    view.until(lambda: view.questions("people"))
    view.pump()
    assert "addresses masked" in view.page.inner_text("body")
    assert not any(email in view.page.inner_text("body") for email in place.emails())
    view.page.get_by_role("button", name="Show people").click()
    view.until(lambda: any(email in view.page.inner_text("body") for email in place.emails()))
    state = str({name: view.trait(name) for name in ("said", "at", "trouble", "asks")})
    assert not any(email in state for email in place.emails())
    view.page.get_by_role("button", name="Mask people").click()
    view.until(lambda: not any(email in view.page.inner_text("body") for email in place.emails()))


def test_the_refusals_are_handed_to_the_browser_as_a_file(bare: Bare, place: Place, shown: PlanView) -> None:
    view = opened(bare, shown)
    with view.page.expect_download() as download:
        view.page.get_by_role("button", name="Export CSV").click()
        view.until(lambda: "in your downloads" in view.page.inner_text("body"))
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert download.value.suggested_filename == f"{shown.plan.plan_id}-refused.csv"
    assert text.startswith("contact,address,reason,known,since\n")
    assert len(text.splitlines()) == 1 + shown.plan.counts.refused
    assert not any(email in text for email in place.emails())


def test_the_keyboard_does_it_all_and_plain_keys_stay_here(bare: Bare, shown: PlanView) -> None:
    view = opened(bare, shown)
    keys = view.page.keyboard
    seen = []
    for _ in range(12):
        keys.press("Tab")
        seen.append(view.page.evaluate("document.activeElement.dataset.key ?? ''"))
        if seen[-1] == "stop-first-push":
            keys.press("Space")
        if seen[-1] == "stop-growth":
            keys.type(shown.said["stops"][1]["confirm"])
        if seen[-1] == "apply":
            break
    opens = [f"open-{one['code']}" for one in shown.said["refused"]["reasons"]]
    assert seen == ["test", "export", *opens, "stop-first-push", "stop-growth", "apply"]
    assert view.heard_keys == ["Tab"]  # the one that came in from outside


def test_a_view_without_a_kernel_says_so_and_sends_nothing(bare: Bare, shown: PlanView) -> None:
    view = bare(module("plan"), _traits(shown))
    view.page.evaluate("model.fire('comm_live_update')")
    view.until(lambda: "No kernel answers this view." in view.page.inner_text("body"))
    assert view.page.get_by_role("checkbox").is_disabled()
    assert apply_button(view).is_disabled()
    assert shown.said["places"][2]["name"] in view.page.inner_text("body")


def test_an_error_has_its_four_parts_in_place(bare: Bare, shown: PlanView) -> None:
    view = opened(bare, shown)
    shown.trouble = {
        "code": "in-doubt",
        "message": "4 people were sent, and iContact cannot be asked yet.",
        "where": "P-1, batch 1",
        "kept": "noted as in doubt; they are not sent twice",
        "next": "icx apply P-1",
    }
    view.until(lambda: view.page.get_by_role("alert").count())
    said = view.page.get_by_role("alert").inner_text()
    for part in shown.trouble.values():
        assert part == "in-doubt" or part in said
    shown.trouble = {}


def test_an_unequal_list_is_the_first_thing_said(bare: Bare, shown: PlanView) -> None:
    numbers = [["", "members before", 3], ["+", "added", 4], ["=", "expected", 7], ["≠", "read back", 6]]
    sums = {"ok": False, "headline": "The list does not equal the plan", "numbers": numbers}
    tiles = [{"label": "Added", "value": 4, "sub": "of 4 planned", "big": True}]
    at = {
        **shown.at,
        "state": "finished",
        "pill": ["bad", "Done, but it differs", "bad"],
        "tiles": tiles,
        "sum": sums | {"differ": "−1; missing: #70004"},
    }
    view = bare(module("plan"), _traits(shown) | {"at": at}, answers={"alive": {}})
    assert "missing: #70004" in view.page.get_by_role("alert").inner_text()
    top = view.page.get_by_role("alert").bounding_box()
    rest = view.page.locator(".tiles").bounding_box()
    assert top is not None
    assert rest is not None
    assert top["y"] < rest["y"]


def _traits(widget: PlanView) -> dict[str, Any]:
    return {"said": widget.said, "at": widget.at, "trouble": {}, "asks": [], "trail": [], "news": ""}


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1000), ("light", 480)])
def test_the_plan_reads_well(bare: Bare, shown: PlanView, theme: str, width: int) -> None:
    view = opened(bare, shown, theme=theme, width=width)
    view.page.get_by_role("button", name="Left this list, 4 people").click()
    view.pump()
    assert view.sticks_out() <= 0
    assert view.faintest()[0] >= 4.5, view.faintest()
    assert view.small_targets() == []
    assert view.nameless() == []
    assert view.quiet()


def test_hostile_names_are_words_in_the_page(bare: Bare, place: Place) -> None:
    list_id, name = place.make_list('<img src=x onerror="hit()"> & <b>VIP</b>')
    place.put(list_id, place.normal()[:2])
    view = opened(bare, place.view(list_id))
    assert name in view.page.inner_text("body")
    assert view.quiet()


# --- the mapping editor


@pytest.fixture
def mapping(place: Place) -> MappingEditor:
    list_id, _ = place.make_list()
    return place.ws.mapping("Everybody", f"acme/lists/#{list_id}")


def test_rows_are_made_by_name_and_are_what_code_would_type(bare: Bare, mapping: MappingEditor) -> None:
    view = opened(bare, mapping)
    view.page.get_by_role("button", name="Field", exact=True).click()
    view.page.get_by_label("Field of the profile, row 1").select_option("city")
    view.until(lambda: mapping.mapping)
    assert [(line.column, line.field) for line in mapping.mapping] == [("city", "city")]  # its namesake
    view.page.get_by_label("When there is no value, row 1").select_option("empty the field")
    view.until(lambda: mapping.mapping[0].blank)
    view.until(lambda: "have a value" in view.page.inner_text("body"))
    view.page.get_by_role("button", name="Remove row 1").click()
    view.until(lambda: not mapping.rows)
    assert view.page.evaluate("document.activeElement.dataset.key") == "add"
    assert view.quiet()


def test_a_problem_stands_in_its_row_with_its_fix(bare: Bare, mapping: MappingEditor) -> None:
    mapping.rows = [{"id": "r1", "column": "city", "field": "cty", "blank": False}]
    mapping.rev += 1
    view = opened(bare, mapping)
    row = view.page.get_by_role("group", name="Row 1")
    assert "iContact has no field `cty` here." in row.inner_text()
    assert row.get_by_label("iContact's field, row 1").get_attribute("aria-invalid") == "true"
    row.get_by_role("button", name="Use city").click()
    view.until(lambda: mapping.ok)
    view.until(lambda: "1 field travels" in view.page.inner_text("body"))
    assert view.quiet()


def test_making_contacts_asks_for_the_basis(bare: Bare, mapping: MappingEditor) -> None:
    view = opened(bare, mapping)
    view.page.get_by_role("checkbox").check()
    view.until(lambda: "State on what basis" in view.page.inner_text("body"))
    view.page.get_by_label("On what basis").fill("they signed up in the shop")
    view.until(lambda: mapping.ok)
    assert mapping.policy.basis == "they signed up in the shop"


@pytest.mark.parametrize(("theme", "width"), [("dark", 1000), ("light", 480)])
def test_the_mapping_reads_well(bare: Bare, mapping: MappingEditor, theme: str, width: int) -> None:
    mapping.rows = [
        {"id": "r1", "column": "city", "field": "city", "blank": False},
        {"id": "r2", "column": "state", "field": "satte", "blank": True},
        {"id": "r3", "column": "", "field": "", "blank": False},
    ]
    mapping.rev += 1
    view = opened(bare, mapping, theme=theme, width=width)
    assert view.sticks_out() <= 0
    assert view.faintest()[0] >= 4.5, view.faintest()
    assert view.small_targets() == []
    assert view.nameless() == []
    assert view.quiet()
