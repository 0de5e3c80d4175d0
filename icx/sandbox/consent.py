"""The consent rules, as data: which changes `--consent strict` refuses and `permissive` accepts and records.

The `violations` table holds every forbidden change that took effect; a client with a firewall of its own
leaves it empty even when the service would let anything through.
"""

from __future__ import annotations

from dataclasses import dataclass

from icx.sandbox.call import Call

# A contact of one of these statuses is put on no list.
NEVER_SUBSCRIBED = {
    "donotcontact": "asked never to be contacted",
    "bounced": "address bounced",
    "deleted": "was deleted",
    "pending": "has not confirmed yet",
    "invitable": "was only invited",
}

# Asking somebody who never confirmed is no subscription: the person answers the confirmation message, or not.
MAY_BE_ASKED = {
    ("pending", "pending"),
    ("invitable", "pending"),
}

# Someone who left a list comes back to it only by their own hand.
NEVER_REJOINED = {
    ("unsubscribed", "normal"),
    ("unsubscribed", "pending"),
}

# Who was asked answers for themselves.
NEVER_CONFIRMED = {
    ("pending", "normal"),
}

# A contact's own status that no client may lift.
NEVER_LIFTED = {
    ("donotcontact", "normal"),
    ("bounced", "normal"),
    ("deleted", "normal"),
    ("pending", "normal"),
    ("invitable", "normal"),
}

# "Status cannot be changed once it is": documented, so strict refuses every new value of these.
# (donotcontact has no other way out than normal, which is refused above.)
FROZEN = {
    "pending",
    "invitable",
    "deleted",
}

# What an address keeps of its contact's status when the contact is deleted or renamed.
ADDRESS_KEEPS = {
    "donotcontact",
    "bounced",
    "pending",
    "invitable",
}

# What it keeps of a list when the contact is deleted or renamed, or the subscription moved away.
LIST_KEEPS = {
    "unsubscribed",
}


@dataclass(frozen=True)
class Forbidden:
    """A change the rules forbid: its kind, what was, what it would become."""

    kind: str
    was: str
    became: str
    why: str


def subscription(contact_status: str, was: str | None, became: str) -> Forbidden | None:
    """Return why a subscription may not become `became`, or None when it may.

    `was` is the present state of this person on this list (None: never there), the address's past included.

    >>> subscription("normal", None, "normal")
    >>> subscription("normal", "unsubscribed", "normal").kind
    'rejoined'
    >>> subscription("bounced", None, "normal").why
    'address bounced'
    >>> subscription("bounced", None, "unsubscribed")
    >>> subscription("invitable", None, "pending")
    """
    if became in ("unsubscribed", was):
        return None
    if (was, became) in NEVER_REJOINED:
        return Forbidden("rejoined", str(was), became, "left this list")
    if (was, became) in NEVER_CONFIRMED:
        return Forbidden("confirmed", str(was), became, "was asked and has not answered")
    if contact_status in NEVER_SUBSCRIBED and (contact_status, became) not in MAY_BE_ASKED:
        return Forbidden("subscribed", contact_status, became, NEVER_SUBSCRIBED[contact_status])
    return None


def status(was: str, became: str) -> Forbidden | None:
    """Return why a contact's status may not be lifted, or None when it may.

    >>> status("normal", "donotcontact")
    >>> status("donotcontact", "normal").kind
    'lifted'
    """
    if (was, became) in NEVER_LIFTED:
        return Forbidden("lifted", was, became, f"the status of this contact is {was}")
    return None


def refuses(call: Call, forbidden: Forbidden | None) -> bool:
    """Say whether this run refuses a forbidden change; a permissive run accepts it."""
    return forbidden is not None and call.state.switches.consent == "strict"


def record(call: Call, forbidden: Forbidden | None, contact_id: int, list_id: int | None = None) -> None:
    """Write a forbidden change that took effect into the table of violations."""
    if forbidden is None:
        return
    call.con.execute(
        "insert into violations (folder_id, happened, kind, contact_id, list_id, was, became, request)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            call.folder_id,
            call.now,
            forbidden.kind,
            contact_id,
            list_id,
            forbidden.was,
            forbidden.became,
            f"{call.method} {call.path}",
        ],
    )


def remember(call: Call, email: str | None, state: str, contact_id: int, list_id: int | None = None) -> None:
    """Keep what an address had said (`list_id` None: about the contact itself) beyond its contact's life."""
    if email and state in (ADDRESS_KEEPS if list_id is None else LIST_KEEPS):
        call.con.execute(
            "insert into departures (folder_id, address, list_id, state, contact_id, happened) values (?, ?, ?, ?, ?, ?)",
            [call.folder_id, email.lower(), list_id, state, contact_id, call.now],
        )


def past(call: Call, email: str | None, list_id: int | None = None) -> str | None:
    """Return what this address had last said about a list (or itself) under any contact, None when nothing."""
    row = call.con.execute(
        "select state from departures where folder_id = ? and address = ? and list_id is ?"
        " order by departure_id desc limit 1",
        [call.folder_id, (email or "").lower(), list_id],
    ).fetchone()
    return str(row[0]) if row else None
