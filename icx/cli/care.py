"""Commands that look after things: status, person, record, explain, help."""

from __future__ import annotations

import click

from icx.cli.audience import asked
from icx.cli.common import command, shown, workspace
from icx.cli.console import Console
from icx.cli.options import Options
from icx.cli.result import Result

Obj = tuple[Options, Console]
SYMBOL = {"green": "● equal", "amber": "▲ due", "red": "■ differs", "": "not pulled"}


@command(
    "status",
    "Show every connection at a glance, or one connection's open counts.",
    "icx status",
    "icx status acme",
)
@click.argument("name", required=False)
@click.option("--set-aside", is_flag=True, help="The rows that could not be read.")
@click.option("--strict", is_flag=True, help="Exit 1 when a connection needs somebody.")
def status(obj: Obj, name: str | None, set_aside: bool, strict: bool) -> Result:
    _, console = obj
    ws = workspace(obj)
    zone = ws.settings.tz
    if name is not None:
        return _one(obj, ws.connection(name).name, set_aside)
    found = ws.status()
    if not found.connections:
        return Result(
            "status/1",
            "No connection is saved here yet. Next: icx connect acme, or icx demo",
            found.as_dict(),
        )
    rows = [
        (one.name, f"{one.company or one.account_id} › {one.folder or f'folder {one.client_folder_id}'}", f"{one.contacts:,}",
         shown(one.last_pull, zone), SYMBOL[one.ledger], f"{one.calls_left_hour:,}" if one.calls_left_hour is not None else "not known",
         one.state.upper() if one.state == "failing" else one.state)
        for one in found.connections
    ]  # fmt: skip
    lines = [
        console.table(
            ["connection", "account › folder", "contacts", "pulled", "ledger", "calls left", "state"],
            rows,
            right=[2, 5],
        )
    ]
    lines += [
        f"{plan['plan']} to {plan['list']} is not finished. Next: icx apply {plan['plan']}"
        for plan in found.unfinished
    ]
    needs = [one for one in found.connections if one.needs]
    said = (
        f"Needs you: {', '.join(one.name for one in needs)}. Next: {' '.join(needs[0].needs)}"
        if needs
        else "Nothing needs you."
    )
    lines.append(f"{shown(found.now, zone)} (calls: this hour). {said}")
    return Result("status/1", "\n".join(lines), found.as_dict(), 1 if strict and needs else 0)


def _one(obj: Obj, name: str, set_aside: bool) -> Result:
    _, console = obj
    ws = workspace(obj)
    if set_aside:
        with ws.store.open(name) as con:
            found = con.execute(
                "select collection, message_id, position, reason from set_aside order by happened_at"
            ).fetchall()
        text = (
            console.table(["collection", "message", "row", "why"], found) if found else "No row is set aside."
        )
        keys = ("collection", "message", "row", "why")
        return Result("set-aside/1", text, {"rows": [dict(zip(keys, row, strict=True)) for row in found]})
    cells = ws.ledger(name)
    lines = [f"{name}: {cells!r}"]
    rows = [
        (
            cell.name,
            f"{cell.stored:,}",
            "not known" if cell.service is None else f"{cell.service:,}",
            cell.state,
            cell.reason,
        )
        for cell in cells.cells
        if cell.colour != "green" or cell.unit.message_id is None
    ]
    lines.append(console.table(["unit", "stored", "service", "state", "why"], rows, right=[1, 2]))
    lines.append(
        f"Events: {cells.events:,} = {cells.of_listed:,} of listed people + {cells.of_unknown:,} of others."
    )
    return Result("ledger/1", "\n".join(lines), cells.as_dict())


@command(
    "person", "Show all that is held about somebody.", "icx person jo@example.com", "icx person 70233 --json"
)
@click.argument("who")
def person(obj: Obj, who: str) -> Result:
    options, console = obj
    ws = workspace(obj)
    found = ws.person(asked(console, who), connection=options.connection)
    lines = [line for one in found for line in one.lines(ws.settings.tz)]
    return Result("person/1", "\n".join(lines), {"people": [one.as_dict() for one in found]})


@command(
    "record", "Show who planned, overrode, applied, attached.", "icx record", "icx record --limit 5 --json"
)
@click.option("--limit", default=50, show_default=True, help="How many entries, newest first.")
def record(obj: Obj, limit: int) -> Result:
    from icx.clock import aware_utc

    _, console = obj
    ws = workspace(obj)
    entries = ws.record(limit).astype(object).to_dict("records")
    zone = ws.settings.tz
    rows = [
        (
            shown(aware_utc(e["happened_at"].to_pydatetime()), zone),
            e["who"],
            e["verb"],
            e["what"],
            e["because"] or "",
        )
        for e in entries
    ]
    text = (
        console.table(["when", "who", "did", "what", "because"], rows) if rows else "Nothing is recorded yet."
    )
    return Result("record/1", text, {"entries": entries})


@click.group("explain", help="Cost of something beforehand.", no_args_is_help=True)
def explain() -> None:
    pass


def _explain_pull(obj: Obj, name: str | None) -> Result:
    from icx.workspace.cost import pull_cost

    options, _ = obj
    ws = workspace(obj)
    cost = pull_cost(ws, name or options.connection)
    return Result("explain-pull/1", cost.text(), cost.as_dict())


explain.add_command(
    command(
        "pull",
        "Say how many calls and minutes a pull will take, with a few calls.",
        "icx explain pull acme",
        "icx explain pull",
    )(click.argument("name", required=False)(_explain_pull))
)


@command("help", "Explain a message by its code, or list the codes.", "icx help list-twice", "icx help")
@click.argument("code", required=False)
def help(obj: Obj, code: str | None) -> Result:
    from icx.cli.catalogue import ENTRIES
    from icx.cli.catalogue import explain as explained

    _, console = obj
    if code is None:
        rows = [(entry.code, entry.exit_code, entry.meaning) for entry in ENTRIES.values()]
        return Result("help/1", console.table(["code", "exit", "means"], rows), {"codes": list(ENTRIES)})
    entry = explained(code)
    text = f"{entry.code} (exit {entry.exit_code})\n  {entry.meaning}\n  kept   {entry.kept}\n  next   {entry.todo}"
    return Result("help/1", text, vars(entry))
