"""What other clients and the people themselves do to an account between two steps of icx; and who said no to what."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field

from icx.store import pushed
from icx.store.journal import Journal
from icx.store.plans import Place
from road.account import Account
from road.answers import Service

TARGET = "Loyal"
PARKING = "icx parking"
# What people and other clients do; what is named twice is drawn twice as often.
DEEDS = (
    "leaves", "leaves", "leaves_by_mail", "is_moved", "asks_never", "is_deleted", "is_made_again", "joins",
    "comes_back", "changes_address", "list_is_deleted", "bounces", "bounces_no_more", "is_asked", "confirms",
    "asks_never_elsewhere",
)  # fmt: skip


@dataclass
class No:
    """Who has said no to a list (or, under None, to everything), by contact and by address; only they take it back."""

    contacts: dict[int | None, set[int]] = field(default_factory=lambda: defaultdict(set))
    addresses: dict[int | None, set[str]] = field(default_factory=lambda: defaultdict(set))

    def say(self, list_id: int | None, contact: int, address: str | None) -> None:
        self.contacts[list_id].add(contact)
        if address:
            self.addresses[list_id].add(address.lower())

    def take_back(self, list_id: int, contact: int, address: str | None) -> None:
        self.contacts[list_id].discard(contact)
        self.addresses[list_id].discard((address or "").lower())

    def said(self, list_id: int, contact: int, address: str | None) -> bool:
        return any(
            contact in self.contacts[place] or (address or "").lower() in self.addresses[place]
            for place in (list_id, None)
        )


class Deeds:
    """Deeds by name, each chosen at random. `no` keeps who said no, `touched` to whom anything was done at all."""

    def __init__(self, account: Account, rnd: random.Random, journal: Journal) -> None:
        self.account, self.held, self.rnd, self.journal = account, account.held, rnd, journal
        self.folder = account.sandbox.client_folder_id
        self.other = Service.of(account.sandbox)
        self.no = No()
        self.did: Counter[str] = Counter()  # what changed the account; and, as `NAME: inert`, what did not
        self.told_elsewhere: set[str] = (
            set()
        )  # addresses that said no to the sender's other folder since its pull
        self.log: list[str] = []
        self.concerned: list[int] = []  # whom the plan about to be applied would write
        self.unseen = False  # somebody said no since the last pull
        self.mailed_out: list[
            tuple[int, int]
        ] = []  # (message, contact): left by a mail's link since the last pull
        self.touched: set[int] = set()
        self.asking = self._confirmation_message()
        for list_id, contact, address in self.held.rows(
            "select list_id, contact_id, email from subscriptions join contacts using (contact_id)"
            " where subscriptions.status = 'unsubscribed'"
        ):
            self.no.say(list_id, contact, address)
        for contact, address in self.held.rows(
            "select contact_id, email from contacts where folder_id = ? and status in ('donotcontact', 'deleted')",
            self.folder,
        ):
            self.no.say(None, contact, address)
        for message, contact in self.held.rows(
            "select message_id, contact_id from events where kind = 'unsubscribe'"
        ):
            self.counts_as_left(message, contact)

    def let_icx_see(self) -> None:
        """What somebody said can be known only if it is read before it vanishes from the service."""
        raise AssertionError("only a world with icx in it can look")

    def somebody(self, deed: str) -> None:
        self.log.append(f"  somebody: {deed}")
        before = self._everything()
        getattr(self, deed)()
        self.did[deed if self._everything() != before else f"{deed}: inert"] += 1

    def leaves(self) -> None:
        """Somebody leaves a list: the target, the parking list or another."""
        found = self._subscription("normal")
        if found:
            list_id, contact = found
            self._set(list_id, contact, "unsubscribed")
            self._says_no(list_id, contact)

    def leaves_by_mail(self) -> None:
        """Somebody follows the link in a mail. The service lists the event, which names no list, and leaves the row."""
        found = self._subscription("normal")
        messages = self.held.rows("select distinct message_id from sends where folder_id = ?", self.folder)
        if found and messages:
            message, contact = self.rnd.choice(messages)[0], found[1]
            self._write(
                "insert into events (folder_id, message_id, kind, contact_id, event_time) values (?, ?, 'unsubscribe', ?, ?)",
                self.folder, message, contact, int(time.time()),
            )  # fmt: skip
            self.mailed_out.append((message, contact))
            self.touched.add(contact)
            self.unseen = True

    def counts_as_left(self, message: int, contact: int) -> None:
        """Such an event counts against every list the message was sent to."""
        for (lists,) in self.held.rows("select include_list_ids from sends where message_id = ?", message):
            for list_id in filter(None, (lists or "").split(",")):
                self.no.say(int(list_id), contact, self._address(contact))

    def is_moved(self) -> None:
        """Somebody is moved to another list. One who had left is moved only after icx could see that."""
        found = self._subscription(self.rnd.choice(["normal", "unsubscribed"]))
        other = self.rnd.choice(self._lists())
        if not found or found[0] == other:
            return
        list_id, contact = found
        if self.held.on(other).get(contact) or self.no.said(other, contact, self._address(contact)):
            return
        if self.held.on(list_id)[contact] == "unsubscribed":
            self.let_icx_see()
            self.no.say(other, contact, self._address(contact))  # the status travels with the person
        self.touched.add(contact)
        self.other.call("PUT", f"subscriptions/{list_id}_{contact}", {"listId": other})

    def asks_never(self) -> None:
        contact = self._person()
        self.other.call("POST", f"contacts/{contact}", {"status": "donotcontact"})
        self.unseen = True
        self.no.say(None, contact, self._address(contact))

    def asks_never_elsewhere(self) -> None:
        """Somebody asks the sender's other folder never to be contacted; icx knows when it has read that one."""
        found = self.held.rows(
            "select contact_id, email, folder_id from contacts where folder_id <> ? and status = 'normal'"
            " and email is not null order by lower(email) in (select lower(email) from contacts where folder_id = ?)"
            " desc, contact_id", self.folder, self.folder,
        )  # fmt: skip
        if found:
            contact, address, folder = self.rnd.choice(found[:12])
            self.other.folder(folder).call("POST", f"contacts/{contact}", {"status": "donotcontact"})
            self.told_elsewhere.add(address)

    def bounces(self) -> None:
        """The service finds that an address does not work; that counts while it says so."""
        self._becomes(self._person(), "bounced")

    def bounces_no_more(self) -> None:
        self._becomes(self._of_status("bounced"), "normal")

    def is_asked(self) -> None:
        """Somebody has signed up or was invited, and has not answered yet."""
        self._becomes(self._person(), self.rnd.choice(["pending", "invitable"]))

    def confirms(self) -> None:
        """Somebody answers the confirmation message by their own hand."""
        contact = self._of_status("pending", "invitable")
        self._becomes(contact, "normal")
        self._write(
            "update subscriptions set status = 'normal' where contact_id = ? and status = 'pending'", contact
        )

    def is_deleted(self) -> None:
        self.let_icx_see()
        contact = self._person()
        self.other.call("DELETE", f"contacts/{contact}")
        self.unseen = True
        self.no.say(None, contact, self._address(contact))

    def is_made_again(self) -> None:
        """Somebody is deleted and made anew under the same address, written otherwise: another contact, the same no."""
        self.let_icx_see()
        contact = self._person()
        address = self._address(contact)
        if address:
            self.other.call("DELETE", f"contacts/{contact}")
            self.unseen = True
            self.no.say(None, contact, address)
            self.other.call("POST", "contacts", [{"email": address.swapcase(), "city": "Durham"}])

    def joins(self) -> None:
        """The other client adds somebody to the target, as it may."""
        self._see_mails()
        list_id = self._target()
        absent = [one for one in self._alive("normal") if list_id and one not in self.held.on(list_id)]
        near = [one for one in self.concerned if one in absent]
        contact = self.rnd.choice(near or absent) if absent else 0
        if list_id and contact and not self.no.said(list_id, contact, self._address(contact)):
            self._set(list_id, contact, "normal")

    def comes_back(self) -> None:
        """Somebody who left comes back by their own hand, and the next pull may see it."""
        self._see_mails()
        found = self._subscription("unsubscribed")
        if found:
            list_id, contact = found
            if self._name(list_id) == PARKING:
                self.let_icx_see()  # what leaving it said of the list they were parked from stands
            address = self._address(contact)
            if address is None or self.no.said(None, contact, address) or self._shared(address):
                return
            self._set(list_id, contact, "normal")
            self.no.take_back(list_id, contact, address)

    def changes_address(self) -> None:
        contact = self._person()
        self.let_icx_see()
        self.touched.add(contact)
        new = f"new{self.rnd.randrange(10**9)}@example.net"
        self.other.call("POST", f"contacts/{contact}", {"email": new})

    def list_is_deleted(self) -> None:
        """Seldom, the target itself is deleted; perhaps another one of its name is made."""
        list_id = self._target()
        if list_id and self.rnd.random() < 0.3:
            self.other.call("DELETE", f"lists/{list_id}")
            if self.rnd.random() < 0.5:
                self.other.call("POST", "lists", [{"name": TARGET, "emailOwnerOnChange": 0}])

    def _set(self, list_id: int, contact: int, status: str) -> None:
        self.touched.add(contact)
        row = {"listId": list_id, "contactId": contact, "status": status}
        self.other.call("POST", "subscriptions", [row])

    def _becomes(self, contact: int | None, status: str) -> None:
        if contact is not None:
            self.touched.add(contact)
            self._write("update contacts set status = ? where contact_id = ?", status, contact)

    def _says_no(self, list_id: int, contact: int) -> None:
        """Leaving the parking list also is leaving the list icx parked the person from."""
        address = self._address(contact)
        self.no.say(list_id, contact, address)
        self.unseen = True
        if self._name(list_id) == PARKING:
            for (origin,) in self.held.rows("select list_id from lists where name = ?", TARGET):
                place = Place(self.account.sandbox.account_id, self.folder, origin)
                if pushed.parked(self.journal, place).get(contact) == list_id:
                    self.no.say(origin, contact, address)

    def _see_mails(self) -> None:
        """Whether somebody left by mail before or after joining is told by its date; seen first, it is no question."""
        if self.mailed_out:
            self.let_icx_see()

    # -- choosing, and the account itself

    def _everything(self) -> list[tuple[object, ...]]:
        return [
            *self.held.rows("select contact_id, email, status from contacts order by 1"),
            *self.held.rows("select list_id, contact_id, status from subscriptions order by 1, 2"),
            *self.held.rows("select list_id, deleted from lists order by 1"),
            *self.held.rows("select count(*) from events"),
        ]

    def _write(self, sql: str, *values: object) -> None:
        """What the service does by itself is written into its file: there is no call for it."""
        with closing(sqlite3.connect(self.held.file, timeout=30)) as con, con:
            con.execute(sql, values)

    def _confirmation_message(self) -> int:
        """Make the message that asks people; a client needs its id only."""
        number: int = self.held.one("select max(message_id) + 1 from messages")
        self._write(
            "insert into messages (message_id, folder_id, message_type, subject, create_date)"
            " values (?, ?, 'confirmation', 'Please confirm', ?)", number, self.folder, int(time.time()),
        )  # fmt: skip
        return number

    def _shared(self, address: str) -> bool:
        sql = "select count(*) from contacts where folder_id = ? and lower(email) = ?"
        return bool(self.held.one(sql, self.folder, address.lower()) > 1)

    def _lists(self) -> list[int]:
        rows = self.held.rows("select list_id from lists where folder_id = ? and not deleted", self.folder)
        return [row[0] for row in rows]

    def _target(self) -> int | None:
        found = self.held.rows(
            "select list_id from lists where name = ? and folder_id = ? and not deleted", TARGET, self.folder
        )
        return found[0][0] if found else None

    def _name(self, list_id: int) -> str:
        name: str = self.held.one("select name from lists where list_id = ?", list_id)
        return name

    def _person(self) -> int:
        """Somebody alive, of the plan under way or of the target list if possible."""
        target = self._target()
        near = sorted(self.held.members(target)) if target and self.rnd.random() < 0.6 else []
        alive = self._alive("normal")
        concerned = [contact for contact in self.concerned if contact in alive]
        if concerned and self.rnd.random() < 0.7:
            return self.rnd.choice(concerned)
        return self.rnd.choice([contact for contact in near if contact in alive] or alive)

    def _of_status(self, *statuses: str) -> int | None:
        found = self._alive(*statuses)
        return self.rnd.choice(found) if found else None

    def _alive(self, *statuses: str) -> list[int]:
        rows = self.held.rows(
            "select contact_id, status from contacts where folder_id = ? order by 1", self.folder
        )
        return [contact for contact, status in rows if status in statuses]

    def _subscription(self, status: str) -> tuple[int, int] | None:
        rows = self.held.rows(
            "select s.list_id, s.contact_id from subscriptions s join lists l using (list_id)"
            " join contacts c using (contact_id)"
            " where s.status = ? and not l.deleted and c.status = 'normal' order by l.name in (?, ?) desc, 1, 2",
            status,
            TARGET,
            PARKING,
        )
        return self.rnd.choice(rows[: max(10, len(rows) // 2)]) if rows else None

    def _address(self, contact: int) -> str | None:
        found: str | None = self.held.one("select email from contacts where contact_id = ?", contact)
        return found
