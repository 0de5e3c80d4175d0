"""A unit is whole or it is not: interrupted pulls, pages in any order, totals that move."""

from __future__ import annotations

import math
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pull_bed import Bed
from pull_fake import NOON, Fake, Killed, account, contact, event

from icx.clock import ManualClock
from icx.errors import Damaged, TryLater
from icx.pull import history, land, ledger
from icx.pull.land import HOLD
from icx.pull.reader import AHEAD
from icx.store import damage

# Each example is three pulls; a smaller failing one is not worth minutes of shrinking.
QUICK = settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


CALL = 0.1  # seconds that a call takes


def stop_at(
    call: int, wait: Callable[[], None] = lambda: None
) -> Callable[[int, str, int | None, int], None]:
    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        wait()
        if number >= call:
            raise Killed

    return before


def cut_off_at(fake: Fake, row: int) -> None:
    """Let the service go away before the contacts from this row on."""

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "contacts" and offset >= row:
            raise TryLater("service-unreachable", "Nobody answers.", where="contacts", kept="all", next=[])

    fake.before = before


def quiet(folder: Path, fake: Fake, **options: Any) -> dict[str, list[tuple[Any, ...]]]:
    bed = Bed(folder, ManualClock(NOON))
    with bed.journal:
        bed.pull(fake, **options)
        return bed.tables()


def test_a_first_pull_stores_what_the_service_lists(bed: Bed) -> None:
    fake = account(1)
    report = bed.pull(fake)
    assert report.ok
    assert report.contacts == len(fake.rows["contacts"])
    assert report.events == sum(len(rows) for rows in fake.events.values())
    assert report.first is not None
    assert bed.rows("select custom['tier'] from icontact_users where custom['tier'] is null") == []


