"""Every connection at a glance: how fresh, how complete, how many calls are left, what needs somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icx.clock import aware_utc
from icx.store import one_row

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection
    from icx.jobs.board import JobStatus
    from icx.workspace.workspace import Workspace


@dataclass(frozen=True)
class ConnectionStatus:
    """One line of `icx status`. Times are aware, UTC; `ledger` is green, amber, red or empty.

    `ledger_word` is the ledger's worst word, `needs` the command that helps when a person is needed. `state` is
    active, new, stopped, failing or paused, `since` when; it is of the pulls and of the connection's jobs.
    """

    name: str
    company: str | None
    folder: str | None
    account_id: int | None
    client_folder_id: int | None
    state: str
    since: datetime | None
    contacts: int
    last_pull: datetime | None
    ledger: str
    ledger_word: str
    calls_left_hour: int | None
    shares_calls_with: Sequence[str] = ()
    needs: Sequence[str] = ()
    next_run: datetime | None = None
    paused_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "account_id": self.account_id,
            "client_folder_id": self.client_folder_id,
            "company": self.company,
            "folder": self.folder,
            "state": self.state,
            "since": self.since,
            "contacts": self.contacts,
            "last_pull": self.last_pull,
            "ledger": self.ledger,
            "calls_left_hour": self.calls_left_hour,
            "shares_calls_with": list(self.shares_calls_with),
            "next_run": self.next_run,
            "paused_by": self.paused_by or None,
            "needs": list(self.needs),
        }


@dataclass(frozen=True)
class TableStatus:
    """A table: where it is, which columns it is read and written by, and what keeps it from being read."""

    name: str
    source: str
    identity: str
    email: str
    writable: Sequence[str]
    problem: str = ""


@dataclass(frozen=True)
class SyncStatus:
    """Two systems in step: how many pairs stand how, when either was last read (aware, UTC), and by whom it rests."""

    name: str
    systems: str
    in_step: int
    excluded: int
    duplicates: int
    deleted: int
    failing: int
    read: datetime | None
    paused_by: str = ""


@dataclass(frozen=True)
class Status:
    """What `icx status` and `ws.status()` show."""

    now: datetime
    connections: Sequence[ConnectionStatus]
    unfinished: Sequence[dict[str, Any]] = ()
    zone: str = "UTC"
    tables: Sequence[TableStatus] = ()
    syncs: Sequence[SyncStatus] = ()

    def __repr__(self) -> str:
        return f"Status({', '.join(f'{one.name}: {one.state}' for one in self.connections) or 'no connection yet'})"

    def _repr_html_(self) -> str:
        from icx.workspace.status_html import status_html

        return status_html(self)

    def as_dict(self) -> dict[str, Any]:
        return {
            "connections": [one.as_dict() for one in self.connections],
            "unfinished": list(self.unfinished),
            "tables": [asdict(one) for one in self.tables],
            "syncs": [asdict(one) for one in self.syncs],
        }

    @property
    def needs(self) -> Sequence[ConnectionStatus]:
        return [one for one in self.connections if one.needs]


def status(ws: Workspace) -> Status:
    """Read every connection of a workspace; nobody is called."""
    every = ws.accounts.connections.all()
    saved = [one for one in every if one.pulled]
    jobs = ws.jobs()
    found = [_with_jobs(_one(ws, one, saved), jobs, len(saved)) for one in saved]
    tables = [_table(one) for one in every if not one.pulled]
    return Status(ws.clock.now(), found, _unfinished(ws), ws.settings.zone, tables, syncs(ws))


def syncs(ws: Workspace) -> list[SyncStatus]:
    """Return how every sync stands, as its last reading left it."""
    found = []
    for one in ws.syncs():
        health = one.health()
        of = health.states
        read = max((at for at in health.read.values() if at), default=None)
        systems = f"{one.a} {'<->' if one.both_ways else '->'} {one.b}"
        found.append(
            SyncStatus(
                one.name,
                systems,
                in_step=of.get("in_sync", 0),
                excluded=of.get("excluded", 0),
                duplicates=of.get("duplicate", 0),
                deleted=of.get("deleted", 0),
                failing=of.get("failing", 0),
                read=read,
                paused_by=one.paused.by if one.paused else "",
            )
        )
    return found


def _table(saved: SavedConnection) -> TableStatus:
    """Return a table's line; a database is not asked."""
    options = saved.options
    there = "://" in options["source"] or Path(options["source"].partition("#")[0]).is_file()
    writable = [column for column in options["writable"].split("\n") if column]
    problem = "" if there else "the file is not there"
    return TableStatus(saved.name, saved.company, options["identity"], options["email"], writable, problem)


