"""An audience as a notebook shows it: size, sentence, what each rule leaves, some members, SQL folded away.

The builder's saved output is put together from the same pieces, each from plain figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from icx import mask
from icx.errors import IcxError
from icx.look import page
from icx.look.page import Html, bar, number, share, tag
from icx.rules import Group, Rule, phrase, segments
from icx.rules.nodes import child

if TYPE_CHECKING:
    from icx.audience.audience import Audience
    from icx.audience.compare import Breakdown
    from icx.audience.parts import Part

HEADS = {
    (False, "and"): "All of",
    (False, "or"): "Any of",
    (True, "or"): "None of",
    (True, "and"): "Not all of",
}
DEEPER = "\u2003\u2003"  # a code-hosting page takes styles away, so depth is in the words


class Kept(NamedTuple):
    """Of how many people before a rule how many it left, and how many it alone has in an any-group."""

    before: int
    left: int
    alone: int | None


def audience_html(audience: Audience) -> Html:
    """Return the audience as HTML, addresses masked; without people only its words."""
    name = audience.name or "Audience"
    about = tag("p", audience.description, cls="muted") if audience.description else Html("")
    words = [list(one) for one in segments(audience.rule, audience.people.zone if audience.people else UTC)]
    plain = tag("div", sentence(words), cls="sentence")
    if audience.people is None:
        parts = [page.head(name), about, plain, _folded(audience)]
    else:
        try:
            parts = [*_counted(audience, name, about, words), _folded(audience)]
        except IcxError as error:
            told = page.note("bad", "Not counted.", f"{error.message} {error.next_text()}")
            parts = [page.head(name), about, plain, told, _folded(audience)]
    return page.root(tag("div", *parts, cls="stack"), name=f"Audience: {name}")


def breakdown_html(found: Breakdown) -> Html:
    """Return a breakdown as bars, each with the share of all contacts as a mark."""
    title = f"{found.audience or 'These'} by {found.field}"
    right = f"{number(found.size)} people · mark = all contacts"
    return page.root(page.panel(title, bars(found.parts, found.size, found.people), right=right), name=title)


# --- pieces ---------------------------------------------------------------------------------------------------------


def head(name: str, state: object, connection: str, moment: str, contacts: int) -> Html:
    """Return the head: the name, and whose people as of when."""
    return page.head(
        name,
        state,
        tag("span", "Audience on ", tag("b", connection)),
        f"profile of {moment}",
        f"{number(contacts)} contacts",
    )


def hero(size: int, of: int, human: int | None, words: Sequence[Sequence[str]], chart: Html) -> Html:
    """Return the one number beside its sentence."""
    counts = [f"{share(size, of)} of contacts"]
    if human is not None and human != size:
        counts.append(f"{number(human)} without likely machine opens")
    total = tag(
        "div", tag("div", number(size), cls="bigno"), tag("div", " · ".join(counts), cls="small muted")
    )
    return tag("div", total, tag("div", sentence(words), cls="sentence"), chart, cls="hero")


def sentence(words: Sequence[Sequence[str]]) -> Html:
    """Return the sentence, its conditions strong and the words between them muted."""
    shown = []
    for n, (text, weight) in enumerate(words):
        said = text[:1].upper() + text[1:] if n == 0 else text
        shown.append(tag("b" if weight == "strong" else "em", said))
    return page.join(*shown, ".")


def tree(rule: Rule, figures: Mapping[str, Kept], size: int, of: int, zone: tzinfo) -> Html:
    """Return what each node of a rule leaves; `figures` by path."""
    rows = [_row(*one, of) for one in _nodes(rule, "", 0, figures, zone)]
    part = share(size, of)
    whole = bar(100 * size / max(of, 1), f"{part} of contacts")
    rows.append((tag("b", "In the audience"), _wide(whole), tag("b", number(size)), part))
    found = page.table(["Rule", "Kept, of those arriving", "Left", "Dropped"], rows, numbers=(2, 3))
    return tag("div", found, cls="panel wraps")


def bars(parts: Sequence[Part], size: int, people: int) -> Html:
    """Return a breakdown's parts as bars."""
    rows = []
    for part in parts:
        mine, base = 100 * part.count / max(size, 1), 100 * part.of / max(people, 1)
        label = f"{mine:.1f} % of the audience, {base:.1f} % of all contacts"
        rows.append((part.value, bar(mine, label, mark=base), number(part.count), share(part.count, size)))
    return tag("div", page.table(["", "", "Members", "Share"], rows, numbers=(2, 3)), cls="wraps parts")


def members(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], size: int) -> Html:
    """Return some members, masked."""
    if not rows:
        return page.panel("No members", tag("p", "Nobody is in this audience.", cls="muted"))
    masked = page.join(page.icon("mask"), " addresses masked")
    title = f"{len(rows)} of {number(size)}, at random"
    found = tag("div", page.table(heads, rows, numbers=numbers), cls="wraps scroll")
    return page.panel(title, found, right=masked)


