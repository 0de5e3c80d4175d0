"""Points in a workspace: where actions are kept, what they count on, and what is asked before one is changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from icx.audience import People
from icx.audience import everything as audiences
from icx.errors import BadInput, IcxError, NeedsYou
from icx.fields import Catalogue, Field
from icx.points import Action, Score, column, everything, fields, fitting, load, remove, save
from icx.points.action import no_circle
from icx.points.backtest import Change, change
from icx.points.book import Book
from icx.points.ledger import Ledger, Points, of_person, standings
from icx.points.score import as_text, looked_for
from icx.profile.catalogue import everything as parts_of
from icx.profile.statement import made_of
from icx.rules import Lookup, Reading, fields_used
from icx.store import Connection
from icx.workspace.person import ids

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace


def totals(ws: Workspace, connection: str) -> tuple[Field, ...]:
    """Return the fields that the points of a connection are."""
    return fields(everything(ws.layout.points, connection))


def score(ws: Workspace, connection: str) -> Score:
    """Return what counts the points of a connection while its profile is built."""
    return Score(everything(ws.layout.points, connection), _lookup(ws, connection))


def book(ws: Workspace, connection: str) -> Book:
    """Return what actions of a connection count on."""
    with ws.store.open(connection) as con:
        parts = parts_of(con, ws.layout.fields, totals(ws, connection))
    plain = dataclasses.replace(parts, totals=()).catalogue
    lookup = _lookup(ws, connection)
    return Book(ws.store, connection, plain, lookup, lambda names: made_of(parts, names), ws.settings.tz)


def _lookup(ws: Workspace, connection: str) -> Callable[[Connection], Lookup]:
    return People(ws.store, connection, Catalogue([]), ws.layout.audiences, ws.settings.tz).lookup


def standing(ws: Workspace, connection: str | None) -> Points:
    """Return all actions of a connection and what they came to."""
    name = ws.connection(connection).name
    ws.accounts.enter(ws.connection(name))
    return standings(book(ws, name), everything(ws.layout.points, name))


def one(ws: Workspace, name: str) -> Action:
    """Return a saved action, counting on the people of its connection."""
    found = load(ws.layout.points, name)
    return found.of(book(ws, ws.connection(found.connection or None).name))


def saved(ws: Workspace, given: Action, *, dry: bool, replace: bool) -> Action:
    """Look at an action and save it; see `Workspace.points`."""
    place = ws.connection(given.connection or None)
    ws.accounts.enter(place)
    given = fitting(dataclasses.replace(given, connection=place.name))
    counts_on = book(ws, place.name)
    _readable(ws, counts_on, given)
    fresh = given.of(counts_on)
    if dry:
        return fresh
    every = everything(ws.layout.points)
    before = next((action for action in every if action.name == fresh.name), None)
    told = None
    moved = before is not None and before.connection != fresh.connection
    differs = before is None or moved or as_text(before) != as_text(fresh)
    if before is not None and differs:
        told = _change(counts_on, None if moved else before, fresh)
        if not replace:
            of = f", of {before.connection or 'every connection'}" if moved else ", and reads differently"
            raise NeedsYou(
                "points-change",
                f"{fresh.name} is saved already{of}.",
                where=f"{fresh.name}: {told}" if told else fresh.name,
                kept="the action as it was; the ledger too, until the next build",
                next=[
                    "the same with replace=True, or --replace, if that is meant",
                    *(["another name, for an action of its own"] if moved else []),
                    ["icx", "points", "show", fresh.name],
                ],
            )
        _still_there(ws, every, [*(one for one in every if one.name != fresh.name), fresh], fresh.name)
    save(ws.layout.points, dataclasses.replace(fresh, book=None))
    if differs:
        _note(ws, f"{'changed' if before else 'added'} {fresh.name}" + (f": {told}" if told else ""))
    return fresh


def removed(ws: Workspace, name: str) -> Action:
    """Remove an action's file; see `Workspace.remove_points`."""
    every = everything(ws.layout.points)
    found = load(ws.layout.points, name)
    _still_there(ws, every, [one for one in every if one.name != found.name], found.name)
    remove(ws.layout.points, found.name)
    _note(ws, f"removed {found.name}")
    return found


