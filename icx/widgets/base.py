"""What every icx widget shares: its module, its style, and how the two sides talk.

The browser asks with `{"ask": VERB, "id": n, …}` and always gets one answer, `{"id": n, "ok": true, …}` or
`{"id": n, "ok": false, "error": {…the four parts…}}`: no error disappears into the kernel's log. A question with a
`lane` gives up the one asked before it in that lane, for which nobody waits any more. State that may be saved with the
notebook lives in traits and never holds an unmasked address; people are only ever in answers.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

import anywidget
import traitlets

from icx.errors import IcxError
from icx.look.page import ICONS, Html, style
from icx.widgets.counting import Stopped, Turn, Worker

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


LOADER = (importlib.resources.files("icx.widgets") / "loader.js").read_text(encoding="utf-8")


class Shared(anywidget.AnyWidget):  # type: ignore[misc]
    """What views have in common: the code of a kind of view, or the stylesheet of all.

    It is saved once with a notebook however many views it shows, and sent once to the browser.
    """

    _esm = "export default {};"
    _css = ""
    code = traitlets.Unicode("").tag(sync=True)
    _of: ClassVar[dict[str, Shared]] = {}

    @classmethod
    def of(cls, **given: str) -> str:
        """Return how a view names the model that holds this `code` or style (`_css`); made when there is none."""
        (key,) = given.values()
        if key not in cls._of or cls._of[key].comm is None:  # never made, or closed with everything else
            cls._of[key] = cls(**given)
        return f"IPY_MODEL_{cls._of[key].model_id}"


class Whole(traitlets.MetaHasTraits, ABCMeta):
    """What kind of class a view is: one that lacks an abstract method cannot be made."""


class Widget(anywidget.AnyWidget, metaclass=Whole):  # type: ignore[misc]
    """A view that asks Python: each `ask` of the browser is answered by the method `ask_VERB(**given)`.

    Subclasses set `_esm = module("name")` and write `static_html`, what a saved notebook shows without a kernel.

    The verbs of `beside` may take long: they are answered on a thread of their own, newest question first, so that no
    cell waits for them, and their methods take `running`, to be told which cursor to interrupt.
    """

    shared: Any = traitlets.List().tag(sync=True)  # the models of its code and of the style
    beside: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **given: Any) -> None:
        shared = [Shared.of(code=type(self)._esm), Shared.of(_css=style())]
        super().__init__(_esm=LOADER, shared=shared, **given)
        self.on_msg(self._asked)

    @cached_property
    def _questions(self) -> Worker[tuple[Any, str, dict[str, Any]]]:
        return Worker(self._answer_beside, "icx-questions")

    def close(self) -> None:
        """End the view and what it still asks."""
        self._questions.close()
        super().close()

    @abstractmethod
    def static_html(self) -> Html:
        """Return the view as HTML that needs no kernel and no script; addresses masked."""

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
        given = {key: value for key, value in content.items() if key not in {"ask", "id", "lane", "running"}}
        if content["ask"] in self.beside:
            lane = str(content.get("lane") or content.get("id"))
            self._questions.give((content.get("id"), content["ask"], given), lane)
        else:
            self.send({"id": content.get("id"), **self.answer(content["ask"], given)})

    def _answer_beside(self, question: tuple[Any, str, dict[str, Any]], turn: Turn) -> None:
        number, verb, given = question
        said = self.answer(verb, {**given, "running": turn.running})
        if turn.stopped:
            raise Stopped
        self.send({"id": number, **said})

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
