"""Changes the code of consent, plans and their journal, one word at a time, and tells which change no test notices.

    make mutants                                                    # all; hours on a busy machine
    python tests/mutants/run.py sql icx/plan/facts.py               # the SQL of one file
    python tests/mutants/run.py python icx/plan/again.py 8 13       # some of its mutants, by number
    python tests/mutants/run.py python icx/plan/again.py --every 5  # each fifth of them

What mutmut and its like leave alone is the text of statements, and there consent is decided; and they cannot run tests
that start a service. A mutant lives in a forked process under the names of the real module, so it costs its tests
alone. Leave the checkout as it is while it runs.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import shutil
import signal
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mutate_python
import mutate_sql

ROOT = Path(__file__).parents[2]
SECONDS = 180  # a mutant that takes longer is told as slow, and neither as noticed nor as not
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
    "icx/store/journal.py": ["tests/store/test_store_journal.py", "tests/store/test_store_log.py"],
    "icx/pull/ledger.py": ["tests/pull/test_ledger_by_hand.py"],
}
#: Changes that change nothing that can be told, by a part of their words, and why.
EXPLAINED = {
    "decide.sql": {
        "w.known_key": "spares most people a second look under the same address",
        "where contact_id is not null": "a null in a list only counts once the question is turned",
        "where email_key is not null": "the same",
    },
    "facts.py": {
        "where contact_id is not null: true": "a null in a list only counts once the question is turned",
        "where email_key is not null: true": "the same",
    },
    "consent.py": {"facts <= {": "differs for somebody of whom every fact stands, who is refused either way"},
    "plans.py": {" desc -> ": "which three plans an error names"},
    "pushed.py": {"limit 1": "the first row is the answer, however many follow"},
}


def put(path: str, text: str) -> None:
    """Put changed code under the names of the real module, in this process alone."""
    if path.endswith(".sql"):
        real, read = (ROOT / path).resolve(), Path.read_text

        def read_text(self: Path, *asked: Any, **named: Any) -> str:
            return text if self.resolve() == real else read(self, *asked, **named)

        Path.read_text = read_text  # type: ignore[method-assign]
        return
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    fresh = types.ModuleType(module.__name__)
    fresh.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(text, str(module.__file__), "exec"), fresh.__dict__)  # noqa: S102
    _graft(vars(module), vars(fresh), module)


def _graft(old: Mapping[str, Any], new: Mapping[str, Any], owner: Any) -> None:
    for name, made in new.items():
        was = old.get(name)
        if inspect.isfunction(was) and inspect.isfunction(made):
            function, mutant = inspect.unwrap(was), inspect.unwrap(made)
            if function.__code__.co_freevars == mutant.__code__.co_freevars:
                function.__code__ = mutant.__code__  # whoever has the function has the mutant
        elif inspect.isclass(was) and was.__module__ == made.__module__ == getattr(owner, "__name__", ""):
            _graft(vars(was), vars(made), was)
        elif isinstance(was, str) and was != made and not name.startswith("__"):
            for module in [owner, *sys.modules.values()]:
                if getattr(module, name, None) is was:
                    setattr(module, name, made)


def noticed(path: str, text: str | None, tests: list[str]) -> tuple[str, str]:
    """Return killed, survived or slow, and the test that noticed; without a text nothing is changed."""
    folder = Path(tempfile.mkdtemp(prefix="mutant"))
    pid = os.fork()
    if pid == 0:
        _live(folder, path, text, tests)
    began, code = time.monotonic(), None
    while code is None and time.monotonic() - began < SECONDS:
        time.sleep(0.05)
        done, status = os.waitpid(pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if done else None
    if code is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    told = folder / "told"
    who = told.read_text(encoding="utf-8") if told.exists() else ""
    shutil.rmtree(folder, ignore_errors=True)
    return {None: "slow", 0: "survived"}.get(code, "killed"), who


def _live(folder: Path, path: str, text: str | None, tests: list[str]) -> None:
    """In the forked process: run the tests until one notices."""
    os.setsid()
    code = 1
    try:
        import pytest

        class Told:
            def pytest_runtest_logreport(self, report: Any) -> None:
                if report.failed:
                    (folder / "told").write_text(report.nodeid, encoding="utf-8")

        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(null, stream)
        if text is not None:
            put(path, text)
        words = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", f"--basetemp={folder / 'tests'}"]
        words += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = int(pytest.main([*words, *tests], plugins=[Told()]))
    finally:
        os._exit(code)


def tried(kind: str, path: str, numbers: list[int], every: int) -> list[str]:
    """Try the mutants of a file; return those that no test noticed and nothing explains."""
    tests = (SQL if kind == "sql" else PYTHON)[path]
    of = mutate_sql if kind == "sql" else mutate_python
    found = of.mutants((ROOT / path).read_text(encoding="utf-8"), path)
    if noticed(path, None, tests) != ("survived", ""):
        sys.exit(f"{path}: the tests fail as it is: {' '.join(tests)}")
    by: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    open_ = []
    for number, (what, text) in enumerate(found):
        if (numbers and number not in numbers) or number % every:
            continue
        first = [test for test, _ in by.most_common(3)]  # those that noticed most are asked first
        end, who = noticed(path, text, [*first, *tests])
        by.update([who] if who else [])
        if end != "killed" and any(part in what for part in EXPLAINED.get(Path(path).name, {})):
            end = "explained"
        ends[end] += 1
        if end in {"survived", "slow"}:
            open_.append(f"{number} {end}: {what}")
            print(open_[-1], flush=True)
    print(
        f"{path}: {ends.total()} of {len(found)} {kind} mutants, "
        + ", ".join(f"{count} {end}" for end, count in ends.items()),
        flush=True,
    )
    return open_


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
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import icx.workspace  # noqa: F401 - read once, for all mutants

    open_ = [one for kind, path in chosen for one in tried(kind, path, told.number, told.every)]
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main())
