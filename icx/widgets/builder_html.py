"""The builder without a kernel: what a saved notebook and a code-hosting page show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icx.look import page
from icx.look.page import Html

if TYPE_CHECKING:
    from icx.widgets.builder import Builder


def builder_html(builder: Builder) -> Html:
    """Return the audience as it was counted last, addresses masked."""
    return page.root(page.head(builder.name or "A new audience"), name="Audience builder")
