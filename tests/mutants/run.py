"""Changes the code of consent, plans and their journal, one word at a time, and tells which change no test notices.

    make mutants                                                    # all; hours on a busy machine
    python tests/mutants/run.py sql icx/plan/facts.py               # the SQL of one file
    python tests/mutants/run.py python icx/plan/again.py 8 13       # some of its mutants, by number
    python tests/mutants/run.py python icx/plan/again.py --every 5  # each fifth of them

What mutmut and its like leave alone is the text of statements, and there consent is decided; and they cannot run tests
that start a service. A mutant lives in a forked process under the names of the real module, and of the file's tests
those are asked that come by its line, the quickest first. Leave the checkout as it is while it runs.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import mutate_python
import mutate_sql
import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from living import Lives  # noqa: E402

WORDS = ["-s", "-qq", "--no-summary", "--disable-warnings", "-p", "no:cacheprovider", "--assert=plain"]
WORDS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
#: The files whose SQL decides, and the tests that compare it with plain Python.
SQL = {
    "icx/plan/decide.sql": ["tests/plan/test_decide_by_hand.py"],
    "icx/plan/facts.py": ["tests/plan/test_facts_by_hand.py"],
    "icx/pull/consent.py": ["tests/pull/test_pull_consent.py"],
    "icx/store/plans.py": ["tests/store/test_plan_journal_by_hand.py", "tests/store/test_store_plans.py"],
    "icx/store/pushed.py": ["tests/store/test_plan_journal_by_hand.py"],
    "icx/pull/ledger.py": ["tests/pull/test_ledger_by_hand.py"],
}
_APPLIES = ["tests/plan/test_apply.py", "tests/plan/test_made.py", "tests/plan/test_lost_answers.py"]
#: The files whose Python decides or sends, and their tests; those that try a file alone come first.
PYTHON = {
    "icx/plan/consent.py": ["tests/plan/test_consent.py", "tests/plan/test_decide_by_hand.py"],
    "icx/plan/decide.py": [
        "tests/plan/test_decide_by_hand.py",
        "tests/plan/test_decide.py",
        "tests/plan/test_plan.py",
    ],
    "icx/plan/look.py": _APPLIES,
    "icx/plan/send.py": [*_APPLIES, "tests/plan/test_apply_faults.py"],
    "icx/plan/contacts.py": ["tests/plan/test_made.py", *_APPLIES, "tests/plan/test_mapping.py"],
    "icx/plan/again.py": ["tests/plan/test_going_on_by_hand.py", *_APPLIES],
    "icx/plan/apply.py": [*_APPLIES, "tests/plan/test_any_order.py"],
    "icx/plan/resume.py": ["tests/plan/test_going_on_by_hand.py"],
    "icx/plan/stops.py": ["tests/plan/test_plan.py", "tests/plan/test_apply.py"],
    "icx/plan/match.py": ["tests/plan/test_plan.py", "tests/plan/test_made.py", "tests/plan/test_apply.py"],
    "icx/plan/retry.py": ["tests/widgets/test_retry.py"],
    "icx/store/plans.py": ["tests/store/test_plan_journal_by_hand.py", "tests/store/test_store_plans.py"],
    "icx/store/journal.py": [
        "tests/store/test_store_journal.py",
        "tests/store/test_store_log.py",
        "tests/store/test_store_backups.py",
    ],
    "icx/pull/ledger.py": ["tests/pull/test_ledger_by_hand.py"],
}
#: Changes that change nothing that can be told, by a part of their words, and why.
EXPLAINED = {
    "icx/plan/consent.py": {
        "facts <= {": "differs for somebody of whom every fact stands, who is refused either way"
    },
    "icx/store/plans.py": {
        " desc -> ": "which three plans an error names",
        "file.flush() -> pass": "only a power cut would show it",
        "os.fsync(file.fileno()) -> pass": "the same",
        "1 -> 2  in: (self._number(plan_id), *states, -1 if limit is None": "any number below zero is no limit",
    },
    "icx/store/journal.py": {
        "'normal' -> 'normalx'": "only a power cut would show it, of the tape alone",
        "self.close() -> pass  in: self.close()": "handles are given back now or when they are collected",
        "db.close() -> pass  in: db.close()": "the same",
        "60 -> 61": "a second more of patience with another process",
        "if entry.name.endswith": "only scripts lie there",
        "ended is not None": "what was ended just now is there, with its end",
    },
    "icx/pull/ledger.py": {
        "if of_others is None: -> if True": "what is kept is what counting gives, sooner",
        "row[0] if row else 0": "a count always has its row",
        "unit.message_id or 0": "an event is of a message",
    },
    "icx/store/pushed.py": {"limit 1": "the first row is the answer, however many follow"},
}


def tried(kind: str, path: str, numbers: list[int], every: int) -> int:
    """Try the mutants of a file, in a process of its own; return how many no test noticed and nothing explains."""
    text = (ROOT / path).read_text(encoding="utf-8")
    found = mutate_sql.mutants(text, path) if kind == "sql" else mutate_python.mutants(text)
    chosen = [n for n in range(len(found)) if (n in numbers if numbers else n % every == 0)]
    tests = (SQL if kind == "sql" else PYTHON)[path]
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        lives = Lives(
            path, lambda lives: _meet(lives, kind, text, [(n, *found[n]) for n in chosen], len(found))
        )
        code = int(pytest.main([*WORDS, *tests], plugins=[lives])) or min(len(lives.open), 100)
    finally:
        os._exit(code)


def _meet(lives: Lives, kind: str, source: str, mutants: list[tuple[int, int, str, str]], of: int) -> None:
    ends: Counter[str] = Counter()
    explained = EXPLAINED.get(lives.path, {})
    for number, line, what, text in mutants:
        told = f"{lives.path}:{line}: {what}  in: {source.splitlines()[line - 1].strip()}"
        end, _ = lives.noticed(text, lines_with(source, line) if lives.path.endswith(".py") else [])
        if end != "killed" and any(part in told for part in explained):
            end = "explained"
        ends[end] += 1
        if end not in {"killed", "explained"}:
            lives.open.append(told)
            print(f"{number} {end}: {told}", flush=True)
    counted = ", ".join(f"{count} {end}" for end, count in ends.items())
    print(f"{lives.path}: {len(mutants)} of {of} {kind} mutants, {counted}", flush=True)


def lines_with(source: str, line: int) -> Sequence[int]:
    """Return the lines of the statement around a line, of a block its head; none outside functions."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]  # the outermost first
    if not any(isinstance(node, ast.FunctionDef) for node in around[:-1]):
        return []
    body = getattr(around[-1], "body", None)
    end = body[0].lineno if body and line < body[0].lineno else (around[-1].end_lineno or 0) + 1
    return range(around[-1].lineno, end)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("kind", nargs="?", choices=["sql", "python"])
    words.add_argument("path", nargs="?", choices=sorted({*SQL, *PYTHON}))
    words.add_argument("number", nargs="*", type=int)
    words.add_argument("--every", type=int, default=1, metavar="N", help="of all mutants each Nth")
    told = words.parse_args()
    files = [(kind, path) for kind, paths in (("sql", SQL), ("python", PYTHON)) for path in paths]
    chosen = [(kind, path) for kind, path in files if told.kind in {None, kind} and told.path in {None, path}]
    os.chdir(ROOT)
    import icx.workspace  # noqa: F401 - read once, for all mutants

    return 1 if sum(tried(kind, path, told.number, told.every) for kind, path in chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
