"""The bare page itself: a widget asks and is answered, names stay words, and nothing goes out."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from bare import Bare

from icx.look.page import ICONS

pytestmark = pytest.mark.browser

SOURCE = (
    (files("icx.widgets") / "dom.js").read_text(encoding="utf-8").replace("/*ICONS*/ {}", json.dumps(ICONS))
    + """
export default { render({ model, el }) {
  const q = questions(model);
  const root = h("div", { class: "icx", role: "region", "aria-label": "Trial" });
  const act = async () => {
    const answer = await q.ask("size", { of: model.get("name") });
    root.append(h("p", {}, `${model.get("name")} has ${answer.size}`));
    model.set("size", answer.size);
    model.save_changes();
  };
  root.append(button("Count", act), h("input", { "aria-label": "Name" }));
  model.on("change:name", () => root.append(h("p", {}, model.get("name"))));
  keepKeys(root);
  el.append(root);
} };"""
)
EVIL = """<img src=x onerror="hit()">"""


def test_a_question_is_answered_and_traits_go_both_ways(bare: Bare) -> None:
    view = bare(SOURCE, {"name": EVIL}, answers={"size": lambda given: {"size": len(given["of"])}})
    view.page.get_by_role("button", name="Count").click()
    view.page.get_by_text(f"{EVIL} has {len(EVIL)}").wait_for()
    view.until(lambda: view.saved)
    assert view.saved == [{"size": len(EVIL)}]
    view.set(name="other")
    view.page.get_by_text("other").wait_for()
    assert view.quiet()


def test_keys_typed_in_a_widget_do_not_reach_the_notebook(bare: Bare) -> None:
    view = bare(SOURCE, {"name": "x"})
    view.page.get_by_role("textbox", name="Name").press("d")
    view.page.keyboard.press("Escape")
    assert view.heard_keys == ["Escape"]


def test_a_request_is_seen(bare: Bare) -> None:
    view = bare(SOURCE, {"name": "x"})
    view.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.com/x.png'}))")
    view.until(lambda: not view.quiet())


TWICE = (
    SOURCE.partition("export default")[0]
    + """
export default { render({ model, el }) {
  for (const name of ["first", "second"]) {
    const q = questions(model);
    const said = h("p", { "aria-label": name }, "nothing");
    el.append(button(`Ask in the ${name}`, async () => { said.textContent = (await q.ask("who")).word; }), said);
  }
} };"""
)


def test_two_views_of_one_widget_hear_only_their_own_answers(bare: Bare) -> None:
    """A notebook may show an output twice; both views hear every message of the one model."""
    view = bare(TWICE)
    for name in ("first", "second"):
        view.page.get_by_role("button", name=f"Ask in the {name}").click()
    view.until(lambda: len(view.questions("who")) == 2)
    view.say({"id": view.questions("who")[0]["id"], "ok": True, "word": "for the first"})
    view.page.get_by_text("for the first").wait_for()
    assert view.page.get_by_text("nothing").count() == 1
