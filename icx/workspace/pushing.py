"""Pushing: an audience's people as values, the plan, and its way to the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput, NeedsYou
from icx.store import quoted
from icx.workspace import again, verdict
from icx.workspace.hearing import hear
from icx.workspace.resting import check_rest, resting

if TYPE_CHECKING:
    import pyarrow as pa

    from icx.audience import Audience
    from icx.icontact import Waiting
    from icx.plan import Applied, Plan, Policy
    from icx.plan.match import Target
    from icx.plan.retry import Among
    from icx.widgets.mapping import MappingEditor
    from icx.widgets.plan import PlanView
    from icx.workspace.workspace import Workspace

Answer = Callable[[Any, int, int], "str | None"]


@dataclass(frozen=True)
class Hand:
    """The workspace as a plan knows it: `plan.apply()` in a notebook ends here."""

    ws: Workspace

    def apply(
        self,
        plan: Plan,
        *,
        answers: Mapping[str, str] | None,
        test: int | None,
        progress: Callable[[Any], None] | None,
        ending: Callable[[], bool] | None = None,
    ) -> Applied:
        try:
            return apply(
                self.ws, plan, answers=answers, ask=None, test=test, progress=progress, ending=ending
            )
        except NeedsYou as error:
            stops = error.data.get("stops")
            if error.code == "needs-answer" and stops:
                asked = {stop["key"]: stop.get("confirm") or "how they agreed" for stop in stops}
                error.next = [f"plan.apply(confirm={asked!r})", *error.next]
            raise

    def undo(self, plan: Plan) -> Plan:
        return undo(self.ws, plan)

    def retry(self, plan: Plan) -> Plan:
        return retry(self.ws, plan)

    def show(self, plan: Plan) -> PlanView:
        from icx.widgets.plan import PlanView

        return PlanView(plan)

    @property
    def refused_share(self) -> float:
        return self.ws.settings.refused_share


@again.plans
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
    from icx.plan import Policy

    found = ws.audience(audience) if isinstance(audience, str) else audience
    return planned(ws, found, parse_target(ws, to), policy or Policy(), create, overrides or {})


def planned(
    ws: Workspace,
    found: Audience,
    target: Target,
    policy: Policy,
    create: bool,
    overrides: Mapping[str, str],
    among: Among | None = None,
    only: Sequence[int] | None = None,
) -> Plan:
    """Return the plan of an audience, or of `only` these contacts instead of its members."""
    from icx.plan import make
    from icx.quality import warm

    people = found.people or ws.people(found.connection or None)
    if people.as_of is not None:
        raise not_now(f"{found.name} as of {people.as_of:%Y-%m-%d %H:%M} UTC")
    chosen = policy
    if people.connection != target.connection:
        chosen = replace(chosen, match="email")
    columns = [line.column for line in chosen.mapping]
    warm()  # the plan's own rows are judged at the end; what judges them loads while the list is read
    found = found.of(people)
    uses = verdict.uses(ws, found, columns, overrides)
    answer = verdict.ask(ws, uses)
    saved = ws.connection(target.connection)
    ws.accounts.enter(saved)
    with ws.noted("plan", saved.name) as run, ws.accounts.client(saved, run=run, push=True) as client:
        want, as_of = wanted(found, columns, only)
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
            gate=answer,
            override=verdict.override(ws, uses, answer),
            uses=uses,
            among=among,
            run=run,
        )
        made = replace(made, checks=verdict.judge_rows(ws, made, run))
    return carried(ws, made)


def mapping(ws: Workspace, audience: Audience | str, to: str, policy: Policy | None) -> MappingEditor:
    """Return the editor of a push's field mapping; see `Workspace.mapping`."""
    from icx.plan.match import find
    from icx.plan.view import place_boxes
    from icx.widgets.mapping import MappingEditor

    found = ws.audience(audience) if isinstance(audience, str) else audience
    people = found.people or ws.people(found.connection or None)
    target = parse_target(ws, to)
    saved = ws.connection(target.connection)
    with ws.noted("mapping", saved.name) as run, ws.accounts.client(saved, run=run) as client:
        target = find(target, list(client.rows("lists")), client, create=True, audience=found.name)
        custom = list(client.rows("customfields"))
    bound = found.of(people)
    return MappingEditor(
        audience=found.name,
        places=place_boxes(target),
        columns=[(one.name, one.type, one.description) for one in people.catalogue.values() if not one.gone],
        custom=custom,
        people=lambda columns: wanted(bound, columns)[0],
        policy=policy,
    )


