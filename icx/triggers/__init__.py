"""Triggers: what happens when somebody reaches a number, or enters or leaves an audience; decided once per crossing."""

from icx.triggers.files import everything, fitting, from_data, load, names, read, remove, save
from icx.triggers.trigger import Do, Trigger

__all__ = ["Do", "Trigger", "everything", "fitting", "from_data", "load", "names", "read", "remove", "save"]
