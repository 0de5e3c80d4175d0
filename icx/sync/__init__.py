"""Two systems in step: who is who, what travels where, and what was agreed when they last met."""

from icx.sync.apply import apply
from icx.sync.definition import Act, Line, Rule, Sync, When, checked, from_dict
from icx.sync.make import make
from icx.sync.plan import SyncPlan

__all__ = ["Act", "Line", "Rule", "Sync", "SyncPlan", "When", "apply", "checked", "from_dict", "make"]
