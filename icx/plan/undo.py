"""The way back: a plan that moves the people an apply added to the parking list, and brings back the parked."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from icx.clock import Clock
from icx.errors import BadInput
from icx.icontact import Client
from icx.plan import reading
from icx.plan.decide import WANT
from icx.plan.make import make
from icx.plan.plan import Plan, from_kept
from icx.plan.policy import PARKING_LIST, Policy
from icx.settings import Settings
from icx.store import Store
from icx.store.plans import Plans

ADDED = {"add", "create", "restore"}


def inverse(
    plan_id: str,
    *,
    client: Client,
    store: Store,
    plans: Plans,
    settings: Settings,
    clock: Clock,
    who: str,
    parking_list: str = PARKING_LIST,
    run: str | None = None,
) -> Plan:
    """Return the plan that takes an apply back, and keep it; sends nothing.

    Whom the apply added moves to the parking list, whom it parked comes back if consent allows it. People it
    unsubscribed or asked, contacts it made and fields it sent stay as they are: none of it can be undone.
    Raises BadInput (plan-unknown, nothing-to-undo).
    """
    kept = plans.get(plan_id)
    done = [row for row in plans.outcomes(plan_id) if row["state"] == "done"]
    added = {row["contact_id"] for row in done if row["action"] in ADDED}
    parked = {row["contact_id"] for row in done if row["action"] == "park"}
    if kept.place.list_id is None or not added | parked:
        raise BadInput(
            "nothing-to-undo",
            f"{plan_id} moved or added nobody, so there is nothing to take back.",
            where=f"{plan_id} is {kept.state}",
            kept="nothing was planned",
            next=[["icx", "plans", plan_id]],
        )
    have = reading.list_members(client, kept.place.list_id)
    stay = sorted((reading.members(have) - added) | parked)
    with store.open(kept.connection) as con:
        con.register("stay", pa.table({"contact_id": pa.array(stay, pa.int64())}))
        want = con.sql(
            "select s.contact_id, u.email, u.email_key from stay s"
            " left join icontact_users u on u.id = s.contact_id order by s.contact_id"
        ).to_arrow_table()
        con.unregister("stay")
    before = from_kept(kept, plans)
    return make(
        want.cast(WANT),
        target=replace(before.target, list=f"#{kept.place.list_id}", list_id=None),
        policy=Policy(stale="park", parking_list=parking_list, undo_of=plan_id),
        client=client,
        store=store,
        plans=plans,
        settings=settings,
        clock=clock,
        audience=f"undo of {plan_id}",
        as_of=clock.now(),
        who=who,
        run=run,
    )
