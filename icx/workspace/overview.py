"""What the overview shows: one account read from the store alone, in one opening, without waiting for anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from icx.clock import aware_utc, naive_utc
from icx.errors import TryLater
from icx.store import Store, one_row
from icx.store.activity import Activity
from icx.workspace import overview_sql as sql

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection
    from icx.pull import Ledger
    from icx.store import Connection
    from icx.workspace.workspace import Workspace

WEEKS = 26
SHOWN = 8  # lists, domains
CROWD = 5  # a domain of fewer people could name one of them


@dataclass(frozen=True)
class Week:
    """What happened in the week that begins on `day`, a Monday in UTC.

    `opens` and `clicks` are without likely machine ones, `machines` are those opens.
    """

    day: date
    joined: int = 0
    left: int = 0
    size: int = 0
    opens: int = 0
    machines: int = 0
    clicks: int = 0
    bounces: int = 0
    unsubscribes: int = 0


@dataclass(frozen=True)
class Domain:
    """A domain of addresses: people, and how many of them opened in 90 days (None without a profile)."""

    name: str
    people: int
    opened: int | None


@dataclass(frozen=True)
class Listed:
    """A list and its members by status; `welcome` says that adding somebody mails them."""

    list_id: int
    name: str
    members: int
    pending: int
    unsubscribed: int
    welcome: bool


@dataclass(frozen=True)
class Verdict:
    """The last verdict of a suite; `current` when it judged the data that is there now."""

    suite: str
    ok: bool
    ran_at: datetime
    current: bool


@dataclass(frozen=True)
class Picture:
    """One account as stored. Times are aware UTC; `tiers` is empty without a profile."""

    contacts: int
    states: dict[str, int]
    weeks: Sequence[Week]
    tiers: dict[str, int]
    domains: Sequence[Domain]
    lists: Sequence[Listed]
    ledger: Ledger
    pulled_at: datetime
    built_at: datetime | None
    built_of: datetime | None
    people: int
    verdicts: Sequence[Verdict]

    @property
    def mailable(self) -> int:
        return self.states.get("mailable", 0)

    @property
    def engaged(self) -> int:
        return sum(count for tier, count in self.tiers.items() if tier.startswith("engaged_"))


@dataclass(frozen=True)
class Line:
    """A connection of several: its size and its last complete pull (aware UTC), None before the first."""

    saved: SavedConnection
    contacts: int
    pulled_at: datetime | None
    open_units: int


@dataclass(frozen=True)
class Push:
    """A plan as the journal has it; `done` counts people settled."""

    plan_id: str
    audience: str
    list_name: str
    state: str
    at: datetime
    people: int
    done: int
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Overview:
    """Everything `ws` shows. `held_by` names the program that has the database open; then only names are known."""

    name: str
    root: str
    zone: str
    now: datetime
    connections: Sequence[Line]
    saved: SavedConnection | None
    picture: Picture | None
    pushes: Sequence[Push] = ()
    failed_pull: tuple[str, datetime] | None = None
    paused: bool = False
    next_run: tuple[str, datetime] | None = None
    failing: Sequence[tuple[str, datetime]] = ()
    held_by: str = ""


def overview(ws: Workspace) -> Overview:
    """Read what the workspace shows; nothing is made, nobody is called, and a busy database is not waited for."""
    from icx.connections.saved import Connections

    every = Connections(ws.layout.data).all()
    chosen = _chosen(every)
    lines: list[Line] = [Line(one, 0, None, 0) for one in every]
    picture, held_by = None, ""
    if chosen is not None and ws.layout.database.exists():
        try:
            lines, picture = _stored(ws, every, chosen)
        except TryLater as error:
            held_by = error.where_text() or "another program"
    pushes, failed = _journal(ws, chosen)
    comes, failing = _jobs(ws)
    return Overview(
        name=ws.layout.root.resolve().name,
        root=str(ws.layout.root),
        zone=ws.settings.zone,
        now=ws.clock.now(),
        connections=lines,
        saved=chosen,
        picture=picture,
        pushes=pushes,
        failed_pull=failed,
        paused=ws.layout.journal.exists() and Activity(ws.journal).paused() is not None,
        next_run=comes,
        failing=failing,
        held_by=held_by,
    )


def ledger_of(ws: Workspace) -> tuple[Ledger, datetime] | None:
    """Return the ledger of the connection `ws` shows and when it was pulled (aware UTC), or None before a pull.

    Raises `TryLater` when another program has the database open: it is not waited for.
    """
    from icx.connections.saved import Connections
    from icx.pull.ledger import of

    chosen = _chosen(Connections(ws.layout.data).all())
    if chosen is None or not ws.layout.database.exists():
        return None
    store = Store(ws.layout.database, clock=ws.clock, wait_minutes=0)
    with store.open() as con:
        if chosen.name not in _schemas(con):
            return None
        with store.open(chosen.name) as own:
            pulled = _pulled(own)
            return (
                None
                if pulled is None
                else (of(own, chosen.name, naive_utc(ws.clock.now()), chosen.service), pulled)
            )


def _chosen(every: Sequence[SavedConnection]) -> SavedConnection | None:
    return next((one for one in every if one.default), every[0] if every else None)


def _schemas(con: Connection) -> set[str]:
    return {row[0] for row in con.execute("select schema_name from duckdb_schemas()").fetchall()}


def _pulled(con: Connection) -> datetime | None:
    """Return when the last complete pull began, aware UTC."""
    row = one_row(
        con.execute("select max(started_at) from pulls where state = 'complete' and only_unit is null")
    )
    return _aware(row[0] if row else None)


def _stored(
    ws: Workspace, every: Sequence[SavedConnection], chosen: SavedConnection
) -> tuple[list[Line], Picture | None]:
    store = Store(ws.layout.database, clock=ws.clock, wait_minutes=0)
    now = naive_utc(ws.clock.now())
    with store.open() as con:
        there = _schemas(con)
        lines = [_line(store, one) if one.name in there else Line(one, 0, None, 0) for one in every]
        if chosen.name not in there:
            return lines, None
        with store.open(chosen.name) as own:
            return lines, picture_of(own, chosen.name, now, chosen.service)


def _line(store: Store, saved: SavedConnection) -> Line:
    with store.open(saved.name) as con:
        contacts = _count(con, "select count(*) from icontact_users where gone_at is null")
        open_units = _count(con, "select count(*) from units where state <> 'equal'")
        return Line(saved, contacts, _pulled(con), open_units)


def picture_of(con: Connection, name: str, now: datetime, system: str) -> Picture | None:
    """Return the picture of a connection, or None before its first complete pull; `now` is naive UTC."""
    from icx.pull.ledger import of

    pulled_at = _pulled(con)
    if pulled_at is None:
        return None
    tables = {row[0] for row in con.execute(sql.TABLES, [name]).fetchall()}
    build = one_row(
        con.execute("select build_id, built_at, as_of, people from builds order by built_at desc limit 1")
    )
    has_profile = "profile" in tables and build is not None
    states = dict(con.execute(sql.STATES).fetchall())
    return Picture(
        contacts=sum(states.values()),
        states=states,
        weeks=_weeks(con, now, machines="machine_events" in tables),
        tiers=dict(con.execute(sql.TIERS).fetchall()) if has_profile else {},
        domains=_domains(con, has_profile),
        lists=[Listed(*row) for row in con.execute(sql.LISTS, [SHOWN]).fetchall()],
        ledger=of(con, name, now, system),
        pulled_at=pulled_at,
        built_at=_aware(build[1]) if build else None,
        built_of=_aware(build[2]) if build else None,
        people=build[3] if build else 0,
        verdicts=_verdicts(con, build[0] if build else None),
    )


def _weeks(con: Connection, now: datetime, *, machines: bool) -> list[Week]:
    last = (now - timedelta(days=now.weekday())).date()
    days = [last - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    since = datetime.combine(days[0], time.min)
    made: dict[date, dict[str, int]] = {day: {} for day in days}

    def take(rows: Sequence[Any]) -> None:
        for day, what, count in rows:
            if day in made:
                made[day][what] = made[day].get(what, 0) + count

    take(con.execute(sql.COMING_AND_GOING, {"since": since}).fetchall())
    take(con.execute(sql.EVENTS, {"since": since}).fetchall())
    if machines:
        take(con.execute(sql.MACHINES, {"since": since}).fetchall())
    size = _count(con, sql.BEFORE, {"since": since})
    weeks = []
    for day in days:
        found = made[day]
        size += found.get("joined", 0) - found.get("gone", 0)
        weeks.append(
            Week(
                day,
                joined=found.get("joined", 0),
                left=found.get("gone", 0) + found.get("leavers", 0),
                size=size,
                opens=max(found.get("open", 0) - found.get("machine open", 0), 0),
                machines=min(found.get("machine open", 0), found.get("open", 0)),
                clicks=max(found.get("click", 0) - found.get("machine click", 0), 0),
                bounces=found.get("bounce", 0),
                unsubscribes=found.get("unsubscribe", 0),
            )
        )
    return weeks


def _domains(con: Connection, has_profile: bool) -> list[Domain]:
    columns = set()
    if has_profile:
        columns = {row[0] for row in con.execute("describe profile").fetchall()}
    if {"email_domain", "messages_opened_90d_human"} <= columns:
        rows = con.execute(sql.DOMAINS_OPENED, [CROWD, SHOWN]).fetchall()
    else:
        rows = con.execute(sql.DOMAINS, [CROWD, SHOWN]).fetchall()
    return [Domain(*row) for row in rows]


def _verdicts(con: Connection, build: str | None) -> list[Verdict]:
    pull = one_row(
        con.execute(
            "select max_by(pull_id, started_at) from pulls where state = 'complete' and only_unit is null"
        )
    )
    now = {"profile": build, "contacts": pull and pull[0], "activity": pull and pull[0]}
    rows = con.execute(sql.CHECKS).fetchall()
    return [
        Verdict(suite, ok, aware_utc(ran_at), suite not in now or now[suite] == judged)
        for suite, judged, ran_at, ok in rows
        if suite != "plan"
    ]


def _journal(ws: Workspace, saved: SavedConnection | None) -> tuple[list[Push], tuple[str, datetime] | None]:
    if saved is None or not ws.layout.journal.exists():
        return [], None
    pushes: list[Push] = []
    for kept in ws.plan_journal.all()[:6]:
        if kept.connection != saved.name or (
            kept.state == "open" and kept.began_at is None and len(pushes) >= 5
        ):
            continue
        counts = kept.header.get("counts", {})
        people = sum(counts.get(key, 0) for key in ("add", "create", "park", "unsubscribe"))
        done = _settled(ws, kept.plan_id) if kept.state == "applying" else people
        at = kept.ended_at or kept.began_at or kept.made_at
        pushes.append(
            Push(
                kept.plan_id,
                kept.audience,
                kept.list_name,
                kept.state,
                at,
                people,
                min(done, people),
                kept.result or {},
            )
        )
    runs = [run for run in ws.journal.runs("pull", saved.name, limit=5) if run.state != "running"]
    bad = runs[0] if runs and runs[0].state in {"failed", "cut off"} else None
    return pushes[:5], (bad.state, bad.ended_at or bad.started_at) if bad else None


def _settled(ws: Workspace, plan_id: str) -> int:
    """Return how many people of a plan under way are settled; what plans need is loaded only then."""
    from icx.plan.applied import FINAL

    summary = ws.plan_journal.summary(plan_id)
    return sum(
        n for (action, state, _), n in summary.counts.items() if state in FINAL and action != "contact"
    )


def _jobs(ws: Workspace) -> tuple[tuple[str, datetime] | None, list[tuple[str, datetime]]]:
    """Return which job comes next and when, and which fail since when."""
    if not ws.layout.journal.exists() or not ws.layout.jobs.is_dir():
        return None, []
    jobs = ws.jobs()
    comes = sorted(
        (one.next_at, one.name) for one in jobs if one.next_at is not None and one.job.paused is None
    )
    failing = [(one.name, one.failing_since) for one in jobs if one.failing_since is not None]
    return ((comes[0][1], comes[0][0]) if comes else None), failing


def _count(con: Connection, sql: str, given: dict[str, Any] | None = None) -> int:
    row = one_row(con.execute(sql, given or {}))
    return int(row[0]) if row and row[0] is not None else 0


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else aware_utc(moment)
