"""A small simulated account in a workspace, pulled and built, for tests of what is shown and what is written."""

from __future__ import annotations

from pathlib import Path

from icx.workspace import Workspace

CONTACTS, MESSAGES = (
    600,
    24,
)  # the smallest account whose demo audience has people to add, to keep and to refuse


def pulled(folder: Path, *, seed: int = 17) -> Path:
    """Make the workspace; its simulated account starts again whenever a command needs it."""
    with Workspace.with_sandbox(folder, contacts=CONTACTS, messages=MESSAGES, seed=seed) as ws:
        ws.pull("acme")
        ws.build("acme")
    return folder