def wanted(
    audience: Audience, columns: Sequence[str], only: Sequence[int] | None = None
) -> tuple[pa.Table, Any]:
    """Return the people of an audience as a table (contact_id, email, email_key, the mapped columns) and its moment.

    With `only` they are these contacts, as far as they are in the profile.
    """
    from icx.audience.people import choice
    from icx.rules import Sql

    people = audience.people
    assert people is not None
    for column in columns:
        people.catalogue.find(column, "the mapping")
    own = {"contact_id", "email", "email_key"}
    picked = "".join(f", p.{quoted(column)}" for column in columns if column not in own)
    with people.open(audience) as (_, reading, rule), people.store.open(people.connection) as con:
        # A cursor of its own: a relation and an unfinished result do not share one.
        members = (
            choice(people, rule, reading)
            if only is None
            else Sql("select unnest(?::bigint[])", (list(only),))
        )
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
    if len(parts) != 3 or parts[1] != "lists" or not parts[0] or not parts[2]:
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


@again.applies
def apply(
    ws: Workspace,
    plan: Plan | str,
    *,
    answers: Mapping[str, str] | None,
    ask: Answer | None,
    test: int | None,
    progress: Callable[[Any], None] | None,
    ending: Callable[[], bool] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Applied:
    """Carry out a plan; see `Workspace.apply`."""
    from icx.plan import Progress, apply, load

    kept = load(ws.plan_journal, plan if isinstance(plan, str) else plan.plan_id)
    saved = ws.connection(kept.target.connection)
    ahead = kept.state in {"open", "applying"}
    if ahead:
        check_rest(ws, kept.plan_id)
        verdict.hold(ws, kept, overrides or {})

    def waits(waiting: Waiting) -> None:
        why = f"{waiting.why}, try {waiting.attempt}"
        tell(Progress("waiting for iContact", 0, note=why, waiting_until=waiting.until))

    with (
        ws.noted("apply", kept.plan_id) as run,
        ws.accounts.client(saved, run=run, push=True, on_wait=waits) as client,
    ):
        tell = hear(ws, run, progress)
        done = apply(
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
            progress=tell,
            checked="uses" in kept.checks,
            ending=resting(ws, ending),
            run=run,
        )
    if ahead and done.state == "finished":
        remember(ws, kept)
    return done


def remember(ws: Workspace, plan: Plan) -> None:
    """Store who was in the audience at this push, so that entered and left can be told later."""
    from icx.audience import Audience, snapshot
    from icx.rules import from_json

    uses = plan.checks.get("uses")
    if not uses or not plan.audience or plan.policy.trigger:  # nobody's audience
        return
    people = ws.people(uses["connection"])
    snapshot(people, Audience(plan.audience, from_json(uses["rule"]), people.connection), ws.clock.now())


@again.undos
def undo(ws: Workspace, plan: Plan | str) -> Plan:
    """Plan the way back; see `Workspace.undo`."""
    from icx.plan import inverse, load

    kept = load(ws.plan_journal, plan if isinstance(plan, str) else plan.plan_id)
    saved = ws.connection(kept.target.connection)
    with ws.noted("undo", kept.plan_id) as run, ws.accounts.client(saved, run=run, push=True) as client:
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


@again.retries
def retry(ws: Workspace, plan: Plan | str) -> Plan:
    """Plan again what did not arrive; see `Workspace.retry`."""
    from icx.audience import Audience
    from icx.plan import load
    from icx.plan.retry import not_arrived, nothing
    from icx.rules import from_json

    kept = load(ws.plan_journal, plan if isinstance(plan, str) else plan.plan_id)
    among = not_arrived(ws.plan_journal, kept.plan_id)
    if kept.policy.undo_of:
        return undo(ws, kept.policy.undo_of)  # what is left of a way back is a way back
    uses = kept.checks.get("uses")
    if uses is None:
        raise nothing(kept.plan_id, "it was not made of an audience")
    policy = replace(
        kept.policy,
        stale=kept.policy.stale if among.leaving else "stay",
        retry_of=kept.plan_id,
        tried=among.people,
    )
    place = ws.plan_journal.get(kept.plan_id).place
    target = replace(kept.target, list=f"#{place.list_id}", list_id=None, create=False)
    audience = Audience(kept.audience, from_json(uses["rule"]), uses["connection"])
    return planned(ws, audience, target, policy, False, {}, among)


def carried(ws: Workspace, plan: Plan) -> Plan:
    """Return the plan with the hand that can apply it, so that `plan.apply()` works in a notebook."""
    return replace(plan, hand=Hand(ws))


def not_now(what: str) -> NeedsYou:
    """Return the refusal to act on a past profile."""
    return NeedsYou(
        "not-now",
        "A past audience is for looking, not for sending.",
        where=what,
        kept="nothing was sent",
        next=["the same without --as-of"],
    )
