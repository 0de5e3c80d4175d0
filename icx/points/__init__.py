"""Points: what people earn by events, field values and audiences, in a ledger whose sums are fields of the profile."""

from icx.points.action import Action, checked, column, fields
from icx.points.files import everything, fitting, from_data, load, names, read, remove, save
from icx.points.score import Score

__all__ = [
    "Action",
    "Score",
    "checked",
    "column",
    "everything",
    "fields",
    "fitting",
    "from_data",
    "load",
    "names",
    "read",
    "remove",
    "save",
]
