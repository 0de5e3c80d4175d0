"""Field files: a comment header and SQL. The built-in fields and the users' own are written alike."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast, get_args

from icx.errors import BadInput
from icx.fields import FieldType

TYPES: tuple[str, ...] = get_args(FieldType)
KEYS = {"name", "type", "description", "pii", "estimate", "empty", "each"}
_HEADER = re.compile(r"--\s*([a-z]+)\s*:\s*(.*?)\s*$")


@dataclass(frozen=True)
class FieldFile:
    """One field as its file says it. `empty` is what stands for "no row" (0 for counts), as SQL; "" is null."""

    name: str
    type: FieldType
    description: str
    sql: str
    pii: bool = False
    estimate: bool = False
    empty: str = ""
    file: str = ""


def read_fields(text: str, file: str) -> list[FieldFile]:
    """Return the fields a file holds; a new field begins at each `-- name:` line.

    `-- each: days = 7, 30` makes a field of each value, put where the header and SQL say `{days}`;
    several values go together as `-- each: done, kind = opened open, clicked click`.

    >>> [one] = read_fields("-- name: vip\\n-- type: boolean\\n-- description: spent much\\ncf_spent > 100", "vip.sql")
    >>> one.name, one.type, one.sql
    ('vip', 'boolean', 'cf_spent > 100')
    >>> [f.name for f in read_fields("-- name: o_{d}d\\n-- each: d = 7, 30\\n-- type: integer\\n1", "o.sql")]
    ['o_7d', 'o_30d']
    """
    blocks: list[tuple[dict[str, list[str]], list[str]]] = []
    for line in text.splitlines():
        found = _HEADER.match(line.strip())
        if found and found.group(1) == "name":
            blocks.append(({"name": [found.group(2)]}, []))
        elif not blocks:
            if line.strip() and not line.lstrip().startswith("--"):
                raise bad_file(file, "SQL stands before the line `-- name: …`")
        elif found and found.group(1) in KEYS and not "".join(blocks[-1][1]).strip():
            blocks[-1][0].setdefault(found.group(1), []).append(found.group(2))
        else:
            blocks[-1][1].append(line)
    if not blocks:
        raise bad_file(file, "there is no line `-- name: …`")
    return [field for header, body in blocks for field in _fields(header, "\n".join(body).strip(), file)]


def bad_file(file: str, cause: str) -> BadInput:
    """Return the error of one field file, naming it and the cause."""
    return BadInput(
        "field-file",
        f"The field file {file} cannot be used: {cause}.",
        where=file,
        kept="the profile as it was last built",
        next=[f"mend {file}, or move it away; then the same command"],
        data={"file": file},
    )


def _fields(header: Mapping[str, list[str]], sql: str, file: str) -> Iterator[FieldFile]:
    for values in _each(header.get("each", []), file):

        def filled(text: str, values: Mapping[str, str] = values) -> str:
            for key, value in values.items():
                text = text.replace("{" + key + "}", value)
            return text

        def say(key: str, default: str = "") -> str:
            return filled(header.get(key, [default])[0])

        if not sql:
            raise bad_file(file, f"`{say('name')}` has no SQL under its header")
        kind = say("type", "").replace("->", "→")
        if kind not in TYPES:
            raise bad_file(file, f"`-- type: {kind}` is none of {', '.join(TYPES)}")
        yield FieldFile(
            name=say("name"),
            type=cast(FieldType, kind),
            description=say("description"),
            sql=filled(sql),
            pii=_yes(say("pii", "no"), "pii", file),
            estimate=_yes(say("estimate", "no"), "estimate", file),
            empty=say("empty"),
            file=file,
        )


def _each(lines: list[str], file: str) -> Iterator[dict[str, str]]:
    choices: list[list[dict[str, str]]] = []
    for line in lines:
        keys, equals, values = line.partition("=")
        names = [key.strip() for key in keys.split(",")]
        rows = [value.split() for value in values.split(",")]
        if not equals or any(len(row) != len(names) for row in rows):
            raise bad_file(file, f"`-- each: {line}` is not like `-- each: days = 7, 30`")
        choices.append([dict(zip(names, row, strict=True)) for row in rows])
    for chosen in itertools.product(*choices):
        yield {key: value for part in chosen for key, value in part.items()}


def _yes(text: str, key: str, file: str) -> bool:
    if text.lower() not in {"yes", "no", "true", "false"}:
        raise bad_file(file, f"`-- {key}: {text}` is neither yes nor no")
    return text.lower() in {"yes", "true"}
