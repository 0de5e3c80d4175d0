"""The consent rules, line by line: strict refuses, permissive accepts and records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NEVER_SUBSCRIBED = ("donotcontact", "bounced", "deleted", "pending", "invitable")
MAY_BE_ASKED = ("pending", "invitable")
LEFT_AGAIN = ("normal", "pending")


def with_status(twin: Any, status: str, email: str = "ada@example.com") -> int:
    """A person whose status the service itself has set."""
    contact = twin.person(email)
    twin.sql("update contacts set status = ? where contact_id = ?", status, contact)
    return contact


@pytest.fixture
def permissive(make_twin: Callable[..., Any]) -> Any:
    return make_twin(consent="permissive")


@pytest.mark.parametrize("status", NEVER_SUBSCRIBED)
def test_strict_subscribes_nobody_of_such_a_status(twin, status):
    contact, news = with_status(twin, status), twin.new_list()
    for became in ("normal",) if status in MAY_BE_ASKED else ("normal", "pending"):
        body = twin.on_list(contact, news, became)
        assert (body["subscriptions"], len(body["warnings"])) == (None, 1)
    assert twin.get("/subscriptions")["total"] == 0
    assert twin.violations() == []


@pytest.mark.parametrize("status", NEVER_SUBSCRIBED)
def test_permissive_subscribes_them_and_records_it(permissive, status):
    contact, news = with_status(permissive, status), permissive.new_list()
    assert permissive.on_list(contact, news)["subscriptions"][0]["status"] == "normal"
    assert permissive.violations() == [("subscribed", contact, news, status, "normal")]


@pytest.mark.parametrize("status", MAY_BE_ASKED)
def test_somebody_unconfirmed_may_be_asked_to_confirm(make_twin, status):
    for consent in ("strict", "permissive"):
        twin = make_twin(consent=consent)
        contact, news = with_status(twin, status), twin.new_list()
        assert twin.on_list(contact, news, "pending")["subscriptions"][0]["status"] == "pending"
        assert twin.violations() == []


def test_no_client_confirms_for_the_person_who_was_asked(make_twin):
    strict = make_twin()
    contact, news = strict.person(), strict.new_list()
    strict.on_list(contact, news, "pending")
    path = f"/subscriptions/{news}_{contact}"
    assert strict.post(path, {"status": "normal"})["subscription"]["status"] == "pending"
    permissive = make_twin(consent="permissive")
    contact, news = permissive.person(), permissive.new_list()
    permissive.on_list(contact, news, "pending")
    permissive.post(f"/subscriptions/{news}_{contact}", {"status": "normal"})
    assert permissive.violations() == [("confirmed", contact, news, "pending", "normal")]


@pytest.mark.parametrize("became", LEFT_AGAIN)
def test_strict_brings_nobody_back_to_a_list_they_left(twin, became):
    contact, news = twin.person(), twin.new_list()
    twin.on_list(contact, news)
    path = f"/subscriptions/{news}_{contact}"
    twin.post(path, {"status": "unsubscribed"})
    assert twin.on_list(contact, news, became)["subscriptions"] is None
    body = twin.post(path, {"status": became})
    assert (body["subscription"]["status"], len(body["warnings"])) == ("unsubscribed", 1)
    assert twin.get(path)["subscription"]["status"] == "unsubscribed"


@pytest.mark.parametrize("became", LEFT_AGAIN)
def test_permissive_brings_them_back_and_records_it(permissive, became):
    contact, news = permissive.person(), permissive.new_list()
    permissive.on_list(contact, news, "unsubscribed")
    path = f"/subscriptions/{news}_{contact}"
    assert permissive.post(path, {"status": became})["subscription"]["status"] == became
    assert permissive.violations() == [("rejoined", contact, news, "unsubscribed", became)]


def test_putting_someone_on_a_list_for_the_first_time_is_no_violation(permissive):
    contact, news = permissive.person(), permissive.new_list()
    permissive.on_list(contact, news, "normal")
    permissive.on_list(contact, news, "normal")
    permissive.on_list(contact, permissive.new_list(), "pending")
    assert permissive.violations() == []


@pytest.mark.parametrize("status", NEVER_SUBSCRIBED)
def test_taking_such_people_off_a_list_is_allowed_in_both(make_twin, status):
    for consent in ("strict", "permissive"):
        twin = make_twin(consent=consent)
        contact, news = with_status(twin, status), twin.new_list()
        assert "warnings" not in twin.on_list(contact, news, "unsubscribed")
        assert twin.violations() == []


@pytest.mark.parametrize("status", ["donotcontact", "bounced", "deleted", "pending", "invitable"])
def test_a_status_is_lifted_by_no_client(make_twin, status):
    strict = make_twin()
    contact = with_status(strict, status)
    assert strict.ask("POST", f"/contacts/{contact}", {"status": "normal"}).status == 400
    assert strict.get(f"/contacts/{contact}")["contact"]["status"] == status
    permissive = make_twin(consent="permissive")
    contact = with_status(permissive, status)
    assert permissive.post(f"/contacts/{contact}", {"status": "normal"})["contact"]["status"] == "normal"
    assert permissive.violations() == [("lifted", contact, None, status, "normal")]


@pytest.mark.parametrize("status", ["pending", "invitable", "deleted"])
def test_a_frozen_status_takes_no_other_either(twin, status):
    contact = with_status(twin, status)
    assert twin.ask("POST", f"/contacts/{contact}", {"status": "donotcontact"}).status == 400


def test_a_bounced_contact_may_still_ask_not_to_be_contacted(twin):
    contact = with_status(twin, "bounced")
    assert (
        twin.post(f"/contacts/{contact}", {"status": "donotcontact"})["contact"]["status"] == "donotcontact"
    )


def test_naming_the_present_status_is_no_change(twin):
    contact = with_status(twin, "donotcontact")
    assert (
        twin.post(f"/contacts/{contact}", {"status": "donotcontact", "city": "Cary"})["contact"]["city"]
        == "Cary"
    )


def test_a_batch_that_lifts_a_status_loses_that_row_only(twin):
    with_status(twin, "donotcontact")
    body = twin.post(
        "/contacts", [{"email": "ada@example.com", "status": "normal"}, {"email": "bo@example.com"}]
    )
    assert [row["email"] for row in body["contacts"]] == ["bo@example.com"]
    assert len(body["warnings"]) == 1


@pytest.mark.parametrize("status", ["donotcontact", "bounced", "pending", "invitable"])
def test_an_address_made_anew_is_still_the_same_person(make_twin, status):
    strict = make_twin()
    strict.delete(f"/contacts/{with_status(strict, status)}")
    again = strict.person("Ada@Example.com")
    assert strict.get(f"/contacts/{again}")["contact"]["status"] == status
    permissive = make_twin(consent="permissive")
    permissive.delete(f"/contacts/{with_status(permissive, status)}")
    again = permissive.person("Ada@Example.com")
    assert permissive.get(f"/contacts/{again}")["contact"]["status"] == "normal"
    assert permissive.violations() == [("lifted", again, None, status, "normal")]


def left(twin: Any) -> tuple[int, int]:
    contact, news = twin.person(), twin.new_list()
    twin.on_list(contact, news)
    twin.post(f"/subscriptions/{news}_{contact}", {"status": "unsubscribed"})
    return contact, news


def test_whoever_left_and_is_made_anew_has_still_left(make_twin):
    strict = make_twin()
    contact, news = left(strict)
    strict.delete(f"/contacts/{contact}")
    assert strict.on_list(strict.person(), news)["subscriptions"] is None
    permissive = make_twin(consent="permissive")
    contact, news = left(permissive)
    permissive.delete(f"/contacts/{contact}")
    again = permissive.person()
    permissive.on_list(again, news)
    assert permissive.violations() == [("rejoined", again, news, "unsubscribed", "normal")]


def test_whoever_left_and_was_moved_away_has_still_left(permissive):
    contact, news = left(permissive)
    deals = permissive.new_list("Deals")
    permissive.put(f"/subscriptions/{news}_{contact}", {"listId": deals})
    assert permissive.violations() == []
    permissive.on_list(contact, news)
    assert permissive.violations() == [("rejoined", contact, news, "unsubscribed", "normal")]


def test_whoever_left_and_got_another_address_has_still_left(permissive):
    contact, news = left(permissive)
    permissive.post(f"/contacts/{contact}", {"email": "new@example.com"})
    again = permissive.person("ada@example.com")
    permissive.on_list(again, news)
    assert permissive.violations() == [("rejoined", again, news, "unsubscribed", "normal")]


def test_a_move_onto_a_list_someone_left_is_refused_or_recorded(make_twin):
    for consent in ("strict", "permissive"):
        twin = make_twin(consent=consent)
        contact, news = left(twin)
        deals = twin.new_list("Deals")
        twin.on_list(contact, deals)
        body = twin.put(f"/subscriptions/{deals}_{contact}", {"listId": news})
        if consent == "strict":
            assert (body["subscription"]["listId"], len(body["warnings"])) == (str(deals), 1)
            assert twin.get(f"/subscriptions/{news}_{contact}")["subscription"]["status"] == "unsubscribed"
            assert twin.violations() == []
        else:
            assert body["subscription"]["listId"] == str(news)
            assert twin.violations() == [("rejoined", contact, news, "unsubscribed", "normal")]


def test_an_address_that_asked_for_peace_is_given_to_nobody_else(make_twin):
    for consent in ("strict", "permissive"):
        twin = make_twin(consent=consent)
        twin.delete(f"/contacts/{with_status(twin, 'donotcontact')}")
        other = twin.person("bo@example.com")
        found = twin.ask("POST", f"/contacts/{other}", {"email": "ada@example.com"})
        assert found.status == (400 if consent == "strict" else 200)
        assert len(twin.violations()) == (0 if consent == "strict" else 1)


def test_an_upload_obeys_and_records_the_same_rules(make_twin):
    for consent in ("strict", "permissive"):
        twin = make_twin(consent=consent)
        contact, news = left(twin)
        upload = twin.post("/uploads", [{"action": "add", "listIds": str(news)}])["uploads"][0]["uploadId"]
        twin.ask("PUT", f"/uploads/{upload}/data", raw=b"[email]\nada@example.com\n")
        expected = [] if consent == "strict" else [("rejoined", contact, news, "unsubscribed", "normal")]
        assert twin.violations() == expected


steps = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "move", "delete", "rename", "dnc", "normal"]),
        st.integers(0, 1),
        st.integers(0, 1),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_strict_never_shows_a_violation_whatever_the_order_of_commands(make_twin, steps):
    twin = make_twin()
    lists = [twin.new_list("A"), twin.new_list("B")]
    for what, who, where in steps:
        contact, there = twin.person(f"p{who}@example.com"), f"/subscriptions/{lists[where]}_"
        if what == "join":
            twin.on_list(contact, lists[where])
        elif what == "leave":
            twin.on_list(contact, lists[where], "unsubscribed")
        elif what == "move":
            twin.ask("PUT", f"{there}{contact}", {"listId": lists[1 - where]})
        elif what == "delete":
            twin.delete(f"/contacts/{contact}")
        elif what == "rename":
            twin.ask("POST", f"/contacts/{contact}", {"email": f"r{where}@example.com"})
        else:
            twin.ask("POST", f"/contacts/{contact}", {"status": {"dnc": "donotcontact"}.get(what, what)})
    assert twin.violations() == []
