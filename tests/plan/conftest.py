"""A workspace on a sandbox of its own: pulled, ready to plan and apply, and what the sandbox then holds."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import prepared
import pyarrow as pa
import pytest

from icx.clock import ManualClock
from icx.icontact import Client
from icx.plan import Applied, Plan, Policy, Target, apply, inverse, make
from icx.plan.decide import WANT
from icx.pull import pull
from icx.sandbox.process import SandboxProcess, start
from icx.settings import Settings
from icx.store import Store
from icx.store.journal import Journal
from icx.store.plans import Plans

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIST = "Target"


@dataclass
class Place:
    """One account, one workspace, and short words for what the tests do with them."""

    running: SandboxProcess
    state: Path
    store: Store
    journal: Journal
    plans: Plans
    client: Client
    clock: ManualClock
    settings: Settings = field(default_factory=Settings)

    def pull(self) -> None:
        pull(
            self.store,
            self.journal,
            self.client,
            "acme",
            settings=self.settings,
            clock=self.clock,
            contacts_only=True,
        )

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Do something in the sandbox behind the client's back, as another user of the account would."""
        with sqlite3.connect(self.state, timeout=30) as con:
            rows = con.execute(text, values).fetchall()
        con.close()
        return rows

    def make_list(self, name: str = LIST, **fields: Any) -> int:
        written = self.client.create("lists", [{"name": name, "emailOwnerOnChange": 0, **fields}])
        return int(written.rows[0]["listId"])

    def on(self, list_id: int) -> dict[int, str]:
        """What the sandbox holds of a list, read from its own file."""
        rows = self.sql("select contact_id, status from subscriptions where list_id = ?", list_id)
        return {int(contact): str(status) for contact, status in rows}

    def members(self, list_id: int) -> set[int]:
        return {contact for contact, status in self.on(list_id).items() if status == "normal"}

    def people(self, status: str = "normal") -> list[int]:
        rows = self.sql("select contact_id from contacts where status = ? order by contact_id", status)
        return [int(row[0]) for row in rows]

    def put(self, list_id: int, contacts: list[int], status: str = "normal") -> None:
        """Put people on a list as somebody else would have, long ago."""
        with sqlite3.connect(self.state, timeout=30) as con:
            con.executemany(
                "insert into subscriptions (list_id, contact_id, folder_id, status, add_date) values (?, ?, ?, ?, ?)"
                " on conflict (list_id, contact_id) do update set status = excluded.status",
                [
                    (list_id, contact, self.running.client_folder_id, status, 1_700_000_000)
                    for contact in contacts
                ],
            )
        con.close()

    def want(self, contacts: list[int], **columns: list[Any]) -> pa.Table:
        """The audience's rows, as the profile has them."""
        with self.store.open("acme") as con:
            con.register("wanted", pa.table({"contact_id": pa.array(contacts, pa.int64())}))
            table = con.sql(
                "select w.contact_id, u.email, u.email_key from wanted w"
                " left join icontact_users u on u.id = w.contact_id"
            ).to_arrow_table()
            con.unregister("wanted")
        by_id = {row["contact_id"]: row for row in table.to_pylist()}
        rows = pa.Table.from_pylist([by_id[contact] for contact in contacts], schema=WANT)
        for name, values in columns.items():
            rows = rows.append_column(name, pa.array(values))
        return rows

    def plan(self, want: list[int] | pa.Table, to: str = LIST, **options: Any) -> Plan:
        policy = {name: options.pop(name) for name in list(options) if name in Policy.__dataclass_fields__}
        return make(
            want if isinstance(want, pa.Table) else self.want(want),
            target=Target(
                "acme",
                "Acme Outdoor",
                self.running.account_id,
                self.running.client_folder_id,
                "Main",
                to,
            ),
            policy=Policy(**policy),
            client=self.client,
            store=self.store,
            plans=self.plans,
            settings=self.settings,
            clock=self.clock,
            audience="Loyal",
            as_of=self.clock.now(),
            who="maya",
            **options,
        )

    def apply(self, plan: Plan | str, *, confirm: bool = True, **options: Any) -> Applied:
        plan_id = plan if isinstance(plan, str) else plan.plan_id
        options.setdefault("client", self.client)
        answers = self.answers(plan) if confirm and isinstance(plan, Plan) else {}
        return apply(
            plan_id,
            store=self.store,
            plans=self.plans,
            settings=self.settings,
            clock=self.clock,
            who="maya",
            answers=options.pop("answers", answers),
            **options,
        )

    def undo(self, plan_id: str) -> Plan:
        return inverse(
            plan_id,
            client=self.client,
            store=self.store,
            plans=self.plans,
            settings=self.settings,
            clock=self.clock,
            who="maya",
        )

    @staticmethod
    def answers(plan: Plan) -> dict[str, str]:
        return {stop.key: stop.confirm or "they signed up in the shop" for stop in plan.stops}

    def violations(self) -> list[dict[str, Any]]:
        """The forbidden changes this sandbox, which permits everything, has seen."""
        return self._control("violations")["violations"]

    def calls(self) -> dict[str, int]:
        """How many calls of each kind the sandbox has answered."""
        return {f"{row['method']} {row['path']}": row["count"] for row in self._control("calls")["calls"]}

    def writes(self) -> int:
        return sum(count for name, count in self.calls().items() if not name.startswith("GET "))

    def fault(self, match: str, fault: str, *, after: int = 0, times: int = 1, **more: Any) -> None:
        body = json.dumps([{"match": match, "fault": fault, "after": after, "times": times, **more}]).encode()
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.running.control_url}/faults", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            answer.read()

    def waiting(self) -> int:
        """How many faults that were ordered have not been met yet."""
        return len(self._control("faults")["faults"])

    def fault_clear(self) -> None:
        request = urllib.request.Request(f"{self.running.control_url}/faults", method="DELETE")  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            answer.read()

    def _control(self, name: str) -> Any:
        with urllib.request.urlopen(f"{self.running.control_url}/{name}") as answer:  # noqa: S310 - loopback
            return json.loads(answer.read())


