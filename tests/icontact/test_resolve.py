"""Whatever became of a write whose answer was lost is found out by reading, for every kind of write."""

from itertools import count

import pytest

from icx.icontact import UnknownOutcome

NUMBERS = count(1)
LOST = ["close-after-write", "close-before"]


def somebody(live) -> int:
    return live.create("contacts", [{"email": f"lost{next(NUMBERS)}@example.com"}]).rows[0]["contactId"]


def some_list(live) -> int:
    return live.create("lists", [{"name": f"Lost {next(NUMBERS)}"}]).rows[0]["listId"]


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_subscription_is_read_back(live, trouble, fault):
    list_id, people = some_list(live), [somebody(live) for _ in range(4)]
    changes = [(id, list_id, "normal") for id in people]
    trouble("POST /subscriptions", fault)
    with pytest.raises(UnknownOutcome):
        live.subscribe(changes)
    found = live.resolve_subscribe(changes)
    assert list(found) == [(id, list_id) for id in people]
    assert all((row is not None) == (fault == "close-after-write") for row in found.values())


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_unsubscription_is_read_back(live, trouble, fault):
    list_id, who = some_list(live), somebody(live)
    live.subscribe([(who, list_id, "normal")])
    trouble("POST /subscriptions", fault)
    with pytest.raises(UnknownOutcome):
        live.update("subscriptions", f"{list_id}_{who}", {"status": "unsubscribed"})
    row = live.resolve_subscribe([(who, list_id, "unsubscribed")])[who, list_id]
    assert (row["status"] == "unsubscribed") == (fault == "close-after-write")


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_contact_is_looked_for_by_its_address(live, trouble, fault):
    trouble("POST /contacts", fault)
    with pytest.raises(UnknownOutcome):
        live.create("contacts", [{"email": f"{fault}@example.com"}])
    found = live.resolve_create_contact(f"{fault}@example.com")
    assert [row["email"] for row in found] == (
        [f"{fault}@example.com"] if fault == "close-after-write" else []
    )


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_list_is_looked_for_by_its_name_among_the_new_ones(live, trouble, fault):
    name = f"Lost list {fault}"
    before = {live.create("lists", [{"name": name}]).rows[0]["listId"]}
    trouble("POST /lists", fault)
    with pytest.raises(UnknownOutcome):
        live.create("lists", [{"name": name}])
    found = live.resolve_create_list(name, before)
    assert len(found) == (fault == "close-after-write")
    assert not before & {row["listId"] for row in found}


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_custom_field_is_looked_for_by_its_name(live, trouble, fault):
    name = "lost" + fault.replace("-", "")
    trouble("POST /customfields", fault)
    with pytest.raises(UnknownOutcome):
        live.create("customfields", [{"privateName": name, "displayToUser": 0, "fieldType": "text"}])
    assert (live.resolve_create_custom_field(name) is not None) == (fault == "close-after-write")


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_move_is_read_back(live, trouble, fault):
    here, there, who = some_list(live), some_list(live), somebody(live)
    live.subscribe([(who, here, "normal")])
    trouble("PUT /subscriptions", fault)
    with pytest.raises(UnknownOutcome):
        live.move(here, who, there)
    assert live.resolve_move(here, who, there) == ("moved" if fault == "close-after-write" else "not moved")


def test_a_move_to_a_list_they_were_on_already_is_not_taken_for_done(live):
    here, there, who = some_list(live), some_list(live), somebody(live)
    live.subscribe([(who, here, "normal"), (who, there, "normal")])
    assert live.resolve_move(here, who, there) == "not moved"


def test_a_move_of_nobody_is_gone(live):
    assert live.resolve_move(some_list(live), 987654321, some_list(live)) == "gone"


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_update_is_compared_field_by_field(live, trouble, fault):
    who = somebody(live)
    fields = {"city": "Durham", "state": "", "custom": {}}
    trouble("POST /contacts", fault)
    with pytest.raises(UnknownOutcome):
        live.update("contacts", who, fields)
    assert live.resolve_update_contact(who, fields) == (fault == "close-after-write")


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_deletion_is_read_back(live, trouble, fault):
    who = somebody(live)
    trouble("DELETE /contacts", fault)
    with pytest.raises(UnknownOutcome):
        live.delete("contacts", who)
    assert live.resolve_delete_contact(who) == (fault == "close-after-write")


def test_a_write_that_arrives_late_is_found_at_the_second_look(live, clock):
    list_id, who = some_list(live), somebody(live)
    sleep = clock.sleep

    def late(seconds: float) -> None:
        sleep(seconds)
        if seconds >= 5:
            live.subscribe([(who, list_id, "normal")])

    clock.sleep = late
    assert live.resolve_subscribe([(who, list_id, "normal")])[who, list_id]["status"] == "normal"


def test_reading_back_sends_nothing(live):
    tape = []
    live._caller._tape = tape.append
    who, list_id = 987654321, 3001
    live.resolve_subscribe([(who, list_id, "normal")])
    live.resolve_move(3001, who, 3002)
    live.resolve_create_contact("nobody@example.com")
    assert {call.method for call in tape} == {"GET"}
