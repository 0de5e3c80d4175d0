"""Pieces of a page: what every displayed object and report is put together from.

All text goes through `text`, which escapes it; only what these functions return is taken as HTML. No script, no
address of a network, colours from the theme of the notebook: a saved output reads in light and dark without a kernel.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from typing import Literal

from icx import mask

Kind = Literal["", "ok", "warn", "bad"]


class Html(str):
    """Text that is HTML already; everything else is escaped when it is put on a page."""

    __slots__ = ()


@cache
def style() -> str:
    """Return the stylesheet of every icx output and widget: tokens, components, single views, without comments."""
    folder = importlib.resources.files("icx.look")
    source = "\n".join(
        (folder / f"{name}.css").read_text(encoding="utf-8")
        for name in ("tokens", "components", "views", "plan")
    )
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)).strip()


def text(value: object) -> Html:
    """Return a value as text of a page; names from outside stay names.

    >>> text("<b>VIP</b>"), text(Html("<b>VIP</b>"))
    ('&lt;b&gt;VIP&lt;/b&gt;', '<b>VIP</b>')
    """
    return value if isinstance(value, Html) else Html(escape(mask.plain(value), quote=True))


def join(*parts: object) -> Html:
    """Return the parts one after the other."""
    return Html("".join(text(part) for part in parts if part is not None))


def tag(name: str, *children: object, cls: str = "", **attributes: object) -> Html:
    """Return an element; attributes that are None are left out, `_` in their names is `-`.

    >>> tag("td", 12, cls="num", title='a "b"')
    '<td class="num" title="a &quot;b&quot;">12</td>'
    """
    given: dict[str, object] = {"class": cls or None, **attributes}
    said = "".join(
        f' {key.replace("_", "-")}="{escape(mask.plain(value), quote=True)}"'
        for key, value in given.items()
        if value is not None
    )
    return Html(f"<{name}{said}>{join(*children)}</{name}>")


def root(*parts: object, name: str) -> Html:
    """Return a whole output: the stylesheet and one named region."""
    return Html(f"<style>{style()}</style>{tag('div', *parts, cls='icx', role='region', aria_label=name)}")


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with separators and a true minus; unknown is a dash.

    >>> number(248310), number(-208), number(None), number(12.345, 1)
    ('248,310', '−208', '–', '12.3')
    """
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")


def share(part: float, whole: float) -> str:
    """Return a share in percent: one decimal, two below 0.1 %, never a zero for somebody.

    >>> share(1604, 248310), share(3, 9000), share(1, 1_000_000), share(0, 5), share(1, 0)
    ('0.6 %', '0.03 %', '< 0.01 %', '0.0 %', '–')
    """
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.005:
        return "< 0.01 %"
    return f"{percent:.2f} %" if 0 < percent < 0.1 else f"{percent:.1f} %"


def icon(name: str, label: str | None = None) -> Html:
    """Return one of the icons, 14 px; without a label it is decoration beside a word."""
    spoken = f'role="img" aria-label="{text(label)}"' if label else 'aria-hidden="true"'
    tone = name if name in {"ok", "warn", "bad"} else ""
    return Html(f'<svg class="i {tone}" viewBox="0 0 16 16" {spoken}><path d="{ICONS[name]}"/></svg>')


def pill(kind: Kind, words: object, shape: str = "") -> Html:
    """Return a status pill: a shape and one to four words."""
    return tag("span", icon(shape or kind) if shape or kind else "", words, cls=f"pill {kind}".strip())


def bar(percent: float, label: str, cls: str = "", mark: float | None = None) -> Html:
    """Return a bar of `percent` (0 to 100) of its track; `mark` is a base line in percent."""
    if mark is None:
        inner = Html(f'<i style="--v:{percent:.2f}%"></i>') if percent > 0 else Html("")
        return tag("span", inner, cls=f"bar {cls}".strip(), role="img", aria_label=label, title=label)
    inner = Html(f'<i style="width:{max(percent, 0):.2f}%"></i><s style="left:{mark:.2f}%"></s>')
    return tag("div", inner, cls="cmp", role="img", aria_label=label, title=label)


def head(name: object, state: object = "", *crumbs: object, actions: object = "") -> Html:
    """Return the head of a view: its name, one pill, and below it where and as of when."""
    said = join(*(join(Html(" <span>·</span> ") if n else "", crumb) for n, crumb in enumerate(crumbs)))
    title = tag("div", tag("h2", name), state, cls="row wrap")
    return tag("div", tag("div", title, tag("div", said, cls="crumbs")), actions, cls="head")


def tile(
    label: object,
    value: object,
    context: object = "",
    *,
    big: bool = False,
    zero: bool = False,
    extra: object = "",
) -> Html:
    """Return one number with its label and a line of context; where it is `zero` its icon has no colour."""
    return tag(
        "div",
        tag("span", label, cls="label"),
        tag("b", value),
        tag("span", context, cls="sub"),
        extra,
        cls=" ".join(["tile", *(["big"] if big else []), *(["zero"] if zero else [])]),
    )


def tiles(*each: Html) -> Html:
    """Return up to five tiles in one frame."""
    return tag("div", *each, cls="tiles fold five" if len(each) == 5 else "tiles fold")


