"""What is clicked: the workspace's widgets. Each gets the values and the calls it needs, never the workspace itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icx.connections.diagnosis import Verified
    from icx.connections.login import Login
    from icx.connections.saved import SavedConnection
    from icx.widgets.connect import Connect
    from icx.workspace.workspace import Workspace


class Clicking:
    """The verbs of a workspace that show a widget; whatever one does by clicking has a verb of its own too."""

    def connect(self: Workspace, label: str = "", *, update: bool = False, diagnose: bool = False) -> Connect:  # type: ignore[misc]
        """Show the connection wizard: a new login, new credentials of a saved one, or why one fails.

        A login is tried at once, and saved only when everything is right. By typing: `icx connect`.
        """
        from icx.widgets.connect import Connect

        return Connect(_Logins(self), label, "update" if update else "diagnose" if diagnose else "")


class _Logins:
    """A workspace's accounts, as the wizard asks for them."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def saved(self) -> list[SavedConnection]:
        return self._ws.accounts.connections.all()

    def login(self, name: str) -> Login:
        return self._ws.accounts.login(self._ws.accounts.connections.load(name))

    def connect(self, name: str, login: Login, **chosen: Any) -> tuple[SavedConnection, Verified, str | None]:
        done = self._ws.accounts.connect(name, login, **chosen)
        return done.saved, done.verified, done.place

    def simulate(self, name: str) -> SavedConnection:
        return self._ws.accounts.start_sandbox(name, self._ws.layout.data / f"sandbox-{name}.sqlite")

    def holds(self, name: str) -> Mapping[str, int]:
        from icx.workspace.look import holds

        return holds(self._ws.store, name)
