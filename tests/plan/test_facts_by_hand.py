"""What is known of consent, asked of a crowd in one statement, equals what plain Python finds fact by fact."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import prepared
import pyarrow as pa
import pytest

from icx.clock import ManualClock
from icx.plan import Policy, Target, facts
from icx.plan.decide import HAVE, WANT
from icx.plan.decide import PARKING as PARKED
from icx.plan.make import Side, decide_now
from icx.pull import keep
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal
from icx.store.plans import Place, Plans

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
THEN = datetime(2026, 11, 1, 12)  # noqa: DTZ001 - as the store keeps it
TARGET, PARKING, AWAY, OTHER = 7, 8, 9, 10
HERE = Place(1, 2, TARGET)
#: Whose facts there are: this folder's, one sender with it, another folder, another account, one nobody connected.
FOLDERS = {"acme": (1, 2), "outlet": (1, 3), "mill": (1, 4), "shop": (5, 2)}


class Crowd:
    """Circles of people who share addresses, with facts of every kind, folder and list; `fill` puts them into a store."""

    def __init__(self, folder: Path, seed: int = 20261122, circles: int = 250) -> None:
        luck = random.Random(seed)
        self.store = Store(folder / "icx.duckdb", clock=ManualClock(NOW))
        self.people: list[dict[str, Any]] = []
        self.users: list[dict[str, Any]] = []
        self.facts: list[dict[str, Any]] = []
        self.parked: dict[int, int] = {}
        self.have: list[dict[str, Any]] = []
        for circle in range(circles):
            self._circle(luck, circle)
        others: list[dict[str, Any]] = [{}, {"account_id": 5}, {"client_folder_id": 3}]
        for number, (made, gone) in enumerate(itertools.product(others, [None, *others])):
            self._made(1_000_000 + number, made, gone)

    def _made(self, contact: int, made: dict[str, Any], gone: dict[str, Any] | None) -> None:
        """Somebody icx made, here or elsewhere, and who is gone, here or elsewhere, or is not."""
        key = f"{contact}@example.com"
        self.people.append({"contact_id": None, "email_key": key})
        fact = {
            "account_id": 1,
            "client_folder_id": 2,
            "contact_id": contact,
            "email_key": key,
            "list_id": None,
        }
        fact |= {"happened_at": THEN, "seen_at": THEN, "source": "apply", "message_id": None}
        self.facts.append(fact | {"fact": "made"} | made)
        if gone is not None:
            self.facts.append(fact | {"fact": "gone"} | gone)

    def fill(self) -> None:
        for name, place in FOLDERS.items():
            keep.register(self.store, name, *place)
        with self.store.open("acme") as con:
            for table, rows in (("icontact_users", self.users), ("shared.consent_facts", self.facts)):
                con.register("rows", pa.Table.from_pylist(rows))
                con.execute(f"insert into {table} by name select * from rows")
                con.unregister("rows")
            for day, state in enumerate(("complete", "complete", "stopped")):
                began = THEN + timedelta(days=day)
                con.execute(
                    "insert into pulls (pull_id, started_at, began_at, state) values ('r-1', ?, ?, ?)",
                    [began, began, state],
                )

    def _circle(self, luck: random.Random, circle: int) -> None:
        ids = [10 * circle + n for n in range(1, 4)]
        keys = [f"a{circle}@example.com", f"b{circle}@example.com"]

        def some() -> str | None:
            return luck.choice([*keys, None])

        for one in ids:
            if luck.random() < 0.8:
                gone = THEN if luck.random() < 0.3 else None
                status = luck.choice(["normal", "donotcontact", None])
                self.users.append(
                    {"id": one, "email": f"{one}", "email_key": some(), "status": status, "gone_at": gone}
                    | {"first_seen": THEN}
                )
            if luck.random() < 0.3:
                self.people.append({"contact_id": luck.choice([one, one, None]), "email_key": some()})
            if luck.random() < 0.6:
                self.parked[one] = luck.choice([AWAY, AWAY, PARKING])
            if luck.random() < 0.4:
                status = luck.choice(["normal", "unsubscribed", "unsubscribed", "pending"])
                self.have.append({"contact_id": one, "status": status})
        for n in range(luck.randrange(9)):
            account, client_folder = luck.choice([(1, 2)] * 6 + [*FOLDERS.values(), (9, 9)])
            fact = luck.choice(["left", "left", "left", "normal", "normal", "donotcontact", "gone", "made"])
            happened = THEN + timedelta(hours=luck.randrange(3))
            self.facts.append(
                {
                    "account_id": account,
                    "client_folder_id": client_folder,
                    "contact_id": luck.choice([*ids, *ids, None]),
                    "email_key": some(),
                    "list_id": luck.choice([TARGET, TARGET, PARKING, AWAY, AWAY, OTHER, None])
                    if fact in {"left", "normal"}
                    else None,
                    "fact": fact,
                    "happened_at": happened,
                    "seen_at": happened + timedelta(days=1),
                    "source": luck.choice(["subscription", "apply", "unsubscribe event"]),
                    "message_id": luck.choice([n, None]),
                }
            )

    def of(self, fact: str, place: tuple[int, int] = (1, 2)) -> list[dict[str, Any]]:
        return [
            row
            for row in self.facts
            if (row["account_id"], row["client_folder_id"]) == place and row["fact"] == fact
        ]

    def added(self, do: Callable[[], object]) -> Counter[tuple[Any, ...]]:
        """What a deed adds to the facts; nothing is ever taken away."""
        before = self._all()
        do()
        after = self._all()
        assert before <= after
        return after - before

    def _all(self) -> Counter[tuple[Any, ...]]:
        with self.store.open() as con:
            return Counter(con.execute("from shared.consent_facts").fetchall())


@pytest.fixture
def crowd(tmp_path: Path) -> Crowd:
    return Crowd(prepared.copy("facts of a crowd", lambda folder: Crowd(folder).fill(), tmp_path / "crowd"))


def noted(
    contact: int, key: str | None, fact: str, source: str = "apply", list_id: int | None = TARGET
) -> Any:
    now = NOW.replace(tzinfo=None)
    return (1, 2, contact, key, list_id, fact, now, now, source, None)


@pytest.mark.parametrize("parking", [PARKING, None])
def test_what_is_known_of_a_crowd_is_every_fact_that_concerns_it(crowd: Crowd, parking: int | None) -> None:
    people = pa.Table.from_pylist(crowd.people, schema=pa.schema([WANT.field(0), WANT.field(2)]))
    groups = [("acme", "outlet"), ("mill", "shop")]
    known = facts.known(
        crowd.store, "acme", HERE, people, one_sender=groups, parked=crowd.parked, parking_list=parking
    )
    asked = {row["contact_id"] for row in crowd.people} - {None}
    theirs = [row for row in crowd.users if row["id"] in asked]
    keys = {row["email_key"] for row in crowd.people + theirs} - {None}
    near = [
        row
        for row in crowd.users
        if row["id"] in asked
        or (not row["gone_at"] and row["status"] == "donotcontact" and row["email_key"] in keys)
    ]
    assert Counter(map(whole, known.contacts.to_pylist())) == Counter(
        (row["id"], row["email"], row["email_key"], "gone" if row["gone_at"] else row["status"] or "unknown")
        for row in near
    )
    concern = [
        fact
        for row in crowd.facts
        for fact in concerning(row, crowd.parked, parking)
        if fact[0] in asked or fact[1] in keys
    ]
    assert Counter(map(whole, known.facts.to_pylist())) == Counter(concern)
    fresh = (THEN.replace(tzinfo=UTC) + timedelta(days=1), sum(not row["gone_at"] for row in crowd.users))
    assert (known.read_at, known.folder_size) == facts.freshness(crowd.store, "acme") == fresh


def whole(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.values())


def concerning(row: dict[str, Any], parked: dict[int, int], parking: int | None) -> Iterator[tuple[Any, ...]]:
    """A fact as it counts for the target list: as it is, as one of the list icx parked somebody on, or as a neighbour's."""
    contact, key, fact, list_id = row["contact_id"], row["email_key"], row["fact"], row["list_id"]
    if (row["account_id"], row["client_folder_id"]) == FOLDERS["outlet"] and fact == "donotcontact" and key:
        yield (None, key, fact, row["happened_at"], "same sender", None)
    if (row["account_id"], row["client_folder_id"]) != (1, 2) or (fact, row["source"]) == ("normal", "apply"):
        return
    seen = fact == "left" and row["source"] == "subscription"
    rest = (row["seen_at"] if seen else row["happened_at"], row["source"], row["message_id"])
    if fact == "made":
        return
    if fact in {"donotcontact", "gone"} or list_id == TARGET or (fact == "left" and list_id is None):
        yield (contact, key, fact, *rest)
    if fact == "left" and contact in parked and parked[contact] == list_id:
        yield (contact, key, "left", *rest)
    if fact == "left" and (list_id is None or list_id == parking):
        yield (contact, key, "left_parking", *rest)


