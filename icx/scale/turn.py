"""One run on a cluster: its turn in the workspace, its folder, and Spark while it lasts."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from icx.scale.cluster import Cluster
from icx.scale.spark import Spark, started
from icx.store import Store, locks


@contextmanager
def run(
    cluster: Cluster,
    store: Store,
    connection: str,
    verb: str,
    *,
    say: Callable[[int, int, str], None] | None = None,
) -> Iterator[Spark]:
    """Start Spark for a verb on a connection, and end it with the block.

    The database is free meanwhile, and the people in it are on the cluster too: so the run holds a lock of the
    workspace, and nobody is erased and nothing restored before it ends. The folder is this workspace's own, also
    where another one shares the cluster's folder and has a connection of that name.

    Raises TryLater ("already-running") at once while the same runs already, and what `started` raises.
    """
    where = store.path.resolve()
    ours = hashlib.sha256(f"{platform.node()} {where}".encode()).hexdigest()[:8]
    turn = f"spark {verb} {connection}"
    with (
        locks.hold(
            where.parent / "locks", turn, what=f"a {verb} of {connection} on Spark", clock=store.clock
        ),
        started(cluster, f"icx-{connection}-{verb}-{ours}", clock=store.clock, say=say) as spark,
    ):
        yield spark
