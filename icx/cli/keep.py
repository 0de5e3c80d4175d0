"""Commands that care for the store: backup, restore, vacuum, erase."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from icx.cli.common import Obj, asked, command, shown, workspace
from icx.cli.result import Result
from icx.errors import NeedsYou

if TYPE_CHECKING:
    from icx.workspace import Workspace


@command(
    "backup",
    "Copy the database, the record and what you wrote into one file, without any secret.",
    "icx backup",
    "icx backup --list",
)
@click.argument("to", required=False, type=click.Path(path_type=Path))
@click.option("--list", "listed", is_flag=True, help="The backups there are, and nothing else.")
def backup(obj: Obj, to: Path | None, listed: bool) -> Result:
    _, console = obj
    ws = workspace(obj)
    if listed:
        found = ws.backups()
        rows = [
            (
                one.path.name,
                shown(one.made_at, ws.settings.tz, ws.clock.now()),
                f"{one.size / 1e6:,.1f} MB",
                str(one.path.parent),
            )
            for one in found
        ]
        heads = ["backup", "made", "size", "in"]
        text = console.table(heads, rows, right=(2,)) if rows else "No backup yet. Next: icx backup"
        told = {
            "backups": [{"path": str(one.path), "made_at": one.made_at, "bytes": one.size} for one in found]
        }
        return Result("backups/1", text, told)
    made = ws.backup(to)
    text = (
        f"Backed up {sum(made.rows.values()):,} rows and {len(made.files):,} files: {made.path}"
        f" ({made.size / 1e6:,.1f} MB, for your eyes alone; no password is in it)\n"
        f"Checked against its own sums. Next: {shlex.join(['icx', 'restore', _named(ws, made.path), '--dry'])}"
    )
    data = {
        "path": str(made.path),
        "made_at": made.made_at,
        "bytes": made.size,
        "rows": dict(made.rows),
        "files": made.files,
    }
    return Result("backup/1", text, data)


def _named(ws: Workspace, path: Path) -> str:
    """Return what to type for a backup: its name in the workspace's own folder of them, else the file."""
    return path.name if path.parent == ws.layout.data / "backups" else str(path)


@command(
    "restore",
    "Bring the database back from a backup; what was sent and who said no is never forgotten.",
    "icx restore newest --dry",
    "icx restore icx-backup-20261122-070200.zip",
)
@click.argument("backup")
@click.option(
    "--files", is_flag=True, help="Also what is missing of audiences, fields, jobs, connections, settings."
)
@click.option("--dry", is_flag=True, help="Only show what would come back.")
def restore(obj: Obj, backup: str, files: bool, dry: bool) -> Result:
    options, console = obj
    ws = workspace(obj)
    found = ws.restore(backup, files=files)
    again = ["icx", "restore", backup, *(["--files"] if files else [])]
    if dry:
        text = f"{found.text()}\nNothing was changed. Next: {shlex.join(again)}"
        return Result("restore/1", text, found.as_dict())
    if not options.yes:
        console.note(found.text())

        def missing() -> NeedsYou:
            return NeedsYou(
                "needs-answer",
                "A restore asks before it replaces the database, and there is no terminal to ask.",
                where=str(found.backup.path),
                kept="nothing was changed",
                next=[[*again, "--yes"]],
            )

        if console.ask("Go on? [y/N]  ", missing=missing).strip().lower() not in {"y", "yes"}:
            return Result("restore/1", "Nothing was changed.", found.as_dict())
    done = ws.restore(backup, files=files, yes=True)
    name = done.backup.connections[0] if done.backup.connections else ""
    return Result("restore/1", f"{done.text()}\nNext: icx pull {name}".rstrip(), done.as_dict())


@command(
    "vacuum",
    "Write the database and the record anew, without what was deleted.",
    "icx vacuum",
    "icx vacuum --json",
)
def vacuum(obj: Obj) -> Result:
    done = workspace(obj).vacuum()
    return Result("vacuum/1", done.text(), done.as_dict())


@command(
    "erase",
    "Show everywhere somebody is held, ask, remove them, and show that they are gone.",
    "icx erase 70057 --dry",
    "icx erase - --backups rewrite",
)
@click.argument("who")
@click.option("--dry", is_flag=True, help="Only show where they are held.")
@click.option(
    "--backups", type=click.Choice(["rewrite", "keep"]), help="What becomes of backups that hold them."
)
def erase(obj: Obj, who: str, dry: bool, backups: str | None) -> Result:
    options, console = obj
    ws = workspace(obj)
    named = asked(console, who)
    found = ws.erase(named, connection=options.connection)
    if not found.count and not found.backups:
        text = f"{found.text()}\nNothing of them is held here that icx could erase."
        return Result("erase/1", text, found.as_dict())
    if dry:
        return Result("erase/1", f"{found.text()}\nNothing was changed.", found.as_dict())
    answer = options.confirm.get("erase")
    if answer is None:
        console.note(found.text())

        def missing() -> NeedsYou:
            steps = [
                "icx",
                "erase",
                *found.typed,
                "--confirm",
                f"erase={found.count}",
            ]
            return NeedsYou(
                "needs-answer",
                "Erasing cannot be undone, so it asks first, and there is no terminal to ask.",
                where=f"{found.count:,} places hold them",
                kept="nothing was erased",
                next=[steps if not found.backups or backups else [*steps, "--backups", "rewrite"]],
            )

        answer = console.ask("This cannot be undone. Type how many places are emptied:  ", missing=missing)
    typed = answer.strip().replace(",", "")
    done = ws.erase(
        named, connection=options.connection, confirm=int(typed) if typed.isdigit() else -1, backups=backups
    )
    return Result("erase/1", done.text(), done.as_dict(), 1 if done.left else 0)
