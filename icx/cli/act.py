"""Commands that end at a list: plan, apply, undo, retry, plans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from icx.cli.common import Obj, command, shown, workspace
from icx.cli.progress import reporter
from icx.cli.result import Result
from icx.errors import BadInput, IcxError, NeedsYou

if TYPE_CHECKING:
    from icx.plan import Applied, Plan
    from icx.plan.policy import MapLine
    from icx.plan.stops import Stop


@command(
    "plan",
    "Show what a push would change on a list; sends nothing.",
    "icx plan 'Loyal in Durham' --to 'acme/lists/Durham regulars'",
    "icx plan 'Loyal in Durham' --to 'acme/lists/#3004' --stale park --json",
)
@click.argument("audience")
@click.option("--to", required=True, help="CONNECTION/lists/LIST: the list's exact name, or #ID.")
@click.option("--create", is_flag=True, help="Make the list when there is none of this name.")
@click.option(
    "--stale",
    type=click.Choice(["stay", "park", "unsubscribe"]),
    default="stay",
    show_default=True,
    help="Members no longer in the audience.",
)
@click.option(
    "--invite", type=int, metavar="MESSAGE", help="Ask unconfirmed people, with this confirmation message."
)
@click.option(
    "--map",
    "lines",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="A profile column that travels to a contact field; COLUMN=FIELD! also empties it.",
)
@click.option("--create-contacts", is_flag=True, help="Make contacts for people without an iContact id.")
@click.option("--basis", default="", help="On what basis contacts are created.")
@click.option(
    "--override",
    "checks",
    multiple=True,
    metavar="SUITE/COLUMN",
    help="Let a failed check not hold this plan; needs --because.",
)
@click.option("--strict", is_flag=True, help="Exit 3 when something would stop the apply.")
@click.option("--as-of", hidden=True)
def plan(
    obj: Obj,
    audience: str,
    to: str,
    create: bool,
    stale: str,
    invite: int | None,
    lines: tuple[str, ...],
    create_contacts: bool,
    basis: str,
    checks: tuple[str, ...],
    strict: bool,
    as_of: str | None,
) -> Result:
    from icx.plan import Policy
    from icx.workspace.pushing import not_now

    options, console = obj
    if as_of is not None:
        raise not_now(f"--as-of {as_of}")
    overrides = _overrides(checks, options.because, ["icx", "plan", audience, "--to", to])
    ws = workspace(obj)
    policy = Policy(
        stale=stale,
        invite=invite is not None,
        confirmation_message=invite,
        mapping=tuple(_line(text) for text in lines),
        create_contacts=create_contacts,
        basis=basis,
    )
    console.progress(f"{to} › reading the list", changed=True)
    made = ws.plan(
        audience,
        to,
        create=create,
        policy=policy,
        overrides=overrides,
    )
    return Result("plan/1", str(made), made.as_dict(), 3 if strict and _held(made) else 0)


def _overrides(checks: tuple[str, ...], because: str | None, line: list[str]) -> dict[str, str]:
    """Return each check with why it shall not hold; `line` is the command as far as it matters."""
    if checks and not because:
        raise BadInput(
            "usage",
            "An override says why.",
            where=f"--override {checks[0]}",
            kept="nothing was planned or sent",
            next=[[*line, "--override", checks[0], "--because", "WHY"]],
        )
    return {check: str(because) for check in checks}


def _held(plan: Plan) -> bool:
    return bool(plan.stops) or plan.checks.get("ok") is False


def _line(text: str) -> MapLine:
    from icx.plan.policy import MapLine

    column, equals, field = text.partition("=")
    if not equals or not column or not field.rstrip("!"):
        raise BadInput(
            "cannot-map",
            f'"{text}" is no mapping line.',
            where="--map COLUMN=FIELD",
            kept="nothing was planned",
            next=["--map first_name=firstName"],
        )
    return MapLine(column, field.rstrip("!"), blank=field.endswith("!"))


@command(
    "apply",
    "Carry out a plan and read the list back; cut off, the same command goes on.",
    "icx apply P-1",
    "icx apply P-1 --yes --confirm growth=1204 --confirm welcome='Durham regulars'",
)
@click.argument("plan_id", metavar="PLAN")
@click.option("--test", type=int, metavar="CONTACT", help="Add this one contact only.")
@click.option(
    "--override",
    "checks",
    multiple=True,
    metavar="SUITE/COLUMN",
    help="Let a check that fails by now not hold this plan; needs --because.",
)
@click.option("--as-of", hidden=True)
def apply(obj: Obj, plan_id: str, test: int | None, checks: tuple[str, ...], as_of: str | None) -> Result:
    from icx.workspace.pushing import not_now

    options, console = obj
    if as_of is not None:
        raise not_now(f"--as-of {as_of}")
    overrides = _overrides(checks, options.because, ["icx", "apply", plan_id])
    ws = workspace(obj)

    def ask(stop: Stop, number: int, of: int) -> str | None:
        if options.yes and stop.confirm == "y":
            return "y"
        if not console.interactive:
            return None  # nobody to ask: the error says which answers are still needed
        tail = " [y/N] " if stop.confirm == "y" else " "
        return console.ask(f"  {number} of {of}  {stop.question}{tail}", missing=_gone)

    done = ws.apply(
        plan_id,
        answers=dict(options.confirm),
        ask=ask,
        test=test,
        overrides=overrides,
        progress=reporter(console, plan_id, ws.settings.tz, "person settled", stages=True),
    )
    problem = done.problem(ws.settings.refused_share)
    return Result("apply/1", str(done), done.as_dict(), exit_code(done, problem), problem=problem)


def _gone() -> NeedsYou:
    return NeedsYou(
        "needs-answer",
        "The terminal was closed before the answer.",
        where="icx apply",
        kept="nothing was sent",
        next=["the same command"],
    )


def exit_code(done: Applied, problem: IcxError | None) -> int:
    """Return the exit code of an apply: 130 when it was stopped, 1 with rows in doubt or a problem to look at."""
    if done.state == "stopped":
        return 130
    return 1 if problem is not None or done.in_doubt else 0


@command(
    "undo", "Plan the way back of an applied plan; sends nothing.", "icx undo P-1", "icx undo P-1 --json"
)
@click.argument("plan_id", metavar="PLAN")
def undo(obj: Obj, plan_id: str) -> Result:
    ws = workspace(obj)
    made = ws.undo(plan_id)
    return Result("plan/1", str(made), made.as_dict())


@command(
    "retry",
    "Plan again whom iContact refused when a plan was applied; sends nothing.",
    "icx retry P-1",
    "icx retry P-1 --json",
)
@click.argument("plan_id", metavar="PLAN")
def retry(obj: Obj, plan_id: str) -> Result:
    ws = workspace(obj)
    made = ws.retry(plan_id)
    return Result("plan/1", str(made), made.as_dict())


@command(
    "plans",
    "List plans, or show what became of each row of one.",
    "icx plans",
    "icx plans P-1 --refused refused.csv",
)
@click.argument("plan_id", required=False, metavar="PLAN")
@click.option(
    "--rows", "shown_rows", default=50, show_default=True, help="How many rows to print; JSON has all."
)
@click.option(
    "--refused",
    "refused_to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write whom the plan refuses, and why, as CSV.",
)
@click.option("--addresses", is_flag=True, help="Write addresses in full; else they are masked.")
def plans(obj: Obj, plan_id: str | None, shown_rows: int, refused_to: Path | None, addresses: bool) -> Result:
    from icx.plan import load

    _, console = obj
    ws = workspace(obj)
    if plan_id is None:
        every, now = ws.plans(), ws.clock.now()
        rows = [
            (one.plan_id, shown(one.made_at, ws.settings.tz, now), one.audience, f"{one.target.connection}/lists/{one.target.list}",
             f"{one.counts.add + one.counts.create:,}", one.state)
            for one in every
        ]  # fmt: skip
        text = (
            console.table(["plan", "made", "audience", "to", "adds", "state"], rows, right=(4,))
            if rows
            else "No plan is made yet. Next: icx audience list"
        )
        return Result("plans/1", text, {"plans": [one.as_dict() for one in every]})
    made = load(ws.plan_journal, plan_id)
    if refused_to is not None:
        return _refused(made, refused_to, addresses)
    outcomes = ws.plan_journal.outcomes(made.plan_id)
    heads = ["contact", "action", "state", "why"]
    became = [(row["contact_id"], row["action"], row["state"], row["words"]) for row in outcomes]
    lines = [str(made)]
    if became:
        lines.append(console.table(heads, became[:shown_rows], right=(0,)))
        if len(became) > shown_rows:
            lines.append(f"{shown_rows:,} of {len(became):,} rows shown; --json has all")
    return Result("plans/1", "\n".join(lines), {"plan": made.as_dict(), "rows": outcomes})


def _refused(made: Plan, file: Path, addresses: bool) -> Result:
    """Write whom a plan refuses as CSV; a file that is there is replaced whole."""
    from icx.plan.refusals import as_csv
    from icx.store import private

    table = made.refusals(show=addresses)
    part = file.with_name(f"{file.name}.part")
    with private.alone():
        part.write_text(as_csv(table), encoding="utf-8-sig", newline="")
    part.replace(file)
    said = f"{table.num_rows:,} refused, addresses {'in full' if addresses else 'masked'}: {file}"
    return Result("plans/1", said, {"plan": made.plan_id, "refused": table.num_rows, "file": str(file)})
