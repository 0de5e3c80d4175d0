"""A small hand-made account behind the sandbox's handlers, asked without a socket."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from icx.sandbox.answers import Answer
from icx.sandbox.dispatch import Wire, answer
from icx.sandbox.state import State, Switches

ACCOUNT, FOLDER = 111, 222
NOW = 1_772_460_900  # 2026-03-02 09:15:00 in New York
STATUSES = ("normal", "bounced", "donotcontact", "pending", "invitable", "deleted")
LOGIN = {
    "api-appid": "any-id-will-do",
    "api-username": "sandbox",
    "api-password": "secret",
    "api-version": "2.2",
    "accept": "application/json",
    "content-type": "application/json",
}


@dataclass
class Twin:
    """The handlers with one account; `clock[0]` is its time."""

    state: State
    clock: list[float]

    def ask(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Answer:
        """Send one request; `path` is below the folder unless it begins with /icp."""
        whole = path if path.lstrip("/").startswith("icp") else f"/icp/a/{ACCOUNT}/c/{FOLDER}{path}"
        bare, _, query = whole.partition("?")
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        merged = LOGIN | {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in merged.items() if value != "absent"}
        return answer(self.state, Wire(method, bare, query, given, sent))

    def get(self, path: str, **terms: Any) -> Any:
        return self._good(self.ask("GET", path + ("?" + urlencode(terms) if terms else "")))

    def post(self, path: str, body: Any) -> Any:
        return self._good(self.ask("POST", path, body))

    def put(self, path: str, body: Any) -> Any:
        return self._good(self.ask("PUT", path, body))

    def delete(self, path: str) -> Any:
        return self._good(self.ask("DELETE", path))

    @staticmethod
    def _good(found: Answer) -> Any:
        assert found.status == 200, found
        return found.body

    def sql(self, text: str, *params: Any) -> list[tuple[Any, ...]]:
        """Read or change the file as another program would."""
        con = sqlite3.connect(self.state.path)
        try:
            rows = con.execute(text, params).fetchall()
            con.commit()
        finally:
            con.close()
        return rows

    def violations(self) -> list[tuple[Any, ...]]:
        return self.sql("select kind, contact_id, list_id, was, became from violations order by violation_id")

    def person(self, email: str = "ada@example.com", **fields: Any) -> int:
        return int(self.post("/contacts", [{"email": email, **fields}])["contacts"][0]["contactId"])

    def on_list(self, contact_id: int, list_id: int, status: str = "normal") -> Any:
        return self.post("/subscriptions", [{"contactId": contact_id, "listId": list_id, "status": status}])

    def new_list(self, name: str = "News") -> int:
        return int(self.post("/lists", [{"name": name}])["lists"][0]["listId"])


@pytest.fixture
def make_twin(tmp_path: Path) -> Iterator[Callable[..., Twin]]:
    """Build twins with other switches: `make_twin(consent="permissive")`."""
    made: list[State] = []

    def make(**switches: Any) -> Twin:
        clock = [float(NOW)]
        path = tmp_path / f"twin-{len(made)}.sqlite"
        state = State(
            path, Switches(**({"username": "sandbox", "password": "secret"} | switches)), lambda: clock[0]
        )
        made.append(state)
        with state.write() as con:
            con.execute("insert into accounts (account_id, company_name) values (?, 'Acme')", [ACCOUNT])
            con.execute(
                "insert into folders (folder_id, account_id, name) values (?, ?, 'Main')", [FOLDER, ACCOUNT]
            )
        return Twin(state, clock)

    yield make
    for state in made:
        state.close()


@pytest.fixture
def twin(make_twin: Callable[..., Twin]) -> Twin:
    return make_twin()
