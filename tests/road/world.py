"""One account, icx, and another client that edits the same people meanwhile; and what must never be seen after icx acted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from icx.errors import IcxError
from icx.plan import Policy
from icx.pull import reset
from icx.workspace import Workspace
from road.account import Account
from road.deeds import DEEDS, TARGET, Deeds

# What icx may answer when another client was quicker; nothing else may come out of it.
EXPECTED = {
    "list-gone", "list-unknown", "list-twice", "apply-unfinished", "nothing-to-undo", "check-failed", "check-stale",
    "plan-closed", "plan-choice", "in-doubt", "service-busy", "service-unreachable", "answer-unreadable", "needs-answer", "restored-unread", "profile-missing",
}  # fmt: skip
FAULTS = ("close-after-write", "close-before", "503", "500", "truncate", "html-page")
AUDIENCES = ("Normal", "Some", "Others")
# A second client folder of the same sender; its people are planned to the first one's list by address.
SECOND, ALL_OF_SECOND = "second", "All of the second folder"

# What may become of a contact's place on a list, by the contact's own status: the table of consent, written here a
# second time (nothing of `icx.plan.consent` is used). Everything that is not in it is a violation.
MAY_BECOME = {
    ("normal", None, "normal"),  # add
    ("new", None, "normal"),  # create, then add
    ("pending", None, "pending"),  # asked by a confirmation message, and only when the plan was told to ask
    ("invitable", None, "pending"),
    ("normal", "normal", None),  # parked: moved to another list
}
STALE = {"stay", "park", "unsubscribe"}  # what a plan does with members that are not wanted
LESS_CONTACT = ("normal", "unsubscribed")  # for everybody


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


class World(Deeds):
    """Commands of icx and deeds of the other client by name, each chosen at random by a test."""

    def __init__(self, account: Account, ws: Workspace, clock: Hasty, rnd: random.Random) -> None:
        super().__init__(account, rnd, ws.plan_journal.journal)
        self.ws, self.clock = ws, clock
        self.added = self.left_out = self.surely_members = 0
        self.last_apply_wrote = self.asked = False
        self.backed_up = False
        self.quiet = False  # nobody acts and no line breaks between a plan and the end of its apply

    # -- what icx is told to do

    def pull(self) -> None:
        """Read everything again; what a mail's own link told counts from here, against each list the mail went to."""
        self._break_the_line("GET /contacts", "GET /subscriptions", "GET /messages/*")
        while self.icx("pull", lambda: self.ws.pull("acme", full=bool(self.mailed_out))) is None:
            self._mend_the_line()  # what was said may be known only when all was read
        self._mend_the_line()
        self.unseen = False
        for message, contact in self.mailed_out:
            self.counts_as_left(message, contact)
        self.mailed_out.clear()

    def let_icx_see(self) -> None:
        """What somebody said can be known only if it is read before it vanishes from the service."""
        if self.unseen:
            self.pull()

    def pull_elsewhere(self) -> None:
        """Read the sender's other folder: who said no there is refused here by address, from now on."""
        self.icx("pull second", lambda: self.ws.pull(SECOND))
        for address in self.told_elsewhere:
            self.no.addresses[None].add(address.lower())
        self.told_elsewhere.clear()

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

    def back_up(self) -> None:
        self.icx("backup", self.ws.backup)
        self.backed_up = True

    def restore(self) -> None:
        """Bring back an older database: what was sent and who said no stays known, and all is read before a push."""
        if self.backed_up:
            self.icx("restore", lambda: self.ws.restore("newest", yes=True))
            self.unseen = True
            if self.rnd.random() < 0.8:
                self.pull_elsewhere()
                self.pull_and_build()

    def vacuum(self) -> None:
        self.icx("vacuum", self.ws.vacuum)

    def plan(self) -> Any:
        stale = self.rnd.choice(["stay", "stay", "park", "park", "unsubscribe"])
        wish = self.ws.audience(self.rnd.choice(AUDIENCES))
        asks = self.rnd.choice([None, self.asking])
        policy = Policy(stale=stale, invite=asks is not None, confirmation_message=asks)
        return self.icx(
            f"plan {wish.name} --stale {stale}" + (" --invite" if asks else ""),
            lambda: self.ws.plan(wish, f"acme/lists/{TARGET}", create=True, policy=policy),
        )

    def plan_the_other_folder(self) -> Any:
        """Everybody of the second folder, found by address; who is not in the first one is made there."""
        policy = Policy(match="email", create_contacts=True, basis="they are customers")
        return self.icx(
            "plan the second folder",
            lambda: self.ws.plan(ALL_OF_SECOND, f"acme/lists/{TARGET}", create=True, policy=policy),
        )

    def plan_and_apply(self, plan: Any = None) -> None:
        plan = plan or self.plan()
        if plan is not None:
            self.concerned, self.quiet = _moved_by(plan), self.rnd.random() < 0.3
            self.somebody_is_quicker()
            self.apply(plan.plan_id)
            self.concerned, self.quiet = [], False

    def push_the_other_folder(self) -> None:
        plan = self.plan_the_other_folder()
        if plan is not None:
            self.plan_and_apply(plan)

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
        self._break_the_line(
            "POST /subscriptions",
            "PUT /subscriptions",
            "GET /subscriptions",
            "POST /contacts",
            "GET /contacts",
        )
        plan = next(plan for plan in self.ws.plans() if plan.plan_id == plan_id)
        self.asked = plan.policy.invite
        answers = {stop.key: stop.confirm or "they are customers" for stop in plan.stops}
        for _ in range(4):
            done = self.icx(f"apply {plan_id}", lambda: self.ws.apply(plan_id, answers=answers))
            if done is not None and done.state == "finished":
                self._read_back(plan, done)
                break
        self.asked = False
        self._mend_the_line()

    def _mend_the_line(self) -> None:
        requests.delete(f"{self.account.sandbox.control_url}/faults", timeout=30)

    def _break_the_line(self, *calls: str) -> None:
        if not self.quiet and self.rnd.random() < 0.5:
            orders = [
                {"match": call, "fault": self.rnd.choice(FAULTS), "after": self.rnd.randrange(2)}
                for call in self.rnd.choices(calls, k=2)
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
            if self.quiet:
                self._nobody_is_forgotten(plan, list_id)

    def _nobody_is_forgotten(self, plan: Any, list_id: int) -> None:
        """Refusing everybody would break no rule: whom nothing was ever heard of is a member after a quiet apply."""
        rows = plan.rows().select(["contact_id", "action"]).to_pylist()
        wanted = [row["contact_id"] for row in rows if row["contact_id"] and row["action"] not in STALE]
        clean = [contact for contact in wanted if self._is_clean(contact)]
        missing = set(clean) - self.held.members(list_id)
        assert not missing, (sorted(missing), self.story())
        self.surely_members += len(clean)

    def _is_clean(self, contact: int) -> bool:
        address = self._address(contact)
        return (
            contact not in self.touched
            and contact in self._alive("normal")
            and bool(address)
            and not self._shared(str(address))
            and not any(contact in said for said in self.no.contacts.values())
            and not any(str(address).lower() in said for said in self.no.addresses.values())
        )

    def icx(self, what: str, call: Callable[[], Any]) -> Any:
        """Let icx do something, and look at what became of everybody; None when it said no."""
        self.log.append(what)
        before, result = self._snapshot(), None
        try:
            result = call()
        except IcxError as error:
            self.log[-1] += f" [{error.code}]"
            self.did[f"{what.split(maxsplit=1)[0]}: {error.code}"] += 1
            if error.code not in EXPECTED:
                raise AssertionError(self.story()) from error
        else:
            self.did[what.split(maxsplit=1)[0]] += 1
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
        made = after.statuses.keys() - before.statuses.keys()
        assert after.statuses == before.statuses | dict.fromkeys(made, "normal"), self.story()
        for contact in made:
            address = str(self._address(contact))
            assert not self._shared(address), (contact, self.story())
            assert not self.no.said(None, contact, address), (contact, self.story())
        changed = {
            place: (before.places.get(place), after.places.get(place))
            for place in before.places.keys() | after.places.keys()
            if before.places.get(place) != after.places.get(place)
        }
        self.last_apply_wrote = bool(changed)
        for (list_id, contact), (was, became) in changed.items():
            address, status = self._address(contact), before.statuses.get(contact, "new")
            told = (list_id, contact, status, was, became, self.story())
            assert (status, was, became) in MAY_BECOME or (was, became) == LESS_CONTACT, told
            if became == "normal":
                assert not self.no.said(list_id, contact, address), told
            elif became == "pending":
                assert self.asked, told
                assert not self.no.said(list_id, contact, address), told
            elif became == "unsubscribed":
                self.no.say(list_id, contact, address)
            else:
                arrived = [
                    p for p, (w, b) in changed.items() if p[1] == contact and (w, b) == (None, "normal")
                ]
                assert len(arrived) == 1, told

    def somebody_is_quicker(self) -> None:
        if not self.quiet:
            for _ in range(self.rnd.choice([0, 1, 2])):
                self.somebody(self.rnd.choice(DEEDS))

    def story(self) -> str:
        """Everything that happened, for whoever has to find out why."""
        return "\n" + "\n".join(self.log)


def _moved_by(plan: Any) -> list[int]:
    """Whom a plan would add or take off the list."""
    rows = plan.rows().select(["contact_id", "action"]).to_pylist()
    return [row["contact_id"] for row in rows if row["action"] in {"add", "park", "unsubscribe"}]
