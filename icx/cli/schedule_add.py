"""Commands that save a job: schedule add makes one, schedule change changes some of its choices."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click

from icx.cli.common import Obj, command, workspace
from icx.cli.result import Result
from icx.errors import BadInput
from icx.jobs.coming import coming


def _choices(new: bool) -> Callable[[Any], Any]:
    """Add the options that a new job and a changed one share; only a new one has defaults."""

    def usual(value: Any) -> dict[str, Any]:
        return {"default": value, "show_default": True} if new else {"default": None, "type": type(value)}

    def pick(*words: str) -> dict[str, Any]:
        return {**usual(words[0]), "type": click.Choice(words)}

    shared = [
        click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook."),
        click.option("--every", help="When: 'Mon 07:00', weekdays, hourly, 'every 15 min', '1st 08:00', or a cron expression."),
        click.option("--zone", help="The time zone of --every; else the workspace's."),
        click.option("--description", default="" if new else None, help="A note for whoever reads it later."),
        click.option("--stale", **pick("stay", "park", "unsubscribe"), help="Members no longer in the audience."),
        click.option("--overlap", **pick("skip", "wait"), help="A time that comes while the run before is under way."),
        click.option("--missed", **pick("once", "skip"), help="Times that passed while nothing ran."),
        click.option("--retries", **usual(2), help="How often a failed run is tried again."),
        click.option("--backoff", **usual(5.0), help="Minutes before the first retry; then twice as long."),
        click.option("--band", metavar="LEAST:MOST", help="How many people the audience may have; either end may be empty."),
        click.option("--refused-share", type=float, help="The share of refused rows that alerts, such as 0.01."),
        click.option("--alert-command", metavar="COMMAND", help="Run this when it goes wrong; it gets JSON on stdin."),
        click.option("--webhook", help="Send JSON there when it goes wrong: env:NAME or keyring:NAME, https."),
    ]  # fmt: skip

    def wrap(function: Any) -> Any:
        for option in reversed(shared):
            function = option(function)
        return function

    return wrap


@command(
    "add",
    "Save a job that imports, exports, syncs, runs a trigger or a notebook by the clock.",
    "icx schedule add nightly --import acme --every 'daily 06:00'",
    "icx schedule add 'loyal weekly' --export 'Loyal in Durham' --to 'acme/lists/Durham regulars' --every 'Mon 07:00'",
)
@click.argument("name")
@click.option("--import", "imports", metavar="CONN", help="Pull, build and check this connection.")
@click.option("--contacts-only", is_flag=True, help="Import without messages and events.")
@click.option("--keep-updated", is_flag=True, help="Import every hour; without --every it is once a day.")
@click.option("--export", "exports", metavar="AUDIENCE", help="Plan and apply this audience to a list.")
@click.option("--to", metavar="CONN/lists/LIST", help="The list of an export: its exact name, or #ID.")
@click.option("--create", is_flag=True, help="Make the list when there is none of this name.")
@click.option("--trigger", metavar="NAME", help="Do what is due of this trigger.")
@click.option("--sync", metavar="NAME", help="Bring the two systems of this sync in step.")
@click.option("--notebook", metavar="FILE", help="Run this notebook.")
@click.option("--audience", help="With a notebook or an import: the audience whose size --band is about.")
@_choices(new=True)
def add(
    obj: Obj,
    name: str,
    imports: str | None,
    exports: str | None,
    to: str | None,
    trigger: str | None,
    sync: str | None,
    notebook: str | None,
    params: tuple[str, ...],
    audience: str | None,
    band: str | None,
    alert_command: str | None,
    webhook: str | None,
    **same: Any,  # what `Workspace.schedule` has under the same name
) -> Result:
    from icx.workspace.scheduling import typed_params

    options, _ = obj
    if sum(each is not None for each in (imports, exports, trigger, sync, notebook)) != 1 or (
        exports is None
    ) != (to is None):
        raise _usage(
            "A job is one of: an import, an export with its list, a trigger, a sync, a notebook.",
            "--import CONN · --export AUDIENCE --to CONN/lists/LIST · --trigger NAME · --sync NAME · --notebook FILE",
            name,
        )
    ws = workspace(obj)
    answers = dict(options.confirm)
    if options.yes:
        answers = {"first-push": "y", "parking": "y", "first-run": "y"} | answers
    job = ws.schedule(
        name,
        notebook,
        params=typed_params(ws, notebook, params) if notebook is not None else None,
        connection=imports,
        audience=exports or audience,
        to=to,
        trigger=trigger,
        sync=sync,
        answers=answers,
        band=_band(band, name),
        alert_command=_command(alert_command, name),
        alert_webhook=webhook or "",
        **same,
    )
    one = ws.jobs()[job.name]
    when = coming(one.next_at, job.tz, ws.clock.now())
    lines = [str(job), f"  next run {when}, data/jobs/{job.name}.json"]
    if not one.told:
        lines.append(
            "  nobody is told when it goes wrong; --webhook, or alert_webhook in icx.toml, changes that"
        )
    lines.append("Nothing runs it yet unless icx serve does, or cron. Next: icx schedule install --print")
    return Result("schedule/1", "\n".join(lines), one.as_dict())


@command(
    "change",
    "Change some of a job's choices; what is not named stays.",
    "icx schedule change nightly --every 'daily 05:00'",
    "icx schedule change 'loyal weekly' --confirm growth=1500 --confirm welcome='Durham regulars:1500'",
)
@click.argument("name")
@_choices(new=False)
def change(
    obj: Obj,
    name: str,
    params: tuple[str, ...],
    band: str | None,
    alert_command: str | None,
    webhook: str | None,
    **same: Any,
) -> Result:
    from icx.workspace.scheduling import typed_params

    options, _ = obj
    ws = workspace(obj)
    job = ws.jobs()[name].job
    changes = {key: value for key, value in same.items() if value is not None}
    if params:
        if not job.notebook:
            raise _usage("Only a notebook has parameters.", f"-p {params[0]}", job.name)
        changes["params"] = typed_params(ws, job.notebook, params)
    answers = ({"first-push": "y", "parking": "y"} if options.yes else {}) | dict(options.confirm)
    if answers:
        changes["answers"] = answers
    if band is not None:
        changes["band"] = _band(band, job.name)
    if alert_command is not None:
        changes["alert_command"] = _command(alert_command, job.name)
    if webhook is not None:
        changes["alert_webhook"] = webhook
    if not changes:
        raise _usage(
            "Nothing is named that shall change.", "--every, --confirm KEY=VALUE, --webhook, …", job.name
        )
    job = ws.change_job(job.name, **changes)
    one = ws.jobs()[job.name]
    when = (
        coming(one.next_at, job.tz, ws.clock.now())
        if job.paused is None
        else f"none, paused by {job.paused.by}"
    )
    step = shlex.join(["icx", "schedule", "show", job.name])
    return Result("schedule/1", f"{job}\n  next run {when}. Next: {step}", one.as_dict())


def _band(text: str | None, name: str) -> tuple[int | None, int | None] | None:
    if text is None:
        return None
    ends = [each.strip().replace(",", "") for each in text.split(":")]
    if len(ends) != 2 or not all(not each or (each.isascii() and each.isdigit()) for each in ends):
        raise _usage(f'"{text}" is no band.', "--band LEAST:MOST, such as 100:5000, 100: or :5000", name)
    low, high = (int(each) if each else None for each in ends)
    return low, high


def _command(text: str | None, name: str) -> list[str]:
    """Return a command's words, as a shell would read them."""
    try:
        return shlex.split(text or "")
    except ValueError as error:
        raise _usage(f"This command cannot be read: {error}.", f"--alert-command {text}", name) from None


def _usage(message: str, where: str, name: str) -> BadInput:
    return BadInput(
        "usage",
        message,
        where=where,
        kept=f'nothing was saved for "{name}"',
        next=[["icx", "schedule", "add", "--help"]],
    )
