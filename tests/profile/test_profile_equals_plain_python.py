"""The built profile equals a recomputation in plain Python, for random accounts."""

from __future__ import annotations

import random
import tempfile
from datetime import timedelta
from pathlib import Path

import oracle
from accounts import CLOCK, PULLED, add, contact, event, send, store_at, subscription
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.profile import assemble, build
from icx.settings import Settings

URLS = [
    "http://shop.example.com/a?x=1",
    "http://shop.example.com/a?x=2",
    "http://shop.example.com/b",
    "https://Shop.example.com/%7Ejo/caf%E9",
    "mailto:jo@example.com",
    "http://%zz/",
    "//cdn.example.org/x",
]
EDGES = [timedelta(0), timedelta(days=7), timedelta(days=30), timedelta(days=90), timedelta(days=365)]
EDGES += [edge + timedelta(microseconds=1) for edge in EDGES] + [timedelta(days=-1), timedelta(hours=26)]
CLOCK_CHANGES = [timedelta(days=1, hours=6), timedelta(days=128, hours=6)]  # near 9 March and 2 November


def _fill(con, rnd: random.Random) -> None:
    lists, messages = [1, 2, 3], [10, 11, 12, 13]
    released = {}
    for number, message in enumerate(messages[:3]):
        at = PULLED - timedelta(days=rnd.choice([1, 20, 89, 90, 200]), seconds=rnd.randrange(60))
        released[message] = at
        without = rnd.sample(lists, rnd.choice([0, 0, 1]))
        send(con, number + 1, message, at, rnd.sample(lists, rnd.randint(1, 2)), without)
    for person in range(1, 7):
        address = rnd.choice(
            ["jo@example.com", "Jo <JO@Example.org>", "no address", None, '"a b"@example.net']
        )
        contact(con, person, email=address, city=rnd.choice(["Durham", None]), bounce_count="0")
        for list_id in lists:
            _subscribe(con, rnd, list_id, person)
        for _ in range(rnd.choice([0, 0, 1, 5, 12])):
            _happen(con, rnd, person, rnd.choice(messages), released)
    con.execute("update icontact_users set gone_at = ? where id = 6", [PULLED])
    event(con, 999, "open", PULLED - timedelta(days=2), 10)


def _subscribe(con, rnd: random.Random, list_id: int, person: int) -> None:
    since = rnd.choice([None, PULLED - timedelta(days=300), PULLED - timedelta(days=40)])
    status = rnd.choice(["normal", "normal", "pending", "unsubscribed", "none"])
    if status != "none":
        subscription(con, list_id, person, status, since)
    if rnd.random() < 0.4:
        history = rnd.choice(
            [["normal", "unsubscribed"], ["pending", "normal"], [None, "normal", "unsubscribed"]]
        )
        days = sorted(rnd.sample(range(1, 35), len(history) - 1), reverse=True)
        for old, new, ago in zip(history, history[1:], days, strict=False):
            add(
                con, "changes", happened_at=PULLED - timedelta(days=ago), entity="subscription",
                contact_id=person, list_id=list_id, field="status", old=old, new=new,
            )  # fmt: skip


def _happen(con, rnd: random.Random, person: int, message: int, released) -> None:
    kind = rnd.choice(["open", "open", "click", "click", "bounce", "unsubscribe"])
    near = message in released and rnd.random() < 0.3
    at = released[message] + timedelta(seconds=rnd.choice([-1, 0, 5, 10, 11])) if near else None
    at = at or PULLED - rnd.choice([*EDGES, *CLOCK_CHANGES, timedelta(hours=rnd.randrange(20_000))])
    if kind == "click" and rnd.random() < 0.5:
        for step in range(rnd.randint(2, 4)):
            event(
                con,
                person,
                "click",
                at + timedelta(seconds=step * rnd.choice([0, 3, 5, 6])),
                message,
                URLS[step],
            )
    elif kind == "click":
        event(con, person, kind, at, message, rnd.choice([*URLS, None]))
    else:
        for _ in range(rnd.choice([1, 1, 2])):
            event(con, person, kind, at, message)


def same(built, expected) -> None:
    for name, value in expected.items():
        assert built[name] == value, name


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_every_field_of_everybody_is_what_plain_python_computes(seed):
    with tempfile.TemporaryDirectory() as directory:
        store = store_at(Path(directory))
        with store.open("acme") as con:
            _fill(con, random.Random(seed))
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
        _fill(con, random.Random(5))
        expected = oracle.people(con, PULLED, "Asia/Kolkata", links=2, seconds=4)
        chosen = Settings(zone="Asia/Kolkata", machine_links=2, machine_seconds=4)
        build(store, "acme", settings=chosen, fields_dir=None, clock=CLOCK)
        for row in oracle.rows(con, "profile"):
            same(row, expected[row["contact_id"]])


def test_people_computed_in_several_parts_are_the_same(tmp_path, monkeypatch):
    store = store_at(tmp_path)
    with store.open("acme") as con:
        _fill(con, random.Random(7))
        add(con, "custom_fields", private_name="tier", field_type="text")
        build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
        whole = sorted(oracle.rows(con, "profile"), key=lambda row: row["contact_id"])
        marks = sorted(map(str, oracle.rows(con, "machine_events")))
        monkeypatch.setattr(assemble, "shares", lambda con, tables: 4)
        build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
        assert sorted(oracle.rows(con, "profile"), key=lambda row: row["contact_id"]) == whole
        assert sorted(map(str, oracle.rows(con, "machine_events"))) == marks
