"""Bringing a database back from a backup, in one step, without forgetting what happened since.

Consent is what a restore could break, so these things hold, whatever is restored:

- consent facts, and the record of who did what, are only added to: those of the database in place are put into the one
  that comes back. So is who was erased here: they are taken out of what comes back.
- The journal is never rolled back. What was sent is known, so no plan is applied twice and no number of a plan is given
  a second time. Only where there is no journal, the backup's comes too: then its unfinished plans are closed, since
  nobody knows whether they were applied after the backup was made, and a subscription dated between backup and restore
  is not taken for somebody's own coming back, since icx itself may have written it.
- What the backup cannot know, who said no after it was made, is read again before any push: `unread` tells whose
  service was not yet read in full since, the next pull reads everything, and until then plan and apply refuse
  ("restored-unread").

What nobody can bring back: a fact learned after the backup was made, of somebody whom iContact has forgotten since, when
the database in place can no longer be read. `Restored.moved_away` names that file.

The new files wait in `data/.restoring`. Once its list of moves is on the disk the restore is done, however it goes on:
whoever opens the workspace next finishes the moves first. Killed before that, nothing has happened.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from icx.clock import aware_utc, naive_utc
from icx.errors import BadInput, Damaged
from icx.store import backups, damage, private, shared
from icx.store.backups import DATABASE, FILES, JOURNAL, Backup
from icx.store.db import Connection, Store
from icx.store.names import literal, quoted
from icx.store.still import NEW, OLD, settle, still, wal
from icx.store.transactions import transaction

WAITING, MOVES = ".restoring", "moves.json"
#: What lies beside a file of before and would be read into the one that takes its place.
LOGS = {JOURNAL: ("-wal", "-shm"), DATABASE: (".wal",)}


@dataclass(frozen=True)
class Restored:
    """What a restore did. `facts` consent facts and `entries` of the record were younger than the backup and are kept.

    `journal_too` says that no journal was here; `closed` are its plans that may have been applied since.
    """

    backup: Backup
    restored_at: datetime
    facts: int = 0
    entries: int = 0
    journal_too: bool = False
    closed: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    moved_away: Path | None = None


def restore(
    backup: Backup,
    *,
    root: Path,
    store: Store,
    journal: Path,
    files: Sequence[str],
    sweep: Callable[[Store], object],
    drop: Sequence[Path] = (),
) -> Restored:
    """Put the backup's database in the place of the one here; see the module for what is kept.

    `files` are the places of those of its files that come too, `sweep` takes out whom this workspace has erased,
    `drop` is what was made from the database before (published tables). Nobody else may work here meanwhile: the
    caller holds `locks.alone`. Raises Damaged: backup-damaged, disk-full, read-only.
    """
    data = store.path.parent
    waiting = data / WAITING
    finish(data)
    _check_room(backup, files, data)
    now = store.clock.now()
    try:
        if waiting.exists():  # of one that was killed before it was decided
            shutil.rmtree(waiting)
        moves = [_unpacked(backup, FILES + place, waiting, root / place) for place in files]
        journal_too = brings_journal(backup, journal)
        closed: tuple[str, ...] = ()
        if journal_too:
            moves.append(_unpacked(backup, JOURNAL, waiting, journal))
            closed = _close_plans(waiting / JOURNAL, data / "plans", now)
        last = _unpacked(backup, DATABASE, waiting, store.path)
        new = Store(waiting / DATABASE, clock=store.clock)
        _prepare(new, backup, now, journal_too=journal_too)
        sweep(new)
        facts = entries = 0
        away: Path | None = None
        try:
            if store.path.exists():
                with still(store) as held:
                    with damage.told(new.path):
                        facts, entries = _bring_over(held.con, new.path)
                    _decide(waiting, [*moves, last], drop)
                    finish(data)
        except Damaged as error:
            if error.code != "database-damaged":
                raise
            away = _keep_beside(store.path, now)
        if (waiting / DATABASE).exists():
            _decide(waiting, [*moves, last], drop)
            finish(data)
    except OSError as error:
        raise damage.of_the_machine(error, store.path) or error from None
    finally:
        if not (waiting / MOVES).exists():  # refused, or done: nobody's rows are left lying there
            shutil.rmtree(waiting, ignore_errors=True)
    return Restored(backup, now, facts, entries, journal_too, closed, tuple(files), away)


def finish(data: Path) -> None:
    """Make the moves of a restore that was decided; no list of moves, nothing to do."""
    waiting = data / WAITING
    try:
        told = json.loads((waiting / MOVES).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        for path in told["drop"]:
            shutil.rmtree(path, ignore_errors=True)
        for source, target in told["moves"]:
            private.folder(Path(target).parent)
            if Path(source).exists():
                for log in LOGS.get(Path(target).name, ()):
                    Path(f"{target}{log}").unlink(missing_ok=True)
            try:
                Path(source).replace(target)
            except FileNotFoundError:
                continue  # moved before, or by somebody else just now
            settle(Path(target).parent)
        (waiting / MOVES).unlink(missing_ok=True)
        shutil.rmtree(waiting, ignore_errors=True)
    except OSError as error:
        raise damage.of_the_machine(error, waiting) or error from None


def unread(con: Connection, connection: str) -> tuple[datetime, datetime] | None:
    """Return when a restore happened and of when its backup was (aware UTC), if the service was not read since.

    Read means: a complete pull of everything that began afterwards, which the next pull is by itself.
    """
    rows = con.execute(
        "select restored_at, made_at from shared.restores order by restored_at desc limit 1"
    ).fetchall()
    if not rows:
        return None
    restored_at, made_at = rows[0]
    there = con.execute(
        "select count(*) from duckdb_tables() where database_name = current_database()"
        " and schema_name = ? and table_name = 'pulls'",
        [connection],
    ).fetchall()[0][0]
    read = (
        there
        and con.execute(
            f"select count(*) from {quoted(connection)}.pulls where state = 'complete' and full_sweep"
            " and only_unit is null and started_at >= ?",
            [restored_at],
        ).fetchall()[0][0]
    )
    return None if read else (aware_utc(restored_at), aware_utc(made_at))


def brings_journal(backup: Backup, journal: Path) -> bool:
    """Tell whether the backup's journal comes too, since the one here knows nothing of what it knows.

    Raises BadInput ("backup-elsewhere") for a backup of another workspace.
    """
    here = backups.highest_plan(journal)
    if JOURNAL not in backup.members or (here >= backup.plans and journal.exists()):
        return False
    if here == 0:
        return True
    raise BadInput(
        "backup-elsewhere",
        "This is a backup of another workspace, or of a later state of this one.",
        where=f"{backup.path.name} knows plans up to P-{backup.plans}, the record here up to P-{here}",
        kept="everything here as it was",
        next=[["icx", "restore", str(backup.path), "--workspace", "another-folder"]],
    )


def _unpacked(backup: Backup, name: str, waiting: Path, target: Path) -> tuple[Path, Path]:
    backups.unpack(backup, name, waiting / name)
    return waiting / name, target


def _prepare(new: Store, backup: Backup, now: datetime, *, journal_too: bool) -> None:
    """Bring the backup's database to this version, forget pulls that did not end, and note that it was restored."""
    with new.open() as con:
        schemas = con.execute("select distinct scope from main.icx_migrations where scope <> ''").fetchall()
        with transaction(con):
            for (schema,) in schemas:
                con.execute(f"delete from {quoted(schema)}.pulls where state <> 'complete'")
            con.execute(
                "insert into shared.restores values (?, ?, ?, ?)",
                [naive_utc(now), naive_utc(backup.made_at), backup.path.name, journal_too],
            )