def folded(sql: str, params: int, python: str, also: str = "") -> Html:
    """Return the SQL and the Python, folded away."""
    values = f"· {params} bound value{'' if params == 1 else 's'}{also}"
    return tag(
        "div",
        page.fold("SQL", page.code(sql), more=values) if sql else "",
        page.fold("Python", page.code(python), more="· the same rule as typed"),
    )


def cell(value: Any, zone: tzinfo, *, masked: bool = True) -> str:
    """Return a value of somebody's as a table shows it; whatever looks like an address in it is masked.

    >>> cell(12345, UTC), cell(None, UTC), cell("ask jo@example.com", UTC), cell(["a", "b"], UTC)
    ('12,345', '–', 'ask j…@e….com', 'a, b')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)) or str(value) == "NaT":
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC).astimezone(zone)
        return f"{moment.day} {moment:%b %Y}"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return f"{value:,.10g}".replace("-", "−")
    if isinstance(value, Mapping):
        value = [f"{key}: {cell(one, zone)}" for key, one in value.items()]
    text = mask.plain(value) if isinstance(value, str) else ", ".join(cell(one, zone) for one in value)
    return mask.addresses_in(text) if masked else text


# --- an audience's own ----------------------------------------------------------------------------------------------


def _counted(audience: Audience, name: str, about: Html, words: list[list[str]]) -> list[Html]:
    from icx.audience.waterfall import waterfall

    people = audience.people
    assert people is not None
    with people.open(audience) as (con, reading, rule):
        found = waterfall(con, people.profile, rule, reading)
    at = reading.as_of.astimezone(people.zone)
    top = head(name, "", people.connection, f"{at.day} {at:%b %Y, %H:%M %Z}", found.of)
    figures = {path: Kept(own.before, own.left, own.alone) for path, own in found.nodes.items()}
    frame = audience.sample(5)
    kinds = {each: people.catalogue[each].type for each in frame.columns if each in people.catalogue}
    right = [n for n, each in enumerate(frame.columns) if kinds.get(each) in {"integer", "number"}]
    rows = [
        [str(row[0]), *(cell(value, people.zone) for value in row[1:])]  # the first is an id, not a quantity
        for row in frame.itertuples(index=False, name=None)
    ]
    return [
        tag("div", top, about, hero(found.size, found.of, found.human, words, Html(""))),
        tree(rule, figures, found.size, found.of, people.zone),
        members(list(frame.columns), rows, right, found.size),
    ]


def _folded(audience: Audience) -> Html:
    from icx.audience.people import members_sql

    if audience.people is None:
        return folded("", 0, audience.python)
    try:
        found = members_sql(audience.people, audience)
    except IcxError:  # what is wrong stands above already
        return folded("", 0, audience.python)
    return folded(found.text, len(found.params), audience.python)


def _nodes(
    rule: Rule, path: str, depth: int, figures: Mapping[str, Kept], zone: tzinfo
) -> Iterator[tuple[int, Rule, Html, Kept]]:
    if not _heads(rule, path):
        words = phrase(rule, zone)
        yield max(depth, 1), rule, page.text(words[:1].upper() + words[1:]), figures[path]
        return
    words = HEADS[rule.negated, rule.combinator]
    said = page.join(tag("b", words), Html(' <span class="muted">these are true</span>'))
    yield depth, rule, said, figures[path]
    for n, inner in enumerate(rule.rules):
        yield from _nodes(inner, child(path, n), depth + 1, figures, zone)


def _heads(rule: Rule, path: str) -> TypeGuard[Group]:
    """Return whether a node is a heading with rows below it; one rule turned round is a row of its own."""
    if not isinstance(rule, Group):
        return False
    return not path or not (rule.negated and len(rule.rules) == 1 and not isinstance(rule.rules[0], Group))


def _row(depth: int, rule: Rule, words: Html, own: Kept, of: int) -> tuple[Any, ...]:
    said = page.join(DEEPER * depth, words)
    if not depth:
        everyone = bar(100.0 if of else 0, f"everyone: {number(of)}")
        return said, _wide(everyone), tag("b", number(of)), "everyone"
    percent = 100 * own.left / own.before if own.before else 0
    kept = bar(percent, f"{number(own.left)} of {number(own.before)} kept")
    dropped = f"{number(own.alone)} alone" if own.alone is not None else number(own.left - own.before)
    left = number(own.left)
    return said, _wide(kept), tag("b", left) if _heads(rule, "below") else left, dropped


def _wide(drawn: Html) -> Html:
    return tag("div", drawn, style="width:112px")
