"""Applying the plan of a sync: ask, find out what is not known, read again, do what is left of it, read back, remember.

Every write has its intent in the journal before it leaves and its outcome after; what was agreed is remembered from
these, so that a process that is killed anywhere neither forgets an agreement nor takes its own writing for a change.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from icx.connections.base import Change, Person
from icx.errors import IcxError, NeedsYou, TryLater, UnknownOutcome
from icx.plan.applied import Progress
from icx.plan.gates import Ask
from icx.plan.interrupt import Ending, ends_after_the_batch
from icx.plan.stops import Stop, confirm_options, open_stops
from icx.store.locks import Holder, who
from icx.store.syncs import OPEN, KeptSync, Write
from icx.sync.applied import Synced, from_result
from icx.sync.decide import Want
from icx.sync.definition import SIDES, Side, Sync, other
from icx.sync.fold import fold
from icx.sync.hand import Tell, Work, silent
from icx.sync.look import look, read_back
from icx.sync.make import Ready, ready
from icx.sync.state import State
from icx.words import counted, form

PART = 2_000  # rows of a plan that are held in memory at once
RESENDS = 3  # times a row may be sent again that, read back, had not arrived


@dataclass(frozen=True)
class Todo:
    """One write that is still to be made: the pair's row of the plan, the round, the side, what is wanted, and of whom."""

    row: Mapping[str, Any]
    round: int
    side: Side
    want: Want
    key: str | None

    @property
    def number(self) -> int:
        return int(self.row["row"])

    @property
    def email(self) -> str | None:
        told: str | None = self.row[f"{self.side}_email"] or self.row[f"{other(self.side)}_email"]
        return told

    def change(self) -> Change:
        return self.want.change(self.number, self.key, self.email)

    def write(self, state: str, *, key: str | None = None, words: str = "", **more: Any) -> Write:
        return Write(self.number, self.round, self.side, state, key or self.key, words, **more)


def apply(
    sync: Sync,
    plan_id: str,
    work: Work,
    *,
    answers: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    progress: Tell | None = None,
    ending: Callable[[], bool] | None = None,
) -> Synced:
    """Do what a plan of a sync says, or less, and read back; cut off, the same call goes on.

    `answers` and `ask` answer the stops, as for a push; `ending()` may ask for the end after the batch.
    Raises NeedsYou (push-off, sync-paused, needs-answer, apply-running, apply-unfinished, plan-closed), TryLater
    (in-doubt and the systems') and BadInput (plan-unknown).
    """
    tell = progress or silent
    kept = work.syncs.get(plan_id)
    if kept.state == "finished" and kept.result:
        return from_result(kept.result)
    _check(sync, kept, work)
    with work.syncs.journal.lock(
        f"sync {sync.name}", what=plan_id, busy=lambda holder: _running(plan_id, holder)
    ):
        kept = work.syncs.get(plan_id)
        if kept.state == "finished" and kept.result:
            return from_result(kept.result)
        _check(sync, kept, work)
        begun = work.syncs.unfinished(sync.name)
        if begun is not None and begun.number != kept.number:
            raise NeedsYou(
                "apply-unfinished",
                f"{begun.plan_id} of this sync is not finished.",
                where=f"sync {sync.name}",
                kept="this one sent nothing",
                next=[["icx", "sync", "apply", sync.name, "--plan", begun.plan_id]],
            )
        stops = tuple(Stop(**stop) for stop in kept.header["stops"])
        given = answered(sync, kept.plan_id, stops, {**kept.answers, **(answers or {})}, ask)
        be = ready(sync, work)
        work.syncs.begin(kept.number, given)
        with ends_after_the_batch(lambda text: tell(Progress("ending", 0, note=text)), ending) as end:
            under_way = _Apply(sync, kept, be, work, tell, end)
            under_way.settle()
            under_way.send()
        return under_way.finish()


