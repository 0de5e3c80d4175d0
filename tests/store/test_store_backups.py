"""Backup and restore: one file that is whole or not there, and a way back that forgets no refusal and no push."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from kept import NOON, contacts, facts, made, said_no

from icx.clock import ManualClock
from icx.errors import BadInput, Damaged, NeedsYou, TryLater
from icx.plan.facts import check_read
from icx.plan.gates import check_closed
from icx.pull import register
from icx.pull.keep import contacts_only
from icx.store import Store, backups, migrate, restoring
from icx.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return made(tmp_path / "w")


def lose(ws: Workspace, *contacts: int) -> None:
    with ws.store.open("acme") as con:
        con.execute("delete from icontact_users where list_contains(?, id)", [list(contacts)])


def test_a_restore_brings_rows_back_and_keeps_what_was_learned_and_sent_since(ws: Workspace) -> None:
    said_no(ws, 7)
    backup = ws.backup()
    ws.plan_journal.begin("P-1", {}, "maya")
    said_no(ws, 8)
    lose(ws, 1)
    shown = ws.restore("newest")
    assert (contacts(ws), shown.done) == ([2], None)
    done = ws.restore(backup.path.name, yes=True)
    assert contacts(ws) == [1, 2]
    assert facts(ws) == [7, 8]
    assert ws.plan_journal.get("P-1").state == "applying"  # the record is never rolled back
    assert done.done is not None
    assert (done.done.facts, done.done.journal_too) == (1, False)
    assert done.before is not None
    assert {one.path for one in ws.backups()} == {done.before.path, backup.path}


def test_after_a_restore_nobody_is_pushed_to_until_everything_was_read(ws: Workspace) -> None:
    ws.restore(ws.backup().path, yes=True)
    with pytest.raises(NeedsYou) as held:
        check_read(ws.store, "acme", [], ["icx", "apply", "P-1"])
    assert held.value.code == "restored-unread"
    assert held.value.next == [["icx", "pull", "acme"], ["icx", "apply", "P-1"]]
    register(ws.store, "outlet", 1, 3)
    for state, full, only, begun, read in (
        ("complete", True, None, "2026-11-21 11:59", False),  # began before the restore
        ("complete", False, None, "2026-11-21 12:01", False),
        ("stopped", True, None, "2026-11-21 12:02", False),
        ("complete", True, "7/opens", "2026-11-21 12:03", False),
        ("complete", True, None, "2026-11-21 12:04", True),
    ):
        with ws.store.open("acme") as con:
            con.execute(
                "insert into pulls (pull_id, started_at, began_at, state, full_sweep, only_unit) values ('r', ?, ?, ?, ?, ?)",
                [begun, begun, state, full, only],
            )
            assert (restoring.unread(con, "acme") is None) is read
            assert not contacts_only(con, "acme")
    check_read(ws.store, "acme", [], [])
    with pytest.raises(NeedsYou, match="not known yet"):  # another folder of the same sender
        check_read(ws.store, "acme", [["acme", "outlet"]], [])


def test_a_restore_into_an_empty_folder_brings_all_and_closes_open_plans(
    ws: Workspace, tmp_path: Path
) -> None:
    backup = ws.backup(tmp_path / "usb" / "all.zip")
    other = Workspace(tmp_path / "other", clock=ManualClock(NOON), who="maya")
    done = other.restore(backup.path, yes=True)
    assert contacts(other) == [1, 2]
    assert (other.layout.audiences / "All.json").exists()
    assert done.done is not None
    assert (done.done.journal_too, done.done.closed, done.before) == (True, ("P-1",), None)
    kept = other.plan_journal.get("P-1")
    assert (kept.state, other.plan_journal.rows("P-1").num_rows) == ("closed", 2)
    with pytest.raises(NeedsYou) as refused:
        check_closed(kept)
    assert refused.value.code == "plan-closed"
    with other.store.open() as con:
        assert con.execute("select journal_too from shared.restores").fetchall() == [(True,)]
    rows = other.plan_journal.rows("P-1")
    ws.plan_journal.add({}, rows, place=kept.place, list_name="", connection="acme", audience="", who="")
    later = ws.backup(tmp_path / "usb").path
    for yes in (False, True):
        with pytest.raises(BadInput) as mixed:  # a folder with a record of its own, that knows less
            other.restore(later, yes=yes)
        assert mixed.value.code == "backup-elsewhere"
    assert other.backups() == []  # nor was one made of what is here


def test_a_backup_holds_no_secret_and_is_for_its_owner_alone(ws: Workspace) -> None:
    path = ws.backup().path
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        assert not [name for name in names if "secret" in name]
        assert not [name for name in names if b"canary-of-a-secret" in packed.read(name)]
    with pytest.raises(BadInput) as there:
        ws.backup(path)
    assert there.value.code == "backup-there"


def test_a_backup_that_is_not_what_was_written_is_refused_and_nothing_is_touched(
    ws: Workspace, tmp_path: Path
) -> None:
    path = ws.backup().path
    before = ws.layout.database.read_bytes()
    whole = path.read_bytes()
    packed = bytearray(whole)  # of the journal, which is compressed
    with zipfile.ZipFile(path) as archive:
        begins = archive.getinfo("journal.sqlite").header_offset + 90
    packed[begins : begins + 40] = b"\xff" * 40
    for name, bytes_ in {
        "cut": whole[: len(whole) // 2],
        "turned": whole.replace(b"DUCK", b"DUCT", 1),
        "none": b"a spreadsheet",
        "packed": bytes(packed),
    }.items():
        (tmp_path / name).write_bytes(bytes_)
        with pytest.raises(Damaged) as refused:
            ws.restore(tmp_path / name, yes=True)
        assert refused.value.code == "backup-damaged", name
    with pytest.raises(BadInput) as unknown:
        ws.restore("nowhere.zip")
    assert unknown.value.code == "backup-unknown"
    with pytest.raises(BadInput):
        ws.restore(tmp_path)  # a folder
    assert ws.layout.database.read_bytes() == before
    assert not (ws.layout.data / restoring.WAITING).exists()


@pytest.mark.parametrize("later", ["store_version", "icx_backup", "journal"])
def test_a_backup_of_a_newer_icx_is_refused(ws: Workspace, tmp_path: Path, later: str) -> None:
    path = tmp_path / "newer.zip"
    with zipfile.ZipFile(ws.backup().path) as packed, zipfile.ZipFile(path, "w") as newer:
        for name in packed.namelist():
            content = packed.read(name)
            if name == backups.MANIFEST:
                told = json.loads(content)
                told[later] = ["0099-later.sql"] if later == "journal" else 99
                content = json.dumps(told).encode()
            newer.writestr(name, content)
    with pytest.raises(Damaged) as refused:
        ws.restore(path, yes=True)
    assert refused.value.code == "made-by-newer"


def test_a_backup_with_a_way_out_of_the_folder_is_refused(ws: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(ws.backup().path) as packed, zipfile.ZipFile(path, "w") as evil:
        told = json.loads(packed.read(backups.MANIFEST))
        told["members"]["workspace/../../out.txt"] = {"bytes": 0, "sha256": ""}
        evil.writestr(backups.MANIFEST, json.dumps(told))
        evil.writestr("workspace/../../out.txt", "")
    with pytest.raises(Damaged, match="no whole backup"):
        ws.restore(path, yes=True)


def test_a_database_that_cannot_be_read_is_kept_beside_the_one_brought_back(ws: Workspace) -> None:
    path = ws.backup().path
    ws.layout.database.write_bytes(b"not a database" * 9000)
    done = ws.restore(path, yes=True)
    assert contacts(ws) == [1, 2]
    assert done.done is not None
    assert done.done.moved_away is not None
    assert done.done.moved_away.read_bytes().startswith(b"not a database")


@pytest.mark.parametrize("damaged", [True, False])
def test_the_log_of_a_database_that_cannot_be_read_is_not_read_into_the_one_brought_back(
    ws: Workspace, damaged: bool
) -> None:
    path = ws.backup().path
    killed = "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]); con.execute('create table lost (n int)'); os._exit(0)"
    subprocess.run([sys.executable, "-c", killed, str(ws.layout.database)], check=True)
    log = ws.layout.database.with_name("icx.duckdb.wal")
    words = log.read_bytes()
    with ws.store.open() as con:  # which takes the log back in
        con.execute("create table more as select 1")
    log.write_bytes(words)  # of before, as a copy by hand or a failing disk leaves it
    if damaged:
        ws.layout.database.write_bytes(b"not a database" * 9000)
    done = ws.restore(path, yes=True)
    assert contacts(ws) == [1, 2]
    assert done.done is not None
    assert done.done.moved_away is not None
    assert done.done.moved_away.with_name(f"{done.done.moved_away.name}.wal").read_bytes() == words


def test_a_restore_that_is_refused_leaves_nobodys_rows_behind(ws: Workspace) -> None:
    path = ws.backup().path
    ws.erase("jo@example.com", confirm=ws.erase("jo@example.com").count, backups="keep")
    (ws.layout.data / "secrets" / "_erased.json").unlink()
    with pytest.raises(NeedsYou) as refused:
        ws.restore(path, yes=True)
    assert refused.value.code == "erased-key"
    assert not (ws.layout.data / restoring.WAITING).exists()


def test_while_something_is_under_way_nothing_is_restored(ws: Workspace) -> None:
    path = ws.backup().path
    lose(ws, 1)
    with ws.journal.lock("pull acme", what="a pull of acme"), pytest.raises(TryLater) as busy:
        ws.restore(path, yes=True)
    assert busy.value.code == "already-running"
    assert contacts(ws) == [2]


def test_a_backup_of_an_older_icx_is_brought_to_this_version(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ws.backup().path
    scripts = Path(shutil.copytree(str(migrate.MIGRATIONS), tmp_path / "migrations"))
    monkeypatch.setattr(migrate, "MIGRATIONS", scripts)
    (scripts / "connection-0102-colour.sql").write_text("alter table lists add column colour varchar;")
    later = Workspace(ws.layout.root, clock=ManualClock(NOON), who="maya")
    later.restore(path, yes=True)
    with later.store.open("acme") as con:
        assert con.execute("select count(colour) from lists").fetchall() == [(0,)]
    assert contacts(later) == [1, 2]


def test_a_vacuum_keeps_every_row_and_view_and_nothing_that_was_deleted(ws: Workspace) -> None:
    with ws.store.open("acme") as con:
        con.execute("create table gone as select 'canary ' || hash(range) as h from range(20000)")
        con.execute("create table stays as select range as n from range(20000)")
    with ws.store.open("acme") as con:
        con.execute("drop table gone")
    said_no(ws, 7)
    done = ws.vacuum()
    assert done.after <= done.before
    assert b"canary" not in ws.layout.database.read_bytes()
    assert (contacts(ws), facts(ws)) == ([1, 2], [7])
    with ws.store.open() as con:
        assert con.execute("select count(*) from main.icontact_users").fetchall() == [(2,)]


def test_backup_and_vacuum_wait_for_another_process_and_for_another_thread(ws: Workspace) -> None:
    hold = "import duckdb, sys\nwith duckdb.connect(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(ws.store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        for verb in (ws.backup, ws.vacuum):
            with pytest.raises(TryLater) as busy:
                verb()
            assert f"process {other.pid}" in busy.value.where_text()
        other.stdin.close()
        other.wait(30)
    with Store(ws.store.path).open(), pytest.raises(TryLater) as mine:  # nobody else: this thread itself
        ws.vacuum()
    assert "in another thread" in mine.value.where_text()
    ws.vacuum()


def test_a_notebook_that_had_the_journal_open_writes_into_the_one_brought_back(
    ws: Workspace, tmp_path: Path
) -> None:
    path = ws.backup(tmp_path / "all.zip").path
    elsewhere = tmp_path / "other"
    with Workspace(elsewhere, clock=ManualClock(NOON)) as kernel, Workspace(elsewhere) as shell:
        assert kernel.journal.runs() == []
        shell.restore(path, yes=True)
        run = kernel.journal.start_run("pull", "acme")
        assert [one.run for one in shell.journal.runs("pull")] == [run]
        assert kernel.plan_journal.get("P-1").state == "closed"


def under_a_limit(ws: Workspace, verb: str, limit: int) -> subprocess.CompletedProcess[str]:
    """Call a verb in a process whose files may not grow beyond a size, which is a full disk for whoever writes them."""
    said = (
        "import sys; from pathlib import Path; from icx.errors import IcxError; from icx.workspace import Workspace\n"
        f"try: Workspace(Path(sys.argv[1])).{verb}\n"
        "except IcxError as error: print(error)"
    )
    return subprocess.run(
        [sys.executable, "-c", said, str(ws.layout.root)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )


def test_a_full_disk_is_said_and_leaves_everything_as_it_was(ws: Workspace) -> None:
    path = ws.backup().path
    lose(ws, 1)
    size = ws.layout.database.stat().st_size
    before = ws.layout.database.read_bytes()
    for verb in ("backup()", "vacuum()", f"restore({str(path)!r}, yes=True)"):
        done = under_a_limit(ws, verb, size // 2)
        assert "[disk-full]" in done.stdout, (verb, done.stdout, done.stderr)
        assert "\n  kept   " in done.stdout
        assert "\n  next   " in done.stdout
        assert ws.layout.database.read_bytes() == before, verb
    assert [one.path for one in ws.backups()] == [path]
    ws.restore(path, yes=True)  # with room again the same command goes through
    assert contacts(ws) == [1, 2]


def test_a_kernel_left_open_for_the_night_goes_on_with_what_is_there_in_the_morning(ws: Workspace) -> None:
    clock = ws.clock
    assert isinstance(clock, ManualClock)
    budget = ws.journal.budget("app", 1, per_hour=1, per_day=9, push=True)
    assert (budget.spend(), budget.left()) == (0.0, 0)
    run = ws.journal.start_run("pull", "acme")
    other = Workspace(ws.layout.root, clock=ManualClock(NOON + timedelta(hours=8)), who="cron")
    with other.store.open("acme") as con:  # nothing here keeps the 07:00 job out
        con.execute("insert into lists (list_id, name) values (7, 'Made at night')")
    other.vacuum()  # and its file is another one by now
    clock.sleep(19 * 3600)
    with ws.store.open("acme") as con:
        assert con.execute("select name from lists").fetchall() == [("Made at night",)]
    assert (budget.left(), budget.spend()) == (1, 0.0)
    ws.journal.end_run(run)
    with ws.journal.lock("pull acme"):
        assert other.journal.holder("pull acme") is not None
    clock.sleep(-30 * 3600)  # a clock set back
    assert ws.journal.start_run("pull", "acme") > run
    assert contacts(ws) == [1, 2]
