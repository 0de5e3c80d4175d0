"""The gate: which verdicts hold which push."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icx.clock import ManualClock
from icx.quality import Gate, Override, Verdicts, check_all, decide, gate
from icx.quality.report import CheckReport, Result
from icx.store import Store

from .conftest import NOW, change


def a_result(suite: str, columns: tuple[str, ...], outcome: str) -> Result:
    key = f"{suite}/{'+'.join(columns) or 'table'}"
    severity = "warning" if outcome == "warning" else "critical"
    return Result(key, "expect_x", columns, severity, outcome == "passed", "says", "found", "line")  # type: ignore[arg-type]


def verdicts(**outcomes: list[tuple[tuple[str, ...], str]]) -> Verdicts:
    reports = {
        name: CheckReport(
            "acme",
            name,
            f"{name}-now",
            NOW,
            "r-1",
            tuple(a_result(name, columns, outcome) for columns, outcome in outcomes.get(name, [])),
            10,
            0.1,
            "digest",
        )
        for name in ("contacts", "activity", "profile")
    }
    return Verdicts(reports, {name: f"{name}-now" for name in reports}, dict.fromkeys(reports, "digest"))


def decided(known: Verdicts, **options: Any) -> Gate:
    return decide(known, **({"columns": {"city"}, "uses_events": False} | options))


def test_a_push_goes_on_when_everything_passed() -> None:
    assert decided(verdicts()).ok


def test_a_failed_profile_column_holds_only_pushes_that_use_it() -> None:
    known = verdicts(profile=[(("open_rate_90d",), "failed")])
    assert decided(known, columns={"city"}).ok
    assert [one.key for one in decided(known, columns={"city", "open_rate_90d"}).failed] == [
        "profile/open_rate_90d"
    ]


@pytest.mark.parametrize("column", ["email", "ic_status", "contact_id"])
def test_what_every_push_needs_holds_every_push(column: str) -> None:
    assert not decided(verdicts(profile=[((column,), "failed")]), columns=set()).ok


def test_a_pair_of_columns_holds_a_push_that_uses_one_of_them() -> None:
    known = verdicts(profile=[(("opens_90d", "email_open_ct"), "failed")])
    assert not decided(known, columns={"opens_90d"}).ok
    assert decided(known, columns={"city"}).ok


@pytest.mark.parametrize("suite", ["contacts", "activity"])
def test_a_failed_raw_table_holds_every_push(suite: str) -> None:
    assert not decided(verdicts(**{suite: [(("fax",), "failed")]}), columns=set()).ok


def test_a_failed_whole_table_of_the_profile_holds_every_push() -> None:
    assert not decided(verdicts(profile=[((), "failed")]), columns=set()).ok


@given(st.lists(st.sampled_from([(), ("email",), ("city",), ("email", "city")])))
def test_a_warning_never_holds_a_push(columns: list[tuple[str, ...]]) -> None:
    listed = [(one, "warning") for one in columns]
    assert decided(verdicts(contacts=listed, activity=listed, profile=listed), columns={"city", "email"}).ok


@pytest.mark.parametrize("name", ["contacts", "activity", "profile"])
def test_a_missing_verdict_is_stale(name: str) -> None:
    known = verdicts()
    rest = {suite: report for suite, report in known.reports.items() if suite != name}
    assert decided(replace(known, reports=rest)).stale == [name]


def test_a_verdict_on_another_build_is_stale() -> None:
    known = verdicts()
    answer = decided(replace(known, current={**known.current, "profile": "b-2"}))
    error = answer.error("acme")
    assert error is not None
    assert (error.code, error.message, error.next) == (
        "check-stale",
        "The checked data is not this data.",
        [["icx", "check", "profile"]],
    )


def test_a_verdict_on_another_text_of_the_suite_is_stale() -> None:
    known = verdicts()
    assert decided(replace(known, digests={**known.digests, "contacts": "other"})).stale == ["contacts"]


@pytest.mark.parametrize(
    ("red", "uses_events", "ok"),
    [
        ("contacts", False, False),
        ("lists", False, False),
        ("subscriptions", False, False),
        ("opens", False, True),
        ("opens", True, False),
        ("unsubscribes", True, False),
        ("messages", True, True),
    ],
)
def test_a_red_ledger_cell_holds_what_it_concerns(red: str, uses_events: bool, ok: bool) -> None:
    assert decided(verdicts(), ledger_red=[red], uses_events=uses_events).ok is ok


def test_an_override_says_who_and_why_and_holds_for_one_plan() -> None:
    known = verdicts(profile=[(("email",), "failed")])
    word = Override("profile/email", "maya", "known typos, mended on Monday", "P-31")
    lifted = decided(known, overrides=[word], plan="P-31")
    assert lifted.ok
    assert lifted.overridden == [word]
    assert not decided(known, overrides=[word], plan="P-32").ok
    assert not decided(known, overrides=[replace(word, because=" ")], plan="P-31").ok
    assert not decided(known, overrides=[replace(word, key="profile/city")], plan="P-31").ok


def test_the_error_says_what_failed_where_what_is_kept_and_what_to_type() -> None:
    error = decided(verdicts(profile=[(("email",), "failed")])).error("acme")
    assert error is not None
    assert str(error).splitlines() == [
        "The data did not pass: line. [check-failed]",
        "  where  suite profile, profile-now",
        "  kept   the plan; nothing was sent",
        "  next   icx check profile --rows email",
    ]
    assert error.exit_code == 3


def test_the_gate_reads_what_the_checks_stored(store: Store, clock: ManualClock) -> None:
    options: dict[str, Any] = {"columns": {"city"}, "uses_events": False}
    assert gate(store, "acme", **options).stale == ["contacts", "activity", "profile"]
    check_all(store, "acme", clock=clock)
    assert gate(store, "acme", **options).ok
    change(
        store,
        "insert into builds values ('b-2', timestamp '2026-11-21 08:00:00', timestamp '2026-11-21 08:01:00', 'p-1', 200, 20, 0.1)",
    )
    assert gate(store, "acme", **options).stale == ["profile"]


def test_a_plan_needs_its_own_verdict(store: Store, clock: ManualClock) -> None:
    check_all(store, "acme", clock=clock)
    assert gate(store, "acme", columns=set(), uses_events=False, plan="P-31", plan_suite=True).stale == [
        "plan"
    ]
