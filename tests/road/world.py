"""One account, icx, and another client that edits the same people meanwhile; and what must never be seen after icx acted."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from icx.errors import IcxError
from icx.plan import Policy
from icx.pull import reset
from icx.store import pushed
from icx.store.plans import Place
from icx.workspace import Workspace
from road.account import Account
from road.answers import Service

TARGET = "Loyal"
PARKING = "icx parking"
# What icx may answer when another client was quicker; nothing else may come out of it.
EXPECTED = {
    "list-gone", "list-unknown", "list-twice", "apply-unfinished", "nothing-to-undo", "check-failed", "check-stale",
    "plan-closed", "plan-choice", "in-doubt", "service-busy", "service-unreachable", "answer-unreadable", "needs-answer",
}  # fmt: skip
FAULTS = ("close-after-write", "close-before", "503", "500", "truncate", "html-page")

AUDIENCES = ("Normal", "Some", "Others")


@dataclass(frozen=True)
class Snapshot:
    """What the account holds at a moment: status by (list, contact), status by contact, violations so far."""

    places: dict[tuple[int, int], str]
    statuses: dict[int, str]
    violations: list[tuple[Any, ...]]


@dataclass
class Hasty:
    """The machine's clock, some seconds wrong, for somebody who does not like to wait."""

    ahead: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


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


