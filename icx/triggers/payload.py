"""What somebody outside is told of firings: ids, what crossed, and an address only where the trigger's file asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from icx.triggers.firings import Firing
from icx.triggers.trigger import Trigger

#: How many firings a webhook or command is told of at once.
BATCH = 500


def batches(firings: Sequence[Firing]) -> Iterator[list[Firing]]:
    """Yield the firings in the portions that are told at once, always in the same order."""
    kept = sorted(firings, key=lambda one: (one.fired_at, one.contact_id))
    for start in range(0, len(kept), BATCH):
        yield kept[start : start + BATCH]


def payload(
    trigger: Trigger, firings: Sequence[Firing], addresses: Mapping[int, str] | None
) -> dict[str, Any]:
    """Return the JSON that a webhook or command gets, schema `trigger/1`.

    `id` of a firing is the same however often it is told: whoever hears it twice leaves the second one.
    """
    told = []
    for one in firings:
        row: dict[str, Any] = {
            "id": one.firing_id,
            "contact_id": one.contact_id,
            "way": one.way,
            "before": one.before,
            "after": one.after,
            "build": one.build_id,
            "as_of": f"{one.as_of:%Y-%m-%dT%H:%M:%SZ}",
        }
        told.append(row if addresses is None else row | {"email": addresses.get(one.contact_id)})
    return {
        "schema": "trigger/1",
        "trigger": trigger.name,
        "connection": trigger.connection,
        "when": trigger.condition,
        "firings": told,
    }


def people(firings: Sequence[Firing], addresses: Mapping[int, str] | None) -> pa.Table:
    """Return the same for a notebook, a row a firing: contact_id, firing_id, way, before, after, build_id, fired_at."""
    kept = sorted(firings, key=lambda one: (one.fired_at, one.contact_id))
    table = pa.table(
        {
            "contact_id": pa.array([one.contact_id for one in kept], pa.int64()),
            "firing_id": pa.array([one.firing_id for one in kept], pa.string()),
            "way": pa.array([one.way for one in kept], pa.string()),
            "before": pa.array([one.before for one in kept], pa.float64()),
            "after": pa.array([one.after for one in kept], pa.float64()),
            "build_id": pa.array([one.build_id for one in kept], pa.string()),
            "fired_at": pa.array([one.fired_at for one in kept], pa.timestamp("us", "UTC")),
        }
    )
    if addresses is None:
        return table
    return table.append_column(
        "email", pa.array([addresses.get(one.contact_id) for one in kept], pa.string())
    )
