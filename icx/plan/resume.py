"""Going on after a cut: rows whose outcome is not known are looked up on the lists, never sent blindly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from icx.icontact import Client
from icx.plan.make import Side
from icx.plan.mapping import fields_of
from icx.plan.reading import SETTLE
from icx.store.plans import Outcome, Plans

WANTED_STATUS = {"add": "normal", "create": "normal", "restore": "normal", "add_pending": "pending"}
ON_THE_LIST = {*WANTED_STATUS, "park", "unsubscribe"}


def resolve(
    plan_id: str,
    rows: Mapping[int, Mapping[str, Any]],
    side: Side,
    *,
    client: Client,
    plans: Plans,
    read_again: Callable[[], Side],
) -> Side:
    """Settle every row noted as sent or in doubt, and return the reading that settled them.

    What is not to be seen is looked for once more after a pause, since a write may still be under way in the
    service; then it did not arrive and counts as not sent.
    """
    doubtful = plans.outcomes(plan_id, "sent", "in_doubt")
    if not doubtful:
        return side
    on_list = _statuses(side.have)
    if any(_seen(row, on_list, side) is None for row in doubtful if row["action"] in ON_THE_LIST):
        client.clock.sleep(SETTLE)
        side = read_again()
        on_list = _statuses(side.have)
    settled = []
    for row in doubtful:
        if row["action"] == "fields":
            held = client.resolve_update_contact(row["contact_id"], fields_of(rows[row["row"]]))
            state, words = ("done" if held else "not_sent"), ""
        else:  # whether a contact was made shows when its address is looked up before making it again
            state, words = _seen(row, on_list, side) or ("not_sent", "")
        settled.append(Outcome(row["row"], row["action"], state, words, row["contact_id"]))
    plans.outcome(plan_id, settled)
    return side


def _statuses(table: pa.Table) -> dict[int, str]:
    columns = table.select(["contact_id", "status"]).to_pydict()
    return dict(zip(columns["contact_id"], columns["status"], strict=True))


def _seen(row: Mapping[str, Any], on_list: Mapping[int, str], side: Side) -> tuple[str, str] | None:
    """Return the outcome that shows on the list, or None when nothing shows."""
    status = on_list.get(row["contact_id"])
    if row["action"] == "park":
        if status is not None:
            return None
        return ("done", "") if row["contact_id"] in _statuses(side.parking) else ("left_out", "not_there")
    if row["action"] == "unsubscribe":
        return ("done", "") if status == "unsubscribed" else None
    if status is None:
        return None
    if status == WANTED_STATUS[row["action"]]:
        return "done", ""
    return "left_out", "left_this_list" if status == "unsubscribed" else "there"
