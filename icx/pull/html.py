"""A pull and its ledger as a notebook shows them: what came, whether it adds up, what does not and how it is mended."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from icx.clock import aware_utc
from icx.look.page import (
    Html,
    Kind,
    bar,
    columns,
    fold,
    head,
    icon,
    join,
    note,
    number,
    panel,
    pill,
    root,
    tag,
    tile,
    tiles,
)
from icx.look.when import lasted, moment
from icx.words import counted

if TYPE_CHECKING:
    from icx.pull.first import FirstPull
    from icx.pull.ledger import Cell, Ledger
    from icx.pull.report import PullReport, Resumed

SHAPE: dict[str, str] = {
    "equal": "ok",
    "due": "clock",
    "provisional": "clock",
    "explained": "explained",
    "unequal": "bad",
}
ORDER = ("unequal", "provisional", "due", "explained", "equal")
KINDS = ("opens", "clicks", "bounces", "unsubscribes")
COLLECTIONS = {
    "contacts": "Contacts",
    "subscriptions": "Subscriptions",
    "lists": "Lists",
    "customfields": "Custom fields",
    "messages": "Messages",
    "sends": "Sends",
    "campaigns": "Campaigns",
}
_RANK = {"unequal": 0, "provisional": 1, "due": 1, "explained": 2, "equal": 2}
SHOWN, FOLDED, NAMED = 8, 200, 12
TABLES = {
    "icontact_users": "contacts",
    "icontact_activity": "events",
    "custom_fields": "custom fields",
}


# --- the ledger -------------------------------------------------------------------------------------------------


def ledger_html(book: Ledger) -> Html:
    """Return the completeness ledger as HTML; times in UTC."""
    red = book.red()
    state = (
        pill("bad", f"{number(len(red))} unequal")
        if red
        else pill("ok", "nothing differs")
        if book.cells
        else pill("", "nothing read yet", "clock")
    )
    read = [cell.verified_at for cell in book.cells if cell.verified_at]
    when = (
        f"verified up to {moment(max(read), max(read), 'UTC', year=True)} UTC" if read else "not pulled yet"
    )
    top = head("Completeness ledger", state, tag("b", book.connection), when)
    if not book.cells:
        return root(
            top,
            note(
                "",
                "Nothing is compared yet.",
                "A pull reads everything and counts it: ",
                tag("code", f'ws.pull("{book.connection}")'),
            ),
            name="Completeness ledger",
        )
    parts = [top, _ledger_tiles(book), _collections(book), _not_equal(book), _messages(book)]
    return root(tag("div", *(part for part in parts if part), cls="gap"), name="Completeness ledger")


def _ledger_tiles(book: Ledger) -> Html:
    counts = {state: sum(cell.state == state for cell in book.cells) for state in ORDER}
    due = counts["due"] + counts["provisional"]
    sums = join(
        number(book.of_listed),
        tag("span", " events of listed people", cls="muted"),
        Html("<br>"),
        f"+ {number(book.of_unknown)}",
        tag("span", " of others = ", cls="muted"),
        tag("b", f"{number(book.events)} stored", cls="k"),
    )
    return tiles(
        tile(join(icon("ok"), "Equal"), number(counts["equal"]), f"stored = {book.system}’s total"),
        tile(
            join(icon("clock"), "Due or explained"),
            number(due + counts["explained"]),
            f"{number(due)} read again by the next pull" if due else "nothing waits for the next pull",
            zero=not due + counts["explained"],
        ),
        tile(
            join(icon("bad"), "Unequal"),
            number(counts["unequal"]),
            "named below" if counts["unequal"] else "stored and counted agree",
            zero=not counts["unequal"],
        ),
        tag("div", tag("span", "Does it add up?", cls="label"), tag("div", sums, cls="small"), cls="tile"),
    )


def _collections(book: Ledger) -> Html | str:
    cells = [(words, cell) for name, words in COLLECTIONS.items() if (cell := book.cell(name)) is not None]
    if not cells:
        return ""
    each = [
        tag(
            "div",
            tag("span", words, cls="label"),
            tag("span", tag("b", number(cell.stored), cls="k"), _mark(cell), cls="said"),
        )
        for words, cell in cells
    ]
    return tag("div", *each, cls="cells")


def _not_equal(book: Ledger) -> Html | str:
    """Name what differs or waits, worst first, with the reason."""
    open_ = sorted(
        (cell for cell in book.cells if cell.state != "equal"), key=lambda cell: ORDER.index(cell.state)
    )
    if not open_:
        return ""
    rows = [
        tag(
            "tr",
            tag("td", icon(SHAPE[cell.state]), f" {cell.state}", cls=_tone(cell.state)),
            tag("td", cell.name, cls="name", title=cell.name),
            tag("td", number(cell.stored), cls="num hide-n"),
            tag("td", number(cell.service), cls="num hide-n"),
            tag("td", cell.reason, cls="muted free"),
        )
        for cell in open_[:NAMED]
    ]
    heads = columns(
        ("", ""), ("Count", ""), ("Stored", "num hide-n"), (book.system, "num hide-n"), ("Why", "")
    )
    foot = f"{number(min(NAMED, len(open_)))} of {number(len(open_))} shown, worst first"
    red = next((cell for cell in open_ if cell.state == "unequal"), None)
    again: object = ""
    if red is not None:
        unit = f', unit=({red.unit.message_id}, "{red.unit.collection}")' if red.unit.is_events else ""
        again = join("Read again: ", tag("code", f'ws.pull("{book.connection}"{unit})'))
    body = tag("div", tag("table", heads, tag("tbody", *rows)), cls="scroll")
    states = {cell.state for cell in open_}
    title = (
        "Not equal, and why"
        if "unequal" in states
        else "Explained, and why"
        if states == {"explained"}
        else "To be read again, and why"
    )
    return panel(
        title,
        body,
        tag("div", tag("span", foot), tag("span", again) if again else "", cls="foot"),
    )


def _messages(book: Ledger) -> Html | str:
    by: dict[int, dict[str, Cell]] = {}
    for cell in book.cells:
        if cell.unit.message_id is not None:
            by.setdefault(cell.unit.message_id, {})[cell.unit.collection] = cell
    if not by:
        return ""

    def worst(message: int) -> tuple[int, int]:
        return min(_RANK[cell.state] for cell in by[message].values()), -message

    rows = [_message(message, by[message]) for message in sorted(by, key=worst)]
    shown, folded = rows[:SHOWN], rows[SHOWN:FOLDED]
    heads = columns(
        ("Message", ""),
        ("", "hide-n"),
        ("Opens", "num"),
        ("Clicks", "num"),
        ("Bounces", "num"),
        ("Unsub.", "num"),
    )
    what = tag(
        "span",
        *(
            tag("span", tag("span", icon(shape), cls=tone), words)
            for shape, words, tone in (
                ("ok", "equal", "ok"),
                ("clock", "due", "warn"),
                ("explained", "explained", "muted"),
                ("bad", "unequal", "bad"),
            )
        ),
        cls="legend",
    )
    whole = tag("div", tag("table", heads, tag("tbody", *shown)), cls="scroll")
    more: object = ""
    if folded:
        rest = tag("div", tag("table", heads, tag("tbody", *folded)), cls="scroll")
        more = fold(counted(len(folded), "more message"), rest, more=f"of {number(len(rows))}")
    return panel("Messages, events stored", whole, more, right=what)


def _message(message: int, cells: dict[str, Cell]) -> Html:
    first = next(iter(cells.values()))
    name = first.name.partition(" of ")[2].strip('"') or f"message {message}"
    counts = [
        tag(
            "td",
            tag(
                "span",
                tag("b", number(cell.stored)) if cell.state == "unequal" else number(cell.stored),
                _mark(cell),
                cls="lc",
            ),
            cls="num",
        )
        if (cell := cells.get(kind))
        else tag("td", "–", cls="num muted")
        for kind in KINDS
    ]
    return tag(
        "tr",
        tag("td", name, cls="name", title=name),
        tag("td", f"#{message}", cls="mono muted hide-n"),
        *counts,
    )


def _mark(cell: Cell) -> Html:
    words = f"{cell.state}: {cell.reason}" if cell.reason else cell.state
    return tag("span", icon(SHAPE[cell.state], words), title=words, cls=_tone(cell.state))


def _tone(state: str) -> str:
    return {"equal": "ok", "explained": "muted", "unequal": "bad"}.get(state, "warn")


# --- the report of a pull -----------------------------------------------------------------------------------------


def report_html(report: PullReport) -> Html:
    """Return the report of a pull as HTML; times in the workspace's zone."""
    red = report.ledger.red()
    due = sum(cell.state in ("due", "provisional") for cell in report.ledger.cells)
    kind: Kind = "bad" if red else "ok"
    words = (
        f"{number(len(red))} differ"
        if red
        else f"nothing differs, {number(due)} due"
        if due
        else "complete, nothing differs"
    )
    as_of = aware_utc(report.as_of)
    title = f"{'First pull' if report.first else 'Pull'} of {report.connection}"
    calls = counted(report.calls, "call")
    calls += f", {number(report.retried)} of them repeats" if report.retried else ""
    top = head(
        title,
        pill(kind, words),
        f"as of {moment(as_of, as_of, report.zone, year=True)} {report.zone}",
        lasted(report.seconds),
        calls,
        *([f"{number(report.calls_left)} left this hour"] if report.calls_left is not None else []),
    )
    parts: list[object] = [top]
    if report.resumed is not None:
        parts.append(_resumed(report.resumed, report.zone))
    if report.notes:
        said = [
            tag(
                "div",
                icon("warn"),
                tag("div", tag("b", one.message), tag("p", f"{one.where} · {one.kept}")),
                tag("span", *_steps(one.next), cls="small muted"),
                cls="att",
            )
            for one in report.notes
        ]
        parts.append(panel("To look at", *said, right="kept as they are"))
    parts += [_counts(report), _first(report.first) if report.first else "", _sum(report)]
    return root(tag("div", *(part for part in parts if part), cls="gap"), name=title)


