"""Running a trigger: what is due is done by a plan or told outside, and each firing says what became of it.

The order is what makes it safe to be cut off: a firing is stored before anything is done for it, the plan is noted at
its firings before it is applied, and what is told outside is noted after it was told. So a push is neither lost nor
doubled, and what is told may be told twice, of the same firing ids, but never not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icx.errors import IcxError, NeedsYou, TryLater
from icx.notify import shown_way
from icx.plan.retry import Among
from icx.plan.stops import Stop, confirm_options
from icx.store.locks import who
from icx.triggers import Trigger, firings, load
from icx.triggers.firings import OPEN, Became, Firing
from icx.triggers.look import existing_ids, fire_existing, look
from icx.triggers.outcome import became
from icx.triggers.ran import Ran
from icx.triggers.trigger import BY_PLAN, MARKED, run_command
from icx.words import counted, form

if TYPE_CHECKING:
    from icx.audience import Audience
    from icx.plan import Applied, Plan
    from icx.store.locks import Holder
    from icx.workspace.workspace import Workspace

Ask = Callable[[Stop, int, int], "str | None"]
#: Returns the answers to some stops from what was said beforehand.
Given = Callable[[Sequence[Stop]], Mapping[str, str]]


def run(
    ws: Workspace,
    name: str,
    *,
    confirm: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    existing: bool = False,
    progress: Callable[[Any], None] | None = None,
    given: Given | None = None,
) -> Ran:
    """Do what is due of a trigger; see `Workspace.run_trigger`. `given` answers stops instead of `confirm`, for jobs."""
    from icx.workspace.triggered import bound

    if ws.inside is not None and not ws.inside.apply:
        raise ws.inside.refuses(f"triggers run {name}")
    trigger = bound(ws, load(ws.layout.triggers, name))
    if trigger.paused is not None:
        raise _paused(trigger)
    said = dict(confirm or {})
    work = _Run(ws, trigger, given or (lambda _: said), ask, progress)
    with (
        ws.noted("trigger", trigger.name) as noted,
        ws.journal.lock(f"trigger:{trigger.name}", what=f"the trigger {trigger.name}", busy=_under_way),
    ):
        return work.whole(noted, existing=existing)


def existing(ws: Workspace, trigger: Trigger) -> Plan | int:
    """Return what would be done with whom a trigger finds so already: a plan of its own, else how many; nothing is sent."""
    ids = existing_ids(ws.people(trigger.connection), trigger)
    if trigger.do.kind not in BY_PLAN or not ids:
        return len(ids)
    return planned(ws, trigger, ids)


def planned(ws: Workspace, trigger: Trigger, ids: Sequence[int]) -> Plan:
    """Return the plan that does a trigger's action with these contacts, and nobody else; nothing is sent."""
    from icx.audience import Audience
    from icx.plan import Policy
    from icx.plan.policy import PARKING_LIST
    from icx.workspace import pushing

    do, people = trigger.do, ws.people(trigger.connection)
    found: Audience = Audience(f"trigger {trigger.name}", trigger.when, people.connection).of(people)
    away = do.kind != "push"
    policy = Policy(
        trigger=trigger.name,
        stale={"push": "stay", "move": "park", "unsubscribe": "unsubscribe"}[do.kind],
        parking_list=do.to or PARKING_LIST,
    )
    leaving = frozenset(ids if away else ())
    return pushing.planned(
        ws,
        found,
        pushing.parse_target(ws, do.list),
        policy,
        do.create,
        {},
        Among("", None, frozenset(), leaving, len(ids)),
        only=[] if away else ids,
    )