class World:
    """Commands of icx and deeds of the other client by name, each chosen at random by a test."""

    def __init__(self, account: Account, ws: Workspace, clock: Hasty, rnd: random.Random) -> None:
        self.account, self.held, self.ws, self.clock, self.rnd = account, account.held, ws, clock, rnd
        self.other = Service.of(account.sandbox)
        self.no = No()
        self.log: list[str] = []
        self.added = self.left_out = 0
        self.unseen = False  # somebody said no since the last pull
        self.concerned: list[int] = []  # whom the plan about to be applied would write
        self.last_apply_wrote = False
        for list_id, contact, address in self.held.rows(
            "select list_id, contact_id, email from subscriptions join contacts using (contact_id)"
            " where subscriptions.status = 'unsubscribed'"
        ):
            self.no.say(list_id, contact, address)
        for contact, address, status in self.held.rows("select contact_id, email, status from contacts"):
            if status != "normal":
                self.no.say(None, contact, address)

    # -- what icx is told to do

    def pull(self) -> None:
        self.icx("pull", lambda: self.ws.pull("acme"))
        self.unseen = False

    def let_icx_see(self) -> None:
        """What somebody said can be known only if it is read before it vanishes from the service."""
        if self.unseen:
            self.pull()

    def build(self) -> None:
        self.icx("build", lambda: self.ws.build("acme"))

    def pull_and_build(self) -> None:
        self.pull()
        self.build()

    def start_over(self) -> None:
        """Drop everything that was pulled; what people said, as far as icx had seen it, stays."""
        self.let_icx_see()
        self.icx("reset", lambda: reset(self.ws.store, "acme"))
        self.pull_and_build()

    def plan(self) -> Any:
        stale = self.rnd.choice(["stay", "stay", "park", "park", "unsubscribe"])
        wish = self.ws.audience(self.rnd.choice(AUDIENCES))
        return self.icx(
            f"plan {wish.name} --stale {stale}",
            lambda: self.ws.plan(wish, f"acme/lists/{TARGET}", create=True, policy=Policy(stale=stale)),
        )

    def plan_and_apply(self) -> None:
        plan = self.plan()
        if plan is not None:
            self.concerned = _moved_by(plan)
            self.somebody_is_quicker()
            self.apply(plan.plan_id)
            self.concerned = []

    def apply_an_old_plan(self) -> None:
        waiting = [plan.plan_id for plan in self.ws.plans() if plan.state in {"open", "applying"}]
        if waiting:
            self.apply(self.rnd.choice(waiting))

    def undo(self) -> None:
        finished = [plan.plan_id for plan in self.ws.plans() if plan.state == "finished"]
        if finished:
            chosen = self.rnd.choice(finished)
            back = self.icx(f"undo {chosen}", lambda: self.ws.undo(chosen))
            if back is not None:
                self.concerned = _moved_by(back)
                self.somebody_is_quicker()
                self.apply(back.plan_id)
                self.concerned = []

    def apply(self, plan_id: str) -> None:
        """Apply a plan on a line that may break; type it again until it is through."""
        self._break_the_line()
        plan = next(plan for plan in self.ws.plans() if plan.plan_id == plan_id)
        answers = {stop.key: stop.confirm or "they are customers" for stop in plan.stops}
        for _ in range(4):
            done = self.icx(f"apply {plan_id}", lambda: self.ws.apply(plan_id, answers=answers))
            if done is not None and done.state == "finished":
                self._read_back(plan, done)
                break
        requests.delete(f"{self.account.sandbox.control_url}/faults", timeout=30)

    def _break_the_line(self) -> None:
        if self.rnd.random() < 0.5:
            orders = [
                {
                    "match": f"{method} /subscriptions",
                    "fault": self.rnd.choice(FAULTS),
                    "after": self.rnd.randrange(2),
                }
                for method in self.rnd.choices(["POST", "PUT", "GET"], k=2)
            ]
            requests.post(f"{self.account.sandbox.control_url}/faults", json=orders, timeout=30)

    def _read_back(self, plan: Any, done: Any) -> None:
        """An apply that ended says what the list holds, and it holds it."""
        if self.last_apply_wrote:
            list_id = plan.target.list_id or self.held.list_id(plan.target.list)
            assert done.read_back.equal, (done, self.story())
            assert done.read_back.found == len(self.held.members(list_id)), self.story()
            assert (done.in_doubt, done.not_sent) == (0, 0), self.story()
            self.added += done.added
            self.left_out += sum(done.left_out.values())

    def icx(self, what: str, call: Callable[[], Any]) -> Any:
        """Let icx do something, and look at what became of everybody; None when it said no."""
        self.log.append(what)
        before, result = self._snapshot(), None
        try:
            result = call()
        except IcxError as error:
            self.log[-1] += f" [{error.code}]"
            if error.code not in EXPECTED:
                raise AssertionError(self.story()) from error
        self._judge(before, self._snapshot())
        return result

    def _snapshot(self) -> Snapshot:
        places = self.held.rows(
            "select list_id, contact_id, s.status from subscriptions s join lists using (list_id) where not deleted"
        )
        return Snapshot(
            {(list_id, contact): status for list_id, contact, status in places},
            dict(self.held.rows("select contact_id, status from contacts")),
            self.held.violations(),
        )

    def _judge(self, before: Snapshot, after: Snapshot) -> None:
        """Nobody who said no is put anywhere; a status only ever moves toward less contact; what leaves was moved."""
        assert after.violations == before.violations, self.story()
        assert after.statuses == before.statuses, self.story()
        changed = {
            place: (before.places.get(place), after.places.get(place))
            for place in before.places.keys() | after.places.keys()
            if before.places.get(place) != after.places.get(place)
        }
        self.last_apply_wrote = bool(changed)
        for (list_id, contact), (was, became) in changed.items():
            address = self._address(contact)
            told = (list_id, contact, was, became, self.story())
            if (was, became) == (None, "normal"):
                assert not self.no.said(list_id, contact, address), told
            elif (was, became) == ("normal", "unsubscribed"):
                self.no.say(list_id, contact, address)
            else:
                assert (was, became) == ("normal", None), told
                arrived = [
                    p for p, (w, b) in changed.items() if p[1] == contact and (w, b) == (None, "normal")
                ]
                assert len(arrived) == 1, told

    # -- what somebody else does to the account meanwhile

    def somebody_is_quicker(self) -> None:
        for _ in range(self.rnd.choice([0, 1, 2])):
            self.somebody_acts()

    def somebody_acts(self) -> None:
        deed = self.rnd.choice(
            [self.leaves, self.leaves, self.is_moved, self.asks_never, self.is_deleted, self.is_made_again,
             self.joins, self.comes_back, self.changes_address, self.list_is_deleted]
        )  # fmt: skip
        self.log.append(f"  somebody: {deed.__name__}")
        deed()

    def leaves(self) -> None:
        """Somebody leaves a list: the target, the parking list or another."""
        found = self._subscription("normal")
        if found:
            list_id, contact = found
            self._set(list_id, contact, "unsubscribed")
            self._says_no(list_id, contact)

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
        self.other.call("PUT", f"subscriptions/{list_id}_{contact}", {"listId": other})

    def asks_never(self) -> None:
        contact = self._person()
        self.other.call("POST", f"contacts/{contact}", {"status": "donotcontact"})
        self.unseen = True
        self.no.say(None, contact, self._address(contact))

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
        contact, list_id = self._person(), self._target()
        if list_id and not self.no.said(list_id, contact, self._address(contact)):
            self._set(list_id, contact, "normal")

    def comes_back(self) -> None:
        """Somebody who left comes back by their own hand, and the next pull may see it."""
        found = self._subscription("unsubscribed")
        if found:
            list_id, contact = found
            address = self._address(contact)
            if address is None or self.no.said(None, contact, address) or self._shared(address):
                return
            self._set(list_id, contact, "normal")
            self.no.take_back(list_id, contact, address)

    def changes_address(self) -> None:
        contact = self._person()
        self.let_icx_see()
        self.other.call(
            "POST", f"contacts/{contact}", {"email": f"new{self.rnd.randrange(10**9)}@example.net"}
        )

    def list_is_deleted(self) -> None:
        """Seldom, the target itself is deleted; perhaps another one of its name is made."""
        list_id = self._target()
        if list_id and self.rnd.random() < 0.3:
            self.other.call("DELETE", f"lists/{list_id}")
            if self.rnd.random() < 0.5:
                self.other.call("POST", "lists", [{"name": TARGET, "emailOwnerOnChange": 0}])

    def _set(self, list_id: int, contact: int, status: str) -> None:
        row = {"listId": list_id, "contactId": contact, "status": status}
        self.other.call("POST", "subscriptions", [row])

    def _says_no(self, list_id: int, contact: int) -> None:
        """Leaving the parking list also is leaving the list icx parked the person from."""
        address = self._address(contact)
        self.no.say(list_id, contact, address)
        self.unseen = True
        if self._name(list_id) == PARKING:
            for (origin,) in self.held.rows("select list_id from lists where name = ?", TARGET):
                sandbox = self.account.sandbox
                place = Place(sandbox.account_id, sandbox.client_folder_id, origin)
                if pushed.parked(self.ws.plan_journal.journal, place).get(contact) == list_id:
                    self.no.say(origin, contact, address)

    # -- choosing

    def _shared(self, address: str) -> bool:
        return self.held.one("select count(*) from contacts where lower(email) = ?", address.lower()) > 1

    def _lists(self) -> list[int]:
        return [row[0] for row in self.held.rows("select list_id from lists where not deleted")]

    def _target(self) -> int | None:
        found = self.held.rows("select list_id from lists where name = ? and not deleted", TARGET)
        return found[0][0] if found else None

    def _name(self, list_id: int) -> str:
        name: str = self.held.one("select name from lists where list_id = ?", list_id)
        return name

    def _person(self) -> int:
        """Somebody alive, of the plan under way or of the target list if possible."""
        target = self._target()
        near = sorted(self.held.members(target)) if target and self.rnd.random() < 0.6 else []
        rows = self.held.rows("select contact_id from contacts where status = 'normal' order by contact_id")
        alive = [row[0] for row in rows]
        concerned = [contact for contact in self.concerned if contact in alive]
        if concerned and self.rnd.random() < 0.7:
            return self.rnd.choice(concerned)
        return self.rnd.choice([contact for contact in near if contact in alive] or alive)

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

    def story(self) -> str:
        """Everything that happened, for whoever has to find out why."""
        return "\n" + "\n".join(self.log)


def _moved_by(plan: Any) -> list[int]:
    """Whom a plan would add or take off the list."""
    rows = plan.rows().select(["contact_id", "action"]).to_pylist()
    return [row["contact_id"] for row in rows if row["action"] in {"add", "park", "unsubscribe"}]
