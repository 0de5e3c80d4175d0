"""A notebook executed cell by cell by papermill, in a kernel of this very interpreter, kept after each cell."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from icx.jobs.books import nbformat  # isort: skip  # before papermill, which imports nbformat in its own way
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from papermill import translators
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.execute import ERROR_MARKER_TAG, execute_notebook
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from icx import mask
from icx.jobs.parameters import as_json
from icx.store import shared

ENGINE = "icx"
_PICTURES = {"image/png", "image/jpeg", "application/pdf"}
_LOG = logging.getLogger("icx.jobs")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


@dataclass
class Execution:
    """One notebook on its way: where it is kept, what its kernel is told, who hears of its progress.

    `cell(index, of, cell)` is called before each code cell. `book` is the notebook as far as it came.
    """

    source: Path
    target: Path
    parameters: Mapping[str, Any]
    cwd: Path
    environment: Mapping[str, str]
    cell: Callable[[int, int, Any], None]
    log: Path  # what the kernel says beside its cells; gone when it said nothing
    autosave: int = 5  # seconds between two savings inside one long cell
    book: Any = field(default=None, repr=False)

    def run(self) -> None:
        """Execute; raises papermill's PapermillExecutionError, nbclient's DeadKernelError, and what stops us."""
        self.book = load_notebook_node(str(self.source))
        if self.parameters:
            # Not by `execute_notebook`, which would read the declarations in its own way and complain about some.
            self.book = parameterize_notebook(
                self.book,
                dict(self.parameters),
                kernel_name="python3",
                language="python",
                engine_name=ENGINE,
            )
            self.book.metadata.papermill["parameters"] = {
                name: as_json(value) for name, value in self.parameters.items()
            }
        execute_notebook(
            self.book,
            None,  # kept by the engine below, masked
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=120,
            job=self,
        )

    def keep(self, **facts: Any) -> None:
        """Write the notebook as it is now, addresses masked; `facts` go into its metadata."""
        book = masked(self.book)
        book.cells = [cell for cell in book.cells if ERROR_MARKER_TAG not in cell.metadata.get("tags", [])]
        if facts:
            book.metadata["icx"] = facts
        shared.write(self.target, nbformat.writes(book))  # type: ignore[no-untyped-call]


def masked(value: Any) -> Any:
    """Return a copy of a notebook, or of any part of it, without an address in full."""
    if isinstance(value, str):
        return addresses(value)
    if isinstance(value, dict):
        return type(value)((key, each if key in _PICTURES else masked(each)) for key, each in value.items())
    return [masked(each) for each in value] if isinstance(value, list) else copy.copy(value)


def addresses(text: str) -> str:
    """Return text with its e-mail addresses masked, and nothing else touched.

    >>> addresses('<b>ada@example.com</b> @media x{a:b}@import y; pkg@1.2.3')
    '<b>a…@e….com</b> @media x{a:b}@import y; pkg@1.2.3'
    """
    return mask.written_in(text) if "@" in text else text


class ThisInterpreter(AsyncKernelManager):
    """Starts kernels with the Python that runs now, whatever kernels are registered on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="icx",
            language="python",
        )


class _Keeper(NotebookExecutionManager):  # type: ignore[misc]
    """Papermill's record of an execution; keeps the notebook masked, and tells which cell is under way."""

    def __init__(self, book: Any, job: Execution) -> None:
        super().__init__(book, progress_bar=False, autosave_cell_every=job.autosave)
        self.job = job
        job.book = book
        book.metadata.papermill.update(input_path=str(job.source), output_path=str(job.target))

    def cell_start(self, cell: Any, cell_index: int | None = None, **more: Any) -> None:
        super().cell_start(cell, cell_index=cell_index, **more)
        if cell.cell_type == "code" and cell.source.strip():
            self.job.cell(cell_index or 0, len(self.nb.cells), cell)

    def save(self, **kwargs: Any) -> None:
        self.job.book = self.nb
        self.job.keep()
        self.last_save_time = self.now()


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client, which leaves nothing behind in the event loop when it is stopped.

    Ctrl-C ends the waiting and not the task that was waited for: while the kernel ends the task fails, and asyncio
    prints the trace of a failure that nobody asked for; or it goes on in the loop of the next run.
    """

    def papermill_execute_cells(self) -> None:
        try:
            asyncio.get_running_loop()  # a kernel's: then nbclient works in a thread, in a loop of its own
        except RuntimeError:
            loop = ensure_event_loop()
        else:
            return super().papermill_execute_cells()  # type: ignore[no-any-return]
        before = asyncio.all_tasks(loop)
        try:
            super().papermill_execute_cells()
        except BaseException:
            left = asyncio.all_tasks(loop) - before
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            raise


class _Engine(NBClientEngine):  # type: ignore[misc]
    """Papermill's engine with our kernel, our folder and our record."""

    @classmethod
    def execute_notebook(
        cls, nb: Any, kernel_name: str, *, job: Execution, start_timeout: int = 60, **_: Any
    ) -> Any:
        keeper = _Keeper(nb, job)
        keeper.notebook_start()
        try:
            client = _Client(
                keeper,
                kernel_name=kernel_name,
                startup_timeout=start_timeout,
                timeout=None,
                log=_LOG,
            )
            shared.write(job.log, "")
            with (
                job.log.open("w", encoding="utf-8") as log,
                tempfile.TemporaryDirectory(prefix="icx-", ignore_cleanup_errors=True) as sockets,
            ):
                client.km = ThisInterpreter(kernel_name=kernel_name)
                if os.name == "posix":
                    # Sockets in a folder of our own instead of ports, which every user of the machine could try.
                    client.km.transport, client.km.connection_file = "ipc", f"{sockets}/k.json"
                client.execute(
                    cwd=str(job.cwd),
                    env={**os.environ, **job.environment},
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                )
        finally:
            keeper.notebook_complete()
            said = (
                addresses(job.log.read_text(encoding="utf-8", errors="replace")) if job.log.exists() else ""
            )
            job.log.write_text(said, encoding="utf-8") if said.strip() else job.log.unlink(missing_ok=True)
        return keeper.nb


class _Python(translators.PythonTranslator):  # type: ignore[misc]
    """Papermill's Python, which knows no dates."""

    @classmethod
    def translate(cls, val: Any) -> str:
        if isinstance(val, datetime):
            return f'__import__("datetime").datetime.fromisoformat("{val.isoformat()}")'
        if isinstance(val, date):
            return f'__import__("datetime").date({val.year}, {val.month}, {val.day})'
        return str(super().translate(val))


papermill_engines.register(ENGINE, _Engine)
translators.papermill_translators.register("python", _Python)
