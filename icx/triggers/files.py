"""Saved triggers: one readable JSON file each, written whole or not at all, without a secret in it."""

from __future__ import annotations

import difflib
import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from icx import mask
from icx.errors import BadInput
from icx.notify import check_command, check_webhook
from icx.rules import Compare, Group, InAudience, Rule, from_json
from icx.store import shared
from icx.triggers.trigger import FIRES, KINDS, MOST, TOLD, Do, Paused, Trigger, as_json

VERSION = 1
LONGEST_NAME = 100
LARGEST_MOST = 10_000_000
TEXTS = ("name", "connection", "description", "fires")
KEYS = {"icx", *TEXTS, "when", "do", "most", "paused"}


def save(folder: Path, trigger: Trigger) -> Path:
    """Write a trigger's file and return its path; an older one of the same name is replaced, however it is called."""
    path = folder / shared.file_name(trigger.name)
    for there, saved in _files(folder):
        if saved.name == trigger.name:
            path = there
        elif saved.name.casefold() == trigger.name.casefold():
            raise wrong(
                f'There is a trigger "{saved.name}" already; names that differ in case alone are not kept apart.',
                f'"{trigger.name}"',
                f"icx triggers show '{saved.name}'",
            )
    text = json.dumps({"icx": VERSION} | as_json(trigger), indent=2, ensure_ascii=False) + "\n"
    return shared.write(path, text)


def load(folder: Path, name: str) -> Trigger:
    """Return a saved trigger, or name the nearest ones."""
    kept = unicodedata.normalize("NFC", name).strip()
    known = {one.name: one for one in everything(folder)}
    if kept in known:
        return known[kept]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    raise BadInput(
        "trigger-unknown",
        f'There is no trigger "{mask.plain(name)[:60]}".' + (f" Nearest: {', '.join(near)}." if near else ""),
        where=f"{folder.parent.name}/{folder.name}/",
        kept="nothing was changed",
        next=[["icx", "triggers", "show", near[0]] if near else ["icx", "triggers", "list"]],
    )


def remove(folder: Path, name: str) -> Path:
    """Delete a trigger's file and return where it was."""
    found = load(folder, name)
    path = next(path for path, one in _files(folder) if one.name == found.name)
    path.unlink()
    return path


def everything(folder: Path, connection: str | None = None) -> list[Trigger]:
    """Return the saved triggers by name, those of one connection when it is given.

    A file that cannot be read raises, and so do two files of one trigger: both would fire.
    """
    found = [one for _, one in _files(folder) if connection is None or one.connection in {"", connection}]
    return sorted(found, key=lambda one: one.name)


def names(folder: Path) -> list[str]:
    """Return the names of the saved triggers, sorted."""
    return [one.name for one in everything(folder)]


def _files(folder: Path) -> list[tuple[Path, Trigger]]:
    found: dict[str, tuple[Path, Trigger]] = {}
    for path in sorted(folder.glob("*.json")):
        one = read(path)
        if one.name in found:
            first = found[one.name][0].name
            raise BadInput(
                "trigger-file",
                f"Two files have the trigger {one.name}, and both would fire.",
                where=f"{first}, {path.name}",
                kept="nothing was changed; no trigger fires meanwhile",
                next=[f"take {first} or {path.name} from the folder; then the same command"],
            )
        found[one.name] = path, one
    return list(found.values())


def read(path: Path) -> Trigger:
    """Return the trigger in a file, or raise trigger-file or what is wrong in it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            "trigger-file",
            "The file cannot be read as a trigger.",
            where=f"{path.name}: {reason}",
            kept="nothing was changed; no trigger fires meanwhile",
            next=[f"mend {path.name}, or take it from the folder; then the same command"],
        ) from None
    return from_data(data, path.name)


def from_data(data: Any, where: str) -> Trigger:
    """Return the trigger in a file's JSON; `where` leads in errors."""
    if not isinstance(data, Mapping) or not {"when", "do"} <= set(data):
        raise wrong("A trigger is an object with name, when and do.", where, '"do": {"kind": "push", …}')
    shared.check_version(data.get("icx", VERSION), VERSION, what="trigger", where=where)
    _known(data, KEYS, "trigger", where)
    texts = {key: data.get(key) or "" for key in TEXTS}
    _texts(texts, where)
    trigger = Trigger(
        name=texts["name"],
        when=from_json(data["when"], where),
        do=_do(data["do"], where),
        fires=texts["fires"] or "crossing",
        most=data.get("most", MOST),
        connection=texts["connection"],
        description=texts["description"],
        paused=_paused(data.get("paused"), where),
    )
    return fitting(trigger, where)


