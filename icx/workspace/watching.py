"""What the monitor says: runs, pushes, jobs and failed rows from the journal alone, the ledger when something changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icx import mask
from icx.errors import BadInput, IcxError, TryLater
from icx.look.page import number
from icx.look.when import lasted, moment
from icx.store.activity import PUSHES, Activity, Event, Failed, Under
from icx.words import counted

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection
    from icx.store.budget import SharedBudget
    from icx.widgets.plan import PlanView
    from icx.workspace.status import SyncStatus
    from icx.workspace.workspace import Workspace

RUNS = 24  # of a job's strip
MESSAGES = 60  # of the ledger's
LEDGER_KINDS = ("opens", "clicks", "bounces", "unsubscribes")
DONE = {
    "add": "added",
    "add_pending": "asked to confirm",
    "create": "created",
    "park": "moved to the parking list",
    "restore": "moved back",
    "unsubscribe": "unsubscribed",
    "fields": "changed",
}
VERBS = {
    "pull": "pull",
    "build": "build",
    "check": "checks",
    "plan": "plan",
    "apply": "apply",
    "undo": "undo",
    "run": "notebook",
    "job": "job",
}
Said = dict[str, Any]


class Watching:
    """A workspace as its monitor sees it; every call reads afresh, from whatever thread.

    The journal is asked every time. A keychain is asked once for each connection: it may be slow, or ask its owner.
    The database is asked when a run ended since, and not while one is under way that may want it.
    """

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._activity = Activity(ws.journal)
        self._ledger_of = ""
        self._ledger: Said = {}
        self._syncs: list[Said] = []
        self._budgets: dict[SavedConnection, SharedBudget | None] = {}

    def look(self) -> Said:
        """Return everything there is to show; no address is in it."""
        ws, activity = self._ws, self._activity
        now = ws.clock.now()
        rest = activity.paused()
        jobs, wrong = self._jobs(now)
        running = activity.under_way()
        under = self._under(running, {job["name"]: job for job in jobs}, now)
        failed = activity.failed_rows()
        return {
            "name": ws.layout.root.resolve().name,
            "at": f"{now.astimezone(ws.settings.tz):%H:%M:%S}",
            "zone": ws.settings.zone,
            "calls": self._calls(),
            "paused": "" if rest is None else self._rest(rest.who, rest.since, rest.why, now),
            "now": under,
            "unfinished": self._unfinished({one["what"] for one in under}),
            "jobs": jobs,
            "jobs_wrong": wrong,
            "rows": [self._row(one, now) for one in failed],
            "again": self._again(failed),
            "happened": [self._event(one, now) for one in activity.events()],
            "ledger": self._book(now, bool(running)),
            "syncs": self._syncs,
        }

    # --- acts -------------------------------------------------------------------------------------------------------

    def pause(self, job: str = "") -> None:
        """Let a job rest, or all pushes."""
        if job:
            self._ws.jobs().pause(job)
        else:
            self._activity.pause(PUSHES, self._ws.who, self._ws.because or "")

    def resume(self, job: str = "") -> None:
        """Let a job, or all pushes, go on."""
        if job:
            self._ws.jobs().resume(job)
        else:
            self._activity.resume(PUSHES)

    def end(self, run: str) -> None:
        """Ask a pull to end after its page."""
        self._ws.stop(run)

    def retry(self, plan: str) -> PlanView:
        """Plan again whom the service refused, and return the view in which that plan is confirmed."""
        from icx.widgets.plan import PlanView

        return PlanView(self._ws.retry(plan))

    def people(self) -> dict[str, str]:
        """Return the addresses of the failed rows that are shown, by their key, from the plans' own files."""
        found: dict[str, str] = {}
        wanted: dict[str, set[int]] = {}
        for one in self._activity.failed_rows():
            wanted.setdefault(one.plan_id, set()).add(one.row)
        for plan, rows in wanted.items():
            try:
                emails = self._ws.plan_journal.some(plan, sorted(rows), ["email"]).column("email")
            except (OSError, KeyError) as error:
                raise BadInput(
                    "plan-unknown",
                    "The people of this plan cannot be read.",
                    where=f"{plan}: {type(error).__name__}",
                    kept="nothing was changed",
                    next=[["icx", "plans", plan]],
                ) from None
            for row, email in zip(sorted(rows), emails.to_pylist(), strict=True):
                found[f"{plan}/{row}"] = mask.plain(email or "no address")
        return found

    # --- pieces -----------------------------------------------------------------------------------------------------

    def _calls(self) -> str:
        ws = self._ws
        lefts = []
        for saved in ws.accounts.connections.accounts()[:3]:
            if saved not in self._budgets:
                self._budgets[saved] = ws.accounts.budget(saved)
            budget = self._budgets[saved]
            if budget is not None:
                lefts.append(f"{saved.name} {number(budget.left())}")
        return f"calls left this hour: {', '.join(lefts)}" if lefts else ""

    def _rest(self, who: str, since: datetime, why: str, now: datetime) -> str:
        return f"by {who} since {moment(since, now, self._ws.settings.zone)}{f': {why}' if why else ''}"

    def _under(self, running: Sequence[Under], jobs: dict[str, Said], now: datetime) -> list[Said]:
        """Return one line a process: what it was called for, and what the innermost of its runs said last."""
        by: dict[int, list[Under]] = {}
        for one in running:
            by.setdefault(one.run.pid, []).append(one)
        lines = []
        for each in by.values():
            outer = next((one for one in each if one.run.verb == "job"), each[0])
            telling = [one for one in each if one.what]
            inner = telling[-1] if telling else each[-1]
            job = jobs.get(outer.run.what) if outer.run.verb == "job" else None
            pull = next((one for one in each if one.run.verb == "pull"), None)
            ends = pull.ends if pull is not None else None
            waits = inner.waiting_until is not None and inner.waiting_until > now
            percent = 100 * (inner.done or 0) / inner.whole if inner.whole and not waits else None
            lines.append(
                {
                    "key": outer.run.run,
                    "what": inner.run.what,
                    "shape": "clock" if waits else "running",
                    "name": outer.run.what
                    if job
                    else f"{VERBS.get(outer.run.verb, outer.run.verb)} {outer.run.what}",
                    "about": job["about"] if job else self._about(inner),
                    "words": self._words(inner, waits, now)
                    + (f" · ends after this page, asked by {ends.who}" if ends is not None else ""),
                    "percent": None if percent is None else round(percent, 1),
                    "since": moment(outer.run.started_at, now, self._ws.settings.zone, seconds=True),
                    "passed": lasted((now - outer.run.started_at).total_seconds()),
                    "pull": pull.run.run if pull is not None else "",
                    "ends": ends is not None,
                    "job": job["name"] if job else "",
                    "paused": bool(job and job["paused"]),
                }
            )
        return lines

    def _about(self, one: Under) -> str:
        if one.run.verb in ("apply", "undo"):
            try:
                kept = self._ws.plan_journal.get(one.run.what)
            except IcxError:
                return ""
            return f"{kept.audience or 'way back'} → {kept.list_name}"
        return f"by {one.run.who}" if one.run.who else ""

    def _words(self, one: Under, waits: bool, now: datetime) -> str:
        if waits and one.waiting_until is not None:
            until = moment(one.waiting_until, now, self._ws.settings.zone, seconds=True)
            every = self._ws.accounts.connections.all()
            service = next((saved.service for saved in every if saved.name == one.run.what), "iContact")
            return f"waits for {service} until {until}{f': {one.note}' if one.note else ''}"
        if not one.what:
            return counted(one.calls, "call") if one.calls else "under way"
        so_far = (
            f", {number(one.done)} of {number(one.whole)}"
            if one.whole
            else f", {number(one.done)}"
            if one.done
            else ""
        )
        note = f" · {one.note}" if one.note else ""
        return f"{one.what}{so_far}{note}"

    def _unfinished(self, under_way: set[str]) -> list[Said]:
        rows = self._ws.journal.read(
            "select number, audience, list_name from plans where state = 'applying' order by number desc limit 5"
        )
        return [
            {"plan": f"P-{row['number']}", "words": f"{row['audience'] or 'way back'} → {row['list_name']}"}
            for row in rows
            if f"P-{row['number']}" not in under_way
        ]

    def _jobs(self, now: datetime) -> tuple[list[Said], list[str]]:
        found = self._ws.jobs()
        zone = self._ws.settings.zone
        jobs = []
        for one in found:
            told = one.as_dict()
            states = [ran.state for ran in found.runs(one.name, RUNS)][::-1]
            paused = told["paused"]
            words = {
                "failing": f"failing since {moment(one.failing_since, now, zone)}"
                if one.failing_since
                else "failing"
            }
            if paused:
                words["paused"] = f"paused {self._rest(paused['by'], paused['since'], paused['why'], now)}"
            jobs.append(
                {
                    "name": one.name,
                    "about": told["about"],
                    "says": told["says"],
                    "next": moment(one.next_at, now, zone) if one.next_at and not paused else "–",
                    "state": one.state,
                    "words": words.get(one.state, ""),
                    "paused": bool(paused),
                    "runs": states,
                    "last": told["last"]["message"] or "" if told["last"] else "",
                }
            )
        return jobs, [mask.addresses_in(error.where_text()) for error in found.wrong]

    def _row(self, one: Failed, now: datetime) -> Said:
        did = (
            "in doubt; read back before anything is sent again"
            if one.state == "in_doubt"
            else "refused, not sent again"
        )
        return {
            "key": f"{one.plan_id}/{one.row}",
            "who": f"#{one.contact_id}" if one.contact_id is not None else f"row {one.row + 1}",
            "push": one.plan_id,
            "list": one.list_name,
            "words": mask.addresses_in(one.words) or "no answer for this row",
            "did": did,
            "at": moment(one.at, now, self._ws.settings.zone, seconds=True),
        }

    def _again(self, failed: Sequence[Failed]) -> list[Said]:
        """Return the pushes whose refused rows may be tried again, the newest first."""
        lists = {one.plan_id: one.list_name for one in failed if one.ended}
        return [{"plan": plan, "list": lists[plan], "count": self._activity.refused(plan)} for plan in lists]

    def _event(self, one: Event, now: datetime) -> Said:
        at = moment(one.at, now, self._ws.settings.zone, seconds=True)
        action, _, state = one.kind.partition(" ")
        if one.count:
            words, shape, group = f"{number(one.count)} {DONE.get(action, action)}", "ok", "written"
            if state in ("refused", "left_out"):
                words = f"{number(one.count)} {'refused by iContact' if state == 'refused' else 'left out: they said no since'}"
                shape, group = ("bad" if state == "refused" else "explained"), "refused"
            elif state in ("sent", "in_doubt", "not_sent"):
                words = f"{number(one.count)} {'not sent' if state == 'not_sent' else 'sent, outcome not known yet'}"
                shape, group = "clock", "written"
            return {
                "at": at,
                "way": f"→ {one.place}",
                "what": one.what,
                "shape": shape,
                "words": words,
                "group": group,
            }
        if action == "job" and state:
            shape = "warn" if one.state == "missed" else "info"
            return {"at": at, "way": "job", "what": one.what, "shape": shape, "words": one.place, "group": ""}
        way = {"pull": "←", "apply": "→", "undo": "→"}.get(one.kind, "")
        shape = {"done": "ok", "stopped": "stop", "failed": "bad"}.get(one.state, "warn")
        words = {"done": "done", "needs-you": "needs you"}.get(one.state, one.state)
        return {
            "at": at,
            "way": f"{way} {VERBS.get(one.kind, one.kind)}".strip(),
            "what": one.what,
            "shape": shape,
            "words": f"{words}{f': {one.place}' if one.place else ''}",
            "group": "refused" if one.state == "failed" else "",
        }

    def _book(self, now: datetime, running: bool) -> Said:
        """Return the ledger as strips; the store is opened only when a run ended since, and never waited for."""
        of = self._activity.last_change()
        if of != self._ledger_of and not (running and self._ledger):
            read = self._read_book(now)
            if read is None:
                return self._ledger | {"busy": True} if self._ledger else {"busy": True}
            self._ledger, self._ledger_of = read, of
        return self._ledger

    def _sync(self, one: SyncStatus, now: datetime) -> Said:
        return {
            "name": one.name,
            "systems": one.systems,
            "counts": [
                number(n) for n in (one.in_step, one.excluded, one.duplicates, one.deleted, one.failing)
            ],
            "failing": bool(one.failing),
            "words": f"rests, by {one.paused_by}"
            if one.paused_by
            else f"read {moment(one.read, now, self._ws.settings.zone)}"
            if one.read
            else "not read yet",
        }

    def _read_book(self, now: datetime) -> Said | None:
        from icx.workspace.overview import ledger_of
        from icx.workspace.status import syncs

        try:
            read = ledger_of(self._ws)
            self._syncs = [self._sync(one, now) for one in syncs(self._ws)]
        except TryLater:
            return None
        if read is None:
            return {"kinds": []}
        book, pulled_at = read
        ids = sorted({cell.unit.message_id for cell in book.cells if cell.unit.message_id is not None})[
            -MESSAGES:
        ]
        kinds = []
        for kind in LEDGER_KINDS:
            cells = {cell.unit.message_id: cell for cell in book.cells if cell.unit.collection == kind}
            total = sum(cell.stored for cell in cells.values())
            states = [cells[one].state if one in cells else "none" for one in ids]
            kinds.append({"kind": kind, "states": states, "total": total})
        counts = {
            state: sum(cell.state == state for cell in book.cells)
            for state in ("equal", "explained", "unequal")
        }
        return {
            "name": book.connection,
            "kinds": kinds if ids else [],
            "equal": counts["equal"],
            "explained": counts["explained"],
            "unequal": counts["unequal"],
            "due": len(book.cells) - sum(counts.values()),
            "as_of": moment(pulled_at, now, self._ws.settings.zone),
        }
