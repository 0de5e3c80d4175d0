"""Lists of a generated account and who is on them: overlapping, with people who joined late, wait, or left."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from icx.sandbox.traits import DELETED, LOCAL, NORMAL, PENDING, Flags, Ints, Traits
from icx.sandbox.zone import DAY

NOT_LEFT = 2**62
CHUNK = 100_000
REGULARS = "Durham regulars"


class ListSpec(NamedTuple):
    name: str
    publicname: str
    description: str
    share: float
    welcome: int = 0


SPECS = (
    ListSpec("Newsletter", "acme outdoor news", "Everybody who asked for news", 0.70),
    ListSpec("Outdoor tips", "outdoor tips", "Every second Thursday", 0.40),
    ListSpec("Camping, hiking & more", "", "From the 2024 fair", 0.24),
    ListSpec(REGULARS, "durham regulars", "People who come to the store", 0.0),
    ListSpec('VIP "gold" customers', "", "", 0.05, welcome=1),
    ListSpec("Kayak Frühling*", "", "one season", 0.09),
    ListSpec("Webinar 2023", "", "nobody came", 0.0),
)


@dataclass
class Membership:
    """One list and its people: places in the traits (ascending), when they came, whether they wait or left."""

    list_id: int
    spec: ListSpec
    people: Ints
    added: Ints
    left: Ints  # NOT_LEFT while on the list
    pending: Flags
    leaving: Flags  # will leave at the first message that gives them the occasion

    def reached(self, moment: int) -> Ints:
        """Places of those who were normal members at this time."""
        return self.people[(self.added <= moment) & (self.left > moment) & ~self.pending]

    def leave(self, people: Ints, times: Ints) -> Flags:
        """Let these people leave at these times; true for each who was here and had not left before."""
        if not len(self.people):
            return np.zeros(len(people), dtype=bool)
        spot = np.minimum(np.searchsorted(self.people, people), len(self.people) - 1)
        here: Flags = (self.people[spot] == people) & (self.left[spot] == NOT_LEFT) & ~self.pending[spot]
        here &= self.added[spot] <= times
        self.left[spot[here]] = times[here]
        return here


def draw(rng: np.random.Generator, traits: Traits, as_of: int, first_id: int, twin: bool) -> list[Membership]:
    """Everybody's place on every list; with `twin`, a second list with the name of the regulars' list."""
    specs = [*SPECS, SPECS[3]] if twin else list(SPECS)
    lists = []
    for number, spec in enumerate(specs):
        if number == 3:
            people, leaving = _regulars(rng, traits)
        else:
            share = 0.002 if number > 6 else spec.share
            people = np.flatnonzero(rng.random(len(traits)) < share)
            leaving = np.zeros(len(people), dtype=bool)
        lists.append(
            _members(rng, traits, people, leaving, list_id=first_id + number, spec=spec, as_of=as_of)
        )
    return lists


def _regulars(rng: np.random.Generator, traits: Traits) -> tuple[Ints, Flags]:
    """About an eighth of the neighbours, most of them keen, a few from elsewhere; and keen ones who will leave."""
    near = np.flatnonzero((traits.city == LOCAL) & (traits.status == NORMAL) & ~traits.unusable)
    keen = rng.permutation(near[traits.eager[near] > 0.25])
    members = max(4, round(0.145 * len(near)))
    leavers = keen[: max(2, round(0.09 * len(near)))]
    stay = keen[len(leavers) : len(leavers) + (2 * members) // 3]
    rest = np.setdiff1d(near, np.concatenate([leavers, stay]))
    few = rng.permutation(rest)[: max(0, members - len(stay) - members // 20)]
    far = np.flatnonzero((traits.city != LOCAL) & (traits.status == NORMAL))
    moved = rng.permutation(far)[: members // 20]
    people = np.sort(np.concatenate([leavers, stay, few, moved]))
    return people, np.isin(people, leavers)


def _members(
    rng: np.random.Generator,
    traits: Traits,
    people: Ints,
    leaving: Flags,
    *,
    list_id: int,
    spec: ListSpec,
    as_of: int,
) -> Membership:
    created = traits.created[people]
    late = (rng.random(len(people)) < 0.35) & (spec.name != REGULARS)
    wait = np.where(late, (as_of - created) * rng.random(len(people)), rng.integers(0, 2 * DAY, len(people)))
    at_once = rng.random(len(people)) < 0.5
    added = np.minimum(created + np.where(at_once & ~late, 0, wait).astype(np.int64), as_of - 60)
    pending = (traits.status[people] == PENDING) | ((rng.random(len(people)) < 0.008) & ~leaving)
    left = np.full(len(people), NOT_LEFT, dtype=np.int64)
    return Membership(list_id, spec, people, added, left, pending, leaving)


def leave_quietly(
    rng: np.random.Generator, lists: list[Membership], as_of: int
) -> list[tuple[Ints, Ints, int]]:
    """People taken off without an event (an administrator did it), the leavers without occasion among them.

    Returns, per list, places, times and list id of those who left so.
    """
    quiet = []
    for one in lists:
        chosen = (one.left == NOT_LEFT) & ~one.pending & (one.leaving | (rng.random(len(one.people)) < 0.006))
        spot = np.flatnonzero(chosen)
        times = one.added[spot] + ((as_of - one.added[spot]) * rng.random(len(spot))).astype(np.int64)
        one.left[spot] = times
        quiet.append((one.people[spot], times, one.list_id))
    return quiet


def write(
    con: sqlite3.Connection,
    lists: list[Membership],
    traits: Traits,
    *,
    folder_id: int,
    confirmation: int | None,
    welcome: int | None,
) -> int:
    """Insert the lists and their subscriptions; deleted contacts have none left. Returns the subscriptions."""
    written = 0
    con.executemany(
        "insert into lists (list_id, folder_id, name, publicname, description, welcome_on_manual_add,"
        " welcome_message_id) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.list_id,
                folder_id,
                one.spec.name,
                one.spec.publicname,
                one.spec.description,
                one.spec.welcome,
                str(welcome) if one.spec.welcome and welcome else "",
            )
            for one in lists
        ],
    )
    for one in lists:
        keep = np.flatnonzero(traits.status[one.people] != DELETED)
        written += len(keep)
        for begin in range(0, len(keep), CHUNK):
            part = keep[begin : begin + CHUNK]
            waits = one.pending[part].tolist()
            left = (one.left[part] != NOT_LEFT).tolist()
            con.executemany(
                "insert into subscriptions (list_id, contact_id, folder_id, status, add_date,"
                " confirmation_message_id) values (?, ?, ?, ?, ?, ?)",
                (
                    (
                        one.list_id,
                        contact,
                        folder_id,
                        "pending" if waiting else "unsubscribed" if gone else "normal",
                        added,
                        str(confirmation) if waiting and confirmation else None,
                    )
                    for contact, waiting, gone, added in zip(
                        traits.ids[one.people[part]].tolist(),
                        waits,
                        left,
                        one.added[part].tolist(),
                        strict=True,
                    )
                ),
            )
    return written
