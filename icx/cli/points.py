"""The points commands: add, list, show, test, remove, ledger, recount."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icx.cli.common import Obj, asked, group, shown, workspace
from icx.cli.result import Result
from icx.errors import BadInput, NeedsYou
from icx.words import counted

if TYPE_CHECKING:
    from icx.rules import Rule

points = group("points", "What people earn by events, fields and audiences, and the ledger of it.")
DAYS = click.IntRange(1, 3660)  # as `icx.points.backtest` takes them, refused here before anything is saved
KINDS = ["open", "click", "bounce", "unsubscribe", "any"]


@points.verb(
    "add",
    "Save what earns points: an event, an audience, or a rule.",
    "icx points add 'Clicked a sale' 10 --event click --url sale --each --group interest",
    "icx points add Opened 1 --event open --per-message",
)
@click.argument("name")
@click.argument("amount", type=int)
@click.option("--event", type=click.Choice(KINDS), help="Each person's first event of a kind earns it.")
@click.option("--url", help="Only clicks on links that contain this.")
@click.option("--message", type=int, help="Only events of this message.")
@click.option(
    "--audience", help="Being in an audience earns it, from the build that first finds somebody in."
)
@click.option(
    "--rule", "file", type=click.Path(path_type=Path), help="A JSON file with a rule; - reads it from stdin."
)
@click.option("--each", is_flag=True, help="Every event, or every entering, instead of the first.")
@click.option("--per-message", is_flag=True, help="The first event in each message.")
@click.option("--group", "group_", default="", help="Its own total too, as the field points_GROUP.")
@click.option("--since", default="", help="From this date on, in the workspace's zone.")
@click.option("--until", default="", help="Up to this date, that day included.")
@click.option("--machines", is_flag=True, help="Count also what machines probably did.")
@click.option("--description", default="", help="A note for whoever reads it later.")
@click.option("--days", default=90, type=DAYS, help="How many days back the test looks.")
@click.option("--dry", is_flag=True, help="Only show how often it would have fired; save nothing.")
@click.option("--replace", is_flag=True, help="In place of the saved action of this name.")
def add(
    obj: Obj,
    name: str,
    amount: int,
    event: str | None,
    url: str | None,
    message: int | None,
    audience: str | None,
    file: Path | None,
    each: bool,
    per_message: bool,
    group_: str,
    since: str,
    until: str,
    machines: bool,
    description: str,
    days: int,
    dry: bool,
    replace: bool,
) -> Result:
    options, _ = obj
    earns = _rule(event, url, message, audience, file, per_message)
    ws = workspace(obj)
    made = ws.points(
        name, amount, earns, each=each or per_message, group=group_, since=since, until=until, machines=machines,
        description=description, connection=options.connection, dry=dry, replace=replace,
    )  # fmt: skip
    found = _test(made, days)
    text = f"{'Not saved' if dry else 'Saved'} {made!r}\n"
    text += (
        found.text()
        if found
        else "  there is no profile yet, so nobody can tell how often it would have fired"
    )
    text += "\nNext: " + ("the same without --dry" if dry else "icx build, then icx points list")
    data = {"action": made.name, "english": made.english, "saved": not dry}
    return Result("points-add/1", text, data | {"test": found.as_dict() if found else None})


# so that an amount may be -5, which looks like options
add.context_settings["ignore_unknown_options"] = True


@points.verb("list", "List point actions and what each came to.", "icx points list", "icx points list --json")
def list_(obj: Obj) -> Result:
    options, console = obj
    ws = workspace(obj)
    found = ws.points(connection=options.connection)
    lines = [
        repr(found) + (f", as of {shown(found.as_of, ws.settings.tz)}" if found.as_of and len(found) else "")
    ]
    if len(found):
        rows = [
            (one.action.name, one.action.group, f"{one.awards:,}", f"{one.people:,}", f"{one.points:,}",
             "" if one.state == "counted" else f"{one.state}: with the next build", one.action.english)
            for one in found.standings
        ]  # fmt: skip
        heads = ["action", "group", "awards", "people", "points", "state", "what earns it"]
        lines.append(console.table(heads, rows, right=(2, 3, 4)))
    lines += [f"{name} is removed; its lines go with the next build" for name in found.removed]
    step = (
        "icx build"
        if found.waiting
        else "icx points show " + shlex.quote(found[0].name)
        if len(found)
        else ""
    )
    lines.append(f"Next: {step or 'icx points add NAME AMOUNT --event click --each'}")
    return Result("points-list/1", "\n".join(lines), found.as_dict())


@points.verb(
    "show",
    "Show a point action: what earns it, how often, what it came to.",
    "icx points show 'Clicked a sale'",
    "icx points show 'Clicked a sale' --json",
)
@click.argument("name")
def show(obj: Obj, name: str) -> Result:
    ws = workspace(obj)
    found = ws.points(name)
    came = next(
        one
        for one in ws.points(connection=found.connection or None).standings
        if one.action.name == found.name
    )
    lines = [repr(found), *([f"  {found.description}"] if found.description else [])]
    lines.append(
        f"  {counted(came.awards, 'award')} to {counted(came.people, 'person')}, {came.points:,} points by the last build"
        + ("" if came.state == "counted" else f"; {came.state} since, the next build counts it")
    )
    lines.append(f"Next: icx points test {shlex.quote(found.name)}")
    from icx.points.action import as_json

    data = {"action": as_json(found), "english": found.english, "state": came.state}
    return Result(
        "points-show/1",
        "\n".join(lines),
        data | {"awards": came.awards, "people": came.people, "points": came.points},
    )


@points.verb(
    "test",
    "Show how often an action would have fired, week by week.",
    "icx points test 'Clicked a sale'",
    "icx points test 'Clicked a sale' --days 30",
)
@click.argument("name")
@click.option("--days", default=90, type=DAYS, help="How many days back to look.")
def test(obj: Obj, name: str, days: int) -> Result:
    found = workspace(obj).points(name).test(days)
    return Result("points-test/1", found.text(), found.as_dict())


@points.verb(
    "ledger",
    "Show everything that gave somebody points.",
    "icx points ledger 70057",
    "icx points ledger 70057 --json",
)
@click.argument("who")
def ledger(obj: Obj, who: str) -> Result:
    options, console = obj
    named = asked(console, who)
    found = workspace(obj).points_ledger(named, connection=options.connection)
    open_ = options.show_people or "@" in named
    return Result("points-ledger/1", found.text(show_people=open_), found.as_dict(show_people=open_))


@points.verb(
    "recount",
    "Count the ledger again from the raw events and compare it; changes nothing.",
    "icx points recount",
    "icx points recount --json",
)
def recount(obj: Obj) -> Result:
    options, _ = obj
    ws = workspace(obj)
    found = ws.recount_points(options.connection)
    text = f"{found!r}"
    if not found.equal:
        text += "\nActions or events have changed since the last build. Next: icx build"
    return Result("points-recount/1", text, found.as_dict())


@points.verb(
    "remove",
    "Show what removing a point action changes, and with --yes remove it.",
    "icx points remove Opened",
    "icx points remove 'Clicked a sale' --yes",
)
@click.argument("name")
def remove(obj: Obj, name: str) -> Result:
    from icx.workspace.scored import leaving

    options, _ = obj
    ws = workspace(obj)
    found = ws.points(name)
    told = leaving(ws, found)
    text = f"With the next build: {told}" if told else "It was not counted yet."
    if options.yes:
        ws.remove_points(name)
        text = f"Removed {found.name}. {text}\nThe way back: {found.python}"
    else:
        text = f"{found.name} is still there. {text}\nNext: icx points remove {shlex.quote(found.name)} --yes"
    gone: dict[str, Any] = {"action": found.name, "removed": options.yes}
    gone |= {"awards": told.before.awards if told else None, "people": told.people if told else None}
    return Result("points-remove/1", text, gone)


def _test(made: Any, days: int) -> Any:
    try:
        return made.test(days)
    except NeedsYou as error:
        if error.code != "profile-missing":
            raise
        return None


def _rule(
    event: str | None,
    url: str | None,
    message: int | None,
    audience: str | None,
    file: Path | None,
    apart: bool,
) -> Rule:
    from icx.rules import Event, InAudience, Link

    if sum(one is not None for one in (event, audience, file)) != 1:
        raise BadInput(
            "usage",
            "Points are earned by an event, an audience or a rule, one of the three.",
            where="--event KIND · --audience NAME · --rule FILE.json",
            kept="nothing was saved",
            next=[["icx", "points", "add", "--help"]],
        )
    if event is None and (url or message is not None or apart):
        raise BadInput(
            "usage",
            "--url, --message and --per-message say which events earn it.",
            where="without --event",
            kept="nothing was saved",
            next=[["icx", "points", "add", "--help"]],
        )
    if event is not None:
        link = Link("contains", url) if url else None
        return Event(event, message=message, url=link, distinct="messages" if apart else None)  # type: ignore[arg-type]
    if audience is not None:
        return InAudience("in", audience)
    from icx.cli.audience import read_rule

    assert file is not None
    return read_rule(file).rule
