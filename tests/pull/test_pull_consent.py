"""What a pull learns about consent, asked of its facts alone: who is gone, who left, who came back, and of which list."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import prepared
import pyarrow as pa
import pytest
from pull_bed import Bed
from pull_fake import NOON, account

from icx.clock import ManualClock
from icx.pull import consent, keep

DAY = 86_400
TAG = {"with_settings": {"tag_filter": True, "tag_aid": "77"}}
#: Every kind of pull that keeps fewer people, or none that it did not keep before.
KINDS: tuple[dict[str, Any], ...] = (
    {"contacts_only": True},
    TAG,
    TAG | {"contacts_only": True},
    {"full": True},
    {},
)


def made(bed: Bed, *contacts: int) -> None:
    """Note people as made by icx, before any pull."""
    keep.register(bed.store, "acme", 1, 2)
    for one in contacts:
        bed.rows(
            f"insert into shared.consent_facts values (1, 2, {one}, 'person{one}@example.com', null, 'made', "
            "'2026-11-21 11:00:00', '2026-11-21 11:00:00', 'apply', null)"
        )


def gone(bed: Bed) -> list[tuple[Any, ...]]:
    return bed.rows("select contact_id, email_key from consent_facts where fact = 'gone' order by all")


def test_only_whom_the_service_does_not_list_is_gone_whatever_kind_of_pull_asks(bed: Bed) -> None:
    fake = account(1, people=6, messages=1)
    fake.rows["subscriptions"] = []  # nobody is on any list
    fake.events = {}  # and nobody was touched by a message: the tag filter keeps none of them
    fake.bodies[88_001] = "<p>Hello</p><!-- lytics-aid:77 -->"
    made(bed, 70_001, 70_002, 90_001)
    for kind in KINDS:
        bed.clock.sleep(DAY)
        bed.pull(fake, **kind)
        assert gone(bed) == [(90_001, "person90001@example.com")]
    assert bed.rows("select count(*) from icontact_users where gone_at is null") == [(6,)]


#: The lists of each of a letter's sends, none when that is not known. One went to a segment as well.
SENT: dict[int, list[list[int] | None]] = {
    88_001: [[7]], 88_002: [[7, 8]], 88_003: [[]], 88_004: [[8]], 88_005: [[7], []], 88_006: [None, [7, 8]],
}  # fmt: skip
SEGMENT = 88_004
TODAY = datetime(2026, 11, 21, 12)  # noqa: DTZ001 - as the store keeps it
FOLDER = consent.Folder(1, 2, TODAY)


def ago(hours: float) -> datetime:
    return TODAY - timedelta(hours=hours)


#: A leaving and a coming back, as they belong together, and what in turn makes each belong to something else.
LEFT: dict[str, Any] = {"fact": "left", "happened_at": ago(3), "seen_at": ago(3), "source": "subscription"}
BACK: dict[str, Any] = {"fact": "normal", "happened_at": ago(2), "seen_at": ago(2), "source": "subscription"}
OTHERS: list[dict[str, Any]] = [
    {}, {"account_id": 4}, {"client_folder_id": 3}, {"list_id": 8}, {"list_id": None}, {"contact_id": 1},
    {"fact": "gone"}, {"source": "apply"}, {"seen_at": ago(3)}, {"source": "apply", "happened_at": ago(5)}, {"source": "apply", "happened_at": ago(3)}, {"happened_at": ago(3)},
    {"email_key": "old@example.com"},
]  # fmt: skip
#: That a subscription turned with this pull, and what makes it a turning of something else, or of another day.
TURNED: dict[str, Any] = {
    "happened_at": TODAY, "entity": "subscription", "field": "status", "old": "unsubscribed", "new": "normal",
}  # fmt: skip
TURNS: list[dict[str, Any]] = [
    {}, {"happened_at": ago(1)}, {"entity": "contact"}, {"field": "exists"}, {"old": "pending"}, {"old": None},
    {"new": "pending"}, {"list_id": 8}, {"contact_id": 1},
]  # fmt: skip


class Crowd:
    """Circles of people with statuses, subscriptions, events and facts of every age; `fill` puts them into a store."""

    def __init__(self, bed: Bed, seed: int = 20261122, circles: int = 200) -> None:
        luck = random.Random(seed)
        self.bed = bed
        self.tables: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("icontact_users", "subscriptions", "icontact_activity", "changes", "facts")
        }
        for circle in range(circles):
            self._circle(luck, circle)
        cases = itertools.product(OTHERS, OTHERS, ("normal", "unsubscribed"), (None, ago(4), ago(3)))
        for number, case in enumerate(cases, circles):
            self._left_and_back(10 * number, *case)
        for number, (turn, added) in enumerate(itertools.product(TURNS, (None, ago(4)))):
            self._left_and_back(2_000_000 + 10 * number, {}, {"list_id": 8}, "normal", added, turn)
        for number, other in enumerate((*OTHERS, {"message_id": 88_002}, {"happened_at": ago(2)})):
            self._told_already(1_000_000 + 10 * number, other)
        self._left_and_back(3_000_000, {}, {"list_id": 8}, "normal", ago(4))
        again = {"contact_id": 3_000_000, "list_id": 7, "old": None}  # noted twice with one pull
        self.tables["changes"].append(TURNED | again)
        for _ in range(2):  # nobody the service lists
            self._told_already(3_000_010, {"fact": "made", "list_id": None, "source": "apply"})
        self.keys = {row["id"]: row["email_key"] for row in self.tables["icontact_users"]}
        self.facts = self.tables.pop("facts")
        self.by_contact: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self.facts:
            self.by_contact[row["contact_id"]].append(row)

    def fill(self) -> None:
        keep.register(self.bed.store, "acme", 1, 2)
        with self.bed.store.open("acme") as con:
            for name, rows in (*self.tables.items(), ("shared.consent_facts", self.facts)):
                con.register("rows", pa.Table.from_pylist(rows))
                con.execute(f"insert into {name} by name select * from rows")
                con.unregister("rows")
            for message, lists in ((message, lists) for message, sends in SENT.items() for lists in sends):
                con.execute(
                    "insert into sends (send_id, message_id, include_list_ids, include_segment_ids) values (1, ?, ?, ?)",
                    [message, lists, [5] if message == SEGMENT else None],
                )

    def _told_already(self, contact: int, other: dict[str, Any]) -> None:
        """An unsubscribe event, and a fact that is its own, or of something else by a single word."""
        event = {"contact_id": contact, "event_type": "unsubscribe", "event_ts": ago(3), "message_id": 88_001}
        self.tables["icontact_activity"].append(event)
        fact = {
            "account_id": 1,
            "client_folder_id": 2,
            "contact_id": contact,
            "email_key": None,
            "list_id": 7,
        }
        fact |= {"fact": "left", "happened_at": ago(3), "seen_at": ago(3), "source": "unsubscribe event"}
        elsewhere = {"contact_id": contact + other.get("contact_id", 0)}
        self.tables["facts"].append(fact | {"message_id": 88_001} | other | elsewhere)

    def _left_and_back(
        self,
        contact: int,
        left: dict[str, Any],
        back: dict[str, Any],
        status: str,
        added: datetime | None,
        turn: dict[str, Any] = TURNED,
    ) -> None:
        key = f"{contact}@example.com"
        user = {"id": contact, "email_key": key, "status": "normal", "gone_at": None, "first_seen": TODAY}
        self.tables["icontact_users"].append(user)
        row = {"contact_id": contact, "list_id": 7}
        self.tables["subscriptions"].append(row | {"status": status, "add_date": added})
        if status == "normal":
            elsewhere = {"contact_id": contact + turn.get("contact_id", 0)}
            self.tables["changes"].append(row | TURNED | turn | elsewhere)
        place = row | {"account_id": 1, "client_folder_id": 2, "email_key": key, "message_id": None}
        for fact in (LEFT | left, BACK | back):
            elsewhere = {"contact_id": contact + fact.get("contact_id", 0)}
            self.tables["facts"].append(place | fact | elsewhere)

    def _circle(self, luck: random.Random, circle: int) -> None:
        ids = [10 * circle + n for n in (1, 2)]

        def moment() -> datetime:
            return TODAY - timedelta(hours=luck.randrange(5))

        def key(one: int) -> str | None:
            return luck.choice([f"{one}@example.com", f"{one}@example.com", f"old{one}@example.com", None])

        for one in ids:
            if luck.random() < 0.85:
                status = luck.choice(["normal", "bounced", "donotcontact", "deleted", "pending"])
                gone = luck.choice([None, TODAY, TODAY, TODAY - timedelta(days=1)])
                self.tables["icontact_users"].append(
                    {"id": one, "email_key": key(one), "status": status, "gone_at": gone, "first_seen": TODAY}
                )
            for list_id in [7, 8][: luck.randrange(3)]:
                status = luck.choice(["normal", "normal", "unsubscribed", "unsubscribed", "pending"])
                added = luck.choice([None, moment(), moment()])
                self.tables["subscriptions"].append(
                    {"list_id": list_id, "contact_id": one, "status": status, "add_date": added}
                )
                for _ in range(luck.choice([0, 1, 1, 2])):
                    self.tables["changes"].append(
                        {
                            "happened_at": luck.choice([TODAY, TODAY, TODAY, moment()]),
                            "entity": luck.choice(
                                ["subscription", "subscription", "subscription", "contact"]
                            ),
                            "contact_id": one,
                            "list_id": list_id,
                            "field": luck.choice(["status", "status", "status", "exists"]),
                            "old": luck.choice([None, "unsubscribed", "pending"]),
                            "new": luck.choice(["normal", "normal", "unsubscribed", None]),
                        }
                    )
            for _ in range(luck.choice([0, 0, 1, 2])):
                self.tables["icontact_activity"].append(
                    {
                        "contact_id": one,
                        "event_type": luck.choice(["unsubscribe", "unsubscribe", "open"]),
                        "event_ts": moment(),
                        "message_id": luck.choice([*SENT, 88_009]),  # of the last nobody knows a send
                    }
                )
            for _ in range(luck.randrange(6)):
                account, folder = luck.choice([(1, 2)] * 4 + [(1, 3), (4, 2)])
                fact = luck.choice(
                    ["left", "left", "left", "normal", "normal", "normal", "made", "made", "gone", "bounced"]
                )
                happened = moment() - timedelta(hours=fact in {"left", "normal"})
                self.tables["facts"].append(
                    {
                        "account_id": account,
                        "client_folder_id": folder,
                        "contact_id": one,
                        "email_key": key(one),
                        "list_id": luck.choice([7, 7, 7, 7, 8, None]) if fact in {"left", "normal"} else None,
                        "fact": fact,
                        "happened_at": happened,
                        "seen_at": luck.choice([happened, TODAY - timedelta(minutes=30)]),
                        "source": luck.choice(["subscription"] * 4 + ["unsubscribe event", "apply"])
                        if fact in {"left", "normal"}
                        else luck.choice(["contact status", "contact status", "apply"]),
                        "message_id": luck.choice([*SENT, None]) if fact == "left" else None,
                    }
                )

    def of(self, *kinds: str, contact: int | None = None) -> list[dict[str, Any]]:
        """The facts of this folder of these kinds, of everybody or of one contact."""
        return [
            row
            for row in (self.facts if contact is None else self.by_contact[contact])
            if (row["account_id"], row["client_folder_id"]) == (1, 2) and row["fact"] in kinds
        ]

    def added(self, do: Callable[[Any], object]) -> Counter[tuple[Any, ...]]:
        """What a deed adds to the facts; nothing is ever taken away, and done again it adds nothing."""
        found = []
        for _ in range(2):
            with self.bed.store.open("acme") as con:
                before = Counter(con.execute("from shared.consent_facts").fetchall())
                do(con)
                after = Counter(con.execute("from shared.consent_facts").fetchall())
            assert before <= after
            found.append(after - before)
        assert not found[1]
        return found[0]


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    def fill(folder: Path) -> None:
        bed = Bed(folder, ManualClock(NOON))
        Crowd(bed).fill()
        bed.journal.close()

    bed = Bed(prepared.copy("consent of a crowd", fill, tmp_path / "crowd"), ManualClock(NOON))
    with bed.journal:
        yield Crowd(bed)


def noted(
    contact: int,
    key: str | None,
    fact: str,
    *,
    list_id: int | None = None,
    at: datetime = TODAY,
    source: str = "contact status",
    message: int | None = None,
) -> tuple[Any, ...]:
    return (1, 2, contact, key, list_id, fact, at, TODAY, source, message)


def test_whom_the_service_holds_back_is_noted_once_for_each_address(crowd: Crowd) -> None:
    there = {
        (row["contact_id"], row["email_key"], row["fact"])
        for row in crowd.of("bounced", "donotcontact", "deleted")
        if row["source"] == "contact status"
    }
    assert crowd.added(lambda con: consent.statuses(con, FOLDER, "icontact_users")) == Counter(
        noted(row["id"], row["email_key"], row["status"])
        for row in crowd.tables["icontact_users"]
        if row["status"] in consent.STATUSES and (row["id"], row["email_key"], row["status"]) not in there
    )


def test_whom_this_pull_did_not_find_is_gone_with_this_pull(crowd: Crowd) -> None:
    there = {row["contact_id"] for row in crowd.of("gone") if row["happened_at"] == TODAY}
    assert crowd.added(lambda con: consent.gone(con, FOLDER)) == Counter(
        noted(row["id"], row["email_key"], "gone")
        for row in crowd.tables["icontact_users"]
        if row["gone_at"] == TODAY and row["id"] not in there
    )


def test_whom_icx_made_before_this_pull_and_nobody_lists_is_gone(crowd: Crowd) -> None:
    there = {row["contact_id"] for row in crowd.of("gone")} | crowd.keys.keys()
    expected = {
        noted(row["contact_id"], row["email_key"], "gone")
        for row in crowd.of("made")
        if row["happened_at"] < TODAY and row["contact_id"] not in there
    }
    assert crowd.added(lambda con: consent.made_and_gone(con, FOLDER, "icontact_users")) == Counter(expected)


def test_every_unsubscribed_subscription_is_noted_unless_that_leaving_is_known(crowd: Crowd) -> None:
    def known(row: dict[str, Any]) -> bool:
        def same(fact: dict[str, Any], *sources: str) -> bool:
            place = (fact["contact_id"], fact["list_id"]) == (row["contact_id"], row["list_id"])
            return place and fact["source"] in sources

        return any(
            same(left, "subscription")
            and left["email_key"] == crowd.keys.get(row["contact_id"])
            and (row["add_date"] is None or left["happened_at"] >= row["add_date"])
            and not any(
                same(back, "subscription") and back["seen_at"] > left["seen_at"]
                for back in crowd.of("normal", contact=row["contact_id"])
            )
            for left in crowd.of("left", contact=row["contact_id"])
        )

    assert crowd.added(lambda con: consent.left_lists(con, FOLDER, "subscriptions")) == Counter(
        noted(
            row["contact_id"],
            crowd.keys.get(row["contact_id"]),
            "left",
            list_id=row["list_id"],
            at=row["add_date"] or TODAY,
            source="subscription",
        )
        for row in crowd.tables["subscriptions"]
        if row["status"] == "unsubscribed" and not known(row)
    )


@pytest.mark.parametrize("message", [None, 88_002])
def test_every_unsubscribe_event_is_noted_against_the_lists_of_its_send(
    crowd: Crowd, message: int | None
) -> None:
    there = {
        (row["contact_id"], row["email_key"], row["list_id"], row["happened_at"], row["message_id"])
        for row in crowd.of("left")
        if row["source"] == "unsubscribe event"
    }
    expected = set()
    for row in crowd.tables["icontact_activity"]:
        contact, at, of = row["contact_id"], row["event_ts"], row["message_id"]
        sends = SENT.get(of, [None])
        lists = {list_id for send in sends for list_id in send or [None]} | (
            {None} if of == SEGMENT else set()
        )
        for list_id in lists:
            fact = (contact, crowd.keys.get(contact), list_id, at, of)
            if row["event_type"] == "unsubscribe" and message in {None, of} and fact not in there:
                expected.add(
                    noted(*fact[:2], "left", list_id=list_id, at=at, source="unsubscribe event", message=of)
                )
    assert crowd.added(lambda con: consent.left_by_event(con, FOLDER, message)) == Counter(expected)


@pytest.mark.parametrize("restored", [(), ((4, 2, True),), ((4, 2, False),)], ids=["", "all", "database"])
def test_only_a_new_subscription_that_icx_did_not_write_is_a_coming_back(
    crowd: Crowd, restored: Sequence[tuple[int, int, bool]]
) -> None:
    for made, at, journal_too in restored:
        crowd.bed.rows(
            f"insert into shared.restores values (timestamp '{TODAY - timedelta(hours=at)}',"
            f" timestamp '{TODAY - timedelta(hours=made)}', 'b', {journal_too})"
        )
    expected = []
    for row in crowd.tables["subscriptions"]:
        contact, list_id, added = row["contact_id"], row["list_id"], row["add_date"]
        left = [
            one["happened_at"]
            for one in crowd.of("left", contact=contact)
            if one["list_id"] in {list_id, None}
        ]
        if row["status"] != "normal" or not left:
            continue
        turned = [
            one["old"]
            for one in crowd.tables["changes"]
            if (one["contact_id"], one["list_id"]) == (contact, list_id)
            and (one["entity"], one["field"], one["happened_at"], one["new"])
            == ("subscription", "status", TODAY, "normal")
            and one["old"] in {None, "unsubscribed"}
        ]
        there, new = "unsubscribed" in turned, bool(turned) and added is None
        later = added is not None and added > max(left)
        ours = any(
            journal_too and (added is None or ago(made) <= added <= ago(at))
            for made, at, journal_too in restored
        )
        known = any(
            one["list_id"] == list_id
            and (
                one["happened_at"] > max(left)
                or (one["source"] == "apply" and one["happened_at"] == max(left))
            )
            for one in crowd.of("normal", contact=contact)
        )
        if (later or there or new) and (there or not ours) and not known:
            at = added if later and added else TODAY
            key = crowd.keys.get(contact)
            expected.append(noted(contact, key, "normal", list_id=list_id, at=at, source="subscription"))
    assert expected
    assert crowd.added(lambda con: consent.came_back(con, FOLDER)) == Counter(expected)
