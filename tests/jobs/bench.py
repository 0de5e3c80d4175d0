"""A folder of jobs with a real journal, a clock of its own, work that is told how to end, and a webhook."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from icx.clock import ManualClock
from icx.jobs.board import Jobs
from icx.jobs.history import History
from icx.jobs.job import NOBODY, Alert, Job, save
from icx.jobs.run_due import Done, Executor
from icx.store.journal import Journal

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)  # 07:00 in New York


@dataclass
class Bench:
    """`ends` is what each piece of work comes to, in order: a Done, or what is raised; then it is done."""

    folder: Path
    journal: Journal
    clock: ManualClock
    ends: list[Any] = field(default_factory=list)
    worked: list[tuple[str, str]] = field(default_factory=list)
    size: int = 300
    usual: Alert = NOBODY

    def job(self, name: str = "weekly", **changes: Any) -> Job:
        made = Job(
            name, "import", "daily 07:00", "America/New_York", MONDAY - timedelta(hours=1), connection="acme"
        )
        made = replace(made, **changes)
        save(self.folder, made)
        return made

    def work(self, job: Job, again: str) -> Done:
        self.worked.append((job.name, again))
        end = self.ends.pop(0) if self.ends else Done("fine")
        if callable(end) and not isinstance(end, type):
            end = end()
        if isinstance(end, BaseException):
            raise end
        return end  # type: ignore[no-any-return]

    @property
    def executor(self) -> Executor:
        kinds = dict.fromkeys(("notebook", "import", "export"), self.work)
        return Executor(
            self.folder,
            self.journal,
            kinds,
            clock=self.clock,
            who="maya",
            sizes=lambda job: self.size,
            usual=self.usual,
        )

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.folder, History(self.journal), self.clock, "maya")

    @property
    def history(self) -> History:
        return History(self.journal)


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    clock = ManualClock(MONDAY)
    with Journal(folder / "data" / "journal.sqlite", clock) as journal:
        yield Bench(folder / "data" / "jobs", journal, clock)


class Hook:
    """A web server on this machine that keeps what is sent to it and answers as it is told, then 204."""

    def __init__(self, *answers: int, location: str = "") -> None:
        self.got: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.answers = list(answers)
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook.got.append(json.loads(self.rfile.read(length)))
                hook.paths.append(self.path)
                hook.headers.append(dict(self.headers))
                self.send_response(hook.answers.pop(0) if hook.answers else 204)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def hook(*answers: int, location: str = "") -> Iterator[Hook]:
    made = Hook(*answers, location=location)
    try:
        yield made
    finally:
        made.stop()