def fitting(trigger: Trigger, where: str = "") -> Trigger:
    """Return a trigger as it is kept: its name composed, its rule, action and limit looked at."""
    where = where or f'"{mask.plain(trigger.name)[:60]}"'
    name = unicodedata.normalize("NFC", trigger.name).strip()
    if not name or len(name) > LONGEST_NAME or mask.plain(name) != name or "\n" in name or "\t" in name:
        raise wrong(f"A trigger needs a name of 1 to {LONGEST_NAME} visible letters.", where, '"Hot leads"')
    trigger = replace(trigger, name=name, when=_when(trigger.when, where))
    if trigger.fires not in FIRES:
        raise wrong(f"It fires once per one of {', '.join(FIRES)}.", where, '"fires": "crossing"')
    if trigger.fires == "each" and trigger.downward:
        raise wrong(
            "Each build would find everybody who ever fell or left; that is no crossing.",
            where,
            '"fires": "crossing", or an audience of those who are out and "entered"',
        )
    if (
        not isinstance(trigger.most, int)
        or isinstance(trigger.most, bool)
        or not 1 <= trigger.most <= LARGEST_MOST
    ):
        raise wrong(f"`most` is a whole number from 1 to {LARGEST_MOST:,}.", where, '"most": 1000')
    _checked(trigger.do, where)
    return trigger


def _when(rule: Rule, where: str) -> Rule:
    """Return the one condition that a trigger can watch."""
    while isinstance(rule, Group) and len(rule.rules) == 1 and not rule.negated:
        (rule,) = rule.rules
    if isinstance(rule, InAudience):
        return rule
    if isinstance(rule, Compare) and rule.key is None and rule.operator in {">=", ">", "<", "<="}:
        value = rule.value
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return rule
    raise wrong(
        "A trigger watches a number that is reached or fallen below, or an audience that is entered or left.",
        where,
        "f.points >= 50; any other rule is saved as an audience first, whose entering fires",
    )


def _checked(do: Do, where: str) -> None:
    if do.kind not in KINDS:
        raise wrong(
            f"A trigger can {', '.join(KINDS)}; {mask.plain(do.kind)[:30]} is none.", where, '"kind": "push"'
        )
    needed = KINDS[do.kind]
    for one in needed:
        if not getattr(do, one) and not (do.kind == "set" and one == "value"):
            raise wrong(f"The action {do.kind} needs `{one}`.", where, f'"{one}": "…"')
    allowed = {"kind", *needed, *({"addresses"} if do.kind in TOLD else ())}
    allowed |= {"push": {"create"}, "notebook": {"params", "apply"}}.get(do.kind, set())
    for name in Do.__dataclass_fields__:
        if name not in allowed and getattr(do, name):
            raise wrong(f"The action {do.kind} has no `{name}`.", where, ", ".join(sorted(allowed)))
    if do.list and (do.list.count("/") < 2 or do.list.split("/", 2)[1] != "lists"):
        raise wrong(f'"{mask.plain(do.list)[:60]}" does not name a list.', where, "acme/lists/Newsletter")
    if do.webhook:
        check_webhook(do.webhook)
    check_command(do.command)


def _do(data: Any, where: str) -> Do:
    if not isinstance(data, Mapping):
        raise wrong("`do` is an object with a kind.", where, '{"kind": "push", "list": "acme/lists/Hot"}')
    _known(data, set(Do.__dataclass_fields__), "trigger's `do`", where)
    given = dict(data)
    _texts(
        {key: given.get(key, "") for key in ("kind", "list", "to", "field", "value", "webhook", "notebook")},
        where,
    )
    words = given.get("command", [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise wrong("`command` is a list of words.", where, '["/usr/local/bin/told", "--quiet"]')
    params = given.get("params", {})
    if not isinstance(params, Mapping):
        raise wrong("`params` are names with their values.", where, '"params": {"city": "Durham"}')
    for key in ("addresses", "create", "apply"):
        if not isinstance(given.get(key, False), bool):
            raise wrong(f"`{key}` is true or false.", where, f'"{key}": true')
    return Do(**given | {"kind": given.get("kind", ""), "command": tuple(words), "params": dict(params)})


def _paused(data: Any, where: str) -> Paused | None:
    if data is None:
        return None
    try:
        since = datetime.fromisoformat(data["since"])
        if since.tzinfo is None:
            raise ValueError("no zone")
        return Paused(str(data["by"]), since, str(data.get("why", "")))
    except (TypeError, KeyError, ValueError, AttributeError):
        raise wrong(
            "`paused` says by whom and since when.", where, "icx triggers pause NAME writes it"
        ) from None


def _texts(texts: Mapping[str, Any], where: str) -> None:
    for key, value in texts.items():
        if not isinstance(value, str):
            raise wrong(f"`{key}` is a text.", where, f'"{key}": "…"')


def _known(data: Mapping[str, Any], known: set[str], what: str, where: str) -> None:
    unknown = sorted(str(key) for key in data if key not in known)
    if unknown:
        raise wrong(
            f"A {what} has no `{mask.plain(unknown[0])}`; left out unseen it would do something else.",
            where,
            ", ".join(sorted(known - {"icx"})),
        )


def wrong(message: str, where: str, hint: str) -> BadInput:
    """Return that a trigger cannot be kept as it is."""
    return BadInput(
        "trigger-value", message, where=where, kept="nothing was changed", next=[f"for example {hint}"]
    )
