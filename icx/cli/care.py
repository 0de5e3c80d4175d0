"""Commands that look after things: status, person, record, explain, help."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from icx.cli.common import Obj, asked, command, group, shown, workspace
from icx.cli.result import Result
from icx.jobs.coming import standing

if TYPE_CHECKING:
    from icx.workspace.status import ConnectionStatus, Status

SYMBOL = {"green": "●", "amber": "▲", "red": "■"}


@command(
    "status",
    "Show every connection at a glance, or one connection's open counts.",
    "icx status",
    "icx status acme --json",
)
@click.argument("name", required=False)
@click.option("--set-aside", is_flag=True, help="The rows that could not be read.")
@click.option("--strict", is_flag=True, help="Exit 1 when a connection needs somebody.")
def status(obj: Obj, name: str | None, set_aside: bool, strict: bool) -> Result:
    _, console = obj
    ws = workspace(obj)
    if name is not None or set_aside:
        one = ws.connection(name).name
        return _set_aside(obj, one) if set_aside else _ledger(obj, one)
    found = ws.status()
    if not found.connections and not found.tables:
        text = "No connection is saved here yet. Next: icx connect acme, or icx demo"
        return Result("status/1", text, found.as_dict())
    zone = ws.settings.tz
    rows = [
        (
            one.name,
            f"{one.company or one.account_id} › {one.folder or f'folder {one.client_folder_id}'}",
            f"{one.contacts:,}",
            shown(one.last_pull, zone, found.now),
            f"{SYMBOL.get(one.ledger, '')} {one.ledger_word}".strip(),
            _calls(one, found),
            one.state
            if one.state in {"new", "stopped"}
            else standing(one.state, one.since, one.paused_by, one.next_run, zone, found.now),
        )
        for one in found.connections
    ]
    heads = ["connection", "account › folder", "contacts", "pulled", "ledger", "calls left", "next run"]
    lines = [console.table(heads, rows, right=(2,))] if rows else []
    if found.tables:
        told = [
            (
                one.name,
                one.source,
                one.identity,
                one.email,
                ", ".join(one.writable) or "nothing",
                one.problem or "there",
            )
            for one in found.tables
        ]
        lines.append(
            console.table(["table", "source", "told apart by", "addresses", "may be written", "state"], told)
        )
    if found.syncs:
        stand = [
            (
                one.name,
                one.systems,
                *(f"{count:,}" for count in (one.in_step, one.excluded, one.duplicates, one.failing)),
                shown(one.read, zone, found.now),
                f"rests, by {one.paused_by}" if one.paused_by else "",
            )
            for one in found.syncs
        ]
        heads = ["sync", "systems", "in step", "excluded", "duplicates", "failing", "read", ""]
        lines.append(console.table(heads, stand, right=(2, 3, 4, 5)))
    lines += [
        f"{plan['plan']} to {plan['list']}: {plan['done']:,} of {plan['of']:,} done. Next: icx apply {plan['plan']}"
        for plan in found.unfinished
    ]
    needs = [one for one in found.connections if one.needs]
    said = "Nothing needs you."
    if needs:
        said = f"Needs you: {', '.join(one.name for one in needs)}. Next: {' '.join(needs[0].needs)}"
    shared = "; a, b shared" if any(one.shares_calls_with for one in found.connections) else ""
    lines.append(f"{shown(found.now, zone)} (calls: this hour{shared}). {said}")
    return Result("status/1", "\n".join(lines), found.as_dict(), 1 if strict and needs else 0)


def _calls(one: ConnectionStatus, found: Status) -> str:
    """Return the calls left; connections that share them have a letter in common."""
    if one.calls_left_hour is None:
        return "not known"
    if not one.shares_calls_with:
        return f"{one.calls_left_hour:,}"
    groups = list(dict.fromkeys(each.account_id for each in found.connections if each.shares_calls_with))
    return f"{one.calls_left_hour:,} {'abcdefghijklmnopqrstuvwxyz'[groups.index(one.account_id) % 26]}"


def _set_aside(obj: Obj, name: str) -> Result:
    _, console = obj
    ws = workspace(obj)
    with ws.store.open(name) as con:
        found = con.execute(
            "select collection, message_id, position, reason from set_aside order by happened_at"
        ).fetchall()
    heads = ["collection", "message", "row", "why"]
    text = console.table(heads, found, right=(1, 2)) if found else f"No row of {name} is set aside."
    return Result(
        "set-aside/1",
        text,
        {"connection": name, "rows": [dict(zip(heads, row, strict=True)) for row in found]},
    )


def _ledger(obj: Obj, name: str) -> Result:
    _, console = obj
    cells = workspace(obj).ledger(name)
    rows = [
        (
            cell.name,
            f"{cell.stored:,}",
            "not known" if cell.service is None else f"{cell.service:,}",
            f"{SYMBOL[cell.colour]} {cell.state}",
            cell.reason,
        )
        for cell in cells.cells
        if cell.colour != "green" or cell.unit.message_id is None
    ]
    lines = [f"{name}: {cells!r}"]
    if rows:
        lines.append(console.table(["unit", "stored", "service", "state", "why"], rows, right=(1, 2)))
    lines.append(
        f"Events: {cells.events:,} = {cells.of_listed:,} of listed people + {cells.of_unknown:,} of others."
    )
    return Result("ledger/1", "\n".join(lines), {"connection": name} | cells.as_dict())


@command(
    "person", "Show all that is held about somebody.", "icx person 70057", "icx person jo@example.com --json"
)
@click.argument("who")
def person(obj: Obj, who: str) -> Result:
    options, console = obj
    ws = workspace(obj)
    named = asked(console, who)
    found = ws.person(named, connection=options.connection)
    # Who typed the address has it; who typed an id is shown no more than the id says.
    open_ = options.show_people or "@" in named
    lines = [line for one in found for line in one.lines(ws.settings.tz, show_people=open_)]
    return Result(
        "person/1",
        "\n".join(lines),
        {"people": [one.as_dict(show_people=options.show_people) for one in found]},
    )


@command(
    "record",
    "Show who planned, overrode, applied, attached.",
    "icx record",
    "icx record --limit 5 --json",
)
@click.option("--limit", default=50, show_default=True, help="How many entries, newest first.")
def record(obj: Obj, limit: int) -> Result:
    from icx.clock import aware_utc

    _, console = obj
    ws = workspace(obj)
    entries = ws.record(limit).astype(object).to_dict("records")
    now = ws.clock.now()
    rows = [
        (
            shown(aware_utc(one["happened_at"].to_pydatetime()), ws.settings.tz, now),
            one["who"],
            one["verb"],
            one["what"],
            one["because"],
        )
        for one in entries
    ]
    text = "Nothing is recorded yet. Next: icx status"
    if rows:
        text = console.table(["when", "who", "did", "what", "because"], rows)
    return Result("record/1", text, {"entries": entries})


explain = group("explain", "Say what something costs, beforehand.")


@click.argument("name", required=False)
@click.option("--full", is_flag=True, help="Of a pull that reads every unit again.")
def _explain_pull(obj: Obj, name: str | None, full: bool) -> Result:
    options, _ = obj
    cost = workspace(obj).explain_pull(name or options.connection, full=full)
    return Result("explain-pull/1", cost.text(), cost.as_dict())


explain.add_command(
    command(
        "pull",
        "Say what a pull will read and why, its calls and minutes, with a few calls.",
        "icx explain pull acme",
        "icx explain pull --json",
    )(_explain_pull)
)


@click.argument("name")
def _explain_audience(obj: Obj, name: str) -> Result:
    cost = workspace(obj).explain_audience(name)
    return Result("explain-audience/1", cost.text(), cost.as_dict())


explain.add_command(
    command(
        "audience",
        "Say what an audience rests on and how long it takes to count.",
        "icx explain audience 'Loyal in Durham'",
        "icx explain audience 'Loyal in Durham' --json",
    )(_explain_audience)
)


@command(
    "help",
    "Explain a message by its code or a word of another product, or list the codes.",
    "icx help list-twice",
    "icx help lead list",
)
@click.argument("words", nargs=-1, metavar="[CODE]")
def help(obj: Obj, words: tuple[str, ...]) -> Result:
    from icx.cli.catalogue import ENTRIES
    from icx.cli.catalogue import explain as explained
    from icx.cli.elsewhere import meant

    _, console = obj
    code = " ".join(words)
    if told := meant(code) if code not in ENTRIES else None:
        text = f"{told.word} ({told.of}): {told.here}. Next: {shlex.join(told.next)}"
        return Result("help/1", text, told._asdict())
    if not code:
        rows = [(entry.code, entry.exit_code, entry.meaning) for entry in ENTRIES.values()]
        return Result("help/1", console.table(["code", "exit", "means"], rows), {"codes": list(ENTRIES)})
    entry = explained(code)
    ends = f"exit {entry.exit_code}" if entry.exit_code else "a note, changes no exit code"
    text = f"{entry.code} ({ends})\n  {entry.meaning}\n  kept   {entry.kept}\n  next   {entry.todo}"
    return Result("help/1", text, vars(entry))