def test_a_stop_that_a_library_dropped_ends_the_pull_between_two_pages(bed: Bed) -> None:
    fake = account(1)

    def dropped(_: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            bed.pull(fake, progress=dropped)
    finally:
        signal.signal(signal.SIGINT, before)
    assert bed.rows("select state from pulls") == [("stopped",)]
    assert bed.rows("select count(*) from icontact_activity") == [(0,)]
    assert bed.pull(fake).ok


def test_events_alike_in_every_column_are_all_kept(bed: Bed) -> None:
    fake = account(1, messages=1)
    twin = event("clicks", 70_001, NOON, "https://shop.example.com/a")
    fake.events[88_001, "clicks"] = [dict(twin) for _ in range(7)]
    bed.pull(fake, page_size=3)
    bed.pull(fake, page_size=3, full=True)
    assert bed.rows("select count(*) from icontact_activity where event_type = 'click'") == [(7,)]


@QUICK
@given(data=st.data())
def test_a_pull_stopped_at_any_call_and_resumed_equals_a_quiet_one(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seed = data.draw(st.integers(0, 50))
    options: dict[str, Any] = {
        "page_size": data.draw(st.sampled_from([3, 5, 50])),
        "threads": data.draw(st.sampled_from([1, 3])),
    }
    folder = tmp_path_factory.mktemp("stopped")
    calm = account(seed)
    expected = quiet(folder / "quiet", calm, **options)
    whole = len(calm.asked)
    bed = Bed(folder / "bed", ManualClock(NOON))
    fake = account(seed)
    with bed.journal:
        stops = [data.draw(st.integers(1, whole))]
        stops += data.draw(st.lists(st.integers(1, 5), max_size=1))  # and once more soon after
        finished = False
        for stop in stops:
            fake.before = stop_at(len(fake.asked) + stop, lambda: bed.clock.sleep(CALL))
            with suppress(Killed):
                bed.pull(fake, **options)
                finished = True
            bed.clock.sleep(60)
        fake.before = None
        if not finished:
            report = bed.pull(fake, **options)
            assert report.resumed is not None
        assert bed.tables() == expected
    # A stop costs the calls that were in flight or waited to land, those that came within a moment and waited to be
    # written, and one to see that a half-read unit is still the same.
    moment = math.ceil(HOLD / CALL)
    assert len(fake.asked) <= whole + len(stops) * (options["threads"] + AHEAD + moment + 1)


def test_what_comes_at_once_is_written_once_and_ends_as_what_takes_its_time(
    bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit that is whole within a moment, late in a long pull, is not written page by page before."""
    monkeypatch.setattr(land, "SHARE", 1)
    waiting: list[int] = []

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "contacts" and offset >= 20:
            waiting.extend(count for (count,) in bed.rows("select count(*) from staged_contacts"))

    quick, slow = account(2, people=40), account(2, people=40)
    quick.before = before
    bed.pull(quick)
    assert waiting == [0] * 5
    late = Bed(tmp_path / "late", ManualClock(NOON))
    slow.before = lambda *_: late.clock.sleep(2 * HOLD)
    with late.journal:
        late.pull(slow)
        assert late.tables() == bed.tables()


def test_a_half_read_unit_goes_on_at_the_row_where_it_stopped(bed: Bed) -> None:
    fake = account(2, people=40)
    cut_off_at(fake, 20)
    with pytest.raises(TryLater):
        bed.pull(fake, threads=1)
    fake.before, fake.asked = None, []
    report = bed.pull(fake, threads=1)
    offsets = [offset for resource, _, offset in fake.asked if resource == "contacts"]
    assert offsets[0] == 20  # the last row stored is looked at again
    assert offsets == [20, 24, 28, 32, 36]
    assert report.resumed is not None
    assert report.resumed.line("UTC") == (
        "The pull of 12:00 was cut off at 12:00. Going on: 5 of 19 units kept, contacts from row 22"
    )
    assert report.contacts == 40


@pytest.mark.parametrize("change", ["total", "last row"])
def test_a_half_read_unit_that_changed_meanwhile_is_read_from_its_beginning(bed: Bed, change: str) -> None:
    fake = account(2, people=40)
    cut_off_at(fake, 20)
    with pytest.raises(TryLater):
        bed.pull(fake, threads=1)
    if change == "total":
        fake.rows["contacts"].append(contact(90_000))
    else:
        fake.rows["contacts"][20] = contact(70_020, city="Durham")
    fake.before, fake.asked = None, []
    report = bed.pull(fake, threads=1)
    offsets = [offset for resource, _, offset in fake.asked if resource == "contacts"]
    assert 0 in offsets
    assert report.ok
    assert report.contacts == len(fake.rows["contacts"])


@QUICK
@given(seed=st.integers(0, 1000), most=st.sampled_from([None, 2, 7]))
def test_any_order_and_any_length_of_pages_gives_the_same_people(
    seed: int, most: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    luck = random.Random(seed)
    fake = account(seed, people=23, messages=1)
    fake.most = most
    folder = tmp_path_factory.mktemp("order")
    expected = quiet(folder / "quiet", account(seed, people=23, messages=1))
    shuffled = list(fake.rows["contacts"])
    luck.shuffle(shuffled)
    fake.rows["contacts"] = shuffled
    assert quiet(folder / "shuffled", fake) == expected


def test_a_service_that_repeats_people_loses_nobody_and_says_provisional(bed: Bed) -> None:
    fake = account(3, people=20)
    bed.pull(fake)
    # Without a stable order the second page may show people of the first one again.
    fake.shown = lambda rows: rows[:5] + rows[:5] + rows[10:] if len(rows) == 20 else rows
    bed.clock.sleep(86_400)
    report = bed.pull(fake)
    cell = report.ledger.cell("contacts")
    assert cell is not None
    assert cell.state == "provisional"
    assert cell.colour == "amber"
    assert bed.rows("select count(*) from icontact_users where gone_at is null") == [(20,)]
    assert [note.code for note in report.notes] == ["total-moves"]


def test_a_total_that_moves_once_is_read_again_and_then_equal(bed: Bed) -> None:
    fake = account(4, people=20)
    moved: list[int] = []

    def total(resource: str, parent: int | None, offset: int) -> int | None:
        if resource == "contacts" and offset == 5 and not moved:
            moved.append(offset)
            return 21
        return None

    fake.total = total
    report = bed.pull(fake)
    cell = report.ledger.cell("contacts")
    assert cell is not None
    assert (cell.state, cell.stored, cell.service) == ("equal", 20, 20)


def test_a_total_that_moves_at_every_reading_is_kept_as_provisional_and_read_again(bed: Bed) -> None:
    fake = account(4, messages=1)
    fake.events[88_001, "opens"] = [event("opens", 70_001, NOON) for _ in range(12)]
    fake.total = lambda resource, parent, offset: 12 + offset // 5 if resource == "opens" else None
    report = bed.pull(fake)
    cell = report.ledger.cell("opens", 88_001)
    assert cell is not None
    assert (cell.state, cell.stored) == ("provisional", 12)
    assert "total-moves" in [note.code for note in report.notes]
    assert sum(1 for resource, _, offset in fake.asked if resource == "opens" and offset == 0) == 3
    fake.total = None
    bed.clock.sleep(3600)
    again = bed.pull(fake).ledger.cell("opens", 88_001)
    assert again is not None
    assert again.state in ("equal", "explained")


def test_a_service_that_answers_one_page_again_and_again_is_not_believed(bed: Bed) -> None:
    fake = account(4, messages=1)
    real = [event("opens", 70_000 + n, NOON) for n in range(60)]
    fake.events[88_001, "opens"] = real
    page = fake.page

    def stuck(
        resource: str,
        *,
        parent: int | None = None,
        offset: int = 0,
        limit: int | None = None,
        tries: int | None = None,
    ) -> Any:
        if resource != "opens":
            return page(resource, parent=parent, offset=offset, limit=limit)
        answer = page(resource, parent=parent, offset=0, limit=limit)
        return type(answer)(answer.rows, answer.total, offset, read=answer.read, digest=b"the same")

    fake.page = stuck  # type: ignore[method-assign]
    report = bed.pull(fake, page_size=20)
    cell = report.ledger.cell("opens", 88_001)
    assert cell is not None
    assert cell.state == "provisional"


def test_a_row_that_cannot_be_read_is_set_aside_and_its_page_is_kept(bed: Bed) -> None:
    fake = account(5, people=12, messages=1)
    fake.rows["contacts"][7]["createDate"] = "0000-00-00"
    fake.rows["contacts"][3]["contactId"] = None
    report = bed.pull(fake)
    assert report.contacts == 10
    assert report.set_aside == 2
    cell = report.ledger.cell("contacts")
    assert cell is not None
    assert (cell.colour, cell.state) == ("amber", "explained")
    assert bed.rows("select position, reason from set_aside order by 1") == [
        (3, "no contactId"),
        (7, "createDate cannot be read"),
    ]
    bed.clock.sleep(60)
    assert bed.pull(fake).set_aside == 2  # told once, not once a pull


def test_a_deleted_row_turns_its_cell_red_by_name_and_the_next_pull_mends_it(bed: Bed) -> None:
    fake = account(6, messages=2, days_ago=(300, 320))
    fake.events[88_001, "opens"] = [event("opens", 70_001, NOON) for _ in range(4)]
    bed.pull(fake)
    bed.rows(
        "delete from icontact_activity where rowid in (select min(rowid) from icontact_activity "
        "where message_id = 88001 and event_type = 'open')"
    )
    red = ledger(bed.store, "acme").red()
    assert [cell.name for cell in red] == ['opens of "Letter 0"']
    assert (red[0].stored, red[0].service) == (3, 4)
    bed.clock.sleep(60)
    assert bed.pull(fake).ok
    assert ledger(bed.store, "acme").red() == []


@pytest.mark.parametrize(
    ("table", "collection"),
    [("icontact_users", "contacts"), ("subscriptions", "subscriptions"), ("sends", "sends")],
)
def test_a_deleted_row_of_a_collection_turns_its_cell_red(bed: Bed, table: str, collection: str) -> None:
    bed.pull(account(6))
    bed.rows(f"delete from {table} where rowid in (select min(rowid) from {table})")
    assert [cell.name for cell in ledger(bed.store, "acme").red()] == [collection]


def test_profiles_and_unknown_people_add_up_to_the_stored_events(bed: Bed) -> None:
    report = bed.pull(account(7))
    book = report.ledger
    assert book.events == book.of_listed + book.of_unknown == len(bed.rows("select * from icontact_activity"))
    assert book.of_unknown > 0
    assert {cell.state for cell in book.of_colour("amber")} == {"explained"}


def others_now(bed: Bed) -> dict[tuple[int, str], int]:
    found = bed.rows(
        "select message_id, event_type || 's', count(*) from icontact_activity e where not exists"
        " (from icontact_users u where u.id = e.contact_id and u.gone_at is null) group by all"
    )
    return {(message, kind): count for message, kind, count in found}


@QUICK
@given(
    steps=st.lists(
        st.sampled_from(["leave", "return", "event", "stop", "pull", "delete"]), min_size=2, max_size=5
    )
)
def test_what_is_kept_of_people_not_listed_is_what_counting_says(
    steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    fake = account(7)
    everybody = list(fake.rows["contacts"])
    bed = Bed(tmp_path_factory.mktemp("others"), ManualClock(NOON))

    def holds() -> bool:
        book, now = ledger(bed.store, "acme"), others_now(bed)
        return book.of_unknown == sum(now.values()) and book.of_listed == book.events - book.of_unknown

    with bed.journal:
        bed.pull(fake)
        assert bed.rows("select * from units where message_id is not null and others is null") == []
        for n, step in enumerate(steps):
            bed.clock.sleep(60)
            if step == "leave":
                fake.rows["contacts"] = fake.rows["contacts"][5:]
            elif step == "return":
                fake.rows["contacts"] = list(everybody)
            elif step == "event":
                fake.events[88_001, "opens"].append(event("opens", 60_000 + n, NOON))
            elif step == "delete":
                bed.rows(
                    "delete from icontact_activity where contact_id = (select max(contact_id) from icontact_activity)"
                )
            elif step == "stop":
                fake.before = stop_at(len(fake.asked) + 7)
                with suppress(Killed):
                    bed.pull(fake)
                fake.before = None
            else:
                bed.pull(fake)
            assert holds(), steps[: n + 1]
        bed.clock.sleep(60)
        bed.pull(fake)
        kept = bed.rows("select message_id, collection, others from units where others > 0")
        assert {(message, kind): count for message, kind, count in kept} == others_now(bed)


def test_one_unit_may_be_read_again_alone(bed: Bed) -> None:
    fake = account(8)
    first = bed.pull(fake)
    bed.clock.sleep(60)
    fake.events[88_002, "clicks"].append(event("clicks", 70_003, NOON, "https://shop.example.com/new"))
    fake.asked.clear()
    report = bed.pull(fake, unit=(88_002, "clicks"), page_size=50)
    assert fake.asked == [("clicks", 88_002, 0)]
    cell = report.ledger.cell("clicks", 88_002)
    assert cell is not None
    assert cell.stored == len(fake.events[88_002, "clicks"])
    assert bed.rows("select count(*) from urls where event_url like '%/new' and url_key is not null") == [
        (1,)
    ]
    assert first.as_of == bed.rows("select started_at from pulls where state = 'complete'")[0][0]


def test_an_outage_says_what_was_kept_and_how_to_go_on(bed: Bed) -> None:
    fake = account(9)

    def before(number: int, resource: str, parent: int | None, offset: int) -> None:
        if resource == "clicks":
            raise TryLater(
                "service-busy", "iContact has asked us to wait.", where="clicks", kept="all", next=[]
            )

    fake.before = before
    with pytest.raises(TryLater) as stopped:
        bed.pull(fake)
    assert "units" in stopped.value.kept
    assert stopped.value.next[0] == ["icx", "pull", "acme"]
    assert bed.rows("select state from pulls") == [("stopped",)]
    fake.before = None
    assert bed.pull(fake).ok


def test_a_disk_that_fills_up_leaves_the_tables_as_they_were(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = account(9)
    bed.pull(fake)
    before = bed.tables()
    fake.rows["contacts"].append(contact(91_000))

    def full(*_: Any, **__: Any) -> None:
        raise duckdb.IOException('Could not write file "icx.duckdb": No space left on device')

    bed.clock.sleep(3600)
    with monkeypatch.context() as patched:
        patched.setattr(history, "contacts", full)
        with pytest.raises(Damaged) as stopped:
            bed.pull(fake)
    assert stopped.value.code == "disk-full"
    assert "whole" in stopped.value.kept
    assert {name: rows for name, rows in bed.tables().items() if name != "units"} == {
        name: rows for name, rows in before.items() if name != "units"
    }
    assert bed.pull(fake).contacts == len(fake.rows["contacts"])


def test_a_disk_without_room_stops_a_pull_before_it_begins(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int = 10
        used: int = 10
        free: int = 1000

    monkeypatch.setattr(damage.shutil, "disk_usage", lambda path: Usage())
    fake = account(9)
    with pytest.raises(Damaged) as stopped:
        bed.pull(fake)
    assert stopped.value.code == "disk-full"
    assert fake.asked == []


def test_two_pulls_of_one_connection_do_not_run_at_once(bed: Bed) -> None:
    with bed.journal.lock("pull acme", what="a pull of acme"), pytest.raises(TryLater) as refused:
        bed.pull(account(1))
    assert refused.value.code == "pull-running"


def test_progress_tells_units_rows_and_calls_left(bed: Bed) -> None:
    seen = []
    fake = account(10)
    fake.before = lambda number, resource, parent, offset: bed.clock.sleep(1)
    bed.pull(fake, threads=1, progress=seen.append)
    assert any(step.of for step in seen)
    assert all(step.done <= (step.of or step.done) for step in seen)
    assert any(step.seconds_left for step in seen)
