"""Jobs: notebooks run with parameters, now or by the clock, and what became of each run."""

from __future__ import annotations

from icx.jobs.run import Run

__all__ = ["Run"]
