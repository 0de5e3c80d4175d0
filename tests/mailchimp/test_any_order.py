"""Whatever is asked of an audience in whatever order, nobody who said no, bounced or was never asked is subscribed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailchimp_twin import State, TwinServer
from mailchimp_twin.state import KEY

from icx.clock import ManualClock
from icx.connections.base import Change
from icx.connections.mailchimp import Mailchimp
from icx.errors import UnknownOutcome
from icx.http import Pace
from icx.mailchimp import Client, Key
from icx.mailchimp.answers import member_hash

PEOPLE = [f"P{number}@Example.com" for number in range(4)]
STATUSES = ("subscribed", "pending", "unsubscribed", "cleaned", "transactional", "archived")
WHO = st.integers(0, len(PEOPLE) - 1)
HOW = st.sampled_from(["normal", "pending"])
#: What a person does by themselves, or somebody else in Mailchimp; and what icx is asked to do.
ELSEWHERE = st.tuples(st.just("elsewhere"), WHO, st.sampled_from(STATUSES))
ASKED = st.one_of(
    st.tuples(st.just("make"), WHO, st.one_of(st.none(), HOW)),
    st.tuples(st.just("join"), WHO, HOW),
    st.tuples(st.just("leave"), WHO, st.none()),
    st.tuples(st.just("field"), WHO, st.sampled_from(["", "Ada", 'O\'Brien "B" <b@x>'])),
)
FAULT = st.tuples(st.just("fault"), st.just(0), st.sampled_from(["lost-write", "429", "504"]))


ONE = [
    *(("make", how) for how in (None, "normal", "pending")),
    *(("join", how) for how in ("normal", "pending")),
    ("leave", None),
    ("field", "Ada"),
]
#: What becomes of a member's status where it does not stay; everything else is refused, or leaves the status alone.
MOVES = {
    ("transactional", "join", "pending"): "pending",
    ("subscribed", "leave", None): "unsubscribed",
    ("pending", "leave", None): "unsubscribed",
    ("transactional", "leave", None): "unsubscribed",
}


def change(kind: str, what: str | None, audience: str, key: str, address: str) -> Change:
    """Return what is asked for one person."""
    return {
        "make": Change(1, None, address, {"FNAME": "Ada"}, join={audience: what} if what else {}),
        "join": Change(1, key, join={audience: str(what)}),
        "leave": Change(1, key, unsubscribe=frozenset({audience})),
        "field": Change(1, key, fields={"FNAME": str(what)}),
    }[kind]


@pytest.mark.parametrize("double", [False, True])
def test_each_change_of_each_status_does_what_the_page_says(
    twin: TwinServer, client: Client, double: bool
) -> None:
    """Every status times everything that can be asked; the twin would do it all."""
    twin.state.permissive = True
    audience = twin.state.audience("Newsletter", double_optin=double)
    there = Mailchimp(client, audience.id)
    for place, (status, (kind, what)) in enumerate(itertools.product(STATUSES, ONE)):
        one = twin.state.person(audience, f"n{place}@example.com", status)
        [done] = there.write([change(kind, what, audience.id, one.contact_id, one.email)])
        assert one.status == MOVES.get((status, kind, what), status), (status, kind, what)
        if kind == "make" or (kind == "join" and status in ("unsubscribed", "cleaned", "archived")):
            assert done.state == "refused", (status, kind, what)
            assert done.words
    for how, expected in ((None, "transactional"), ("normal", "subscribed"), ("pending", "pending")):
        address = f"new-{how}@example.com"
        [done] = there.write([change("make", how, audience.id, "", address)])
        assert done.state == "done"
        made = twin.state.who(audience, address)
        assert made is not None
        assert made.status == ("pending" if double and how else expected)
    assert twin.state.violations == []


@given(
    st.lists(st.sampled_from(STATUSES), min_size=3, max_size=3),
    st.lists(st.one_of(ASKED, ASKED, ASKED, ELSEWHERE, FAULT), min_size=2, max_size=10),
    st.booleans(),
)
@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_changes_subscribes_who_may_not_be(
    running: TwinServer, begin: list[str], steps: list[tuple[str, int, str | None]], double: bool
) -> None:
    """The twin is permissive: it would do all that it is asked, and notes what it should not have been."""
    running.state = State(permissive=True)
    running.faults.clear()
    running.complaints.clear()
    audience = running.state.audience("Newsletter", double_optin=double)
    for email, status in zip(PEOPLE, begin, strict=False):
        running.state.person(audience, email, status)
    clock = ManualClock(running.state.now)
    with Client(Key(KEY, f"{running.url}/3.0"), clock=clock, pace=Pace(clock=clock, first=200.0)) as client:
        there = Mailchimp(client, audience.id)
        for kind, who, what in steps:
            member = running.state.who(audience, PEOPLE[who])
            if kind == "fault":
                running.faults.append((f"/lists/{audience.id}", str(what)))
                continue
            if kind == "elsewhere":
                if member is None:
                    running.state.person(audience, PEOPLE[who], str(what))
                else:
                    member.status, member.changed = str(what), running.state.tick()
                continue
            key = member.contact_id if member is not None else "no such one"
            asked = change(kind, what, audience.id, key, PEOPLE[who])
            before = member.status if member is not None else None
            try:
                [done] = there.write([asked])
            except UnknownOutcome:
                [done] = there.settle([asked])
            now = running.state.who(audience, PEOPLE[who])
            after = now.status if now is not None else None
            if before is not None and after == "subscribed":
                assert before == "subscribed"
            if kind == "field":
                assert after == before
            if done.state == "done" and kind == "leave":
                assert after in ("unsubscribed", "cleaned", "archived")
        addresses = [one.email.lower() for one in audience.members.values()]
        assert len(addresses) == len(set(addresses))
        assert all(member_hash(one.email) == id for id, one in audience.members.items())
    assert running.state.violations == []
    assert running.complaints == []
