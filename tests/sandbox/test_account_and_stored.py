"""Accounts, folders, users, permissions, and what is only stored and echoed; uploads that really import."""

from __future__ import annotations

from typing import Any

A = "/icp/a"


def test_time_needs_no_login(twin):
    found = twin.ask("GET", "/icp/time", api_password="absent")
    assert found.body == {"time": "2026-03-02T09:15:00-05:00", "timestamp": 1_772_460_900}


def test_accounts_come_as_text_with_the_total_first(twin):
    body = twin.get(A)
    assert list(body) == ["accounts", "total", "limit", "offset"]
    row = body["accounts"][0]
    assert (row["accountId"], row["enabled"], row["subscriberLimit"]) == ("111", "1", "250000")
    assert all(isinstance(value, str) for value in row.values())
    assert twin.get(f"{A}/111") == {"account": row}
    assert twin.post(f"{A}/111", {"city": "Cary"})["account"]["city"] == "Cary"
    assert twin.post(A, [{"accountId": "111", "state": "NC"}])["accounts"][0]["city"] == "Cary"
    assert twin.ask("PUT", f"{A}/111", {}).status == 405


def test_an_only_folder_shows_three_members_and_no_paging(twin):
    assert twin.get(f"{A}/111/c") == {
        "clientfolders": [{"clientFolderId": "222", "logoId": None, "emailRecipient": None}],
        "total": 1,
    }
    assert twin.get(f"{A}/111/c/222/")["clientfolder"]["clientFolderId"] == "222"
    twin.post(f"{A}/111/c", [{"name": "Second"}])
    assert [row["name"] for row in twin.get(f"{A}/111/c")["clientfolders"]] == ["Main", "Second"]
    assert (
        twin.put(f"{A}/111/c/222", {"name": "First", "emailRecipient": "o@example.com"})["clientfolder"][
            "name"
        ]
        == "First"
    )


def test_two_folders_hold_different_people(twin):
    second = twin.post(f"{A}/111/c", [{"name": "Second"}])["clientfolders"][0]["clientFolderId"]
    contact = twin.person()
    assert twin.get(f"{A}/111/c/{second}/contacts?status=total")["total"] == 0
    assert twin.ask("GET", f"{A}/111/c/{second}/contacts/{contact}").status == 404


def test_users_keep_their_password_to_themselves_and_their_permissions_by_folder(twin):
    user = twin.post(f"{A}/111/users", [{"userName": "bo", "password": "abc123", "email": "bo@example.com"}])[
        "users"
    ][0]
    assert "password" not in user
    path = f"{A}/111/users/{user['userId']}"
    assert twin.post(path, {"email": "b@example.com"})["user"]["email"] == "b@example.com"
    assert twin.ask("POST", path, {"userName": "other"}).status == 400
    twin.post(f"{path}/permissions", [{"clientFolderId": 222, "analytic": 1}])
    twin.post(f"{path}/permissions", [{"clientFolderId": 222, "creative": 1}])
    rows = twin.get(f"{path}/permissions")["permissions"]
    assert rows == [{"clientFolderId": "222", "creative": "1", "subscriber": None, "analytic": "1"}]
    assert twin.get(f"{path}/permissions", clientFolderId="9")["total"] == 0
    assert twin.delete(path) == []
    assert twin.ask("GET", path).status == 404


def test_segments_keep_their_list_and_hold_criteria_from_zero(twin):
    news = twin.new_list()
    row = twin.post("/segments", [{"name": "NC", "listId": news}])["segments"][0]
    assert row == {"segmentId": "501", "listId": str(news), "name": "NC", "description": None}
    assert twin.post("/segments/501", {"description": "x"})["segment"]["description"] == "x"
    assert twin.ask("POST", "/segments/501", {"listId": news}).status == 400
    assert twin.ask("PUT", "/segments/501", {"name": "y"}).status == 405
    made = twin.post(
        "/segments/501/criteria", {"fieldName": "firstName", "operator": "eq", "values": ["John"]}
    )
    assert made["criteria"] == [
        {"criterionId": 0, "fieldName": "firstName", "operator": "eq", "values": ["John"]}
    ]
    assert twin.get("/segments/501/criteria") == made
    assert twin.put("/segments/501/criteria/0", made["criteria"][0] | {"values": "Ann"})["criterion"][
        "values"
    ] == ["Ann"]
    assert (
        twin.post("/segments/501/criteria", [{"fieldName": "x", "operator": "like", "values": ["y"]}])[
            "criteria"
        ]
        is None
    )
    assert twin.delete("/segments/501/criteria/0") == []
    assert twin.delete("/segments/501") == []
    assert twin.ask("GET", "/segments/501/criteria").status == 404
    assert twin.post("/segments", [{"name": "NC", "listId": 9}])["segments"] is None


