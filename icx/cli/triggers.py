"""The triggers commands: list, show, add, test, run, pause, resume, remove."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icx.cli.common import Obj, group, shown, workspace
from icx.cli.progress import reporter
from icx.cli.result import Result
from icx.errors import BadInput, NeedsYou
from icx.words import counted

if TYPE_CHECKING:
    from icx.cli.console import Console
    from icx.cli.options import Options
    from icx.plan.stops import Stop
    from icx.rules import Rule
    from icx.workspace import Workspace

triggers = group("triggers", "What is done once somebody reaches a number, or enters or leaves an audience.")
DAYS = click.IntRange(1, 3660)


@triggers.verb(
    "add",
    "Save a trigger: when it fires, and the one thing it does then.",
    "icx triggers add 'Hot leads' --reaches opens_90d=12 --push 'acme/lists/Hot leads' --create",
    "icx triggers add 'Gone quiet' --leaves 'Loyal in Durham' --webhook env:ICX_WEBHOOK",
)
@click.argument("name")
@click.option(
    "--reaches", metavar="FIELD=NUMBER", help="When a number, such as points, comes to be at least this."
)
@click.option(
    "--falls-below", metavar="FIELD=NUMBER", help="When a number that was at least this falls below it."
)
@click.option("--enters", metavar="AUDIENCE", help="When somebody enters an audience.")
@click.option("--leaves", metavar="AUDIENCE", help="When somebody leaves an audience.")
@click.option("--push", metavar="CONN/lists/LIST", help="Add them to a list, by a plan.")
@click.option("--create", is_flag=True, help="With --push: make the list when there is none of this name.")
@click.option(
    "--move", nargs=2, metavar="CONN/lists/LIST LIST", help="Move them from the first list to the second."
)
@click.option(
    "--unsubscribe",
    metavar="CONN/lists/LIST",
    help="Unsubscribe them; cannot be undone, so the number is asked for.",
)
@click.option("--set", "set_field", metavar="FIELD=VALUE", help="Set a custom field of theirs.")
@click.option("--tag", default="", help="Give them a tag, where the system has tags.")
@click.option(
    "--webhook", default="", help="Send JSON with their ids there: env:NAME or keyring:NAME, https."
)
@click.option("--command", default="", metavar="COMMAND", help="Run this; it gets the same JSON on stdin.")
@click.option(
    "--notebook",
    default="",
    metavar="FILE",
    help="Run this notebook; its parameter people names a Parquet file of ids.",
)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook."
)
@click.option("--apply", is_flag=True, help="With --notebook: let it send.")
@click.option("--addresses", is_flag=True, help="Addresses in what is told, beside the ids.")
@click.option("--fires", type=click.Choice(["contact", "crossing", "each"]), default="crossing", show_default=True,
              help="Once per contact, once per crossing, or each build that finds them so.")  # fmt: skip
@click.option(
    "--most",
    default=1000,
    show_default=True,
    help="More firings at once than this wait until somebody agrees.",
)
@click.option("--description", default="", help="A note for whoever reads it later.")
@click.option("--days", default=90, type=DAYS, help="How many days back the test looks.")
@click.option("--dry", is_flag=True, help="Only show how often it would have fired; save nothing.")
@click.option("--replace", is_flag=True, help="In place of the saved trigger of this name.")
def add(
    obj: Obj,
    name: str,
    reaches: str | None,
    falls_below: str | None,
    enters: str | None,
    leaves: str | None,
    push: str | None,
    unsubscribe: str | None,
    move: tuple[str, str] | None,
    set_field: str | None,
    notebook: str,
    command: str,
    params: tuple[str, ...],
    days: int,
    dry: bool,
    **same: Any,  # what `Workspace.trigger` has under the same name
) -> Result:
    options, _ = obj
    when = _when(reaches, falls_below, enters, leaves)
    ws = workspace(obj)
    made = ws.trigger(
        name,
        when,
        push=push or "",
        move=move or None,
        unsubscribe=unsubscribe or "",
        set_field=_pair(set_field, "--set") if set_field is not None else None,
        notebook=notebook,
        command=_words(command),
        params=_params(ws, notebook, params),
        connection=options.connection,
        dry=dry,
        **same,
    )
    found = _test(made, days)
    text = f"{'Not saved' if dry else 'Saved'} {made!r}\n"
    text += found.text() if found else "  there is no profile yet; the first build only notes who is where"
    step = f"icx triggers run {shlex.quote(made.name)}" if not dry else "the same without --dry"
    text += f"\nBuilds note who crosses from now on. Next: {step}"
    data = {"trigger": made.name, "english": made.english, "saved": not dry}
    return Result("triggers-add/1", text, data | {"test": found.as_dict() if found else None})


@triggers.verb(
    "list", "List triggers and what each came to.", "icx triggers list", "icx triggers list --json"
)
def list_(obj: Obj) -> Result:
    options, console = obj
    found = workspace(obj).triggers(connection=options.connection)
    lines = [repr(found)]
    if len(found):
        rows = [
            (one.trigger.name, one.state, f"{one.fired:,}", f"{one.states.get('done', 0):,}",
             f"{one.states.get('refused', 0):,}", f"{one.open:,}", one.trigger.english)
            for one in found.standings
        ]  # fmt: skip
        heads = ["trigger", "state", "fired", "done", "refused", "to do", "what it does"]
        lines.append(console.table(heads, rows, right=(2, 3, 4, 5)))
        waiting = [one.trigger.name for one in found.standings if one.open]
        lines.append(
            "Next: icx triggers "
            + (f"run {shlex.quote(waiting[0])}" if waiting else f"show {shlex.quote(found[0].name)}")
        )
    else:
        lines.append("Next: icx triggers add NAME --reaches points=50 --push CONN/lists/LIST")
    return Result("triggers-list/1", "\n".join(lines), found.as_dict())


@triggers.verb(
    "show",
    "Show a trigger: what it does, and whom it fired for and why.",
    "icx triggers show 'Hot leads'",
    "icx triggers show 'Hot leads' --json",
)
@click.argument("name")
@click.option(
    "--rows", "most", default=20, show_default=True, help="How many firings to show, the newest first."
)
def show(obj: Obj, name: str, most: int) -> Result:
    from icx.triggers.trigger import as_json

    ws = workspace(obj)
    found = ws.trigger(name)
    came = next(
        one for one in ws.triggers(connection=found.connection).standings if one.trigger.name == found.name
    )
    fired = found.firings(most)
    looked = f"last look {shown(came.looked, ws.settings.tz)}" if came.looked else "no build has looked yet"
    lines = [repr(found), *([f"  {found.description}"] if found.description else [])]
    lines.append(f"  {came.state}, {looked}; fired {counted(came.fired, 'time')}, {came.open:,} to be done")
    lines += [f"  {one.text(ws.settings.tz)}" for one in fired]
    more = came.fired - len(fired)
    lines += [f"  and {counted(more, 'older firing')}; --rows has more"] if more > 0 else []
    lines.append(f"Next: icx triggers {'run' if came.open else 'test'} {shlex.quote(found.name)}")
    data = {"trigger": as_json(found), "english": found.english, **came.as_dict()}
    return Result("triggers-show/1", "\n".join(lines), data | {"firings": [one.as_dict() for one in fired]})


@triggers.verb(
    "test",
    "Show how often a trigger would have fired, week by week.",
    "icx triggers test 'Hot leads'",
    "icx triggers test 'Hot leads' --days 30",
)
@click.argument("name")
@click.option("--days", default=90, type=DAYS, help="How many days back to look.")
def test(obj: Obj, name: str, days: int) -> Result:
    found = workspace(obj).trigger(name).test(days)
    return Result("triggers-test/1", found.text(), found.as_dict())


@triggers.verb(
    "run",
    "Do what is due for those for whom a trigger fired; cut off, the same command goes on.",
    "icx triggers run 'Hot leads' --dry",
    "icx triggers run 'Hot leads'",
)
@click.argument("name")
@click.option("--dry", is_flag=True, help="Only show who waits, and why; do nothing.")
@click.option(
    "--existing",
    is_flag=True,
    help="Fire for whom it finds so already: their plan is shown, and their number asked for.",
)
def run(obj: Obj, name: str, dry: bool, existing: bool) -> Result:
    from icx.plan.words import reason as why

    options, console = obj
    ws = workspace(obj)
    if dry:
        return _dry(ws, name, existing)
    if existing and "existing" not in dict(options.confirm):
        plan = ws.trigger(name).existing()
        if not isinstance(plan, int):
            console.note(str(plan))
    done = ws.run_trigger(
        name,
        confirm=dict(options.confirm),
        ask=lambda stop, number, of: _ask(options, console, stop, number, of),
        existing=existing,
        progress=reporter(console, name, ws.settings.tz, "person settled", stages=True),
    )
    lines = [repr(done), *(f"  {count:,}  {why(reason)}" for reason, count in done.reasons)]
    lines.append(f"Next: icx triggers show {shlex.quote(done.trigger)}")
    return Result(
        "triggers-run/1", "\n".join(lines), done.as_dict(), 1 if done.problem else 0, problem=done.problem
    )


@triggers.verb(
    "pause",
    "Let a trigger rest: who crosses meanwhile is let go, what waits goes on waiting.",
    "icx triggers pause 'Hot leads'",
    "icx triggers pause 'Hot leads' --why 'sale is over'",
)
@click.argument("name")
@click.option("--why", default="", help="A note for whoever finds it paused.")
def pause(obj: Obj, name: str, why: str) -> Result:
    found = workspace(obj).pause_trigger(name, why)
    text = f"{found!r}\nNext: icx triggers resume {shlex.quote(found.name)}"
    return Result("triggers-pause/1", text, {"trigger": found.name, "paused": True})


@triggers.verb(
    "resume",
    "Let a trigger fire again, for those who cross from now on.",
    "icx triggers resume 'Hot leads'",
    "icx triggers resume 'Hot leads' --json",
)
@click.argument("name")
def resume(obj: Obj, name: str) -> Result:
    found = workspace(obj).resume_trigger(name)
    text = f"{found!r}\nNext: icx triggers run {shlex.quote(found.name)}"
    return Result("triggers-resume/1", text, {"trigger": found.name, "paused": False})


@triggers.verb(
    "remove",
    "Show what waits at a trigger, and with --yes remove it.",
    "icx triggers remove 'Gone quiet'",
    "icx triggers remove 'Hot leads' --yes",
)
@click.argument("name")
def remove(obj: Obj, name: str) -> Result:
    options, _ = obj
    ws = workspace(obj)
    found = ws.trigger(name)
    came = next(
        one for one in ws.triggers(connection=found.connection).standings if one.trigger.name == found.name
    )
    text = f"It fired {counted(came.fired, 'time')}; {came.open:,} to be done {'are' if came.open != 1 else 'is'} dropped with it."
    if options.yes:
        ws.remove_trigger(name)
        text = f"Removed {found.name}. {text}\nThe way back: {found.python}"
    else:
        text = (
            f"{found.name} is still there. {text}\nNext: icx triggers remove {shlex.quote(found.name)} --yes"
        )
    return Result(
        "triggers-remove/1", text, {"trigger": found.name, "removed": options.yes, "open": came.open}
    )


def _dry(ws: Workspace, name: str, existing: bool) -> Result:
    """Show who waits for the action and why, and with `existing` the plan of whom it finds so already."""
    found = ws.trigger(name)
    waiting = [one for one in found.firings(1_000_000) if one.state in {"waiting", "planned", "failed"}]
    lines = [repr(found), f"  {counted(len(waiting), 'firing')} to be done; nothing was done"]
    lines += [f"  {one.text(ws.settings.tz)}" for one in waiting[:20]]
    lines += [f"  and {len(waiting) - 20:,} more; --json has all"] if len(waiting) > 20 else []
    data: dict[str, Any] = {"trigger": found.name, "open": [one.as_dict() for one in waiting], "plan": None}
    step = f"icx triggers run {shlex.quote(found.name)}"
    if existing:
        plan = found.existing()
        count = (
            plan if isinstance(plan, int) else plan.counts.wanted + plan.counts.park + plan.counts.unsubscribe
        )
        lines.append(f"  {counted(count, 'person')} so already" if isinstance(plan, int) else str(plan))
        data |= {"plan": None if isinstance(plan, int) else plan.as_dict(), "existing": count}
        step += " --existing"
    lines.append(f"Next: {step}")
    return Result("triggers-run/1", "\n".join(lines), data)


def _ask(options: Options, console: Console, stop: Stop, number: int, of: int) -> str | None:
    if options.yes and stop.confirm == "y":
        return "y"
    if not console.interactive:
        return None  # nobody to ask: the error says which answers are still needed
    tail = " [y/N] " if stop.confirm == "y" else " "
    return console.ask(f"  {number} of {of}  {stop.question}{tail}", missing=_gone)


def _gone() -> NeedsYou:
    return NeedsYou(
        "needs-answer",
        "The terminal was closed before the answer.",
        where="icx triggers run",
        kept="nothing was sent; who crossed waits",
        next=["the same command"],
    )


def _test(made: Any, days: int) -> Any:
    try:
        return made.test(days)
    except NeedsYou as error:
        if error.code != "profile-missing":
            raise
        return None


def _when(reaches: str | None, falls_below: str | None, enters: str | None, leaves: str | None) -> Rule:
    from icx.rules import Compare, InAudience

    if sum(one is not None for one in (reaches, falls_below, enters, leaves)) != 1:
        raise _usage(
            "A trigger has one condition.",
            "--reaches FIELD=NUMBER · --falls-below FIELD=NUMBER · --enters AUDIENCE · --leaves AUDIENCE",
        )
    if enters is not None or leaves is not None:
        return InAudience("in" if enters is not None else "notIn", enters or leaves or "")
    option = "--reaches" if reaches is not None else "--falls-below"
    field, text = _pair(reaches if reaches is not None else falls_below or "", option)
    try:
        value = int(text.replace(",", ""))
    except ValueError:
        try:
            value = float(text)  # type: ignore[assignment]
        except ValueError:
            raise _usage(f'"{text}" is no number.', f"{option} {field}=50") from None
    return Compare(field, ">=" if reaches is not None else "<", value)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise _usage(f'"{text}" names no field with its value.', f"{option} FIELD=VALUE")
    return name.strip(), value.strip()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _usage(f"This command cannot be read: {error}.", f"--command {text}") from None


def _params(ws: Workspace, notebook: str, words: tuple[str, ...]) -> dict[str, Any]:
    if not words:
        return {}
    if not notebook:
        raise _usage("Only a notebook has parameters.", f"-p {words[0]}")
    from icx.workspace.scheduling import typed_params

    return typed_params(ws, str(Path(notebook)), words)


def _usage(message: str, where: str) -> BadInput:
    return BadInput(
        "usage", message, where=where, kept="nothing was saved", next=[["icx", "triggers", "add", "--help"]]
    )
