"""The status of a workspace as a notebook shows it: a row a connection, and what needs somebody."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from icx.look.page import Html, Kind, columns, head, join, note, number, pill, root, table, tag
from icx.look.when import ago, moment
from icx.words import counted

if TYPE_CHECKING:
    from icx.workspace.status import ConnectionStatus, Status

_STATE: dict[str, tuple[Kind, str]] = {
    "active": ("ok", ""),
    "new": ("", "clock"),
    "paused": ("warn", "pause"),
    "stopped": ("bad", ""),
    "failing": ("bad", ""),
}
_LEDGER: dict[str, Kind] = {"green": "ok", "amber": "warn", "red": "bad"}


def status_html(found: Status) -> Html:
    """Return the status as HTML; times in its zone, no address in it."""
    if not found.connections and not found.tables:
        nothing = note(
            "", "No connection is saved here yet.", "", join(tag("code", "ws.connect()"), " makes one.")
        )
        return root(head("Status", ""), nothing, name="Status")
    needs = [one for one in found.connections if one.needs]
    verdict = (
        pill("warn", f"{counted(len(needs), 'connection')} to look at")
        if needs
        else pill("ok", "nothing needs you")
    )
    heads = columns(
        ("Connection", ""), ("Account › folder", ""), ("Contacts", "num"), ("Pulled", ""), ("Ledger", ""),
        ("Calls left", "num"), ("Next run", ""),
    )  # fmt: skip
    body = tag("table", heads, tag("tbody", *(_row(one, found) for one in found.connections)), cls="tall")
    count = len(found.connections) + len(found.tables)
    parts = [head("Status", verdict, counted(count, "connection"), found.zone)]
    if found.connections:
        parts.append(tag("div", body, cls="wraps scroll"))
    if found.tables:
        rows = [
            (one.name, one.source, one.identity, one.email, ", ".join(one.writable) or "nothing",
             pill("bad", one.problem) if one.problem else pill("ok", "there"))
            for one in found.tables
        ]  # fmt: skip
        heads_of = ("Table", "Source", "Told apart by", "Addresses", "May be written", "State")
        parts.append(table(heads_of, rows))
    if found.syncs:
        stand = [
            (one.name, one.systems, number(one.in_step), number(one.excluded), number(one.duplicates),
             number(one.failing), ago(one.read, found.now, found.zone) if one.read else "never",
             pill("", f"rests, by {one.paused_by}", "pause") if one.paused_by else "")
            for one in found.syncs
        ]  # fmt: skip
        stands = ("Sync", "Systems", "In step", "Excluded", "Duplicates", "Failing", "Read", "")
        parts.append(table(stands, stand))
    steps = [tag("code", shlex.join(one.needs)) for one in needs]
    open_plans = [
        note(
            "warn",
            f"{one['plan']} to “{one['list']}” is not finished.",
            f"{number(one['done'])} of {number(one['of'])} people are done.",
            tag("code", f'ws.apply("{one["plan"]}")'),
        )
        for one in found.unfinished
    ]
    foot = tag("div", "Next: ", *steps, cls="foot") if steps else ""
    return root(*parts, foot, *open_plans, name="Status")


def _ledger(one: ConnectionStatus) -> Html:
    if one.ledger_word == "explained":  # that is settled: no verdict, no colour
        return pill("", one.ledger_word, "explained")
    return pill(_LEDGER.get(one.ledger, ""), one.ledger_word, "" if one.ledger else "clock")


def _row(one: ConnectionStatus, found: Status) -> Html:
    place = join(
        one.company or "account", " ", tag("span", f"#{one.account_id}", cls="mono muted"), " › ",
        one.folder or "folder", " ", tag("span", f"#{one.client_folder_id}", cls="mono muted"),
    )  # fmt: skip
    kind, shape = _STATE.get(one.state, ("", ""))
    state = pill(kind, one.state, shape)
    coming = state
    if one.state == "active":
        coming = (
            tag("span", "no job", cls="muted")
            if one.next_run is None
            else Html(moment(one.next_run, found.now, found.zone))
        )
    return tag(
        "tr",
        tag("td", tag("b", one.name, cls="k")),
        tag("td", place),
        tag("td", number(one.contacts) if one.last_pull else "–", cls="num"),
        tag("td", ago(one.last_pull, found.now, found.zone) if one.last_pull else "never"),
        tag("td", _ledger(one)),
        tag("td", number(one.calls_left_hour), cls="num"),
        tag("td", coming),
    )
