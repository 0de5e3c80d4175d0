"""What the generator keeps of every contact while it works: one small numpy column per trait, no Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from icx.sandbox.pools import CITIES
from icx.sandbox.zone import DAY, clock_changes

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

STATUSES = ("normal", "bounced", "donotcontact", "pending", "invitable", "deleted")
NORMAL, BOUNCED, DONOTCONTACT, PENDING, INVITABLE, DELETED = range(6)
LOCAL = 0  # the city of which the shop's own list is made
NO_CITY = len(CITIES)
YEARS = 4 * 365 * DAY


@dataclass
class Traits:
    """Columns of equal length, one place per contact, in order of contact id and of creation.

    Times are Unix seconds. `ends` is when mail stopped reaching a contact (after the account's moment for
    the reachable), `eager` the chance that a new subscriber opens, `fade` the seconds in which it falls to a third.
    """

    ids: Ints
    phantoms: Ints  # ids inside the same range that never were a contact
    created: Ints
    ends: Ints
    status: npt.NDArray[np.int8]
    city: npt.NDArray[np.int16]
    eager: npt.NDArray[np.float32]
    fade: npt.NDArray[np.float32]
    proxy: Flags  # a mail client that opens everything at once
    scanner: Flags  # a gateway that follows every link at once
    unusable: Flags
    bounces_left: npt.NDArray[np.int8]
    bounces: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.ids)


def draw(rng: np.random.Generator, *, contacts: int, as_of: int, first_id: int, no_address: int) -> Traits:
    """Traits of `contacts` people who are there, and of about one in eighty more who were deleted."""
    size = contacts + (max(1, contacts // 80) if contacts >= 20 else 0)
    created = _creations(rng, size, as_of)
    skipped = rng.random(size) < 0.02
    ids = first_id + np.arange(size, dtype=np.int64) + np.cumsum(skipped)
    city = _cities(rng, size)
    local = city == LOCAL
    eager = np.minimum(0.95, np.exp(rng.normal(-1.6, 0.95, size))).astype(np.float32)
    eager[local] = np.minimum(0.95, eager[local] * 1.9)
    eager[rng.random(size) < np.where(local, 0.10, 0.26)] = 0
    fade = (DAY * np.exp(rng.normal(6.0, 0.7, size))).astype(np.float32)
    fade[(rng.random(size) < 0.3) | local] = 40 * YEARS
    unusable = np.zeros(size, dtype=bool)
    alive = _statuses(rng, size, contacts, local & (eager > 0.25))
    status = alive
    unusable[rng.choice(np.flatnonzero(status != DELETED), size=min(no_address, contacts), replace=False)] = (
        True
    )
    proxy = (rng.random(size) < 0.06) & ~unusable
    return Traits(
        ids=ids,
        phantoms=ids[skipped] - 1,
        created=created,
        ends=_ends(rng, created, status, local, as_of),
        status=status,
        city=city,
        eager=np.where(unusable, 0, eager).astype(np.float32),
        fade=fade,
        proxy=proxy,
        scanner=(rng.random(size) < 0.012) & ~unusable & ~proxy,
        unusable=unusable,
        bounces_left=np.where(status == BOUNCED, rng.integers(1, 4, size), 0).astype(np.int8),
        bounces=np.zeros(size, dtype=np.int16),
    )


def _creations(rng: np.random.Generator, size: int, as_of: int) -> Ints:
    """Steady growth, three imports of one moment each, and a few people exactly where the clocks change."""
    created = (as_of - 3600 - (YEARS - 7200) * rng.random(size) ** 1.15).astype(np.int64)
    imports = as_of - (YEARS * np.array([0.93, 0.71, 0.38])).astype(np.int64)
    lot = rng.random(size)
    for number, moment in enumerate(imports):
        created[(lot >= 0.06 * number) & (lot < 0.06 * (number + 1))] = moment
    jumps = [
        jump + shift
        for jump in clock_changes(as_of - 2 * 365 * DAY, as_of)
        for shift in (-3600, -1800, -1, 0, 1800, 3600)
        if jump + shift <= as_of - 3600
    ]
    few = min(len(jumps), size // 12)
    created[:few] = jumps[:few]
    return np.sort(created)


def _cities(rng: np.random.Generator, size: int) -> npt.NDArray[np.int16]:
    weights = np.array([city.weight for city in CITIES])
    city = rng.choice(len(CITIES), size=size, p=weights / weights.sum()).astype(np.int16)
    missing = (rng.random(size) < 0.12) & (city != LOCAL)
    city[missing] = NO_CITY
    return city


def _statuses(rng: np.random.Generator, size: int, contacts: int, locals_: Flags) -> npt.NDArray[np.int8]:
    """Statuses with exactly `contacts` people not deleted; some of the shop's best neighbours are out of reach."""
    shares = np.array([0.937, 0.025, 0.015, 0.015, 0.008])
    status = rng.choice(5, size=size, p=shares).astype(np.int8)
    near = rng.permutation(np.flatnonzero(locals_))
    refused, bounced = (max(1, round(share * len(near))) if len(near) > 5 else 0 for share in (0.025, 0.02))
    status[near] = NORMAL
    status[near[:refused]] = DONOTCONTACT
    status[near[refused : refused + bounced]] = BOUNCED
    others = np.flatnonzero(~locals_)
    if len(others) < size - contacts:
        others = np.arange(size)
    status[rng.choice(others, size=size - contacts, replace=False)] = DELETED
    return status


def _ends(
    rng: np.random.Generator, created: Ints, status: npt.NDArray[np.int8], local: Flags, as_of: int
) -> Ints:
    """When each contact became unreachable; neighbours lately, so that they still look engaged."""
    ends = np.full(len(created), as_of + 1, dtype=np.int64)
    share: npt.NDArray[Any] = np.sqrt(rng.random(len(created)))
    stopped = (created + (as_of - created) * share).astype(np.int64)
    lately = as_of - rng.integers(DAY, 20 * DAY, len(created))
    stopped = np.where(local, np.maximum(created, lately), stopped)
    gone = (status == BOUNCED) | (status == DONOTCONTACT) | (status == DELETED)
    ends[gone] = stopped[gone]
    never = (status == PENDING) | (status == INVITABLE)
    ends[never] = created[never]
    return ends
