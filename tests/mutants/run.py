"""Changes the code of consent, plans and their journal, one word at a time, and tells which change no test notices.

    make mutants                                                    # all; hours on a busy machine
    python tests/mutants/run.py sql icx/plan/facts.py               # the SQL of one file
    python tests/mutants/run.py python icx/plan/again.py --number 8 # some of its mutants
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import mutate_python
import mutate_sql
import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from living import Lives  # noqa: E402

WORDS = ["-s", "-qq", "--no-summary", "--disable-warnings", "-p", "no:cacheprovider", "--assert=plain"]
WORDS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
_PULLS = "ledger_by_hand pull_consent pull_units pull_history pull_around"
#: The files whose SQL decides, and the tests that compare it with plain Python.
SQL = {
    "icx/plan/decide.sql": ["tests/plan/test_decide_by_hand.py"],
    "icx/plan/facts.py": ["tests/plan/test_facts_by_hand.py"],
    "icx/pull/consent.py": ["tests/pull/test_pull_consent.py"],
    "icx/store/plans.py": ["tests/store/test_plan_journal_by_hand.py", "tests/store/test_store_plans.py"],
    "icx/store/pushed.py": ["tests/store/test_plan_journal_by_hand.py"],
    "icx/pull/ledger.py": ["tests/pull/test_ledger_by_hand.py"],
    "icx/store/restoring.py": ["tests/store/test_restoring_by_hand.py", "tests/store/test_store_backups.py"],
    "icx/plan/match.py": [
        "tests/plan/test_made.py",
        "tests/plan/test_apply_by_hand.py",
        "tests/plan/test_plan.py",
    ],
    **{
        f"icx/pull/{name}.py": [f"tests/pull/test_{one}.py" for one in _PULLS.split()]
        for name in ("land", "history", "keep", "others")
    },
}
#: Those that try a file alone and those that try all of them with a service.
_ALONE = "send_by_hand made_by_hand apply_by_hand going_on_by_hand decide_by_hand facts_by_hand stops_by_hand by_id consent decide mapping"
_TOGETHER = "apply made lost_answers plan any_order together"
_PLANS = [f"tests/plan/test_{name}.py" for name in (*_ALONE.split(), *_TOGETHER.split())]
_PLANS.append("tests/widgets/test_retry.py")
_SENDS = "send again apply contacts look resume gates stops undo retry"
_DECIDES = "decide by_id consent make reading match"
#: The files whose Python decides or sends, and their tests; files of the same tests are tried together.
PYTHON = {
    **{f"icx/plan/{name}.py": _PLANS for name in (*_SENDS.split(), *_DECIDES.split())},
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
    "icx/plan/apply.py": {
        "kept.state == 'finished' and kept.result": "what is finished has its result",
        "if not self.plan.counts.create: -> if False": "spares reading when nobody is made",
        "20 -> 21": "how many are named",
        'in: if not any(row["name"] == name': "a list that is there is found once more, and not made",
        "'stopped' -> 'stoppedx'  in: if self._tally": "only its number is read",
        "0 -> 1  in: result = tally(": "whoever is tried has a row",
        "-> self.target.list_id is not None  in: if self.kept": "notes the same number again",
    },
    "icx/plan/again.py": {
        "if found: -> if True": "spares a copy when nobody was made meanwhile",
        "-> row['row'] not in found  in: if any(": "asks about people of whom nothing is asked",
        "or row['row'] not in found  in: if any(": "the same",
        "-> if True:  in: if any(row": "the same",
        "if True else {  in: now_stale": "puts rows by that nobody asks for when nobody leaves",
        "if now is not None and fact": "whoever is not there has said nothing",
        "strict=True": "they are as many",
    },
    "icx/plan/by_id.py": {
        "if not _ascending(known): -> if True": "sorting what is sorted changes nothing",
        "-> _ascending(np.sort(known))": "the same",
        "0 -> 1  in: known, asked =": "whoever has no id is masked",
    },
    "icx/plan/decide.py": {
        "pa.array(np.arange(want.num_rows)))": "in whichever place the column stands",
        "con.register(": "DuckDB finds a table by the name of its variable too",
        "in: for name, table in (": "the same",
        "if given.null_count": "spares looking when everybody has it",
        "number: Any = pa.scalar(0": "the numbers only have to differ",
        "con.close() -> pass": "memory is given back now or when it is collected",
    },
    "icx/plan/look.py": {
        "in: key = email_key": "who is gone has said nothing, and every contact has an address",
    },
    "icx/plan/resume.py": {
        "if not doubtful: -> if False": "spares work when nothing is open",
        "strict=True": "they are as many",
    },
    "icx/plan/send.py": {"1 -> 2  in: size = ": "the total is what is asked for"},
    "icx/plan/contacts.py": {"True -> False  in: for one, contact, why in zip": "they are as many"},
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
        "seconds=round(seconds, 1)": "how exactly seconds are told",
        "0 -> 1  in: if call.problem": "both are below every error",
        "ended is not None": "what was ended just now is there, with its end",
    },
    "icx/pull/ledger.py": {
        "if of_others is None: -> if True": "what is kept is what counting gives, sooner",
        "row[0] if row else 0": "a count always has its row",
        "unit.message_id or 0": "an event is of a message",
    },
    "icx/store/pushed.py": {"limit 1": "the first row is the answer, however many follow"},
}


class Mutant(NamedTuple):
    """One change: its number among those of its file, its line, its words, and the file's text with it."""

    number: int
    line: int
    what: str
    text: str


