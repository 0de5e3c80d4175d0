"""Progress as words and as events: what is under way, how far, how fast, what it waits for and until when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from icx.cli.console import Console
from icx.words import counted


def reporter(
    console: Console, name: str, zone: ZoneInfo, done_is: str = "", *, stages: bool = False
) -> Callable[[Any], None]:
    """Return a function that shows what long work reports: its own progress, or why a call waits.

    `done_is` is one of what `done` and `of` count and how it is then, such as "unit stored", for the message when it
    is stopped. With `stages` another thing under way is worth a line in a log; a pull's units are not.
    """
    said: dict[str, object] = {"waits": None, "note": None, "stage": None}

    def show(report: Any) -> None:
        console.event("progress", {"of_what": name, **facts(report)})
        done, whole = getattr(report, "done", None), getattr(report, "of", None)
        if done_is and (done or whole):
            thing, _, state = done_is.partition(" ")
            share = f"{done:,} of {counted(whole, thing)}" if whole else counted(done or 0, thing)
            console.standing = f"{name}: {share} {state}"
        # In a log a line per unit would drown what matters: the beginning, each wait, each thing worth saying.
        # A note whose figures alone moved is the same note.
        waits, note = _until(report) is not None, re.sub(r"\d[\d,]*", "", getattr(report, "note", "") or "")
        stage = getattr(report, "what", "") if stages else ""
        changed = waits != said["waits"] or (
            not waits and (bool(note and note != said["note"]) or stage != said["stage"])
        )
        console.progress(f"{name} › {words(report, zone)}", changed=changed)
        said.update(waits=waits, note=note, stage=stage)

    return show


def facts(report: Any) -> dict[str, Any]:
    """Return a report as plain facts, the absent ones left out."""
    found = asdict(report) if is_dataclass(report) and not isinstance(report, type) else vars(report)
    return {key: value for key, value in found.items() if value not in (None, "")}


def words(report: Any, zone: ZoneInfo) -> str:
    """Return one line about a report of any long work.

    >>> from icx.profile import Progress
    >>> words(Progress("profile", 2, 4), ZoneInfo("UTC"))
    'profile · 50 % of 4'
    """
    until = _until(report)
    if isinstance(until, datetime) and not getattr(report, "what", ""):
        return _waiting(report, until, zone)
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
            parts.append(
                f"{counted(value, 'call')} left" if extra == "calls_left" else f"about {_span(value)}"
            )
    note = getattr(report, "note", "") or ""
    if note:
        parts.append(str(note))
    if isinstance(until, datetime):
        parts.append(f"goes on {until.astimezone(zone):%H:%M:%S} · Ctrl-C is safe")
    return " · ".join(parts)


def _waiting(report: Any, until: datetime, zone: ZoneInfo) -> str:
    why, attempt = getattr(report, "why", ""), getattr(report, "attempt", None)
    told = f"{why}, try {attempt}" if why and attempt else why
    goes_on = f"goes on {until.astimezone(zone):%H:%M:%S} · Ctrl-C is safe"
    return f"waiting for iContact ({told}), {goes_on}" if told else f"waiting for iContact, {goes_on}"


def _until(report: Any) -> Any:
    return getattr(report, "waiting_until", None) or getattr(report, "until", None)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