def test_webhooks_are_stored_and_echoed(twin):
    row = {"eventId": "contact_created", "url": "https://example.com/hook"}
    made = twin.post("/webhooks", [row, row | {"eventId": "opened"}])
    assert made["webhooks"] == [{"webhookId": "701", **row}]
    assert len(made["warnings"]) == 1
    assert twin.get("/webhooks/701")["webhook"]["url"] == row["url"]
    assert twin.ask("POST", "/webhooks/701", row).status == 405
    assert twin.delete("/webhooks/701") == []
    assert twin.get("/webhooks")["webhooks"] == []


def test_signup_forms_can_only_be_read(twin):
    assert twin.get("/signupforms") == {"forms": [], "limit": 20, "offset": 0, "total": 0}
    assert twin.ask("GET", "/signupforms/1").status == 404
    assert twin.ask("POST", "/signupforms", []).status == 405


def upload(twin: Any, action: str = "add", lists: str = "") -> str:
    return twin.post("/uploads", [{"action": action, "listIds": lists}])["uploads"][0]["uploadId"]


def test_an_upload_brings_people_onto_its_lists(twin):
    news, deals = twin.new_list("News"), twin.new_list("Deals")
    twin.post("/customfields", [{"privateName": "tier", "displayToUser": 0, "fieldType": "text"}])
    known = twin.person("ada@example.com", city="Durham")
    upload_id = upload(twin, lists=f"{news},{deals}")
    assert twin.get(f"/uploads/{upload_id}")["upload"]["status"] == "receiving"
    file = '[email],[fname],[lname],tier\r\nada@example.com,Ada,"Byron, A.",gold\r\nbo@example.com,Bø,,\r\n,x,y,z\r\n'
    sent = twin.ask("PUT", f"/uploads/{upload_id}/data", raw=file.encode(), content_type="text/csv")
    assert (sent.body["uploadId"], len(sent.body["warnings"])) == (upload_id, 1)
    assert twin.get(f"/uploads/{upload_id}")["upload"]["status"] == "importing"
    assert twin.get(f"/uploads/{upload_id}/data")["status"] == "importing"
    twin.clock[0] += 1
    assert twin.get(f"/uploads/{upload_id}")["upload"]["status"] == "complete"
    ada = twin.get(f"/contacts/{known}")["contact"]
    assert (ada["firstName"], ada["lastName"], ada["city"], ada["tier"]) == (
        "Ada",
        "Byron, A.",
        "Durham",
        "gold",
    )
    assert twin.get("/contacts", email="bo@example.com")["contacts"][0]["firstName"] == "Bø"
    assert twin.get("/subscriptions")["total"] == 4
    assert twin.ask("PUT", f"/uploads/{upload_id}/data", raw=b"email\n").status == 400
    assert twin.ask("POST", f"/uploads/{upload_id}", {"action": "add"}).status == 400


def test_an_upload_can_take_people_off(twin):
    news = twin.new_list()
    ada = twin.person("ada@example.com")
    twin.on_list(ada, news)
    twin.ask(
        "PUT", f"/uploads/{upload(twin, 'unsubscribe', str(news))}/data", raw=b"email\nada@example.com\n"
    )
    assert twin.get(f"/subscriptions/{news}_{ada}")["subscription"]["status"] == "unsubscribed"
    twin.ask("PUT", f"/uploads/{upload(twin, 'donotcontact')}/data", raw=b"email\nada@example.com\n")
    assert twin.get(f"/contacts/{ada}")["contact"]["status"] == "donotcontact"


def test_uploads_that_cannot_be(twin):
    assert (
        twin.post("/uploads", [{}, {"action": "eat"}, {"action": "add", "listIds": "9"}])["uploads"] is None
    )
    upload_id = upload(twin)
    assert twin.ask("PUT", f"/uploads/{upload_id}/data", raw=b"name\nAda\n").status == 400
    assert twin.ask("PUT", f"/uploads/{upload_id}/data", raw=b"PK\x03\x04").status == 415
    assert (
        twin.post(f"/uploads/{upload_id}", {"listIds": str(twin.new_list())})["upload"]["status"]
        == "receiving"
    )
    assert twin.delete(f"/uploads/{upload_id}") == []
    assert twin.get("/uploads")["uploads"][0]["status"] == "cancelled"
    assert twin.ask("GET", "/uploads/7").status == 404