def leaving(ws: Workspace, action: Action) -> Change | None:
    """Return what removing an action changes; None before the first build."""
    return _change(book(ws, ws.connection(action.connection or None).name), action, None)


def users_of(ws: Workspace, audience: str) -> list[str]:
    """Return the actions that use an audience."""
    from icx.rules import audiences_used

    return [
        action.name for action in everything(ws.layout.points) if audience in audiences_used(action.earns)
    ]


def ledger(ws: Workspace, who: str, connection: str | None) -> Ledger:
    """Return somebody's ledger; see `Workspace.points_ledger`."""
    names = (
        [ws.connection(connection).name]
        if connection
        else [one.name for one in ws.accounts.connections.accounts()]
    )
    found: list[tuple[str, int]] = []
    for name in names:
        with ws.store.open(name) as con:
            found += [(name, contact) for contact in ids(con, who)]
    if not found:
        ws.person(who, connection=connection)  # which says that nobody is stored
    if len(found) > 1:
        raise NeedsYou(
            "needs-answer",
            f"That is {len(found)} contacts, and each has a ledger of its own.",
            where=", ".join(f"{contact} of {name}" for name, contact in found[:5]),
            kept="nothing was changed",
            next=[
                ["icx", "points", "ledger", str(contact), "--connection", name] for name, contact in found[:5]
            ],
        )
    [(name, contact)] = found
    with ws.store.open(name) as con:
        return of_person(con, name, contact, ws.settings.tz)


def _readable(ws: Workspace, counts_on: Book, action: Action) -> None:
    """Raise what is wrong with an action's rule or group; no build is needed to know."""
    if action.group:
        taken = counts_on.catalogue.get(column(action.group))
        if taken is not None:
            raise BadInput(
                "points-value",
                f"There is a field `{taken.name}` already, so no group can be called {action.group}.",
                where=action.name,
                kept="nothing was saved",
                next=["another name for the group"],
            )
    action.span(counts_on.zone)
    with ws.store.open(counts_on.connection) as con:
        reading = Reading(counts_on.catalogue, counts_on.lookup(con), ws.clock.now(), f"action {action.name}")
    _, used = looked_for(action, reading)
    no_circle(action.name, counts_on.made_of(used))


def _change(counts_on: Book, before: Action | None, after: Action | None) -> Change | None:
    try:
        return change(counts_on, before, after)
    except IcxError:
        return None  # not built yet, or the old rule cannot be read any more: nothing can be told


def _still_there(ws: Workspace, before: Sequence[Action], after: Sequence[Action], name: str) -> None:
    """Raise points-used when an audience uses a field of points that would be gone."""
    for connection in [one.name for one in ws.accounts.connections.accounts()]:
        there, then = (
            {field.name for field in fields([one for one in some if one.connection in {"", connection}])}
            for some in (before, after)
        )
        _none_watches(ws, connection, there - then, name)
        for audience in (found.audience for found in audiences(ws.layout.audiences)):
            if audience is None or audience.connection not in {"", connection}:
                continue
            lost = sorted((there - then) & fields_used(audience.rule))
            if lost:
                raise NeedsYou(
                    "points-used",
                    f"{audience.name} uses `{lost[0]}`, which is there because of {name}.",
                    where=f"audience {audience.name}",
                    kept="the action as it was",
                    next=[["icx", "audience", "show", audience.name]],
                )


def _none_watches(ws: Workspace, connection: str, lost: set[str], name: str) -> None:
    """Raise points-used when a trigger watches a field of points that would be gone."""
    from icx.workspace.triggered import watching

    for field in sorted(lost):
        for trigger in watching(ws, field, connection):
            raise NeedsYou(
                "points-used",
                f"The trigger {trigger} watches `{field}`, which is there because of {name}.",
                where=f"trigger {trigger}",
                kept="the action as it was",
                next=[["icx", "triggers", "show", trigger]],
            )


def _note(ws: Workspace, what: str) -> None:
    from icx.workspace.bringing import note

    note(ws, "points", what)
