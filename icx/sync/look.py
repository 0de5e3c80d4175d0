"""The look right before a write and the one after it: a write may become less by the first, and is believed by the second.

Whoever is to be written is read once more and decided once more, with the consent table. What somebody changed
meanwhile is not written over: the next plan sees it as the change it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from icx.connections.base import Person
from icx.store.syncs import KeptSync, Write
from icx.sync.decide import decide
from icx.sync.definition import SIDES, Side, other
from icx.sync.hand import Work
from icx.sync.make import Ready, consenting
from icx.sync.memory import Memory
from icx.sync.merge import alike
from icx.sync.seen import digest, doc, person_of, value_of
from icx.sync.state import State
from icx.sync.want import Want, after

if TYPE_CHECKING:
    from icx.sync.send import Todo

#: For so long after its plan was made, the side that is not written is believed as it was read.
FRESH = timedelta(minutes=15)


@dataclass
class Seen:
    """What is still to be written, what is not and why, and who is written, as just read."""

    still: list[Todo] = field(default_factory=list)
    left_out: list[tuple[Todo, str]] = field(default_factory=list)
    people: dict[int, Person | None] = field(default_factory=dict)


def look(be: Ready, work: Work, kept: KeptSync, state: State, todo: Sequence[Todo]) -> Seen:
    """Read people again and decide again: less than planned, never more."""
    side = todo[0].side
    there = _written(be, work, side, todo)
    here = _sources(be, work, kept, state, other(side), todo)
    memories = state.memories([(one.row["a_key"], one.row["b_key"]) for one in todo])
    known = {
        one: [(each.row[f"{one}_key"], each.row[f"{one}_email"]) for each in todo]
        + [(None, each.row[f"{other(one)}_email"]) for each in todo]
        for one in SIDES
    }
    consent = consenting(be, work, known)
    seen = Seen()
    for one in todo:
        people = {side: there.get(one.number), other(side): here.get(one.number)}
        found = people[side]
        if one.want.make and found is not None:
            seen.left_out.append((one, "there_by_now"))
            continue
        if not one.want.make and found is None:
            seen.left_out.append((one, "gone"))
            continue
        if people[other(side)] is None:
            seen.left_out.append((one, "gone"))
            continue
        memory = Memory.from_text(memories.get((one.row["a_key"], one.row["b_key"])))
        now = decide(be.sync, people["a"], people["b"], memory, consent=consent, fits=be.fits)
        less = one.want.less(_all(now.rounds, side))
        if one.want.make and not less.make:
            less = Want()
        if not less:
            refused = next((note.what for note in now.notes if note.kind == "refused"), "")
            seen.left_out.append((one, refused or (now.reason if now.state == "excluded" else "changed")))
            continue
        seen.people[one.number] = found
        seen.still.append(replace(one, want=less))
    return seen


def _written(be: Ready, work: Work, side: Side, todo: Sequence[Todo]) -> dict[int, Person | None]:
    end = work.ends[side]
    keys = [one.key for one in todo if one.key is not None]
    by_key = end.people(keys) if keys else {}
    addresses = [one.email for one in todo if one.key is None and one.email]
    by_address = end.find(addresses) if addresses else {}
    found: dict[int, Person | None] = {}
    for one in todo:
        if one.key is not None:
            person = by_key.get(one.key)
        else:
            person = next(iter(by_address.get(one.email or "", ())), None)
        found[one.number] = narrowed(be, side, person)
    return found


def _sources(
    be: Ready, work: Work, kept: KeptSync, state: State, side: Side, todo: Sequence[Todo]
) -> dict[int, Person | None]:
    keys = {one.number: one.row[f"{side}_key"] or _made(work, kept, one, side) for one in todo}
    asked = sorted({key for key in keys.values() if key})
    if work.clock.now() - kept.made_at <= FRESH and not any(one.round for one in todo):
        told = state.told(side, asked)
        people = {key: person_of(key, told[key]) for key in asked if key in told}
    else:
        read = work.ends[side].people(asked)
        people = {key: person for key in asked if (person := narrowed(be, side, read.get(key))) is not None}
    return {number: people.get(key) if key else None for number, key in keys.items()}


def _made(work: Work, kept: KeptSync, one: Todo, side: Side) -> str | None:
    if not one.round:
        return None
    writes = work.syncs.writes(kept.number, "done")
    return next((w.key for w in writes if w.row == one.number and w.side == side and w.key), None)


def narrowed(be: Ready, side: Side, person: Person | None) -> Person | None:
    """Return of somebody what the sync looks at."""
    return person_of(person.key, doc(person, be.want[side])) if person is not None else None


def _all(rounds: Sequence[Mapping[Side, Want]], side: Side) -> Want:
    """Return everything that is wanted of a side, in whatever round."""
    wants = [one[side] for one in rounds if side in one]
    fields: dict[str, str] = {}
    for want in wants:
        fields |= want.fields

    def all_of(name: str) -> frozenset[str]:
        return frozenset(one for want in wants for one in getattr(want, name))

    return Want(
        any(want.make for want in wants),
        fields,
        all_of("join"),
        all_of("leave"),
        all_of("unsubscribe"),
        all_of("tag"),
        all_of("untag"),
    )


def read_back(
    be: Ready,
    work: Work,
    side: Side,
    arrived: Sequence[tuple[Todo, Write]],
    before: Mapping[int, Person | None],
) -> tuple[list[Write], list[Person]]:
    """Read who was written: whether they hold what was sent and nothing else changed, and what is kept instead."""
    keys = [write.key for _, write in arrived if write.key]
    if not keys:
        return [], []
    found = work.ends[side].people(keys)
    writes = []
    for one, write in arrived:
        person = narrowed(be, side, found.get(write.key or ""))
        if person is None:
            continue
        kept = {
            name: [value, value_of(person, name)]
            for name, value in one.want.fields.items()
            if not alike(value, value_of(person, name))
        }
        was = before.get(one.number)
        same = None
        if one.number in before:
            expected = after(was, one.want, one.email)
            same = doc(person, be.want[side]) == doc(expected, be.want[side])
        writes.append(
            write._replace(
                read_digest=digest(doc(person, be.want[side])) if same else None,
                kept=json.dumps(kept, ensure_ascii=False) if kept else None,
            )
        )
    return writes, [person for person in found.values() if person is not None]
