"""A filter is a hint: whoever is found is who was asked for, letter by letter."""

import pytest
from misbehaving import Asked, Says

PEOPLE = [
    {"contactId": "1", "email": "ada@example.com", "status": "normal"},
    {"contactId": "2", "email": "Ada@Example.com", "status": "bounced"},
    {"contactId": "3", "email": "a*@example.com", "status": "normal"},
    {"contactId": "4", "email": "abc@example.com", "status": "normal"},
    {"contactId": "5", "email": "a,b@example.com", "status": "normal"},
    {"contactId": "6", "email": None, "status": "normal"},
]


def everybody(asked: Asked) -> Says:
    return Says({"contacts": PEOPLE, "total": len(PEOPLE)})


@pytest.mark.parametrize(
    ("address", "ids"),
    [
        ("ada@example.com", [1, 2]),
        (" ADA@example.com ", [1, 2]),
        ("a*@example.com", [3]),
        ("a,b@example.com", [5]),
        ("*", []),
        ("", []),
        ("nobody@example.com", []),
    ],
)
def test_only_the_very_address_is_found_whatever_the_service_answers(server, client, address, ids):
    server.reply = everybody
    assert [row["contactId"] for row in client.find_contact_by_email(address)] == ids


def test_a_comma_never_reaches_the_filter_since_it_means_two_addresses(server, client):
    server.reply = everybody
    client.find_contact_by_email("a,b@example.com")
    assert server.asked[0].params["email"] == "a*b@example.com"
    assert server.asked[0].params["status"] == "total"


def test_an_address_in_the_sandbox_is_found(live):
    for address in ("who+tag@example.org", "st*r@example.org", "com,ma@example.org", "o'brien@example.org"):
        made = live.create("contacts", [{"email": address}]).rows[0]
        assert [row["contactId"] for row in live.find_contact_by_email(address)] == [made["contactId"]]


def test_a_star_finds_only_the_star(live):
    live.create("contacts", [{"email": "sun@example.net"}, {"email": "s*n@example.net"}])
    assert [row["email"] for row in live.find_contact_by_email("s*n@example.net")] == ["s*n@example.net"]


@pytest.mark.parametrize("name", ["Durham, regulars", "Best*", " spaced ", "Ünïcode"])
def test_a_list_is_found_by_its_very_name(live, name):
    first = live.create("lists", [{"name": name}]).rows[0]["listId"]
    live.create("lists", [{"name": f"{name}!"}])
    assert [row["listId"] for row in live.find_list_by_name(name)] == [first]
    assert live.find_list_by_name(name.swapcase()) == []


def test_two_lists_of_one_name_are_both_found(live):
    made = [live.create("lists", [{"name": "Twins"}]).rows[0]["listId"] for _ in range(2)]
    assert [row["listId"] for row in live.find_list_by_name("Twins")] == made


def test_contacts_are_read_by_id_by_the_hundred(live):
    wanted = [row["contactId"] for row in live.rows("contacts")]
    tape = []
    live._caller._tape = tape.append
    found = live.contacts_by_id(wanted)
    assert list(found) == wanted
    assert all(row["contactId"] == id for id, row in found.items())
    assert len(tape) <= 3


def test_deleted_and_unknown_contacts_are_told_apart(live):
    gone = live.create("contacts", [{"email": "soon-gone@example.com"}]).rows[0]["contactId"]
    here = live.create("contacts", [{"email": "here@example.com"}]).rows[0]["contactId"]
    live.delete("contacts", gone)
    found = live.contacts_by_id([here, gone, 987654321, here])
    assert found[here]["status"] == "normal"
    assert found[gone]["status"] == "deleted"
    assert found[987654321] is None
    assert list(found) == [here, gone, 987654321]


def test_rows_of_other_people_are_not_taken_for_the_asked_ones(server, client):
    def reply(asked: Asked) -> Says:
        if asked.path.endswith("/contacts"):
            return everybody(asked)
        return Says({"errors": ["Not Found"]}, status=404)

    server.reply = reply
    found = client.contacts_by_id([4, 99])
    assert found[4]["email"] == "abc@example.com"
    assert found[99] is None


def test_a_filter_the_service_ignores_is_made_up_for_by_single_reads(server, client):
    warning = (
        "The data you received may not be what you expected. This happened because your\nrequest contained terms"
        " which could not be recognized and so were ignored (*contactId*)."
    )

    def reply(asked: Asked) -> Says:
        if asked.path.endswith("/contacts"):
            return Says({**everybody(asked).body, "warnings": [warning]})
        return Says({"contact": PEOPLE[int(asked.path.rpartition("/")[2]) - 1]})

    server.reply = reply
    assert {id: row["contactId"] for id, row in client.contacts_by_id([3, 4]).items()} == {3: 3, 4: 4}
