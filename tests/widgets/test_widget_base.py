"""Both sides of a widget talk by questions and answers; an error is an answer too."""

from __future__ import annotations

import json
import re

from icx.errors import BadInput
from icx.look import page
from icx.widgets.base import Answer, Widget


class Asked(Widget):
    _esm = "export default { render() {} }"

    def ask_size(self, of: str) -> Answer:
        if of == "nobody":
            raise BadInput(
                "who", "There is no nobody.", where="of", kept="nothing was changed", next=["say who"]
            )
        return {"size": len(of)}

    def ask_break(self) -> Answer:
        raise RuntimeError("ada@example.com")


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
