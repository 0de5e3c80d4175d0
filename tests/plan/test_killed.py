"""An apply killed at any moment and started again: the list equals the plan, nobody is written twice."""

import json
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from forked import script

from icx.settings import Settings

SCRIPT = Path(__file__).with_name("apply_in_a_process.py")


def start(here, plan, batch_size=5):
    facts = {
        "data": str(here.journal.path.parent),
        "plan": plan.plan_id,
        "batch_size": batch_size,
        "answers": here.answers(plan),
        "login": {
            "base_url": here.running.base_url,
            "app_id": here.running.app_id,
            "username": here.running.username,
            "password": here.running.password,
            "account_id": here.running.account_id,
            "client_folder_id": here.running.client_folder_id,
        },
    }
    return script(SCRIPT, json.dumps(facts))


def ended(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def killed_at(here, plan, call, after):
    """Kill an apply while the service holds such a call, after answering so many; True when it came to that."""
    here.fault(call, "hold", after=after, times=100)
    asked = partial(_asked, here, call)
    before = asked()
    process = start(here, plan)
    while asked() <= before + after and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    here.fault_clear()
    return process.returncode == -signal.SIGKILL


def _asked(here, call):
    return sum(count for name, count in here.calls().items() if call == "* " or name.startswith(call))


def times_subscribed(here, target):
    """How often the sandbox's own history says that each person was put on the list."""
    rows = here.sql(
        "select contact_id, count(*) from actions where action_type = 'EditSubscription'"
        " and details like ? group by contact_id",
        f'%"{target}"%',
    )
    return {int(contact): count for contact, count in rows}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_apply_killed_at_random_moments_and_resumed_gives_the_planned_list(place, seed):
    here = place(contacts=120, settings=Settings(batch_size=5))
    target = here.make_list()
    people = here.people()
    here.put(target, people[60:64])
    wanted = people[:40]
    plan = here.plan(wanted, stale="park")
    chance = random.Random(seed)
    for call in ("POST /subscriptions", "* ", "POST /subscriptions"):
        assert killed_at(here, plan, call, chance.randrange(3) if call != "* " else chance.randrange(3, 12))
    result = ended(start(here, plan))
    assert result["state"] == "finished"
    assert (result["added"], result["parked"]) == (40, 4)
    assert result["read_back"]["equal"]
    assert here.members(target) == set(wanted)
    assert set(times_subscribed(here, target).values()) == {1}
    assert here.violations() == []


def test_a_kill_after_the_service_wrote_and_before_the_outcome_was_noted(place):
    here = place(settings=Settings(batch_size=5))
    target = here.make_list()
    wanted = here.people()[:10]
    plan = here.plan(wanted)
    # The answer to the first batch never comes: the write is done, the process dies waiting for it.
    here.fault("POST /subscriptions", "close-after-write")
    assert killed_at(here, plan, "GET /subscriptions", 2)
    states = {row["state"] for row in here.plans.outcomes(plan.plan_id)}
    assert states == {"sent"}
    result = ended(start(here, plan))
    assert result["added"] == 10
    assert here.members(target) == set(wanted)
    assert set(times_subscribed(here, target).values()) == {1}
    assert here.calls()["POST /subscriptions"] == 2


def test_a_way_back_cut_off_before_it_arrived_is_still_a_way_back(place):
    here = place(settings=Settings(batch_size=5))
    target = here.make_list()
    people = here.people()[:3]
    here.put(target, people)
    parked = here.plan(people[:1], stale="park")
    here.apply(parked)
    back = here.undo(parked.plan_id)
    assert killed_at(here, back, "PUT /subscriptions", 0)
    assert [row["action"] for row in here.plans.outcomes(back.plan_id, "sent")] == ["restore"]
    ((parking,),) = here.sql("select list_id from lists where name = 'icx parking'")
    left = here.plans.outcomes(back.plan_id, "sent")[0]["contact_id"]
    here.put(parking, [left], "unsubscribed")  # leaving the parking list is leaving the one they came from
    assert ended(start(here, back))["left_out"] == {"unsubscribed": 1}
    assert here.on(target) == dict.fromkeys({*people} - {left}, "normal")
    assert here.on(parking) == {left: "unsubscribed"}
    assert here.violations() == []


def test_who_says_no_between_a_kill_and_the_next_start_is_left_out(place):
    here = place(settings=Settings(batch_size=5))
    target = here.make_list()
    wanted = here.people()[:20]
    plan = here.plan(wanted)
    here.apply(plan, ending=lambda: len(here.members(target)) >= 5)
    there = next(iter(here.members(target)))
    absent = next(contact for contact in wanted if contact not in here.members(target))
    here.put(target, [there, absent], "unsubscribed")
    result = ended(start(here, plan))
    assert result["left_out"] == {"unsubscribed": 1}
    assert here.members(target) == set(wanted) - {there, absent}
    assert here.violations() == []


def test_a_second_apply_to_the_same_list_names_the_first(place):
    here = place(settings=Settings(batch_size=5))
    here.make_list()
    plan, other = here.plan(here.people()[:20]), here.plan(here.people()[:5])
    here.fault("GET /lists", "slow")
    process = start(here, plan)
    assert process.stdout.readline() == "ready\n"
    assert process.stdout.readline().startswith("progress reading")
    with pytest.raises(Exception, match=f"{plan.plan_id} is being applied to this list") as running:
        here.apply(other)
    assert running.value.code == "apply-running"
    assert f"process {process.pid}" in running.value.where
    assert ended(process)["added"] == 20
