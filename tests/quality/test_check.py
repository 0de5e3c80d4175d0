"""Checking: what is judged, what is said, what is stored, and that people stay masked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from icx.clock import ManualClock
from icx.errors import BadInput, NeedsYou
from icx.quality import CheckReport, check, check_all, last, summary
from icx.quality.docs import write_data_docs
from icx.store import Store

from .conftest import change


def run(store: Store, clock: ManualClock, suite: str, **options: Any) -> CheckReport:
    return check(store, "acme", suite, clock=clock, **options)


def test_clean_data_passes_all_three_suites(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    reports = check_all(store, "acme", clock=clock, reports=tmp_path, run="r-7")
    assert [one.ok for one in reports] == [True, True, True]
    assert summary(reports) == "48 expectations: 48 passed, 0 warnings, 0 failed"
    assert (tmp_path / "checks-r7.html").exists()


def test_a_phone_seldom_filled_is_a_warning_that_stops_nothing(store: Store, clock: ManualClock) -> None:
    change(store, "update profile set phone = null where contact_id % 5 <> 0")
    report = run(store, clock, "profile")
    assert report.ok
    assert report.text().splitlines() == [
        "The profile of acme passed: 21 passed, 1 warning (200 people, 0.0 s)",
        "  warning   phone is filled for 20 %, wanted 50 %; a warning stops nothing",
        "Next: icx check profile --rows phone",
    ]


def test_bad_addresses_fail_and_the_report_says_what_waits(store: Store, clock: ManualClock) -> None:
    change(store, "update profile set email = 'nobody' || contact_id where contact_id % 20 = 0")
    report = run(store, clock, "profile")
    assert report.text().splitlines() == [
        "The profile of acme did not pass: 21 passed, 1 failed (200 people, 0.0 s)",
        "  failed    email looks like an address: 10 do not, 5 %, allowed 0.5 % (#70000, #70020, …)",
        "Every push needs email, so pushes to acme wait. Counting and building audiences goes on.",
        "Next: icx check profile --rows email, or icx plan … --override profile/email --because '…'",
    ]


def test_the_verdict_is_stored_with_what_was_judged(store: Store, clock: ManualClock) -> None:
    report = run(store, clock, "profile", run="r-142")
    run(store, clock, "contacts")
    with store.open("acme") as con:
        rows = con.execute("select suite, judged, ok from checks order by suite").fetchall()
    assert rows == [("contacts", "p-1", True), ("profile", "b-1", True)]
    kept = last(store, "acme", "profile")
    assert kept is not None
    assert kept.as_dict() == report.as_dict()
    assert kept.run == "r-142"


def test_a_second_check_of_the_same_data_replaces_the_first(store: Store, clock: ManualClock) -> None:
    run(store, clock, "profile")
    run(store, clock, "profile")
    with store.open("acme") as con:
        assert con.execute("select count(*) from checks").fetchall() == [(1,)]


def test_no_address_is_stored_or_shown(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    change(
        store,
        "update profile set email = 'zelda.q@exa mple.com' where contact_id = 70001",
        "update profile set email = 'zelda.qexample' where contact_id in (70002, 70003, 70004)",
        "update icontact_users set email = 'zelda.q@example.org', status = 'zelda.q@example.com' where id < 70020",
    )
    reports = check_all(store, "acme", clock=clock, reports=tmp_path)
    with store.open("acme") as con:
        stored = " ".join(row[0] for row in con.execute("select result from checks").fetchall())
    page = "".join(path.read_text() for path in tmp_path.glob("*.html"))
    shown = " ".join(
        one.text() + repr(one) + one._repr_html_() + json.dumps(one.as_dict()) for one in reports
    )
    assert not all(one.ok for one in reports)
    for text in (stored, page, shown):
        assert "zelda" not in text


def test_the_page_needs_no_network_and_escapes_what_comes_from_outside(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    change(store, "update profile set ic_status = '<script>alert(1)</script>' where contact_id < 70010")
    report = run(store, clock, "profile", reports=tmp_path)
    assert report.html_path is not None
    page = report.html_path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script|@import|url\(|src=", page)
    assert "&lt;script&gt;" in page
    assert "Not good enough to send yet" in page
    assert "prefers-color-scheme: dark" in page


def test_gone_contacts_are_not_judged(store: Store, clock: ManualClock) -> None:
    change(store, "update icontact_users set status = 'odd', gone_at = now()::timestamp where id = 70001")
    report = run(store, clock, "contacts")
    assert report.ok
    assert report.rows_judged == 199


def test_a_subscription_to_a_list_that_is_not_there_fails(store: Store, clock: ManualClock) -> None:
    change(store, "insert into subscriptions values (9999, 70001, 'normal', null, null)")
    report = run(store, clock, "contacts")
    assert [one.line for one in report.failed] == [
        "every subscription is on a list that is there: 1 row does not"
    ]
    assert "stops every push" in report.text()


def test_an_event_in_the_future_fails(store: Store, clock: ManualClock) -> None:
    change(store, "update icontact_activity set event_ts = timestamp '2031-01-01' where contact_id = 70002")
    assert [one.columns for one in run(store, clock, "activity").failed] == [("event_ts",)]


def test_a_folder_without_events_passes_with_a_warning(store: Store, clock: ManualClock) -> None:
    change(store, "delete from icontact_activity")
    report = run(store, clock, "activity")
    assert report.ok
    assert [one.line for one in report.warnings] == ["there is at least one event: found 0"]


def test_failing_rows_are_masked_unless_asked(store: Store, clock: ManualClock) -> None:
    change(store, "update profile set email = 'zelda' where contact_id in (70001, 70002, 70003)")
    report = run(store, clock, "profile")
    rows = report.rows("email")
    assert set(rows["contact_id"]) == {70001, 70002, 70003}
    assert set(rows["email"]) == {"z…"}
    assert set(report.rows("profile/email", show_people=True)["email"]) == {"zelda"}
    assert set(rows["expectation"]) == {"email looks like an address", "email belongs to one contact"}


def test_rows_of_a_column_the_suite_does_not_know_name_what_it_knows(
    store: Store, clock: ManualClock
) -> None:
    with pytest.raises(BadInput, match="expects nothing of emial"):
        run(store, clock, "profile").rows("emial")


def test_rows_that_break_own_sql_are_shown(store: Store, clock: ManualClock) -> None:
    change(store, "insert into subscriptions values (9999, 70001, 'normal', null, null)")
    rows = run(store, clock, "contacts").rows("table")
    assert rows["list_id"].tolist() == [9999]


def test_before_the_first_build_there_is_nothing_to_check(store: Store, clock: ManualClock) -> None:
    change(store, "delete from builds")
    with pytest.raises(NeedsYou, match="no profile of acme to check yet") as caught:
        run(store, clock, "profile")
    assert caught.value.next == [["icx", "build"]]


def test_a_plan_given_as_a_table_is_judged(store: Store, clock: ManualClock) -> None:
    plan = pd.DataFrame(
        {
            "place": [0, 1, 2],
            "contact_id": [70001, 70002, 70003],
            "email": ["a@example.com"] * 3,
            "email_key": ["a@example.com"] * 3,
            "contact": ["normal", "bounced", "normal"],
            "on_list": ["not", "not", "unsubscribed"],
            "action": ["add", "add", "refuse"],
            "reason": ["", "", "left_this_list"],
        }
    )
    report = run(store, clock, "plan", relation=plan, judged="P-31")
    assert report.judged == "P-31"
    assert [one.says for one in report.failed] == ["only normal contacts are added"]
    assert report.failed[0].people == (70002,)


def test_an_own_suite_judges_the_table_it_names(store: Store, clock: ManualClock, tmp_path: Path) -> None:
    change(store, "create table attached_crm as select id as contact_id, 'gold' as tier from icontact_users")
    suite = {
        "meta": {"table": "attached_crm"},
        "expectations": [
            {
                "type": "expect_column_values_to_be_in_set",
                "kwargs": {"column": "tier", "value_set": ["silver"]},
            },
            {"type": "expect_tier_to_shine", "kwargs": {}, "meta": {"severity": "warning"}},
        ],
    }
    (tmp_path / "crm.json").write_text(json.dumps(suite))
    report = run(store, clock, "crm", suites=[tmp_path])
    assert [one.outcome for one in report.results] == ["failed", "warning"]
    assert "expect_tier_to_shine" in report.text()
    assert "could not be judged" in report.text()


def test_an_own_suite_for_a_table_that_is_not_there_says_so(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "crm.json").write_text('{"expectations": []}')
    with pytest.raises(BadInput, match="judges crm, and there is no such table"):
        run(store, clock, "crm", suites=[tmp_path])


def test_gx_own_page_loads_nothing_and_shows_severity(
    store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    change(store, "update profile set email = 'zelda' || contact_id where contact_id % 20 = 0")
    page = write_data_docs(run(store, clock, "profile"), tmp_path / "gx.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|url\(|https?://(?!www\.w3\.org)", page)
    assert "stops all pushes" in page
    assert "Evaluated Expectations" in page
    assert "zelda" not in page
