"""Is the data good enough to act on? Great Expectations judges tables of DuckDB; the gate reads the verdicts."""

from icx.quality.check import STANDARD, check, check_all, last, summary
from icx.quality.failing import failing_rows
from icx.quality.gate import Failure, Gate, Override, Verdicts, decide, gate, read
from icx.quality.native import warm
from icx.quality.report import CheckReport, Result
from icx.quality.suites import Suite, find, names, packaged

__all__ = [
    "STANDARD",
    "CheckReport",
    "Failure",
    "Gate",
    "Override",
    "Result",
    "Suite",
    "Verdicts",
    "check",
    "check_all",
    "decide",
    "failing_rows",
    "find",
    "gate",
    "last",
    "names",
    "packaged",
    "read",
    "summary",
    "warm",
]