def _bring_over(con: Connection, new: Path) -> tuple[int, int]:
    """Add to the new database what only the old one knows; return how many consent facts and entries of the record."""
    con.execute(f"attach {literal(str(new))} as {NEW}")
    with transaction(con):
        added = [
            con.execute(
                f"insert into {NEW}.shared.{table} select * from {OLD}.shared.{table} except"
                f" select * from {NEW}.shared.{table}"
            ).fetchall()[0][0]
            for table in ("consent_facts", "record", "restores")
        ]
    con.execute(f"detach {NEW}")
    return added[0], added[1]


def _decide(waiting: Path, moves: Sequence[tuple[Path, Path]], drop: Sequence[Path]) -> None:
    told = {
        "moves": [[str(source.absolute()), str(target.absolute())] for source, target in moves],
        "drop": [str(path.absolute()) for path in drop],
    }
    shared.write(waiting / MOVES, json.dumps(told))
    settle(waiting)


def _close_plans(journal: Path, plans: Path, now: datetime) -> tuple[str, ...]:
    """Close what a brought-back journal holds open, and let numbers begin after all that were ever given."""
    used = [int(path.stem[2:]) for path in plans.glob("P-*.parquet") if path.stem[2:].isdigit()]
    with closing(sqlite3.connect(journal)) as db:
        open_ = db.execute(
            "select number from plans where state in ('open', 'applying') order by number"
        ).fetchall()
        db.execute("update plans set state = 'closed', result = null where state in ('open', 'applying')")
        ended = now.astimezone(UTC).isoformat()
        db.execute(
            "update runs set state = 'stopped', ended_at = coalesce(ended_at, ?) where state = 'running'",
            (ended,),
        )
        if used:
            db.execute("update sqlite_sequence set seq = max(seq, ?) where name = 'plans'", (max(used),))
            db.execute(
                "insert into sqlite_sequence select 'plans', ? where not exists"
                " (select 1 from sqlite_sequence where name = 'plans')",
                (max(used),),
            )
        db.commit()
    return tuple(f"P-{number}" for (number,) in open_)


def _keep_beside(path: Path, now: datetime) -> Path:
    """Keep a file that cannot be read, and its log, under names of their own; it stays in its place until it is replaced."""
    away = path.with_name(f"{path.stem}-damaged-{now.astimezone(UTC):%Y%m%d-%H%M%S}{path.suffix}")
    part = away.with_suffix(".part")
    for old, kept in ((wal(path), wal(away)), (path, away)):
        if old.exists():
            with private.alone():
                shutil.copyfile(old, part)
            part.replace(kept)
    return away


def _check_room(backup: Backup, files: Sequence[str], data: Path) -> None:
    names = [DATABASE, JOURNAL, *(FILES + place for place in files)]
    need = sum(int(backup.members[name]["bytes"]) for name in names if name in backup.members)
    there = data
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < need + damage.ROOM:
        raise damage.disk_full(data / DATABASE, need=need + damage.ROOM, free=free)
