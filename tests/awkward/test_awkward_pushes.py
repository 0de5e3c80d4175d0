"""Rules, lists and plans that do not fit: each is refused by name before anything is sent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from awkward_words import four_parts
from typing_commands import begun

LIST = "acme/lists/Durham regulars"


def rule(tmp_path: Path, field: str, operator: str, value: object) -> str:
    inner = {
        "combinator": "or",
        "not": False,
        "rules": [{"field": field, "operator": operator, "value": value}],
    }
    path = tmp_path / "loyal.json"
    path.write_text(json.dumps({"combinator": "and", "not": False, "rules": [inner]}))
    return str(path)


def members(today: Any, name: str = "Durham regulars") -> list[Any]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(today.state, timeout=30)) as con:
        sql = "select s.* from subscriptions s join lists using (list_id) where name = ? order by contact_id"
        return con.execute(sql, [name]).fetchall()


def test_an_unknown_field_names_the_nearest_and_the_place_and_saves_nothing(
    ready: Any, tmp_path: Path
) -> None:
    told = four_parts(
        ready.icx("audience", "save", "Loyal", "--rule", rule(tmp_path, "opens_9d", ">=", 3)),
        "field-unknown",
        2,
    )
    assert told[0].startswith("icx: There is no field `opens_9d`. Nearest: `opens_90d`")
    assert "loyal.json, rules[0].rules[0]" in told[1]
    assert "icx fields opens" in told[3]
    assert [one["audience"] for one in ready.icx("audience", "list", "--json").json["audiences"]] == ["All"]


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("opens_90d", ">=", "many"),
        ("city", "within", {"days": -1}),
        ("city", "almost", "Durham"),
        ("email_last_open_ts", "=", "someday"),
    ],
)
def test_a_value_that_does_not_fit_says_what_does_and_saves_nothing(
    ready: Any, tmp_path: Path, field: str, operator: str, value: object
) -> None:
    before = ready.icx("audience", "show", "All", "--json").json["rule"]
    told = four_parts(
        ready.icx("audience", "save", "All", "--rule", rule(tmp_path, field, operator, value)),
        "rule-value",
        2,
    )
    assert "loyal.json, rules[0].rules[0]" in told[1]
    assert ready.icx("audience", "show", "All", "--json").json["rule"] == before


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"combinator": "and"}', "\x00\xff"])
def test_a_file_that_is_no_rule_is_refused(ready: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(text.encode("latin-1"))
    said = ready.icx("audience", "save", "Broken", "--rule", str(path))
    assert said.code == 2, said.err
    assert "broken.json" in said.err
    assert "[bug]" not in said.err


def test_a_file_that_is_not_there_is_named(ready: Any) -> None:
    said = ready.icx("audience", "save", "X", "--rule", "nowhere.json")
    assert said.code == 2
    assert "nowhere.json" in said.err
    assert "[bug]" not in said.err


def test_audiences_in_a_ring_and_one_that_is_used_are_refused(ready: Any, tmp_path: Path) -> None:
    assert ready.icx("audience", "save", "Gold", "--rule", rule(tmp_path, "@audience", "in", "All")).code == 0
    told = four_parts(
        ready.icx("audience", "save", "All", "--rule", rule(tmp_path, "@audience", "in", "Gold")),
        "audience-cycle",
        3,
    )
    assert "Gold" in told[0] + told[1]
    told = four_parts(ready.icx("audience", "delete", "All"), "audience-used", 3)
    assert "Gold" in told[0]
    assert ready.icx("audience", "count", "Gold").code == 0


def test_a_list_that_is_not_there_names_the_nearest(ready: Any) -> None:
    told = four_parts(ready.icx("plan", "All", "--to", "acme/lists/Durham regular"), "list-unknown", 2)
    assert "Durham regulars (3004)" in told[1]
    assert ready.icx("plans", "--json").json["plans"] == []


def test_two_lists_of_one_name_are_told_apart_by_id(ready: Any) -> None:
    ready.edit("update lists set name = 'Durham regulars' where list_id = 3007")
    told = four_parts(ready.icx("plan", "All", "--to", LIST), "list-twice", 2)
    assert "3004" in told[1]
    assert "3007" in told[1]
    assert "acme/lists/#3004" in told[3]
    assert ready.icx("plan", "All", "--to", "acme/lists/#3007").code == 0


def test_a_list_deleted_after_the_plan_closes_the_plan(ready: Any) -> None:
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    ready.edit("update lists set deleted = 1 where list_id = 3004")
    before = members(ready)
    confirm = confirmed(plan)
    told = four_parts(ready.icx("apply", plan["plan"], *confirm), "list-gone", 1)
    assert "is closed" in told[2]
    assert members(ready) == before
    assert ready.icx("plans", plan["plan"], "--json").json["plan"]["state"] == "closed"


def test_a_plan_asks_and_without_a_terminal_prints_the_answers_ready(ready: Any) -> None:
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    assert plan["stops"]
    before = members(ready)
    said = ready.icx("apply", plan["plan"])
    told = four_parts(said, "needs-answer", 3)
    assert "--confirm growth=" in told[3]
    assert members(ready) == before
    import shlex

    done = ready.icx(*shlex.split(told[3].split("next")[1])[1:])
    assert done.code == 0, done.err
    assert "Read back:" in done.out
    assert len(members(ready)) > len(before)


def test_a_past_audience_is_not_sent(ready: Any) -> None:
    four_parts(ready.icx("plan", "All", "--to", LIST, "--as-of", "2026-03-01"), "not-now", 3)
    four_parts(ready.icx("apply", "P-1", "--as-of", "2026-03-01"), "not-now", 3)


def test_data_that_did_not_pass_holds_the_plan_until_somebody_says_why(ready: Any) -> None:
    nobody_passes(ready)
    plan = ready.icx("plan", "All", "--to", LIST, "--json")
    assert plan.code == 0, plan.err
    assert plan.json["checks"]["ok"] is False
    assert ready.icx("plan", "All", "--to", LIST, "--strict", "-q").code == 3
    before = members(ready)
    told = four_parts(ready.icx("apply", plan.json["plan"], *confirmed(plan.json)), "check-failed", 3)
    assert "icx check profile" in told[3]
    assert members(ready) == before
    four_parts(ready.icx("plan", "All", "--to", LIST, "--override", "profile/email"), "usage", 2)
    four_parts(
        ready.icx("plan", "All", "--to", LIST, "--override", "profile/city", "--because", "x"),
        "override-unknown",
        2,
    )
    again = ready.icx(
        "plan", "All", "--to", LIST, "--override", "profile/email", "--because", "known, see #12", "--json"
    )
    assert again.code == 0, again.err
    done = ready.icx("apply", again.json["plan"], *confirmed(again.json))
    assert done.code == 0, done.err
    assert [
        one["because"] for one in ready.icx("record", "--json").json["entries"] if one["verb"] == "overrode"
    ] == ["known, see #12"]


def test_a_check_that_fails_only_after_the_plan_can_be_overridden_at_the_apply(ready: Any) -> None:
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    nobody_passes(ready)
    told = four_parts(ready.icx("apply", plan["plan"], *confirmed(plan)), "check-failed", 3)
    assert f"icx apply {plan['plan']} --override profile/email --because WHY" in told[3]
    lift = ["apply", plan["plan"], *confirmed(plan), "--override", "profile/email"]
    four_parts(ready.icx(*lift), "usage", 2)
    other = ready.icx(*lift[:-1], "profile/city", "--because", "x")
    four_parts(other, "override-unknown", 2)
    before = members(ready)
    done = ready.icx(*lift, "--because", "known since Monday")
    assert done.code == 0, done.err
    assert len(members(ready)) > len(before)
    entries = ready.icx("record", "--json").json["entries"]
    assert [one["because"] for one in entries if one["verb"] == "overrode"] == ["known since Monday"]
    kept = ready.icx("plans", plan["plan"], "--json").json["plan"]["checks"]
    assert kept["override"]["check"] == "profile/email"
    assert kept["override"]["because"] == "known since Monday"


def test_data_built_again_after_the_plan_is_judged_again_before_the_apply(ready: Any) -> None:
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    assert ready.icx("build").code == 0
    done = ready.icx("apply", plan["plan"], *confirmed(plan))
    assert done.code == 0, done.err
    with_verdict = ready.icx("check", "profile", "--json").json["suites"][0]["judged"]
    assert with_verdict


def test_an_address_with_an_asterisk_reaches_nobody_else(ready: Any) -> None:
    with_list = ready.icx("audience", "show", "All", "--sample", "1", "--json").json["sample"][0]
    ready.edit("update contacts set email = '*@example.com' where contact_id = ?", with_list)
    said = ready.icx("pull", "acme")
    assert "[odd-address]" in said.out
    assert ready.icx("build").code == 0
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    wanted = plan["counts"]
    done = ready.icx("apply", plan["plan"], *confirmed(plan), "--json")
    assert done.code == 0, done.err
    assert done.json["added"] == wanted["add"]
    assert done.json["read_back"]["equal"] is True


def test_an_apply_that_is_stopped_goes_on_and_another_to_the_same_list_waits_for_it(ready: Any) -> None:
    (ready.folder / "icx.toml").write_text("batch_size = 5\n")
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    other = ready.icx("plan", "All", "--to", LIST, "--json").json
    assert plan["counts"]["add"] > 40
    for _ in range(4):
        ready.fault(match="POST /subscriptions", fault="slow", seconds=0.3, times=4)
    process = begun("apply", plan["plan"], *confirmed(plan), workspace=ready.folder)
    start = len(members(ready))
    wait_until(lambda: len(members(ready)) > start + 5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out.startswith("Stopped: ")
    assert f"Next: icx apply {plan['plan']}" in out
    unfinished = ready.icx("status", "--json").json["unfinished"]
    assert [one["plan"] for one in unfinished] == [plan["plan"]]
    assert 0 < unfinished[0]["done"] < unfinished[0]["of"]
    told = four_parts(ready.icx("apply", other["plan"], *confirmed(other)), "apply-unfinished", 3)
    assert f"icx apply {plan['plan']}" in told[3]
    done = ready.icx("apply", plan["plan"], "--json")
    assert done.code == 0, done.err
    assert done.json["added"] == plan["counts"]["add"]
    assert done.json["read_back"]["equal"] is True


def test_a_list_whose_fate_is_not_known_is_never_sent_twice(ready: Any, hasty: None) -> None:
    plan = ready.icx("plan", "All", "--to", LIST, "--json").json
    ready.fault(match="POST /subscriptions", fault="close-after-write")
    ready.fault(match="GET /subscriptions*", fault="503", after=2, times=60)
    said = ready.icx("apply", plan["plan"], *confirmed(plan))
    four_parts(said, "in-doubt", 1)
    import requests

    requests.delete(f"{ready.sandbox.control_url}/faults", timeout=10)
    done = ready.icx("apply", plan["plan"], "--json")
    assert done.code == 0, done.err
    assert done.json["read_back"]["equal"] is True
    assert done.json["in_doubt"] == 0


def test_rows_the_service_refuses_beyond_the_alert_share_end_with_one(made_ready: Any) -> None:
    today = made_ready(consent="strict")
    plan = today.icx("plan", "All", "--to", LIST, "--json").json
    rows = [row["contact_id"] for row in decided(today, plan["plan"]) if row["action"] == "add"][:3]
    for (
        contact
    ) in rows:  # the service remembers that these addresses left; no reading tells, it alone can refuse
        today.edit(
            "insert into departures (folder_id, address, list_id, state, contact_id, happened)"
            " select folder_id, lower(email), ?, 'unsubscribed', contact_id, 0 from contacts where contact_id = ?",
            plan["target"]["list_id"],
            contact,
        )
    told = four_parts(today.icx("apply", plan["plan"], *confirmed(plan)), "refused-share", 1)
    assert f"3 of {plan['counts']['add']}" in told[0]
    states = {
        row["contact_id"]: row["state"] for row in today.icx("plans", plan["plan"], "--json").json["rows"]
    }
    assert {states[contact] for contact in rows} == {"refused"}
    assert not {row[1] for row in members(today)} & set(rows)


def decided(today: Any, plan_id: str) -> list[dict[str, Any]]:
    """Return the rows of a plan."""
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(
        today.folder / "data" / "plans" / f"{plan_id}.parquet"
    ).to_pylist()
    return found


def confirmed(plan: dict[str, Any]) -> list[str]:
    """Return the options that answer a plan's stops."""
    return [
        "--yes",
        *(word for stop in plan["stops"] for word in ("--confirm", f"{stop['key']}={stop['confirm']}")),
    ]


