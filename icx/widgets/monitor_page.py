"""The monitor as HTML that needs no kernel and no script: the same words as its live view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from icx.look.lines import legend, strip
from icx.look.page import Html, Kind, bar, columns, head, icon, join, note, number, panel, pill, root, tag
from icx.words import counted

Said = dict[str, Any]
RUN_STATE = {"done": "equal", "running": "none", "stopped": "due", "failed": "unequal", "cut off": "unequal"}


def page(said: Said) -> Html:
    """Return what the monitor showed at its last look; no address is in it."""
    crumbs = [
        tag("span", "jobs and pushes of ", tag("b", said["name"])),
        *([said["calls"]] if said["calls"] else []),
        said["zone"],
    ]
    parts = [
        head("Activity", pill("", f"as of {said['at']}", "clock"), *crumbs),
        note("warn", "All pushes are paused.", said["paused"]) if said["paused"] else "",
        _now(said),
        tag("div", _jobs(said), _ledger(said["ledger"]), cls="g31"),
        _syncs(said),
        _rows(said),
        _happened(said),
    ]
    return root(tag("div", *(part for part in parts if part), cls="gap"), name="Activity")


def summary(said: Said) -> str:
    """Return how many run, wait and rest."""
    waiting = sum(one["shape"] == "clock" for one in said["now"])
    parts = [f"{len(said['now']) - waiting} running"]
    parts += [f"{waiting} waiting"] if waiting else []
    resting = sum(job["paused"] for job in said["jobs"])
    parts += [f"{resting} paused"] if resting else []
    return ", ".join(parts)


def _now(said: Said) -> Html:
    rows = [
        tag(
            "tr",
            tag("td", tag("span", icon(one["shape"]), cls="acc" if one["shape"] == "running" else "warn")),
            tag("td", tag("b", one["name"], cls="k"), cls="name", title=one["name"]),
            tag("td", one["about"], cls="muted name hide-n", title=one["about"]),
            tag(
                "td",
                bar(one["percent"], f"{one['percent']} %") if one["percent"] is not None else "",
                cls="part",
            ),
            tag("td", one["words"], cls="free"),
            tag("td", one["since"], cls="num muted hide-n"),
            tag("td", one["passed"], cls="num muted"),
        )
        for one in said["now"]
    ]
    rows += [
        tag(
            "tr",
            tag("td", icon("stop")),
            tag("td", tag("b", one["plan"], cls="k")),
            tag("td", one["words"], cls="muted name hide-n", title=one["words"]),
            tag("td", "", cls="part"),
            tag(
                "td",
                "stopped before its end; goes on with ",
                tag("code", f'ws.apply("{one["plan"]}")'),
                cls="free",
            ),
            tag("td", "", cls="hide-n"),
            tag("td", ""),
        )
        for one in said["unfinished"]
    ]
    body: object = tag("div", tag("table", tag("tbody", *rows), cls="live"), cls="scroll")
    if not rows:
        body = tag(
            "p",
            "Nothing runs now. What runs in any notebook, terminal or schedule of this workspace stands here.",
            cls="small muted",
        )
    return panel("Now", body, right=summary(said))


def _jobs(said: Said) -> Html:
    if not said["jobs"]:
        empty = tag(
            "p",
            "No job yet: ",
            tag("code", 'ws.schedule("weekly pull", every="Mon 07:00")'),
            cls="small muted",
        )
        return panel("Jobs", empty, *_wrong(said["jobs_wrong"]))
    rows = [
        tag(
            "tr",
            tag("td", tag("b", job["name"], cls="k"), cls="name", title=job["about"]),
            tag(
                "td",
                strip(*_runs(job["name"], job["runs"]), places=24)
                if job["runs"]
                else tag("span", "none yet", cls="muted"),
                cls="runs",
            ),
            tag("td", job["says"], cls="muted free hide-n"),
            tag("td", job["words"] or job["next"], cls="num free"),
        )
        for job in said["jobs"]
    ]
    heads = columns(("Job", ""), ("Last runs", ""), ("When", "hide-n"), ("Next", "num"))
    what = legend(("okb", "done"), ("duef", "stopped"), ("badf", "failed"))
    return panel(
        "Jobs",
        tag("div", tag("table", heads, tag("tbody", *rows), cls="jobs"), cls="scroll"),
        *_wrong(said["jobs_wrong"]),
        right=what,
    )


def _wrong(files: Sequence[str]) -> list[Html]:
    return [tag("p", icon("bad"), f" cannot be read: {one}", cls="small bad") for one in files]


def _runs(name: str, runs: Sequence[str]) -> tuple[list[str], str]:
    padded = ["none"] * max(0, 24 - len(runs)) + [RUN_STATE.get(state, "due") for state in runs]
    failed = sum(state in ("failed", "cut off") for state in runs)
    return padded, f"{name}: last {counted(len(runs), 'run')}, {failed} failed"


def _ledger(book: Said) -> Html:
    if not book.get("kinds"):
        words = (
            "The database is in use; it stands here when it is free."
            if book.get("busy")
            else "No message has events yet."
            if book.get("name")
            else "Nothing is pulled yet."
        )
        return panel("Ledger", tag("p", words, cls="small muted"))
    rows = []
    for one in book["kinds"]:
        states = one["states"]
        label = f"{one['kind']}: {states.count('unequal')} unequal of {len(states)} messages"
        rows += [
            tag("span", one["kind"].capitalize()),
            strip(states, label, places=max(len(states), 20)),
            tag("span", number(one["total"]), cls="num muted"),
        ]
    kind: Kind = "bad" if book["unequal"] else "ok"
    words = f"{number(book['unequal'])} differ" if book["unequal"] else "nothing differs"
    said = f"{number(book['equal'])} equal, {number(book['due'])} due, {number(book['explained'])} explained · pulled {book['as_of']}"
    foot = tag("div", pill(kind, words), tag("span", said), cls="foot")
    return panel(f"Ledger of {book['name']}", tag("div", *rows, cls="lstrip"), foot, right="last messages")


#: What a sync's counts count, in their order.
STANDS = ("In step", "Excluded", "Duplicates", "Deleted", "Failing")


def _syncs(said: Said) -> Html | str:
    """Return how each sync stands; nothing where there is none."""
    if not said["syncs"]:
        return ""
    rows = [
        tag(
            "tr",
            tag("td", tag("b", one["name"], cls="k"), cls="name", title=one["name"]),
            tag("td", one["systems"], cls="muted name hide-n", title=one["systems"]),
            *(tag("td", count, cls="num") for count in one["counts"]),
            tag("td", icon("bad") if one["failing"] else "", cls="bad"),
            tag("td", one["words"], cls="num muted free"),
        )
        for one in said["syncs"]
    ]
    heads = columns(
        ("Sync", ""), ("Systems", "hide-n"), *((what, "num") for what in STANDS), ("", ""), ("", "")
    )
    body = tag("div", tag("table", heads, tag("tbody", *rows), cls="rows"), cls="scroll")
    why = tag("p", "Who is not in step, and why: ", tag("code", "ws.sync(NAME).health()"), cls="small muted")
    return panel("Syncs", body, why)


def _rows(said: Said) -> Html:
    if not said["rows"]:
        return panel(
            "Rows that failed",
            tag("p", "None: no row of the last pushes was refused by iContact.", cls="small muted"),
        )
    rows = [
        tag(
            "tr",
            tag("td", icon("bad")),
            tag("td", one["who"], cls="mono"),
            tag("td", f"{one['push']} → {one['list']}", cls="muted name hide-n", title=one["list"]),
            tag("td", f"“{one['words']}”", cls="free"),
            tag("td", one["did"], cls="muted free hide-n"),
            tag("td", one["at"], cls="num muted"),
        )
        for one in said["rows"]
    ]
    heads = columns(
        ("", ""),
        ("Contact", ""),
        ("Push", "hide-n"),
        ("In the service’s words", ""),
        ("What icx did", "hide-n"),
        ("At", "num"),
    )
    body = tag("div", tag("table", heads, tag("tbody", *rows), cls="rows"), cls="scroll")
    again = [
        tag(
            "p",
            tag("b", one["plan"]),
            f" → {one['list']}: {number(one['count'])} refused; planned again by ",
            tag("code", f'ws.retry("{one["plan"]}")'),
            cls="small",
        )
        for one in said["again"]
    ]
    return panel(
        f"Rows that failed, {number(len(rows))}",
        body,
        *again,
        right=join(icon("mask"), " addresses masked"),
    )


def _happened(said: Said) -> Html:
    if not said["happened"]:
        return panel("What happened", tag("p", "Nothing yet.", cls="small muted"))
    rows = [
        tag(
            "tr",
            tag("td", one["at"], cls="muted"),
            tag("td", one["way"], cls="mono hide-n"),
            tag("td", one["what"], cls="name", title=one["what"]),
            tag("td", tag("span", icon(one["shape"]), one["words"], cls="said"), cls="free"),
        )
        for one in said["happened"][:15]
    ]
    return panel("What happened", tag("table", tag("tbody", *rows), cls="log"), right=f"last {len(rows)}")
