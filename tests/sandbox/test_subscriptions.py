"""Subscriptions: batch create, status, move."""

from __future__ import annotations

from icx.sandbox.dispatch import Wire, answer


def test_a_create_echoes_ids_in_the_type_sent_and_reads_give_text(twin):
    contact, news = twin.person(), twin.new_list()
    twin.clock[0] += 70
    number = twin.post("/subscriptions", [{"contactId": contact, "listId": news, "status": "normal"}])
    assert number == {
        "subscriptions": [
            {
                "addDate": "2026-03-02T09:16:10-05:00",
                "contactId": contact,
                "listId": news,
                "status": "normal",
                "subscriptionId": f"{news}_{contact}",
            }
        ]
    }
    deals = twin.new_list("Deals")
    text = twin.post(
        "/subscriptions",
        {"subscription": {"contactId": str(contact), "listId": str(deals), "status": "normal"}},
    )
    assert text["subscriptions"][0]["contactId"] == str(contact)
    read = twin.get(f"/subscriptions/{news}_{contact}")["subscription"]
    assert (read["contactId"], read["listId"], read["status"]) == (str(contact), str(news), "normal")


def test_a_batch_takes_the_good_rows_and_warns_of_the_others(twin):
    contact, news = twin.person(), twin.new_list()
    good = {"contactId": contact, "listId": news, "status": "normal"}
    body = twin.post(
        "/subscriptions",
        [
            good,
            good | {"contactId": 9},
            good | {"listId": 9},
            good | {"status": "maybe"},
            {"contactId": contact},
        ],
    )
    assert [row["subscriptionId"] for row in body["subscriptions"]] == [f"{news}_{contact}"]
    assert len(body["warnings"]) == 4
    assert (
        twin.post("/subscriptions", [{"contactId": 9, "listId": news, "status": "normal"}])["subscriptions"]
        is None
    )


def test_subscribing_twice_gives_the_row_and_a_warning(twin):
    contact, news = twin.person(), twin.new_list()
    twin.on_list(contact, news)
    again = twin.on_list(contact, news)
    assert again["subscriptions"][0]["status"] == "normal"
    assert "already" in again["warnings"][0]
    assert twin.get("/subscriptions")["total"] == 1


def test_pending_keeps_the_message_that_asks(twin):
    contact, news = twin.person(), twin.new_list()
    row = {"contactId": contact, "listId": news, "status": "pending", "confirmationMessageId": 7}
    assert twin.post("/subscriptions", [row])["subscriptions"][0]["confirmationMessageId"] == "7"
    assert twin.get("/subscriptions", status="pending")["total"] == 1


def test_unsubscribing_by_member_post_reads_back(twin):
    contact, news = twin.person(), twin.new_list()
    twin.on_list(contact, news)
    assert (
        twin.post(f"/subscriptions/{news}_{contact}", {"status": "unsubscribed"})["subscription"]["status"]
        == "unsubscribed"
    )
    assert twin.get(f"/subscriptions/{news}_{contact}")["subscription"]["status"] == "unsubscribed"


def test_a_move_keeps_the_status_and_leaves_nothing_behind(twin):
    contact, news, deals = twin.person(), twin.new_list("News"), twin.new_list("Deals")
    twin.on_list(contact, news)
    moved = twin.put(f"/subscriptions/{news}_{contact}", {"listId": deals})
    assert moved["subscription"]["subscriptionId"] == f"{deals}_{contact}"
    assert (moved["subscription"]["status"], "warnings" in moved) == ("normal", False)
    old = twin.ask("GET", f"/subscriptions/{news}_{contact}")
    assert (old.status, old.body) == (404, {"errors": ["Not Found"]})
    assert twin.on_list(contact, news)["subscriptions"]


def test_a_move_ignores_other_fields_with_a_warning(twin):
    contact, news, deals = twin.person(), twin.new_list("News"), twin.new_list("Deals")
    twin.on_list(contact, news)
    body = twin.put(f"/subscriptions/{news}_{contact}", {"listId": deals, "status": "unsubscribed"})
    assert body["subscription"]["status"] == "normal"
    assert "status" in body["warnings"][0]


def test_a_move_to_nowhere_changes_nothing(twin):
    contact, news = twin.person(), twin.new_list()
    twin.on_list(contact, news)
    assert twin.ask("PUT", f"/subscriptions/{news}_{contact}", {"listId": 9}).status == 400
    assert twin.ask("PUT", f"/subscriptions/{news}_{contact}", {}).status == 400
    assert twin.get(f"/subscriptions/{news}_{contact}")["subscription"]["status"] == "normal"
    assert twin.put(f"/subscriptions/{news}_{contact}", {"listId": news})["subscription"]["listId"] == str(
        news
    )


def test_moving_needs_version_2_2_and_nothing_deletes_a_subscription(twin):
    contact, news, deals = twin.person(), twin.new_list("News"), twin.new_list("Deals")
    twin.on_list(contact, news)
    path = f"/subscriptions/{news}_{contact}"
    assert twin.ask("PUT", path, {"listId": deals}, api_version="2.1").status == 405
    assert twin.ask("DELETE", path).status == 405


def test_filters(twin):
    one, two, news = twin.person("a@example.com"), twin.person("b@example.com"), twin.new_list()
    twin.on_list(one, news)
    twin.on_list(two, news)
    assert twin.get("/subscriptions", contactId=one)["total"] == 1
    assert twin.get("/subscriptions", contactId=f"{one},{two}", listId=news, status="normal")["total"] == 2
    assert twin.get("/subscriptions", subscriptionId=f"{news}_{two}")["subscriptions"][0]["contactId"] == str(
        two
    )
    assert twin.get("/subscriptions", listId="")["total"] == 0


def test_deleting_a_contact_takes_it_off_its_lists(twin):
    contact, news = twin.person(), twin.new_list()
    twin.on_list(contact, news)
    twin.delete(f"/contacts/{contact}")
    assert twin.get("/subscriptions")["total"] == 0


def test_a_wire_may_be_asked_without_any_body(twin):
    assert answer(twin.state, Wire("GET", "/icp/time", "", {})).status == 200
