"""Saved audiences: one readable JSON file each, written whole or not at all, named safely from any name."""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icx import mask
from icx.audience.audience import Audience
from icx.errors import BadInput, IcxError, NeedsYou
from icx.rules import Rule, audiences_used, from_json, to_json
from icx.rules.lookup import audience_unknown, cycle
from icx.store import shared

VERSION = 1
LONGEST_NAME = 200
file_name = shared.file_name


@dataclass(frozen=True)
class Saved:
    """One file of the folder: an audience, or what is wrong with the file."""

    path: Path
    audience: Audience | None
    error: IcxError | None = None


def check_name(name: str) -> str:
    """Return a name as it is kept: composed letters, no blanks at the ends."""
    kept = unicodedata.normalize("NFC", name).strip()
    if not kept or len(kept) > LONGEST_NAME or mask.plain(kept) != kept or "\n" in kept or "\t" in kept:
        raise BadInput(
            "audience-name",
            f"An audience needs a name of 1 to {LONGEST_NAME} visible letters.",
            where=f'"{mask.plain(name)[:60]}"',
            kept="nothing was saved",
            next=[["icx", "audience", "save", "Loyal in Durham", "--rule", "loyal.json"]],
        )
    return kept


def save(folder: Path, audience: Audience) -> Path:
    """Write an audience's file and return its path; an older one of the same name is replaced.

    Raises `audience-cycle` with the path when it would use itself through others, `audience-unknown` when it
    uses one that is not saved, `audience-name` when the name cannot be kept. What the rule says about fields
    is for the caller to check, who has the catalogue (`icx.audience.checked`).
    """
    name = check_name(audience.name)
    for other in names(folder):
        if other != name and other.casefold() == name.casefold():
            raise BadInput(
                "audience-name",
                f'There is an audience "{other}" already; names that differ in case alone are not kept apart.',
                where=f'"{name}"',
                kept="nothing was saved",
                next=[["icx", "audience", "show", other]],
            )
    _refuse_cycle(folder, name, audience.rule)
    text = json.dumps(as_json(audience) | {"name": name}, indent=2, ensure_ascii=False) + "\n"
    path = folder / file_name(name)
    shared.write(path, text)
    return path


def load(folder: Path, name: str) -> Audience:
    """Return a saved audience, or name the nearest ones."""
    kept = unicodedata.normalize("NFC", name).strip()
    path = folder / file_name(kept)
    if path.is_file():
        return read(path)
    for saved in everything(folder):
        if saved.audience is not None and saved.audience.name == kept:
            return saved.audience
    raise audience_unknown(name, names(folder), f"{folder.parent.name}/{folder.name}/")


def read(path: Path) -> Audience:
    """Return the audience in a file: ours, or a bare rule as another builder exports it, named by its file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            "audience-file",
            "The file cannot be read as an audience.",
            where=f"{path.name}: {reason}",
            kept="nothing was changed",
            next=[f"mend {path.name}, or take it from the folder; then the same command"],
        ) from None
    return from_data(data, path)


def from_data(data: Any, path: Path) -> Audience:
    """Return the audience in a file's JSON."""
    if not isinstance(data, Mapping) or "rule" not in data:
        return Audience(path.stem, from_json(data, path.name))
    shared.check_version(data.get("icx", VERSION), VERSION, what="audience", where=path.name)
    texts = {key: data.get(key) or "" for key in ("name", "connection", "description")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise BadInput(
                "rule-value",
                f"`{key}` is a text.",
                where=path.name,
                kept="nothing was changed",
                next=[f'"{key}": "…"'],
            )
    return Audience(
        texts["name"] or path.stem,
        from_json(data["rule"], path.name),
        texts["connection"],
        texts["description"],
    )


def as_json(audience: Audience) -> dict[str, Any]:
    """Return what the file holds."""
    return {
        "icx": VERSION,
        "name": audience.name,
        "connection": audience.connection,
        "description": audience.description,
        "rule": to_json(audience.rule),
    }


def everything(folder: Path) -> Iterator[Saved]:
    """Yield every file of the folder, sorted by name; one that cannot be read comes with its error."""
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            yield Saved(path, read(path))
        except IcxError as error:
            yield Saved(path, None, error)


def names(folder: Path) -> list[str]:
    """Return the names of all saved audiences."""
    return sorted(saved.audience.name for saved in everything(folder) if saved.audience)


def used_by(folder: Path, name: str) -> list[str]:
    """Return the saved audiences that use this one."""
    return sorted(
        saved.audience.name
        for saved in everything(folder)
        if saved.audience and saved.audience.name != name and name in audiences_used(saved.audience.rule)
    )


def delete(
    folder: Path,
    name: str,
    *,
    jobs: Iterable[str] = (),
    actions: Iterable[str] = (),
    triggers: Iterable[str] = (),
) -> Path:
    """Delete a saved audience and return where it was; refused while other audiences, jobs, point actions or triggers use it."""
    audience = load(folder, name)
    steps = {other: ["icx", "audience", "show", other] for other in used_by(folder, audience.name)}
    steps |= {f'the job "{job}"': ["icx", "schedule", "list"] for job in jobs}
    steps |= {f'the point action "{action}"': ["icx", "points", "show", action] for action in actions}
    steps |= {f'the trigger "{one}"': ["icx", "triggers", "show", one] for one in triggers}
    if users := list(steps):
        listed = ", ".join(users[:-1]) + (" and " if len(users) > 1 else "") + users[-1]
        raise NeedsYou(
            "audience-used",
            f"{audience.name} is used by {listed}.",
            where=f"{folder.name}/{file_name(audience.name)}",
            kept="nothing was deleted",
            next=[steps[users[0]]],
        )
    for saved in everything(folder):
        if saved.audience is not None and saved.audience.name == audience.name:
            saved.path.unlink()
            return saved.path
    raise audience_unknown(name, names(folder), f"{folder.parent.name}/{folder.name}/")


class Rules(Mapping[str, Rule]):
    """The rules of a folder's audiences by name, read when asked for, so a lookup costs nothing unused."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Rule:
        if self._folder is None:
            raise KeyError(name)
        path = self._folder / file_name(unicodedata.normalize("NFC", name).strip())
        if not path.is_file() and name not in names(self._folder):
            raise KeyError(name)
        return load(self._folder, name).rule

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self[name] is not None
        except KeyError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(names(self._folder) if self._folder else [])

    def __len__(self) -> int:
        return len(names(self._folder) if self._folder else [])


def nearest(name: str, folder: Path) -> list[str]:
    """Return the saved names that look most like this one."""
    return difflib.get_close_matches(name, names(folder), n=3, cutoff=0.5)


def _refuse_cycle(folder: Path, name: str, rule: Rule) -> None:
    """Follow every reference from the rule about to be saved; coming back to its name is a cycle."""
    known = Rules(folder)

    def follow(inner: Rule, trail: list[str]) -> None:
        for used in sorted(audiences_used(inner)):
            if used in trail:
                raise cycle([*trail[trail.index(used) :], used])
            if used not in known:
                raise audience_unknown(used, known, f'audience "{trail[-1]}"')
            follow(known[used], [*trail, used])

    follow(rule, [name])
