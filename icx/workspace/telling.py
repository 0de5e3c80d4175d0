"""Telling somebody outside who fired: a webhook, a command, a notebook, a custom field of the service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from icx import notify
from icx.errors import IcxError, Refused
from icx.store import private
from icx.triggers import Trigger
from icx.triggers.firings import Firing
from icx.triggers.payload import batches, payload, people
from icx.triggers.trigger import run_command

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace

Addresses = Mapping[int, str] | None


class Settle(Protocol):
    """Notes what became of some firings."""

    def __call__(self, some: Sequence[Firing], state: str, reason: str = "") -> None: ...


def tell(
    ws: Workspace,
    trigger: Trigger,
    due: Sequence[Firing],
    addresses: Addresses,
    settle: Settle,
    run: str,
    progress: Callable[[Any], None] | None,
) -> IcxError | None:
    """Tell of the firings that are due, and return what went wrong; what was told is noted right after, portion by portion."""
    if trigger.do.kind == "notebook":
        return _notebook(ws, trigger, due, addresses, settle, run, progress)
    for some in batches(due):
        do = trigger.do
        (done,) = notify.send(
            payload(trigger, some, addresses),
            command=do.command,
            webhook=do.webhook,
            addresses=do.addresses,
            clock=ws.clock,
        )
        if not done.ok:  # the others wait: who does not hear of this portion does not hear of the next
            settle(some, "failed", str(done))
            return Refused(
                "trigger-untold",
                f"{trigger.name} told nobody: {done}.",
                where=notify.shown_way(do.command, do.webhook),
                kept="who fired is noted, and told by the next run",
                next=[run_command(trigger.name)],
            )
        settle(some, "done")
    return None


def _notebook(
    ws: Workspace,
    trigger: Trigger,
    due: Sequence[Firing],
    addresses: Addresses,
    settle: Settle,
    within: str,
    progress: Callable[[Any], None] | None,
) -> IcxError | None:
    """Run the notebook once, with all who are due in a file of its own, which is gone afterwards."""
    import pyarrow.parquet as pq

    do = trigger.do
    private.folder(ws.layout.handed)
    path = ws.layout.handed / f"{within}.parquet"
    try:
        with private.alone():
            pq.write_table(people(due, addresses), path)
        run = ws.run(
            do.notebook,
            {**do.params, "people": str(path.absolute())},
            apply=True if do.apply else None,
            progress=progress,
        )
    finally:
        path.unlink(missing_ok=True)
    if run.state == "done":
        settle(due, "done", "")
        return None
    problem = run.problem()
    settle(due, "failed", f"{run.id}: {problem.message if problem else run.state}")
    return problem
