"""Running notebooks: the workspace's folders and journal, handed to the runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icx.jobs import Run
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
    from icx.jobs.runner import Runner

    runner = Runner(ws.layout.root, ws.layout.runs, ws.journal, ws.clock, ws.who, progress)
    return runner.again(again, given) if again else runner.run(notebook or "", given)
