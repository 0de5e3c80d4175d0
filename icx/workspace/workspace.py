"""The workspace: one folder, its settings, its database, its connections; every verb starts here."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from icx.clock import SYSTEM, Clock
from icx.ctrl_c import stays_heard
from icx.errors import IcxError, Stopped
from icx.settings import Settings, read_settings
from icx.store import private
from icx.store.journal import said
from icx.workspace.caring import Caring
from icx.workspace.choosing import Choosing
from icx.workspace.clicking import Clicking
from icx.workspace.layout import Layout, keep_private
from icx.workspace.repeating import Repeating
from icx.workspace.resting import Resting
from icx.workspace.scoring import Scoring
from icx.workspace.syncing import Syncing
from icx.workspace.systems import Systems
from icx.workspace.tidying import Tidying
from icx.workspace.tracing import Tracing
from icx.workspace.triggering import Triggering

if TYPE_CHECKING:
    import pandas as pd

    from icx.audience import Audience, Live
    from icx.connections.saved import SavedConnection
    from icx.icontact import Client
    from icx.jobs import Run
    from icx.jobs.inside import Inside
    from icx.plan import Applied, Plan
    from icx.plan.policy import Policy
    from icx.profile import Attached, Build
    from icx.pull import Ledger, PullReport
    from icx.quality import CheckReport, Gate
    from icx.store import Store
    from icx.store.db import Migrated
    from icx.store.journal import Journal
    from icx.store.plans import Plans
    from icx.workspace.accounts import Accounts
    from icx.workspace.doctor import Examined
    from icx.workspace.status import Status

Say = Callable[[Any], None]


class Workspace(
    Choosing, Scoring, Triggering, Systems, Syncing, Clicking, Repeating, Resting, Tidying, Tracing, Caring
):
    """One client's folder: settings, one DuckDB file, saved connections and audiences.

    Nothing is read or written until a verb needs it; an empty folder is a workspace. Close it (or leave its
    `with` block) to end a simulated account it started.
    """

    def __init__(
        self,
        path: str | Path = ".",
        *,
        clock: Clock = SYSTEM,
        who: str | None = None,
        because: str | None = None,
        wait_minutes: float = 10,
        on_database_wait: Callable[[float, str], None] | None = None,
    ) -> None:
        """Name the folder; nothing is read yet.

        `who` (else the user's name) and `because` go into the record of what was done. `wait_minutes` is how
        long to wait for another program that has the database open; `on_database_wait(seconds, holder)` hears of it.
        """
        self.layout = Layout(Path(path))
        self.clock = clock
        self.who = who or _user()
        self.because = because
        self._wait_minutes = wait_minutes
        self._on_database_wait = on_database_wait

    @classmethod
    def with_sandbox(cls, path: str | Path = "demo", *, name: str = "acme", **options: Any) -> Workspace:
        """Return a workspace with a simulated account running; its state is kept in the folder."""
        ws = cls(path)
        ws.accounts.start_sandbox(name, ws.layout.data / f"sandbox-{name}.sqlite", **options)
        return ws

    def __repr__(self) -> str:
        names = ", ".join(self.accounts.connections.names()) or "no connection yet"
        return f"Workspace({str(self.layout.root)!r}: {names})"

    def _repr_html_(self) -> str:
        from icx.workspace.html import workspace_html

        return workspace_html(self)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """End what this workspace started; everything is already on disk."""
        if "accounts" in self.__dict__:
            self.accounts.close()
        if "journal" in self.__dict__:
            self.journal.close()
            del self.__dict__["journal"]

    # --- what it stands on ------------------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        return read_settings(self.layout.settings)

    @cached_property
    def store(self) -> Store:
        from icx.store import Store

        keep_private(self.layout)
        return Store(
            self.layout.database,
            clock=self.clock,
            wait_minutes=self._wait_minutes,
            on_wait=self._on_database_wait,
        )

    @property
    def migrated(self) -> Migrated | None:
        """What became of a database that an older icx had made; None when it was of this version."""
        return self.store.migrated if "store" in self.__dict__ else None

    @cached_property
    def journal(self) -> Journal:
        from icx.store.journal import Journal

        keep_private(self.layout)
        here = Path(os.environ.get("ICX_WORKSPACE", "")).resolve() == self.layout.root.resolve()
        return Journal(self.layout.journal, self.clock, within=os.environ.get("ICX_RUN", "") if here else "")

    @cached_property
    def plan_journal(self) -> Plans:
        from icx.store.plans import Plans

        return Plans(self.journal)

    @cached_property
    def accounts(self) -> Accounts:
        from icx.workspace.accounts import Accounts

        made = Accounts(self.layout.data, self.store, lambda: self.journal, self.settings, self.clock)
        made.before_write = self.inside.guard if self.inside is not None else None
        return made

    @cached_property
    def inside(self) -> Inside | None:
        """The run of a notebook that this process is the kernel of, or None."""
        from icx.jobs import inside

        return inside.current()

    @cached_property
    def lives(self) -> WeakValueDictionary[str, Live]:
        """What the builders of each connection ask, as long as one of them is there."""
        return WeakValueDictionary()

    def connection(self, name: str | None = None) -> SavedConnection:
        """Return a saved connection: the named one, else the only one, else the default."""
        return self.accounts.pick(name)

    def client(self, name: str | None = None, **options: Any) -> Client:
        """Return a client of a connection; its calls count on the workspace's budget."""
        return self.accounts.client(self.connection(name), **options)

    @contextmanager
    def noted(self, verb: str, what: str) -> Iterator[str]:
        """Note in the journal that a verb runs, and how it ended."""
        run = self.journal.start_run(verb, what, self.who)
        try:
            with stays_heard(), private.alone():
                yield run
        except IcxError as error:
            self.journal.log.failed(error, run=run)
            state = "stopped" if isinstance(error, Stopped) else "failed"
            self.journal.end_run(run, state, said(error))
            raise
        except KeyboardInterrupt:
            self.journal.end_run(run, "stopped")
            raise
        except BaseException as error:
            self.journal.log.failed(error, run=run)
            self.journal.end_run(run, "failed", said(error))
            raise
        self.journal.end_run(run)

    # --- bring in ---------------------------------------------------------------------------------------------------

    def pull(
        self,
        name: str | None = None,
        *,
        contacts_only: bool = False,
        full: bool = False,
        unit: tuple[int, str] | None = None,
        progress: Say | None = None,
    ) -> PullReport:
        """Bring in what changed, and count it against the service.

        `full` reads every unit again; `unit` only one, as (message id, kind). Interrupted, it goes on with the
        next call. Errors are those of the service; what is stored stays.
        """
        from icx.workspace.bringing import pull

        return pull(self, name, contacts_only=contacts_only, full=full, unit=unit, progress=progress)

    def ledger(self, name: str | None = None) -> Ledger:
        """Return the completeness ledger: stored rows, counted now, against the service's totals."""
        from icx.pull import ledger

        saved = self.connection(name)
        return ledger(self.store, saved.name, self.clock.now(), saved.service)

    def attach(
        self,
        source: str | Path | pd.DataFrame,
        key: str,
        *,
        name: str,
        connection: str | None = None,
        identity: str | None = None,
    ) -> Attached:
        """Add a table's columns (CSV, Parquet, DuckDB, pandas) as fields, found by an identity column.

        `identity` is `email` or `contact_id`; without it the key column's values decide.
        """
        from icx.workspace.bringing import attach

        return attach(self, source, key, name=name, connection=connection, identity=identity)

    def build(
        self,
        name: str | None = None,
        *,
        as_of: datetime | None = None,
        full: bool = False,
        progress: Say | None = None,
        master: str | None = None,
        folder: str | Path | None = None,
        to: str | Path | None = None,
    ) -> Build:
        """Make one row per contact, as of the last pull or `as_of`; `full` keeps none of before, `master`: on Spark."""
        from icx.workspace.scaling import build

        return build(self, name, master, folder, to, as_of=as_of, full=full, progress=progress)

    def check(self, suite: str | None = None, *, name: str | None = None) -> CheckReport:
        """Judge a table with a Great Expectations suite, keep the verdict, write the page."""
        return self.checks([suite] if suite else ["profile"], name=name)[0]

    def checks(self, suites: Sequence[str] = (), *, name: str | None = None) -> list[CheckReport]:
        """Judge with several suites (contacts, activity and profile unless named), one page for all."""
        from icx.workspace.bringing import checks

        return checks(self, suites, name)

    # --- act --------------------------------------------------------------------------------------------------------

    def plan(
        self,
        audience: Audience | str,
        to: str,
        *,
        create: bool = False,
        policy: Policy | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> Plan:
        """Compare an audience with a list and return what would change; nothing is sent.

        `to` is `CONNECTION/lists/NAME` or `CONNECTION/lists/#ID`. `overrides` maps a failed check to why it shall
        not hold this plan. Raises list-unknown, list-twice, cannot-map, not-now.
        """
        from icx.workspace.pushing import plan

        return plan(self, audience, to, create=create, policy=policy, overrides=overrides)

    def plans(self) -> list[Plan]:
        """Return every plan of this workspace, newest first."""
        from icx.plan.plan import from_kept
        from icx.workspace.pushing import carried

        return [carried(self, from_kept(kept, self.plan_journal)) for kept in self.plan_journal.all()]

    def apply(
        self,
        plan: Plan | str,
        *,
        answers: Mapping[str, str] | None = None,
        ask: Callable[[Any, int, int], str | None] | None = None,
        test: int | None = None,
        overrides: Mapping[str, str] | None = None,
        progress: Say | None = None,
    ) -> Applied:
        """Carry out a plan: read again, decide again, send, read the list back.

        It may do less than the plan showed, never more. Cut off, the same call goes on. `answers` are those of
        the plan's stops; `ask` is called for the ones left. `test` sends one contact only. `overrides` maps a check
        that fails by now to why it shall not hold this plan.
        """
        from icx.workspace.pushing import apply

        return apply(self, plan, answers=answers, ask=ask, test=test, progress=progress, overrides=overrides)

    def undo(self, plan: Plan | str) -> Plan:
        """Plan the way back of an applied plan; nothing is sent."""
        from icx.workspace.pushing import undo

        return undo(self, plan)

    def retry(self, plan: Plan | str) -> Plan:
        """Plan again whom the service refused when a plan was applied, as far as they are still wanted; nothing is sent.

        The new plan is decided, shown, confirmed and applied as any other. Raises BadInput (nothing-to-retry) and
        NeedsYou (apply-unfinished: the plan itself goes on first).
        """
        from icx.workspace.pushing import retry

        return retry(self, plan)

    def gate(self, audience: Audience | str, mapped: Sequence[str] = ()) -> Gate:
        """Return whether the data a push of this audience uses passed its checks; what is stale is judged first.

        `mapped` are the profile's columns that would travel with the people.
        """
        from icx.workspace import verdict

        found = self.audience(audience) if isinstance(audience, str) else audience
        return verdict.ask(self, verdict.uses(self, found, mapped, {}))

    # --- repeat -----------------------------------------------------------------------------------------------------

    def run(
        self,
        notebook: str | Path | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        apply: bool | None = None,
        again: str | None = None,
        progress: Say | None = None,
        **values: Any,
    ) -> Run:
        """Run a notebook with parameters and return what became of it: `ws.run("notebooks/05-push.ipynb", city="Durham")`.

        Parameters are those the notebook declares, given by name or in `params` (for a name this method has itself).
        Without `apply=True` the run is dry: it shows plans and sends nothing. `again` names a run to repeat, with
        its parameters: verbs that finished in it answer from its record, an apply that was cut off goes on.
        Raises BadInput ("parameter") before anything starts; a notebook that fails is a `Run` that says so.
        """
        from icx.workspace.running import run

        given = {**(params or {}), **values} | ({} if apply is None else {"apply": apply})
        return run(self, notebook, given, again=again, progress=progress)

    # --- look after -------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """Return every connection at a glance."""
        from icx.workspace.status import status

        return status(self)

    def doctor(self, name: str | None = None, *, run: str | None = None, bundle: bool = True) -> Examined:
        """Try the login of one connection, or of each, and look at this machine; pack what was found, masked.

        `run` says whose calls go into the bundle (else the newest run that failed); `bundle=False` writes nothing.
        """
        from icx.workspace.doctor import examine

        return examine(self, name, run=run, bundle=bundle)

    def record(self, limit: int = 100) -> pd.DataFrame:
        """Return who planned, overrode, applied, attached, reset; newest first."""
        from icx.workspace.look import record

        return record(self.store, limit)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
