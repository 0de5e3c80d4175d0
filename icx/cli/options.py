"""The options every command takes, before or after the verb."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from icx.errors import BadInput

HELP = """\
  --workspace DIR      the folder to work in (else ICX_WORKSPACE, else this one)
  --connection NAME    which connection build, check, fields and audience mean
  --json               the result as one object on stdout, also when it fails
  --json=lines         events as they happen, an object a line; the last one is the result
  -q, --quiet          only the result and errors
  -y, --yes            answer y to questions that can be undone; never a typed one
  --confirm KEY=VALUE  the value one would have typed; the plan prints it ready
  --because TEXT       why, into the record
  --show-people        addresses in full
  --wait MIN           how long to wait for the database (10)
  --no-progress        say nothing on the way
  --no-color           no escape code at all (also NO_COLOR, TERM=dumb)
  --debug              what happened step by step, masked, in a file whose name is printed"""

_FLAGS: dict[str, tuple[str, Any]] = {
    "--json": ("json", "object"),
    "--json=object": ("json", "object"),
    "--json=lines": ("json", "lines"),
    "-q": ("quiet", True),
    "--quiet": ("quiet", True),
    "-y": ("yes", True),
    "--yes": ("yes", True),
    "--show-people": ("show_people", True),
    "--no-progress": ("progress", False),
    "--no-color": ("color", False),
    "--debug": ("debug", True),
}
_VALUES = {"--workspace", "--connection", "--confirm", "--because", "--wait"}
WORDS = (*_FLAGS, *sorted(_VALUES))


@dataclass(frozen=True)
class Options:
    """What holds for the whole command."""

    workspace: Path = field(default_factory=Path)
    connection: str | None = None
    json: str = ""
    quiet: bool = False
    yes: bool = False
    confirm: Mapping[str, str] = field(default_factory=dict)
    because: str | None = None
    show_people: bool = False
    wait: float = 10
    progress: bool = True
    color: bool = True
    debug: bool = False


def hoist(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[Options, list[str]]:
    """Return the shared options and what is left for the command itself; `--` ends the search.

    >>> options, rest = hoist(["plan", "--json", "Gold", "--confirm", "growth=12", "--", "-q"], {})
    >>> options.json, dict(options.confirm), rest
    ('object', {'growth': '12'}, ['plan', 'Gold', '--', '-q'])
    """
    environment = os.environ if environment is None else environment
    options = Options(workspace=Path(environment.get("ICX_WORKSPACE") or "."))
    if "NO_COLOR" in environment or environment.get("TERM") == "dumb":
        options = replace(options, color=False)
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += [word, *words]
            break
        name, equals, value = word.partition("=")
        if word in _FLAGS:
            key, setting = _FLAGS[word]
            options = replace(options, **{key: setting})
        elif name in _VALUES:
            if not equals:
                if not words:
                    raise _option(word, "needs a value after it")
                value = words.pop(0)
            options = _with(options, name, value)
        else:
            rest.append(word)
    return options, rest


def _with(options: Options, name: str, value: str) -> Options:
    if name == "--confirm":
        key, equals, answer = value.partition("=")
        if not equals:
            raise _option(name, f"takes KEY=VALUE, such as growth=1204; it got {value!r}")
        confirm = {**options.confirm, key: answer}
        return replace(options, confirm=confirm)
    if name == "--wait":
        try:
            return replace(options, wait=float(value))
        except ValueError:
            raise _option(name, f"takes minutes, such as 10; it got {value!r}") from None
    changes: dict[str, dict[str, Any]] = {
        "--workspace": {"workspace": Path(value)},
        "--connection": {"connection": value},
        "--because": {"because": value},
    }
    return replace(options, **changes[name])


def _option(name: str, text: str) -> BadInput:
    return BadInput(
        "usage", f"{name} {text}.", where=name, kept="nothing was started", next=[["icx", "--help"]]
    )
