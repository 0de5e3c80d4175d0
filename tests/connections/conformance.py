"""What every kind of connection must do, tried on the kind that hangs itself in here.

A kind hangs in by one fixture, `rig`, in a class of its own: `class TestTheirs(Conformance)`; one whose writes travel
over a wire takes `OverAWire` too, and says in `lose` how the next answer gets lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from icx.connections.base import MEMBERSHIPS, STATUSES, Change, Connection, Person
from icx.errors import UnknownOutcome

ODD = 'Seán O\'Brien "Bob" <b@x>, Größe; 日本 \\ 50 %'
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Rig:
    """One place of one kind. `open` gives a new connection to it, `first` and `second` are text fields to write to.

    `lose` makes the answer to the next write get lost after it was carried out.
    """

    open: Callable[[], Connection]
    first: str
    second: str
    lose: Callable[[], None] = lambda: None


def anybody() -> str:
    """Return an address nobody has."""
    return f"New.Person+{next(NUMBERS)}@example.org"


def made(there: Connection, **fields: str) -> Person:
    """Make somebody and return them."""
    address = anybody()
    [done] = there.write([Change(1, None, address, fields)])
    assert (done.state, done.words) == ("done", "")
    assert done.key is not None
    found = there.people([done.key])[done.key]
    assert found is not None
    return found


class Conformance:
    """The suite; see `Rig`."""

    def test_it_says_what_it_is_without_a_secret_or_an_address(self, rig: Rig) -> None:
        there = rig.open()
        assert there.kind
        assert there.place.startswith(there.kind)
        assert "@" not in there.place + repr(there)
        assert there.batch >= 1
        assert there.can <= {"lists", "tags", "status", "since", "unsubscribe", "make"}
        assert there.place == rig.open().place
        assert there.verify()

    def test_everybody_is_read_once_and_the_same_one_by_one_and_by_address(self, rig: Rig) -> None:
        there = rig.open()
        everybody = {one.key: one for one in there.read()}
        assert {one.key for one in there.read(lists=frozenset())} == set(everybody), "whatever lists matter"
        assert len(everybody) > 3
        some = list(everybody)[:5]
        assert there.people([*some, *some]) == {key: everybody[key] for key in some}
        addresses = {one.email.upper() for key in some if (one := everybody[key]).email}
        found = there.find(sorted(addresses))
        assert set(found) == addresses
        assert all(everybody[one.key] == one for some in found.values() for one in some)
        assert all(found.values())
        assert there.find(["nobody@example.net"]) == {"nobody@example.net": []}

    def test_people_are_told_in_the_words_all_systems_share(self, rig: Rig) -> None:
        there = rig.open()
        columns = {column.name: column for column in there.schema()}
        assert {rig.first, rig.second} <= {name for name, column in columns.items() if column.writable}
        for one in there.read():
            assert set(one.fields) <= set(columns)
            assert all(isinstance(value, str) and value for value in one.fields.values())
            assert one.status in STATUSES
            assert set(one.lists.values()) <= set(MEMBERSHIPS)

    def test_somebody_made_is_there_as_they_were_given(self, rig: Rig) -> None:
        there = rig.open()
        before = {one.key for one in there.read()}
        new = made(there, **{rig.first: ODD, rig.second: ""})
        assert new.key not in before
        assert new.fields[rig.first] == ODD
        assert rig.second not in new.fields
        assert new.status == "normal"
        again = rig.open()
        assert again.find([new.email.lower()])[new.email.lower()] == [new]
        assert {one.key for one in again.read()} == before | {new.key}

    def test_nobody_is_made_twice(self, rig: Rig) -> None:
        there = rig.open()
        new = made(there, **{rig.first: "before"})
        address = anybody()
        twice = [
            Change(1, None, new.email.upper(), {rig.first: "after"}),
            Change(2, None, address, {rig.first: "one"}),
            Change(3, None, address.upper(), {rig.first: "other"}),
        ]
        done = there.write(twice)
        assert [one.state for one in done] == ["refused", "done", "refused"]
        assert done[0].words
        assert there.people([new.key])[new.key] == new
        assert [one.fields[rig.first] for one in there.find([address])[address]] == ["one"]

    def test_a_change_sets_what_it_names_and_nothing_else(self, rig: Rig) -> None:
        there = rig.open()
        new = made(there, **{rig.first: "Ada", rig.second: "kept"})
        other = made(there, **{rig.first: "Ada", rig.second: "kept"})
        [done] = there.write([Change(7, new.key, fields={rig.first: ODD})])
        assert (done.row, done.state) == (7, "done")
        now = there.people([new.key])[new.key]
        assert now.fields == {**new.fields, rig.first: ODD}
        assert now.email == new.email
        [done] = there.write([Change(8, new.key, fields={rig.first: ""})])
        assert done.state == "done"
        assert there.people([new.key])[new.key].fields == {rig.second: "kept"} | {
            name: value for name, value in new.fields.items() if name not in {rig.first, rig.second}
        }
        assert there.people([other.key])[other.key] == other

    def test_what_became_of_each_is_told_for_itself(self, rig: Rig) -> None:
        there = rig.open()
        new, other = made(there), made(there)
        done = there.write(
            [
                Change(3, new.key, fields={rig.first: "one"}),
                Change(1, "999999999", fields={rig.first: "nobody"}),
                Change(2, other.key, fields={rig.first: "two"}),
            ]
        )
        assert [(one.row, one.state) for one in done] == [(3, "done"), (1, "refused"), (2, "done")]
        assert done[1].words
        assert there.people([new.key, "999999999"])["999999999"] is None
        assert there.write([]) == []

    def test_what_is_there_is_found_out_by_reading(self, rig: Rig) -> None:
        there = rig.open()
        new = made(there, **{rig.first: "now"})
        address = anybody()
        asked = [
            Change(1, new.key, fields={rig.first: "now"}),
            Change(2, new.key, fields={rig.first: "later"}),
            Change(3, None, new.email, {rig.first: "now"}),
            Change(4, None, address),
        ]
        found = there.settle(asked)
        assert [one.state for one in found] == ["done", "not_sent", "done", "not_sent"]
        assert found[2].key == new.key
        assert there.find([address]) == {address: []}

    def test_the_calls_are_told_beforehand(self, rig: Rig) -> None:
        there = rig.open()
        assert there.calls([]) == 0
        some = [Change(row, str(row), fields={rig.first: "x"}) for row in range(3)]
        assert 0 <= there.calls(some) <= 3 * there.calls(some[:1])

    def test_a_status_is_lifted_by_no_change(self, rig: Rig) -> None:
        there = rig.open()
        said_no = [one for one in there.read() if one.status not in {"normal"}][:3]
        assert bool(said_no) == ("status" in there.can)
        for one in said_no:
            there.write([Change(1, one.key, fields={rig.first: "Ada"})])
            assert there.people([one.key])[one.key].status == one.status


class WithLists(Conformance):
    """A kind whose people are on lists."""

    def test_somebody_joins_a_list_and_who_left_it_never_again(self, rig: Rig) -> None:
        there = rig.open()
        new, stays = made(there), made(there)
        one = str(there.containers()[0].id)
        done = there.write(
            [Change(1, new.key, join={one: "normal"}), Change(2, stays.key, join={one: "normal"})]
        )
        assert [each.state for each in done] == ["done", "done"]
        assert there.people([new.key])[new.key].lists == {one: "normal"}
        assert there.write([Change(1, new.key, unsubscribe=frozenset({one}))])[0].state == "done"
        assert there.people([new.key])[new.key].lists.get(one) in {None, "unsubscribed"}
        done = there.write(
            [Change(1, new.key, join={one: "normal"}), Change(2, stays.key, join={one: "normal"})]
        )
        assert [each.state for each in done] == ["refused", "done"]
        assert there.people([new.key])[new.key].lists.get(one) in {None, "unsubscribed"}
        everybody = {each.key: each for each in there.read()}
        assert everybody[stays.key].lists == {one: "normal"}


class OverAWire(Conformance):
    """A kind whose answers can get lost."""

    def test_a_lost_answer_is_found_out_and_nobody_is_doubled(self, rig: Rig) -> None:
        there = rig.open()
        address = anybody()
        asked = [Change(1, None, address, {rig.first: ODD})]
        rig.lose()
        with pytest.raises(UnknownOutcome):
            there.write(asked)
        [done] = there.settle(asked)
        assert done.state == "done"
        [one] = there.find([address])[address]
        assert (one.key, one.fields[rig.first]) == (done.key, ODD)
        assert there.write(asked)[0].state == "refused"
        assert len(there.find([address])[address]) == 1
