"""From the sandbox's answers to the profile: equal to plain Python, and machines found where they were made."""

from __future__ import annotations

from collections import Counter

import oracle
import pytest
import requests

from icx.clock import SYSTEM, naive_utc
from icx.icontact import Client
from icx.profile import build
from icx.pull import pull
from icx.settings import Settings
from icx.store.db import Store
from icx.store.journal import Journal


@pytest.fixture(scope="module")
def pulled(sandbox, tmp_path_factory):
    directory = tmp_path_factory.mktemp("pulled")
    store = Store(directory / "icx.duckdb")
    client = Client(
        sandbox.base_url,
        sandbox.app_id,
        sandbox.username,
        sandbox.password,
        account_id=sandbox.account_id,
        client_folder_id=sandbox.client_folder_id,
    )
    journal = Journal(directory / "journal.sqlite", SYSTEM)
    pull(store, journal, client, "acme", settings=Settings(), clock=SYSTEM)
    client.close()
    journal.close()
    return store, build(store, "acme", settings=Settings(), fields_dir=None, clock=SYSTEM)


def test_everybody_pulled_has_the_profile_plain_python_computes(pulled):
    store, built = pulled
    with store.open("acme") as con:
        expected = oracle.people(con, naive_utc(built.as_of), Settings().zone)
        profile = {row["contact_id"]: row for row in oracle.rows(con, "profile")}
    assert profile.keys() == expected.keys()
    different = [
        (contact_id, name)
        for contact_id, fields in expected.items()
        for name, value in fields.items()
        if profile[contact_id][name] != value
    ]
    assert different == []


@pytest.mark.parametrize("kind", ["open", "click"])
def test_likely_machine_events_are_the_generators(pulled, sandbox, kind):
    store, _ = pulled
    labels = requests.get(f"{sandbox.control_url}/machine-labels", timeout=10).json()["machine"]
    made = Counter((row["contact_id"], row["message_id"]) for row in labels if row["kind"] == kind)
    with store.open("acme") as con:
        rows = con.execute(
            "select contact_id, message_id from icontact_activity a"
            " semi join machine_events m using (contact_id, message_id, event_type, event_ts) where event_type = ?",
            [kind],
        ).fetchall()
    found = Counter(rows)
    both = sum((made & found).values())
    assert both >= 0.9 * sum(found.values()), "precision"
    assert both >= 0.9 * sum(made.values()), "recall"