def opened(running: SandboxProcess, folder: Path, settings: Settings) -> Place:
    """The place in a folder: its account answers as `running`, and is kept in account.sqlite."""
    clock = ManualClock(NOW)
    journal = Journal(folder / "data" / "journal.sqlite", clock)
    client = Client(
        running.base_url,
        running.app_id,
        running.username,
        running.password,
        account_id=running.account_id,
        client_folder_id=running.client_folder_id,
        clock=clock,
    )
    store = Store(folder / "data" / "icx.duckdb", clock=clock)
    return Place(running, folder / "account.sqlite", store, journal, Plans(journal), client, clock, settings)


def pulled(folder: Path, options: dict[str, Any]) -> None:
    """An account that permits everything, and what a pull brings of it."""
    with start(**options, state=folder / "account.sqlite") as running:
        made = opened(running, folder, Settings())
        made.pull()
        made.client.close()
        made.journal.close()


@pytest.fixture
def place(tmp_path: Path, fresh_sandbox: Callable[..., SandboxProcess]) -> Iterator[Callable[..., Place]]:
    """Make a workspace on a sandbox of its own that permits everything; the account's own lists stay."""
    made: list[Place] = []

    def make_place(**options: Any) -> Place:
        settings = options.pop("settings", Settings())
        options = {"contacts": 60, "consent": "permissive", "messages": 2} | options
        name = " ".join(["pulled to plan", *(f"{key} {value}" for key, value in sorted(options.items()))])
        folder = prepared.copy(name, lambda new: pulled(new, options), tmp_path / f"place{len(made)}")
        running = fresh_sandbox(**options, state=folder / "account.sqlite")
        made.append(opened(running, folder, settings))
        return made[-1]

    yield make_place
    for one in made:
        one.client.close()
        one.journal.close()


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[Plans]:
    """The plans of a workspace without anything else."""
    with Journal(tmp_path / "journal.sqlite", ManualClock(NOW)) as journal:
        yield Plans(journal)
