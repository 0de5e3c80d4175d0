"""What is clicked: the workspace's widgets. Each gets the values and the calls it needs, never the workspace itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icx.audience import Audience
    from icx.connections.diagnosis import Verified
    from icx.connections.login import Login
    from icx.connections.saved import SavedConnection
    from icx.connections.table import Seen
    from icx.http import Secret
    from icx.plan import Policy
    from icx.rules import Rule
    from icx.widgets.builder import Builder
    from icx.widgets.connect import Connect
    from icx.widgets.fields import Fields
    from icx.widgets.mapping import MappingEditor
    from icx.widgets.monitor import Monitor
    from icx.widgets.sync import SyncEditor
    from icx.workspace.workspace import Workspace


class Clicking:
    """The verbs of a workspace that show a widget; whatever one does by clicking has a verb of its own too."""

    def connect(self: Workspace, label: str = "", *, update: bool = False, diagnose: bool = False) -> Connect:  # type: ignore[misc]
        """Show the connection wizard: a new login, new credentials of a saved one, or why one fails.

        A login is tried at once, and saved only when everything is right. By typing: `icx connect`.
        """
        from icx.widgets.connect import Connect

        return Connect(_Logins(self), label, "update" if update else "diagnose" if diagnose else "")

    def browse_fields(self: Workspace, connection: str | None = None) -> Fields:  # type: ignore[misc]
        """Show the field catalogue: how full each field is, its values, its SQL; and write a field of one's own.

        By typing: `icx fields`, and a file in data/fields.
        """
        from icx.widgets.fields import Fields
        from icx.workspace.known_fields import KnownFields

        return Fields(KnownFields(self, self.connection(connection).name))

    def builder(  # type: ignore[misc]
        self: Workspace, audience: Audience | Rule | str | None = None, *, connection: str | None = None
    ) -> Builder:
        """Show the audience builder: everybody, an audience (also by its name), or a rule; counted after each edit.

        It reads what the last build published, so it keeps nobody from the database. `builder.audience` is what
        code would have made. Raises `profile-missing` before the first build.
        """
        from icx.audience import Audience, Live, load, names, save
        from icx.widgets.builder import Builder

        folder = self.layout.audiences
        given = load(folder, audience) if isinstance(audience, str) else audience
        own = given.connection if isinstance(given, Audience) else ""
        name = self.connection(connection or own or None).name
        # A notebook keeps every widget it has shown: a cell run again and again must not fill the memory.
        live = self.lives.get(name) or Live(self.layout.published / name, name, folder, self.settings.tz)
        self.lives[name] = live
        return Builder(
            live,
            given,
            save=lambda fresh: save(folder, fresh),
            bound=lambda found: found.of(self.people(name)),
            kept=lambda named: load(folder, named).rule if named in names(folder) else None,
            names=lambda: names(folder),
            clock=self.clock,
        )

    def mapping(  # type: ignore[misc]
        self: Workspace, audience: Audience | str, to: str, *, policy: Policy | None = None
    ) -> MappingEditor:
        """Show the field mapping of a push: which fields travel to which of iContact's, and what cannot.

        `editor.policy` goes to `ws.plan(audience, to, policy=editor.policy)`. Reads the target's custom fields once;
        sends nothing. Raises what naming a list raises (target, connection-unknown).
        """
        from icx.workspace.pushing import mapping

        return mapping(self, audience, to, policy)

    def edit_sync(self: Workspace, name: str = "") -> SyncEditor:  # type: ignore[misc]
        """Show a sync to click together, a new one or a saved one: two systems, fields and their way, rules, a preview.

        Nothing is saved but by its button, and nothing is sent from here. By typing: `icx sync make`, `ws.sync(...)`.
        """
        from icx.widgets.sync import SyncEditor
        from icx.workspace.systems import Both

        return SyncEditor(Both(self), self.sync(name) if name else None)

    def monitor(self: Workspace) -> Monitor:  # type: ignore[misc]
        """Show what runs now, what waits and why, which rows failed, and when jobs come next; live, from any process.

        By typing: `icx status`, `icx schedule list`, `icx pause`, `icx resume`.
        """
        from icx.widgets.monitor import Monitor
        from icx.workspace.watching import Watching

        return Monitor(Watching(self))


class _Logins:
    """A workspace's accounts, as the wizard asks for them."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def saved(self) -> list[SavedConnection]:
        # What is tried again here, step by step, is a login of iContact's; an audience has a key and no such steps.
        return [one for one in self._ws.accounts.connections.accounts() if one.kind != "mailchimp"]

    def login(self, name: str) -> Login:
        return self._ws.accounts.login(self._ws.accounts.connections.load(name))

    def connect(self, name: str, login: Login, **chosen: Any) -> tuple[SavedConnection, Verified, str | None]:
        done = self._ws.accounts.connect(name, login, **chosen)
        return done.saved, done.verified, done.place

    def simulate(self, name: str) -> SavedConnection:
        return self._ws.accounts.start_sandbox(name, self._ws.layout.data / f"sandbox-{name}.sqlite")

    def table(
        self,
        name: str,
        source: str,
        identity: str,
        *,
        email: str | None,
        writable: list[str],
        description: str | None,
    ) -> tuple[SavedConnection, Seen]:
        from icx.connections.table.sources import without_password

        shown, secret = without_password(source)
        saved, seen, _ = self._ws.accounts.connect_table(
            name, shown, identity, email=email, writable=writable, description=description, secret=secret
        )
        return saved, seen

    def mailchimp(
        self,
        name: str,
        key: Secret,
        *,
        audience: str | None,
        base_url: str | None,
        description: str | None,
        reset: bool,
    ) -> tuple[SavedConnection, Sequence[str], str | None]:
        done = self._ws.connect_mailchimp(
            name, key=key, audience=audience, base_url=base_url, description=description, reset=reset
        )
        return done.saved, done.told(), done.place

    def columns(self, source: str) -> list[str]:
        from icx.connections.table.sources import columns_of

        return columns_of(source)

    def holds(self, name: str) -> Mapping[str, int]:
        from icx.workspace.look import holds

        return holds(self._ws.store, name)
