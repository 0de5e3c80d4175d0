"""The builder without a kernel: what a saved notebook and a code-hosting page show of it.

A code-hosting page takes styles away, so what each rule leaves is a table here, and depth is in its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, TypeGuard

from icx.look import charts, page
from icx.look.page import Html, bar, number, share, tag
from icx.rules import Group, Rule, phrase
from icx.rules.nodes import child
from icx.widgets.document import Document, read

if TYPE_CHECKING:
    from icx.widgets.builder import Builder

BY = ("engagement_tier", "city", "email_domain")
HEADS = {
    (False, "and"): "All of",
    (False, "or"): "Any of",
    (True, "or"): "None of",
    (True, "and"): "Not all of",
}
DEEPER = "\u2003\u2003"


def builder_html(builder: Builder) -> Html:
    """Return the audience as it was counted last, addresses masked."""
    place, said = builder.place, builder.answers
    head = page.head(
        builder.name or "A new audience",
        _state(builder),
        Html(f"Audience on <b>{page.text(place['connection'])}</b>"),
        f"profile of {place['profile_as_of']}",
        f"{number(place['contacts'])} contacts",
    )
    document = read(builder.tree)
    if said.get("rev") != builder.rev or said.get("total") is None or document.rule is None:
        return page.root(head, _not_counted(said), name=_name(builder))
    parts = [
        tag("div", head, _hero(said)),
        _tree(document, said, builder.zone),
        tag("div", _breakdown(builder), _sample(builder), cls="g13"),
        tag(
            "div",
            page.fold("SQL", page.code(said["sql"]), more=f"· {said['params']} bound values · counted in {said['ms']:,.0f} ms"),
            page.fold("Python", page.code(said["python"]), more="· the same rule as typed"),
        ),
    ]  # fmt: skip
    return page.root(tag("div", *parts, cls="stack"), name=_name(builder))


def _name(builder: Builder) -> str:
    return f"Audience builder: {builder.name or 'a new audience'}"


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


def _hero(said: Mapping[str, Any]) -> Html:
    human = said["human"]
    counts = [f"{share(said['total'], said['of'])} of contacts"]
    if human is not None and human != said["total"]:
        counts.append(f"{number(human)} without likely machine opens")
    total = tag(
        "div",
        tag("div", number(said["total"]), cls="bigno"),
        tag("div", " · ".join(counts), cls="small muted"),
    )
    return tag(
        "div",
        total,
        tag("div", sentence(said["sentence"]), cls="sentence"),
        _edits(said["sizes"]),
        cls="hero",
    )


def sentence(segments: list[list[str]]) -> Html:
    """Return the sentence, its conditions strong and the words between them muted."""
    shown = []
    for n, (words, weight) in enumerate(segments):
        text = words[:1].upper() + words[1:] if n == 0 else words
        shown.append(tag("b" if weight == "strong" else "em", text))
    return page.join(*shown, ".")


def _edits(sizes: list[int]) -> Html:
    if len(sizes) < 2:
        return Html("")
    caption = f"last {len(sizes)} edits: {number(sizes[0])} → {number(sizes[-1])}"
    return tag("figure", charts.steps(sizes), tag("figcaption", caption, cls="label"))


def _tree(document: Document, said: Mapping[str, Any], zone: tzinfo) -> Html:
    assert document.rule is not None
    rows = [_row(*one, said["of"]) for one in _nodes(document, document.rule, "", 0, said["nodes"], zone)]
    whole = bar(100 * said["total"] / max(said["of"], 1), f"{share(said['total'], said['of'])} of contacts")
    total = (
        tag("b", "In the audience"),
        _wide(whole),
        tag("b", number(said["total"])),
        share(said["total"], said["of"]),
    )
    found = page.table(["Rule", "Kept, of those arriving", "Left", "Dropped"], [*rows, total], numbers=(2, 3))
    return tag("div", found, cls="panel")


def _nodes(
    document: Document, rule: Rule, path: str, depth: int, figures: Mapping[str, Any], zone: tzinfo
) -> Iterator[tuple[int, Rule, Html, Mapping[str, Any]]]:
    own = figures[document.ids[path]]
    if not _heads(rule, path):
        words = phrase(rule, zone)
        yield max(depth, 1), rule, page.text(words[:1].upper() + words[1:]), own
        return
    words = HEADS[rule.negated, rule.combinator]
    yield depth, rule, page.join(tag("b", words), Html(' <span class="muted">these are true</span>')), own
    for n, inner in enumerate(rule.rules):
        yield from _nodes(document, inner, child(path, n), depth + 1, figures, zone)


def _heads(rule: Rule, path: str) -> TypeGuard[Group]:
    """Return whether a node is a heading with rows below it; one rule turned round is a row of its own."""
    if not isinstance(rule, Group):
        return False
    return not path or not (rule.negated and len(rule.rules) == 1 and not isinstance(rule.rules[0], Group))


def _wide(drawn: Html, width: int = 112) -> Html:
    return tag("div", drawn, style=f"width:{width}px")


def _row(depth: int, rule: Rule, words: Html, own: Mapping[str, Any], of: int) -> tuple[Any, ...]:
    before, left = own["before"], own["left"]
    said = page.join(DEEPER * depth, words)
    if not depth:
        return (
            said,
            _wide(bar(100.0 if of else 0, f"everyone: {number(of)}")),
            tag("b", number(of)),
            "everyone",
        )
    kept = bar(100 * left / before if before else 0, f"{number(left)} of {number(before)} kept")
    dropped = f"{number(own['alone'])} alone" if own["alone"] is not None else number(-own["dropped"])
    shown, heading = number(left), _heads(rule, "below")
    return said, _wide(kept), tag("b", shown) if heading else shown, dropped


def _breakdown(builder: Builder) -> Html:
    by = next((name for name in BY if any(one["name"] == name for one in builder.catalogue)), "")
    said = builder.answer("breakdown", {"rule": builder.tree, "by": by})
    if not said["ok"] or not said["size"]:
        return page.panel("Breakdown", tag("p", "Nothing to break down yet.", cls="muted"))
    rows = []
    for part in said["parts"]:
        mine = 100 * part["count"] / said["size"]
        base = 100 * part["of"] / max(said["people"], 1)
        label = f"{mine:.1f} % of the audience, {base:.1f} % of all contacts"
        rows.append(
            (
                part["value"],
                _wide(bar(mine, label, mark=base)),
                number(part["count"]),
                share(part["count"], said["size"]),
            )
        )
    title = next(one["label"] for one in builder.catalogue if one["name"] == by)
    return page.panel(
        f"By {title.lower()}",
        page.table(["", "", "Members", ""], rows, numbers=(2, 3)),
        right="mark = all contacts",
    )


def _sample(builder: Builder) -> Html:
    said = builder.answer("sample", {"rule": builder.tree, "n": 5, "show": False})
    if not said["ok"] or not said["rows"]:
        return page.panel("No members", tag("p", "Nobody is in this audience.", cls="muted"))
    heads = [one["label"] for one in said["columns"]]
    numbers = [n for n, one in enumerate(said["columns"]) if one["num"]]
    masked = page.join(page.icon("mask"), " addresses masked")
    title = f"{len(said['rows'])} of {number(said['of'])}, at random"
    return page.panel(title, page.table(heads, said["rows"], numbers=numbers), right=masked)
