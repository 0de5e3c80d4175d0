"""The run that a kernel is part of: what the runner tells it, and where it leaves what it has to tell.

The runner sets `ICX_RUN` and `ICX_WORKSPACE`; everything else stands in the run's record, `data/runs/r-142/run.json`.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from icx import mask
from icx.errors import IcxError, NeedsYou
from icx.jobs.run import read
from icx.store import private, shared

RUN, WORKSPACE = "ICX_RUN", "ICX_WORKSPACE"
RESULTS, ERROR, ANSWERED, WRONG = "results.json", "error.json", "answered.txt", "wrong.jsonl"


@dataclass(frozen=True)
class Inside:
    """One run under way, seen from its kernel. `root` is the first of the run and its repetitions."""

    run: str
    root: str
    apply: bool
    notebook: str
    workspace: Path
    folder: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)  # what was given, without the defaults
    asked: Counter[str] = field(
        default_factory=Counter
    )  # how often each verb was asked the same, in this kernel

    def refuses(self, what: str) -> NeedsYou:
        """Return that a dry run sends nothing; `what` is the call that was not made."""
        return NeedsYou(
            "dry-run",
            "This run is dry: it reads and plans, and sends nothing.",
            where=what,
            kept="nothing was sent",
            next=[["icx", "run", self.notebook, "-p", "apply=true"]],
            data={"run": self.run},
        )

    def guard(self, method: str, label: str) -> None:
        """Stop a write of a dry run before it is sent."""
        if not self.apply:
            raise self.refuses(f"{method} {label}")

    def result(self, values: Mapping[str, Any]) -> None:
        """Keep values for the run's JSON; the last one of a name counts."""
        path = self.folder / RESULTS
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        write_json(path, known | {name: plainly(value) for name, value in values.items()})

    def answered(self, verb: str) -> None:
        """Note that a verb was answered from the record of the run that this one repeats."""
        with private.alone(), (self.folder / ANSWERED).open("a", encoding="utf-8") as out:
            out.write(f"{verb}\n")

    def went_wrong(self, error: IcxError) -> None:
        """Note the error that a verb ended with although it is done: a list that differs, a check that does not pass."""
        with private.alone(), (self.folder / WRONG).open("a", encoding="utf-8") as out:
            out.write(json.dumps(error.as_dict() | {"exit": error.exit_code}, default=str) + "\n")

    def failed(self, error: IcxError) -> None:
        """Keep the four parts of the error that ends the run."""
        write_json(self.folder / ERROR, error.as_dict() | {"exit": error.exit_code})


def current() -> Inside | None:
    """Return the run that this process is the kernel of, or None; raises BadInput when its record is gone."""
    run, workspace = os.environ.get(RUN), os.environ.get(WORKSPACE)
    return _read(run, workspace) if run and workspace else None


@cache
def _read(run: str, workspace: str) -> Inside:
    runs = Path(workspace) / "data" / "runs"
    record = read(runs, run)  # without it nobody can say whether this run may send
    return Inside(
        run=run,
        root=record["root"],
        apply=record["apply"],
        notebook=record["notebook"],
        workspace=Path(workspace),
        folder=runs / run,
        parameters=record.get("parameters", {}),
    )


def plainly(value: Any) -> Any:
    """Return what JSON can hold of a value: objects of icx as their own JSON, tables as rows, the rest as text.

    Addresses are masked, as in everything else that a run leaves behind.

    >>> plainly({"n": 1, "when": (1, None), "mean": float("nan"), "who": "ada@example.com"})
    {'n': 1, 'when': [1, None], 'mean': None, 'who': 'a…@e….com'}
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None  # a mean of nobody: JSON has no word for it
    if isinstance(value, str):
        return mask.addresses_in(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {mask.addresses_in(str(key)): plainly(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plainly(each) for each in value]
    if hasattr(value, "as_dict"):
        return plainly(value.as_dict())
    if hasattr(value, "to_dict") and not hasattr(value, "to_dicts"):
        # A pandas table: its rows; a column: its values by label.
        return plainly(value.to_dict("records") if hasattr(value, "columns") else value.to_dict())
    for rows in ("to_dicts", "to_pylist", "to_list", "tolist"):  # of polars, Arrow, polars' columns, numpy
        if hasattr(value, rows):
            return plainly(getattr(value, rows)())
    text = str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
    return None if text in {"NaT", "<NA>"} else mask.addresses_in(text)  # pandas' words for nothing


def write_json(path: Path, value: Any) -> None:
    """Write a file that is whole or not there, for its owner only."""
    shared.write(path, json.dumps(value, indent=1, default=str))
