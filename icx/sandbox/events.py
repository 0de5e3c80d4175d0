"""What people and machines did with one message: opens, clicks, bounces and goodbyes, as numpy columns."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from icx.sandbox.mailings import Mailing
from icx.sandbox.membership import NOT_LEFT, Membership
from icx.sandbox.traits import BOUNCED, Flags, Ints, Traits
from icx.sandbox.zone import DAY, clock_changes, offset_at

CHUNK = 200_000
NO_LINK = -1


@dataclass(frozen=True)
class Rows:
    """Events of one kind in order of time: contact ids, Unix times, places in the message's links, made by a machine."""

    kind: str
    contacts: Ints
    times: Ints
    links: Ints
    machine: Flags

    def __len__(self) -> int:
        return len(self.contacts)


@dataclass(frozen=True)
class Outcome:
    """All events of one message, how many people it was for, and who left which list through it."""

    recipients: int
    bounced: int
    rows: list[Rows]
    left: list[tuple[Ints, Ints, int]]  # contact ids, times, list id


def recipients_of(mailing: Mailing, lists: list[Membership], traits: Traits) -> Ints:
    """Places of the people the send went to: included, not excluded, and not yet out of reach."""
    wanted = np.unique(np.concatenate([lists[place].reached(mailing.released) for place in mailing.include]))
    for place in mailing.exclude:
        wanted = wanted[~np.isin(wanted, lists[place].reached(mailing.released))]
    dying = (traits.status[wanted] == BOUNCED) & (traits.bounces_left[wanted] > 0)
    reachable = (traits.ends[wanted] > mailing.released) | dying
    kept: Ints = wanted[reachable & ~traits.unusable[wanted]]
    return kept


def draw(
    rng: np.random.Generator, mailing: Mailing, lists: list[Membership], traits: Traits, as_of: int
) -> Outcome:
    """Everything that happened after one release, up to `as_of`. Lets people leave lists and counts their bounces."""
    people = recipients_of(mailing, lists, traits)
    released = mailing.released
    hard = (traits.status[people] == BOUNCED) & (traits.ends[people] <= released)
    bounced = hard | (rng.random(len(people)) < 0.003)
    traits.bounces_left[people[hard]] -= 1
    traits.bounces[people[bounced]] += 1
    bounces = _parts("bounce", people[bounced], released + rng.integers(2, 1800, int(bounced.sum())))
    people = people[~bounced]

    opened = people[rng.random(len(people)) < _chance(mailing, traits, people)]
    first = released + _delays(rng, len(opened), as_of - released)
    first = _waking(rng, first)
    again = rng.poisson(0.30, len(opened))
    later = np.repeat(first, again) + rng.exponential(1.6 * DAY, int(again.sum())).astype(np.int64) + 30
    proxies = people[traits.proxy[people] & (rng.random(len(people)) < 0.7)]
    at_once = released + rng.integers(0, 10, len(proxies))
    opens = _parts(
        "open",
        np.concatenate([opened, np.repeat(opened, again), proxies]),
        np.concatenate([first, later, at_once]),
        machine=np.repeat([False, True], [len(opened) + len(later), len(proxies)]),
    )

    clicks = _clicks(rng, mailing, traits, people=people, opened=opened, first=first)
    goodbyes, left = _goodbyes(
        rng, mailing, lists, traits=traits, people=people, opened=opened, first=first, as_of=as_of
    )
    rows = []
    for one in (opens, clicks, bounces, goodbyes):
        kept = _before(one, np.full(len(one), as_of) if one.kind == "bounce" else _last(one, traits, as_of))
        rows.append(_finish(rng, kept, mailing, traits, as_of))
    return Outcome(len(people) + int(bounced.sum()), int(bounced.sum()), rows, left)


def _chance(mailing: Mailing, traits: Traits, people: Ints) -> npt.NDArray[np.floating[Any]]:
    age = np.maximum(0, mailing.released - traits.created[people])
    chance: npt.NDArray[np.floating[Any]] = (
        traits.eager[people] * np.exp(-age / traits.fade[people]) * mailing.pull
    )
    return chance.clip(0, 0.97)


def _delays(rng: np.random.Generator, size: int, room: int) -> Ints:
    """Seconds from release to the first open: hours mostly, falling off over weeks; now and then much later."""
    delay = 11 + rng.lognormal(np.log(3.2 * 3600), 1.6, size)
    late = rng.random(size) < 0.012
    delay[late] = rng.uniform(0, max(room, 1), int(late.sum()))
    return np.minimum(delay, 10 * 365 * DAY).astype(np.int64) + 1


def _waking(rng: np.random.Generator, times: Ints) -> Ints:
    """Most of what falls between midnight and six in the morning waits for breakfast."""
    if not len(times):
        return times
    hour = (times + offset_at(int(times[0]))) // 3600 % 24
    asleep = (hour < 6) & (rng.random(len(times)) < 0.8)
    return np.where(asleep, times + rng.integers(6, 9, len(times)) * 3600, times)


