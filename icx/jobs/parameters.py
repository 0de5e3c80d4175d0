"""Parameters of a notebook: read from its cell tagged `parameters` without running it, and checked before it starts.

city: str = "Durham"                            # whose city
days: int = 90                                  # how far back
stale: Literal["stay", "park"] = "stay"         # members no longer in the audience
since: date | None = None                       # only people made after this day
audience: str                                   # no default: has to be given
apply: bool = False                             # send; otherwise the plan is shown and nothing is sent
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import re
import shlex
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from icx import mask
from icx.errors import BadInput
from icx.jobs.kinds import DoesNotFit, Kind, declared, of_literal

TAG = "parameters"
_SECRET = {"password", "passwd", "pwd", "passphrase", "secret", "token", "key", "apikey", "credential"}
_TYPES = "a parameter can be str, int, float, bool, date, datetime, Literal, list, dict, each also `| None`"


@dataclass(frozen=True)
class Parameter:
    """One declared parameter; `default` is its source text, None when it has to be given."""

    name: str
    kind: Kind
    annotation: str
    default: str | None
    description: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.annotation,
            "takes": self.kind.words,
            "default": self.default,
            "required": self.default is None,
            "description": self.description,
        }


def of_notebook(path: Path) -> dict[str, Parameter]:
    """Return what a notebook declares, by name; nothing of it is executed.

    Raises BadInput ("parameter") when the file is no Python notebook, or declares a secret or a type that a
    parameter cannot have.
    """
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in book["cells"] if TAG in cell.get("metadata", {}).get("tags", [])]
        sources = ["".join(cell["source"]) for cell in cells[:1]]  # a text, or a list of lines
        language = book.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _refusal(path, f"{path.name} is not a notebook.", "its JSON cannot be read") from None
    if language != "python":
        raise _refusal(path, f"{path.name} is not a Python notebook.", f"language {language}")
    found: dict[str, Parameter] = {}
    for source in sources:
        for one in of_source(source, path):
            found[one.name] = one
    return found


def of_source(source: str, path: Path = Path("the notebook")) -> list[Parameter]:
    """Return the parameters that the source of a cell declares.

    >>> [(one.name, one.kind.name, one.default, one.description) for one in of_source('city: str = "Durham"  # whose')]
    [('city', 'str', "'Durham'", 'whose')]
    """
    try:
        tree = ast.parse(source)
        said = _comments(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise _refusal(path, f"The parameters of {path.name} cannot be read.", str(error)) from None
    found = []
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation = node.target.id, ast.unparse(node.annotation)
            if is_secret(name) or annotation.rpartition(".")[2].startswith("Secret"):
                raise secret(path, name)
            kind = declared(node.annotation)
            if kind is None:
                raise _refusal(path, f"{path.name} declares `{name}: {annotation}`.", _TYPES)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if is_secret(name):
                raise secret(path, name)
            kind = _guessed(node.value)
            if kind is None:
                continue  # worked out from something else, so nothing to be given
            annotation = kind.name
        else:
            continue
        default = None if node.value is None else ast.unparse(node.value)
        found.append(Parameter(name, kind, annotation, default, _described(node, said)))
    return found


def typed(
    path: Path, known: Mapping[str, Parameter], words: Iterable[str], *, called: str | None = None
) -> dict[str, Any]:
    """Return the values that `-p NAME=VALUE` gives, each of its declared type.

    A list takes its items one `-p` each, or all as JSON. `called` is the notebook as it was typed, for the command
    to type next. Raises BadInput ("parameter").
    """
    path = Path(called or path)
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise _refusal(
                path,
                f"`{_quiet(word)}` gives no value.",
                f"-p {_quiet(word)}",
                "-p NAME=VALUE, such as -p city=Durham",
            )
        one = _find(path, known, name, text)
        try:
            value = one.kind.read(text)
        except DoesNotFit as wanted:
            raise _misfit(path, one, text, wanted) from None
        if isinstance(value, list) and isinstance(found.get(name), list):
            value = [*found[name], *value]
        found[name] = value
    return found


def checked(path: Path, known: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return given values as their declared types have them, none unknown, none missing.

    Raises BadInput ("parameter").
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        one = _find(path, known, name, value)
        try:
            found[name] = one.kind.fit(value)
        except DoesNotFit as wanted:
            raise _misfit(path, one, value, wanted) from None
    missing = [one for one in known.values() if one.default is None and one.name not in found]
    if missing:
        names = ", ".join(f"`{one.name}`" for one in missing)
        steps = [word for one in missing for word in ("-p", f"{one.name}={_example(one.kind)}")]
        raise _refusal(
            path,
            f"{path.name} needs {names}.",
            "; ".join(f"{one.name} is {one.kind.words}" for one in missing),
            ["icx", "run", str(path), *steps],
        )
    return found


def is_secret(name: str) -> bool:
    """Tell whether a name says that its value is a secret.

    >>> [is_secret(name) for name in ("api_key", "apiPassword", "tokens", "monkey", "keyword", "city")]
    [True, True, True, False, False, False]
    """
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")
    return any(word in _SECRET or (word.endswith("s") and word[:-1] in _SECRET) for word in words)


def secret(path: Path, name: str) -> BadInput:
    return _refusal(
        path,
        f"`{name}` would put a secret into a notebook. A password is never a parameter.",
        f"-p {name}=…",
        ["icx", "connect", "acme"],
    )


def _find(path: Path, known: Mapping[str, Parameter], name: str, value: Any) -> Parameter:
    if is_secret(name):
        raise secret(path, name)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    where = f"-p {shlex.quote(f'{name}={_quiet(value)}')}"
    if near:
        better = ["icx", "run", str(path), "-p", f"{near[0]}={_quiet(value)}"]
        message = f"{path.name} has no parameter `{name}`. Nearest: `{near[0]}`."
    else:
        better = ["icx", "run", str(path), "--parameters"]
        message = f"{path.name} has no parameter `{name}`."
    raise _refusal(path, message, where, better)


def _misfit(path: Path, one: Parameter, value: Any, wanted: DoesNotFit) -> BadInput:
    return _refusal(
        path,
        f"`{one.name}` is {wanted}; `{_quiet(value)}` is not.",
        f"{path.name}, {one.name}: {one.annotation}",
        ["icx", "run", str(path), "-p", f"{one.name}={_example(one.kind)}"],
    )


def _quiet(value: Any) -> str:
    shown = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return mask.addresses_in(shown[:80])


def _example(kind: Kind) -> str:
    if kind.choices:
        return str(kind.choices[0])
    if kind.item is not None:
        return _example(kind.item)
    examples = {"int": "90", "float": "0.5", "bool": "true", "date": "2026-03-01", "dict": "{}"}
    return examples.get(kind.name, "2026-03-01T09:00" if kind.name == "datetime" else "Durham")


def _refusal(path: Path, message: str, where: str, then: str | list[str] = "") -> BadInput:
    step = then or ["icx", "run", str(path), "--parameters"]
    return BadInput(
        "parameter",
        mask.plain(message),
        where=mask.plain(where),
        kept="the notebook was not started",
        next=[mask.plain(step) if isinstance(step, str) else [mask.plain(word) for word in step]],
        data={"notebook": path.name},
    )


def _guessed(value: ast.expr) -> Kind | None:
    try:
        return of_literal(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return None


def _comments(source: str) -> dict[int, tuple[str, bool]]:
    """Return comments by line, each with whether it has the line to itself."""
    lines = source.splitlines()
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            alone = not lines[token.start[0] - 1][: token.start[1]].strip()
            found[token.start[0]] = (token.string.lstrip("#").strip(), alone)
    return found


def _described(node: ast.stmt, said: Mapping[int, tuple[str, bool]]) -> str:
    """Return the comment behind a declaration, else the lines of comment right above it."""
    for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
        if line in said and not said[line][1]:
            return said[line][0]
    above: list[str] = []
    line = node.lineno - 1
    while line in said and said[line][1]:
        above.insert(0, said[line][0])
        line -= 1
    return " ".join(above)


def as_json(value: Any) -> Any:
    """Return a parameter's value as JSON has it; a date is its ISO text, which is read back the same."""
    if isinstance(value, date):
        return value.isoformat()
    return [as_json(each) for each in value] if isinstance(value, list) else value
