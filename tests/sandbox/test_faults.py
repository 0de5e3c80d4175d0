"""Every fault of the table does what the table says, on the command line and by the control address."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from icx.sandbox import faults, serve
from icx.sandbox.fault_queue import Asked, Faults
from icx.sandbox.process import SandboxProcess, start


class Box:
    """A sandbox and how it is asked."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.headers.update(
            {
                "API-AppId": sandbox.app_id,
                "API-Username": sandbox.username,
                "API-Password": sandbox.password,
                "Accept": "application/json",
                "Content-Type": "application/json",
            }
        )

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        box = self.sandbox
        place = f"{box.base_url}/a/{box.account_id}/c/{box.client_folder_id}{path}"
        return self.session.request(method, place, timeout=20, **options)

    def json(self, path: str) -> Any:
        return self.ask(path).json()

    def control(self, path: str, order: Any, method: str = "POST") -> requests.Response:
        return requests.request(method, f"{self.sandbox.control_url}{path}", json=order, timeout=10)

    def lost(self, path: str, method: str = "GET", **options: Any) -> None:
        with pytest.raises(requests.RequestException):
            self.ask(path, method, **options).json()

    def add(self, address: str) -> None:
        """Order something that is refused, lost or done."""
        with contextlib.suppress(requests.RequestException):
            self.ask("/contacts", "POST", json=[{"email": address}])

    def held(self, address: str) -> int:
        return int(self.json(f"/contacts?status=total&email={address}")["total"])


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with start(contacts=60, messages=4, seed=3) as sandbox:
        yield Box(sandbox)


@pytest.fixture(autouse=True)
def clean(box: Box) -> Iterator[None]:
    yield
    box.control("/faults", None, "DELETE")


Check = Callable[[Box], None]


def ids(body: Any) -> list[str]:
    return [row["contactId"] for row in body["contacts"]]


def says(status: int, words: bool = True, after: str | None = None) -> Check:
    def check(box: Box) -> None:
        found = box.ask("/lists")
        assert (found.status_code, found.headers.get("retry-after")) == (status, after)
        assert bool(found.content) == words
        if words:
            assert found.json()["errors"]
        assert box.ask("/lists").status_code == 200

    return check


def _truncate(box: Box) -> None:
    box.lost("/lists")


def _cut_json(box: Box) -> None:
    found = box.ask("/lists")
    assert (found.status_code, found.text[:9]) == (200, '{"lists":')
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        found.json()


def _page(text: str) -> Check:
    def check(box: Box) -> None:
        found = box.ask("/lists")
        assert (found.status_code, found.text[:6]) == (200, text)

    return check


def _html_type(box: Box) -> None:
    found = box.ask("/lists")
    assert found.headers["content-type"].startswith("text/html")
    assert found.json()["lists"]


def _null(box: Box) -> None:
    found = box.json("/lists")
    assert found["lists"] is None
    assert found["total"] > 0


def _late(box: Box) -> None:
    began = time.monotonic()
    assert box.json("/lists")["lists"]
    assert time.monotonic() - began >= 0.3


def _hold(box: Box) -> None:
    with pytest.raises(requests.Timeout):
        box.session.get(f"{box.sandbox.base_url}/time", timeout=0.3)


def _write(name: str, at_once: int, later: int) -> Check:
    def check(box: Box) -> None:
        box.lost("/contacts", "POST", json=[{"email": f"{name}@example.com"}])
        assert box.held(f"{name}@example.com") == at_once
        if at_once != later:
            time.sleep(0.6)
        assert box.held(f"{name}@example.com") == later

    return check


def _total(box: Box) -> None:
    assert box.json("/lists")["total"] == box.json("/lists")["total"] + 2


def _duplicates(box: Box) -> None:
    quiet = ids(box.json("/contacts?status=total&limit=9&offset=8"))
    assert ids(box.json("/contacts?status=total&limit=10&offset=0"))
    spoiled = box.json("/contacts?status=total&limit=10&offset=10")
    assert (len(ids(spoiled)), spoiled["offset"]) == (10, 10)
    assert ids(spoiled)[:9] == quiet