def recover(sync: Sync, be: Ready, work: Work) -> None:
    """Find out what an apply that was cut off left unknown, and remember what it did; a new plan does the rest."""
    with work.syncs.journal.lock(
        f"sync {sync.name}", what="recovering", busy=lambda held: _running(sync.name, held)
    ):
        kept = work.syncs.unfinished(sync.name)
        if kept is None:
            return
        with ends_after_the_batch(lambda text: None) as end:
            under_way = _Apply(sync, kept, be, work, silent, end)
            under_way.settle()
            under_way.close()


def answered(
    sync: Sync, plan_id: str, stops: tuple[Stop, ...], answers: Mapping[str, str], ask: Ask | None
) -> dict[str, str]:
    """Return the answers to these stops, or say how to give them."""
    given = dict(answers)
    for stop in open_stops(stops, given):
        if ask is not None and (answer := ask(stop, stops.index(stop) + 1, len(stops))) is not None:
            given[stop.key] = answer
    if still := open_stops(stops, given):
        raise NeedsYou(
            "needs-answer",
            "This plan asks before it acts, and there is no answer yet.",
            where=" · ".join(stop.words for stop in still),
            kept="nothing was sent",
            next=[["icx", "sync", "apply", sync.name, *confirm_options(stops)]],
            data={"plan": plan_id, "stops": [stop.as_dict() for stop in still]},
        )
    return given


def _check(sync: Sync, kept: KeptSync, work: Work) -> None:
    if not work.settings.push:
        raise NeedsYou(
            "push-off",
            "Pushing is switched off in this workspace.",
            where=f"{kept.plan_id}; icx.toml: push = false",
            kept="the plan; no request was made",
            next=["push = true in icx.toml, then the same command"],
        )
    if sync.paused is not None:
        raise NeedsYou(
            "sync-paused",
            f"The sync {sync.name} rests, by {sync.paused.by}.",
            where=sync.paused.why or f"since {sync.paused.since:%Y-%m-%d %H:%M} UTC",
            kept="the plan; nothing was sent",
            next=[["icx", "sync", "resume", sync.name]],
        )
    if kept.state == "closed":
        raise NeedsYou(
            "plan-closed",
            f"{kept.plan_id} was closed: a newer plan of this sync stands in its place.",
            where=f"sync {kept.sync}",
            kept="nothing was sent",
            next=[["icx", "sync", "plan", kept.sync]],
        )


def _running(what: str, holder: Holder | None) -> IcxError:
    return NeedsYou(
        "apply-running",
        f"{holder.what if holder else what} of this sync is under way.",
        where=who(holder),
        kept="this one sent nothing",
        next=["wait until it ends, then the same command"],
    )


