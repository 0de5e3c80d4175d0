"""Jobs in a workspace: how each kind does its work, where jobs are kept, who runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput, IcxError, NeedsYou, Refused, TryLater
from icx.jobs import alerts
from icx.jobs.board import Jobs
from icx.jobs.history import History
from icx.jobs.job import Job, checked, save
from icx.jobs.run_due import Done, Executor, RunDue

if TYPE_CHECKING:
    from icx.plan import Applied
    from icx.plan.stops import Stop
    from icx.workspace.workspace import Workspace

#: Stops that count people: the answer given beforehand is how many there may be at most.
AT_MOST = ("growth", "removals", "unsubscribe")


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
    if job.kind == "notebook":
        from icx.jobs import parameters
        from icx.workspace.running import runner

        path = runner(ws).find(job.notebook)
        values = parameters.checked(path, parameters.of_notebook(path), job.params)
        job = replace(job, params={name: parameters.as_json(values[name]) for name in job.params})
    return job


def jobs(ws: Workspace) -> Jobs:
    """Return the jobs as they are now; see `Workspace.jobs`."""
    return Jobs(ws.layout.jobs, History(ws.journal), ws.clock, ws.who)


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
            "export": lambda job, again: _export(ws, job, progress),
        },
        clock=ws.clock,
        who=ws.who,
        sizes=lambda job: _size(ws, job),
        progress=say,
    )


def run_due(ws: Workspace, progress: Callable[[Any], None] | None) -> RunDue:
    """Run what is due; see `Workspace.run_due`."""
    if ws.inside is not None and not ws.inside.apply:
        # A job that could not send would be noted as done for its time.
        raise ws.inside.refuses("run-due")
    return executor(ws, progress).run_due()


def typed_params(ws: Workspace, notebook: str, words: Sequence[str]) -> dict[str, Any]:
    """Return what `-p NAME=VALUE` gives, each value of the type that the notebook declares."""
    from icx.jobs import parameters
    from icx.workspace.running import runner

    path = runner(ws).find(notebook)
    return parameters.typed(path, parameters.of_notebook(path), words, called=notebook)


# --- the kinds ----------------------------------------------------------------------------------------------------------


def _notebook(ws: Workspace, job: Job, again: str, progress: Callable[[Any], None] | None) -> Done:
    """Run a notebook; a try before is repeated, so that what it finished is not done again."""
    run = (
        ws.run(again=again, progress=progress)
        if again
        else ws.run(job.notebook, job.params, progress=progress)
    )
    problem = run.problem()
    if run.state in {"failed", "stopped"}:
        raise problem_of(run.id, problem)
    return Done(f"{run.notebook.name} ({run.id})", {}, problem, run.id)


def problem_of(run: str, problem: IcxError | None) -> IcxError:
    """Return why a notebook failed, with its run, so that the next try can repeat it."""
    found = problem or TryLater("stopped", "The notebook was stopped.", where=run)
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


def _export(ws: Workspace, job: Job, progress: Callable[[Any], None] | None) -> Done:
    """Plan and apply, with the answers given beforehand; what was cut off is finished first."""
    from icx.plan import Policy
    from icx.workspace.pushing import parse_target

    target = parse_target(ws, job.to)
    for kept in ws.plan_journal.all():
        names = (kept.list_name, f"#{kept.place.list_id}")
        if kept.state == "applying" and kept.connection == target.connection and target.list in names:
            _whole(ws.apply(kept.plan_id, progress=progress), job.to)
    made = ws.plan(job.audience, job.to, create=job.create, policy=Policy(stale=job.stale))
    size = made.counts.wanted
    if alerts.outside(job, size):
        raise NeedsYou(
            "size-band",
            f"{job.audience}: {size:,} people, outside its band {alerts.band(job)}.",
            where=f"the job {job.name}; {made.plan_id}",
            kept="the plan; nothing was sent",
            next=[["icx", "audience", "show", job.audience]],
            data={"size": size},
        )
    done = _whole(ws.apply(made, answers=beforehand(made.stops, job.answers), progress=progress), job.to)
    limit = ws.settings.refused_share if job.refused_share is None else job.refused_share
    figures = {
        "plan": made.plan_id,
        "size": size,
        "added": done.added,
        "refused_by_consent": made.counts.refused,
        "refused_by_service": done.refused_by_service,
        "left_out": sum(done.left_out.values()),
    }
    return Done(f"{made.plan_id}: {done.added:,} added", figures, done.problem(limit))


def _whole(done: Applied, to: str) -> Applied:
    """Return an apply that is finished; another try goes on with one that is not."""
    if done.state in {"stopped", "waiting"} or done.in_doubt:
        raise TryLater(
            "in-doubt",
            f"{done.plan_id} is not finished: {done.not_sent:,} not sent, {done.in_doubt:,} in doubt.",
            where=to,
            kept=f"{done.added:,} added and recorded; nothing is sent twice",
            next=[["icx", "apply", done.plan_id]],
        )
    return done


def beforehand(stops: Sequence[Stop], answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers to a plan's stops from those a job was given: for a count, how many there may be at most.

    >>> from icx.plan.stops import Stop
    >>> beforehand([Stop("growth", "312", "", "")], {"growth": "500", "first-push": "y"})
    {'growth': '312', 'first-push': 'y'}
    >>> beforehand([Stop("growth", "812", "", "")], {"growth": "500"})
    {}
    """
    given = dict(answers)
    for stop in stops:
        if stop.key not in AT_MOST or stop.key not in given:
            continue
        limit = given.pop(stop.key).replace(",", "").strip()
        if limit.isascii() and limit.isdigit() and int(stop.confirm) <= int(limit):
            given = {stop.key: stop.confirm} | given
    return given


def _size(ws: Workspace, job: Job) -> int:
    """Store who is in a job's audience now, and return how many they are."""
    from icx.audience import snapshot

    audience = ws.audience(job.audience)
    people = audience.people
    if people is None:
        raise BadInput("audience-unbound", "The audience has nobody to count.", where=job.audience)
    return snapshot(people, audience, ws.clock.now()).size
