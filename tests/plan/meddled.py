"""One plan to a list of its own, applied while the service goes wrong, another client edits and the process is killed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forked import script
from gone_wrong import GIVES_UP, MET, times_added

from icx.plan.decide import WANT

WORKER = Path(__file__).with_name("meddled_apply.py")
ADDS, STALE, KEPT, NEW = 18, 3, 4, 4
PEOPLE = ADDS + STALE + KEPT
MATCHES = (
    "POST /subscriptions", "POST /subscriptions", "PUT /subscriptions", "GET /subscriptions", "POST /contacts",
    "GET /contacts", "GET /lists", "POST /lists", "*",
)  # fmt: skip
PATIENCE = 8  # starts after which the service is well again


@dataclass
class Story:
    """One list, whose people are whose, and everything that happened to it; `seed` tells it again."""

    seed: int
    target: int
    other: int
    adds: list[int]
    stale: list[int]
    kept: list[int]
    new: list[str]
    starts: int = 0
    points: int = 0
    killed: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    deeds: list[tuple[str, int]] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)

    def done_to(self, *deeds: str) -> set[int]:
        return {who for deed, who in self.deeds if deed in deeds or not deeds}


def orders(luck: random.Random, most: int) -> list[dict[str, Any]]:
    return [
        {
            "fault": luck.choice([*MET, "close-after-write", "warnings"]),
            "match": luck.choice(MATCHES),
            "after": luck.choice((0, 0, 1, 2, 3)),
            "times": luck.choice((1, 1, 2)),
            "seconds": 0.02,
        }
        for _ in range(luck.randint(0, most))
    ]


def told(here: Any, seed: int) -> tuple[Story, Any]:
    """Fill a list of its own and plan for it: people to add, to keep, to be made, and some to park."""
    luck = random.Random(seed)
    target, other = here.make_list(f"Meddled {seed}"), here.make_list(f"Other {seed}")
    folk = luck.sample(_free(here), PEOPLE)
    new = [f"new{seed}x{n}@example.com" for n in range(NEW)]
    story = Story(seed, target, other, folk[:ADDS], folk[ADDS : ADDS + STALE], folk[ADDS + STALE :], new)
    here.put(target, story.stale + story.kept)
    rows = here.want(story.adds + story.kept).to_pylist()
    rows += [{"contact_id": None, "email": one, "email_key": one} for one in new]
    luck.shuffle(rows)
    table = here.want([]).from_pylist(rows, schema=WANT)
    policy = {"stale": "park", "create_contacts": True, "basis": "signed up in the shop"}
    return story, here.plan(table, to=f"Meddled {seed}", **policy)


def _free(here: Any) -> list[int]:
    """People whom no earlier story is about or has made."""
    rows = here.sql(
        "select contact_id from contacts c where status = 'normal' and email like '%@%' and email not like 'new%x%@%'"
        " and not exists ("
        " select 1 from subscriptions s join lists l using (list_id) where s.contact_id = c.contact_id and l.list_id > 3007)"
        " and not exists (select 1 from actions a where a.contact_id = c.contact_id and a.action_type = 'EditSubscription')"
    )
    return sorted(row[0] for row in rows)


def begun(here: Any, story: Story, plan: Any, meddles: float = 0.0, **how: int | None) -> dict[str, Any]:
    """Type the apply once, and return what it said; nothing when it was killed. `how` is the point `die` or `full`."""
    names = ("base_url", "app_id", "username", "password", "account_id", "client_folder_id")
    story.starts += 1
    log = here.state.with_name("told.jsonl")
    log.unlink(missing_ok=True)
    facts = {
        "data": str(here.journal.path.parent), "plan": plan.plan_id, "answers": here.answers(plan),
        "batch_size": here.settings.batch_size, "login": {name: getattr(here.running, name) for name in names},
        "state": str(here.state), "target": story.target, "other": story.other, "chance": meddles, "log": str(log),
        "people": story.adds + story.stale + story.kept, "seed": f"{story.seed} {story.starts}", "die": None, "full": None,
    }  # fmt: skip
    process = script(WORKER, json.dumps(facts | how))
    out, err = process.communicate(timeout=120)
    for line in log.read_text().splitlines() if log.exists() else []:
        one = json.loads(line)
        if "deed" in one:
            story.deeds.append((one["deed"], one["contact"]))
        else:
            story.killed += [one["killed"]] if "killed" in one else []
            story.full += [one["full"]] if "full" in one else []
    if process.returncode == -9:
        return {}
    assert process.returncode == 0, (story, err)
    said: dict[str, Any] = json.loads(out.splitlines()[-1])
    story.points += said["points"]
    if "gave_up" in said:
        story.gave_up.append(said["gave_up"])
        assert said["gave_up"] in GIVES_UP or (said["gave_up"] == "disk-full" and how.get("full")), (
            story,
            said,
        )
    return said


def push(here: Any, story: Story, plan: Any, *, kills: int, faults: int, meddles: float) -> dict[str, Any]:
    """Type the apply until it is through: cut off `kills` times at any point, with `faults` orders at most."""
    luck = random.Random(f"{story.seed} {plan.plan_id}")
    for order in orders(luck, faults):
        story.faults.append(f"{order['fault']}@{order['match']}")
        here.fault(**order)
    said: dict[str, Any] = {}
    for start in range(2 * PATIENCE):
        if start == PATIENCE:
            here.fault_clear()
        ends = luck.choice(("die", "die", "full"))
        how = {ends: luck.randrange(1, 170)} if start < kills else {}
        said = begun(here, story, plan, meddles, **how)
        if said.get("state") == "finished":
            break
    here.fault_clear()
    assert said.get("state") == "finished", (story, said)
    refused = {row["row"] for row in here.plans.outcomes(plan.plan_id) if row["state"] == "refused"}
    people = here.plans.some(plan.plan_id, sorted(refused), ["contact_id", "email"]).to_pylist()
    story.refused |= {_id(here, row) for row in people}
    assert (said["in_doubt"], said["not_sent"]) == (0, 0), (story, said)
    return said


def _id(here: Any, row: dict[str, Any]) -> int:
    """The contact of a row, 0 when nobody was made for it."""
    found = here.sql("select contact_id from contacts where email = ?", row["email"])
    return int(row["contact_id"] or (found[0][0] if found else 0))


def judge(here: Any, story: Story) -> None:
    """The list is the plan, without whom the service refused and who left; nobody twice; nobody who said no is back."""
    made = [
        row[0] for row in here.sql("select contact_id from contacts where email like ?", f"new{story.seed}x%")
    ]
    assert len(made) + (0 in story.refused) <= NEW + 1, story
    assert len(made) == NEW or 0 in story.refused, story
    on, parking = here.on(story.target), _parking(here)
    assert here.violations() == [], (here.violations(), story)
    members = {contact for contact, status in on.items() if status == "normal"}
    touched, moved = story.done_to(), story.done_to("is moved away")
    ours = {*story.adds, *story.kept, *made}
    assert ours - touched - story.refused <= members, story
    assert members - touched <= ours | (set(story.stale) & story.refused), story
    assert not members & story.done_to("leaves", "is deleted"), story
    for contact in set(story.stale) - touched - story.refused:
        assert (on.get(contact), parking.get(contact)) == (None, "normal"), (contact, story)
    written = times_added(here, story.target)
    assert written.keys() <= {*story.adds, *made} | moved, story
    assert {contact for contact, times in written.items() if times > 1} <= moved, story


def judge_undone(here: Any, story: Story) -> None:
    """After the way back of the plan, and of that: who said no is nowhere put, and nobody is on both lists."""
    on, parking = here.on(story.target), _parking(here)
    assert here.violations() == [], (here.violations(), story)
    both = {contact for contact in on.keys() & parking.keys() if contact not in story.done_to()}
    assert not both, (both, story)
    gone = story.done_to("leaves", "is deleted")
    assert not {contact for contact, status in on.items() if status == "normal"} & gone, story


def _parking(here: Any) -> dict[int, str]:
    found = here.sql("select list_id from lists where name = 'icx parking' and not deleted")
    assert len(found) <= 1
    on: dict[int, str] = here.on(found[0][0]) if found else {}
    return on