class _Apply:
    """One apply under way."""

    def __init__(self, sync: Sync, kept: KeptSync, be: Ready, work: Work, tell: Tell, ending: Ending) -> None:
        self.sync, self.kept, self.be, self.work, self.tell, self.ending = sync, kept, be, work, tell, ending
        self.state: State = work.state(sync)
        self.number = kept.number
        self.read: dict[Side, dict[str, Person]] = {"a": {}, "b": {}}
        self.acting = self.state.count(self.number, "verb_a is not null or verb_b is not null")

    # -- what an earlier start left unknown

    def settle(self) -> None:
        """Ask each system what became of writes whose fate is not known."""
        unknown = self.work.syncs.writes(self.number, *OPEN)
        if not unknown:
            return
        for side in SIDES:
            todo = self._todo([one for one in unknown if one.side == side])
            for start in range(0, len(todo), self.work.ends[side].batch):
                self._ask(side, todo[start : start + self.work.ends[side].batch])

    def _todo(self, writes: Sequence[Write]) -> list[Todo]:
        rows = self._rows([one.row for one in writes])
        found = []
        for one in writes:
            if one.row in rows:
                want = _rounds(rows[one.row])[one.round][self._side(one.side)]
                want = Want.from_dict(json.loads(one.took)) if one.took else want
                found.append(Todo(rows[one.row], one.round, self._side(one.side), want, one.key))
        return found

    def _side(self, side: str) -> Side:
        return "b" if side == "b" else "a"

    def _ask(self, side: Side, todo: Sequence[Todo]) -> list[Todo]:
        """Find out by reading what became of writes; return those that may be sent again."""
        name = self.be.sync.of(side)
        self.tell(Progress(f"asking {name} what arrived", 0))
        try:
            done = self.work.ends[side].settle([one.change() for one in todo])
        except IcxError as cannot:
            self._note([one.write("in_doubt") for one in todo])
            many = len(todo)
            raise TryLater(
                "in-doubt",
                f"{counted(many, 'person')} {form(many, 'was')} sent to {name}, and it cannot be asked yet whether they arrived.",
                where=f"{self.kept.plan_id}; reading back: {cannot.message}",
                kept="noted as in doubt; they are not sent twice",
                next=[["icx", "sync", "apply", self.sync.name, "--plan", self.kept.plan_id]],
            ) from cannot
        became = {one.row: one for one in done}
        self._outcomes(side, todo, became)
        return [one for one in todo if became[one.number].state == "not_sent"]

    # -- sending

    def send(self) -> None:
        """Write what is left of the plan: round by round, side by side, batch by batch."""
        done = 0
        start = -1
        while not self.ending.asked:
            rows = self.state.rows(
                self.number, f"(verb_a is not null or verb_b is not null) and row > {start}", PART
            )
            if not rows:
                return
            start = rows[-1]["row"]
            self._part(rows, done)
            done += len(rows)

    def _part(self, rows: Sequence[Mapping[str, Any]], before: int) -> None:
        by_row = {row["row"]: row for row in rows}
        settled = {
            (one.row, one.round, one.side): one
            for one in self.work.syncs.writes(self.number)
            if one.row in by_row
        }
        failed = {one.row for one in settled.values() if one.state in {"refused", "left_out"}}
        rounds = {number: _rounds(row) for number, row in by_row.items()}
        for level in range(max((len(one) for one in rounds.values()), default=0)):
            for side in SIDES:
                todo = []
                for number, row in by_row.items():
                    if number in failed or level >= len(rounds[number]) or side not in rounds[number][level]:
                        continue
                    was = settled.get((number, level, side))
                    if was is not None and was.state == "done":
                        continue
                    made = next(
                        (w.key for w in settled.values() if w.row == number and w.side == side and w.key),
                        None,
                    )
                    key = row[f"{side}_key"] if not rounds[number][level][side].make else None
                    todo.append(
                        Todo(
                            row,
                            level,
                            side,
                            rounds[number][level][side],
                            key or (None if rounds[number][level][side].make else made),
                        )
                    )
                size = self.work.ends[side].batch
                for at in range(0, len(todo), size):
                    if self.ending.asked:
                        return
                    for one in self._batch(side, todo[at : at + size]):
                        settled[one.row, one.round, one.side] = one
                        if one.state in {"refused", "left_out", "not_sent"}:
                            failed.add(one.row)
                    self.tell(
                        Progress(
                            f"writing {self.be.sync.of(side)}",
                            before + min(at + size, len(rows)),
                            self.acting,
                        )
                    )

    def _batch(self, side: Side, todo: Sequence[Todo]) -> list[Write]:
        told: list[Write] = []
        for _ in range(RESENDS):
            seen = look(self.be, self.work, self.kept, self.state, todo)
            told += [one.write("left_out", words=why) for one, why in seen.left_out]
            self._note(told[-len(seen.left_out) :] if seen.left_out else [])
            todo = list(seen.still)
            if not todo:
                return told
            self._note([one.write("sent", took=json.dumps(one.want.as_dict())) for one in todo])
            changes = [one.change() for one in todo]
            try:
                done = {one.row: one for one in self.work.ends[side].write(changes)}
            except UnknownOutcome:
                again = self._ask(side, todo)
                written = self.work.syncs.writes(self.number)
                mine = {(one.number, one.round, one.side) for one in todo}
                told += [
                    one
                    for one in written
                    if (one.row, one.round, one.side) in mine and one.state != "not_sent"
                ]
                todo = again
                if not todo:
                    return told
                continue
            except IcxError:
                self._note([one.write("not_sent") for one in todo])
                raise
            return told + self._outcomes(side, todo, done, seen.people)
        raise TryLater(
            "in-doubt",
            f"{counted(len(todo), 'person')} {form(len(todo), 'was')} sent {RESENDS} times and did not arrive.",
            where=f"{self.kept.plan_id}, {self.be.sync.of(side)}",
            kept="noted as not sent",
            next=[["icx", "sync", "apply", self.sync.name]],
        )

    def _outcomes(
        self,
        side: Side,
        todo: Sequence[Todo],
        done: Mapping[int, Any],
        before: Mapping[int, Person | None] | None = None,
    ) -> list[Write]:
        writes = []
        for one in todo:
            became = done[one.number]
            state = {"done": "done", "refused": "refused"}.get(became.state, "not_sent")
            writes.append(one.write(state, key=became.key, words=became.words))
        self._note(writes)
        arrived = [(one, write) for one, write in zip(todo, writes, strict=True) if write.state == "done"]
        self._learn(side, arrived)
        back, people = read_back(self.be, self.work, side, arrived, before or {})
        self.read[side] |= people
        self._note(back)
        by = {one.row: one for one in back}
        return [by.get(one.row, one) for one in writes]

    def _learn(self, side: Side, arrived: Sequence[tuple[Todo, Write]]) -> None:
        """Let what is known of consent hear whom icx made and put on lists."""
        watch = self.work.watch[side]
        made = [(w.key, one.email) for one, w in arrived if one.want.make and w.key and one.email]
        if made:
            watch.made([(key, email) for key, email in made if key and email])
        lists: dict[str, list[str]] = {}
        for one, write in arrived:
            for name in one.want.join:
                lists.setdefault(name, []).append(write.key or "")
        for name, keys in lists.items():
            watch.joined(name, keys)

    # -- remembering

    def finish(self) -> Synced:
        """Remember what was done when everything is; else say how far it came."""
        if self.ending.asked and self._open():
            result = self._tally("stopped")
            self.work.syncs.end(self.number, "applying", result.as_dict())
            return result
        self._fold()
        result = self._tally("finished")
        self.work.syncs.end(self.number, "finished", result.as_dict())
        return result

    def close(self) -> None:
        """Remember what was done of a plan, and let a new one do the rest."""
        self._fold()
        self.work.syncs.end(self.number, "closed", self._tally("stopped").as_dict())

    def _open(self) -> bool:
        return self._tally("stopped").not_sent > 0

    def _fold(self) -> None:
        fold(self.kept, self.be, self.work, self.state, self.read)

    def _tally(self, state: str) -> Synced:
        writes = self.work.syncs.writes(self.number)
        done = Counter(one.side for one in writes if one.state == "done")
        planned = sum(
            len(one)
            for row in self.state.rows(self.number, "verb_a is not null or verb_b is not null")
            for one in _rounds(row)
        )
        waiting = {one.row for one in writes if one.state in {"refused", "left_out"}}
        known = sum(one.state in {"done", "refused", "left_out"} for one in writes)
        return Synced(
            self.kept.plan_id,
            self.sync.name,
            state,
            {side: done[side] for side in SIDES},
            dict(Counter(one.words or "changed" for one in writes if one.state == "left_out")),
            dict(Counter(one.words or "no reason given" for one in writes if one.state == "refused")),
            not_sent=max(planned - known - len(waiting), 0) if state != "finished" else 0,
            in_doubt=sum(one.state in OPEN for one in writes),
            differs=sum(one.state == "done" and one.kept is not None for one in writes),
        )

    def _note(self, writes: Sequence[Write]) -> None:
        if writes:
            self.work.syncs.note(self.number, writes)

    def _rows(self, numbers: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        if not numbers:
            return {}
        chosen = ", ".join(str(int(one)) for one in sorted(set(numbers)))
        return {row["row"]: row for row in self.state.rows(self.number, f"row in ({chosen})")}


def _rounds(row: Mapping[str, Any]) -> list[dict[Side, Want]]:
    return [
        {side: Want.from_dict(one[side]) for side in SIDES if side in one}
        for one in json.loads(row["rounds"])
    ]


def resumed(plan_id: str, kept: Synced) -> Synced:
    """Return an outcome told of another plan's id."""
    return replace(kept, plan_id=plan_id)
