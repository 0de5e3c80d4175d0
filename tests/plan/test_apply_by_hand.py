"""A crowd that changed between plan and apply, each person in another way: what is sent, noted, learned and left alone.

Planned are people to be added (A), asked (P), made (C), kept (K), brought back (R) and members nobody wants any more
(S). What an apply does about each is written here a second time: as planned, or less.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from service import LIST, NOON, PARKING, Service

from icx.clock import ManualClock
from icx.errors import BadInput, IcxError
from icx.plan import Applied, Plan, Policy, Target, apply, facts, inverse, make
from icx.plan.policy import PARKING_LIST, MapLine
from icx.pull import keep
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal
from icx.store.plans import Intent, Outcome, Place, Plans

DONE = ("done", "")


def out(why: str) -> tuple[str, str]:
    return "left_out", why


def both(why: str) -> dict[str, tuple[str, str]]:
    return {"add": out(why), "fields": out(why)}


#: (planned, what happened meanwhile): (on the list in the end, on the parking list, what is noted of each write).
CASES: dict[tuple[str, str], tuple[str | None, str | None, dict[str, tuple[str, str]]]] = {
    ("A", "nothing"): ("normal", None, {"add": DONE, "fields": DONE}),
    ("A", "donotcontact"): (None, None, both("do_not_contact")),
    ("A", "bounced"): (None, None, both("bounced")),
    ("A", "deleted"): (None, None, both("deleted")),
    ("A", "pending"): (None, None, both("changed")),
    ("A", "gone"): (None, None, both("gone")),
    ("A", "on normal"): ("normal", None, {"add": out("there"), "fields": DONE}),
    ("A", "on pending"): ("pending", None, {"add": out("there"), "fields": DONE}),
    ("A", "on unsubscribed"): ("unsubscribed", None, both("left_this_list")),
    ("P", "nothing"): ("pending", None, {"add_pending": DONE}),
    ("P", "normal"): (None, None, {"add_pending": out("changed")}),
    ("P", "donotcontact"): (None, None, {"add_pending": out("do_not_contact")}),
    ("P", "on normal"): ("normal", None, {"add_pending": out("there")}),
    ("P", "on unsubscribed"): ("unsubscribed", None, {"add_pending": out("left_this_list")}),
    ("C", "nothing"): ("normal", None, {"contact": DONE, "create": DONE}),
    ("C", "made normal"): ("normal", None, {"create": DONE}),
    ("C", "made pending"): (None, None, {"create": out("changed")}),
    ("C", "made donotcontact"): (None, None, {"create": out("do_not_contact")}),
    ("C", "made deleted"): (None, None, {"create": out("deleted")}),
    ("C", "ours"): (None, None, {"create": out("gone")}),  # icx made the contact meanwhile, and it is no more
    ("C", "made normal, on normal"): ("normal", None, {"create": out("there")}),
    ("C", "made normal, on unsubscribed"): ("unsubscribed", None, {"create": out("left_this_list")}),
    ("K", "nothing"): ("normal", None, {"fields": DONE}),
    ("K", "donotcontact"): ("normal", None, {"fields": DONE}),
    ("K", "off"): (None, None, {"fields": DONE}),
    ("K", "on unsubscribed"): ("unsubscribed", None, {"fields": out("left_this_list")}),
    ("R", "nothing"): ("normal", None, {"restore": DONE, "fields": DONE}),
    ("R", "donotcontact"): (None, "normal", both("do_not_contact")),
    ("R", "on normal"): ("normal", "normal", {"add": out("there"), "fields": DONE}),
    ("R", "on unsubscribed"): ("unsubscribed", "normal", both("left_this_list")),
    ("R", "parked unsubscribed"): (None, "unsubscribed", both("left_this_list")),
    ("S", "nothing"): (None, "normal", {"park": DONE}),
    ("S", "donotcontact"): ("normal", None, {"park": out("not_normal")}),
    ("S", "gone"): ("normal", None, {"park": out("not_normal")}),
    ("S", "off"): (None, None, {"park": out("not_there")}),
    ("S", "on unsubscribed"): ("unsubscribed", None, {"park": out("not_there")}),
    ("S", "parked normal"): ("normal", "normal", {"park": out("on_parking_list")}),
}
UNSUBSCRIBED: dict[tuple[str, str], tuple[str | None, str | None, dict[str, tuple[str, str]]]] = {
    ("S", "nothing"): ("unsubscribed", None, {"unsubscribe": DONE}),
    ("S", "donotcontact"): ("unsubscribed", None, {"unsubscribe": DONE}),
    ("S", "off"): (None, None, {"unsubscribe": out("not_there")}),
    ("S", "on unsubscribed"): ("unsubscribed", None, {"unsubscribe": out("not_there")}),
    ("S", "on pending"): ("pending", None, {"unsubscribe": out("not_there")}),
}


class Crowd:
    """Somebody for each case, in a workspace and a service of their own."""

    def __init__(self, folder: Path, cases: Any, **settings: Any) -> None:
        clock = ManualClock(NOON)
        self.service, self.cases, self.settings = Service(clock), cases, Settings(**settings)
        self.service.lists = {LIST: "Target", PARKING: PARKING_LIST}
        self.journal = Journal(folder / "data" / "journal.sqlite", clock)
        self.plans = Plans(self.journal)
        self.store = Store(folder / "data" / "icx.duckdb", clock=clock)
        self.held = ExitStack()
        self.held.enter_context(self.store.open())  # opened once, for all
        keep.register(self.store, "acme", 1, 2)
        self.who = {case: 70_001 + number for number, case in enumerate(cases)}
        for (kind, _), contact in self.who.items():
            if kind != "C":
                self.service.person(contact, "pending" if kind == "P" else "normal")
            if kind in "KS":
                self.service.on[LIST, contact] = "normal"
        parked = [contact for (kind, _), contact in self.who.items() if kind == "R"]
        self.service.on |= dict.fromkeys(((PARKING, contact) for contact in parked), "normal")
        names = {"list_name": "Target", "connection": "acme", "audience": "A", "who": "w"}
        plan = self.plans.add({}, pa.table({"x": [1]}), place=Place(1, 2, LIST), **names)
        self.plans.intend(plan, 1, [Intent(one, one, "park", LIST, PARKING) for one in parked])
        self.plans.outcome(plan, [Outcome(one, "park", "done") for one in parked])
        with self.store.open("acme") as con:
            con.executemany(
                "insert into icontact_users (id, email, email_key, status, first_seen) values (?, ?, ?, ?, now()::timestamp)",
                [[one["contactId"], one["email"], one["email"], one["status"]] for one in self.service.contacts.values()],
            )  # fmt: skip
        self.people = [case for case in cases if case[0] != "S"]

    def plan(self, to: str = "Target", create: bool = False, **policy: Any) -> Plan:
        ids = [None if case[0] == "C" else self.who[case] for case in self.people]
        emails = [f"{self.who[case]}@example.com" for case in self.people]
        want = {"contact_id": pa.array(ids, pa.int64()), "email": emails, "email_key": emails}
        policy |= {"mapping": (MapLine("city", "city"),), "create_contacts": True, "basis": "shop"}
        return make(
            pa.table(want | {"city": ["Durham"] * len(ids)}),
            target=Target("acme", "Acme", 1, 2, "Main", to), create=create,
            policy=Policy(**policy, invite=True, confirmation_message=55),
            client=self.service,  # type: ignore[arg-type]
            store=self.store, plans=self.plans, settings=self.settings, clock=self.service.clock,
            audience="Loyal", as_of=NOON, who="maya",
        )  # fmt: skip

    def meanwhile(self) -> None:
        """What happens to each between plan and apply."""
        for (_, change), contact in self.who.items():
            for word, *status in (one.split() for one in change.split(", ")):
                if word == "ours":
                    key = f"{contact}@example.com"
                    facts.made(self.store, Place(1, 2, LIST), [(contact, key)], self.service.clock.now())
                elif word == "made":
                    self.service.person(contact, *status)
                elif word in {"on", "parked"}:
                    self.service.on[LIST if word == "on" else PARKING, contact] = status[0]
                elif word == "off":
                    del self.service.on[LIST, contact]
                elif word == "gone":
                    del self.service.contacts[contact]
                elif word != "nothing":
                    self.service.contacts[contact]["status"] = word

    def apply(self, plan: Plan, **options: Any) -> Applied:
        options.setdefault("answers", {stop.key: stop.confirm or "shop" for stop in plan.stops})
        options.setdefault("settings", self.settings)
        return apply(
            plan.plan_id, client=self.service, store=self.store, plans=self.plans, clock=self.service.clock,  # type: ignore[arg-type]
            who="maya", **options,
        )  # fmt: skip

    def wrong(self, plan: Plan) -> list[Any]:
        """Everybody with whom something else was done than the case says, and what."""
        noted: dict[str, dict[str, tuple[str, str]]] = {}
        rows = self.plans.rows(plan.plan_id).column("email").to_pylist()
        for one in self.plans.outcomes(plan.plan_id):
            noted.setdefault(rows[one["row"]], {})[one["action"]] = (one["state"], one["words"])
        by_email = {one["email"]: contact for contact, one in self.service.contacts.items()}
        found = []
        for case, contact in self.who.items():
            email = f"{contact}@example.com"
            there = by_email.get(email, contact)
            on = [self.service.on.get((list_id, there)) for list_id in (LIST, PARKING)]
            is_ = (*on, noted.get(email, {}))
            if is_ != self.cases[case]:
                found.append((case, is_))
        return found

    def learned(self) -> set[tuple[int, str]]:
        with self.store.open() as con:
            rows = con.execute("select contact_id, fact from shared.consent_facts").fetchall()
        assert len(rows) == len(set(rows)), "nothing is noted twice"
        return set(rows)


@pytest.fixture
def crowd(tmp_path: Path) -> Any:
    made: list[Crowd] = []

    def gather(cases: Any = CASES, **settings: Any) -> Crowd:
        made.append(Crowd(tmp_path / str(len(made)), cases, **settings))
        return made[-1]

    yield gather
    for one in made:
        one.held.close()
        one.journal.close()


def facts_of(here: Crowd) -> set[tuple[int, str]]:
    """Whoever was found to have said no where it matters, and whom icx made."""
    found = set()
    for (kind, change), contact in here.who.items():
        if change == "ours":
            found.add((contact, "made"))
        if "unsubscribed" in change:
            found.add((contact, "left"))
        if "donotcontact" in change and kind in "APCR":
            found.add((contact, "donotcontact"))
    made = {contact for contact, one in here.service.contacts.items() if contact not in here.who.values()}
    return found | {(contact, "made") for contact in made}


def test_everybody_is_written_as_planned_or_less_and_who_said_no_is_remembered(crowd: Any) -> None:
    here = crowd()
    plan = here.plan(stale="park")
    here.meanwhile()
    applied = here.apply(plan)
    assert here.wrong(plan) == []
    assert here.learned() == facts_of(here)
    done = [action for _, _, noted in CASES.values() for action, state in noted.items() if state == DONE]
    assert applied.state == "finished"
    assert applied.added == len({"add", "create", "restore"}.intersection(done)) + 1 == 4
    assert (applied.asked, applied.created, applied.parked) == (1, 1, 1)
    assert (applied.fields_sent, applied.not_sent, applied.in_doubt) == (done.count("fields"), 0, 0)
    assert applied.read_back is not None
    assert applied.read_back.equal
    before = len(here.service.writes)
    assert here.apply(plan).already
    assert here.apply(plan, settings=Settings(push=False)).already, (
        "what it came to is told with pushing off too"
    )
    assert len(here.service.writes) == before


def test_members_who_are_unsubscribed_are_those_still_there(crowd: Any) -> None:
    here = crowd(UNSUBSCRIBED)
    plan = here.plan(stale="unsubscribe")
    here.meanwhile()
    applied = here.apply(plan)
    assert here.wrong(plan) == []
    assert (applied.unsubscribed, applied.not_sent) == (2, 0)
    assert applied.read_back is not None
    assert applied.read_back.equal


def test_an_apply_that_is_ended_again_and_again_comes_to_the_same(crowd: Any) -> None:
    here = crowd(
        {case: CASES[case] for case in CASES if case[1] in {"nothing", "donotcontact"}}, batch_size=1
    )
    plan = here.plan(stale="park")
    here.meanwhile()
    states = []
    for _ in range(20):
        before = len(here.service.writes)
        applied = here.apply(plan, ending=lambda before=before: len(here.service.writes) > before + 2)
        states.append(applied.state)
        if applied.state == "finished":
            break
    assert states == ["stopped"] * (len(states) - 1) + ["finished"]
    assert len(states) > 3
    assert here.wrong(plan) == []
    assert here.learned() == facts_of(here)
    batches = [row["batch"] for row in here.plans.outcomes(plan.plan_id) if row["batch"]]
    assert sorted(batches) == list(range(1, len(here.service.writes) + 1)), (
        "each write has a number of its own"
    )


def test_a_test_adds_one_and_leaves_the_rest_for_the_plan(crowd: Any) -> None:
    few = [("A", "nothing"), ("A", "donotcontact"), ("P", "nothing"), ("S", "nothing")]
    here = crowd({case: CASES[case] for case in few})
    plan = here.plan(stale="park")
    ada = here.who["A", "nothing"]
    tested = here.apply(plan, test=ada)
    assert (tested.state, tested.added, tested.parked) == ("tested", 1, 0)
    assert [what[0] for what in here.service.writes] == ["subscribe", "update"]
    with pytest.raises(BadInput) as told:
        here.apply(plan, test=1)
    assert told.value.code == "test-unknown"
    for member in (here.who["S", "nothing"], here.who["P", "nothing"]):
        here.apply(plan, test=member)
    assert (LIST, here.who["S", "nothing"]) in here.service.on, "nobody leaves by a test"
    here.meanwhile()
    assert here.apply(plan).state == "finished"
    assert here.wrong(plan) == []


FEW = {case: CASES[case] for case in [("A", "nothing"), ("S", "nothing")]}


def test_what_stands_before_an_apply_stops_it_before_anything_is_sent(crowd: Any) -> None:
    here = crowd(FEW)
    plan, other = here.plan(stale="park"), here.plan(stale="park")

    def stopped(plan: Plan = plan, **options: Any) -> str:
        with pytest.raises(IcxError) as told:
            here.apply(plan, **options)
        assert here.service.writes == []
        assert here.plans.outcomes(plan.plan_id) == []
        return told.value.code

    here.service.listed.clear()
    assert stopped(settings=Settings(push=False)) == "push-off"
    here.plans.judge(plan.plan_id, {"ok": False, "failed": ["profile/a"], "stale": [], "override": None})
    assert stopped() == "check-failed"
    assert here.service.listed == [], "nothing is even read"
    assert stopped(checked=True, answers={}) == "needs-answer"
    with here.plans.lock(
        here.plans.get(other.plan_id), lambda _: BadInput("x", "", where="", kept="", next=[])
    ):
        assert stopped(checked=True) == "apply-running"
    here.plans.begin(other.plan_id, {}, "w")
    assert stopped(checked=True) == "apply-unfinished"
    here.plans.end(other.plan_id, "closed", {})
    here.service.welcomes = {LIST}
    assert stopped(checked=True) == "needs-answer", "it mails now, and did not when it was planned"
    assert here.plans.get(plan.plan_id).state == "open"
    here.service.deaf = True
    assert stopped(checked=True) == "service-busy"
    here.service.deaf = False
    assert stopped(other) == "plan-closed"
    answers = {stop.key: stop.confirm or "shop" for stop in plan.stops} | {"welcome": "Target:1"}
    assert here.apply(plan, checked=True, answers=answers).state == "finished"
    late = here.plan(stale="park")
    del here.service.lists[LIST]
    with pytest.raises(IcxError) as told:
        here.apply(late, answers=answers)
    assert (told.value.code, here.plans.get(late.plan_id).state) == ("list-gone", "closed")


def test_lists_that_are_not_there_are_made_once_and_only_when_something_is_sent(crowd: Any) -> None:
    here = crowd(FEW)
    here.service.lists.pop(PARKING)
    first, second = (here.plan("New", create=True) for _ in range(2))
    parks = here.plan(stale="park")
    assert [stop.key for stop in parks.stops if stop.key == "parking"] == ["parking"]
    assert len(here.service.lists) == 1
    with pytest.raises(BadInput, match="needs a list that is there"):
        here.apply(first, test=here.who["A", "nothing"])
    assert here.apply(first).added == 1
    (new,) = [number for number, name in here.service.lists.items() if name == "New"]
    assert here.service.on[new, here.who["A", "nothing"]] == "normal"
    assert here.plans.get(first.plan_id).place.list_id == new
    found = here.apply(second)  # made when nobody knew the list's number
    assert (found.added, found.left_out) == (0, {"already_there": 1})
    assert here.plans.get(second.plan_id).place.list_id == new
    assert here.apply(parks).parked == 1
    (parking,) = [number for number, name in here.service.lists.items() if name == PARKING_LIST]
    assert here.service.on[parking, here.who["S", "nothing"]] == "normal"
    assert sorted(here.service.lists.values()) == ["New", "Target", PARKING_LIST]


def test_a_list_that_somebody_else_made_meanwhile_and_that_mails_is_asked_about(crowd: Any) -> None:
    here = crowd(FEW | {("C", "nothing"): CASES["C", "nothing"]})
    plan = here.plan("New", create=True)
    here.people.clear()
    parks = here.plan(stale="park")
    here.service.lists[50], here.service.welcomes = "New", {50, LIST}
    with pytest.raises(IcxError) as told:
        here.apply(plan)
    assert (told.value.code, here.service.writes) == ("needs-answer", [])
    assert here.apply(parks).parked == 1, "nobody is added, so nobody is mailed"
    assert here.apply(here.plan(stale="park")).state == "finished", "nothing to do is done"


def test_what_was_applied_is_taken_back_and_both_stand_in_the_record(crowd: Any) -> None:
    here = crowd(FEW)
    added, left = here.who["A", "nothing"], here.who["S", "nothing"]
    plan = here.plan(stale="park")
    here.apply(plan)
    back = inverse(
        plan.plan_id, client=here.service, store=here.store, plans=here.plans, settings=here.settings,
        clock=here.service.clock, who="maya",
    )  # fmt: skip
    applied = here.apply(back)
    assert (applied.added, applied.parked) == (1, 1)
    assert here.service.on == {(PARKING, added): "normal", (LIST, left): "normal"}
    with here.store.open() as con:
        rows = con.execute("select who, verb from shared.record order by rowid").fetchall()
    assert rows == [("maya", verb) for verb in ("planned", "applied", "planned", "undid")]


def test_whom_the_service_refused_is_not_sent_again_when_the_plan_goes_on(crowd: Any) -> None:
    here = crowd(FEW)
    plan = here.plan(stale="park")
    here.service.refuses = set(here.who.values())
    assert here.apply(plan, ending=lambda: bool(here.service.writes)).state == "stopped"
    here.service.refuses = set()
    notes: list[str] = []
    applied = here.apply(plan, answers=None, progress=lambda at: notes.append(at.note))  # it was asked before
    assert [note for note in notes if "said no" in note] == []
    assert (applied.added, applied.parked, applied.refused_by_service) == (0, 1, 1)
    assert [what[0] for what in here.service.writes].count("subscribe") == 1


def test_a_write_whose_fate_is_unknown_is_looked_for_when_the_plan_goes_on(crowd: Any) -> None:
    here = crowd(FEW)
    plan = here.plan(stale="park")
    for meets in ("lost-after deaf", "lost-before deaf"):  # the one who is added, then the one who is parked
        here.service.meets = [meets]
        with pytest.raises(IcxError) as told:
            here.apply(plan)
        assert told.value.code == "in-doubt"
        with pytest.raises(IcxError) as told:
            here.apply(plan)
        assert told.value.code == "service-busy", "nothing is sent while nobody can be asked"
        here.service.deaf = "subscriptions"
        with pytest.raises(IcxError) as told:
            here.apply(plan)
        assert told.value.code == "in-doubt"
        here.service.deaf = False
        assert here.plans.get(plan.plan_id).state == "applying"
    applied = here.apply(plan)
    assert (applied.state, applied.added, applied.parked) == ("finished", 1, 1)
    assert here.wrong(plan) == []
    assert [what[0] for what in here.service.writes].count("subscribe") == 1
