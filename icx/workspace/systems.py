"""Systems: every kind of connection, opened; `Workspace` has these verbs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from icx.words import counted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from icx.connections.base import Connection
    from icx.connections.saved import SavedConnection
    from icx.http import Secret
    from icx.sync import Sync, SyncPlan
    from icx.sync.resolve import End
    from icx.workspace.mailchimp import Joined
    from icx.workspace.workspace import Workspace


class Both:
    """The systems of a workspace, as the editor of a sync asks for them."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def names(self) -> list[dict[str, str]]:
        """Return the saved connections with the words for their kinds."""
        from icx.connections.opening import KINDS

        words = {name: kind.label for name, kind in KINDS.items()}
        saved = self._ws.accounts.connections.all()
        return [{"name": one.name, "kind": one.kind, "words": words.get(one.kind, one.kind)} for one in saved]

    def look(self, name: str) -> tuple[End, str]:
        """Try a system's login, and return what it has and can, and what was seen."""
        from icx.sync.resolve import End

        there = self._ws.system(name)
        seen = there.verify()
        lists = tuple(there.containers()) if "lists" in there.can else ()
        end = End(name, there.kind, there.can, tuple(there.schema()), lists)
        return end, str(getattr(seen, "words", "")) or f"{there.place}, {counted(len(end.columns), 'field')}"

    def save(self, sync: Sync, *, change: bool) -> Sync:
        """Save a sync; raises NeedsYou (sync-change) when the saved one reads otherwise."""
        from icx.sync.definition import SIDES

        sides = {side: sync.of(side) for side in SIDES}
        return self._ws.sync(
            sync.name, sync.a, sync.b, lines=sync.lines, rules=sync.rules, winner=sync.of("b" if sync.winner == "b" else "a"),
            alike=sync.alike, unsubscribes={sides[side]: sync.unsubscribes[side] for side in SIDES if side in sync.unsubscribes},
            basis=sync.basis, description=sync.description, replace=change,
        )  # fmt: skip

    def plan(self, sync: Sync) -> SyncPlan:
        """Read both systems and return what would be done."""
        return sync.plan()


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

    def connect_table(
        self,
        name: str,
        source: str | Path,
        identity: str,
        *,
        email: str | None = None,
        writable: Collection[str] = (),
        description: str | None = None,
    ) -> SavedConnection:
        """Read a table once and save it as a connection: a CSV or Parquet file, or a table of a database.

        `ws.connect_table("shop", "shop.csv", "id", writable=["tier"])`; a table of a DuckDB file is
        `shop.duckdb#people`, one of another database its address and `#people`. A password in the address is kept
        apart, as logins are. Raises BadInput (table-source, table-column, table-email). By typing: `icx connect
        NAME --table`.
        """
        from icx.connections.table.sources import without_password

        ws: Workspace = self  # type: ignore[assignment]
        shown, secret = without_password(str(source))
        saved, _, _ = ws.accounts.connect_table(
            name, shown, identity, email=email, writable=writable, description=description, secret=secret
        )
        return saved

    def connect_mailchimp(
        self,
        name: str,
        *,
        key: str | Secret | None = None,
        audience: str | None = None,
        base_url: str | None = None,
        description: str | None = None,
        default: bool = False,
        reset: bool = False,
    ) -> Joined:
        """Try a key of Mailchimp's and save one of its audiences, named by `audience` (name or id) if there are several.

        Without a `key` the saved one counts, else `ICX_MAILCHIMP_KEY`, else it is asked for, hidden. What comes back
        tells the audience's fields, which of them it needs, and whether it asks new members to confirm. Raises
        needs-answer, mailchimp-audience, login-refused; nothing is saved then. By typing: `icx connect NAME --mailchimp`.
        """
        from icx.workspace.mailchimp import connect, login_of

        ws: Workspace = self  # type: ignore[assignment]
        return connect(
            ws.accounts, name, login_of(ws.accounts, name, key, base_url),
            audience=audience, description=description, default=default, reset=reset,
        )  # fmt: skip
