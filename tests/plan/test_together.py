"""Two applies at the same time, in two processes: one is refused, one list is made, nobody is written twice."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from forked import script
from gone_wrong import GIVES_UP, MET, times_added

from icx.errors import IcxError
from icx.settings import Settings

WORKER = Path(__file__).with_name("meddled_apply.py")
REFUSED = {"apply-running", "apply-unfinished", "already-running"}


def start(here: Any, plan: Any, die: int | None = None) -> Any:
    """Begin an apply in a process of its own; it ends by SIGKILL at the point `die`."""
    names = ("base_url", "app_id", "username", "password", "account_id", "client_folder_id")
    facts = {
        "data": str(here.journal.path.parent), "plan": plan.plan_id, "answers": here.answers(plan), "die": die,
        "batch_size": here.settings.batch_size, "login": {name: getattr(here.running, name) for name in names},
        "state": str(here.state), "log": str(here.state.with_name("told.jsonl")), "seed": "", "chance": 0.0,
        "people": [], "target": 0, "other": 0,
    }  # fmt: skip
    return script(WORKER, json.dumps(facts))


def ended(process: Any) -> dict[str, Any]:
    """What an apply said in the end; nothing when it was killed."""
    out, err = process.communicate(timeout=120)
    assert process.returncode in (0, -9), err
    said: dict[str, Any] = json.loads(out.splitlines()[-1]) if process.returncode == 0 else {}
    return said


def slowly(here: Any, plan: Any, call: str) -> Any:
    """Begin an apply, and return when the service is slow to answer such a call of it."""
    until = time.monotonic() + 60
    here.fault(call, "slow", seconds=3.0)
    process = start(here, plan)
    while here.waiting() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert process.poll() is None, ended(process)
    return process


def refusal(here: Any, plan: Any) -> str:
    with pytest.raises(IcxError) as refused:
        here.apply(plan)
    return refused.value.code


def named(here: Any, name: str) -> list[int]:
    return [row[0] for row in here.sql("select list_id from lists where name = ? and not deleted", name)]


def test_two_plans_that_make_the_same_list_make_one(place: Any) -> None:
    here = place(settings=Settings(batch_size=5))
    people = here.people()
    one, other = (here.plan(group, to="New", create=True) for group in (people[:8], people[4:12]))
    process = slowly(here, one, "POST /lists")
    assert refusal(here, other) == "apply-running"
    assert ended(process)["added"] == 8
    assert here.apply(other).added == 4
    (made,) = named(here, "New")
    assert times_added(here, made) == dict.fromkeys(people[:12], 1)


def test_a_plan_that_knows_a_list_by_name_and_one_that_knows_its_id_do_not_meet(place: Any) -> None:
    here = place(settings=Settings(batch_size=5))
    people = here.people()
    by_name = here.plan(people[:8], to="New", create=True)
    made = here.make_list("New")  # by somebody else, meanwhile
    by_id = here.plan(people[4:12], to="New")
    process = slowly(here, by_id, "POST /subscriptions")
    assert refusal(here, by_name) == "apply-running"
    assert here.plans.get(by_name.plan_id).state == "open"
    process.kill()
    assert ended(process) == {}
    assert refusal(here, by_name) == "apply-unfinished"
    assert here.apply(by_id).added == 8
    process = slowly(here, by_name, "POST /subscriptions")
    assert here.plans.holder(by_name.plan_id).pid == process.pid
    assert refusal(here, here.plan(people[:20], to="New")) == "apply-running"
    assert ended(process)["added"] == 4
    assert times_added(here, made) == dict.fromkeys(people[:12], 1)


def test_two_applies_to_two_lists_make_one_parking_list(place: Any) -> None:
    here = place(settings=Settings(batch_size=5))
    people, plans = here.people(), []
    for name in ("One", "Other"):
        here.put(here.make_list(name), people[:2])
        plans.append(here.plan(people[1:6], to=name, stale="park"))
    process = slowly(here, plans[0], "POST /lists")
    assert refusal(here, plans[1]) == "already-running"
    assert ended(process)["parked"] == 1
    assert here.apply(plans[1]).added == 4
    assert len(named(here, "icx parking")) == 1
    assert here.violations() == []


def race(here: Any, seed: int) -> dict[str, int]:
    """Two applies at once to one list, new or not, under faults, one of them killed; then each until it is through."""
    luck, name = random.Random(seed), f"Race {seed}"
    people = luck.sample(here.people(), 20)
    if luck.random() < 0.5:
        here.make_list(name)
    wanted = [people[:12], people[6:]]
    plans = [here.plan(group, to=name, create=True) for group in wanted]
    luck.shuffle(plans)
    for _ in range(luck.randint(0, 3)):
        match = luck.choice(["POST /subscriptions", "POST /lists", "GET /subscriptions", "GET /lists"])
        here.fault(match, luck.choice(MET), after=luck.randrange(3), seconds=0.02)
    tally = {"kills": 0, "refused": 0, "gave_up": 0, "starts": 0}
    deaths: list[int | None] = [luck.randrange(1, 60), None]
    waiting = list(plans)
    for turn in range(20):
        both = [(plan, start(here, plan, death)) for plan, death in zip(waiting, deaths, strict=False)]
        for plan, process in both:
            said = ended(process)
            tally["starts"] += 1
            tally["kills"] += said == {}
            if said.get("state") == "finished":
                waiting.remove(plan)
            elif "gave_up" in said:
                assert said["gave_up"] in GIVES_UP | REFUSED, (seed, said)
                tally["refused" if said["gave_up"] in REFUSED else "gave_up"] += 1
        deaths = [None, None]
        if turn == 8:
            here.fault_clear()
        if not waiting:
            break
    here.fault_clear()
    assert not waiting, seed
    (made,) = named(here, name)
    refused = {
        row["contact_id"]
        for plan in plans
        for row in here.plans.outcomes(plan.plan_id)
        if row["state"] == "refused"
    }
    assert here.members(made) <= set(people) <= here.members(made) | refused, seed
    assert set(times_added(here, made).values()) == {1}, seed
    assert here.violations() == [], seed
    return tally


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 40, 10))
def test_two_applies_race_and_one_is_killed(place: Any, seed: int) -> None:
    here = place(contacts=120, settings=Settings(batch_size=3))
    print([race(here, each) for each in range(seed, seed + 10)])
