"""The overview: what a workspace shows of its account, in every state it can be in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from road.conftest import no_keyring

from icx.workspace import Workspace
from icx.workspace.attention import attention
from icx.workspace.html import overview_html
from icx.workspace.overview import Overview, overview

__all__ = ["no_keyring"]
ADDRESS = re.compile(r"[\w.+-]+@(?:[\w-]+\.)*\w+\.\w+")


def words(html: str) -> str:
    """Return a page without its stylesheet."""
    return re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A small account, pulled, built and checked; tests that change something copy what they change."""
    folder = tmp_path_factory.mktemp("overview") / "acme"
    with Workspace.with_sandbox(folder, contacts=60, messages=6, seed=17) as made:
        made.pull("acme")
        made.build("acme")
        made.checks(name="acme")
        yield made


@pytest.fixture
def seen(ws: Workspace) -> Overview:
    return overview(ws)


def test_every_sum_on_the_picture_adds_up(seen: Overview) -> None:
    picture = seen.picture
    assert picture is not None
    assert sum(picture.states.values()) == picture.contacts == picture.people == 60
    assert sum(picture.tiers.values()) == 60
    assert picture.weeks[-1].size == 60
    assert picture.mailable <= picture.contacts
    assert len(picture.weeks) == 26
    assert picture.ledger.events == picture.ledger.of_listed + picture.ledger.of_unknown


def test_the_weeks_count_the_events_that_are_stored(ws: Workspace, seen: Overview) -> None:
    picture = seen.picture
    assert picture is not None
    since = picture.weeks[0].day
    with ws.store.open("acme") as con:
        rows = con.execute(
            "select event_type, count(*) from icontact_activity where event_ts >= ? group by 1", [since]
        ).fetchall()
        machines = con.execute(
            "select count(*) from icontact_activity a where event_type = 'open' and event_ts >= ? and not exists"
            " (from activity_human h where h.contact_id = a.contact_id and h.message_id = a.message_id"
            " and h.event_ts = a.event_ts and h.event_type = 'open')",
            [since],
        ).fetchall()[0][0]
    counted = dict(rows)
    assert sum(one.opens + one.machines for one in picture.weeks) == counted["open"]
    assert sum(one.machines for one in picture.weeks) == machines
    assert sum(one.bounces for one in picture.weeks) == counted.get("bounce", 0)
    assert sum(one.unsubscribes for one in picture.weeks) == counted.get("unsubscribe", 0)


def test_it_is_quick_and_holds_no_address(ws: Workspace) -> None:
    began = time.monotonic()
    html = ws._repr_html_()
    assert time.monotonic() - began < 2
    assert not ADDRESS.search(words(html))
    assert "<script" not in html
    for title in ("Needs attention", "Freshness", "Growth, per week", "Ledger", "Top domains", "Lists"):
        assert title in html


def test_a_missing_row_is_named_with_the_call_that_mends_it(ws: Workspace) -> None:
    with ws.store.open("acme") as con:
        (message,) = con.execute(
            "select message_id from icontact_activity where event_type = 'open' limit 1"
        ).fetchall()[0]
        con.execute("create temp table kept as from icontact_activity")
        con.execute(
            "delete from icontact_activity where rowid = (select min(rowid) from icontact_activity"
            " where message_id = ? and event_type = 'open')",
            [message],
        )
        try:
            seen = overview(ws)
        finally:
            con.execute("delete from icontact_activity")
            con.execute("insert into icontact_activity from kept")
    assert seen.picture is not None
    found = attention(seen, seen.picture)
    assert found[0].kind == "bad"
    assert found[0].call == f'ws.pull("acme", unit=({message}, "opens"))'
    assert "1 thing is wrong" in overview_html(seen)


def test_without_a_profile_it_says_what_makes_one(tmp_path: Path) -> None:
    with Workspace.with_sandbox(tmp_path / "acme", contacts=20, messages=2, seed=3) as ws:
        before = words(ws._repr_html_())
        assert "after step 2" in before
        assert "ws.pull(&quot;acme&quot;)" in before
        ws.pull("acme")
        shown = words(ws._repr_html_())
    assert "No profile is built yet" in shown
    assert "ws.build(&quot;acme&quot;)" in shown


def test_an_account_with_nobody_in_it(tmp_path: Path) -> None:
    with Workspace.with_sandbox(tmp_path / "acme", contacts=20, messages=2, seed=3) as ws:
        ws.pull("acme")
        ws.build("acme")
        with ws.store.open("acme") as con:
            for name in (
                "icontact_users",
                "icontact_activity",
                "subscriptions",
                "lists",
                "units",
                "profile_rows",
            ):
                con.execute(f"delete from {name}")
        shown = words(ws._repr_html_())
    assert "This client folder has no contacts." in shown
    assert "The account has no list yet." in shown
    assert "nan" not in shown.lower().replace("finance", "")


def test_several_connections_stand_in_one_table(ws: Workspace, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ws.layout.root, tmp_path / "two")
    folder = tmp_path / "two/data/connections"
    text = (folder / "acme.json").read_text()
    (folder / "zebra.json").write_text(text.replace('"name": "acme"', '"name": "zebra"'))
    with Workspace(tmp_path / "two") as two:
        seen = overview(two)
        shown = words(overview_html(seen))
    assert [one.saved.name for one in seen.connections] == ["acme", "zebra"]
    assert "2 connections" in shown
    assert "not pulled yet" in shown


def test_a_busy_database_is_not_waited_for(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(*_: object, **__: object) -> object:
        raise duckdb.IOException(
            "Could not set lock on file: Conflicting lock is held in /usr/bin/python (PID 42)"
        )

    monkeypatch.setattr(duckdb, "connect", held)
    began = time.monotonic()
    shown = words(ws._repr_html_())
    assert time.monotonic() - began < 1
    assert "Another program has the database open." in shown
    assert "process 42" in shown


def test_looking_makes_nothing(tmp_path: Path) -> None:
    with Workspace(tmp_path) as empty:
        assert "ws.connect()" in empty._repr_html_()
    assert list(tmp_path.iterdir()) == []
