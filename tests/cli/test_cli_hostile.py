"""Whatever names come from outside, or are typed: shown, written and looked up as text, and nothing else happens."""

from __future__ import annotations

import functools
import operator
import shlex
import sqlite3
from contextlib import closing
from itertools import cycle
from pathlib import Path

import pytest
from awkward_words import understood
from hostile import HOSTILE, doing, formulas, unseen
from typing_commands import Said, Typed

from icx.workspace import Workspace


def harmless(said: Said) -> Said:
    """Check that an answer is only text, whole, and no fault of ours."""
    assert not unseen(said.out + said.err), said
    assert "[bug]\n  where" not in said.err, said.err
    assert not [line for line in (said.out + said.err).splitlines() if line.startswith("icx: all is well")], (
        said
    )
    return said


@pytest.fixture
def strange(copy: Path, typed: Typed) -> Path:
    """The demo's account after somebody gave everything in it names of the table; pulled, built and looked at."""
    names = list(HOSTILE.values())
    with closing(sqlite3.connect(copy / "data" / "sandbox-acme.sqlite")) as con, con:
        for table, key, columns in (
            ("contacts", "contact_id", ("city", "first_name", "last_name")),
            ("lists", "list_id", ("name", "description")),
            ("messages", "message_id", ("subject", "message_name")),
        ):
            rows = con.execute(f"select {key} from {table} order by {key}").fetchall()
            for (row,), name in zip(rows, cycle(names), strict=False):
                con.execute(
                    f"update {table} set {'=?,'.join(columns)}=? where {key}=?", [*[name] * len(columns), row]
                )
        con.execute("update accounts set company_name = ?", [HOSTILE["html"]])
        con.execute("update folders set name = ?", [HOSTILE["an answer of icx"]])
    for words in (["pull", "acme", "--full"], ["build"]):
        assert harmless(typed(*words, workspace=copy)).code == 0
    return copy


def test_what_an_account_names_is_text_wherever_it_is_shown(strange: Path, typed: Typed) -> None:
    before = set(strange.parent.iterdir())
    for words in (
        "lists acme", "fields city", "status", "check --rows city", "person 70001", "person 70019", "record", "log", "calls",
        "audience save Us --template all", "audience show Us --sample 9 --by city", "audience why Us 70019", "explain pull acme",
    ):  # fmt: skip
        harmless(typed(*words.split(), workspace=strange))
    with Workspace(strange) as ws:
        lists = {
            str(name): number
            for number, name in ws.lists("acme")[["list_id", "name"]].itertuples(index=False)
        }
        city = ws.fields.city
        names = list(HOSTILE.values())
        with ws.store.open("acme") as con:
            held = con.execute(
                "select city, count(*) from profile where list_contains(?, city) group by 1", [names]
            )
            people = dict(held.fetchall())
        assert set(people) == set(names)
        every = ws.audience(
            "Every", functools.reduce(operator.or_, (city == name for name in HOSTILE.values()))
        )
        assert every.count().count == sum(people.values())
        assert not doing(every._repr_html_())
        assert not unseen(repr(every) + every.python)
        assert eval(every.python, {"f": ws.fields}) == every.rule  # noqa: S307 - what icx writes to be pasted
        chosen = [name for name in HOSTILE.values() if name in lists][:3]
        assert len(chosen) == 3
        plan = ws.plan("Us", f"acme/lists/#{lists[chosen[0]]}")
        for one in (
            ws,
            ws.status(),
            plan,
            ws.ledger("acme"),
            ws.connection("acme"),
            ws.person("70001")[0],
            ws.log(),
            ws.plans()[0],
        ):
            if hasattr(one, "_repr_html_"):
                assert not doing(one._repr_html_()), one
            assert not unseen(repr(one)), one
    for name in chosen:
        said = harmless(typed("plan", "Us", "--to", f"acme/lists/{name}", workspace=strange))
        assert said.code == 0, said.err
    refused = strange.parent / "refused.csv"
    harmless(typed("plans", plan.plan_id, "--refused", str(refused), "--addresses", workspace=strange))
    assert not formulas(refused.read_text(encoding="utf-8-sig"))
    refused.unlink()
    assert set(strange.parent.iterdir()) == before
    for page in strange.rglob("data/reports/*.html"):
        found = [one for one in doing(page.read_text()) if not one.startswith("meta")]
        assert not found, page


# What takes a word of anybody's; {} stands for it.
TAKES = (
    "help {}", "{}", "audience show {}", "audience save {} --template all", "audience count {}", "audience why Us {}",
    "lists {}", "person {}", "plan {} --to acme/lists/x", "plan Us --to {}", "plan Us --to acme/lists/{}", "apply {}", "plans {}",
    "fields {}", "run {}", "restore {}", "connect {} --default", "pull {}", "stop {}", "log {}", "calls {}", "doctor {} --no-bundle",
    "schedule show {}", "schedule add {} --import acme --every {}", "schedule add {} --import acme --every daily", "check {}",
    "attach {} --key email", "backup --to {}", "erase {} --dry", "build --as-of {}", "pause --because {}",
    "schedule add nightly --import acme --every daily --webhook {}", "schedule add nightly --import acme --every daily --alert-command {}",
)  # fmt: skip


def test_what_is_typed_is_a_word_and_the_next_step_repeats_it_as_one(
    copy: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)  # where a shell's words would leave their mark
    before = {*copy.iterdir(), *copy.parent.iterdir()}
    for number, (command, (label, name)) in enumerate(zip(TAKES * 2, cycle(HOSTILE.items()), strict=False)):
        words = [word.replace("{}", name) for word in command.split()]
        said = harmless(typed(*words, *(["--json"] if number % 2 else []), workspace=copy))
        assert said.code in {0, 1, 2, 3}, (command, label, said)
        (step,) = [line for line in said.err.splitlines() if line.startswith("  next   ")] or [""]
        for one in step.removeprefix("  next   ").split(" · "):
            if one.startswith("icx ") and "\\x" not in one and "\\u" not in one:
                assert understood(shlex.split(one)), (command, label, one)
    after = {*copy.iterdir(), *copy.parent.iterdir()}
    assert {path.name for path in after - before} <= {"data"}
    for path in (copy / "data").rglob("*"):
        assert not unseen(path.name), path
    with Workspace(copy) as ws, ws.store.open("acme") as con:
        assert con.execute("select count(*) > 0 from profile").fetchall() == [(True,)]
