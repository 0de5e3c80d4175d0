"""Commands for jobs by the clock: schedule list, show, next, run, pause, resume, install, remove (and add, change)."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

import click

from icx.cli.common import Obj, group, shown, workspace
from icx.cli.due import reporter
from icx.cli.result import Result
from icx.cli.schedule_add import add, change
from icx.errors import steps
from icx.jobs.coming import coming, standing
from icx.jobs.shown import told

if TYPE_CHECKING:
    from icx.jobs.board import JobStatus

schedule = group("schedule", "Let jobs run by the clock.")
schedule.add_command(add)
schedule.add_command(change)


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
    lines += [told(found)] if found else []
    failing = [one for one in found if one.state == "failing"]
    for one in failing:
        if one.last is not None:
            lines.append(f"{one.name}: {one.last.message} [{one.last.code}]")
            lines += [f"  next  {steps(one.last.next)}"] if one.last.next else []
    text = "\n".join(lines) or "No job is saved yet. Next: icx schedule add --help"
    data = {"jobs": [one.as_dict() for one in found], "wrong": [error.as_dict() for error in found.wrong]}
    return Result("schedule-list/1", text, data)


@schedule.verb(
    "show",
    "Show one job: its choices, its answers, who is told, its last runs.",
    "icx schedule show nightly",
    "icx schedule show 'loyal weekly' --json",
)
@click.argument("name")
@click.option(
    "-n", "--count", default=5, show_default=True, type=click.IntRange(0, 1000), help="How many runs."
)
def show(obj: Obj, name: str, count: int) -> Result:
    from icx.jobs.shown import shown as lines

    ws = workspace(obj)
    found = ws.jobs()
    one = found[name]
    runs = found.runs(one.name, count)
    data = one.as_dict() | {"choices": one.job.choices(), "runs": [ran.as_dict() for ran in runs]}
    return Result("schedule-show/1", "\n".join(lines(one, runs, ws.clock.now())), data)


@schedule.verb(
    "run",
    "Run a job now, by hand, also a paused one; its next time by the clock stays.",
    "icx schedule run nightly",
    "icx schedule run 'loyal weekly' --json",
)
@click.argument("name")
def run(obj: Obj, name: str) -> Result:
    _, console = obj
    ws = workspace(obj)
    ran = ws.run_job(name, progress=reporter(console))
    if ran.problem is not None:
        code = ran.problem.exit_code
        return Result("schedule-run/1", str(ran), ran.as_dict(), code, run=ran.run, problem=ran.problem)
    text = f"{ran}\nBy the clock it comes next: {_standing(ws.jobs()[ran.job], ws.clock.now())}"
    return Result("schedule-run/1", text, ran.as_dict(), run=ran.run)


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
    from icx.jobs.job import everything

    ws = workspace(obj)
    root = ws.layout.root.resolve()
    ways = [ws.settings.alert_webhook, *(job.alert.webhook for job in everything(ws.layout.jobs)[0])]
    unset = sorted({webhook[4:] for webhook in ways if webhook.startswith("env:")})
    there = (
        [f"# and {', '.join(unset)} set there too: neither cron nor systemd reads your shell's"]
        if unset
        else []
    )
    if cron:
        line = crontab(program(), root)
        told = [line, "# Next: crontab -e, and this line in it", *there]
        return Result("install/1", "\n".join(told), {"crontab": line})
    units = systemd(program(), root, always=always)
    name = units[-1].path.rpartition("/")[2]
    lines = [f"# {unit.path}\n{unit.text}" for unit in units]
    lines.append(f"# Next: write the files above, then systemctl --user enable --now {name}")
    lines += there
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
