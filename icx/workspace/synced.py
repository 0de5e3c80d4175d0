"""Syncs in a workspace: where they are kept, the systems they run between, what carries their verbs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from icx.errors import BadInput, NeedsYou
from icx.plan.stops import Stop
from icx.store.syncs import Syncs
from icx.sync import Line, Rule, Sync, checked
from icx.sync.definition import EVERYTHING, SIDES, Paused, Side
from icx.sync.files import everything, load, remove, save
from icx.sync.hand import NothingKnown, Tell, Watch, Work
from icx.sync.plan import from_kept
from icx.sync.state import State
from icx.workspace.hearing import hear
from icx.workspace.resting import check_rest, resting

if TYPE_CHECKING:
    from icx.sync import SyncPlan
    from icx.sync.applied import Synced
    from icx.sync.health import Health
    from icx.sync.simulate import Simulated
    from icx.workspace.workspace import Workspace

Answer = Callable[[Any, int, int], "str | None"]
#: Kinds of connection whose consent facts icx keeps by account and folder.
FOLDERS = {"icontact", "sandbox"}


@dataclass(frozen=True)
class Hand:
    """The workspace as a sync knows it: `sync.plan()` in a notebook ends here."""

    ws: Workspace

    def plan(self, sync: Sync, *, full: bool, progress: Tell | None) -> SyncPlan:
        from icx.sync import make

        with self.ws.noted("sync plan", sync.name) as run, working(self.ws, sync, run) as work:
            made = make(sync, work, full=full, progress=hear(self.ws, run, progress))
        return replace(made, sync=replace(made.sync, hand=self))

    def apply(self, plan: SyncPlan, *, answers: Mapping[str, str] | None, progress: Tell | None) -> Synced:
        try:
            return apply(self.ws, plan.sync.name, plan.plan_id, answers=answers, ask=None, progress=progress)
        except NeedsYou as error:
            stops = error.data.get("stops")
            if error.code == "needs-answer" and stops:
                asked = {stop["key"]: stop.get("confirm") or "how they agreed" for stop in stops}
                error.next = [f"plan.apply(confirm={asked!r})", *error.next]
            raise

    def simulate(self, sync: Sync) -> Simulated:
        from icx.sync.simulate import simulate

        with self.ws.noted("sync simulate", sync.name) as run, working(self.ws, sync, run) as work:
            return simulate(sync, work)

    def health(self, sync: Sync) -> Health:
        from icx.sync.health import health

        return health(
            sync,
            State(self.ws.store, sync.name),
            Syncs(self.ws.journal),
            per_day=self.ws.settings.calls_per_day,
        )

    def pause(self, sync: Sync, why: str) -> Sync:
        rest = Paused(self.ws.who, self.ws.clock.now(), why or self.ws.because or "")
        return _kept(self.ws, replace(load(self.ws.layout.syncs, sync.name), paused=rest))

    def resume(self, sync: Sync) -> Sync:
        return _kept(self.ws, replace(load(self.ws.layout.syncs, sync.name), paused=None))


@contextmanager
def working(ws: Workspace, sync: Sync, run: str) -> Iterator[Work]:
    """Open both systems of a sync for a run; raises BadInput when one is not saved."""
    ends, watch = {}, {}
    for side in SIDES:
        saved = ws.accounts.connections.load(sync.of(side))
        if saved.kind in FOLDERS:
            ws.accounts.enter(saved)
        ends[side] = ws.accounts.system(saved, run=run, push=True)
        watch[side] = _watch(ws, sync.of(side))
    if ends["a"].place == ends["b"].place:
        raise BadInput(
            "sync-value",
            f"{sync.a} and {sync.b} are the same place, and cannot be kept in step with itself.",
            where=ends["a"].place,
            kept="nothing was read or sent",
            next=[["icx", "status"]],
        )
    gone = ws.accounts.erased()
    yield Work(
        ends,
        ws.store,
        Syncs(ws.journal),
        ws.settings,
        ws.clock,
        ws.who,
        watch,
        erased=lambda address: gone is not None and gone.address(address) in gone.known,
        calls=lambda: ws.journal.calls(run)[0],
        others=lambda: everything(ws.layout.syncs),
    )


def _watch(ws: Workspace, name: str) -> Watch:
    from icx.sync.watch import FolderWatch

    saved = ws.accounts.connections.load(name)
    if saved.kind not in FOLDERS:
        return NothingKnown()
    return FolderWatch(
        ws.store, ws.journal, ws.settings, ws.clock, name, saved.account_id, saved.client_folder_id
    )


def saved(
    ws: Workspace,
    name: str,
    a: str,
    b: str,
    *,
    lines: Sequence[Line | str],
    rules: Sequence[Rule] | None,
    winner: str,
    one_way: bool,
    alike: bool,
    unsubscribes: Mapping[str, str],
    basis: str,
    description: str,
    change: bool,
) -> Sync:
    """Save a sync; see `Workspace.sync`."""
    for one in (a, b):
        ws.accounts.connections.load(one)  # raises what is wrong with it, and names the nearest
    if winner not in {"", a, b}:
        raise BadInput(
            "sync-value",
            f'"{winner}" is not one of the two.',
            where=f"winner, one of {a} and {b}",
            kept="nothing was saved",
            next=[f"--winner {a}"],
        )
    chosen = tuple(rules) if rules is not None else (Rule("a"),) if one_way else EVERYTHING
    sides: dict[str, Side] = {a: "a", b: "b"}
    made = checked(
        Sync(
            name,
            a,
            b,
            tuple(Line.parse(one) if isinstance(one, str) else one for one in lines),
            chosen,
            winner="b" if winner == b else "a",
            alike=alike,
            unsubscribes={sides.get(key, key): how for key, how in unsubscribes.items()},
            basis=basis,
            description=description,
        )
    )
    before = next((one for one in everything(ws.layout.syncs) if one.name == made.name), None)
    if before is not None:
        made = replace(made, paused=before.paused)
        if before != made and not change:
            raise NeedsYou(
                "sync-change",
                f"The sync {made.name} is saved already, and reads differently.",
                where=f"{before.a} and {before.b}, {len(before.rules)} rules, {len(before.lines)} lines",
                kept="the sync as it was, and what was agreed",
                next=[
                    "the same with replace=True, or --replace, if that is meant",
                    ["icx", "sync", "show", made.name],
                ],
            )
        if (before.a, before.b) != (made.a, made.b):
            State(ws.store, made.name).forget()  # who was in step was so between two other systems
    return _kept(ws, made, f"{'changed' if before else 'added'} {made.name}: {made.a} and {made.b}")


def bound(ws: Workspace, name: str) -> Sync:
    """Return a saved sync with the hand that carries it out."""
    return replace(load(ws.layout.syncs, name), hand=Hand(ws))


def every(ws: Workspace) -> list[Sync]:
    """Return the saved syncs."""
    return [replace(sync, hand=Hand(ws)) for sync in everything(ws.layout.syncs)]


def removed(ws: Workspace, name: str) -> Sync:
    """Forget a sync; see `Workspace.remove_sync`."""
    found = load(ws.layout.syncs, name)
    remove(ws.layout.syncs, found.name)
    State(ws.store, found.name).forget()
    _note(ws, f"removed {found.name}")
    return found


def plans(ws: Workspace, name: str) -> list[SyncPlan]:
    """Return the plans of a sync, newest first."""
    sync = bound(ws, name)
    state = State(ws.store, sync.name)
    return [from_kept(kept, sync, state) for kept in Syncs(ws.journal).of(sync.name)]


def apply(
    ws: Workspace,
    name: str,
    plan: str | None,
    *,
    answers: Mapping[str, str] | None,
    ask: Answer | None,
    progress: Callable[[Any], None] | None,
    ending: Callable[[], bool] | None = None,
) -> Synced:
    """Apply a plan of a sync; see `Workspace.apply_sync`."""
    from icx.sync import apply as carry_out
    from icx.sync import make

    sync = bound(ws, name)
    check_rest(ws, sync.name)
    if ws.inside is not None and not ws.inside.apply:
        raise ws.inside.refuses(f"sync {sync.name}")
    syncs = Syncs(ws.journal)
    with ws.noted("sync", sync.name) as run, working(ws, sync, run) as work:
        tell = hear(ws, run, progress)
        begun = syncs.unfinished(sync.name)
        chosen = plan or (begun.plan_id if begun is not None else None)
        if chosen is None:
            shown = next((one for one in plans(ws, name) if one.state == "open" and not one.empty), None)
            chosen = shown.plan_id if shown is not None else make(sync, work, progress=tell).plan_id
        done = carry_out(
            sync,
            chosen,
            work,
            answers=answers,
            ask=ask,
            progress=tell,
            ending=_resting(ws, sync.name, ending),
        )
    if not done.already and done.state == "finished" and done.written:
        _note(ws, f"{done.plan_id} of {sync.name}: {done.written:,} written", "applied")
    return done


def _resting(ws: Workspace, name: str, ending: Callable[[], bool] | None = None) -> Callable[[], bool]:
    """Return what asks for the end after the batch: all pushes rest, or this sync does, or the caller says so."""
    asked = resting(ws, ending)
    return lambda: asked() or load(ws.layout.syncs, name).paused is not None


def by_the_clock(
    ws: Workspace,
    name: str,
    *,
    given: Callable[[Sequence[Stop]], Mapping[str, str]],
    progress: Callable[[Any], None] | None,
) -> Synced:
    """Plan and apply in one run of a job; what an earlier one left unknown is found out first.

    `given` returns the answers to a plan's stops. Raises NeedsYou (needs-answer) for the others; the plan stays.
    """
    from icx.sync import apply as carry_out
    from icx.sync import make

    sync = bound(ws, name)
    check_rest(ws, sync.name)
    if ws.inside is not None and not ws.inside.apply:
        raise ws.inside.refuses(f"sync {sync.name}")
    with ws.noted("sync", sync.name) as run, working(ws, sync, run) as work:
        tell = hear(ws, run, progress)
        plan = make(sync, work, progress=tell)
        done = carry_out(
            sync, plan.plan_id, work, answers=given(plan.stops), progress=tell, ending=_resting(ws, sync.name)
        )
    if done.written:
        _note(ws, f"{done.plan_id} of {sync.name}: {done.written:,} written", "applied")
    return done


def _kept(ws: Workspace, sync: Sync, what: str = "") -> Sync:
    save(ws.layout.syncs, sync)
    if what:
        _note(ws, what)
    return replace(sync, hand=Hand(ws))


def _note(ws: Workspace, what: str, verb: str = "sync") -> None:
    from icx.workspace.bringing import note

    note(ws, verb, what)
