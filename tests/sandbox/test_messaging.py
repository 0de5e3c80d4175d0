"""Campaigns, messages, the spam check, sends, tracking and statistics."""

from __future__ import annotations

from typing import Any

import pytest

CAMPAIGN = {
    "name": "Acme",
    "fromName": "Acme",
    "fromEmail": "news@example.com",
    "subscriptionManagement": 1,
    "clickTrackMode": "1",
    "useAccountAddress": 0,
    "archiveByDefault": 0,
    "zip": "27701",
}
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def campaign(twin: Any) -> int:
    return int(twin.post("/campaigns", [CAMPAIGN])["campaigns"][0]["campaignId"])


def message(twin: Any, **fields: Any) -> int:
    row = {"campaignId": campaign(twin), "messageType": "normal", "subject": "Hello"} | fields
    return int(twin.post("/messages", [row])["messages"][0]["messageId"])


def test_campaigns_say_zip_and_echo_blanks(twin):
    made = twin.post("/campaigns", [CAMPAIGN, {"name": "x"}])
    assert made["campaigns"][0]["zip"] == "27701"
    assert made["campaigns"][0]["street"] == ""
    assert "fromName" in made["warnings"][0]
    campaign_id = made["campaigns"][0]["campaignId"]
    assert twin.get(f"/campaigns/{campaign_id}")["campaign"]["street"] is None
    assert twin.post(f"/campaigns/{campaign_id}", {"street": "1 Main"})["campaign"]["zip"] == "27701"
    replaced = twin.put(f"/campaigns/{campaign_id}", {k: v for k, v in CAMPAIGN.items() if k != "zip"})
    assert (replaced["campaign"]["zip"], replaced["campaign"]["street"]) == ("", "")
    assert twin.ask("PUT", f"/campaigns/{campaign_id}", {"name": "x"}).status == 400
    assert twin.ask("DELETE", f"/campaigns/{campaign_id}").status == 405
    assert twin.get("/campaigns", name="acme")["total"] == 1


def test_messages_show_their_spam_check_from_version_2_1(twin):
    message_id = message(twin, subject="Act now", htmlBody="<p>urgent</p>")
    read = twin.get(f"/messages/{message_id}")["message"]
    assert read["createDate"] == "2026-03-02T09:15:00-05:00"
    assert read["textBody"] is None
    assert read["spamCheck"]["rawScore"] == "0.6"
    assert read["spamCheck"]["spamDetails"][0]["spamDetailName"] == "URG_BIZ"
    old = twin.ask("GET", f"/messages/{message_id}", api_version="2.0").body["message"]
    assert "spamCheck" not in old
    assert twin.post(f"/messages/{message_id}", {"subject": "Hello", "htmlBody": "<p/>"})["message"][
        "spamCheck"
    ] == {
        "rawScore": "0.0",
        "spamDetails": [],
    }
    assert twin.ask("PUT", f"/messages/{message_id}", {}).status == 405
    assert twin.ask("DELETE", f"/messages/{message_id}").status == 405


def test_messages_are_found_and_ordered(twin):
    first = message(twin, subject="One")
    twin.clock[0] += 60
    second = message(twin, subject="Two", messageType="confirmation")
    rows = twin.get("/messages", orderby="createDate:desc,messageId:asc", limit=1)["messages"]
    assert rows[0]["messageId"] == str(second)
    assert twin.get("/messages", messageType="normal")["messages"][0]["messageId"] == str(first)
    assert twin.get("/messages", subject="T*")["total"] == 1


def test_a_message_needs_campaign_type_and_subject(twin):
    row = {"campaignId": campaign(twin), "messageType": "normal", "subject": "x"}
    for name in row:
        assert twin.post("/messages", [row | {name: None}])["messages"] is None
    assert twin.post("/messages", [row | {"messageType": "fax"}])["messages"] is None
    assert twin.post("/messages", [row | {"campaignId": 9}])["messages"] is None


def audience(twin: Any) -> tuple[int, int, int]:
    """Three people on News, one of them on Staff too; one more has left News."""
    news, staff = twin.new_list("News"), twin.new_list("Staff")
    people = [twin.person(f"p{n}@example.com") for n in range(4)]
    for person in people:
        twin.on_list(person, news)
    twin.post(f"/subscriptions/{news}_{people[3]}", {"status": "unsubscribed"})
    twin.on_list(people[0], staff)
    return news, staff, people[1]


def test_a_send_goes_out_once_to_the_lists_less_the_excluded(twin):
    news, staff, person = audience(twin)
    message_id = message(twin)
    made = twin.post(
        "/sends", [{"messageId": message_id, "includeListIds": news, "excludeListIds": str(staff)}]
    )
    row = made["sends"][0]
    assert (row["status"], row["recipientCount"], row["includeListIds"]) == ("released", "2", str(news))
    assert row["releasedTime"] == "2026-03-02T09:15:00-05:00"
    assert row["spamCheck"]["rawScore"] == "0.0"
    again = twin.post("/sends", [[{"messageId": message_id, "includeListIds": str(news)}]])
    assert again == {
        "sends": [],
        "warnings": [f"Message [messageId={message_id}] already scheduled for send [sendId={row['sendId']}]"],
    }
    assert twin.get(f"/contacts/{person}/actions", actionType="ReleaseSend")["total"] == 1
    assert twin.get(f"/messages/{message_id}/statistics")["statistics"]["delivered"] == 2
    assert twin.ask("DELETE", f"/sends/{row['sendId']}").status == 400
    assert twin.ask("POST", f"/sends/{row['sendId']}", {}).status == 405


