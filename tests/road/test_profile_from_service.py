"""Profiles of random accounts equal what the service's answers give when somebody else reads and counts them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from icx.connections.login import Login
from icx.sandbox.process import SandboxProcess, start
from icx.workspace import Workspace
from road.answers import ODD, ODD_ADDRESSES, Service, profiles, siphash

DEFAULT_COLUMNS = 34


@pytest.fixture(params=[4, 5, 6], ids=lambda seed: f"account {seed}")
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SandboxProcess]:
    """A random account, with odd addresses, every odd URL clicked, and times around both clock changes."""
    state = tmp_path / "account.sqlite"
    with start(contacts=120, messages=10, seed=request.param, state=state) as sandbox:
        made = [{"email": text, "lastName": "Odd"} for text in ODD_ADDRESSES]
        answer = Service.of(sandbox).call("POST", "contacts", made)
        assert len(answer["contacts"]) == len(made), answer
        with closing(sqlite3.connect(state, timeout=30)) as con, con:
            _odd_events(con, sandbox.client_folder_id, random.Random(request.param))
        yield sandbox


def _odd_events(con: sqlite3.Connection, folder: int, rnd: random.Random) -> None:
    """Click every odd URL, some twice in one second; do things in the hour that comes twice and around the lost one."""
    people = [row[0] for row in con.execute("select contact_id from contacts order by contact_id")]
    messages = [row[0] for row in con.execute("select message_id from messages order by message_id")]
    changes = [int(datetime(2025, 11, 2, hour, 30, tzinfo=UTC).timestamp()) for hour in (4, 5, 6, 7)]
    changes += [int(datetime(2026, 3, 8, hour, 30, tzinfo=UTC).timestamp()) for hour in (6, 7, 8)]
    rows = []
    for url in ODD:
        contact, at = rnd.choice(people), rnd.choice([*changes, 1_760_000_000 + rnd.randrange(9_000_000)])
        rows += [(folder, rnd.choice(messages), "click", contact, at, url)] * rnd.choice([1, 1, 2])
    for at in changes:
        for kind in ("open", "bounce", "unsubscribe"):
            rows.append((folder, rnd.choice(messages), kind, rnd.choice(people), at, None))
    con.executemany(
        "insert into events (folder_id, message_id, kind, contact_id, event_time, url) values (?, ?, ?, ?, ?, ?)",
        rows,
    )
    for contact, at in zip(rnd.sample(people, len(changes)), changes, strict=True):
        con.execute("update contacts set create_date = ? where contact_id = ?", [at, contact])


def pulled(sandbox: SandboxProcess, folder: Path) -> tuple[Any, dict[int, dict[str, Any]]]:
    """Pull and build with icx; return `as_of` and the profile, read with DuckDB alone."""
    with Workspace(folder) as ws:
        login = Login.clean(sandbox.app_id, sandbox.username, sandbox.password, sandbox.base_url)
        ws.accounts.connect("acme", login)
        ws.pull("acme")
        built = ws.build("acme")
    with duckdb.connect(str(folder / "data" / "icx.duckdb"), read_only=True) as con:
        found = con.execute("select * from acme.profile")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert len(rows) == built.people
    return built.as_of.astimezone(UTC).replace(tzinfo=None), {row["contact_id"]: row for row in rows}


def test_every_default_column_of_everybody(account: SandboxProcess, tmp_path: Path) -> None:
    as_of, built = pulled(account, tmp_path)
    expected = profiles(Service.of(account), as_of)
    assert built.keys() == expected.keys()
    columns = {name for row in expected.values() for name in row}
    assert len(columns) == DEFAULT_COLUMNS
    differing = [
        (contact, name, built[contact][name], value)
        for contact, row in expected.items()
        for name, value in row.items()
        if built[contact][name] != value
    ]
    assert differing == []
    counted = {key for row in expected.values() for key in row["hashedurls"] or ()}
    assert counted >= {str(siphash(main)) for main in ODD.values() if main}
    assert any(row["email"] is None for row in expected.values())


def test_the_hash_of_the_tests_is_the_vendors() -> None:
    known = {
        "http://www.google.com?q=123": 5673948842516703987,
        "http://go.gl": 4903078846009498015,
        "This is a string being used as an example": -1913777820508603599,
        "www.google.com": -5816704685896663168,
        "www.google.com/": 8529409649993261571,
        "/foo": 3158721044809920106,
        "foo": -6606456034095209585,
    }
    assert {text: siphash(text.encode()) for text in known} == known
