"""Systems: every kind of connection, opened; `Workspace` has these verbs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from icx.connections.base import Connection
    from icx.workspace.workspace import Workspace


class Systems:
    """What speaks of people: accounts and tables alike."""

    def system(
        self,
        which: str | pd.DataFrame,
        *,
        name: str = "frame",
        identity: str = "",
        email: str | None = None,
        writable: Collection[str] = (),
    ) -> Connection:
        """Return a saved connection of any kind by its name, or a pandas frame as one.

        A frame is read and changed in place: `identity` names the column that tells its rows apart, `email` that of
        the addresses (guessed if not given), `writable` those that may be written (`*` for all).
        """
        from icx.connections.table import table

        ws: Workspace = self  # type: ignore[assignment]
        if isinstance(which, str):
            return ws.accounts.system(ws.accounts.connections.load(which))
        return table(which, identity, email=email, writable=writable, name=name)
