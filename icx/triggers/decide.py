"""Who fires: what was seen of everybody before, what is so now, and who fired already. Pure; one statement, no clock."""

from __future__ import annotations

from icx.rules import Sql
from icx.triggers.trigger import Trigger


def crossings(trigger: Trigger, before: str, now: str, fired: str) -> Sql:
    """Return the select of (contact_id, before, after) of those for whom the trigger fires.

    `before` and `now` are tables of (contact_id, value, met), a contact once; `fired` has the `contact_id` of
    everybody for whom it ever fired. Somebody who is not in `now` is not known to be on either side, and crosses
    nothing; somebody who was not in `before` was on no side: they can reach and enter, but neither fall nor leave.
    """
    crossed = "b.met = false" if trigger.downward else "not coalesce(b.met, false)"
    tests = ["n.met", *([] if trigger.fires == "each" else [crossed])]
    if trigger.fires == "contact":
        tests.append(f"n.contact_id not in (select contact_id from {fired})")
    return Sql(
        f"select n.contact_id, b.value as before, n.value as after from {now} n"
        f" left join {before} b on b.contact_id = n.contact_id where {' and '.join(tests)}",
        (),
    )


def existing(now: str, fired: str) -> Sql:
    """Return the select of those whom a trigger finds so already, and for whom it never fired."""
    return Sql(
        "select contact_id, null::double as before, value as after"
        f" from {now} where met and contact_id not in (select contact_id from {fired})",
        (),
    )
