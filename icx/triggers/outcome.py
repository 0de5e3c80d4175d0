"""What a plan made of firings: its rows and their outcomes, read as what became of each firing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from icx.triggers.firings import Became, Firing

#: Why somebody was left out although nothing keeps them away: what was wanted is so already.
SO_ALREADY = {"there", "keep"}


def became(
    firings: Iterable[Firing],
    rows: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Mapping[str, Any]],
    row_of: Mapping[str, int],
) -> list[Became]:
    """Return what a finished plan came to for each firing.

    `rows` are what the plan decided, `outcomes` what became of those it touched, `row_of` says which row is a
    firing's; who has none is not in the target any more. Whom the service refused is tried again; whom consent
    refuses, or who is not there, is not.
    """
    done: dict[int, Mapping[str, Any]] = {}
    for one in outcomes:
        if one["action"] != "contact" and (one["row"] not in done or one["state"] == "done"):
            done[one["row"]] = one
    found = []
    for firing in firings:
        number = row_of.get(firing.firing_id)
        if number is None:
            found.append(Became(firing.firing_id, "refused", "not_there"))
        else:
            found.append(Became(firing.firing_id, *_one(rows[number], done.get(number))))
    return found


def _one(row: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> tuple[str, str]:
    if row["action"] == "keep":
        return "done", "there"
    if row["action"] in {"refuse", "stay"}:
        return "refused", row["reason"] or "not_there"
    if outcome is None:
        return "failed", "not sent"
    words = outcome["words"] or ""
    if outcome["state"] == "done":
        return "done", ""
    if outcome["state"] == "left_out":
        return ("done" if words in SO_ALREADY else "refused"), words
    return "failed", words
