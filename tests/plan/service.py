"""iContact as far as an apply writes to it, in memory: each write meets what it is told to meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from icx.clock import ManualClock
from icx.errors import Refused, TryLater
from icx.icontact import find, resolve
from icx.icontact.failures import unknown_outcome
from icx.icontact.paging import Page
from icx.icontact.resources import resource, subscription_id
from icx.icontact.written import Written, matched, one_written
from icx.plan.applied import Progress
from icx.plan.interrupt import Ending
from icx.plan.mapping import CONTACT_FIELDS
from icx.plan.send import Row, Sender
from icx.settings import Settings
from icx.store.plans import Place, Plans

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAID = "No, said the service."
LIST, PARKING, ADA = 7, 9, 70_001
#: Where a row is written from and to, as the journal has it.
WAYS = {"park": (LIST, PARKING), "restore": (PARKING, LIST)}


class Service:
    """Contacts, lists and who is on them. Reads are those of the client; a filter is a hint, and so is taken as none.

    `meets` holds what the next writes meet, in order, each a few words: `taken`, `refused` (all of it), `shut` (refused, and not
    for what was sent), `busy`; `lost-before` and `lost-after` the write took effect, `late` when it is asked for again;
    with a status added, the person has it on that list by then; with `deaf` nothing can be read any more, with `gone`
    the contact is no more, and with `left` they have left where they were. `says` is what stands in warnings.
    """

    page_size = 500
    find_contact_by_email = find.contact_by_email
    contacts_by_id = find.contacts_by_id
    resolve_subscribe = resolve.subscribe
    resolve_move = resolve.move
    resolve_create_contact = resolve.create_contact
    resolve_create_list = resolve.create_list
    resolve_update_contact = resolve.update_contact

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.pace = SimpleNamespace(left=lambda: 7, budget=SimpleNamespace(left=lambda: 7))
        self.contacts: dict[int, dict[str, Any]] = {}
        self.lists: dict[int, str] = {}
        self.welcomes: set[int] = set()  # lists that mail whom they get
        self.on: dict[tuple[int, int], str] = {}  # (list, contact): status
        self.refuses: set[int] = set()  # whom it never takes, with a warning
        self.says = SAID
        self.spoils: dict[str, str | None] = {}  # fields that change with whatever is changed
        self.listed: list[str] = []  # the collections that were read whole
        self.got: list[int | str] = []  # what was read singly
        self.meets: list[str] = []
        self.deaf: bool | str = False  # to everything, or to reads of one collection
        self.writes: list[tuple[Any, ...]] = []
        self.coming: list[Callable[[], object]] = []

    def person(self, contact: int, status: str = "normal", **fields: Any) -> None:
        row = {"contactId": contact, "email": f"{contact}@example.com", "status": status, "custom": {}}
        self.contacts[contact] = row | fields

    # -- reading

    def _rows(self, name: str) -> list[dict[str, Any]]:
        if self.deaf in {True, name}:
            raise TryLater("service-busy", "It is busy.", where="", kept="", next=["wait"])
        if name == "contacts":
            self.arrive()  # whoever is looked at once more before being sent again
            return [row | {"custom": dict(row["custom"])} for row in self.contacts.values()]
        if name == "lists":
            return [
                {"listId": number, "name": text, "welcomeOnManualAdd": number in self.welcomes}
                for number, text in self.lists.items()
            ]
        if name == "customfields":
            return []
        assert name == "subscriptions"
        return [self._subscription(*pair) for pair in self.on]

    def _subscription(self, list_id: int, contact: int) -> dict[str, Any]:
        found = {"listId": list_id, "contactId": contact, "status": self.on.get((list_id, contact), "")}
        return found | {"subscriptionId": subscription_id(list_id, contact)}

    def page(self, name: str, *, listId: int | None = None, **_: Any) -> Page:  # noqa: N803
        rows = [row for row in self._rows(name) if listId is None or row["listId"] == listId]
        return Page(rows, len(rows), 0, read=len(rows))

    def pages(self, name: str, **filters: Any) -> Iterator[Page]:
        self.listed.append(name)
        yield self.page(name, **filters)

    def rows(self, name: str, **_: Any) -> Iterator[dict[str, Any]]:
        yield from self._rows(name)

    def get(self, name: str, id: int | str) -> dict[str, Any] | None:
        assert id
        self.got.append(id)
        key = "subscriptionId" if name == "subscriptions" else "contactId"
        return next((row for row in self._rows(name) if row[key] == id), None)

    # -- writing

    def _warned(self, taken: bool) -> list[str]:
        return [] if taken or not self.says else [self.says]

    def subscribe(
        self, changes: Sequence[tuple[int, int, str]], *, confirmation: int | None = None
    ) -> Written:
        rows = [
            {"contactId": contact, "listId": list_id, "status": status}
            for contact, list_id, status in changes
        ]

        def do() -> Written:
            taken = [row for row in rows if row["contactId"] not in self.refuses]
            self.on |= {(row["listId"], row["contactId"]): row["status"] for row in taken}  # type: ignore[misc]
            words = self._warned(len(taken) == len(rows))
            echoed = [self._subscription(row["listId"], row["contactId"]) for row in taken]  # type: ignore[arg-type]
            return matched(resource("subscriptions"), rows, echoed, words, 200)

        return self._write(("subscribe", list(changes), confirmation), do, changes[0][1], changes[0][0])

    def move(self, list_id: int, contact: int, to_list: int) -> Written:
        sent = {"contactId": contact, "listId": to_list}

        def do() -> Written:
            taken = contact not in self.refuses
            if taken:
                self.on[to_list, contact] = self.on.pop((list_id, contact), "normal")
            row = self._subscription(to_list if taken else list_id, contact)
            return one_written(resource("subscriptions"), sent, row, self._warned(taken), 200)

        return self._write(("move", list_id, contact, to_list), do, to_list, contact)

    def update(self, name: str, id: Any, fields: Mapping[str, Any]) -> Written:
        list_id, contact = map(int, str(id).split("_")) if name == "subscriptions" else (0, int(id))

        def do() -> Written:
            taken = contact not in self.refuses
            if name == "subscriptions":
                if taken:
                    self.on[list_id, contact] = fields["status"]
                row = self._subscription(list_id, contact)
            else:
                for key, value in (dict(fields) if taken else {}).items() | self.spoils.items():
                    kept = self.contacts[contact]
                    part = kept if key in {*CONTACT_FIELDS, "status", "email"} else kept["custom"]
                    part[key] = value or None
                    if value is None:
                        del part[key]
                row = dict(self.contacts[contact])
            return one_written(resource(name), fields, row, self._warned(taken), 200)

        return self._write(("update", name, id, dict(fields)), do, list_id, contact)

    def create(self, name: str, rows: Sequence[Mapping[str, Any]]) -> Written:
        def do() -> Written:
            taken: list[dict[str, Any]] = []
            for row in rows:
                number = 900 + len(self.contacts) + len(self.lists)
                if name == "lists":
                    if row["name"] == "Refused":
                        continue
                    self.lists[number] = row["name"].replace("Renamed", "Renamed 2")
                    taken.append({"listId": number, "name": self.lists[number]})
                elif not str(row["email"]).startswith("refused"):
                    self.person(number, **row)
                    if str(row["email"]).startswith("asked"):  # a setting of the account asks everybody new
                        self.contacts[number]["status"] = "pending"
                    taken.append(dict(self.contacts[number]))
            words = self._warned(len(taken) == len(rows))
            return matched(resource(name), rows, taken, words, 200)

        return self._write(("create", name, [dict(row) for row in rows]), do, 0, 0)

    def _write(self, what: tuple[Any, ...], do: Callable[[], Written], list_id: int, contact: int) -> Written:
        self.writes.append(what)
        met, *more = (self.meets.pop(0) if self.meets else "taken").split()
        if met in {"refused", "shut"}:
            code = "service-refused" if met == "refused" else "forbidden"
            raise Refused(code, SAID, where="", kept="", next=["wait"])
        if met == "busy":
            raise TryLater("service-busy", "It is busy.", where="", kept="", next=["wait"])
        if met == "late":
            self.coming.append(do)
        done = do() if met in {"taken", "lost-after"} else None
        for word in more:
            if word == "deaf":
                self.deaf = True
            elif word == "gone":
                del self.contacts[contact]
            elif word == "away":
                self.on = {pair: status for pair, status in self.on.items() if pair[1] != contact}
            elif word == "left":
                self.leave(contact)
            elif word in {"donotcontact", "confirmed"}:
                self.contacts[contact]["status"] = word.replace("confirmed", "normal")
            else:
                self.on[list_id, contact] = word
        if done is None or met == "lost-after":
            raise unknown_outcome(str(what[0]), "connection lost")
        return done

    def leave(self, contact: int) -> None:
        """Somebody leaves every list they are on, by their own hand."""
        self.on |= {pair: "unsubscribed" for pair in self.on if pair[1] == contact}

    def arrive(self) -> None:
        """What was under way takes effect."""
        while self.coming:
            self.coming.pop()()


class Sent:
    """A sender to a service of its own, and what it told."""

    def __init__(self, plans: Plans, *meets: str, **settings: Any) -> None:
        place = Place(1, 2, LIST)
        names = {"list_name": "L", "connection": "acme", "audience": "A", "who": "w"}
        self.plans = plans
        self.plan = plans.add({}, pa.table({"x": [1]}), place=place, **names)
        self.service = Service(ManualClock(NOON))
        self.service.meets = list(meets)
        self.told: list[Progress] = []
        self.asked = False
        self.sender = Sender(
            self.plan, LIST, self.service, plans, Settings(**settings), Ending(lambda: self.asked),  # type: ignore[arg-type]
            self.tell, confirmation=55, of=3,
        )  # fmt: skip

    def tell(self, at: Progress) -> None:
        self.told.append(at)

    def rows(self, *actions: str, status: str = "normal") -> list[Row]:
        made = []
        for number, action in enumerate(actions):
            contact = ADA + number
            self.service.person(contact, "pending" if action == "add_pending" else status)
            on = {"park": LIST, "unsubscribe": LIST, "restore": PARKING}.get(action)
            if on is not None:
                self.service.on[on, contact] = "normal"
            away = PARKING if action in WAYS else None
            made.append(Row(number, contact, action, "normal" if on == LIST else "not", away))
        return made

    def send(self, rows: list[Row]) -> bool:
        verb = {"park": "move", "restore": "move", "unsubscribe": "unsubscribe"}.get(rows[0].action, "add")
        done: Callable[[list[Row]], bool] = getattr(self.sender, verb)
        return done(rows)

    def states(self) -> list[tuple[str, str]]:
        return [(row["state"], row["words"]) for row in self.plans.outcomes(self.plan)]
