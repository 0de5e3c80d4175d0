"""Who hears of long work: the caller, whoever watches the journal from another process, and a notebook's cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from icx.errors import NeedsYou

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
def hearing(ws: Workspace, run: str, progress: Say | None, title: str) -> Iterator[Say]:
    """Give what `hear` gives; without a caller a notebook's cell shows the work, and one line of it afterwards."""
    from icx.workspace.cell import Cell, in_notebook

    if progress is not None or not in_notebook():
        yield hear(ws, run, progress)
        return
    cell = Cell(title, ws.clock, ws.settings.zone)
    try:
        yield hear(ws, run, cell)
    except BaseException:
        cell.end("stopped")
        raise
    cell.end("done")


def check_rest(ws: Workspace, what: str) -> None:
    """Raise `pushes-paused` while somebody lets all pushes rest."""
    from icx.look.when import moment
    from icx.store.activity import Activity

    rest = Activity(ws.journal).paused()
    if rest is None:
        return
    since = moment(rest.since, ws.clock.now(), ws.settings.zone)
    raise NeedsYou(
        "pushes-paused",
        f"All pushes of this workspace are paused, by {rest.who} since {since}.",
        where=f"{what}{f': {rest.why}' if rest.why else ''}",
        kept="nothing was sent; the plan stays as it is",
        next=[["icx", "resume"], ["icx", "apply", what]],
    )


def resting(ws: Workspace, ending: Callable[[], bool] | None) -> Callable[[], bool]:
    """Return whether an apply is to end after this batch: because it was asked to, or because pushes were paused."""
    from icx.store.activity import Activity

    activity = Activity(ws.journal)
    return lambda: (ending is not None and ending()) or activity.paused() is not None
