"""Writing contacts and lists: made only when surely not there, changed field by field, never replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from icx.errors import IcxError, Refused, TryLater
from icx.icontact import Client, UnknownOutcome
from icx.plan.look import look_for
from icx.plan.mapping import CONTACT_FIELDS
from icx.plan.send import Sender
from icx.store.plans import Intent, Outcome


class NewContact(NamedTuple):
    """Somebody to be made: the row of the plan, the address, the fields that travel."""

    row: int
    email: str
    fields: Mapping[str, str]


class Change(NamedTuple):
    """Fields of a contact to be set."""

    row: int
    contact_id: int
    fields: Mapping[str, str]


def create(sender: Sender, people: Sequence[NewContact]) -> dict[int, int]:
    """Make contacts in batches, each address looked for right before, and return row → contact id.

    A contact that comes back with another status than `normal` is made but not returned: nobody asked it.
    """
    made: dict[int, int] = {}
    size = sender.settings.batch_size
    for start in range(0, len(people), size):
        if sender.ending.asked:
            break
        part, left_out = look_for(sender.client, people[start : start + size])
        sender.plans.outcome(sender.plan_id, left_out)
        if not part:
            continue
        intents = [Intent(one.row, None, "contact", None, None) for one in part]
        sender.plans.intend(sender.plan_id, sender.batch, intents)
        sender.batch += 1
        rows = [{"email": one.email, **one.fields} for one in part]
        try:
            written = sender.client.create("contacts", rows)
        except UnknownOutcome:
            found = [_after(sender, one) for one in part]
            words = [""] * len(part)
        except Refused as error:
            if error.code != "service-refused":
                _note(sender, part, "not_sent")
                raise
            found, words = [None] * len(part), [error.message] * len(part)
        except IcxError:
            _note(sender, part, "not_sent")
            raise
        else:
            found = [written.accepted.get(index) for index in range(len(part))]
            said = " ".join(dict.fromkeys(written.warnings)) or "no reason given"
            words = [said] * len(part)
        for one, contact, why in zip(part, found, words, strict=True):
            if contact is None:
                _note(sender, [one], "refused" if why else "not_sent", why)
            elif contact["status"] != "normal":
                _note(sender, [one], "refused", f"made with the status {contact['status']}")
            else:
                made[one.row] = contact["contactId"]
                outcome = Outcome(one.row, "contact", "done", "", contact["contactId"])
                sender.plans.outcome(sender.plan_id, [outcome])
    return made


def _after(sender: Sender, one: NewContact) -> dict[str, Any] | None:
    try:
        found = sender.client.resolve_create_contact(one.email)
    except IcxError as cannot:
        _note(sender, [one], "in_doubt")
        raise TryLater(
            "in-doubt",
            "A contact was sent, and iContact cannot be asked yet whether it was made.",
            where=f"{sender.plan_id}, row {one.row}; looking for it: {cannot.message}",
            kept="noted as in doubt; it is not sent twice",
            next=[["icx", "apply", sender.plan_id]],
        ) from None
    return found[0] if found else None


def change(sender: Sender, people: Sequence[Change]) -> None:
    """Set fields one contact at a time; the first is read before and after, field by field.

    Whether iContact merges is documented for one contact at a time only, so it is proven before the second.
    """
    for number, one in enumerate(people):
        if sender.ending.asked:
            return
        before = sender.client.get("contacts", one.contact_id) if number == 0 else None
        sender.plans.intend(
            sender.plan_id, sender.batch, [Intent(one.row, one.contact_id, "fields", None, None)]
        )
        sender.batch += 1
        try:
            written = sender.client.update("contacts", one.contact_id, dict(one.fields))
        except UnknownOutcome:
            held = _held(sender, one)
            _fields_note(sender, one, "done" if held else "not_sent")
        except Refused as error:
            if error.code != "service-refused":
                _fields_note(sender, one, "not_sent")
                raise
            _fields_note(sender, one, "refused", error.message)
        except IcxError:
            _fields_note(sender, one, "not_sent")
            raise
        else:
            words = " ".join(written.warnings)
            ok = not words or _holds(written.rows[0], one.fields)
            _fields_note(sender, one, "done" if ok else "refused", "" if ok else words)
        if before is not None:
            _proven(sender, one, before)


def _held(sender: Sender, one: Change) -> bool:
    try:
        return sender.client.resolve_update_contact(one.contact_id, one.fields)
    except IcxError as cannot:
        _fields_note(sender, one, "in_doubt")
        raise TryLater(
            "in-doubt",
            "Fields of 1 person were sent, and iContact cannot be asked yet whether they arrived.",
            where=f"{sender.plan_id}, #{one.contact_id}; reading back: {cannot.message}",
            kept="noted as in doubt",
            next=[["icx", "apply", sender.plan_id]],
        ) from None


def _proven(sender: Sender, one: Change, before: Mapping[str, Any]) -> None:
    after = sender.client.get("contacts", one.contact_id) or {"custom": {}}
    had, has = before["custom"], after["custom"]
    names = {*CONTACT_FIELDS, "email", "status"} - one.fields.keys()
    changed = {name for name in names if before.get(name) != after.get(name)}
    changed |= {name for name in {*had, *has} - one.fields.keys() if had.get(name) != has.get(name)}
    if changed:
        raise Refused(
            "fields-lost",
            f"iContact changed more than was sent: {', '.join(sorted(changed))}.",
            where=f"{sender.plan_id}, the first of the contacts whose fields travel, #{one.contact_id}",
            kept="no other contact was touched; memberships done so far stay",
            next=["look at this contact in iContact before going on"],
        )


def _holds(row: Mapping[str, Any], fields: Mapping[str, str]) -> bool:
    custom = row["custom"]
    return all(str(custom.get(name, row.get(name)) or "") == value for name, value in fields.items())


def _note(sender: Sender, people: Sequence[NewContact], state: str, words: str = "") -> None:
    outcomes = [Outcome(one.row, "contact", state, words) for one in people]
    if state == "refused":  # nobody can be subscribed who was not made
        outcomes += [Outcome(one.row, "create", "refused", words) for one in people]
    sender.plans.outcome(sender.plan_id, outcomes)


def _fields_note(sender: Sender, one: Change, state: str, words: str = "") -> None:
    sender.plans.outcome(sender.plan_id, [Outcome(one.row, "fields", state, words, one.contact_id)])


def make_list(client: Client, name: str, lists: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the list of exactly this name, made when there is none; never two of one name."""
    there = [dict(row) for row in lists if row["name"] == name]
    if there:
        return min(there, key=lambda row: row["listId"])
    before = {row["listId"] for row in lists}
    try:
        written = client.create("lists", [{"name": name, "emailOwnerOnChange": 0}])
        made = list(written.rows) if written.ok else []
        words = " ".join(written.warnings)
    except UnknownOutcome as error:
        made, words = client.resolve_create_list(name, before), ""
        if not made:  # perhaps it will be, so it is not sent again now
            raise TryLater(
                "in-doubt",
                f'The list "{name}" was sent to be made, and it is not there yet.',
                where=f"POST lists; {error.message}",
                kept="nobody was added to any list",
                next=["the same command, which looks for the list first"],
            ) from error
    if not made:
        raise Refused(
            "service-refused",
            f'iContact did not make the list "{name}": {words or "no reason given"}',
            where="POST lists",
            kept="nobody was added to any list",
            next=["make the list in iContact, then the same command"],
        )
    return dict(made[0])
