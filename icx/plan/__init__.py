"""Plan: what would change on a list, shown first, done afterwards, and only less than shown."""

from __future__ import annotations

from icx.plan.applied import Applied, Progress, ReadBack
from icx.plan.apply import apply
from icx.plan.make import make
from icx.plan.match import Target
from icx.plan.plan import Plan, load
from icx.plan.policy import MapLine, Policy
from icx.plan.stops import Stop
from icx.plan.undo import inverse

__all__ = [
    "Applied",
    "MapLine",
    "Plan",
    "Policy",
    "Progress",
    "ReadBack",
    "Stop",
    "Target",
    "apply",
    "inverse",
    "load",
    "make",
]
