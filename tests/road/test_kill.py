"""Pulls and applies killed (SIGKILL) at random moments and typed again: nothing lost, nothing twice, few calls more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from road.account import Account, account, confirmed, save
from road.command import done, icx, killed

ON_NEWSLETTER = {"field": "@list", "operator": "normal", "value": "Newsletter"}
# What a reading writes down about itself is not part of what was read.
OWN_NOTES = {
    "icontact_users": ["first_seen"],
    "statistics": ["read_at"],
    "units": ["verified_at", "pull_id"],
    "consent_facts": ["seen_at", "happened_at"],
}
READ = (
    "icontact_users", "icontact_activity", "urls", "lists", "subscriptions", "custom_fields", "campaigns",
    "messages", "sends", "statistics", "units", "set_aside",
)  # fmt: skip
BATCH = 7
SETTINGS = f"page_size = 40\nbatch_size = {BATCH}\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A permissive account whose calls take 6 ms at least, so that a kill finds some under way."""
    state = tmp_path_factory.mktemp("account") / "account.sqlite"
    with account(state, contacts=400, messages=50, seed=9, latency=6, consent="permissive") as running:
        yield running


def tables(workspace: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table a pull fills, sorted, without what a reading notes about itself."""
    found = {}
    with duckdb.connect(str(workspace / "data" / "icx.duckdb"), read_only=True) as con:
        for table in [*(f"acme.{name}" for name in READ), "shared.consent_facts"]:
            without = OWN_NOTES.get(table.split(".")[1], [])
            columns = f"* exclude ({', '.join(without)})" if without else "*"
            found[table] = sorted(con.execute(f"select {columns} from {table}").fetchall(), key=repr)
        assert con.execute("select count(*) from acme.staged_units").fetchone() == (0,)
    return found


@pytest.fixture(scope="module")
def quiet(served: Account, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A workspace pulled without disturbance, and the calls it took."""
    workspace = served.workspace(tmp_path_factory.mktemp("quiet") / "w", SETTINGS)
    before = served.calls()
    done("pull", "acme", workspace=workspace)
    return workspace, served.calls() - before


def test_a_pull_killed_several_times_and_typed_again(
    served: Account, quiet: tuple[Path, int], tmp_path: Path
) -> None:
    _kill_a_pull(served, quiet, tmp_path, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_pull_killed_at_other_moments(
    served: Account, quiet: tuple[Path, int], tmp_path: Path, seed: int
) -> None:
    _kill_a_pull(served, quiet, tmp_path, seed)


def _killed_at(
    served: Account, words: list[str], workspace: Path, moment: int, method: str = "", path: str = ""
) -> bool:
    """Kill a command once such calls have become `moment`; it cannot end before: one of the next is held."""
    left = moment - served.calls(method, path)
    with served.holding(method, path, after=left + 1):
        return killed(*words, workspace=workspace, when=lambda: served.calls(method, path) >= moment)


def _kill_a_pull(served: Account, quiet: tuple[Path, int], tmp_path: Path, seed: int) -> None:
    undisturbed, calls = quiet
    workspace, rnd, kills = served.workspace(tmp_path / "w", SETTINGS), random.Random(seed), 0
    before = served.calls()
    for moment in sorted(rnd.randrange(3, calls - 2) for _ in range(3)):
        kills += _killed_at(served, ["pull", "acme"], workspace, before + moment)
    assert kills == 3
    last = icx("pull", "acme", "--json", workspace=workspace)
    assert last.code == 0, last.err
    together = served.calls() - before
    assert tables(workspace) == tables(undisturbed)
    assert together <= 1.1 * calls
    told = last.json["calls"]
    assert told["unstopped"] == pytest.approx(calls, abs=2)
    assert told["with_first_part"] == pytest.approx(together, abs=5 * kills)
    assert last.json["ledger"]["red"] == 0
    assert last.json["resumed_from"]


# -- applies


@pytest.fixture(scope="module")
def built(quiet: tuple[Path, int]) -> Path:
    """The pulled workspace with a profile that passed its checks."""
    for words in (["build"], ["check"]):
        done(*words, workspace=quiet[0])
    return quiet[0]


def rows_of(workspace: Path, plan_id: str) -> dict[str, set[int]]:
    """The plan's people by what becomes of them."""
    found: dict[str, set[int]] = {"add": set(), "keep": set(), "park": set(), "stay": set()}
    with duckdb.connect() as con:
        file = str(workspace / "data" / "plans" / f"{plan_id}.parquet")
        for contact, action in con.execute(
            "select contact_id, action from read_parquet(?)", [file]
        ).fetchall():
            found.setdefault(action, set()).add(contact)
    return found


def test_an_apply_killed_several_times_and_typed_again(served: Account, built: Path) -> None:
    _kill_an_apply(served, built, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_an_apply_killed_at_other_moments(served: Account, built: Path, seed: int) -> None:
    _kill_an_apply(served, built, seed)


def _kill_an_apply(served: Account, built: Path, seed: int) -> None:
    rnd, held, name = random.Random(seed), served.held, f"Killed {seed}"
    save(built, f"Readers {seed}", ON_NEWSLETTER)
    plan = done(
        "plan", f"Readers {seed}", "--to", f"acme/lists/{name}", "--create", "--json", workspace=built
    ).json
    adds = rows_of(built, plan["plan"])["add"]
    assert len(adds) > 100
    command = ["apply", plan["plan"], *confirmed(plan["stops"])]
    batches, kills, before = -(-len(adds) // BATCH), 0, served.calls("POST", "/subscriptions")
    for moment in sorted(rnd.randrange(1, batches - 2) for _ in range(3)):
        kills += _killed_at(served, command, built, before + moment, "POST", "/subscriptions")
    assert kills == 3
    last = done(*command, "--json", workspace=built).json
    list_id = held.list_id(name)
    assert held.on(list_id) == dict.fromkeys(adds, "normal")
    assert held.times_added(list_id) == dict.fromkeys(adds, 1)
    assert last["read_back"]["equal"]
    assert (last["added"], last["in_doubt"], last["not_sent"]) == (len(adds), 0, 0)
    assert held.violations() == []
    assert served.calls("POST", "/subscriptions") - before <= batches + kills
    _park_half(served, built, name, adds, rnd)


def _park_half(served: Account, built: Path, name: str, members: set[int], rnd: random.Random) -> None:
    """The same with moves, one call each: a plan that parks whoever is no longer in the audience."""
    held = served.held
    parked = held.rows(
        "select contact_id from subscriptions join lists using (list_id) where name = 'icx parking'"
    )
    free = sorted(
        members - {contact for (contact,) in parked}
    )  # whom an earlier plan parked stays where they are
    staying = sorted(members - set(rnd.sample(free, 20)))
    rule = {"field": "ic_contact_id", "operator": "in", "value": [str(contact) for contact in staying]}
    save(built, f"Fewer of {name}", rule)
    plan = done(
        "plan", f"Fewer of {name}", "--to", f"acme/lists/{name}", "--stale", "park", "--json", workspace=built
    ).json
    rows = rows_of(built, plan["plan"])
    assert len(rows["park"]) > 12
    command = ["apply", plan["plan"], *confirmed(plan["stops"])]
    before, kills = served.calls("PUT", "/subscriptions"), 0
    moments = sorted(rnd.randrange(1, len(rows["park"]) - 2) for _ in range(1 if name == "Killed 1" else 2))
    for moment in moments:
        kills += _killed_at(served, command, built, before + moment, "PUT", "/subscriptions")
    assert kills == len(moments)
    last = done(*command, "--json", workspace=built).json
    list_id, parking = held.list_id(name), held.list_id("icx parking")
    assert held.members(list_id) == rows["keep"] | rows["add"] | rows["stay"]
    assert held.members(parking) >= rows["park"]
    assert {held.times_added(parking)[contact] for contact in rows["park"]} == {1}
    assert last["read_back"]["equal"]
    assert held.violations() == []
