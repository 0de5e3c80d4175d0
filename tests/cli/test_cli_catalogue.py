"""Every message the program can end with is explained by `icx help`, with the exit code it really has."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_cli_every_command import EVERY
from typing_commands import Typed

import icx
from icx import errors
from icx.cli import VERBS
from icx.cli.catalogue import ENTRIES

SOURCE = Path(icx.__file__).parent
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.IcxError)
} | {"UnknownOutcome": errors.TryLater, "UnsafeAddress": errors.IcxError}


Raised = list[tuple[str, type[errors.IcxError] | None, str, ast.Call | None]]


def made(tree: ast.Module, calls: list[ast.Call]) -> Iterator[tuple[str, type[errors.IcxError], ast.Call]]:
    """Yield the code, the kind and the place of every error that a file makes, also through a helper of its own."""
    helpers = helpers_of(tree) if any(passes_on(call) for call in calls) else {}
    for call in calls:
        kind = name_of(call)
        kind = helpers.get(kind, kind)
        if kind in KINDS and call.args:
            # `"a" if … else "b"` is two codes.
            found = (
                [call.args[0].body, call.args[0].orelse]
                if isinstance(call.args[0], ast.IfExp)
                else [call.args[0]]
            )
            for code in found:
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value, KINDS[kind], call
        # An error's own class names its code when it is made.
        of_its_own = kind == "__init__" and ast.unparse(call.func) == "super().__init__"
        if of_its_own and call.args and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value), errors.IcxError, call


def helpers_of(tree: ast.Module) -> dict[str, str]:
    """Return the functions that make an error of a code they are given, and its kind."""
    return {
        function.name: name_of(call)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and passes_on(call)
    }


def passes_on(call: ast.Call) -> bool:
    return name_of(call) in KINDS and bool(call.args) and isinstance(call.args[0], ast.Name)


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def notes(calls: list[ast.Call]) -> Iterator[str]:
    """Yield the codes of notes, which are told and end nothing."""
    for call in calls:
        if name_of(call) == "Note" and call.args and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value)


def all_raised() -> Raised:
    """Every code of the source, what kind of error it ends with, and where."""
    found: Raised = []
    for path in sorted(SOURCE.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        where = path.relative_to(SOURCE)
        found += [(code, kind, f"{where}:{call.lineno}", call) for code, kind, call in made(tree, calls)]
        found += [(code, None, str(where), None) for code in notes(calls)]
    return found


@pytest.fixture(scope="module")
def raised() -> Raised:
    return all_raised()


def test_every_code_that_is_raised_is_explained_and_every_explained_one_is_raised(raised: Raised) -> None:
    codes = {code for code, *_ in raised}
    unexplained = sorted({f"{code} ({place})" for code, _, place, _ in raised if code not in ENTRIES})
    assert not unexplained
    # These are told by what they happen to: an opened database, a plan with people to create.
    assert set(ENTRIES) - codes == {"migrated", "no-id"}


def test_every_explained_code_has_the_exit_code_of_its_error(raised: Raised) -> None:
    wrong = [
        f"{code} ({place}): raised with {kind.exit_code}, explained as {ENTRIES[code].exit_code}"
        for code, kind, place, _ in raised
        if kind is not None
        and code in ENTRIES
        and kind.exit_code != ENTRIES[code].exit_code
        # A stop has the exit code of its signal; a shared address is a note, and asking why about one an error.
        and code not in {"stopped", "shared-address"}
    ]
    assert not wrong


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_every_entry_says_its_parts_and_blames_nobody(entry: Any) -> None:
    for text in (entry.meaning, entry.kept, entry.todo):
        assert text
        for word in ("nvalid", "llegal", "failed to", "oops", "please", "!", "abort"):
            assert word not in text


def test_help_explains_a_code_and_names_the_nearest_of_an_unknown_one(typed: Typed, tmp_path: Path) -> None:
    said = typed("help", "lead", "lists", workspace=tmp_path)  # M-03 to M-06: the words people come with
    assert said.out.startswith("lead list (Mautic): an audience: a rule over contacts. Next: icx audience")
    assert "nobody iContact knows" in typed("help", "visitor", "--json", workspace=tmp_path).json["here"]
    assert "Mautic's lead is here a contact" in typed("leads", workspace=tmp_path).err
    said = typed("help", "list-twice", workspace=tmp_path)
    assert said.out.splitlines()[0] == "list-twice (exit 2)"
    assert "Nearest: `list-twice`" in typed("help", "list-twic", workspace=tmp_path).err
    assert set(typed("help", "--json", workspace=tmp_path).json["codes"]) == set(ENTRIES)


def test_every_next_step_in_the_source_is_a_command_there_is(raised: Raised) -> None:
    """An argument list of `next` begins with `icx`, a verb, and options that the verb has."""
    for code, _, place, call in raised:
        steps = next((k.value for k in call.keywords if k.arg == "next"), None) if call else None
        for step in ast.walk(steps) if steps is not None else ():
            if not isinstance(step, ast.List) or not step.elts:
                continue
            words = [one.value if isinstance(one, ast.Constant) else None for one in step.elts]
            if words[0] != "icx":
                continue
            assert check(words), f"{code} at {place}: {shlex.join(str(word) for word in words)}"


def check(words: list[Any]) -> bool:
    """Tell whether a command line (None: a word not known here) names a command and options it has."""
    if len(words) == 1 or words[1] is None or str(words[1]).startswith("--"):
        return True
    if words[1] not in VERBS:
        return False
    group = any(name.startswith(f"icx {words[1]} ") for name in EVERY)
    path = (
        f"icx {words[1]} {words[2]}"
        if group and len(words) > 2 and words[2] != "--help"
        else f"icx {words[1]}"
    )
    if group and path not in EVERY:
        return len(words) == 2 or words[2] in {"--help", None}
    from icx.cli.options import WORDS

    known = {opt for param in EVERY[path].params for opt in param.opts} | set(WORDS) | {"--help"}
    return all(not str(word).startswith("--") or word in known for word in words if word is not None)
