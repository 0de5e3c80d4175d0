"""Erasing: gone from every table, plan, page, notebook, copy and backup; recognised when they come again."""

from __future__ import annotations

import base64
import gzip
import html
import json
import shutil
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from kept import NOON, contacts, made, said_no

from icx.clock import ManualClock
from icx.errors import NeedsYou
from icx.pull import ledger, register
from icx.store.plans import Intent
from icx.workspace import Workspace
from icx.workspace.erasing import Erasure
from icx.workspace.traces import Trace

JO = "jo@example.com"
LONGER = "banjo@example.com"  # holds the address, and is somebody else's


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, no_keyring: None) -> Path:
    """A workspace that holds Jo wherever somebody can be held; to be copied."""
    ws = made(tmp_path_factory.mktemp("full") / "w")
    with ws.store.open("acme") as con:
        for sql in (
            "update icontact_users set custom = map {'friend': 'ask JO@example.com'} where id = 2",
            "insert into icontact_users (id, email, email_key, status, first_seen) values"
            " (3, 'banjo@example.com', 'banjo@example.com', 'normal', '2026-11-21'),"
            " (4, 'jo+news@example.com', 'jo+news@example.com', 'normal', '2026-11-21'),"
            " (5, 'new@example.org', 'new@example.org', 'normal', '2026-11-21')",
            "insert into changes values ('2026-11-20', 'contact', 5, null, 'email', 'Jo@Example.com', 'new@example.org')",
            "insert into subscriptions values (7, 1, 'normal', null, null), (7, 3, 'normal', null, null)",
            "insert into icontact_activity values (1, 'open', '2026-11-01', 9, null),"
            " (3, 'click', '2026-11-01', 9, 'https://example.org/?to=jo%40example.com')",
            "insert into urls values ('https://example.org/?to=jo%40example.com', 'x', '1')",
            "insert into set_aside values ('2026-11-01', 'contacts', null, 3, 'odd', '{\"email\": \"jo@example.com\"}')",
            "insert into units (collection, message_id, stored, service, state, verified_at, pull_id) values ('contacts', null, 5, 5, 'equal', '2026-11-21', 'r-1'),"
            " ('opens', 9, 1, 1, 'equal', '2026-11-21', 'r-1')",
            "create table attached_crm as select 'jo@example.com' as icx_key, 7 as score union all select 'ada@example.com', 8",
            "insert into shared.record values ('2026-11-01', 'maya', 'exported', 'for jo@example.com', null, null)",
            "insert into shared.member_snapshots values ('acme', 'All', '2026-11-01', '2026-11-01', 1)",
        ):
            con.execute(sql)
    said_no(ws, 1)
    ws.plan_journal.begin("P-1", {}, "maya")
    ws.plan_journal.intend("P-1", 1, [Intent(0, 1, "add", None, 7)])
    reports, runs = ws.layout.reports, ws.layout.runs
    for folder in (reports, runs, ws.layout.root / "notebooks"):
        folder.mkdir()
    (reports / "checks-r1.html").write_text(
        f"<td>#1</td> {html.escape(JO)} &lt;jo&#64;example.com&gt; {LONGER} #12"
    )
    (runs / "r-1.ipynb").write_text(json.dumps({"cells": [f"{JO}\n", quote(JO), f"x\t{JO}"]}))
    (ws.layout.root / "notebooks" / "mine.ipynb").write_text(json.dumps({"source": f'who = "{JO.upper()}"'}))
    (ws.layout.root / "crm.csv").write_text(f"email\n{JO}\n")
    with gzip.open(ws.layout.root / "old.csv.gz", "wt") as packed:
        packed.write(f"{JO}\n")
    (ws.layout.root / "saved.bin").write_bytes(
        base64.b64encode(b"{'to': '" + JO.encode() + b"'}") + JO.encode("utf-16-le")
    )
    shutil.copyfile(ws.layout.database, ws.layout.data / "icx-v1.duckdb")
    ws.backup()
    ws.close()
    return ws.layout.root


@pytest.fixture
def ws(full: Path, tmp_path: Path) -> Workspace:
    return Workspace(
        shutil.copytree(full, tmp_path / "w"), clock=ManualClock(NOON), who="maya", wait_minutes=0.05
    )


def erase(ws: Workspace, backups: str) -> Erasure:
    with pytest.raises(NeedsYou) as asked:  # the number of places is told by who asks for it
        ws.erase(JO, confirm=0, backups=backups)
    step = next(word for word in asked.value.next[0] if word.startswith("erase="))
    return ws.erase(JO, confirm=int(step.removeprefix("erase=")), backups=backups)