def _clicks(
    rng: np.random.Generator, mailing: Mailing, traits: Traits, *, people: Ints, opened: Ints, first: Ints
) -> Rows:
    keen = rng.random(len(opened)) < 0.10 + 0.16 * traits.eager[opened]
    count = np.where(keen, 1 + rng.poisson(0.45, len(opened)), 0)
    clickers = np.repeat(opened, count)
    times = np.repeat(first, count) + 8 + rng.exponential(150, len(clickers)).astype(np.int64)
    weights = 1 / (1 + np.arange(len(mailing.links)))
    weights[-1] = 0.04
    links = rng.choice(len(mailing.links), size=len(clickers), p=weights / weights.sum())
    if len(clickers):
        links[0] = len(mailing.links) - 1  # the odd one is clicked at least once
    gates = people[traits.scanner[people] & (rng.random(len(people)) < 0.4)]
    each = rng.integers(3, max(4, len(mailing.links)), len(gates))
    begin = mailing.released + rng.integers(0, 240, len(gates))
    scans = np.repeat(gates, each)
    step = np.arange(len(scans)) - np.repeat(np.cumsum(each) - each, each)
    return _parts(
        "click",
        np.concatenate([clickers, scans]),
        np.concatenate([times, np.repeat(begin, each) + step]),
        links=np.concatenate([links, step]),
        machine=np.repeat([False, True], [len(clickers), len(scans)]),
    )


def _goodbyes(
    rng: np.random.Generator,
    mailing: Mailing,
    lists: list[Membership],
    *,
    traits: Traits,
    people: Ints,
    opened: Ints,
    first: Ints,
    as_of: int,
) -> tuple[Rows, list[tuple[Ints, Ints, int]]]:
    """Unsubscribe events, each of which takes its person off at least one list of the send."""
    fed_up = rng.random(len(opened)) < 0.006
    who, when = opened[fed_up], first[fed_up] + rng.integers(15, 240, int(fed_up.sum()))
    for place in mailing.include:
        planned = np.intersect1d(
            lists[place].people[lists[place].leaving & (lists[place].left == NOT_LEFT)], people
        )
        planned = planned[rng.random(len(planned)) < 0.5]
        who = np.concatenate([who, planned])
        when = np.concatenate([when, mailing.released + rng.integers(60, 3 * 3600, len(planned))])
    who, spot = np.unique(who, return_index=True)
    when = when[spot]
    allowed = when <= np.minimum(as_of, traits.ends[who])
    who, when = who[allowed], when[allowed]
    done = np.zeros(len(who), dtype=bool)
    left = []
    for place in mailing.include:
        ask = np.flatnonzero(~done | (rng.random(len(who)) < 0.8))
        gone = ask[lists[place].leave(who[ask], when[ask])]
        done[gone] = True
        left.append((traits.ids[who[gone]], when[gone], lists[place].list_id))
    return _parts("unsubscribe", who[done], when[done]), left


def _parts(
    kind: str, people: Ints, times: Ints, *, links: Ints | None = None, machine: Flags | None = None
) -> Rows:
    nothing = np.full(len(people), NO_LINK, dtype=np.int64)
    return Rows(
        kind,
        people,
        times.astype(np.int64),
        nothing if links is None else links,
        np.zeros(len(people), dtype=bool) if machine is None else machine,
    )


def _last(rows: Rows, traits: Traits, as_of: int) -> Ints:
    return np.minimum(as_of, traits.ends[rows.contacts])


def _before(rows: Rows, limit: Ints) -> Rows:
    keep = rows.times <= limit
    return Rows(rows.kind, rows.contacts[keep], rows.times[keep], rows.links[keep], rows.machine[keep])


def _finish(rng: np.random.Generator, rows: Rows, mailing: Mailing, traits: Traits, as_of: int) -> Rows:
    """Ids for places, a few rows by nobody, a few exact duplicates, and all in order of time."""
    contacts, times, links, machine = traits.ids[rows.contacts], rows.times.copy(), rows.links, rows.machine
    if rows.kind == "open":
        _beside_clock_changes(mailing.released, times, machine, as_of)
    strangers = np.flatnonzero((rng.random(len(rows)) < 0.004) & ~machine)
    if rows.kind in ("open", "click") and len(strangers) and len(traits.phantoms):
        nobody = rng.choice(traits.phantoms, size=len(strangers))
        contacts = np.concatenate([contacts, nobody])
        times, links, machine = (np.concatenate([a, a[strangers]]) for a in (times, links, machine))
    if rows.kind in ("open", "click"):
        twice = np.concatenate([np.arange(len(times)), np.flatnonzero(rng.random(len(times)) < 0.006)])
        contacts, times, links, machine = contacts[twice], times[twice], links[twice], machine[twice]
    order = np.argsort(times, kind="stable")
    return Rows(rows.kind, contacts[order], times[order], links[order], machine[order])


def _beside_clock_changes(released: int, times: Ints, machine: Flags, as_of: int) -> None:
    """Put a few opens right before, at and after a change of the clocks that follows the release."""
    for jump in clock_changes(released, min(as_of, released + DAY)):
        human = np.flatnonzero(~machine)
        for spot, moment in zip(human.tolist(), (-1, 0, 1, 3_599, 3_600), strict=False):
            if released < jump + moment <= as_of:
                times[spot] = jump + moment


def write(con: sqlite3.Connection, first_id: int, folder_id: int, mailing: Mailing, rows: Rows) -> int:
    """Insert the rows with ids from `first_id`; returns the next free id."""
    texts = [*mailing.links, None]
    for begin in range(0, len(rows), CHUNK):
        part = slice(begin, min(begin + CHUNK, len(rows)))
        con.executemany(
            "insert into events (event_id, folder_id, message_id, kind, contact_id, event_time, url, machine)"
            f" values (?, {int(folder_id)}, {int(mailing.message_id)}, '{rows.kind}', ?, ?, ?, ?)",
            zip(
                range(first_id + part.start, first_id + part.stop),
                rows.contacts[part].tolist(),
                rows.times[part].tolist(),
                [texts[link] for link in rows.links[part].tolist()],
                rows.machine[part].astype(int).tolist(),
                strict=True,
            ),
        )
    return first_id + len(rows)
