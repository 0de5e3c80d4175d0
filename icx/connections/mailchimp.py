"""Mailchimp as a connection: one audience, and what its members are in the words all systems share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icx.connections import mailchimp_write
from icx.connections.base import Change, Column, Container, Done, Person
from icx.connections.saved import SavedConnection
from icx.errors import NeedsYou, Refused
from icx.http import Secret
from icx.mailchimp import Client, Key, MailchimpLogin, Token, member_hash
from icx.mailchimp.answers import changed
from icx.mailchimp.client import MOST

AT_ONCE = 8  # threads that ask at the same time; two of the ten calls are left for others
ADDRESS = ("addr1", "addr2", "city", "state", "zip", "country")

#: Mailchimp's word for a member -> how the contact stands, and how on the audience; who is not on it has no word. One
#: who is `transactional` is known there without ever having been subscribed, which is an iContact contact on no list.
STATUS: Mapping[str, tuple[str, str | None]] = {
    "subscribed": ("normal", "normal"),
    "pending": ("pending", "pending"),
    "unsubscribed": ("donotcontact", "unsubscribed"),
    "cleaned": ("bounced", None),
    "transactional": ("normal", None),
    "archived": ("donotcontact", None),
}
TYPES = {
    "number": "number", "zip": "text", "date": "date", "birthday": "date", "dropdown": "choice", "radio": "choice",
}  # fmt: skip


@dataclass(frozen=True)
class Mailchimp:
    """An audience of Mailchimp's. `erased` tells whether an address is of somebody erased in this workspace."""

    client: Client
    audience: str
    name: str = ""
    batch: int = MOST
    erased: Callable[[str], bool] = field(default=lambda address: False, repr=False)
    can: frozenset[str] = field(
        default=frozenset({"lists", "tags", "status", "since", "unsubscribe", "make"}), repr=False
    )
    _seen: mailchimp_write.Seen = field(default_factory=mailchimp_write.Seen, repr=False, compare=False)

    @property
    def kind(self) -> str:
        return "mailchimp"

    @property
    def place(self) -> str:
        return f"mailchimp {self.audience}"

    def verify(self) -> dict[str, Any]:
        """Try the login and the audience now; return the audience as Mailchimp tells it."""
        self.client.ping()
        return self.settings()

    def settings(self) -> dict[str, Any]:
        """Return the audience as it is set now: `double_optin`, `has_welcome`, …; raises `audience-gone`."""
        found = self.client.audience(self.audience)
        if found is None:
            raise gone(self.audience, self.name)
        return found

    def containers(self) -> list[Container]:
        """Return the audience, which is the one list here; its static segments are its tags."""
        found = self.settings()
        mails = bool(found.get("double_optin") or found.get("has_welcome"))
        return [Container(self.audience, str(found.get("name") or self.audience), mails)]

    def tags(self) -> list[str]:
        """Return the names of the tags that exist, which Mailchimp also calls static segments."""
        return sorted(str(row.get("name", "")) for row in self.client.segments(self.audience))

    def schema(self) -> list[Column]:
        """Return the merge fields of the audience as they are now; an address is a column for each of its parts."""
        return [column for row in self.client.merge_fields(self.audience) for column in _columns(row)]

    def read(
        self, since: datetime | None = None, *, lists: Collection[str] | None = None
    ) -> Iterator[Person]:
        """Yield the members, archived ones last, or who changed at that moment or later.

        The cost is a call for each thousand. Whoever is archived is in no ordinary listing, and would come back by
        being made again: so they are told too, as `donotcontact`.
        """
        for row in self.client.members(self.audience, since=since):
            if (one := self._person(row)) is not None:
                yield one
        for row in self.client.members(self.audience, since=since, status="archived"):
            if (one := self._person(row)) is not None:
                yield one

    def people(self, keys: Sequence[str]) -> dict[str, Person | None]:
        """Return some members as they are now, by a call for each; None for whom the audience has never had."""
        return self._each(list(dict.fromkeys(keys)))

    def find(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Return who has each address now, by a call for each; an audience has one member of an address at most."""
        hashes = {email: member_hash(email) for email in dict.fromkeys(emails)}
        there = self._each(list(dict.fromkeys(hashes.values())))
        return {email: [one] if (one := there[hash]) is not None else [] for email, hash in hashes.items()}

    def write(self, changes: Sequence[Change]) -> list[Done]:
        """Carry changes out. Nobody is made `subscribed` here who said no, bounced, or was never asked.

        A new member joins as `pending` where the audience asks for confirmation, whatever was decided above; one who
        joins nothing is made `transactional`, which no campaign reaches.
        """
        return mailchimp_write.write(self, changes)

    def settle(self, changes: Sequence[Change]) -> list[Done]:
        """Read what became of changes; `not_sent` also tells of one that was carried out in part."""
        return mailchimp_write.settle(self, changes)

    def calls(self, changes: Sequence[Change]) -> int:
        """Return how many calls `write` makes, at most."""
        return mailchimp_write.calls(changes)

    def _each(self, names: Sequence[str]) -> dict[str, Person | None]:
        def one(name: str) -> Person | None:
            row = self.client.member(self.audience, name)
            return None if row is None else self._person(row)

        if len(names) < 2:
            return {name: one(name) for name in names}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="icx-mailchimp") as pool:
            return dict(zip(names, pool.map(one, names), strict=True))

    def _person(self, row: Mapping[str, Any]) -> Person | None:
        if self.erased(str(row.get("email_address") or "")):
            return None
        tags = row.get("tags") or []
        if isinstance(row.get("tags_count"), int) and row["tags_count"] > len(tags):
            tags = self.client.member_tags(self.audience, str(row["id"]))
        return person(row, self.audience, tags)


def person(row: Mapping[str, Any], audience: str, tags: Sequence[Mapping[str, Any]] = ()) -> Person:
    """Return a member as every system tells it. A status icx does not know counts as do-not-contact.

    >>> one = person({"contact_id": "c1", "email_address": "a@example.com", "status": "cleaned",
    ...               "merge_fields": {"FNAME": "Ada", "AGE": 36, "ADDRESS": {"city": "London"}}}, "b1")
    >>> one.status, one.said, dict(one.lists), dict(one.fields)
    ('bounced', 'cleaned', {}, {'FNAME': 'Ada', 'AGE': '36', 'ADDRESS.city': 'London'})
    """
    said = str(row.get("status") or "")
    status, membership = STATUS.get(said, ("donotcontact", "unsubscribed"))
    return Person(
        str(row.get("contact_id") or row.get("id")),
        row.get("email_address") or None,
        dict(values(row.get("merge_fields") or {})),
        status,
        said,
        {} if membership is None else {audience: membership},
        frozenset(str(tag.get("name")) for tag in tags),
        changed(row),
    )


def values(merge: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the merge fields that hold something, as text; an address part by part."""
    for tag, value in merge.items():
        if isinstance(value, Mapping):
            yield from ((f"{tag}.{part}", text) for part in ADDRESS if (text := str(value.get(part) or "")))
        elif value is not None and value != "":
            yield tag, f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def login_for(saved: SavedConnection, secrets: Mapping[str, Secret]) -> MailchimpLogin:
    """Return the login of a saved audience; raise `needs-answer` when its secret is kept nowhere."""
    if "mailchimp_token" in secrets:
        return Token(secrets["mailchimp_token"], saved.base_url)
    if "mailchimp_key" in secrets:
        return Key(secrets["mailchimp_key"], saved.base_url)
    raise NeedsYou(
        "needs-answer",
        "Mailchimp's key is needed, and none is kept for this connection.",
        where="`ICX_MAILCHIMP_KEY` is not set",
        kept="nothing was sent",
        next=[["icx", "connect", saved.name, "--mailchimp", "--update"]],
        data={"missing": ["mailchimp_key"]},
    )


def gone(audience: str, name: str) -> Refused:
    """Return that the audience is no longer there."""
    return Refused(
        "audience-gone",
        f"Mailchimp has no audience {name or audience} any more.",
        where=f"list {audience}",
        kept="nothing was read or written",
        next=["icx connect NAME --mailchimp --update asks which audience is meant"],
    )


def _columns(row: Mapping[str, Any]) -> Iterator[Column]:
    tag, label = str(row.get("tag")), str(row.get("name") or row.get("tag"))
    kind, required = str(row.get("type")), bool(row.get("required"))
    options = row.get("options") if isinstance(row.get("options"), Mapping) else {}
    choices = tuple(str(one) for one in (options or {}).get("choices") or ())
    if kind == "address":
        for part in ADDRESS:
            needed = required and part in mailchimp_write.WHOLE
            yield Column(f"{tag}.{part}", f"{label}: {part}", required=needed, custom=True)
        return
    yield Column(tag, label, required=required, custom=True, type=TYPES.get(kind, "text"), choices=choices)
