"""Three systems in step by two syncs, while people edit them, connections drop and processes are killed.

Whatever is done in whatever order: when it is quiet the syncs come to rest, the next ones find nothing to do, nobody is
deleted, nobody who said no is put on a list, no field flips back and forth, and no edit is lost but to another edit.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from memory import Bench, Killed, person, system

from icx.errors import IcxError
from icx.sync import Act, Line, Rule, Sync, When

NAMES = ("crm", "mail", "shop")
PEOPLE = tuple(f"p{n}@example.com" for n in range(4))
VALUES = st.sampled_from(["", "x", "y", "gold", " gold "])
GOLD = When("field", "is", "tier", "gold")
RULES = st.sampled_from(
    [
        (Rule("a"), Rule("b")),
        (Rule("a"),),
        (Rule("a", (GOLD,)), Rule("b", does="update")),
        (
            Rule("a", (GOLD,), "create", (Act("join", "Gold", undo=True), Act("tag", "vip", undo=True))),
            Rule("a", (When("field", "is not", "tier", "gold"),), "update"),
            Rule("b", (When("status", "is", value="Normal"),)),
        ),
        (Rule("a"), Rule("b", (When("list", "on", "News"),), "update", (Act("untag", "vip", undo=True),))),
    ]
)


class Syncs(RuleBasedStateMachine):
    @initialize(
        rules=st.tuples(RULES, RULES),
        winners=st.tuples(st.sampled_from("ab"), st.sampled_from("ab")),
        blank=st.booleans(),
        seed=st.integers(0, 2**16),
    )
    def begin(self, rules, winners, blank: bool, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.luck = random.Random(seed)
        self.systems = {name: system(name, luck=self.luck, batch=2) for name in NAMES}
        lines = (Line("tier", "tier", blank=blank),)
        self.syncs = [
            Sync("one", "crm", "mail", lines, rules[0], winners[0]),
            Sync("two", "mail", "shop", lines, rules[1], winners[1]),
        ]
        self.bench = Bench(self.folder, **self.systems)
        self.gone: Counter[str] = Counter()
        self.expected = {name: set[str]() for name in NAMES}
        self.edits: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self.met: set[str] = set()
        self.made = 0

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.close()
            shutil.rmtree(self.folder)

    # -- what people do

    def _one(self, name: str, email: str):
        return next((one for one in self.systems[name].held.values() if one.email == email), None)

    @rule(name=st.sampled_from(NAMES), email=st.sampled_from(PEOPLE), tier=VALUES)
    def add(self, name: str, email: str, tier: str) -> None:
        if self._one(name, email) is None or self.luck.random() < 0.1:  # now and then somebody twice
            self.made += 1
            key = f"{name}-{self.made}"
            self.systems[name].held[key] = person(key, email, tier=tier) if tier else person(key, email)
            self.expected[name].add(key)
            self.edits.setdefault((email, "tier"), set()).add((name, tier))

    @rule(
        name=st.sampled_from(NAMES),
        email=st.sampled_from(PEOPLE),
        field=st.sampled_from(["name", "tier"]),
        value=VALUES,
    )
    def edit(self, name: str, email: str, field: str, value: str) -> None:
        one = self._one(name, email)
        if one is not None:
            fields = {key: held for key, held in {**one.fields, field: value}.items() if held}
            self.systems[name].held[one.key] = replace(one, fields=fields)
            self.edits.setdefault((email, field), set()).add((name, value))

    @rule(
        name=st.sampled_from(NAMES),
        email=st.sampled_from(PEOPLE),
        how=st.sampled_from(["left", "donotcontact", "bounced", "joined", "gone"]),
    )
    def stand(self, name: str, email: str, how: str) -> None:
        one = self._one(name, email)
        if one is None:
            return
        if how == "gone":
            del self.systems[name].held[one.key]
            self.expected[name].discard(one.key)
        elif how in {"left", "joined"}:
            word = "unsubscribed" if how == "left" else "normal"
            if one.lists.get("1") != "unsubscribed":
                self.systems[name].held[one.key] = replace(one, lists={**one.lists, "1": word, "2": word})
        else:
            self.systems[name].held[one.key] = replace(one, status=how)

    # -- what icx does

    @rule(kill=st.sampled_from([0, 0.3]), drop=st.sampled_from([0, 0.3]), refuse=st.sampled_from([0, 0.2]))
    def run_with_faults(self, kill: float, drop: float, refuse: float) -> None:
        for one in self.systems.values():
            one.kill, one.drop, one.refuse = kill, drop, refuse
        for sync in self.syncs:
            try:
                self.bench.run(sync)
            except Killed:
                self.bench.close()
                self.bench = Bench(self.folder, **self.systems)
            except IcxError:
                pass
        for one in self.systems.values():
            one.kill = one.drop = one.refuse = 0.0

    @rule()
    def comes_to_rest(self) -> None:
        for one in self.systems.values():
            one.log.clear()
        for _ in range(6):
            quiet = []
            for sync in self.syncs:
                plan = self.bench.plan(sync)
                quiet.append(plan.empty)
                self.bench.apply(sync, plan)
            if all(quiet):
                break
        assert all(quiet), "the syncs do not come to rest"
        for name in NAMES:
            for (key, field), values in self._written(name).items():
                assert len(values) == len(set(values)), f"{name}: {field} of {key} flips: {values}"
        self._in_step()

    def _written(self, name: str) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for change in self.systems[name].log:
            for field, value in change.fields.items():
                found.setdefault((change.key or change.email or "", field), []).append(value)
        return found

    def _in_step(self) -> None:
        """Everything both ways: whoever is in step holds the same, and an edit nobody contradicted is everywhere."""
        for sync in self.syncs:
            if sync.rules != (Rule("a"), Rule("b")):
                continue
            ends = self.bench.work(sync)
            for row in ends.state(sync).pairs("in_sync"):
                a = self.systems[sync.a].held[row["a_key"]]
                b = self.systems[sync.b].held[row["b_key"]]
                for field in ("name", "tier"):
                    values = {one.fields.get(field, "").strip() for one in (a, b)} - {""}
                    assert len(values) <= 1, f"{field} of {a.email}: {values}"
                    edits = self.edits.get((a.email or "", field), set())
                    mine = {value.strip() for name, value in edits}
                    if values and edits and all(one.rules == (Rule("a"), Rule("b")) for one in self.syncs):
                        assert values <= mine, "a value that nobody ever gave"

    @precondition(lambda self: hasattr(self, "bench"))
    @invariant()
    def nobody_is_deleted_and_no_status_is_raised(self) -> None:
        for name, keys in self.expected.items():
            assert keys <= set(self.systems[name].held)


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Syncs,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_syncs_come_to_rest_whatever_is_done_to_them() -> None:
    _run(2, 6)


@pytest.mark.slow
def test_syncs_come_to_rest_whatever_is_done_to_them_for_long() -> None:
    _run(100, 25)
