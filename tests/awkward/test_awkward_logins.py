"""Logins that do not open: each says which step, saves nothing, and says what to type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from awkward_words import four_parts


@pytest.fixture
def try_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Type `icx connect acme` with the sandbox's login, something of it changed."""

    def connect(day: Any, *more: str, password: str | None = None, **changed: str) -> Any:
        values = {"app-id": day.sandbox.app_id, "username": day.sandbox.username} | changed
        monkeypatch.setenv("ICX_PASSWORD", password or day.sandbox.password)
        words = [word for name, value in values.items() for word in (f"--{name}", value)]
        return day.icx("connect", "acme", "--base-url", day.sandbox.base_url, *words, *more)

    return connect


def saved_nothing(day: Any) -> bool:
    return not list(day.folder.rglob("acme.json"))


def test_a_right_login_is_saved_and_its_password_is_nowhere_to_be_seen(day: Any, try_in: Any) -> None:
    today = day(connect=False)
    said = try_in(today)
    assert said.code == 0, said.err
    assert "Login accepted: Acme Outdoor" in said.out
    assert "Next: icx pull acme" in said.out
    assert today.sandbox.password not in said.out + said.err


@pytest.mark.parametrize("wrong", ["password", "username", "app-id"])
def test_a_wrong_value_is_one_of_three_and_nothing_is_saved(day: Any, try_in: Any, wrong: str) -> None:
    today = day(connect=False)
    said = try_in(today, password="wrong") if wrong == "password" else try_in(today, **{wrong: "b" * 32})
    told = four_parts(said, "login-refused", 1)
    assert "1 API password · 2 user name" in told[1]
    assert "icx connect acme --update" in told[3]
    assert saved_nothing(today)


def test_a_wrong_password_keeps_the_saved_login(
    day: Any, try_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = day()
    before = (today.folder / "data/connections/acme.json").read_text()
    four_parts(try_in(today, "--update", password="wrong"), "login-refused", 1)
    assert (today.folder / "data/connections/acme.json").read_text() == before
    told = four_parts(today.icx("pull", "acme"), "login-refused", 1)  # the environment's password comes first
    assert "the saved login" in told[2]
    assert "icx connect acme --update" in told[3]
    monkeypatch.delenv("ICX_PASSWORD")
    assert today.icx("pull", "acme", "--contacts-only").code == 0


def test_a_wrong_account_or_folder_names_those_there_are(day: Any, try_in: Any) -> None:
    today = day(connect=False)
    box = today.sandbox
    told = four_parts(try_in(today, "--account", "1"), "account-unknown", 1)
    assert f"--account {box.account_id}" in told[3]
    told = four_parts(try_in(today, "--folder", "1"), "folder-unknown", 1)
    assert f"Folder 1 is not in account {box.account_id} (Acme Outdoor)." in told[0]
    assert f"--folder {box.client_folder_id}" in told[3]
    assert saved_nothing(today)


def test_of_several_folders_none_is_picked_and_each_can_be_named(day: Any, try_in: Any) -> None:
    today = day(connect=False, folders=3)
    told = four_parts(try_in(today), "needs-answer", 3)
    first = today.sandbox.client_folder_id
    assert f"--folder {first}" in told[3]
    assert f"--folder {first + 1}" in told[3]
    assert saved_nothing(today)
    assert try_in(today, "--folder", str(first + 1)).code == 0


def test_a_folder_where_tracking_is_forbidden_can_be_had_with_contacts_only(day: Any, try_in: Any) -> None:
    today = day(connect=False, deny=["tracking"])
    told = four_parts(try_in(today), "right-missing", 1)
    assert "may read contacts" in told[0]
    assert "opens and clicks (403)" in told[0]
    assert "--contacts-only" in told[3]
    assert saved_nothing(today)
    said = try_in(today, "--contacts-only")
    assert said.code == 0, said.err
    assert "contacts only" in said.out
    pulled = today.icx("pull", "acme", "--json")
    assert pulled.code == 0
    assert pulled.json["contacts_only"] is True
    assert {table["name"] for table in pulled.json["tables"]} >= {"contacts", "lists", "subscriptions"}


def test_a_right_taken_away_after_the_first_pull_stops_the_events_only(day: Any) -> None:
    today = day(contacts=60)
    assert today.icx("pull", "acme").code == 0
    before = today.stored()
    today.fault(match="GET /messages/*", fault="403", times=10_000)
    said = today.icx("pull", "acme", "--full")
    assert "[right-missing]" in said.out + said.err
    assert "analytic" in said.out + said.err
    after = today.stored()
    assert after["events"] == before["events"] if "events" in before else True
    assert after["icontact_users"] == before["icontact_users"]


def test_another_folder_is_another_connection_unless_reset_is_typed(day: Any, try_in: Any) -> None:
    today = day(connect=False, folders=2)
    first = today.sandbox.client_folder_id
    assert try_in(today, "--folder", str(first)).code == 0
    assert today.icx("pull", "acme").code == 0
    before = today.stored()
    told = four_parts(try_in(today, "--folder", str(first + 1)), "other-account", 3)
    assert "never mixed" in told[0]
    assert "consent facts" in told[2]
    assert today.stored() == before
    four_parts(try_in(today, "--folder", str(first + 1), "--reset"), "needs-answer", 3)
    assert today.stored() == before
    assert try_in(today, "--folder", str(first + 1), "--reset", "--confirm", "reset=acme").code == 0


@pytest.mark.parametrize(
    ("address", "code"),
    [("http://app.icontact.com/icp", "unsafe-address"), ("https://app.icpro.co/icp", "old-platform")],
)
def test_a_login_is_sent_nowhere_unsafe(day: Any, try_in: Any, address: str, code: str) -> None:
    today = day(connect=False)
    said = today.icx(
        "connect", "acme", "--base-url", address, "--app-id", "a" * 32, "--username", "jo@example.com"
    )
    four_parts(said, "needs-answer", 3)  # without a password nothing is tried
    said = try_in(today, "--base-url", address)
    four_parts(said, code, 1)
    assert saved_nothing(today)


def test_a_service_that_is_not_there_is_told_apart_and_no_login_is_sent(
    day: Any, try_in: Any, hasty: None
) -> None:
    today = day(connect=False)
    today.sandbox.stop()
    told = four_parts(try_in(today), "service-unreachable", 1)
    assert "GET /time" in told[1]
    assert "no login was sent" in told[1]
    assert saved_nothing(today)


def test_an_account_that_is_not_paid_up_says_so(day: Any, try_in: Any) -> None:
    today = day(connect=False)
    today.fault(match="GET /a*", fault="402", times=50)
    four_parts(try_in(today), "account-unpaid", 1)
    assert saved_nothing(today)


def test_without_a_terminal_nothing_is_asked_and_nothing_saved(
    day: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = day(connect=False)
    four_parts(today.icx("connect"), "needs-answer", 3)
    four_parts(today.icx("connect", "acme"), "needs-answer", 3)
    told = four_parts(
        today.icx("connect", "acme", "--app-id", "x", "--username", "jo@example.com"), "needs-answer", 3
    )
    assert "`ICX_PASSWORD` is not set" in told[1]
    assert saved_nothing(today)
    assert today.icx("connect", "acme", "--password", "x").code == 2  # no such option, ever
