"""The workspace as a notebook shows it: one picture of the account, what needs attention, and the call that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from icx.look.page import Html, head, icon, join, note, number, panel, pill, root, table, tag
from icx.look.when import ago, moment
from icx.workspace.attention import Attention, attention
from icx.workspace.overview import Overview, overview
from icx.workspace.panels import (
    consent_panel,
    domains_panel,
    engagement_panel,
    freshness_panel,
    growth_panel,
    ledger_panel,
    lists_panel,
    pushes_panel,
    tiers_panel,
    tiles_panel,
    wide,
)

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection
    from icx.workspace.workspace import Workspace


def workspace_html(ws: Workspace) -> str:
    """Return the overview of a workspace as HTML; it reads the store once and calls nobody."""
    return overview_html(overview(ws))


def overview_html(seen: Overview) -> Html:
    """Return an overview as HTML: no script, no address, readable without a kernel."""
    if seen.saved is None:
        return _beginning(seen, 0)
    many = _connections(seen) if len(seen.connections) > 1 else ""
    if seen.held_by:
        busy = note(
            "warn",
            "Another program has the database open.",
            f"The figures are there when it is done: {seen.held_by}. Show ws again then.",
        )
        return root(_head(seen, pill("warn", "busy", "clock")), busy, many, name="Workspace overview")
    picture = seen.picture
    if picture is None:
        return _beginning(seen, 1, many)
    found = attention(seen, picture)
    wrong, look = sum(one.kind == "bad" for one in found), sum(one.kind == "warn" for one in found)
    if not picture.contacts:
        # Ten panels that each say "nothing" say nothing: one sentence does.
        nobody = note(
            "",
            "This client folder has no contacts.",
            "Import or add people in iContact, then read them:",
            tag("code", f'ws.pull("{seen.saved.name}")'),
        )
        below = tag(
            "div", _stack(_attention(found), lists_panel(picture)), freshness_panel(seen, picture), cls="g31"
        )
        head_ = _head(seen, _state(wrong, look))
        return root(tag("div", head_, nobody, many, below, cls="gap"), name="Workspace overview")
    parts = [
        _head(seen, _state(wrong, look)),
        tiles_panel(picture),
        many,
        tag("div", _stack(_attention(found), pushes_panel(seen)), freshness_panel(seen, picture), cls="g31"),
        tag("div", growth_panel(picture.weeks), engagement_panel(picture.weeks), cls="g31"),
        consent_panel(picture),
        tag(
            "div",
            _stack(ledger_panel(picture), lists_panel(picture)),
            _stack(domains_panel(picture), tiers_panel(seen, picture)),
            cls="g31",
        ),
    ]
    return root(tag("div", *(part for part in parts if part), cls="gap"), name="Workspace overview")


# --- head -------------------------------------------------------------------------------------------------------


def _head(seen: Overview, state: object) -> Html:
    crumbs: list[object] = []
    if seen.saved is not None:
        crumbs += [tag("span", _place(seen.saved))]
    if seen.picture is not None:
        crumbs.append(f"as of {moment(seen.picture.pulled_at, seen.now, seen.zone, year=True)} {seen.zone}")
    if seen.next_run is not None:
        job, at = seen.next_run
        crumbs.append(f"next: {job}, {moment(at, seen.now, seen.zone)}")
    return head(seen.name, state, *crumbs)


def _place(saved: SavedConnection) -> Html:
    return join(
        saved.company or "account",
        " ",
        tag("span", f"#{saved.account_id}", cls="id"),
        " › ",
        tag("b", saved.folder_name or f"folder {saved.client_folder_id}"),
        " ",
        tag("span", f"#{saved.client_folder_id}", cls="id"),
    )


def _state(wrong: int, look: int) -> Html:
    if not wrong and not look:
        return pill("ok", "nothing to do")
    said = [f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong"] if wrong else []
    said += [f"{look} to look at"] if look else []
    return pill("bad" if wrong else "warn", ", ".join(said))


def _beginning(seen: Overview, done: int, many: object = "") -> Html:
    name = seen.saved.name if seen.saved else "acme"
    steps = (
        (
            "Connect iContact",
            "ws.connect()",
            "Your login, account and client folder. Checked before anything is saved.",
        ),
        (
            "Pull",
            f'ws.pull("{name}")',
            "Contacts, lists, messages and every open, click, bounce and unsubscribe.",
        ),
        (
            "Build profiles",
            f'ws.build("{name}")',
            "One row per contact: the default fields and any you write.",
        ),
        ("Make an audience", "ws.builder()", "By clicks or by code, the same rule."),
    )
    rows = []
    for n, (what, call, words) in enumerate(steps):
        if n < done:
            right: object = pill("ok", "done")
        elif n == done:
            right = tag("code", call)
        else:
            right = tag("span", f"after step {n}", cls="label")
        said = join(tag("b", what), tag("p", words))
        rows.append(tag("li", tag("span", n + 1, cls="n"), tag("div", said), right))
    crumbs = [_place(seen.saved)] if seen.saved else ["new workspace"]
    failed = ""
    if seen.failed_pull is not None:
        state, at = seen.failed_pull
        failed = note(
            "bad",
            "The first pull did not come to its end.",
            f"It {'was cut off' if state == 'cut off' else 'failed'} on {moment(at, seen.now, seen.zone)}. What landed is kept; it goes on with:",
            tag("code", f'ws.pull("{name}")'),
        )
    foot = tag(
        "div",
        tag("span", "In a terminal: ", tag("code", f"icx {'pull' if done else 'connect'} {name}"), "."),
        ""
        if done
        else tag(
            "span",
            "No account at hand? ",
            tag("code", "icx demo"),
            " starts a simulated one on this machine.",
        ),
        cls="foot",
    )
    panel_ = tag("ol", *rows, cls="panel begin")
    return root(
        head(seen.name, "", *crumbs, "nothing stored yet"), failed, many, panel_, foot, name="Workspace"
    )


def _connections(seen: Overview) -> Html:
    rows = []
    for one in seen.connections:
        saved = one.saved
        mine = seen.saved is not None and saved.name == seen.saved.name
        rows.append(
            (
                tag("b", saved.name) if mine else saved.name,
                _place(saved),
                number(one.contacts) if one.pulled_at else "–",
                ago(one.pulled_at, seen.now, seen.zone) if one.pulled_at else "not pulled yet",
                tag("code", f'ws.pull("{saved.name}")') if one.pulled_at is None else number(one.open_units),
            )
        )
    heads = ("Connection", "Account › folder", "Contacts", "Pulled", "Counts due")
    words = "the picture is of the one in bold" + (
        "" if any(one.saved.default for one in seen.connections) else "; none is the default"
    )
    return panel(f"{len(seen.connections)} connections", wide(table(heads, rows, (2,))), right=words)


def _attention(found: Sequence[Attention]) -> Html:
    if not found:
        words = tag(
            "div", icon("ok"), " Counts agree, the profile is fresh, its checks passed.", cls="said ok"
        )
        return panel("Needs attention", words)
    rows = [
        tag(
            "div",
            icon(one.kind),
            tag("div", tag("b", one.what), tag("p", one.why)),
            tag("code", one.call, title=one.call),
            cls="att",
        )
        for one in found
    ]
    return panel("Needs attention", *rows)


def _stack(*parts: Html) -> Html:
    return tag("div", *parts, cls="stack last")