def _with_jobs(one: ConnectionStatus, jobs: Sequence[JobStatus], connections: int) -> ConnectionStatus:
    """Return a connection's line with what its jobs add; one that names no connection is that of the only one."""
    own = [each for each in jobs if each.job.of in ({one.name, ""} if connections == 1 else {one.name})]
    coming = [each.next_at for each in own if each.next_at is not None]
    one = replace(one, next_run=min(coming, default=None))
    failing = [each.failing_since for each in own if each.state == "failing" and each.failing_since]
    if failing:
        since = min([*failing, one.since] if one.state == "failing" and one.since else failing)
        return replace(one, state="failing", since=since, needs=one.needs or ["icx", "schedule", "list"])
    paused = [each.job.paused for each in own if each.job.paused is not None]
    if paused and len(paused) == len(own) and one.state == "active":
        return replace(one, state="paused", since=paused[0].since, paused_by=paused[0].by)
    return one


def _one(ws: Workspace, saved: SavedConnection, every: Sequence[SavedConnection]) -> ConnectionStatus:
    from icx.pull import ledger

    ws.accounts.enter(saved)
    with ws.store.open(saved.name) as con:
        counted = one_row(con.execute("select count(*) from icontact_users where gone_at is null"))
        pulled = one_row(
            con.execute("select max(started_at) from pulls where state = 'complete' and only_unit is null")
        )
    last_pull = aware_utc(pulled[0]) if pulled and pulled[0] else None
    cells = ledger(ws.store, saved.name, ws.clock.now(), saved.service)
    runs = [run for run in ws.journal.runs("pull", saved.name, limit=20) if run.state != "running"]
    failing = runs[0] if runs and runs[0].state in {"failed", "cut off"} else None
    state, since, needs = "active", None, []
    if failing is not None:
        streak = runs[: _streak([run.state for run in runs])]
        state, since = ("stopped" if failing.state == "cut off" else "failing"), streak[-1].started_at
        needs = ["icx", "pull", saved.name]
    elif last_pull is None:
        state, needs = "new", ["icx", "pull", saved.name]
    elif cells.red():
        needs = ["icx", "pull", saved.name]
    return ConnectionStatus(
        name=saved.name,
        company=saved.company or None,
        folder=saved.folder_name or None,
        account_id=saved.account_id,
        client_folder_id=saved.client_folder_id,
        state=state,
        since=since,
        contacts=int(counted[0]) if counted else 0,
        last_pull=last_pull,
        ledger=cells.colour if last_pull else "",
        ledger_word=cells.state if last_pull else "not pulled",
        calls_left_hour=ws.accounts.calls_left(saved),
        shares_calls_with=[
            one.name for one in every if one.name != saved.name and one.account_id == saved.account_id
        ],
        needs=needs,
    )


def _streak(states: Sequence[str]) -> int:
    for i, state in enumerate(states):
        if state not in {"failed", "cut off"}:
            return i
    return len(states)


def _unfinished(ws: Workspace) -> list[dict[str, Any]]:
    from icx.plan.applied import FINAL

    found = []
    for kept in ws.plan_journal.all():
        if kept.state == "applying":
            counts = kept.header["counts"]
            outcomes = ws.plan_journal.outcomes(kept.plan_id)
            found.append(
                {
                    "plan": kept.plan_id,
                    "connection": kept.connection,
                    "list": kept.list_name,
                    "done": len({row["row"] for row in outcomes if row["state"] in FINAL}),
                    "of": counts["add"] + counts["create"] + counts["park"] + counts["unsubscribe"],
                }
            )
    return found