def test_whom_icx_subscribed_is_noted_under_every_address_under_which_they_had_left(crowd: Crowd) -> None:
    joined = [row["contact_id"] for row in crowd.have]
    expected = {noted(row["contact_id"], row["email_key"], "normal") for row in crowd.of("left")}
    added = crowd.added(lambda: facts.wrote(crowd.store, HERE, joined, NOW))
    assert added == Counter(one for one in expected if one[2] in joined)
    assert not crowd.added(lambda: facts.wrote(crowd.store, HERE, [], NOW))


def test_whom_icx_made_is_noted_once(crowd: Crowd) -> None:
    before = {row["contact_id"] for row in crowd.of("made")}
    people = [(row["contact_id"], f"{row['contact_id']}@example.com") for row in crowd.have]
    expected = [noted(one, key, "made", list_id=None) for one, key in people if one not in before]
    assert crowd.added(lambda: facts.made(crowd.store, HERE, people, NOW)) == Counter(expected)
    assert not crowd.added(lambda: facts.made(crowd.store, HERE, people, NOW + timedelta(days=1)))
    assert not crowd.added(lambda: facts.made(crowd.store, HERE, [], NOW))


def test_whom_no_pull_has_seen_are_members_and_those_icx_made_under_a_wanted_address(crowd: Crowd) -> None:
    rows = [row | {"email": row["email_key"]} for row in crowd.people]
    have, want = pa.Table.from_pylist(crowd.have, schema=HAVE), pa.Table.from_pylist(rows, schema=WANT)
    wanted = {row["email_key"] for row in crowd.people if row["contact_id"] is None} - {None}
    gone, seen = {row["contact_id"] for row in crowd.of("gone")}, {row["id"] for row in crowd.users}
    made = {
        row["contact_id"]: row["email_key"]
        for row in crowd.of("made")
        if row["email_key"] in wanted and row["contact_id"] not in gone | {None}
    }
    found = facts.unread(crowd.store, "acme", HERE, have, want)
    members = {row["contact_id"] for row in crowd.have}
    assert set(found) == (members | made.keys()) - seen
    assert {one: key for one, key in found.items() if key} == {
        one: key for one, key in made.items() if one not in seen
    }


