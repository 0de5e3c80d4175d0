"""Changes of people in Mailchimp: each row told for itself, and nobody subscribed who was not asked or said no.

Mailchimp itself lets an API make most of its statuses `subscribed`, also one that another program unsubscribed. So
what somebody is there now is read right before a status is sent, and a status is sent for nobody else. New members are
made in one call with `update_existing` off: who is there by then is refused by Mailchimp, not changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx.connections.base import Change, Done
from icx.connections.batch import Batch
from icx.errors import Refused, UnknownOutcome
from icx.mailchimp import member_hash
from icx.mailchimp.answers import changed

if TYPE_CHECKING:
    from icx.connections.base import Person
    from icx.connections.mailchimp import Mailchimp

WHOLE = ("addr1", "city", "state", "zip")  # parts without which Mailchimp takes no address
LOOKED_UP = 20  # as many new people are looked up one by one; of more, all the archived ones are read
#: Words of a member who may be asked for a confirmation; nobody else there is brought back by a change.
_MAY_BE_ASKED = ("transactional",)


@dataclass
class Seen:
    """The archived members, read once and then only as they become more; `hashes` is None before."""

    hashes: set[str] | None = None
    since: datetime | None = None


def write(there: Mailchimp, changes: Sequence[Change]) -> list[Done]:
    """Carry changes out: new ones in one call, then the others, some at a time."""
    batch = _Batch(there)

    def act() -> None:
        batch.make([one for one in changes if one.key is None])
        batch.each([one for one in changes if one.key is not None])

    return batch.carried_out(changes, act)


def settle(there: Mailchimp, changes: Sequence[Change]) -> list[Done]:
    """Compare what is there now with what was to become."""
    new = {one.row: one.email for one in changes if one.key is None and one.email}
    found = there.find(list(dict.fromkeys(new.values())))
    now = there.people([one.key for one in changes if one.key is not None])
    told = []
    for one in changes:
        some = found.get(new.get(one.row, ""), [])
        person = (some[0] if some else None) if one.key is None else now.get(one.key)
        key = person.key if person is not None and one.key is None else None
        told.append(Done(one.row, "done" if _became(one, person) else "not_sent", key))
    return told


def calls(changes: Sequence[Change]) -> int:
    """Return how many calls `write` makes, at most."""
    new = [one for one in changes if one.key is None]
    looked = min(len(new), LOOKED_UP) + 2 if new else 0
    return looked + sum(
        int(one.key is not None) * (bool(one.fields or one.email) + 2 * _has_status(one) + _has_address(one))
        + bool(one.tag or one.untag)
        for one in changes
    )


class _Batch(Batch):
    """One batch on its way to Mailchimp."""

    def __init__(self, there: Mailchimp) -> None:
        super().__init__()
        self.there, self.client, self.audience = there, there.client, there.audience
        self._lock = threading.Lock()

    # --- new members -----------------------------------------------------------------------------------------------

    def make(self, changes: Sequence[Change]) -> None:
        """Make members in one call; nobody who is there already, also archived, is touched by it."""
        new: dict[str, Change] = {}
        for one in changes:
            address = (one.email or "").strip().lower()
            if not address:
                self.refused[one.row] = "nobody can be made without an address"
            elif address in new:
                self.refused[one.row] = "somebody has this address by now"
            elif self.there.erased(address):
                self.refused[one.row] = "somebody who was erased here is not sent to Mailchimp again"
            else:
                new[address] = one
        if not new:
            return
        confirmed = bool(self.there.settings().get("double_optin"))
        for address, words in self._known(list(new)).items():
            self.refused[new.pop(address).row] = words
        rows = {}
        for address, one in new.items():
            merge, wrong = _merged(one.fields, {}, making=True)
            status = _first_status(one, self.audience, confirmed)
            if wrong or not status:
                self.refused[one.row] = wrong or "Mailchimp has no such list in this audience"
                continue
            rows[address] = {"email_address": one.email, "status_if_new": status} | (
                {"merge_fields": merge} if merge else {}
            )
        if not rows:
            return
        done = self._sent(lambda: self.client.batch(self.audience, list(rows.values()), update=False))
        for address in rows:
            one, row = new[address], done.members.get(address)
            if row is None:
                self.refused[one.row] = done.errors.get(address) or "Mailchimp said nothing of this row"
                continue
            self.keys[one.row] = str(row.get("contact_id") or row.get("id"))
        self._each(
            lambda one: self._tags(one, self.keys[one.row]), [o for o in new.values() if o.row in self.keys]
        )

    def _known(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return which of these addresses are of members, archived ones too, and the words to refuse them with."""
        if len(addresses) <= LOOKED_UP:
            found = self.there.find(addresses)
            return {address: _there(some[0].said) for address, some in found.items() if some}
        seen = self.there._seen
        for row in self.client.members(self.audience, since=seen.since, status="archived"):
            seen.hashes = seen.hashes or set()
            seen.hashes.add(str(row.get("id")))
            seen.since = changed(row) or seen.since
        archived = seen.hashes or set()
        return {address: _there("archived") for address in addresses if member_hash(address) in archived}

    # --- members who are there -------------------------------------------------------------------------------------

    def each(self, changes: Sequence[Change]) -> None:
        """Change members, a few at a time; each is a call or more of its own."""
        self._each(self._change, changes)

    def _each(self, do: Callable[[Change], None], changes: Sequence[Change]) -> None:
        from icx.connections.mailchimp import AT_ONCE

        def one(change: Change) -> None:
            try:
                do(change)
            except Refused as error:
                if error.code != "service-refused":
                    raise
                self._refuse(change, error.message)

        if len(changes) < 2:
            for change in changes:
                one(change)
            return
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="icx-mailchimp") as pool:
            waiting = [pool.submit(one, change) for change in changes]
        failed = [error for each in waiting if (error := each.exception()) is not None]
        # Of several, one whose write is in doubt counts more than one that surely was not sent.
        for error in sorted(failed, key=lambda error: not isinstance(error, UnknownOutcome)):
            raise error

    def _change(self, change: Change) -> None:
        who = str(change.key)
        body: dict[str, Any] = {}
        now: Mapping[str, Any] = {}
        if _has_status(change) or _has_address(change) or not (change.fields or change.email):
            row = self.client.member(self.audience, who)
            if row is None:
                self._refuse(change, "Mailchimp has no such member")
                return
            now = row
        if change.fields:
            body["merge_fields"], wrong = _merged(change.fields, now.get("merge_fields") or {}, making=False)
            if wrong:
                self._refuse(change, wrong)
                return
        if change.email:
            body["email_address"] = change.email
        status, wrong = _next_status(change, self.audience, str(now.get("status", "")))
        if wrong:
            self._refuse(change, wrong)
            return
        if status:
            body["status"] = status
        if body:
            self._sent(lambda: self.client.patch(self.audience, who, body))
        self._tags(change, who)

    def _tags(self, change: Change, who: str) -> None:
        if change.tag or change.untag:
            self._sent(lambda: self.client.tag(self.audience, who, sorted(change.tag), sorted(change.untag)))

    def _sent(self, call: Callable[[], Any]) -> Any:
        try:
            answer = call()
        except UnknownOutcome:
            self.sent = True
            raise
        self.sent = True
        return answer

    def _refuse(self, change: Change, words: str) -> None:
        with self._lock:
            self.refused[change.row] = words


