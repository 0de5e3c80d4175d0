"""Two people and any edits of theirs, decided in memory: no edit is lost but to another one, and it ends at once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from memory import person

from icx.connections.base import Person
from icx.sync import Act, Line, Rule, Sync, When
from icx.sync.decide import decide
from icx.sync.memory import NOTHING
from icx.sync.want import after

GOLD = When("field", "is", "tier", "gold")
ACTS = st.sampled_from(
    [
        Act("join", "L", undo=True),
        Act("tag", "vip", undo=True),
        Act("untag", "vip", undo=True),
        Act("set", "note", "told", undo=True),
        Act("leave", "L", undo=True),
    ]
)
WHENS = st.sampled_from(
    [
        (),
        (GOLD,),
        (When("tag", "has", "vip"),),
        (When("list", "on", "L"),),
        (When("field", "filled", "note"),),
    ]
)
RULES = st.builds(
    Rule,
    st.sampled_from("ab"),
    WHENS,
    st.sampled_from(["create", "update", "act"]),
    st.lists(ACTS, max_size=2).map(tuple),
)
SYNCS = st.builds(
    lambda rules, winner, way, blank: Sync(
        "any", "one", "two", (Line("tier", "tier", way, blank),), tuple(rules), winner
    ),
    st.lists(RULES, min_size=1, max_size=4),
    st.sampled_from("ab"),
    st.sampled_from(["both", "a>b", "b>a"]),
    st.booleans(),
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["tier", "note", "tag", "list"]),
        st.sampled_from(["", "gold", "tin", "told"]),
    ),
    max_size=3,
)


def edited(one: Person, what: str, value: str) -> Person:
    if what == "tag":
        return replace(one, tags=frozenset({"vip"}) if value else frozenset())
    if what == "list":
        if one.lists.get("L") == "unsubscribed":
            return one
        status = {"": {}, "gold": {"L": "normal"}, "tin": {"L": "unsubscribed"}, "told": {"L": "pending"}}[
            value
        ]
        return replace(one, lists=status)
    return replace(one, fields={key: held for key, held in {**one.fields, what: value}.items() if held})


@settings(max_examples=150, deadline=None)
@given(SYNCS, st.lists(EDITS, min_size=1, max_size=5))
def test_any_edits_of_a_pair_come_to_rest_and_none_is_lost_but_to_another(
    sync: Sync, times: list[list[tuple[str, str, str]]]
) -> None:
    people = {"a": person("1", "ada@example.com"), "b": person("m1", "ada@example.com")}
    memory = NOTHING
    for edits in times:
        before = {side: one.fields.get("tier", "") for side, one in people.items()}
        for side, what, value in edits:
            people[side] = edited(people[side], what, value)
        now = {side: one.fields.get("tier", "") for side, one in people.items()}
        said_no = {side for side, one in people.items() if "unsubscribed" in one.lists.values()}
        found = decide(sync, people["a"], people["b"], memory)
        for wants in found.rounds:
            for side, want in wants.items():
                assert not (want.join and side in said_no), "nobody is put on a list who said no"
                assert not want.make
                people[side] = after(people[side], want, "ada@example.com")
        memory = found.memory
        again = decide(sync, people["a"], people["b"], memory)
        assert not again.rounds, "a second sync finds nothing to do"
        assert again.memory == memory
        if found.reason == "loop":
            assert not found.rounds
            continue
        moved = [side for side in "ab" if now[side] != before[side] and now[side]]
        if len(moved) == 1 and before["a"] == before["b"]:
            assert people[moved[0]].fields["tier"] == now[moved[0]], "an edit nobody contradicted stays"
