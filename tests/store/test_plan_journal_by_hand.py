"""The plan journal under a long random history, and what later plans are told of it, equals a model in plain Python."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from icx.clock import ManualClock
from icx.store import pushed
from icx.store.journal import Journal
from icx.store.plans import Intent, Outcome, Place, Plans

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROWS = pa.table({"contact_id": pa.array([1], pa.int64())})
PLACES = [*(Place(1, 2, n) for n in range(7, 14)), Place(1, 3, 7), Place(4, 2, 7)]
CLOSED, DONE = Place(1, 2, 98), Place(1, 2, 99)  # each has one plan
ACTIONS = [
    "add",
    "add",
    "add_pending",
    "create",
    "restore",
    "park",
    "park",
    "unsubscribe",
    "contact",
    "fields",
]
STATES = ["done", "done", "done", "refused", "in_doubt", "not_sent", "left_out"]
SUBSCRIBING = {"add", "add_pending", "create", "restore"}
MAY_HAVE_HAPPENED = {"sent", "done", "in_doubt"}


class History:
    """A journal and its model, told the same things by chance; seconds pass between any two of them."""

    def __init__(self, journal: Journal, clock: ManualClock, seed: int = 20261122) -> None:
        self.luck, self.clock = random.Random(seed), clock
        self.plans = Plans(journal)
        self.strangers = itertools.count(1000)
        self.made: dict[str, dict[str, Any]] = {}
        self.rows: dict[tuple[str, int, str], dict[str, Any]] = {}

    def now(self) -> str:
        return self.clock.now().isoformat()

    def live(self, steps: int) -> None:
        for place, end in ((CLOSED, "closed"), (DONE, "finished")):
            self.add(place)
            self.begin()
            self.end(end)
        self.add()
        for _ in range(steps):
            self.clock.sleep(self.luck.choice([1, 1, 60]))
            deed = self.luck.choice(
                ["add", "begin", "end", "end", "judge", "find", *["intend", "outcome"] * 6]
            )
            getattr(self, deed)()

    def add(self, place: Place | None = None) -> None:
        place = place or self.luck.choice([*PLACES, Place(1, 2, None)])
        retry = self.luck.choice([None, None, "P-1"])
        header = {"policy": {"retry_of": retry}}
        plan = self.plans.add(
            header, ROWS, place=place, list_name="L", connection="acme", audience="A", who="maya"
        )
        self.made[plan] = {"place": place, "state": "open", "began": None, "retry": retry, "answers": {}}
        self.made[plan] |= {"header": header, "at": self.clock.now()}

    def begin(self) -> None:
        plan = self.newest() if len(self.made) <= 2 else self.any()
        answers = {self.luck.choice("xyz"): str(self.luck.randrange(9))}
        self.plans.begin(plan, answers, "maya")
        one = self.made[plan]
        one |= {"state": "applying", "began": one["began"] or self.now(), "answers": one["answers"] | answers}

    def end(self, state: str = "") -> None:
        plan = self.newest() if state else self.any()
        state = state or self.luck.choice(["finished", "finished", "applying", "closed"])
        self.plans.end(plan, state, {"plan": plan})
        self.made[plan] |= {"state": state, "ended": self.now()}

    def judge(self) -> None:
        plan, checks = self.any(), {"ok": self.luck.random()}
        self.plans.judge(plan, checks)
        self.made[plan]["header"] |= {"checks": checks}

    def find(self) -> None:
        """The list that a plan wanted is made."""
        for plan, one in self.made.items():
            if one["place"].list_id is None:
                one["place"] = one["place"]._replace(list_id=self.luck.randrange(7, 14))
                self.plans.found_list(plan, one["place"].list_id)

    def intend(self) -> None:
        plan, batch = self.any(), self.luck.randrange(1, 9)
        home = self.made[plan]["place"].list_id or 7
        who = self.luck.sample([*range(100, 130), *[None] * 6], 4)  # nobody twice at one moment
        between = [(None, home), (None, home), (home, 9), (9, home)]
        intents = [
            Intent(row, contact, self.luck.choice(ACTIONS), *self.luck.choice(between))
            for row, contact in zip(self.luck.sample(range(50), 4), who, strict=True)
        ]
        self.plans.intend(plan, batch, intents)
        for one in intents:
            self.rows[plan, one.row, one.action] = {
                "contact_id": one.contact_id, "from_list": one.from_list, "to_list": one.to_list,
                "batch": batch, "state": "sent", "words": "", "at": self.now(), "ended_at": None,
            }  # fmt: skip

    def outcome(self) -> None:
        plan = self.any()
        known = [key for key in self.rows if key[0] == plan]
        keys = [*self.luck.sample(known, min(3, len(known))), (plan, self.luck.randrange(50), "keep")]
        words = self.luck.choice(["", "there", "no reason given"])
        outcomes = []
        for key in keys:
            contact = self.rows.get(key, {}).get("contact_id") or self.contact()
            contact = self.luck.choice([None, contact])  # that is known of most already
            outcomes.append(Outcome(key[1], key[2], self.luck.choice(STATES), words, contact))
        self.plans.outcome(plan, outcomes)
        for key, one in zip(keys, outcomes, strict=True):
            first = {"from_list": None, "to_list": None, "batch": 0, "at": self.now(), "contact_id": None}
            row = self.rows.setdefault(key, first)
            row |= {"state": one.state, "words": one.words, "ended_at": self.now()}
            row["contact_id"] = row["contact_id"] if one.contact_id is None else one.contact_id

    def newest(self) -> str:
        return list(self.made)[-1]

    def any(self) -> str:
        """One of the plans, the first two left in peace."""
        return self.luck.choice(list(self.made)[2:])

    def contact(self) -> int:
        return next(self.strangers)

    # -- what the model says

    def of(self, plan: str, *states: str) -> list[dict[str, Any]]:
        found = [
            {"row": row, "action": action} | told
            for (of, row, action), told in self.rows.items()
            if of == plan and (not states or told["state"] in states)
        ]
        return sorted(found, key=lambda one: (one["row"], one["action"]))

    def at(self, place: Place) -> list[dict[str, Any]]:
        """Every row of plans of an account and folder, as it came, with its plan."""
        found = [
            {"plan": int(plan[2:]), "action": action, "of": self.made[plan]} | told
            for (plan, _, action), told in self.rows.items()
            if self.made[plan]["place"][:2] == place[:2]
        ]
        return sorted(found, key=lambda one: (one["at"], one["plan"]))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    clock = ManualClock(NOON)
    with Journal(tmp_path_factory.mktemp("data") / "journal.sqlite", clock) as journal:
        lived = History(journal, clock)
        lived.live(400)
        yield lived


def test_every_row_is_as_it_was_last_told(history: History) -> None:
    for plan in history.made:
        assert history.plans.outcomes(plan) == history.of(plan)
        assert history.plans.outcomes(plan, "sent", "in_doubt") == history.of(plan, "sent", "in_doubt")
        assert history.plans.outcomes(plan, offset=3, limit=4) == history.of(plan)[3:7]
        assert history.plans.touched(plan) == len(history.of(plan))
        numbers = [one["batch"] for one in history.of(plan)]
        assert history.plans.next_batch(plan) == max(numbers, default=0) + 1


def test_a_plan_remembers_its_first_beginning_its_end_and_every_answer(history: History) -> None:
    assert [one.plan_id for one in history.plans.all()] == list(history.made)[::-1]
    for plan, told in history.made.items():
        kept = history.plans.get(plan)
        began, ended = (told.get(name) and datetime.fromisoformat(told[name]) for name in ("began", "ended"))
        assert (kept.place, kept.state, kept.answers) == (told["place"], told["state"], told["answers"])
        assert (kept.plan_id, kept.made_at, kept.header) == (plan, told["at"], told["header"])
        assert (kept.who, kept.connection, kept.audience, kept.list_name) == ("maya", "acme", "A", "L")
        assert (kept.began_at, kept.ended_at) == (began, ended)
        assert kept.result == ({"plan": plan} if ended else None)


def test_outcomes_are_counted_as_one_by_one(history: History) -> None:
    for plan in history.made:
        rows, found = history.of(plan), history.plans.summary(plan)
        assert found.counts == Counter(
            (one["action"], one["state"], one["words"] if one["state"] == "left_out" else "") for one in rows
        )
        assert Counter(found.refusals) == Counter(
            (one["words"], one["contact_id"] or 0)
            for one in rows
            if one["state"] == "refused" and one["action"] != "contact"
        )
        open_ = {
            one["row"] for one in rows if one["state"] in {"sent", "in_doubt"} and one["action"] != "fields"
        }
        closed = {
            one["row"]
            for one in rows
            if one["state"] in {"done", "refused", "left_out"} and one["action"] not in {"fields", "contact"}
        }
        assert (found.in_doubt, found.touched) == (len(open_), len(open_ | closed))


def test_the_newest_batches_come_first_with_their_states(history: History) -> None:
    states = ["done", "refused", "sent", "in_doubt", "not_sent", "left_out"]
    for plan in history.made:
        rows = [one for one in history.of(plan) if one["batch"]]
        batches = sorted({one["batch"] for one in rows}, reverse=True)[:5]
        found = history.plans.batches(plan)
        assert [one["batch"] for one in found] == batches
        for one in found:
            theirs = [row for row in rows if row["batch"] == one["batch"]]
            assert one == {"batch": one["batch"], "rows": len(theirs)} | {
                "action": min(row["action"] for row in theirs),
                "at": max(row["ended_at"] or row["at"] for row in theirs),
            } | {state: sum(row["state"] == state for row in theirs) for state in states}


@pytest.mark.parametrize("place", [*PLACES, CLOSED, DONE], ids=str)
def test_the_next_plan_is_told_what_earlier_ones_did_to_its_list(history: History, place: Place) -> None:
    journal, rows = history.plans.journal, history.at(place)
    here = {plan: told for plan, told in history.made.items() if told["place"] == place}
    assert pushed.unfinished(journal, place) == [
        plan for plan, told in here.items() if told["state"] == "applying"
    ]
    assert pushed.pushed(journal, place) == any(
        told["began"] and told["state"] in {"applying", "finished"} for told in here.values()
    )
    subscribed = [
        one
        for one in rows
        if one["action"] in SUBSCRIBING and one["state"] in MAY_HAVE_HAPPENED and one["to_list"] == place[2]
    ]
    written = Counter(
        (one["contact_id"], datetime.fromisoformat(one["at"]).replace(tzinfo=None))
        for one in subscribed
        if one["contact_id"]
    )
    found = pushed.own_writes(journal, place).to_pylist()
    assert Counter((one["contact_id"], one["written_at"]) for one in found) == written
    assert [one["written_at"] for one in found] == sorted(one["written_at"] for one in found)
    away: dict[int, int] = {}
    for one in rows:
        if one["of"]["place"] != place or not one["contact_id"]:
            continue
        if one["action"] == "park" and one["state"] in MAY_HAVE_HAPPENED:
            away[one["contact_id"]] = one["to_list"]
        if one["action"] == "restore" and one["state"] == "done":
            away.pop(one["contact_id"], None)
    assert pushed.parked(journal, place) == away
    added = Counter(
        one["plan"]
        for one in subscribed
        if one["state"] == "done" and one["of"]["state"] == "finished" and one["of"]["retry"] is None
    )
    assert pushed.last_push(journal, place) == (added[max(added)] if added else None)


def test_a_list_nobody_pushed_to_has_no_past(history: History) -> None:
    journal, nowhere = history.plans.journal, Place(9, 9, 9)
    assert (pushed.unfinished(journal, nowhere), pushed.parked(journal, nowhere)) == ([], {})
    assert (pushed.pushed(journal, nowhere), pushed.last_push(journal, nowhere)) == (False, None)
    assert pushed.own_writes(journal, nowhere).num_rows == 0


def test_everything_done_to_one_contact_comes_in_its_order(history: History) -> None:
    found = pushed.of_contact(history.plans.journal, 101)
    expected = [
        (plan, action, told["state"], told["words"], told["at"])
        for (plan, _, action), told in history.rows.items()
        if told["contact_id"] == 101
    ]
    assert Counter((one["plan"], one["action"], one["state"], one["words"], one["at"]) for one in found) == (
        Counter(expected)
    )
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    assert {(one["audience"], one["connection"], one["list_name"], one["who"]) for one in found} == {
        ("A", "acme", "L", "maya")
    }
