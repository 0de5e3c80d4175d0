"""Faults on order: a queue that says which coming requests go wrong, and how."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = (
    "close-before",  # the connection ends, nothing was done
    "close-after-write",  # the request is carried out, the connection ends without an answer
    "truncate",  # half of the answer, then the connection ends
    "html-type",  # JSON under text/html
    "html-page",  # a page of HTML instead of JSON, with 200
    "total-moves",  # `total` is higher than it was, by `by`
    "slow",  # the answer comes after `seconds`
    "hold",  # nothing is done and nothing answered until the caller is gone
)


@dataclass
class Fault:
    """One order: skip `after` matching requests, then fail the next `times`."""

    match: str
    fault: str
    after: int = 0
    times: int = 1
    seconds: float = 3.0
    by: int = 1

    def fits(self, target: str) -> bool:
        """Say whether `GET /contacts?limit=5` (paths below the folder) is meant; `*` stands for anything.

        >>> Fault("GET /contacts", "503").fits("GET /contacts?limit=5")
        True
        >>> Fault("GET /messages/*/opens", "503").fits("GET /messages/7/opens")
        True
        >>> Fault("* /lists", "503").fits("GET /contacts")
        False
        """
        return fnmatchcase(target, self.match.replace("[", "[[]").replace("?", "[?]") + "*")


class Faults:
    """The queue; every method may be called from any thread."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []
        self._guard = threading.Lock()

    def add(self, order: Mapping[str, Any]) -> None:
        """Queue one order; ValueError when it is none."""
        known = {"match", "fault", "after", "times", "seconds", "by"}
        kind = str(order.get("fault", ""))
        if set(order) - known or not (kind in KINDS or (kind.isdigit() and 400 <= int(kind) <= 599)):
            raise ValueError(
                f"a fault is {{match, fault, after, times, seconds, by}}; fault: 4xx, 5xx or {', '.join(KINDS)}"
            )
        fault = Fault(**{"match": "*", **order, "fault": kind})
        with self._guard:
            self._queue.append(fault)

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """Return the fault this request meets, None for most."""
        target = f"{method} {below_folder(path)}" + (f"?{query}" if query else "")
        with self._guard:
            for fault in self._queue:
                if fault.times > 0 and fault.fits(target):
                    if fault.after > 0:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def waiting(self) -> list[dict[str, Any]]:
        with self._guard:
            return [asdict(fault) for fault in self._queue if fault.times > 0]

    def clear(self) -> None:
        with self._guard:
            self._queue.clear()


def below_folder(path: str) -> str:
    """Return what a match is written against: the path below the folder, or below /icp.

    >>> below_folder("/icp/a/1/c/2/contacts/7/"), below_folder("/icp/time"), below_folder("/icp/a/1/c")
    ('/contacts/7', '/time', '/a/1/c')
    """
    words = [word for word in path.split("/") if word][1:]
    if len(words) > 4 and words[0] == "a" and words[2] == "c":
        words = words[4:]
    return "/" + "/".join(words)
