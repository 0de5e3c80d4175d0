"""The plan as a saved notebook shows it: light and dark, people masked, readable without a kernel.

The words are those of `view` and `stage`, so this page and the view one clicks in say the same in the same order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from icx.look.page import (
    Html,
    bar,
    fold,
    head,
    icon,
    join,
    note,
    number,
    panel,
    pill,
    root,
    table,
    tag,
    text,
    tile,
    tiles,
)
from icx.plan.stage import stage
from icx.plan.view import Said, view

if TYPE_CHECKING:
    from icx.plan.plan import Plan

BREAK = Html("<br>")
FOUND = {"done": "ok", "now": "running", "next": "clock", "stopped": "pause"}


def plan_html(plan: Plan, now: datetime | None = None) -> str:
    """Return the plan as HTML; no script, nothing from outside, no address in full."""
    said = view(plan, now)
    at = stage(plan, plan.plans, now or datetime.now(UTC)) if plan.plans is not None else None
    return str(page(said, at))


def page(said: Said, at: Said | None) -> Html:
    """Return what a plan says, and where it stands, as one output."""
    state = at["state"] if at else "open"
    parts = [_head(said, at), places(said)]
    if at and state in {"running", "elsewhere", "stopped"}:
        parts += [*_notes(at), _under_way(at)]
    elif at and state in {"finished", "closed"}:
        parts += [*_notes(at), *_outcome(at)]
    if state in {"open", "stopped"}:
        parts += _decide(said, at)
    return root(*parts, name=f"Plan {said['id']}")


def _head(said: Said, at: Said | None) -> Html:
    given: list[Any] = at["pill"] if at else ["", "Nothing has been sent", "lock"]
    kind, words, shape = given
    crumbs = [
        tag("span", before, tag("b", name) if name else "", after) for before, name, after in said["crumbs"]
    ]
    return head(at["title"] if at else said["title"], pill(kind, words, shape), *crumbs)


def places(said: Said) -> Html:
    """Return the boxes that say where it goes: company, folder and list with their ids."""
    boxes = [
        tag(
            "div",
            tag("dt", one["label"], cls="label"),
            tag(
                "dd", tag("b", one["name"], title=one["name"]), " ", tag("span", one["id"], cls="mono muted")
            ),
            cls="subject" if one["subject"] else "",
        )
        for one in said["places"]
    ]
    return tag("dl", *boxes, cls="places")


def _notes(at: Said) -> list[Html]:
    notes = [note(*one) for one in at["notes"]]
    if at["state"] == "stopped":
        notes.append(note("warn", f"{at['go']['headline']}.", at["go"]["sub"]))
    return notes


def _decide(said: Said, at: Said | None) -> list[Html]:
    state = at["state"] if at else "open"
    parts: list[Html] = []
    if at and at["blocked"]:
        parts.append(
            note("warn", f"{at['blocked']} to this list is not finished.", f"Apply {at['blocked']} first.")
        )
    if state == "open":
        parts += [_tiles(said["tiles"]), _shift(said["shift"])]
    main = [_refused(said["refused"]), _checks(said["checks"])]
    side = [_stops(said, at), _cost(said)]
    parts.append(tag("div", tag("div", *main, cls="stack"), tag("div", *side, cls="stack"), cls="g31"))
    if state == "open":
        act = said["does"]
        if act is None:
            parts.append(note("ok", "Nothing to do.", "The list is as wanted."))
        else:
            words = tag("span", tag("b", act["headline"]), BREAK, tag("span", act["sub"], cls="small muted"))
            code = tag("code", f"plan.apply()  or  icx apply {said['id']}")
            parts.append(
                tag("div", tag("div", tag("div", words, cls="grow"), code, cls="applybar"), cls="apply")
            )
    return parts


def _tiles(each: list[Said]) -> Html:
    return tiles(
        *(
            tile(
                join(swatch(one["swatch"]) if "swatch" in one else "", one["label"]),
                number(one["value"]),
                one["sub"],
                big=bool(one.get("big")),
            )
            for one in each
        )
    )


def swatch(name: str) -> Html:
    """Return the small square that says which part of a bar a number is."""
    return Html(f'<span class="sw {name}"></span>')


def _shift(said: Said) -> Html:
    rows = []
    for row in said["rows"]:
        pieces = [tag("i", cls=name, style=f"flex:{count}") for name, count in row["parts"] if count]
        rest = said["scale"] - sum(count for _, count in row["parts"])
        pieces += [tag("i", cls="gap", style=f"flex:{rest}")] if rest else []
        rows += [
            tag("span", tag("b", row["name"]), f" {number(row['total'])}", cls="small"),
            tag("div", *pieces, cls="splitbar"),
            tag("span", row["side"], cls="small muted"),
        ]
    return tag("div", *rows, cls="shift", role="img", aria_label=said["label"])


def _refused(said: Said) -> Html:
    if not said["total"]:
        return panel("Nobody is refused", tag("p", said["side"], cls="small muted"))
    parts = []
    for one in said["reasons"]:
        share = 100 * one["count"] / said["total"]
        line = tag(
            "span",
            icon("stop"),
            tag("span", tag("b", one["title"]), " ", tag("span", one["sub"], cls="muted small"), cls="clip"),
            bar(share, f"{number(one['count'])} of {number(said['total'])} refused", "ref"),
            tag("span", number(one["count"]), cls="num"),
            cls="reason",
        )
        people = table(
            ("Contact", "Address", "What is known", "Since"),
            [
                (tag("code", who["who"]), tag("span", who["address"], cls="mono"), who["told"], who["when"])
                for who in one["people"]
            ],
            numbers=(3,),
            foot=f"{len(one['people'])} of {number(one['count'])} shown, addresses masked",
        )
        parts.append(fold(line, people) if one["people"] else line)
    if said["none"]:
        parts.append(
            tag(
                "div",
                icon("ok"),
                tag("span", said["none"]),
                bar(0, "nobody", "ref"),
                tag("span", "0", cls="num"),
                cls="reason muted nobody",
            )
        )
    return panel(f"{number(said['total'])} refused", tag("div", *parts, cls="reasons"), right=said["side"])


def _checks(said: Said) -> Html:
    lines = [
        tag(
            "div",
            icon(line["kind"]),
            tag("span", tag("b", line["name"]), f" {line['text']}"),
            cls="row small",
        )
        for line in said["lines"]
    ]
    return panel(
        "Checks of what this plan uses",
        *lines,
        tag("p", said["fields"], cls="small muted"),
        right=pill(said["kind"], said["words"]),
    )


def _stops(said: Said, at: Said | None) -> Html:
    stops, held = said["stops"], at["answers"] if at and at["state"] == "stopped" else []
    if not stops:
        return tag("section", tag("p", "This plan asks nothing before it acts.", cls="small muted"))
    each = []
    for stop in stops:
        done = stop["key"] in held
        typed = f"Type {stop['confirm']}" if stop["kind"] == "type" else ""
        words = tag(
            "span",
            tag("b", stop["headline"]),
            f" {stop['more']}" if stop["more"] else "",
            BREAK,
            tag("span", stop["sub"], cls="small muted"),
            join(BREAK, tag("span", typed, cls="small")) if typed and not done else "",
        )
        sign = icon("ok", "answered") if done else icon(stop["icon"])
        each.append(tag("div", sign, words, cls="stop done" if done else "stop"))
    top = tag(
        "div",
        tag("h3", "Confirm before sending"),
        tag("span", f"{len(held)} of {len(stops)} done", cls="label"),
        cls="ph",
    )
    return tag("section", top, *each, cls="stack tight", aria_label="Confirmations")


def _cost(said: Said) -> Html:
    cost = said["cost"]
    lines = [join(tag("dt", what), tag("dd", count, cls="num")) for what, count in cost["lines"]]
    total = join(tag("dt", cost["calls"], cls="sum"), tag("dd", cost["time"], cls="num sum"))
    return panel(
        "Cost",
        tag("dl", *lines, total, cls="small costs"),
        tag("p", cost["left"], cls="small muted") if cost["left"] else "",
        tag("p", said["mail"], cls="small muted"),
    )


def _under_way(at: Said) -> Html:
    percent = 100 * at["done"] / at["of"] if at["of"] else 0
    top = tag(
        "div",
        tag(
            "div",
            tag("span", number(at["done"]), cls="bigno"),
            " ",
            tag("span", f"of {number(at['of'])} {at['verb']}", cls="muted"),
        ),
        tag("span", at["left"], cls="small muted"),
        cls="row between",
    )
    words = f"{number(at['done'])} of {number(at['of'])} {at['verb']}"
    main = tag("section", top, bar(percent, words, "tall"), _steps(at), cls="panel")
    return tag("div", main, tag("section", _batches(at), cls="panel"), cls="g31")


def _steps(at: Said) -> Html:
    lines = [
        tag(
            "li",
            icon(FOUND[step["state"]]),
            tag("span", tag("b", step["headline"]), BREAK, tag("span", step["sub"], cls="small muted")),
            tag("span", step["side"], cls="num small muted"),
            cls=step["state"],
        )
        for step in at["steps"]
    ]
    return tag("ul", *lines, cls="steps")


def _batches(at: Said) -> Html:
    top = tag("div", tag("h3", "Batches"), tag("span", "newest first", cls="label"), cls="ph")
    if not at["batches"]:
        return join(top, tag("p", "Nothing has been sent yet.", cls="small muted"))
    rows = [
        (
            one["batch"],
            tag("span", icon(one["kind"]), one["words"], cls=f"row {one['kind']}"),
            number(one["rows"]),
            one["at"],
        )
        for one in at["batches"]
    ]
    return join(top, table(("Batch", "Outcome", "People", "At"), rows, numbers=(2, 3)))


def _outcome(at: Said) -> list[Html]:
    parts = [sums(at["sum"])] if at["sum"] and not at["sum"]["ok"] else []
    parts.append(_tiles(at["tiles"]))
    if at["sum"] and at["sum"]["ok"]:
        parts.append(sums(at["sum"]))
    side: list[Html] = []
    if at["refusals"]:
        rows = [
            (join(tag("q", one["words"]), BREAK, tag("span", one["ids"], cls="muted")), number(one["count"]))
            for one in at["refusals"]
        ]
        side.append(panel("Refused by iContact, in its words", table(("Words", "People"), rows, (1,))))
    if at["left_out"]:
        rows = [(text(why), number(count)) for why, count in at["left_out"]]
        total = sum(count for _, count in at["left_out"])
        side.append(panel(f"{number(total)} left out", table(("Why", "People"), rows, (1,))))
    if at["steps"]:
        main = tag("section", _steps(at), cls="panel")
        aside = side or [tag("section", _batches(at), cls="panel")]
        parts.append(tag("div", main, tag("div", *aside, cls="stack"), cls="g31"))
    return parts


def sums(said: Said) -> Html:
    """Return the list read back as a sum of four numbers."""
    terms = [
        join(
            tag("span", sign, cls="sign muted") if sign else "",
            tag("div", tag("div", label, cls="label"), tag("b", number(value))),
        )
        for sign, label, value in said["numbers"]
    ]
    kind = "ok" if said["ok"] else "bad"
    differ = tag("p", said["differ"], cls="small") if said["differ"] else ""
    words = tag("div", tag("b", said["headline"]), differ)
    return tag("div", icon(kind), words, tag("div", *terms, cls="terms"), cls=f"note sums {kind}")
