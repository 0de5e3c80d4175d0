"""Changes of people in iContact: each row told for itself, and nobody put on a list they said no to.

iContact answers 200 with warnings also when it refused rows, and makes a change in several calls where fields, lists
and the address change together. So what one row came to is gathered over these calls, and when one of them has an
unknown fate after others were answered, the whole batch is read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from icx.connections.base import Change, Done
from icx.connections.batch import Batch
from icx.errors import Refused, UnknownOutcome
from icx.icontact import Client, Written, subscription_id
from icx.icontact.find import IDS_A_CALL, same_address, statuses_on
from icx.icontact.resolve import SETTLE

#: Where a push parks people too; iContact takes nobody off a list but by a move to another one.
PARKING = "icx parking"

if TYPE_CHECKING:
    from icx.connections.base import Person
    from icx.connections.icontact import IContact


def write(there: IContact, changes: Sequence[Change]) -> list[Done]:
    """Carry changes out: made, then fields, joined, left, unsubscribed; what was refused goes no further."""
    batch = _Batch(there)

    def act() -> None:
        batch.make([one for one in changes if one.key is None])
        batch.set_fields([one for one in changes if one.key is not None and (one.fields or one.email)])
        batch.join([one for one in changes if one.join])
        for one in changes:
            batch.leave(one)
            batch.unsubscribe(one)

    return batch.carried_out(changes, act)


def settle(there: IContact, changes: Sequence[Change]) -> list[Done]:
    """Compare what is there now with what was to become; what is not there is looked for twice, with a pause."""
    found = _settled(there, changes)
    again = [one for one, done in zip(changes, found, strict=True) if done.state != "done"]
    if again:
        there.client.clock.sleep(SETTLE)
        later = {done.row: done for done in _settled(there, again)}
        found = [later.get(done.row, done) for done in found]
    return found


def calls(changes: Sequence[Change]) -> int:
    """Return how many calls `write` makes, at most."""
    made = sum(one.key is None for one in changes)
    changed = [one for one in changes if one.key is not None and (one.fields or one.email)]
    joining = [one for one in changes if one.join]
    lists = {list_id for one in joining for list_id in one.join}
    statuses = {status for one in joining for status in one.join.values()}
    return (
        made
        + bool(made)
        + sum(1 + bool(one.email) for one in changed)
        + -(-len(joining) // IDS_A_CALL) * (1 + len(lists))
        + len(statuses)
        + 2 * sum(len(one.leave) + len(one.unsubscribe) for one in changes)
    )


class _Batch(Batch):
    """One batch on its way to iContact."""

    def __init__(self, there: IContact) -> None:
        super().__init__()
        self.there, self.client = there, there.client
        self._parked: int | None = None

    def make(self, changes: Sequence[Change]) -> None:
        """Make contacts in one call. A contact whose address exists would be written over, so each is looked for."""
        new: dict[str, Change] = {}
        for one in changes:
            address = (one.email or "").strip().lower()
            if not address:
                self.refused[one.row] = "nobody can be made without an address"
            elif address in new or self.client.find_contact_by_email(address):
                self.refused[one.row] = "somebody has this address by now"
            else:
                new[address] = one
        rows = [{"email": one.email, **_given(one)} for one in new.values()]
        if not rows:
            return
        try:
            written = self._send(self.client, "create", "contacts", rows)
        except Refused as error:
            self._refuse(new.values(), error)
            return
        said = " ".join(dict.fromkeys(written.warnings)) or "no reason given"
        for index, one in enumerate(new.values()):
            row = written.accepted.get(index)
            if row is None:
                self.refused[one.row] = said
                continue
            self.keys[one.row] = str(row["contactId"])
            if row["status"] != "normal" or not same_address(row["email"], one.email):
                # It was somebody's before: nobody asked them.
                self.refused[one.row] = f"made with the status {row['status']}"

    def set_fields(self, changes: Sequence[Change]) -> None:
        """Set fields and addresses, a call each; an address that another contact has is left to that one."""
        for one in changes:
            others = self.client.find_contact_by_email(one.email) if one.email else []
            if any(str(row["contactId"]) != one.key for row in others):
                self.refused[one.row] = "another contact has this address"
                continue
            values = dict(one.fields) | ({"email": one.email} if one.email else {})
            try:
                written = self._send(self.client, "update", "contacts", int(one.key or 0), values)
            except Refused as error:
                self._refuse([one], error)
                continue
            if written.missing or (written.warnings and not _holds(written.rows[0], values)):
                self.refused[one.row] = " ".join(written.warnings) or "no reason given"

    def join(self, changes: Sequence[Change]) -> None:
        """Put people on lists: one call for the `normal` ones, one for the `pending` ones."""
        asking = [one for one in changes if one.row not in self.refused]
        ids = {one.row: int(self._key(one)) for one in asking}
        contacts = self.client.contacts_by_id(ids.values())
        lists = {list_id for one in asking for list_id in one.join}
        on = {list_id: statuses_on(self.client, int(list_id), list(ids.values())) for list_id in lists}
        wanted: dict[str, list[tuple[Change, tuple[int, int, str]]]] = {"normal": [], "pending": []}
        for one in asking:
            contact = contacts[ids[one.row]]
            for list_id, status in one.join.items():
                now = on[list_id].get(ids[one.row])
                why = _forbidden(contact["status"] if contact else "gone", now, status)
                if why:
                    self.refused[one.row] = why
                elif now is None:
                    wanted[status].append((one, (ids[one.row], int(list_id), status)))
        for status, rows in wanted.items():
            if not rows:
                continue
            try:
                confirmation = self.there.confirmation if status == "pending" else None
                triples = [triple for _, triple in rows]
                written = self._send(self.client, "subscribe", triples, confirmation=confirmation)
            except Refused as error:
                self._refuse([one for one, _ in rows], error)
                continue
            said = " ".join(dict.fromkeys(written.warnings)) or "no reason given"
            for missing in written.missing:
                self.refused[rows[missing.index][0].row] = missing.reason or said

    def leave(self, change: Change) -> None:
        """Move somebody from each list to the parking list."""
        for list_id in change.leave:
            if change.row in self.refused or self._on(change, list_id) != "normal":
                continue
            parking = self._parking()
            if parking is None:
                self.refused[change.row] = f'iContact did not make the list "{PARKING}" to move people to'
                return
            self._one(change, "move", int(list_id), int(self._key(change)), parking)

    def unsubscribe(self, change: Change) -> None:
        """Unsubscribe somebody from each list they are on; there is no way back."""
        for list_id in change.unsubscribe:
            if change.row in self.refused or self._on(change, list_id) in {None, "unsubscribed"}:
                continue
            member = subscription_id(int(list_id), int(self._key(change)))
            self._one(change, "update", "subscriptions", member, {"status": "unsubscribed"})

    def _parking(self) -> int | None:
        """Return the list people are moved to who leave one: the one named, else icx's own, made when there is none."""
        if self.there.parking is not None:
            return self.there.parking
        if self._parked is None:
            there = self.client.find_list_by_name(PARKING)
            if not there:
                written = self._send(
                    self.client, "create", "lists", [{"name": PARKING, "emailOwnerOnChange": 0}]
                )
                there = list(written.rows)
            self._parked = min((int(row["listId"]) for row in there), default=None)
        return self._parked

    def _on(self, change: Change, list_id: str) -> str | None:
        row = self.client.get("subscriptions", subscription_id(int(list_id), int(self._key(change))))
        return row["status"] if row else None

    def _one(self, change: Change, verb: str, *values: Any) -> None:
        try:
            written = self._send(self.client, verb, *values)
        except Refused as error:
            self._refuse([change], error)
            return
        if written.missing:
            self.refused[change.row] = written.missing[0].reason or "no reason given"

    def _key(self, change: Change) -> str:
        return self.keys[change.row] if change.key is None else change.key

    def _send(self, client: Client, verb: str, *values: Any, **named: Any) -> Written:
        try:
            written: Written = getattr(client, verb)(*values, **named)
        except UnknownOutcome:
            self.sent = True
            raise
        self.sent = True
        return written

    def _refuse(self, changes: Iterable[Change], error: Refused) -> None:
        if error.code != "service-refused":
            raise error
        for one in changes:
            self.refused[one.row] = error.message