@dataclass
class _Run:
    """One run of one trigger under way."""

    ws: Workspace
    trigger: Trigger
    given: Given
    ask: Ask | None
    progress: Callable[[Any], None] | None

    def __post_init__(self) -> None:
        self.people = self.ws.people(self.trigger.connection)

    def whole(self, run: str, *, existing: bool) -> Ran:
        now = self.ws.clock.now()
        seen = look(self.people, self.trigger, now)
        if seen.error is not None:
            raise seen.error
        if existing:
            self._agreed_existing()
            fire_existing(self.people, self.trigger, now)
        opened = self._open()
        began = {one.firing_id for one in opened}
        self._finish([one for one in opened if one.state == "planned"])
        due = firings.due(self._open(), now)
        if due:
            self._agreed_limit(due)
            if self.trigger.do.kind in BY_PLAN:
                self._by_plan(due)
            else:
                return self._ran(began, self._told(run, due))
        return self._ran(began)

    # -- asking

    def _agreed_existing(self) -> None:
        count = len(existing_ids(self.people, self.trigger))
        if not count:
            return
        words = f"{counted(count, 'person')} {form(count, 'is')} so already"
        self._agree(
            Stop("existing", str(count), words, f"{words}. Type for how many it fires:", count), "--existing"
        )

    def _agreed_limit(self, due: Sequence[Firing]) -> None:
        # whom it found so already was agreed to by their number
        most, count = self.trigger.most, sum(one.way != "existing" for one in due)
        if count > most:
            words = f"it fired for {counted(count, 'person')} at once, limit {most:,}"
            self._agree(
                Stop("firings", str(count), words, f"{words}. Type for how many it may act:", count, most)
            )

    def _agree(self, stop: Stop, *option: str) -> None:
        answer = self.given([stop]).get(stop.key)
        if answer is None and self.ask is not None:
            answer = self.ask(stop, 1, 1)
        if not stop.answered(answer):
            raise NeedsYou(
                "needs-answer",
                f"{self.trigger.name} asks before it acts: {stop.words}.",
                where=f"trigger {self.trigger.name}",
                kept="nothing was sent; who crossed is noted and waits"
                if not option
                else "nothing was sent, and it fired for nobody",
                next=[run_command(self.trigger.name, *option, *confirm_options([stop]))],
                data={"stops": [stop.as_dict()]},
            )

    # -- by a plan

    def _finish(self, begun: Sequence[Firing]) -> None:
        """Go on with plans that were begun, and read what became of those that ended; one never begun waits again."""
        for plan_id in dict.fromkeys(one.plan_id for one in begun):
            mine = [one for one in begun if one.plan_id == plan_id]
            state = self.ws.plan_journal.get(plan_id).state
            if state == "applying":
                self._applied(plan_id, mine)
            elif state == "finished":
                self._settle(plan_id, mine)
            elif state != "open" or not self._same(mine):
                self._back(mine)

    def _same(self, mine: Sequence[Firing]) -> bool:
        """Tell whether a plan that was held is still the plan of all that is due; then it is asked about again."""
        due = {one.firing_id for one in firings.due(self._open(), self.ws.clock.now())}
        if due:
            return False
        self._applied(mine[0].plan_id, mine)
        return True

    def _by_plan(self, due: Sequence[Firing]) -> None:
        made = planned(self.ws, self.trigger, sorted({one.contact_id for one in due}))
        with self.ws.store.open(self.trigger.connection) as con:
            firings.planned(con, due, made.plan_id)
        self._applied(made.plan_id, due)

    def _applied(self, plan_id: str, mine: Sequence[Firing]) -> None:
        answers = self.given(_stops(self.ws, plan_id))
        done: Applied = self.ws.apply(plan_id, answers=answers, ask=self.ask, progress=self.progress)
        if done.state == "finished":
            self._settle(plan_id, mine)

    def _settle(self, plan_id: str, mine: Sequence[Firing]) -> None:
        plans = self.ws.plan_journal
        rows = plans.rows(plan_id).select(["contact_id", "email_key", "action", "reason"]).to_pylist()
        found = became(mine, rows, plans.outcomes(plan_id), self._rows_of(plan_id, mine, rows))
        with self.ws.store.open(self.trigger.connection) as con:
            firings.settle(con, found, self.ws.clock.now())

    def _rows_of(
        self, plan_id: str, mine: Sequence[Firing], rows: Sequence[Mapping[str, Any]]
    ) -> dict[str, int]:
        """Return which row of the plan is a firing's: by contact, by address where the list is another connection's."""
        if self.ws.plan_journal.get(plan_id).connection == self.trigger.connection:
            by_id = {
                row["contact_id"]: number for number, row in enumerate(rows) if row["contact_id"] is not None
            }
            return {one.firing_id: by_id[one.contact_id] for one in mine if one.contact_id in by_id}
        by_key = {row["email_key"]: number for number, row in enumerate(rows) if row["email_key"] is not None}
        keys = self._addresses([one.contact_id for one in mine], "email_key")
        return {
            one.firing_id: by_key[keys[one.contact_id]] for one in mine if keys.get(one.contact_id) in by_key
        }

    def _addresses(self, ids: Sequence[int], column: str = "email") -> dict[int, str]:
        with self.ws.store.open(self.trigger.connection) as con:
            rows = con.execute(
                f"select id, {column} from icontact_users where list_contains(?::bigint[], id)", [list(ids)]
            ).fetchall()
        return {int(one): text for one, text in rows if text}

    # -- told outside

    def _told(self, run: str, due: Sequence[Firing]) -> IcxError | None:
        from icx.workspace.marking import mark
        from icx.workspace.telling import tell

        do = self.trigger.do
        addresses = self._addresses([one.contact_id for one in due]) if do.addresses else None

        def settle(some: Sequence[Firing], state: str, reason: str = "") -> None:
            with self.ws.store.open(self.trigger.connection) as con:
                firings.settle(
                    con, [Became(one.firing_id, state, reason) for one in some], self.ws.clock.now()
                )

        if do.kind in MARKED:
            return mark(self.ws, self.trigger, due, settle, run)
        self._note_told(due)
        return tell(self.ws, self.trigger, due, addresses, settle, run, self.progress)

    def _note_told(self, due: Sequence[Firing]) -> None:
        """Write into the record that people are told of outside, before they are."""
        from icx.workspace.bringing import note

        do = self.trigger.do
        held = "ids and addresses" if do.addresses else "ids"
        way = shown_way(do.command, do.webhook) or do.notebook
        note(self.ws, "told", f"{self.trigger.name}: {held} of {counted(len(due), 'firing')} to {way}")

    # -- plumbing

    def _open(self) -> list[Firing]:
        with self.ws.store.open(self.trigger.connection) as con:
            return firings.of(con, self.trigger.name, *OPEN)

    def _back(self, mine: Sequence[Firing]) -> None:
        with self.ws.store.open(self.trigger.connection) as con:
            firings.back(con, mine)

    def _ran(self, began: set[str], problem: IcxError | None = None) -> Ran:
        """Return what became of what was open when the run began."""
        with self.ws.store.open(self.trigger.connection) as con:
            now = [one for one in firings.of(con, self.trigger.name) if one.firing_id in began]
        states = Counter(one.state for one in now)
        reasons = Counter(one.reason for one in now if one.state in {"refused", "failed"} and one.reason)
        plans = sorted({one.plan_id for one in now if one.plan_id})
        return Ran(
            self.trigger.name,
            fired=len(now),
            done=states["done"],
            refused=states["refused"],
            failed=states["failed"],
            waiting=states["waiting"] + states["planned"],
            plan=plans[-1] if plans else "",
            reasons=tuple(reasons.most_common()),
            problem=problem,
        )


def _stops(ws: Workspace, plan_id: str) -> Sequence[Stop]:
    from icx.plan import load as load_plan

    return load_plan(ws.plan_journal, plan_id).stops


def _paused(trigger: Trigger) -> NeedsYou:
    paused = trigger.paused
    assert paused is not None
    why = f": {paused.why}" if paused.why else ""
    return NeedsYou(
        "trigger-paused",
        f"{trigger.name} is paused.",
        where=f"by {paused.by}, since {paused.since:%Y-%m-%d %H:%M} UTC{why}",
        kept="nothing was done; what waits goes on waiting",
        next=[["icx", "triggers", "resume", trigger.name]],
    )


def _under_way(holder: Holder | None) -> IcxError:
    return TryLater(
        "already-running",
        f"{holder.what[:1].upper() + holder.what[1:] if holder else 'The trigger'} is under way.",
        where=who(holder),
        kept="this one did nothing",
        next=["wait until it ends, then the same command"],
    )
