"""What a check found, ready to be read, stored and asked for its rows."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from icx.quality import words
from icx.quality.suites import Severity

Outcome = Literal["passed", "warning", "failed"]
ALWAYS_NEEDED = frozenset({"email", "ic_status", "contact_id", "ic_contact_id"})
_NOUNS = {"contacts": "contacts", "activity": "events", "profile": "people"}


@dataclass(frozen=True)
class Result:
    """One expectation and what became of it.

    `key` names it for an override (`profile/email`, `contacts/table`). `percent` is of the values looked at,
    0–100. `samples` are up to 20 values (rows, of one's own SQL) that break it, masked; `people` the ids of their rows. `refused`
    says why it could not be judged. `native` is Great Expectations' own result, masked.
    """

    key: str
    type: str
    columns: tuple[str, ...]
    severity: Severity
    success: bool
    says: str
    found: str
    line: str
    elements: int | None = None
    unexpected: int | None = None
    percent: float | None = None
    samples: tuple[Any, ...] = ()
    people: tuple[Any, ...] = ()
    mostly: float = 1.0
    refused: str | None = None
    native: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def outcome(self) -> Outcome:
        if self.success:
            return "passed"
        return "failed" if self.severity == "critical" else "warning"

    def as_dict(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "type": self.type,
            "columns": list(self.columns),
            "severity": self.severity,
            "outcome": self.outcome,
            "success": self.success,
            "says": self.says,
            "found": self.found,
            "line": self.line,
            "elements": self.elements,
            "unexpected": self.unexpected,
            "percent": self.percent,
            "samples": list(self.samples),
            "people": list(self.people),
            "mostly": self.mostly,
            "refused": self.refused,
        }


@dataclass(frozen=True)
class CheckReport:
    """The verdict of one suite over one table; `ok` is false when a critical expectation failed.

    `judged` is the build (profile), the pull (raw tables) or the plan that was judged, `digest` tells the
    suite's text, `rows_judged` how many rows the table had, `seconds` how long judging took.
    """

    connection: str
    suite: str
    judged: str
    ran_at: datetime.datetime
    run: str
    results: tuple[Result, ...]
    rows_judged: int
    seconds: float
    digest: str = ""
    html_path: Path | None = None
    fetch: Callable[..., Any] | None = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        return not self.failed

    @property
    def passed(self) -> list[Result]:
        return [one for one in self.results if one.outcome == "passed"]

    @property
    def warnings(self) -> list[Result]:
        return [one for one in self.results if one.outcome == "warning"]

    @property
    def failed(self) -> list[Result]:
        return [one for one in self.results if one.outcome == "failed"]

    @property
    def noun(self) -> str:
        return _NOUNS.get(self.suite, "rows")

    def counts(self) -> str:
        parts = [f"{len(self.passed)} passed"]
        if self.warnings:
            parts.append(f"{len(self.warnings)} warning{'s' if len(self.warnings) > 1 else ''}")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        return ", ".join(parts)

    def headline(self) -> str:
        verdict = "passed" if self.ok else "did not pass"
        return (
            f"The {self.suite} of {self.connection} {verdict}: {self.counts()} "
            f"({self.rows_judged:,} {self.noun}, {self.seconds:.1f} s)"
        )

    def consequence(self) -> str:
        """Return what the failures stop, in one sentence; empty when they stop nothing."""
        if self.ok:
            return ""
        everywhere = [one for one in self.failed if stops_every_push(self.suite, one.columns)]
        goes_on = "Counting and building audiences goes on."
        if everywhere:
            column = next((name for one in everywhere for name in one.columns), None)
            if self.suite == "profile" and column:
                return f"Every push needs {column}, so pushes to {self.connection} wait. {goes_on}"
            return f"This stops every push, so pushes to {self.connection} wait. {goes_on}"
        columns = sorted({name for one in self.failed for name in one.columns})
        return f"Pushes that use {words.value(columns)} wait; others go on. {goes_on}"

    def next(self) -> list[list[str]]:
        """Return the commands to type next, as argument lists."""
        steps = []
        for one in [*self.failed, *self.warnings][:1]:
            if one.columns or one.type == "unexpected_rows_expectation":
                steps.append(
                    ["icx", "check", self.suite, "--rows", one.columns[0] if one.columns else "table"]
                )
        return steps

    def text(self) -> str:
        """Return the report as the terminal prints it."""
        lines = [self.headline()]
        for one in [*self.failed, *self.warnings]:
            people = words.ids(one.people) if one.severity == "critical" else ""
            note = "; a warning stops nothing" if one.outcome == "warning" else ""
            lines.append(f"  {one.outcome:<9} {one.line}{f' {people}' if people else ''}{note}")
        if self.consequence():
            lines.append(self.consequence())
        steps = [" ".join(step) for step in self.next()]
        if self.failed:
            steps.append(f"icx plan … --override {self.failed[0].key} --because '…'")
        if steps:
            lines.append(f"Next: {', or '.join(steps)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.headline()

    def _repr_html_(self) -> str:
        from icx.quality.page import fragment

        return fragment([self])

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON: plain integers, UTC, people as ids, addresses masked."""
        return {
            "connection": self.connection,
            "suite": self.suite,
            "judged": self.judged,
            "ran_at": self.ran_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "run": self.run,
            "ok": self.ok,
            "rows": self.rows_judged,
            "seconds": round(self.seconds, 3),
            "passed": len(self.passed),
            "warnings": len(self.warnings),
            "failed": len(self.failed),
            "results": [one.as_dict() for one in self.results],
            "report": str(self.html_path) if self.html_path else None,
        }

    def speaks_of(self, which: str) -> bool:
        """Return whether `rows` would find an expectation of that column, key or type."""
        suite, slash, wanted = which.rpartition("/")
        return (not slash or suite == self.suite) and any(
            wanted in one.columns or wanted in (one.key.partition("/")[2], one.type) for one in self.results
        )

    def rows(self, which: str, *, show_people: bool = False, limit: int = 1000) -> Any:
        """Return the rows that break the expectations on a column (or of a key such as `profile/email`).

        A pandas frame with the expectation, the row's key and the columns looked at; addresses are masked
        unless `show_people`. Reads the table as it is now.
        """
        if self.fetch is None:
            raise LookupError("this report was read back without its store; run the check again")
        return self.fetch(which, show_people=show_people, limit=limit)


def stops_every_push(suite: str, columns: Sequence[str]) -> bool:
    """Return whether a failure concerns every push: raw tables, whole tables, and what every push needs."""
    return suite != "profile" or not columns or bool(ALWAYS_NEEDED & set(columns))
