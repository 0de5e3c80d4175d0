"""What a plan will cost: calls by kind, and hours at the budget. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from icx.plan.decide import Counts
from icx.plan.reading import IDS_A_CALL
from icx.settings import Settings


@dataclass(frozen=True)
class Cost:
    """Calls by what they are for, and the hours they take at the budget."""

    lines: tuple[tuple[str, int], ...]
    calls: int
    hours: float


def cost(
    counts: Counts,
    *,
    subscriptions: int,
    folder_size: int,
    updates: int,
    restored: int,
    makes: int,
    settings: Settings,
) -> Cost:
    """Return the calls an apply will make.

    `subscriptions` are the list's, of every status; `updates` people whose fields travel, `restored` those
    moved back one by one, `makes` lists to be made.
    """
    page = settings.page_size
    reading = max(1, _up(subscriptions, page))
    singles = counts.park + counts.unsubscribe + restored
    adds = counts.add + counts.create - restored
    looks = 2 * (_up(settings.batch_size, IDS_A_CALL) * (adds // settings.batch_size))
    looks += 2 * _up(adds % settings.batch_size, IDS_A_CALL) + 2 * (counts.park + restored) + counts.create
    again = min(_up(counts.add + counts.park + counts.unsubscribe, IDS_A_CALL), _up(folder_size, page))
    lines = [
        ("read the lists, the list and the contacts again", 1 + reading + again),
        ("look for lists once more and make them", 2 * makes),
        ("look for contacts before making them", counts.create),
        ("make contacts", _up(counts.create, settings.batch_size)),
        ("look at each once more, right before", looks),
        (f"add, by {settings.batch_size}", _up(adds, settings.batch_size)),
        ("move or unsubscribe, one by one", singles),
        ("send fields, one by one", updates + (2 if updates else 0)),
        ("read back", max(1, _up(counts.after, page))),
    ]
    calls = sum(count for _, count in lines)
    return Cost(
        tuple((what, count) for what, count in lines if count),
        calls,
        round(calls / settings.calls_per_hour, 4),
    )


def _up(rows: int, size: int) -> int:
    return -(-rows // size)