def panel(title: object, *parts: object, right: object = "") -> Html:
    """Return a framed part of a view with its title; inside it only rows."""
    return tag(
        "section",
        tag("div", tag("h3", title), tag("span", right, cls="label"), cls="ph"),
        *parts,
        cls="panel",
    )


def note(kind: Kind, what: object, then: object = "", act: object = "") -> Html:
    """Return a note in its place: what is, and what to do."""
    shape = kind or "info"
    role = "alert" if kind == "bad" else None
    words = tag("div", tag("b", what), " ", then)
    return tag("div", icon(shape), words, tag("span", act, cls="act"), cls=f"note {kind}".strip(), role=role)


def table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], numbers: Sequence[int] = (), foot: object = ""
) -> Html:
    """Return a table; `numbers` are the positions of the columns set to the right."""

    def cell(name: str, at: int, value: object) -> Html:
        scope = "col" if name == "th" else None
        return tag(name, value, cls="num" if at in numbers else "", scope=scope)

    top = tag("thead", tag("tr", *(cell("th", at, one) for at, one in enumerate(heads))))
    body = tag("tbody", *(tag("tr", *(cell("td", at, one) for at, one in enumerate(row))) for row in rows))
    return join(tag("table", top, body), tag("div", foot, cls="foot") if foot else "")


def columns(*each: tuple[object, str]) -> Html:
    """Return the head of a table whose cells have classes of their own: (words, class)."""
    return tag("thead", tag("tr", *(tag("th", words, cls=cls, scope="col") for words, cls in each)))


def fold(summary: object, *parts: object, more: object = "", opened: bool = False) -> Html:
    """Return parts that are folded away behind a summary."""
    line = tag("summary", summary, tag("span", more, cls="muted") if more else "")
    return tag("details", line, *parts, open="" if opened else None)


def code(source: object) -> Html:
    """Return SQL or Python as written."""
    return tag("pre", source, cls="sql")


ICONS = {
    "plus": "M8 3v10M3 8h10",
    "x": "M4 4l8 8M12 4l-8 8",
    "check": "M3 8.5l3.2 3.2L13 4.5",
    "undo": "M6 4L3 7l3 3M3 7h6a4 4 0 010 8H7",
    "redo": "M10 4l3 3-3 3M13 7H7a4 4 0 000 8h2",
    "ok": "M8 14.2A6.2 6.2 0 108 1.8a6.2 6.2 0 000 12.4zM5.2 8.2l2 2 3.6-4",
    "warn": "M8 2.2L14.4 13.4H1.6zM8 6.4v3.2M8 11.5v.1",
    "bad": "M8 14.2A6.2 6.2 0 108 1.8a6.2 6.2 0 000 12.4zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
    "info": "M8 14.2A6.2 6.2 0 108 1.8a6.2 6.2 0 000 12.4zM8 7.4v3.8M8 4.8v.1",
    "clock": "M8 14.2A6.2 6.2 0 108 1.8a6.2 6.2 0 000 12.4zM8 4.6V8l2.4 1.6",
    "eye": "M1.5 8S4 3.6 8 3.6 14.5 8 14.5 8 12 12.4 8 12.4 1.5 8 1.5 8zM8 10a2 2 0 100-4 2 2 0 000 4z",
    "mask": "M2.5 2.5l11 11M6.3 3.9A6 6 0 018 3.6c4 0 6.5 4.4 6.5 4.4a12 12 0 01-2 2.5M3.7 5.2A12 12 0 001.5 8S4 12.4 8 12.4a6 6 0 002.6-.6",
    "dots": "M3.5 8h.1M8 8h.1M12.5 8h.1",
    "search": "M7 12A5 5 0 107 2a5 5 0 000 10zM10.8 10.8L14 14",
    "pause": "M5.5 3v10M10.5 3v10",
    "play": "M4.5 3l8 5-8 5z",
    "mail": "M2 4h12v8.5H2zM2 4.5l6 4.5 6-4.5",
    "lock": "M3.5 7.5h9V14h-9zM5.5 7.5V5a2.5 2.5 0 015 0v2.5",
    "right": "M6 3.5L10.5 8 6 12.5",
    "down": "M3.5 6L8 10.5 12.5 6",
    "refresh": "M13 4v3h-3M13 7a5.3 5.3 0 10.2 2.5",
    "person": "M8 8a2.8 2.8 0 100-5.6A2.8 2.8 0 008 8zM2.8 14a5.2 5.2 0 0110.4 0",
    "stop": "M5 1.8h6L14.2 5v6L11 14.2H5L1.8 11V5zM8 4.8v4M8 11.2v.1",
    "running": "M8 1.8A6.2 6.2 0 1014.2 8",
    "explained": "M8 14.2A6.2 6.2 0 108 1.8a6.2 6.2 0 000 12.4zM5.2 8h5.6",
    "copy": "M5.5 5.5h8v8h-8zM3 10.5V2.5h8",
    "arrow": "M3 8h10M9.5 4.5L13 8l-3.5 3.5",
    "send": "M14 2L7 9M14 2l-4.4 12L7 9 2 6.4z",
}
"""Outlines on a 16 × 16 ground; a shape has one meaning throughout."""
