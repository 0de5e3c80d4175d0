"""Writing what a plan of a sync decided: intent on disk, the call, its outcome on disk, read back; never sent twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from icx.connections.base import Change, Done, Person
from icx.errors import IcxError, TryLater, UnknownOutcome
from icx.plan.applied import Progress
from icx.plan.interrupt import Ending
from icx.store.syncs import OPEN, KeptSync, Write
from icx.sync.applied import Synced
from icx.sync.definition import SIDES, Side, Sync, other
from icx.sync.fold import fold
from icx.sync.hand import Tell, Work
from icx.sync.look import look, read_back
from icx.sync.make import Ready
from icx.sync.state import State
from icx.sync.tables import ACTING
from icx.sync.want import Want, rounds_of
from icx.words import counted, form

PART = 2_000  # rows of a plan that are held in memory at once
RESENDS = 3  # times a row may be sent again that, read back, had not arrived
NOT_DONE = {"refused", "left_out", "not_sent"}
Where = tuple[int, int, str]  # of a write: the row, the round, the side


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


class Sending:
    """One apply under way."""

    def __init__(self, sync: Sync, kept: KeptSync, be: Ready, work: Work, tell: Tell, ending: Ending) -> None:
        self.sync, self.kept, self.be, self.work, self.tell, self.ending = sync, kept, be, work, tell, ending
        self.state: State = work.state(sync)
        self.number = kept.number
        self.acting = self.state.count(self.number, ACTING)

    # -- what an earlier start left unknown

    def settle(self) -> None:
        """Ask each system what became of writes whose fate is not known."""
        unknown = self.work.syncs.writes(self.number, *OPEN)
        for side in SIDES:
            todo = self._unknown([one for one in unknown if one.side == side], side)
            for start in range(0, len(todo), self.work.ends[side].batch):
                self._ask(side, todo[start : start + self.work.ends[side].batch])

    def _unknown(self, writes: Sequence[Write], side: Side) -> list[Todo]:
        rows = {row["row"]: row for row in self.state.some(self.number, [one.row for one in writes])}
        found = []
        for one in writes:
            if one.row in rows:  # who was erased meanwhile has no row any more
                want = rounds_of(rows[one.row])[one.round][side]
                want = Want.from_dict(json.loads(one.took)) if one.took else want
                found.append(Todo(rows[one.row], one.round, side, want, one.key))
        return found

    def _ask(self, side: Side, todo: Sequence[Todo]) -> list[Write]:
        """Find out by reading what became of writes."""
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
        return self._outcomes(side, todo, {one.row: one for one in done})

    # -- sending

    def send(self) -> None:
        """Write what is left of the plan: round by round, side by side, batch by batch."""
        done, last = 0, -1
        while not self.ending.asked:
            rows = self.state.rows(self.number, f"({ACTING}) and row > {last}", PART)
            if not rows:
                return
            self._part(rows, done)
            done, last = done + len(rows), rows[-1]["row"]

    def _part(self, rows: Sequence[Mapping[str, Any]], before: int) -> None:
        known: dict[Where, Write] = {
            (one.row, one.round, one.side): one
            for one in self.work.syncs.writes(self.number, first=rows[0]["row"], last=rows[-1]["row"])
        }
        rounds = {row["row"]: rounds_of(row) for row in rows}
        for level in range(max(len(one) for one in rounds.values())):
            for side in SIDES:
                todo = self._left(rows, rounds, level, side, known)
                size = self.work.ends[side].batch
                for at in range(0, len(todo), size):
                    if self.ending.asked:
                        return
                    for one in self._batch(side, todo[at : at + size]):
                        known[one.row, one.round, one.side] = one
                    done = min(before + at + size, self.acting)
                    self.tell(Progress(f"writing {self.be.sync.of(side)}", done, self.acting))

    def _left(
        self,
        rows: Sequence[Mapping[str, Any]],
        rounds: Mapping[int, list[dict[Side, Want]]],
        level: int,
        side: Side,
        known: Mapping[Where, Write],
    ) -> list[Todo]:
        """Return what is still to be written; of whom something was not done, nothing that follows from it."""
        stuck = {one.row for one in known.values() if one.state in {"refused", "left_out"}}
        stuck |= {one.row for one in known.values() if one.state == "not_sent" and one.round < level}
        made = {one.row: one.key for one in known.values() if one.side == side and one.key}
        found = []
        for row in rows:
            number = row["row"]
            if number in stuck or level >= len(rounds[number]) or side not in rounds[number][level]:
                continue
            was = known.get((number, level, side))
            if was is not None and was.state == "done":
                continue
            want = rounds[number][level][side]
            key = None if want.make else row[f"{side}_key"] or made.get(number)
            found.append(Todo(row, level, side, want, key))
        return found

    def _batch(self, side: Side, todo: Sequence[Todo]) -> list[Write]:
        came: list[Write] = []
        for _ in range(RESENDS):
            seen = look(self.be, self.work, self.kept, self.state, todo)
            came += self._note([one.write("left_out", words=why) for one, why in seen.left_out])
            todo = seen.still
            if not todo:
                return came
            self._note([one.write("sent", took=json.dumps(one.want.as_dict())) for one in todo])
            try:
                done = self.work.ends[side].write([one.change() for one in todo])
            except UnknownOutcome:
                found = {one.row: one for one in self._ask(side, todo)}
                came += [one for one in found.values() if one.state != "not_sent"]
                todo = [one for one in todo if found[one.number].state == "not_sent"]
                if not todo:
                    return came
                continue
            except IcxError:
                self._note([one.write("not_sent") for one in todo])
                raise
            return came + self._outcomes(side, todo, {one.row: one for one in done}, seen.people)
        if todo:
            raise TryLater(
                "in-doubt",
                f"{counted(len(todo), 'person')} {form(len(todo), 'was')} sent {RESENDS} times and did not arrive.",
                where=f"{self.kept.plan_id}, {self.be.sync.of(side)}",
                kept="noted as not sent",
                next=[["icx", "sync", "apply", self.sync.name]],
            )
        return came

    def _outcomes(
        self,
        side: Side,
        todo: Sequence[Todo],
        done: Mapping[int, Done],
        before: Mapping[int, Person | None] | None = None,
    ) -> list[Write]:
        """Note what became of writes, let consent learn of it, and read back who was written."""
        writes = []
        for one in todo:
            became = done[one.number]
            writes.append(one.write(became.state, key=became.key, words=became.words))
        self._note(writes)
        arrived = [(one, write) for one, write in zip(todo, writes, strict=True) if write.state == "done"]
        self._learn(side, arrived)
        back, people = read_back(self.be, self.work, side, arrived, before or {})
        if people:
            self.state.replace(side, people, self.be.want[side])
        by = {one.row: one for one in self._note(back)}
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
        result = self._tally("stopped")
        if self.ending.asked and result.not_sent:
            self.work.syncs.end(self.number, "applying", result.as_dict())
            return result
        fold(self.kept, self.be, self.work, self.state)
        result = self._tally("finished")
        self.work.syncs.end(self.number, "finished", result.as_dict())
        return result

    def close(self) -> None:
        """Remember what was done of a plan, and let a new one do the rest."""
        fold(self.kept, self.be, self.work, self.state)
        self.work.syncs.end(self.number, "closed", self._tally("stopped").as_dict())

    def _tally(self, state: str) -> Synced:
        counts = self.work.syncs.counts(self.number)
        done: Counter[str] = Counter()
        words: dict[str, Counter[str]] = {"left_out": Counter(), "refused": Counter()}
        waiting = kept = 0
        for (side, became, said), (count, others) in counts.items():
            if became == "done":
                done[side] += count
                kept += others
            elif became in words:
                words[became][said or ("changed" if became == "left_out" else "no reason given")] += count
            elif became in OPEN:
                waiting += count
        known = sum(done.values()) + sum(sum(one.values()) for one in words.values())
        return Synced(
            self.kept.plan_id,
            self.sync.name,
            state,
            {side: done[side] for side in SIDES},
            dict(words["left_out"]),
            dict(words["refused"]),
            not_sent=0 if state == "finished" else max(self.kept.header["pieces"] - known - waiting, 0),
            in_doubt=waiting,
            differs=kept,
            names={side: self.be.sync.of(side) for side in SIDES},
        )

    def _note(self, writes: Sequence[Write]) -> Sequence[Write]:
        if writes:
            self.work.syncs.note(self.number, writes)
        return writes
