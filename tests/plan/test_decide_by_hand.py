"""Deciding in one statement equals deciding one person after the other in plain Python, for crowds of awkward people."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from icx.plan.consent import judge
from icx.plan.decide import CONTACTS, FACTS, HAVE, OWN_WRITES, PARKING, WANT, Counts, decide
from icx.plan.policy import Policy

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.replace(tzinfo=None)
CLOSE = timedelta(minutes=10)
NEVER_END = {"donotcontact", "deleted", "gone"}
STATUSES = ["normal"] * 5 + ["pending", "invitable", "bounced", "donotcontact", "deleted", "gone", "odd"]
KINDS = ["left"] * 4 + ["normal"] * 5 + ["donotcontact", "deleted", "gone", "bounced", "left_parking"]
COLUMNS = [
    "place",
    "contact_id",
    "email",
    "email_key",
    "contact",
    "on_list",
    "action",
    "reason",
    "via",
    "undoable",
    "fact_at",
]


class Crowd:
    """People in small circles that share addresses and nothing else, so that one statement decides hundreds of cases."""

    def __init__(self, seed: int, circles: int = 300) -> None:
        luck = random.Random(seed)
        self.want: list[dict[str, Any]] = []
        self.have: list[dict[str, Any]] = []
        self.contacts: list[dict[str, Any]] = []
        self.facts: list[dict[str, Any]] = []
        self.own: list[dict[str, Any]] = []
        self.parking: list[dict[str, Any]] = []
        for circle in range(circles):
            self._circle(luck, circle)
        ways = itertools.product([(10,), (30,), (10, 30)], (0, 1, 2))
        moments = (-11, -10, -5, 0, 10, 20, 21, 40, 41)
        cases = [(back, own) for back, size in ways for own in itertools.combinations(moments, size)]
        for number, (back, own) in enumerate(cases, circles):
            self._way_back(10 * number, back, own)

    def _way_back(self, contact: int, back: Sequence[int], own: Sequence[int]) -> None:
        """Somebody who left twice and was subscribed again later, with writings of icx before, between and after."""

        def moment(minutes: int) -> datetime:
            return TODAY - timedelta(hours=2) + timedelta(minutes=minutes)

        who = {"contact_id": contact, "email": None, "email_key": None}
        self.want.append(who)
        self.contacts.append(who | {"status": "normal"})
        self.own += [{"contact_id": contact, "written_at": moment(minutes)} for minutes in own]
        self.facts += [
            who | {"fact": fact, "happened_at": moment(minutes), "source": f"source {n}", "message_id": n}
            for n, (fact, minutes) in enumerate(
                [("left", -60), ("left", 0), *(("normal", minutes) for minutes in back)]
            )
        ]

    def _circle(self, luck: random.Random, circle: int) -> None:
        ids = [10 * circle + n for n in range(1, 4)]
        keys = [f"a{circle}@example.com", f"b{circle}@example.com"]

        def some() -> str | None:
            return luck.choice([*keys, *keys, None])

        def moment() -> (
            datetime
        ):  # often the same, often ten minutes apart to the second, now and then just now
            return TODAY - timedelta(minutes=5 * luck.randrange(9))

        for one in ids:
            if luck.random() < 0.85:
                key = some()
                status = luck.choice(STATUSES)
                self.contacts.append({"contact_id": one, "email": key, "email_key": key, "status": status})
            if luck.random() < 0.4:
                status = luck.choice(["normal", "normal", "pending", "unsubscribed"])
                self.have.append({"contact_id": one, "status": status})
            if luck.random() < 0.25:
                status = luck.choice(["normal", "normal", "unsubscribed", "pending"])
                self.parking.append({"contact_id": one, "status": status, "ours": luck.random() < 0.6})
            if luck.random() < 0.5:
                key = some()
                self.want.append({"contact_id": one, "email": key, "email_key": key})
            for _ in range(luck.choice([0, 0, 1, 2])):
                self.own.append({"contact_id": one, "written_at": moment()})
        for _ in range(luck.choice([0, 0, 1])):
            key = some()
            self.want.append({"contact_id": None, "email": key or "nothing", "email_key": key})
        for n in range(luck.choice([0, 1, 2, 3, 5, 8])):
            fact = "complained" if luck.random() < 0.02 else luck.choice(KINDS)
            self.facts.append(
                {
                    "contact_id": luck.choice([*ids, *ids, None]),
                    "email_key": some(),
                    "fact": fact,
                    "happened_at": moment(),
                    "source": f"source {n}",
                    "message_id": n,
                }
            )

    def decided(self, policy: Policy, leaving: frozenset[int] | None = None) -> Any:
        luck = random.Random(7)  # the service and the store tell people in any order
        given = [
            pa.Table.from_pylist(rows if schema is WANT else luck.sample(rows, len(rows)), schema=schema)
            for rows, schema in (
                (self.want, WANT), (self.have, HAVE), (self.contacts, CONTACTS),
                (self.facts, FACTS), (self.own, OWN_WRITES),
            )
        ]  # fmt: skip
        parking = pa.Table.from_pylist(luck.sample(self.parking, len(self.parking)), schema=PARKING)
        return decide(*given, policy=policy, now=NOW, parking=parking, leaving=leaving)

    def by_hand(self, policy: Policy, leaving: frozenset[int] | None = None) -> list[tuple[Any, ...]]:
        """The same, one after the other: the columns of `COLUMNS`, and which sources the fact may have."""
        contacts = {row["contact_id"]: row for row in self.contacts}
        have = {row["contact_id"]: row["status"] for row in self.have}
        parking = {row["contact_id"]: row for row in self.parking}
        told = self.told(contacts)
        rows = []
        for place, row in enumerate(self.want):
            contact, there = row["contact_id"], contacts.get(row["contact_id"], {})
            email, key = row["email"] or there.get("email"), row["email_key"] or there.get("email_key")
            addresses = {key, there.get("email_key")} - {None}
            hits = [
                one
                for one in told
                if one["fact"] != "left_parking"
                and ((contact is not None and one["contact_id"] == contact) or one["email_key"] in addresses)
            ]
            own = [one["written_at"] for one in self.own if one["contact_id"] == contact]
            standing = {one["fact"] for one in hits} - ({"left"} if came_back(hits, own) else set())
            status = "new" if contact is None else there.get("status", "gone")
            action, reason = judge(status, have.get(contact, "not"), standing, invite=policy.invite)
            if action == "create" and (key is None or not policy.create_contacts):
                action, reason = "refuse", "no_address" if key is None else "no_id"
            ours = parking.get(contact, {"ours": False})
            moved = action == "add" and ours["ours"] and ours["status"] == "normal"
            dates = {fact: since(hits, fact) for fact in standing - {"normal"}}
            date = max(dates.values(), default=None)
            sources = {
                (one["source"], one["message_id"])
                for one in hits
                if one["happened_at"] == date == dates.get(one["fact"])
            }
            via = "move" if moved else ""
            known = (place, contact, email, key, status, have.get(contact, "not"))
            rows.append((*known, action, reason, via, action == "add", date, sources))
        return rows + self.members(policy, contacts, told, leaving)

    def told(self, contacts: dict[int, Any]) -> list[dict[str, Any]]:
        """What was noted, and what today's reading says itself."""
        today = [
            {"contact_id": None, "email_key": row["email_key"], "fact": "donotcontact", "happened_at": TODAY}
            | {"source": "contact status", "message_id": None}
            for row in self.contacts
            if row["status"] == "donotcontact"
        ]
        parked = [row for row in self.parking if row["ours"]]
        today += [
            {"contact_id": row["contact_id"], "fact": "left", "happened_at": TODAY, "source": source}
            | {"message_id": None, "email_key": contacts.get(row["contact_id"], {}).get("email_key")}
            for source, rows in (("subscription", self.have), ("parking list", parked))
            for row in rows
            if row["status"] == "unsubscribed"
        ]
        return self.facts + today

    def members(
        self, policy: Policy, contacts: dict[int, Any], told: list[dict[str, Any]], leaving: Any
    ) -> list[tuple[Any, ...]]:
        """Members nobody wants any more. Moving them needs that they may be on the parking list."""
        wanted = {row["contact_id"] for row in self.want}
        parking = {row["contact_id"] for row in self.parking}
        away = [one for one in told if one["fact"] == "left_parking" or one["fact"] in NEVER_END]
        ids = {one["contact_id"] for one in away} - {None}
        keys = {one["email_key"] for one in away} - {None}
        rows = []
        for row in self.have:
            contact = row["contact_id"]
            if (
                row["status"] != "normal"
                or contact in wanted
                or (leaving is not None and contact not in leaving)
            ):
                continue
            there = contacts.get(contact, {})
            why = ""
            if policy.stale == "park":
                if contact in parking:
                    why = "on_parking_list"
                elif there.get("status") != "normal":
                    why = "not_normal"
                elif contact in ids or there["email_key"] in keys:
                    why = "said_no"
            action = "stay" if why else policy.stale
            moves = policy.stale == "park" and not why
            known = (None, contact, there.get("email"), there.get("email_key"), there.get("status", "gone"))
            rows.append((*known, "normal", action, why, "", moves, None, set()))
        return sorted(rows, key=lambda row: row[1])


