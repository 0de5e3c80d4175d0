"""The plan: what would change on a list, refusals with reasons, the questions to answer, the cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from icx.errors import BadInput
from icx.plan.cost import Cost
from icx.plan.decide import Counts
from icx.plan.match import Target
from icx.plan.policy import Policy
from icx.plan.stops import Stop
from icx.store.plans import KeptPlan, Plans

if TYPE_CHECKING:
    from icx.plan.applied import Applied


class Hand(Protocol):
    """What carries a plan out: a workspace, which knows the login, the database and who asks."""

    def apply(
        self,
        plan: Plan,
        *,
        answers: Mapping[str, str] | None,
        test: int | None,
        progress: Callable[[Any], None] | None,
        ending: Callable[[], bool] | None = None,
    ) -> Applied: ...

    def undo(self, plan: Plan) -> Plan: ...

    def retry(self, plan: Plan) -> Plan: ...

    def show(self, plan: Plan) -> Any: ...

    @property
    def refused_share(self) -> float: ...


@dataclass(frozen=True)
class Plan:
    """What an apply would do to a list, bound to the data it was computed from; nothing has been sent.

    Times are aware UTC; `as_of` is the moment the audience is counted at. `welcome` is how many welcome
    messages the list may mail. `checks` holds `ok` (None: not asked), `failed`, `stale` and `override`.
    `rows()` gives a row per person.
    """

    plan_id: str
    audience: str
    as_of: datetime
    made_at: datetime
    who: str
    target: Target
    policy: Policy
    counts: Counts
    refused: dict[str, int]
    stops: tuple[Stop, ...]
    cost: Cost
    welcome: int
    updates: int
    checks: dict[str, Any]
    calls_left: int | None
    parking_list_id: int | None
    zone: str
    state: str = "open"
    plans: Plans | None = field(default=None, repr=False, compare=False)
    hand: Hand | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        counts = self.counts
        return (
            f"Plan({self.plan_id}: {self.audience!r} to {self.target.list!r},"
            f" {counts.add + counts.create:,} add, {counts.keep:,} keep, {counts.refused:,} refused)"
        )

    def __str__(self) -> str:
        from icx.plan.text import transcript

        return transcript(self)

    def _repr_mimebundle_(self, **wanted: Any) -> Any:
        """Return the view one clicks in, where a workspace carries the plan; else the page alone is shown."""
        if self.hand is None or self.plans is None:
            return None
        return self.hand.show(self)._repr_mimebundle_(**wanted)

    def _repr_html_(self) -> str:
        from icx.plan.html import plan_html

        return plan_html(self)

    def apply(
        self,
        confirm: Mapping[str, str | int] | None = None,
        *,
        test: int | None = None,
        progress: Callable[[Any], None] | None = None,
    ) -> Applied:
        """Do what the plan says, or less, and read the list back; cut off, the same call goes on.

        `confirm` answers the plan's stops: `plan.apply(confirm={"first-push": "y", "growth": 1204})`. What is
        not answered is asked for by the error, with the call to type. `test` adds this one contact only.
        """
        answers = {key: str(value) for key, value in (confirm or {}).items()}
        return self.carrier().apply(self, answers=answers, test=test, progress=progress)

    def undo(self) -> Plan:
        """Plan the way back; sends nothing."""
        return self.carrier().undo(self)

    def retry(self) -> Plan:
        """Plan again whom the service refused when this plan was applied; sends nothing."""
        return self.carrier().retry(self)

    def carrier(self) -> Hand:
        """Return what carries this plan out; raises BadInput (plan-unbound) when no workspace made it."""
        if self.hand is None:
            raise BadInput(
                "plan-unbound",
                f"{self.plan_id} was not made by a workspace, so nothing can carry it out.",
                where="a plan made by hand",
                kept="nothing was sent",
                next=[["icx", "apply", self.plan_id]],
            )
        return self.hand

    def rows(self) -> pa.Table:
        """Return a row per person: contact_id, email, action, reason, undoable, and what was known."""
        if self.plans is None:
            raise ValueError("this plan was not kept; make() keeps it")
        return self.plans.rows(self.plan_id)

    def refusals(self, reason: str = "", *, show: bool = False) -> pa.Table:
        """Return a row per refused person: contact, address (masked unless `show`), reason, known, since.

        `reason` is a code of `plan.refused`, such as "left_this_list"; left empty it is everybody who is refused.
        """
        from icx.plan.refusals import refusals

        return refusals(self.rows(), self.zone, reason, show=show)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan's JSON: numbers and ids, no people."""
        counts = asdict(self.counts)
        shown = ("wanted", "add", "create", "keep", "refused", "stale", "park", "unsubscribe", "pending")
        return {
            "plan": self.plan_id,
            "audience": self.audience,
            "as_of": _text(self.as_of),
            "made_at": _text(self.made_at),
            "state": self.state,
            "target": self.target.as_dict(),
            "counts": {name: counts[name] for name in shown},
            "members": {"now": self.counts.members, "after": self.counts.after},
            "refused": self.refused,
            "welcome": self.welcome,
            "automations": None,
            "fields": [line.field for line in self.policy.mapping],
            "checks": self.checks,
            "calls": self.cost.calls,
            "calls_left_hour": self.calls_left,
            "hours": self.cost.hours,
            "stops": [stop.as_dict() for stop in self.stops],
            "undoable": self.counts.undoable,
        }

    def header(self) -> dict[str, Any]:
        """Return what the journal keeps, without the rows and without people."""
        return {
            "as_of": self.as_of.isoformat(),
            "target": self.target.as_dict(),
            "policy": self.policy.as_dict(),
            "counts": asdict(self.counts),
            "refused": self.refused,
            "stops": [asdict(stop) for stop in self.stops],
            "cost": {"lines": [list(line) for line in self.cost.lines]}
            | {"calls": self.cost.calls}
            | {"hours": self.cost.hours},
            "welcome": self.welcome,
            "updates": self.updates,
            "checks": self.checks,
            "calls_left": self.calls_left,
            "parking_list_id": self.parking_list_id,
            "zone": self.zone,
        }


def load(plans: Plans, plan_id: str) -> Plan:
    """Return a kept plan, also from another process."""
    kept = plans.get(plan_id)
    return from_kept(kept, plans)


def from_kept(kept: KeptPlan, plans: Plans | None = None) -> Plan:
    """Return the plan that the journal keeps."""
    header = kept.header
    cost = header["cost"]
    return Plan(
        plan_id=kept.plan_id,
        audience=kept.audience,
        as_of=datetime.fromisoformat(header["as_of"]),
        made_at=kept.made_at,
        who=kept.who,
        target=Target(**header["target"]),
        policy=Policy.from_dict(header["policy"]),
        counts=Counts(**header["counts"]),
        refused=header["refused"],
        stops=tuple(Stop(**stop) for stop in header["stops"]),
        cost=Cost(tuple((what, count) for what, count in cost["lines"]), cost["calls"], cost["hours"]),
        welcome=header["welcome"],
        updates=header["updates"],
        checks=header["checks"],
        calls_left=header["calls_left"],
        parking_list_id=header["parking_list_id"],
        zone=header["zone"],
        state=kept.state,
        plans=plans,
    )


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
