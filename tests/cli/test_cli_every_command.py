"""Every verb of the workspace is a command; every command explains itself, by examples that run on the demo."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from typing_commands import Typed

from icx.cli import VERBS, root
from icx.cli.common import Command
from icx.workspace import Workspace
from icx.workspace.clicking import Clicking

# How a public verb of the workspace is typed. A verb without a line here has no command, and this test says so.
TYPED = {
    "pull": "pull", "ledger": "status", "attach": "attach", "build": "build", "check": "check", "checks": "check",
    "catalogue": "fields", "fields": "fields", "fill_rates": "fields", "lists": "lists", "people": "audience",
    "audience": "audience", "audiences": "audience", "delete_audience": "audience", "compare": "audience", "plan": "plan", "plans": "plans",
    "apply": "apply", "undo": "undo", "gate": "plan", "status": "status", "person": "person", "record": "record",
    "connection": "status", "with_sandbox": "sandbox", "pause_pushes": "pause", "resume_pushes": "resume", "run": "run",
    "schedule": "schedule", "jobs": "schedule", "run_due": "run-due", "change_job": "schedule", "run_job": "schedule", "serve": "serve",
    "stop": "stop", "retry": "retry", "tidy": "tidy", "doctor": "doctor", "log": "log", "calls": "calls",
    "backup": "backup", "backups": "backup", "restore": "restore", "vacuum": "vacuum", "erase": "erase",
    "points": "points", "remove_points": "points", "points_ledger": "points", "recount_points": "points",
    "trigger": "triggers", "triggers": "triggers", "run_trigger": "triggers", "pause_trigger": "triggers",
    "resume_trigger": "triggers", "remove_trigger": "triggers",
    "connect_table": "connect", "connect_mailchimp": "connect", "sync": "sync", "syncs": "sync", "remove_sync": "sync", "sync_plans": "sync", "apply_sync": "sync",
    "explain_pull": "explain", "explain_audience": "explain",
}  # fmt: skip
# What the verbs stand on; nobody types it.
PLUMBING = {
    "lives",
    "client",
    "noted",
    "inside",
    "close",
    "settings",
    "store",
    "journal",
    "migrated",
    "plan_journal",
    "accounts",
    "system",
}
# Examples that begin something which does not end by itself, need another login, or somebody at a terminal.
ELSEWHERE = {"icx demo", "icx sandbox", "icx connect northwind", "icx person jo@example.com", "icx audience why 'Loyal in Durham' -", "icx run notebooks/05-push.ipynb -p city=Durham", "icx serve", "icx stop acme", "icx retry P-1", "icx stop --json", "icx erase -", "icx restore icx-backup-20261122-070200.zip"}  # fmt: skip


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with what is typed for it."""
    context = click.Context(root)
    for verb in VERBS:
        found = root.get_command(context, verb)  # type: ignore[attr-defined]
        if isinstance(found, click.Group):
            for name, one in found.commands.items():
                yield f"icx {verb} {name}", one
        else:
            assert found is not None
            yield f"icx {verb}", found


EVERY = dict(commands())


def test_every_public_verb_of_the_workspace_has_a_command() -> None:
    kinds = [kind for kind in Workspace.__mro__ if kind not in {object, Clicking}]
    public = {name for kind in kinds for name in vars(kind) if not name.startswith("_")}
    assert public - PLUMBING == set(TYPED)
    assert set(TYPED.values()) <= set(VERBS)


@pytest.mark.parametrize("typed", EVERY)
def test_every_command_has_one_sentence_two_examples_and_a_word_on_every_option(typed: str) -> None:
    one = EVERY[typed]
    assert isinstance(one, Command)
    assert one.help
    assert one.help.endswith(".")
    assert "\n" not in one.help
    assert len(one.examples) == 2
    assert all(example.startswith(typed) for example in one.examples)
    silent = [p.name for p in one.params if isinstance(p, click.Option) and not p.hidden and not p.help]
    assert not silent


@pytest.mark.parametrize("words", EVERY)
def test_help_is_the_sentence_the_examples_and_the_options(words: str, typed: Typed, demo: Path) -> None:
    said = typed(*words.split()[1:], "--help", workspace=demo)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(str(EVERY[words].help))
    for example in EVERY[words].examples:  # type: ignore[attr-defined]
        assert f"  {example}\n" in said.out
    assert "\nOptions\n" in said.out


def test_the_examples_run_on_the_demo(typed: Typed, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)  # the examples name files beside them
    for one in EVERY.values():
        examples = [each for each in one.examples if not each.startswith(tuple(ELSEWHERE))]  # type: ignore[attr-defined]
        if examples and "--json" not in "".join(examples) and "delete" not in examples[0]:
            examples.append(f"{examples[0]} --json")
        for example in examples:
            said = typed(*shlex.split(example)[1:], workspace=copy)
            assert said.code == 0, (example, said.err)
            assert said.out, example
            if "--json" in example:
                assert said.json["ok"] is True, example
                assert {"icx", "schema", "run", "seconds"} <= set(said.json), example
                assert "/" in said.json["schema"], example
