"""A small simulated account, pulled and built once for all tests of plans; every test plans to a list of its own."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from icx.plan import Plan
from icx.widgets.plan import PlanView
from icx.workspace import Workspace

DONE_IN = 20  # seconds an apply of this account may take on a busy machine


@dataclass
class Place:
    """One workspace on its account, and short words for what the tests do with it."""

    ws: Workspace
    state: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def make_list(self, name: str = "", **fields: Any) -> tuple[int, str]:
        name = name or f"Regulars {next(self.numbers)}"
        with self.ws.client("acme") as client:
            written = client.create("lists", [{"name": name, "emailOwnerOnChange": 0, **fields}])
        return int(written.rows[0]["listId"]), name

    def put(self, list_id: int, contacts: list[int], status: str = "normal") -> None:
        """Put people on a list, as somebody else would."""
        with self.ws.client("acme") as client:
            client.create(
                "subscriptions",
                [{"contactId": one, "listId": list_id, "status": status} for one in contacts],
            )

    def plan(self, list_id: int, **options: Any) -> Plan:
        return self.ws.plan(self.audience, f"acme/lists/#{list_id}", **options)

    def view(self, list_id: int, **options: Any) -> PlanView:
        return PlanView(self.plan(list_id, **options))

    def few(self, people: int) -> Any:
        """An audience of so many."""
        ids = [str(one) for one in self.normal()[:people]]
        return self.ws.audience(f"First {people}", self.ws.fields.ic_contact_id.is_in(*ids))

    @property
    def audience(self) -> Any:
        return self.ws.audience("Everybody")

    def members(self, list_id: int) -> set[int]:
        with self.ws.client("acme") as client:
            rows = list(client.rows("subscriptions", listId=list_id))
        return {row["contactId"] for row in rows if row["listId"] == list_id and row["status"] == "normal"}

    def normal(self) -> list[int]:
        with self.ws.store.open("acme") as con:
            rows = con.execute(
                "select id from icontact_users where status = 'normal' and gone_at is null order by id"
            ).fetchall()
        return [int(row[0]) for row in rows]

    def emails(self) -> list[str]:
        with self.ws.store.open("acme") as con:
            rows = con.execute("select email from icontact_users where email is not null").fetchall()
        return [str(row[0]) for row in rows]

    def fault(self, match: str, fault: str, *, after: int = 0, times: int = 1) -> None:
        body = json.dumps([{"match": match, "fault": fault, "after": after, "times": times}]).encode()
        self._faults("POST", body)

    def mend(self) -> None:
        """Take the faults that are left back."""
        self._faults("DELETE", None)

    def _faults(self, method: str, body: bytes | None) -> None:
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.ws.accounts._running['acme'].control_url}/faults",
            body,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            answer.read()

    def answers(self, view: PlanView) -> dict[str, str]:
        return {stop["key"]: stop["confirm"] or "they signed up" for stop in view.said["stops"]}

    def applied(self, view: PlanView) -> PlanView:
        told = view.answer("apply", {"plan": view.plan.plan_id, "answers": self.answers(view)})
        assert told["ok"], told
        view.wait(DONE_IN)
        return view


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("plan")
    with Workspace.with_sandbox(folder, contacts=60, messages=6, seed=4) as ws:
        ws.who = "maya"
        ws.pull("acme", contacts_only=True)
        ws.build("acme")
        ws.audience("Everybody", ws.fields.ic_contact_id != "0")
        yield Place(ws, folder / "data" / "sandbox-acme.sqlite")