def wait_until(holds: Any) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")


@pytest.fixture
def holder(ready: Any) -> Iterator[subprocess.Popen[str]]:
    """Another program that has the database open."""
    script = f"import duckdb, time; c = duckdb.connect({str(ready.folder / 'data/icx.duckdb')!r}); print('open', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_that_holds_the_database_is_named(ready: Any, holder: Any) -> None:
    told = four_parts(ready.icx("lists", "acme", "--wait", "0"), "database-busy", 1)
    assert f"process {holder.pid}" in told[1]
    assert "data/published/" in told[3]
    assert (ready.folder / "data/published/acme/profile.parquet").exists()


def test_whoever_waits_for_the_database_is_told_and_goes_on_when_it_is_free(ready: Any, holder: Any) -> None:
    process = begun("lists", "acme", workspace=ready.folder)
    time.sleep(4)
    holder.kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "waiting for the database" in err
    assert out.startswith("id\tlist")


def nobody_passes(ready: Any) -> None:
    """Put a suite in place that every address fails."""
    suite = ready.folder / "expectations" / "profile.json"
    suite.parent.mkdir(exist_ok=True)
    expectation = {
        "type": "expect_column_values_to_match_regex",
        "kwargs": {"column": "email", "regex": "^nobody$"},
        "meta": {},
        "severity": "critical",
    }
    suite.write_text(json.dumps({"name": "profile", "expectations": [expectation], "meta": {}}))


def test_a_list_whose_count_moves_all_the_time_is_not_planned_to(ready: Any, hasty: None) -> None:
    ready.fault(match="GET /subscriptions", fault="total-moves", times=100)
    told = four_parts(ready.icx("plan", "All", "--to", "acme/lists/#3004"), "list-moves", 1)
    assert "nothing was sent" in told[2]
