"""The built profile equals a recomputation in plain Python, for random accounts."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import oracle
from accounts import CLOCK, PULLED, add, store_at
from chance import fill
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.profile import assemble, build
from icx.settings import Settings


def same(built, expected) -> None:
    for name, value in expected.items():
        assert built[name] == value, name


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_every_field_of_everybody_is_what_plain_python_computes(seed):
    with tempfile.TemporaryDirectory() as directory:
        store = store_at(Path(directory))
        with store.open("acme") as con:
            fill(con, random.Random(seed))
            expected = oracle.people(con, PULLED, "America/New_York")
            built = build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
            profile = {row["contact_id"]: row for row in oracle.rows(con, "profile")}
        assert profile.keys() == expected.keys()
        assert built.people == len(expected) == 5
        for contact_id, fields in expected.items():
            assert profile[contact_id].keys() == fields.keys()
            same(profile[contact_id], fields)


def test_thresholds_and_zone_are_settings(tmp_path):
    store = store_at(tmp_path)
    with store.open("acme") as con:
        fill(con, random.Random(5))
        expected = oracle.people(con, PULLED, "Asia/Kolkata", links=2, seconds=4)
        chosen = Settings(zone="Asia/Kolkata", machine_links=2, machine_seconds=4)
        build(store, "acme", settings=chosen, fields_dir=None, clock=CLOCK)
        for row in oracle.rows(con, "profile"):
            same(row, expected[row["contact_id"]])


def test_people_computed_in_several_parts_are_the_same(tmp_path, monkeypatch):
    store = store_at(tmp_path)
    with store.open("acme") as con:
        fill(con, random.Random(7))
        add(con, "custom_fields", private_name="tier", field_type="text")
        build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
        whole = sorted(oracle.rows(con, "profile"), key=lambda row: row["contact_id"])
        marks = sorted(map(str, oracle.rows(con, "machine_events")))
        monkeypatch.setattr(assemble, "parts_needed", lambda con, tables: 4)
        for full in (True, False):  # computed anew, and taken over though there is nobody to part
            assert build(
                store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK, full=full
            ).anew == (None if full else 0)
            assert sorted(oracle.rows(con, "profile"), key=lambda row: row["contact_id"]) == whole
            assert sorted(map(str, oracle.rows(con, "machine_events"))) == marks
