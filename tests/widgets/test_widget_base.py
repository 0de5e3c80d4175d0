"""Both sides of a widget talk by questions and answers; an error is an answer too."""

from __future__ import annotations

import gc
import json
import re

import pytest
from ipywidgets.widgets.widget import _instances

from icx.errors import BadInput
from icx.look import page
from icx.widgets.base import Answer, Shared, Widget


class Asked(Widget):
    _esm = "export default { render() {} }"

    def static_html(self) -> page.Html:
        return page.text("asked")

    def ask_size(self, of: str) -> Answer:
        if of == "nobody":
            raise BadInput(
                "who", "There is no nobody.", where="of", kept="nothing was changed", next=["say who"]
            )
        return {"size": len(of)}

    def ask_break(self) -> Answer:
        raise RuntimeError("ada@example.com")


class Other(Asked):
    _esm = "export default { render(other) {} }"


def test_a_question_has_one_answer() -> None:
    assert Asked().answer("size", {"of": "four"}) == {"ok": True, "size": 4}


def test_an_error_keeps_its_four_parts() -> None:
    said = Asked().answer("size", {"of": "nobody"})
    assert said["ok"] is False
    assert said["error"] == {
        "code": "who",
        "message": "There is no nobody.",
        "where": "of",
        "kept": "nothing was changed",
        "next": "say who",
    }


def test_a_fault_of_icx_is_told_without_what_it_held() -> None:
    said = Asked().answer("break", {})
    assert said["error"]["code"] == "bug"
    assert "ada@" not in json.dumps(said)


def test_what_cannot_be_asked_is_said() -> None:
    assert Asked().answer("fly", {})["ok"] is False


def test_a_view_without_a_page_for_a_saved_notebook_cannot_be_made() -> None:
    class Blank(Widget):
        _esm = "export default {}"

    with pytest.raises(TypeError, match="static_html"):
        Blank()


def test_a_view_that_was_refused_while_it_was_made_goes_without_a_word() -> None:
    class Refused(Asked):
        def __init__(self) -> None:
            raise BadInput("who", "Not this one.", where="", kept="nothing was changed", next=[])

    with pytest.raises(BadInput):
        Refused()
    gc.collect()  # what is said while it goes is an error here


def test_code_and_style_stand_once_in_a_notebook_however_many_views_it_shows() -> None:
    views = [Asked(), Asked(), Other()]
    assert all(len(json.dumps(view.get_state())) < 3_000 for view in views)
    code, style = views[0].shared
    assert views[1].shared == [code, style]
    assert views[2].shared[1] == style
    models = {f"IPY_MODEL_{number}": model.get_state() for number, model in _instances.items()}
    assert models[code]["code"] == "export default { render() {} }"
    assert models[views[2].shared[0]]["code"] == "export default { render(other) {} }"
    assert models[style]["_css"] == page.style()
    assert [name for name, state in models.items() if state.get("_css") == page.style()] == [style]
    Shared._of[page.style()].close()
    assert Asked().shared[1] != style  # closed with everything else, it is there again for the next view


def test_the_style_asks_nothing_of_a_network_and_stays_inside() -> None:
    css = page.style()
    assert "url(" not in css
    assert "@import" not in css
    css = re.sub(r"@keyframes (icx-[\w-]+)\s*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)
    assert "@keyframes" not in css  # each has a name of icx's own
    rules = re.findall(r"(?:^|[};{])\s*([^{}@;]+)\{", css)
    assert [
        rule for rule in rules if not all(".icx" in part for part in re.split(r",(?![^(]*\))", rule))
    ] == []
