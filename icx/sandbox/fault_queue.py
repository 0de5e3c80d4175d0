"""The queue of faults: which of them a request meets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qsl

from icx.sandbox.faults import WINDOWS, Fault, made, plan


@dataclass(frozen=True)
class Asked:
    """A request as faults see it: `path` is that below the folder, `cap` the most rows a page may hold."""

    method: str
    path: str
    query: str
    cap: int | None = None

    @property
    def target(self) -> str:
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")

    @property
    def rows(self) -> range:
        """Return the places of the rows that a page would hold."""
        given = dict(parse_qsl(self.query))
        first, most = given.get("offset", "0"), given.get("limit", "20")
        if not (first.isdecimal() and most.isdecimal()):
            return range(0)
        return range(int(first), int(first) + min(int(most), self.cap or int(most)))


class Faults:
    """The queue; every method may be called from any thread. `now` is the service's time in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._queue: list[Fault] = []
        self._counted: dict[int, tuple[int, int]] = {}  # quota -> (window, calls in it)
        self._guard = threading.Lock()

    def add(self, order: Mapping[str, Any]) -> None:
        """Queue one order, or a plan of them; ValueError when it is none."""
        if set(order) == {"plan"}:
            faults = [made(each) for each in plan(str(order["plan"]))]
        else:
            faults = [made(order)]
        with self._guard:
            self._queue += faults

    def take(self, asked: Asked) -> list[Fault]:
        """Return the faults this request meets, none for most; one at most is about its answer."""
        met: list[Fault] = []
        with self._guard:
            for fault in self._queue:
                answered = fault.effect == "answer" and any(each.effect == "answer" for each in met)
                if (
                    fault.times < 1
                    or answered
                    or not fault.fits(asked.target)
                    or not self._is_hit(fault, asked)
                ):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                met.append(fault)
        return met

    def _is_hit(self, fault: Fault, asked: Asked) -> bool:
        """Whether this very request is one the fault is about."""
        if fault.fault in ("bad-row", "bad-letter"):
            return asked.method == "GET" and fault.row in asked.rows
        if fault.fault in ("duplicates", "delete"):
            return asked.rows.start > 0
        what, _, per = fault.fault.partition("-")
        if what in ("quota", "throttle"):
            window = int(self._now()) // WINDOWS[per]
            before, calls = self._counted.get(id(fault), (window, 0))
            calls = calls + 1 if before == window else 1
            self._counted[id(fault)] = (window, calls)
            return calls > fault.by
        return True

    def waiting(self) -> list[dict[str, Any]]:
        with self._guard:
            return [asdict(fault) for fault in self._queue if fault.times > 0]

    def clear(self) -> None:
        with self._guard:
            self._queue.clear()
            self._counted.clear()


def below_folder(path: str) -> str:
    """Return what a match is written against: the path below the folder, or below /icp.

    >>> below_folder("/icp/a/1/c/2/contacts/7/"), below_folder("/icp/time"), below_folder("/icp/a/1/c")
    ('/contacts/7', '/time', '/a/1/c')
    """
    words = [word for word in path.split("/") if word][1:]
    if len(words) > 4 and words[0] == "a" and words[2] == "c":
        words = words[4:]
    return "/" + "/".join(words)


def folder_of(raw_path: str) -> int:
    """Return the client folder of a path, 0 when it names none.

    >>> folder_of("/icp/a/1/c/2/contacts"), folder_of("/icp/time")
    (2, 0)
    """
    words = [word for word in raw_path.split("/") if word]
    return int(words[4]) if len(words) > 4 and words[4].isdecimal() else 0
