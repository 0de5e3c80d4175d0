"""Contacts made and changed, and lists made, whatever the write meets: never twice, never over somebody else."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from service import ADA, SAID, Sent

from icx.errors import IcxError
from icx.plan.contacts import Change, NewContact, change, create, make_list
from icx.store.plans import Plans


def new(*names: str) -> list[NewContact]:
    return [NewContact(row, f"{name}@example.com", {"city": "Durham"}) for row, name in enumerate(names)]


def noted(sent: Sent) -> list[tuple[int, str, str, str, int | None]]:
    rows = sent.plans.outcomes(sent.plan)
    return [(one["row"], one["action"], one["state"], one["words"], one["contact_id"]) for one in rows]


def code(does: Any, *given: Any) -> str | None:
    try:
        does(*given)
    except IcxError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("meets", "name", "state", "words", "error"),
    [
        ("taken", "ada", "done", "", None),
        ("lost-after", "ada", "done", "", None),
        ("lost-before", "ada", "not_sent", "", None),
        ("lost-after deaf", "ada", "in_doubt", "", "in-doubt"),
        ("refused", "ada", "refused", SAID, None),
        ("shut", "ada", "not_sent", "", "forbidden"),
        ("busy", "ada", "not_sent", "", "service-busy"),
        ("taken", "refused", "refused", SAID, None),
        ("taken", "asked", "refused", "made with the status pending", None),
        ("lost-after", "asked", "refused", "made with the status pending", None),
    ],
)
def test_a_contact_is_made_once_and_only_one_nobody_has_to_ask_is_subscribed(
    plans: Plans, meets: str, name: str, state: str, words: str, error: str | None
) -> None:
    sent, made = Sent(plans, meets), {}
    assert code(lambda: made.update(create(sent.sender, new(name)))) == error
    found = {one["contactId"]: one["city"] for one in sent.service.contacts.values()}
    assert made == (dict.fromkeys([0], *found) if state == "done" else {})
    assert set(found.values()) <= {"Durham"}
    told = [(0, "contact", state, words, made.get(0))]
    if state == "refused":  # and so cannot be subscribed
        told.append((0, "create", state, words, None))
    assert noted(sent) == told
    assert len(sent.service.writes) == 1


def test_a_contact_refused_without_a_word_has_no_reason(plans: Plans) -> None:
    sent = Sent(plans)
    sent.service.says = ""
    assert create(sent.sender, new("refused")) == {}
    assert {one[3] for one in noted(sent)} == {"no reason given"}


def test_who_has_the_address_by_now_is_left_out_and_the_others_are_made_by_the_batch(plans: Plans) -> None:
    sent = Sent(plans, batch_size=2)
    sent.service.person(5, email="Bo@Example.com ")
    sent.service.person(6, email="di@example.com")
    sent.service.person(8, email="ed@example.com")
    made = create(sent.sender, new("ada", "bo", "refused", "cy", "di", "ed", "flo"))
    assert [[row["email"][:2] for row in rows] for _, _, rows in sent.service.writes] == [
        ["ad"],
        ["re", "cy"],
        ["fl"],
    ]
    assert sorted(made) == [0, 3, 6]
    assert noted(sent) == [
        (0, "contact", "done", "", made[0]),
        (1, "create", "left_out", "changed", 5),
        (2, "contact", "refused", SAID, None),
        (2, "create", "refused", SAID, None),
        (3, "contact", "done", "", made[3]),
        (4, "create", "left_out", "changed", 6),
        (5, "create", "left_out", "changed", 8),
        (6, "contact", "done", "", made[6]),
    ]
    batches = {row["row"]: row["batch"] for row in plans.outcomes(sent.plan) if row["action"] == "contact"}
    assert batches == {0: 1, 2: 2, 3: 2, 6: 3}
    assert sent.sender.batch == 4


def test_before_a_contact_is_sent_it_stands_in_the_journal(plans: Plans) -> None:
    for meets, state in (("taken", "done"), ("lost-before", "not_sent")):
        sent = Sent(plans, meets, batch_size=1)
        write, seen = sent.service._write, []

        def looked(*given: Any, write: Any = write, sent: Sent = sent, seen: list[Any] = seen) -> Any:
            seen.extend(noted(sent))
            sent.asked = True
            return write(*given)

        sent.service._write = looked  # type: ignore[method-assign]
        create(sent.sender, new("ada", "bo"))
        change(sent.sender, [Change(1, ADA, {"city": "Durham"})])
        assert seen == [(0, "contact", "sent", "", None)]
        assert [one[:3] for one in noted(sent)] == [(0, "contact", state)]  # and then the end was asked for


@pytest.mark.parametrize(
    ("meets", "state", "words", "error", "city"),
    [
        ("taken", "done", "", None, "Durham"),
        ("lost-after", "done", "", None, "Durham"),
        ("lost-before", "not_sent", "", None, None),
        ("lost-after deaf", "in_doubt", "", "in-doubt", "Durham"),
        ("refused", "refused", SAID, None, None),
        ("shut", "not_sent", "", "forbidden", None),
        ("busy", "not_sent", "", "service-busy", None),
    ],
)
def test_fields_are_sent_once_and_noted_as_what_became_of_them(
    plans: Plans, meets: str, state: str, words: str, error: str | None, city: str | None
) -> None:
    sent = Sent(plans, meets)
    sent.service.person(ADA)
    assert code(change, sent.sender, [Change(3, ADA, {"city": "Durham", "shop": "7"})]) == error
    assert noted(sent) == [(3, "fields", state, words, ADA)]
    assert sent.service.contacts[ADA].get("city") == city
    assert sent.service.writes == [("update", "contacts", ADA, {"city": "Durham", "shop": "7"})]


def test_fields_that_came_with_a_warning_are_refused_unless_they_are_held(plans: Plans) -> None:
    sent = Sent(plans)
    for contact in (ADA, ADA + 1, ADA + 2):
        sent.service.person(contact, custom={"shop": "7", "blank": None})
    sent.service.refuses = set(sent.service.contacts)  # with a warning, and as it was
    change(
        sent.sender,
        [Change(0, ADA, {"shop": "7", "blank": "", "city": ""}), Change(1, ADA + 1, {"shop": "8"}),
         Change(2, ADA + 2, {"shop": "7", "city": "Durham"})],
    )  # fmt: skip
    assert [one[2:4] for one in noted(sent)] == [("done", ""), ("refused", SAID), ("refused", SAID)]
    assert [row["batch"] for row in plans.outcomes(sent.plan)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("spoils", "lost"),
    [
        ({}, ""),
        ({"city": "Bath"}, ""),  # it was sent itself
        ({"shop": "7"}, ""),
        ({"blank": ""}, ""),
        ({"new": ""}, ""),
        ({"email": "x@example.com"}, "email"),
        ({"lastName": "Lovelace"}, "lastName"),
        ({"status": "pending"}, "status"),
        ({"other": "1", "street": "x"}, "other, street"),
        ({"was": ""}, "was"),
        ({"was": None}, "was"),
    ],
)
def test_a_service_that_changes_more_than_was_sent_is_noticed_at_the_first_contact(
    plans: Plans, spoils: dict[str, str | None], lost: str
) -> None:
    sent = Sent(plans)
    for contact in (ADA, ADA + 1):
        sent.service.person(contact, custom={"shop": "6", "was": "here", "blank": None}, city="Rome")
    sent.service.spoils = spoils
    both = [Change(n, ADA + n, {"city": "Durham", "shop": "9"}) for n in (0, 1)]
    with pytest.raises(IcxError) if lost else nullcontext() as told:
        change(sent.sender, both)
    assert len(sent.service.writes) == (1 if lost else 2), "nobody else is touched"
    assert sent.service.got == [ADA, ADA], "it is proven once"
    assert {one[2] for one in noted(sent)} == {"done"}
    if told:
        message = f"iContact changed more than was sent: {lost}."
        assert (told.value.code, told.value.message) == ("fields-lost", message)


def test_a_contact_that_is_gone_once_it_was_changed_stops_the_rest(plans: Plans) -> None:
    sent = Sent(plans, "taken gone")
    for contact in (ADA, ADA + 1):
        sent.service.person(contact)
    assert (
        code(change, sent.sender, [Change(n, ADA + n, {"city": "Durham"}) for n in (0, 1)]) == "fields-lost"
    )


def test_a_list_is_made_once_whatever_the_answer(plans: Plans) -> None:
    def made(name: str, *meets: str) -> tuple[Any, Sent]:
        sent = Sent(plans, *meets)
        sent.service.lists = {3: "Old", 2: "Old", 4: "Other"}
        before = list(sent.service.rows("lists"))
        try:
            found: Any = make_list(sent.service, name, before)  # type: ignore[arg-type]
        except IcxError as error:
            return error.code, sent
        return found["listId"], sent

    found, sent = made("Old")
    assert (found, sent.service.writes) == (2, [])
    for meets in ("taken", "lost-after"):
        found, sent = made("New", meets)
        assert sent.service.lists[found] == "New"
        assert sent.service.writes == [("create", "lists", [{"name": "New", "emailOwnerOnChange": 0}])]
    found, sent = made("New", "lost-before")
    assert (found, len(sent.service.writes)) == ("in-doubt", 1)
    found, sent = made("Renamed")
    assert (found, len(sent.service.writes)) == ("service-refused", 1), "it is another list"
    found, sent = made("Refused")
    assert (found, len(sent.service.writes)) == ("service-refused", 1)
