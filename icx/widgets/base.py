"""What every icx widget shares: its module, its style, and how the two sides talk.

The browser asks with `{"ask": VERB, "id": n, …}` and always gets one answer, `{"id": n, "ok": true, …}` or
`{"id": n, "ok": false, "error": {…the four parts…}}`: no error disappears into the kernel's log. State that may be
saved with the notebook lives in traits and never holds an unmasked address; people are only ever in answers.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Callable
from typing import Any

import anywidget

from icx.errors import IcxError
from icx.look.page import ICONS, Html, style

Answer = dict[str, Any]


def module(name: str) -> str:
    """Return the ES module of a widget: the shared helpers, its parts (`name_*.js`, by name), then its own code.

    There is no bundler: only the last exports anything, all are one text; the icons are those of `look`.
    """
    folder = importlib.resources.files("icx.widgets")
    parts = sorted(file.name for file in folder.iterdir() if re.fullmatch(rf"{name}_\w+\.js", file.name))
    files = ("dom.js", *parts, f"{name}.js")
    source = "\n".join((folder / file).read_text(encoding="utf-8") for file in files)
    return source.replace("/*ICONS*/ {}", json.dumps(ICONS), 1)


class Widget(anywidget.AnyWidget):  # type: ignore[misc]
    """A view that asks Python: each `ask` of the browser is answered by the method `ask_VERB(**given)`.

    Subclasses set `_esm = module("name")` and write `static_html`, what a saved notebook shows without a kernel.
    """

    _css = style()

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.on_msg(self._asked)

    def static_html(self) -> Html:
        """Return the view as HTML that needs no kernel and no script; addresses masked."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **wanted: Any) -> Any:
        shown = super()._repr_mimebundle_(**wanted)
        if shown is None:
            return None
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, "text/html": str(self.static_html()), "text/plain": repr(self)}, metadata

    def ask_alive(self) -> Answer:
        """Return nothing: that there is an answer says that the kernel hears."""
        return {}

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("ask"), str):
            return
        given = {key: value for key, value in content.items() if key not in {"ask", "id"}}
        self.send({"id": content.get("id"), **self.answer(content["ask"], given)})

    def answer(self, verb: str, given: dict[str, Any]) -> Answer:
        """Return the answer to a question of the browser; also how tests ask without one."""
        found: Callable[..., Answer | None] | None = getattr(self, f"ask_{verb}", None)
        if found is None:
            return {"ok": False, "error": {"code": "bug", "message": f"This view cannot {verb}."}}
        try:
            return {"ok": True, **(found(**given) or {})}
        except Exception as error:  # the browser must hear of it; the kernel's log is seen by nobody
            return {"ok": False, "error": told(error)}


def told(error: Exception) -> dict[str, str]:
    """Return an error's four parts as a view shows them; of a fault of icx only its kind, for it may hold anything."""
    if not isinstance(error, IcxError):
        words = f"icx itself went wrong ({type(error).__name__}); nothing here is yours to mend."
        return {"code": "bug", "message": words, "where": "", "kept": "", "next": ""}
    return {
        "code": error.code,
        "message": error.message,
        "where": error.where_text(),
        "kept": error.kept,
        "next": error.next_text(),
    }
