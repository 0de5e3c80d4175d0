"""Audiences: a rule with a name, its people counted, explained, compared, remembered, and kept as text."""

from icx.audience.audience import Audience
from icx.audience.compare import Breakdown, Overlap, breakdown, overlap, sample
from icx.audience.count import Count, Step, count, sizes, steps
from icx.audience.files import delete, everything, file_name, load, names, read, save, used_by
from icx.audience.live import Live
from icx.audience.near import Gate, Near, gates, one_step_away
from icx.audience.people import People, checked, choice, members, members_relation, members_sql, moment_of
from icx.audience.snapshots import Flow, Snapshot, entered_left, snapshot, snapshots
from icx.audience.spread import Histogram, Values, closest, histogram, values
from icx.audience.templates import CHOICES, TEMPLATES, resend, template
from icx.audience.waterfall import Figures, Waterfall, reaching, waterfall
from icx.audience.why import Why, why

__all__ = [
    "CHOICES",
    "TEMPLATES",
    "Audience",
    "Breakdown",
    "Count",
    "Figures",
    "Flow",
    "Gate",
    "Histogram",
    "Live",
    "Near",
    "Overlap",
    "People",
    "Snapshot",
    "Step",
    "Values",
    "Waterfall",
    "Why",
    "breakdown",
    "checked",
    "choice",
    "closest",
    "count",
    "delete",
    "entered_left",
    "everything",
    "file_name",
    "gates",
    "histogram",
    "load",
    "members",
    "members_relation",
    "members_sql",
    "moment_of",
    "names",
    "one_step_away",
    "overlap",
    "reaching",
    "read",
    "resend",
    "sample",
    "save",
    "sizes",
    "snapshot",
    "snapshots",
    "steps",
    "template",
    "used_by",
    "values",
    "waterfall",
    "why",
]
