"""A pull on a bad day: it waits, reads again, says what is so, and what was stored stays stored."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from awkward_words import four_parts
from typing_commands import begun


def test_a_service_that_is_busy_for_a_while_is_waited_for(day: Any, hasty: None) -> None:
    today = day()
    today.fault(match="GET /contacts", fault="503", times=2)
    said = today.icx("pull", "acme", "--json")
    assert said.code == 0, said.err
    assert said.json["calls"]["retried"] >= 2
    assert said.json["ledger"]["red"] == 0


def test_a_service_that_stays_busy_ends_the_pull_which_goes_on_later(day: Any, hasty: None) -> None:
    today = day()
    assert today.icx("pull", "acme").code == 0
    before = today.stored()
    today.fault(match="GET /subscriptions", fault="503", times=60)
    told = four_parts(today.icx("pull", "acme"), "service-busy", 1)
    assert "icx pull acme" in told[3]
    assert today.stored()["subscriptions"] == before["subscriptions"]
    clear(today)
    assert today.icx("pull", "acme").code == 0


def test_a_page_that_is_cut_off_once_is_read_again(day: Any, hasty: None) -> None:
    today = day()
    for fault in ("truncate", "close-before", "html-page"):
        today.fault(match="GET /contacts", fault=fault)
    said = today.icx("pull", "acme", "--json")
    assert said.code == 0, said.err
    contacts = next(table for table in said.json["tables"] if table["name"] == "contacts")
    assert contacts["stored"] == contacts["service"]


def test_an_answer_that_stays_unreadable_leaves_what_is_stored(day: Any, hasty: None) -> None:
    today = day()
    assert today.icx("pull", "acme").code == 0
    before = today.stored()
    today.fault(match="GET /contacts", fault="truncate", times=60)
    told = four_parts(today.icx("pull", "acme"), "answer-unreadable", 1)
    assert "icx pull acme" in told[3]
    assert today.stored()["icontact_users"] == before["icontact_users"]


def test_a_total_that_moves_is_stored_as_provisional_and_read_again(day: Any) -> None:
    today = day()
    assert today.icx("pull", "acme").code == 0
    before = len(today.stored()["icontact_users"])
    for by in (1, 2, 3, 4, 5, 6):
        today.fault(match="GET /contacts?", fault="total-moves", by=by)
    said = today.icx("pull", "acme")
    assert said.code == 0, said.err
    assert "[total-moves]" in said.out
    assert "provisional" in said.out
    assert len(today.stored()["icontact_users"]) == before
    clear(today)
    assert "[total-moves]" not in today.icx("pull", "acme").out


def test_contacts_without_an_address_with_one_address_and_with_an_asterisk_are_told(day: Any) -> None:
    today = day()
    ids = [
        row[0]
        for row in rows(today, "select contact_id from contacts where status = 'normal' order by 1 limit 6")
    ]
    today.edit("update contacts set email = '' where contact_id = ?", ids[0])
    today.edit("update contacts set email = 'two@example.com' where contact_id in (?, ?)", ids[1], ids[2])
    today.edit("update contacts set email = 'a*b@example.com' where contact_id = ?", ids[3])
    said = today.icx("pull", "acme")
    assert said.code == 0, said.err
    for code in ("no-address", "shared-address", "odd-address"):
        assert f"[{code}]" in said.out
    notes = today.icx("pull", "acme", "--json").json["notes"]
    assert {note["code"] for note in notes} >= {"no-address", "shared-address", "odd-address"}
    assert all(note["where"] and note["kept"] and note["next"] for note in notes)
    assert "two@example.com" not in said.out
    assert today.icx("build").code == 0
    assert today.icx("audience", "save", "All", "--template", "all").code == 0
    why = today.icx("audience", "why", "All", "two@example.com")
    four_parts(why, "shared-address", 2)
    assert f"{ids[1]}" in why.err
    assert f"{ids[2]}" in why.err


def test_a_custom_field_that_disappears_keeps_its_values_and_stops_its_audiences(
    day: Any, tmp_path: Path
) -> None:
    today = day(contacts=120)
    assert today.icx("pull", "acme").code == 0
    assert today.icx("build").code == 0
    custom = next(
        one["name"]
        for one in today.icx("fields", "cf_", "--json").json["fields"]
        if one["name"].startswith("cf_")
    )
    rule = tmp_path / "rule.json"
    rule.write_text(
        json.dumps({"combinator": "and", "not": False, "rules": [{"field": custom, "operator": "notNull"}]})
    )
    assert today.icx("audience", "save", "Gold", "--rule", str(rule)).code == 0
    values = list(today.stored()["icontact_users"])
    today.edit("update custom_fields set deleted = 1 where private_name = ?", custom.removeprefix("cf_"))
    said = today.icx("pull", "acme")
    assert "[field-gone]" in said.out
    assert len(today.stored()["icontact_users"]) == len(values)
    assert today.icx("build").code == 0
    told = four_parts(today.icx("audience", "count", "Gold"), "field-gone", 1)
    assert "Gold" in told[1]
    assert "icx audience show Gold" in told[3]
    four_parts(today.icx("plan", "Gold", "--to", "acme/lists/#3001"), "field-gone", 1)


def test_one_stored_event_deleted_by_hand_turns_its_cell_red(day: Any) -> None:
    from icx.workspace import Workspace

    today = day(contacts=400, messages=12)
    assert today.icx("pull", "acme").code == 0
    with Workspace(today.folder).store.open("acme") as con:
        ((message, kind),) = con.execute(
            "select message_id, event_type from icontact_activity limit 1"
        ).fetchall()
        con.execute(
            "delete from icontact_activity where rowid = (select min(rowid) from icontact_activity"
            " where message_id = ? and event_type = ?)",
            [message, kind],
        )
    cells = today.icx("status", "acme", "--json").json
    assert cells["red"] == 1
    red = next(cell for cell in cells["open"] if cell["state"] == "unequal")
    assert red["message"] == message
    assert today.icx("status").out.count("■ unequal") == 1
    said = today.icx("pull", "acme", "--unit", f"{message}/{red['kind']}")
    assert said.code == 0, said.err
    assert today.icx("status", "acme", "--json").json["red"] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_pull_that_is_stopped_says_what_is_stored_and_goes_on(day: Any, number: int, code: int) -> None:
    today = day(contacts=400, messages=12, latency=60)
    process = begun("pull", "acme", workspace=today.folder)
    wait_for_calls(today, 14)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    told = err[err.index("icx: ") :].splitlines()
    assert told[0] == "icx: Stopped. [stopped]"
    stored = re.search(r"acme: (1 unit|\d+ units|\d+ of 1 unit|\d+ of \d+ units) stored", told[1])
    assert stored or "before anything" in told[1]
    assert bool(stored) == ("nothing is done twice" in told[2])
    assert told[3] == "  next   icx pull acme --workspace " + str(today.folder)
    assert today.icx("pull", "acme").code == 0


def test_a_stop_is_one_object_too(day: Any) -> None:
    today = day(contacts=400, messages=12, latency=60)
    process = begun("pull", "acme", "--json", workspace=today.folder)
    wait_for_calls(today, 14)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    (line,) = out.splitlines()
    assert json.loads(line)["exit"] == 143
    assert json.loads(line)["error"]["code"] == "stopped"


def test_a_second_pull_of_the_same_connection_names_the_first(day: Any) -> None:
    today = day(contacts=400, messages=12, latency=100)
    process = begun("pull", "acme", workspace=today.folder)
    try:
        wait_for_calls(today, 14)
        said = today.icx("pull", "acme", "--wait", "0")
        # Between two landings the database is free, and then it is the pull itself that is in the way.
        told = four_parts(said, "pull-running" if "[pull-running]" in said.err else "database-busy", 1)
        assert str(process.pid) in told[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def clear(today: Any) -> None:
    """Take the faults away that are still queued."""
    requests.delete(f"{today.sandbox.control_url}/faults", timeout=10)


def rows(today: Any, sql: str) -> list[tuple[Any, ...]]:
    """Look into the account."""
    with closing(sqlite3.connect(today.state, timeout=30)) as con:
        return con.execute(sql).fetchall()


def wait_for_calls(today: Any, calls: int) -> None:
    """Wait until the service was asked so often, which says that the pull is in the middle."""
    for _ in range(1200):
        if requests.get(f"{today.sandbox.control_url}/calls", timeout=10).json()["total"] >= calls:
            return
        time.sleep(0.05)
    raise AssertionError("the pull never got there")


def test_a_row_the_service_cannot_show_is_told_with_its_four_parts(ready: Any, hasty: None) -> None:
    ready.fault(match="GET /contacts", fault="bad-row", row=33)
    said = ready.icx("pull", "acme", "--full")
    assert said.code == 0, said.err
    lines = (said.out + said.err).splitlines()
    (at,) = [n for n, line in enumerate(lines) if "[row-set-aside]" in line] or [len(lines)]
    assert [line.split()[0] for line in lines[at + 1 : at + 4]] == ["where", "kept", "next"], said
