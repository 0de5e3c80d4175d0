"""icx against the plainest thing that reads the same data, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import requests

from benchmarks.conftest import CLOCK, Ratio
from benchmarks.made import AS_OF
from icx.audience import Audience, People, count
from icx.profile import build, catalogue
from icx.quality import check
from icx.rules import from_json
from icx.sandbox.process import SandboxProcess, start
from icx.settings import Settings
from icx.store import Store
from icx.workspace import Workspace

Compare = Callable[..., Ratio]
GROUPED = "create or replace temp table plain as select contact_id, count(*) as n from icontact_activity group by contact_id"
SCAN = "select sum(hash(contact_id)), count(*) from icontact_activity"


def test_building_the_profile(compare: Compare, store: Store, size: str) -> None:
    def grouped() -> None:
        with store.open("acme") as con:
            con.execute(GROUPED)

    line = compare(
        "profile, built whole",
        lambda: build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK),
        grouped,
        size=size,
        against="group by contact_id, count(*)",
        rounds=3,
    )
    assert line.ratio < 500


RULES = {
    "fields": {
        "combinator": "and",
        "rules": [
            {"field": "opens_90d", "operator": ">=", "value": 1},
            {"field": "city", "operator": "=", "value": "Durham"},
            {"field": "email_last_click_ts", "operator": "notWithin", "value": {"days": 7}},
        ],
    },
    "events": {"field": "@event.open", "operator": ">=", "value": 3, "days": 90},
}


@pytest.mark.parametrize("kind", list(RULES))
def test_counting_an_audience(compare: Compare, store: Store, size: str, tmp_path: Path, kind: str) -> None:
    known = catalogue(store, "acme", None)
    people = People(store, "acme", known, tmp_path, Settings().tz, None, "profile")
    audience = Audience("Loyal", from_json(RULES[kind]), "acme", "")
    with store.open("acme") as con:  # as a notebook has it: the file is open, the question is asked again
        line = compare(
            f"audience, counted ({kind})",
            lambda: count(people, audience),
            lambda: con.execute(SCAN).fetchall(),
            size=size,
            against="sum(hash(contact_id)), count(*)",
            rounds=7,
        )
        assert count(people, audience).count > 0
    assert line.ratio < 2_000


ONE_SCAN = """
select count(*), count(contact_id), count(message_id), count(event_type), count(event_ts),
  count(*) filter (event_type not in ('open', 'click', 'bounce', 'unsubscribe')),
  count(*) filter (event_ts not between timestamp '2000-01-01' and $now),
  count(*) filter (event_type = 'click' and event_url is null),
  count(*) filter (event_type <> 'click' and event_url is not null)
from icontact_activity
"""


def test_judging_a_table(compare: Compare, store: Store, size: str, tmp_path: Path) -> None:
    def scan() -> None:
        with store.open("acme") as con:
            con.execute(ONE_SCAN, {"now": AS_OF.replace(tzinfo=None)}).fetchall()

    line = compare(
        "activity, judged by its suite",
        lambda: check(store, "acme", "activity", suites=[], reports=tmp_path, clock=CLOCK),
        scan,
        size=size,
        against="the same conditions in one SELECT",
        rounds=3,
    )
    assert line.ratio < 2_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    state = tmp_path_factory.mktemp("served") / "a.sqlite"
    with start(contacts=12_000, messages=4, seed=1, state=state) as sandbox:
        yield sandbox


def by_script(sandbox: SandboxProcess, file: Path) -> int:
    """What people write today: pages with requests, a DataFrame, a table. No count is compared, nothing is kept."""
    at = f"{sandbox.base_url}/a/{sandbox.account_id}/c/{sandbox.client_folder_id}"
    session = requests.Session()
    session.headers.update(
        {"API-AppId": sandbox.app_id, "API-Username": sandbox.username, "API-Password": sandbox.password,
         "API-Version": "2.2", "Accept": "application/json"}
    )  # fmt: skip
    read = 0
    with duckdb.connect(str(file)) as con, session:
        for name, query in (("contacts", {"status": "total"}), ("subscriptions", {})):
            rows: list[dict[str, Any]] = []
            while True:
                page = session.get(
                    f"{at}/{name}", params={"limit": 1000, "offset": len(rows), **query}, timeout=60
                ).json()
                rows += page[name]
                if len(rows) >= page["total"] or not page[name]:
                    break
            frame = pd.DataFrame(rows)
            con.register("frame", frame)
            con.execute(f"create or replace table {name} as select * from frame")
            con.unregister("frame")
            read += len(rows)
    return read


def test_bringing_people_in(compare: Compare, served: SandboxProcess, tmp_path: Path) -> None:
    from icx.connections.login import Login

    numbers = iter(range(1_000))
    clients: list[Workspace] = []

    def fresh() -> Workspace:
        ws = Workspace(tmp_path / f"w{next(numbers)}")
        login = Login.clean(served.app_id, served.username, served.password, served.base_url)
        ws.accounts.connect("acme", login)
        clients.append(ws)
        return ws

    ready = [fresh() for _ in range(4)]
    line = compare(
        "people, pulled into the store",
        lambda: ready.pop().pull("acme", contacts_only=True),
        lambda: by_script(served, tmp_path / f"plain{next(numbers)}.duckdb"),
        size="12,000 people",
        against="requests + pandas, nothing compared",
        rounds=3,
    )
    for ws in clients:
        ws.close()
    assert line.ratio < 20