def _there(said: str) -> str:
    return f"somebody has this address by now, {said} there"


def _first_status(change: Change, audience: str, confirmed: bool) -> str:
    """Return what somebody new is made as, "" when they are to join what is not there."""
    if set(change.join) - {audience}:
        return ""
    if audience in change.unsubscribe:
        return "unsubscribed"
    wanted = change.join.get(audience)
    return {None: "transactional", "pending": "pending"}.get(wanted, "pending" if confirmed else "subscribed")


def _next_status(change: Change, audience: str, said: str) -> tuple[str, str]:
    """Return the status to send for a member who is `said` now, "" for none, and why the change cannot be made."""
    if set(change.join) - {audience} or change.unsubscribe - {audience}:
        return "", "Mailchimp has no such list in this audience"
    if audience in change.leave:
        return "", "Mailchimp takes nobody out of an audience but by archiving; icx does not archive"
    if audience in change.unsubscribe:
        return ("unsubscribed" if said in ("subscribed", "pending", "transactional") else ""), ""
    wanted = change.join.get(audience)
    if wanted is None or said == "subscribed" or (said == "pending" and wanted == "pending"):
        return "", ""
    if said == "pending":
        return "", "was asked and has not answered"
    if said in _MAY_BE_ASKED and wanted == "pending":
        return "pending", ""
    if said in _MAY_BE_ASKED:
        return "", "was never subscribed there; may only be asked, by `pending`"
    return "", f"is {said} there; the way back is a new subscription made in Mailchimp"


def _merged(given: Mapping[str, str], now: Mapping[str, Any], *, making: bool) -> tuple[dict[str, Any], str]:
    """Return the merge fields to send, and why they cannot be; parts of an address join those that are there."""
    sent: dict[str, Any] = {}
    for name, value in given.items():
        tag, dot, part = name.partition(".")
        if not dot:
            if value or not making:
                sent[tag] = value
            continue
        if tag not in sent:
            there = now.get(tag)
            sent[tag] = dict(there) if isinstance(there, Mapping) else {}
        sent[tag][part] = value
    for tag, value in list(sent.items()):
        if not isinstance(value, dict):
            continue
        if not any(value.get(part) for part in (*WHOLE, "addr2")):
            sent[tag] = ""  # nothing is left of it
        elif missing := [part for part in WHOLE if not value.get(part)]:
            return {}, f"{tag} needs {', '.join(missing)} too: Mailchimp takes an address only whole"
        else:
            sent[tag] = {part: str(text) for part, text in value.items() if text}
    if making:
        sent = {tag: value for tag, value in sent.items() if value != ""}
    return sent, ""


def _has_status(change: Change) -> bool:
    return bool(change.join or change.unsubscribe or change.leave)


def _has_address(change: Change) -> bool:
    return any("." in name for name in change.fields)


def _became(change: Change, person: Person | None) -> bool:
    if person is None:
        return False
    return (
        all(person.fields.get(name, "") == value for name, value in change.fields.items())
        and (change.email is None or (person.email or "").lower() == change.email.strip().lower())
        and all(
            person.lists.get(name) in {status, "normal", "pending"} for name, status in change.join.items()
        )
        and all(person.lists.get(name) in {None, "unsubscribed"} for name in change.unsubscribe)
        and change.tag <= person.tags
        and not change.untag & person.tags
        and not change.leave & set(person.lists)
    )
