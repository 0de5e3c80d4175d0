"""Jobs in a workspace: how each kind does its work, where jobs are kept, who runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput, IcxError, NeedsYou, Refused, TryLater
from icx.jobs import alerts, answers
from icx.jobs.board import Jobs
from icx.jobs.history import History, Ran
from icx.jobs.job import Alert, Job, bad, checked, load, save
from icx.jobs.run_due import Done, Executor, RunDue
from icx.plan.stops import Stop, confirm_options
from icx.workspace.exporting import export
from icx.workspace.tidying import daily

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace

#: What of a job can be changed; another audience, list or notebook is another job.
CHANGED = {
    *(
        "every",
        "zone",
        "description",
        "params",
        "answers",
        "stale",
        "contacts_only",
        "create",
        "overlap",
        "missed",
    ),
    *("retries", "backoff", "band", "refused_share", "alert_command", "alert_webhook"),
}


def keep(ws: Workspace, job: Job) -> Job:
    """Save a job, and return it as it was saved; raise what is wrong with it, or what it names and is not there."""
    job = _there(ws, checked(job))
    save(ws.layout.jobs, job)
    return job


def _there(ws: Workspace, job: Job) -> Job:
    """Return a job with its parameters read; raise what it names and is not there."""
    from icx.workspace.pushing import parse_target

    if job.connection:
        ws.connection(job.connection)
    if job.audience:
        ws.audience(job.audience)
    if job.kind == "export":
        from icx.plan import Policy

        parse_target(ws, job.to)
        Policy(stale=job.stale)  # raises what it cannot be
    if job.kind == "trigger":
        job = replace(job, trigger=ws.trigger(job.trigger).name)
    if job.kind == "sync":
        job = replace(job, sync=ws.sync(job.sync).name)
    if job.kind in {"export", "trigger", "sync"} and (why := answers.wrong(job.answers)):
        raise bad(job.name, why, "mend that --confirm, then the same command")
    if job.kind == "notebook":
        from icx.jobs import parameters
        from icx.workspace.running import runner

        path = runner(ws).find(job.notebook)
        values = parameters.checked(path, parameters.of_notebook(path), job.params)
        job = replace(job, params={name: parameters.as_json(values[name]) for name in job.params})
        if why := answers.without_most(job.params):
            raise bad(job.name, why, "mend that -p, then the same command")
    return job


def jobs(ws: Workspace) -> Jobs:
    """Return the jobs as they are now; see `Workspace.jobs`."""
    return Jobs(ws.layout.jobs, History(ws.journal), ws.clock, ws.who, alerts.usual(ws.settings))


def executor(ws: Workspace, progress: Callable[[Any], None] | None = None) -> Executor:
    """Return what runs the jobs of a workspace."""

    def say(text: str) -> None:
        if progress is not None:
            progress(text)

    return Executor(
        ws.layout.jobs,
        ws.journal,
        {
            "notebook": lambda job, again: _notebook(ws, job, again, progress),
            "import": lambda job, again: _import(ws, job, progress),
            "export": lambda job, again: export(ws, job, progress),
            "trigger": lambda job, again: _trigger(ws, job, progress),
            "sync": lambda job, again: _sync(ws, job, progress),
        },
        clock=ws.clock,
        who=ws.who,
        sizes=lambda job: _size(ws, job),
        usual=alerts.usual(ws.settings),
        progress=say,
    )


def run_due(ws: Workspace, progress: Callable[[Any], None] | None) -> RunDue:
    """Run what is due; see `Workspace.run_due`."""
    if ws.inside is not None and not ws.inside.apply:
        # A job that could not send would be noted as done for its time.
        raise ws.inside.refuses("run-due")
    done = executor(ws, progress).run_due()
    return replace(done, tidied=daily(ws))


def run_job(ws: Workspace, name: str, progress: Callable[[Any], None] | None) -> Ran:
    """Run a job by hand; see `Workspace.run_job`."""
    if ws.inside is not None and not ws.inside.apply:
        raise ws.inside.refuses(f"schedule run {name}")
    return executor(ws, progress).run_now(name)


def change(ws: Workspace, name: str, changes: Mapping[str, Any]) -> Job:
    """Save a job with some of its choices changed; see `Workspace.change_job`."""
    job = load(ws.layout.jobs, name)
    given = dict(changes)
    if unknown := sorted(set(given) - CHANGED):
        raise bad(
            job.name, f"{unknown[0]} is nothing that can be changed", f"one of {', '.join(sorted(CHANGED))}"
        )
    for key in ("params", "answers"):
        if key in given:
            given[key] = {**getattr(job, key), **given[key]}
    command, webhook = given.pop("alert_command", None), given.pop("alert_webhook", None)
    given["alert"] = Alert(
        job.alert.command if command is None else tuple(command),
        job.alert.webhook if webhook is None else webhook,
    )
    made = replace(job, **given)
    if (made.every, made.zone) != (job.every, job.zone):
        made = replace(
            made, counts_from=ws.clock.now()
        )  # times of the new clock that passed are no missed ones
    return keep(ws, made)


def typed_params(ws: Workspace, notebook: str, words: Sequence[str]) -> dict[str, Any]:
    """Return what `-p NAME=VALUE` gives, each value of the type that the notebook declares."""
    from icx.jobs import parameters
    from icx.workspace.running import runner

    path = runner(ws).find(notebook)
    return parameters.typed(path, parameters.of_notebook(path), words, called=notebook)


# --- the kinds ----------------------------------------------------------------------------------------------------------


def _notebook(ws: Workspace, job: Job, again: str, progress: Callable[[Any], None] | None) -> Done:
    """Run a notebook; a try before is repeated, so that what it finished is not done again."""
    if why := answers.without_most(job.params):  # of a job that an older icx kept
        raise NeedsYou(
            "needs-answer",
            f'The job "{job.name}" would let any number of welcome messages go.',
            where=why,
            kept="the notebook was not started",
            next=[["icx", "schedule", "change", job.name, "-p", 'NAME={"welcome": "LIST:MOST"}']],
        )
    run = (
        ws.run(again=again, progress=progress)
        if again
        else ws.run(job.notebook, job.params, progress=progress)
    )
    problem = run.problem()
    if run.state in {"failed", "stopped"}:
        raise problem_of(run.id, problem)
    return Done(f"{run.notebook.name} ({run.id})", {}, problem, run.id)


def _trigger(ws: Workspace, job: Job, progress: Callable[[Any], None] | None) -> Done:
    """Do what is due of a trigger; what it asks is answered by the job, or it waits for somebody."""
    from icx.workspace.firing import run

    if ws.trigger(job.trigger).paused is not None:
        return Done(f"{job.trigger} is paused", {})
    try:
        done = run(
            ws, job.trigger, given=lambda asked: answers.beforehand(asked, job.answers), progress=progress
        )
    except NeedsYou as error:
        if error.code == "needs-answer":  # once by hand, as it says already; or from now on
            lasting = [word for stop in error.data["stops"] for word in ("--confirm", answers.lasting(stop))]
            error.next = [*error.next, ["icx", "schedule", "change", job.name, *lasting]]
        raise
    figures = {key: value for key, value in done.as_dict().items() if isinstance(value, int | str)}
    return Done(str(done), figures, done.problem)


def _sync(ws: Workspace, job: Job, progress: Callable[[Any], None] | None) -> Done:
    """Bring two systems in step; what its plan asks is answered by the job, or it waits for somebody."""
    from icx.workspace.synced import by_the_clock

    if ws.sync(job.sync).paused is not None:
        return Done(f"{job.sync} is paused", {})

    def given(stops: Sequence[Stop]) -> dict[str, str]:
        found = answers.beforehand(stops, job.answers)
        if (lacking := answers.unanswered(job, f"sync {job.sync}", stops, found)) is not None:
            lacking.next[0] = ["icx", "sync", "apply", job.sync, *confirm_options(stops)]
            raise lacking
        return found

    done = by_the_clock(ws, job.sync, given=given, progress=progress)
    limit = ws.settings.refused_share if job.refused_share is None else job.refused_share
    figures = {"plan": done.plan_id, "written": done.written, "left_out": sum(done.left_out.values())}
    figures |= {"refused_by_service": sum(done.refused.values())}
    return Done(f"{done.plan_id}: {done.written:,} written", figures, done.problem(limit))


def problem_of(run: str, problem: IcxError | None) -> IcxError:
    """Return why a notebook failed, with its run, so that the next try can repeat it."""
    found = problem or TryLater(
        "stopped",
        "The notebook was stopped.",
        where=run,
        kept="what it did until then",
        next=[["icx", "run", "--again", run]],
    )
    found.data["run"] = run
    return found


def _import(ws: Workspace, job: Job, progress: Callable[[Any], None] | None) -> Done:
    """Pull, build, check."""
    report = ws.pull(job.connection, contacts_only=job.contacts_only, progress=progress)
    built = ws.build(job.connection, progress=progress)
    suites = ["contacts", "profile"] if job.contacts_only else []
    found = ws.checks(suites, name=job.connection)
    figures: dict[str, Any] = {"people": built.people, "fields": built.fields}
    figures["checks_failed"] = sum(not each.ok for each in found)
    red = report.ledger.red()
    figures["ledger_red"] = len(red)
    problem: IcxError | None = None
    if red:
        problem = Refused(
            "ledger-differs",
            f"Stored and counted differ in {len(red):,} unit{'' if len(red) == 1 else 's'}.",
            where=red[0].name,
            kept="every other cell",
            next=[["icx", "status", job.connection]],
        )
    elif figures["checks_failed"]:
        problem = NeedsYou(
            "check-failed",
            f"The data did not pass: {', '.join(each.suite for each in found if not each.ok)}.",
            where=job.connection,
            kept="what was pulled and built; pushes wait",
            next=[["icx", "check", "--connection", job.connection]],
        )
    return Done(f"{built.people:,} people, {len(found)} suites", figures, problem)


def _size(ws: Workspace, job: Job) -> int:
    """Store who is in a job's audience now, and return how many they are."""
    from icx.audience import snapshot

    audience = ws.audience(job.audience)
    people = audience.people
    if people is None:
        raise BadInput(
            "audience-unbound",
            "The audience has nobody to count.",
            where=job.audience,
            kept="nothing was sent",
            next=[["icx", "audience", "show", job.audience]],
        )
    return snapshot(people, audience, ws.clock.now()).size
