"""Brings in what an account knows, unit by unit, and counts it against the service."""

from icx.pull.keep import LastPull, last_complete, refresh_views, register, reset, streams
from icx.pull.ledger import Cell, Ledger, ledger
from icx.pull.progress import Progress
from icx.pull.report import PullReport
from icx.pull.run import pull

__all__ = [
    "Cell",
    "LastPull",
    "Ledger",
    "Progress",
    "PullReport",
    "last_complete",
    "ledger",
    "pull",
    "refresh_views",
    "register",
    "reset",
    "streams",
]
