"""What a message must have: four parts, an exit code, and a next step that is a command there is."""

from __future__ import annotations

import shlex

import click
from typing_commands import Said

from icx.cli import VERBS, root
from icx.cli.options import WORDS


def four_parts(said: Said, code: str, exit_code: int) -> list[str]:
    """Check that a command ended with this message, whole, and return its four lines."""
    assert said.code == exit_code, said.err
    lines = said.err.strip().splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("icx: ")]
    told = lines[at : at + 4]
    assert told[0].endswith(f"[{code}]"), said.err
    assert [line.split()[0] for line in told[1:]] == ["where", "kept", "next"], said.err
    assert all(len(line.split()) > 1 for line in told[1:]), said.err
    for step in told[3].removeprefix("  next   ").split(" · "):
        if step.startswith("icx "):
            assert understood(shlex.split(step)), step
    return told


def understood(words: list[str]) -> bool:
    """Tell whether a command line, as printed, names a command and options it has."""
    context = click.Context(root)
    found: click.Command | None = root
    rest = words[1:]
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        if found is root and rest[0] not in VERBS:
            return False
        found = found.get_command(context, rest.pop(0))
    if found is None:
        return False
    known = {opt for param in found.params for opt in param.opts} | set(WORDS) | {"--help"}
    return all(word.partition("=")[0] in known for word in rest if word.startswith("--"))
