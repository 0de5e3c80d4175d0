"""Tidying: which runs and pages have been kept long enough, decided first, removed whole after that.

A run can be repeated as long as its folder is there, so nothing goes that a repetition still needs: what is under
way, what made a plan that is not finished, what a job's next try repeats.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from icx.errors import TryLater
from icx.jobs.run import RECORD
from icx.words import counted

#: A page or bundle of ours in data/reports: what it is, and of which run; other files are somebody's own.
_PAGE = re.compile(r"([a-z]+)-(?:r-?\d+|\d{8}-\d{6})(?:-[\w-]+)?\.(?:html|json|txt|zip)")
_GOING = ".going-"


@dataclass(frozen=True)
class Keeping:
    """How long things are kept: `days` and `failed_days` (0: for ever), at most `count` of each kind (0: all)."""

    days: int
    failed_days: int
    count: int


@dataclass(frozen=True)
class Left:
    """What a run left: its folder, or one page or log. `of` is its notebook or the kind of page; `at` is aware, UTC.

    `root` is the first of a run and its repetitions; `size` is bytes.
    """

    path: Path
    of: str
    at: datetime
    size: int
    failed: bool = False
    root: str = ""

    @property
    def is_run(self) -> bool:
        return bool(self.root)


@dataclass(frozen=True)
class Tidied:
    """What goes, or went (`done`): runs with their folders, pages, calls on the tape; and what is kept on purpose.

    `spared` counts what is old enough and stays, by why.
    """

    keeping: Keeping
    going: Sequence[Left] = ()
    calls: int = 0
    of_runs: int = 0
    of_pages: int = 0
    spared: dict[str, int] = field(default_factory=dict)
    done: bool = False

    def __bool__(self) -> bool:
        return bool(self.going or self.calls)

    @property
    def runs(self) -> int:
        return sum(one.is_run for one in self.going)

    @property
    def pages(self) -> int:
        return len(self.going) - self.runs

    @property
    def size(self) -> int:
        return sum(one.size for one in self.going)

    def line(self) -> str:
        """Return what went in one line, for whoever runs jobs by the clock."""
        parts = [(self.runs, "run"), (self.pages, "page"), (self.calls, "call")]
        return f"tidied: {', '.join(counted(n, word) for n, word in parts if n)}, {_megabytes(self.size)}"

    def __str__(self) -> str:
        if not self:
            kept = f"{counted(self.of_runs, 'run')} and {counted(self.of_pages, 'page')}"
            return f"Nothing is old enough to go; {kept} are there. {self._rule()}"
        verb = "Removed" if self.done else "Nothing is removed yet. Would go"
        sizes = {side: sum(one.size for one in self.going if one.is_run is side) for side in (True, False)}
        lines = [f"{verb}: {_megabytes(self.size)} and {counted(self.calls, 'call')} of the tape"]
        lines.append(f"  runs   {self.runs:,} of {self.of_runs:,}, {_megabytes(sizes[True])}")
        lines.append(f"  pages  {self.pages:,} of {self.of_pages:,}, {_megabytes(sizes[False])}")
        lines += [f"  kept   {n:,} {why}" for why, n in self.spared.items()]
        lines.append(f"  {self._rule()}")
        return "\n".join(lines if self.done else [*lines, "Next: icx tidy --yes"])

    def _rule(self) -> str:
        one = self.keeping
        days = f"{one.days:,} days" if one.days else "for ever"
        failed = f"{one.failed_days:,} days" if one.failed_days else "for ever"
        most = f", at most {one.count:,} of each notebook" if one.count else ""
        return (
            f"Kept: {days}, failed ones {failed}{most}, and the newest of each always (keep_… in icx.toml)."
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "removed": self.done,
            "runs": [one.path.name for one in self.going if one.is_run],
            "pages": [one.path.name for one in self.going if not one.is_run],
            "calls": self.calls,
            "bytes": self.size,
            "spared": self.spared,
        }


def decide(
    things: Iterable[Left], keeping: Keeping, needed: set[str], now: datetime
) -> tuple[list[Left], Counter[str]]:
    """Return what goes, and how much of the rest stays only because something needs it.

    Done and failed ones of a notebook are counted apart, so that many tries of one bad night drive out no good run;
    the newest of each stays however old it is. Pure.
    """
    groups: dict[tuple[str, bool], list[Left]] = defaultdict(list)
    for one in things:
        groups[one.of, one.failed].append(one)
    going: list[Left] = []
    spared: Counter[str] = Counter()
    for (_, failed), group in groups.items():
        days = keeping.failed_days if failed else keeping.days
        newest_first = sorted(group, key=lambda one: (one.at, one.path.name), reverse=True)
        for place, one in enumerate(newest_first[1:], start=1):
            old = bool(days) and now - one.at > timedelta(days=days)
            if not old and not (keeping.count and place >= keeping.count):
                continue
            if one.root and one.root in needed:
                spared["that a repetition or an unfinished plan needs"] += 1
            else:
                going.append(one)
    return going, spared


def left_by_runs(folder: Path) -> Iterator[Left]:
    """Yield what the runs of notebooks left, as their records say; what has no record is not ours to judge."""
    for place in folder.glob("r-*"):
        try:
            record = json.loads((place / RECORD).read_text(encoding="utf-8"))
            at = datetime.fromisoformat(record.get("ended") or record["started"])
            of, root = Path(record["notebook"]).name, str(record["root"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if place.is_symlink() or at.tzinfo is None:
            continue
        size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
        yield Left(place, of, at, size, failed=record.get("state") != "done", root=root)


def left_pages(folder: Path) -> Iterator[Left]:
    """Yield the pages and bundles that icx wrote into data/reports; another file there is somebody's own."""
    for path in folder.glob("*"):
        match = _PAGE.fullmatch(path.name)
        if match and path.is_file() and not path.is_symlink():
            told = path.stat()
            yield Left(path, match[1], datetime.fromtimestamp(told.st_mtime, UTC), told.st_size)


def left_logs(files: Iterable[Path]) -> Iterator[Left]:
    """Yield the days of the log."""
    for path in files:
        told = path.stat()
        yield Left(path, "log", datetime.fromtimestamp(told.st_mtime, UTC), told.st_size)


def remove(going: Iterable[Left], lock: Callable[[str], AbstractContextManager[None]]) -> list[Left]:
    """Remove what was decided and return what went; a run that somebody repeats right now stays.

    A folder is put aside by one rename before it is emptied: cut off, it is a run or it is none, never half of one.
    """
    gone = []
    for one in going:
        if not one.is_run:
            one.path.unlink(missing_ok=True)
            gone.append(one)
            continue
        try:
            with lock(f"run {one.root}"):
                aside = one.path.with_name(f"{_GOING}{one.path.name}")
                one.path.rename(aside)
        except (TryLater, FileNotFoundError):
            continue
        shutil.rmtree(aside, ignore_errors=True)
        gone.append(one)
    return gone


def sweep(folder: Path) -> None:
    """Empty the folders that were put aside by a tidying that was cut off."""
    for aside in folder.glob(f"{_GOING}*"):
        shutil.rmtree(aside, ignore_errors=True)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
