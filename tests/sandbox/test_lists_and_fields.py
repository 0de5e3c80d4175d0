"""Lists and custom fields, with the shapes their reads and writes have."""

from __future__ import annotations

import pytest


def test_a_list_create_echoes_its_flags_as_sent_and_a_read_gives_text(twin):
    made = twin.post("/lists", [{"name": "News"}])
    assert made == {
        "lists": [
            {
                "listId": "3001",
                "name": "News",
                "publicname": "",
                "description": "",
                "emailOwnerOnChange": 1,
                "welcomeOnManualAdd": 0,
                "welcomeOnSignupAdd": 0,
                "welcomeMessageId": "",
            }
        ]
    }
    row = twin.post("/lists", [{"name": "Deals", "welcomeOnSignupAdd": "1", "welcomeMessageId": 7}])["lists"][
        0
    ]
    assert (row["welcomeOnSignupAdd"], row["welcomeMessageId"]) == ("1", 7)
    read = twin.get("/lists/3002")["list"]
    assert (read["welcomeOnSignupAdd"], read["welcomeMessageId"], read["description"]) == ("1", "7", None)
    assert twin.get("/lists", name="deals")["lists"] == [read]
    assert twin.get("/lists", welcomeOnSignupAdd="true")["lists"] == [read]


def test_member_put_resets_the_flags_to_zero(twin):
    news = twin.new_list()
    merged = twin.post(f"/lists/{news}", {"description": "weekly"})["list"]
    assert (merged["description"], merged["emailOwnerOnChange"]) == ("weekly", 1)
    replaced = twin.put(f"/lists/{news}", {"name": "News II"})["list"]
    assert (replaced["name"], replaced["description"], replaced["emailOwnerOnChange"]) == ("News II", "", 0)
    assert twin.ask("PUT", f"/lists/{news}", {"description": "x"}).status == 400


def test_a_deleted_or_unknown_list_is_a_server_fault(twin):
    news = twin.new_list()
    contact = twin.person()
    twin.on_list(contact, news)
    assert twin.delete(f"/lists/{news}") == []
    gone = twin.ask("GET", f"/lists/{news}")
    assert (gone.status, gone.body) == (500, {"errors": [f"No result for ({news})."]})
    assert twin.ask("GET", "/lists/205303").body == {"errors": ["No result for (205303)."]}
    assert twin.get("/lists")["total"] == 0
    assert twin.get("/subscriptions")["total"] == 0


def test_two_lists_may_have_one_name_and_a_nameless_one_is_refused(twin):
    assert twin.new_list("News") != twin.new_list("News")
    assert twin.get("/lists", name="News")["total"] == 2
    body = twin.post("/lists", [{"description": "x"}])
    assert body["lists"] is None
    assert "name" in body["warnings"][0]


def test_a_row_with_its_id_updates_the_list(twin):
    news = twin.new_list()
    assert (
        twin.post("/lists", [{"listId": news, "publicname": "letters"}])["lists"][0]["publicname"]
        == "letters"
    )
    assert twin.get("/lists")["total"] == 1


FIELD = {"privateName": "tier", "publicName": "Tier", "displayToUser": 0, "fieldType": "text"}


def test_a_custom_field_is_a_plain_key_of_every_contact(twin):
    made = twin.post("/customfields", {"customfield": FIELD})["customfields"][0]
    assert made == {"customFieldId": "tier", **FIELD}
    assert twin.get("/customfields/tier")["customfield"] == made | {"displayToUser": "0"}
    contact = twin.person(tier="gold")
    other = twin.person("bo@example.com")
    assert twin.get(f"/contacts/{contact}")["contact"]["tier"] == "gold"
    assert twin.get(f"/contacts/{other}")["contact"]["tier"] is None
    assert twin.post(f"/contacts/{contact}", {"tier": "silver"})["contact"]["tier"] == "silver"
    assert twin.post(f"/contacts/{contact}", {"city": "Cary"})["contact"]["tier"] == "silver"
    assert twin.put(f"/contacts/{contact}", {"email": "ada@example.com"})["contact"]["tier"] == ""


def test_a_field_nobody_registered_is_not_kept(twin):
    contact = twin.person(shoeSize="41")
    assert "shoeSize" not in twin.get(f"/contacts/{contact}")["contact"]


def test_deleting_a_custom_field_takes_the_values_along(twin):
    twin.post("/customfields", [FIELD])
    contact = twin.person(tier="gold")
    assert twin.delete("/customfields/tier") == []
    gone = twin.ask("GET", "/customfields/tier")
    assert (gone.status, gone.body) == (404, {"errors": ["Not Found"]})
    assert "tier" not in twin.get(f"/contacts/{contact}")["contact"]
    twin.post("/customfields", [FIELD])
    assert twin.get(f"/contacts/{contact}")["contact"]["tier"] is None


def test_renaming_a_custom_field_changes_its_address_and_keeps_the_values(twin):
    twin.post("/customfields", [FIELD, FIELD | {"privateName": "2nd.choice"}])
    contact = twin.person(tier="gold")
    row = twin.put("/customfields/tier", FIELD | {"privateName": "level", "displayToUser": 1})["customfield"]
    assert (row["customFieldId"], row["displayToUser"]) == ("level", 1)
    assert twin.ask("GET", "/customfields/tier").status == 404
    assert twin.get(f"/contacts/{contact}")["contact"]["level"] == "gold"
    assert twin.post("/customfields/level", {"publicName": "Level"})["customfield"]["publicName"] == "Level"


@pytest.mark.parametrize(
    "wrong",
    [
        {"privateName": "two words"},
        {"privateName": 'quo"te'},
        {"privateName": "email"},
        {"privateName": "tier"},
        {"fieldType": "colour"},
        {"displayToUser": None},
    ],
)
def test_a_custom_field_that_cannot_be_is_refused(twin, wrong):
    twin.post("/customfields", [FIELD])
    body = twin.post("/customfields", [FIELD | {"privateName": "other"} | wrong])
    assert body["customfields"] is None
    assert len(body["warnings"]) == 1