def _resumed(resumed: Resumed, zone: str) -> Html:
    return note("", resumed.line(zone), "")


def _steps(steps: Sequence[str | Sequence[str]]) -> list[Html]:
    said = [step if isinstance(step, str) else shlex.join(step) for step in steps]
    typed = [tag("code", step) if step.startswith("icx ") else step for step in said]
    return [join(" · " if n else "", step) for n, step in enumerate(typed)]


def _counts(report: PullReport) -> Html:
    rows = [
        tag(
            "tr",
            tag("td", row.name),
            tag("td", number(row.stored), cls="num"),
            tag("td", number(row.service), cls="num"),
            tag("td", icon(SHAPE[row.state]), f" {row.state}", cls=_tone(row.state)),
            tag("td", row.note, cls="muted free"),
        )
        for row in report.rows()
    ]
    heads = columns(
        ("What", ""), ("Stored", "num"), (report.ledger.system, "num"), ("Compared", ""), ("", "")
    )
    return panel(
        "Counted against the service",
        tag("div", tag("table", heads, tag("tbody", *rows)), cls="scroll"),
    )


def _sum(report: PullReport) -> Html:
    book, red = report.ledger, report.ledger.red()
    if report.contacts_only and not book.events:
        events: object = "Contacts and lists only."
    else:
        events = join(
            f"{number(book.of_listed)} events of listed people + {number(book.of_unknown)} of others = ",
            tag("b", f"{number(book.events)} stored", cls="k"),
        )
    unit = next((cell.unit for cell in red if cell.unit.is_events), None)
    call = f'ws.build("{report.connection}")'
    if red:
        call = (
            f'ws.pull("{report.connection}"'
            + (f', unit=({unit.message_id}, "{unit.collection}")' if unit else "")
            + ")"
        )
    return tag("div", tag("span", events), tag("span", "Next: ", tag("code", call)), cls="foot")


