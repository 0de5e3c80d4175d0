"""Setting a custom field, or giving a tag, to those for whom a trigger fired; what is so already may be said twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from icx.connections.base import Change, Connection, Done
from icx.errors import IcxError, NeedsYou, UnknownOutcome
from icx.triggers import Trigger
from icx.triggers.files import wrong
from icx.triggers.firings import Firing
from icx.words import counted, form

if TYPE_CHECKING:
    from icx.workspace.telling import Settle
    from icx.workspace.workspace import Workspace

CUSTOM = "cf_"


def check(ws: Workspace, trigger: Trigger, where: str) -> None:
    """Raise what keeps the connection from being marked: no such custom field, or no tags at all."""
    there = ws.accounts.system(ws.connection(trigger.connection))
    if trigger.do.kind == "tag" and "tags" not in there.can:
        raise wrong(
            f"{trigger.connection} has no tags.",
            where,
            "--set FIELD=VALUE, which sets a custom field instead",
        )
    if trigger.do.kind == "set" and there.kind == "icontact":
        ws.people(trigger.connection).catalogue.find(f"{CUSTOM}{_private(trigger)}", where)


def mark(
    ws: Workspace,
    trigger: Trigger,
    due: Sequence[Firing],
    emails: Mapping[int, str],
    settle: Settle,
    run: str,
) -> IcxError | None:
    """Mark the people of the firings that are due, a batch at a time, each noted right after.

    A firing of somebody who is no longer there is refused for good; what the service refused is tried again. Raises
    NeedsYou (push-off, pushes-paused), and what the service says when it cannot be asked.
    """
    from icx.workspace.resting import check_rest

    check_rest(ws, f"trigger {trigger.name}")
    if not ws.settings.push:
        raise NeedsYou(
            "push-off",
            "Pushing is switched off in this workspace.",
            where=f"trigger {trigger.name}; icx.toml: push = false",
            kept="who fired waits; no request was made",
            next=["push = true in icx.toml, then the same command"],
        )
    there = ws.accounts.system(ws.connection(trigger.connection), run=run, push=True)
    refused = 0
    for start in range(0, len(due), there.batch):
        some = due[start : start + there.batch]
        keys = _keys(there, some, emails)
        gone = [one for one in some if keys[one.contact_id] is None]
        settle(gone, "refused", "gone")
        asked = [one for one in some if keys[one.contact_id] is not None]
        became: dict[tuple[str, str], list[Firing]] = {}
        for one, done in zip(asked, _written(there, trigger, asked, keys), strict=True):
            arrived = done.state == "done"
            refused += not arrived
            became.setdefault(("done", "") if arrived else ("failed", done.words or "not sent"), []).append(
                one
            )
        for (state, words), those in became.items():
            settle(those, state, words)
    if not refused:
        return None
    return NeedsYou(
        "trigger-unmarked",
        f"{trigger.name}: {counted(refused, 'person')} {form(refused, 'was')} not taken by {trigger.connection}.",
        where=trigger.do.english,
        kept="the others are done; these are tried again by later runs",
        next=[["icx", "triggers", "show", trigger.name]],
    )


def _written(
    there: Connection, trigger: Trigger, some: Sequence[Firing], keys: Mapping[int, str | None]
) -> list[Done]:
    do = trigger.do
    fields = {_private(trigger): do.value} if do.kind == "set" else {}
    tags = frozenset({do.field} if do.kind == "tag" else ())
    changes = [Change(row, keys[one.contact_id], fields=fields, tag=tags) for row, one in enumerate(some)]
    try:
        return there.write(changes) if changes else []
    except UnknownOutcome:
        return there.settle(changes)


def _keys(there: Connection, some: Sequence[Firing], emails: Mapping[int, str]) -> dict[int, str | None]:
    """Return the system's own key of each person, None for who is not there any more."""
    if there.kind == "icontact":
        found = there.people([str(one.contact_id) for one in some])
        return {one.contact_id: str(one.contact_id) if found[str(one.contact_id)] else None for one in some}
    people = there.find([emails[one.contact_id] for one in some if one.contact_id in emails])
    return {
        one.contact_id: next((person.key for person in people.get(emails.get(one.contact_id, ""), ())), None)
        for one in some
    }


def _private(trigger: Trigger) -> str:
    """Return a custom field's own name, which the profile has with `cf_` before it."""
    return trigger.do.field.removeprefix(CUSTOM)
