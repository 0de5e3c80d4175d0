"""Trying again: who of an applied plan did not arrive, so that a new plan can be made of them alone."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from icx.errors import BadInput, NeedsYou
from icx.store.plans import Plans

LEAVING = {"park", "unsubscribe"}


@dataclass(frozen=True)
class Among:
    """Whom a plan is limited to, out of what `plan_id` did not get through.

    `contacts` are ids in the target folder (None: the wanted are the very people), `keys` the address keys of people
    who may have none yet, `leaving` the members that may be moved away or unsubscribed. `people` is how many they are.
    """

    plan_id: str
    contacts: frozenset[int] | None
    keys: frozenset[str]
    leaving: frozenset[int]
    people: int

    def of(self, wanted: pa.Table) -> pa.Table:
        """Return those of the wanted people (contact_id, email_key, …) whom the plan is limited to."""
        if self.contacts is None:
            return wanted
        ids, keys = wanted.column("contact_id"), wanted.column("email_key")
        known = pc.is_in(ids, value_set=pa.array(sorted(self.contacts), pa.int64()))
        new = pc.and_(pc.is_null(ids), pc.is_in(keys, value_set=pa.array(sorted(self.keys), pa.string())))
        chosen = wanted.filter(pc.or_(known, new))
        if not chosen.num_rows and not self.leaving:
            raise nothing(self.plan_id, "nobody whom iContact refused is in the audience any more")
        return chosen


def not_arrived(plans: Plans, plan_id: str) -> Among:
    """Return whom the service refused when a plan was applied.

    A plan that is not finished goes on by itself; only then is it known who did not arrive.
    Raises NeedsYou (apply-unfinished), BadInput (plan-unknown, nothing-to-retry).
    """
    kept = plans.get(plan_id)
    if kept.state == "applying":
        raise NeedsYou(
            "apply-unfinished",
            f"{plan_id} is not finished; going on with it is what tries again.",
            where=f"{plan_id}, {kept.list_name}",
            kept="nothing was planned",
            next=[["icx", "apply", plan_id]],
        )
    refused = [row for row in plans.outcomes(plan_id, "refused") if row["action"] != "contact"]
    if kept.place.list_id is None or not refused:
        raise nothing(plan_id, f"{plan_id} is {kept.state}; iContact refused nobody")
    coming = [row for row in refused if row["action"] not in LEAVING]
    keys = plans.rows(plan_id).column("email_key")
    return Among(
        plan_id,
        frozenset(row["contact_id"] for row in coming if row["contact_id"] is not None),
        frozenset(key for row in coming if (key := keys[row["row"]].as_py()) is not None),
        frozenset(row["contact_id"] for row in refused if row["action"] in LEAVING),
        len({row["row"] for row in refused}),
    )


def nothing(plan_id: str, why: str) -> BadInput:
    """Return that there is nothing to try again."""
    return BadInput(
        "nothing-to-retry",
        f"Nothing of {plan_id} is left to be tried again.",
        where=why,
        kept="nothing was planned",
        next=[["icx", "plans", plan_id]],
    )