def _forbidden(contact: str, now: str | None, wanted: str) -> str:
    """Return why somebody may not be put on a list, or "": the last gate before the wire."""
    if now == wanted or (now == "normal" and wanted == "pending"):
        return ""
    if now == "unsubscribed":
        return "left this list"
    if now is not None:
        return "was asked and has not answered"
    may = {"normal": ("normal",), "pending": ("normal", "pending", "invitable")}[wanted]
    return "" if contact in may else f"the contact is {contact}"


def _settled(there: IContact, changes: Sequence[Change]) -> list[Done]:
    made = {
        one.row: there.client.find_contact_by_email(one.email)
        for one in changes
        if one.key is None and one.email
    }
    keys = {row: str(some[0]["contactId"]) for row, some in made.items() if some}
    now = there.people([key for one in changes if (key := one.key or keys.get(one.row)) is not None])
    return [_became(one, keys.get(one.row), now.get(one.key or keys.get(one.row) or "")) for one in changes]


def _became(change: Change, key: str | None, person: Person | None) -> Done:
    same = person is not None and (
        all(person.fields.get(name, "") == value for name, value in change.fields.items())
        and (change.email is None or same_address(person.email, change.email))
        and all(person.lists.get(name) in {status, "normal"} for name, status in change.join.items())
        and not any(person.lists.get(name) == "normal" for name in change.leave)
        and all(person.lists.get(name) in {None, "unsubscribed"} for name in change.unsubscribe)
    )
    return Done(change.row, "done" if same else "not_sent", key)


def _given(change: Change) -> dict[str, str]:
    return {name: value for name, value in change.fields.items() if value}


def _holds(row: dict[str, Any], fields: dict[str, Any]) -> bool:
    custom = row.get("custom") or {}
    return all(str(custom.get(name, row.get(name)) or "") == value for name, value in fields.items())
