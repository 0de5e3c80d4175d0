"""Commands that let all pushes rest, and go on; and that end a pull after its page."""

from __future__ import annotations

import click

from icx.cli.common import Obj, command, shown, workspace
from icx.cli.result import Result


@command(
    "pause",
    "Let all pushes rest: none is begun, and one under way ends after its batch.",
    "icx pause",
    "icx pause --because 'the list is being cleaned'",
)
def pause(obj: Obj) -> Result:
    options, _ = obj
    ws = workspace(obj)
    rest = ws.pause_pushes(options.because or "")
    since = shown(rest.since, ws.settings.tz, ws.clock.now())
    text = f"All pushes rest, by {rest.who} since {since}. Pulls, builds and counting go on. Next: icx resume"
    return Result("pause/1", text, {"paused": {"by": rest.who, "since": rest.since, "why": rest.why}})


@command("resume", "Let pushes go on; plans that were stopped are named.", "icx resume", "icx resume --json")
def resume(obj: Obj) -> Result:
    ws = workspace(obj)
    ws.resume_pushes()
    open_ = [plan["plan"] for plan in ws.status().unfinished]
    step = f"Next: icx apply {open_[0]}" if open_ else "No plan is unfinished."
    return Result("pause/1", f"Pushes go on. {step}", {"paused": None, "unfinished": open_})


@command(
    "stop",
    "Let a pull under way, in any process, end after its page; the next pull goes on there.",
    "icx stop acme",
    "icx stop --json",
)
@click.argument("what", required=False, default="", metavar="[CONNECTION|RUN]")
def stop(obj: Obj, what: str) -> Result:
    ws = workspace(obj)
    asked = ws.stop(what)
    names = ", ".join(f"{run.what} ({run.run})" for run in asked)
    step = " ".join(["icx pull", *dict.fromkeys(run.what for run in asked)])
    text = f"Asked to end after its page: {names}. What is there is kept. Next, when it has ended: {step}"
    return Result("stop/1", text, {"asked": [{"run": run.run, "connection": run.what} for run in asked]})
