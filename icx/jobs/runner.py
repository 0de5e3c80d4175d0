"""The runner: finds the notebook, checks its parameters, executes it, and keeps what became of it.

Everything of a run lies in `data/runs/r-142/`: `run.json` (written before the kernel starts), the executed notebook
(written after every cell), `report.html`, and what the notebook gave to machines in `results.json`.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from icx import mask
from icx.clock import Clock
from icx.errors import BadInput, IcxError, NeedsYou, Stopped, TryLater
from icx.jobs import inside, parameters
from icx.jobs.parameters import as_json
from icx.jobs.run import RECORD, Run, State, folder, read
from icx.store import private
from icx.store.journal import Journal
from icx.store.locks import Holder, who

REPORT = "report.html"


@dataclass(frozen=True)
class Progress:
    """Which cell of a run is under way: `done` cells of `of` are behind it, `note` says what it is about."""

    run: str
    what: str
    done: int
    of: int
    note: str = ""


@dataclass(frozen=True)
class Runner:
    """Runs notebooks of one workspace. `root` is its folder (the kernel's too), `runs` where runs are kept."""

    root: Path
    runs: Path
    journal: Journal
    clock: Clock
    who: str = ""
    progress: Callable[[Progress], None] | None = None

    def run(self, notebook: str | Path, given: Mapping[str, Any]) -> Run:
        """Run a notebook from its first cell; see `Workspace.run`."""
        path = self.find(notebook)
        values = parameters.checked(Path(notebook), parameters.of_notebook(path), given)
        return self._started(path, values, root=None, again=None)

    def again(self, run: str, given: Mapping[str, Any]) -> Run:
        """Run the notebook of an earlier run once more, with its parameters; see `Workspace.run`.

        Raises TryLater ("already-running") while that run, or another repetition of it, is under way.
        """
        record = read(self.runs, run)
        if given:
            raise BadInput(
                "parameter",
                "A repeated run keeps its parameters.",
                where=f"--again {run}, {', '.join(given)}",
                kept="the notebook was not started",
                next=[["icx", "run", "--again", run]],
            )
        path = self.find(record["notebook"])
        values = parameters.checked(path, parameters.of_notebook(path), record["parameters"])
        return self._started(path, values, root=record["root"], again=run)

    def find(self, notebook: str | Path) -> Path:
        """Return the notebook's file: from here, from the workspace, else the one that comes with icx."""
        asked = Path(notebook)
        shipped = importlib.util.find_spec("icx.notebooks")
        places = [asked, self.root / asked]
        if (
            shipped is not None
            and shipped.submodule_search_locations
            and asked.parent.name in {"notebooks", ""}
        ):
            places += [Path(place) / asked.name for place in shipped.submodule_search_locations]
        places.append(Path(__file__).parents[2] / "notebooks" / asked.name)
        for place in places:
            if place.suffix == ".ipynb" and place.is_file():
                return place.absolute()
        raise BadInput(
            "file-unknown",
            "There is no such notebook.",
            where=str(notebook),
            kept="nothing was started",
            next=["name a notebook (.ipynb) that is there, then the same command"],
        )

    def load(self, run: str) -> Run:
        """Return a run of before; one whose process is gone is settled as stopped first."""
        record = read(self.runs, run)
        known = self.journal.run(run)
        if record["state"] == "running" and known is not None and known.state == "cut off":
            return self._settled(record, None, "stopped", _stopped(record))
        return from_record(folder(self.runs, run), record)

    # -- inside

    def _started(self, path: Path, values: dict[str, Any], *, root: str | None, again: str | None) -> Run:
        apply, outer = values.get("apply") is True, inside.current()
        if apply and outer is not None and not outer.apply:
            # The kernel of the run within would be told that it may send.
            raise outer.refuses(f"run {path.name}, apply=true")
        run = self.journal.start_run("run", path.name, self.who)
        place = folder(self.runs, run)
        private.folder(place)
        record: dict[str, Any] = {
            "run": run,
            "root": root or run,
            "again": again,
            "notebook": str(path),
            "parameters": {name: as_json(value) for name, value in values.items()},
            "apply": apply,
            "started": self.clock.now().isoformat(),
            "state": "running",
        }
        inside.write_json(place / RECORD, record)
        try:
            with self.journal.lock(f"run {root or run}", what=run, busy=_busy):
                return self._executed(record, path, place, values)
        except TryLater:
            self._settled(record, None, "stopped", None)
            raise

    def _executed(self, record: dict[str, Any], path: Path, place: Path, values: dict[str, Any]) -> Run:
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError

        from icx.jobs.execution import Execution

        cells: dict[str, Any] = {}

        def cell(index: int, of: int, one: Any) -> None:
            cells.update(index=index, of=of, source=one.source)
            if self.progress is not None:
                self.progress(
                    Progress(record["run"], f"cell {index + 1} of {of}", index, of, _about(one.source))
                )

        work = Execution(
            source=path,
            target=place / path.name,
            parameters=values,
            cwd=self.root.absolute(),
            log=place / "kernel.log",
            environment={inside.RUN: record["run"], inside.WORKSPACE: str(self.root.absolute())},
            cell=cell,
        )
        state: State = "done"
        error: dict[str, Any] | None = None
        try:
            work.run()
        except PapermillExecutionError as failure:
            state, error = self._why(record, place, cells, failure.ename, failure.evalue)
        except (DeadKernelError, RuntimeError) as failure:
            told = (
                "Its kernel ended by itself" if isinstance(failure, DeadKernelError) else "No kernel came up"
            )
            state, error = "failed", _broken(record, cells, f"{told}.", place)
        except KeyboardInterrupt:
            self._settled(record, work, "stopped", _stopped(record, cells))
            raise
        except BaseException:
            self._settled(record, work, "failed", _broken(record, cells, "icx itself went wrong.", place))
            raise
        if error is None and (ended := _wrong(place)):
            # Every cell ran, and yet a list differs or a check does not pass: that is never shown as done.
            error = min(ended, key=lambda one: int(one.get("exit", 1)))
            state = "needs-you" if error.pop("exit", 1) == 3 else "failed"
        return self._settled(record, work, state, error)

    def _why(
        self, record: Mapping[str, Any], place: Path, cells: Mapping[str, Any], name: str, text: str
    ) -> tuple[State, dict[str, Any]]:
        """Return the state and the error of a run that a cell ended."""
        told = place / inside.ERROR
        if told.exists():
            error = json.loads(told.read_text(encoding="utf-8"))
            exit_code = error.pop("exit", 1)
            error["where"] = dict(error.get("where") or {}) | {"cell": cells.get("index", 0) + 1}
            ends: dict[int, State] = {NeedsYou.exit_code: "needs-you", Stopped.exit_code: "stopped"}
            return ends.get(exit_code, "failed"), error
        said = mask.plain(mask.addresses_in(text.strip().splitlines()[0] if text.strip() else ""))[:200]
        return "failed", _broken(record, cells, f"{name}: {said}" if said else f"{name}.", place)

    def _settled(self, record: dict[str, Any], work: Any, state: State, error: dict[str, Any] | None) -> Run:
        """Write down how a run ended, everywhere it is written: record, journal, notebook, page."""
        from icx.jobs.report import write_report

        place = folder(self.runs, record["run"])
        record |= {"state": state, "error": error, "ended": self.clock.now().isoformat()}
        told = place / inside.ANSWERED
        record["answered"] = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
        done = from_record(place, record)
        if work is not None and work.book is not None:
            work.keep(run=done.id, state=state, schema="run/1", error=error)
        write_report(done)
        inside.write_json(place / RECORD, record)
        self.journal.end_run(done.id, state, {"code": error["code"]} if error else {})
        return done


def from_record(place: Path, record: Mapping[str, Any]) -> Run:
    """Return a run as its record has it."""
    notebook = Path(record["notebook"])
    results = place / inside.RESULTS
    started = datetime.fromisoformat(record["started"])
    return Run(
        id=record["run"],
        notebook=notebook,
        state=record["state"],
        started=started,
        ended=datetime.fromisoformat(record["ended"]) if record.get("ended") else started,
        executed=place / notebook.name,
        report=place / REPORT,
        error=record.get("error"),
        results=json.loads(results.read_text(encoding="utf-8")) if results.exists() else {},
        parameters=record["parameters"],
        apply=record["apply"],
        again=record["again"],
        answered=tuple(record.get("answered", ())),
    )


def _about(source: str) -> str:
    """Return the line of a cell that says most: its first that is no import, comment or magic."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("#", "%", "import ", "from "))]
    return mask.addresses_in((telling or lines)[0])[:80] if lines else ""


def _wrong(place: Path) -> list[dict[str, Any]]:
    told = place / inside.WRONG
    return (
        [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()] if told.exists() else []
    )


def _broken(record: Mapping[str, Any], cells: Mapping[str, Any], said: str, place: Path) -> dict[str, Any]:
    name = Path(record["notebook"]).name
    at = f" in cell {cells['index'] + 1} of {cells['of']}" if cells else " before its first cell"
    return IcxError(
        "notebook-failed",
        f"{name} ended{at}. {said}",
        where=_about(cells.get("source", "")) or "before its first cell",
        kept=f"what it showed until there: {place / REPORT}",
        next=[["icx", "run", "--again", record["run"]]],
        data={"cell": cells["index"] + 1} if cells else {},
    ).as_dict()


def _stopped(record: Mapping[str, Any], cells: Mapping[str, Any] | None = None) -> dict[str, Any]:
    name = Path(record["notebook"]).name
    at = f"cell {cells['index'] + 1} of {cells['of']}" if cells else "its process is gone"
    return IcxError(
        "stopped",
        f"The run of {name} was stopped.",
        where=at,
        kept="what was done until then; nothing is done twice",
        next=[["icx", "run", "--again", record["run"]]],
    ).as_dict()


def _busy(holder: Holder | None) -> IcxError:
    return TryLater(
        "already-running",
        "That run, or a repetition of it, is under way.",
        where=f"{holder.what}, {who(holder)}" if holder else who(holder),
        kept="this one did nothing",
        next=["wait until it ends, then the same command"],
    )
