"""Commands for jobs by the clock: schedule add, list, next, pause, resume, install, remove."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from icx.cli.common import Obj, group, shown, workspace
from icx.cli.result import Result
from icx.errors import BadInput
from icx.jobs.coming import coming, standing

if TYPE_CHECKING:
    from icx.jobs.board import JobStatus

schedule = group("schedule", "Let jobs run by the clock.")


@schedule.verb(
    "add",
    "Save a job that imports, exports or runs a notebook by the clock.",
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
@click.option(
    "--stale",
    type=click.Choice(["stay", "park", "unsubscribe"]),
    default="stay",
    show_default=True,
    help="Members no longer in the audience.",
)
@click.option("--notebook", metavar="FILE", help="Run this notebook.")
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook."
)
@click.option(
    "--every", help="When: 'Mon 07:00', weekdays, hourly, 'every 15 min', '1st 08:00', or a cron expression."
)
@click.option("--zone", help="The time zone of --every; else the workspace's.")
@click.option("--description", default="", help="A note for whoever reads it later.")
@click.option(
    "--overlap",
    type=click.Choice(["skip", "wait"]),
    default="skip",
    show_default=True,
    help="A time that comes while the run before is under way.",
)
@click.option(
    "--missed",
    type=click.Choice(["once", "skip"]),
    default="once",
    show_default=True,
    help="Times that passed while nothing ran.",
)
@click.option("--retries", default=2, show_default=True, help="How often a failed run is tried again.")
@click.option(
    "--backoff", default=5.0, show_default=True, help="Minutes before the first retry; then twice as long."
)
@click.option("--audience", help="With a notebook or an import: the audience whose size --band is about.")
@click.option(
    "--band", metavar="LEAST:MOST", help="How many people the audience may have; either end may be empty."
)
@click.option("--refused-share", type=float, help="The share of refused rows that alerts, such as 0.01.")
@click.option(
    "--alert-command", metavar="COMMAND", help="Run this when it goes wrong; it gets JSON on stdin."
)
@click.option(
    "--webhook", default="", help="Send JSON there when it goes wrong: env:NAME or keyring:NAME, https."
)
def add(
    obj: Obj,
    name: str,
    imports: str | None,
    exports: str | None,
    to: str | None,
    notebook: str | None,
    params: tuple[str, ...],
    audience: str | None,
    band: str | None,
    alert_command: str | None,
    webhook: str,
    **same: Any,  # what `Workspace.schedule` has under the same name
) -> Result:
    from icx.workspace.scheduling import typed_params

    options, _ = obj
    if sum(each is not None for each in (imports, exports, notebook)) != 1 or (exports is None) != (
        to is None
    ):
        raise _usage(
            "A job is one of: an import, an export with its list, a notebook.",
            "--import CONN · --export AUDIENCE --to CONN/lists/LIST · --notebook FILE",
            name,
        )
    ws = workspace(obj)
    answers = dict(options.confirm)
    if options.yes:
        answers = {"first-push": "y", "parking": "y"} | answers
    job = ws.schedule(
        name,
        notebook,
        params=typed_params(ws, notebook, params) if notebook is not None else None,
        connection=imports,
        audience=exports or audience,
        to=to,
        answers=answers,
        band=_band(band, name),
        alert_command=shlex.split(alert_command or ""),
        alert_webhook=webhook,
        **same,
    )
    one = ws.jobs()[job.name]
    when = coming(one.next_at, job.tz, ws.clock.now())
    lines = [str(job), f"  next run {when}, data/jobs/{job.name}.json"]
    if not job.alert:
        lines.append("  nobody is told when it goes wrong; --webhook or --alert-command changes that")
    lines.append("Nothing runs it yet unless icx serve does, or cron. Next: icx schedule install --print")
    return Result("schedule/1", "\n".join(lines), one.as_dict())


def _band(text: str | None, name: str) -> tuple[int | None, int | None] | None:
    if text is None:
        return None
    ends = [each.strip().replace(",", "") for each in text.split(":")]
    if len(ends) != 2 or not all(not each or (each.isascii() and each.isdigit()) for each in ends):
        raise _usage(f'"{text}" is no band.', "--band LEAST:MOST, such as 100:5000, 100: or :5000", name)
    low, high = (int(each) if each else None for each in ends)
    return low, high


def _usage(message: str, where: str, name: str) -> BadInput:
    return BadInput(
        "usage",
        message,
        where=where,
        kept=f'nothing was saved for "{name}"',
        next=[["icx", "schedule", "add", "--help"]],
    )


@schedule.verb(
    "list",
    "Show every job: when it comes next, how it went.",
    "icx schedule list",
    "icx schedule list --json",
)
def list_(obj: Obj) -> Result:
    _, console = obj
    ws = workspace(obj)
    found, zone, now = ws.jobs(), ws.settings.tz, ws.clock.now()
    heads = ["job", "does", "when", "last run", "next run"]
    rows = [
        (one.name, one.job.about, _when(one, zone.key), _last(one, now), _standing(one, now)) for one in found
    ]
    lines = [console.table(heads, rows)] if rows else []
    lines += [f"{error.where_text()}: {error.message}" for error in found.wrong]
    lines += [f"{one.name}: an alert did not arrive ({one.unheard})" for one in found if one.unheard]
    lines += [
        f"{one.name} was paused {shown(one.job.paused.since, zone)}: {one.job.paused.why}"
        for one in found
        if one.job.paused is not None and one.job.paused.why
    ]
    failing = [one for one in found if one.state == "failing"]
    lines += [f"{one.name}: {one.last.message} [{one.last.code}]" for one in failing if one.last is not None]
    text = "\n".join(lines) or "No job is saved yet. Next: icx schedule add --help"
    data = {"jobs": [one.as_dict() for one in found], "wrong": [error.as_dict() for error in found.wrong]}
    return Result("schedule-list/1", text, data)


def _when(one: JobStatus, usual: str) -> str:
    from icx.jobs.schedule import english

    return english(one.job.cron) + ("" if one.job.zone == usual else f" ({one.job.zone})")


def _last(one: JobStatus, now: datetime) -> str:
    if one.last is None:
        return "never"
    return f"{one.last.state} {shown(one.last.started_at, one.job.tz, now)}"


def _standing(one: JobStatus, now: datetime) -> str:
    by = one.job.paused.by if one.job.paused else ""
    return standing(one.state, one.failing_since, by, one.next_at, one.job.tz, now)


@schedule.verb(
    "next",
    "Show the times that come next, of one job or of all.",
    "icx schedule next",
    "icx schedule next nightly -n 3 --json",
)
@click.argument("name", required=False)
@click.option("-n", "--count", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many.")
def next_(obj: Obj, name: str | None, count: int) -> Result:
    _, console = obj
    ws = workspace(obj)
    found = ws.jobs()
    times = found.next(count, name)
    rows = [(f"{at.astimezone(found[job].job.tz):%a %d %b %Y %H:%M %Z}", job) for at, job in times]
    text = console.table(["when", "job"], rows) if rows else "Nothing is to come. Next: icx schedule list"
    return Result("schedule-next/1", text, {"times": [{"at": at, "job": job} for at, job in times]})


@schedule.verb(
    "pause",
    "Let a job rest; --because says why.",
    "icx schedule pause nightly --because 'the account moves'",
    "icx schedule pause 'loyal weekly' --json",
)
@click.argument("name")
def pause(obj: Obj, name: str) -> Result:
    options, _ = obj
    ws = workspace(obj)
    job = ws.jobs().pause(name, options.because or "")
    text = f"{job.name} rests. Next: {shlex.join(['icx', 'schedule', 'resume', job.name])}"
    return Result("schedule/1", text, ws.jobs()[job.name].as_dict())


@schedule.verb(
    "resume",
    "Let a paused job go on; what passed meanwhile is not run.",
    "icx schedule resume nightly",
    "icx schedule resume 'loyal weekly' --json",
)
@click.argument("name")
def resume(obj: Obj, name: str) -> Result:
    ws = workspace(obj)
    job = ws.jobs().resume(name)
    one = ws.jobs()[job.name]
    return Result(
        "schedule/1",
        f"{job.name} goes on, next run {coming(one.next_at, job.tz, ws.clock.now())}.",
        one.as_dict(),
    )


@schedule.verb(
    "install",
    "Print what makes this machine run the jobs: systemd units, or a line for cron; installs nothing.",
    "icx schedule install --print",
    "icx schedule install --print --cron --json",
)
@click.option(
    "--print", "only_print", is_flag=True, help="Print it; there is no other way, and this says so."
)
@click.option("--cron", is_flag=True, help="A line for crontab instead of systemd units.")
@click.option("--always", is_flag=True, help="A service that runs icx serve, instead of a timer.")
def install(obj: Obj, only_print: bool, cron: bool, always: bool) -> Result:
    from icx.cli.program import program
    from icx.jobs.install import crontab, systemd

    root = workspace(obj).layout.root.resolve()
    if cron:
        line = crontab(program(), root)
        return Result("install/1", f"{line}\n# Next: crontab -e, and this line in it", {"crontab": line})
    units = systemd(program(), root, always=always)
    name = units[-1].path.rpartition("/")[2]
    lines = [f"# {unit.path}\n{unit.text}" for unit in units]
    lines.append(f"# Next: write the files above, then systemctl --user enable --now {name}")
    lines.append("# and, so that it runs while you are not logged in: loginctl enable-linger")
    return Result(
        "install/1", "\n".join(lines), {"units": [{"path": one.path, "text": one.text} for one in units]}
    )


@schedule.verb(
    "remove",
    "Delete a job; its runs stay in the journal.",
    "icx schedule remove nightly",
    "icx schedule remove 'loyal weekly' --json",
)
@click.argument("name")
def remove(obj: Obj, name: str) -> Result:
    path = workspace(obj).jobs().remove(name)
    return Result(
        "schedule-remove/1", f"{path.stem} is removed; its runs stay in the journal.", {"job": path.stem}
    )