def test_it_is_shown_first_with_every_place_and_nothing_is_changed(ws: Workspace) -> None:
    before = {path: path.read_bytes() for path in ws.layout.root.rglob("*.html")} | {
        ws.layout.database: ws.layout.database.read_bytes()
    }
    shown = ws.erase(JO)
    assert {one.contact_id: one.why for one in shown.whom.contacts} == {
        1: "has this address",
        5: "had this address",
    }
    assert sorted(shown.whom.keys) == [JO, "new@example.org"]
    assert shown.alike == (4,)
    assert set(shown.places) == {
        "acme.icontact_users", "acme.changes", "acme.subscriptions", "acme.icontact_activity", "acme.urls",
        "acme.set_aside", "acme.attached_crm", "shared.record", "shared.consent_facts", "shared.member_snapshots",
        "icx-v1.duckdb", "journal.plan_rows", "plans/P-1.parquet", "data/reports/checks-r1.html",
        "data/runs/r-1.ipynb", "notebooks/mine.ipynb",
    }  # fmt: skip
    assert shown.places["data/reports/checks-r1.html"] == 3  # twice the address, once the contact's number
    assert (len(shown.backups), set(shown.others)) == (1, {"crm.csv", "old.csv.gz", "saved.bin"})
    assert JO not in shown.text()
    assert JO not in json.dumps(shown.as_dict())
    assert {path: path.read_bytes() for path in before} == before
    assert not (ws.layout.data / "erased.json").exists()


def test_erased_they_are_nowhere_and_everybody_else_is_as_before(ws: Workspace) -> None:
    notebook = ws.layout.root / "notebooks" / "mine.ipynb"
    notebook.chmod(0o664)
    count = ws.erase(JO).count
    done = ws.erase(JO, confirm=count, backups="rewrite")
    assert (done.count, done.left, done.after) == (count, 0, {})
    assert notebook.stat().st_mode & 0o777 == 0o664, "colleagues still read it"
    assert contacts(ws) == [2, 3, 4]
    with ws.store.open("acme") as con:
        assert con.execute("select email from icontact_users where id = 3").fetchall() == [(LONGER,)]
        assert con.execute("select custom['friend'] from icontact_users where id = 2").fetchall() == [
            ("ask (erased)",)
        ]
        assert con.execute("select event_url from icontact_activity").fetchall() == [
            ("https://example.org/?to=(erased)",)
        ]
        assert con.execute(
            "select collection, stored, service, reason from units order by all"
        ).fetchall() == [
            ("contacts", 3, 5, "erased"),
            ("opens", 0, 1, "erased"),
        ]
        assert con.execute("select icx_key from attached_crm").fetchall() == [("ada@example.com",)]
    book = ledger(ws.store, "acme")
    for cell in (book.cell("contacts"), book.cell("opens", 9)):
        assert cell is not None
        assert (cell.state, "of people erased here" in cell.reason) == ("explained", True)
    page = (ws.layout.reports / "checks-r1.html").read_text()
    assert page == f"<td>#(erased)</td> (erased) &lt;(erased)&gt; {LONGER} #12"
    assert json.loads((ws.layout.runs / "r-1.ipynb").read_text()) == {
        "cells": ["(erased)\n", "(erased)", "x\t(erased)"]
    }
    row = ws.plan_journal.rows("P-1").to_pylist()[0]
    assert (row["contact_id"], row["email"], row["action"], row["reason"]) == (None, None, "refuse", "erased")
    assert [(one["state"], one["words"]) for one in ws.plan_journal.outcomes("P-1")] == [
        ("left_out", "erased")
    ]
    # No byte of it is left in what icx wrote, whatever the file: the blocks of a database are written anew too.
    trace = Trace.of([JO])
    ours = [path for path in ws.layout.data.rglob("*") if path.is_file()]
    assert [path.name for path in ours if trace.count(path)] == []
    assert [
        path.name for path in ours if JO.encode() in path.read_bytes().lower().replace(LONGER.encode(), b"")
    ] == []
    again = ws.erase(JO)
    assert (again.count, again.backups, again.whom.contacts) == (0, {}, ())


