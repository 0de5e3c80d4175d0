"""The plan as a notebook shows it: light and dark, people masked, readable without a kernel."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from icx import mask
from icx.plan.text import checks_line
from icx.plan.words import calls, duration, moment, people, reason

if TYPE_CHECKING:
    from icx.plan.plan import Plan

SHOWN = 3  # people shown of each reason

_STYLE = """
.icx-plan { --ink: var(--jp-ui-font-color0, light-dark(#000, #fff)); --bg: var(--jp-layout-color0, light-dark(#fff, #111));
  --muted: color-mix(in srgb, var(--ink) 62%, var(--bg)); --line: color-mix(in srgb, var(--ink) 14%, var(--bg));
  --accent: var(--jp-brand-color1, #1976d2); --bad: var(--jp-error-color1, #d32f2f);
  --warn: var(--jp-warn-color1, #f57c00); --ok: var(--jp-success-color1, #388e3c);
  font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); color: var(--ink); background: var(--bg);
  font-variant-numeric: tabular-nums; max-width: 960px; }
.icx-plan h3, .icx-plan h4, .icx-plan p { margin: 0; font-weight: 600; }
.icx-plan p, .icx-plan .muted { font-weight: 400; color: var(--muted); }
.icx-plan h3 { font-size: 20px; } .icx-plan h4 { font-size: 13px; padding: 4px 0; }
.icx-plan .tag { font-size: 12px; font-weight: 400; border: 1px solid var(--line); border-radius: 10px; padding: 1px 8px; }
.icx-plan .row { display: flex; flex-wrap: wrap; border: 1px solid var(--line); border-radius: 6px; margin: 8px 0; }
.icx-plan .cell { flex: 1 1 140px; padding: 8px 12px; border-left: 1px solid var(--line); min-width: 0; }
.icx-plan .cell:first-child { border-left: 0; }
.icx-plan .cell b { display: block; font-size: 15px; overflow-wrap: anywhere; }
.icx-plan .big b { font-size: 26px; font-weight: 500; }
.icx-plan .bar { display: flex; height: 8px; gap: 1px; margin: 2px 0 6px; }
.icx-plan .bar i { border-radius: 2px; min-width: 1px; }
.icx-plan .add { background: var(--accent); } .icx-plan .keep { background: color-mix(in srgb, var(--accent) 54%, var(--bg)); }
.icx-plan .stale { background: color-mix(in srgb, var(--ink) 42%, var(--bg)); }
.icx-plan .refused { background: repeating-linear-gradient(135deg, var(--bad) 0 3px, transparent 3px 6px); }
.icx-plan details { border-top: 1px solid var(--line); padding: 4px 0; }
.icx-plan table { border-collapse: collapse; width: 100%; } .icx-plan td { padding: 2px 8px 2px 0; text-align: left; }
.icx-plan.icx-plan tr:nth-child(n) { background: none; } .icx-plan td.n { text-align: right; } .icx-plan code { font-family: var(--jp-code-font-family, monospace); }
.icx-plan .stop { border-left: 3px solid var(--warn); padding: 4px 10px; margin: 6px 0;
  background: color-mix(in srgb, var(--warn) 10%, var(--bg)); }
"""


def plan_html(plan: Plan) -> str:
    """Return the plan as HTML; no script, nothing from outside, no address in full."""
    counts, target = plan.counts, plan.target
    adding = counts.add + counts.create
    staying = counts.stale - counts.park - counts.unsubscribe
    state = "Nothing has been sent" if plan.state == "open" else f"This plan is {plan.state}"
    as_of = moment(plan.as_of, plan.zone)
    list_id = "to be made" if target.list_id is None else f"#{target.list_id}"
    parts = [
        f"<style>{_STYLE}</style><div class='icx-plan'>",
        f"<h3>Plan {plan.plan_id}: add people to a list <span class='tag'>{state}</span></h3>",
        f"<p>audience <b>{_safe(plan.audience)}</b>, {people(counts.wanted)} · profile of {as_of}"
        f" · list read {moment(plan.made_at, plan.zone)}</p>",
        "<div class='row'>",
        _cell("Account", target.company, f"#{target.account_id}"),
        _cell("Client folder", target.folder, f"#{target.client_folder_id}"),
        _cell("List", target.list, list_id),
        "</div><div class='row big'>",
        _cell("Add", f"{adding:,}", "new on this list"),
        _cell("Keep", f"{counts.keep:,}", "members already"),
        _cell("Stale", f"{counts.stale:,}", _stale_words(plan)),
        _cell(
            "Refused", f"{counts.refused:,}", f"for {len(plan.refused)} reasons" if plan.refused else "nobody"
        ),
        "</div>",
    ]
    scale = max(counts.wanted, counts.refused + counts.after, 1)
    parts += [
        _bar(f"Audience {counts.wanted:,}", scale, refused=counts.refused, add=adding, keep=counts.keep),
        _bar(
            f"List after {counts.after:,} (today {counts.members:,})",
            scale,
            gap=counts.refused,
            add=adding,
            keep=counts.keep,
            stale=staying,
        ),
    ]
    parts += _refused(plan)
    parts += _stops(plan)
    parts.append(f"<p>Checks: {_safe(checks_line(plan))}. {_mail(plan)}</p>")
    lines = "".join(f"<tr><td>{_safe(what)}</td><td class='n'>{n:,}</td></tr>" for what, n in plan.cost.lines)
    left = f", {plan.calls_left:,} left this hour" if plan.calls_left is not None else ""
    parts.append(
        f"<details><summary>Cost: {calls(plan.cost.calls)}, {duration(plan.cost.hours)}{left}</summary>"
        f"<table>{lines}</table></details>"
    )
    parts.append("<p>Apply reads the list again first. It may add fewer than shown, never more.</p></div>")
    return "".join(parts)


def _refused(plan: Plan) -> list[str]:
    if not plan.refused:
        return []
    parts = [
        f"<h4>{plan.counts.refused:,} refused <span class='muted'>consent rules · no override</span></h4>"
    ]
    table = plan.rows() if plan.plans is not None else None
    for code, count in plan.refused.items():
        rows = "".join(_person(row, plan.zone) for row in _some(table, code))
        parts.append(
            f"<details><summary>{_safe(reason(code))}: {people(count)}</summary><table>{rows}</table>"
            f"<p>{min(SHOWN, count)} of {count:,} shown, addresses masked</p></details>"
        )
    return parts


def _some(table: pa.Table | None, code: str) -> list[dict[str, Any]]:
    if table is None:
        return []
    chosen = table.filter(
        pc.and_(pc.equal(table.column("action"), "refuse"), pc.equal(table.column("reason"), code))
    )
    rows: list[dict[str, Any]] = chosen.slice(0, SHOWN).to_pylist()
    return rows


def _person(row: dict[str, Any], zone: str) -> str:
    from icx.clock import aware_utc

    who = f"#{row['contact_id']}" if row["contact_id"] is not None else "no id"
    told = str(row["source"] or "today's read")
    if row["message_id"] is not None:
        told += f", message #{row['message_id']}"
    when = moment(aware_utc(row["fact_at"]), zone) if row["fact_at"] else ""
    return (
        f"<tr><td><code>{who}</code></td><td><code>{_safe(mask.address(row['email']))}</code></td>"
        f"<td>{_safe(told)}</td><td class='n'>{when}</td></tr>"
    )


def _stops(plan: Plan) -> list[str]:
    parts = [
        f"<div class='stop'><b>{_safe(stop.words)}</b>{_typed(stop.confirm)}</div>" for stop in plan.stops
    ]
    return ["<h4>Confirm before sending</h4>", *parts] if parts and plan.state != "finished" else []


def _typed(confirm: str) -> str:
    return f" · type <code>{_safe(confirm)}</code>" if confirm else " · say on what basis"


def _mail(plan: Plan) -> str:
    if plan.welcome:
        return (
            f"This list mails {plan.welcome:,} welcome messages. Automations cannot be read through the API:"
            " more mail may follow."
        )
    return "This list sends no welcome. Automations cannot be read through the API."


def _stale_words(plan: Plan) -> str:
    words = {
        "stay": "no longer match; left on the list",
        "park": "no longer match; moved to the parking list",
    }
    return words.get(plan.policy.stale, "no longer match; unsubscribed for good")


def _cell(label: str, value: str, note: str) -> str:
    return (
        f"<div class='cell'><span class='muted'>{_safe(label)}</span><b>{_safe(value)}</b>"
        f"<span class='muted'>{_safe(note)}</span></div>"
    )


def _bar(label: str, scale: int, *, gap: int = 0, **parts: int) -> str:
    pieces = [f"<i style='width:{gap / scale:.3%}'></i>"] if gap else []
    pieces += [
        f"<i class='{name}' style='width:{count / scale:.3%}' title='{name} {count:,}'></i>"
        for name, count in parts.items()
        if count
    ]
    return f"<span class='muted'>{_safe(label)}</span><div class='bar' role='img' aria-label='{_safe(label)}'>{''.join(pieces)}</div>"


def _safe(text: object) -> str:
    return html.escape(mask.plain(text))
