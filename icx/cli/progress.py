"""Progress as words: what is under way, how far, how fast, what it waits for and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from icx.cli.console import Console


def reporter(console: Console, name: str, zone: ZoneInfo) -> Callable[[Any], None]:
    """Return a function that shows what long work reports: its own progress, or why a call waits."""
    last: dict[str, object] = {"waits": None}

    def show(report: Any) -> None:
        # In a log a line per unit would drown what matters: the beginning, and each time it waits or goes on.
        waits = _until(report) is not None
        console.progress(f"{name} › {words(report, zone)}", changed=waits != last["waits"])
        last["waits"] = waits

    return show


def words(report: Any, zone: ZoneInfo) -> str:
    """Return one line about a report of any long work.

    >>> from icx.profile import Progress
    >>> words(Progress("profile", 2, 4), ZoneInfo("UTC"))
    'profile · 50 % of 4'
    """
    until = _until(report)
    parts = [str(getattr(report, "what", "waiting for iContact"))]
    done, whole = getattr(report, "done", None), getattr(report, "of", None)
    if done is not None and whole:
        parts.append(f"{100 * done // whole} % of {whole:,}")
    elif done:
        parts.append(f"{done:,}")
    rate = getattr(report, "rate", None)
    if rate:
        parts.append(f"{rate:,.0f} rows/s")
    for extra in ("calls_left", "seconds_left"):
        value = getattr(report, extra, None)
        if value is not None:
            parts.append(f"{value:,} calls left" if extra == "calls_left" else f"about {_span(value)}")
    note = getattr(report, "note", "") or getattr(report, "why", "") or ""
    if note:
        parts.append(str(note))
    if isinstance(until, datetime):
        parts.append(f"goes on {until.astimezone(zone):%H:%M:%S}; Ctrl-C is safe")
    return " · ".join(parts)


def _until(report: Any) -> Any:
    return getattr(report, "waiting_until", None) or getattr(report, "until", None)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
