"""Applying a plan: ask, read again, decide again, send what is left of it, read the list back.

The order is what makes it safe: unfinished work of the same list first, the list held, the stops answered,
unknown outcomes looked up, then less than the plan or as much, never more. What is written is in `send` and
`contacts`; this file says when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from icx.clock import Clock
from icx.errors import BadInput, TryLater
from icx.icontact import Client
from icx.plan import again, contacts, facts, match, reading
from icx.plan.applied import Applied, Progress, ReadBack, from_result, tally
from icx.plan.gates import (
    Ask,
    answered,
    check_closed,
    check_data,
    check_switch,
    check_unfinished,
    for_one,
    gone,
    running,
)
from icx.plan.interrupt import Ending, ends_after_the_batch
from icx.plan.make import Side, note, read_side
from icx.plan.plan import Plan, from_kept
from icx.plan.resume import resolve
from icx.plan.send import Row, Sender
from icx.plan.stops import Stop
from icx.settings import Settings
from icx.store import Store
from icx.store.plans import KeptPlan, Plans
from icx.words import counted, form


def apply(
    plan_id: str,
    *,
    client: Client,
    store: Store,
    plans: Plans,
    settings: Settings,
    clock: Clock,
    who: str,
    answers: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    progress: Callable[[Progress], None] | None = None,
    test: int | None = None,
    checked: bool = False,
    ending: Callable[[], bool] | None = None,
    run: str | None = None,
) -> Applied:
    """Do what the plan says, or less, and read the list back; cut off, the same call goes on.

    `answers` are the values of `--confirm` (and `y` for yes/no stops), `ask(stop, number, of)` is asked for
    the others. `test` is the one contact to add. With the setting `push = false` no request is made at all.
    `ending()` may ask for the end after the batch, as Ctrl-C does. `checked` says that the caller asked the gate
    just now; else the verdict of the plan counts.
    Raises NeedsYou (push-off, needs-answer, check-failed, check-stale, apply-running, apply-unfinished, plan-closed,
    restored-unread), Refused (list-gone), TryLater (in-doubt and the client's), BadInput (plan-unknown, test-unknown).
    """
    kept = plans.get(plan_id)
    if kept.state == "finished" and kept.result:
        return replace(from_result(kept.result), already=True)
    check_switch(kept, settings)
    check_closed(kept)
    facts.check_read(store, kept.connection, settings.one_sender, ["icx", "apply", plan_id])
    plan = from_kept(kept, plans)
    if not checked:
        check_data(plan)
    tell = progress or (lambda _: None)
    with ExitStack() as held:
        held.enter_context(plans.lock(kept, lambda holder: running(plan_id, holder)))
        kept = plans.get(plan_id)  # somebody may have gone on with it while we waited for nothing
        if kept.state == "finished" and kept.result:
            return replace(from_result(kept.result), already=True)
        check_unfinished(plans, kept)
        if test is not None:
            plan = replace(plan, stops=for_one(plan, test))
        given = answered(plan, plan.stops, {**kept.answers, **(answers or {})}, ask)
        with ends_after_the_batch(lambda text: tell(Progress("ending", 0, note=text)), ending) as end:
            work = _Apply(
                plan=plan,
                kept=kept,
                client=client,
                store=store,
                plans=plans,
                settings=settings,
                clock=clock,
                who=who,
                tell=tell,
                ending=end,
                run=run,
                held=held,
            )
            return work.test(test, given, ask) if test is not None else work.whole(given, ask)


@dataclass
class _Apply:
    """One apply under way: what it holds, and its steps in order."""

    plan: Plan
    kept: KeptPlan
    client: Client
    store: Store
    plans: Plans
    settings: Settings
    clock: Clock
    who: str
    tell: Callable[[Progress], None]
    ending: Ending
    run: str | None
    held: ExitStack  # of the locks, until the apply ends

    def __post_init__(self) -> None:
        self.rows = self.plans.rows(self.plan.plan_id)
        self.target = replace(self.plan.target, list_id=self.kept.place.list_id)
        self.parking_list_id: int | None = None

    def whole(self, answers: Mapping[str, str], ask: Ask | None) -> Applied:
        self.tell(Progress("reading the list again", 0))
        lists = self._find_target()
        answers = self._welcome(answers, ask)
        self.plans.begin(self.plan.plan_id, answers, self.who)
        lists = self._make_lists(lists)
        side = self._settled(lists)
        work = self._todo(side)
        sender = self._sender(work.people)
        self._leave_out(work)
        try:
            self._send(work, sender)
        finally:
            self._note_consent(sender)
        if self._tally("stopped").not_sent:
            return self._end("stopped" if self.ending.asked else "waiting")
        back = self._read_back(side, sender)
        return self._end("finished", back)

    def test(self, contact: int | None, answers: Mapping[str, str], ask: Ask | None) -> Applied:
        lists = self._find_target()
        if self.target.list_id is None:
            raise BadInput(
                "test-unknown",
                "A test needs a list that is there already.",
                where=self.target.line(),
                kept="nothing was sent",
                next=[["icx", "apply", self.plan.plan_id]],
            )
        self._welcome(answers, ask)
        side = self._settled(lists)
        work = self._todo(side, only=contact)
        work.parks, work.unsubscribes = [], []
        sender = self._sender(work.people)
        self._leave_out(work)
        self._send(work, sender)
        self._note_consent(sender)
        back = self._read_back(side, sender)
        result = tally(self.plan.plan_id, "tested", self.plans.summary(self.plan.plan_id), 0, back)
        note(self.store, self.clock, self.who, "tested", f"{self.plan.plan_id}: #{contact}", run=self.run)
        return result

    # -- before sending

    def _find_target(self) -> list[dict[str, Any]]:
        lists = reading.whole(self.client, "lists", "listId")
        if self.target.list_id is None:
            there = [row for row in lists if row["name"] == self.target.list]
            if len(there) == 1:  # made by an earlier start of this apply, or by somebody else
                self.target = match.with_list(self.target, there[0])
                self._hold_by_id()
        else:
            there = [row for row in lists if row["listId"] == self.target.list_id]
            if not there:
                self.plans.end(self.plan.plan_id, "closed", self._tally("closed").as_dict())
                raise gone(self.plan)
            self.target = match.with_list(self.target, there[0])
        return lists

    def _hold_by_id(self) -> None:
        """Hold the list that the plan knew by name only: a plan made since then knows its id."""
        known = replace(self.kept, place=self.target.place)
        self.held.enter_context(self.plans.lock(known, lambda holder: running(self.plan.plan_id, holder)))
        check_unfinished(self.plans, known)

    def _welcome(self, answers: Mapping[str, str], ask: Ask | None) -> Mapping[str, str]:
        """A list that mails now and did not when it was planned is a stop of its own."""
        counts = self.plan.counts
        people = counts.add + counts.create
        known = any(stop.key == "welcome" for stop in self.plan.stops)
        if not self.target.welcome or not people or known:
            return answers
        stop = Stop(
            "welcome",
            self.target.list,
            "welcome mail, switched on since the plan",
            f"up to {people:,} welcome messages go out. Type the list's name:",
            people,
        )
        return answered(self.plan, (stop,), answers, ask)

    def _make_lists(self, lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.target.list_id is None:
            lists, made = self._made(self.target.list)
            self.target = match.with_list(self.target, made)
            self._hold_by_id()
        if self.kept.place.list_id is None and self.target.list_id is not None:
            self.plans.found_list(self.plan.plan_id, self.target.list_id)
        if any(stop.key == "parking" for stop in self.plan.stops):
            name = self.plan.policy.parking_list
            if not any(row["name"] == name for row in lists):
                lists, _ = self._made(name)
        return lists

    def _made(self, name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the lists and the one of this name, made if there is still none: another apply may be making it."""
        with self.plans.making(self.target.place):
            lists = reading.whole(self.client, "lists", "listId")
            made = contacts.make_list(self.client, name, lists)
        return [*lists, made], made

    def _settled(self, lists: list[dict[str, Any]]) -> Side:
        """Read the list, and settle what an earlier start left unknown."""

        def read() -> Side:
            return read_side(self.client, lists, self.target.place, self.plans, self.plan.policy)

        acting = {row["row"]: row for row in again.acting_rows(self.rows)}
        try:
            side = resolve(
                self.plan.plan_id, acting, read(), client=self.client, plans=self.plans, read_again=read
            )
        except TryLater as error:
            doubtful = self._tally("waiting").in_doubt
            if not doubtful or error.code in {"in-doubt", "login-lost"}:
                raise
            raise TryLater(
                "in-doubt",
                f"{counted(doubtful, 'person')} {form(doubtful, 'was')} sent, and iContact cannot be asked yet whether they arrived.",
                where=f"{self.plan.plan_id}; reading back: {error.message}",
                kept="noted as in doubt; they are not sent twice",
                next=[["icx", "apply", self.plan.plan_id]],
            ) from error
        self.parking_list_id = side.parking_list_id
        facts.remember(self.store, self.target.place, side.have, self.clock.now())
        return side

    def _todo(self, side: Side, only: int | None = None) -> again.Todo:
        # Who was left out is looked at again: an hour later the reason may be gone.
        outcomes = self.plans.outcomes(self.plan.plan_id, "done", "refused")
        settled = {(row["row"], row["action"]): row["state"] for row in outcomes}
        work = again.todo(
            self.plan,
            self.rows,
            settled,
            side,
            client=self.client,
            store=self.store,
            plans=self.plans,
            target=self.target,
            settings=self.settings,
            clock=self.clock,
            only=only,
        )
        if only is not None and not work.people and not work.left_out and not work.changes:
            raise BadInput(
                "test-unknown",
                f"Contact {only} is not one whom this plan adds.",
                where=f"{self.plan.plan_id}, which adds {counted(self.plan.counts.add, 'person')}",
                kept="nothing was sent",
                next=[["icx", "plans", self.plan.plan_id]],
            )
        return work

    def _leave_out(self, work: again.Todo) -> None:
        self.plans.outcome(self.plan.plan_id, work.left_out)
        facts.append(self.store, self.target.place, work.said_no, self.clock.now())
        if work.said_no:
            text = f"{len(work.said_no):,} said no since the plan, left out; {work.people:,} to send"
            self.tell(Progress("read again", 0, work.people, note=text))

    # -- sending

    def _sender(self, people: int) -> Sender:
        assert self.target.list_id is not None
        return Sender(
            plan_id=self.plan.plan_id,
            list_id=self.target.list_id,
            client=self.client,
            plans=self.plans,
            settings=self.settings,
            ending=self.ending,
            progress=self.tell,
            confirmation=self.plan.policy.confirmation_message,
            batch=self.plans.next_batch(self.plan.plan_id),
            of=people,
        )

    def _send(self, work: again.Todo, sender: Sender) -> None:
        try:
            made = contacts.create(sender, work.creates) if work.creates else {}
        finally:
            self._note_made()
        new = [Row(row, contact, "create") for row, contact in made.items()]
        parks = [row._replace(away=self.parking_list_id) for row in work.parks]
        _ = (
            sender.add([*work.adds, *new])
            and sender.move(work.restores)
            and sender.move(parks)
            and sender.unsubscribe(work.unsubscribes)
        )
        contacts.change(sender, work.changes)

    def _note_consent(self, sender: Sender) -> None:
        """Note who came on the list by icx's own hand, and who said no while it was sending."""
        facts.wrote(self.store, self.target.place, sorted(sender.joined), self.clock.now())
        facts.append(self.store, self.target.place, sender.said_no, self.clock.now())

    def _note_made(self) -> None:
        """Note every contact this plan has made, also those of an apply that was killed before it could."""
        if not self.plan.counts.create:
            return
        done = self.plans.outcomes(self.plan.plan_id, "done")
        rows = {one["row"]: one["contact_id"] for one in done if one["action"] == "contact"}
        keys = self.rows.column("email_key").take(pa.array(list(rows), pa.int64())).to_pylist()
        facts.made(
            self.store, self.target.place, list(zip(rows.values(), keys, strict=True)), self.clock.now()
        )

    # -- after sending

    def _read_back(self, side: Side, sender: Sender) -> ReadBack:
        expected = (reading.members(side.have) | sender.joined) - sender.left

        def missing(have: Any) -> set[int]:
            return expected ^ reading.members(have)

        have = reading.settled(self.client, sender.list_id, missing)
        found = reading.members(have)
        return ReadBack(
            len(expected),
            len(found),
            tuple(sorted(expected - found)[:20]),
            tuple(sorted(found - expected)[:20]),
        )

    def _tally(self, state: str, back: ReadBack | None = None) -> Applied:
        planned = self.plan.counts
        rows = planned.add + planned.create + planned.park + planned.unsubscribe
        summary = self.plans.summary(self.plan.plan_id)
        return tally(self.plan.plan_id, state, summary, rows, back, fields=self.plan.updates)

    def _end(self, state: str, back: ReadBack | None = None) -> Applied:
        applied = self._tally(state, back)
        kept = "finished" if state == "finished" else "applying"
        self.plans.end(self.plan.plan_id, kept, applied.as_dict())
        if state == "finished":
            what = f"{self.plan.plan_id}: {self.plan.audience} to {self.target.line()}"
            verb = "undid" if self.plan.policy.undo_of else "applied"
            note(self.store, self.clock, self.who, verb, what, run=self.run)
        return applied
