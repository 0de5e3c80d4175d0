"""Point actions: how they are kept (M-33), what earns them (M-34 to M-36), and what the ledger says of it (M-37)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import histories
import pytest
from accounts import CLOCK, PULLED, add, contact, event, send, store_at
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.errors import BadInput, IcxError
from icx.points import Action, Score, everything, fitting, from_data, load, remove, save
from icx.points.action import as_json, no_circle
from icx.points.backtest import back_test, change
from icx.points.book import Book
from icx.points.ledger import of_person, recount, standings
from icx.profile import Build, build
from icx.profile.catalogue import catalogue
from icx.rules import Compare, Event, InAudience, Link, OnList
from icx.settings import Settings
from icx.store import Store

PRICING = Action("Pricing", 10, Event("click", url=Link("contains", "/pricing")), each=True, group="interest")
DURHAM = Action("Durham", 3, Compare("city", "=", "Durham"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two people: 1 clicked pricing twice and opened one message three times, 2 once, with a machine."""
    store = store_at(tmp_path)
    with store.open("acme") as con:
        contact(con, 1, city="Durham", email="jo@example.com")
        contact(con, 2)
        for hours in (1, 2):
            event(con, 1, "click", ago(hours=hours), 5, "https://example.com/pricing?u=jo@example.com")
        for days in (1, 2, 40):
            event(con, 1, "open", ago(days=days), 5)
        send(con, 1, 6, ago(days=3), [3004])
        event(con, 2, "click", ago(days=3), 6, "https://example.com/pricing")
        add(con, "messages", message_id=5, subject="Autumn sale")
    return store


def ago(**span: float) -> Any:
    return PULLED - timedelta(**span)


def built(store: Store, *actions: Action, **options: Any) -> Build:
    score = Score(actions, histories.lookup)
    return build(
        store,
        "acme",
        **{"settings": Settings(), "fields_dir": None, "clock": CLOCK, "totals": score} | options,
    )


def told(store: Store, who: int = 1) -> list[tuple[str, int, str]]:
    with store.open("acme") as con:
        ledger = of_person(con, "acme", who, histories.ZONE)
    return [(line.action, line.amount, line.earned()) for line in ledger.lines]


def book(store: Store) -> Book:
    return Book(
        store, "acme", catalogue(store, "acme"), histories.lookup, lambda names: names, histories.ZONE
    )


# --- M-33: an action is a file


kept = st.builds(
    Action,
    name=st.text(min_size=1, max_size=20),
    amount=st.integers(-1_000_000, 1_000_000),
    earns=st.sampled_from(
        [PRICING.earns, DURHAM.earns, InAudience("in", "Often"), DURHAM.earns & ~PRICING.earns]
    ),
    each=st.booleans(),
    group=st.sampled_from(["", "interest", "g_2"]),
    since=st.sampled_from(["", "2026-03-01"]),
    until=st.sampled_from(["", "2026-03-01", "2026-04-01T12:00:00Z"]),
    machines=st.booleans(),
    description=st.text(max_size=20),
)


@settings(max_examples=25)
@given(action=kept)
def test_an_action_is_read_as_it_was_written_m33(action: Action) -> None:
    try:
        action = fitting(action)
    except BadInput:
        return
    assert from_data(json.loads(json.dumps(as_json(action))), "x.json") == action


def test_actions_are_files_by_name_and_one_that_cannot_be_read_is_not_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "points"
    save(folder, PRICING)
    path = save(folder, DURHAM)
    assert everything(folder) == [DURHAM, PRICING]
    with pytest.raises(BadInput, match="differ in case alone") as same:
        save(folder, fitting(Action("durham", 1, DURHAM.earns)))
    assert same.value.code == "points-value"
    path.write_text('{"name": "Durham", "amount": 3')
    with pytest.raises(BadInput, match="cannot be read as a point action") as error:
        everything(folder)
    assert (error.value.code, error.value.next) == (
        "points-file",
        ["mend Durham.json, or take it from the folder; then the same command"],
    )


def test_an_action_has_one_file_however_that_is_called(tmp_path: Path) -> None:
    path = save(tmp_path / "points", PRICING)
    by_hand = path.rename(path.with_name("by hand.json"))
    more = replace(PRICING, amount=20)
    assert save(by_hand.parent, more) == by_hand
    assert everything(by_hand.parent) == [more]
    path.write_text(by_hand.read_text())  # counted together they would give everything twice
    with pytest.raises(BadInput, match="both would give its points") as error:
        everything(by_hand.parent)
    assert (error.value.code, error.value.where_text()) == ("points-file", "Pricing.json, by hand.json")
    path.unlink()
    assert (remove(by_hand.parent, "Pricing"), everything(by_hand.parent)) == (by_hand, [])


