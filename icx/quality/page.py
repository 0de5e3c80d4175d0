"""The look of a report: one fragment for the notebook, one page for a browser, both without a network."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from icx import mask
from icx.look.page import icon, text
from icx.quality import words
from icx.quality.report import CheckReport, Result, stops_every_push
from icx.store import shared

_TONE = {"passed": "ok", "warning": "warn", "failed": "bad"}
_ORDER = {"failed": 0, "warning": 1, "passed": 2}


def style() -> str:
    """Return the stylesheet of every report: icx's tokens, then what only a report needs."""
    root = importlib.resources.files("icx")
    return "\n".join(
        part.read_text(encoding="utf-8")
        for part in (root / "look" / "tokens.css", root / "quality" / "report.css")
    )


def fragment(reports: Sequence[CheckReport]) -> str:
    """Return the reports as one piece of HTML that a notebook can show."""
    return f"<style>{style()}</style>{_body(reports)}"


def write(path: Path, reports: Sequence[CheckReport]) -> Path:
    """Write a page that opens from disk in light and dark; replaces an older one whole."""
    names = ", ".join(sorted({report.connection for report in reports}))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Checks of {text(names)}</title><style>{style()}</style></head>"
        f'<body class="icx-page">{_body(reports)}</body></html>'
    )
    return shared.write(path, page)


def _body(reports: Sequence[CheckReport]) -> str:
    results = [(report, one) for report in reports for one in report.results]
    failed = sum(one.outcome == "failed" for _, one in results)
    warned = sum(one.outcome == "warning" for _, one in results)
    passed = len(results) - failed - warned
    state = "failed" if failed else "passed"
    verdict = "Not good enough to send yet" if failed else "Good enough to send"
    every = any(
        stops_every_push(report.suite, one.columns) for report, one in results if one.outcome == "failed"
    )
    stops = "none" if not failed else "stops every push" if every else "stops pushes that use it"
    rows = "".join(
        _row(report, one) for report, one in sorted(results, key=lambda pair: _ORDER[pair[1].outcome])
    )
    tiles = (
        _tile("failed", "Failed", failed, stops)
        + _tile("warning", "Warnings", warned, "never stop a push")
        + _tile("passed", "Passed", passed, f"of {words.count(len(results))}")
    )
    return (
        f'<div class="icx icx-checks{" one" if len(reports) == 1 else ""}" role="region" aria-label="Checks">'
        f'<div class="verdict">{icon(_TONE[state])}<h2>{verdict}</h2></div>'
        f'<p class="muted small">{" · ".join(_where(reports, len(results)))}</p>'
        f'<div class="tiles">{tiles}</div>'
        '<table><thead><tr><th class="icon"><span class="sr">Verdict</span></th><th class="suite">Table</th><th>Column</th>'
        '<th>Expected</th><th class="num">Unexpected</th><th class="num">Share</th><th>For example</th>'
        f"<th>Effect</th></tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="muted small foot">{words.count(len(results))} of {words.count(len(results))} shown, worst first · addresses masked</p></div>'
    )


def _where(reports: Sequence[CheckReport], total: int) -> list[str]:
    said = [f"<b>{words.count(total)} expectations</b> on {text(reports[0].connection)}" if reports else ""]
    for report in reports:
        said.append(f"{text(report.suite)} {text(report.judged)}: {report.rows_judged:,} {text(report.noun)}")
    if reports:
        ran = max(report.ran_at for report in reports)
        said.append(f"ran {ran.day} {ran:%b %Y, %H:%M} UTC, {sum(one.seconds for one in reports):.1f} s")
    return [*said, "Great Expectations"]


def _tile(outcome: str, label: str, number: int, context: str) -> str:
    return (
        f'<div class="tile{"" if number else " zero"}"><span class="label">{icon(_TONE[outcome])} {label}</span>'
        f'<b>{words.count(number)}</b><span class="muted small">{context}</span></div>'
    )


def _row(report: CheckReport, one: Result) -> str:
    values = list(dict.fromkeys(_sample(value) for value in one.samples if not isinstance(value, dict)))
    shown = ", ".join(values[:3]) + (", …" if len(values) > 3 else "")
    effect = ""
    if one.outcome == "failed":
        every = stops_every_push(report.suite, one.columns)
        effect = (
            f'<span class="pill bad">{"stops all pushes" if every else "stops pushes that use it"}</span>'
        )
    elif one.outcome == "warning":
        effect = '<span class="pill">warning only</span>'
    column = ", ".join(one.columns) or "(table)"
    unexpected = "" if one.unexpected is None else words.count(one.unexpected)
    share = "" if not one.percent else words.percent(one.percent)
    main = (
        f'<tr class="{_TONE[one.outcome]}"><td class="icon">{icon(_TONE[one.outcome])}<span class="sr">{one.outcome}</span></td>'
        f'<td class="mono suite">{text(report.suite)}</td><td class="mono clip" title="{text(column)}">{text(column)}</td>'
        f'<td class="wrap">{text(one.says + words.allowance(one.mostly))}</td><td class="num">{unexpected}</td><td class="num muted">{share}</td>'
        f'<td class="mono muted clip eg" title="{text(shown)}">{text(shown)}</td><td>{effect}</td></tr>'
    )
    if one.outcome == "passed" and not one.unexpected:
        return main
    people = words.ids(one.people, 5)
    parts = [f"<b>{text(one.line)}</b>"]
    if people:
        parts.append(f'<span class="muted">rows of {text(people)}</span>')
    if one.outcome == "failed":
        parts.append(
            f'<span class="mono muted">override for one plan: --override {text(one.key)} --because …</span>'
        )
    samples = _samples(one)
    return (
        f'{main}<tr class="detail"><td></td><td colspan="7"><details{" open" if one.outcome == "failed" else ""}>'
        f'<summary>details</summary><div class="lines">{"".join(f"<div>{part}</div>" for part in parts)}</div>{samples}</details></td></tr>'
    )


def _samples(one: Result) -> str:
    rows = (one.native.get("result") or {}).get("partial_unexpected_index_list") or one.samples
    rows = [row for row in rows if isinstance(row, dict)][:10]
    if not rows:
        return ""
    names = list(rows[0])
    head = "".join(f"<th>{text(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f'<td class="mono">{text(_sample(row.get(name)))}</td>' for name in names) + "</tr>"
        for row in rows
    )
    return f'<table class="samples"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _sample(value: Any) -> str:
    shown = "no value" if value is None else mask.plain(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
