"""Applies on a service that goes wrong in every way of the table: the list is the plan, nobody twice, nobody lost."""

from typing import Any

import pytest
from gone_wrong import GIVES_UP, MET, times_added

from icx.errors import IcxError
from icx.settings import Settings

WORST = ("close-during", "close-after-write", "429-after", "cut-json", "null-list", "warnings", "401")


def finished(here: Any, plan: Any, told: str) -> Any:
    """Type the apply until it is through."""
    for _ in range(4):
        try:
            applied = here.apply(plan)
        except IcxError as error:
            if error.code not in GIVES_UP:
                raise AssertionError(told) from error
        else:
            if applied.state == "finished":
                return applied
    raise AssertionError(f"{told}: never through")


def added(here: Any, fault: str, match: str) -> None:
    """Add sixteen people in two batches while the service goes wrong."""
    told = f"{fault} at {match}"
    target = here.make_list(told)
    wanted = here.people()[:16]
    plan = here.plan(wanted, to=told)
    here.fault(match, fault, after=int(match.startswith("POST")), seconds=0.05)
    applied = finished(here, plan, told)
    here.fault_clear()
    missing = set(wanted) - here.members(target)
    assert len(missing) == applied.refused_by_service, told
    assert here.members(target) <= set(wanted), told
    assert times_added(here, target) == dict.fromkeys(here.members(target), 1), told
    assert (applied.in_doubt, applied.not_sent) == (0, 0), told
    assert applied.added == len(here.members(target)), told
    assert here.violations() == [], told


def parked(here: Any, fault: str) -> None:
    """Park four people, one call each, while the service goes wrong."""
    told = f"{fault} at moves"
    target = here.make_list(told)
    people = here.people()[20:26]
    here.sql(
        "delete from subscriptions where list_id in (select list_id from lists where name = 'icx parking')"
    )
    here.put(target, people)
    plan = here.plan(people[4:], to=told, stale="park")
    here.fault("PUT /subscriptions", fault, after=1, seconds=0.05)
    applied = finished(here, plan, told)
    here.fault_clear()
    assert here.members(target) == set(people[4:]), told
    assert (applied.in_doubt, applied.not_sent) == (0, 0), told
    assert here.violations() == [], told


def test_people_are_added_once_whatever_the_service_answers_to_the_batch(place: Any) -> None:
    here = place(settings=Settings(batch_size=8))
    for fault in WORST:
        added(here, fault, "POST /subscriptions")


@pytest.mark.slow
@pytest.mark.parametrize(
    "match", ["POST /subscriptions", "GET /subscriptions", "GET /contacts", "GET /lists"]
)
def test_people_are_added_once_whatever_the_service_answers_to_anything(place: Any, match: str) -> None:
    here = place(settings=Settings(batch_size=8))
    for fault in MET:
        added(here, fault, match)


@pytest.mark.slow
def test_people_are_parked_whatever_the_service_answers_to_a_move(place: Any) -> None:
    here = place()
    for fault in MET:
        if fault != "warnings":
            parked(here, fault)
