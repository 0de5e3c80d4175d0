"""The habits of clients other people wrote, each as its requests look on the wire."""

from __future__ import annotations

import json
from typing import Any


def test_the_php_client_discovers_its_folder_and_sends_nulls(twin):
    assert twin.get("/icp/a/")["accounts"][0]["enabled"] == "1"
    assert twin.get("/icp/a/111/c/")["clientfolders"][0]["clientFolderId"] == "222"
    row = {
        "name": "somelist",
        "welcomeMessageId": 1698,
        "emailOwnerOnChange": 1,
        "welcomeOnManualAdd": 0,
        "welcomeOnSignupAdd": 0,
        "description": None,
        "publicname": None,
    }
    made = twin.post("/lists", [row])["lists"][0]
    assert "warnings" not in made
    assert twin.post(f"/lists/{made['listId']}", row)["list"]["publicname"] == ""
    contact = twin.person()
    assert twin.post(f"/contacts/{contact}", [{"city": "Cary"}])["contact"]["city"] == "Cary"
    nameless = [{"excludeListIds": None, "includeListIds": made["listId"], "scheduledTime": None}]
    assert "messageId" in twin.post("/sends", nameless)["warnings"][0]


def test_the_php_client_uploads_a_text_in_json_and_polls_a_path_without_a_slash(twin):
    news = twin.new_list()
    upload = twin.post("/uploads", [{"action": "add", "listIds": news}])["uploads"][0]["uploadId"]
    sent = twin.ask(
        "PUT", f"/uploads/{upload}/data", raw=json.dumps("email,fname\nada@example.com,Ada\n").encode()
    )
    assert sent.body["uploadId"] == upload
    assert twin.get(f"/icp/a/111/c222/uploads/{upload}/data")["status"] != "receiving"
    assert twin.get("/icp/a/111/c222/uploads")["total"] == 1
    assert twin.get("/contacts", email="ada@example.com")["contacts"][0]["firstName"] == "Ada"


def test_the_node_client_puts_two_slashes_first_and_converts_ids_itself(twin):
    twin.new_list()
    assert twin.ask("GET", "/icp/a/111/c/222/lists?welcomeOnSignupAdd=false").body["total"] == 1
    assert twin.ask("GET", "//icp/a/111/c/222/lists").body["total"] == 1
    assert isinstance(twin.get("/lists")["lists"][0]["listId"], str)


def test_python_clients_wrap_rows_and_move_people(twin):
    contact = twin.post("/contacts/", {"contact": {"email": "ada@example.com", "status": "normal"}})[
        "contacts"
    ][0]
    holding = twin.post("/lists/", {"name": "Left", "emailOwnerOnChange": 0})["lists"][0]
    news = twin.post("/lists/", {"list": {"name": "News", "welcomeOnSignupAdd": 1}})["lists"][0]
    assert news["welcomeOnSignupAdd"] == 1
    wrapped = {
        "subscription": {"contactId": contact["contactId"], "listId": news["listId"], "status": "normal"}
    }
    made = twin.post("/subscriptions/", wrapped)
    assert "warnings" not in made  # one client takes their mere presence for failure
    assert (
        twin.get(f"/subscriptions/{news['listId']}_{contact['contactId']}")["subscription"].items()
        >= {**wrapped["subscription"]}.items()
    )
    moved = twin.put(
        f"/subscriptions/{news['listId']}_{contact['contactId']}", {"listId": int(holding["listId"])}
    )
    assert moved["subscription"]["listId"] == holding["listId"]
    assert "warnings" in twin.post("/subscriptions/", {"subscription": moved["subscription"]})
    message: dict[str, Any] = {"message": {"subject": "x", "messageType": "normal"}}
    assert "campaignId" in twin.post("/messages/", message)["warnings"][0]


def test_the_django_client_nests_arrays_and_asks_for_everything_at_once(twin):
    news, contact = twin.new_list(), twin.person()
    twin.post("/subscriptions", [[{"contactId": contact, "listId": news, "status": "normal"}]])
    assert twin.get("/subscriptions", listId=news, limit=20_000)["limit"] == 20_000
    body = twin.get("/contacts", status="total", limit=2000, offset=0)
    assert body["total"] == len(body["contacts"]) == 1
    assert twin.get(f"/contacts/{contact}/actions", limit=10_000)["total"] == 2


def test_ruby_clients_send_a_body_with_every_request(twin):
    contact = twin.person(firstName="Charlie", lastName="Brown")
    found = twin.ask("GET", "/contacts/?lastName=Br*&limit=10000", {})
    assert found.body["contacts"][0]["lastName"] == "Brown"
    assert twin.ask("DELETE", f"/contacts/{contact}", {}).body == []


def test_the_csharp_client_writes_status_in_capitals_and_order_by_its_own_way(twin):
    for name in ("b", "a"):
        twin.person(f"{name}@example.com")
    body = twin.get(
        "/contacts", status="Unlisted", orderBy="email", createDate="2026-03-01", createDateSearchType="gt"
    )
    assert [row["email"] for row in body["contacts"]] == ["a@example.com", "b@example.com"]
    assert "warnings" not in body
    assert all(value is None or isinstance(value, str) for row in body["contacts"] for value in row.values())


def test_a_ruby_provider_is_told_that_who_left_cannot_be_added_again(twin):
    news, contact = twin.new_list(), twin.person()
    assert "warnings" not in twin.on_list(contact, news)
    left = twin.post(f"/subscriptions/{news}_{contact}", {"status": "unsubscribed"})
    assert "warnings" not in left  # it raises on their mere presence
    assert twin.on_list(contact, news)["warnings"]
    assert twin.get(f"/subscriptions/{news}_{contact}")["subscription"]["status"] == "unsubscribed"


def test_what_a_get_carries_in_its_body_is_no_search(twin):
    twin.on_list(twin.person(), twin.new_list())
    assert twin.ask("GET", "/contacts", {"email": "somebody-else@example.com"}).body["total"] == 1


def test_a_wordpress_form_looks_for_the_address_on_the_list_then_anywhere(twin):
    news, contact = twin.new_list(), twin.person()
    assert twin.get("/contacts", email="ada@example.com", listId=news)["contacts"] == []
    assert twin.get("/contacts", email="ada@example.com")["contacts"][0]["contactId"] == str(contact)
    twin.on_list(contact, news)
    assert twin.get("/contacts", email="ada@example.com", listId=news)["total"] == 1


def test_another_php_client_waits_until_its_upload_is_complete(twin):
    upload = twin.post("/uploads", [{"action": "add", "listIds": str(twin.new_list())}])["uploads"][0][
        "uploadId"
    ]
    file = b'"email","fname"\r\n"bo@example.com","Bo"\r\n'
    twin.ask("PUT", f"/uploads/{upload}/data", raw=file, content_type="application/json")
    twin.clock[0] += 60
    assert twin.get(f"/uploads/{upload}")["upload"]["status"] == "complete"
    assert twin.get("/contacts", email="bo@example.com")["contacts"][0]["firstName"] == "Bo"
