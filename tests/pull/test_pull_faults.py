"""Pulls of a service that goes wrong in every way of the table: nothing missing, nothing twice, nothing green that is not."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import script
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pull_faulty import PAGE, Faulty, Hasty, Heard, faulty, stored

from icx.errors import IcxError, TryLater
from icx.pull import PullReport
from icx.sandbox.faults import KINDS, random_orders
from icx.store import Store

CONTACTS, SUBSCRIPTIONS, OPENS = "GET /contacts", "GET /subscriptions", "GET /messages/*/opens"
PLACES = (CONTACTS, SUBSCRIPTIONS, OPENS, "GET /messages?", "GET /lists", "GET /sends")
# Faults of an answer that pass, in handfuls: each is met by one pull, on the second page where there is one.
PASSING = [
    name for name, kind in KINDS.items() if kind.effect == "answer" and kind.passes and name != "warnings"
]
HANDFULS = [PASSING[n::4] for n in range(4)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """An account that nobody changes."""
    with faulty(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """An account that every test may change."""
    with faulty(tmp_path_factory.mktemp("wild"), messages=2) as running:
        yield running


@pytest.fixture(autouse=True)
def calm(service: Faulty) -> Iterator[None]:
    yield
    service.clear()
    service.shown = 0


def where(name: str, at: int) -> dict[str, Any]:
    """An order of a fault at a place that is asked for several pages, if the fault is about later ones."""
    place = CONTACTS if name == "duplicates" else PLACES[at % len(PLACES)]
    return {"fault": name, "match": place, "after": int(PLACES.index(place) < 3), "seconds": 0.05}


def same(service: Faulty, folder: Path, report: PullReport) -> None:
    """What is stored is what the service holds, and the ledger says so."""
    held, found = service.held(), stored(folder)
    for name in held:
        assert found[name] == held[name], (name, found[name] - held[name], held[name] - found[name])
    assert report.ledger.red() == []
    assert report.ledger.state in ("equal", "explained"), report.ledger.as_dict()


@pytest.mark.parametrize("names", HANDFULS, ids=" ".join)
def test_a_pull_gets_over_every_fault_that_passes(service: Faulty, tmp_path: Path, names: list[str]) -> None:
    service.order(*(where(name, at) for at, name in enumerate(names)))
    report = service.pull(tmp_path / "w")
    assert service.waiting() == []  # each of them was met
    same(service, tmp_path / "w", report)


@pytest.mark.slow
@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize("place", PLACES)
def test_every_fault_at_every_place(service: Faulty, tmp_path: Path, name: str, place: str) -> None:
    service.order({"fault": name, "match": place, "seconds": 0.05, "times": 2})
    same(service, tmp_path / "w", service.pull(tmp_path / "w"))


@pytest.mark.parametrize(
    "orders",
    [
        [("insert", CONTACTS, 1), ("insert", SUBSCRIPTIONS, 2), ("insert", OPENS, 2)],
        [("delete", CONTACTS, 2), ("delete", SUBSCRIPTIONS, 1), ("delete", OPENS, 1)],
        # One goes and one comes between two pages: the count stays right, and a row is skipped.
        [(deed, place, 1) for place in (CONTACTS, SUBSCRIPTIONS) for deed in ("delete", "insert")],
        [("late-events", CONTACTS, 0), ("unknown-contacts", "GET /messages/*/statistics", 1), ("clock-skew", "*", 9)],
    ],
    ids=["rows come", "rows go", "one goes as one comes", "late and strange events, another clock"],
)  # fmt: skip
def test_rows_that_come_and_go_while_they_are_read(
    wild: Faulty, tmp_path: Path, orders: list[tuple[str, str, int]]
) -> None:
    wild.order(*({"fault": fault, "match": match, "after": after} for fault, match, after in orders))
    report = wild.pull(tmp_path / "w")
    assert wild.waiting() == []
    if any(place == SUBSCRIPTIONS for _, place, _ in orders):  # they bring and take people read before them
        report = wild.pull(tmp_path / "w")
    same(wild, tmp_path / "w", report)


def test_a_page_that_fails_because_of_one_row_costs_that_row_alone(service: Faulty, tmp_path: Path) -> None:
    everything = service.pull(tmp_path / "w")
    service.order({"fault": "bad-row", "match": CONTACTS, "row": 33})
    service.order({"fault": "bad-letter", "match": service.busiest, "row": 19})  # where two pages meet
    before = service.calls()
    report = service.pull(tmp_path / "w", full=True)
    assert service.calls() - before <= everything.calls + 100
    cells = [cell for cell in report.ledger.cells if cell.state == "explained" and "set aside" in cell.reason]
    assert [cell.unit.collection for cell in cells] == ["contacts", "opens"]
    assert report.ledger.red() == []
    held, found = service.held(), stored(tmp_path / "w")
    assert found["contacts"] == held["contacts"]  # who cannot be shown is not gone
    assert (held["events"] - found["events"]).total() == 1
    assert found["events"] - held["events"] == Counter()
    with Store(tmp_path / "w" / "icx.duckdb").open("acme") as con:
        aside = con.execute("select collection, position, reason from set_aside order by 1").fetchall()
    assert [row[:2] for row in aside] == [("contacts", 33), ("opens", 19)]
    assert all("iContact cannot show it" in row[2] for row in aside)
    service.clear()
    same(service, tmp_path / "w", service.pull(tmp_path / "w", full=True))


def test_a_service_that_cannot_show_anything_is_no_bad_row(service: Faulty, tmp_path: Path) -> None:
    before = service.calls("/contacts")
    service.order({"fault": "500", "match": CONTACTS, "after": 1, "times": 1_000})
    with pytest.raises(TryLater) as gave_up:
        service.pull(tmp_path / "w")
    assert gave_up.value.code == "answer-unreadable"
    assert f"contacts, from row {PAGE}:" in f"{gave_up.value.where_text()}:"
    assert service.calls("/contacts") - before < 60
    assert "unit" in str(gave_up.value.kept)
    service.clear()
    before = service.calls("/contacts")
    report = service.pull(tmp_path / "w")
    assert (
        service.calls("/contacts") - before == 4
    )  # of five pages, the first is kept and the second begins anew
    assert report.resumed is not None
    same(service, tmp_path / "w", report)


def test_one_message_that_cannot_be_read_stops_no_other_and_is_amber_until_it_is(
    service: Faulty, tmp_path: Path
) -> None:
    message = service.busiest.split("/")[2]
    service.order(
        *(
            {"fault": "500", "match": f"GET /messages/{message}/{kind}", "times": 1_000}
            for kind in ("opens", "statistics")
        )
    )
    report = service.pull(tmp_path / "w")
    (cell,) = [cell for cell in report.ledger.cells if cell.colour != "green" and cell.state != "explained"]
    assert (cell.unit.name, cell.state, cell.reason) == (
        f"{message}/opens",
        "due",
        "could not be read; read again",
    )
    missing = service.held()["events"] - stored(tmp_path / "w")["events"]
    assert {(of, kind) for of, kind, *_ in missing} == {(int(message), "open")}
    assert "unit-refused" in [note.code for note in report.notes]
    service.clear()
    same(service, tmp_path / "w", service.pull(tmp_path / "w"))


def test_a_login_that_is_refused_in_the_middle_ends_the_pull_which_goes_on_later(
    service: Faulty, tmp_path: Path
) -> None:
    service.order({"fault": "401", "match": SUBSCRIPTIONS, "after": 2, "times": 50})
    with pytest.raises(IcxError) as refused:
        service.pull(tmp_path / "w")
    assert refused.value.code == "login-lost"
    assert "subscriptions, from row" in refused.value.where_text()
    service.clear()
    before = service.calls("/contacts")
    same(service, tmp_path / "w", service.pull(tmp_path / "w"))
    assert service.calls("/contacts") == before


def test_a_used_up_quota_is_waited_for_and_said(service: Faulty, tmp_path: Path) -> None:
    service.order({"fault": "quota-minute", "by": 8})
    heard, clock = Heard(), Hasty(told=service.passes_seen)
    report = service.pull(tmp_path / "w", clock, progress=heard)
    same(service, tmp_path / "w", report)
    assert heard.waits
    assert any("503" in one.note for one in heard.waits)
    assert clock.ahead >= 120  # five minutes' worth of calls


@pytest.mark.slow
def test_a_quota_of_a_day_ends_the_pull_at_a_page_and_the_next_goes_on_there(
    service: Faulty, tmp_path: Path
) -> None:
    service.order({"fault": "quota-day", "by": 15})
    clock = Hasty(told=service.passes)
    with pytest.raises(TryLater) as busy:
        service.pull(tmp_path / "w", clock)
    assert busy.value.code == "service-busy"
    assert "from row" in busy.value.where_text()
    service.clear()
    before = service.calls("/customfields")
    same(service, tmp_path / "w", service.pull(tmp_path / "w", clock))
    assert service.calls("/customfields") == before


def test_a_service_that_slows_down_without_a_word_is_left_alone_for_a_while(
    service: Faulty, tmp_path: Path
) -> None:
    service.order({"fault": "throttle-minute", "by": 24, "seconds": 1.0})
    heard, clock = Heard(), Hasty(faster=8, told=service.passes_seen)
    report = service.pull(tmp_path / "w", clock, progress=heard, page_size=9)
    same(service, tmp_path / "w", report)
    assert any("slow" in one.note for one in heard.waits)
    assert 30 <= clock.ahead < 400  # the clock runs on while it waits


# What a plan of faults may end a pull with; anything else is a bug.
GIVES_UP = {"service-busy", "service-unreachable", "answer-unreadable"}


def _gives_up(service: Faulty, folder: Path) -> IcxError | None:
    try:
        service.pull(folder, full=True)
    except IcxError as error:
        return error
    return None


def _random(service: Faulty, folder: Path, seed: int) -> None:
    """Pull until it is through, under a plan of faults; then once more without, and compare."""
    service.order(*(order for order in random_orders(seed) if order["match"].startswith(("*", "GET"))))
    for _ in range(8):
        before = service.waiting()
        gave_up = _gives_up(service, folder / "w")
        if gave_up is not None:
            assert gave_up.code in GIVES_UP, (seed, gave_up)
            assert "from row" in gave_up.where_text() or "/statistics" in gave_up.where_text(), seed
            assert gave_up.kept, seed
        found = stored(folder / "w")
        assert max(found["contacts"].values(), default=1) == 1, seed
        if gave_up is None and service.waiting() == before:
            break
    service.clear()
    same(service, folder / "w", service.pull(folder / "w", full=True))


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_a_random_plan_of_faults_changes_nothing_in_the_end(
    wild: Faulty, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _random(wild, tmp_path_factory.mktemp("random"), seed)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_many_random_plans_of_faults(
    wild: Faulty, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _random(wild, tmp_path_factory.mktemp("random"), seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_pull_killed_again_and_again_under_a_plan_of_faults(
    wild: Faulty, tmp_path: Path, seed: int
) -> None:
    luck, cut_off = random.Random(seed), 0
    (tmp_path / "w").mkdir()
    wild.order(*(order for order in random_orders(seed) if order["match"].startswith(("*", "GET"))))
    worker = Path(__file__).with_name("pull_worker.py")
    for _ in range(3):
        moment, until = wild.calls() + luck.randrange(1, 10), time.monotonic() + 15
        with script(worker, str(tmp_path / "w"), json.dumps(wild.login)) as process:
            while wild.calls() < moment and process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            cut_off += process.returncode != 0  # killed, or it gave up before that
    assert cut_off
    wild.clear()
    same(wild, tmp_path / "w", wild.pull(tmp_path / "w", full=True))
