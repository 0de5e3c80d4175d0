"""Long work in a cell that is still running: what it says, and the button that ends it after its page.

JupyterLab's button interrupts the kernel, which the work takes for the same wish. A notebook that offers no interrupt
to a widget gets the button only when its kernel answers while it works.
"""

from __future__ import annotations

from collections.abc import Callable

import traitlets

from icx.look.page import Html, root
from icx.widgets.base import Answer, Widget, module


class Working(Widget):
    """The progress of work under way, drawn by whoever does it: `show(html)` puts another moment in its place."""

    _esm = module("working")
    html = traitlets.Unicode("").tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)

    def __init__(self, name: str, end: Callable[[], object]) -> None:
        self._end = end
        self._plain = ""
        super().__init__(name=name)

    def __repr__(self) -> str:
        return self._plain

    def show(self, html: Html, plain: str) -> None:
        """Show this moment; `html` is of `icx.look`, which escapes what comes from outside."""
        self._plain = plain
        self.html = str(html)

    def static_html(self) -> Html:
        return root(Html(self.html), name=self.name)

    def ask_end(self) -> Answer:
        """Ask the work to end after what it is at."""
        self._end()
        return {}