def test_who_is_unsubscribed_on_the_list_is_noted_unless_it_stands_already(crowd: Crowd) -> None:
    here = [row for row in crowd.facts if row["list_id"] == TARGET]
    left = [row for row in crowd.of("left") if row in here]
    back = [row for row in crowd.of("normal") if row in here]
    stands = {
        row["contact_id"]
        for row in left
        if not any(
            b["contact_id"] == row["contact_id"] and b["happened_at"] > row["happened_at"] for b in back
        )
    }
    keys = {row["id"]: row["email_key"] for row in crowd.users}
    expected = [
        noted(row["contact_id"], keys.get(row["contact_id"]), "left", "subscription")
        for row in crowd.have
        if row["status"] == "unsubscribed" and row["contact_id"] not in stands
    ]
    have = pa.Table.from_pylist(crowd.have, schema=HAVE)
    assert crowd.added(lambda: facts.remember(crowd.store, HERE, have, NOW)) == Counter(expected)
    assert not crowd.added(lambda: facts.remember(crowd.store, HERE, have, NOW))
    assert not crowd.added(lambda: facts.remember(crowd.store, HERE._replace(list_id=None), have, NOW))
    nobody = Place(9, 9, TARGET)  # of a folder that no connection names only the id is known
    added = crowd.added(lambda: facts.remember(crowd.store, nobody, have, NOW))
    assert {one[:2] for one in added} == {(9, 9)}
    assert {one[3] for one in added} == {None}


