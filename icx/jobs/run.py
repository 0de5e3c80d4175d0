"""One run of a notebook: what became of it, where its copy and its page lie, what it gave to machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from icx.errors import BadInput, IcxError, NeedsYou, Refused, Stopped

State = Literal["done", "failed", "stopped", "needs-you"]
EXIT = {"done": 0, "failed": 1, "needs-you": 3, "stopped": 130}
RECORD = "run.json"


@dataclass(frozen=True)
class Run:
    """What became of one run of a notebook; times are aware UTC.

    `state` is done, failed, stopped (from outside) or needs-you (a check, a limit or an unanswered question).
    `executed` is the notebook with its outputs, `report` the same as one HTML page; both are there whatever
    the state. `error` is the `error` object of voice and JSON (code, message, where, kept, next) and `results`
    what the notebook gave with `icx.notebook.result`. `apply` tells whether the run was allowed to send.
    `again` is the run that this one repeats, `answered` the verbs it answered from that one's record.
    """

    id: str
    notebook: Path
    state: State
    started: datetime
    ended: datetime
    executed: Path
    report: Path
    error: Mapping[str, Any] | None = None
    results: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    apply: bool = False
    again: str | None = None
    answered: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.state == "done"

    @property
    def seconds(self) -> float:
        return (self.ended - self.started).total_seconds()

    @property
    def exit_code(self) -> int:
        """The exit code of `icx run`: 0 done, 1 failed, 3 needs you, 130 stopped."""
        return EXIT[self.state]

    def problem(self) -> IcxError | None:
        """Return why the run is not done, as the error to show."""
        if self.error is None:
            return None
        kind: type[IcxError] = {"needs-you": NeedsYou, "stopped": Stopped}.get(self.state, Refused)
        where = self.error.get("where") or {}
        return kind(
            str(self.error["code"]),
            str(self.error["message"]),
            where=where.get("text", where),
            kept=str(self.error.get("kept", "")),
            next=self.error.get("next", ()),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the run's JSON, schema `run/1`."""
        return {
            "run": self.id,
            "notebook": str(self.notebook),
            "state": self.state,
            "started": _text(self.started),
            "ended": _text(self.ended),
            "parameters": dict(self.parameters),
            "apply": self.apply,
            "again": self.again,
            "answered": list(self.answered),
            "executed": str(self.executed),
            "report": str(self.report),
            "results": dict(self.results),
        } | ({"error": dict(self.error)} if self.error is not None else {})

    def __str__(self) -> str:
        from icx.jobs.words import transcript

        return transcript(self)

    def _repr_html_(self) -> str:
        from icx.jobs.words import run_html

        return run_html(self)


def folder(runs: Path, run: str) -> Path:
    """Return where a run keeps its files; refuses what is no run's name."""
    if not (run.startswith("r-") and run[2:].isascii() and run[2:].isdigit()):
        raise unknown(run)
    return runs / run


def read(runs: Path, run: str) -> dict[str, Any]:
    """Return the record of a run, which is written before its kernel starts."""
    path = folder(runs, run) / RECORD
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise unknown(run) from None
    return found


def unknown(run: str) -> BadInput:
    return BadInput(
        "parameter",
        f"There is no run {run} of a notebook here.",
        where="data/runs",
        kept="nothing was started",
        next=["the name of a run, such as r-142; each has a folder in data/runs"],
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
