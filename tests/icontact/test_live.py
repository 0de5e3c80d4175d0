"""The client and the sandbox over a real socket: every read and every write."""

import threading
from itertools import count

import pytest

from icx.errors import BadInput, Refused
from icx.icontact import RESOURCES, Client

NUMBERS = count(1)


def person(client: Client, **fields) -> dict:
    """Create somebody new and return the row."""
    address = fields.pop("email", f"new{next(NUMBERS)}@example.com")
    return client.create("contacts", [{"email": address, **fields}]).rows[0]


def new_list(client: Client, name: str | None = None) -> int:
    written = client.create("lists", [{"name": name or f"List {next(NUMBERS)}"}])
    return written.rows[0]["listId"]


READABLE = [
    name for name, what in RESOURCES.items() if what.can("rows") and name not in {"automations", "criteria"}
]


@pytest.mark.parametrize("name", READABLE)
def test_every_resource_is_readable(live, name):
    above = RESOURCES[name].parent
    parent = next(live.rows(above))[RESOURCES[above].id] if above else None
    rows = list(live.rows(name, parent=parent))
    if rows and RESOURCES[name].id and RESOURCES[name].can("get"):
        id = rows[0][RESOURCES[name].id]
        assert live.get(name, id, parent=parent)[RESOURCES[name].id] == id


def test_automations_cannot_be_listed_and_the_service_says_so(live):
    with pytest.raises(Refused, match="405"):
        list(live.rows("automations"))


def test_criteria_of_a_segment_without_any(live):
    with pytest.raises(Refused, match="404"):
        list(live.rows("criteria", parent=987654))


def test_statistics_are_flat(live):
    message = next(live.rows("messages"))["messageId"]
    assert {"delivered", "bounces", "opens_total", "opens_unique", "clicks_total"} <= live.statistics(
        message
    ).keys()


def test_a_row_that_is_not_there_is_none(live):
    assert live.get("contacts", 987654321) is None
    assert live.get("lists", 987654321) is None, "iContact answers 500 for it"
    assert live.get("subscriptions", "1_2") is None
    assert live.get("customfields", "no/such field") is None


def test_small_pages_give_the_same_rows(live):
    whole = list(live.rows("subscriptions"))
    pages = list(live.pages("subscriptions", limit=7))
    assert [row for page in pages for row in page.rows] == whole
    assert len(pages) > len(whole) // 7


def test_a_contact_keeps_what_an_update_does_not_name(live):
    made = person(live, firstName="Ada", city="London", custom={"shirt size": "M"})
    written = live.update("contacts", made["contactId"], {"city": "Durham", "firstName": None})
    assert written.ok
    row = live.get("contacts", made["contactId"])
    assert (row["firstName"], row["city"]) == ("Ada", "Durham")


def test_an_update_can_blank_a_field(live):
    made = person(live, city="London")
    live.update("contacts", made["contactId"], {"city": ""})
    assert live.get("contacts", made["contactId"])["city"] is None


def test_the_row_without_an_address_is_the_one_that_is_missing(live):
    written = live.create("contacts", [{"email": "first@example.org"}, {"firstName": "Nobody"}])
    assert not written.ok
    assert [one.index for one in written.missing] == [1]
    assert "email" in written.missing[0].reason
    assert written.accepted[0]["email"] == "first@example.org"


def test_several_missing_rows_get_no_guessed_reason(live):
    written = live.create("contacts", [{"firstName": "Nobody"}, {"firstName": "Noone"}])
    assert written.rows == ()
    assert [(one.index, one.reason) for one in written.missing] == [(0, None), (1, None)]
    assert written.warnings


def test_people_are_subscribed_in_one_call(live):
    list_id = new_list(live)
    people = [person(live)["contactId"] for _ in range(3)]
    written = live.subscribe([(id, list_id, "normal") for id in people])
    assert written.ok
    assert {row["contactId"] for row in live.rows("subscriptions", listId=list_id)} == set(people)


def test_somebody_who_left_is_reported_missing_with_the_service_s_words(live):
    list_id = new_list(live)
    one, other = person(live)["contactId"], person(live)["contactId"]
    live.subscribe([(one, list_id, "normal")])
    assert live.update("subscriptions", f"{list_id}_{one}", {"status": "unsubscribed"}).ok
    written = live.subscribe([(one, list_id, "normal"), (other, list_id, "normal")])
    assert [missing.index for missing in written.missing] == [0]
    assert written.missing[0].reason
    assert live.get("subscriptions", f"{list_id}_{one}")["status"] == "unsubscribed"


def test_a_contact_that_does_not_exist_is_reported_missing(live):
    list_id, known = new_list(live), person(live)["contactId"]
    written = live.subscribe([(987654321, list_id, "normal"), (known, list_id, "normal")])
    assert [missing.index for missing in written.missing] == [0]


def test_nothing_to_write_is_no_call(client, server):
    assert client.subscribe([]).ok
    assert server.asked == []


def test_a_move_gives_the_subscription_a_new_id(live):
    here, there, who = new_list(live), new_list(live), person(live)["contactId"]
    live.subscribe([(who, here, "normal")])
    written = live.move(here, who, there)
    assert written.ok
    assert written.rows[0]["subscriptionId"] == f"{there}_{who}"
    assert live.get("subscriptions", f"{here}_{who}") is None


def test_a_deleted_contact_is_still_readable(live):
    who = person(live)["contactId"]
    live.delete("contacts", who)
    assert live.get("contacts", who)["status"] == "deleted"


def test_a_bad_status_is_refused_with_the_service_s_words(live):
    with pytest.raises(Refused, match="status") as raised:
        live.update("contacts", person(live)["contactId"], {"status": "deleted"})
    assert raised.value.code == "service-refused"


def test_a_custom_field_comes_and_goes(live):
    fields = {"privateName": "tier9", "displayToUser": True, "fieldType": "text"}
    assert live.create("customfields", [fields]).ok
    assert live.get("customfields", "tier9")["displayToUser"] is True
    live.delete("customfields", "tier9")
    assert live.get("customfields", "tier9") is None


def test_a_custom_field_with_a_blank_in_its_name_is_refused(live):
    written = live.create("customfields", [{"privateName": "a b", "displayToUser": 0, "fieldType": "text"}])
    assert written.missing[0].reason


@pytest.mark.parametrize("name", ["fistName", "listID", "shirt_size"])
def test_an_unknown_filter_is_an_error_and_not_everybody(live, name):
    with pytest.raises(Refused, match=name) as raised:
        live.page("contacts", **{name: "x"})
    assert raised.value.code == "filter-ignored"


@pytest.mark.parametrize(("name", "verb"), [("sends", "create"), ("opens", "get"), ("messages", "delete")])
def test_what_a_resource_cannot_do_is_said_before_asking(live, name, verb):
    arguments = ([{"messageId": 1}],) if verb == "create" else (1,)
    with pytest.raises(BadInput):
        getattr(live, verb)(name, *arguments)


def test_a_client_without_a_folder_says_what_it_needs(live):
    with pytest.raises(BadInput, match="client folder"):
        live.within(live.account_id, None).page("contacts")
    with pytest.raises(BadInput, match="messages"):
        live.page("opens")


def test_many_threads_share_one_client(live):
    found = []

    def read() -> None:
        found.append(len(list(live.rows("contacts", limit=20))))

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