def _insert(box: Box) -> None:
    before = box.json("/contacts?status=total&limit=1")["total"]
    assert box.json("/contacts?status=total&limit=1")["total"] == before
    box.control("/faults", {"fault": "insert", "match": "GET /subscriptions"})
    subscriptions = box.json("/subscriptions?limit=1")["total"]
    assert box.json("/subscriptions?limit=1")["total"] == subscriptions
    assert box.json("/contacts?status=total&limit=1")["total"] == before + 1


def _delete(box: Box) -> None:
    first = box.json("/contacts?status=total&limit=10")
    second = box.json("/contacts?status=total&limit=10&offset=10")
    assert second["total"] == first["total"] - 2
    assert len(set(ids(first)) - set(ids(box.json("/contacts?status=total&limit=10")))) == 2


def _bad(status: int) -> Check:
    def check(box: Box) -> None:
        def page(limit: int, offset: int) -> tuple[int, bool]:
            found = box.ask(f"/contacts?status=total&limit={limit}&offset={offset}")
            return found.status_code, found.content.startswith(b'{"contacts":[')

        assert page(10, 0) == page(1, 7) == (status, False)
        assert page(7, 0) == page(10, 8) == (200, True)
        assert page(10, 0) == (status, False)

    return check


def _events(others: bool) -> Check:
    def check(box: Box) -> None:
        def events() -> list[str]:
            messages = [row["messageId"] for row in box.json("/messages?limit=20")["messages"]]
            return [
                row["contactId"]
                for message in messages
                for kind in ("opens", "clicks")
                for row in box.json(f"/messages/{message}/{kind}?limit=1000")[kind]
            ]

        before = events()
        box.control("/time", None)
        assert box.json("/campaigns")["campaigns"]
        new = len(events()) - len(before)
        strange = [contact for contact in events() if int(contact) >= 1_000_000_000]
        assert (new, bool(strange)) == (2, others)

    return check


def _clock(box: Box) -> None:
    def now() -> int:
        return int(requests.get(f"{box.sandbox.control_url}/clock", timeout=5).json()["timestamp"])

    before = now()
    assert box.json("/lists")["lists"]
    assert now() - before >= 900
    box.control("/clock", {"seconds": -900})
    assert now() - before < 100


def _quota(per: str, slow: bool) -> Check:
    def check(box: Box) -> None:
        box.control("/clock", {"seconds": faults.WINDOWS[per]})
        statuses, began = [], time.monotonic()
        for _ in range(3):
            statuses.append(box.ask("/lists").status_code)
        assert statuses == ([200, 200, 200] if slow else [200, 200, 503])
        assert (time.monotonic() - began >= 0.3) == slow
        box.control("/clock", {"seconds": faults.WINDOWS[per]})
        assert box.ask("/lists").status_code == 200

    return check


def _warnings(box: Box) -> None:
    rows = [{"email": f"batch{n}@example.com"} for n in range(3)]
    said = box.ask("/contacts", "POST", json=rows).json()
    assert [row["email"] for row in said["contacts"]] == ["batch0@example.com"]
    assert len(said["warnings"]) == 2
    assert box.held("batch2@example.com") == 0
    box.control("/faults", {"fault": "warnings", "match": "POST"})
    said = box.ask("/contacts", "POST", json=rows[2:]).json()
    assert said["contacts"] is None
    assert said["warnings"]


