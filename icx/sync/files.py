"""Saved syncs: one readable JSON file each, written whole or not at all."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from icx import mask
from icx.errors import BadInput
from icx.rules.lookup import nearest
from icx.store import shared
from icx.sync.definition import Sync, checked, from_dict

VERSION = 1


def save(folder: Path, sync: Sync) -> Path:
    """Write a sync's file and return its path; one that differs in case alone is refused."""
    found = checked(sync)
    for other in names(folder):
        if other != found.name and other.casefold() == found.name.casefold():
            raise BadInput(
                "sync-value",
                f'There is a sync "{other}" already; names that differ in case alone are not kept apart.',
                where=f'"{mask.plain(found.name)}"',
                kept="nothing was saved",
                next=[["icx", "sync", "show", other]],
            )
    text = json.dumps({"icx": VERSION} | found.as_dict(), indent=2, ensure_ascii=False) + "\n"
    return shared.write(folder / shared.file_name(found.name), text)


def load(folder: Path, name: str) -> Sync:
    """Return a saved sync, or name the nearest ones."""
    wanted = unicodedata.normalize("NFC", name).strip()
    every = everything(folder)
    for sync in every:
        if sync.name == wanted:
            return sync
    near = [one for one, _ in nearest(name, {sync.name: 0 for sync in every})]
    raise BadInput(
        "sync-unknown",
        f'There is no sync "{mask.plain(name)}".' + (f" Nearest: {', '.join(near)}." if near else ""),
        where=f"{folder.parent.name}/{folder.name}/",
        kept="nothing was read or sent",
        next=[["icx", "sync", "show", near[0]] if near else ["icx", "sync", "list"]],
    )


def remove(folder: Path, name: str) -> Path:
    """Delete a sync's file and return where it was."""
    path = folder / shared.file_name(load(folder, name).name)
    path.unlink()
    return path


def everything(folder: Path) -> list[Sync]:
    """Return the saved syncs by name; a file that cannot be read raises sync-value."""
    return sorted((read(path) for path in folder.glob("*.json")), key=lambda sync: sync.name)


def names(folder: Path) -> list[str]:
    """Return the names of the saved syncs."""
    return [sync.name for sync in everything(folder)]


def read(path: Path) -> Sync:
    """Return the sync in a file; raises BadInput (sync-value)."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(
            "sync-value",
            "The file cannot be read as a sync.",
            where=f"{path.name}: {getattr(error, 'strerror', None) or error}",
            kept="nothing was read or sent",
            next=[f"mend {path.name}, or take it from the folder; then the same command"],
        ) from None
    if isinstance(data, dict):
        shared.check_version(data.get("icx", VERSION), VERSION, what="sync", where=path.name)
        return from_dict(data, path.name)
    return from_dict({"": data}, path.name)
