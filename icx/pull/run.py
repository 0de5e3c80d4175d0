"""The pull: what is due is read, landed and counted, and the next pull goes on where this one stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from icx.clock import Clock, naive_utc
from icx.ctrl_c import stays_heard
from icx.errors import BadInput, IcxError
from icx.icontact.paging import ERASED
from icx.pull import consent, due, keep, tags
from icx.pull.agenda import Agenda, counters
from icx.pull.bench import Bench
from icx.pull.ending import Ending
from icx.pull.first import first_pull
from icx.pull.land import Landing
from icx.pull.ledger import ICONTACT, messages_of, of
from icx.pull.notes import notes
from icx.pull.progress import Meter, Progress
from icx.pull.reader import Reader
from icx.pull.reading import Reading, Staged
from icx.pull.report import PullReport, Resumed
from icx.pull.set_back import set_right
from icx.pull.tracking import Missing, Tracking, statistics
from icx.pull.units import KINDS, PEOPLE, SMALL, Source, Unit
from icx.pull.waiting import Ear
from icx.settings import Settings
from icx.store import Connection, Store, one_row
from icx.store.journal import Journal, said
from icx.store.restoring import unread


def pull(
    store: Store,
    journal: Journal,
    client: Source,
    connection: str,
    *,
    settings: Settings,
    clock: Clock,
    contacts_only: bool = False,
    full: bool = False,
    unit: tuple[int, str] | None = None,
    tag: bool | None = None,
    progress: Callable[[Progress], None] | None = None,
    ending: Callable[[], IcxError | None] = lambda: None,
    run: str | None = None,
    who: str = "",
) -> PullReport:
    """Bring in what changed and count it against the service.

    `full` verifies every unit, `unit` (message id, kind of event) reads one again and nothing else. `tag` overrides
    the setting `tag_filter`. `run` is the journal's run whose tape the client writes; without it one is started.
    Stopped at any moment, by anything, the same call goes on: whole units are kept, waiting pages too. `ending()` is
    asked between pages; the error it returns, once it does, is raised when the pages under way are landed.
    """
    if client.account_id is None or client.client_folder_id is None:
        raise BadInput(
            "parameter",
            "A pull needs a client with an account and a folder.",
            where=f"the connection {connection}",
            kept="nothing was read",
            next=[["icx", "connect", connection, "--update"]],
        )
    ours = run is None
    run = run or journal.start_run("pull", connection, who)
    try:
        with (
            stays_heard() as stopped,
            journal.lock(f"pull {connection}", what=f"a pull of {connection}", busy=keep.busy(connection)),
        ):
            job = _Pull(store, journal, client, connection, settings, clock, run, progress, stopped, ending)
            with store.open():  # one opening for the beginning of the pull
                keep.register(store, connection, client.account_id, client.client_folder_id)
                job.bench.con()
            job.tagged = settings.tag_filter if tag is None else tag
            try:
                with job.ear.listening(client):
                    if unit is not None:
                        report = job.one(Unit(unit[1], unit[0]))
                    else:
                        report = job.everything(contacts_only=contacts_only, full=full)
            finally:
                job.bench.rest()
    except BaseException as error:
        if ours:
            state = "failed" if isinstance(error, Exception) else "stopped"
            journal.end_run(run, state, {"error": getattr(error, "code", type(error).__name__)} | said(error))
        raise
    if ours:
        journal.end_run(run, "done", report.as_dict())
    return report


@dataclass
class _Pull:
    """One execution: its clock, its place in the store, its threads."""

    store: Store
    journal: Journal
    client: Source
    connection: str
    settings: Settings
    clock: Clock
    run: str
    progress: Callable[[Progress], None] | None
    stopped: Callable[[], None]  # raises the Ctrl-C that a library swallowed
    ending: Callable[[], IcxError | None]  # the end that somebody asked for
    tagged: bool = False
    contacts_only: bool = False
    full: bool = False
    resumed: Resumed | None = None
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()
        self.began_at = naive_utc(self.clock.now())
        self.missing = Missing()
        self.ear = Ear(self.clock)
        self.bench = Bench(self.store, self.connection)
        self.meter = Meter(self.clock, self.progress)
        assert self.client.account_id is not None
        assert self.client.client_folder_id is not None
        self.folder = consent.Folder(self.client.account_id, self.client.client_folder_id, self.began_at)

    # -- one unit

    def one(self, unit: Unit) -> PullReport:
        """Read one unit again."""
        con = self.bench.con()
        messages = messages_of(con)
        if unit.collection not in KINDS or unit.message_id not in messages:
            self.bench.rest()
            raise BadInput(
                "unit-unknown",
                f"{self.connection} has no unit {unit.name}.",
                where=f"kinds are {', '.join(KINDS)}; messages are in the table messages",
                kept="nothing was read",
                next=[["icx", "pull", self.connection]],
            )
        known = self._lines(con)
        self._open(None, only=unit.name)
        self._prepare()
        self.meter.start(1)
        self.reader.landing.counters = counters(con)
        with self._ending("partial"):
            self.reader.read([self._reading(unit, known, messages)])
            with self.bench.transaction() as con:
                consent.left_by_event(con, self.folder, unit.message_id)
        return self._report(None, first=False)

    # -- everything that is due

    def everything(self, *, contacts_only: bool, full: bool) -> PullReport:
        with self.bench.transaction() as con:
            set_right(con, self.began_at)
        before = keep.interrupted(con, self.began_at)
        first = not con.execute("select 1 from pulls where state = 'complete' limit 1").fetchall()
        # Who said no after the backup was made is not in a restored database: everything is read once.
        restored = unread(con, self.connection) is not None
        self.contacts_only = contacts_only and (not restored or keep.contacts_only(con, self.connection))
        self.full = full or restored or bool(before and before.full)
        if before is not None:
            self.folder = consent.Folder(
                self.folder.account_id, self.folder.client_folder_id, before.started_at
            )
        else:
            with self.bench.transaction() as con:
                keep.clear_staging(con)
        self._open(before)
        self._prepare()
        known = self._lines(self.bench.con())
        since = before.started_at if before is not None else self.began_at
        done = frozenset(unit for unit, by in known.items() if before is not None and by in before.parts)
        self.resumed = self._going_on(before, len(done)) if before is not None else None
        with self._ending("complete"):
            self._collections(SMALL[:2] if self.contacts_only else SMALL, known, done)
            con = self.bench.con()
            names = con.execute("select private_name from custom_fields where gone_at is null").fetchall()
            self.client.custom_names = frozenset(name for (name,) in names)
            if not self.tagged:  # with the tag filter, only people with an event are kept: events come first
                self._people(known, done)
            if not self.contacts_only and self.missing.where is None:
                self._tags()
                self._events(known, Agenda(self.began_at, since, self.full, done))
            if self.tagged:
                self._people(known, done)
            with self.bench.transaction() as con:
                consent.left_by_event(con, self.folder)
                consent.came_back(con, self.folder)
        return self._report(before, first=first)

    def _collections(self, names: Iterable[str], known: dict[Unit, str], done: frozenset[Unit]) -> None:
        units = [Unit(name) for name in names if Unit(name) not in done]
        readings = [self._reading(unit, known, {}) for unit in units]
        self.reader.read(
            reading if reading.unit.collection in _NEEDED else Tracking(reading, self.missing)
            for reading in readings
        )

    def _people(self, known: dict[Unit, str], done: frozenset[Unit]) -> None:
        for (
            name
        ) in PEOPLE:  # one after the other: what a subscription tells is kept with the contact's address
            self._collections((name,), known, done)

    def _tags(self) -> None:
        if not self.tagged:
            with self.bench.transaction() as con:
                tags.forget(con)
            return
        wanted = tags.bodies_wanted(self.bench.con(), everything=self.full)
        self.reader.read([tags.body_task(self.client, id, self.settings) for id in wanted])
        with self.bench.transaction() as con:
            tags.judge(con, self.settings)

    def _events(self, known: dict[Unit, str], agenda: Agenda) -> None:
        con = self.bench.con()
        messages = {
            id: message for id, message in messages_of(con).items() if not self.tagged or message.tagged
        }
        wanted = agenda.statistics(con, messages)
        units = len(messages) * len(KINDS)
        self.meter.start(units + len(wanted))
        self.reader.read([Tracking(statistics(self.client, message), self.missing) for message in wanted])
        if self.missing.where is not None:
            return
        con = self.bench.con()
        self.reader.landing.counters = counters(con)
        asked = [unit for unit, _ in agenda.events(con, messages, self.reader.landing.counters)]
        self.meter.start(units, units - len(asked))
        self.reader.read(Tracking(self._reading(unit, known, messages), self.missing) for unit in asked)
        self._mark_refused()

    def _mark_refused(self) -> None:
        """A unit the service did not show is amber until it is read."""
        units = [
            (task.task.unit, "refused" if error.code == "service-refused" else "could not be read")
            for task, error in self.reader.refused
            if isinstance(task, Tracking) and isinstance(task.task, Reading)
        ]
        if not units:
            return
        with self.bench.transaction() as con:
            for unit, why in units:
                place = [unit.collection, unit.message_id]
                con.execute(
                    "update units set state = 'due', reason = ? where collection = ? and message_id = ?",
                    [why, *place],
                )
                con.execute(
                    "insert into units select ?, ?, 0, null, null, 'due', ?, ?, ?, null "
                    "where not exists (from units where collection = ? and message_id = ?)",
                    [*place, why, self.reader.landing.at, self.run, *place],
                )

    # -- tasks

    def _reading(self, unit: Unit, known: dict[Unit, str], messages: dict[int, due.Message]) -> Reading:
        reading = Reading(
            self.client,
            unit,
            self._label(unit, messages),
            self.settings.page_size,
            staged=self.staged.get(unit),
            new_unit=unit not in known,
            dirty=unit in self.dirty,
            bodies=self.tagged,
        )
        self.readings.append(reading)
        return reading

    def _label(self, unit: Unit, messages: dict[int, due.Message]) -> str:
        message = messages.get(unit.message_id or 0)
        return f'"{message.name}" {unit.collection}' if message else unit.collection

    # -- around the reading

    def _lines(self, con: Connection) -> dict[Unit, str]:
        """Return what the ledger has a line of, and which pull read it."""
        rows = con.execute("select collection, message_id, pull_id from units").fetchall()
        return {Unit(collection, message): run for collection, message, run in rows}

    def _open(self, before: keep.Interrupted | None, only: str | None = None) -> None:
        with self.bench.transaction() as con:
            con.execute("update pulls set state = 'stopped' where state = 'running'")
            con.execute(
                "insert into pulls (pull_id, started_at, began_at, state, full_sweep, only_unit, resumed_from) "
                "values (?, ?, ?, 'running', ?, ?, ?)",
                [
                    self.run,
                    before.started_at if before else self.began_at,
                    self.began_at,
                    self.full,
                    only,
                    before.pull_id if before else None,
                ],
            )

    def _prepare(self) -> None:
        con = self.bench.con()
        self.staged: dict[Unit, Staged] = keep.staged(con)
        self.dirty = keep.dirty(con)
        self.readings: list[Reading] = []
        pace = getattr(self.client, "pace", None)
        self.reader = Reader(
            Landing(self.bench, self.folder, self.run, self.began_at, self.tagged, set(self.staged)),
            self.settings.threads,
            self.clock,
            self.meter,
            lambda: self.ear.until(self.meter) or getattr(pace, "waiting_until", None),
            lambda: pace.left() if pace is not None else None,
            self.stopped,
            self.ending,
        )

    def _calls(self) -> tuple[int, int]:
        made, retried = self.journal.calls(self.run)
        return max(made, self.reader.landing.pages), retried

    def _ending(self, state: str) -> Ending:
        return Ending(self.bench, self.meter, self.clock, self.run, state, self._calls)

    def _going_on(self, before: keep.Interrupted, kept: int) -> Resumed:
        """Say what an interrupted pull left, before going on."""
        con = self.bench.con()
        messages = messages_of(con)
        half = next(iter(self.staged), None)
        cut = one_row(con.execute("select max(verified_at) from units"))
        resumed = Resumed(
            before.pull_id,
            before.began_at,
            max(before.began_at, cut[0]) if cut and cut[0] else before.began_at,
            kept,
            len(SMALL + PEOPLE) + len(messages) * len(KINDS),
            self._label(half, messages) if half else None,
            self.staged[half].rows_read + 1 if half else 0,
        )
        self.meter.what = resumed.line(self.settings.zone)
        self.meter.say(now=True)
        return resumed

    def _report(self, before: keep.Interrupted | None, *, first: bool) -> PullReport:
        made, retried = self._calls()
        now = naive_utc(self.clock.now())
        service = getattr(self.client, "service", ICONTACT)
        con = self.bench.con()
        try:
            book = of(con, self.connection, now, service)
            told = notes(
                con,
                self.connection,
                readings=self.readings,
                refused=self.reader.refused,
                right_missing=self.missing.where,
                folder=self.folder,
                erased=getattr(getattr(self.client, "erased", None), "met", None),
                service=service,
            )
            overview = first_pull(con) if first else None
            messages = one_row(con.execute("select count(*) from messages")) or (0,)
            aside = one_row(con.execute(f"select count(*) from set_aside where reason <> '{ERASED}'")) or (0,)
        finally:
            self.bench.rest()
        resumed = None
        if before is not None and self.resumed is not None:
            went_on = sum(reading.went_on for reading in self.readings)
            resumed = replace(
                self.resumed,
                earlier_calls=sum(self.journal.calls(part)[0] for part in before.parts) or before.pages,
                quiet=before.pages + self.reader.landing.pages - went_on,
            )
        return PullReport(
            connection=self.connection,
            run=self.run,
            as_of=self.folder.now,
            seconds=self.clock.monotonic() - self.began,
            calls=made,
            retried=retried,
            calls_left=self.reader.calls_left(),
            ledger=book,
            counted=dict(self.reader.landing.counted),
            messages=messages[0],
            set_aside=aside[0],
            contacts_only=self.contacts_only or self.missing.where is not None,
            resumed=resumed,
            notes=told,
            first=overview,
            zone=self.settings.zone,
        )


# Without these there is nothing to work with; without the others the pull goes on with contacts only.
_NEEDED = ("customfields", "lists", *PEOPLE)
