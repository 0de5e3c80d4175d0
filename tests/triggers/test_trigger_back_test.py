"""How often a trigger would have fired: by the points' ledger, by kept snapshots, or counted week by week (M-22, M-23)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from accounts import CLOCK, PULLED, add, contact, event, store_at
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.audience import Audience, People
from icx.audience import save as save_audience
from icx.errors import BadInput
from icx.fields import Catalogue, Field
from icx.profile import build
from icx.profile.catalogue import catalogue
from icx.rules import Compare, InAudience
from icx.settings import Settings
from icx.store import Store
from icx.triggers import Do, Trigger
from icx.triggers.backtest import back_test

HOT = Trigger("Hot", Compare("points", ">=", 20), Do("push", list="acme/lists/Hot"), connection="acme")
Line = tuple[int, datetime, int, str | None]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three people: 1 opened three times two weeks ago, 2 opened twice yesterday, 3 is new and did nothing."""
    store = store_at(tmp_path_factory.mktemp("back"))
    with store.open("acme") as con:
        contact(con, 1, city="Durham")
        contact(con, 2, city="Durham")
        contact(con, 3, city="Cary", create_date=PULLED - timedelta(days=3))
        for days in (15, 16, 17):
            event(con, 1, "open", PULLED - timedelta(days=days), 5)
        for hours in (20, 22):
            event(con, 2, "open", PULLED - timedelta(hours=hours), 5)
    build(store, "acme", settings=Settings(), fields_dir=None, clock=CLOCK)
    save_audience(store.path.parent / "audiences", Audience("Often", Compare("opens_30d", ">=", 2), "acme"))
    with store.open("acme") as con:
        con.execute(
            "alter table profile_rows add column points bigint; create or replace view profile as from profile_rows"
        )
    return store


def people(store: Store) -> People:
    found = [*catalogue(store, "acme").values(), Field("points", "integer", "points", "", "points")]
    return People(store, "acme", Catalogue(found), store.path.parent / "audiences")


def by_hand(lines: list[Line], trigger: Trigger, start: datetime) -> list[int]:
    """Who would have fired, in plain Python: the sum after each moment, side by side with the one before."""
    found = []
    for who in {line[0] for line in lines}:
        total, side = 0, None
        for at in sorted({line[1] for line in lines if line[0] == who}):
            total += sum(amount for one, then, amount, _ in lines if (one, then) == (who, at))
            before, side = side, total >= 20
            crossed = (before is True and not side) if trigger.downward else (side and not before)
            if crossed and at > start and not (trigger.fires == "contact" and who in found):
                found.append(who)
    return sorted(found)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), fires=st.sampled_from(["contact", "crossing"]), fell=st.booleans())
def test_the_ledgers_dates_tell_each_crossing_of_points_m22(
    store: Store, seed: int, fires: str, fell: bool
) -> None:
    draw = random.Random(seed)
    trigger = replace(HOT, fires=fires, when=Compare("points", "<" if fell else ">=", 20))
    lines: list[Line] = [
        (
            draw.randint(1, 3),
            PULLED - timedelta(days=draw.randint(0, 40)),
            draw.choice([5, 15, 30, -10, -30]),
            None,
        )
        for _ in range(draw.randint(0, 25))
    ]
    with store.open("acme") as con:
        con.execute("delete from points_ledger")
        for who, at, amount, _ in lines:
            add(con, "points_ledger", contact_id=who, action="a", amount=amount, happened_at=at)
    found = back_test(people(store), trigger, 30)
    told = by_hand(lines, trigger, PULLED - timedelta(days=30))
    assert (found.fired, found.people, found.way) == (len(told), len(set(told)), "ledger")
    assert sum(week.fired for week in found.weeks) == found.fired


def test_an_audience_is_counted_week_by_week_until_snapshots_tell_it_m23(store: Store) -> None:
    entering = replace(HOT, when=InAudience("in", "Often"))
    found = back_test(people(store), entering, 28)
    assert (found.fired, found.people, found.way, found.already) == (2, 2, "counted", 2)
    assert [week.fired for week in found.weeks] == [0, 1, 0, 1]
    assert found.headline == "would have fired 2 times in 28 days, for 2 people"
    assert back_test(people(store), replace(entering, fires="each"), 28).fired == 4
    assert back_test(people(store), replace(HOT, when=InAudience("notIn", "Often")), 28).fired == 0
    assert back_test(people(store), replace(HOT, when=Compare("opens_30d", ">=", 2)), 28).fired == 2
    assert "points as today" in back_test(people(store), replace(HOT, fires="each"), 28).notes[0]
    with store.open("acme") as con:
        for days, members in ((27, [1]), (20, [1, 3]), (13, [3]), (6, [2, 3]), (1, [3])):
            taken = PULLED - timedelta(days=days)
            add(
                con,
                "shared.snapshots",
                connection="acme",
                audience="Often",
                taken_at=taken,
                as_of=taken,
                size=1,
            )
            for one in members:
                row: dict[str, Any] = {
                    "connection": "acme",
                    "audience": "Often",
                    "taken_at": taken,
                    "as_of": taken,
                }
                add(con, "shared.member_snapshots", **row, contact_id=one)
    told = back_test(people(store), entering, 28)
    assert (told.fired, told.people, told.way) == (2, 2, "snapshots")
    assert "told by 5 kept snapshots" in told.text()
    assert back_test(people(store), replace(HOT, when=InAudience("notIn", "Often")), 28).fired == 2


def test_a_back_test_of_no_day_is_refused_and_shows_itself(store: Store) -> None:
    with pytest.raises(BadInput, match="looks 1 to"):
        back_test(people(store), HOT, 0)
    shown = back_test(people(store), HOT, 30)._repr_html_()
    assert "times it would have fired in 30 days" in shown
    assert "<script" not in shown