def _first(first: FirstPull) -> Html:
    rows = [
        tag("tr", tag("td", TABLES.get(name, name)), tag("td", number(count), cls="num"))
        for name, count in first.tables.items()
    ]
    whole = f"{number(sum(first.tables.values()))} in {len(first.tables)} tables"
    empty = sorted(first.empty.items(), key=lambda one: one[1])
    filled = [
        tag(
            "tr",
            tag("td", name, cls="mono name", title=name),
            tag("td", bar(100 * share, f"{100 * share:.1f} % filled")),
            tag("td", f"{100 * share:.1f} %", cls="num"),
        )
        for name, share in empty[:SHOWN]
    ]
    people = number(first.tables.get("icontact_users"))
    foot = f"filled, of {people} contacts" + (
        f"; {len(empty) - SHOWN} more fields" if len(empty) > SHOWN else ""
    )
    odd = [
        tag("div", icon("info"), tag("div", tag("b", number(count)), f" {what}"), cls="att small")
        for what, count in first.odd.items()
    ]
    nothing = tag("p", "Nothing.", cls="small muted")
    return tag(
        "div",
        panel("Rows", tag("table", tag("tbody", *rows)), right=whole),
        panel(
            "Mostly empty",
            tag("table", tag("tbody", *filled)) if filled else nothing,
            tag("div", foot, cls="foot") if filled else "",
            right=f"{len(empty)} under 10 %",
        ),
        panel("Odd values", *(odd or [nothing]), right=f"{len(odd)} to look at"),
        cls="g3",
    )
