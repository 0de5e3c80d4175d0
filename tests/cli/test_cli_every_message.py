"""Every message of the catalogue is really caused by a test and told in its four parts."""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from awkward_words import four_parts
from test_cli_catalogue import KINDS, all_raised, name_of
from typing_commands import Said, Typed

from icx.audience import Audience
from icx.cli.catalogue import ENTRIES
from icx.errors import IcxError
from icx.workspace import Workspace

TESTS = Path(__file__).parents[1]
# What these say is completed by who catches it: the login's five steps, and the end of a pull.
LATER = ("connections/diagnosis.py", "workspace/resting.py")


def broken_rule(copy: Path) -> None:
    (copy / "broken.json").write_text("{")


def wrong_suite(copy: Path) -> None:
    (copy / "expectations").mkdir(exist_ok=True)
    (copy / "expectations" / "mine.json").write_text("[]")


def broken_list_of_erased(copy: Path) -> None:
    (copy / "data" / "erased.json").write_text("{")


def broken_account(copy: Path) -> None:
    (copy / "data" / "sandbox-acme.sqlite").write_bytes(b"no account at all" * 900)


def nothing(copy: Path) -> None:
    """The demo as it is."""


# What causes a message that no other test is about: what happens beforehand, what is typed, how it ends.
CAUSED: dict[str, tuple[Callable[[Path], None], str, int]] = {
    "unit-unknown": (nothing, "pull acme --unit 1/opens", 2),
    "no-pull": (nothing, "stop acme", 2),
    "rule-file": (nothing, "audience count --rule -", 2),
    "audience-file": (broken_rule, "audience count --rule broken.json", 2),
    "person-unknown": (nothing, "person 1", 2),
    "template-unknown": (nothing, "audience save X --template nobody", 2),
    "message-unknown": (nothing, "audience save X --template resend --message 1", 2),
    "suite-unknown": (nothing, "check nobody", 2),
    "suite-wrong": (wrong_suite, "check mine", 2),
    "run-unknown": (nothing, "log r-999", 2),
    "no-backup": (nothing, "restore newest", 3),
    "verb-unknown": (nothing, "pul", 2),
    "code-unknown": (nothing, "help nothing", 2),
    "erased-file": (broken_list_of_erased, "pull acme", 1),
    "sandbox-failed": (broken_account, "pull acme", 1),
}
# Caused by a test that tells them by other words than their code.
ELSEWHERE = {
    "ledger-differs": "test_a_row_that_is_missing_here_makes_the_pull_of_another_unit_say_so, below",
    "other-connection": "tests/audience/test_audience_counts.py, which asks for its words: chooses from",
    "test-unknown": "test_a_test_of_somebody_whom_a_plan_does_not_add_is_refused, below",
    "dry-run": "tests/jobs/test_run_again.py: test_a_write_in_a_dry_run_is_stopped_before_it_is_sent",
    "audience-unbound": "an audience without people, in Python: test_an_object_without_its_workspace_says_so",
    "plan-unbound": "a plan made by hand, in Python: test_an_object_without_its_workspace_says_so",
}


def test_each_is_caused_and_says_its_four_parts(
    copy: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    wrong = []
    for code, (before, words, exit_code) in CAUSED.items():
        before(copy)
        monkeypatch.setattr(sys, "stdin", io.StringIO("{"))
        said: Said = typed(*words.split(), workspace=copy)
        try:
            four_parts(said, code, exit_code)
        except (AssertionError, ValueError):
            wrong.append((code, said))
    assert not wrong


def test_a_test_of_somebody_whom_a_plan_does_not_add_is_refused(copy: Path, typed: Typed) -> None:
    plan = typed(
        "plan", "Loyal in Durham", "--to", "acme/lists/Nobody's", "--create", "--json", workspace=copy
    ).json["plan"]
    four_parts(typed("apply", plan, "--test", "70001", workspace=copy), "test-unknown", 2)


def test_a_row_that_is_missing_here_makes_the_pull_of_another_unit_say_so(copy: Path, typed: Typed) -> None:
    with Workspace(copy) as ws, ws.store.open("acme") as con:
        con.execute("delete from icontact_activity where rowid in (select max(rowid) from icontact_activity)")
        ((other,),) = con.execute("select min(message_id) from icontact_activity").fetchall()
    told = four_parts(typed("pull", "acme", "--unit", f"{other}/clicks", workspace=copy), "ledger-differs", 1)
    assert "every other cell" in told[2]


def test_an_object_without_its_workspace_says_so(copy: Path) -> None:
    with Workspace(copy) as ws:
        rule = ws.audience("Loyal in Durham").rule
        plan = replace(ws.plans()[0], hand=None)
    with pytest.raises(IcxError) as unbound:
        Audience("Alone", rule).count()
    assert unbound.value.code == "audience-unbound"
    with pytest.raises(IcxError) as unbound:
        plan.undo()
    assert unbound.value.code == "plan-unbound"


def test_every_error_in_the_source_is_made_with_its_four_parts() -> None:
    """Those of a helper get the others from it."""
    short = []
    for code, kind, place, call in all_raised():
        if kind is None or call is None or name_of(call) not in KINDS:
            continue
        given = {one.arg for one in call.keywords}
        if None not in given and not {"where", "kept", "next"} <= given and not place.startswith(LATER):
            short.append(f"{code} at {place}: without {sorted({'where', 'kept', 'next'} - given)}")
    assert not short


def test_every_message_of_the_catalogue_is_caused_by_a_test() -> None:
    """A code that only a test's own error has is not caused; one that nothing causes is named here with its reason."""
    caused = set(CAUSED) | set(ELSEWHERE)
    for path in TESTS.rglob("*.py"):
        if path.name not in {"test_cli_catalogue.py", Path(__file__).name}:
            for text in words_of(path):
                caused |= {text, *re.findall(r"\[([a-z-]+)\]", text)}
    assert sorted(set(ENTRIES) - caused) == sorted(NOT_CAUSED)


def words_of(path: Path) -> Iterator[str]:
    """Yield the texts of a test file, without the codes of errors it makes by itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {
        id(call.args[0])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and name_of(call) in KINDS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in own:
            yield node.value


# Messages that no test causes yet, and why. Nothing may be added without a reason, and nothing stays that is caused.
NOT_CAUSED = {
    "read-back-differs": "somebody who changes the list between the write and its reading back; no fault on order does",
    "copy-differs": "a copy by DuckDB that comes out with other rows: no way to make DuckDB lose some is known",
    "erased-refused": "the last guard below the plan, which leaves out whoever was erased before it is asked",
    "list-busy": "two exports of one list in the same second",
    "no-id": "told by the plan's own figures, no error: people to create",
}
