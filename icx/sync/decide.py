"""What becomes of two people who are one, or of somebody alone: fields to write, actions, and why nothing. Pure.

Two people are decided, the decision is carried out on copies of them, and they are decided again until nothing is left
to do. So what a plan shows is where the sync comes to rest, a second sync finds nothing to do, and rules or lines that
would flip a field back and forth for ever are found before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from icx.connections.base import Person
from icx.sync.definition import SIDES, Act, Rule, Side, Sync, other
from icx.sync.memory import NOTHING, Deed, Did, Memory
from icx.sync.merge import Base, alike, merge
from icx.sync.seen import SAID_NO, meets, said_no, value_of
from icx.sync.want import Want, after

ROUNDS = 6  # of decisions about one pair; rules that lead to one another settle in two or three
#: How each action is taken back.
UNDOING = {"set": "set", "join": "leave", "leave": "join", "tag": "untag", "untag": "tag"}
#: May somebody (None: who is to be made, of this address) be put on a list (None: made at all)? "" or the reason not.
Fits = Callable[[Side, str, str], bool]  # may a field of a side hold a value
Consent = Callable[[Side, Person | None, str | None, str | None], str]


@dataclass(frozen=True)
class Remark:
    """Something to tell of a pair: `kind` (conflict, foreign, kept, refused, contradiction), a side, and the words."""

    kind: str
    side: str
    what: str


@dataclass(frozen=True)
class Decision:
    """What becomes of a pair. `state` is in_sync, excluded, duplicate, deleted or failing, and `reason` says why.

    `rounds` are what is written, one after the other: what a rule does may be what another one waits for. `memory` is
    what is remembered once all of it is done.
    """

    state: str
    reason: str
    rounds: tuple[Mapping[Side, Want], ...]
    memory: Memory
    notes: tuple[Remark, ...] = ()


def decide(
    sync: Sync,
    a: Person | None,
    b: Person | None,
    memory: Memory = NOTHING,
    *,
    reason: str = "",
    consent: Consent | None = None,
    fits: Fits | None = None,
) -> Decision:
    """Return what becomes of two people who are one, or of one alone (the other None).

    `reason` is why somebody is in step with nobody, where their address already says so.
    """
    if reason:
        state = "duplicate" if reason.startswith("duplicate") else "excluded"
        return Decision(state, reason, (), memory)
    if any(one is not None and one.trouble for one in (a, b)):
        return Decision("duplicate", "same_identity", (), memory)
    if memory.linked and (a is None or b is None):
        gone = "a" if a is None else "b"
        return Decision("deleted", f"deleted_in_{gone}", (), replace(memory, gone=gone))
    rounds: list[Mapping[Side, Want]] = []
    notes: list[Remark] = []
    memory = replace(memory, gone="")
    first: _Step | None = None
    for _ in range(ROUNDS):
        step = _Step(
            sync, {"a": a, "b": b}, memory, consent or _anybody, fits or _anything, as_read=first is None
        )
        step.decide()
        first = first or step
        notes += [note for note in step.notes if note not in notes]
        memory = step.remembered()
        wants = step.wants()
        if not wants:
            state, why = (first.state, first.reason) if not rounds else (step.state, step.reason)
            if any(note.kind == "contradiction" for note in notes):
                state, why = "failing", "contradiction"
            elif (first or step).unfit:
                state, why = "failing", (first or step).unfit
            return Decision(state, why, tuple(rounds), memory, tuple(notes))
        rounds.append(wants)
        source = next(one.email for one in (a, b) if one is not None)
        a, b = _then(a, wants.get("a"), source), _then(b, wants.get("b"), source)
    flips = sorted({name for wants in rounds[-2:] for want in wants.values() for name in want.fields})
    told = Remark("loop", "", ", ".join(flips) or "lists or tags")
    start = replace(first.memory, linked=first.memory.linked) if first else NOTHING
    return Decision("failing", "loop", (), start, (*notes, told))


class _Step:
    """One decision: what is wanted of each side now."""

    def __init__(
        self,
        sync: Sync,
        people: dict[Side, Person | None],
        memory: Memory,
        consent: Consent,
        fits: Fits,
        *,
        as_read: bool,
    ) -> None:
        self.sync, self.people, self.memory, self.consent = sync, people, memory, consent
        self.fits, self.as_read, self.unfit = fits, as_read, ""
        self.fields: dict[Side, dict[str, str]] = {"a": {}, "b": {}}
        self.sets: dict[Side, dict[str, set[str]]] = {"a": {}, "b": {}}
        self.lines: dict[Side, dict[str, Base | None]] = {"a": {}, "b": {}}
        self.did: dict[Side, list[tuple[str, ...]]] = {"a": [], "b": []}
        self.undid: dict[Side, list[Deed]] = {"a": [], "b": []}
        self.make: Side | None = None
        self.base = dict(memory.base)
        self.kept = dict(memory.kept)
        self.deeds: dict[Did, Deed] = {deed.id: deed for deed in memory.deeds}
        self.notes: list[Remark] = []
        self.state, self.reason = "in_sync", ""

    def decide(self) -> None:
        hits = {side: self._hits(side) for side in SIDES}
        here: Side | None = "a" if self.people["b"] is None else "b" if self.people["a"] is None else None
        if here is None:
            flows = frozenset(other(side) for side in SIDES if any(rule.does != "act" for rule in hits[side]))
            if any(not (person and person.email) for person in self.people.values()):
                self._excluded("address_gone")
                return
            if not flows:
                self._excluded("no_rule")
        else:
            person = self.people[here]
            assert person is not None
            to = other(here)
            if not person.email:
                self._excluded("no_address")
                return
            if not any(rule.does == "create" for rule in hits[here]):
                missing = "no_rule" if self.sync.on(here) else "one_way"
                self._excluded("not_there" if hits[here] else missing)
                return
            if why := self._may_make(person, to):
                self._excluded(why)
                return
            self.make, flows = to, frozenset({to})
        self._merge(flows)
        self._act(hits)

    def _hits(self, side: Side) -> list[Rule]:
        person = self.people[side]
        if person is None:
            return []
        return [rule for rule in self.sync.on(side) if all(meets(person, when) for when in rule.when)]

    def _excluded(self, reason: str) -> None:
        self.state, self.reason = "excluded", reason

    def _may_make(self, person: Person, to: Side) -> str:
        if person.status in SAID_NO:
            return "said_no"
        return self.consent(to, None, person.email, None)

    # -- fields

    def _merge(self, flows: frozenset[Side]) -> None:
        for line in self.sync.lines:
            now = [value_of(self.people[side], line.of(side)) for side in SIDES]
            was = self.memory.base.get(line.id)
            winner: Side = "b" if self.sync.winner == "b" else "a"
            if self.as_read and alike(*now):
                for side in SIDES:
                    self.kept.pop(f"{side} {line.of(side)}", None)
            found = merge(line, now[0], now[1], was, flows=flows, winner=winner)
            if found.to is not None:
                name = line.of(found.to)
                there = now[0] if found.to == "a" else now[1]
                if self.kept.get(f"{found.to} {name}") == (found.value, there):
                    self.notes.append(
                        Remark("keeps", found.to, name)
                    )  # it was sent before, and that is what it became
                    continue
                if found.value and not self.fits(found.to, name, found.value):
                    self.unfit = f"unfit {found.to} {name}"
                    self.notes.append(Remark("unfit", found.to, name))
                    continue
                self.fields[found.to][name] = found.value
                self.lines[found.to][line.id] = was
            if found.base is None:
                self.base.pop(line.id, None)
            else:
                self.base[line.id] = found.base
            if found.note:
                side = other(found.to) if found.to else "b" if line.way == "a>b" else "a"
                self.notes.append(Remark(found.note, side, line.of(side)))

    # -- actions

    def _act(self, hits: Mapping[Side, list[Rule]]) -> None:
        asked: list[tuple[Side, Rule, Act]] = [
            (other(side), rule, act) for side in SIDES for rule in hits[side] for act in rule.then
        ]
        against = _against(asked)
        wanted: dict[Did, Deed] = {}
        for to, rule, act in asked:
            if (to, act.kind, act.name, act.value) in against:
                self.notes.append(Remark("contradiction", to, act.name))
                continue
            deed = Deed(rule.id, to, act.kind, act.name, act.value, act.undo)
            wanted[deed.id] = deed
        stay = {deed.what for deed in wanted.values()}
        for known, deed in list(self.deeds.items()):
            if known in wanted:
                continue
            del self.deeds[known]
            if deed.undo and deed.ours and deed.what not in stay:
                self._undo(deed)
            elif deed.what in stay:  # another rule wants the same now: it is icx's doing still
                heir = next(key for key, one in wanted.items() if one.what == deed.what)
                self.deeds.setdefault(heir, replace(wanted[heir], ours=deed.ours, before=deed.before))
        done: set[tuple[str, ...]] = set()
        for key, deed in wanted.items():
            if key in self.deeds:
                if not self._is(deed):
                    self.notes.append(
                        Remark("foreign", deed.side, deed.name)
                    )  # taken back by somebody: let it be
                continue
            if deed.what in done or self._is(deed):
                self.deeds[key] = replace(deed, ours=False)
                continue
            if self._do(deed, key):
                done.add(deed.what)

    def _is(self, deed: Deed) -> bool:
        person = self.people[deed.side]
        if person is None:
            return False
        on = person.lists.get(deed.name)
        return {
            "set": value_of(person, deed.name) == deed.value,
            "join": on in {"normal", "pending"},
            "leave": on != "normal",
            "unsubscribe": on in {None, "unsubscribed"},
            "tag": deed.name in person.tags,
            "untag": deed.name not in person.tags,
        }[deed.kind]

    def _do(self, deed: Deed, key: Did) -> bool:
        if deed.kind == "join" and (why := self._may_join(deed.side, deed.name)):
            self.notes.append(Remark("refused", deed.side, why))
            return False
        if deed.kind == "unsubscribe" and self.people[deed.side] is None:
            return False
        before = value_of(self.people[deed.side], deed.name) if deed.kind == "set" else ""
        self._want(deed.side, deed.kind, deed.name, deed.value)
        self.deeds[key] = replace(deed, before=before)
        self.did[deed.side].append(key)
        return True

    def _undo(self, deed: Deed) -> None:
        if self.people[deed.side] is None or not self._is(deed):
            return
        if deed.kind == "leave" and (why := self._may_join(deed.side, deed.name)):
            self.notes.append(Remark("refused", deed.side, why))
            return
        self._want(deed.side, UNDOING[deed.kind], deed.name, deed.before)
        self.undid[deed.side].append(deed)

    def _may_join(self, side: Side, name: str) -> str:
        source, person = self.people[other(side)], self.people[side]
        if source is not None and (source.status != "normal" or said_no(source)):
            return "said_no"
        return self.consent(side, person, (person or source).email if person or source else None, name)  # type: ignore[union-attr]

    def _want(self, side: Side, kind: str, name: str, value: str) -> None:
        if kind == "set":
            self.fields[side][name] = value
        else:
            self.sets[side].setdefault(kind, set()).add(name)

    # -- what came of it

    def wants(self) -> dict[Side, Want]:
        found = {}
        for side in SIDES:
            sets = {kind: frozenset(names) for kind, names in self.sets[side].items()}
            want = Want(
                self.make == side,
                self.fields[side],
                **sets,
                lines=self.lines[side],
                did=tuple(self.did[side]),
                undid=tuple(self.undid[side]),
            )
            if want:
                found[side] = want
        return found

    def remembered(self) -> Memory:
        linked = self.memory.linked or self.make is not None or None not in self.people.values()
        return replace(
            self.memory, base=self.base, deeds=tuple(self.deeds.values()), kept=self.kept, linked=linked
        )


def _then(person: Person | None, want: Want | None, email: str | None) -> Person | None:
    return person if want is None else after(person, want, email)


def _against(asked: list[tuple[Side, Rule, Act]]) -> set[tuple[str, ...]]:
    """Return the actions that another one which holds at the same time wants otherwise."""
    by_place: dict[tuple[str, str, str], set[tuple[str, ...]]] = {}
    for to, _, act in asked:
        about = {"set": "field", "tag": "tag", "untag": "tag"}.get(act.kind, "list")
        by_place.setdefault((to, about, act.name), set()).add((to, act.kind, act.name, act.value))
    return {one for several in by_place.values() if len(several) > 1 for one in several}


def _anything(side: Side, name: str, value: str) -> bool:
    return True


def _anybody(side: Side, person: Person | None, email: str | None, list_id: str | None) -> str:
    """The consent table with no more known than the person themselves; see `icx.sync.consent`."""
    from icx.sync.consent import allowed

    return allowed(person, list_id)
