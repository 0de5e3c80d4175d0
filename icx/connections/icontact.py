"""iContact as a connection: the client of a saved login, and what it says of people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icx.clock import SYSTEM, Clock
from icx.connections import icontact_write
from icx.connections.base import MEMBERSHIPS, STATUSES, Change, Column, Container, Done, Person
from icx.connections.diagnosis import Step, Verified, verify
from icx.connections.icontact_members import Memberships
from icx.connections.login import Login
from icx.connections.saved import SavedConnection
from icx.errors import Refused
from icx.http import Pace, Tape
from icx.icontact import Client, Waiting
from icx.icontact.find import IDS_A_CALL, same_address

__all__ = ["IContact", "Login", "Step", "Verified", "client_for", "verify"]

#: iContact's own fields of a contact, as it names them.
OWN = (
    "prefix", "firstName", "lastName", "suffix", "street", "street2", "city", "state", "postalCode",
    "phone", "fax", "business",
)  # fmt: skip
LONGEST = {"state": 10}  # by iContact's articles


def client_for(
    saved: SavedConnection,
    login: Login,
    *,
    page_size: int = 1000,
    pace: Pace | None = None,
    tape: Tape | None = None,
    clock: Clock = SYSTEM,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Client:
    """Return the client of a saved connection."""
    return Client(
        saved.base_url,
        login.app_id,
        login.username,
        login.password,
        account_id=saved.account_id,
        client_folder_id=saved.client_folder_id,
        page_size=page_size,
        pace=pace,
        tape=tape,
        clock=clock,
        on_wait=on_wait,
    )


@dataclass(frozen=True)
class IContact:
    """A client folder of iContact.

    `parking` is the list people are moved to who leave one, since iContact takes nobody off a list otherwise; unless
    named it is "icx parking", where pushes park people too. `confirmation` is the message that asks `pending` ones for their opt-in.
    """

    saved: SavedConnection
    login: Login
    client: Client
    batch: int = (
        IDS_A_CALL  # a batch is looked at right before it leaves, and one read by ids takes this many
    )
    parking: int | None = None
    confirmation: int | None = None
    can: frozenset[str] = field(default=frozenset({"lists", "status", "unsubscribe", "make"}), repr=False)

    @property
    def kind(self) -> str:
        return "icontact"

    @property
    def place(self) -> str:
        return f"icontact {self.client.account_id}/{self.client.client_folder_id}"

    def verify(self) -> Verified:
        """Try the saved login now; see `verify`."""
        saved = self.saved
        return verify(
            self.login,
            account=saved.account_id,
            folder=saved.client_folder_id,
            contacts_only=saved.contacts_only,
            name=saved.name,
            clock=self.client.clock,
        )

    def containers(self) -> list[Container]:
        """Return the lists of the folder."""
        return [
            Container(
                row["listId"],
                row["name"] or "",
                mails=bool(row.get("welcomeOnManualAdd") or row.get("welcomeOnSignupAdd")),
            )
            for row in self.client.rows("lists")
        ]

    def schema(self) -> list[Column]:
        """Return the fields of a contact: iContact's own, then the custom ones by their private names."""
        own = [Column(name, name, longest=LONGEST.get(name)) for name in OWN]
        return own + [
            Column(row["privateName"], row["publicName"] or row["privateName"], custom=True)
            for row in self._custom_fields()
        ]

    def read(
        self, since: datetime | None = None, *, lists: Collection[str] | None = None
    ) -> Iterator[Person]:
        """Yield the contacts of the folder with the lists they are on; `since` is of no use, all are read.

        iContact tells nobody when a contact was changed: the cost is a call per thousand contacts and per thousand
        subscriptions that matter. Memory holds 17 bytes per subscription, and one page of contacts.
        """
        self._custom_fields()
        known = Memberships(self._that_matter(lists))
        for row in self.client.rows("contacts"):
            if row["status"] != "deleted":
                yield person(row, known.of(row["contactId"]))

    def people(self, keys: Sequence[str]) -> dict[str, Person | None]:
        """Return contacts as they are now, by two calls for each 150; a deleted one is None, as is an erased one."""
        if self.client.custom_names is None:
            self._custom_fields()
        ids = [int(key) for key in dict.fromkeys(keys) if key.isascii() and key.isdecimal()]
        rows = self.client.contacts_by_id(ids)
        there = {id: row for id, row in rows.items() if row is not None and not self._away(row)}
        lists = self._lists_of(list(there))
        found: dict[str, Person | None] = dict.fromkeys(keys)
        return found | {str(id): person(row, lists[id]) for id, row in there.items()}

    def find(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Return who has each address now; a call per address, since one that nobody has cannot be asked otherwise."""
        keys = {
            email: [
                str(row["contactId"])
                for row in self.client.find_contact_by_email(email)
                if not self._away(row)
            ]
            for email in dict.fromkeys(emails)
        }
        there = self.people([key for some in keys.values() for key in some])
        return {
            email: [one for key in some if (one := there[key]) is not None and same_address(one.email, email)]
            for email, some in keys.items()
        }

    def write(self, changes: Sequence[Change]) -> list[Done]:
        """Carry changes out; who said no to a list is put on it by no change, whatever was decided above."""
        return icontact_write.write(self, changes)

    def settle(self, changes: Sequence[Change]) -> list[Done]:
        """Read what became of changes; `not_sent` also tells of one that was carried out in part."""
        return icontact_write.settle(self, changes)

    def calls(self, changes: Sequence[Change]) -> int:
        """Return how many calls `write` makes: of fields, leaving and unsubscribing, one each."""
        return icontact_write.calls(changes)

    def _custom_fields(self) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = list(self.client.rows("customfields"))
        self.client.custom_names = frozenset(row["privateName"] for row in rows)
        return rows

    def _away(self, row: Mapping[str, Any]) -> bool:
        erased = self.client.erased
        return row["status"] == "deleted" or (
            erased is not None
            and erased.names(self.client.account_id, self.client.client_folder_id, dict(row))
        )

    def _that_matter(self, lists: Collection[str] | None) -> Iterator[Mapping[str, Any]]:
        """Yield the subscriptions of some lists, or those of who unsubscribed; all where a filter is not taken."""
        if lists is None:
            yield from self.client.rows("subscriptions")
            return
        asked: list[dict[str, Any]] = [{"listId": int(one)} for one in lists] or [{"status": "unsubscribed"}]
        try:
            for one in asked:
                for row in self.client.rows("subscriptions", **one):
                    if all(row[name] == value for name, value in one.items()):  # a filter is a hint
                        yield row
        except Refused as error:
            if error.code != "filter-ignored":
                raise
            yield from self.client.rows("subscriptions")

    def _lists_of(self, ids: Sequence[int]) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {id: {} for id in ids}
        for start in range(0, len(ids), IDS_A_CALL):
            part = set(ids[start : start + IDS_A_CALL])
            for row in self._subscriptions(part):
                if row["contactId"] in part:  # a filter is a hint
                    found[row["contactId"]][str(row["listId"])] = membership(row["status"])
        return found

    def _subscriptions(self, ids: set[int]) -> Iterable[Mapping[str, Any]]:
        try:
            return list(self.client.rows("subscriptions", contactId=sorted(ids)))
        except Refused as error:
            if error.code != "filter-ignored":
                raise
            return self.client.rows("subscriptions")  # dear, and right


def person(row: Mapping[str, Any], lists: Mapping[str, str]) -> Person:
    """Return a contact as every system tells it. A status icx does not know counts as do-not-contact."""
    said = row["status"] or ""
    fields = {name: row[name] for name in OWN if row[name]}
    fields |= {name: value for name, value in row["custom"].items() if value}
    status = said if said in STATUSES else "donotcontact"
    return Person(str(row["contactId"]), row["email"], fields, status, said, lists)


def membership(said: str | None) -> str:
    """Return how a contact stands on a list; a word icx does not know counts as unsubscribed."""
    return said if said in MEMBERSHIPS else "unsubscribed"
