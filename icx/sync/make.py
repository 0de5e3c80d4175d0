"""Making the plan of a sync: read both sides, compare with what was agreed, decide what differs. Sends nothing.

The first time everybody of both sides is read before anybody is decided. Afterwards a system that tells what changed is
asked for that alone; of others everybody is read and compared here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from icx.connections.base import Change, Person
from icx.functions import email as email_key
from icx.plan.applied import Progress
from icx.plan.stops import Stop
from icx.sync.consent import allowed
from icx.sync.decide import Consent, Decision, decide
from icx.sync.definition import SIDES, Side, Sync, other
from icx.sync.hand import Known, Tell, Work, by_key, silent
from icx.sync.memory import Memory
from icx.sync.plan import VERBS, SyncPlan
from icx.sync.resolve import End, resolve
from icx.sync.rings import ring
from icx.sync.seen import Wanted, compact, person_of, wanted
from icx.sync.state import State
from icx.sync.tables import Unit
from icx.sync.want import rounds_of, rounds_text
from icx.words import counted, form

#: A feed of changes is asked from a little before the last reading began: clocks differ, and answers lag.
OVERLAP = timedelta(minutes=10)
#: However well a feed works, everybody is read again after this long, which is how deletions are found there.
WHOLE_EVERY = timedelta(days=1)
#: Plans of a sync whose rows are kept.
KEPT = 20
#: Which verb a pair is counted under when several things are done to it, the weightiest first.
WEIGHT = ("create", "unsubscribe", "undo", "update", "act")
#: More writes than this, and more than this share of a side's people, is a question.
MANY, MANY_SHARE = 100, 0.25


@dataclass(frozen=True)
class Ready:
    """A sync made ready for its two systems as they are now."""

    sync: Sync
    ends: Mapping[Side, End]
    want: Mapping[Side, Wanted]
    told: Sequence[str]

    def fits(self, side: Side, name: str, value: str) -> bool:
        """Tell whether a field of a side can hold a value."""
        return self.ends[side].holds(name, value)

    @property
    def mailing(self) -> Mapping[Side, frozenset[str]]:
        """The lists of each side that send a welcome to who is put on them."""
        return {side: frozenset(str(one.id) for one in self.ends[side].lists if one.mails) for side in SIDES}


def ready(sync: Sync, work: Work) -> Ready:
    """Ask both systems what they have, and return the sync as it runs between them."""
    ends = work.described(sync)
    found, told = resolve(sync, ends)
    return Ready(found, ends, {side: wanted(found, side) for side in SIDES}, told)


def make(
    sync: Sync,
    work: Work,
    *,
    full: bool = False,
    progress: Tell | None = None,
) -> SyncPlan:
    """Return what a sync would do now, and keep it. Nothing is sent.

    `full` reads everybody, also where a system tells what changed. What an earlier apply left unknown is found out by
    reading first. Raises BadInput (field-unknown, list-unknown, list-twice, cannot-map, sync-loop) and what the
    systems raise.
    """
    from icx.sync.apply import held

    for side in SIDES:
        work.watch[side].check(["icx", "sync", "plan", sync.name])
    with held(sync, work, "a plan"):
        return _make(sync, work, full=full, tell=progress or silent)


def _make(sync: Sync, work: Work, *, full: bool, tell: Tell) -> SyncPlan:
    from icx.sync.apply import recover

    before = work.calls()
    be = ready(sync, work)
    state = work.state(sync)
    recover(sync, be, work)
    marks = state.marks()
    base = marks.folded if marks is not None else 0
    state.mark(_looks(be), be.sync.digest())
    for side in SIDES:
        read(side, be, work, state, full=full, tell=tell)
    reading = work.calls() - before
    number = work.syncs.add(sync.name, work.who, after=base)
    counts, notes = _decide(be, work, state, number, tell)
    plan = _told(sync, be, work, state, number, base=base, counts=counts, notes=notes, reading=reading)
    work.syncs.keep(number, plan.header())
    state.drop_rows([one.number for one in work.syncs.of(sync.name, KEPT)])
    return plan


def read(side: Side, be: Ready, work: Work, state: State, *, full: bool, tell: Tell) -> None:
    """Read one side, whole or what changed since, and make sure of everybody who was not found."""
    end, name = work.ends[side], be.sync.of(side)
    marks = state.marks()
    now = work.clock.now()
    since: datetime | None = None
    if not full and marks is not None and "since" in end.can:
        whole_at, last = marks.full[side], marks.read[side]
        if whole_at is not None and last is not None and now - whole_at < WHOLE_EVERY:
            since = last - OVERLAP
    tell(Progress(f"reading {name}", 0))
    people = end.read(since, lists=be.want[side].lists)  # none named: an unsubscribe from any counts
    told = _counting(people, lambda n: tell(Progress(f"reading {name}", n)))
    missing = state.take(side, told, be.want[side], whole=since is None, started=now)
    for start in range(0, len(missing), end.batch):
        part = missing[start : start + end.batch]
        found = end.people(part)  # a page that shifted while it was read hides somebody who is there
        state.take(side, by_key(found), be.want[side], whole=False, started=now)
        state.gone(side, [key for key in part if found.get(key) is None])


def _counting(people: Any, tell: Callable[[int], None]) -> Any:
    for n, person in enumerate(people, 1):
        if n % 10_000 == 0:
            tell(n)
        yield person


def _looks(be: Ready) -> str:
    return json.dumps(
        [sorted(getattr(be.want[side], n)) for side in SIDES for n in ("fields", "lists", "tags")]
    )


def _decide(
    be: Ready, work: Work, state: State, number: int, tell: Tell
) -> tuple[dict[str, Counter[str]], Counter[str]]:
    counts: dict[str, Counter[str]] = {"a": Counter(), "b": Counter(), "pieces": Counter()}
    notes: Counter[str] = Counter()
    row = 0
    mails = be.mailing
    with work.store.open() as con:
        of = state.prepare(con)
        done = 0
        for units in state.units(con):
            people = {
                side: [(getattr(u, f"{side}_key"), u.a_email if side == "a" else u.b_email) for u in units]
                + [(None, u.b_email if side == "a" else u.a_email) for u in units]
                for side in SIDES
            }
            consent = consenting(be, work, people)
            rows = []
            for unit in units:
                found = decided(be, unit, consent)
                done += 1
                if not _news(unit, found):
                    continue
                verbs: dict[Side, str | None] = {}
                for side in SIDES:
                    did = {r[side].verb for r in found.rounds if side in r}
                    verbs[side] = next((verb for verb in WEIGHT if verb in did), None)
                    if verb := verbs[side]:
                        counts[side][verb] += 1
                counts["pieces"][""] += sum(len(one) for one in found.rounds)
                mailing = [len(one[s].join & mails[s]) for one in found.rounds for s in one]
                counts["pieces"]["mails"] += sum(mailing)
                notes.update(note.kind for note in found.notes)
                rows.append(row_of(row, unit, found, verbs))
                row += 1
            if rows:
                state.keep_rows(con, number, rows)
            tell(Progress("deciding", done, of))
    return counts, notes


def decided(be: Ready, unit: Unit, consent: Consent | None) -> Decision:
    """Return what becomes of two people, or of one alone, as they were last read."""
    memory = Memory.from_text(unit.memory)
    a = person_of(unit.a_key or "", unit.a_told) if unit.a_told is not None else None
    b = person_of(unit.b_key or "", unit.b_told) if unit.b_told is not None else None
    return decide(be.sync, a, b, memory, reason=unit.why, consent=consent, fits=be.fits)


def _news(unit: Unit, found: Decision) -> bool:
    return bool(
        found.rounds
        or (unit.state, unit.reason) != (found.state, found.reason)
        or (unit.known_a, unit.known_b) != (unit.a_digest, unit.b_digest)
        or (unit.memory or "") != found.memory.as_text()
    )


def row_of(row: int, unit: Unit, found: Decision, verbs: Mapping[Side, str | None]) -> dict[str, Any]:
    """Return a pair as a plan keeps it."""
    return {
        "row": row,
        "a_key": unit.a_key,
        "b_key": unit.b_key,
        "a_email": unit.a_email,
        "b_email": unit.b_email,
        "a_digest": unit.a_digest,
        "b_digest": unit.b_digest,
        "linked": found.memory.linked,
        "state": found.state,
        "reason": found.reason,
        "memory": found.memory.as_text(),
        "verb_a": verbs["a"],
        "verb_b": verbs["b"],
        "rounds": rounds_text(found.rounds),
        "notes": compact([[n.kind, n.side, n.what] for n in found.notes]) if found.notes else "[]",
    }


def consenting(be: Ready, work: Work, people: Mapping[Side, Sequence[Known]]) -> Consent:
    """Return what answers for people, (key, address) each, whether they may be made or put on a list.

    It asks the one consent table of icx.
    """
    known: dict[Side, dict[str | None, dict[str, str]]] = {"a": {}, "b": {}}
    for side in SIDES:
        acts = [act for rule in be.sync.on(other(side)) for act in rule.then]
        makes = any(rule.does == "create" for rule in be.sync.on(other(side)))
        lists = sorted({act.name for act in acts if act.kind in {"join", "leave"}})
        for name in [*lists, *([None] if makes else [])]:
            found = known[side][name] = {}
            for (key, address), why in work.watch[side].refused(people[side], name).items():
                found |= {f"key {key}": why} if key is not None else {}
                found |= {f"address {address}": why} if address is not None else {}

    def may(side: Side, person: Person | None, email: str | None, list_id: str | None) -> str:
        there = (
            person if person is not None and person.key else None
        )  # else somebody who is only about to be made
        found = known[side].get(list_id, {})
        by_key = found.get(f"key {there.key}", "") if there is not None else ""
        if there is None and email is not None and work.erased(email):
            return "erased"
        return allowed(there, list_id) or by_key or found.get(f"address {email_key(email)}", "")

    return may


def _told(
    sync: Sync,
    be: Ready,
    work: Work,
    state: State,
    number: int,
    *,
    base: int,
    counts: Mapping[str, Counter[str]],
    notes: Counter[str],
    reading: int,
) -> SyncPlan:
    sizes = state.sizes()
    states, reasons = state.outlook(number)
    ordered: dict[Side, dict[str, int]] = {
        side: {verb: counts[side][verb] for verb in VERBS if counts[side][verb]} for side in SIDES
    }
    calls = {side: _calls(work, state, number, side) for side in SIDES}
    return SyncPlan(
        plan_id=f"S-{number}",
        sync=sync,
        made_at=work.clock.now(),
        who=work.who,
        first=not base,
        base=base,
        sizes=sizes,
        counts=ordered,
        states=states,
        reasons=reasons,
        notes=dict(notes),
        stops=stops(
            be,
            ordered,
            sizes,
            first=not base,
            settings_basis=work.settings.contact_basis,
            mails=counts["pieces"]["mails"],
        ),
        calls=calls,
        reading=reading,
        told=(*be.told, *_rings(sync, work)),
        zone=work.settings.zone,
        pieces=counts["pieces"][""],
        kept=state,
    )


def _rings(sync: Sync, work: Work) -> list[str]:
    found = ring(sync, work.others())
    if not found:
        return []
    return [
        f"{', '.join(found[:-1])} and {found[-1]} are in step in a ring: what changes in two of them at once may go"
        " around it; one way less, or one winner for all, ends that"
    ]


def _calls(work: Work, state: State, number: int, side: Side) -> int:
    """Return what the writes of a side cost, by a thousand of them where there are more."""
    verb = f"verb_{side}"
    rows = state.rows(number, f"{verb} is not null", 1000)
    changes: list[Change] = []
    for row in rows:
        address = row[f"{side}_email"] or row[f"{other(side)}_email"]
        wants = [one[side] for one in rounds_of(row) if side in one]
        changes += [want.change(row["row"], row[f"{side}_key"], address) for want in wants]
    if not changes:
        return 0
    end = work.ends[side]
    found = sum(end.calls(changes[n : n + end.batch]) for n in range(0, len(changes), end.batch))
    of = state.count(number, f"{verb} is not null")
    return -(-found * of // len(rows))


def stops(
    be: Ready,
    counts: Mapping[Side, Mapping[str, int]],
    sizes: Mapping[Side, int],
    *,
    first: bool,
    settings_basis: str,
    mails: int = 0,
) -> tuple[Stop, ...]:
    """Return what has to be answered before a plan may be applied, the weightiest last."""
    found = []
    total = {side: sum(counts[side].values()) for side in SIDES}
    if first and any(total.values()):
        words = " and ".join(
            f"{total[side]:,} of {counted(sizes[side], 'person')} in {be.sync.of(side)}"
            for side in SIDES
            if total[side]
        )
        found.append(Stop("first-run", "y", f"first run: it writes {words}", f"it writes {words}. Go on?"))
    many = [s for s in SIDES if not first and total[s] > MANY and total[s] > MANY_SHARE * sizes[s]]
    if many:
        text = " and ".join(f"{total[s]:,} of {sizes[s]:,} people in {be.sync.of(s)}" for s in many)
        most = sum(total[s] for s in SIDES)
        question = f"it writes {text}. Type how many may be written in all:"
        found.append(Stop("many", str(most), f"writes {text}", question, most, MANY_SHARE))
    for side in SIDES:
        made = counts[side].get("create", 0)
        if made and be.ends[side].mails and not (be.sync.basis or settings_basis):
            text = f"creates {counted(made, 'contact')} in {be.sync.of(side)} without a stated basis"
            question = f"{counted(made, 'contact')} {form(made, 'is')} created in {be.sync.of(side)}. On what basis? (a sentence):"
            found.append(Stop("basis", "", text, question, made))
            break
    if mails:
        text = f"up to {counted(mails, 'welcome message')} may go out"
        found.append(Stop("mails", str(mails), text, f"{text}. Type how many may:", mails))
    leaving = sum(counts[side].get("unsubscribe", 0) for side in SIDES)
    if leaving:
        text = f"unsubscribes {leaving:,}, which cannot be undone"
        question = f"{counted(leaving, 'person')} {form(leaving, 'is')} unsubscribed for good. Type how many:"
        found.append(Stop("unsubscribe", str(leaving), text, question, leaving))
    return tuple(found)


def renamed(plan: SyncPlan, sync: Sync) -> SyncPlan:
    """Return the plan with the hand that can apply it."""
    return replace(plan, sync=replace(plan.sync, hand=sync.hand))
