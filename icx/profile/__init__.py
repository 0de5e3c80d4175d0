"""The profile: one row per contact, its fields, how they are computed, attached tables, fill rates."""

from __future__ import annotations

from icx.profile.attach import Attached, attach, detach
from icx.profile.build import Build, Progress, build, last_build
from icx.profile.catalogue import catalogue
from icx.profile.fill import fill_rates

__all__ = [
    "Attached",
    "Build",
    "Progress",
    "attach",
    "build",
    "catalogue",
    "detach",
    "fill_rates",
    "last_build",
]