def test_an_action_that_is_not_there_or_rests_on_points_is_named(tmp_path: Path) -> None:
    save(tmp_path / "points", PRICING)
    with pytest.raises(BadInput, match="Nearest: Pricing") as error:
        load(tmp_path / "points", "Prcing")
    assert (error.value.code, error.value.next) == ("points-unknown", [["icx", "points", "show", "Pricing"]])
    with pytest.raises(BadInput, match="by points themselves") as error:
        no_circle("Rich", {"city", "points_interest"})
    assert error.value.code == "points-circle"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": 0}, "0 is not"),
        ({"amount": 1.5}, "1.5 is not"),
        ({"amount": True}, "True is not"),
        ({"amount": "10"}, '"10" is not'),
        ({"group": "Über"}, '"Über" is not'),
        ({"since": "2026-04-01", "until": "2026-03-01"}, "end before it begins"),
        ({"since": "March"}, "no date and no time"),
        ({"each": "yes"}, "`each` is true or false"),
        ({"repeat": "always"}, "no `repeat`"),
        ({"earns": {"field": "@event.open", "operator": ">=", "value": 1, "day": 9}}, "no `day`"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_m33(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(IcxError, match=said) as error:
        from_data(as_json(PRICING) | wrong, "Pricing.json")
    assert error.value.where_text().startswith(("Pricing.json", "action Pricing"))
    assert error.value.kept
    assert error.value.next


# --- M-34, M-35: earned by events, once, each time, once a message, between dates


def test_each_event_is_a_line_that_cites_it_and_a_machines_click_is_none_m34(store: Store) -> None:
    built(store, PRICING, Action("Also machines", 1, PRICING.earns, machines=True))
    cited = "click in message 5 “Autumn sale”: https://example.com/pricing?u=jo@example.com"
    assert told(store) == [("Also machines", 1, cited), ("Pricing", 10, cited), ("Pricing", 10, cited)]
    assert told(store, 2) == [("Also machines", 1, "click in message 6: https://example.com/pricing")]
    with store.open("acme") as con:
        line = of_person(con, "acme", 1).lines[0]
    assert "jo@example.com" not in line.earned(show_people=False)


def test_an_action_is_earned_once_each_time_or_once_a_message_m35(store: Store) -> None:
    with store.open("acme") as con:
        event(con, 1, "open", ago(days=3), 7)
    opened, apart = Event("open"), Event("open", distinct="messages")
    once, each, message = (
        Action("o", 1, opened),
        Action("e", 1, opened, each=True),
        Action("m", 1, apart, each=True),
    )
    built(store, once, each, message)
    found = told(store)
    assert [sum(name == wanted for name, _, _ in found) for wanted in "oem"] == [1, 4, 2]
    assert found[0][2] == "open in message 5 “Autumn sale”"  # the oldest one


def test_dates_are_days_of_the_accounts_zone_both_included_m35(store: Store) -> None:
    with store.open("acme") as con:
        con.execute("delete from icontact_activity")
        for hour in (4, 5):  # New York is five hours behind: the 4th begins there at 5:00 UTC
            for day in (4, 5):
                event(con, 1, "open", PULLED.replace(day=day, hour=hour, minute=0), 5)
    built(store, Action("That day", 1, Event("open"), each=True, since="2026-03-04", until="2026-03-04"))
    with store.open("acme") as con:
        found = [line.happened.strftime("%d %H") for line in of_person(con, "acme", 1).lines]
    assert found == ["04 05", "05 04"]


# --- M-36: earned by a field or an audience


def test_a_field_and_an_audience_are_cited_by_the_build_that_found_them_m36(store: Store) -> None:
    tier = Action("Often", 7, InAudience("in", "Often"), each=True)
    built(store, DURHAM, tier)
    with store.open("acme") as con:
        con.execute("update icontact_users set city = 'Cary'")
        con.execute("delete from icontact_activity")
    built(store, DURHAM, tier)
    with store.open("acme") as con:
        con.execute("update icontact_users set city = 'Durham' where id = 1")
        for _ in range(2):
            event(con, 1, "open", ago(days=1))
    built(store, DURHAM, tier)
    often = ("Often", 7, "found so by build b-1"), ("Often", 7, "found so by build b-3")
    assert told(store) == [("Durham", 3, "found so by build b-1"), *often]


def test_an_action_whose_list_is_gone_waits_and_keeps_what_it_gave(store: Store) -> None:
    listed = Action("Listed", 2, OnList("on", "News"), each=True)
    known = lambda con: histories.lookup().__class__(lists={3004: "News"})  # noqa: E731
    with store.open("acme") as con:
        add(con, "subscriptions", list_id=3004, contact_id=1, status="normal")
    assert built(store, totals=Score([listed], known)).notes == ()
    done = built(store, listed)
    assert done.notes == ('Listed waits: This connection has no list "News".',)
    assert told(store) == [("Listed", 2, "found so by build b-1")]


def test_points_cannot_be_earned_by_points(store: Store, tmp_path: Path) -> None:
    (tmp_path / "twice.sql").write_text("-- name: twice\n-- type: integer\n-- description: x\npoints * 2")
    rich = Action("Rich", 1, Compare("twice", ">", 10))
    done = built(store, PRICING, rich, fields_dir=tmp_path)
    assert done.notes == ("Rich waits: Rich would be earned by points themselves (`points`).",)
    with store.open("acme") as con:  # but a field of one's own may use them
        assert con.execute("select points, points_interest, twice from profile order by 1").fetchall() == [
            (0, 0, 0),
            (20, 20, 40),
        ]


# --- M-37: the ledger


def test_a_late_event_is_counted_and_one_that_is_gone_is_told_m37(store: Store) -> None:
    built(store, PRICING, DURHAM)
    with store.open("acme") as con:
        event(con, 2, "click", ago(days=9), 5, "https://example.com/pricing")  # it came after the build
    again = recount(book(store), [PRICING, DURHAM])
    assert (again.missing, again.extra) == (1, 0)
    assert built(store, PRICING, DURHAM).notes == ()
    assert [line[0] for line in told(store, 2)] == ["Pricing"]
    with store.open("acme") as con:
        con.execute("delete from icontact_activity where event_type = 'click' and contact_id = 1")
    done = built(store, PRICING, DURHAM)
    assert done.notes == ("Pricing: 2 awards fewer, since what earned them is no longer there",)
    assert recount(book(store), [PRICING, DURHAM]).equal


def test_a_changed_or_removed_action_is_told_before_and_after_m37(store: Store) -> None:
    built(store, PRICING, DURHAM)
    less = Action("Pricing", 4, PRICING.earns, group="interest")
    told_before = change(book(store), PRICING, less)
    assert str(told_before) == (
        "2 awards to 1 person, 20 points → 1 award to 1 person, 4 points; the total of 1 person changes"
    )
    assert [one.state for one in standings(book(store), [less]).standings] == ["changed"]
    assert built(store, less).notes == (
        "Pricing reads differently since the last build: 2 awards, now 1 (20 points, now 4 points)",
        "Durham is gone: its 1 award (3 points) no longer count",
    )
    assert standings(book(store), [less]).waiting == []
    built(store, PRICING, DURHAM)  # and back: what builds saw is remembered
    assert told(store)[-1] == ("Durham", 3, "found so by build b-1")


def test_a_past_profile_has_the_points_of_then_and_leaves_the_ledger(store: Store) -> None:
    built(store, PRICING, Action("Opened", 1, Event("open"), each=True))
    built(
        store, PRICING, Action("Opened", 1, Event("open"), each=True), as_of=CLOCK.now() - timedelta(days=20)
    )
    with store.open("acme") as con:
        assert con.execute("select points from profile_at where contact_id = 1").fetchall() == [(1,)]
        assert con.execute("select count(*), sum(amount) from points_ledger").fetchall() == [(5, 23)]


# --- back-test


def test_a_back_test_says_how_often_events_would_have_earned_it(store: Store) -> None:
    built(store)
    found = back_test(book(store), Action("Opened", 2, Event("open"), each=True), 30)
    assert found.headline == "would have fired 2 times in 30 days, for 1 person: 4 points"
    assert [week.fired for week in found.weeks] == [0, 0, 0, 0, 2]
    assert (found.whole.awards, found.whole.points) == (3, 6)
    assert sum(week.fired for week in found.weeks) == found.fired
    with pytest.raises(BadInput, match="1 to 3,660 days back"):
        back_test(book(store), PRICING, 0)


def test_a_back_test_asks_the_past_who_would_have_entered(store: Store) -> None:
    with store.open("acme") as con:
        contact(con, 3, city="Durham", create_date=ago(days=10))
        for days in (45, 44, 9, 8):
            event(con, 2, "open", ago(days=days), 5)
    built(store)
    often = Action("Often", 5, Compare("opens_30d", ">=", 2), each=True)
    found = back_test(book(store), often, 90)
    # 2 opened twice 44 days ago and again 8 days ago, 1 twice in the last two days
    assert (found.fired, found.people, found.as_today) == (3, 2, ())
    here = back_test(book(store), DURHAM, 28)
    assert (here.fired, [week.fired for week in here.weeks], here.as_today) == (1, [0, 0, 1, 0], ("city",))
    assert "city as today" in here.text()
