"""An audience as a notebook shows it: size, sentence, what each rule leaves, some members, SQL folded away.

Colours come from JupyterLab's own variables, so light and dark follow the theme; no script, no address.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from icx import mask
from icx.audience.audience import Audience
from icx.errors import IcxError

if TYPE_CHECKING:
    from icx.audience.compare import Breakdown
    from icx.audience.count import Count

INK = "var(--jp-ui-font-color1, #222)"
MUTED = f"color-mix(in srgb, {INK} 70%, transparent)"  # 4.5:1 also where INK is not quite black
LINE = f"1px solid color-mix(in srgb, {INK} 11%, transparent)"
TRACK = f"color-mix(in srgb, {INK} 9%, transparent)"
ACCENT = "var(--jp-brand-color1, #1976d2)"
GREY = f"color-mix(in srgb, {INK} 42%, transparent)"
ROOT = (
    f"color:{INK};background:var(--jp-layout-color0, transparent);font-family:var(--jp-ui-font-family, sans-serif);"
    "font-size:13px;font-variant-numeric:tabular-nums;max-width:1020px;overflow-wrap:anywhere"
)
CELL = (
    f"white-space:normal;padding:5px 12px 5px 0;border:0;border-top:{LINE};background:transparent;color:{INK}"
)
FIGURE = f"{CELL};text-align:right;white-space:nowrap"
ROW = '<tr style="background:none">'  # Lab stripes its tables
HEAD = f"white-space:normal;padding:5px 12px 5px 0;border:0;background:transparent;color:{MUTED};font-size:11px;font-weight:500"


def audience_html(audience: Audience) -> str:
    """Return the audience as HTML; without people only its words."""
    counted: Count | None = None
    note = ""
    if audience.people is not None:
        try:
            counted = audience.count()
        except IcxError as error:
            note = (
                f'<p role="alert"><b>Not counted.</b> {_text(error.message)} {_text(error.next_text())}</p>'
            )
    parts = [f'<div style="font-size:20px;font-weight:600">{_text(audience.name or "Audience")}</div>']
    if audience.description:
        parts.append(f'<div style="color:{MUTED}">{_text(audience.description)}</div>')
    if counted:
        parts.append(_size(audience, counted))
    parts.append(f'<p style="max-width:62ch">{_text(_capital(audience.english))}</p>{note}')
    if counted:
        parts += [_steps(counted), _sample(audience)]
    parts.append(_folded(audience))
    return f'<div class="icx" style="{ROOT}">{"".join(parts)}</div>'


def breakdown_html(found: Breakdown) -> str:
    """Return a breakdown as bars, each with the share of all contacts as a mark."""
    rows = []
    for part in found.parts:
        share = 100 * part.count / found.size if found.size else 0.0
        base = 100 * part.of / found.people if found.people else 0.0
        label = f"{share:.1f} % of the audience, {base:.1f} % of all contacts"
        rows.append(
            f'{ROW}<td style="{CELL};text-align:left">{_text(part.value)}</td>'
            f'<td style="{CELL};width:180px">{_bar(share, base, label)}</td>'
            f'<td style="{FIGURE}">{part.count:,}</td><td style="{FIGURE};color:{MUTED}">{share:.1f} %</td></tr>'
        )
    title = f"{_text(found.audience or 'These')} by {_text(found.field)}"
    return (
        f'<div class="icx" style="{ROOT}"><b>{title}</b> <span style="color:{MUTED}">'
        f"{found.size:,} people · mark = all contacts</span>{_table(rows)}</div>"
    )


def _size(audience: Audience, counted: Count) -> str:
    assert audience.people is not None
    moment = counted.as_of.astimezone(audience.people.zone)
    share = f"{100 * counted.count / counted.of:.1f} % of contacts" if counted.of else "no contacts"
    human = f" · {counted.count_human:,} without likely machines" if counted.count_human is not None else ""
    return (
        f'<div style="color:{MUTED}">{_text(counted.connection)} · profile of {moment.day}'
        f" {moment:%b %Y, %H:%M %Z} · {counted.of:,} contacts</div>"
        f'<div><span style="font-size:30px;font-weight:600">{counted.count:,}</span>'
        f' <span style="color:{MUTED}">people · {share}{human}</span></div>'
    )


def _steps(counted: Count) -> str:
    if not counted.steps:
        return ""
    last = "By this alone" if counted.any_of else "Dropped"
    rows = [
        f'{ROW}<th scope="col" style="{HEAD};text-align:left">{"Any of" if counted.any_of else "Rule"}</th>'
        f'<th scope="col" style="{HEAD};text-align:left">Kept, of those arriving</th>'
        f'<th scope="col" style="{HEAD};text-align:right">Left</th>'
        f'<th scope="col" style="{HEAD};text-align:right">{last}</th></tr>'
    ]
    for step in counted.steps:
        share = 100 * step.left / step.before if step.before else 0.0
        dropped = f"{step.only or 0:,}" if counted.any_of else f"−{step.dropped:,}" if step.dropped else "0"
        label = f"{step.left:,} of {step.before:,} kept"
        rows.append(
            f'{ROW}<td style="{CELL};text-align:left">{_text(step.english)}</td>'
            f'<td style="{CELL};width:130px">{_bar(share, None, label)}</td>'
            f'<td style="{FIGURE};font-weight:600">{step.left:,}</td>'
            f'<td style="{FIGURE};color:{MUTED}">{dropped}</td></tr>'
        )
    return _table(rows)


def _sample(audience: Audience) -> str:
    frame = audience.sample(5)
    if frame.empty:
        return ""
    heads = "".join(
        f'<th scope="col" style="{HEAD};text-align:left">{_text(name)}</th>' for name in frame.columns
    )
    rows = [
        ROW
        + "".join(
            f'<td style="{CELL};text-align:left">{_text("no value" if _missing(value) else value)}</td>'
            for value in row
        )
        + "</tr>"
        for row in frame.itertuples(index=False)
    ]
    shown = f"{len(frame)} members at random, addresses masked"
    return f'<details open><summary style="color:{MUTED}">{shown}</summary>{_table([f"{ROW}{heads}</tr>", *rows])}</details>'


def _folded(audience: Audience) -> str:
    from icx.audience.people import members_sql

    parts = [("Python · the same rule as typed", audience.python)]
    if audience.people is not None:
        try:
            found = members_sql(audience.people, audience)
            parts.append((f"SQL · {len(found.params)} bound values", found.text))
        except IcxError:
            pass  # what is wrong stands above already
    return "".join(
        f'<details><summary style="color:{MUTED}">{_text(title)}</summary>'
        f'<pre style="white-space:pre-wrap;color:{INK}">{_text(text)}</pre></details>'
        for title, text in parts
    )


def _table(rows: list[str]) -> str:
    return f'<table style="border-collapse:collapse;table-layout:auto;margin:8px 0;width:100%">{"".join(rows)}</table>'


def _bar(share: float, mark: float | None, label: str) -> str:
    width = 0 if share <= 0 else max(share, 1)
    tick = (
        f'<span style="position:absolute;left:{mark:.1f}%;top:-2px;width:2px;height:12px;background:{INK}"></span>'
        if mark is not None
        else ""
    )
    return (
        f'<div role="img" aria-label="{escape(label, quote=True)}" title="{escape(label, quote=True)}"'
        f' style="position:relative;height:8px;border-radius:2px;background:{TRACK}">'
        f'<div style="width:{width:.1f}%;height:8px;border-radius:2px;background:{ACCENT}"></div>{tick}</div>'
    )


def _missing(value: object) -> bool:
    return value is None or value != value or str(value) == "NaT"  # noqa: PLR0124  not-a-number is not itself


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _text(value: object) -> str:
    return escape(mask.plain(value), quote=True)
