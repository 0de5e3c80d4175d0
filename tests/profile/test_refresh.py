"""A refreshed profile is the one a whole build at that moment gives, and takes over whoever stayed as they were."""

from __future__ import annotations

import random
import tempfile
from datetime import UTC, timedelta
from pathlib import Path

import oracle
import pytest
from accounts import CLOCK, PULLED, add, contact, event, send, store_at
from chance import fill, happen
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.profile import build
from icx.settings import Settings

DAY = timedelta(days=1)


def built(store, **options):
    return build(store, "acme", **{"settings": Settings(), "fields_dir": None, "clock": CLOCK} | options)


def everything(con):
    """Return what a build leaves, without its name and with lists in one order."""
    people = sorted(oracle.rows(con, "profile_rows"), key=lambda row: row["contact_id"])
    for row in people:
        row |= {name: row[name] and sorted(row[name]) for name in ("open_marks", "click_marks")}
    shown = sorted(oracle.rows(con, "profile"), key=lambda row: row["contact_id"])
    return people, shown, sorted(map(str, oracle.rows(con, "machine_events")))


def pulled_again(con, after):
    moment = PULLED + after
    add(con, "pulls", pull_id=f"p-{moment}", started_at=moment, began_at=moment, state="complete")
    return moment


def change(con, rnd):
    """Do something to the account that a pull, an erasure or a restore may do."""
    what = rnd.choice(["event", "event", "lost", "person", "new", "gone", "back", "release", "list"])
    if what == "event":
        happen(con, rnd, rnd.randint(1, 8), rnd.choice([10, 11, 12, 13, 14]), {14: PULLED})
    elif what == "lost":
        con.execute("delete from icontact_activity where contact_id = ? and event_type = ?",
            [rnd.randint(1, 6), rnd.choice(["open", "click", "unsubscribe"])])  # fmt: skip
    elif what == "person":
        con.execute(
            "update icontact_users set city = 'Cary', custom = map {'tier': 'gold'} where id = ?",
            [rnd.randint(1, 6)],
        )
    elif what == "new":
        number = con.execute("select max(id) + 1 from icontact_users").fetchall()[0][0]
        contact(con, number, email="new@example.com", bounce_count="0")
    elif what in {"gone", "back"}:
        con.execute(
            "update icontact_users set gone_at = ? where id = ?",
            [PULLED if what == "gone" else None, rnd.randint(4, 6)],
        )
    elif what == "release":
        con.execute(
            "update sends set released_at = released_at + interval 5 second where send_id = ?",
            [rnd.randint(1, 3)],
        )
    else:
        con.execute(
            "update subscriptions set status = 'unsubscribed' where contact_id = ?", [rnd.randint(1, 6)]
        )


@given(seed=st.integers(0, 2**32), days=st.sampled_from([0, 1, 8, 31, 400]), changes=st.integers(0, 4))
@settings(max_examples=6, deadline=None)
def test_a_refresh_gives_what_a_whole_build_gives(seed, days, changes):
    rnd = random.Random(seed)
    with tempfile.TemporaryDirectory() as directory:
        store = store_at(Path(directory))
        with store.open("acme") as con:
            add(con, "custom_fields", private_name="tier", field_type="text")
            fill(con, rnd)
            assert built(store).anew is None
            for _ in range(changes):
                change(con, rnd)
            moment = pulled_again(con, days * DAY + timedelta(seconds=1))
            assert built(store).anew is not None
            refreshed = everything(con)
            expected = oracle.people(con, moment, "America/New_York")
            profile = {row["contact_id"]: row for row in oracle.rows(con, "profile")}
            assert profile.keys() == expected.keys()
            for contact_id, fields in expected.items():
                assert {name: profile[contact_id][name] for name in fields} == fields
            assert built(store, full=True).anew is None
            assert everything(con) == refreshed


@pytest.fixture
def store(tmp_path):
    store = store_at(tmp_path)
    with store.open("acme") as con:
        for person in range(1, 9):
            contact(con, person, email=f"p{person}@example.com")
            event(con, person, "open", PULLED - 200 * DAY, 1)
        send(con, 1, 1, PULLED - 201 * DAY, [1])
        built(store)
        yield store


def test_only_those_are_computed_whose_contact_events_or_windows_changed(store):
    with store.open("acme") as con:
        event(con, 1, "open", PULLED - 100 * DAY, 1)
        event(con, 2, "open", PULLED - 29.5 * DAY, 1)
        con.execute("update icontact_users set city = 'Durham' where id = 3")
        assert built(store).anew == 3
        pulled_again(con, DAY)
        assert built(store).anew == 1  # an open leaves the 30 days of contact 2
        assert con.execute("select list(opens_30d order by contact_id) from profile").fetchall() == [
            ([0] * 8,)
        ]


@pytest.mark.parametrize("chosen", [Settings(zone="Asia/Kolkata"), Settings(machine_links=2)])
def test_other_settings_are_a_whole_build(store, chosen):
    assert built(store, settings=chosen).anew is None
    assert built(store, settings=chosen).anew == 0


def test_another_field_is_a_whole_build(store, tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "vip.sql").write_text(
        "-- name: vip\n-- type: boolean\n-- description: x\nemail_open_ct > 0"
    )
    assert built(store, fields_dir=tmp_path / "f").anew is None
    assert built(store, fields_dir=tmp_path / "f").anew == 0


def test_a_moment_before_the_profiles_is_a_whole_build(store):
    with store.open("acme") as con:
        con.execute("update pulls set started_at = started_at - interval 1 day")
        assert built(store).anew is None
        assert built(store).as_of == (PULLED - DAY).replace(tzinfo=UTC)
