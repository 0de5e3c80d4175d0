"""Triggers in a workspace: where they are kept, what is asked before one is saved, and the look after each build."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.errors import BadInput, IcxError, NeedsYou
from icx.points.action import TOTAL
from icx.rules import Compare, InAudience, condition
from icx.triggers import Trigger, everything, firings, fitting, load, remove, save
from icx.triggers.board import Triggers, standings
from icx.triggers.files import wrong
from icx.triggers.firings import Firing
from icx.triggers.look import Look, forget, look, look_all, seen
from icx.triggers.trigger import BY_PLAN, MARKED, Paused, as_json

if TYPE_CHECKING:
    from icx.plan import Plan
    from icx.triggers.backtest import BackTest
    from icx.triggers.ran import Ran
    from icx.workspace.workspace import Workspace


@dataclass(frozen=True)
class Hand:
    """The workspace as a trigger knows it."""

    ws: Workspace

    def test(self, trigger: Trigger, days: int) -> BackTest:
        from icx.triggers.backtest import back_test

        return back_test(self.ws.people(trigger.connection), trigger, days)

    def run(
        self, trigger: Trigger, *, confirm: Mapping[str, str] | None, existing: bool, progress: Any
    ) -> Ran:
        return self.ws.run_trigger(trigger.name, confirm=confirm, existing=existing, progress=progress)

    def existing(self, trigger: Trigger) -> Plan | int:
        from icx.workspace.firing import existing

        return existing(self.ws, trigger)

    def firings(self, trigger: Trigger, limit: int) -> list[Firing]:
        with self.ws.store.open(trigger.connection) as con:
            return firings.of(con, trigger.name, limit=limit)


def bound(ws: Workspace, trigger: Trigger) -> Trigger:
    return trigger.of(Hand(ws), ws.connection(trigger.connection or None).name)


def one(ws: Workspace, name: str) -> Trigger:
    """Return a saved trigger."""
    return bound(ws, load(ws.layout.triggers, name))


def board(ws: Workspace, connection: str | None) -> Triggers:
    """Return all triggers of a connection and what they came to."""
    saved = ws.connection(connection)
    ws.accounts.enter(saved)
    with ws.store.open(saved.name) as con:
        found = standings(con, [bound(ws, each) for each in everything(ws.layout.triggers, saved.name)])
    return Triggers(saved.name, found, ws.settings.tz)


def saved(ws: Workspace, given: Trigger, *, dry: bool, replace: bool) -> Trigger:
    """Look at a trigger and save it; see `Workspace.trigger`. Whom it finds so already is noted, and fires for nobody."""
    place = ws.connection(given.connection or None)
    ws.accounts.enter(place)
    fresh = bound(ws, fitting(dataclasses.replace(given, connection=place.name)))
    _readable(ws, fresh)
    if dry:
        return fresh
    before = next((each for each in everything(ws.layout.triggers) if each.name == fresh.name), None)
    if before is not None:
        fresh = dataclasses.replace(fresh, paused=before.paused)
        if as_json(before) != as_json(fresh) and not replace:
            raise NeedsYou(
                "trigger-change",
                f"{fresh.name} is saved already, and reads differently.",
                where=f"{before!r} → {fresh!r}",
                kept="the trigger as it was",
                next=[
                    "the same with replace=True, or --replace, if that is meant",
                    ["icx", "triggers", "show", fresh.name],
                ],
            )
    save(ws.layout.triggers, dataclasses.replace(fresh, hand=None))
    _note(ws, f"{'changed' if before else 'added'} {fresh!r}")
    _begin(ws, fresh)
    return fresh


def _begin(ws: Workspace, trigger: Trigger) -> None:
    """Look for the first time; where there is no profile yet, the first build's look is the first."""
    found = look(ws.people(trigger.connection), trigger, ws.clock.now())
    if found.error is not None and found.error.code != "profile-missing":
        raise found.error


def looked(ws: Workspace, connection: str) -> list[str]:
    """Look at all triggers after a build, and return what a person has to know; nothing wrong with one fails the build."""
    if not ws.layout.triggers.is_dir():
        return []
    try:
        triggers = everything(ws.layout.triggers, connection)
        if not triggers:
            return []
        found: list[Look] = look_all(ws.people(connection), triggers, ws.clock.now())
    except IcxError as error:
        return [f"no trigger fires: {error.message} ({error.where_text()})"]
    return [str(each) for each in found if each.fired or each.first or each.let_go or each.error]


