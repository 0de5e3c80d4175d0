"""The verdict on what a push rests on: asked when it is planned, and again before it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput

if TYPE_CHECKING:
    from icx.audience import Audience
    from icx.plan import Plan
    from icx.quality import Gate
    from icx.workspace.workspace import Workspace

PERSONAL = ("email", "email_key", "fields")


def uses(
    ws: Workspace, audience: Audience, mapped: Sequence[str], overrides: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a push of this audience rests on, as the plan keeps it: columns, events, the rule, overrides."""
    from icx.rules import fields_used, to_json, uses_events

    people = audience.people or ws.people(audience.connection or None)
    with people.open(audience) as (_, reading, rule):
        columns = fields_used(rule, reading.lookup) | set(mapped)
        events = uses_events(rule, people.catalogue, reading.lookup)
    return {
        "connection": people.connection,
        "columns": sorted(columns),
        "events": events,
        "rule": to_json(audience.rule),
        "overrides": dict(overrides),
    }


def ask(ws: Workspace, uses: Mapping[str, Any], plan: str | None = None) -> Gate:
    """Return the gate's answer; suites that have not judged this data do so first.

    With `plan` its own rows are judged too, and the overrides it was made with hold.
    """
    from icx.quality import Override, gate
    from icx.workspace.bringing import judge

    connection = uses["connection"]
    red = {cell.unit.collection for cell in ws.ledger(connection).red()}
    lifted = [Override(key, ws.who, because, plan or "") for key, because in uses["overrides"].items()]

    def answer() -> Gate:
        return gate(
            ws.store,
            connection,
            columns=set(uses["columns"]),
            uses_events=bool(uses["events"]),
            ledger_red=red,
            overrides=lifted,
            plan=plan,
            plan_suite=plan is not None,
            suites=[ws.layout.expectations],
        )

    found = answer()
    standing = [name for name in found.stale if name != "plan"]
    if standing:
        judge(ws, standing, connection)  # the gate's own asking; what it finds is told by the plan
        found = answer()
    return found


def override(ws: Workspace, uses: Mapping[str, Any], gate: Gate) -> dict[str, Any] | None:
    """Return the override that lets this plan pass, or None; naming what did not fail is a mistake and is said."""
    given: Mapping[str, str] = uses["overrides"]
    failed = _failed(uses, gate, given)
    if not given or set(failed) - set(given):
        return None
    return {"check": ", ".join(given), "who": ws.who, "because": "; ".join(sorted(set(given.values())))}


def _failed(
    uses: Mapping[str, Any], gate: Gate, given: Iterable[str], kept: str = "nothing was planned"
) -> list[str]:
    """Return what failed; raise override-unknown when one of `given` is not among it."""
    failed = [one.key for one in gate.failed]
    for key in given:
        if key not in failed:
            raise BadInput(
                "override-unknown",
                f"`{key}` holds nothing here, so there is nothing to override.",
                where=f"failed are: {', '.join(failed)}" if failed else "no check failed",
                kept=kept,
                next=[["icx", "check", "--connection", uses["connection"]]],
            )
    return failed


def judge_rows(ws: Workspace, plan: Plan, run: str) -> dict[str, Any]:
    """Judge the plan's own rows with the suite `plan`, and return the plan's checks with that verdict."""
    from icx.quality import check

    report = check(
        ws.store,
        plan.checks["uses"]["connection"],
        "plan",
        suites=[ws.layout.expectations],
        clock=ws.clock,
        run=run,
        relation=plan.rows(),
        judged=plan.plan_id,
        personal=PERSONAL,
    )
    if report.ok:
        return plan.checks
    failed = [*plan.checks["failed"], *dict.fromkeys(one.key for one in report.failed)]
    checks = plan.checks | {"ok": False, "failed": failed, "override": None}
    ws.plan_journal.judge(plan.plan_id, checks)
    return checks


def hold(ws: Workspace, plan: Plan, overrides: Mapping[str, str]) -> None:
    """Raise check-failed or check-stale when the data a plan rests on does not pass now.

    `overrides` lift what failed since it was made; they are kept with the plan and written into the record.
    """
    uses = plan.checks.get("uses")
    if uses is None:
        return
    overrides = {key: why for key, why in overrides.items() if key not in uses["overrides"]}
    found = ask(ws, uses, plan.plan_id)
    if "plan" in found.stale:
        with ws.noted("check", plan.plan_id) as run:
            judge_rows(ws, plan, run)
        found = ask(ws, uses, plan.plan_id)
    kept = (
        "the plan; nothing was sent"
        if plan.state == "open"
        else "what was sent before; nothing more was sent"
    )
    if overrides:
        failed = _failed(uses, found, overrides, kept)
        uses = dict(uses) | {"overrides": {**uses["overrides"], **overrides}}
        found = ask(ws, uses, plan.plan_id)
    error = found.error(uses["connection"])
    if error is not None:
        error.kept = kept
        if found.failed:
            lifted = [word for one in found.failed for word in ("--override", one.key)]
            error.next = [*error.next, ["icx", "apply", plan.plan_id, *lifted, "--because", "WHY"]]
        raise error
    if overrides:
        _overrode(ws, plan, uses, failed, overrides)


def _overrode(
    ws: Workspace, plan: Plan, uses: Mapping[str, Any], failed: Sequence[str], overrides: Mapping[str, str]
) -> None:
    """Keep with the plan, and in the record, what was lifted by whom and why."""
    from icx.plan.make import note

    because = "; ".join(sorted(set(overrides.values())))
    word = {"check": ", ".join(overrides), "who": ws.who, "because": because}
    checks = plan.checks | {"ok": False, "failed": list(failed), "uses": dict(uses), "override": word}
    ws.plan_journal.judge(plan.plan_id, checks)
    note(ws.store, ws.clock, ws.who, "overrode", f"{plan.plan_id}: {word['check']}", because=because)