def test_what_an_apply_saw_is_noted_against_its_list_when_it_is_about_the_list(crowd: Crowd) -> None:
    saw = [(1, "a@example.com", "left"), (2, None, "donotcontact")]
    assert crowd.added(lambda: facts.append(crowd.store, HERE, saw, NOW)) == Counter(
        [noted(1, "a@example.com", "left"), noted(2, None, "donotcontact", list_id=None)]
    )
    assert not crowd.added(lambda: facts.append(crowd.store, HERE, [], NOW))


def test_what_an_apply_sees_again_is_noted_again_only_when_it_is_news(crowd: Crowd) -> None:
    def news(*saw: tuple[int, str | None, str], place: Place = HERE, days: int = 0) -> int:
        return crowd.added(lambda: facts.append(crowd.store, place, saw, NOW + timedelta(days=days))).total()

    def came_back(contact: int, list_id: int, place: Place = HERE) -> None:
        values = [
            place.account_id,
            place.client_folder_id,
            contact,
            list_id,
            (NOW + timedelta(days=2)).replace(tzinfo=None),
        ]
        with crowd.store.open() as con:
            con.execute(
                "insert into shared.consent_facts values (?, ?, ?, null, ?, 'normal', ?5, ?5, 's', null)",
                values,
            )

    left, no = (99_001, "a@example.com", "left"), (99_002, None, "donotcontact")
    assert news(left, left, no) == 2
    assert news(left, no, days=1) == 0
    elsewhere, other = Place(9, 9, TARGET), HERE._replace(list_id=TARGET + 1)
    assert news((99_001, "b@example.com", "left")) == news((99_001, "a@example.com", "donotcontact")) == 1
    assert news(left, no, place=other) == 1, "a no to all lists is known"
    assert news(left, no, place=elsewhere) == news(left, no, place=HERE._replace(account_id=8)) == 2
    came_back(99_001, TARGET + 2)
    came_back(99_003, TARGET)
    came_back(99_001, TARGET, elsewhere)
    came_back(99_002, TARGET)
    assert news(left, no, days=3) == 0, "they did not come back to this list"
    came_back(99_001, TARGET)
    assert news(left, no, days=1) == 1, "and left again"
    assert news(left, days=4) == 1
    assert news(left, days=5) == 0


def test_who_left_the_parking_list_holds_back_everybody_of_that_address(crowd: Crowd, tmp_path: Path) -> None:
    """Also when they share nothing else with the list: neither wanted nor a member."""
    rows = [{"id": one, "email": "jo@example.com", "email_key": "jo@example.com"} for one in (90_001, 90_002)]
    rows = [row | {"status": "normal", "gone_at": None, "first_seen": THEN} for row in rows]
    with crowd.store.open("acme") as con:
        con.register("rows", pa.Table.from_pylist(rows))
        con.execute("insert into icontact_users by name select * from rows")
        con.unregister("rows")
    wanted = pa.Table.from_pylist([{"contact_id": 90_001, "email": None, "email_key": None}], schema=WANT)
    left = pa.Table.from_pylist(
        [{"contact_id": 90_002, "status": "unsubscribed", "ours": True}], schema=PARKED
    )
    with Journal(tmp_path / "journal.sqlite") as journal:
        decision, _ = decide_now(
            wanted,
            Side(HAVE.empty_table(), left, {90_002: PARKING}, PARKING),
            store=crowd.store,
            plans=Plans(journal),
            target=Target("acme", "Acme", *HERE[:2], "Main", "Target", TARGET),
            policy=Policy(),
            settings=Settings(),
            clock=ManualClock(NOW),
        )
    assert decision.refused == {"left_this_list": 1}