def changed(kind: str, path: str) -> list[Mutant]:
    """Return every mutant of a file."""
    source = (ROOT / path).read_text(encoding="utf-8")
    found = mutate_sql.mutants(source, path) if kind == "sql" else mutate_python.mutants(source)
    lines = source.splitlines()
    return [
        Mutant(number, line, f"{path}:{line}: {what}  in: {lines[line - 1].strip()}", text)
        for number, (line, what, text) in enumerate(found)
    ]


def tried(files: list[tuple[str, str]], tests: Sequence[str], told: argparse.Namespace) -> int:
    """Try files that have the same tests, in a process of its own; return 0 when each change is noticed or explained."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        open_: list[str] = []
        lives = Lives([path for _, path in files], lambda lives: open_.extend(_met(lives, files, told)))
        code = int(pytest.main([*WORDS, *tests], plugins=[lives])) or int(bool(open_))
    finally:
        os._exit(code)


def _met(lives: Lives, files: list[tuple[str, str]], told: argparse.Namespace) -> Iterator[str]:
    """Tell, and yield, what nobody noticed and nothing explains."""
    for kind, path in files:
        ends: Counter[str] = Counter()
        source = (ROOT / path).read_text(encoding="utf-8")
        mutants = changed(kind, path)
        for one in mutants:
            if one.number not in told.number if told.number else one.number % told.every:
                continue
            lines = lines_with(source, one.line) if path.endswith(".py") else []
            end = lives.noticed(path, one.text, lines, told.seconds)
            if end != "killed" and any(part in one.what for part in EXPLAINED.get(path, {})):
                end = "explained"
            ends[end] += 1
            if end not in {"killed", "explained"}:
                print(f"{one.number} {end}: {one.what}", flush=True)
                yield one.what
        counted = ", ".join(f"{count} {end}" for end, count in ends.items())
        print(f"{path}: {ends.total()} of {len(mutants)} {kind} mutants, {counted}", flush=True)


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
    words.add_argument("path", nargs="*", help="files; none: all of them")
    words.add_argument("--number", nargs="+", type=int, default=[], metavar="N", help="these mutants alone")
    words.add_argument("--every", type=int, default=1, metavar="N", help="of all mutants each Nth")
    words.add_argument(
        "--seconds", type=float, default=30, help="of tests that a mutant is worth, quickest first"
    )
    words.add_argument("--tests", nargs="+", metavar="FILE", help="asked in place of those of the table")
    told = words.parse_args()
    together: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for kind, of in (("sql", SQL), ("python", PYTHON)):
        for path, tests in of.items():
            if told.kind in {None, kind} and (not told.path or path in told.path):
                together.setdefault(tuple(told.tests or tests), []).append((kind, path))
    os.chdir(ROOT)
    import icx.workspace  # noqa: F401 - read once, for all mutants

    return max((tried(files, tests, told) for tests, files in together.items()), default=2)


if __name__ == "__main__":
    sys.exit(main())
