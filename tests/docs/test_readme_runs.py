"""The README and the CHANGELOG are typed as they stand: every command, the Python, the rule."""

from __future__ import annotations

import ast
import json
import select
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import small
import written

import icx
from icx.cli import root
from icx.errors import NeedsYou
from icx.sandbox.process import SandboxProcess
from icx.workspace import Workspace

Prompt = Callable[..., Any]
SMALL = f"--contacts {small.CONTACTS} --messages {small.MESSAGES}"


def asks_for_more(line: str) -> bool:
    """Whether the line only names a command: alone it would ask for what it is about."""
    context = click.Context(root, info_name="icx")
    command: click.Command | None = root
    for word in shlex.split(line)[1:]:
        if not isinstance(command, click.Group):
            return False
        command = command.get_command(context, word)
        assert command is not None, f"{line}: there is no command {word}"
    if command is root:
        return False
    return isinstance(command, click.Group) or any(one.required for one in command.params)


def verb(line: str) -> str:
    """The line up to its first word that is not a command."""
    words = shlex.split(line)
    kept = [words[0]]
    command: click.Command = root
    for word in words[1:]:
        found = command.get_command(click.Context(root), word) if isinstance(command, click.Group) else None
        if found is None:
            break
        kept.append(word)
        command = found
    return shlex.join(kept)


def finished(line: str, login: SandboxProcess, folder: Path) -> str:
    """The line as somebody would finish it: their own login, a smaller demo, somebody who is in the plan, yes."""
    if (
        line in ("icx connect", "icx sandbox", "icx serve")
        or written.stands_for_something(line)
        or asks_for_more(line)
    ):
        return f"{verb(line)} --help"
    if line == "icx connect acme":
        return f"{line} --base-url {login.base_url} --username {login.username}"
    if line.startswith("icx demo"):
        return f"{line} {SMALL}"
    if "--test" in line:
        return line.replace("70233", str(somebody_to_add(folder))) + " --yes"
    return line


def answers_to_a_client(line: str) -> bool:
    """Whether `icx sandbox …` comes up and says where it is."""
    words = [sys.executable, "-c", "from icx.cli import main; main()", *shlex.split(line)[1:]]
    with subprocess.Popen(
        [*words, "--exit-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stdin is not None
        ready = select.select([run.stdout], [], [], 120)[0]
        said = json.loads(run.stdout.readline()) if ready else {}
        run.stdin.close()
        run.wait(30)
    return str(said.get("base_url", "")).startswith("http://127.0.0.1:")


def somebody_to_add(folder: Path) -> int | None:
    with Workspace(folder) as ws:
        plans = ws.plans()
        rows = plans[0].rows().to_pylist() if plans else []
    return next((row["contact_id"] for row in rows if row["action"] == "add"), None)


def test_every_command_runs_in_the_order_it_is_read(
    tmp_path: Path, prompt: Prompt, fresh_sandbox: Callable[..., SandboxProcess]
) -> None:
    """First the README's, then what the CHANGELOG tells beyond them, to somebody who has followed the README."""
    login = fresh_sandbox(contacts=small.CONTACTS, messages=small.MESSAGES, seed=17)
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "crm.csv").write_text("email,tier\njo@example.com,gold\n", encoding="utf-8")
    (folder / "loyal.json").write_text(written.blocks("README.md", "json")[0], encoding="utf-8")
    secrets = {"ICX_PASSWORD": login.password, "ICX_APP_ID": login.app_id}
    told = {paper: written.commands(paper) for paper in ("README.md", "CHANGELOG.md")}
    assert all(told.values())
    for line in dict.fromkeys(line for lines in told.values() for line in lines):
        if line.startswith("icx sandbox "):
            assert answers_to_a_client(line), line
            continue
        said = prompt(finished(line, login, folder), folder, **secrets)
        assert said.code == 0, f"{line}\n{said.out}{said.err}"
        assert said.out.strip(), line


def test_every_make_target_that_is_named_exists_and_is_explained() -> None:
    targets = {line.split(":")[0] for line in written.text("Makefile").splitlines() if "## " in line}
    for paper in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        named = {span.split()[1] for span in written.spans(paper) if span.startswith("make ")}
        assert named <= targets, paper


def test_the_readmes_python_runs_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = icx.open

    def on_a_small_account(path: str = str(tmp_path / "demo"), **options: Any) -> Workspace:
        return real(path, contacts=small.CONTACTS, messages=small.MESSAGES, seed=17, **options)

    monkeypatch.setattr(icx, "open", on_a_small_account)
    (block,) = written.blocks("README.md", "python")
    *lines, last = ast.parse(block).body
    assert ast.unparse(last) == "plan.apply()"
    space: dict[str, Any] = {}
    try:
        for line in lines:
            exec(compile(ast.Module([line], []), "README.md", "exec"), space)  # noqa: S102 - our own README
        assert space["plan"].counts.add > 0
        with pytest.raises(NeedsYou) as asked:  # "asks what has to be asked"
            space["plan"].apply()
        done = eval(asked.value.next[0], space)  # noqa: S307 - the error says what to type
        assert done.added == space["plan"].counts.add
        assert done.read_back.equal
        assert space["plan"].apply().added == done.added  # "run the cell again"
    finally:
        space["ws"].close()


def test_the_readmes_rule_file_means_the_same_people_as_its_python(folder: Path, prompt: Prompt) -> None:
    (rule,) = written.blocks("README.md", "json")
    (folder / "loyal.json").write_text(rule, encoding="utf-8")
    said = prompt("icx audience save 'Loyal in Durham' --rule loyal.json --json", folder)
    assert said.code == 0, said.err
    (block,) = written.blocks("README.md", "python")
    call = next(
        node
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ws.audience"
    )
    with Workspace(folder) as ws:
        typed_rule = eval(ast.unparse(call.args[1]), {"f": ws.fields})  # noqa: S307 - our own README
        by_python = ws.audience("The same, typed", typed_rule)
        by_file = ws.audience("Loyal in Durham")
        assert by_file.members() == by_python.members()
        assert len(by_file.members()) == json.loads(said.out)["count"] > 0


def test_the_example_field_of_this_folder_loads_and_counts(folder: Path, prompt: Prompt) -> None:
    here = written.HOUSE / "data" / "fields" / "clicks_per_open.sql"
    (folder / "data" / "fields").mkdir(exist_ok=True)
    (folder / "data" / "fields" / here.name).write_bytes(here.read_bytes())
    assert prompt("icx build", folder).code == 0
    said = prompt("icx fields clicks_per_open --json", folder)
    (field,) = json.loads(said.out)["fields"]
    assert field["filled"] > 0
    with Workspace(folder) as ws:
        assert len(ws.audience("Clickers", ws.fields.clicks_per_open > 0).members()) > 0
