"""The field catalogue: what it tells of each field, and a field that is seen before it is saved; with a browser and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bare import Bare, bare, browser
from playwright.sync_api import expect
from typing_commands import no_keyring

from icx.widgets.base import module
from icx.workspace import Workspace

__all__ = ["bare", "browser", "no_keyring"]
NEW = {
    "name": "keen",
    "type": "boolean",
    "words": "opened and clicked",
    "sql": "opens_90d > 0 and clicks_90d > 0",
    "pii": False,
}


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("fields")
    with Workspace(folder) as ws:
        ws.accounts.start_sandbox(
            "acme", folder / "data" / "sandbox-acme.sqlite", contacts=80, messages=6, seed=4
        )
        ws.pull("acme")
        ws.build("acme")
        ws.audience("Keen", ws.fields.opens_90d >= 1)
        yield ws


@pytest.fixture
def no_files(ws: Workspace) -> Iterator[None]:
    yield
    for file in ws.layout.fields.glob("keen*.sql"):
        file.unlink()


def test_every_field_says_how_full_it_is_and_who_uses_it(ws: Workspace) -> None:
    shown = ws.browse_fields()
    by_name = {one["name"]: one for one in shown.fields}
    assert set(by_name) == set(ws.catalogue())
    assert by_name["opens_90d"]["used"] == ["Keen"]
    assert by_name["opens_90d"]["filled"] == by_name["opens_90d"]["people"] == 80
    assert sum(by_name["opens_90d"]["bars"]) == 80
    assert by_name["email"]["bars"] == []  # nobody's own values
    kept = json.dumps(shown.get_state(), default=str) + str(shown.static_html())
    assert "@example" not in kept


def test_the_values_of_one_field_add_up(ws: Workspace) -> None:
    said = ws.browse_fields().answer("detail", {"name": "opens_90d"})
    assert said["ok"]
    assert sum(one["count"] for one in said["bars"]) == said["filled"] == 80
    assert dict(said["figures"]).keys() == {"median", "mean", "95th pct.", "highest"}


def test_a_new_field_is_seen_before_it_is_saved_and_built_after(ws: Workspace, no_files: None) -> None:
    shown = ws.browse_fields()
    said = shown.answer("preview", NEW)
    assert (said["ok"], said["people"]) == (True, 80)
    assert not (ws.layout.fields / "keen.sql").exists()
    assert shown.answer("save", NEW)["file"] == "data/fields/keen.sql"
    assert "keen" in ws.catalogue()
    ws.build("acme")
    built = ws.browse_fields().answer("detail", {"name": "keen"})
    assert built["bars"] == said["bars"]


def test_a_select_of_ones_own_is_a_field_too(ws: Workspace) -> None:
    sql = "select contact_id, count(*) from icontact_activity where event_type = 'open' group by 1"
    said = ws.browse_fields().answer("preview", NEW | {"type": "integer", "sql": sql})
    assert said["ok"], said
    assert 0 < said["filled"] <= 80


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sql": "opens_9d > 0"}, "opens_9d"),
        ({"sql": "drop table builds"}, "command"),
        ({"sql": "select 1; select 2"}, "several"),
        ({"name": "opens_90d"}, "already"),
        ({"name": "no name"}, "no name"),
        ({"type": "colour"}, "colour"),
        ({"name": "../up"}, "no name"),
    ],
)
def test_what_is_no_field_is_said_and_nothing_is_written(
    ws: Workspace, wrong: dict[str, Any], words: str
) -> None:
    before = sorted(Path(ws.layout.root).rglob("*.sql"))
    said = ws.browse_fields().answer("save", NEW | wrong)
    assert said["ok"] is False
    assert words in said["error"]["message"]
    assert sorted(Path(ws.layout.root).rglob("*.sql")) == before


def test_a_name_of_another_file_cannot_be_taken(ws: Workspace, no_files: None) -> None:
    """Two files with one field would leave no catalogue at all."""
    ws.layout.fields.mkdir(parents=True, exist_ok=True)
    (ws.layout.fields / "keen_others.sql").write_text(
        "-- name: keen\n-- type: integer\n-- description: x\n1\n"
    )
    said = ws.browse_fields().answer("save", NEW)
    assert said["error"]["message"].endswith("`keen` is already a field of keen_others.sql.")
    assert ws.catalogue()["keen"].type == "integer"


def test_a_file_that_is_there_is_replaced_only_on_purpose(ws: Workspace, no_files: None) -> None:
    shown = ws.browse_fields()
    assert shown.answer("save", NEW)["ok"]
    again = NEW | {"sql": "opens_90d > 5"}
    assert shown.answer("preview", again)["replaces"]
    assert not shown.answer("preview", again | {"name": "keener"})["replaces"]
    assert shown.answer("save", again)["error"]["where"] == "data/fields/keen.sql"
    assert "> 5" not in (ws.layout.fields / "keen.sql").read_text()
    assert shown.answer("save", again | {"replace": True})["ok"]
    assert "> 5" in (ws.layout.fields / "keen.sql").read_text()


def test_a_field_whose_type_was_changed_after_the_build_is_shown_as_it_was_built(
    ws: Workspace, no_files: None
) -> None:
    shown = ws.browse_fields()
    assert shown.answer("detail", {"name": "keen_too"})["error"]["code"] == "field-unknown"
    assert shown.answer("save", NEW | {"name": "keen_too"})["ok"]
    assert shown.answer("detail", {"name": "keen_too"})["error"]["code"] == "profile-missing"
    ws.build("acme")
    changed = NEW | {"name": "keen_too", "type": "integer", "sql": "opens_90d * 2"}
    assert shown.answer("save", changed | {"replace": True})["ok"]
    said = shown.answer("detail", {"name": "keen_too"})
    assert {one["label"] for one in said["bars"]} <= {"true", "false"}
    assert ws.browse_fields().fields


@pytest.mark.browser
def test_a_field_is_found_looked_at_written_and_saved_by_hand(
    ws: Workspace, bare: Bare, no_files: None
) -> None:
    view = bare(module("fields"), widget=ws.browse_fields())
    page = view.page
    page.get_by_label("Search fields").fill("opens_90d")
    page.get_by_role("button", name="opens_90d", exact=True).click()
    detail = page.get_by_role("region", name="Field opens_90d")
    view.until(lambda: detail.get_by_text("median").count() == 1)
    expect(detail.get_by_text("Keen")).to_be_visible()
    view.shot("fields-detail")
    assert view.sticks_out() <= 0
    detail.get_by_role("button", name="Edit a copy").click()
    form = page.get_by_role("region", name="New field")
    form.get_by_label("Name").fill("keen")
    form.get_by_label("SQL").fill("opens_90d > nothing")
    form.get_by_role("button", name="Show its values").click()
    view.until(lambda: page.get_by_role("alert").count() == 1)
    assert form.get_by_role("button", name="Save field").is_disabled()
    form.get_by_label("SQL").fill("opens_90d * 2")
    form.get_by_role("button", name="Show its values").click()
    view.until(lambda: form.get_by_text("Not saved yet.").count() == 1)
    view.shot("fields-new")
    form.get_by_role("button", name="Save field").click()
    view.until(lambda: page.get_by_text("Saved data/fields/keen.sql.").count() == 1)
    assert (ws.layout.fields / "keen.sql").exists()
    assert view.nameless() == []
    assert view.quiet(), (view.faults, view.network)


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(1240, "light"), (480, "dark")])
def test_the_catalogue_reads_and_fits(bare: Bare, width: int, theme: str) -> None:
    evil = """<img src=x onerror="hit()">'"""
    one = {
        "name": "cf_" + "x" * 60,
        "type": "text→integer",
        "group": "Custom",
        "words": evil * 4,
        "pii": True,
        "gone": True,
        "estimate": True,
        "people": 1_000_000,
        "filled": 3,
        "bars": [1, 2],
        "labels": [evil, "b"],
        "sql": "select " + "y" * 200,
        "used": [evil],
    }
    traits = {
        "fields": [one, one | {"name": "b", "filled": None, "bars": []}],
        "place": {"connection": "acme", "as_of": "", "people": 0, "types": ["text"]},
    }
    detail = {
        "name": one["name"],
        "people": 1_000_000,
        "filled": 3,
        "bars": [{"label": evil * 3, "count": 3}],
        "figures": [["different values", "1,000,000"]],
        "pii": False,
    }
    view = bare(module("fields"), traits, answers={"detail": detail}, width=width, theme=theme)
    view.page.get_by_role("button", name=one["name"], exact=True).click()
    expect(view.page.get_by_text("different values")).to_be_visible()
    view.shot(f"fields-{theme}-{width}")
    assert view.sticks_out() <= 0
    ratio, text = view.faintest()
    assert ratio >= 4.5, text
    assert view.small_targets() == []
    assert view.quiet()
