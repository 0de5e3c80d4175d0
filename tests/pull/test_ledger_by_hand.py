"""The ledger of a crowd of units, each with another history, says what plain Python says of one unit after the other."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from pull_bed import Bed
from pull_fake import NOON

from icx.clock import ManualClock
from icx.pull import due, keep, ledger
from icx.pull.due import EVENT_TIERS, STATISTICS_TIERS, Known, Message
from icx.pull.ledger import Ledger, messages_of
from icx.pull.units import EVENT_TYPE, KINDS, Unit

NOW = NOON.replace(tzinfo=None)
DAYS = (0, 13.9, 14, 400)  # of age; a letter is young until its fourteenth day
#: What the last reading of a unit gave, besides the usual three rows here and there, verified just now.
LINES: list[dict[str, Any]] = [
    {}, {"stored": 4}, {"state": "provisional"}, {"state": "provisional", "reason": "rows came"},
    {"state": "due"}, {"state": "due", "reason": "refused"}, {"reason": "set aside", "service": 5},
    {"reason": "set aside", "service": None}, {"service": 4}, {"service": 2}, {"service": None},
    {"service": 5, "reason": "filtered"}, {"service": 4, "reason": "erased"}, {"reason": "filtered"},
    {"statistics": 3}, {"statistics": 4}, {"statistics": 2}, {"statistics": 4, "service": None},
    {"verified": 35.9}, {"verified": 36}, {"verified": 36.1}, {"verified": 108}, {"verified": 108.1},
    {"verified": 372}, {"verified": 372.1}, {"verified": 2196}, {"verified": 2196.1}, {"verified": -37},
    {"verified": -36}, {"others": 1}, {"others": 1, "verified": 5000}, {"stored": 4, "others": 1},
]  # fmt: skip


def asides(number: int) -> int:
    return (0, 1, 2)[number % 3]


def filled(bed: Bed) -> dict[Unit, tuple[float, dict[str, Any], int]]:
    """A unit for every age and line, with its three rows; return each with its age in days and rows set aside."""
    keep.register(bed.store, "acme", 1, 2)
    units = {}
    with bed.store.open("acme") as con:
        for table, key in (
            ("icontact_users", "first_seen, id"),
            ("lists", "list_id"),
            ("custom_fields", "private_name"),
        ):
            first = (
                "now()::timestamp, " if "," in key else ""
            )  # one is listed, of two the service says no more
            for gone in ("null", "now()::timestamp", "now()::timestamp"):
                number = "1" if gone == "null" else "3"
                con.execute(f"insert into {table} ({key}, gone_at) values ({first}{number}, {gone})")
        con.execute("insert into subscriptions (list_id, contact_id, status) values (1, 1, 'normal')")
        for collection in ("contacts", "lists", "customfields", "subscriptions"):
            con.execute(
                "insert into units values (?, null, 1, 1, null, 'equal', null, ?, 'r-1', null)",
                [collection, NOW],
            )
        for number, (days, line) in enumerate(itertools.product(DAYS, LINES)):
            unit = Unit(KINDS[number % 4], 88_000 + number // 4)
            units[unit] = (days, line, asides(number))
            if number % 4 == 0:
                con.execute(
                    "insert into messages (message_id, message_name, message_type) values (?, ?, 'normal')",
                    [unit.message_id, f"Letter {number}"],
                )
                con.execute(
                    "insert into sends (send_id, message_id, released_at) values (1, ?, ?), (2, ?, ?)",
                    [unit.message_id, NOW - timedelta(days=days), unit.message_id, NOW - timedelta(days=500)],
                )
            told = {"stored": 3, "service": 3, "statistics": None, "state": "equal", "reason": None} | line
            con.execute(
                "insert into units values (?, ?, ?, ?, ?, ?, ?, ?, 'r-1', null)",
                [unit.collection, unit.message_id, told["stored"], told["service"], told["statistics"],
                 told["state"], told["reason"], NOW - timedelta(hours=line.get("verified", 0))],
            )  # fmt: skip
            others = line.get("others", 0)
            con.execute(
                "insert into icontact_activity select unnest([?, 1, 1]), ?, ?, ?, null",
                [2 if others else 1, EVENT_TYPE[unit.collection], NOW, unit.message_id],
            )
            for position in range(asides(number)):
                con.execute(
                    "insert into set_aside values (?, ?, ?, ?, 'unreadable', '')",
                    [NOW, unit.collection, unit.message_id, position],
                )
    return units


def judged(days: float, line: dict[str, Any], aside: int) -> tuple[str, str]:
    """What three rows mean beside what the last reading gave, and the words that tell it."""
    service, statistics, why = line.get("service", 3), line.get("statistics"), line.get("reason")
    hours = line.get("verified", 0)
    tiers = ((3, 0), (14, 72), (60, 336), (365, 1440), (1e9, 2160))
    holds = 36 + next(every for below, every in tiers if days < below)
    if line.get("stored", 3) != 3:
        return "unequal", "3 here, 4 were read"
    if line.get("state"):
        return line["state"], why or {"provisional": "the count moved", "due": "could not be read"}[
            line["state"]
        ]
    if why == "set aside":
        return "explained", f"{max(aside, (service or 0) - 3)} set aside"
    if service is not None and service != 3:
        words = {"filtered": "left out by the tag filter", "erased": "of people erased here"}
        return (
            ("explained", f"{service - 3} {words[why]}")
            if why
            else ("unequal", f"3 here, {service} at iContact")
        )
    if statistics is not None and service is not None and statistics > service:
        return ("due", "say 1 more; read again") if days < 14 else ("explained", "say 1 more; its own rows")
    if not -36 <= hours <= holds:
        return "due", "last verified"
    return ("explained", "1 by people") if line.get("others") else ("equal", "")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[Unit, Any], Ledger]:
    bed = Bed(tmp_path_factory.mktemp("ledger"), ManualClock(NOON))
    with bed.journal:
        return filled(bed), ledger(bed.store, "acme")


def test_each_unit_is_judged_as_by_hand(crowd: tuple[dict[Unit, Any], Ledger]) -> None:
    units, book = crowd
    assert book.connection == "acme"
    whole = [(cell.unit.name, cell.name, cell.stored, cell.state) for cell in book.cells[:4]]
    assert whole == [
        (name, name, 1, "equal") for name in ("customfields", "lists", "contacts", "subscriptions")
    ]
    cells = {cell.unit: cell for cell in book.cells[4:]}
    assert list(cells) == sorted(units, key=lambda unit: (unit.message_id, KINDS.index(unit.collection)))
    wrong = []
    for unit, told in units.items():
        state, words = judged(*told)
        cell = cells[unit]
        if (
            (cell.state, cell.stored) != (state, 3)
            or cell.name != f'{unit.collection} of "Letter {4 * ((unit.message_id or 0) - 88_000)}"'
            or words not in cell.reason
            or bool(words) != bool(cell.reason)
        ):
            wrong.append((told, state, words, cell))
    assert wrong == []


def test_the_whole_is_as_good_as_its_worst_unit(crowd: tuple[dict[Unit, Any], Ledger]) -> None:
    units, book = crowd
    states = ["equal"] * 4 + [judged(*told)[0] for told in units.values()]
    red, green = states.count("unequal"), states.count("equal")
    assert (book.colour, book.state) == ("red", "unequal")
    told = book.as_dict()
    assert (told["red"], told["green"], told["amber"]) == (red, green, len(states) - red - green)
    assert len(told["open"]) == len(states) - green
    numbers = {
        "stored": 3,
        "service": 3,
        "statistics": None,
        "state": "unequal",
        "verified": "2026-11-21T12:00:00Z",
    }
    assert {"message": 88_000, "kind": "clicks"} | numbers in told["open"]
    assert book.cells[1].as_dict() == {"collection": "lists"} | numbers | {
        "stored": 1,
        "service": 1,
        "state": "equal",
    }
    assert book.cell("clicks", 88_000) in book.red()
    others = sum(line.get("others", 0) for _, line, _ in units.values())
    assert (book.events, book.of_unknown, book.of_listed) == (3 * len(units), others, 3 * len(units) - others)
    explained = states.count("explained")
    assert repr(book) == (
        f"{len(states)} counts compared with the service: {green} equal,"
        f" {len(states) - red - green - explained} due, {explained} explained, {red} differ"
    )


def test_rows_never_read_and_units_without_rows_or_letter_are_told(bed: Bed) -> None:
    keep.register(bed.store, "acme", 1, 2)
    with bed.store.open("acme") as con:
        con.execute("insert into icontact_activity select 1, 'open', ?, unnest([7, 7, 9]), null", [NOW])
        for unit, stored, service, statistics, reason in (
            (("contacts", None), 0, None, None, "set aside"),
            (("clicks", 8), 0, 0, None, None),
            (("opens", 9), 1, 1, 2, None),
        ):
            line = [*unit, stored, service, statistics, reason, NOW]
            con.execute("insert into units values (?, ?, ?, ?, ?, 'equal', ?, ?, 'r-1', null)", line)
    book = ledger(bed.store, "acme")
    assert [(cell.name, cell.stored, cell.state, cell.reason) for cell in book.cells] == [
        ("contacts", 0, "explained", "0 set aside, they cannot be read"),
        ("opens of 7", 2, "unequal", "stored here, never read there"),
        ("clicks of 8", 0, "equal", ""),
        ("opens of 9", 1, "explained", "statistics say 1 more; its own rows and total agree"),
    ]
    never = book.cell("opens", 7)
    assert never is not None
    assert never.as_dict()["verified"] is None
    frame = book.to_frame()
    columns = ["unit", "name", "stored", "service", "statistics", "state", "reason", "verified_at"]
    assert list(frame.columns) == columns
    assert frame.to_dict("list")["stored"] == [0, 2, 0, 1]
    later = ledger(bed.store, "acme", NOON + timedelta(hours=37)).cell("clicks", 8)
    assert later is not None
    assert later.state == "due"


@pytest.mark.parametrize(
    ("states", "colour", "state"),
    [
        ([], "green", "equal"),
        (["equal"], "green", "equal"),
        (["equal", "explained"], "amber", "explained"),
        (["explained", "due"], "amber", "due"),
        (["due", "provisional"], "amber", "provisional"),
        (["provisional", "unequal"], "red", "unequal"),
    ],
)
def test_the_worst_of_all_is_told(
    crowd: tuple[dict[Unit, Any], Ledger], states: list[str], colour: str, state: str
) -> None:
    _, book = crowd
    cells = [next(cell for cell in book.cells if cell.state == one) for one in states]
    some = Ledger("acme", cells, 0, 0, 0)
    assert (some.colour, some.state) == (colour, state)


def test_a_letter_is_called_and_dated_by_what_is_known_of_it(bed: Bed) -> None:
    keep.register(bed.store, "acme", 1, 2)
    days = [NOW - timedelta(days=n) for n in range(9)]
    letters = [(1, "Name", "Subject"), (2, "", "Subject"), (3, None, "Subject"), (4, "", ""), (5, None, None)]
    sent = [
        (1, None, days[1]),
        (1, days[2], days[1]),
        (2, days[3], None),
        (3, days[4], days[5]),
        (4, None, None),
    ]
    with bed.store.open("acme") as con:
        for letter in letters:
            con.execute(
                "insert into messages (message_id, message_name, subject, create_date) values (?, ?, ?, ?)",
                [*letter, days[8]],
            )
        for message, scheduled, released in sent:
            con.execute(
                "insert into sends (send_id, message_id, scheduled_at, released_at) values (1, ?, ?, ?)",
                [message, scheduled, released],
            )
        found = messages_of(con)
    assert [(one.message_id, one.name, one.released_at) for one in found.values()] == [
        (4, "message", days[8]), (5, "message", days[8]), (3, "Subject", days[5]), (2, "Subject", days[3]),
        (1, "Name", days[1]),
    ]  # fmt: skip


# -- what is due


def letter(days: float, kind: str | None = "normal") -> Message:
    return Message(1, "Letter", kind, NOW - timedelta(days=days), None)


KNOWN = {"stored": 3, "service": 3, "statistics": 3, "state": "equal", "verified_at": NOW, "there": 3}


@pytest.mark.parametrize(
    ("known", "counter", "days", "why"),
    [
        (None, None, 30, "never read"),
        ({}, None, 30, None),
        ({}, 3, 30, None),
        ({"there": 2}, 3, 30, "rows are missing here"),
        ({"there": 4}, 3, 30, "rows too many here"),
        ({"state": "provisional"}, 3, 30, "provisional"),
        ({"state": "due"}, 3, 30, "due"),
        ({}, 4, 30, "statistics moved"),
        ({"statistics": 4}, 4, 30, None),  # looked into once
        ({"service": 4, "statistics": None}, 4, 30, None),
        ({"statistics": 4}, 4, 13.9, "statistics say more"),
        ({"statistics": 4}, 4, 14, None),
        ({"statistics": 2}, 2, 13.9, None),
        ({"statistics": 4, "service": None}, 4, 13.9, None),
        ({"verified_at": NOW + timedelta(seconds=1)}, 3, 30, "its time has come"),
        ({"verified_at": NOW - timedelta(days=14)}, 3, 30, "its time has come"),
        ({}, 3, 2.9, "its time has come"),  # a letter of these days is read each time
    ],
)
def test_a_kind_of_event_is_read_again_for_a_reason(
    known: dict[str, Any] | None, counter: int | None, days: float, why: str | None
) -> None:
    told = None if known is None else Known(**KNOWN | known)
    assert due.event_due(letter(days), told, counter, NOW) == why


@pytest.mark.parametrize("tiers", [EVENT_TIERS, STATISTICS_TIERS])
def test_the_older_a_letter_the_longer_a_verification_holds(tiers: Any) -> None:
    for (below, every), (_, longer) in itertools.pairwise(tiers):
        assert due.interval(below - timedelta(seconds=1), tiers) == every
        assert due.interval(below, tiers) == longer > every


def test_statistics_are_read_when_they_never_were_or_their_time_has_come() -> None:
    for read, again in ((None, True), (0, False), (3, True), (-0.1, True)):
        at = None if read is None else NOW - timedelta(days=read)
        assert due.statistics_due(letter(30), at, NOW) is again


@pytest.mark.parametrize("kind", ["autoresponder", "normal", None])
def test_only_a_letter_that_was_sent_ages(kind: str | None) -> None:
    assert letter(30, kind).age(NOW) == timedelta(days=0 if kind == "autoresponder" else 30)
    assert Message(1, "Letter", kind, None, None).age(NOW) == timedelta(0)


def test_a_collection_is_overdue_after_a_day_and_a_half() -> None:
    for hours, over in ((36, False), (36.1, True), (-36, False), (-36.1, True)):
        assert due.overdue(None, NOW - timedelta(hours=hours), NOW) is over
