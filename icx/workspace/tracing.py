"""What happened, to be read afterwards: the log's lines and the calls to iContact, of one run or of the newest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any, cast

from icx.errors import BadInput
from icx.look import page
from icx.look.when import moment
from icx.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from icx.store.log import Line
    from icx.workspace.workspace import Workspace

#: Lines and calls that a display shows; the table of all is `.df`.
SHOWN = 20
_KINDS: dict[str, page.Kind] = {"error": "bad", "warning": "warn"}
_MANY = re.compile(r"(\d+),(?:\d+,){3,}(\d+)")


class Tracing:
    """The verbs that tell what happened."""

    def log(
        self,
        run: str | None = None,
        *,
        level: str = "info",
        since: datetime | None = None,
        limit: int = 200,
    ) -> Lines:
        """Return the newest lines of the log, the oldest of them first: of one run and all that was part of it, or of all.

        `level` is the least: debug, info, warning or error. `since` is aware. Raises BadInput ("run-unknown").
        """
        return lines(cast("Workspace", self), run, level=level, since=since, limit=limit)

    def calls(self, run: str | None = None, *, failed: bool = False) -> Calls:
        """Return every call of a run and of all that was part of it; without one, of the run that called last.

        `failed` leaves out the calls that were answered well the first time. Raises BadInput ("run-unknown").
        """
        return calls(cast("Workspace", self), run, failed=failed)


@dataclass(frozen=True)
class Lines(Sequence[Any]):
    """Lines of the log, the oldest first; `df` is the same as a table."""

    lines: Sequence[Line]
    run: str
    zone: str
    now: datetime

    def __getitem__(self, key: Any) -> Any:
        return self.lines[key]

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    @property
    def df(self) -> pd.DataFrame:
        """Return the lines as a table: at (UTC), level, event, run, text, and the facts."""
        import pandas as pd

        return pd.DataFrame([line.as_dict() for line in self.lines])

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return the lines as they are read: when, level, run, what happened."""
        at = [moment(line.at, self.now, self.zone, seconds=True) for line in self.lines]
        return [
            (when, "" if line.level == "info" else line.level, line.run, said(line))
            for when, line in zip(at, self.lines, strict=True)
        ]

    def __repr__(self) -> str:
        return (
            "\n".join("  ".join(cell for cell in row if cell) for row in self.rows()) or "Nothing is logged."
        )

    def _repr_html_(self) -> str:
        count = Counter(line.level for line in self.lines)
        state = [
            page.pill(_KINDS[level], f"{counted(count[level], level)}") for level in _KINDS if count[level]
        ]
        head = page.head("Log", page.join(*state), self.run or "all runs", counted(len(self.lines), "line"))
        rows = [
            (when, page.pill(_KINDS[level], level) if level in _KINDS else "", run, text)
            for when, level, run, text in self.rows()[-SHOWN:]
        ]
        more = len(self.lines) - SHOWN
        foot = f"{more:,} earlier ones are in .df" if more > 0 else ""
        table = page.table(["when", "", "run", "what happened"], rows, foot=foot)
        return str(page.root(head, table if rows else page.note("", "Nothing is logged."), name="Log"))


def said(line: Line) -> str:
    """Return a line's text with what helps a reader: how long, where, what to type."""
    facts = line.facts
    parts = [f"in {facts['seconds']:,.1f} s"] if "seconds" in facts and line.event == "ended" else []
    parts += [f"[{facts['code']}]"] if line.event == "ended" and facts.get("code") else []
    parts += [f"({facts['where']})"] if line.event == "error" and facts.get("where") else []
    parts += [f"({facts['trace'][-1].rpartition('/')[2]})"] if facts.get("trace") else []
    return " ".join([short(line.text), *parts])


@dataclass(frozen=True)
class Call:
    """One request. `status` is None when no answer came; `ms` is the time to the last byte, `bytes` the answer's size."""

    run: str
    at: datetime
    method: str
    path: str
    status: int | None
    ms: float
    bytes: int
    attempt: int
    problem: str

    @property
    def ok(self) -> bool:
        return self.status is not None and self.status < 400 and not self.problem

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "ms": self.ms,
            "bytes": self.bytes,
            "try": self.attempt,
            "problem": self.problem or None,
        }


