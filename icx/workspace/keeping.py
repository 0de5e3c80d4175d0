"""Backup, restore and vacuum: what each takes of a workspace and does with it, and the note of it in the journal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from icx.errors import NeedsYou
from icx.store import backups as kept
from icx.store import damage, locks
from icx.store.still import copy, finish, put, still
from icx.words import counted

if TYPE_CHECKING:
    from icx.store.backups import Backup
    from icx.store.restoring import Restored
    from icx.workspace.layout import Layout
    from icx.workspace.workspace import Workspace

#: What goes into a backup beside database and journal, from the workspace's folder; secrets are not among it.
PARTS = (
    "icx.toml",
    "expectations/*.json",
    "data/connections/*.json",
    "data/audiences/*.json",
    "data/fields/*.sql",
    "data/points/*.json",
    "data/triggers/*.json",
    "data/syncs/*.json",
    "data/jobs/*.json",
    "data/plans/P-*.parquet",
    "data/erased.json",
)
#: Folders of the data folder in which a process unpacks backups for a moment.
SCRATCH = (".erasing-*", ".restoring")
UNFINISHED = timedelta(days=1)  # an unfinished file older than this is nobody's any more


@dataclass(frozen=True)
class Restoration:
    """What a backup would bring back, and with `done` what it did. `now` counts what is here, by table, before."""

    backup: Backup
    now: Mapping[str, int]
    files: tuple[str, ...]
    journal_too: bool
    zone: str
    before: Backup | None = None
    done: Restored | None = None

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Return it as people read it."""
        at = f"{self.backup.made_at.astimezone(ZoneInfo(self.zone)):%-d %b %Y %H:%M %Z}"
        lines = [f"{'Restored from' if self.done else 'A restore from'} {self.backup.path.name}, made {at}"]
        then, now = self.backup.rows, self.now
        for name in self.backup.connections:
            held = f"{then.get(f'{name}.icontact_users', 0):,} contacts · {then.get(f'{name}.icontact_activity', 0):,} events"
            here = f"{now.get(f'{name}.icontact_users', 0):,} · {now.get(f'{name}.icontact_activity', 0):,}"
            lines.append(f"  {name:<10} {held}, {'before' if self.done else 'now'} {here}")
        lines += [
            f"  {name:<10} is not in it, and would go"
            for name in sorted(_connections(now) - set(self.backup.connections))
            if not self.done
        ]
        if self.files:
            lines.append(f"  files      {counted(len(self.files), 'file')} missing here")
        if self.done is None:
            lines += [
                "  kept       what is here now, as a backup; what was sent, consent facts, who was erased",
                "  pushes     wait until the next pull, which reads everything",
            ]
            return "\n".join(lines)
        if self.before is not None:
            lines.append(f"  before     kept as {self.before.path.name}")
        if self.done.moved_away is not None:
            lines.append(f"  before     could not be read; kept as {self.done.moved_away.name}")
        if self.done.facts:
            lines.append(f"  consent    {counted(self.done.facts, 'fact')} younger than the backup kept")
        if self.done.journal_too:
            closed = ", ".join(self.done.closed) or "no plan was open"
            lines.append(f"  plans      the record came back too; closed: {closed}")
        lines.append("  pushes     wait until the next pull, which reads everything")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return what `icx restore --json` prints."""
        done = self.done
        return {
            "backup": str(self.backup.path),
            "made_at": self.backup.made_at,
            "connections": list(self.backup.connections),
            "rows": dict(self.backup.rows),
            "rows_now": dict(self.now),
            "files": list(self.files),
            "journal_too": self.journal_too,
            "restored": done is not None,
            "before": str(self.before.path) if self.before else None,
            "facts_kept": done.facts if done else None,
            "closed_plans": list(done.closed) if done else None,
            "moved_away": str(done.moved_away) if done and done.moved_away else None,
        }


@dataclass(frozen=True)
class Vacuumed:
    """Bytes of database and journal before and after, and how many unfinished files were taken away."""

    before: int
    after: int
    left_over: int

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        said = f"{self.before / 1e6:,.1f} MB before, {self.after / 1e6:,.1f} MB now"
        more = f"; {counted(self.left_over, 'unfinished file')} taken away" if self.left_over else ""
        return f"Vacuumed: {said}{more}"

    def as_dict(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after, "left_over": self.left_over}


def backup(ws: Workspace, to: Path | None, *, suffix: str = "") -> Backup:
    """Make a backup; see `Workspace.backup`."""
    target = _target(ws, to, suffix)
    made = kept.write(target, store=ws.store, journal=ws.layout.journal, files=dict(files_of(ws.layout)))
    with ws.noted("backup", _told(ws, target)):
        pass
    return made


def backups(ws: Workspace) -> list[Backup]:
    """Return the backups that are known and whole, newest first; see `Workspace.backups`."""
    from icx.errors import IcxError

    root = ws.layout.root
    noted = ws.journal.runs("backup", limit=10_000) if ws.layout.journal.exists() else []
    known = {(root / run.what).absolute() for run in noted}
    known |= {path.absolute() for path in (ws.layout.data / "backups").glob("*.zip")}
    found = []
    for path in known:
        try:
            found.append(kept.read(path))
        except IcxError:
            continue
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def restore(ws: Workspace, name: str, *, files: bool, yes: bool) -> Restoration:
    """Show a restore, or do it; see `Workspace.restore`."""
    from icx.store import restoring
    from icx.store.wiping import sweep
    from icx.workspace.traces import in_sql

    layout = ws.layout
    found = kept.read(_named(ws, name))
    journal_too = restoring.brings_journal(found, layout.journal)
    anew = journal_too or not layout.journal.exists()
    missing = tuple(
        place
        for place in found.files
        if not (layout.root / place).exists() and (files or anew or place.startswith("data/plans/"))
    )
    shown = Restoration(found, _held(ws), missing, journal_too, ws.settings.zone)
    if not yes:
        return shown
    kept.check(found)
    with locks.alone(layout.data / "locks", what=f"a restore of {found.path.name}", clock=ws.clock):
        before = backup(ws, None, suffix="-before-restore") if shown.now else None
        done = restoring.restore(
            found,
            root=layout.root,
            store=ws.store,
            journal=layout.journal,
            files=missing,
            sweep=lambda store: sweep(store, ws.accounts.erased(), lambda whom: in_sql(whom.addresses)),
            drop=[layout.published],
        )
    with ws.noted("restore", _told(ws, found.path)):
        _note(ws, f"{found.path.name}, of {found.made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return Restoration(found, shown.now, missing, done.journal_too, ws.settings.zone, before, done)


def vacuum(ws: Workspace) -> Vacuumed:
    """Write database and journal anew; see `Workspace.vacuum`."""
    path, data = ws.store.path, ws.layout.data
    before = _size(ws.layout)
    with ws.noted("vacuum", "the database"):
        new = path.with_name(f".{path.name}.new")
        if path.exists():
            try:
                free, need = shutil.disk_usage(data).free, path.stat().st_size
                if free < need:
                    raise damage.disk_full(path, need=need, free=free)
                with still(ws.store) as held:
                    copy(held.con, new)
                    finish(held.con, new)
                    put(new, path)
            finally:
                from icx.store.still import forget

                forget(new)
        ws.journal.vacuum()
        left = _left_over(data, ws.clock.now())
        for one in left:
            shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)
    return Vacuumed(before, _size(ws.layout), len(left))


def _told(ws: Workspace, path: Path) -> str:
    """Return a file's name as the record keeps it: from the workspace on, which may be moved."""
    root, path = ws.layout.root.absolute(), path.absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _target(ws: Workspace, to: Path | None, suffix: str) -> Path:
    if to is not None and not to.is_dir() and to.suffix:
        return to
    folder = to or ws.layout.data / "backups"
    stem = f"icx-backup-{ws.clock.now().astimezone(UTC):%Y%m%d-%H%M%S}{suffix}"
    path, number = folder / f"{stem}.zip", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.zip"
    return path