# What an order of each kind says besides its name, and how it is seen; a fault without a line here is a red test.
SEEN: dict[str, tuple[dict[str, Any], Check]] = {
    "503": ({}, says(503)),
    "503-bare": ({}, says(503, words=False)),
    "429": ({}, says(429)),
    "429-after": ({"seconds": 7}, says(429, after="7")),
    "401": ({}, says(401)),
    "500": ({}, says(500)),
    "truncate": ({}, _truncate),
    "cut-json": ({}, _cut_json),
    "html-page": ({}, _page("<html>")),
    "html-type": ({}, _html_type),
    "empty": ({}, _page("")),
    "null-list": ({}, _null),
    "slow": ({"seconds": 0.3}, _late),
    "drip": ({"seconds": 0.3}, _late),
    "hold": ({}, _hold),
    "close-before": ({"match": "POST"}, _write("before", 0, 0)),
    "close-during": ({"match": "POST", "seconds": 0.4}, _write("during", 0, 1)),
    "close-after-write": ({"match": "POST"}, _write("after", 1, 1)),
    "total-moves": ({"by": 2}, _total),
    "duplicates": ({"by": 2, "match": "GET /contacts?status=total&limit=10"}, _duplicates),
    "insert": ({"match": "GET /contacts"}, _insert),
    "delete": ({"by": 2, "match": "GET /contacts"}, _delete),
    "bad-row": ({"row": 7}, _bad(500)),
    "bad-letter": ({"row": 7}, _bad(200)),
    "late-events": ({"by": 2, "match": "GET /campaigns"}, _events(others=False)),
    "unknown-contacts": ({"by": 2, "match": "GET /campaigns"}, _events(others=True)),
    "clock-skew": ({"seconds": 900}, _clock),
    **{f"quota-{per}": ({"by": 2}, _quota(per, slow=False)) for per in faults.WINDOWS},
    **{f"throttle-{per}": ({"by": 2, "seconds": 0.3}, _quota(per, slow=True)) for per in faults.WINDOWS},
    "warnings": ({"by": 2, "match": "POST"}, _warnings),
}


@pytest.mark.parametrize("name", faults.KINDS)
def test_each_fault_does_what_the_table_says(box: Box, name: str) -> None:
    order, check = SEEN[name]
    assert box.control("/faults", {"fault": name, **order}).status_code == 200
    check(box)


def test_a_plan_of_faults_is_named_by_its_seed(box: Box) -> None:
    assert all(faults.made(order) for seed in range(200) for order in faults.random_orders(seed))
    waiting = box.control("/faults", {"plan": "random:5"}).json()["faults"]
    assert [(one["fault"], one["match"]) for one in waiting] == [
        (order["fault"], order["match"]) for order in faults.random_orders(5)
    ]
    for wrong in (
        {"plan": "random"},
        {"plan": "5"},
        {"fault": "slow", "seconds": "soon"},
        {"fault": "slow", "by": 0},
    ):
        assert box.control("/faults", wrong).status_code == 400
    assert box.control("/clock", {"seconds": "soon"}).status_code == 400


def test_faults_are_ordered_on_the_command_line() -> None:
    with start(contacts=10, messages=1, fault=["503@GET /lists:after=1"], faults="random:5") as sandbox:
        waiting = Box(sandbox).control("/faults", None, "GET").json()["faults"]
    assert (waiting[0]["fault"], waiting[0]["match"], waiting[0]["after"]) == ("503", "GET /lists", 1)
    assert len(waiting) == 1 + len(faults.random_orders(5))


@pytest.mark.parametrize("wrong", [["--fault", "rain"], ["--fault", "503:after"], ["--faults", "7"]])
def test_an_order_that_is_none_starts_nothing(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        serve.main(wrong, io.StringIO())
    assert "fault" in capsys.readouterr().err


def test_one_request_meets_one_fault_of_its_answer_and_any_of_the_account() -> None:
    queue = Faults(lambda: 0.0)
    for order in ("503", "insert", "slow", "clock-skew"):
        queue.add({"fault": order})
    asked = Asked("GET", "/contacts", "")
    assert [fault.fault for fault in queue.take(asked)] == ["503", "insert", "clock-skew"]
    assert [fault.fault for fault in queue.take(asked)] == ["slow"]
    assert queue.take(asked) == []


def test_help_and_page_are_made_from_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "faults.md"
    assert page.read_text() == faults.markdown(), "python -m icx.sandbox.faults > docs/faults.md"
    shown = serve.parser().format_help()
    for name in faults.KINDS:
        assert f"\n  {name} " in shown
        assert f"| `{name}` |" in page.read_text()
