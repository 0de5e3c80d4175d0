"""Contacts: pages, searches, upsert, merge, replace, delete, history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BLANK = {
    "contactId": "70001",
    "prefix": "",
    "firstName": "",
    "lastName": "",
    "suffix": "",
    "street": "",
    "street2": "",
    "city": "",
    "state": "",
    "postalCode": "",
    "phone": "",
    "fax": "",
    "business": "",
    "email": "ada@example.com",
    "createDate": "2026-03-02 09:15:00",
    "bounceCount": "",
    "status": "normal",
}


def emails(body: Any) -> list[str]:
    return [row["email"] for row in body["contacts"]]


def test_a_create_echoes_empty_text_and_a_read_gives_null(twin):
    made = twin.post("/contacts", [{"email": "ada@example.com"}])
    assert made == {"contacts": [BLANK]}
    assert list(made["contacts"][0]) == list(BLANK)
    read = twin.get("/contacts/70001")["contact"]
    assert {name: read[name] for name in ("firstName", "bounceCount", "fax")} == {
        "firstName": None,
        "bounceCount": None,
        "fax": None,
    }
    assert (read["contactId"], read["createDate"], read["status"]) == (
        "70001",
        "2026-03-02 09:15:00",
        "normal",
    )


def test_rows_without_an_address_are_warnings_not_errors(twin):
    body = twin.post("/contacts", [{"email": "ada@example.com"}, {"firstName": "Nobody"}])
    assert emails(body) == ["ada@example.com"]
    assert body["warnings"] == [
        "You did not provide an email field, which is required. Please provide an email field"
    ]
    assert twin.post("/contacts", [{}]) == {"contacts": None, "warnings": body["warnings"]}


def test_posting_a_known_address_keeps_the_id_and_blanks_what_is_not_given(twin):
    first = twin.person("ada@example.com", firstName="Ada", city="Durham")
    body = twin.post("/contacts", [{"email": "ADA@example.com", "firstName": "Augusta"}])
    assert body["contacts"][0]["contactId"] == str(first)
    assert (body["contacts"][0]["firstName"], body["contacts"][0]["city"]) == ("Augusta", "")


@pytest.mark.parametrize(("switch", "city"), [("merge", "Durham"), ("replace", "")])
def test_a_posted_row_with_its_id_updates(make_twin: Callable[..., Any], switch, city):
    twin = make_twin(bulk_update=switch)
    contact = twin.person(firstName="Ada", city="Durham")
    row = twin.post("/contacts", [{"contactId": contact, "firstName": "Augusta"}])["contacts"][0]
    assert (row["email"], row["firstName"], row["city"]) == ("ada@example.com", "Augusta", city)


def test_member_post_merges_and_member_put_erases(twin):
    contact = twin.person(firstName="Ada", lastName="Byron", city="Durham")
    merged = twin.post(f"/contacts/{contact}", {"lastName": "Lovelace"})["contact"]
    assert (merged["firstName"], merged["lastName"], merged["city"]) == ("Ada", "Lovelace", "Durham")
    replaced = twin.put(f"/contacts/{contact}", {"email": "al@example.com"})["contact"]
    assert (replaced["email"], replaced["firstName"], replaced["city"]) == ("al@example.com", "", "")
    assert replaced["status"] == "normal"


def test_null_for_an_optional_field_is_no_error_and_no_change(twin):
    contact = twin.person(firstName="Ada")
    assert (
        twin.post(f"/contacts/{contact}", {"firstName": None, "city": "Cary"})["contact"]["firstName"]
        == "Ada"
    )


def test_an_empty_text_blanks_one_field(twin):
    contact = twin.person(firstName="Ada", city="Cary")
    assert twin.post(f"/contacts/{contact}", {"firstName": ""})["contact"]["firstName"] == ""
    assert twin.get(f"/contacts/{contact}")["contact"]["city"] == "Cary"


def test_a_deleted_contact_answers_by_id_and_in_no_search(twin):
    contact = twin.person()
    assert twin.delete(f"/contacts/{contact}") == []
    assert twin.get(f"/contacts/{contact}")["contact"]["status"] == "deleted"
    assert twin.get("/contacts", status="total") == {"contacts": [], "limit": 20, "offset": 0, "total": 0}
    assert twin.get("/contacts", contactId=contact)["contacts"] == []
    assert twin.ask("DELETE", f"/contacts/{contact}").status == 404
    assert twin.person() != contact


def test_status_deleted_and_other_states_cannot_be_written(twin):
    contact = twin.person()
    for status in ("deleted", "bounced", "Normal"):
        refused = twin.ask("POST", f"/contacts/{contact}", {"status": status})
        assert (refused.status, refused.body) == (
            400,
            {
                "errors": [
                    "The status value you provided was not valid. status can be either donotcontact or normal. "
                    "Please provide a valid status"
                ]
            },
        )
    assert twin.post("/contacts", [{"email": "b@example.com", "status": "pending"}])["contacts"] is None


def test_a_plain_read_lists_only_people_on_a_list(twin):
    listed, unlisted, left = (
        twin.person("a@example.com"),
        twin.person("b@example.com"),
        twin.person("c@example.com"),
    )
    news = twin.new_list()
    twin.on_list(listed, news)
    twin.on_list(left, news)
    twin.post(f"/subscriptions/{news}_{left}", {"status": "unsubscribed"})
    assert emails(twin.get("/contacts")) == ["a@example.com"]
    assert emails(twin.get("/contacts", status="unlisted")) == ["b@example.com", "c@example.com"]
    assert twin.get("/contacts", status="total")["total"] == 3
    assert twin.get("/contacts", status="Total")["total"] == 3
    # a filter lifts the rule: clients search for people they have just created
    assert emails(twin.get("/contacts", contactId=unlisted)) == ["b@example.com"]
    assert emails(twin.get("/contacts", email="b*")) == ["b@example.com"]


@pytest.mark.parametrize(
    ("rule", "plain", "filtered"), [("always", 0, 0), ("unfiltered", 0, 1), ("never", 1, 1)]
)
def test_the_listed_rule_is_on_a_switch(make_twin: Callable[..., Any], rule, plain, filtered):
    twin = make_twin(listed_rule=rule)
    twin.person("a@example.com")
    assert twin.get("/contacts")["total"] == plain
    assert twin.get("/contacts", email="a@example.com")["total"] == filtered


def test_a_contacts_status_filters(twin):
    twin.person("a@example.com")
    twin.person("b@example.com", status="donotcontact")
    assert emails(twin.get("/contacts", status="donotcontact")) == ["b@example.com"]
    assert emails(twin.get("/contacts", status="normal,donotcontact")) == ["a@example.com", "b@example.com"]
    assert twin.get("/contacts", status="deleted")["total"] == 0
    assert twin.get("/contacts", status="")["total"] == 0


def test_the_list_filter_gives_the_members_of_a_list(twin):
    one, two = twin.person("a@example.com"), twin.person("b@example.com")
    news, deals = twin.new_list("News"), twin.new_list("Deals")
    twin.on_list(one, news)
    twin.on_list(two, deals)
    twin.on_list(two, news)
    twin.post(f"/subscriptions/{news}_{two}", {"status": "unsubscribed"})
    assert emails(twin.get("/contacts", listId=news)) == ["a@example.com"]
    assert twin.get("/contacts", listId=f"{news},{deals}")["total"] == 2
    assert twin.get("/contacts", listId="")["total"] == 0
    assert twin.get("/contacts", listId="news")["total"] == 0


def test_searches_take_wildcards_lists_and_comparisons(twin):
    for n, city in enumerate(("Durham", "Cary", "Dunn")):
        twin.clock[0] += 86_400
        twin.person(f"p{n}@example.com", city=city, lastName=f"L{n}")
    search = lambda **terms: emails(twin.get("/contacts", **terms))  # noqa: E731
    assert search(city="du*") == ["p0@example.com", "p2@example.com"]
    assert search(city="cary") == ["p1@example.com"]
    assert search(city="Cary,Dunn") == ["p1@example.com", "p2@example.com"]
    assert search(city="") == []
    assert search(lastName="L1", lastNameSearchType="gt") == ["p2@example.com"]
    assert search(contactId="70001,70002", contactIdSearchType="bet") == ["p0@example.com", "p1@example.com"]
    assert search(createDate="2026-03-03,2026-03-04", createDateSearchType="bet") == [
        "p0@example.com",
        "p1@example.com",
    ]
    assert search(createDate="2026-03-03", createDateSearchType="gt") == ["p1@example.com", "p2@example.com"]
    assert search(createDate="2026-03-03T09:15:00-05:00") == ["p0@example.com"]
    assert search(createDate="2026-03-03T14:15:00+00:00", createDateSearchType="lte") == ["p0@example.com"]
    assert search(createDate="yesterday") == []
    assert search(city="du*", lastName="L2") == ["p2@example.com"]


def test_percent_and_underscore_are_no_wildcards(twin):
    twin.person("a_b@example.com")
    twin.person("acb@example.com")
    assert emails(twin.get("/contacts", email="a_*")) == ["a_b@example.com"]
    assert emails(twin.get("/contacts", email="%")) == []


def test_an_unknown_term_is_ignored_with_the_services_own_warning(twin):
    twin.person()
    body = twin.get("/contacts", status="total", unlisted="true", listID="3")
    assert body["total"] == 1
    assert body["warnings"] == [
        "The data you received may not be what you expected. This happened because your request contained terms "
        "which could not be recognized and so were ignored (unlisted, listID).\nYou can do either of the following: "
        "ignore this warning and continue, or make a new request using terms listed in the API documentation."
    ]


def test_custom_fields_cannot_be_searched_on(twin):
    twin.post("/customfields", [{"privateName": "tier", "displayToUser": 0, "fieldType": "text"}])
    twin.person(tier="gold")
    assert "tier" in twin.get("/contacts", status="total", tier="lead")["warnings"][0]


def test_order_and_pages(twin):
    for name in ("b", "a", "d", "c"):
        twin.person(f"{name}@example.com", lastName=name, firstName="x")
    body = twin.get("/contacts", status="total", orderby="firstName,lastName:desc", limit=2, offset=1)
    assert emails(body) == ["c@example.com", "b@example.com"]
    assert (body["limit"], body["offset"], body["total"]) == (2, 1, 4)
    assert twin.get("/contacts", status="total", offset=4)["contacts"] == []
    assert "orderby shoeSize" in twin.get("/contacts", status="total", orderby="shoeSize")["warnings"][0]


def test_twenty_rows_unless_asked_and_never_more_than_20000(twin):
    twin.post("/contacts", [{"email": f"p{n}@example.com"} for n in range(30)])
    assert len(twin.get("/contacts", status="total")["contacts"]) == 20
    body = twin.get("/contacts", status="total", limit=50_000)
    assert (len(body["contacts"]), body["limit"]) == (30, 20_000)


def test_a_page_size_cap_shows_clients_that_trust_their_limit(make_twin: Callable[..., Any]):
    twin = make_twin(page_size_cap=5)
    twin.post("/contacts", [{"email": f"p{n}@example.com"} for n in range(8)])
    body = twin.get("/contacts", status="total", limit=1000)
    assert (len(body["contacts"]), body["limit"], body["total"]) == (5, 5, 8)


def test_another_programs_edit_moves_the_total_at_once(twin):
    twin.person()
    assert twin.get("/contacts", status="total")["total"] == 1
    twin.sql("update contacts set status = 'deleted'")
    assert twin.get("/contacts", status="total")["total"] == 0


def test_state_is_ten_letters_long(twin):
    contact = twin.person(state="North Carolina")
    assert twin.get(f"/contacts/{contact}")["contact"]["state"] == "North Caro"


def test_an_address_may_hold_a_star_and_not_a_blank(twin):
    assert twin.person("st*r@example.com")
    assert twin.post("/contacts", [{"email": "no at"}, {"email": "a b@example.com"}])["contacts"] is None


def test_two_contacts_cannot_be_given_one_address(twin):
    twin.person("ada@example.com")
    other = twin.person("bo@example.com")
    assert twin.ask("POST", f"/contacts/{other}", {"email": "Ada@example.com"}).status == 400
    assert twin.get(f"/contacts/{other}")["contact"]["email"] == "bo@example.com"


def test_history_tells_what_happened_newest_first(twin):
    contact = twin.person(firstName="Ada")
    news = twin.new_list()
    twin.clock[0] += 70
    twin.on_list(contact, news)
    twin.clock[0] += 10
    twin.post(f"/contacts/{contact}", {"firstName": "Augusta", "status": "donotcontact"})
    body = twin.get(f"/contacts/{contact}/actions/")
    assert (body["limit"], body["offset"], body["total"]) == (20, 0, 4)
    assert [row["actionType"] for row in body["actions"]] == [
        "EditFields",
        "EditStatus",
        "EditSubscription",
        "AddContact",
    ]
    assert body["actions"][0]["details"] == {"firstName": "Augusta"}
    assert body["actions"][2] == {
        "actionType": "EditSubscription",
        "actionTime": "2026-03-02T09:16:10-0500",
        "actor": "40711",
        "details": {"listId": str(news), "newStatus": "normal"},
    }
    assert body["actions"][3]["details"] == []  # PHP's empty array
    actions = f"/contacts/{contact}/actions"
    assert twin.get(actions, actionType="EditStatus,AddContact")["total"] == 2
    assert twin.get(actions, actor="user")["total"] == 4
    assert twin.get(actions, actor="system")["total"] == 0
    assert twin.get(actions, actor="")["total"] == 0
    assert twin.get(actions, actor="40711")["total"] == 0
    assert twin.ask("GET", "/contacts/7/actions").status == 404


def test_inline_subscriptions_are_taken_and_echoed(twin):
    news = twin.new_list()
    given = {
        "email": "ada@example.com",
        "subscriptions": [{"email": "ada@example.com", "listId": news, "status": "normal"}],
    }
    body = twin.post("/contacts", [given])
    assert body["contacts"][0]["subscriptions"][0]["listId"] == news
    assert twin.get("/subscriptions", listId=news)["total"] == 1
    unknown = [{"email": "bo@example.com", "subscriptions": [{"listId": 9, "status": "normal"}]}]
    refused = twin.post("/contacts", unknown)
    assert refused["contacts"][0]["subscriptions"] == []
    assert len(refused["warnings"]) == 1
