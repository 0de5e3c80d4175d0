"""Audiences nearly everybody needs, ready to be named, changed and saved."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from icx.audience.audience import Audience
from icx.audience.people import People
from icx.errors import BadInput
from icx.rules import EVERYBODY, Compare, Days, Event, Group, OnList, Rule, This


@dataclass(frozen=True)
class Template:
    """A ready audience: its key for the command line, its name, what it is for, and the rule it makes."""

    key: str
    name: str
    description: str
    make: Callable[..., Rule]


def all_contacts() -> Rule:
    """Everybody in the profile."""
    return EVERYBODY


def new_this_week() -> Rule:
    """Created since Monday in the workspace's zone."""
    return Compare("ic_user_created", "within", This("week"))


def newest(days: float = 30) -> Rule:
    """Created in the last days."""
    return Compare("ic_user_created", "within", Days(days))


def engaged(days: float) -> Rule:
    """Opened or clicked in the last days, likely machines not counted."""
    return Event("open", days=days, human=True) | Event("click", days=days, human=True)


def unengaged(days: float = 90) -> Rule:
    """Got mail in the last 90 days, and neither opened nor clicked in the last days."""
    return Compare("received_90d", ">=", 1) & ~engaged(days)


def sunset(days: float = 180) -> Rule:
    """Here for longer than the days, mailed, and in all that time no open and no click.

    Machines count as opening here, so that nobody is given up because their mail program opens for them.
    """
    active = Event("open", days=days) | Event("click", days=days)
    return (
        ~Compare("ic_user_created", "within", Days(days))
        & Compare("engagement_tier", "!=", "never_mailed")
        & ~active
    )


TEMPLATES: dict[str, Template] = {
    one.key: one
    for one in (
        Template("all", "All contacts", "everybody iContact lists", all_contacts),
        Template("new-this-week", "New this week", "created since Monday", new_this_week),
        Template("newest", "Newest contacts", "created in the last 30 days", newest),
        Template("engaged-30", "Engaged 30", "opened or clicked in 30 days", lambda: engaged(30)),
        Template("engaged-60", "Engaged 60", "opened or clicked in 60 days", lambda: engaged(60)),
        Template("engaged-90", "Engaged 90", "opened or clicked in 90 days", lambda: engaged(90)),
        Template("unengaged", "Unengaged", "mailed, but no open and no click in 90 days", unengaged),
        Template("sunset", "Sunset", "mailed, here for 180 days, no open and no click in these", sunset),
    )
}
RESEND = "resend"
CHOICES = {
    **{key: one.description for key, one in TEMPLATES.items()},
    RESEND: "sent a message, did not open it",
}


def template(people: People, key: str, name: str = "", **given: Any) -> Audience:
    """Return a template's audience; `resend` needs `message=`, others take `days=` where they have days."""
    if key == RESEND:
        return resend(people, int(given["message"]) if "message" in given else None, name)
    if key not in TEMPLATES:
        near = difflib.get_close_matches(key, CHOICES, n=2, cutoff=0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise BadInput(
            "template-unknown",
            f"There is no template `{key}`.{hint}",
            where=f"there are: {', '.join(CHOICES)}",
            kept="nothing was changed",
            next=[["icx", "audience", "save", "Engaged 30", "--template", near[0] if near else "engaged-30"]],
        )
    chosen = TEMPLATES[key]
    try:
        rule = chosen.make(**given)
    except TypeError:
        raise BadInput(
            "parameter",
            f"The template `{key}` takes no {', '.join(sorted(given))}.",
            where=f"template {key}",
            kept="nothing was changed",
            next=[["icx", "audience", "save", name or chosen.name, "--template", key]],
        ) from None
    return Audience(name or chosen.name, rule, people.connection, chosen.description, people)


def resend(people: People, message: int | None, name: str = "") -> Audience:
    """Return those a message was sent to who neither opened nor clicked it, nor bounced or left by it.

    Sent to means: on one of the lists of its releases today and on none that were left out.
    """
    with people.store.open(people.connection) as con:
        known = con.execute(
            "select message_id, subject from messages where message_id = ?", [message]
        ).fetchone()
        sends = con.execute(
            "select include_list_ids, exclude_list_ids from sends where message_id = ? and released_at is not null",
            [message],
        ).fetchall()
        recent = con.execute(
            "select message_id, max(released_at) from sends where released_at is not null"
            " group by 1 order by 2 desc limit 3"
        ).fetchall()
        gone = {
            row[0] for row in con.execute("select list_id from lists where gone_at is not null").fetchall()
        }
    if known is None or not sends:
        raise BadInput(
            "message-unknown",
            f"{people.connection} has no released message {message}."
            if message is not None
            else "Which message is to be sent again?",
            where="the latest are " + (", ".join(str(row[0]) for row in recent) or "none"),
            kept="nothing was changed",
            next=[
                f"give one of these ids as the message; `icx status {people.connection}` says when they were read"
            ],
        )
    parts: list[Rule] = []
    for included, excluded in sends:
        chosen: Rule = Group("or", tuple(_on(ids) for ids in included or [] if ids not in gone))
        left_out = [_on(ids) for ids in excluded or [] if ids not in gone]
        parts.append(Group("and", (chosen, *(~one for one in left_out))) if left_out else chosen)
    sent = parts[0] if len(parts) == 1 else Group("or", tuple(dict.fromkeys(parts)))
    if isinstance(sent, Group) and not sent.negated and len(sent.rules) == 1:
        sent = sent.rules[0]
    opened = Event("any", "=", 0, message=message)
    title = name or f"Did not open {message}"
    about = f'sent "{known[1] or message}", no open, click, bounce or unsubscribe'
    return Audience(title, Group("and", (sent, opened)), people.connection, about, people)


def _on(list_id: int) -> OnList:
    return OnList("normal", f"#{list_id}")
