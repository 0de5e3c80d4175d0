"""Saved point actions: one readable JSON file each, written whole or not at all."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from icx import mask
from icx.errors import BadInput
from icx.points.action import LARGEST, Action, as_json
from icx.rules import from_json
from icx.rules.lookup import nearest
from icx.store import shared

VERSION = 1
LONGEST_NAME = 100
GROUP = re.compile(r"[a-z][a-z0-9_]{0,29}")
TEXTS = ("name", "connection", "description", "group", "since", "until")
KEYS = {"icx", *TEXTS, "amount", "each", "machines", "earns"}


def save(folder: Path, action: Action) -> Path:
    """Write an action's file and return its path; an older one of the same name is replaced, however its file is called."""
    path = folder / shared.file_name(action.name)
    for there, saved in _files(folder):
        other = saved.name
        if other == action.name:
            path = there
        elif other.casefold() == action.name.casefold():
            raise BadInput(
                "points-value",
                f'There is an action "{other}" already; names that differ in case alone are not kept apart.',
                where=f'"{action.name}"',
                kept="nothing was saved",
                next=[["icx", "points", "show", other]],
            )
    text = json.dumps({"icx": VERSION} | as_json(action), indent=2, ensure_ascii=False) + "\n"
    return shared.write(path, text)


def load(folder: Path, name: str) -> Action:
    """Return a saved action, or name the nearest ones."""
    kept = unicodedata.normalize("NFC", name).strip()
    for action in everything(folder):
        if action.name == kept:
            return action
    known = names(folder)
    near = [one for one, _ in nearest(name, dict.fromkeys(known, 0))]
    raise BadInput(
        "points-unknown",
        f'There is no point action "{mask.plain(name)}".' + (f" Nearest: {', '.join(near)}." if near else ""),
        where=f"{folder.parent.name}/{folder.name}/",
        kept="nothing was changed",
        next=[["icx", "points", "show", near[0]] if near else ["icx", "points", "list"]],
    )


def remove(folder: Path, name: str) -> Path:
    """Delete an action's file and return where it was."""
    found = load(folder, name)
    path = next(path for path, action in _files(folder) if action.name == found.name)
    path.unlink()
    return path


def everything(folder: Path, connection: str | None = None) -> list[Action]:
    """Return the saved actions by name, those of one connection when it is given.

    A file that cannot be read raises: an action left out unseen would take points away. So do two files of one
    action, a copy or what version control brought: both would give its points.
    """
    return [one for _, one in _files(folder) if connection is None or one.connection in {"", connection}]


def _files(folder: Path) -> list[tuple[Path, Action]]:
    found: dict[str, tuple[Path, Action]] = {}
    for path in sorted(folder.glob("*.json")):
        action = read(path)
        if action.name in found:
            first = found[action.name][0].name
            raise BadInput(
                "points-file",
                f"Two files have the point action {action.name}, and both would give its points.",
                where=f"{first}, {path.name}",
                kept="nothing was changed; the points as they were last counted",
                next=[f"take {first} or {path.name} from the folder; then the same command"],
            )
        found[action.name] = path, action
    return list(found.values())


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in everything(folder))


def read(path: Path) -> Action:
    """Return the action in a file, or raise points-file or what is wrong in it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            "points-file",
            "The file cannot be read as a point action.",
            where=f"{path.name}: {reason}",
            kept="nothing was changed; the points as they were last counted",
            next=[f"mend {path.name}, or take it from the folder; then the same command"],
        ) from None
    return from_data(data, path.name)


def from_data(data: Any, where: str) -> Action:
    """Return the action in a file's JSON; `where` leads in errors.

    Raises points-value for a key or value of the action, rule-value for its rule.
    """
    if not isinstance(data, Mapping) or "earns" not in data:
        raise wrong("A point action is an object with name, amount and earns.", where, '"amount": 10')
    shared.check_version(data.get("icx", VERSION), VERSION, what="point action", where=where)
    unknown = sorted(str(key) for key in data if key not in KEYS)
    if unknown:
        raise wrong(
            f"A point action has no `{mask.plain(unknown[0])}`; left out unseen it would give other points.",
            where,
            ", ".join(sorted(KEYS - {"icx"})),
        )
    texts = {key: data.get(key) or "" for key in TEXTS}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise wrong(f"`{key}` is a text.", where, f'"{key}": "…"')
    for key in ("each", "machines"):
        if not isinstance(data.get(key, False), bool):
            raise wrong(f"`{key}` is true or false.", where, f'"{key}": true')
    action = Action(
        name=texts["name"],
        amount=data.get("amount"),  # type: ignore[arg-type]  # looked at next
        earns=from_json(data["earns"], where),
        each=data.get("each", False),
        group=texts["group"],
        since=texts["since"],
        until=texts["until"],
        machines=data.get("machines", False),
        description=texts["description"],
        connection=texts["connection"],
    )
    return fitting(action, where)


def fitting(action: Action, where: str = "", zone: tzinfo = UTC) -> Action:
    """Return an action as it is kept: its name composed, its amount, group and dates looked at."""
    where = where or f'"{mask.plain(action.name)[:60]}"'
    name = unicodedata.normalize("NFC", action.name).strip()
    if not name or len(name) > LONGEST_NAME or mask.plain(name) != name or "\n" in name or "\t" in name:
        raise wrong(f"A point action needs a name of 1 to {LONGEST_NAME} visible letters.", where, '"Opened"')
    amount = action.amount
    whole = isinstance(amount, int) and not isinstance(amount, bool)
    if not whole or amount == 0 or abs(amount) > LARGEST:
        raise wrong(
            f"An amount is a whole number from −{LARGEST:,} to {LARGEST:,}, and not 0; {_shown(amount)} is not.",
            where,
            '"amount": 10, or -5 to take some away',
        )
    if action.group and not GROUP.fullmatch(action.group):
        raise wrong(
            f"A group is up to 30 small letters, digits and _, a letter first; {_shown(action.group)} is not.",
            where,
            '"group": "interest" makes the field points_interest',
        )
    first, end = action.span(zone)
    if first is not None and end is not None and first >= end:
        raise wrong("The action would end before it begins.", where, "the earlier date as `since`")
    return replace(action, name=name, since=action.since.strip(), until=action.until.strip())


def wrong(message: str, where: str, hint: str) -> BadInput:
    return BadInput(
        "points-value", message, where=where, kept="nothing was changed", next=[f"for example {hint}"]
    )


def _shown(value: object) -> str:
    text = (
        "nothing"
        if value is None
        else f'"{mask.plain(value)}"'
        if isinstance(value, str)
        else mask.plain(value)
    )
    return text if len(text) <= 60 else f"{text[:59]}…"