def test_a_backup_from_before_brings_nobody_back_and_without_the_key_nothing_is_asked(ws: Workspace) -> None:
    (old,) = ws.backups()
    done = erase(ws, backups="keep")
    assert done.text().count("still holds them") == 1
    ws.restore(old.path, yes=True)
    assert contacts(ws) == [2, 3, 4]
    assert ws.erase(JO).count == 0
    kept = (ws.layout.data / "erased.json").read_text()
    assert JO not in kept
    known = ws.accounts.erased()
    assert known is not None
    assert known.names(1, 2, {"contactId": 5})
    (ws.layout.data / "secrets" / "_erased.json").unlink()
    with pytest.raises(NeedsYou) as missing:
        ws.accounts.erased()
    assert missing.value.code == "erased-key"
    assert missing.value.kept == "nothing was asked of iContact, nobody was brought back"


def test_only_what_was_shown_is_erased_and_backups_are_asked_about(ws: Workspace) -> None:
    count = ws.erase(JO).count
    for confirm, backups, words in ((count + 1, "rewrite", "was typed"), (count, None, "holds them too")):
        with pytest.raises(NeedsYou, match=words) as asked:
            ws.erase(JO, confirm=confirm, backups=backups)
        assert asked.value.code == "needs-answer"
        assert JO not in str(asked.value)
    assert contacts(ws) == [1, 2, 3, 4, 5]


def test_a_contact_is_named_by_its_number_too(ws: Workspace) -> None:
    assert [one.contact_id for one in ws.erase("1").whom.contacts] == [1]
    assert ws.erase("99").count == 0
    register(ws.store, "outlet", 1, 3)
    with ws.store.open("outlet") as con:
        con.execute("insert into icontact_users (id, first_seen) values (1, '2026-11-21')")
    with pytest.raises(NeedsYou, match="in 2 connections") as two:  # one number, two people
        ws.erase("1")
    assert two.value.next[0] == ["icx", "erase", "1", "--connection", "acme"]
    assert ws.erase(JO).typed == ("5", "--connection", "acme")  # by #1 nobody knows of #5, who had it


def test_files_that_cannot_be_unpacked_or_read_as_a_database_are_looked_at_as_they_are(ws: Workspace) -> None:
    root, data = ws.layout.root, ws.layout.data
    packed = bytearray(gzip.compress(b"jo@example.com" * 90))
    packed[12:24] = b"\xff" * 12
    (root / "turned.csv.gz").write_bytes(packed)
    with zipfile.ZipFile(root / "encrypted.zip", "w") as archive:
        archive.writestr(f"{JO}/letter", "hello")
    locked = bytearray((root / "encrypted.zip").read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(mark) + flags] |= 1
    (root / "encrypted.zip").write_bytes(locked)
    (data / "icx-damaged-20261101-000000.duckdb").write_bytes(b"DUCK\0" + JO.encode())
    for left in (".erasing-999999999", ".restoring"):  # of processes that were killed
        (data / left).mkdir()
        shutil.copyfile(ws.layout.database, data / left / "icx.duckdb")
    (ws.layout.logs).mkdir(exist_ok=True)
    (ws.layout.logs / "2026-11-20.jsonl").write_text('{"text": "#1 and #12"}\n')
    shown = ws.erase(JO)
    assert not [name for name in shown.places if name.startswith("data/.")]
    assert shown.places["data/logs/2026-11-20.jsonl"] == 1
    new = set(shown.others) - {"crm.csv", "old.csv.gz", "saved.bin"}
    assert new == {"encrypted.zip", "data/icx-damaged-20261101-000000.duckdb"}
    done = ws.erase(JO, confirm=shown.count, backups="keep")
    assert (done.left, list(data.glob(".erasing*")), list(data.glob(".restoring"))) == (0, [], [])
    assert (ws.layout.logs / "2026-11-20.jsonl").read_text() == '{"text": "#(erased) and #12"}\n'


def test_a_person_of_two_connections_goes_from_both_whichever_number_is_typed(ws: Workspace) -> None:
    register(ws.store, "outlet", 1, 3)
    with ws.store.open("outlet") as con:
        con.execute(
            "insert into icontact_users (id, email, email_key, first_seen) values (77, 'jo@example.com', 'jo@example.com', '2026-11-21')"
        )
    shown = ws.erase(JO)
    who, _, connection = shown.typed  # what the printed command says
    assert ws.erase(who, connection=connection).count == shown.count
    assert ws.erase(who, connection=connection, confirm=shown.count, backups="rewrite").left == 0
    for schema, left in (("acme", [(2,), (3,), (4,)]), ("outlet", [])):
        with ws.store.open(schema) as con:
            assert con.execute("select id from icontact_users order by id").fetchall() == left
