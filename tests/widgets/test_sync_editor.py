"""A sync by clicking: two systems, fields and their way, rules; what is clicked is what code would type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bare import Bare
from memory import COLUMNS, Bench, person, system

from icx.connections.base import Column, Container
from icx.errors import Refused
from icx.sync import Act, Line, Rule, Sync, SyncPlan, When
from icx.sync.resolve import End
from icx.widgets.base import module
from icx.widgets.sync import SyncEditor

COLUMNS_B = (
    Column("firstName", "First name"),
    Column("tier", "Tier"),
    Column("made", "Made", writable=False),
)


class Two:
    """Two systems in memory and one that lets nobody in."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder, crm=system("crm"), mail=system("mail"))
        self.bench.systems["crm"].held = {
            "1": person("1", "ada@example.com", name="Ada"),
            "2": person("2", None),
        }
        self.bench.systems["mail"].held = {"m1": person("m1", "ada@example.com", tier="gold")}
        self.saved: dict[str, Sync] = {}

    def names(self) -> list[dict[str, str]]:
        return [{"name": name, "kind": "table", "words": "A table"} for name in ("crm", "mail", "shut")]

    def look(self, name: str) -> tuple[End, str]:
        if name == "shut":
            raise Refused(
                "login-refused", "This login was refused.", where="login", kept="all", next=["mend it"]
            )
        lists = (Container("7", "Regulars"),)
        return End(
            name, "icontact", frozenset({"lists", "make"}), COLUMNS_B if name == "mail" else COLUMNS, lists
        ), "2 people"

    def save(self, sync: Sync, *, change: bool) -> Sync:
        self.saved[sync.name] = sync
        return sync

    def plan(self, sync: Sync) -> SyncPlan:
        return self.bench.plan(sync)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.bench.close()


def drafted(editor: SyncEditor, **part: object) -> SyncEditor:
    editor.set_state({"draft": {**editor.draft, **part}, "rev": editor.rev + 1})
    return editor


def test_what_is_clicked_is_the_sync_that_code_would_type(two: Two) -> None:
    typed = Sync(
        "both", "crm", "mail", (Line("name", "firstName", "a>b", blank=True),),
        (Rule("a", (When("field", "is", "tier", "gold"),), "create", (Act("join", "Regulars", undo=True),)),),
        winner="b", alike=False, basis="they signed up in the shop", unsubscribes={"b": "none", "a": "field tier"},
    )  # fmt: skip
    editor = SyncEditor(two, typed)
    assert editor.sync == typed
    made: dict[str, Sync] = {}

    class Typing:
        def sync(
            self, name: str, a: str, b: str, *, winner: str = "a", lines: tuple[str, ...] = (), **more: object
        ) -> None:
            parsed = tuple(Line.parse(one) for one in lines)
            sides = {"crm": "a", "mail": "b"}
            more["unsubscribes"] = {sides[name]: how for name, how in more["unsubscribes"].items()}  # type: ignore[attr-defined]
            made["it"] = Sync(name, a, b, parsed, winner={"mail": "b"}.get(winner, "a"), **more)  # type: ignore[arg-type]

    eval(editor.answers["python"], {"ws": Typing(), "Rule": Rule, "When": When, "Act": Act})  # noqa: S307 - our own text
    assert made["it"].as_dict() | {"rules": []} == typed.as_dict() | {"rules": []}
    assert list(made["it"].rules) == list(typed.rules)
    assert "Regulars" in editor.static_html()


def test_what_cannot_work_is_named_beside_its_row(two: Two) -> None:
    editor = drafted(SyncEditor(two), name="both", a="crm", b="mail")
    assert editor.answers["ok"]
    editor.answer("look", {"name": "crm"})
    editor.answer("look", {"name": "mail"})
    assert [line["a"] for line in editor.answers["mapped"]] == ["tier"]
    row = {"blank": False, "winner": ""}
    drafted(
        editor,
        lines=[
            {"id": "1", "a": "name", "b": "made", "way": "both", **row},
            {"id": "2", "a": "nmae", "b": "tier", "way": "a>b", **row},
        ],
    )
    assert editor.answers["rows"] == {
        "1": "`made` of mail cannot be written.",
        "2": "crm has no field `nmae`. Nearest: name.",
    }
    drafted(
        editor,
        lines=[],
        rules=[
            {
                "id": "9",
                "side": "a",
                "does": "act",
                "when": [],
                "then": [{"id": "8", "kind": "tag", "name": "x", "value": "", "undo": True}],
            }
        ],
    )
    assert editor.answers["rows"] == {"9": "mail has no tags."}
    assert not editor.answers["ok"]
    assert editor.answer("look", {"name": "shut"})["error"]["code"] == "login-refused"


# P-01 to P-09: two systems, whether each opens, what each knows of people
def test_a_sync_is_made_saved_and_looked_ahead_of_by_clicking(bare: Bare, two: Two) -> None:
    editor = SyncEditor(two)
    view = bare(module("sync"), widget=editor)
    page = view.page

    def pick(label: str, value: str, nth: int = 0) -> None:
        page.get_by_role("combobox", name=label, exact=True).nth(nth).select_option(value)
        view.pump()

    page.get_by_label("Called").fill("both")
    view.until(lambda: editor.draft["name"] == "both")
    pick("First system", "crm")
    pick("Second system", "mail")
    view.until(lambda: page.get_by_text("authorised").count() == 2)
    page.get_by_role("button", name="Field", exact=True).click()
    view.pump()
    pick("Field of crm", "name")
    pick("Field of mail", "firstName")
    pick("Which way", "a>b")
    page.get_by_role("button", name="Condition").first.click()
    view.pump()
    pick("Which field", "tier")
    page.get_by_role("textbox", name="Value").fill("gold")
    view.until(lambda: editor.draft["rules"][0]["when"][0]["value"] == "gold")
    page.get_by_role("button", name="Action").first.click()
    view.pump()
    pick("How a no shows in crm", "field tier")
    pick("What", "join")
    pick("Which list", "Regulars")
    view.until(lambda: editor.answers["ok"] and page.get_by_text("Can be saved").count())
    page.get_by_role("button", name="Save").click()
    view.until(lambda: two.saved)
    made = two.saved["both"]
    assert made.lines == (Line("name", "firstName", "a>b"),)
    assert made.rules[0] == Rule(
        "a", (When("field", "is", "tier", "gold"),), "create", (Act("join", "Regulars", undo=True),)
    )
    assert made.unsubscribes == {"a": "field tier"}
    view.until(lambda: page.get_by_text("Saved both").count())
    assert "ada@" not in page.content()
    view.shot("sync")


def test_the_preview_counts_and_names_nobody(bare: Bare, two: Two) -> None:
    editor = SyncEditor(two, Sync("both", "crm", "mail"))
    view = bare(module("sync"), widget=editor)
    view.until(lambda: view.page.get_by_text("authorised").count() == 2)
    view.page.get_by_role("button", name="Save").click()
    view.until(lambda: two.saved)
    view.page.get_by_role("button", name="Preview").click()
    view.until(lambda: view.page.get_by_label("Preview").count())
    said = view.page.get_by_label("Preview").inner_text()
    assert "First run: everybody of both was read, nothing was sent" in said
    assert "crm: 1 update; 2 people there" in said
    assert "confirm={" in said
    assert "ada@" not in view.page.content()
    assert not two.bench.systems["crm"].log
    view.shot("sync-preview")
