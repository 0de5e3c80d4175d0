"""One pytest session, collected once, whose tests a fork lives through for each mutant: those that come by its line."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import prepared
import pytest

ROOT = Path(__file__).parents[2]


class Lives:
    """A pytest plugin: `meet` is called in place of the tests' run, and has mutants tried with `noticed`."""

    def __init__(self, paths: Sequence[str], meet: Callable[[Lives], None]) -> None:
        self.files = {str((ROOT / path).resolve()): path for path in paths}
        self.meet = meet
        self.open: list[str] = []  # what nobody noticed
        self.folder = Path(tempfile.mkdtemp(prefix="mutants"))
        self.seconds: dict[str, float] = {}
        self.lines: dict[str, set[tuple[str, int]]] = {}  # of these files, that a test comes by
        self.killed: Counter[str] = Counter()
        self._failed = ""
        self._hit: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self._at = ""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session = session
        self.items = {item.nodeid: item for item in session.items}
        try:
            if all(
                path.startswith("icx/plan/") for path in self.files.values()
            ):  # what is prepared for tests is pulled, never pushed
                prepared.share(self.folder / "prepared")
                prepared.share = lambda _: None
            self._as_it_is()
            self.meet(self)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return True

    def noticed(self, path: str, text: str, lines: Sequence[int], most: float) -> str:
        """Return killed, survived, unvisited or slow; without lines any test may notice. Asks `most` seconds of tests."""
        there = {(path, line) for line in lines}
        chosen = [name for name in self.items if not lines or self.lines[name] & there]
        if not chosen:
            return "unvisited"
        chosen.sort(key=lambda name: self.seconds[name] / (1 + self.killed[name]))
        until = itertools.accumulate(self.seconds[name] for name in chosen)
        chosen = [name for name, so_far in zip(chosen, until, strict=True) if so_far <= most] or chosen[:1]
        limit = 20 + 5 * sum(self.seconds[name] for name in chosen)
        code, told = self._forked(chosen, limit, lambda: put(path, text))
        self.killed.update([told] if told else [])
        return {None: "slow", 0: "survived"}.get(code, "killed")

    def _as_it_is(self) -> None:
        """Run every test once on the code as it is: how long it takes, and by which lines of the file it comes."""
        code, told = self._forked(list(self.items), 3600, self._trace)
        if code != 0:
            pytest.exit(f"the tests fail as it is: {told}", returncode=1)
        found = json.loads((self.folder / "found").read_text(encoding="utf-8"))
        self.seconds = {name: found["seconds"].get(name, 0.0) for name in self.items}
        for name in self.items:
            # What is set up for a file of tests may have been set up in its first test alone.
            self.lines[name] = {
                (path, line) for at in (name, name.split("::")[0]) for path, line in found["hit"].get(at, ())
            }
        for name in found["modules"]:  # read once, for all mutants
            with contextlib.suppress(Exception):
                importlib.import_module(name)

    def _forked(self, names: list[str], limit: float, first: Callable[[], object]) -> tuple[int | None, str]:
        """Run tests in a fork until one fails; return the exit code, None after the limit, and which failed."""
        (self.folder / "failed").unlink(missing_ok=True)
        pid = os.fork()
        if pid == 0:
            self._live(names, first)
        began, code = time.monotonic(), None
        while code is None and time.monotonic() - began < limit:
            time.sleep(0.01)
            done, status = os.waitpid(pid, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if done else None
        if code is None:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(self.folder / "tests", ignore_errors=True)
        failed = self.folder / "failed"
        return code, failed.read_text(encoding="utf-8") if failed.exists() else ""

    def _live(self, names: list[str], first: Callable[[], object]) -> None:
        code = 1
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            (self.folder / "tests").mkdir()
            os.environ["PYTEST_DEBUG_TEMPROOT"] = str(self.folder / "tests")
            first()
            items = [self.items[name] for name in names]
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    (self.folder / "failed").write_text(self._failed, encoding="utf-8")
                    self.session._setupstate.teardown_exact(None)
                    break
            else:
                code = 0
            self._tell()
        finally:
            os._exit(code)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed = report.nodeid

    # -- lines

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._at = item.nodeid.split("::")[0]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self._at = item.nodeid

    def _trace(self) -> None:
        def step(frame: types.FrameType, event: str, _: object) -> Any:
            path = self.files.get(frame.f_code.co_filename)
            if path is None:
                return None
            self._hit[self._at].add((path, frame.f_lineno))
            return step

        threading.settrace(step)
        sys.settrace(step)

    def _tell(self) -> None:
        sys.settrace(None)
        found = {
            "seconds": self.seconds,
            "hit": {at: sorted(hit) for at, hit in self._hit.items()},
            "modules": sorted(sys.modules),
        }
        (self.folder / "found").write_text(json.dumps(found), encoding="utf-8")


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
        if (function := _function(was)) and (mutant := _function(made)):
            if function.__code__.co_freevars == mutant.__code__.co_freevars:
                function.__code__ = mutant.__code__  # whoever has the function has the mutant
        elif inspect.isclass(was) and was.__module__ == made.__module__ == getattr(owner, "__name__", ""):
            _graft(vars(was), vars(made), was)
        elif isinstance(was, str) and was != made and not name.startswith("__"):
            for module in [owner, *sys.modules.values()]:
                if getattr(module, name, None) is was:
                    setattr(module, name, made)


def _function(made: Any) -> types.FunctionType | None:
    """Return the function in what stands under a name: itself, or what a decorator made of it."""
    if isinstance(made, property):
        made = made.fget
    elif isinstance(made, cached_property):
        made = made.func
    elif isinstance(made, classmethod):
        made = made.__func__
    found = inspect.unwrap(made) if callable(made) and not inspect.isclass(made) else None
    return found if inspect.isfunction(found) else None
