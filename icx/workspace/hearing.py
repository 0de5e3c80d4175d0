"""Who hears of long work: the caller, whoever watches the journal from another process, and a notebook's cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace

Say = Callable[[Any], None]


def hear(ws: Workspace, run: str, progress: Say | None) -> Say:
    """Return what long work tells its progress: noted in the journal, then handed to the caller."""
    from icx.store.activity import Activity

    note = Activity(ws.journal).teller(run)

    def tell(report: Any) -> None:
        note(report)
        if progress is not None:
            progress(report)

    return tell


@contextmanager
def hearing(
    ws: Workspace,
    run: str,
    progress: Say | None,
    title: str,
    end: Callable[[], object],
    service: str = "iContact",
) -> Iterator[Say]:
    """Give what `hear` gives; without a caller a notebook's cell shows the work, and one line of it afterwards.

    `end` is what the button in the cell does, `service` what is waited for. In a notebook that runs by itself nobody is there to press it.
    """
    from icx.workspace.cell import Cell, in_notebook

    if progress is not None or not in_notebook():
        yield hear(ws, run, progress)
        return
    cell = Cell(title, ws.clock, ws.settings.zone, None if ws.inside else end, service)
    try:
        yield hear(ws, run, cell)
    except BaseException:
        cell.end("stopped")
        raise
    cell.end("done")
