"""Pushing: an audience's people as values, the checks they rest on, the plan, and its way to the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput
from icx.store import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from icx.audience import Audience
    from icx.plan import Applied, Plan, Policy
    from icx.plan.match import Target
    from icx.quality import Gate
    from icx.workspace.workspace import Workspace


def plan(
    ws: Workspace,
    audience: Audience | str,
    to: str,
    *,
    create: bool,
    policy: Policy | None,
    overrides: Mapping[str, str] | None,
) -> Plan:
    """Return the plan that takes an audience to a list; see `Workspace.plan`."""
    from icx.plan import Policy, make

    found = ws.audience(audience) if isinstance(audience, str) else audience
    people = found.people or ws.people(found.connection or None)
    if people.as_of is not None:
        from icx.workspace.workspace import not_now

        raise not_now(f"{found.name} as of {people.as_of:%Y-%m-%d %H:%M} UTC")
    target = parse_target(ws, to)
    chosen = policy or Policy()
    if people.connection != target.connection:
        chosen = replace(chosen, match="email")
    columns = [line.column for line in chosen.mapping]
    verdict = gate(ws, people.connection, found, columns, overrides)
    saved = ws.connection(target.connection)
    ws.accounts.enter(saved)
    with ws.run("plan", saved.name) as run, ws.accounts.client(saved, run=run, push=True) as client:
        want, as_of = wanted(ws, found.of(people), columns)
        made = make(
            want,
            target=target,
            policy=chosen,
            client=client,
            store=ws.store,
            plans=ws.plan_journal,
            settings=ws.settings,
            clock=ws.clock,
            audience=found.name,
            as_of=as_of,
            who=ws.who,
            create=create,
            gate=verdict,
            run=run,
        )
    return carried(ws, made)


def wanted(ws: Workspace, audience: Audience, columns: Sequence[str]) -> tuple[pa.Table, Any]:
    """Return the people of an audience as a table (contact_id, email, email_key, the mapped columns) and its moment."""
    from icx.audience.people import members_sql

    people = audience.people
    assert people is not None
    for column in columns:
        people.catalogue.find(column, "the mapping")
    members = members_sql(people, audience)
    picked = "".join(
        f", p.{quoted(column)}" for column in columns if column not in {"contact_id", "email", "email_key"}
    )
    with people.open(audience) as (_, reading, _), ws.store.open(people.connection) as con:
        # A cursor of its own: a relation and an unfinished result do not share one.
        found = con.sql(
            f"""select p.contact_id, u.email, u.email_key{picked}
                  from profile p join icontact_users u on u.id = p.contact_id
                 where p.contact_id in ({members.text}) order by p.contact_id""",
            params=list(members.params),
        )
        rows = found.to_arrow_table()
        del found  # it would hold the cursor open
        return rows, reading.as_of


def parse_target(ws: Workspace, to: str) -> Target:
    """Return the list that `CONNECTION/lists/LIST` names; everything after the second slash is its name."""
    from icx.plan.match import Target

    parts = to.split("/", 2)
    if len(parts) != 3 or parts[1] != "lists" or not parts[0]:
        raise BadInput(
            "target",
            f'"{to}" does not name a list.',
            where="--to CONNECTION/lists/LIST, such as acme/lists/Newsletter or 'acme/lists/#3004'",
            kept="nothing was planned",
            next=[["icx", "status"]],
        )
    saved = ws.connection(parts[0])
    return Target(
        connection=saved.name,
        company=saved.company,
        account_id=saved.account_id,
        client_folder_id=saved.client_folder_id,
        folder=saved.folder_name,
        list=parts[2],
    )


def gate(
    ws: Workspace,
    connection: str,
    audience: Audience,
    mapped: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
    plan_id: str | None = None,
) -> Gate:
    """Return the verdict on the data a push uses; suites that have not judged this data do so first."""
    from icx.quality import Override, gate
    from icx.rules import fields_used, uses_events

    people = audience.people or ws.people(connection)
    with people.open(audience) as (_, reading, rule):
        columns = fields_used(rule, reading.lookup) | set(mapped)
        events = uses_events(rule, people.catalogue, reading.lookup)
    red = {cell.unit.collection for cell in ws.ledger(connection).red()}
    plan_name = plan_id or "the plan being made"
    given = [Override(key, ws.who, because, plan_name) for key, because in (overrides or {}).items()]

    def ask() -> Gate:
        return gate(
            ws.store,
            connection,
            columns=columns,
            uses_events=events,
            ledger_red=red,
            overrides=given,
            suites=[ws.layout.expectations],
        )

    found = ask()
    if found.stale:
        ws.checks(found.stale, name=connection)
        found = ask()
    return found


def apply(
    ws: Workspace,
    plan: Plan | str,
    *,
    answers: Mapping[str, str] | None,
    ask: Callable[[Any], str | None] | None,
    test: int | None,
    progress: Callable[[Any], None] | None,
) -> Applied:
    """Carry out a plan; see `Workspace.apply`."""
    from icx.plan import apply, load

    kept = load(ws.plan_journal, plan if isinstance(plan, str) else plan.plan_id)
    saved = ws.connection(kept.target.connection)
    with ws.run("apply", kept.plan_id) as run, ws.accounts.client(saved, run=run, push=True) as client:
        return apply(
            kept.plan_id,
            client=client,
            store=ws.store,
            plans=ws.plan_journal,
            settings=ws.settings,
            clock=ws.clock,
            who=ws.who,
            answers=dict(answers or {}),
            ask=ask,
            test=test,
            progress=progress,
            run=run,
        )


def undo(ws: Workspace, plan: Plan | str) -> Plan:
    """Plan the way back; see `Workspace.undo`."""
    from icx.plan import inverse, load

    kept = load(ws.plan_journal, plan if isinstance(plan, str) else plan.plan_id)
    saved = ws.connection(kept.target.connection)
    with ws.run("undo", kept.plan_id) as run, ws.accounts.client(saved, run=run, push=True) as client:
        made = inverse(
            kept.plan_id,
            client=client,
            store=ws.store,
            plans=ws.plan_journal,
            settings=ws.settings,
            clock=ws.clock,
            who=ws.who,
            run=run,
        )
    return carried(ws, made)


def carried(ws: Workspace, plan: Plan) -> Plan:
    """Return the plan with the hand that can apply it, so that `plan.apply()` works in a notebook."""
    return plan
