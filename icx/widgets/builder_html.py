"""The builder without a kernel: what a saved notebook and a code-hosting page show of it.

It is what an audience shows of itself, from the builder's last answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from icx.audience import html
from icx.audience.parts import Part
from icx.look import charts, page
from icx.look.page import Html, number, tag
from icx.widgets.document import read

if TYPE_CHECKING:
    from icx.widgets.builder import Builder

BY = ("engagement_tier", "city", "email_domain")


def builder_html(builder: Builder) -> Html:
    """Return the audience as it was counted last, addresses masked."""
    place, said = builder.place, builder.answers
    title = builder.name or "A new audience"
    head = html.head(title, _state(builder), place["connection"], place["profile_as_of"], place["contacts"])
    name = f"Audience builder: {builder.name or 'a new audience'}"
    document = read(builder.tree)
    if said.get("rev") != builder.rev or said.get("total") is None or document.rule is None:
        return page.root(head, _not_counted(said), name=name)
    figures = {
        path: html.Kept(own["before"], own["left"], own["alone"])
        for path, node in document.ids.items()
        if (own := said["nodes"].get(node))
    }
    parts = [
        tag("div", head, html.hero(said["total"], said["of"], said["human"], said["sentence"], _edits(said["sizes"]))),
        html.tree(document.rule, figures, said["total"], said["of"], builder.zone),
        tag("div", _breakdown(builder), _sample(builder), cls="g13"),
        _misses(said["misses"]),
        html.folded(said["sql"], said["params"], said["python"], f" · counted in {said['ms']:,.0f} ms"),
    ]  # fmt: skip
    return page.root(tag("div", *parts, cls="stack"), name=name)


def _state(builder: Builder) -> Html:
    if errors := len(builder.answers.get("errors") or {}):
        return page.pill("bad", f"{errors} rule{'' if errors == 1 else 's'} to fix")
    return page.pill("ok", "saved") if builder.saved.get("same") else page.pill("", "not saved", "info")


def _not_counted(said: Mapping[str, Any]) -> Html:
    errors = list((said.get("errors") or {}).values())
    if errors:
        lines = [page.note("bad", each["message"], each["next"]) for each in errors]
        return tag("div", *lines, cls="stack")
    return page.note("warn", "Not counted yet.", said.get("note") or "Run the cell again to count it.")


def _edits(sizes: list[int]) -> Html:
    if len(sizes) < 2:
        return Html("")
    caption = f"last {len(sizes)} edits: {number(sizes[0])} → {number(sizes[-1])}"
    return tag("figure", charts.steps(sizes), tag("figcaption", caption, cls="label"))


def _breakdown(builder: Builder) -> Html:
    by = next((name for name in BY if any(one["name"] == name for one in builder.catalogue)), "")
    said = builder.answer("breakdown", {"rule": builder.tree, "by": by})
    if not said["ok"] or not said["size"]:
        return page.panel("Breakdown", tag("p", "Nothing to break down yet.", cls="muted"))
    title = next(one["label"] for one in builder.catalogue if one["name"] == by)
    bars = html.bars([Part(**part) for part in said["parts"]], said["size"], said["people"])
    return page.panel(f"By {title.lower()}", bars, right="mark = all contacts")


def _misses(misses: list[Mapping[str, Any]]) -> Html:
    """Return how many each rule alone keeps out, folded away; nothing where only one rule can."""
    if not misses:
        return Html("")
    rows = [(one["rule"][:1].upper() + one["rule"][1:], number(one["count"])) for one in misses]
    found = tag("div", page.table(("Fail only this rule", "People"), rows, numbers=(1,)), cls="said")
    return tag("div", page.fold("Nearest misses", found, more="· who is out because of one rule alone"))


def _sample(builder: Builder) -> Html:
    said = builder.answer("sample", {"rule": builder.tree, "n": 5, "show": False})
    rows = said["rows"] if said["ok"] else []
    columns = said["columns"] if said["ok"] else []
    right = [n for n, one in enumerate(columns) if one["num"]]
    return html.members([one["label"] for one in columns], rows, right, said.get("of", 0))
