"""Mailchimp, on its twin over a real socket, does what every kind of connection must, and asks before it mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conformance import OverAWire, Rig, anybody, made
from mailchimp_twin import Audience, Member, TwinServer
from mailchimp_twin.state import hashed

from icx.connections.base import Change, Done
from icx.connections.mailchimp import Mailchimp
from icx.errors import IcxError, UnknownOutcome
from icx.mailchimp import Client

STATUSES = ("subscribed", "pending", "unsubscribed", "cleaned", "transactional", "archived")


@pytest.fixture(params=["strict", "permissive"])
def audience(twin: TwinServer, request: pytest.FixtureRequest) -> Audience:
    twin.state.permissive = request.param == "permissive"
    made = twin.state.audience("Newsletter")
    twin.state.field(made, "AGE", "number")
    twin.state.field(made, "SIZE", "dropdown", options={"choices": ["S", "L"]})
    for place, status in enumerate((*STATUSES, "subscribed", "subscribed")):
        twin.state.person(
            made, f"{status}.{place}@Example.com", status, merge={"FNAME": f"P{place}", "AGE": 7}
        )
    return made


@pytest.fixture
def rig(twin: TwinServer, audience: Audience, client: Client) -> Iterator[Rig]:
    yield Rig(
        lambda: Mailchimp(client, audience.id),
        "FNAME",
        "LNAME",
        lambda: twin.faults.append((f"/lists/{audience.id}", "lost-write")),
    )
    assert twin.state.violations == []


class TestMailchimp(OverAWire):
    def test_a_status_keeps_its_own_word(self, rig: Rig, audience: Audience) -> None:
        told = {one.said: (one.status, one.lists.get(audience.id)) for one in rig.open().read()}
        assert told == {
            "subscribed": ("normal", "normal"),
            "pending": ("pending", "pending"),
            "unsubscribed": ("donotcontact", "unsubscribed"),
            "cleaned": ("bounced", None),
            "transactional": ("normal", None),
            "archived": ("donotcontact", None),
        }

    @pytest.mark.parametrize("many", [1, 40])
    def test_nobody_who_is_there_is_made_again_and_nobody_there_is_subscribed(
        self, rig: Rig, audience: Audience, many: int
    ) -> None:
        """Statuses stay as they are, whoever asks: one by one, and among more than are looked up singly. [C-26]"""
        before = {one.email: one.status for one in audience.members.values()}
        there = rig.open()
        asked = [
            Change(row, None, email.upper(), {"FNAME": "x"}, join={audience.id: "normal"})
            for row, email in enumerate(before)
        ]
        more = [Change(100 + row, None, anybody(), join={audience.id: "normal"}) for row in range(many)]
        done = there.write(asked + more)
        assert [one.state for one in done] == ["refused"] * len(asked) + ["done"] * many
        assert all(one.words for one in done[: len(asked)])
        joined = [
            Change(row, one.contact_id, join={audience.id: "normal"})
            for row, one in enumerate(audience.members.values())
            if one.email in before
        ]
        said = {change.row: one.state for change, one in zip(joined, there.write(joined), strict=True)}
        states = {one.status: said[row] for row, one in enumerate(audience.members.values()) if row in said}
        assert {status for status, state in states.items() if state == "done"} == {"subscribed"}
        assert {
            email: one.status for one in audience.members.values() if (email := one.email) in before
        } == before

    def test_an_audience_with_double_opt_in_gets_pending_ones_and_the_others_what_was_asked(
        self, rig: Rig, twin: TwinServer, audience: Audience
    ) -> None:
        """[C-27, C-28] The confirmation mail is Mailchimp's; nobody is subscribed without it."""
        there = rig.open()

        def joined(how: str) -> Member:
            [done] = there.write([Change(1, None, address := anybody(), join={audience.id: how})])
            assert done.state == "done"
            return audience.members[hashed(address)]

        audience.has_welcome = True
        assert joined("normal").status == "subscribed"
        assert joined("pending").status == "pending"
        audience.double_optin = True
        assert joined("normal").status == "pending"
        assert made(there).said == "transactional"
        assert [why for why, _ in twin.state.mailed] == ["welcome", "confirmation", "confirmation"]

    def test_one_never_asked_may_be_asked_and_a_no_stays_one(self, rig: Rig, audience: Audience) -> None:
        there = rig.open()
        new = made(there)
        assert there.write([Change(1, new.key, join={audience.id: "normal"})])[0].state == "refused"
        assert there.write([Change(1, new.key, join={audience.id: "pending"})])[0].state == "done"
        assert there.people([new.key])[new.key].status == "pending"
        assert there.write([Change(1, new.key, unsubscribe=frozenset({audience.id}))])[0].state == "done"
        for how in ("normal", "pending"):
            [done] = there.write([Change(1, new.key, join={audience.id: how})])
            assert (done.state, "unsubscribed" in done.words) == ("refused", True)
        left = there.people([new.key])[new.key]
        assert (left.status, left.lists) == ("donotcontact", {audience.id: "unsubscribed"})
        assert there.write([Change(1, new.key, leave=frozenset({audience.id}))])[0].state == "refused"

    def test_tags_are_put_on_and_taken_off_and_more_than_fifty_are_read(self, rig: Rig) -> None:
        there = rig.open()
        new = made(there)
        many = frozenset(f"T{number}" for number in range(55))
        assert there.write([Change(1, new.key, tag=many)])[0].state == "done"
        assert there.people([new.key])[new.key].tags == many
        assert there.write([Change(1, new.key, untag=many - {"T7"})])[0].state == "done"
        assert next(one for one in there.read() if one.key == new.key).tags == {"T7"}
        assert "T7" in there.tags()
        [done] = there.write([Change(1, None, anybody(), tag=frozenset({"T7", "New"}))])
        assert there.people([done.key])[done.key].tags == {"T7", "New"}

    def test_the_fields_follow_the_audience_and_what_it_needs_is_said(
        self, rig: Rig, twin: TwinServer, audience: Audience
    ) -> None:
        """[C-17, C-24, C-30]"""
        there = rig.open()
        columns = {one.name: one for one in there.schema()}
        assert columns["SIZE"].choices == ("S", "L")
        assert (columns["SIZE"].type, columns["AGE"].type) == ("choice", "number")
        twin.state.field(audience, "PLAN", required=True)
        assert {one.name: one.required for one in there.schema()}["PLAN"]
        [done] = there.write([Change(1, None, anybody(), {"FNAME": "Ada"})])
        assert done.state == "refused"
        assert "PLAN" in done.words
        [done] = there.write([Change(1, None, anybody(), {"PLAN": "gold", "SIZE": "L", "AGE": "12"})])
        assert done.state == "done"
        assert there.people([done.key])[done.key].fields == {"PLAN": "gold", "SIZE": "L", "AGE": "12"}
        assert there.write([Change(1, done.key, fields={"SIZE": "XXL"})])[0].state == "refused"

    def test_an_address_is_sent_whole_or_not_at_all(self, rig: Rig) -> None:
        there = rig.open()
        new = made(there)
        [done] = there.write([Change(1, new.key, fields={"ADDRESS.city": "Durham"})])
        assert (done.state, "addr1, state, zip" in done.words) == ("refused", True)
        whole = {
            "ADDRESS.addr1": "1 Main",
            "ADDRESS.city": "Durham",
            "ADDRESS.state": "NC",
            "ADDRESS.zip": "27701",
        }
        assert there.write([Change(1, new.key, fields=whole)])[0].state == "done"
        assert there.write([Change(1, new.key, fields={"ADDRESS.city": "Cary"})])[0].state == "done"
        assert there.people([new.key])[new.key].fields == whole | {"ADDRESS.city": "Cary"}
        assert there.write([Change(1, new.key, fields=dict.fromkeys(whole, ""))])[0].state == "done"
        assert there.people([new.key])[new.key].fields == {}

    def test_who_was_erased_for_good_is_not_made_again(self, rig: Rig, audience: Audience) -> None:
        address = anybody()
        audience.forgotten.add(hashed(address))
        there = rig.open()
        [done] = there.write([Change(1, None, address, join={audience.id: "normal"})])
        assert (done.state, "permanently deleted" in done.words) == ("refused", True)
        assert address not in done.words

    def test_part_of_a_batch_in_doubt_puts_all_of_it_in_doubt(self, rig: Rig, twin: TwinServer) -> None:
        there = rig.open()
        some = [made(there) for _ in range(5)]
        asked = [Change(row, one.key, fields={"LNAME": "new"}) for row, one in enumerate(some)]
        twin.faults.append((f"/members/{some[3].key}", "504"))
        with pytest.raises(UnknownOutcome):
            there.write(asked)
        states = [one.state for one in there.settle(asked)]
        assert states == ["done", "done", "done", "not_sent", "done"]

    def test_an_audience_that_is_gone_is_named(self, twin: TwinServer, client: Client) -> None:
        with pytest.raises(IcxError, match="no audience Old list any more") as told:
            Mailchimp(client, "00000000ff", "Old list").verify()
        assert told.value.code == "audience-gone"


def test_who_was_erased_here_is_neither_read_nor_made(
    twin: TwinServer, connect: Callable[..., Client]
) -> None:
    made = twin.state.audience("Newsletter")
    twin.state.person(made, "gone@example.com")
    there = Mailchimp(connect(), made.id, erased=lambda address: address.lower() == "gone@example.com")
    assert list(there.read()) == []
    assert there.find(["gone@example.com"]) == {"gone@example.com": []}
    [done] = there.write([Change(1, None, "Gone@example.com", join={made.id: "normal"})])
    assert isinstance(done, Done)
    assert done.state == "refused"
