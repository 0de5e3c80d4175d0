"""Contacts that icx made: known before any pull has seen them, and not made again when somebody deleted them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from icx.plan.decide import WANT
from icx.pull import pull
from icx.settings import Settings
from icx.workspace import person


def strangers(*names: str) -> pa.Table:
    """People without a contact, as an audience of another source has them."""
    rows = [
        {"contact_id": None, "email": f"{name}@example.com", "email_key": f"{name}@example.com"}
        for name in names
    ]
    return pa.Table.from_pylist(rows, schema=WANT)


def planned(here: Any, *names: str, to: str = "Target") -> Any:
    return here.plan(strangers(*names), to, create_contacts=True, basis="signed up in the shop")


def delete(here: Any, name: str) -> None:
    ((contact,),) = here.sql(f"select contact_id from contacts where email = '{name}@example.com'")
    here.client.delete("contacts", contact)


def test_contacts_just_made_are_known_to_the_next_plan_and_to_undo_before_any_pull(place):
    here = place()
    target = here.make_list()
    first = planned(here, "ada", "bo")
    assert here.apply(first).created == 2
    again = planned(here, "ada", "bo")
    assert (again.counts.create, again.counts.keep, again.counts.stale) == (0, 2, 0)
    here.apply(here.undo(first.plan_id))
    assert here.members(target) == set()
    assert here.violations() == []


def test_somebody_made_by_icx_and_deleted_before_any_pull_is_not_made_again(place):
    here = place()
    target = here.make_list()
    here.apply(planned(here, "ada", "bo"))
    delete(here, "ada")
    here.clock.sleep(60)
    here.pull()
    (bo,) = person.find(here.store, ["acme"], "bo@example.com")
    assert (bo.facts, bo.held["consent facts"]) == ([], 1)  # who was made has said nothing
    again = planned(here, "ada", "bo")
    assert (again.counts.create, again.counts.keep, again.refused) == (0, 1, {"gone": 1})
    here.apply(again)
    assert len(here.members(target)) == 1
    assert here.violations() == []


def test_nobody_needs_a_pull_to_see_that_whom_icx_made_was_deleted(place):
    here = place()
    here.make_list()
    other = here.make_list("Other")
    early = planned(here, "ada", "bo", "cy", to="Other")
    here.apply(planned(here, "ada", "bo", "cy"))
    delete(here, "ada")
    here.sql("delete from contacts where email = 'cy@example.com'")  # and nothing is known of it any more
    ((bo,),) = here.sql("select contact_id from contacts where email = 'bo@example.com'")
    late = planned(here, "ada", "bo", "cy", to="Other")
    assert (late.counts.create, late.counts.add, late.refused) == (0, 1, {"deleted": 1, "gone": 1})
    applied = here.apply(early)  # made when nobody had an id
    assert (applied.added, applied.created, applied.left_out) == (1, 0, {"deleted": 1, "gone": 1})
    assert here.members(other) == {bo}
    assert here.sql(
        "select email, count(*) from contacts where email in ('ada@example.com', 'cy@example.com') group by 1"
    ) == [("ada@example.com", 1)]
    assert here.violations() == []


def test_whom_a_pull_does_not_keep_for_want_of_a_tagged_message_is_not_taken_for_gone(place):
    here = place()
    here.make_list()
    other = here.make_list("Other")
    here.apply(planned(here, "ada", "bo"))
    delete(here, "bo")
    here.clock.sleep(60)
    pull(
        here.store, here.journal, here.client, "acme",
        settings=here.settings, clock=here.clock, contacts_only=True, tag=True,
    )  # fmt: skip
    plan = planned(here, "ada", "bo", to="Other")
    assert plan.refused == {"gone": 1}
    here.apply(plan)
    ((ada,),) = here.sql("select contact_id from contacts where email = 'ada@example.com'")
    assert here.members(other) == {ada}
    assert here.violations() == []


def test_whom_somebody_else_makes_while_icx_makes_others_is_not_written_over(place):
    here = place(settings=Settings(batch_size=2))
    target = here.make_list()
    plan = planned(here, "ada", "bo", "cy", "di")

    def meanwhile(method: str, what: str) -> None:
        if what.startswith("contacts") and not here.sql("select 1 from contacts where email like 'cy@%'"):
            here.sql(
                "insert into contacts (contact_id, folder_id, email, status, city, create_date)"
                " values (888888, ?, 'Cy@example.com', 'normal', 'Durham', 1700000000)",
                here.running.client_folder_id,
            )

    here.client.before_write = meanwhile
    applied = here.apply(plan)
    assert (applied.added, applied.created, applied.left_out) == (3, 3, {"changed": 1})
    assert (applied.not_sent, applied.refused_by_service) == (0, 0)
    assert here.sql("select email, city from contacts where contact_id = 888888") == [
        ("Cy@example.com", "Durham")
    ]
    assert 888888 not in here.members(target)
    again = planned(here, "ada", "bo", "cy", "di")
    assert here.apply(again).added == 1, "the next plan finds who it is"
    assert 888888 in here.members(target)
