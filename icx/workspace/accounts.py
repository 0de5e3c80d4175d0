"""Logins of a workspace: verified before they are saved, turned into clients that share one budget of calls."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icx.connections.diagnosis import Verified, verify
from icx.connections.icontact import client_for
from icx.connections.login import Login
from icx.connections.opening import Means, opened
from icx.connections.saved import Connections, SavedConnection
from icx.errors import BadInput, Damaged, NeedsYou
from icx.http import Pace, Secret
from icx.icontact import Client, Waiting
from icx.pull import register
from icx.pull import reset as drop_what_was_pulled
from icx.store import Store, erased, private
from icx.store.budget import SharedBudget
from icx.store.erased import Erased
from icx.store.journal import Journal
from icx.store.names import check_name
from icx.workspace import mailchimp, tables

if TYPE_CHECKING:
    from icx.clock import Clock
    from icx.connections.base import Connection
    from icx.connections.mailchimp_source import Source
    from icx.connections.table import Seen
    from icx.sandbox.process import SandboxProcess
    from icx.settings import Settings

SANDBOX = "sandbox"
ERASED = "_erased"  # what the key of the erased is kept as; no connection can have this name


@dataclass(frozen=True)
class Connected:
    """What `connect` saved, and where its secrets went (keyring or file)."""

    saved: SavedConnection
    verified: Verified
    place: str | None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return repr(self.saved)


class Accounts:
    """The connections of one workspace, with the simulated accounts that run for it."""

    def __init__(
        self, data: Path, store: Store, journal: Callable[[], Journal], settings: Settings, clock: Clock
    ) -> None:
        self.connections = Connections(data)
        self._data = data
        self.store = store
        self.journal = journal
        self.settings = settings
        self.clock = clock
        self._running: dict[str, SandboxProcess] = {}
        #: Asked before each write to a service; a dry run refuses here.
        self.before_write: Callable[[str, str], None] | None = None

    def pick(self, name: str | None) -> SavedConnection:
        """Return the named connection, else the only one, else the one made default; a table is none of these."""
        if name is not None:
            found = self.connections.load(name)
            if found.pulled:
                return found
            raise BadInput(
                "connection-kind",
                f"{found.name} is a table: it is read where it is, and never pulled or pushed to.",
                where=found.company,
                kept="nothing was changed",
                next=["name a connection of an account", ["icx", "status"]],
            )
        every = self.connections.accounts()
        chosen = every if len(every) == 1 else [one for one in every if one.default]
        if chosen:
            return chosen[0]
        if not every:
            raise BadInput(
                "connection-unknown",
                "No connection is saved here yet.",
                where=str(self.connections.directory),
                kept="nothing was changed",
                next=[["icx", "connect", "acme"]],
            )
        names = [one.name for one in every]
        raise NeedsYou(
            "needs-answer",
            "Several connections are saved, and none is the default.",
            where=", ".join(names),
            kept="nothing was picked for you",
            next=[
                f"the same command with --connection {names[0]}",
                ["icx", "connect", names[0], "--default"],
            ],
            data={"choices": names},
        )

    def connect(
        self,
        name: str,
        login: Login,
        *,
        account: int | None = None,
        folder: int | None = None,
        contacts_only: bool = False,
        description: str | None = None,
        default: bool = False,
        reset: bool = False,
        on_wait: Callable[[Waiting], None] | None = None,
    ) -> Connected:
        """Verify a login and save it; on any doubt nothing is saved.

        A connection keeps its account and folder: another one is refused as `other-account`, unless `reset` says
        that what was pulled under this name may be dropped (consent facts always stay).
        """
        check_name(name)
        old = next((one for one in self.connections.all() if one.name == name), None)
        if old is not None:
            account, folder = account or old.account_id, folder or old.client_folder_id
        found = verify(
            login,
            account=account,
            folder=folder,
            contacts_only=contacts_only,
            name=name,
            clock=self.clock,
            on_wait=on_wait,
        )
        if old is not None and (old.account_id, old.client_folder_id) != (
            found.account_id,
            found.client_folder_id,
        ):
            if not reset:
                raise self._other(old, found)
            drop_what_was_pulled(self.store, name, forget=True)
        fresh = SavedConnection(
            name=name,
            kind=old.kind if old else "icontact",
            account_id=found.account_id,
            client_folder_id=found.client_folder_id,
            company=found.company,
            folder_name=found.folder_name,
            contacts_only=found.contacts_only,
            description=description if description is not None else old.description if old else "",
            default=default or bool(old and old.default),
            secret_key=old.secret_key if old else "",
        )
        if default:
            self.none_else_default(name)
        saved, place = self.connections.save(fresh, login)
        self.enter(saved)
        return Connected(saved, found, place, login.notes)

    def connect_table(
        self,
        name: str,
        source: str,
        identity: str,
        *,
        email: str | None = None,
        writable: Collection[str] = (),
        description: str | None = None,
        secret: Secret | None = None,
    ) -> tuple[SavedConnection, Seen, str | None]:
        """Read a table once and save it; return what was saved, what was seen, and where its password is."""
        return tables.connect(
            self.connections, name, source, identity,
            email=email, writable=writable, description=description, secret=secret,
        )  # fmt: skip

    def make_default(self, saved: SavedConnection) -> None:
        """Let commands without a connection's name mean this one."""
        self.none_else_default(saved.name)
        saved, _ = self.connections.save(replace(saved, default=True))
        self.enter(saved)

    def none_else_default(self, name: str) -> None:
        """Make no other connection the default one."""
        for other in self.connections.all():
            if other.default and other.name != name:
                self.connections.save(replace(other, default=False))

    def enter(self, saved: SavedConnection) -> None:
        """Make the connection's schema, and note its account, folder and name in the database."""
        register(
            self.store,
            saved.name,
            saved.account_id,
            saved.client_folder_id,
            company=saved.company,
            folder_name=saved.folder_name,
            contacts_only=saved.contacts_only,
            default=saved.default or None,
        )

    def client(
        self,
        saved: SavedConnection,
        *,
        run: str | None = None,
        push: bool = False,
        on_wait: Callable[[Waiting], None] | None = None,
    ) -> Client:
        """Return a client of a saved connection; its calls go on the run's tape and on the shared budget."""
        if saved.kind == "mailchimp":
            raise mailchimp.no_plan(saved)
        login = self.login(saved)
        journal, settings = self.journal(), self.settings
        budget = journal.budget(
            SANDBOX if saved.kind == SANDBOX else login.app_id.reveal(),
            saved.account_id,
            per_hour=settings.calls_per_hour,
            per_day=settings.calls_per_day,
            push=push,
        )
        client = client_for(
            replace(saved, base_url=login.base_url),
            login,
            page_size=settings.page_size,
            pace=Pace(budget=budget, clock=self.clock),
            tape=journal.tape_sink(run) if run else None,
            clock=self.clock,
            on_wait=on_wait,
        )
        client.before_write = self.before_write
        client.erased = self.erased()
        return client

    def source(self, saved: SavedConnection, *, run: str | None = None) -> Client | Source:
        """Return what a pull of a saved connection reads from."""
        return (
            mailchimp.source(self, saved, run) if saved.kind == "mailchimp" else self.client(saved, run=run)
        )

    def system(self, saved: SavedConnection, *, run: str | None = None, push: bool = False) -> Connection:
        """Return a saved connection of any kind, opened at its place."""
        return opened(
            saved,
            Means(
                lambda: self.login(saved),
                lambda: self.client(saved, run=run, push=push),
                lambda: self.connections.secrets.load(saved.name, saved.secret_key),
                lambda: mailchimp.client(self, saved, run=run),
                self.erased,
                self.clock,
            ),
        )

    def erased(self) -> Erased | None:
        """Return who was erased in this workspace, or None when nobody was; raises `erased-key` without the key."""
        key_name, known = erased.read(self._data)
        if not known:
            return None
        kept = self.connections.secrets.load(ERASED, key_name).get("key")
        if kept is None:
            raise erased.key_is_missing(self._data, len(known))
        return Erased(bytes.fromhex(kept.reveal()), known)

    def erase(self, contacts: Sequence[tuple[int, int, int]], addresses: Iterable[str]) -> Erased:
        """Remember, as keyed hashes, who is erased from now on; contacts are (account, folder, id)."""
        there = self.erased()
        key_name, _ = erased.read(self._data)
        if there is None:
            key_name = uuid.uuid4().hex
            there = Erased(secrets.token_bytes(32), {})
            self.connections.secrets.save(ERASED, key_name, {"key": Secret(there.key.hex())})
        more = there.with_people(contacts, addresses, f"{self.clock.now().astimezone(UTC):%Y-%m-%d}")
        erased.write(self._data, key_name, more.known)
        return more

    def calls_left(self, saved: SavedConnection) -> int | None:
        """Return the calls left this hour, or None when the secret is not at hand."""
        budget = self.budget(saved)
        return None if budget is None else budget.left()

    def budget(self, saved: SavedConnection) -> SharedBudget | None:
        """Return what counts the calls of a connection's key, or None when the secret is not at hand."""
        app_id = SANDBOX
        if saved.kind != SANDBOX:
            try:
                app_id = self.connections.login(saved).app_id.reveal()
            except NeedsYou:
                return None
        settings = self.settings
        return self.journal().budget(
            app_id, saved.account_id, per_hour=settings.calls_per_hour, per_day=settings.calls_per_day
        )

    def start_sandbox(self, name: str, state: Path, **options: Any) -> SavedConnection:
        """Start a simulated account whose state is kept in a file, and save it as a connection.

        Its login is made up and lives as long as its process, so no secret is kept anywhere.
        """
        from icx.sandbox.process import SandboxFailed, start

        check_name(name)
        real = next((one for one in self.connections.all() if one.name == name and one.kind != SANDBOX), None)
        if real is not None:
            raise BadInput(
                "connection-name",
                f"{name} is a real account here; a simulated one never takes its place.",
                where=f"{real.company} ({real.account_id}) › {real.folder_name} ({real.client_folder_id})",
                kept="nothing was started; the connection as it was",
                next=["open the simulated account in another folder: icx.open('demo', sandbox=True)"],
            )
        private.folder(state.parent)
        self._stop(name)
        try:
            with private.alone():
                process = start(state=state, **options)
        except SandboxFailed as error:
            raise Damaged(
                "sandbox-failed",
                "The simulated account did not come up.",
                where=str(error).splitlines()[-1],
                kept=f"the account's state in {state.name}, if there was one",
                next=[["icx", "sandbox", "--help"]],
            ) from None
        self._running[name] = process
        known = {one.name for one in self.connections.all()}
        fresh = SavedConnection(name=name) if name not in known else self.connections.load(name)
        login = _made_up(process)
        found = verify(
            login,
            account=process.account_id,
            folder=process.client_folder_id,
            name=name,
            clock=self.clock,
        )
        fresh = replace(
            fresh,
            kind=SANDBOX,
            base_url=login.base_url,
            username=login.username,
            account_id=found.account_id,
            client_folder_id=found.client_folder_id,
            company=found.company,
            folder_name=found.folder_name,
            description=f"a simulated account on this machine, kept in {state.name}",
        )
        saved, _ = self.connections.save(fresh)
        self.enter(saved)
        return saved

    def sandbox(self, name: str) -> SandboxProcess | None:
        """Return the simulated account that runs under this name, if one does."""
        return self._running.get(name)

    def close(self) -> None:
        """End the simulated accounts this workspace started."""
        for name in list(self._running):
            self._stop(name)

    def login(self, saved: SavedConnection) -> Login:
        """Return the login of a saved connection; a simulated account that does not run is started."""
        if saved.kind == SANDBOX and saved.name not in self._running:
            # A simulated account runs only while somebody uses it; its port is another one each time.
            self.start_sandbox(saved.name, self._data / f"{SANDBOX}-{saved.name}.sqlite")
        if saved.kind == SANDBOX:
            return _made_up(self._running[saved.name])
        return self.connections.login(saved)

    def _stop(self, name: str) -> None:
        process = self._running.pop(name, None)
        if process is not None:
            process.stop()

    def _other(self, old: SavedConnection, found: Verified) -> NeedsYou:
        return NeedsYou(
            "other-account",
            f"{old.name} holds {old.company} › {old.folder_name}; you gave {found.company} › {found.folder_name}. The two are never mixed.",
            where=f"account {old.account_id} → {found.account_id}, folder {old.client_folder_id} → {found.client_folder_id}",
            kept="every stored contact; consent facts stay always",
            next=[["icx", "connect", f"{old.name}-2"], ["icx", "connect", old.name, "--reset"]],
        )


def _made_up(process: SandboxProcess) -> Login:
    return Login.clean(process.app_id, process.username, process.password, process.base_url)