def pause(ws: Workspace, name: str, why: str) -> Trigger:
    """Pause a trigger; see `Workspace.pause_trigger`."""
    found = load(ws.layout.triggers, name)
    if found.paused is None:
        found = dataclasses.replace(found, paused=Paused(ws.who, ws.clock.now(), why))
        save(ws.layout.triggers, found)
        _note(ws, f"paused {found.name}")
    return bound(ws, found)


def resume(ws: Workspace, name: str) -> Trigger:
    """Let a trigger fire again; a build nobody looked at while it rested is looked at now, and fires for nobody."""
    found = load(ws.layout.triggers, name)
    if found.paused is not None:
        _begin(ws, bound(ws, found))
        found = dataclasses.replace(found, paused=None)
        save(ws.layout.triggers, found)
        _note(ws, f"resumed {found.name}")
    return bound(ws, found)


def removed(ws: Workspace, name: str) -> Trigger:
    """Remove a trigger; see `Workspace.remove_trigger`."""
    found = bound(ws, load(ws.layout.triggers, name))
    users = [each.name for each in ws.jobs() if each.job.trigger == found.name]
    if users:
        raise NeedsYou(
            "trigger-used",
            f"{found.name} is run by the job {users[0]}.",
            where=f"data/jobs/{users[0]}.json",
            kept="the trigger as it was",
            next=[["icx", "schedule", "remove", users[0]]],
        )
    remove(ws.layout.triggers, found.name)
    with ws.store.open(found.connection) as con:
        forget(con, found.name)
    _note(ws, f"removed {found!r}")
    return found


def users_of(ws: Workspace, audience: str) -> list[str]:
    """Return the triggers that watch an audience."""
    return [
        each.name
        for each in everything(ws.layout.triggers)
        if isinstance(each.when, InAudience) and each.when.audience == audience
    ]


def watching(ws: Workspace, field: str, connection: str) -> list[str]:
    """Return the triggers of a connection that watch a field."""
    return [
        each.name
        for each in everything(ws.layout.triggers, connection)
        if isinstance(each.when, Compare) and each.when.field == field
    ]


def _readable(ws: Workspace, trigger: Trigger) -> None:
    """Raise what is wrong with a trigger's rule, list or notebook; nothing of the service is asked."""
    from icx.workspace import marking
    from icx.workspace.pushing import parse_target

    people, do = ws.people(trigger.connection), trigger.do
    where = f"trigger {mask.plain(trigger.name)}"
    if isinstance(trigger.when, InAudience):
        ws.audience(trigger.when.audience)
    elif isinstance(trigger.when, Compare):
        try:
            people.catalogue.find(trigger.when.field, where)
        except BadInput as error:
            if trigger.when.field == TOTAL or trigger.when.field.startswith(f"{TOTAL}_"):
                error.next = [
                    "points are a field once something earns them",
                    ["icx", "points", "add", "--help"],
                ]
            raise
    try:
        with people.open(trigger.when, where) as (con, reading, rule):
            condition(rule, reading)
            seen(con, people, trigger, reading)
    except NeedsYou as error:
        if error.code != "profile-missing":
            raise
    if do.kind in BY_PLAN:
        target = parse_target(ws, do.list)
        if ws.connection(target.connection).kind == "mailchimp":
            raise BadInput(
                "trigger-value",
                f"{target.connection} is an audience of Mailchimp; a trigger adds, moves and unsubscribes on lists of iContact.",
                where=where,
                kept="nothing was changed",
                next=[
                    f"--tag NAME or --set FIELD=VALUE with --connection {target.connection}",
                    "a sync, which brings people into the audience: icx sync --help",
                ],
            )
        if do.kind != "push" and target.connection != trigger.connection:
            raise wrong(
                f"People of {trigger.connection} are not on lists of {target.connection}.",
                where,
                f"{trigger.connection}/lists/…",
            )
    if do.kind in MARKED:
        marking.check(ws, trigger, where)
    if do.kind == "notebook":
        from icx.jobs import parameters
        from icx.workspace.running import runner

        path = runner(ws).find(do.notebook)
        declared = parameters.of_notebook(path)
        parameters.checked(
            path, declared, {**do.params, "people": "people.parquet"} | ({"apply": True} if do.apply else {})
        )


def _note(ws: Workspace, what: str) -> None:
    from icx.workspace.bringing import note

    note(ws, "triggers", mask.addresses_in(what))
