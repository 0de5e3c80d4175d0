"""Which Spark cluster a verb runs on, and the folder that it shares with this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput

if TYPE_CHECKING:
    from icx.profile import Build
    from icx.scale import Cluster
    from icx.workspace.workspace import Workspace


def cluster(ws: Workspace, master: str | None, folder: str | Path | None) -> Cluster | None:
    """Return the cluster at a master's address, or None without one: then DuckDB computes it here.

    `folder` must be one that this machine and every worker can write under the same path; without it it is
    `data/scale` of the workspace. The tables lie there while the cluster works, and are removed then.
    """
    if master is None:
        return None
    from icx.scale import Cluster

    return Cluster(master, Path(folder) if folder else ws.layout.scale)


def build(
    ws: Workspace,
    name: str | None,
    master: str | None,
    folder: str | Path | None,
    to: str | Path | None,
    **asked: Any,
) -> Build:
    """Build the profile, here or on the cluster; with `to` a cluster leaves it there, as Parquet in a new folder."""
    from icx.workspace.bringing import build

    if to is not None and master is None:
        raise BadInput(
            "usage",
            "Only a Spark cluster writes the profile to a folder of its own; a build here publishes it as Parquet.",
            where=f"to={str(to)!r}",
            kept="nothing was started",
            next=[f"master='spark://host:7077' beside it, or read {ws.layout.published}"],
        )
    there = Path(to).absolute() if to is not None else None
    return build(ws, name, **asked, cluster=cluster(ws, master, folder), to=there)
