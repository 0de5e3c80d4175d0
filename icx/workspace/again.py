"""The verbs of a repeated run, each with its inputs, its record, and whether what it made still stands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from icx.errors import IcxError, NeedsYou, Refused
from icx.store import one_row
from icx.workspace.once import data, files, once, place, settings

if TYPE_CHECKING:
    from icx.plan import Applied, Plan
    from icx.profile import Build
    from icx.pull import PullReport
    from icx.quality import CheckReport
    from icx.workspace.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])


def pulls(do: F) -> F:
    """Let a pull answer from the record of a repeated run."""

    @wraps(do)
    def verb(ws: Workspace, name: str | None, **asked: Any) -> PullReport:
        from icx.jobs.kept import freeze, thaw
        from icx.pull import PullReport

        saved = ws.connection(name)
        arguments = {key: value for key, value in asked.items() if key != "progress"}

        def stands(answer: Any) -> PullReport | None:
            with ws.store.open(saved.name) as con:
                row = one_row(
                    con.execute(
                        "select count(*) from pulls where pull_id = ? and state = 'complete'", [answer["run"]]
                    )
                )
            return thaw(PullReport, answer) if row and row[0] else None

        done: PullReport = once(
            ws,
            "pull",
            saved.name,
            place(saved) | arguments,
            lambda: do(ws, name, **asked),
            freeze=freeze,
            thaw=stands,
            problem=lambda report: differs(report.connection, report.ledger.red(), report.ledger.system),
        )
        return done

    return cast(F, verb)


def builds(do: F) -> F:
    """Let a build answer from the record of a repeated run."""

    @wraps(do)
    def verb(ws: Workspace, name: str | None, *, as_of: Any, **how: Any) -> Build:
        from icx.jobs.kept import freeze, thaw
        from icx.profile import Build

        saved = ws.connection(name)
        ws.accounts.enter(saved)
        read = {key: value for key, value in data(ws, saved.name).items() if key != "build"}
        scored = [ws.layout.points, ws.layout.audiences] if any(ws.layout.points.glob("*.json")) else []

        to = {"to": str(how["to"])} if how.get("to") else {}

        def stands(answer: Any) -> Build | None:
            built = thaw(Build, answer)
            there = Path(built.table).is_dir() if to else built.build_id == data(ws, saved.name)["build"]
            return built if there else None

        done: Build = once(
            ws,
            "build",
            saved.name,
            place(saved)
            | {
                "as_of": as_of,
                "read": read,
                "fields": files(ws.layout.fields, *scored),
                "set": settings(ws),
                **to,
            },
            lambda: do(ws, name, as_of=as_of, **how),
            freeze=freeze,
            thaw=stands,
        )
        return done

    return cast(F, verb)


def judgements(do: F) -> F:
    """Let checks answer from the record of a repeated run; a run whose check does not pass needs somebody."""

    @wraps(do)
    def verb(ws: Workspace, suites: Any, name: str | None) -> list[CheckReport]:
        from icx.jobs.kept import freeze, thaw
        from icx.quality import CheckReport

        saved = ws.connection(name)
        ws.accounts.enter(saved)
        done: list[CheckReport] = once(
            ws,
            "check",
            saved.name,
            place(saved)
            | {"suites": list(suites), "read": data(ws, saved.name), "own": files(ws.layout.expectations)},
            lambda: do(ws, suites, name),
            freeze=freeze,
            thaw=lambda answer: [thaw(CheckReport, each) for each in answer],
            problem=did_not_pass,
        )
        return done

    return cast(F, verb)


def plans(do: F) -> F:
    """Let a plan answer from the record of a repeated run, as long as it is not closed."""

    @wraps(do)
    def verb(ws: Workspace, audience: Any, to: str, **asked: Any) -> Plan:
        from icx.rules import to_json

        found = ws.audience(audience) if isinstance(audience, str) else audience
        connection = found.connection or (found.people.connection if found.people else None)
        saved = ws.connection(connection)
        ws.accounts.enter(saved)
        inputs = asked | {
            "rule": to_json(found.rule),
            "audiences": files(ws.layout.audiences),
            "read": data(ws, saved.name),
            "set": settings(ws),
            "policy": asked["policy"].as_dict() if asked.get("policy") else None,
            "overrides": dict(asked.get("overrides") or {}),
        }
        return _planned(
            ws, "plan", f"{found.name} to {to}", place(saved) | inputs, lambda: do(ws, audience, to, **asked)
        )

    return cast(F, verb)


def undos(do: F) -> F:
    """Let the plan of a way back answer from the record of a repeated run."""

    @wraps(do)
    def verb(ws: Workspace, plan: Any) -> Plan:
        plan_id = plan if isinstance(plan, str) else plan.plan_id
        return _planned(ws, "undo", plan_id, {"plan": plan_id}, lambda: do(ws, plan))

    return cast(F, verb)


def retries(do: F) -> F:
    """Let the plan of what did not arrive answer from the record of a repeated run."""

    @wraps(do)
    def verb(ws: Workspace, plan: Any) -> Plan:
        plan_id = plan if isinstance(plan, str) else plan.plan_id
        return _planned(ws, "retry", plan_id, {"plan": plan_id}, lambda: do(ws, plan))

    return cast(F, verb)


def applies(do: F) -> F:
    """Let an apply answer from the record of a repeated run when it finished; a dry run shows the plan instead."""

    @wraps(do)
    def verb(ws: Workspace, plan: Any, **asked: Any) -> Applied:
        from icx.jobs.kept import freeze, thaw
        from icx.plan import Applied

        plan_id = plan if isinstance(plan, str) else plan.plan_id
        if ws.inside is not None and not ws.inside.apply:
            _show(_loaded(ws, plan_id))
            return Applied(plan_id, "dry")
        done: Applied = once(
            ws,
            "apply",
            plan_id,
            {"plan": plan_id, "test": asked.get("test")},
            lambda: do(ws, plan, **asked),
            freeze=freeze,
            thaw=lambda answer: thaw(Applied, answer),
            finished=lambda done: done.state in {"finished", "tested"},
            problem=lambda done: _unfinished(done) or done.problem(ws.settings.refused_share),
        )
        return done

    return cast(F, verb)


def differs(connection: str, red: list[Any], system: str) -> Refused | None:
    """Return that units are red: what is stored is not what the service counts; None when none is."""
    if not red:
        return None
    cell, more = red[0], len(red) - 1
    service = "not known" if cell.service is None else f"{cell.service:,}"
    again = ["--unit", cell.unit.name] if cell.unit.message_id is not None else ["--full"]
    return Refused(
        "ledger-differs",
        f"Stored and counted differ: {cell.stored:,} here, {service} at {system}.",
        where=cell.name + (f", and {more} more" if more else ""),
        kept="every other cell",
        next=[["icx", "pull", connection, *again]],
    )


def did_not_pass(reports: list[CheckReport]) -> NeedsYou | None:
    """Return that the data did not pass, or None when every suite did."""
    wrong = [report for report in reports if not report.ok]
    if not wrong:
        return None
    return NeedsYou(
        "check-failed",
        f"The data did not pass: {wrong[0].failed[0].line}.",
        where="; ".join(f"suite {report.suite}, {report.judged}" for report in wrong),
        kept="everything that was pulled and built; nothing was sent",
        next=wrong[0].next() or [["icx", "check", wrong[0].suite]],
    )


def _unfinished(done: Applied) -> IcxError | None:
    if done.state in {"finished", "tested"} and not done.in_doubt:
        return None
    return NeedsYou(
        "apply-unfinished",
        f"{done.plan_id} is not finished: {done.added:,} added, {done.not_sent:,} not sent, {done.in_doubt:,} in doubt.",
        where=done.plan_id,
        kept="what was sent is recorded and is not sent again",
        next=[["icx", "apply", done.plan_id]],
    )


def _loaded(ws: Workspace, plan_id: str) -> Plan:
    from icx.plan import load
    from icx.workspace.pushing import carried

    return carried(ws, load(ws.plan_journal, plan_id))


def _planned(ws: Workspace, verb: str, what: str, inputs: dict[str, Any], do: Callable[[], Plan]) -> Plan:
    """Return what a verb planned, from the record as long as that plan is not closed."""

    def stands(plan_id: str) -> Plan | None:
        found = _loaded(ws, plan_id)
        return None if found.state == "closed" else found

    return once(ws, verb, what, inputs, do, freeze=lambda made: made.plan_id, thaw=stands)


def _show(plan: Plan) -> None:
    """Put the plan where the apply would have been told."""
    if "IPython" in sys.modules:
        from IPython.display import HTML, display

        display(HTML(plan._repr_html_()))  # type: ignore[no-untyped-call]
    else:
        sys.stdout.write(f"{plan}\n")