def files_of(layout: Layout) -> Iterator[tuple[str, Path]]:
    for part in PARTS:
        for path in layout.root.glob(part):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(layout.root).as_posix(), path


def _named(ws: Workspace, name: str) -> Path:
    if name == "newest":
        known = [one for one in backups(ws) if "-before-restore" not in one.path.name]
        if not known:
            raise NeedsYou(
                "no-backup",
                "This workspace has no backup yet.",
                where=str(ws.layout.data / "backups"),
                kept="everything here as it was",
                next=[["icx", "backup"]],
            )
        return known[0].path
    given = Path(name)
    inside = ws.layout.data / "backups" / name
    return inside if not given.exists() and inside.exists() else given


def _held(ws: Workspace) -> dict[str, int]:
    """Return the rows of each table here; nothing when there is no database, or none that can be read."""
    from icx.errors import Damaged
    from icx.store.still import rows

    if not ws.store.path.exists():
        return {}
    try:
        with ws.store.open() as con:
            return rows(con)
    except Damaged as error:
        if error.code != "database-damaged":
            raise
        return {}


def _connections(rows: Mapping[str, int]) -> set[str]:
    return {name.rpartition(".")[0] for name in rows if name.endswith(".icontact_users")}


def _note(ws: Workspace, what: str) -> None:
    from icx.workspace.bringing import note

    note(ws, "restored", what)


def _size(layout: Layout) -> int:
    names = [layout.database, *layout.data.glob("journal.sqlite*")]
    return sum(path.stat().st_size for path in names if path.exists())


def _left_over(data: Path, now: datetime) -> list[Path]:
    """Return unfinished files, and folders of them, that a killed process left, a day old or more."""
    found = []
    files = (".saving-*.tmp", ".*.part*", "*.part", ".*.new", "plans/*.tmp", "backups/.*.part*")
    for pattern in (*files, *SCRATCH):
        for path in data.glob(pattern):
            if (
                path.is_file() is (pattern in files)
                and now.timestamp() - path.stat().st_mtime > UNFINISHED.total_seconds()
            ):
                found.append(path)
    return found