@dataclass(frozen=True)
class Calls(Sequence[Any]):
    """Calls of a run in the order they were made; `df` is the same as a table."""

    calls: Sequence[Call]
    run: str
    what: str
    zone: str
    now: datetime
    failed: bool = False  # only those made again, or without a good answer

    def __getitem__(self, key: Any) -> Any:
        return self.calls[key]

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    @property
    def df(self) -> pd.DataFrame:
        """Return the calls as a table: run, at (UTC), method, path, status, ms, bytes, try, problem."""
        import pandas as pd

        names = ["run", "at", "method", "path", "status", "ms", "bytes", "try", "problem"]
        made = pd.DataFrame([call.as_dict() for call in self.calls], columns=names)
        return made.astype({"status": "Int64"})

    def figures(self) -> dict[str, Any]:
        """Return what they come to: how many, how many again and without a good answer, seconds, bytes, the slowest."""
        times = [call.ms for call in self.calls]
        return {
            "calls": len(self.calls),
            "again": sum(call.attempt > 1 for call in self.calls),
            "failed": sum(not call.ok for call in self.calls),
            "seconds": round(sum(times) / 1000, 1),
            "bytes": sum(call.bytes for call in self.calls),
            "median_ms": round(median(times)) if times else None,
            "slowest_ms": round(max(times)) if times else None,
        }

    def line(self) -> str:
        """Return the figures in one line."""
        of = self.figures()
        whose = f"{self.what} ({self.run})" if self.run else "No run"
        if not self.calls:
            return f"{whose}: {'every call was answered well at once' if self.failed else 'no call'}"
        parts = [counted(of["calls"], "call")]
        parts += [f"{of['again']:,} of them again"] if of["again"] else []
        parts += [f"{of['failed']:,} without a good answer"] if of["failed"] else []
        parts += [f"{of['bytes'] / 1e6:,.1f} MB in {of['seconds']:,} s"]
        return (
            f"{whose}: {', '.join(parts)}; {of['median_ms']:,} ms in the middle, {of['slowest_ms']:,} at most"
        )

    def rows(self, *, whole: bool = False) -> list[tuple[str, ...]]:
        """Return the calls as they are read: when, call, status, ms, bytes, try, what went wrong.

        A filter of many ids is told by its ends, unless it is wanted `whole`.
        """
        return [
            (
                moment(call.at, self.now, self.zone, seconds=True),
                call.method,
                call.path if whole else short(call.path),
                "none" if call.status is None else str(call.status),
                f"{call.ms:,.0f}",
                f"{call.bytes:,}",
                str(call.attempt),
                call.problem,
            )
            for call in self.calls
        ]

    def __repr__(self) -> str:
        return self.line()

    def _repr_html_(self) -> str:
        of = self.figures()
        state = (
            page.pill("warn", f"{of['failed']:,} without a good answer")
            if of["failed"]
            else page.pill("ok", "All good")
        )
        crumbs = [f"{self.what} ({self.run})", counted(of["calls"], "call"), f"{of['bytes'] / 1e6:,.1f} MB"]
        more = len(self.calls) - SHOWN
        foot = f"{more:,} earlier ones are in .df" if more > 0 else ""
        table = page.table(HEADS, self.rows()[-SHOWN:], numbers=(4, 5, 6), foot=foot)
        return str(page.root(page.head("Calls", state if self.calls else "", *crumbs), table, name="Calls"))


def short(path: str) -> str:
    """Return a path with a long list of ids told by its ends and their number.

    >>> short("/contacts?contactId=70,71,72,73,74&limit=5"), short("/contacts?contactId=7,8")
    ('/contacts?contactId=70,…,74 (5)&limit=5', '/contacts?contactId=7,8')
    """
    return _MANY.sub(lambda found: f"{found[1]},…,{found[2]} ({found[0].count(',') + 1:,})", path)


HEADS = ["when", "method", "path", "status", "ms", "bytes", "try", "problem"]


def lines(ws: Workspace, run: str | None, *, level: str, since: datetime | None, limit: int) -> Lines:
    """Return lines of the log; see `Workspace.log`."""
    from collections import deque

    from icx.store.log import LEVELS

    if level not in LEVELS:
        raise BadInput(
            "usage",
            f'"{level}" is no level.',
            where="--level",
            kept="nothing was changed",
            next=[f"one of {', '.join(LEVELS)}"],
        )
    family, begun = (None, since) if run is None else (ws.journal.family(run), _known(ws, run).started_at)
    start = max(since, begun) if since and begun else begun
    found = deque(ws.journal.log.read(runs=family, level=level, since=start), maxlen=limit)
    return Lines(list(found), run or "", ws.settings.zone, ws.clock.now())


def calls(ws: Workspace, run: str | None, *, failed: bool) -> Calls:
    """Return calls; see `Workspace.calls`."""
    from icx.store import tape

    run = run or tape.newest_run(ws.journal)
    if run is None:
        return Calls([], "", "", ws.settings.zone, ws.clock.now())
    known = _known(ws, run)
    rows = tape.read(ws.journal, ws.journal.family(run))
    made = [
        Call(
            row["run"],
            datetime.fromisoformat(row["at"]),
            row["method"],
            row["path"],
            row["status"],
            row["ms"],
            row["bytes"],
            row["attempt"],
            row["problem"],
        )
        for row in rows
    ]
    chosen = [call for call in made if not call.ok or call.attempt > 1] if failed else made
    what = f"{known.verb} {known.what}".strip()
    return Calls(chosen, run, what, ws.settings.zone, ws.clock.now(), failed and bool(made))


def _known(ws: Workspace, run: str) -> Any:
    """Return a run of the journal, or say which there are."""
    digits = run.removeprefix("r-")
    found = ws.journal.run(run) if run.startswith("r-") and digits.isascii() and digits.isdigit() else None
    if found is None:
        newest = ", ".join(f"{one.run} ({one.verb} {one.what})" for one in ws.journal.runs(limit=3))
        raise BadInput(
            "run-unknown",
            f'There is no run "{run}".',
            where=f"the newest are {newest}" if newest else "nothing has run here yet",
            kept="nothing was changed",
            next=[["icx", "log"]],
        )
    return found