def came_back(hits: list[dict[str, Any]], own: list[datetime]) -> bool:
    """Whether the last leaving ended by somebody's own doing, not by a writing of icx around the same time."""
    left = [one["happened_at"] for one in hits if one["fact"] == "left"]
    back = [
        one["happened_at"]
        for one in hits
        if one["fact"] == "normal" and left and one["happened_at"] > max(left)
    ]
    ours = [moment for moment in own if left and moment >= max(left) - CLOSE]
    return bool(back) and (not ours or min(ours) > min(back) + CLOSE)


def since(hits: list[dict[str, Any]], fact: str) -> datetime:
    """Since when a fact has stood: the first that was known before today and after the last coming back."""
    ended = max(
        (one["happened_at"] for one in hits if fact == "left" and one["fact"] == "normal"), default=None
    )
    dates = [one["happened_at"] for one in hits if one["fact"] == fact]
    known = [date for date in dates if date < TODAY and (ended is None or date > ended)]
    return min(known) if known else max(dates)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(stale="park", create_contacts=True, basis="shop"),
        Policy(stale="unsubscribe", invite=True, confirmation_message=5),
    ],
    ids=["stay", "park and create", "unsubscribe and invite"],
)
def test_a_crowd_is_decided_as_everybody_alone(policy: Policy) -> None:
    crowd = Crowd(seed=20261122)
    leaving = frozenset(row["contact_id"] for row in crowd.have[::2]) if policy.invite else None
    decision = crowd.decided(policy, leaving)
    found = list(zip(*(decision.rows.column(name).to_pylist() for name in COLUMNS), strict=True))
    expected = crowd.by_hand(policy, leaving)
    assert found == [row[:-1] for row in expected]
    told = zip(
        decision.rows.column("source").to_pylist(),
        decision.rows.column("message_id").to_pylist(),
        strict=True,
    )
    assert all(one in (row[-1] or {(None, None)}) for one, row in zip(told, expected, strict=True))
    verbs = [row[6] for row in expected]
    members = sum(row["status"] == "normal" for row in crowd.have)
    count = {verb: verbs.count(verb) for verb in
             ("add", "add_pending", "create", "keep", "refuse", "stay", "park", "unsubscribe")}  # fmt: skip
    gone = count["park"] + count["unsubscribe"]
    assert decision.counts == Counts(
        wanted=len(crowd.want), add=count["add"] + count["add_pending"], create=count["create"], keep=count["keep"],
        refused=count["refuse"], stale=count["stay"] + gone, park=count["park"], unsubscribe=count["unsubscribe"],
        pending=count["add_pending"], undoable=sum(row[9] for row in expected), members=members,
        after=members + count["add"] + count["create"] - gone,
    )  # fmt: skip
    reasons = [row[7] for row in expected if row[6] == "refuse"]
    assert decision.refused == {reason: reasons.count(reason) for reason in set(reasons)}
    assert list(decision.refused) == sorted(set(reasons), key=lambda one: (-reasons.count(one), one))


