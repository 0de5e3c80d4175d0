"""The sync commands: make, list, show, plan, simulate, apply, run, health, pause, resume, remove."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from icx.cli.common import Obj, group, shown, workspace
from icx.cli.progress import reporter
from icx.cli.result import Result
from icx.errors import BadInput, NeedsYou
from icx.words import counted

if TYPE_CHECKING:
    from icx.plan.stops import Stop
    from icx.sync import Rule, Sync
    from icx.sync.applied import Synced
    from icx.workspace import Workspace

sync = group("sync", "Keep two systems in step: people and fields, both ways or one, by rules.")
STATES = ["excluded", "duplicate", "deleted", "failing"]


@sync.verb(
    "make",
    "Save a sync of two connections; reads and sends nothing.",
    "icx sync make crm-acme crm acme --one-way",
    "icx sync make spent crm acme --one-way --only-mapped --map 'spent -> business'",
)
@click.argument("name")
@click.argument("a", required=False)
@click.argument("b", required=False)
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="A sync as JSON, as `icx sync show NAME --json` prints it.",
)
@click.option(
    "--map",
    "lines",
    multiple=True,
    metavar="LINE",
    help="A field of each side: 'A = B', 'A -> B', 'A <- B'; ', blank' lets an empty value empty the other.",
)
@click.option(
    "--only-mapped", is_flag=True, help="Map only these, not every field both sides have by the same name."
)
@click.option("--one-way", is_flag=True, help="From the first to the second only.")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path),
    help="A JSON file with rules: who travels, and what is done to them.",
)
@click.option(
    "--winner",
    default="",
    metavar="CONNECTION",
    help="Whose value counts where both differ; the first unless named.",
)
@click.option(
    "--unsubscribes",
    multiple=True,
    metavar="CONNECTION=HOW",
    help="How the other side's unsubscribes show there: 'field NAME', 'tag NAME' or none.",
)
@click.option(
    "--basis", default="", help="On what basis people are made where they are mailed: how they agreed."
)
@click.option("--description", default="", help="A note for whoever reads it later.")
@click.option("--replace", is_flag=True, help="In place of the saved sync of this name.")
def make(
    obj: Obj,
    name: str,
    a: str | None,
    b: str | None,
    file: Path | None,
    lines: tuple[str, ...],
    only_mapped: bool,
    one_way: bool,
    rules_file: Path | None,
    winner: str,
    unsubscribes: tuple[str, ...],
    basis: str,
    description: str,
    replace: bool,
) -> Result:
    ws = workspace(obj)
    if file is not None:
        made = _from_file(ws, name, file, replace=replace)
    elif a is None or b is None:
        raise BadInput(
            "usage",
            "A sync is made of two connections.",
            where=f"icx sync make {shlex.quote(name)}",
            kept="nothing was saved",
            next=[["icx", "sync", "make", name, "crm", "acme"], ["icx", "status"]],
        )
    else:
        made = ws.sync(
            name, a, b, lines=lines, rules=_rules(rules_file), winner=winner, one_way=one_way,
            alike=not only_mapped, unsubscribes=dict(_mirror(one) for one in unsubscribes), basis=basis,
            description=description, replace=replace,
        )  # fmt: skip
    text = f"Saved.\n{_described(made)}\nNext: icx sync plan {shlex.quote(made.name)}"
    return Result("sync/1", text, {"sync": made.as_dict()})


@sync.verb("list", "List the syncs and how each stands.", "icx sync list", "icx sync list --json")
def list_(obj: Obj) -> Result:
    _, console = obj
    ws = workspace(obj)
    every = ws.syncs()
    if not every:
        return Result("sync-list/1", "No sync is saved yet. Next: icx sync make NAME crm acme", {"syncs": []})
    healths = [one.health() for one in every]
    rows = [
        (one.name, f"{one.a} {'<->' if one.both_ways else '->'} {one.b}",
         *(f"{health.states.get(state, 0):,}" for state in ("in_sync", "excluded", "duplicate", "failing")),
         shown(max((at for at in health.read.values() if at), default=None), ws.settings.tz, ws.clock.now()),
         f"rests, by {one.paused.by}" if one.paused else "")
        for one, health in zip(every, healths, strict=True)
    ]  # fmt: skip
    heads = ["sync", "systems", "in step", "excluded", "duplicates", "failing", "read", ""]
    text = console.table(heads, rows, right=(2, 3, 4, 5))
    data = [one.as_dict() | {"health": health.as_dict()} for one, health in zip(every, healths, strict=True)]
    return Result("sync-list/1", f"{text}\nNext: icx sync show {shlex.quote(every[0].name)}", {"syncs": data})


@sync.verb(
    "show",
    "Show a sync: its fields, its rules, its plans.",
    "icx sync show crm-acme",
    "icx sync show crm-acme --json",
)
@click.argument("name")
def show(obj: Obj, name: str) -> Result:
    _, console = obj
    ws = workspace(obj)
    found = ws.sync(name)
    plans = ws.sync_plans(found.name)[:5]
    lines = [_described(found)]
    if plans:
        rows = [
            (one.plan_id, shown(one.made_at, ws.settings.tz, ws.clock.now()), f"{one.writes('a'):,}",
             f"{one.writes('b'):,}", one.state)
            for one in plans
        ]  # fmt: skip
        lines.append(
            console.table(["plan", "made", f"in {found.a}", f"in {found.b}", "state"], rows, right=(2, 3))
        )
    lines.append(f"Next: icx sync plan {shlex.quote(found.name)}")
    data = {"sync": {"icx": 1} | found.as_dict(), "plans": [one.as_dict() for one in plans]}
    return Result("sync/1", "\n".join(lines), data)


@sync.verb(
    "plan",
    "Read both systems and show what would be done; sends nothing.",
    "icx sync plan crm-acme",
    "icx sync plan crm-acme --full --json",
)
@click.argument("name")
@click.option("--full", is_flag=True, help="Read everybody, also where a system tells what changed.")
@click.option("--strict", is_flag=True, help="Exit 3 when something would stop the apply.")
def plan(obj: Obj, name: str, full: bool, strict: bool) -> Result:
    _, console = obj
    ws = workspace(obj)
    found = ws.sync(name)
    made = found.carrier().plan(found, full=full, progress=reporter(console, found.name, ws.settings.tz))
    return Result("sync-plan/1", str(made), made.as_dict(), 3 if strict and made.stops else 0)


@sync.verb(
    "simulate",
    "Carry a sync out on copies of both systems, until nothing is left to do; sends nothing.",
    "icx sync simulate crm-acme",
    "icx sync simulate crm-acme --json",
)
@click.argument("name")
def simulate(obj: Obj, name: str) -> Result:
    found = workspace(obj).sync(name).simulate()
    return Result("sync-simulate/1", str(found), found.as_dict())


@sync.verb(
    "apply",
    "Carry out a plan of a sync and read back; cut off, the same command goes on.",
    "icx sync apply crm-acme --yes",
    "icx sync apply crm-acme --yes --json",
)
@click.argument("name")
@click.option(
    "--plan",
    "plan_id",
    metavar="PLAN",
    help="A plan of this sync; else the one begun, else the newest, else a new one.",
)
def apply(obj: Obj, name: str, plan_id: str | None) -> Result:
    return _applied(obj, workspace(obj), name, plan_id)


@sync.verb(
    "run",
    "Plan and apply at once, unless something stops the plan; what a job does.",
    "icx sync run crm-acme --yes",
    "icx sync run spent --full --yes",
)
@click.argument("name")
@click.option("--full", is_flag=True, help="Read everybody, also where a system tells what changed.")
def run(obj: Obj, name: str, full: bool) -> Result:
    _, console = obj
    ws = workspace(obj)
    found = ws.sync(name)
    made = found.carrier().plan(found, full=full, progress=reporter(console, found.name, ws.settings.tz))
    return _applied(obj, ws, name, made.plan_id)


@sync.verb(
    "health",
    "Show who is in step, who is not and why, and who fails, in the systems' words.",
    "icx sync health crm-acme",
    "icx sync health crm-acme --state failing --json",
)
@click.argument("name")
@click.option("--state", type=click.Choice(STATES), help="Only these people.")
@click.option("--rows", default=20, show_default=True, help="How many people to print; JSON has a thousand.")
def health(obj: Obj, name: str, state: str | None, rows: int) -> Result:
    options, console = obj
    ws = workspace(obj)
    found = ws.sync(name).health()
    people = found.people(state or "", show=options.show_people).to_pylist()
    lines = [str(found)]
    if people:
        heads = ["state", "why", "its words", found.sync.a, found.sync.b, "address"]
        told = [tuple(str(cell or "") for cell in list(one.values())[:6]) for one in people[:rows]]
        lines.append(console.table(heads, told))
        if len(people) > rows:
            lines.append(f"{rows:,} of {counted(len(people), 'person')} shown; --json has them")
    each = [
        {key: value for key, value in one.items() if key != "address" or options.show_people}
        for one in people
    ]
    return Result("sync-health/1", "\n".join(lines), found.as_dict() | {"rows": each})


@sync.verb(
    "pause",
    "Let a sync rest; one under way ends after its batch.",
    "icx sync pause crm-acme",
    "icx sync pause crm-acme --because 'the shop is counted anew'",
)
@click.argument("name")
def pause(obj: Obj, name: str) -> Result:
    options, _ = obj
    found = workspace(obj).sync(name).pause(options.because or "")
    text = f"{found.name} rests. Plans can be made, and are not applied. Next: icx sync resume {shlex.quote(found.name)}"
    return Result("sync/1", text, {"sync": found.as_dict()})


@sync.verb("resume", "Let a sync go on.", "icx sync resume crm-acme", "icx sync resume crm-acme --json")
@click.argument("name")
def resume(obj: Obj, name: str) -> Result:
    found = workspace(obj).sync(name).resume()
    text = f"{found.name} goes on. Next: icx sync plan {shlex.quote(found.name)}"
    return Result("sync/1", text, {"sync": found.as_dict()})


@sync.verb(
    "remove",
    "Show what forgetting a sync means, and with --yes forget it; both systems stay as they are.",
    "icx sync remove crm-acme",
    "icx sync remove spent --yes",
)
@click.argument("name")
def remove(obj: Obj, name: str) -> Result:
    options, _ = obj
    ws = workspace(obj)
    found = ws.sync(name)
    known = found.health().states.get("in_sync", 0)
    text = f"who is whom of {counted(known, 'person')} in step, and what was agreed of them; both systems stay as they are"
    if options.yes:
        ws.remove_sync(found.name)
        text = f"Forgotten: {found.name}, {text}."
    else:
        text = f"{found.name} is still there. Forgotten would be {text}.\nNext: icx sync remove {shlex.quote(found.name)} --yes"
    return Result("sync-remove/1", text, {"sync": found.name, "removed": options.yes, "in_step": known})


def _applied(obj: Obj, ws: Workspace, name: str, plan_id: str | None) -> Result:
    options, console = obj

    def ask(stop: Stop, number: int, of: int) -> str | None:
        if options.yes and stop.confirm == "y":
            return "y"
        if not console.interactive:
            return None  # nobody to ask: the error says which answers are still needed
        tail = " [y/N] " if stop.confirm == "y" else " "
        return console.ask(f"  {number} of {of}  {stop.question}{tail}", missing=_gone)

    done: Synced = ws.apply_sync(
        name,
        plan=plan_id,
        answers=dict(options.confirm),
        ask=ask,
        progress=reporter(console, name, ws.settings.tz, "person settled", stages=True),
    )
    problem = done.problem(ws.settings.refused_share)
    code = 130 if done.state == "stopped" else 1 if problem is not None or done.in_doubt else 0
    return Result("sync-apply/1", str(done), done.as_dict(), code, problem=problem)


def _gone() -> NeedsYou:
    return NeedsYou(
        "needs-answer",
        "The terminal was closed before the answer.",
        where="icx sync apply",
        kept="nothing was sent",
        next=["the same command"],
    )


def _described(made: Sync) -> str:
    """Return a sync in sentences."""
    from icx.sync.words import sentences

    return "\n".join(sentences(made))


def _rules(file: Path | None) -> tuple[Rule, ...] | None:
    from icx.sync import from_dict

    if file is None:
        return None
    data = _json(file)
    rules = data.get("rules") if isinstance(data, Mapping) else data
    return from_dict({"name": "rules", "a": "a", "b": "b", "rules": rules}, file.name).rules


def _from_file(ws: Workspace, name: str, file: Path, *, replace: bool) -> Sync:
    from icx.sync import from_dict

    data = _json(file)
    told = data.get("sync", data) if isinstance(data, Mapping) else data
    if not isinstance(told, Mapping):
        raise _unread(file, "it holds no sync")
    wanted = from_dict({**told, "name": name}, file.name)
    sides = {side: wanted.of(side) for side in ("a", "b")}  # type: ignore[arg-type]
    return ws.sync(
        wanted.name, wanted.a, wanted.b, lines=wanted.lines, rules=wanted.rules, winner=sides[wanted.winner],
        alike=wanted.alike, unsubscribes={sides[key]: how for key, how in wanted.unsubscribes.items()},
        basis=wanted.basis, description=wanted.description, replace=replace,
    )  # fmt: skip


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unread(file, getattr(error, "strerror", None) or str(error)) from None


def _unread(file: Path, why: str) -> BadInput:
    return BadInput(
        "sync-value",
        "The file cannot be read as a sync.",
        where=f"{file.name}: {why}",
        kept="nothing was saved",
        next=[["icx", "sync", "show", "NAME", "--json"]],
    )


def _mirror(text: str) -> tuple[str, str]:
    name, _, how = text.partition("=")
    return name.strip(), how.strip()
