"""Setting a custom field, or giving a tag, to those for whom a trigger fired; what is so already may be said twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from icx import mask
from icx.connections.base import Change, Connection, Done
from icx.errors import IcxError, NeedsYou, UnknownOutcome
from icx.mailchimp import member_hash
from icx.profile.custom import read_custom
from icx.triggers import Trigger
from icx.triggers.files import wrong
from icx.triggers.firings import Firing
from icx.words import counted, form

if TYPE_CHECKING:
    from icx.workspace.telling import Settle
    from icx.workspace.workspace import Workspace

CUSTOM = "cf_"
#: Word of a member whom a pull does not bring, although Mailchimp can still be asked for them.
ARCHIVED = "archived"


def check(ws: Workspace, trigger: Trigger, where: str) -> None:
    """Raise what keeps the connection from being marked: no such custom field, or no tags at all."""
    there = ws.accounts.system(ws.connection(trigger.connection))
    if trigger.do.kind == "tag" and "tags" not in there.can:
        raise wrong(
            f"{trigger.connection} has no tags.",
            where,
            "--set FIELD=VALUE, which sets a custom field instead",
        )
    if trigger.do.kind == "set":
        _private(ws, trigger, there, where)


def mark(
    ws: Workspace,
    trigger: Trigger,
    due: Sequence[Firing],
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
    do = trigger.do
    fields = {_private(ws, trigger, there, f"trigger {trigger.name}"): do.value} if do.kind == "set" else {}
    asks = Change(0, None, fields=fields, tag=frozenset({do.field} if do.kind == "tag" else ()))
    refused = 0
    for start in range(0, len(due), there.batch):
        some = due[start : start + there.batch]
        keys = _keys(ws, trigger, there, some)
        gone = [one for one in some if keys[one.contact_id] is None]
        settle(gone, "refused", "gone")
        asked = [one for one in some if keys[one.contact_id] is not None]
        became: dict[tuple[str, str], list[Firing]] = {}
        for one, done in zip(
            asked, _written(there, asks, [keys[one.contact_id] for one in asked]), strict=True
        ):
            arrived = done.state == "done"
            refused += not arrived
            became.setdefault(
                ("done", "") if arrived else ("failed", mask.addresses_in(done.words) or "not sent"), []
            ).append(one)
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


def _written(there: Connection, asks: Change, keys: Sequence[str | None]) -> list[Done]:
    changes = [replace(asks, row=row, key=key) for row, key in enumerate(keys)]
    try:
        return there.write(changes) if changes else []
    except UnknownOutcome:
        return there.settle(changes)


def _keys(
    ws: Workspace, trigger: Trigger, there: Connection, some: Sequence[Firing]
) -> dict[int, str | None]:
    """Return the system's own key of each person, None for who is not there any more."""
    ids = [one.contact_id for one in some]
    own = {one: str(one) for one in ids}
    if there.kind == "mailchimp":
        # its contact id stays when the address changes; the hash of the address does not
        with ws.store.open(trigger.connection) as con:
            rows = con.execute(
                "select id, custom['mailchimp_contact_id'], email from icontact_users"
                " where list_contains(?::bigint[], id)",
                [ids],
            ).fetchall()
        own = {one: key or member_hash(email) for one, key, email in rows if key or email}
    found = there.people(list(own.values()))
    keys: dict[int, str | None] = dict.fromkeys(ids)
    for one, key in own.items():
        person = found[key]
        keys[one] = None if person is None or person.said == ARCHIVED else person.key
    return keys


def _private(ws: Workspace, trigger: Trigger, there: Connection, where: str) -> str:
    """Return a custom field's own name there, which the profile has with `cf_` before it; raise what cannot be set."""
    given = trigger.do.field
    if there.kind == "mailchimp" and given.startswith("mailchimp_"):
        raise wrong(
            f"{mask.plain(given)} is what Mailchimp itself says of a member; it cannot be set.",
            where,
            "--set TAG=VALUE with the tag of a merge field, or --tag NAME",
        )
    name = f"{CUSTOM}{given.removeprefix(CUSTOM)}"
    with ws.store.open(trigger.connection) as con:
        customs = read_custom(con, set())
    known = next((one for one in customs if one.column == name), None)
    if known is None:
        ws.people(trigger.connection).catalogue.find(name, where)  # which names the nearest
    if known is None or known.gone:
        raise wrong(
            f"{trigger.connection} has no field {mask.plain(name)} that could be set.",
            where,
            "--set FIELD=VALUE with one of `icx fields cf_`",
        )
    return known.private_name