def test_of_nobody_nothing_is_decided() -> None:
    nobody = [schema.empty_table() for schema in (WANT, HAVE, CONTACTS, FACTS, OWN_WRITES)]
    decision = decide(*nobody, policy=Policy(), now=NOW)
    assert decision.counts == Counts(**dict.fromkeys(Counts.__dataclass_fields__, 0))
    assert (decision.rows.num_rows, decision.refused) == (0, {})


def test_reasons_come_by_how_many_they_concern_and_then_by_name() -> None:
    statuses = ["deleted", "bounced", "gone", "gone"]
    people = [
        {"contact_id": n, "email": None, "email_key": None, "status": one} for n, one in enumerate(statuses)
    ]
    given = [pa.Table.from_pylist(people, schema=schema) for schema in (WANT, HAVE, CONTACTS)]
    given[1] = HAVE.empty_table()
    decision = decide(*given, FACTS.empty_table(), OWN_WRITES.empty_table(), policy=Policy(), now=NOW)
    assert list(decision.refused.items()) == [("gone", 2), ("bounced", 1), ("deleted", 1)]


@pytest.mark.parametrize("later", sorted({*KINDS, "made", "complained"}))
def test_only_coming_back_ends_that_somebody_left(later: str) -> None:
    who = {"contact_id": 1, "email": "a@example.com", "email_key": "a@example.com", "status": "normal"}
    said = [
        {"contact_id": 1, "fact": fact, "happened_at": TODAY - timedelta(days=days)}
        for fact, days in (("left", 9), (later, 5))
    ]
    decision = decide(
        pa.Table.from_pylist([who], schema=WANT), HAVE.empty_table(), pa.Table.from_pylist([who], schema=CONTACTS),
        pa.Table.from_pylist(said, schema=FACTS), OWN_WRITES.empty_table(), policy=Policy(), now=NOW,
    )  # fmt: skip
    assert decision.rows.column("action").to_pylist() == ["add" if later == "normal" else "refuse"]