def test_a_scheduled_send_waits_and_can_be_cancelled(twin):
    news, _, person = audience(twin)
    when = "2026-03-02T10:15:00-05:00"
    first, second = message(twin), message(twin)
    rows = [
        {"messageId": each, "includeListIds": f"{news}", "scheduledTime": when} for each in (first, second)
    ]
    one, two = (row["sendId"] for row in twin.post("/sends", rows)["sends"])
    waiting = twin.get(f"/sends/{one}")["send"]
    assert (waiting["status"], waiting["scheduledTime"], waiting["releasedTime"]) == ("pending", when, None)
    assert twin.delete(f"/sends/{one}") == []
    twin.clock[0] += 3600
    assert [row["status"] for row in twin.get("/sends")["sends"]] == ["cancelled", "released"]
    assert twin.get(f"/sends/{two}")["send"]["recipientCount"] == "3"
    kinds = [row["actionType"] for row in twin.get(f"/contacts/{person}/actions")["actions"]]
    assert [kind for kind in kinds if kind.endswith("Send")] == [
        "ReleaseSend",
        "CancelSend",
        "ScheduleSend",
        "ScheduleSend",
    ]
    assert twin.post("/sends", [{"messageId": first, "includeListIds": news}])["sends"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"messageId": 9},
        {"messageId": None},
        {"includeListIds": None},
        {"includeListIds": "9"},
        {"includeListIds": "x"},
        {"scheduledTime": "2026-03-03"},
        {"scheduledTime": "2026-03-03T10:00:00"},
        {"scheduledTime": "2026-13-03T10:00:00-05:00"},
    ],
)
def test_a_send_that_cannot_be_is_a_warning_and_no_row(twin, wrong):
    news = twin.new_list()
    body = twin.post("/sends", [{"messageId": message(twin), "includeListIds": str(news)} | wrong])
    assert body["sends"] == []
    assert len(body["warnings"]) == 1


def test_a_message_that_looks_like_spam_is_not_sent(twin):
    news = twin.new_list()
    body = twin.post("/sends", [{"messageId": message(twin, textBody=GTUBE), "includeListIds": news}])
    assert (body["sends"], "spam score" in body["warnings"][0]) == ([], True)


def test_tracking_pages_and_statistics_come_from_the_events(twin):
    message_id, person = message(twin), twin.person()
    link = "https://example.com/a?b=ü"
    for kind, who, when, url in [
        ("open", person, 1_762_059_600, None),  # 2025-11-02 01:00 EDT, the hour that comes twice
        ("open", person, 1_762_063_200, None),
        ("open", 99, 1_762_063_200, None),
        ("click", person, 1_762_063_260, link),
        ("bounce", 99, 1_762_063_260, None),
        ("unsubscribe", person, 1_762_063_300, None),
    ]:
        twin.sql(
            "insert into events (folder_id, message_id, kind, contact_id, event_time, url) values (222, ?, ?, ?, ?, ?)",
            message_id, kind, who, when, url,
        )  # fmt: skip
    opens = twin.get(f"/messages/{message_id}/opens")
    assert (opens["total"], opens["limit"]) == (3, 20)
    assert opens["opens"][0] == {"contactId": str(person), "openTime": "2025-11-02T01:00:00-04:00"}
    assert opens["opens"][1]["openTime"] == "2025-11-02T01:00:00-05:00"
    assert twin.get(f"/messages/{message_id}/opens", limit=1, offset=2)["opens"][0]["contactId"] == "99"
    assert twin.get(f"/messages/{message_id}/clicks")["clicks"][0]["clickLink"] == link
    assert (
        twin.get(f"/messages/{message_id}/bounces")["bounces"][0]["bounceTime"] == "2025-11-02T01:01:00-05:00"
    )
    unsubscribed = twin.get(f"/messages/{message_id}/unsubscribes")["unsubscribes"][0]
    assert unsubscribed == {"contactId": str(person), "unsubscribeTime": "2025-11-02T01:01:40-05:00"}
    assert twin.get(f"/messages/{message_id}/statistics") == {
        "statistics": {
            "bounces": 1,
            "delivered": 0,
            "unsubscribes": 1,
            "opens": {"unique": 2, "total": 3},
            "clicks": {"unique": 1, "total": 1},
            "forwards": 0,
            "comments": 0,
            "complaints": 0,
        }
    }
    twin.sql("delete from events where contact_id = 99")
    assert twin.get(f"/messages/{message_id}/statistics")["statistics"]["opens"] == {"unique": 1, "total": 2}


def test_tracking_is_read_only_and_of_known_messages(twin):
    message_id = message(twin)
    assert twin.ask("POST", f"/messages/{message_id}/opens", []).status == 405
    for word in ("opens", "clicks", "bounces", "unsubscribes", "statistics"):
        assert twin.ask("GET", f"/messages/7/{word}").status == 404
    assert twin.ask("GET", f"/messages/{message_id}/opens/1").status == 501


def test_the_default_page_of_tracking_is_on_a_switch(make_twin):
    twin = make_twin(tracking_limit=100)
    assert twin.get(f"/messages/{message(twin)}/opens")["limit"] == 100


def test_a_welcome_automation_is_taken_and_nothing_is_read_back(twin):
    body = twin.post("/automations/welcomemessage", {"messageId": message(twin), "listId": twin.new_list()})
    assert body["automations"][0]["automationId"] == "901"
    assert twin.ask("GET", "/automations/welcomemessage").status == 405
    assert twin.ask("POST", "/automations/other", {}).status == 405
