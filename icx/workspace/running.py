"""Running notebooks: the workspace's folders and journal, handed to the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icx.workspace.layout import keep_private

if TYPE_CHECKING:
    from icx.jobs import Run
    from icx.jobs.runner import Runner
    from icx.workspace.workspace import Workspace


def run(
    ws: Workspace,
    notebook: str | Path | None,
    given: Mapping[str, Any],
    *,
    again: str | None,
    progress: Callable[[Any], None] | None,
) -> Run:
    """Run a notebook; see `Workspace.run`."""
    found = runner(ws, progress)
    return found.again(again, given) if again else found.run(notebook or "", given)


def runner(ws: Workspace, progress: Callable[[Any], None] | None = None) -> Runner:
    """Return the runner of a workspace's notebooks."""
    from icx.jobs.runner import Runner

    keep_private(ws.layout)
    return Runner(ws.layout.root, ws.layout.runs, ws.journal, ws.clock, ws.who, progress)
